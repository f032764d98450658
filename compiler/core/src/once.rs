//! Every mistake is told once: what a mistake of the text explains, the checker does not tell again.
//!
//! The parser goes on behind a mistake with a repaired copy or with a gap. What the checker finds at such a place is
//! about the repair, not about what the author wrote.

use escher_syntax::{Diagnostic, Severity, Span};

/// Drops findings of the checker that mistakes of the text explain. `text` holds those of the parser, `broken` the
/// items and statements that could not be read.
pub(crate) fn told_once(source: &str, text: &[Diagnostic], broken: &[Span], found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let errors: Vec<&Diagnostic> = text.iter().filter(|d| d.severity == Severity::Error).collect();
    if errors.is_empty() {
        return found;
    }
    let line_of = |at: u32| source.get(..at as usize).map_or(0, |before| before.matches('\n').count());
    let mut lines: Vec<usize> = Vec::new();
    for error in &errors {
        lines.push(line_of(error.span.start));
        for edit in error.fixes.iter().flat_map(|f| &f.edits) {
            lines.extend(line_of(edit.span.start)..=line_of(edit.span.end));
        }
    }
    let explained = |d: &Diagnostic| {
        lines.contains(&line_of(d.span.start))
            || errors.iter().any(|e| d.span.start <= e.span.start && e.span.end <= d.span.end)
            || (matches!(d.code, "E0201" | "E0208")
                && (names(source, broken, d.span) || repaired(source, &lines, d.span)))
    };
    found.into_iter().filter(|d| !explained(d)).collect()
}

fn text(source: &str, span: Span) -> &str {
    source.get(span.start as usize..span.end as usize).unwrap_or("")
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == word)
}

/// Whether the word at a place stands in something that could not be read, which may have defined it.
fn names(source: &str, broken: &[Span], place: Span) -> bool {
    broken.iter().any(|b| has_word(text(source, *b), text(source, place)))
}

/// Whether the word at a place stands in a line with a mistake, and may be defined there.
fn repaired(source: &str, lines: &[usize], place: Span) -> bool {
    source.lines().enumerate().any(|(i, line)| lines.contains(&i) && has_word(line, text(source, place)))
}
