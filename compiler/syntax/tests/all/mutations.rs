//! Whatever is done to a right file: nothing is lost, nothing panics, and the layout stays put.

use proptest::prelude::*;

use crate::support::corpus;

/// Pieces that hurt: brackets, quotes, words, halves of operators, other alphabets.
const PIECES: &[&str] = &[
    "",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\"\"\"",
    "'",
    ",",
    ";",
    ":",
    "=",
    "==",
    "=>",
    "->",
    ".",
    "..",
    "...",
    "?",
    "??",
    "|",
    "&&",
    "@",
    "#",
    "//",
    "///",
    "/*",
    "\n",
    "\n\n",
    " ",
    "\t",
    "\r\n",
    "\u{feff}",
    "é",
    "日本",
    "\u{0}",
    "\\",
    "{{",
    "${",
    "let ",
    "step ",
    "if ",
    "else ",
    "match ",
    "not ",
    "in ",
    "for ",
    "undo ",
    "catch ",
    "playbook ",
    "use ",
    "test ",
    "max ",
    "none",
    "1",
    "1.",
    "5%",
    "10m",
    "2026-11-21",
    "r\"",
    "for m in ms { a(m) }",
    "lambda m: m.x",
    "x if c else y",
    "step \"A b\" { c }",
];

fn any_source() -> impl Strategy<Value = String> {
    let files: Vec<String> = corpus("ok").into_iter().chain(corpus("broken")).map(|(_, s)| s).collect();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, 0..PIECES.len()), 0..6);
    (prop::sample::select(files), edits, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(file, edits, cut, cuts)| {
            let mut text: Vec<char> = file.chars().collect();
            if cuts {
                text.truncate(cut.index(text.len()));
            }
            for (place, length, piece) in edits {
                let at = place.index(text.len() + 1);
                let end = (at + length).min(text.len());
                text.splice(at..end, PIECES[piece].chars());
            }
            text.into_iter().collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_places_lie_in_the_text(source in any_source()) {
        prop_assert_eq!(escher_syntax::tree(&source).text(), source.clone());
        for d in escher_syntax::parse(&source).diagnostics {
            let spans = std::iter::once(d.span).chain(d.labels.iter().map(|l| l.span));
            for span in spans.chain(d.fixes.iter().flat_map(|f| f.edits.iter().map(|e| e.span))) {
                prop_assert!(source.get(span.start as usize..span.end as usize).is_some(), "{:?} {:?}", span, d);
            }
            prop_assert!(!d.message.is_empty());
        }
    }

    #[test]
    fn the_layout_stays_put(source in any_source()) {
        if let Ok(once) = escher_syntax::format(&source) {
            let twice = escher_syntax::format(&once);
            prop_assert_eq!(twice.as_ref(), Ok(&once), "{}", source);
        }
    }
}
