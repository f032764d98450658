//! What the tests share: corpora from the disk, and diagnostics as lines.

use std::path::PathBuf;

use escher_syntax::{Diagnostic, Edit};

/// The files of a corpus with their names.
#[allow(clippy::disallowed_methods, reason = "the corpus is read from the disk")]
pub(crate) fn corpus(kind: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus").join(kind);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "esc"))
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A diagnostic as `line:column code message | underlined`.
pub(crate) fn line(source: &str, d: &Diagnostic) -> String {
    let (start, end) = (d.span.start as usize, d.span.end as usize);
    let before = source.get(..start).unwrap();
    let row = before.matches('\n').count() + 1;
    let column = start - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    format!("{row}:{column} {} {} | {}", d.code, d.message, source.get(start..end).unwrap())
}

/// All diagnostics of a text as lines.
pub(crate) fn lines(source: &str) -> Vec<String> {
    escher_syntax::parse(source).diagnostics.iter().map(|d| line(source, d)).collect()
}

/// The text with the first fix of every diagnostic applied, from the end to the start.
pub(crate) fn repaired(source: &str) -> String {
    let diagnostics = escher_syntax::parse(source).diagnostics;
    let mut edits: Vec<Edit> =
        diagnostics.iter().filter_map(|d| d.fixes.first()).flat_map(|f| f.edits.clone()).collect();
    edits.sort_by_key(|e| (e.span.start, e.span.end));
    let mut text = source.to_string();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    }
    text
}
