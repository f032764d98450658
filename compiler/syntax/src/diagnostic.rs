//! A diagnostic as plain data. Rendering it (terminal, JSON, SARIF, editor) is somebody else's job.

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The program can't run.
    Error,
    /// It can, but something is off.
    Warning,
}

/// A note on a span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What to say there; may be empty for the primary label.
    pub text: String,
}

/// One replacement of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// A repair that `escher fix` may apply without asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it does, such as "write `and`".
    pub title: String,
    /// The replacements, in order, not overlapping.
    pub edits: Vec<Edit>,
}

/// One thing to tell the author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable code, such as `E0312`; ranges are listed in ARCHITECTURE.md.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Title in plain, lower-case words, input in back-ticks.
    pub message: String,
    /// The place it is about.
    pub span: Span,
    /// More places, each with a note.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// Certain repairs.
    pub fixes: Vec<Fix>,
}

/// Which places of the source have made a diagnostic, for the test that wants all of them reached.
#[cfg(feature = "places")]
pub mod places {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::panic::Location;

    thread_local! {
        static REACHED: RefCell<BTreeSet<(&'static str, u32)>> = const { RefCell::new(BTreeSet::new()) };
    }

    #[track_caller]
    pub(super) fn reached() {
        let place = Location::caller();
        REACHED.with_borrow_mut(|all| all.insert((place.file(), place.line())));
    }

    /// Files and lines of all that this thread has made since it was last asked.
    pub fn take() -> BTreeSet<(&'static str, u32)> {
        REACHED.take()
    }
}

impl Diagnostic {
    /// An error at a span.
    #[cfg_attr(feature = "places", track_caller)]
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        #[cfg(feature = "places")]
        places::reached();
        Diagnostic {
            code,
            severity: Severity::Error,
            message: on_one_line(message.into()),
            span,
            labels: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// A warning at a span.
    #[cfg_attr(feature = "places", track_caller)]
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    /// Adds a note at another place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, text: on_one_line(text.into()) });
        self
    }

    /// Says what to write.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Offers a certain repair that replaces one span.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>) -> Diagnostic {
        self.fixes.push(Fix { title: title.into(), edits: vec![Edit { span, text: text.into() }] });
        self
    }
}

/// Input that a message names may hold line feeds, and what a terminal takes for commands: shown as escapes.
fn on_one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_names_stays_on_its_line() {
        let told = Diagnostic::error("E0001", Span::default(), "`é\n\u{1b}[2J`").label(Span::default(), "a\tb");
        assert_eq!((told.message.as_str(), told.labels[0].text.as_str()), ("`é\\n\\u{1b}[2J`", "a\\tb"));
    }
}
