//! The corpus of right files: each parses without a word, and its tree loses nothing.

use std::fs;
use std::path::PathBuf;

fn corpus(kind: &str) -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus").join(kind);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "esc"))
        .map(|p| (p.clone(), fs::read_to_string(&p).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn right_files_parse() {
    for (path, source) in corpus("ok") {
        let parsed = escher_syntax::parse(&source);
        assert!(parsed.diagnostics.is_empty(), "{}: {:#?}", path.display(), parsed.diagnostics);
        assert!(!format!("{:?}", parsed.file).contains("Error"), "{}: an error node", path.display());
        assert_eq!(escher_syntax::tree(&source).text(), source, "{}", path.display());
    }
}
