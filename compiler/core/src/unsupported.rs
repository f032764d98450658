//! What the language has and this version does not do yet: said, never ignored.

use escher_syntax::{Diagnostic, Span};

/// The warning for what was checked, and which this version does not run.
pub(crate) fn not_run(span: Span, what: &str) -> Diagnostic {
    Diagnostic::warning("E0199", span, format!("{what} is checked, and this version of Escher does not run it yet"))
        .help("run the playbook by hand, or from your own scheduler with `escher run`")
}

/// The diagnostic for a construct that this version does not do yet.
pub(crate) fn not_yet(span: Span, what: &str, instead: &str) -> Diagnostic {
    Diagnostic::error("E0199", span, format!("{what} is not supported by this version of Escher yet")).help(instead)
}
