//! The tokens of a text that the strict grammar refused: where lines begin, which brackets belong together.
//!
//! Cutting and advice need tokens, not trees. The total rule `tokens` of the grammar makes them, so there is no second
//! lexer.

use escher_grammar::Rule;
use pest::Token as PestToken;

use crate::span::Span;
use crate::tree::slice;

/// A token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// Which terminal; all words are `WORD`.
    pub(crate) rule: Rule,
    /// Where.
    pub(crate) span: Span,
    /// Whether it is the first of its line.
    pub(crate) first: bool,
    /// Its column, in bytes.
    pub(crate) column: u32,
    /// For a bracket, the index of its partner.
    pub(crate) partner: Option<usize>,
}

/// The tokens of a text.
pub(crate) fn lex(source: &str) -> Vec<Token> {
    let Ok(pairs) = escher_grammar::parse(Rule::tokens, source) else { return Vec::new() };
    let mut tokens: Vec<Token> = Vec::with_capacity(source.len() / 4);
    let mut line = 0;
    let mut last = 0;
    let mut start = 0;
    for token in pairs.tokens() {
        match token {
            PestToken::Start { pos, .. } => start = pos.pos(),
            PestToken::End { rule: Rule::EOI | Rule::tokens, .. } => {}
            PestToken::End { rule, pos } => {
                let gap = slice(source, Span::new(last, start));
                let first = match gap.rfind('\n') {
                    Some(at) => {
                        line = last + at + 1;
                        true
                    }
                    None => tokens.is_empty(),
                };
                let span = Span::new(start, pos.pos());
                tokens.push(Token { rule, span, first, column: Span::new(start - line, 0).start, partner: None });
                last = pos.pos();
                // A token of several lines moves the line's begin with it.
                if let Some(at) = slice(source, span).rfind('\n') {
                    line = start + at + 1;
                }
            }
        }
    }
    tokens
}

/// Whether a token opens a bracket.
pub(crate) fn opens(rule: Rule) -> bool {
    matches!(rule, Rule::LPAREN | Rule::LBRACKET | Rule::LBRACE)
}

/// Whether a token closes one.
pub(crate) fn closes(rule: Rule) -> bool {
    matches!(rule, Rule::RPAREN | Rule::RBRACKET | Rule::RBRACE)
}

/// What closes a bracket.
pub(crate) fn closing(open: Rule) -> Rule {
    match open {
        Rule::LPAREN => Rule::RPAREN,
        Rule::LBRACKET => Rule::RBRACKET,
        _ => Rule::RBRACE,
    }
}

/// Statement words that stand nowhere else than at the start of a statement.
pub(crate) fn starts_statement(word: &str) -> bool {
    matches!(
        word,
        "let"
            | "require"
            | "confirm"
            | "approve"
            | "step"
            | "wait"
            | "sleep"
            | "report"
            | "notify"
            | "return"
            | "mock"
            | "expect"
    )
}

/// What is wrong with the brackets of a range.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BracketFault {
    /// Opened at this token and never closed.
    Unclosed(usize),
    /// Closes at this token what was never opened.
    Unopened(usize),
}

/// Pairs the brackets of a range, by kind, and where braces are missing by indentation: a `}` at the start of a line
/// closes the `{` whose line begins in its column.
pub(crate) fn pair(source: &str, tokens: &mut [Token]) -> (Vec<BracketFault>, Option<usize>) {
    let mut faults = Vec::new();
    let mut too_deep = None;
    // Open brackets: index, kind, column where its line begins.
    let mut open: Vec<(usize, Rule, u32)> = Vec::new();
    let mut line_column = 0;
    let mut index = 0;
    while let Some(token) = tokens.get(index).copied() {
        if token.first {
            line_column = token.column;
        }
        // A statement can't begin in parentheses, nor in a record: what is open there was forgotten.
        let named = tokens.get(index + 1).is_some_and(|next| next.rule == Rule::COLON);
        if token.first && token.rule == Rule::WORD && !named && starts_statement(slice(source, token.span)) {
            while let Some(&(at, kind, _)) = open.last() {
                if kind == Rule::LBRACE && !opens_record(source, tokens, at) {
                    break;
                }
                open.pop();
                faults.push(BracketFault::Unclosed(at));
            }
        }
        if opens(token.rule) {
            open.push((index, token.rule, line_column));
            if open.len() > crate::limits::MAX_DEPTH && too_deep.is_none() {
                too_deep = Some(index);
            }
        } else if closes(token.rule) {
            let fits = |&(_, kind, _): &(usize, Rule, u32)| closing(kind) == token.rule;
            let by_column = |entry: &(usize, Rule, u32)| fits(entry) && entry.2 == token.column;
            let found = if token.first && token.rule == Rule::RBRACE {
                open.iter().rposition(by_column).or_else(|| open.iter().rposition(fits))
            } else {
                open.iter().rposition(fits)
            };
            match found {
                None => faults.push(BracketFault::Unopened(index)),
                Some(position) => {
                    faults.extend(open.drain(position + 1..).map(|(at, ..)| BracketFault::Unclosed(at)));
                    if let Some((at, ..)) = open.pop() {
                        if let Some(opener) = tokens.get_mut(at) {
                            opener.partner = Some(index);
                        }
                        if let Some(closer) = tokens.get_mut(index) {
                            closer.partner = Some(at);
                        }
                    }
                }
            }
        }
        index += 1;
    }
    faults.extend(open.drain(..).map(|(at, ..)| BracketFault::Unclosed(at)));
    (faults, too_deep)
}

/// Whether a `{` begins a record: it stands where a value is expected.
fn opens_record(source: &str, tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|i| tokens.get(i)) else { return false };
    matches!(
        before.rule,
        Rule::EQ | Rule::LPAREN | Rule::LBRACKET | Rule::COMMA | Rule::COLON | Rule::COALESCE | Rule::SPREAD
    ) || slice(source, before.span) == "return"
}
