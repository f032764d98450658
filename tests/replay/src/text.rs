//! Texts of playbooks, right and wrong.

use escher_core::CatalogWorld;
use escher_ir::codec;
use escher_ir::program::Program;
use escher_syntax::{Diagnostic, Severity, Span};

/// A tree loses nothing, and what is said of a text lies within it.
pub fn parse(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    assert_eq!(escher_syntax::tree(&source).text(), source);
    told(&source, &escher_syntax::parse(&source).diagnostics);
}

/// A layout stays put, says nothing new and keeps the program.
pub fn format(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    let once = match escher_syntax::format(&source) {
        Ok(once) => once,
        Err(diagnostics) => {
            // A refusal names its reason, and is not for what was parsed without a word.
            assert!(!diagnostics.is_empty());
            return told(&source, &diagnostics);
        }
    };
    let errors = escher_syntax::parse(&once).diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
    assert_eq!(errors.collect::<Vec<_>>(), [], "{once}");
    assert_eq!(escher_syntax::format(&once).as_deref(), Ok(&*once), "of {source}");
    let programs = |text: &str| -> Vec<Option<std::sync::Arc<Program>>> {
        escher_core::check(&CatalogWorld, text).playbooks.into_iter().map(|p| p.program().cloned()).collect()
    };
    assert_eq!(programs(&source), programs(&once), "{once}");
}

/// Whatever is checked: what is said lies within the text, and a program comes out of a text without errors alone.
pub fn check(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    let checked = escher_core::check(&CatalogWorld, &source);
    told(&source, &checked.diagnostics);
    for playbook in &checked.playbooks {
        for witness in playbook.witnesses.iter() {
            within(&source, witness.span);
        }
        let Some(program) = playbook.program().map(|p| &**p) else { continue };
        assert!(!checked.has_errors());
        let written = codec::encode(program);
        assert!(written.is_ok(), "a program that cannot be written: {written:?}");
        let read = written.and_then(|(_, bytes)| codec::decode::<Program>(&bytes));
        assert!(read.as_ref().is_ok_and(|(_, again)| again == program), "{read:?}");
    }
}

fn told(source: &str, diagnostics: &[Diagnostic]) {
    for d in diagnostics {
        within(source, d.span);
        assert!(!d.message.is_empty() && !d.message.contains(char::is_control), "{d:?}");
        for label in &d.labels {
            within(source, label.span);
            assert!(!label.text.contains(char::is_control), "{d:?}");
        }
        for fix in &d.fixes {
            // In order and not overlapping: whoever applies them need not think.
            let mut end = 0;
            for edit in &fix.edits {
                within(source, edit.span);
                assert!(edit.span.start >= end, "{fix:?}");
                end = edit.span.end;
            }
        }
    }
}

fn within(source: &str, span: Span) {
    assert!(source.get(span.start as usize..span.end as usize).is_some(), "{span:?} is no part of the text");
}
