//! What happens to a text that the strict grammar refuses.
//!
//! The tokens are cut at items, and the body of an item that fails at statements; every unit is parsed strictly by
//! itself, so that one mistake costs one unit. A unit that fails is compared with the spellings of other languages
//! (`foreign`), repaired where the repair is certain, and parsed again; what is left becomes an error node. The
//! recovery never guesses a tree for what it does not understand.

mod blocks;
mod cut;
mod expected;
mod foreign;
mod repair;
mod tokens;

use escher_grammar::Rule;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::tree::{NodeKind, SyntaxTree, TreeBuilder};
use tokens::BracketFault;
pub(crate) use tokens::Token;

/// The tree of a text, and what is wrong with its form.
pub(crate) fn tree(source: &str) -> (SyntaxTree, Vec<Diagnostic>) {
    if !nests_deeply(source)
        && let Ok(pairs) = escher_grammar::parse(Rule::file, source)
    {
        let mut tree = TreeBuilder::new(source);
        tree.tokens(pairs.tokens(), 0);
        if !tree.is_crowded() {
            return (tree.finish(), Vec::new());
        }
    }
    let mut tokens = tokens::lex(source);
    let mut diagnostics = Vec::new();
    // Comments of other languages become blanks of the same length: all places stay, and the rest may be right.
    let blanked = without_foreign_comments(source, &mut tokens, &mut diagnostics);
    let text = blanked.as_deref().unwrap_or(source);
    let mut tree = TreeBuilder::new(source);
    if blanked.is_some()
        && !nests_deeply(text)
        && let Ok(pairs) = escher_grammar::parse(Rule::file, text)
    {
        let mark = tree.mark();
        tree.tokens(pairs.tokens(), 0);
        if !tree.is_crowded() {
            return (tree.finish(), diagnostics);
        }
        tree.back_to(mark);
    }
    let mut recovery = Recovery { source: text, tokens, tree, diagnostics };
    recovery.file();
    (recovery.tree.finish(), recovery.diagnostics)
}

fn without_foreign_comments(source: &str, tokens: &mut Vec<Token>, told: &mut Vec<Diagnostic>) -> Option<String> {
    let is_comment = |t: &Token| t.rule == Rule::FOREIGN_COMMENT;
    if !tokens.iter().any(is_comment) {
        return None;
    }
    let mut blanked = String::with_capacity(source.len());
    let mut from = 0;
    for token in tokens.iter().filter(|t| is_comment(t)) {
        let comment = crate::tree::slice(source, token.span);
        told.push(codes::foreign_comment(token.span, comment));
        blanked.push_str(crate::tree::slice(source, Span { start: from, end: token.span.start }));
        blanked.extend(comment.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        from = token.span.end;
    }
    blanked.push_str(source.get(from as usize..).unwrap_or(""));
    *tokens = tokens::lex(&blanked);
    Some(blanked)
}

/// Whether brackets may nest more deeply than allowed: a quick look that keeps pest from descending in vain. Brackets in
/// texts and comments count too; that only sends a text the exact way.
fn nests_deeply(source: &str) -> bool {
    let mut depth = 0_usize;
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > crate::limits::MAX_DEPTH {
            return true;
        }
    }
    false
}

/// A range of tokens.
#[derive(Clone, Copy, Debug)]
struct Unit {
    from: usize,
    to: usize,
}

struct Recovery<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    tree: TreeBuilder<'s>,
    diagnostics: Vec<Diagnostic>,
}

impl<'s> Recovery<'s> {
    fn token(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied()
    }

    fn rule(&self, index: usize) -> Option<Rule> {
        self.tokens.get(index).map(|t| t.rule)
    }

    fn word(&self, index: usize) -> &'s str {
        match self.tokens.get(index) {
            Some(token) if token.rule == Rule::WORD => crate::tree::slice(self.source, token.span),
            _ => "",
        }
    }

    fn span(&self, unit: Unit) -> Span {
        let from = self.token(unit.from).map_or(Span::default(), |t| t.span);
        let to = unit.to.checked_sub(1).and_then(|i| self.token(i)).map_or(from, |t| t.span);
        from.join(to)
    }

    fn text(&self, unit: Unit) -> &'s str {
        crate::tree::slice(self.source, self.span(unit))
    }

    fn file(&mut self) {
        for unit in cut::items(self.source, &self.tokens) {
            self.item(unit);
        }
    }

    fn item(&mut self, unit: Unit) {
        if self.rule(unit.from) == Some(Rule::SEMI) && unit.to == unit.from + 1 {
            return self.leaves(unit);
        }
        let Some(range) = self.tokens.get_mut(unit.from..unit.to) else { return };
        let (faults, too_deep) = tokens::pair(self.source, range);
        for token in range {
            token.partner = token.partner.map(|p| p + unit.from);
        }
        if let Some(at) = too_deep {
            let span = self.token(unit.from + at).map_or(Span::default(), |t| t.span);
            self.diagnostics.push(codes::too_deep(span));
            return self.error(unit);
        }
        if faults.is_empty() {
            if !self.parse(unit, Rule::only_item) {
                self.broken_item(unit);
            }
            return;
        }
        self.bracket_faults(unit, &faults);
        self.broken_item(unit);
    }

    /// Tells of brackets without partner, once per line: what follows one of them is a consequence.
    fn bracket_faults(&mut self, unit: Unit, faults: &[BracketFault]) {
        let mut told_text = None;
        for fault in faults.iter().take(MOST_BRACKETS) {
            let (index, opened) = match fault {
                BracketFault::Unclosed(at) => (unit.from + at, true),
                BracketFault::Unopened(at) => (unit.from + at, false),
            };
            // A text that does not end has swallowed what closes.
            if let Some(text) = self.open_text(unit, index) {
                if told_text.replace(text) != Some(text) {
                    let token = self.token(text);
                    self.diagnostics.extend(codes::lexical(self.source, token.as_ref(), 0));
                }
                continue;
            }
            let Some(token) = self.token(index) else { continue };
            let text = crate::tree::slice(self.source, token.span);
            self.diagnostics.push(if opened {
                codes::unclosed(token.span, text)
            } else {
                codes::unopened(token.span, text)
            });
        }
    }

    /// An unclosed text behind a token on its line, or one over lines anywhere behind it.
    fn open_text(&self, unit: Unit, index: usize) -> Option<usize> {
        let mut same_line = true;
        for at in index + 1..unit.to {
            let token = self.token(at)?;
            same_line &= !token.first;
            if token.rule == Rule::TEXT_OPEN
                && (same_line || self.text(Unit { from: at, to: at + 1 }).starts_with("\"\"\""))
            {
                return Some(at);
            }
        }
        None
    }

    /// Tokens as they are, in the node that is open.
    fn leaves(&mut self, unit: Unit) {
        for index in unit.from..unit.to {
            if let Some(token) = self.token(index) {
                self.tree.leaf(token.rule, token.span);
            }
        }
    }

    /// Tokens that no rule matched.
    fn error(&mut self, unit: Unit) {
        if unit.from < unit.to {
            self.tree.open(NodeKind::Error, self.span(unit).start);
            self.leaves(unit);
            self.tree.close();
        }
    }

    /// Whether a bracket in the range lacks its partner: that was told already.
    fn has_bracket_fault(&self, unit: Unit) -> bool {
        let range = self.tokens.get(unit.from..unit.to).unwrap_or(&[]);
        range.iter().any(|t| {
            (tokens::opens(t.rule) || tokens::closes(t.rule)) && t.partner.is_none_or(|p| p < unit.from || p >= unit.to)
        })
    }

    /// Parses a unit into the tree; gives whether it could.
    fn parse(&mut self, unit: Unit, rule: Rule) -> bool {
        let Ok(pairs) = escher_grammar::parse(rule, self.text(unit)) else { return false };
        let mark = self.tree.mark();
        self.tree.tokens(pairs.tokens(), self.span(unit).start);
        let crowded = self.tree.is_crowded();
        if crowded {
            self.tree.back_to(mark);
        }
        !crowded
    }

    /// Parses a unit; where that fails, says why and tries repairs.
    fn parse_or_tell(&mut self, unit: Unit, rule: Rule) {
        if self.parse(unit, rule) {
            return;
        }
        if self.has_bracket_fault(unit) {
            return self.error(unit);
        }
        let text = self.text(unit);
        let start = self.span(unit).start;
        let crowded = || escher_grammar::parse(Rule::only_statements, text).ok();
        let Err(error) = escher_grammar::parse(rule, text) else {
            // It parses but for statements that share a line, inside a block that can't be cut: the layout check tells.
            if let Ok(pairs) = escher_grammar::parse(rule, text) {
                self.tree.tokens(pairs.tokens(), start);
            }
            return;
        };
        let outcome = repair::repair(text, rule, error, start);
        let is_statement = matches!(rule, Rule::only_statement | Rule::only_test_statement);
        if is_statement
            && !outcome.recognised
            && let Some(pairs) = crowded()
        {
            return self.tree.tokens(pairs.tokens(), start);
        }
        self.diagnostics.extend(outcome.diagnostics);
        match &outcome.repaired {
            Some(repaired) => {
                if let Ok(pairs) = escher_grammar::parse(rule, &repaired.text) {
                    self.tree.repaired(pairs.tokens(), |at| repaired.place(at).saturating_add(start));
                }
            }
            None => self.error(unit),
        }
    }
}

/// How many brackets without partner are told of in one item.
const MOST_BRACKETS: usize = 10;
