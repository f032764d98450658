//! The one layout of a program.
//!
//! Walks the lossless tree, so nothing that was written is lost: comments travel with the token that follows them. What
//! was accepted in another spelling is written in the language's own. The output is read again and compared: a layout
//! that would change meaning or lose a comment is refused.

mod doc;
mod expressions;
mod items;
mod normal;
mod statements;

use escher_grammar::Rule;

use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::span::Span;
use crate::tree::{Comment, Node, SyntaxTree, slice};
use doc::{Doc, seq, text};

/// The one layout of a text, or the diagnostics that keep it from being parsed.
pub(crate) fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let (tree, mut diagnostics) = crate::recover::tree(source);
    crate::build::build(&tree, &mut diagnostics);
    diagnostics.retain(|d| d.severity == Severity::Error);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let formatted = lay_out(&tree);
    let (again, told) = crate::recover::tree(&formatted);
    if !told.is_empty() || normal::normal(&tree) != normal::normal(&again) {
        return Err(vec![codes::layout_refused(Span::new(0, 0))]);
    }
    Ok(formatted)
}

fn lay_out(tree: &SyntaxTree) -> String {
    let mut layout = Layout { tree, next_comment: 0 };
    let document = layout.file(tree.root());
    let text = doc::print(&document);
    if text.trim().is_empty() { String::new() } else { text }
}

struct Layout<'t> {
    tree: &'t SyntaxTree,
    /// The first comment that is not written yet; sorted clauses may look further ahead.
    next_comment: usize,
}

impl<'t> Layout<'t> {
    fn source(&self) -> &'t str {
        self.tree.source()
    }

    /// The comments in the gap before a token.
    fn comments(&mut self, before: u32) -> Vec<Doc<'t>> {
        let all: &'t [Comment] = self.tree.comments();
        let from = all.partition_point(|c| c.before < before).max(self.next_comment_in(before));
        let mut docs = Vec::new();
        let mut index = from;
        while let Some(comment) = all.get(index).filter(|c| c.before == before) {
            let written = slice(self.source(), comment.span).trim_end();
            let lead = self.source().get(..comment.span.start as usize).unwrap_or("");
            let line = lead.rsplit('\n').next().unwrap_or(lead);
            let own_line = line.trim().is_empty() || line.trim() == "\u{feff}";
            if own_line {
                if has_blank(lead) && !lead.trim().is_empty() {
                    docs.push(Doc::Blank);
                }
                docs.push(Doc::OwnLine(written));
            } else {
                docs.push(Doc::Trailing(written));
            }
            index += 1;
        }
        if index > from {
            self.next_comment = index;
            // An empty line behind a comment stays, but a doc comment touches what it describes.
            let last = index.checked_sub(1).and_then(|i| all.get(i)).filter(|c| !c.doc);
            let lead = self.source().get(..before as usize).unwrap_or("");
            if last.is_some() && has_blank(lead) {
                docs.push(Doc::Blank);
            }
        }
        docs
    }

    /// Comments of a gap are written once: by the token, or by the list that it begins an element of.
    fn next_comment_in(&self, before: u32) -> usize {
        let all = self.tree.comments();
        let last = self.next_comment.checked_sub(1).and_then(|i| all.get(i));
        if last.is_some_and(|c| c.before == before) { self.next_comment } else { 0 }
    }

    /// A token as it is written, with the comments before it.
    fn leaf(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = self.comments(node.span().start);
        docs.push(text(node.text()));
        seq(docs)
    }

    /// The comments before the first token of a node, to be written outside its groups.
    fn lead(&mut self, node: Node<'t>) -> Doc<'t> {
        let comments = self.comments(node.span().start);
        seq(comments)
    }

    /// Whether an empty line stands before a node and its comments.
    fn blank_before(&self, node: Node<'t>) -> bool {
        let start = node.span().start;
        let first = self.tree.comments().get(self.tree.comments().partition_point(|c| c.before < start));
        let own = first.filter(|c| c.before == start).map_or(start, |c| c.span.start);
        let lead = self.source().get(..own as usize).unwrap_or("");
        let trailing = !lead.rsplit('\n').next().unwrap_or("").trim().is_empty();
        !trailing && has_blank(lead)
    }

    /// Whether a comment stands anywhere inside a node, behind its first token.
    fn has_comment(&self, node: Node<'t>) -> bool {
        let span = node.span();
        let comments = self.tree.comments();
        let from = comments.partition_point(|c| c.span.start < span.start);
        comments.get(from).is_some_and(|c| c.span.start < span.end)
    }

    /// Children one after another, with a blank between.
    fn spaced(&mut self, node: Node<'t>) -> Doc<'t> {
        let mut docs = Vec::new();
        for child in node.children() {
            if !docs.is_empty() {
                docs.push(text(" "));
            }
            docs.push(self.node(child));
        }
        seq(docs)
    }

    /// Children one after another, touching.
    fn joined(&mut self, node: Node<'t>) -> Doc<'t> {
        let docs = node.children().map(|child| self.node(child)).collect();
        seq(docs)
    }

    /// Elements between brackets: on one line, or one on each with a comma behind the last.
    fn list(&mut self, node: Node<'t>, padding: Doc<'t>) -> Doc<'t> {
        let mut children = node.children();
        let Some(open) = children.next() else { return seq(Vec::new()) };
        let open = self.leaf(open);
        let mut inner = Vec::new();
        let mut close = Vec::new();
        let mut count = 0;
        for child in children {
            match child.rule() {
                Some(Rule::COMMA) => {
                    let comments = self.lead(child);
                    inner.push(comments);
                }
                Some(Rule::RPAREN | Rule::RBRACKET | Rule::RBRACE | Rule::TYPE_CLOSE) => {
                    if count > 0 {
                        inner.push(Doc::IfBroken(","));
                    }
                    inner.push(self.lead(child));
                    close.push(text(child.text()));
                }
                _ => {
                    inner.push(if count == 0 { padding.clone() } else { seq(vec![text(","), Doc::Line]) });
                    inner.push(self.lead(child));
                    inner.push(self.node(child));
                    count += 1;
                }
            }
        }
        if count == 0 {
            return seq([vec![open], vec![doc::indent(seq(inner))], close].concat());
        }
        doc::group(seq([vec![open, doc::indent(seq(inner)), padding], close].concat()))
    }

    fn node(&mut self, node: Node<'t>) -> Doc<'t> {
        if node.is_leaf() {
            return self.leaf(node);
        }
        match node.rule() {
            Some(rule) if items::is_item_part(rule) => self.item_part(node, rule),
            Some(rule) if statements::is_statement_part(rule) => self.statement_part(node, rule),
            Some(rule) => self.expression_part(node, rule),
            None => text(node.text()),
        }
    }
}

/// Whether a text ends with an empty line.
fn has_blank(lead: &str) -> bool {
    let space = lead.trim_end_matches([' ', '\t']);
    space.strip_suffix('\n').is_some_and(|rest| rest.trim_end_matches([' ', '\t', '\r']).ends_with('\n'))
}
