//! Layout of blocks, statements, steps and clauses.

use escher_grammar::Rule;

use super::Layout;
use super::doc::{Doc, group, indent, seq, short, text};
use crate::tree::Node;

pub(super) fn is_statement_part(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::block
            | Rule::test_block
            | Rule::statement
            | Rule::test_statement
            | Rule::let_statement
            | Rule::require_statement
            | Rule::otherwise
            | Rule::confirm_statement
            | Rule::approve_statement
            | Rule::approve_clause
            | Rule::parallel_statement
            | Rule::wait_statement
            | Rule::until_condition
            | Rule::wait_clause
            | Rule::sleep_statement
            | Rule::report_head
            | Rule::report_statement
            | Rule::notify_statement
            | Rule::return_statement
            | Rule::step_statement
            | Rule::step_head
            | Rule::each
            | Rule::step_clause
            | Rule::guard_clause
            | Rule::key_clause
            | Rule::max_clause
            | Rule::bound
            | Rule::undo
            | Rule::template_clause
            | Rule::runs_clause
            | Rule::schedule_clause
            | Rule::trigger_clause
            | Rule::mock_statement
            | Rule::mock_then
            | Rule::mock_answer
            | Rule::expect_statement
            | Rule::at_statement
            | Rule::crash_statement
            | Rule::fail_statement
    )
}

/// The order in which clauses are written.
const ORDER: &[&str] = &[
    "runs",
    "cron",
    "every",
    "zone",
    "overlap",
    "missed",
    "by",
    "of",
    "max",
    "at_once",
    "tolerate",
    "retry",
    "timeout",
    "when",
    "unless",
    "may_repeat",
    "after",
    "key",
    "temporary",
    "irreversible",
    "within",
    "jitter",
    "until",
    "show",
];

/// The rank of a clause among its neighbours.
pub(super) fn rank(clause: Node<'_>) -> usize {
    let mut word = clause;
    while let Some(first) = word.children().next() {
        word = first;
    }
    ORDER.iter().position(|w| *w == word.text()).unwrap_or(ORDER.len())
}

impl<'t> Layout<'t> {
    pub(super) fn statement_part(&mut self, node: Node<'t>, rule: Rule) -> Doc<'t> {
        match rule {
            Rule::block | Rule::test_block => self.block(node),
            Rule::statement | Rule::test_statement => match node.children().next() {
                Some(inner) if inner.rule() == Some(Rule::expr) => self.statement_value(inner),
                Some(inner) => self.node(inner),
                None => text(node.text()),
            },
            Rule::step_statement => self.step(node),
            Rule::undo => self.undo(node),
            Rule::require_statement => self.require(node),
            Rule::approve_statement => {
                let mut children = node.children();
                let head: Vec<_> = children.by_ref().take(2).map(|c| self.node(c)).collect();
                let clauses: Vec<_> = children.filter(|c| c.rule() == Some(Rule::approve_clause)).collect();
                self.with_clauses(head, clauses, ", ")
            }
            Rule::wait_statement => {
                let mut children = node.children();
                let head: Vec<_> = children.by_ref().take(2).map(|c| self.node(c)).collect();
                let clauses: Vec<_> = children.filter(|c| c.rule() == Some(Rule::wait_clause)).collect();
                self.with_clauses(head, clauses, " ")
            }
            Rule::step_clause | Rule::template_clause => self.clause(node),
            Rule::mock_then => {
                let mut children = node.children();
                let then = children.next().map(|w| self.leaf(w));
                let list = self.bracketed(children);
                seq(then.into_iter().chain([text(" "), list]).collect())
            }
            _ => self.clause(node),
        }
    }

    /// The elements of a list whose brackets are among other children.
    fn bracketed(&mut self, children: crate::tree::Children<'t>) -> Doc<'t> {
        let mut inner = vec![Doc::Soft];
        let mut close = text("]");
        let mut count = 0;
        for child in children {
            match child.rule() {
                Some(Rule::LBRACKET | Rule::COMMA) => inner.push(self.lead(child)),
                Some(Rule::RBRACKET) => close = self.leaf(child),
                _ => {
                    if count > 0 {
                        inner.push(seq(vec![text(","), Doc::Line]));
                    }
                    inner.push(self.lead(child));
                    inner.push(self.node(child));
                    count += 1;
                }
            }
        }
        inner.push(Doc::IfBroken(","));
        group(seq(vec![text("["), indent(seq(inner)), Doc::Soft, close]))
    }

    /// Words with blanks between; a `:` behind a clause's word goes.
    fn clause(&mut self, node: Node<'t>) -> Doc<'t> {
        let is_let = node.rule() == Some(Rule::let_statement);
        let mut docs = Vec::new();
        for child in node.children() {
            let rule = child.rule();
            if rule == Some(Rule::COLON) && !is_let {
                docs.push(self.lead(child));
                continue;
            }
            let touches = matches!(rule, Some(Rule::COLON | Rule::arguments));
            if !docs.is_empty() && !touches {
                docs.push(text(" "));
            }
            docs.push(self.node(child));
        }
        seq(docs)
    }

    pub(super) fn clauses(&mut self, mut clauses: Vec<Node<'t>>, separator: &'static str) -> Doc<'t> {
        clauses.sort_by_key(|c| rank(*c));
        let mut docs = Vec::new();
        for clause in clauses {
            if !docs.is_empty() {
                docs.push(text(separator.trim_end()));
                docs.push(Doc::Line);
            }
            docs.push(self.node(clause));
        }
        group(seq(docs))
    }

    fn with_clauses(&mut self, head: Vec<Doc<'t>>, clauses: Vec<Node<'t>>, separator: &'static str) -> Doc<'t> {
        let mut docs = Vec::new();
        for part in head {
            if !docs.is_empty() {
                docs.push(text(" "));
            }
            docs.push(part);
        }
        if !clauses.is_empty() {
            let clauses = self.clauses(clauses, separator);
            docs.push(indent(seq(vec![Doc::Line, clauses])));
        }
        group(seq(docs))
    }

    fn require(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        for child in node.children() {
            if child.rule() == Some(Rule::otherwise) {
                let otherwise = self.node(child);
                docs.push(indent(seq(vec![Doc::Line, otherwise])));
            } else {
                if !docs.is_empty() {
                    docs.push(text(" "));
                }
                docs.push(self.node(child));
            }
        }
        group(seq(docs))
    }

    /// A block over several lines; `{}` where it is empty.
    pub(super) fn block(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut children = node.children();
        let open = children.next().map(|o| self.leaf(o));
        let (inner, close) = self.block_inside(children);
        seq(open.into_iter().chain([inner, close]).collect())
    }

    /// What stands between the braces, and the closing one.
    fn block_inside(&mut self, children: crate::tree::Children<'t>) -> (Doc<'t>, Doc<'t>) {
        let mut inner = Vec::new();
        let mut close = text("}");
        let mut any = false;
        for child in children {
            match child.rule() {
                Some(Rule::SEMI) => inner.push(self.lead(child)),
                Some(Rule::RBRACE) => {
                    let dangling = self.comments(child.span().start);
                    any |= !dangling.is_empty();
                    inner.extend(dangling);
                    close = text(child.text());
                }
                _ => {
                    inner.push(Doc::Hard);
                    if any && self.blank_before(child) {
                        inner.push(Doc::Blank);
                    }
                    inner.push(self.lead(child));
                    inner.push(self.node(child));
                    any = true;
                }
            }
        }
        let close = if any { seq(vec![Doc::Hard, close]) } else { close };
        (indent(seq(inner)), close)
    }

    /// A block that stays on one line if it is short and holds one thing; else over several.
    pub(super) fn small_block(&mut self, node: Node<'t>) -> Doc<'t> {
        if !self.is_small_block(node) {
            return self.block(node);
        }
        let mut docs = Vec::new();
        for child in node.children() {
            match child.rule() {
                Some(Rule::LBRACE) => docs.push(self.leaf(child)),
                Some(Rule::RBRACE) => {
                    docs.push(Doc::Line);
                    docs.push(self.leaf(child));
                }
                Some(Rule::SEMI) => {}
                _ => {
                    let inner = self.node(child);
                    docs.push(indent(seq(vec![Doc::Line, inner])));
                }
            }
        }
        seq(docs)
    }

    /// Whether a block holds one value or call and no comment.
    pub(super) fn is_small_block(&self, node: Node<'t>) -> bool {
        let mut statements = node.children().filter(|c| c.rule() == Some(Rule::statement));
        let one = statements.next().filter(|_| statements.next().is_none());
        let value = one.and_then(|s| s.children().next()).is_some_and(|v| v.rule() == Some(Rule::expr));
        value && !self.has_comment(node)
    }

    fn undo(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        for child in node.children() {
            if !docs.is_empty() {
                docs.push(text(" "));
            }
            docs.push(if child.rule() == Some(Rule::block) { self.small_block(child) } else { self.node(child) });
        }
        short(seq(docs))
    }

    /// A step: its head on one line if short, else clauses on the second and `{` on the third.
    fn step(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        for child in node.children() {
            match child.rule() {
                Some(Rule::step_head) => {
                    let head = self.step_head(child);
                    docs.push(head);
                }
                Some(Rule::block) => {
                    let mut children = child.children();
                    children.next();
                    let (inner, close) = self.block_inside(children);
                    docs.push(inner);
                    docs.push(close);
                }
                _ => {
                    docs.push(Doc::Hard);
                    docs.push(self.lead(child));
                    docs.push(self.node(child));
                }
            }
        }
        seq(docs)
    }

    fn step_head(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut head = Vec::new();
        let mut clauses = Vec::new();
        for child in node.children() {
            match child.rule() {
                Some(Rule::step_clause) => clauses.push(child),
                Some(Rule::COMMA) => {}
                _ => {
                    if !head.is_empty() {
                        head.push(text(" "));
                    }
                    head.push(self.node(child));
                }
            }
        }
        if clauses.is_empty() {
            return seq(head.into_iter().chain([text(" {")]).collect());
        }
        let clauses = self.clauses(clauses, ", ");
        short(seq(vec![seq(head), indent(seq(vec![Doc::Line, clauses])), Doc::Line, text("{")]))
    }
}
