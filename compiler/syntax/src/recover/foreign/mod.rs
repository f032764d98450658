//! Spellings that people and models bring from other languages, with what to write instead.
//!
//! Asked only about a place where the strict grammar gave up, so a right file never comes here. Each function knows
//! one habit, looks at the tokens around the place, and stays silent where it is not sure.

mod clauses;
mod items;
mod statements;
mod values;

use escher_grammar::Rule;

pub(crate) use items::nearest_item;

use super::tokens::Token;
use crate::diagnostic::{Diagnostic, Edit, Fix};
use crate::span::Span;
use crate::tree::slice;

/// The text around a failed parse.
pub(crate) struct View<'v> {
    pub(crate) text: &'v str,
    pub(crate) tokens: &'v [Token],
    /// Index of the token at which the grammar gave up; past the end at the end.
    pub(crate) at: usize,
    /// The byte at which it gave up: inside a token where that is a text with a hole.
    pub(crate) place: usize,
    /// What was being parsed.
    pub(crate) rule: Rule,
}

/// What to say, and the edits that make the rest parse; none where there is no certain repair.
pub(crate) struct Advice {
    pub(crate) diagnostic: Diagnostic,
    pub(crate) edits: Vec<Edit>,
}

type Habit = fn(&View<'_>) -> Option<Advice>;

/// All habits; the first that recognises itself speaks.
const HABITS: &[&[Habit]] = &[items::HABITS, statements::HABITS, clauses::HABITS, values::HABITS];

/// Compares the place of a failed parse with what other languages write there.
pub(crate) fn advise(view: &View<'_>) -> Option<Advice> {
    HABITS.iter().flat_map(|group| group.iter()).find_map(|habit| habit(view))
}

impl<'v> View<'v> {
    fn in_statement(&self) -> bool {
        matches!(self.rule, Rule::only_statement | Rule::only_test_statement)
    }

    /// The token at `at + by`.
    fn token(&self, by: isize) -> Option<&'v Token> {
        self.at.checked_add_signed(by).and_then(|i| self.tokens.get(i))
    }

    fn rule_at(&self, by: isize) -> Option<Rule> {
        self.token(by).map(|t| t.rule)
    }

    fn text_at(&self, by: isize) -> &'v str {
        self.token(by).map_or("", |t| slice(self.text, t.span))
    }

    /// The word at `at + by`; empty where there is none.
    fn word(&self, by: isize) -> &'v str {
        if self.rule_at(by) == Some(Rule::WORD) { self.text_at(by) } else { "" }
    }

    fn span(&self, by: isize) -> Span {
        self.token(by).map_or_else(|| Span::new(self.text.len(), self.text.len()), |t| t.span)
    }

    fn span_of(&self, index: usize) -> Span {
        self.tokens.get(index).map_or_else(|| Span::new(self.text.len(), self.text.len()), |t| t.span)
    }

    fn text_of(&self, index: usize) -> &'v str {
        self.tokens.get(index).map_or("", |t| slice(self.text, t.span))
    }

    fn rule_of(&self, index: usize) -> Option<Rule> {
        self.tokens.get(index).map(|t| t.rule)
    }

    /// The source from one token up to and with another.
    fn source(&self, from: usize, to: usize) -> &'v str {
        if from > to {
            return "";
        }
        slice(self.text, self.span_of(from).join(self.span_of(to)))
    }

    /// Whether two neighbouring tokens touch.
    fn touch(&self, left: isize, right: isize) -> bool {
        self.span(left).end == self.span(right).start
    }

    /// Index of the first token behind attributes: the word that says what this is.
    fn first(&self) -> usize {
        let mut index = 0;
        while self.rule_of(index) == Some(Rule::AT) {
            index += 2;
            if self.rule_of(index) == Some(Rule::LPAREN) {
                index = self.forward(index).map_or(self.tokens.len(), |close| close + 1);
            }
        }
        index
    }

    fn first_word(&self) -> &'v str {
        let first = self.first();
        if self.rule_of(first) == Some(Rule::WORD) { self.text_of(first) } else { "" }
    }

    /// The bracket that closes the one at `open`.
    fn forward(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate().skip(open) {
            if super::tokens::opens(token.rule) {
                depth += 1;
            } else if super::tokens::closes(token.rule) {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(index);
                }
            }
        }
        None
    }

    /// The bracket around the token at `index`.
    fn around(&self, index: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in (0..index.min(self.tokens.len())).rev() {
            let rule = self.rule_of(at)?;
            if super::tokens::closes(rule) {
                depth += 1;
            } else if super::tokens::opens(rule) {
                match depth.checked_sub(1) {
                    None => return Some(at),
                    Some(less) => depth = less,
                }
            }
        }
        None
    }

    /// Where the value that ends before `index` begins: behind the nearest `=`, bracket, comma or word that leads to it.
    fn value_start(&self, index: usize) -> usize {
        let mut depth = 0_usize;
        for at in (0..index.min(self.tokens.len())).rev() {
            let Some(rule) = self.rule_of(at) else { break };
            if super::tokens::closes(rule) {
                depth += 1;
            } else if super::tokens::opens(rule) {
                match depth.checked_sub(1) {
                    None => return at + 1,
                    Some(less) => depth = less,
                }
            }
            let leads = matches!(rule, Rule::EQ | Rule::COMMA | Rule::COLON | Rule::FAT_ARROW | Rule::SEMI)
                || matches!(self.text_of(at), "return" | "expect" | "require" | "else");
            if depth == 0 && leads {
                return at + 1;
            }
        }
        0
    }

    /// The last token of the value that begins at `index`: before a comma, a closing bracket or the next line.
    fn value_end(&self, index: usize) -> usize {
        let mut at = index;
        let mut last = index;
        while let Some(rule) = self.rule_of(at) {
            let first = self.tokens.get(at).is_some_and(|t| t.first);
            if matches!(rule, Rule::COMMA | Rule::SEMI) || super::tokens::closes(rule) || (first && at > index) {
                break;
            }
            let next = if super::tokens::opens(rule) { self.forward(at).unwrap_or(at) } else { at };
            last = next;
            at = next + 1;
        }
        last
    }

    /// An error with a certain repair of several edits.
    #[track_caller]
    fn fixed(
        &self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        title: &str,
        edits: Vec<Edit>,
    ) -> Advice {
        let mut diagnostic = Diagnostic::error(code, span, message).help(title.to_string());
        diagnostic.fixes.push(Fix { title: title.to_string(), edits: edits.clone() });
        Advice { diagnostic, edits }
    }

    /// An error whose repair puts one word or sign in the place of another.
    #[track_caller]
    fn instead(&self, code: &'static str, span: Span, wrong: &str, right: &str) -> Advice {
        let shown = right.trim();
        let edits = vec![Edit { span, text: right.to_string() }];
        self.fixed(code, span, format!("`{wrong}` is written `{shown}` here"), &format!("write `{shown}`"), edits)
    }
}

/// An error that only its author can repair.
#[track_caller]
fn told(code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) -> Option<Advice> {
    Some(Advice { diagnostic: Diagnostic::error(code, span, message).help(help), edits: Vec::new() })
}

/// An edit.
fn edit(span: Span, text: impl Into<String>) -> Edit {
    Edit { span, text: text.into() }
}

/// `"Stop the machines"` as a name: `stop_the_machines`.
fn name_from(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name: String = name.trim_end_matches('_').chars().take(40).collect();
    let starts_right = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !starts_right || super::expected::is_reserved(&name) { format!("do_{name}") } else { name }
}
