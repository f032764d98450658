//! The corpus of right files: each parses without a word, and its tree loses nothing.

use crate::support::corpus;

#[test]
fn right_files_parse() {
    for (name, source) in corpus("ok") {
        let parsed = escher_syntax::parse(&source);
        assert!(parsed.diagnostics.is_empty(), "{name}: {:#?}", parsed.diagnostics);
        assert!(!format!("{:?}", parsed.file).contains("Error"), "{name}: an error node");
        assert_eq!(escher_syntax::tree(&source).text(), source, "{name}");
    }
}
