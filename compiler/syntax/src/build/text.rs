//! Texts: escapes, holes, and the indentation that a block of lines loses.

use escher_grammar::Rule;

use super::Builder;
use crate::ast::{Text, TextPart};
use crate::codes;
use crate::span::Span;
use crate::tree::{Node, slice};

impl<'t> Builder<'t, '_> {
    /// A text in any of its forms.
    pub(super) fn text(&mut self, node: Node<'t>) -> Text {
        match node.rule() {
            Some(Rule::string) => {}
            _ => return self.text_leaf(node),
        }
        let mut children = node.children();
        let Some(first) = children.next() else { return Text { parts: Vec::new(), span: node.span() } };
        match first.rule() {
            Some(Rule::STRING_HEAD) => self.with_holes(node, false),
            Some(Rule::BLOCK_HEAD) => self.with_holes(node, true),
            _ => self.text_leaf(first),
        }
    }

    /// A text without holes.
    pub(super) fn text_leaf(&mut self, node: Node<'t>) -> Text {
        let span = node.span();
        let text = node.text();
        let inner = |quotes: usize| text.get(quotes..text.len().saturating_sub(3).max(quotes)).unwrap_or("");
        let value = match node.rule() {
            Some(Rule::RAW) => text.get(2..text.len().saturating_sub(1)).unwrap_or("").to_string(),
            Some(Rule::RAW_BLOCK) => dedent(&[inner(4)]).concat(),
            Some(Rule::BLOCK) => {
                self.check_escapes(inner(3), part_of(node, 3, inner(3)));
                dedent(&[inner(3)]).iter().map(|p| unescape(p)).collect()
            }
            _ => {
                let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
                self.check_escapes(inner, part_of(node, 1, inner));
                unescape(inner)
            }
        };
        let parts = if value.is_empty() { Vec::new() } else { vec![TextPart::Literal(value)] };
        Text { parts, span }
    }

    fn with_holes(&mut self, node: Node<'t>, block: bool) -> Text {
        let quotes = if block { 3 } else { 1 };
        let mut literals: Vec<(&str, Span)> = Vec::new();
        let mut holes = Vec::new();
        for child in node.children() {
            let text = child.text();
            let (from, to) = match child.rule() {
                Some(Rule::STRING_HEAD | Rule::BLOCK_HEAD) => (quotes, 1),
                Some(Rule::STRING_MID | Rule::BLOCK_MID) => (1, 1),
                Some(Rule::STRING_TAIL | Rule::BLOCK_TAIL) => (1, quotes),
                _ => {
                    // Literal braces were meant, so nobody may complain about what the record holds.
                    let meant = lone_braces(child).is_none();
                    holes.push(if meant { self.expr(child) } else { Self::error_expr(child.span()) });
                    continue;
                }
            };
            let inner = text.get(from..text.len().saturating_sub(to)).unwrap_or("");
            let span = part_of(child, from, inner);
            self.check_escapes(inner, span);
            literals.push((inner, span));
        }
        self.check_holes(node, &literals);
        let texts: Vec<String> = if block {
            let raw: Vec<&str> = literals.iter().map(|(text, _)| *text).collect();
            dedent(&raw)
        } else {
            literals.iter().map(|(text, _)| (*text).to_string()).collect()
        };
        let mut parts = Vec::new();
        let mut holes = holes.into_iter();
        for text in &texts {
            let mut value = unescape(text);
            // `${…}` was told of: the sign belongs to the hole.
            if holes.len() > 0 && is_dollar(text) {
                value.pop();
            }
            if !value.is_empty() {
                parts.push(TextPart::Literal(value));
            }
            parts.extend(holes.next().map(TextPart::Hole));
        }
        Text { parts, span: node.span() }
    }

    /// A hole stands on one line and is not `${…}`.
    fn check_holes(&mut self, node: Node<'t>, literals: &[(&str, Span)]) {
        if !node.children().all(Node::is_verbatim) {
            return; // A repair wrote it.
        }
        for pair in literals.windows(2) {
            let [(before, left), (_, right)] = pair else { continue };
            let hole = Span { start: left.end, end: right.start };
            if slice(self.tree.source(), hole).contains('\n') {
                self.tell(codes::hole_over_lines(hole));
            }
            if is_dollar(before) {
                self.tell(codes::dollar_hole(Span { start: left.end - 1, end: hole.end }));
            }
        }
        for child in node.children() {
            let Some(braces) = lone_braces(child) else { continue };
            self.tell(codes::double_braces(braces.span()));
        }
    }

    /// Tells of what `\` stands before and is no escape. Where the text was repaired, `span` is shorter or longer than
    /// it, and all of it is underlined.
    fn check_escapes(&mut self, text: &str, span: Span) {
        let exact = (span.end - span.start) as usize == text.len();
        for (at, written) in escapes(text) {
            if unescaped(written).is_none() {
                let escaped = written.chars().nth(1).unwrap_or('\\');
                let start = span.start as usize + at;
                let end = start + 1 + escaped.len_utf8();
                self.tell(codes::bad_escape(if exact { Span::new(start, end) } else { span }, escaped));
            }
        }
    }
}

/// Whether a text ends with the `$` of `${…}`.
fn is_dollar(before: &str) -> bool {
    before.ends_with('$') && !before.ends_with("\\$")
}

/// Where the text between the quotes of a leaf stands; all of the leaf where a repair wrote it.
fn part_of(leaf: Node<'_>, from: usize, inner: &str) -> Span {
    let span = leaf.span();
    let start = span.start as usize + from;
    if leaf.is_verbatim() { Span::new(start, start + inner.len()) } else { span }
}

/// The escapes of a text with their places: `\` with what belongs to it.
fn escapes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.get(from..)?.find('\\')?;
        let rest = text.get(at..)?;
        let second = rest.chars().nth(1)?;
        let plain = 1 + second.len_utf8();
        let braced = || rest.get(plain..)?.starts_with('{').then(|| rest.find('}').map(|end| end + 1))?;
        let length = if second == 'u' { braced().unwrap_or(plain) } else { plain };
        from = at + length;
        Some((at, rest.get(..length)?))
    })
}

/// What an escape stands for; none where it is no escape.
fn unescaped(written: &str) -> Option<char> {
    Some(match written.chars().nth(1)? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        same @ ('"' | '\\' | '{' | '}' | '$') => same,
        'u' => return unicode(written.get(2..)?),
        _ => return None,
    })
}

/// A text with its escapes resolved. What is none stays, without its `\`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, written) in escapes(text) {
        out.push_str(text.get(from..at).unwrap_or(""));
        match unescaped(written) {
            Some(c) => out.push(c),
            None => out.push_str(written.get(1..).unwrap_or("")),
        }
        from = at + written.len();
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out
}

/// The character of `{1F600}`, as it stands after `\u`.
fn unicode(braced: &str) -> Option<char> {
    let digits = braced.strip_prefix('{')?.strip_suffix('}')?;
    if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

/// A hole that holds nothing but a record: `{{ x: 1 }}`, written for a literal brace.
fn lone_braces(hole: Node<'_>) -> Option<Node<'_>> {
    let operation = hole.child(Rule::operation)?;
    let chain = operation.child(Rule::chain)?;
    let mut links = chain.children();
    let braces = links.next().filter(|b| b.rule() == Some(Rule::braces))?;
    (links.next().is_none() && operation.children().count() == 1).then_some(braces)
}

/// Takes the first line break and the indentation that all lines share off the parts of a block.
fn dedent(parts: &[&str]) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut least = usize::MAX;
    for (index, part) in parts.iter().enumerate() {
        let last_part = index + 1 == parts.len();
        let lines: Vec<&str> = part.split('\n').collect();
        for (i, line) in lines.iter().enumerate().skip(1) {
            let ends_here = i + 1 == lines.len();
            // A blank line says nothing about indentation, but the line of the closing quotes does, and so does one
            // that goes on in a hole.
            if !line.trim().is_empty() || (ends_here && (last_part || !line.is_empty())) {
                least = least.min(indent(line));
            }
        }
    }
    let least = if least == usize::MAX { 0 } else { least };
    let mut out = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let mut text = String::with_capacity(part.len());
        for (i, line) in part.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if i > 0 {
                text.push('\n');
                text.push_str(line.get(least.min(indent(line))..).unwrap_or(""));
            } else {
                text.push_str(line);
            }
        }
        if index == 0 {
            text = text.strip_prefix('\n').map_or(text.clone(), str::to_string);
        }
        out.push(text);
    }
    out
}
