//! What the language has and this version does not do yet: said, never ignored.

use escher_syntax::{Diagnostic, Span};

/// The diagnostic for a construct that this version does not do yet.
pub(crate) fn not_yet(span: Span, what: &str, instead: &str) -> Diagnostic {
    Diagnostic::error("E0199", span, format!("{what} is not supported by this version of Escher yet")).help(instead)
}
