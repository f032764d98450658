//! Every place in the compiler that makes a diagnostic is reached by some page: by the page of a code, or by one of `tests/spec`.
//!
//! The places come from the source, by the words that make one; what is reached comes from the constructors, which note
//! who called them. A place that no text can reach is named here, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use escher_core::{Entry, TextWorld, check_files, pages};
use escher_syntax::diagnostic::places;

/// Folders in which diagnostics are made.
const SOURCES: &[&str] = &["compiler/syntax/src", "compiler/core/src"];

/// What makes one: constructors, and the functions that stand for them.
const MAKERS: &[&str] = &["Diagnostic::error(", "Diagnostic::warning("];

/// The same for the functions of one folder.
const HELPERS: &[(&str, &[&str])] = &[
    ("compiler/core/src", &["self.error("]),
    ("compiler/syntax/src/recover/foreign", &["told(", ".instead(", ".fixed("]),
];

/// Files, and parts of lines in them, that stand for others or that no page reaches, each with the reason. Shorter is better.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("compiler/syntax/src/diagnostic.rs", "..Diagnostic::error(", "the constructor of warnings"),
    ("compiler/core/src/checker.rs", "Diagnostic::error(code, span", "a helper: those who call it are places"),
    (
        "compiler/syntax/src/recover/foreign/mod.rs",
        "Diagnostic::error(code, span",
        "helpers: those who call them are places",
    ),
    ("compiler/syntax/src/recover/foreign/mod.rs", "self.fixed(code", "a helper as well"),
    (
        "compiler/syntax/src/codes.rs",
        "\"E0190\"",
        "the formatter says it of its own mistake: a text that gave it would be mended",
    ),
    ("compiler/core/src/module/graph.rs", "\"E0227\"", "it takes a thousand modules: tests of their own make them"),
    (
        "compiler/core/src/module/graph.rs",
        "a module of the library has no files",
        "the library is in the program, and has no such module",
    ),
    (
        "compiler/core/src/module/graph.rs",
        "cannot be read: {why}",
        "it takes a file without rights: a test of the command line has one",
    ),
    (
        "compiler/core/src/playbook.rs",
        "is nested too deeply",
        "it takes a text as deep as the codec goes: a test of its own makes it",
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A place: file from the root of the project, and line.
type Place = (String, u32);

#[allow(clippy::disallowed_methods, reason = "the source is on the disk")]
fn read_all(folder: &Path, found: &mut BTreeMap<String, String>) {
    let entries = std::fs::read_dir(folder).unwrap();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.insert(name, text);
        }
    }
}

/// The places of a file, each with its line.
fn places_of(file: &str, text: &str) -> BTreeMap<u32, String> {
    let helpers = HELPERS.iter().filter(|(folder, _)| file.starts_with(folder)).flat_map(|(_, words)| *words);
    let makers: Vec<&str> = MAKERS.iter().chain(helpers).copied().collect();
    let mut found = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        // What follows is the file's tests.
        if line == "#[cfg(test)]" && text.lines().nth(at + 1).is_some_and(|next| next.starts_with("mod tests")) {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        // A helper is a word of its own, and is not where it is defined.
        let made = makers.iter().any(|maker| {
            code.match_indices(maker).any(|(at, _)| {
                let before = code.get(..at).unwrap_or_default();
                let inside =
                    maker.starts_with("told") && before.ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c));
                !inside && !before.ends_with("fn ")
            })
        });
        if made {
            found.insert(u32::try_from(at + 1).unwrap(), line.trim().to_string());
        }
    }
    found
}

/// Compiles every block of a page.
fn compile(page: &str) {
    let mut world = TextWorld::default();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let text: Vec<&str> = lines.by_ref().take_while(|l| !l.starts_with("```")).collect();
        let text = format!("{}\n", text.join("\n"));
        match info.split(' ').collect::<Vec<_>>().as_slice() {
            ["esc", "file", path] => drop(world.files.insert((*path).to_string(), text.into())),
            ["esc", "link", path] => drop(world.links.insert((*path).to_string())),
            ["esc", rest @ ..] => {
                let path = rest.iter().find(|w| w.ends_with(".esc")).copied().unwrap_or_default();
                escher_core::check(&world, &text);
                check_files(&world, vec![Entry { path: path.into(), text: text.into() }]);
            }
            _ => {}
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "pages and source are on the disk")]
fn every_place_that_makes_a_diagnostic_is_reached() {
    let mut sources = BTreeMap::new();
    SOURCES.iter().for_each(|folder| read_all(&root().join(folder), &mut sources));
    let made: BTreeMap<Place, String> = sources
        .iter()
        .flat_map(|(file, text)| places_of(file, text).into_iter().map(|(line, shown)| ((file.clone(), line), shown)))
        .collect();
    assert!(made.len() > 250, "{} places: the words that make one are others now", made.len());
    places::take();
    pages::codes().filter_map(pages::page).for_each(compile);
    for entry in std::fs::read_dir(root().join("tests/spec")).unwrap() {
        compile(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let reached: BTreeSet<Place> = places::take().into_iter().map(|(file, line)| (file.to_string(), line)).collect();
    let unknown: Vec<&Place> = reached.iter().filter(|place| !made.contains_key(*place)).collect();
    assert!(unknown.is_empty(), "made at places that the source is not searched for: {unknown:?}");
    let excused = |file: &str, shown: &str| EXCUSED.iter().any(|(of, part, _)| *of == file && shown.contains(part));
    let idle: Vec<_> = EXCUSED
        .iter()
        .filter(|(of, part, _)| !made.iter().any(|((file, _), shown)| file == of && shown.contains(part)))
        .collect();
    assert!(idle.is_empty(), "these excuse nothing: {idle:?}");
    let missing: Vec<String> = made
        .iter()
        .filter(|(place, shown)| !reached.contains(*place) && !excused(&place.0, shown))
        .map(|((file, line), shown)| format!("{file}:{line}: {shown}"))
        .collect();
    assert!(missing.is_empty(), "{} of {} are reached by no page:\n{}", missing.len(), made.len(), missing.join("\n"));
}
