//! Repairs what is certain in a copy of the text, so that a second mistake behind the first is seen too.
//!
//! The copy is thrown away but for its tree, whose places are carried back to the source: a unit with a repaired
//! spelling keeps its plain syntax, and the checker does not complain about what would have been there.

use escher_grammar::Rule;
use pest::error::Error;

use super::expected;
use super::foreign::{self, View};
use super::tokens::lex;
use crate::codes;
use crate::diagnostic::{Diagnostic, Edit};
use crate::span::Span;

/// How many mistakes of one unit are looked for behind each other.
const ROUNDS: usize = 12;

/// A repaired copy of a unit.
#[derive(Debug)]
pub(crate) struct Repaired {
    pub(crate) text: String,
    /// What was replaced, in the order of doing: start, old length, new length.
    edits: Vec<(u32, u32, u32)>,
}

impl Repaired {
    /// Where a byte of the copy stands in the unit.
    pub(crate) fn place(&self, at: usize) -> u32 {
        let mut at = Span::new(at, at).start;
        for &(start, old, new) in self.edits.iter().rev() {
            if at >= start + new {
                at = at - new + old;
            } else if at > start {
                at = (at).min(start + old);
            }
        }
        at
    }

    fn apply(&mut self, edits: &[Edit]) {
        for edit in edits.iter().rev() {
            let (from, to) = (edit.span.start as usize, edit.span.end as usize);
            if self.text.get(from..to).is_some() {
                self.text.replace_range(from..to, &edit.text);
                let new = Span::new(edit.text.len(), 0).start;
                self.edits.push((edit.span.start, edit.span.end - edit.span.start, new));
            }
        }
    }

    /// Carries the places of a diagnostic back to the source.
    fn home(&self, mut diagnostic: Diagnostic, offset: u32) -> Diagnostic {
        let carry = |span: Span| Span {
            start: self.place(span.start as usize).saturating_add(offset),
            end: self.place(span.end as usize).saturating_add(offset),
        };
        diagnostic.span = carry(diagnostic.span);
        for label in &mut diagnostic.labels {
            label.span = carry(label.span);
        }
        for edit in diagnostic.fixes.iter_mut().flat_map(|f| &mut f.edits) {
            edit.span = carry(edit.span);
        }
        diagnostic
    }
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The copy, where all of it parses in the end.
    pub(crate) repaired: Option<Repaired>,
    /// Whether the first mistake is a known spelling.
    pub(crate) recognised: bool,
}

/// Says what is wrong with a unit that failed, as far as can be seen behind certain repairs.
pub(crate) fn repair(text: &str, rule: Rule, error: Box<Error<Rule>>, offset: u32) -> Outcome {
    let mut copy = Repaired { text: text.to_string(), edits: Vec::new() };
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut error = error;
    let mut recognised = false;
    for _ in 0..ROUNDS {
        if expected::is_limit(&error) {
            diagnostics.push(copy.home(codes::too_deep(Span::new(0, copy.text.len())), offset));
            break;
        }
        let at = expected::place(&error);
        let tokens = lex(&copy.text);
        let index = tokens.partition_point(|t| t.span.end as usize <= at);
        let view = View { text: &copy.text, tokens: &tokens, at: index, place: at, rule };
        let advice = foreign::advise(&view);
        let Some(advice) = advice else {
            let before = index.checked_sub(1).and_then(|i| tokens.get(i)).map_or(Span::default(), |t| t.span);
            let found = tokens.get(index);
            let told = codes::lexical(&copy.text, found, at)
                .unwrap_or_else(|| expected::diagnostic(&copy.text, &error, found, before));
            // A repair that led nowhere: what follows is its consequence.
            if diagnostics.is_empty() || !near_repair(&copy, at) {
                diagnostics.push(copy.home(told, offset));
            }
            break;
        };
        recognised = true;
        let edits = advice.edits;
        diagnostics.push(copy.home(advice.diagnostic, offset));
        if edits.is_empty() {
            break;
        }
        copy.apply(&edits);
        match escher_grammar::parse(rule, &copy.text) {
            Ok(_) => return Outcome { diagnostics, repaired: Some(copy), recognised },
            Err(next) => error = next,
        }
    }
    Outcome { diagnostics, repaired: None, recognised }
}

/// Whether a place lies at or right behind the last repair.
fn near_repair(copy: &Repaired, at: usize) -> bool {
    copy.edits.iter().any(|&(start, _, new)| at >= start as usize && at <= (start + new) as usize + 1)
}
