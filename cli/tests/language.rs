//! The language by example: each text of the page is in its layout, compiles to the same bytes twice, and passes its tests;
//! and so do the examples.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn escher(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_escher")).current_dir(folder).args(arguments).output().unwrap()
}

#[track_caller]
fn fine(folder: &Path, arguments: &[&str]) -> String {
    let output = escher(folder, arguments);
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    told
}

/// The texts of the page, each a file.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let page = std::fs::read_to_string(root().join("tests/spec/language.md")).unwrap();
    let blocks = page.split("```esc\n").skip(1).map(|rest| rest.split("```\n").next().unwrap());
    let write = |(number, text): (usize, &str)| {
        let path = folder.join(format!("text{number}.esc"));
        std::fs::write(&path, text).unwrap();
        (path, text.to_string())
    };
    blocks.enumerate().map(write).collect()
}

#[test]
fn every_example_of_the_language_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = texts(folder.path());
    assert!(files.len() >= 4, "{}", files.len());
    // The two that the language was designed by, with what the clauses of a schedule and a template say.
    for name in ["stop_dev_vms", "retire_volumes"] {
        let path = root().join(format!("examples/{name}.esc"));
        let text = std::fs::read_to_string(&path).unwrap();
        files.push((path, text));
    }
    for (path, text) in &files {
        let file = path.to_str().unwrap();
        fine(folder.path(), &["check", file]);
        fine(folder.path(), &["fmt", "--check", file]);
        let named = |word: &str| -> Vec<String> {
            let items = text.lines().filter_map(|line| line.strip_prefix(word)?.split(['(', ' ']).next());
            items.map(str::to_string).collect()
        };
        let items = [named("playbook "), named("schedule "), named("template ")].concat();
        assert!(!items.is_empty(), "{file}");
        for item in items {
            let bytes = ["a.ir", "b.ir"].map(|out| {
                fine(folder.path(), &["compile", &format!("{file}:{item}"), "-o", out]);
                std::fs::read(folder.path().join(out)).unwrap()
            });
            assert_eq!(bytes[0], bytes[1], "{file}:{item}");
        }
        if text.contains("\ntest \"") {
            assert!(fine(folder.path(), &["test", file]).contains(" 0 failed"), "{file}");
        }
    }
}
