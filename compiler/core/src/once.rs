//! Every mistake is told once: what a mistake of the text explains, the checker does not tell again.
//!
//! The parser goes on behind a mistake with what it repaired, or with a gap. What the checker finds in a repair is not
//! about what the author wrote, and a name that stands in a gap may have been defined there.

use escher_syntax::{Diagnostic, Severity, Span};

/// Drops findings of the checker that mistakes of the text explain. `text` holds those of the parser, `broken` the
/// items and statements that could not be read.
pub(crate) fn told_once(source: &str, text: &[Diagnostic], broken: &[Span], found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let errors: Vec<&Diagnostic> = text.iter().filter(|d| d.severity == Severity::Error).collect();
    if errors.is_empty() {
        return found;
    }
    let repairs: Vec<Span> =
        errors.iter().flat_map(|e| e.fixes.iter().flat_map(|f| &f.edits)).map(|edit| edit.span).collect();
    let inside = |inner: Span, outer: Span| outer.start <= inner.start && inner.end <= outer.end;
    let explained = |d: &Diagnostic| {
        repairs.iter().any(|repair| inside(d.span, *repair))
            || errors.iter().any(|error| inside(error.span, d.span))
            // Advice on a playbook waits until it can be read.
            || d.code == "E0425"
            || (matches!(d.code, "E0201" | "E0208") && broken.iter().any(|b| has_word(source, *b, d.span)))
    };
    found.into_iter().filter(|d| !explained(d)).collect()
}

/// Whether the word at a place stands in something that could not be read, which may have defined it.
fn has_word(source: &str, broken: Span, place: Span) -> bool {
    let text = |span: Span| source.get(span.start as usize..span.end as usize).unwrap_or("");
    let mut words = text(broken).split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.any(|w| w == text(place))
}
