//! The fuzz targets on their seeds, and on what fuzzing found.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use escher_fuzz_targets::{TARGETS, seeds};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

fn names(folder: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(fuzz().join(folder)).unwrap();
    files.map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

fn replay(target: &str) {
    let (_, run) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let files = std::fs::read_dir(fuzz().join("corpus").join(target)).unwrap();
    let files = files.map(|file| {
        let path = file.unwrap().path();
        (path.display().to_string(), std::fs::read(path).unwrap())
    });
    let seeds = seeds::all().into_iter().filter(|(name, ..)| *name == target).map(|(_, name, bytes)| (name, bytes));
    let inputs: Vec<_> = seeds.chain(files).collect();
    assert!(inputs.len() > 1, "{target} has nothing to begin with");
    for (name, bytes) in inputs {
        let survived = std::panic::catch_unwind(|| run(&bytes));
        assert!(survived.is_ok(), "{target}: see above, on {name}");
    }
}

macro_rules! targets {
    ($($target:ident),* $(,)?) => {
        $(
            #[test]
            fn $target() {
                replay(stringify!($target));
            }
        )*

        const REPLAYED: &[&str] = &[$(stringify!($target)),*];
    };
}

targets![parse, format, check, ir, journal, catalog, aws_answer, sandbox_form, signers];

#[test]
fn every_target_is_replayed_and_fuzzed() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets, REPLAYED.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(targets, names("fuzz_targets"));
    assert_eq!(targets, names("corpus"));
}
