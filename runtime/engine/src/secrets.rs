//! Secrets on their way: where they are kept, and the one moment in which they are looked up.
//!
//! What a secret is exists in a call that is about to be sent and nowhere else: not in a journal, a plan, a report or an
//! error. An answer that echoes one loses it here.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::{Record, ShapeKind};
use escher_ir::program::Projection;
use escher_ir::secret::{Plain, Secret, SecretFrom, SecretReading};
use escher_ir::{Digest, Named, Target, Value};
use escher_provider::{CallError, ErrorKind, Request};
use futures_util::future::BoxFuture;

use crate::journal;
use crate::world::{World, lock};

/// Bytes of one secret.
const MAX_SECRET: u64 = 64 << 10;
/// What stands in place of a secret that a cloud sends back.
const COVERED: &str = "(secret)";
/// Nesting of arguments and answers.
const MAX_DEPTH: u32 = 100;

/// The places on this machine that secrets are kept in.
pub trait Secrets: Send + Sync {
    /// The variable of the environment; the error names it, never its value.
    fn env(&self, name: &str) -> Result<Plain, String>;
    /// What a file has in it.
    fn file(&self, path: &str) -> Result<Plain, String>;
    /// What stands for a secret that is kept somewhere where there is no such place: in a test.
    fn made_up(&self) -> Option<Plain> {
        None
    }
}

/// This process's environment and files.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSecrets;

impl Secrets for SystemSecrets {
    fn env(&self, name: &str) -> Result<Plain, String> {
        match std::env::var(name) {
            Ok(text) if text.is_empty() => Err(format!("the environment variable {name} is empty")),
            Ok(text) => Ok(Plain::text(text)),
            Err(std::env::VarError::NotPresent) => Err(format!("the environment variable {name} is not set")),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("the environment variable {name} is no text")),
        }
    }

    fn file(&self, path: &str) -> Result<Plain, String> {
        use std::io::Read;
        let failed = |e: std::io::Error| format!("the file {path} cannot be read: {}", e.kind());
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_SECRET + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > MAX_SECRET {
            return Err(format!("the file {path} is larger than a secret may be ({MAX_SECRET} bytes)"));
        }
        let bare = text.strip_suffix('\n').map(|t| t.strip_suffix('\r').unwrap_or(t)).unwrap_or(&text);
        if bare.is_empty() {
            return Err(format!("the file {path} is empty"));
        }
        Ok(Plain::text(bare))
    }
}

/// A secret of an answer, and where it stands.
struct Found {
    at: String,
    beside: Option<Digest>,
    secret: Arc<Secret>,
}

fn invalid(words: impl Into<String>) -> CallError {
    CallError::unsent(ErrorKind::Invalid, words.into())
}

impl World<'_> {
    /// The arguments with the secrets in them looked up: only where the cloud marks a member as sensitive.
    pub(crate) async fn revealed(
        &self,
        arguments: &Named<Value>,
        record: &Record,
    ) -> Result<BTreeMap<String, Value>, CallError> {
        if !arguments.values().any(Value::has_secret) {
            return Ok(arguments.iter().map(|(name, value)| (name.to_string(), value.clone())).collect());
        }
        let mut out = BTreeMap::new();
        let input = record.operation.input.and_then(|id| record.shape(id));
        for (name, value) in arguments.iter() {
            let member = input.and_then(|s| s.members().iter().find(|m| *m.name == **name));
            out.insert(name.to_string(), self.reveal(value, record, member.map(|m| m.shape), 0).await?);
        }
        Ok(out)
    }

    fn reveal<'s>(
        &'s self,
        value: &'s Value,
        record: &'s Record,
        shape: Option<u32>,
        depth: u32,
    ) -> BoxFuture<'s, Result<Value, CallError>> {
        Box::pin(async move {
            if !value.has_secret() {
                return Ok(value.clone());
            }
            if depth > MAX_DEPTH {
                return Err(invalid("the arguments are nested too deeply"));
            }
            let shape = shape.and_then(|id| record.shape(id));
            let below = |name: &str| {
                let shape = shape?;
                match &shape.kind {
                    ShapeKind::List { item: id, .. } | ShapeKind::Map { value: id, .. } => Some(*id),
                    _ => shape.members().iter().find(|m| *m.name == *name).map(|m| m.shape),
                }
            };
            Ok(match value {
                Value::Secret(_) if !shape.is_some_and(|s| s.sensitive) => {
                    return Err(invalid("a secret would go where the cloud does not keep one"));
                }
                Value::Secret(secret) => Value::Secret(Arc::new(secret.known(self.look_up(secret).await?))),
                Value::List(items) => {
                    let mut out = Vec::with_capacity(items.len());
                    for item in items.iter() {
                        out.push(self.reveal(item, record, below(""), depth + 1).await?);
                    }
                    Value::list(out)
                }
                Value::Record(from) => {
                    let mut out = (**from).clone();
                    for (name, value) in &mut out.members {
                        *value = self.reveal(value, record, below(name), depth + 1).await?;
                    }
                    Value::Record(Arc::new(out))
                }
                Value::Map(entries) => {
                    let mut out = BTreeMap::new();
                    for (name, value) in entries.iter() {
                        out.insert(name.clone(), self.reveal(value, record, below(name), depth + 1).await?);
                    }
                    Value::Map(Arc::new(out))
                }
                other => other.clone(),
            })
        })
    }

    /// What a secret is. Looked up once by each process of a run.
    async fn look_up(&self, secret: &Secret) -> Result<Arc<Plain>, CallError> {
        if let Some(plain) = secret.plain() {
            return Ok(plain.clone());
        }
        let bare = Value::Secret(Arc::new(Secret::kept(secret.from.clone())));
        let key = journal::digest(&bare).map_err(|e| invalid(e.to_string()))?;
        if let Some(known) = lock(&self.revealed).get(&key) {
            return Ok(known.clone());
        }
        let kept = !matches!(secret.from, SecretFrom::Answer { .. } | SecretFrom::Unplaced);
        if let Some(plain) = self.secrets.made_up().filter(|_| kept) {
            return Ok(Arc::new(plain));
        }
        let plain = match &secret.from {
            SecretFrom::Env(name) => Arc::new(self.secrets.env(name).map_err(|e| invalid(format!("E0613: {e}")))?),
            SecretFrom::File(path) => Arc::new(self.secrets.file(path).map_err(|e| invalid(format!("E0613: {e}")))?),
            SecretFrom::Ssm { name, version } => self.parameter(name, *version).await?,
            SecretFrom::Read(reading) => self.read_again(reading).await?,
            SecretFrom::Answer { .. } | SecretFrom::Unplaced => return Err(invalid(gone(&secret.from))),
        };
        lock(&self.revealed).insert(key, plain.clone());
        Ok(plain)
    }

    fn get_parameter(
        &self,
        name: &str,
        version: Option<i64>,
        reads: &str,
        decrypted: bool,
    ) -> Result<(Request, Arc<Target>), CallError> {
        let record = self.record("aws.ssm.get_parameter")?;
        let named = version.map_or_else(|| name.to_string(), |v| format!("{name}:{v}"));
        let arguments =
            [("name".to_string(), Value::text(named)), ("with_decryption".to_string(), Value::Bool(decrypted))];
        let leaf = Projection::Members(BTreeMap::from([(reads.to_string(), Projection::default())]));
        let target = self.place("aws.ssm.get_parameter", self.ambient.clone());
        // Of a run that works in another cloud, where AWS's own tools would look.
        let target = match target.cloud.as_str() {
            "aws" => target,
            _ => Arc::new(Target { cloud: "aws".into(), ..Target::default() }),
        };
        let request = Request {
            record,
            arguments: arguments.into_iter().collect(),
            target: target.clone(),
            reads: Projection::Members(BTreeMap::from([("parameter".to_string(), leaf)])),
            token: None,
            timeout: self.limits.call_timeout,
            patience: self.limits.call_timeout,
            permit: escher_provider::Permit::default(),
        };
        Ok((request, target))
    }

    async fn parameter(&self, name: &str, version: Option<i64>) -> Result<Arc<Plain>, CallError> {
        let (mut request, target) = self.get_parameter(name, version, "value", true)?;
        request.target = self.resolve(&target).await?;
        let answer = self.pages(request).await.map_err(|e| named(name, e))?;
        let found = secrets_of(&answer).into_iter().find(|found| found.at == "parameter.value");
        found
            .and_then(|found| found.secret.plain().cloned())
            .ok_or_else(|| invalid(format!("E0613: the parameter {name} of AWS Systems Manager came without a value")))
    }

    /// The reference that a plan holds: of a stored parameter, with the version that is there now.
    pub(crate) async fn pinned(&self, value: Value) -> Result<Value, CallError> {
        let Value::Secret(secret) = &value else { return Ok(value) };
        let SecretFrom::Ssm { name, version: None } = &secret.from else { return Ok(value) };
        if self.secrets.made_up().is_some() {
            return Ok(value);
        }
        // Not decrypted: its value is of no use to whoever plans.
        let (mut request, target) = self.get_parameter(name, None, "version", false)?;
        request.target = self.resolve(&target).await?;
        let answer = self.pages(request).await.map_err(|e| named(name, e))?;
        let parameter = answer.as_record().and_then(|r| r.get("parameter")).and_then(Value::as_record);
        let Some(Value::Int(version)) = parameter.and_then(|p| p.get("version")) else {
            return Err(invalid(format!("E0613: the parameter {name} of AWS Systems Manager came without a version")));
        };
        Ok(Value::Secret(Arc::new(Secret::kept(SecretFrom::Ssm { name: name.clone(), version: Some(*version) }))))
    }

    /// Reads once more what a secret was read from.
    async fn read_again(&self, reading: &SecretReading) -> Result<Arc<Plain>, CallError> {
        let record = self.record(&reading.operation)?;
        if record.operation.class.changes() {
            return Err(invalid(format!("`{}` changes something, and is not asked again", reading.operation)));
        }
        let again = Request {
            arguments: Box::pin(self.revealed(&reading.arguments, &record)).await?,
            record,
            target: self.resolve(&reading.target).await?,
            reads: reading.reads.clone(),
            token: None,
            timeout: self.limits.call_timeout,
            patience: self.limits.call_timeout,
            permit: escher_provider::Permit::default(),
        };
        let answer = self.pages(again).await.map_err(|e| named(&reading.operation, e))?;
        let same = |found: &Found| found.at == reading.at && found.beside == reading.beside;
        let mut found = secrets_of(&answer).into_iter().filter(same);
        match (found.next(), found.next()) {
            (Some(only), None) => {
                only.secret.plain().cloned().ok_or_else(|| invalid("the secret came without a value"))
            }
            (None, _) => Err(invalid(format!(
                "E0613: `{}` of `{}` is not what it was: the secret beside it is not taken for the same",
                reading.at, reading.operation
            ))),
            _ => Err(invalid(format!(
                "E0613: `{}` of `{}` is there more than once: its secrets cannot be told apart",
                reading.at, reading.operation
            ))),
        }
    }
}

/// An error about where a secret is kept.
fn named(what: &str, mut error: CallError) -> CallError {
    error.message = format!("E0613: the secret of {what} cannot be read: {}", error.message);
    error
}

/// What is said of a secret that nobody has any more.
pub(crate) fn gone(from: &SecretFrom) -> String {
    format!("E0613: the cloud showed a secret once, {from}, and the process that had it is gone")
}

/// The first secret of these arguments that nobody has any more.
pub(crate) fn lost(arguments: &Named<Value>) -> Option<SecretFrom> {
    fn first(value: &Value) -> Option<SecretFrom> {
        match value {
            Value::Secret(secret) => {
                let once = matches!(secret.from, SecretFrom::Answer { .. } | SecretFrom::Unplaced);
                (once && secret.plain().is_none()).then(|| secret.from.clone())
            }
            Value::List(items) => items.iter().find_map(first),
            Value::Record(record) => record.members.iter().find_map(|(_, v)| first(v)),
            Value::Map(entries) => entries.values().find_map(first),
            _ => None,
        }
    }
    arguments.values().find_map(first)
}

/// Says of the secrets of an answer where they are kept.
pub(crate) fn placed(answer: Value, place: &dyn Fn(String, Option<Digest>) -> SecretFrom) -> Value {
    if !answer.has_secret() {
        return answer;
    }
    walk(&answer, &mut String::new(), None, &mut |secret, at, beside| {
        Value::Secret(Arc::new(secret.placed(place(at.to_string(), beside))))
    })
}

/// The secrets of an answer.
fn secrets_of(answer: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    walk(answer, &mut String::new(), None, &mut |secret, at, beside| {
        found.push(Found { at: at.to_string(), beside, secret: secret.clone() });
        Value::None
    });
    found
}

/// What a secret at a place, told from others by what stands beside it, is replaced by.
type Each<'e> = dyn FnMut(&Arc<Secret>, &str, Option<Digest>) -> Value + 'e;

/// Replaces the secrets of a value. `beside`: of the element of a list that is gone through, what tells it from others.
fn walk(value: &Value, at: &mut String, beside: Option<Digest>, each: &mut Each<'_>) -> Value {
    let length = at.len();
    let out = match value {
        Value::Secret(secret) => each(secret, at, beside),
        Value::List(items) => {
            at.push_str("[]");
            let items = items.iter().map(|item| walk(item, at, Some(told_by(item)), each));
            Value::list(items.collect())
        }
        Value::Record(record) => {
            let mut out = (**record).clone();
            for (name, value) in &mut out.members {
                at.truncate(length);
                at.push_str(if length == 0 { "" } else { "." });
                at.push_str(name);
                *value = walk(value, at, beside, each);
            }
            Value::Record(Arc::new(out))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| {
                at.truncate(length);
                at.push_str(if length == 0 { "" } else { "." });
                at.push_str(name);
                (name.clone(), walk(value, at, beside, each))
            });
            Value::Map(Arc::new(entries.collect()))
        }
        other => other.clone(),
    };
    at.truncate(length);
    out
}

/// What an element of a list is known by: all that it has besides its secrets.
fn told_by(element: &Value) -> Digest {
    let bare = walk(element, &mut String::new(), None, &mut |_, _, _| Value::None);
    journal::digest(&bare).unwrap_or(Digest([0; 32]))
}

/// The secrets that a request carries.
pub(crate) fn carried(arguments: &BTreeMap<String, Value>) -> Vec<Arc<Plain>> {
    fn collect(value: &Value, out: &mut Vec<Arc<Plain>>) {
        match value {
            Value::Secret(secret) => out.extend(secret.plain().cloned()),
            Value::List(items) => items.iter().for_each(|v| collect(v, out)),
            Value::Record(record) => record.members.iter().for_each(|(_, v)| collect(v, out)),
            Value::Map(entries) => entries.values().for_each(|v| collect(v, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    arguments.values().for_each(|v| collect(v, &mut out));
    out
}

/// An error without the secrets that its call carried: clouds quote what they refuse.
pub(crate) fn covered_error(mut error: CallError, carried: &[Arc<Plain>]) -> CallError {
    for plain in carried {
        error.message = covered_text(&error.message, plain);
        error.code = error.code.map(|code| covered_text(&code, plain));
    }
    error
}

/// An answer without the secrets that its call carried.
pub(crate) fn covered(answer: Value, carried: &[Arc<Plain>]) -> Value {
    carried.iter().fold(answer, |answer, plain| cover(&answer, plain))
}

fn cover(value: &Value, plain: &Plain) -> Value {
    match value {
        Value::String(text) => Value::text(covered_text(text, plain)),
        Value::Bytes(bytes) if contains(bytes, plain.bytes()) => Value::text(COVERED),
        Value::List(items) => Value::list(items.iter().map(|v| cover(v, plain)).collect()),
        Value::Record(record) => {
            let mut out = (**record).clone();
            out.members.iter_mut().for_each(|(_, v)| *v = cover(v, plain));
            Value::Record(Arc::new(out))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(k, v)| (Arc::from(covered_text(k, plain)), cover(v, plain)));
            Value::Map(Arc::new(entries.collect()))
        }
        other => other.clone(),
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}

fn covered_text(text: &str, plain: &Plain) -> String {
    match plain {
        Plain::Text(secret) if !secret.is_empty() => text.replace(secret.as_str(), COVERED),
        Plain::Bytes(bytes) if contains(text.as_bytes(), bytes) => COVERED.to_string(),
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Value {
        Secret::of_answer(&Value::text(text)).unwrap()
    }

    fn keys(first: &str, second: &str) -> Value {
        let key = |name: &str, value: &str| Value::record([("name", Value::text(name)), ("value", secret(value))]);
        Value::record([("keys", Value::list(vec![key("a", first), key("b", second)])), ("one", secret("1"))])
    }

    #[test]
    fn secrets_of_a_list_are_told_by_what_stands_beside_them() {
        let found = secrets_of(&keys("x", "y"));
        let at: Vec<&str> = found.iter().map(|f| f.at.as_str()).collect();
        assert_eq!(at, ["keys[].value", "keys[].value", "one"]);
        assert!(found[0].beside.is_some() && found[0].beside != found[1].beside && found[2].beside.is_none());
        // What they are is not part of it.
        assert_eq!(secrets_of(&keys("other", "y"))[0].beside, found[0].beside);
    }

    #[test]
    fn an_answer_says_where_its_secrets_are() {
        let from = |at, _| SecretFrom::Answer { call: "step/make".into(), at };
        let found = secrets_of(&placed(keys("x", "y"), &from));
        assert!(
            found.iter().all(|f| f.secret.from.to_string().ends_with(" of step/make") && f.secret.plain().is_some())
        );
        let kept =
            Named::from_iter([("a".into(), Value::Secret(Arc::new(Secret::kept(found[0].secret.from.clone()))))]);
        assert!(lost(&kept).is_some() && gone(&lost(&kept).unwrap()).contains("keys[].value of step/make"));
        let here = Named::from_iter([("a".into(), Value::Secret(found[0].secret.clone()))]);
        assert_eq!(lost(&here), None);
    }

    #[test]
    fn what_a_cloud_sends_back_is_covered() {
        let carried = carried(&BTreeMap::from([("password".to_string(), secret("hunter2"))]));
        let error = invalid("ValidationException: value `hunter2` is too short");
        assert_eq!(covered_error(error, &carried).message, "ValidationException: value `(secret)` is too short");
        let answer = Value::record([("echo", Value::list(vec![Value::text("p=hunter2"), Value::Int(2)]))]);
        let wanted = Value::record([("echo", Value::list(vec![Value::text("p=(secret)"), Value::Int(2)]))]);
        assert_eq!(covered(answer, &carried), wanted);
    }
}
