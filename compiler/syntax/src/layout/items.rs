//! Layout of files, items, parameters and types.

use escher_grammar::Rule;

use super::Layout;
use super::doc::{Doc, group, indent, seq, short, text};
use crate::tree::Node;

pub(super) fn is_item_part(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::item
            | Rule::attribute
            | Rule::use_item
            | Rule::const_item
            | Rule::type_item
            | Rule::fn_item
            | Rule::fn_head
            | Rule::action_head
            | Rule::playbook_head
            | Rule::action_item
            | Rule::playbook_item
            | Rule::template_item
            | Rule::template_fields
            | Rule::template_field
            | Rule::schedule_item
            | Rule::trigger_item
            | Rule::test_item
            | Rule::test_head
            | Rule::params
            | Rule::param
            | Rule::r#type
            | Rule::optional_type
            | Rule::type_group
            | Rule::literal_type
            | Rule::record_type
            | Rule::field_type
            | Rule::named_type
            | Rule::type_arguments
            | Rule::path
    )
}

/// Items that may stand without an empty line between two of their kind.
fn is_small(item: Node<'_>) -> bool {
    let kind = item.children().find(|c| c.rule() != Some(Rule::attribute)).and_then(Node::rule);
    matches!(kind, Some(Rule::use_item | Rule::const_item | Rule::type_item | Rule::fn_item))
        && !item.text().contains('\n')
}

impl<'t> Layout<'t> {
    pub(super) fn file(&mut self, root: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        let mut before: Option<Node<'t>> = None;
        for item in root.children().filter(|c| c.rule() != Some(Rule::BOM)) {
            if let Some(before) = before {
                let close = is_small(before) && is_small(item) && !self.blank_before(item);
                docs.push(Doc::Hard);
                if !close {
                    // A comment to the right of the item above belongs to its line.
                    docs.push(Doc::Blank);
                }
            }
            docs.push(self.lead(item));
            docs.push(self.node(item));
            before = Some(item);
        }
        let end = self.source().len();
        let rest = self.comments(crate::span::Span::new(end, end).start);
        docs.push(Doc::Hard);
        docs.extend(rest);
        seq(docs)
    }

    pub(super) fn item_part(&mut self, node: Node<'t>, rule: Rule) -> Doc<'t> {
        match rule {
            Rule::item => {
                let mut docs = Vec::new();
                for child in node.children() {
                    if !docs.is_empty() {
                        docs.push(Doc::Hard);
                    }
                    docs.push(self.node(child));
                }
                seq(docs)
            }
            Rule::attribute
            | Rule::path
            | Rule::named_type
            | Rule::optional_type
            | Rule::literal_type
            | Rule::type_group => self.joined(node),
            Rule::params | Rule::template_fields | Rule::type_arguments => self.list(node, Doc::Soft),
            Rule::record_type => self.list(node, Doc::Line),
            Rule::r#type => self.ty(node),
            Rule::fn_item => self.fn_item(node),
            Rule::template_item | Rule::schedule_item | Rule::trigger_item => self.named_item(node),
            _ => self.words(node),
        }
    }

    /// Words and parts with a blank between, but for what touches: `name(`, `name:`.
    pub(super) fn words(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        let mut name = false;
        for child in node.children() {
            let rule = child.rule();
            let touches = matches!(rule, Some(Rule::COLON | Rule::params | Rule::arguments | Rule::template_fields));
            if !docs.is_empty() && !touches {
                docs.push(text(" "));
            }
            docs.push(self.node(child));
            // A playbook without parameters says so.
            name |= rule == Some(Rule::NAME)
                && node.rule() == Some(Rule::playbook_head)
                && node.child(Rule::params).is_none();
            if std::mem::take(&mut name) {
                docs.push(text("()"));
            }
        }
        seq(docs)
    }

    /// `fn f(x: T) -> U = e`: a long value begins on the next line.
    fn fn_item(&mut self, node: Node<'t>) -> Doc<'t> {
        let Some(equals) = node.child(Rule::EQ) else { return self.words(node) };
        let head = node.child(Rule::fn_head).map(|h| self.node(h));
        let equals = self.leaf(equals);
        let value = node.child(Rule::expr);
        let hugs = value.is_some_and(|v| self.is_bracketed(v));
        let value = value.map(|v| self.node(v));
        let gap = if hugs { text(" ") } else { Doc::Line };
        let head = seq(head.into_iter().chain([text(" "), equals]).collect());
        let rest = seq([gap].into_iter().chain(value).collect());
        group(seq(vec![head, if hugs { rest } else { indent(rest) }]))
    }

    /// `schedule s = p(…)` with clauses on the next line where the whole is long.
    fn named_item(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut head = Vec::new();
        let mut clauses = Vec::new();
        let mut on = Vec::new();
        for child in node.children() {
            match child.rule() {
                Some(Rule::template_clause | Rule::schedule_clause | Rule::trigger_clause) => clauses.push(child),
                Some(Rule::COMMA) => {}
                Some(Rule::KW_ON) => on.push(child),
                _ if !on.is_empty() => on.push(child),
                Some(Rule::arguments | Rule::template_fields) => head.push(self.node(child)),
                _ => {
                    if !head.is_empty() {
                        head.push(text(" "));
                    }
                    head.push(self.node(child));
                }
            }
        }
        let mut rest = Vec::new();
        for part in on {
            if part.rule() != Some(Rule::COLON) {
                rest.push(if rest.is_empty() { Doc::Line } else { text(" ") });
            }
            rest.push(self.node(part));
        }
        if !clauses.is_empty() {
            rest.push(Doc::Line);
            rest.push(self.clauses(clauses, ", "));
        }
        short(seq(vec![seq(head), indent(seq(rest))]))
    }

    /// A union; `T | none` is written `T?`.
    fn ty(&mut self, node: Node<'t>) -> Doc<'t> {
        let none = node.child(Rule::KW_NONE).is_some();
        let mut parts = Vec::new();
        let mut plain = false;
        for child in node.children() {
            match child.rule() {
                Some(Rule::PIPE | Rule::KW_NONE) => parts.push(self.lead(child)),
                _ => {
                    if !plain {
                        parts.push(self.lead(child));
                    } else {
                        parts.push(seq(vec![Doc::Line, text("| ")]));
                    }
                    parts.push(self.node(child));
                    plain = true;
                }
            }
        }
        let kinds: Vec<_> = node.children().filter(|c| !matches!(c.rule(), Some(Rule::PIPE | Rule::KW_NONE))).collect();
        // A record alone brings its own line breaks.
        let union = if kinds.len() == 1 { seq(parts) } else { group(indent(seq(parts))) };
        match kinds.as_slice() {
            _ if !none => union,
            [one] if one.rule() == Some(Rule::optional_type) && one.child(Rule::QUESTION).is_none() => {
                seq(vec![union, text("?")])
            }
            _ => seq(vec![text("("), union, text(")?")]),
        }
    }
}
