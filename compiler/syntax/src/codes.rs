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
    Diagnostic::warning("E0112", member, "this goes on with the member before it")
        .help("write `,` between two members, or join them")
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

/// `"{{ x: 1 }}"`: a record, where literal braces or a value were meant.
pub(crate) fn double_braces(span: Span) -> Diagnostic {
    Diagnostic::error("E0007", span, "a hole is written with one brace: `{x}`")
        .help("literal braces are `\\{` and `\\}`")
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

/// The formatter found that its own layout would change the program.
pub(crate) fn layout_refused(span: Span) -> Diagnostic {
    Diagnostic::error("E0190", span, "the layout of this file would change what it says, so it was left as it is")
        .help("this is a mistake of the formatter, not yours: please report the file")
}

/// `step … { } else { }`.
pub(crate) fn after_step(span: Span, text: &str) -> Diagnostic {
    // Where the words are broken, they may go on over lines.
    let first = text.trim().lines().next().unwrap_or_default().trim_end();
    Diagnostic::error("E0179", span, format!("`{first}` does not follow a step"))
        .help("after a step stand `undo { … }` and `catch { … }`")
}

/// A line that begins with `-` and so goes on with the one above.
pub(crate) fn minus_begins_line(span: Span) -> Diagnostic {
    Diagnostic::warning("E0114", span, "this `-` takes away from the line above")
        .help("put it at the end of the line above; for a negative value name it with `let`")
}

/// `str`, `Option<T>`.
pub(crate) fn foreign_type(span: Span, text: &str, right: &str) -> Diagnostic {
    Diagnostic::error("E0152", span, format!("`{text}` is written `{right}` here"))
        .help(format!("write `{right}`"))
        .fix(format!("write `{right}`"), span, right)
}

/// `default => …`.
pub(crate) fn default_arm(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("E0138", span, format!("`{text}` is written `_` here"))
        .help("write `_` for all that no arm above matches")
        .fix("write `_`", span, "_")
}

/// The module of the library that a quoted name was meant to be: `std.vm` for `"std/vm"`.
pub(crate) fn module_of(text: &str) -> Option<String> {
    let module = text.trim_matches('"').replace('/', ".");
    let names = module.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    (names && module.starts_with("std.") && !module.ends_with(".esc")).then_some(module)
}

/// `use "std/vm"`.
pub(crate) fn not_a_file(span: Span, module: Option<&str>) -> Diagnostic {
    let told = Diagnostic::error("E0140", span, "a file of a project is named with its ending `.esc`");
    match module {
        Some(module) => {
            told.help(format!("write `use {module}` for a module")).fix(format!("write `{module}`"), span, module)
        }
        None => told.help("write `use std.vm` for a module, or `use \"./shared.esc\" as shared` for a file"),
    }
}

/// A bracket that is never closed.
pub(crate) fn unclosed(span: Span, text: &str) -> Diagnostic {
    let close = match text {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    Diagnostic::error("E0103", span, format!("`{text}` is never closed")).help(format!("write `{close}` where it ends"))
}

/// A bracket that was never opened.
pub(crate) fn unopened(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error("E0104", span, format!("`{text}` closes nothing"))
        .help(format!("remove `{text}`, or open what it closes"))
}

/// `# …` and `/* … */`.
pub(crate) fn foreign_comment(span: Span, text: &str) -> Diagnostic {
    let inner = match text.strip_prefix("/*") {
        Some(block) => block.strip_suffix("*/").unwrap_or(block),
        None => text.trim_start_matches('#'),
    };
    let lines: Vec<&str> = inner.lines().map(|l| l.trim().trim_start_matches("* ")).filter(|l| !l.is_empty()).collect();
    let fixed = if lines.is_empty() { "//".to_string() } else { format!("// {}", lines.join("\n// ")) };
    // What stands behind a block comment on its line must not become part of the comment.
    let fixed = if text.starts_with("/*") { format!("{fixed}\n") } else { fixed };
    let first = Span { start: span.start, end: span.end.min(span.start.saturating_add(2)) };
    Diagnostic::error(
        "E0004",
        if text.starts_with('#') { Span { end: span.start + 1, ..first } } else { first },
        "a comment begins with `//`",
    )
    .help("write `//` on each line of it")
    .fix("write `//`", span, fixed)
}

/// What the lexer knows is wrong with a token, where no other spelling explains it.
pub(crate) fn lexical(text: &str, found: Option<&crate::recover::Token>, at: usize) -> Option<Diagnostic> {
    use escher_grammar::Rule;
    let token = found?;
    let written = crate::tree::slice(text, token.span);
    let inside = (token.span.start as usize) < at;
    match token.rule {
        Rule::TEXT_OPEN => {
            let quote = if written.starts_with("\"\"\"") { "\"\"\"" } else { "\"" };
            let start = Span::new(token.span.start as usize, token.span.start as usize + quote.len());
            Some(
                Diagnostic::error("E0002", start, "this text is never closed")
                    .help(format!("write `{quote}` where it ends; a text in `\"` ends on its line")),
            )
        }
        Rule::TEXT | Rule::TEXT_BLOCK if inside => {
            let rest = text.get(at..token.span.end as usize).unwrap_or("");
            let length = rest.find(['}', '"', '\n']).unwrap_or(rest.len()).max(1);
            let length = (0..=length).rev().find(|l| rest.is_char_boundary(*l)).unwrap_or(0);
            let span = Span::new(at, at + length);
            let shown = crate::tree::slice(text, span).trim_end();
            Some(
                Diagnostic::error("E0009", span, format!("`{shown}` does not fit into the hole of a text"))
                    .help(if token.rule == Rule::TEXT_BLOCK {
                        "for JSON, patterns and scripts write `r\"\"\"…\"\"\"`, which has no holes; a literal brace is `\\{`"
                    } else {
                        "a hole holds one value: `{name}` or `{list.count()}`; a literal brace is `\\{`"
                    }),
            )
        }
        Rule::NUMBER_BAD if written.contains('-') => Some(
            Diagnostic::error("E0003", token.span, format!("`{written}` is no instant"))
                .help("an instant has a time and a zone: `2026-11-21T08:00:00Z` or `2026-11-21T08:00:00+01:00`"),
        ),
        Rule::NUMBER_BAD => Some(
            Diagnostic::error("E0003", token.span, format!("`{written}` is no number with a unit"))
                .help("durations `30s 5m 2h 7d 4w`, sizes `512MiB 20GB`, percentages `5%`, money `12.50 USD`"),
        ),
        Rule::UNKNOWN => {
            Some(Diagnostic::error("E0001", token.span, format!("{} means nothing here", quoted(written))).help(
                match written {
                    "`" => "a text stands in double quotes: `\"…\"`",
                    "&" => "conditions are joined with `and`; of a type, leave it out",
                    _ => "remove it, or put it into a text: `\"…\"`",
                },
            ))
        }
        _ => None,
    }
}

/// A sign in back-ticks; the back-tick itself by its name.
fn quoted(written: &str) -> String {
    if written == "`" { "a back-tick".into() } else { format!("`{written}`") }
}
