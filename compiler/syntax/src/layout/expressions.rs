//! Layout of values: operators, chains, calls, lists, and forms with blocks.

use escher_grammar::Rule;

use super::Layout;
use super::doc::{Doc, group, indent, seq, short, text};
use crate::tree::Node;

impl<'t> Layout<'t> {
    pub(super) fn expression_part(&mut self, node: Node<'t>, rule: Rule) -> Doc<'t> {
        match rule {
            Rule::plain | Rule::operation | Rule::bound_value => self.operators(node),
            Rule::chain => self.chain(node),
            Rule::arguments => self.arguments(node),
            Rule::list => self.list_value(node),
            Rule::braces => self.list(node, Doc::Line),
            Rule::catch => self.catch(node),
            Rule::string => Doc::Flat(Box::new(self.joined(node))),
            Rule::lambda_head => self.lambda_head(node),
            Rule::expr | Rule::probe | Rule::catch_arm | Rule::head => self.spaced(node),
            Rule::pattern => self.pattern(node),
            Rule::if_expr => self.if_expr(node, true),
            Rule::with_expr => self.with_expr(node, true),
            Rule::match_expr => self.match_expr(node),
            Rule::match_arm => self.match_arm(node),
            Rule::if_head | Rule::else_head | Rule::match_head | Rule::with_head | Rule::NOT_IN => self.spaced(node),
            Rule::named_argument | Rule::entry => self.field(node),
            _ => self.joined(node),
        }
    }

    /// A value that stands as a statement: its blocks take several lines.
    pub(super) fn statement_value(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut children = node.children();
        match children.next() {
            Some(only) if children.next().is_none() => match only.rule() {
                Some(Rule::if_expr) => self.if_expr(only, false),
                Some(Rule::with_expr) => self.with_expr(only, false),
                _ => self.node(only),
            },
            _ => self.node(node),
        }
    }

    /// `name: value`, `"key": value`, `...value`.
    fn field(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        for child in node.children() {
            docs.push(self.node(child));
            if child.rule() == Some(Rule::COLON) {
                docs.push(text(" "));
            }
        }
        seq(docs)
    }

    fn pattern(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        for child in node.children() {
            if child.rule() == Some(Rule::PIPE) {
                docs.push(self.lead(child));
                continue;
            }
            if docs.iter().any(|d| matches!(d, Doc::Text(_))) {
                docs.push(text(" | "));
            }
            docs.push(self.lead(child));
            let part = self.node(child);
            docs.push(part);
            docs.push(text(""));
        }
        seq(docs)
    }

    /// Operators; where the line is too long it breaks before the loosest.
    fn operators(&mut self, node: Node<'t>) -> Doc<'t> {
        let loosest = node.children().filter_map(|c| looseness(c.rule()?)).min();
        let mut docs: Vec<Doc<'t>> = Vec::new();
        let mut rest: Vec<Doc<'t>> = Vec::new();
        let mut operand = false;
        for child in node.children() {
            let rule = child.rule();
            let binary = operand && rule.is_some_and(|r| looseness(r).is_some());
            let doc = self.node(child);
            let target = if rest.is_empty() && !binary { &mut docs } else { &mut rest };
            if binary {
                let breaks = rule.and_then(looseness) == loosest;
                let tight = rule == Some(Rule::RANGE);
                if !tight {
                    target.push(if breaks { Doc::Line } else { text(" ") });
                }
                target.push(doc);
                if !tight {
                    target.push(text(" "));
                }
                operand = false;
            } else if matches!(rule, Some(Rule::catch | Rule::probe)) {
                target.push(text(" "));
                target.push(doc);
            } else {
                target.push(doc);
                if rule == Some(Rule::KW_NOT) {
                    target.push(text(" "));
                }
                operand = !matches!(rule, Some(Rule::KW_NOT | Rule::MINUS));
            }
        }
        if rest.is_empty() {
            return seq(docs);
        }
        group(seq(vec![seq(docs), indent(seq(rest))]))
    }

    /// Members and calls. A chain with a lambda in it that is long takes a line for each call from there on.
    fn chain(&mut self, node: Node<'t>) -> Doc<'t> {
        let links: Vec<_> = node.children().collect();
        let first = links.iter().position(|l| l.rule() == Some(Rule::arguments) && takes_lambda(*l));
        let Some(call) = first else { return self.chain_with_comments(node) };
        // The members before the first such call begin its line: `.reservations.flat_map(…)`.
        let before = links.get(..call).unwrap_or(&[]);
        let start = before.iter().rposition(|l| l.rule() != Some(Rule::member)).map_or(0, |i| i + 1);
        // Of a path such as `places.flat_map` only the last member does.
        let start = if start <= 1 { call.saturating_sub(1).max(start) } else { start };
        let mut base = Vec::new();
        let mut rest = Vec::new();
        let mut after_call = true;
        for (index, link) in links.iter().enumerate() {
            if index < start {
                base.push(self.node(*link));
                continue;
            }
            if link.rule() == Some(Rule::member) && after_call {
                rest.push(Doc::Soft);
                after_call = false;
            }
            after_call |= link.rule() == Some(Rule::arguments);
            rest.push(self.node(*link));
        }
        let breaks = rest.iter().filter(|d| matches!(d, Doc::Soft)).count();
        let doc = seq(vec![seq(base), indent(seq(rest))]);
        // One call on a plain name gains nothing from a line of its own.
        if start <= 1 && breaks == 1 { group(doc) } else { short(doc) }
    }

    fn chain_with_comments(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        for link in node.children() {
            let lead = self.comments(link.span().start);
            let doc = self.node(link);
            docs.push(if lead.is_empty() { doc } else { indent(seq(vec![seq(lead), doc])) });
        }
        seq(docs)
    }

    /// Arguments; a single one that brings brackets of its own shares the parentheses' line.
    fn arguments(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut arguments = node.children().filter(|c| c.rule() == Some(Rule::argument));
        let one = arguments.next().filter(|_| arguments.next().is_none());
        match one {
            Some(one) if !self.has_comment_before(one) && self.hugs(one) => {
                let mut docs = Vec::new();
                for child in node.children().filter(|c| c.rule() != Some(Rule::COMMA)) {
                    docs.push(self.node(child));
                }
                seq(docs)
            }
            _ => self.list(node, Doc::Soft),
        }
    }

    /// A list; a single element with brackets of its own shares the list's.
    fn list_value(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut values = node.children().filter(|c| c.rule() == Some(Rule::expr));
        let one = values.next().filter(|_| values.next().is_none());
        match one {
            Some(one) if !self.has_comment_before(one) && self.is_bracketed(one) => {
                let docs = node.children().filter(|c| c.rule() != Some(Rule::COMMA)).map(|c| self.node(c)).collect();
                seq(docs)
            }
            _ => self.list(node, Doc::Soft),
        }
    }

    fn has_comment_before(&self, node: Node<'t>) -> bool {
        let start = node.span().start;
        let comments = self.tree.comments();
        comments.get(comments.partition_point(|c| c.before < start)).is_some_and(|c| c.before == start)
    }

    fn hugs(&self, argument: Node<'t>) -> bool {
        let named = argument.child(Rule::named_argument).unwrap_or(argument);
        let Some(value) = named.child(Rule::expr) else { return false };
        value.child(Rule::lambda_head).is_some() || self.is_bracketed(value)
    }

    /// Whether a value is a list, a record, or a form with blocks: it brings its own line breaks.
    pub(super) fn is_bracketed(&self, value: Node<'t>) -> bool {
        let mut parts = value.children();
        let Some(only) = parts.next().filter(|_| parts.next().is_none()) else { return false };
        match only.rule() {
            Some(Rule::match_expr | Rule::with_expr) => true,
            Some(Rule::operation) => {
                let mut operands = only.children();
                let chain = operands.next().filter(|_| operands.next().is_none());
                let mut links = chain.into_iter().flat_map(Node::children);
                let first = links.next().and_then(Node::rule);
                matches!(first, Some(Rule::list | Rule::braces)) && links.next().is_none()
            }
            _ => false,
        }
    }

    fn catch(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut inner = Vec::new();
        let mut word = Vec::new();
        let mut close = text("}");
        let mut count = 0;
        for child in node.children() {
            match child.rule() {
                Some(Rule::KW_CATCH) => word.push(self.leaf(child)),
                Some(Rule::LBRACE) => {
                    word.push(text(" "));
                    word.push(self.leaf(child));
                }
                Some(Rule::COMMA) => inner.push(self.lead(child)),
                Some(Rule::RBRACE) => {
                    if count > 0 {
                        inner.push(Doc::IfBroken(","));
                    }
                    inner.push(self.lead(child));
                    close = text(child.text());
                }
                _ => {
                    inner.push(if count == 0 { Doc::Line } else { seq(vec![text(","), Doc::Line]) });
                    inner.push(self.lead(child));
                    inner.push(self.node(child));
                    count += 1;
                }
            }
        }
        if count == 0 {
            return seq(vec![seq(word), indent(seq(inner)), close]);
        }
        group(seq(vec![seq(word), indent(seq(inner)), Doc::Line, close]))
    }

    /// One parameter stands without parentheses.
    fn lambda_head(&mut self, node: Node<'t>) -> Doc<'t> {
        let names = node.children().filter(|c| c.rule() == Some(Rule::NAME)).count();
        let mut docs = Vec::new();
        for child in node.children() {
            match child.rule() {
                Some(Rule::LPAREN | Rule::RPAREN) if names == 1 => docs.push(self.lead(child)),
                Some(Rule::COMMA) => docs.push(self.lead(child)),
                Some(Rule::FAT_ARROW) => {
                    docs.push(text(" "));
                    docs.push(self.leaf(child));
                }
                Some(Rule::NAME) => {
                    if docs.iter().any(|d| matches!(d, Doc::Text(t) if t.is_empty())) {
                        docs.push(text(", "));
                    }
                    docs.push(self.leaf(child));
                    docs.push(text(""));
                }
                _ => docs.push(self.leaf(child)),
            }
        }
        seq(docs)
    }

    // ---- forms with blocks ------------------------------------------------------------------------------------------

    fn if_expr(&mut self, node: Node<'t>, value: bool) -> Doc<'t> {
        let blocks = node.children().filter(|c| c.rule() == Some(Rule::block));
        let small = value && blocks.clone().count() > 1 && blocks.clone().all(|b| self.is_small_block(b));
        let mut docs = Vec::new();
        for child in node.children() {
            if !docs.is_empty() {
                docs.push(text(" "));
            }
            docs.push(if small && child.rule() == Some(Rule::block) {
                self.small_block(child)
            } else {
                self.node(child)
            });
        }
        if small { group(seq(docs)) } else { seq(docs) }
    }

    fn with_expr(&mut self, node: Node<'t>, value: bool) -> Doc<'t> {
        let mut docs = Vec::new();
        for child in node.children() {
            if !docs.is_empty() {
                docs.push(text(" "));
            }
            docs.push(if value && child.rule() == Some(Rule::block) {
                self.small_block(child)
            } else {
                self.node(child)
            });
        }
        if value { group(seq(docs)) } else { seq(docs) }
    }

    fn match_expr(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        let mut inner = Vec::new();
        let mut any = false;
        for child in node.children() {
            match child.rule() {
                Some(Rule::match_head) => docs.push(self.node(child)),
                Some(Rule::LBRACE) => {
                    docs.push(text(" "));
                    docs.push(self.leaf(child));
                }
                Some(Rule::RBRACE) => {
                    let dangling = self.comments(child.span().start);
                    any |= !dangling.is_empty();
                    inner.extend(dangling);
                    docs.push(indent(seq(std::mem::take(&mut inner))));
                    if any {
                        docs.push(Doc::Hard);
                    }
                    docs.push(text(child.text()));
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
        seq(docs)
    }

    fn match_arm(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        let is_block = node.child(Rule::block).is_some();
        for child in node.children() {
            if child.rule() == Some(Rule::COMMA) {
                docs.push(self.lead(child));
                continue;
            }
            if !docs.is_empty() {
                docs.push(text(" "));
            }
            docs.push(self.node(child));
        }
        if !is_block {
            docs.push(text(","));
        }
        seq(docs)
    }
}

/// Whether a call takes a lambda: the chain is read as a list of what is done.
fn takes_lambda(arguments: Node<'_>) -> bool {
    arguments.children().filter(|c| c.rule() == Some(Rule::argument)).any(|argument| {
        argument
            .child(Rule::expr)
            .is_some_and(|e| e.child(Rule::lambda_head).is_some() || e.child(Rule::field_function).is_some())
    })
}

/// How loosely an operator binds; the least breaks first.
fn looseness(rule: Rule) -> Option<u8> {
    Some(match rule {
        Rule::KW_OR => 1,
        Rule::KW_AND => 2,
        Rule::EQUAL | Rule::NOT_EQUAL | Rule::LESS | Rule::LESS_EQUAL | Rule::GREATER | Rule::GREATER_EQUAL => 4,
        Rule::KW_IN | Rule::NOT_IN => 4,
        Rule::COALESCE => 5,
        Rule::RANGE => 6,
        Rule::PLUS | Rule::MINUS => 7,
        Rule::STAR | Rule::SLASH => 8,
        _ => return None,
    })
}
