//! A small pretty-printer: text with places where lines may break, and groups that break together.
//!
//! Knows nothing of the language. Comments are first-class, because a comment to the right of something must be written
//! before the line break that follows it, wherever that break was decided.

use std::borrow::Cow;

/// Lines are no longer than this where it can be helped.
pub(super) const WIDTH: usize = 120;
/// Heads, chains and one-line blocks are read as a whole, so they break sooner.
pub(super) const SHORT: usize = 80;

/// A piece of laid-out text.
#[derive(Clone, Debug)]
pub(super) enum Doc<'t> {
    /// Characters; line breaks inside (of a block of text) are kept as they are.
    Text(Cow<'t, str>),
    /// A blank, or a line break where the group around breaks.
    Line,
    /// Nothing, or a line break where the group around breaks.
    Soft,
    /// A line break.
    Hard,
    /// An empty line.
    Blank,
    /// Text only where the group around breaks: the comma behind the last of a list.
    IfBroken(&'static str),
    /// A comment on a line of its own.
    OwnLine(&'t str),
    /// A comment to the right of what stands before.
    Trailing(&'t str),
    /// One after another.
    Seq(Vec<Doc<'t>>),
    /// One level further in.
    Indent(Box<Doc<'t>>),
    /// On one line if that fits, with this width.
    Group(Box<Doc<'t>>, usize),
    /// On one line, whatever the width.
    Flat(Box<Doc<'t>>),
}

pub(super) fn text<'t>(text: impl Into<Cow<'t, str>>) -> Doc<'t> {
    Doc::Text(text.into())
}

pub(super) fn seq(parts: Vec<Doc<'_>>) -> Doc<'_> {
    Doc::Seq(parts)
}

pub(super) fn indent(doc: Doc<'_>) -> Doc<'_> {
    Doc::Indent(Box::new(doc))
}

pub(super) fn group(doc: Doc<'_>) -> Doc<'_> {
    Doc::Group(Box::new(doc), WIDTH)
}

pub(super) fn short(doc: Doc<'_>) -> Doc<'_> {
    Doc::Group(Box::new(doc), SHORT)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Flat,
    Broken,
}

type Job<'d, 't> = (usize, Mode, &'d Doc<'t>);

/// Writes a document.
pub(super) fn print(doc: &Doc<'_>) -> String {
    let mut out = Output { text: String::new(), column: 0, breaks: 0, indent: 0, space: false };
    let mut jobs: Vec<Job<'_, '_>> = vec![(0, Mode::Broken, doc)];
    while let Some((level, mode, doc)) = jobs.pop() {
        match doc {
            Doc::Text(text) => out.write(text, level),
            Doc::Line if mode == Mode::Flat => out.space = true,
            Doc::Soft if mode == Mode::Flat => {}
            Doc::Line | Doc::Soft | Doc::Hard => out.line(level),
            Doc::Blank => {
                out.line(level);
                out.breaks = out.breaks.max(2);
            }
            Doc::IfBroken(text) if mode == Mode::Broken => out.write(text, level),
            Doc::IfBroken(_) => {}
            Doc::OwnLine(comment) => {
                out.line(level);
                out.write(comment, level);
                out.line(level);
            }
            Doc::Trailing(comment) => {
                let breaks = std::mem::take(&mut out.breaks);
                out.space = !out.text.is_empty();
                out.write(comment, level);
                out.line(level);
                out.breaks = out.breaks.max(breaks);
            }
            Doc::Seq(parts) => jobs.extend(parts.iter().rev().map(|part| (level, mode, part))),
            Doc::Indent(inner) => jobs.push((level + 1, mode, inner)),
            Doc::Flat(inner) => jobs.push((level, Mode::Flat, inner)),
            Doc::Group(inner, width) => {
                let flat = mode == Mode::Flat || fits(out.start_column(level), *width, inner, &jobs);
                jobs.push((level, if flat { Mode::Flat } else { Mode::Broken }, inner));
            }
        }
    }
    out.text.push('\n');
    out.text
}

/// Whether a group on one line, and what follows up to the next possible break, ends within the width.
fn fits(start: usize, width: usize, doc: &Doc<'_>, rest: &[Job<'_, '_>]) -> bool {
    let mut column = start;
    let mut jobs: Vec<(Mode, &Doc<'_>)> = vec![(Mode::Flat, doc)];
    let mut rest = rest.iter().rev();
    let mut inside = true;
    loop {
        let (mode, doc) = match jobs.pop() {
            Some(job) => job,
            None => match rest.next() {
                Some((_, mode, doc)) => {
                    inside = false;
                    (*mode, *doc)
                }
                None => return true,
            },
        };
        match doc {
            Doc::Text(text) => match text.split_once('\n') {
                Some((first, _)) => return column + first.chars().count() <= width,
                None => column += text.chars().count(),
            },
            Doc::Line if mode == Mode::Flat => column += 1,
            Doc::Soft if mode == Mode::Flat => {}
            Doc::Line | Doc::Soft => return true,
            Doc::Hard | Doc::Blank | Doc::OwnLine(_) | Doc::Trailing(_) => return !inside,
            Doc::IfBroken(text) if mode == Mode::Broken => column += text.len(),
            Doc::IfBroken(_) => {}
            Doc::Seq(parts) => jobs.extend(parts.iter().rev().map(|part| (mode, part))),
            Doc::Indent(inner) => jobs.push((mode, inner)),
            Doc::Flat(inner) => jobs.push((Mode::Flat, inner)),
            // A group that follows may still break, so only what stands before its first break counts.
            Doc::Group(inner, _) => jobs.push((if inside { mode } else { Mode::Broken }, inner)),
        }
        if column > width {
            return false;
        }
    }
}

struct Output {
    text: String,
    column: usize,
    /// Line breaks that are due before the next text: one, or two for an empty line.
    breaks: usize,
    /// How far in the next line begins.
    indent: usize,
    /// Whether a blank is due before the next text on this line.
    space: bool,
}

impl Output {
    fn line(&mut self, level: usize) {
        self.breaks = self.breaks.max(1);
        self.indent = level;
        self.space = false;
    }

    fn start_column(&self, level: usize) -> usize {
        if self.breaks > 0 { level * 4 } else { self.column + usize::from(self.space) }
    }

    fn write(&mut self, text: &str, level: usize) {
        if text.is_empty() {
            return;
        }
        if self.breaks > 0 && !self.text.is_empty() {
            // No empty line right behind an opening bracket.
            let opened = self.text.ends_with(['{', '(', '[']);
            let closes = text.starts_with(['}', ')', ']']);
            let breaks = if opened || closes { 1 } else { self.breaks };
            (0..breaks).for_each(|_| self.text.push('\n'));
            (0..level).for_each(|_| self.text.push_str("    "));
            self.column = level * 4;
        } else if self.space {
            self.text.push(' ');
            self.column += 1;
        }
        self.breaks = 0;
        self.space = false;
        self.text.push_str(text);
        match text.rsplit_once('\n') {
            Some((_, last)) => self.column = last.chars().count(),
            None => self.column += text.chars().count(),
        }
    }
}
