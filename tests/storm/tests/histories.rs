//! Every history that was ever recorded is resumed, and does what it did when it was.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::path::Path;

use escher_storm::history::{SCENES, resume};

#[test]
fn every_history_goes_on_as_it_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../histories");
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let told = std::fs::read_to_string(path.join("told.txt")).unwrap();
        match resume(&path) {
            Ok(now) if now == told => {}
            Ok(now) => wrong.push(format!("{name}: it was\n{told}\nand is now\n{now}")),
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
        seen.push(name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<_> =
        SCENES.iter().map(|scene| scene.name).filter(|name| !seen.iter().any(|s| s == name)).collect();
    assert!(missing.is_empty(), "not recorded: {missing:?}");
}
