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
                let parts = dedent(&[inner(3)]);
                parts.iter().map(|p| self.unescape(p, span)).collect()
            }
            _ => {
                let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
                self.unescape(inner, Span { start: span.start + 1, end: span.end })
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
                    holes.push(self.expr(child));
                    continue;
                }
            };
            let inner = text.get(from..text.len().saturating_sub(to)).unwrap_or("");
            let start = child.span().start as usize + from;
            literals.push((inner, Span::new(start, start + inner.len())));
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
        for (text, (_, span)) in texts.iter().zip(&literals) {
            let value = self.unescape(text, *span);
            if !value.is_empty() {
                parts.push(TextPart::Literal(value));
            }
            parts.extend(holes.next().map(TextPart::Hole));
        }
        Text { parts, span: node.span() }
    }

    /// A hole stands on one line and is not `${…}`.
    fn check_holes(&mut self, node: Node<'t>, literals: &[(&str, Span)]) {
        for pair in literals.windows(2) {
            let [(before, left), (_, right)] = pair else { continue };
            let hole = Span { start: left.end, end: right.start };
            if slice(self.tree.source(), hole).contains('\n') {
                self.tell(codes::hole_over_lines(hole));
            }
            if before.ends_with('$') && !before.ends_with("\\$") {
                self.tell(codes::dollar_hole(Span { start: left.end - 1, end: hole.end }));
            }
        }
        for child in node.children() {
            let Some(braces) = lone_braces(child) else { continue };
            self.tell(codes::double_braces(braces.span(), braces.text()));
        }
    }

    fn unescape(&mut self, text: &str, span: Span) -> String {
        if !text.contains('\\') {
            return text.to_string();
        }
        let mut out = String::with_capacity(text.len());
        let mut chars = text.char_indices();
        while let Some((_, c)) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            let Some((at, escaped)) = chars.next() else { break };
            match escaped {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                '"' | '\\' | '{' | '}' | '$' => out.push(escaped),
                'u' => match unicode(text.get(at + 1..).unwrap_or("")) {
                    Some((c, length)) => {
                        out.push(c);
                        for _ in 0..length {
                            chars.next();
                        }
                    }
                    None => self.tell(codes::bad_escape(escape_span(span, at, escaped), escaped)),
                },
                _ => {
                    out.push(escaped);
                    self.tell(codes::bad_escape(escape_span(span, at, escaped), escaped));
                }
            }
        }
        out
    }
}

/// Where an escape stands; for a block that lost its indentation this is only near.
fn escape_span(text: Span, at: usize, escaped: char) -> Span {
    let start = (text.start as usize + at).saturating_sub(1);
    Span::new(start, (start + 1 + escaped.len_utf8()).min(text.end as usize))
}

/// `{1F600}` after `\u`: the character, and how many characters it takes.
fn unicode(rest: &str) -> Option<(char, usize)> {
    let digits = rest.strip_prefix('{')?.split('}').next()?;
    if digits.is_empty() || digits.len() > 6 || !rest.get(digits.len() + 1..)?.starts_with('}') {
        return None;
    }
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((c, digits.len() + 2))
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
