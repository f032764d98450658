//! Answers to values, keeping only what the program reads.
//!
//! What is not in the projection is skipped on the wire, and a sensitive member is a secret, or not kept at all. This module does *not* know
//! any wire format: a `ShapeDeserializer` of the protocol hands out the members.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_smithy_schema::Schema;
use aws_smithy_schema::serde::{SerdeError, ShapeDeserializer};
use aws_smithy_types::{DateTime, Document, Number};
use escher_catalog::model::TagNames;
use escher_catalog::{Member, ShapeKind};
use escher_ir::program::Projection;
use escher_ir::secret::Secret;
use escher_ir::{Record, Target, Value};

use crate::schema::{Node, Plan, Way};

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
    /// In whose words.
    pub(crate) words: Words,
    /// Where it was read, for the records of the language.
    pub(crate) target: Option<&'a Arc<Target>>,
}

impl Reader<'_> {
    /// The output structure; `none` where the operation gives nothing.
    pub(crate) fn output(&self, from: &mut dyn ShapeDeserializer, wanted: &Projection) -> Result<Value, SerdeError> {
        let Some(node) = self.plan.output() else { return Ok(Value::None) };
        self.structure(from, node.schema, node, wanted, 0)
    }

    /// The output of an answer without a body.
    pub(crate) fn empty(&self, wanted: &Projection) -> Value {
        let Some(node) = self.plan.output() else { return Value::None };
        self.record(node, BTreeMap::new(), wanted)
    }

    fn read(
        &self,
        from: &mut dyn ShapeDeserializer,
        schema: &Schema<'_>,
        node: &Node,
        wanted: &Projection,
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
                return self.structure(from, node.schema, node, wanted, depth);
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
                    map.insert(Arc::from(key), self.read(from, element, inner, wanted, depth + 1)?);
                    Ok(())
                })?;
                Value::Map(Arc::new(map))
            }
            ShapeKind::String { .. } => Value::String(Arc::from(from.read_string(schema)?)),
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

    fn element<'n>(&self, node: &'n Node) -> Result<(&'n Node, &'n Schema<'static>), SerdeError> {
        let (id, schema) = node.element.as_ref().ok_or_else(damaged)?;
        Ok((self.plan.node(Way::Out, *id).ok_or_else(damaged)?, schema))
    }

    fn structure(
        &self,
        from: &mut dyn ShapeDeserializer,
        schema: &Schema<'_>,
        node: &Node,
        wanted: &Projection,
        depth: u32,
    ) -> Result<Value, SerdeError> {
        let mut members: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        from.read_struct(schema, &mut |schema, from| {
            let at = schema.member_index().and_then(|at| node.members.get(at));
            let Some((member, schema)) = at else { return from.skip_value() };
            let inner = self.plan.node(Way::Out, member.shape).ok_or_else(damaged)?;
            let Some(sub) = self.wants(member, inner, wanted) else { return from.skip_value() };
            let value = match &member.tags {
                Some(names) if self.words == Words::Language => self.tags(from, schema, inner, names, depth + 1)?,
                _ => self.read(from, schema, inner, sub, depth + 1)?,
            };
            let secret = self.words == Words::Language && inner.shape.sensitive;
            if let Some(value) =
                if secret { Secret::of_answer(&value) } else { Some(value) }.filter(|v| *v != Value::None)
            {
                members.insert(Arc::clone(self.name(member)), value);
            }
            Ok(())
        })?;
        Ok(self.record(node, members, wanted))
    }

    fn name<'m>(&self, member: &'m Member) -> &'m Arc<str> {
        if self.words == Words::Language { &member.name } else { &member.official }
    }

    /// What is wanted of a member; none where nothing is, or where it may not be kept.
    fn wants<'p>(&self, member: &Member, inner: &Node, wanted: &'p Projection) -> Option<&'p Projection> {
        let scalar = matches!(inner.shape.kind, ShapeKind::String { .. } | ShapeKind::Blob);
        if self.words == Words::Language
            && ((inner.shape.sensitive && !scalar) || self.sensitive_elements(inner, member.tags.is_some()))
        {
            return None;
        }
        wanted.member(self.name(member))
    }

    /// Whether the elements of a list or map are sensitive, where the list itself does not say so.
    fn sensitive_elements(&self, node: &Node, tags: bool) -> bool {
        let element = node.element.as_ref().and_then(|(id, _)| self.plan.node(Way::Out, *id));
        // A tag whose value is sensitive is no use without it.
        element.is_some_and(|e| e.shape.sensitive || (tags && e.members.iter().any(|(_, s)| s.sensitive().is_some())))
    }

    fn record(&self, node: &Node, mut members: BTreeMap<Arc<str>, Value>, wanted: &Projection) -> Value {
        if self.words == Words::Official {
            return Value::Record(Arc::new(Record::of(members)));
        }
        if matches!(node.shape.kind, ShapeKind::Structure(_)) {
            for (member, _) in &node.members {
                let Some(inner) = self.plan.record.shape(member.shape) else { continue };
                let empty = match &inner.kind {
                    ShapeKind::List { .. } if member.tags.is_none() => Value::list(Vec::new()),
                    ShapeKind::List { .. } | ShapeKind::Map { .. } => Value::Map(Arc::default()),
                    _ => continue,
                };
                // Sensitive ones too would look empty; they must look absent.
                let kept =
                    self.plan.node(Way::Out, member.shape).is_some_and(|n| self.wants(member, n, wanted).is_some());
                if kept {
                    members.entry(Arc::clone(&member.name)).or_insert(empty);
                }
            }
        }
        Value::Record(Arc::new(Record {
            shape: (!node.name.is_empty()).then(|| Arc::clone(&node.name)),
            target: self.target.cloned(),
            members: members.into_iter().collect(),
        }))
    }

    /// A list of key/value pairs as a map; a pair without a value has the empty text.
    fn tags(
        &self,
        from: &mut dyn ShapeDeserializer,
        schema: &Schema<'_>,
        node: &Node,
        names: &TagNames,
        depth: u32,
    ) -> Result<Value, SerdeError> {
        let plain = Reader { plan: self.plan, words: Words::Official, target: None };
        let list = plain.read(from, schema, node, &Projection::All, depth)?;
        let mut map = BTreeMap::new();
        for pair in list.as_list().unwrap_or_default() {
            let Some(pair) = pair.as_record() else { continue };
            if let Some(Value::String(key)) = pair.get(&names.key) {
                let value = pair.get(&names.value).cloned().unwrap_or_else(|| Value::text(""));
                map.insert(Arc::clone(key), value);
            }
        }
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
