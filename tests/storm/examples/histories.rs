//! Records the histories that are not there yet: `histories tests/histories`. What is there stays: it was written by the
//! Escher of its day.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a tool for people at a terminal")]

use std::path::PathBuf;

use escher_storm::history::{SCENES, record};

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("a folder"));
    for scene in SCENES {
        let folder = folder.join(scene.name);
        if folder.exists() {
            continue;
        }
        match record(scene, &folder) {
            Ok(()) => println!("{}: recorded", scene.name),
            Err(why) => println!("{}: {why}", scene.name),
        }
    }
}
