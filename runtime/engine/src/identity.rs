//! What an item is known by: target, kind and id; and the text that stands for it in call paths.

use std::sync::Arc;

use escher_eval::{EvalError, Evaluator, NoHost};
use escher_ir::plan::ItemId;
use escher_ir::program::{Identity, Program};
use escher_ir::{Digest, Target, Value, json, named};

/// An identity before targets have numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RawId {
    pub(crate) target: Arc<Target>,
    pub(crate) kind: Arc<str>,
    pub(crate) id: Arc<str>,
}

/// The target of a value: where it was read; of a record that a playbook built, its `target`; or the ambient one.
pub(crate) fn target_of(value: &Value, ambient: &Arc<Target>) -> Arc<Target> {
    let Value::Record(record) = value else { return ambient.clone() };
    match (&record.target, record.get("target")) {
        (Some(target), _) | (None, Some(Value::Target(target))) => target.clone(),
        _ => ambient.clone(),
    }
}

/// The identity of an item. Errors name what is missing.
pub(crate) fn identify(
    program: &Program,
    identity: &Identity,
    value: &Value,
    ambient: &Arc<Target>,
) -> Result<RawId, EvalError> {
    let target = target_of(value, ambient);
    let (kind, id) = match identity {
        Identity::Member { kind, member } => {
            let id = value.as_record().and_then(|r| r.get(member));
            match id {
                Some(Value::Absent(_)) | None => return Err(EvalError::absent(member)),
                Some(id) => (named::text(kind), text_of(id)),
            }
        }
        Identity::Key(lambda) => {
            let mut nobody = NoHost;
            let mut evaluator = Evaluator::new(program, &mut nobody, "key");
            match evaluator.apply(lambda, value.clone())? {
                Some(Value::Absent(member)) => return Err(EvalError::absent(&member)),
                Some(key) => (named::text("key"), text_of(&key)),
                None => return Err(EvalError::new("the key of an item cannot be worked out")),
            }
        }
        Identity::Text => (named::text("text"), text_of(value)),
    };
    Ok(RawId { target, kind, id })
}

fn text_of(id: &Value) -> Arc<str> {
    match id {
        Value::String(text) => text.clone(),
        other => json::to_text(other).into(),
    }
}

/// The scope of one item's calls: `stop[i-0abc]`. `shared` where another item of the step has the same id elsewhere.
pub(crate) fn item_scope(step: &str, item: &ItemId, shared: bool) -> String {
    let mut id = String::new();
    for c in item.id.chars() {
        // These have a meaning in paths.
        if matches!(c, '/' | '[' | ']' | '@' | '%' | '#') || c.is_control() {
            id.push_str(&format!("%{:x};", u32::from(c)));
        } else {
            id.push(c);
        }
    }
    let place = if shared { format!("@{}", item.target) } else { String::new() };
    format!("{step}[{id}{place}]")
}

/// The scope of a batch: the same members give the same one, whatever the order.
pub(crate) fn batch_scope(step: &str, items: &[ItemId]) -> String {
    let mut sorted: Vec<&ItemId> = items.iter().collect();
    sorted.sort();
    let mut text = String::new();
    for item in sorted {
        text.push_str(&format!("{}:{}{}:{}", item.target, item.kind, item.id.len(), item.id));
    }
    format!("{step}[#{}]", Digest::of("escher.batch/1", text.as_bytes()).short())
}

/// The idempotency token of a call: at most 64 characters of `[a-z0-9-]`, which all clouds take.
pub(crate) fn token(run: &str, path: &str) -> String {
    let digest = Digest::of("escher.token/1", format!("{}:{run}{path}", run.len()).as_bytes());
    // A UUID's form: some services check for it.
    let hex: String = digest.0.iter().take(16).map(|b| format!("{b:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_string();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
