//! Mocked values as a cloud would have answered them: with the shapes and places that make items of them.

use std::collections::HashMap;
use std::sync::Arc;

use escher_catalog::{Catalog, Record, ShapeId, ShapeKind};
use escher_ir::program::Projection;
use escher_ir::value::Record as Members;
use escher_ir::{Target, Value};

/// Deepest value that is made up.
const DEEPEST: usize = 6;

/// A mocked value, cut down to what is read of it.
pub(super) fn answer(record: &Record, value: &Value, reads: &Projection, target: &Arc<Target>) -> Value {
    match record.operation.output {
        Some(id) => conform(record, id, value, reads, target),
        None => Value::None,
    }
}

fn conform(record: &Record, id: ShapeId, value: &Value, reads: &Projection, target: &Arc<Target>) -> Value {
    let Some(shape) = record.shape(id) else { return value.clone() };
    match (&shape.kind, value) {
        (ShapeKind::Structure(members) | ShapeKind::Union(members), Value::Record(given)) => {
            let known = members.iter().filter_map(|m| {
                let reads = reads.member(&m.name)?;
                let Some(value) = given.get(&m.name).filter(|v| !matches!(v, Value::None)) else {
                    // As a client gives them: a list or a map that the cloud left out is empty.
                    let empty = match record.shape(m.shape).map(|s| &s.kind)? {
                        _ if m.tags.is_some() => Value::map([]),
                        ShapeKind::Map { .. } => Value::map([]),
                        ShapeKind::List { .. } => Value::list(Vec::new()),
                        _ => return None,
                    };
                    return Some((m.name.clone(), empty));
                };
                // Tags are maps on both sides.
                let value =
                    if m.tags.is_some() { value.clone() } else { conform(record, m.shape, value, reads, target) };
                Some((m.name.clone(), value))
            });
            structure(record, &shape.name, known.collect(), target)
        }
        (ShapeKind::List { item, .. }, Value::List(items)) => {
            Value::list(items.iter().map(|v| conform(record, *item, v, reads, target)).collect())
        }
        (ShapeKind::Map { value: of, .. }, Value::Map(entries)) => {
            let conformed = entries.iter().map(|(k, v)| (k.clone(), conform(record, *of, v, reads, target)));
            Value::Map(Arc::new(conformed.collect()))
        }
        _ => value.clone(),
    }
}

fn structure(record: &Record, shape: &str, members: Vec<(Arc<str>, Value)>, target: &Arc<Target>) -> Value {
    let mut made = Members::of(members);
    made.shape = Some(full_name(record, shape));
    made.target = Some(target.clone());
    Value::Record(Arc::new(made))
}

fn full_name(record: &Record, shape: &str) -> Arc<str> {
    Arc::from(format!("{}.{}.{shape}", record.service.cloud, record.service.name))
}

/// The arguments of a call, as a record of the operation's input.
pub(super) fn arguments(record: &Record, given: &std::collections::BTreeMap<String, Value>) -> Value {
    let mut members = Members::of(given.iter().map(|(n, v)| (Arc::from(n.as_str()), v.clone())));
    members.shape = record.operation.input.and_then(|id| record.shape(id)).map(|s| full_name(record, &s.name));
    Value::Record(Arc::new(members))
}

/// An answer made up from the shape, for a change that no mock answers: what is read of it is there.
pub(super) fn made_up(record: &Record, reads: &Projection, target: &Arc<Target>, number: u64) -> Value {
    match record.operation.output {
        Some(id) => make(record, id, reads, target, &format!("{}-{number}", record.operation.name), 0),
        None => Value::None,
    }
}

fn make(record: &Record, id: ShapeId, reads: &Projection, target: &Arc<Target>, word: &str, depth: usize) -> Value {
    let Some(shape) = record.shape(id).filter(|_| depth < DEEPEST) else { return Value::None };
    match &shape.kind {
        ShapeKind::Structure(members) | ShapeKind::Union(members) => {
            let made = members.iter().filter_map(|m| {
                let below = reads.member(&m.name)?;
                let word = format!("{}-{}", m.name, word.rsplit('-').next().unwrap_or(word));
                let value = match &m.tags {
                    Some(_) => Value::map([]),
                    None => make(record, m.shape, below, target, &word, depth + 1),
                };
                Some((m.name.clone(), value))
            });
            structure(record, &shape.name, made.filter(|(_, v)| !matches!(v, Value::None)).collect(), target)
        }
        ShapeKind::List { item, .. } => match make(record, *item, reads, target, word, depth + 1) {
            Value::None => Value::list(Vec::new()),
            one => Value::list(vec![one]),
        },
        ShapeKind::Map { .. } => Value::map([]),
        ShapeKind::String { values } => values.first().map_or_else(|| Value::text(word), |v| Value::String(v.clone())),
        ShapeKind::Integer | ShapeKind::Long => Value::Int(0),
        ShapeKind::Float | ShapeKind::Double => Value::Float(0.0),
        ShapeKind::Boolean => Value::Bool(false),
        ShapeKind::Timestamp | ShapeKind::Blob | ShapeKind::Document => Value::None,
    }
}

/// Things that were answered, by shape and id: what an item of a run was.
#[derive(Debug, Default)]
pub(super) struct Seen {
    things: HashMap<(String, String), Value>,
}

impl Seen {
    /// Notes all things of an answer.
    pub(super) fn note(&mut self, value: &Value) {
        match value {
            Value::List(items) => items.iter().for_each(|v| self.note(v)),
            Value::Map(entries) => entries.values().for_each(|v| self.note(v)),
            Value::Record(record) => {
                let shape = record.shape.as_deref().unwrap_or_default();
                if let Some(Value::String(id)) =
                    Catalog::current().identity(shape).and_then(|m| record.get(&m).cloned())
                {
                    self.things.insert((shape.to_string(), id.to_string()), value.clone());
                }
                record.members.iter().for_each(|(_, v)| self.note(v));
            }
            _ => {}
        }
    }

    /// The thing of this shape and id; its id where it was never answered.
    pub(super) fn thing(&self, kind: &str, id: &str) -> Value {
        // What is neither a cloud's nor known by a key or as a text is a record that the playbook built.
        let built = !kind.contains('.') && !matches!(kind, "key" | "text");
        let unseen = || if built { Value::record([("id", Value::text(id))]) } else { Value::text(id) };
        self.things.get(&(kind.to_string(), id.to_string())).cloned().unwrap_or_else(unseen)
    }
}
