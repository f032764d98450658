//! Client tokens: the same request twice has the effect of one.
//!
//! Does *not* decide what an answer to a repeated request says; the operation reads the resources again.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::model::{Region, TokenUse};
use crate::aws::call::text;
use crate::aws::error::ApiError;
use crate::protocol::Value;

/// Tokens that a region remembers; the oldest goes first.
const MAX_TOKENS: usize = 100_000;

/// A token that a request brought.
pub(crate) struct Token {
    key: String,
    fingerprint: Arc<str>,
}

/// Whether a request came before.
pub(crate) enum Seen {
    /// It didn't, or it has no token.
    First(Option<Token>),
    /// It did, and made these.
    Again(Vec<Arc<str>>),
}

/// Looks for an earlier request with the token of this one.
pub(crate) fn seen(operation: &str, input: &Value, region: &Region) -> Result<Seen, ApiError> {
    let Some(token) = text(input, "ClientToken").filter(|t| !t.is_empty()) else {
        return Ok(Seen::First(None));
    };
    if token.len() > 64 {
        return Err(ApiError::invalid("The client token may have 64 characters at most"));
    }
    let token = Token { key: format!("{operation}/{token}"), fingerprint: fingerprint(input) };
    match region.tokens.get(&token.key) {
        Some(earlier) if earlier.fingerprint != token.fingerprint => Err(ApiError::new(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token \
             with different requests, unless the requests are identical",
        )),
        Some(earlier) => Ok(Seen::Again(earlier.resources.clone())),
        None => Ok(Seen::First(Some(token))),
    }
}

/// Remembers what a request made.
pub(crate) fn remember(region: &mut Region, token: Option<Token>, resources: Vec<Arc<str>>, now: i64) {
    let Some(token) = token else { return };
    if region.tokens.len() >= MAX_TOKENS {
        let oldest = region.tokens.iter().min_by_key(|(_, t)| t.at).map(|(key, _)| key.clone());
        oldest.and_then(|key| region.tokens.remove(&key));
    }
    region.tokens.insert(token.key, TokenUse { fingerprint: token.fingerprint, resources, at: now });
}

/// What a request asks for, without how often: a dry run before the real one is the same request.
fn fingerprint(input: &Value) -> Arc<str> {
    let Value::Record(members) = input else { return "".into() };
    let mut asked: Vec<_> = members.iter().filter(|(name, _)| name != "ClientToken" && name != "DryRun").collect();
    asked.sort_by(|(a, _), (b, _)| a.cmp(b));
    let json = serde_json::to_vec(&asked).unwrap_or_default();
    let digest: String = Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect();
    digest.into()
}
