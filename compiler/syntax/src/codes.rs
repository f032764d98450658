//! Every diagnostic of this crate beyond "expected … found …": its code, its words and its repair.
//!
//! One function each, so that a message is written once and a code means one thing. E00xx is lexical, E01xx syntax;
//! numbers are never reused.

use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// Brackets or operators nest too deeply.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    let at = Span { start: span.start, end: span.end.min(span.start.saturating_add(1)) };
    Diagnostic::error("E0102", at, "nested too deeply")
        .help(format!("keep to {} levels: give a part a name with `let`, `const` or `fn`", crate::limits::MAX_DEPTH))
}

/// Two statements on one line.
pub(crate) fn same_line(statement: Span, between: Span) -> Diagnostic {
    let first = Span { start: statement.start, end: statement.end.min(statement.start.saturating_add(1)) };
    Diagnostic::error("E0105", first, "a statement starts on a line of its own").help("put it on the next line").fix(
        "start a new line",
        between,
        "\n",
    )
}

/// A value that nothing uses.
pub(crate) fn bare_value(span: Span) -> Diagnostic {
    Diagnostic::error("E0106", span, "this value is not used")
        .help("a value stands last in a block, where it is the block's value; name it with `let` to use it below")
}

/// `a < b < c`.
pub(crate) fn chained(operator: Span, text: &str) -> Diagnostic {
    Diagnostic::error("E0107", operator, format!("`{text}` does not continue a comparison"))
        .help("compare twice and join with `and`: `a < b and b < c`, or use `x in 1..=20`")
}

/// A clause that stands twice.
pub(crate) fn clause_twice(word: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error("E0108", span, format!("`{word}` is written twice"))
        .label(first, "first written here")
        .help("keep one of them")
}

/// A match arm without its comma.
pub(crate) fn comma_after_arm(end: Span) -> Diagnostic {
    Diagnostic::error("E0109", end, "missing `,` after this arm")
        .help("an arm ends with a comma, or with the `}` of a block")
        .fix("add `,`", end, ",")
}

/// A doc comment that nothing follows.
pub(crate) fn idle_doc(span: Span) -> Diagnostic {
    Diagnostic::warning("E0110", span, "this doc comment describes nothing")
        .help("put it above the item, parameter, field, arm or statement that it describes, or write `//`")
}

/// `catch` or `unless` after something that is not a call.
pub(crate) fn not_a_call(word: Span, value: Span) -> Diagnostic {
    Diagnostic::error("E0111", word, "what stands before this is not a call")
        .label(value, "this asks no cloud, so there is no answer to go on from")
        .help("write it after a call; in the head of a step a comma separates clauses")
}

/// `[.a ⏎ .b]`.
pub(crate) fn comma_before_member(between: Span, member: Span) -> Diagnostic {
    let at = Span { start: between.start, end: between.start };
    Diagnostic::warning("E0112", member, "this line goes on with the member above")
        .help("write `,` at the end of the line above, or join the lines")
        .fix("add `,`", at, ",")
}

/// `return` and its value on two lines.
pub(crate) fn return_over_lines(word: Span, value: Span) -> Diagnostic {
    Diagnostic::error("E0113", word, "the value of `return` stands on its line")
        .label(value, "this would be returned")
        .help("join the lines; to return nothing, put `return` last")
}

/// A hole over several lines.
pub(crate) fn hole_over_lines(hole: Span) -> Diagnostic {
    Diagnostic::error("E0005", hole, "a hole in a text stands on one line")
        .help("name the value with `let` and write its name in the hole")
}

/// `"${x}"`.
pub(crate) fn dollar_hole(span: Span) -> Diagnostic {
    let dollar = Span { start: span.start, end: span.start.saturating_add(1) };
    Diagnostic::error("E0006", span, "a hole is written `{x}`, without `$`")
        .help("for a dollar sign before a value write `\\${x}`")
        .fix("remove `$`", dollar, "")
}

/// `"{{ x }}"`.
pub(crate) fn double_braces(span: Span, text: &str) -> Diagnostic {
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text).trim();
    Diagnostic::error("E0007", span, "a hole is written with one brace: `{x}`")
        .help("literal braces are `\\{` and `\\}`")
        .fix("write one brace", span, inner)
}

/// `\q`.
pub(crate) fn bad_escape(span: Span, escaped: char) -> Diagnostic {
    Diagnostic::error("E0008", span, format!("`\\{escaped}` is no escape"))
        .help("escapes are `\\n \\t \\r \\\" \\\\ \\{ \\} \\$ \\u{1F600}`; `r\"…\"` has none and suits patterns")
}

/// What other languages call `none`, `true` and `false`.
pub(crate) fn foreign_word(text: &str) -> Option<&'static str> {
    Some(match text {
        "None" | "null" | "nil" | "undefined" => "none",
        "True" => "true",
        "False" => "false",
        _ => return None,
    })
}

/// `None`, `True`.
pub(crate) fn foreign_literal(span: Span, text: &str, word: &str) -> Diagnostic {
    Diagnostic::error("E0130", span, format!("`{text}` is written `{word}` here")).help(format!("write `{word}`")).fix(
        format!("write `{word}`"),
        span,
        word,
    )
}
