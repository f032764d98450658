//! From the tree to plain syntax.
//!
//! Total: a node that is not what its place calls for becomes an `Error`, about which recovery has spoken already. What
//! the grammar leaves open (one comparison only, a bare value last, each clause once) is checked here, where the
//! parts are at hand. Knows no names and no types.

mod expressions;
mod items;
mod statements;
mod text;
mod types;

use escher_grammar::Rule;

use crate::ast;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::tree::{Node, NodeKind, SyntaxTree};

/// Plain syntax of a tree, and what is wrong with it beyond its form.
pub(crate) fn build(tree: &SyntaxTree, diagnostics: &mut Vec<Diagnostic>) -> ast::File {
    let mut builder = Builder {
        tree,
        diagnostics,
        depth: 0,
        told_depth: false,
        used_docs: vec![false; tree.comments().len()],
        in_report: false,
    };
    let items = tree.root().children().filter_map(|node| builder.item(node)).collect();
    builder.idle_docs();
    ast::File { items }
}

struct Builder<'t, 'd> {
    tree: &'t SyntaxTree,
    diagnostics: &'d mut Vec<Diagnostic>,
    /// How deep the plain syntax is here.
    depth: usize,
    /// Whether too deep nesting was reported: once is enough.
    told_depth: bool,
    /// For each comment, whether a doc comment was taken by something.
    used_docs: Vec<bool>,
    /// Whether values may stand anywhere in a block, as in a report.
    in_report: bool,
}

impl<'t> Builder<'t, '_> {
    fn tell(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Runs `make` some levels deeper, or gives `otherwise` where that is too deep for whoever walks the result.
    fn deeper<T>(&mut self, levels: usize, span: Span, otherwise: T, make: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth + levels > crate::limits::MAX_HEIGHT {
            if !self.told_depth {
                self.told_depth = true;
                self.tell(codes::too_deep(span));
            }
            return otherwise;
        }
        self.depth += levels;
        let made = make(self);
        self.depth -= levels;
        made
    }

    fn name(node: Node<'t>) -> ast::Name {
        ast::Name { text: node.text().to_string(), span: node.span() }
    }

    /// The next node as a name; an empty one at `near` where there is none.
    fn name_or(node: Option<Node<'t>>, near: Span) -> ast::Name {
        node.map_or(ast::Name { text: String::new(), span: near.after() }, Self::name)
    }

    fn path(node: Node<'t>) -> ast::Path {
        let segments =
            node.children().filter(|c| matches!(c.rule(), Some(Rule::NAME | Rule::WORD))).map(Self::name).collect();
        ast::Path { segments, span: node.span() }
    }

    fn path_or(node: Option<Node<'t>>, near: Span) -> ast::Path {
        node.map_or(ast::Path { segments: Vec::new(), span: near.after() }, Self::path)
    }

    /// The doc comment in the gap before `start`.
    fn doc(&mut self, start: u32) -> Option<ast::Doc> {
        let comments = self.tree.comments();
        let from = comments.partition_point(|c| c.before < start);
        let mut doc: Option<ast::Doc> = None;
        for (index, comment) in comments.iter().enumerate().skip(from).take_while(|(_, c)| c.before == start) {
            if !comment.doc {
                continue;
            }
            if let Some(used) = self.used_docs.get_mut(index) {
                *used = true;
            }
            let line = crate::tree::slice(self.tree.source(), comment.span).trim_end();
            let line = line.strip_prefix("///").unwrap_or(line);
            let line = line.strip_prefix(' ').unwrap_or(line);
            match &mut doc {
                None => doc = Some(ast::Doc { text: line.to_string(), span: comment.span }),
                Some(doc) => {
                    doc.text.push('\n');
                    doc.text.push_str(line);
                    doc.span = doc.span.join(comment.span);
                }
            }
        }
        doc
    }

    /// Doc comments that nothing took.
    fn idle_docs(&mut self) {
        let mut at: Option<u32> = None;
        for (index, comment) in self.tree.comments().iter().enumerate() {
            if comment.doc && self.used_docs.get(index) == Some(&false) && at != Some(comment.before) {
                at = Some(comment.before);
                if !self.in_error(comment.span) {
                    self.diagnostics.push(codes::idle_doc(comment.span));
                }
            }
        }
    }

    /// Whether a place lies in something that could not be parsed.
    fn in_error(&self, span: Span) -> bool {
        let mut node = self.tree.root();
        loop {
            let inside = |c: &Node<'_>| c.span().start <= span.start && span.start < c.span().end;
            match node.children().find(inside) {
                Some(child) if child.kind() == NodeKind::Error => return true,
                Some(child) => node = child,
                None => return node.children().any(|c| c.kind() == NodeKind::Error && c.span().start >= span.end),
            }
        }
    }
}
