//! Answers to values by the shapes of the catalogue, keeping only what the program reads.
//!
//! What is not in the projection is skipped while it is parsed, and a sensitive member is a secret, or not kept at all.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use escher_catalog::{Member, Record as Operation, Shape, ShapeKind};
use escher_ir::program::Projection;
use escher_ir::secret::Secret;
use escher_ir::{Record, Target, Value};
use jiff::civil;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Reads the answers of one operation.
pub(crate) struct Reader<'a> {
    record: &'a Operation,
    target: Option<&'a Arc<Target>>,
    /// For each shape: its members by the names they have on the wire.
    members: Vec<OnceCell<HashMap<&'a str, &'a Member>>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(record: &'a Operation, target: Option<&'a Arc<Target>>) -> Reader<'a> {
        let members = std::iter::repeat_with(OnceCell::new).take(record.shapes.len()).collect();
        Reader { record, target, members }
    }

    /// What is wanted of an answer; of one without a body, the empty output.
    pub(crate) fn output(&self, body: &[u8], wanted: &Projection) -> Result<Value, serde_json::Error> {
        let Some((id, shape)) = self.record.operation.output.and_then(|id| Some((id, self.record.shape(id)?))) else {
            return Ok(Value::None);
        };
        if body.trim_ascii().is_empty() {
            return Ok(match &shape.kind {
                ShapeKind::Structure(_) | ShapeKind::Union(_) => self.finished(shape, BTreeMap::new(), wanted),
                ShapeKind::List { .. } => Value::list(Vec::new()),
                ShapeKind::Map { .. } => Value::Map(Arc::default()),
                _ => Value::None,
            });
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let value = Seed { reader: self, place: Some((id, shape)), wanted }.deserialize(&mut json)?;
        json.end()?;
        // A text or a list where an object is said to be is an answer of something else.
        match (&shape.kind, &value) {
            (ShapeKind::Structure(_), Value::Record(_)) | (ShapeKind::List { .. }, Value::List(_)) => Ok(value),
            (ShapeKind::Structure(_) | ShapeKind::List { .. }, _) => {
                Err(serde_json::Error::custom("it isn't an answer of this operation"))
            }
            _ => Ok(value),
        }
    }

    fn member(&self, id: u32, shape: &'a Shape, wire: &str) -> Option<&'a Member> {
        let known = self.members.get(id as usize)?.get_or_init(|| {
            let (ShapeKind::Structure(members) | ShapeKind::Union(members)) = &shape.kind else {
                return HashMap::new();
            };
            members.iter().map(|m| (m.wire_name.as_deref().unwrap_or(&m.official), m)).collect()
        });
        known.get(wire).copied()
    }

    /// What is wanted of a member; none where nothing is, or where it may not be kept.
    fn wants<'p>(&self, member: &Member, inner: &Shape, wanted: &'p Projection) -> Option<&'p Projection> {
        let secret = |id: u32| self.record.shape(id).is_none_or(|shape| shape.sensitive);
        let hidden = match &inner.kind {
            ShapeKind::List { item: id, .. } | ShapeKind::Map { value: id, .. } => inner.sensitive || secret(*id),
            ShapeKind::String { .. } | ShapeKind::Blob => false,
            _ => inner.sensitive,
        };
        if hidden { None } else { wanted.member(&member.name) }
    }

    /// A record of these members; lists and maps that are wanted and not there are empty.
    fn finished(&self, shape: &Shape, mut members: BTreeMap<Arc<str>, Value>, wanted: &Projection) -> Value {
        if let ShapeKind::Structure(all) = &shape.kind {
            for member in all {
                let Some(inner) = self.record.shape(member.shape) else { continue };
                let empty = match &inner.kind {
                    ShapeKind::List { .. } => Value::list(Vec::new()),
                    ShapeKind::Map { .. } => Value::Map(Arc::default()),
                    _ => continue,
                };
                if self.wants(member, inner, wanted).is_some() {
                    members.entry(Arc::clone(&member.name)).or_insert(empty);
                }
            }
        }
        let service = &self.record.service;
        let name =
            (!shape.name.is_empty()).then(|| Arc::from(format!("{}.{}.{}", service.cloud, service.name, shape.name)));
        Value::Record(Arc::new(Record {
            shape: name,
            target: self.target.cloned(),
            members: members.into_iter().collect(),
        }))
    }
}

/// One value, as its shape has it; without a place any JSON.
#[derive(Clone, Copy)]
struct Seed<'r, 'a> {
    reader: &'r Reader<'a>,
    place: Option<(u32, &'a Shape)>,
    wanted: &'r Projection,
}

impl<'a> Seed<'_, 'a> {
    fn kind(&self) -> Option<&'a ShapeKind> {
        self.place.map(|(_, shape)| &shape.kind)
    }

    fn at(self, id: u32) -> Self {
        let place = self.reader.record.shape(id).map(|shape| (id, shape));
        Seed { place: place.filter(|(_, shape)| shape.kind != ShapeKind::Document), ..self }
    }

    fn mismatch<E: Error>(&self, what: &str) -> E {
        let name = self.place.map_or("", |(_, shape)| &*shape.name);
        E::custom(format!("{what} stands where the model has something else ({name})"))
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the model of the API says")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        match self.kind() {
            None | Some(ShapeKind::Boolean | ShapeKind::Document) => Ok(Value::Bool(value)),
            Some(ShapeKind::String { .. }) => Ok(Value::text(value.to_string())),
            Some(_) => Err(self.mismatch("a truth value")),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(match self.kind() {
            None | Some(ShapeKind::Integer | ShapeKind::Long | ShapeKind::Document) => Value::Int(value),
            #[allow(clippy::cast_precision_loss, reason = "the model says that it is a float")]
            Some(ShapeKind::Float | ShapeKind::Double) => Value::Float(value as f64),
            Some(ShapeKind::String { .. }) => Value::text(value.to_string()),
            Some(ShapeKind::Timestamp) => jiff::Timestamp::from_second(value).map_or(Value::None, Value::Instant),
            Some(_) => return Err(self.mismatch("a number")),
        })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            #[allow(clippy::cast_precision_loss, reason = "beyond 63 bits a float is what is left")]
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // A whole number may be written with a point.
        #[allow(clippy::cast_possible_truncation, reason = "only where it is whole and in range")]
        let whole = (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
        match (self.kind(), whole) {
            (None | Some(ShapeKind::Float | ShapeKind::Double | ShapeKind::Document), _) => {
                Ok(if value.is_finite() { Value::Float(value) } else { Value::None })
            }
            (Some(ShapeKind::Integer | ShapeKind::Long), Some(whole)) => Ok(Value::Int(whole)),
            (Some(ShapeKind::String { .. }), _) => Ok(Value::text(value.to_string())),
            (Some(_), _) => Err(self.mismatch("a number")),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(match self.kind() {
            None | Some(ShapeKind::String { .. } | ShapeKind::Document) => Value::text(text),
            Some(ShapeKind::Integer | ShapeKind::Long) => {
                Value::Int(text.parse().map_err(|_| self.mismatch("a text"))?)
            }
            Some(ShapeKind::Float | ShapeKind::Double) => {
                let number: f64 = text.parse().map_err(|_| self.mismatch("a text"))?;
                // The language has no NaN and no infinity: there they are absent.
                if number.is_finite() { Value::Float(number) } else { Value::None }
            }
            Some(ShapeKind::Boolean) => match text {
                "true" | "True" => Value::Bool(true),
                "false" | "False" => Value::Bool(false),
                _ => return Err(self.mismatch("a text")),
            },
            Some(ShapeKind::Timestamp) => instant(text),
            Some(ShapeKind::Blob) => {
                let bytes = BASE64_STANDARD.decode(text).or_else(|_| BASE64_URL_SAFE.decode(text));
                Value::Bytes(Arc::from(bytes.map_err(|_| self.mismatch("a text"))?))
            }
            Some(_) => return Err(self.mismatch("a text")),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let item = match self.kind() {
            None | Some(ShapeKind::Document) => self,
            Some(ShapeKind::List { item, .. }) => self.at(*item),
            Some(_) => return Err(self.mismatch("a list")),
        };
        let mut items = Vec::new();
        while let Some(value) = from.next_element_seed(item)? {
            items.push(value);
        }
        Ok(Value::list(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let inner = match self.place {
            Some((id, shape)) if matches!(shape.kind, ShapeKind::Structure(_) | ShapeKind::Union(_)) => {
                return self.structure(id, shape, from);
            }
            None => self,
            Some((_, shape)) => match &shape.kind {
                ShapeKind::Document => self,
                ShapeKind::Map { value, .. } => self.at(*value),
                _ => return Err(self.mismatch("an object")),
            },
        };
        let mut map = BTreeMap::new();
        while let Some(key) = from.next_key::<String>()? {
            map.insert(Arc::from(key), from.next_value_seed(inner)?);
        }
        Ok(Value::Map(Arc::new(map)))
    }
}

impl<'a> Seed<'_, 'a> {
    fn structure<'de, A: MapAccess<'de>>(self, id: u32, shape: &'a Shape, mut from: A) -> Result<Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(key) = from.next_key::<std::borrow::Cow<'_, str>>()? {
            let member = self.reader.member(id, shape, &key);
            let wanted = member.and_then(|member| {
                let inner = self.reader.record.shape(member.shape)?;
                Some((member, self.reader.wants(member, inner, self.wanted)?))
            });
            match wanted {
                Some((member, wanted)) => {
                    let seed = Seed { wanted, ..self.at(member.shape) };
                    let value = from.next_value_seed(seed)?;
                    let sensitive = self.reader.record.shape(member.shape).is_none_or(|shape| shape.sensitive);
                    let value = if sensitive { Secret::of_answer(&value) } else { Some(value) };
                    if let Some(value) = value.filter(|value| *value != Value::None) {
                        members.insert(Arc::clone(&member.name), value);
                    }
                }
                None => {
                    from.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(self.reader.finished(shape, members, self.wanted))
    }
}

/// An instant; Azure leaves the zone out here and there, and means UTC. None where it lies outside of what the language knows.
fn instant(text: &str) -> Value {
    let zoned = text.parse::<jiff::Timestamp>().ok();
    let plain = || text.parse::<civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp());
    zoned.or_else(plain).map_or(Value::None, Value::Instant)
}
