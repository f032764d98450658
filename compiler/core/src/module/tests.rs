//! What the program holds of modules, and the limits to them.

use std::sync::Arc;

use escher_ir::codec;

use super::{MAX_DEPTH, MAX_MODULES};
use crate::{CheckedFile, Entry, TextWorld, check_files};

const MAIN: &str = r#"use "./shared.esc" as shared

fn f() -> string = "main"

playbook look() {
    report { "{f()} {shared.f()} {shared.g()} {shared.limit}" }
}
"#;

const SHARED: &str = r#"use std.tags

const limit = 20

fn f() -> string = "shared"

fn g() -> string = "{tags.has({ "a": "b" }, "a")}"

fn unreached() -> string = "nobody asks"
"#;

fn checked(path: &str, main: &str, files: &[(&str, &str)]) -> Vec<CheckedFile> {
    let files = files.iter().map(|(path, text)| (path.to_string(), Arc::from(*text))).collect();
    let world = TextWorld { files, ..TextWorld::default() };
    check_files(&world, vec![Entry { path: path.into(), text: main.into() }])
}

#[track_caller]
fn digest(path: &str, main: &str, files: &[(&str, &str)]) -> String {
    let all = checked(path, main, files);
    let told: Vec<_> = all.iter().flat_map(|f| &f.checked.diagnostics).collect();
    assert!(told.is_empty(), "{told:?}");
    codec::digest(&**all[0].checked.playbooks[0].program().unwrap()).unwrap().to_string()
}

#[test]
fn the_digest_is_of_what_is_reached_and_not_of_where_it_stands() {
    let here = digest("main.esc", MAIN, &[("shared.esc", SHARED)]);
    // Renamed, moved, called otherwise, with comments.
    let renamed = MAIN.replace("\"./shared.esc\" as shared", "\"../lib/other.esc\" as shared");
    assert_eq!(here, digest("ops/now.esc", &renamed, &[("lib/other.esc", SHARED)]));
    let alias = MAIN.replace("as shared", "as other").replace("shared.f", "other.f").replace("shared.g", "other.g");
    let alias = alias.replace("shared.limit", "other.limit");
    assert_eq!(here, digest("main.esc", &alias, &[("shared.esc", SHARED)]));
    assert_eq!(here, digest("main.esc", MAIN, &[("shared.esc", &format!("// a word\n{SHARED}"))]));
    // What nobody reaches.
    let unreached = SHARED.replace("nobody asks", "nobody asked");
    assert_eq!(here, digest("main.esc", MAIN, &[("shared.esc", &unreached)]));
    // What is reached.
    for (from, to) in [("\"shared\"", "\"Shared\""), ("limit = 20", "limit = 21"), ("tags.has(", "not tags.has(")] {
        let changed = SHARED.replace(from, to);
        assert_ne!(changed, SHARED);
        assert_ne!(here, digest("main.esc", MAIN, &[("shared.esc", &changed)]), "{to}");
    }
    // The library's module is a module like the others: another of the same name is another program.
    let all = checked(
        "main.esc",
        MAIN,
        &[("shared.esc", SHARED), ("std/tags.esc", "fn has(t: map<string>, k: string) -> bool = true\n")],
    );
    assert_ne!(here, codec::digest(&**all[0].checked.playbooks[0].program().unwrap()).unwrap().to_string());
}

#[test]
fn two_functions_of_one_name_stay_two() {
    let all = checked("main.esc", MAIN, &[("shared.esc", SHARED)]);
    let program = all[0].checked.playbooks[0].program().unwrap();
    assert_eq!(program.functions.keys().collect::<Vec<_>>(), ["f", "f.2", "g", "has"]);
    assert!(!format!("{program:?}").contains(".esc"));
}

#[test]
fn a_second_playbook_reads_as_much_as_the_first() {
    let main = r#"
fn name(v: aws.ec2.Volume) -> string = v.availability_zone

playbook one() {
    report { table(aws.ec2.describe_volumes().volumes.map(v => name(v))) }
}

playbook two() {
    report { table(aws.ec2.describe_volumes().volumes.map(v => name(v))) }
}
"#;
    let all = checked("main.esc", main, &[]);
    assert!(all[0].checked.diagnostics.is_empty(), "{:?}", all[0].checked.diagnostics);
    let bodies: Vec<_> = all[0].checked.playbooks.iter().map(|p| p.program().unwrap().playbook.body.clone()).collect();
    assert_eq!(bodies[0], bodies[1]);
}

#[test]
fn a_mistake_in_a_module_is_told_in_its_own_file_and_stops_all_that_use_it() {
    let broken = SHARED.replace("limit = 20", "limit = 20 +");
    let all = checked("main.esc", MAIN, &[("shared.esc", &broken)]);
    assert!(all[0].checked.playbooks[0].program().is_none());
    let shared = all.iter().find(|f| f.id.to_string() == "shared.esc").unwrap();
    assert!(shared.checked.has_errors());
    assert!(all[0].checked.diagnostics.is_empty(), "{:?}", all[0].checked.diagnostics);
}

#[test]
fn files_share_the_modules_that_they_use() {
    let files = [("shared.esc".to_string(), Arc::from(SHARED))].into_iter().collect();
    let world = TextWorld { files, ..TextWorld::default() };
    let entry = |path: &str| Entry { path: path.into(), text: MAIN.into() };
    let all = check_files(
        &world,
        vec![entry("a.esc"), entry("b.esc"), Entry { path: "shared.esc".into(), text: SHARED.into() }],
    );
    let names: Vec<String> = all.iter().map(|f| f.id.to_string()).collect();
    assert_eq!(names, ["a.esc", "b.esc", "shared.esc", "std.tags"]);
}

#[test]
fn there_are_limits() {
    let codes = |all: &[CheckedFile]| -> Vec<&str> {
        let mut codes: Vec<&str> = all.iter().flat_map(|f| &f.checked.diagnostics).map(|d| d.code).collect();
        codes.dedup();
        codes
    };
    let chain = |n: usize| -> Vec<(String, String)> {
        (0..n).map(|i| (format!("m{i}.esc"), format!("use \"./m{}.esc\" as next\n", i + 1))).collect()
    };
    for (links, expected) in [(MAX_DEPTH - 2, &[][..]), (MAX_DEPTH - 1, &["E0227"][..])] {
        let mut files = chain(links);
        files.push((format!("m{links}.esc"), "const end = 1\n".into()));
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        assert_eq!(codes(&checked("main.esc", "use \"./m0.esc\" as first\n", &files)), expected);
    }
    let many: Vec<String> = (0..=MAX_MODULES).map(|i| format!("m{i}.esc")).collect();
    let main: String = many.iter().map(|p| format!("use \"./{p}\"\n")).collect();
    let files: Vec<(&str, &str)> = many.iter().map(|p| (p.as_str(), "const a = 1\n")).collect();
    assert_eq!(codes(&checked("main.esc", &main, &files)), ["E0227"]);
}
