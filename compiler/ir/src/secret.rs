//! A secret: where it is kept, and, in memory alone, what it is.
//!
//! Only where it is kept is ever written, compared, hashed or shown. What it is comes from an answer or from the place
//! itself, goes into the one call that needs it, and is wiped when the value is dropped.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::named::Named;
use crate::program::Projection;
use crate::value::{Target, Value};

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretFrom {
    /// `env:NAME`: a variable of the environment of the process that sends it.
    Env(String),
    /// `file:PATH`: a file that that process can read; without the line end that it may have.
    File(String),
    /// `ssm:/path`: a parameter of AWS Systems Manager at the ambient place; a plan fixes its version.
    Ssm {
        /// Its name, such as `/prod/db/password`.
        name: String,
        /// Its version.
        version: Option<i64>,
    },
    /// What a cloud answered to a reading: it can be read again.
    Read(Box<SecretReading>),
    /// What a cloud answered to a change, once: only the process that sent the change has it.
    Answer {
        /// Call path of the change.
        call: String,
        /// Where in its answer: `access_key.secret_access_key`.
        at: String,
    },
    /// An answer has it, and nobody has said yet which.
    Unplaced,
}

/// How a secret of an answer is read again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretReading {
    /// Full name of the operation.
    pub operation: String,
    /// Where it was asked.
    pub target: Arc<Target>,
    /// With which arguments.
    pub arguments: Named<Value>,
    /// What was read of the answer.
    pub reads: Projection,
    /// Where in the answer; elements of lists are `[]`: `keys[].value`.
    pub at: String,
    /// What stood beside it in its record: how it is told from the others of a list.
    pub beside: Option<Digest>,
}

/// What a secret is. Wiped when it is dropped; never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Plain {
    /// Text.
    Text(Zeroizing<String>),
    /// Bytes.
    Bytes(Zeroizing<Vec<u8>>),
}

impl Plain {
    /// A text.
    pub fn text(text: impl Into<String>) -> Plain {
        Plain::Text(Zeroizing::new(text.into()))
    }

    /// The bytes that it is made of.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Plain::Text(text) => text.as_bytes(),
            Plain::Bytes(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// A secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret {
    /// Where it is kept.
    pub from: SecretFrom,
    /// What it is, where this process has it already.
    #[serde(skip)]
    plain: Option<Arc<Plain>>,
}

/// Two secrets are the same where they are kept at the same place: what they are is not looked at.
impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.from == other.from
    }
}

impl Secret {
    /// One that is kept there.
    pub fn kept(from: SecretFrom) -> Secret {
        Secret { from, plain: None }
    }

    /// A value that a cloud marks as sensitive; none where it is neither text nor bytes.
    pub fn of_answer(value: &Value) -> Option<Value> {
        let plain = match value {
            Value::String(text) => Plain::text(&**text),
            Value::Bytes(bytes) => Plain::Bytes(Zeroizing::new(bytes.to_vec())),
            _ => return None,
        };
        Some(Value::Secret(Arc::new(Secret { from: SecretFrom::Unplaced, plain: Some(Arc::new(plain)) })))
    }

    /// The same, kept there.
    #[must_use]
    pub fn placed(&self, from: SecretFrom) -> Secret {
        Secret { from, plain: self.plain.clone() }
    }

    /// The same, with what it is.
    #[must_use]
    pub fn known(&self, plain: Arc<Plain>) -> Secret {
        Secret { from: self.from.clone(), plain: Some(plain) }
    }

    /// What it is, where this process has it: for the one who sends it, and nobody else.
    pub fn plain(&self) -> Option<&Arc<Plain>> {
        self.plain.as_ref()
    }
}

/// What people write for a secret.
pub const REFERENCES: &str = "`env:NAME`, `file:PATH` or `ssm:/path`";

/// The reference that a text is; none where it is none. The text itself may be a secret that somebody typed: never show it.
pub fn reference(text: &str) -> Option<SecretFrom> {
    let (scheme, rest) = text.split_once(':')?;
    let named = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    match scheme {
        "env" => {
            let fine = !rest.is_empty()
                && !rest.starts_with(|c: char| c.is_ascii_digit())
                && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            fine.then(|| SecretFrom::Env(rest.to_owned()))
        }
        "file" => (!rest.is_empty() && !rest.contains(['\0', '\n'])).then(|| SecretFrom::File(rest.to_owned())),
        "ssm" => {
            let (name, version) = match rest.split_once(':') {
                Some((name, version)) => (name, Some(version.parse().ok().filter(|v| *v > 0)?)),
                None => (rest, None),
            };
            let fine = !name.is_empty() && name.len() <= 1011 && name.chars().all(named);
            fine.then(|| SecretFrom::Ssm { name: name.to_owned(), version })
        }
        _ => None,
    }
}

/// Where it is kept, as people write it.
impl fmt::Display for SecretFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretFrom::Env(name) => write!(f, "env:{name}"),
            SecretFrom::File(path) => write!(f, "file:{path}"),
            SecretFrom::Ssm { name, version: None } => write!(f, "ssm:{name}"),
            SecretFrom::Ssm { name, version: Some(version) } => write!(f, "ssm:{name}:{version}"),
            SecretFrom::Read(reading) => write!(f, "{} of {}", reading.at, reading.operation),
            SecretFrom::Answer { call, at } => write!(f, "{at} of {call}"),
            SecretFrom::Unplaced => f.write_str("an answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_secrets() {
        let shown = |text: &str| reference(text).map(|from| from.to_string());
        for right in ["env:DB_PASSWORD", "file:/run/secrets/db", "ssm:/prod/db", "ssm:plain", "ssm:/prod/db:3"] {
            assert_eq!(shown(right).as_deref(), Some(right));
        }
        for wrong in ["", "hunter2", "env:", "env:A B", "env:1A", "file:", "ssm:", "ssm:/a:0", "ssm:/a b", "https://x"]
        {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_it_is_is_never_written() {
        let from = SecretFrom::Env("DB".into());
        let secret = Value::Secret(Arc::new(Secret::kept(from.clone()).known(Arc::new(Plain::text("hunter2")))));
        let shown = format!("{secret:?} {} {}", crate::json::to_text(&secret), crate::json::to_json(&secret));
        assert!(shown.contains("env:DB") || shown.contains("DB"), "{shown}");
        let (_, bytes) = crate::codec::encode(&crate::journal::StoredValue(secret.clone())).unwrap();
        for place in [shown.as_bytes(), &bytes] {
            assert!(!place.windows(7).any(|w| w == b"hunter2"));
        }
        let bare = Value::Secret(Arc::new(Secret::kept(from)));
        assert_eq!(crate::codec::encode(&crate::journal::StoredValue(bare.clone())).unwrap().1, bytes);
        assert_eq!(secret, bare);
    }
}
