//! Where the tokens of a broken text are cut into items and statements.
//!
//! Item words are ordinary names elsewhere, so they cut in column 0 only. A statement begins a line, unless the line
//! goes on with the one above.

use escher_grammar::Rule;

use super::Unit;
use super::tokens::{Token, closes, opens, starts_statement};
use crate::tree::slice;

/// Words that begin an item, ours and those that people bring along.
pub(crate) fn starts_item(word: &str) -> bool {
    matches!(
        word,
        "use" | "const" | "type" | "fn" | "action" | "playbook" | "template" | "schedule" | "trigger" | "test"
    ) || foreign_item(word)
}

fn foreign_item(word: &str) -> bool {
    matches!(
        word,
        "import"
            | "from"
            | "def"
            | "function"
            | "func"
            | "fun"
            | "struct"
            | "enum"
            | "record"
            | "public"
            | "pub"
            | "async"
            | "export"
            | "var"
            | "let"
            | "workflow"
            | "task"
            | "on"
    )
}

/// The items of a file, with their attributes. What stands before the first is a unit too.
pub(crate) fn items(source: &str, tokens: &[Token]) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut from = 0;
    let mut attributes: Option<usize> = None;
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        let at_margin = token.first && token.column == 0;
        if at_margin && token.rule == Rule::AT {
            let start = *attributes.get_or_insert(index);
            if start == index {
                push(&mut units, &mut from, start);
                depth = 0;
            }
        } else if at_margin && token.rule == Rule::WORD {
            let word = slice(source, token.span);
            // Any other word begins an item only where nothing is open; inside, it goes on with what is broken.
            let item = starts_item(word) || super::foreign::nearest_item(word).is_some();
            if item || (depth == 0 && !matches!(word, "undo" | "catch" | "else") && !continues(word)) {
                push(&mut units, &mut from, attributes.take().unwrap_or(index));
                depth = 0;
            }
        }
        if opens(token.rule) {
            depth += 1;
        } else if closes(token.rule) {
            depth = depth.saturating_sub(1);
        }
    }
    push(&mut units, &mut from, tokens.len());
    units
}

fn push(units: &mut Vec<Unit>, from: &mut usize, to: usize) {
    if *from < to {
        units.push(Unit { from: *from, to });
        *from = to;
    }
}

/// The statements between two tokens. Brackets with a partner are stepped over.
pub(crate) fn statements(source: &str, tokens: &[Token], range: Unit) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut from = range.from;
    let mut index = range.from;
    let mut head_open = false;
    while index < range.to {
        let Some(token) = tokens.get(index) else { break };
        if index > from && (token.first || after_semicolon(tokens, index)) && begins(source, tokens, index, head_open) {
            push(&mut units, &mut from, index);
        }
        if index == from {
            head_open = matches!(slice(source, token.span), "step" | "wait" | "approve");
        }
        if token.rule == Rule::LBRACE {
            head_open = false;
        }
        index = match token.partner {
            Some(close) if close > index && close < range.to => close + 1,
            _ => index + 1,
        };
        // Directly behind a block on the same line a statement may begin by mistake: the layout check says so.
    }
    push(&mut units, &mut from, range.to);
    units
}

fn after_semicolon(tokens: &[Token], index: usize) -> bool {
    index.checked_sub(1).and_then(|i| tokens.get(i)).is_some_and(|t| t.rule == Rule::SEMI)
}

/// Whether a token that is the first of its line begins a statement there.
fn begins(source: &str, tokens: &[Token], index: usize, head_open: bool) -> bool {
    let Some(token) = tokens.get(index) else { return false };
    let word = slice(source, token.span);
    match token.rule {
        Rule::WORD if starts_statement(word) => true,
        Rule::WORD if matches!(word, "undo" | "catch" | "else" | "unless") || continues(word) => false,
        Rule::WORD if head_open && is_clause(word) => false,
        Rule::WORD => !goes_on(source, tokens, index),
        // A list, group, record, text or number may stand as a value on a line of its own.
        Rule::TEXT | Rule::TEXT_BLOCK | Rule::RAW | Rule::RAW_BLOCK | Rule::NUMBER | Rule::LPAREN | Rule::LBRACKET => {
            !goes_on(source, tokens, index)
        }
        Rule::FOREIGN_COMMENT | Rule::FOREIGN_TEXT | Rule::UNKNOWN | Rule::AT => true,
        _ => false,
    }
}

/// Whether the line above waits for more: it ends with an operator, a comma or an opening bracket.
fn goes_on(source: &str, tokens: &[Token], index: usize) -> bool {
    let Some(before) = index.checked_sub(1).and_then(|i| tokens.get(i)) else { return false };
    match before.rule {
        Rule::COMMA
        | Rule::COLON
        | Rule::COALESCE
        | Rule::EQUAL
        | Rule::NOT_EQUAL
        | Rule::LESS_EQUAL
        | Rule::GREATER_EQUAL
        | Rule::RANGE
        | Rule::SPREAD
        | Rule::DOT
        | Rule::PLUS
        | Rule::MINUS
        | Rule::STAR
        | Rule::SLASH
        | Rule::FAT_ARROW
        | Rule::FOREIGN_AND
        | Rule::FOREIGN_OR => true,
        Rule::WORD => matches!(slice(source, before.span), "and" | "or" | "not" | "in"),
        _ => false,
    }
}

/// Operators that are words.
fn continues(word: &str) -> bool {
    matches!(word, "and" | "or" | "not" | "in")
}

/// Words that go on with the head of a step, a wait or an approval.
fn is_clause(word: &str) -> bool {
    matches!(
        word,
        "for"
            | "max"
            | "at_once"
            | "tolerate"
            | "retry"
            | "timeout"
            | "when"
            | "unless"
            | "may_repeat"
            | "after"
            | "key"
            | "temporary"
            | "irreversible"
            | "every"
            | "by"
            | "of"
            | "within"
            | "show"
            | "where"
            | "parallel"
            | "concurrency"
            | "forks"
            | "serial"
            | "depends_on"
            | "needs"
            | "if"
    )
}
