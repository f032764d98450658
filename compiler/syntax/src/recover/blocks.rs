//! Broken items and statements that hold blocks: the head by itself, then each statement of the body by itself.

use escher_grammar::Rule;

use super::{Recovery, Unit, cut, foreign};
use crate::codes;
use crate::span::Span;
use crate::tree::NodeKind;

/// A head, and the brackets of the block behind it.
#[derive(Clone, Copy, Debug)]
struct Segment {
    head: Unit,
    open: usize,
    close: Option<usize>,
}

impl Recovery<'_> {
    /// An item that does not parse as a whole.
    pub(super) fn broken_item(&mut self, unit: Unit) {
        let word = self.word(self.behind_attributes(unit));
        let node = match foreign::nearest_item(word).or(Some(word)) {
            Some("playbook") => Rule::playbook_item,
            Some("action") => Rule::action_item,
            Some("fn" | "def" | "function" | "func" | "fun") => Rule::fn_item,
            Some("test") => Rule::test_item,
            _ => return self.parse_or_tell(unit, Rule::only_item),
        };
        let Some(segment) = self.first_block(unit) else { return self.parse_or_tell(unit, Rule::only_item) };
        let end = segment.close.map_or(unit.to, |c| c + 1);
        let start = self.span(unit).start;
        let head = self.text(segment.head);
        let mut copy = None;
        if let Err(error) = escher_grammar::parse(Rule::only_head, head)
            && !self.has_bracket_fault(segment.head)
        {
            let outcome = super::repair::repair(head, Rule::only_head, error, start);
            self.diagnostics.extend(outcome.diagnostics);
            copy = outcome.repaired;
        }
        let text = copy.as_ref().map_or(head, |c| c.text.as_str());
        let place = |at: usize| copy.as_ref().map_or(Span::new(at, at).start, |c| c.place(at)).saturating_add(start);
        let body = if node == Rule::test_item { Rule::test_block } else { Rule::block };
        match escher_grammar::parse(Rule::only_head, text) {
            Ok(mut pairs) => {
                self.tree.open(NodeKind::Rule(Rule::item), start);
                for pair in pairs.next().into_iter().flat_map(pest::iterators::Pair::into_inner) {
                    if !matches!(pair.as_rule(), Rule::attribute | Rule::EOI) {
                        self.tree.open(NodeKind::Rule(node), place(pair.as_span().start()));
                    }
                    self.tree.repaired(pair.tokens(), place);
                }
                self.block(segment, end, body);
                self.tree.close();
                self.tree.close();
            }
            Err(_) => {
                // Nobody knows what this is called, but its statements are looked at all the same.
                self.tree.open(NodeKind::Error, start);
                self.leaves(segment.head);
                self.block(segment, end, body);
                self.tree.close();
            }
        }
        if end < unit.to {
            let rest = Unit { from: end, to: unit.to };
            if self.has_bracket_fault(rest) { self.error(rest) } else { self.parse_or_tell(rest, Rule::only_item) }
        }
    }

    /// The token that says what an item is.
    fn behind_attributes(&self, unit: Unit) -> usize {
        let mut index = unit.from;
        while index < unit.to && self.rule(index) == Some(Rule::AT) {
            index += 2;
            let partner = self.token(index).filter(|t| t.rule == Rule::LPAREN).and_then(|t| t.partner);
            index = partner.map_or(index, |close| close + 1);
        }
        index
    }

    /// The first `{` of a unit that is not inside other brackets and whose head is not a type or a value.
    fn first_block(&self, unit: Unit) -> Option<Segment> {
        let mut index = unit.from;
        while index < unit.to {
            let token = self.token(index)?;
            if token.rule == Rule::LBRACE && index > unit.from && !self.is_record(index) {
                let close = token.partner.filter(|c| *c < unit.to);
                return Some(Segment { head: Unit { from: unit.from, to: index }, open: index, close });
            }
            index = match token.partner {
                Some(close) if close > index && close < unit.to => close + 1,
                _ => index + 1,
            };
        }
        None
    }

    fn is_record(&self, index: usize) -> bool {
        let before = index.checked_sub(1).and_then(|i| self.rule(i));
        matches!(
            before,
            Some(Rule::ARROW | Rule::EQ | Rule::COLON | Rule::COMMA | Rule::SPREAD | Rule::EQUAL | Rule::COALESCE)
        )
    }

    /// `{`, statements, `}`.
    fn block(&mut self, segment: Segment, end: usize, rule: Rule) {
        let brace = Unit { from: segment.open, to: segment.open + 1 };
        self.tree.open(NodeKind::Rule(rule), self.span(brace).start);
        self.leaves(brace);
        let inner = Unit { from: segment.open + 1, to: segment.close.unwrap_or(end) };
        let entry_rule = if rule == Rule::test_block { Rule::only_test_statement } else { Rule::only_statement };
        for unit in cut::statements(self.source, &self.tokens, inner) {
            // With a bracket that lacks its partner it can't parse; trying would read the rest once for each level.
            if self.has_bracket_fault(unit) || !self.parse(unit, entry_rule) {
                self.broken_statement(unit, entry_rule);
            }
        }
        if let Some(close) = segment.close {
            self.leaves(Unit { from: close, to: close + 1 });
        }
        self.tree.close();
    }

    /// A statement that does not parse as a whole: with blocks, each of its parts by itself.
    fn broken_statement(&mut self, unit: Unit, rule: Rule) {
        let wrappers: &[Rule] = match self.word(unit.from) {
            "step" => &[Rule::statement, Rule::step_statement],
            "parallel" => &[Rule::statement, Rule::parallel_statement],
            "report" => &[Rule::statement, Rule::report_statement],
            "if" => &[Rule::statement, Rule::expr, Rule::if_expr],
            "with" => &[Rule::statement, Rule::expr, Rule::with_expr],
            "undo" | "catch" | "else" => &[],
            _ => return self.parse_or_tell(unit, rule),
        };
        let Some(first) = self.first_block(unit) else { return self.parse_or_tell(unit, rule) };
        let is_step = self.word(unit.from) == "step";
        let head = self.text(first.head);
        let parsed = escher_grammar::parse(Rule::only_head, head);
        // A clause in the body belongs to the head, so the two are looked at together.
        let clause_inside = is_step && self.rule(first.open + 2) == Some(Rule::COLON);
        if (parsed.is_err() && !wrappers.is_empty()) || clause_inside {
            // A word of another language in the head, perhaps; then all of the statement may parse once it is right.
            return self.broken_head(unit, first);
        }
        let start = self.span(unit).start;
        match wrappers {
            [] => self.tree.open(NodeKind::Error, start),
            all => all.iter().for_each(|rule| self.tree.open(NodeKind::Rule(*rule), start)),
        }
        self.parts(unit, is_step);
        (0..wrappers.len().max(1)).for_each(|_| self.tree.close());
    }

    /// Heads and blocks in turn: `step … { … } undo { … } catch { … }`, `if … { … } else { … }`.
    fn parts(&mut self, unit: Unit, is_step: bool) {
        let mut rest = unit;
        let mut first = true;
        while rest.from < rest.to {
            let Some(segment) = self.first_block(rest) else {
                // Something behind the last block.
                if self.word(rest.from).is_empty() && self.rule(rest.from) == Some(Rule::SEMI) {
                    self.leaves(rest);
                } else {
                    self.parse_or_tell(rest, Rule::only_statement);
                }
                return;
            };
            let end = segment.close.map_or(rest.to, |c| c + 1);
            let word = self.word(segment.head.from);
            if is_step && !std::mem::take(&mut first) && !matches!(word, "undo" | "catch") {
                let told = codes::after_step(self.span(segment.head), self.text(segment.head));
                self.diagnostics.push(told);
                return self.error(rest);
            }
            if word == "catch" {
                self.parse_or_tell(Unit { from: rest.from, to: end }, Rule::only_catch);
            } else {
                let undo = is_step && word == "undo";
                if undo {
                    self.tree.open(NodeKind::Rule(Rule::undo), self.span(segment.head).start);
                }
                self.parse_or_tell(segment.head, Rule::only_head);
                self.block(segment, end, Rule::block);
                if undo {
                    self.tree.close();
                }
            }
            rest = Unit { from: end, to: rest.to };
        }
    }

    /// A statement whose head is broken: told of once, its body looked at all the same.
    fn broken_head(&mut self, unit: Unit, first: Segment) {
        let start = self.span(unit).start;
        let text = self.text(unit);
        if let Err(error) = escher_grammar::parse(Rule::only_statement, text)
            && !self.has_bracket_fault(unit)
        {
            let outcome = super::repair::repair(text, Rule::only_statement, error, start);
            let repaired = outcome.repaired.as_ref();
            if let Some(repaired) = repaired
                && let Ok(pairs) = escher_grammar::parse(Rule::only_statement, &repaired.text)
            {
                self.diagnostics.extend(outcome.diagnostics);
                return self.tree.repaired(pairs.tokens(), |at| repaired.place(at).saturating_add(start));
            }
        }
        let head = self.text(first.head);
        if let Err(error) = escher_grammar::parse(Rule::only_head, head)
            && !self.has_bracket_fault(first.head)
        {
            let outcome = super::repair::repair(head, Rule::only_head, error, start);
            self.diagnostics.extend(outcome.diagnostics);
        }
        self.tree.open(NodeKind::Error, start);
        self.leaves(first.head);
        let end = first.close.map_or(unit.to, |c| c + 1);
        self.block(first, end, Rule::block);
        let rest = Unit { from: end, to: unit.to };
        if rest.from < rest.to {
            self.parts(rest, true);
        }
        self.tree.close();
    }
}
