//! Answers to values, keeping only what the program reads.
//!
//! What is not in the projection is skipped on the wire, and a sensitive member is a secret, or not kept at all. This module does *not* know
//! any wire format: a `ShapeDeserializer` of the protocol hands out the members.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_schema::Schema;
use aws_smithy_schema::serde::{SerdeError, ShapeDeserializer};
use aws_smithy_types::{DateTime, Document, Number};
use escher_catalog::ShapeKind;
use escher_catalog::model::TagNames;
use escher_ir::program::Projection;
use escher_ir::secret::Secret;
use escher_ir::{Record, Target, Value};

use crate::choice::{Choice, Choices, Chosen};
use crate::schema::{Node, Plan, Way};
use crate::texts::Texts;

/// Nesting beyond this is an attack, not an answer.
const MAX_DEPTH: u32 = 100;

/// In whose words the answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// The language's: snake case, tags as maps, absent lists as empty ones, what is sensitive as a secret.
    Language,
    /// The API's own, exactly as sent: for waiters and page tokens, whose paths are written in them. Never leaves the crate.
    Official,
}

/// A reading of one answer.
pub(crate) struct Reader<'a> {
    /// The operation.
    pub(crate) plan: &'static Plan,
    words: Words,
    /// Where it was read, for the records of the language.
    target: Option<&'a Arc<Target>>,
    /// What is kept of the structures that were met.
    choices: Choices<'a>,
    texts: Texts,
    /// What is noted beside the value.
    noting: Option<Noting>,
}

/// Texts and numbers at the top that are noted as they were sent, while the answer is read.
#[derive(Default)]
struct Noting {
    names: Vec<Arc<str>>,
    found: RefCell<BTreeMap<Arc<str>, Value>>,
}

impl<'a> Reader<'a> {
    /// A reading in these words; the records of the language know where they were read.
    pub(crate) fn new(plan: &'static Plan, words: Words, target: Option<&'a Arc<Target>>) -> Reader<'a> {
        Reader { plan, words, target, choices: Choices::default(), texts: Texts::default(), noting: None }
    }

    /// Notes what these members at the top hold. Of use where each is a text or a number that is no secret; else
    /// nothing is noted.
    pub(crate) fn noting(mut self, beside: &Projection) -> Reader<'a> {
        let (Some(output), Projection::Members(wanted)) = (self.plan.output(), beside) else { return self };
        let members = output.members.iter().filter(|(m, _)| wanted.contains_key(&*m.official));
        let mut names = Vec::new();
        for (member, _) in members {
            let plain = self.plan.node(Way::Out, member.shape).is_some_and(|node| {
                let kind = &node.shape.kind;
                let scalar = matches!(
                    kind,
                    ShapeKind::String { .. } | ShapeKind::Integer | ShapeKind::Long | ShapeKind::Boolean
                );
                scalar && !node.shape.sensitive
            });
            if !plain {
                return self;
            }
            names.push(Arc::clone(&member.official));
        }
        self.noting = Some(Noting { names, found: RefCell::default() });
        self
    }

    /// What was noted, in the API's own words; none where that can't be.
    pub(crate) fn noted(&self) -> Option<Value> {
        let noting = self.noting.as_ref()?;
        Some(Value::Record(Arc::new(Record::of(noting.found.take()))))
    }

    /// The output structure; `none` where the operation gives nothing.
    pub(crate) fn output(&self, from: &mut dyn ShapeDeserializer, wanted: &'a Projection) -> Result<Value, SerdeError> {
        let Some(node) = self.plan.output() else { return Ok(Value::None) };
        let choice = Choice::of(self.plan, self.words, node, wanted, self.noting.as_ref().map(|n| &*n.names));
        self.structure(from, node, &choice, 0)
    }

    /// The output of an answer without a body.
    pub(crate) fn empty(&self, wanted: &'a Projection) -> Value {
        let Some(node) = self.plan.output() else { return Value::None };
        self.record(node, &self.choices.of(self.plan, self.words, node, wanted), Vec::new())
    }

    fn read(
        &self,
        from: &mut dyn ShapeDeserializer,
        schema: &Schema<'_>,
        node: &'static Node,
        wanted: &'a Projection,
        depth: u32,
    ) -> Result<Value, SerdeError> {
        if from.is_null() {
            from.read_null()?;
            return Ok(Value::None);
        }
        if depth > MAX_DEPTH {
            return Err(SerdeError::custom("the answer is nested too deeply"));
        }
        Ok(match &node.shape.kind {
            ShapeKind::Structure(_) | ShapeKind::Union(_) => {
                let choice = self.choices.of(self.plan, self.words, node, wanted);
                return self.structure(from, node, &choice, depth);
            }
            ShapeKind::List { .. } => {
                let (inner, element) = self.element(node)?;
                let mut items = Vec::new();
                from.read_list(schema, &mut |from| {
                    items.push(self.read(from, element, inner, wanted, depth + 1)?);
                    Ok(())
                })?;
                Value::list(items)
            }
            ShapeKind::Map { .. } => {
                let (inner, element) = self.element(node)?;
                let mut map = BTreeMap::new();
                from.read_map(schema, &mut |key, from| {
                    map.insert(self.texts.shared(&key), self.read(from, element, inner, wanted, depth + 1)?);
                    Ok(())
                })?;
                Value::Map(Arc::new(map))
            }
            ShapeKind::String { .. } => Value::String(self.texts.shared(&from.read_string(schema)?)),
            // The status is read as the number that it is.
            ShapeKind::Integer if schema.http_response_code().is_some() => {
                Value::Int(from.read_integer(schema)?.into())
            }
            // More bits than the model promises do no harm.
            ShapeKind::Integer | ShapeKind::Long => Value::Int(from.read_long(schema)?),
            ShapeKind::Boolean => Value::Bool(from.read_boolean(schema)?),
            ShapeKind::Timestamp => time(&from.read_timestamp(schema)?),
            ShapeKind::Double => self.float(from.read_double(schema)?),
            ShapeKind::Float => {
                let single = from.read_float(schema)?;
                // By way of text, so that 0.1 stays 0.1.
                self.float(single.to_string().parse().unwrap_or_else(|_| f64::from(single)))
            }
            ShapeKind::Blob => Value::Bytes(Arc::from(from.read_blob(schema)?.into_inner())),
            ShapeKind::Document => document(from.read_document(schema)?, 0)?,
        })
    }

    fn element(&self, node: &'static Node) -> Result<(&'static Node, &'static Schema<'static>), SerdeError> {
        let (id, schema) = node.element.as_ref().ok_or_else(damaged)?;
        Ok((self.plan.node(Way::Out, *id).ok_or_else(damaged)?, schema))
    }

    fn structure(
        &self,
        from: &mut dyn ShapeDeserializer,
        node: &'static Node,
        choice: &Choice<'a>,
        depth: u32,
    ) -> Result<Value, SerdeError> {
        let mut values = vec![Value::None; choice.names.len()];
        from.read_struct(node.schema, &mut |schema, from| {
            let chosen = schema.member_index().and_then(|at| choice.members.get(at)).and_then(Option::as_ref);
            let Some(Chosen { schema, inner, tags, kept, noted }) = chosen else { return from.skip_value() };
            if let Some(name) = noted {
                let value = self.read(from, schema, inner, &Projection::All, depth + 1)?;
                if let (Some((_, at)), false) = (kept, value == Value::None)
                    && let Some(place) = values.get_mut(*at)
                {
                    *place = value.clone();
                }
                self.note(name, value);
                return Ok(());
            }
            let Some((wanted, at)) = kept else { return from.skip_value() };
            let value = match tags {
                Some(names) => self.tags(from, schema, inner, names, depth + 1)?,
                None => self.read(from, schema, inner, wanted, depth + 1)?,
            };
            let secret = self.words == Words::Language && inner.shape.sensitive;
            let value = if secret { Secret::of_answer(&value).unwrap_or(Value::None) } else { value };
            if let (Some(place), false) = (values.get_mut(*at), value == Value::None) {
                *place = value;
            }
            Ok(())
        })?;
        Ok(self.record(node, choice, values))
    }

    fn note(&self, name: &Arc<str>, value: Value) {
        if let (Some(noting), false) = (&self.noting, value == Value::None) {
            noting.found.borrow_mut().insert(Arc::clone(name), value);
        }
    }

    /// A record of these values, which stand as their names do.
    fn record(&self, node: &Node, choice: &Choice<'_>, values: Vec<Value>) -> Value {
        let found = values.into_iter().chain(std::iter::repeat(Value::None));
        let members = choice.names.iter().zip(found).filter_map(|((name, absent), value)| {
            let value = if value == Value::None { absent.clone() } else { value };
            (value != Value::None).then(|| (Arc::clone(name), value))
        });
        let members = members.collect();
        let language = self.words == Words::Language;
        Value::Record(Arc::new(Record {
            shape: (language && !node.name.is_empty()).then(|| Arc::clone(&node.name)),
            target: self.target.filter(|_| language).cloned(),
            members,
        }))
    }

    /// A list of key/value pairs as a map; a pair without a value has the empty text.
    fn tags(
        &self,
        from: &mut dyn ShapeDeserializer,
        schema: &Schema<'_>,
        node: &'static Node,
        names: &TagNames,
        depth: u32,
    ) -> Result<Value, SerdeError> {
        let (pair, _) = self.element(node)?;
        let plain = Reader::new(self.plan, Words::Official, None);
        let mut map = BTreeMap::new();
        from.read_list(schema, &mut |from| {
            if from.is_null() {
                return from.read_null();
            }
            let (mut key, mut value) = (None, None);
            from.read_struct(pair.schema, &mut |schema, from| {
                let at = schema.member_index().and_then(|at| pair.members.get(at));
                let Some((member, schema)) = at else { return from.skip_value() };
                let place = match () {
                    () if member.official == names.key => &mut key,
                    () if member.official == names.value => &mut value,
                    () => return from.skip_value(),
                };
                let inner = self.plan.node(Way::Out, member.shape).ok_or_else(damaged)?;
                let found = match inner.shape.kind {
                    ShapeKind::String { .. } if !from.is_null() => {
                        Value::String(self.texts.shared(&from.read_string(schema)?))
                    }
                    _ => plain.read(from, schema, inner, &Projection::All, depth + 1)?,
                };
                *place = Some(found).filter(|v| *v != Value::None).or(place.take());
                Ok(())
            })?;
            if let Some(Value::String(key)) = key {
                map.insert(key, value.unwrap_or_else(|| Value::text("")));
            }
            Ok(())
        })?;
        Ok(Value::Map(Arc::new(map)))
    }

    /// The language has no NaN and no infinity: there they are absent.
    fn float(&self, f: f64) -> Value {
        if f.is_finite() {
            return Value::Float(f);
        }
        match self.words {
            Words::Language => Value::None,
            Words::Official if f.is_nan() => Value::text("NaN"),
            Words::Official => Value::text(if f > 0.0 { "Infinity" } else { "-Infinity" }),
        }
    }
}

fn damaged() -> SerdeError {
    SerdeError::custom("the record of the operation is damaged")
}

/// An instant; none where it lies outside of the years that the language knows.
fn time(time: &DateTime) -> Value {
    let nanos = i32::try_from(time.subsec_nanos()).unwrap_or(0);
    jiff::Timestamp::new(time.secs(), nanos).map_or(Value::None, Value::Instant)
}

fn document(document_: Document, depth: u32) -> Result<Value, SerdeError> {
    if depth > MAX_DEPTH {
        return Err(SerdeError::custom("the answer is nested too deeply"));
    }
    Ok(match document_ {
        Document::Null => Value::None,
        Document::Bool(b) => Value::Bool(b),
        Document::String(s) => Value::String(Arc::from(s)),
        #[allow(clippy::cast_precision_loss, reason = "beyond 63 bits a float is what is left")]
        Document::Number(Number::PosInt(n)) => i64::try_from(n).map_or(Value::Float(n as f64), Value::Int),
        Document::Number(Number::NegInt(n)) => Value::Int(n),
        Document::Number(Number::Float(f)) if f.is_finite() => Value::Float(f),
        Document::Number(Number::Float(_)) => Value::None,
        Document::Array(items) => {
            Value::list(items.into_iter().map(|item| document(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        Document::Object(members) => {
            let entries = members.into_iter().map(|(k, v)| Ok((Arc::from(k), document(v, depth + 1)?)));
            Value::Map(Arc::new(entries.collect::<Result<_, SerdeError>>()?))
        }
    })
}
