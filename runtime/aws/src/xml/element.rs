//! Elements as the SDK's `ShapeDeserializer`: restXml, and the answers of awsQuery and ec2Query.
//!
//! One pass: what nobody asks for is passed, what is asked for is read where it stands. Only what stands behind the first
//! of a flattened list and is no part of it is gone through again. Elements of a wrapped list or map may bear any name, as
//! the SDK's own reader has it. This module does *not* say whether a document is whole; see `document`.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use aws_smithy_schema::serde::{SerdeError, ShapeDeserializer};
use aws_smithy_schema::traits::TimestampFormat as Wire;
use aws_smithy_schema::{Schema, ShapeType};
use aws_smithy_types::date_time::Format;
use aws_smithy_types::{BigDecimal, BigInteger, Blob, DateTime, Document as Free};
use quick_xml::XmlVersion;

use super::document::{Document, Place, Start, wrong};
use super::names::{self, NAMES};

/// An element that can be read once, or an attribute's text.
pub(crate) struct Element<'d, 'a> {
    document: &'d mut Document<'a>,
    what: What<'d, 'a>,
}

enum What<'d, 'a> {
    /// The root, which is not open yet.
    Root,
    /// An element that is open.
    Open(Start<'a>),
    /// The first of a flattened list or map; what follows it in its parent belongs to it as well.
    First(Start<'a>, &'d mut Siblings<'a>),
    /// The value of an attribute.
    Attribute(Cow<'a, str>),
    /// Read already.
    Gone,
}

/// What a flattened list or map has passed on its way to the end of the structure that it is a member of.
#[derive(Default)]
struct Siblings<'a> {
    passed: Vec<(Start<'a>, Place)>,
    /// Whether the structure has ended.
    ended: bool,
}

type OnMember<'f> = &'f mut dyn FnMut(&Schema<'_>, &mut dyn ShapeDeserializer) -> Result<(), SerdeError>;

impl<'d, 'a> Element<'d, 'a> {
    /// The root of a document.
    pub(crate) fn root(document: &'d mut Document<'a>) -> Element<'d, 'a> {
        Element { document, what: What::Root }
    }

    /// An element that was opened.
    pub(crate) fn open(document: &'d mut Document<'a>, start: Start<'a>) -> Element<'d, 'a> {
        Element { document, what: What::Open(start) }
    }

    /// Takes the element to read it.
    fn take(&mut self) -> Result<What<'d, 'a>, SerdeError> {
        match std::mem::replace(&mut self.what, What::Gone) {
            What::Root => Ok(What::Open(self.document.root()?)),
            What::Gone => Err(wrong("an element is read twice")),
            what => Ok(what),
        }
    }

    /// Passes the element where nobody has read it.
    fn close(mut self) -> Result<(), SerdeError> {
        self.skip_value()
    }

    fn text(&mut self) -> Result<Cow<'a, str>, SerdeError> {
        match self.take()? {
            What::Attribute(text) => Ok(text),
            _ => self.document.text(),
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self) -> Result<T, SerdeError> {
        self.text()?.parse().map_err(|e: T::Err| SerdeError::custom(e.to_string()))
    }

    fn float<T: FromStr<Err: Display>>(&mut self, special: [T; 3]) -> Result<T, SerdeError> {
        let [nan, infinity, negative] = special;
        match &*self.text()? {
            "NaN" => Ok(nan),
            "Infinity" => Ok(infinity),
            "-Infinity" => Ok(negative),
            text => text.parse().map_err(|e: T::Err| SerdeError::custom(e.to_string())),
        }
    }

    fn attributes(&mut self, start: Start<'a>, schema: &Schema<'_>, consumer: OnMember<'_>) -> Result<(), SerdeError> {
        let with = start.with_attributes();
        for member in schema.members().iter().filter(|m| m.xml_attribute()) {
            let name = names::wire(member).unwrap_or_default();
            let mut attributes = with.attributes().filter_map(Result::ok);
            let Some(found) = attributes.find(|a| a.key.local_name().into_inner() == name) else { continue };
            let value = found
                .normalized_value(XmlVersion::Explicit1_0)
                .map_err(|_| wrong("an attribute is not well formed"))?;
            let what = What::Attribute(Cow::Owned(value.into_owned()));
            consumer(member, &mut Element { document: &mut *self.document, what })?;
        }
        Ok(())
    }

    /// Reads the children of a structure up to its end.
    fn members(&mut self, schema: &Schema<'_>, consumer: OnMember<'_>) -> Result<(), SerdeError> {
        let names = schema.extension(&NAMES);
        let mut siblings = Siblings::default();
        while !siblings.ended
            && let Some(start) = self.document.child()?
        {
            match names.of(schema, start) {
                None => self.document.skip()?,
                Some(member) => one(self.document, start, member, &mut siblings, consumer)?,
            }
        }
        self.passed(schema, siblings.passed, consumer)
    }

    /// Reads what flattened lists have passed, one flattened list or one other member after the other.
    fn passed(
        &mut self,
        schema: &Schema<'_>,
        mut passed: Vec<(Start<'a>, Place)>,
        consumer: OnMember<'_>,
    ) -> Result<(), SerdeError> {
        let names = schema.extension(&NAMES);
        // From behind, so that what is done can be taken off the end.
        passed.reverse();
        while let Some((start, place)) = passed.pop() {
            let Some(member) = names.of(schema, start) else { continue };
            let end = if is_flat(member) { passed.first().map_or(place.end, |(_, last)| last.end) } else { place.end };
            let mut document = self.document.again(place.start..end);
            let mut siblings = Siblings::default();
            let Some(start) = document.child()? else { continue };
            if is_flat(member) {
                passed.retain(|(other, _)| other.local() != start.local());
            }
            one(&mut document, start, member, &mut siblings, consumer)?;
        }
        Ok(())
    }

    /// Goes through the elements of a list or the entries of a map.
    fn each(
        &mut self,
        act: &mut dyn FnMut(&mut Document<'a>, Start<'a>) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        match self.take()? {
            What::First(first, siblings) => {
                act(self.document, first)?;
                while let Some(start) = self.document.child()? {
                    if start.local() == first.local() {
                        act(self.document, start)?;
                    } else {
                        let place = self.document.pass(start)?;
                        siblings.passed.push((start, place));
                    }
                }
                siblings.ended = true;
                Ok(())
            }
            What::Attribute(_) => Err(wrong("a text stands where an element should")),
            _ => {
                while let Some(start) = self.document.child()? {
                    act(self.document, start)?;
                }
                Ok(())
            }
        }
    }
}

/// Hands one child of a structure to whoever reads it.
#[inline]
fn one<'a>(
    document: &mut Document<'a>,
    start: Start<'a>,
    member: &Schema<'_>,
    siblings: &mut Siblings<'a>,
    consumer: OnMember<'_>,
) -> Result<(), SerdeError> {
    let what = if is_flat(member) { What::First(start, siblings) } else { What::Open(start) };
    let mut element = Element { document, what };
    consumer(member, &mut element)?;
    element.close()
}

/// Whether the elements of this list or map are children of the structure itself.
fn is_flat(member: &Schema<'_>) -> bool {
    member.xml_flattened() && matches!(member.shape_type(), ShapeType::List | ShapeType::Map)
}

/// One entry of a map; without a key or a value it is none.
fn entry<'a>(
    document: &mut Document<'a>,
    (key_name, value_name): (&str, &str),
    consumer: &mut dyn FnMut(String, &mut dyn ShapeDeserializer) -> Result<(), SerdeError>,
) -> Result<(), SerdeError> {
    let mut key: Option<String> = None;
    // A value that stands before its key.
    let mut early: Option<Place> = None;
    while let Some(start) = document.child()? {
        if start.local() == key_name.as_bytes() {
            key = Some(document.text()?.into_owned());
        } else if start.local() != value_name.as_bytes() {
            document.skip()?;
        } else if let Some(key) = key.take() {
            let mut element = Element::open(document, start);
            consumer(key, &mut element)?;
            element.close()?;
        } else {
            early = Some(document.pass(start)?);
        }
    }
    let (Some(key), Some(place)) = (key, early) else { return Ok(()) };
    let mut document = document.again(place);
    let Some(start) = document.child()? else { return Ok(()) };
    consumer(key, &mut Element::open(&mut document, start))
}

impl ShapeDeserializer for Element<'_, '_> {
    fn read_struct(&mut self, schema: &Schema<'_>, consumer: OnMember<'_>) -> Result<(), SerdeError> {
        match self.take()? {
            What::Attribute(_) => Err(wrong("a text stands where an element should")),
            What::Open(start) | What::First(start, _) => {
                if schema.extension(&NAMES).attributes {
                    self.attributes(start, schema, consumer)?;
                }
                self.members(schema, consumer)
            }
            What::Root | What::Gone => Err(wrong("an element is read twice")),
        }
    }

    fn read_list(
        &mut self,
        _schema: &Schema<'_>,
        consumer: &mut dyn FnMut(&mut dyn ShapeDeserializer) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        self.each(&mut |document, start| {
            let mut element = Element::open(document, start);
            consumer(&mut element)?;
            element.close()
        })
    }

    fn read_map(
        &mut self,
        schema: &Schema<'_>,
        consumer: &mut dyn FnMut(String, &mut dyn ShapeDeserializer) -> Result<(), SerdeError>,
    ) -> Result<(), SerdeError> {
        let named = |of: Option<&Schema<'_>>, default: &str| {
            of.and_then(|s| s.xml_name()).map_or(default.to_owned(), |name| name.value().to_owned())
        };
        let (key, value) = (named(schema.key(), "key"), named(schema.member(), "value"));
        self.each(&mut |document, _| entry(document, (&key, &value), consumer))
    }

    fn read_boolean(&mut self, _schema: &Schema<'_>) -> Result<bool, SerdeError> {
        self.parsed()
    }

    fn read_byte(&mut self, _schema: &Schema<'_>) -> Result<i8, SerdeError> {
        self.parsed()
    }

    fn read_short(&mut self, _schema: &Schema<'_>) -> Result<i16, SerdeError> {
        self.parsed()
    }

    fn read_integer(&mut self, _schema: &Schema<'_>) -> Result<i32, SerdeError> {
        self.parsed()
    }

    fn read_long(&mut self, _schema: &Schema<'_>) -> Result<i64, SerdeError> {
        self.parsed()
    }

    fn read_float(&mut self, _schema: &Schema<'_>) -> Result<f32, SerdeError> {
        self.float([f32::NAN, f32::INFINITY, f32::NEG_INFINITY])
    }

    fn read_double(&mut self, _schema: &Schema<'_>) -> Result<f64, SerdeError> {
        self.float([f64::NAN, f64::INFINITY, f64::NEG_INFINITY])
    }

    fn read_big_integer(&mut self, _schema: &Schema<'_>) -> Result<BigInteger, SerdeError> {
        self.parsed()
    }

    fn read_big_decimal(&mut self, _schema: &Schema<'_>) -> Result<BigDecimal, SerdeError> {
        self.parsed()
    }

    fn read_string(&mut self, _schema: &Schema<'_>) -> Result<String, SerdeError> {
        Ok(self.text()?.into_owned())
    }

    fn read_blob(&mut self, _schema: &Schema<'_>) -> Result<Blob, SerdeError> {
        let bytes = aws_smithy_types::base64::decode(&*self.text()?);
        bytes.map(Blob::new).map_err(|e| SerdeError::custom(e.to_string()))
    }

    fn read_timestamp(&mut self, schema: &Schema<'_>) -> Result<DateTime, SerdeError> {
        let format = match schema.timestamp_format().map(|t| t.format()) {
            None | Some(Wire::DateTime) => Format::DateTimeWithOffset,
            Some(Wire::EpochSeconds) => Format::EpochSeconds,
            Some(Wire::HttpDate) => Format::HttpDate,
            Some(_) => return Err(SerdeError::unsupported("a format of time".to_owned())),
        };
        DateTime::from_str(&self.text()?, format).map_err(|e| SerdeError::custom(e.to_string()))
    }

    fn read_document(&mut self, _schema: &Schema<'_>) -> Result<Free, SerdeError> {
        Err(SerdeError::unsupported("XML has no free documents".to_owned()))
    }

    fn is_null(&self) -> bool {
        // What is absent has no element.
        false
    }

    fn skip_value(&mut self) -> Result<(), SerdeError> {
        match std::mem::replace(&mut self.what, What::Gone) {
            What::Attribute(_) | What::Gone => Ok(()),
            What::Root => {
                self.document.root()?;
                self.document.skip()
            }
            What::Open(_) | What::First(..) => self.document.skip(),
        }
    }

    fn container_size(&self) -> Option<usize> {
        None
    }
}
