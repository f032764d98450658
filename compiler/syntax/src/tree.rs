//! The lossless tree: what the parser matched, and the gaps between.
//!
//! One flat list of nodes in reading order: no pointers, so neither building nor dropping can overflow the stack, and
//! 10,000 lines cost one allocation. White space and comments are not nodes but the gaps between leaves, so
//! [`SyntaxTree::text`] gives back every byte of good and of broken input. This module knows how nodes lie, not what
//! they mean.

use escher_grammar::Rule;
use pest::iterators::Tokens;
use pest::{Position, Token as PestToken};

use crate::span::Span;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// What a rule of the grammar matched.
    Rule(Rule),
    /// Tokens that no rule matched; a diagnostic says why.
    Error,
}

#[derive(Clone, Copy, Debug)]
struct Raw {
    kind: NodeKind,
    start: u32,
    end: u32,
    /// Index one past the last node below this one.
    next: u32,
}

/// A comment in a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `//` to the end of its line.
    pub span: Span,
    /// Whether it is a doc comment (`///`).
    pub doc: bool,
    /// Start of the token that follows, or the end of the text.
    pub before: u32,
}

/// What a piece of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Blanks and line breaks.
    Space,
    /// `// …`
    Comment,
    /// `/// …`
    Doc,
    /// A terminal of the grammar.
    Token(Rule),
    /// Anything in a gap that is neither: a byte-order mark.
    Other,
}

/// A text as a tree that loses nothing.
#[derive(Clone, Debug)]
pub struct SyntaxTree {
    source: String,
    nodes: Vec<Raw>,
    comments: Vec<Comment>,
    /// Tokens of a repaired copy that the source spells otherwise, with their index, in order.
    respelt: Vec<(u32, Box<str>)>,
}

impl SyntaxTree {
    /// The node of the whole file.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, index: 0 }
    }

    /// What was parsed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The comments in order.
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// All pieces in order: tokens, and what stands between them.
    pub fn pieces(&self) -> Vec<(PieceKind, Span)> {
        let mut out = Vec::with_capacity(self.nodes.len() * 2);
        let mut at = 0;
        let mut comments = self.comments.iter().peekable();
        let mut gap = |out: &mut Vec<(PieceKind, Span)>, from: u32, to: u32| {
            let mut from = from;
            while let Some(comment) = comments.next_if(|c| c.span.end <= to) {
                push_space(&self.source, out, from, comment.span.start);
                out.push((if comment.doc { PieceKind::Doc } else { PieceKind::Comment }, comment.span));
                from = comment.span.end;
            }
            push_space(&self.source, out, from, to);
        };
        for (index, node) in self.nodes.iter().enumerate() {
            let NodeKind::Rule(rule) = node.kind else { continue };
            if index == 0 || node.next as usize != index + 1 || node.start >= node.end {
                continue;
            }
            gap(&mut out, at, node.start);
            out.push((PieceKind::Token(rule), Span { start: node.start, end: node.end }));
            at = node.end;
        }
        let end = Span::new(0, self.source.len()).end;
        gap(&mut out, at, end);
        out
    }

    /// The text again, put together from its pieces: byte for byte what was parsed.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(self.source.len());
        for (_, span) in self.pieces() {
            out.push_str(slice(&self.source, span));
        }
        out
    }
}

fn push_space(source: &str, out: &mut Vec<(PieceKind, Span)>, from: u32, to: u32) {
    if from < to {
        let span = Span { start: from, end: to };
        let blank = slice(source, span).chars().all(char::is_whitespace);
        out.push((if blank { PieceKind::Space } else { PieceKind::Other }, span));
    }
}

/// The text of a span; empty where the span does not lie in the text.
pub(crate) fn slice(source: &str, span: Span) -> &str {
    source.get(span.start as usize..span.end as usize).unwrap_or("")
}

/// A node of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    tree: &'t SyntaxTree,
    index: u32,
}

impl<'t> Node<'t> {
    fn raw(self) -> Raw {
        let none = Raw { kind: NodeKind::Error, start: 0, end: 0, next: self.index + 1 };
        self.tree.nodes.get(self.index as usize).copied().unwrap_or(none)
    }

    /// What it is.
    pub fn kind(self) -> NodeKind {
        self.raw().kind
    }

    /// The rule that matched it, none for an error.
    pub fn rule(self) -> Option<Rule> {
        match self.kind() {
            NodeKind::Rule(rule) => Some(rule),
            NodeKind::Error => None,
        }
    }

    /// Where it stands, from its first token to its last.
    pub fn span(self) -> Span {
        let raw = self.raw();
        Span { start: raw.start, end: raw.end }
    }

    /// What is written there. A token that a repair put there says what the repair wrote, and lies where the source
    /// holds what it stands for.
    pub fn text(self) -> &'t str {
        self.respelt().unwrap_or_else(|| slice(&self.tree.source, self.span()))
    }

    /// Whether the source holds this as it reads, so that places inside its text are places of the source.
    pub fn is_verbatim(self) -> bool {
        self.respelt().is_none()
    }

    fn respelt(self) -> Option<&'t str> {
        let respelt = &self.tree.respelt;
        let at = respelt.binary_search_by_key(&self.index, |(index, _)| *index).ok()?;
        respelt.get(at).map(|(_, text)| &**text)
    }

    /// Whether it is a token.
    pub fn is_leaf(self) -> bool {
        self.raw().next == self.index + 1
    }

    /// The nodes directly below.
    pub fn children(self) -> Children<'t> {
        Children { tree: self.tree, at: self.index + 1, end: self.raw().next }
    }

    /// The first child that this rule matched.
    pub fn child(self, rule: Rule) -> Option<Node<'t>> {
        self.children().find(|c| c.rule() == Some(rule))
    }
}

/// Walks the nodes directly below a node; can look one ahead.
#[derive(Clone, Debug)]
pub struct Children<'t> {
    tree: &'t SyntaxTree,
    at: u32,
    end: u32,
}

impl<'t> Children<'t> {
    /// The next node, without going past it.
    pub fn peek(&self) -> Option<Node<'t>> {
        (self.at < self.end).then_some(Node { tree: self.tree, index: self.at })
    }

    /// The rule of the next node.
    pub fn peek_rule(&self) -> Option<Rule> {
        self.peek().and_then(Node::rule)
    }

    /// The next node, if this rule matched it.
    pub fn eat(&mut self, rule: Rule) -> Option<Node<'t>> {
        if self.peek_rule() == Some(rule) { self.next() } else { None }
    }
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        let node = self.peek()?;
        self.at = node.raw().next.max(self.at + 1);
        Some(node)
    }
}

/// Grows a tree in reading order.
pub(crate) struct TreeBuilder<'s> {
    source: &'s str,
    nodes: Vec<Raw>,
    comments: Vec<Comment>,
    respelt: Vec<(u32, Box<str>)>,
    open: Vec<u32>,
    /// End of the last token.
    last: u32,
    /// The last token.
    last_rule: Rule,
    /// Whether a statement begins on the line of the one before: the grammar can't tell, for white space means nothing
    /// to it.
    crowded: bool,
}

/// A place in a tree that grows, to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    nodes: usize,
    comments: usize,
    respelt: usize,
    open: usize,
    last: u32,
    last_rule: Rule,
}

impl<'s> TreeBuilder<'s> {
    pub(crate) fn new(source: &'s str) -> TreeBuilder<'s> {
        let mut builder = TreeBuilder {
            source,
            nodes: Vec::with_capacity(source.len() / 4 + 8),
            comments: Vec::new(),
            respelt: Vec::new(),
            open: Vec::with_capacity(64),
            last: 0,
            last_rule: Rule::EOI,
            crowded: false,
        };
        builder.open(NodeKind::Rule(Rule::file), 0);
        builder
    }

    /// Where the tree stands.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            nodes: self.nodes.len(),
            comments: self.comments.len(),
            respelt: self.respelt.len(),
            open: self.open.len(),
            last: self.last,
            last_rule: self.last_rule,
        }
    }

    /// Goes back to where the tree stood.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.nodes.truncate(mark.nodes);
        self.comments.truncate(mark.comments);
        self.respelt.truncate(mark.respelt);
        self.open.truncate(mark.open);
        self.last = mark.last;
        self.last_rule = mark.last_rule;
        self.crowded = false;
    }

    /// Whether statements share a line.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded
    }

    pub(crate) fn open(&mut self, kind: NodeKind, start: u32) {
        if matches!(kind, NodeKind::Rule(Rule::statement | Rule::test_statement))
            && !matches!(self.last_rule, Rule::LBRACE | Rule::SEMI | Rule::FAT_ARROW | Rule::EOI)
        {
            let gap = Span { start: self.last, end: start };
            self.crowded |= !slice(self.source, gap).contains('\n');
        }
        self.open.push(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Raw { kind, start, end: start, next: 0 });
    }

    /// Ends the innermost open node at the last token: a rule may have skipped white space behind it.
    pub(crate) fn close(&mut self) {
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let Some(index) = self.open.pop() else { return };
        let last = self.last;
        let Some(node) = self.nodes.get_mut(index as usize) else { return };
        node.next = next;
        node.end = last.max(node.start);
    }

    /// A token of its own. What lies before the last token is cut off: repaired text may point back.
    pub(crate) fn leaf(&mut self, rule: Rule, span: Span) {
        let start = span.start.max(self.last);
        let end = span.end.max(start);
        self.gap(start);
        let next = u32::try_from(self.nodes.len() + 1).unwrap_or(u32::MAX);
        self.nodes.push(Raw { kind: NodeKind::Rule(rule), start, end, next });
        self.last = end;
        self.last_rule = rule;
    }

    /// Takes over what pest matched in a piece of the source that begins at `offset`.
    pub(crate) fn tokens(&mut self, tokens: Tokens<'_, Rule>, offset: u32) {
        self.matched(tokens, |at| Span::new(at, at).start.saturating_add(offset), |_, _, _| {});
    }

    /// Takes over what pest matched in a repaired copy; `place` says where in the source a byte of the copy stands.
    pub(crate) fn repaired(&mut self, tokens: Tokens<'_, Rule>, place: impl Fn(usize) -> u32) {
        self.matched(tokens, place, |tree, start, end| {
            let written = start.span(end);
            let Some(index) = tree.nodes.len().checked_sub(1) else { return };
            let Some(leaf) = tree.nodes.get(index) else { return };
            if written.as_str() != slice(tree.source, Span { start: leaf.start, end: leaf.end }) {
                tree.respelt.push((u32::try_from(index).unwrap_or(u32::MAX), written.as_str().into()));
            }
        });
    }

    fn matched(
        &mut self,
        tokens: Tokens<'_, Rule>,
        place: impl Fn(usize) -> u32,
        made: impl Fn(&mut Self, &Position<'_>, &Position<'_>),
    ) {
        let mut started: Option<(Rule, Position<'_>)> = None;
        for token in tokens {
            match token {
                PestToken::Start { rule, pos } => {
                    if let Some((outer, start)) = started.take() {
                        self.start(outer, place(start.pos()));
                    }
                    started = Some((rule, pos));
                }
                PestToken::End { rule, pos } => match started.take() {
                    Some((Rule::EOI, _)) => {}
                    Some((leaf, start)) if !is_entry(leaf) => {
                        self.leaf(leaf, Span { start: place(start.pos()), end: place(pos.pos()) });
                        made(self, &start, &pos);
                    }
                    Some(_) => {}
                    None => self.end(rule),
                },
            }
        }
    }

    fn start(&mut self, rule: Rule, start: u32) {
        if !is_entry(rule) {
            self.open(NodeKind::Rule(rule), start.max(self.last));
        }
    }

    fn end(&mut self, rule: Rule) {
        if !is_entry(rule) {
            self.close();
        }
    }

    /// Notes the comments between the last token and the next.
    fn gap(&mut self, to: u32) {
        if to <= self.last + 1 {
            return;
        }
        let Some(gap) = self.source.get(self.last as usize..to as usize) else { return };
        let mut from = 0;
        while let Some(found) = gap.get(from..).and_then(|rest| rest.find("//")) {
            let start = from + found;
            let rest = gap.get(start..).unwrap_or("");
            let line = rest.split('\n').next().unwrap_or(rest);
            let end = start + line.trim_end_matches('\r').len();
            self.comments.push(Comment {
                span: Span::new(self.last as usize + start, self.last as usize + end),
                doc: line.starts_with("///") && !line.starts_with("////"),
                before: to,
            });
            from = start + line.len();
        }
    }

    pub(crate) fn finish(mut self) -> SyntaxTree {
        let end = Span::new(0, self.source.len()).end;
        self.gap(end);
        while !self.open.is_empty() {
            self.close();
        }
        if let Some(root) = self.nodes.first_mut() {
            root.end = end;
        }
        SyntaxTree {
            source: self.source.to_string(),
            nodes: self.nodes,
            comments: self.comments,
            respelt: self.respelt,
        }
    }
}

/// Entry rules wrap one thing and are no nodes of the tree.
fn is_entry(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::file
            | Rule::only_item
            | Rule::only_statement
            | Rule::only_test_statement
            | Rule::only_statements
            | Rule::only_expr
            | Rule::only_type
            | Rule::only_arm
            | Rule::only_head
            | Rule::only_catch
            | Rule::tokens
            | Rule::EOI
    )
}
