//! What the language has and this version does not do yet: said, never ignored.

use escher_syntax::{Diagnostic, Span};

/// The warning for what was compiled, and which this version does not start by itself.
pub(crate) fn not_run(span: Span, what: &str) -> Diagnostic {
    Diagnostic::warning("E0199", span, format!("{what} is compiled, and this version of Escher does not start it yet"))
        .help("run the playbook by hand, or from your own scheduler with `escher run`")
}

/// The warning for a notice that is kept in the report, and not sent to its channel.
pub(crate) fn not_sent(span: Span) -> Diagnostic {
    let told = "this version of Escher does not send notices yet: this one stands in the report, as not sent";
    Diagnostic::warning("E0199", span, told).help("send it from the script that runs the playbook, or use `report`")
}
