//! A document that is gone through once, from its start to its end.
//!
//! Keeps nothing of what it has passed. A document is read whole or not at all: [`Document::finish`] says whether it was
//! whole, and until then nothing that it held may be believed. This module does *not* know any shape.

use std::borrow::Cow;

use aws_smithy_schema::serde::SerdeError;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

/// Deeper than any answer; shallower than any stack.
pub(super) const MAX_DEPTH: usize = 100;

/// A pass over a document, or over neighbours within one.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    body: &'a [u8],
    events: Reader<&'a [u8]>,
    /// Elements that are open.
    depth: usize,
    /// Elements that were open where this pass began.
    floor: usize,
    /// Whether the element that was opened last is empty: its end has no event of its own.
    empty: bool,
    /// Whether the root was opened, or need not be.
    started: bool,
}

/// The start of an element: what stands between `<` and `>`, or `/>`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    content: &'a [u8],
    name: usize,
}

impl<'a> Start<'a> {
    /// Its name, with the prefix where there is one.
    pub(super) fn name(self) -> &'a [u8] {
        self.content.get(..self.name).unwrap_or_default()
    }

    /// Its name without the prefix.
    pub(crate) fn local(self) -> &'a [u8] {
        let name = self.name();
        let prefix = name.iter().position(|b| *b == b':').map_or(0, |at| at + 1);
        name.get(prefix..).unwrap_or_default()
    }

    /// As the library has it, to look at its attributes.
    pub(super) fn with_attributes(self) -> BytesStart<'a> {
        BytesStart::from_content(String::from_utf8_lossy(self.content), self.name)
    }
}

/// Where an element stands in a document, with its tags.
pub(super) type Place = std::ops::Range<usize>;

impl<'a> Document<'a> {
    /// A pass over a whole document.
    pub(crate) fn new(body: &'a [u8]) -> Document<'a> {
        Document { body, events: Reader::from_reader(body), depth: 0, floor: 0, empty: false, started: false }
    }

    /// A pass over neighbours that this one has passed.
    pub(super) fn again(&self, place: Place) -> Document<'a> {
        let body = self.body.get(place).unwrap_or_default();
        Document {
            body,
            events: Reader::from_reader(body),
            depth: self.depth,
            floor: self.depth,
            empty: false,
            started: true,
        }
    }

    /// Whether anything was read.
    pub(crate) fn started(&self) -> bool {
        self.started
    }

    /// Opens the root.
    pub(crate) fn root(&mut self) -> Result<Start<'a>, SerdeError> {
        self.started = true;
        self.child()?.ok_or_else(|| wrong("it has no element"))
    }

    /// Opens the next child of the element that is open; none where that one ended, which closes it.
    pub(crate) fn child(&mut self) -> Result<Option<Start<'a>>, SerdeError> {
        if self.ended() {
            return Ok(None);
        }
        loop {
            let (length, name, empty) = match self.next()? {
                Event::Start(start) => (start.len(), start.name().into_inner().len(), false),
                Event::Empty(start) => (start.len(), start.name().into_inner().len(), true),
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(None);
                }
                Event::Eof if self.depth == self.floor => return Ok(None),
                Event::Eof => return Err(wrong("it ends too early")),
                _ => continue,
            };
            self.deeper()?;
            self.empty = empty;
            let end = self.position().saturating_sub(1 + usize::from(empty));
            let content = self.body.get(end.saturating_sub(length)..end).unwrap_or_default();
            return Ok(Some(Start { content, name }));
        }
    }

    /// The text of the element that is open, which closes it.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, SerdeError> {
        let mut text = Cow::Borrowed("");
        if self.ended() {
            return Ok(text);
        }
        loop {
            match self.next()? {
                Event::Text(more) => push(&mut text, more.into_inner()),
                Event::CData(more) => push(&mut text, more.into_inner()),
                Event::GeneralRef(entity) => push(&mut text, Cow::Owned(resolved(&entity)?)),
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(text);
                }
                Event::Start(_) | Event::Empty(_) => return Err(wrong("an element stands where a text should")),
                Event::Eof => return Err(wrong("it ends too early")),
                _ => {}
            }
        }
    }

    /// Passes what is left of the element that is open, which closes it.
    pub(crate) fn skip(&mut self) -> Result<(), SerdeError> {
        if self.ended() {
            return Ok(());
        }
        let outside = self.depth.saturating_sub(1);
        loop {
            self.pass_text()?;
            match self.next()? {
                Event::Start(_) => self.deeper()?,
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == outside {
                        return Ok(());
                    }
                }
                Event::Eof => return Err(wrong("it ends too early")),
                _ => {}
            }
        }
    }

    /// Passes a text that nobody asked for up to the next tag, without making an event of it: most of a document is such.
    fn pass_text(&mut self) -> Result<(), SerdeError> {
        let left = self.events.get_mut();
        let mut all = 0;
        let Some(length) = left.iter().position(|b| {
            all |= *b;
            *b == b'<'
        }) else {
            return Ok(());
        };
        let (text, tag) = left.split_at(length);
        if !all.is_ascii() && std::str::from_utf8(text).is_err() {
            return Err(wrong("it is not UTF-8"));
        }
        *left = tag;
        Ok(())
    }

    /// Passes the element that was just opened by this start, and says where it stands.
    pub(super) fn pass(&mut self, start: Start<'a>) -> Result<Place, SerdeError> {
        // `<`, what stands between, `>`; and `/`, where it is empty.
        let length = start.content.len() + 2 + usize::from(self.empty);
        let from = self.position().saturating_sub(length);
        self.skip()?;
        Ok(from..self.position())
    }

    /// Passes what follows the root. Only now is it sure that the document is whole.
    pub(crate) fn finish(&mut self) -> Result<(), SerdeError> {
        if self.ended() || self.depth > self.floor {
            return Err(wrong("it ends too early"));
        }
        match self.child()? {
            None if self.depth == self.floor => Ok(()),
            _ => Err(wrong("it has two roots")),
        }
    }

    // Inlined: an event is as large as what is done with most of them.
    #[inline(always)]
    fn next(&mut self) -> Result<Event<'a>, SerdeError> {
        match self.events.read_event() {
            // Entities of a document's own can grow without end; no AWS service sends any.
            Ok(Event::DocType(doctype)) if doctype.contains("!ENTITY") => Err(wrong("it declares entities")),
            Ok(event) => Ok(event),
            Err(_) => Err(wrong("it is not well formed")),
        }
    }

    fn deeper(&mut self) -> Result<(), SerdeError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(wrong("it is nested too deeply")) } else { Ok(()) }
    }

    /// Whether the element that is open is an empty one, which closes it.
    fn ended(&mut self) -> bool {
        let empty = std::mem::take(&mut self.empty);
        self.depth -= usize::from(empty && self.depth > 0);
        empty
    }

    /// How many bytes were passed; the reader's own count does not know of texts that it did not see.
    fn position(&self) -> usize {
        self.body.len() - self.events.get_ref().len()
    }
}

/// What an entity stands for: a character by its number, or one of the five that XML has.
pub(super) fn resolved(entity: &BytesRef<'_>) -> Result<String, SerdeError> {
    match entity.resolve_char_ref() {
        Ok(Some(c)) => Ok(c.to_string()),
        Ok(None) => quick_xml::escape::resolve_xml_entity(entity)
            .map(str::to_owned)
            .ok_or_else(|| wrong("it has an entity that XML does not have")),
        Err(_) => Err(wrong("it is not well formed")),
    }
}

fn push<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if text.is_empty() {
        *text = more;
    } else {
        text.to_mut().push_str(&more);
    }
}

pub(super) fn wrong(what: &str) -> SerdeError {
    SerdeError::invalid_input(what.to_owned())
}
