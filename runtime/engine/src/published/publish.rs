//! Publishing: an item is kept, a statement about it is signed, and from then on it may be used.

use std::collections::BTreeSet;

use escher_ir::audit::AuditEvent;
use escher_ir::program::{Builtin, Expr};
use escher_ir::published::Publication;
use escher_ir::standing::{Standing, StandingKind};
use escher_ir::statement::{STATEMENT, Signed, Statement, StatementKind};
use escher_ir::{Digest, codec, visit};
use escher_policy::Action;
use jiff::{SignedDuration, Timestamp};

use super::{LONGEST, PublishOptions, Published, known, load, recorded, stream, until};
use crate::approve::{
    Gate, Publishing, SigningKey, accept_publication, permit_in_store, permit_publishing, same_records, trust,
};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::limits::MAX_SIGNATURE_FILE;
use crate::store::{Append, Commit};
use crate::time;

/// How long a signature holds where the item does not say until when.
const DEFAULT_VALIDITY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Longest name.
const MAX_NAME: usize = 128;

/// The item as it is published: with the places of the groups that it names.
pub(crate) fn pinned(standing: &Standing, options: &PublishOptions) -> Standing {
    let names = groups(standing.clone());
    let named = |(name, _): &(&String, _)| names.contains(*name);
    let groups = options.groups.iter().filter(named).map(|(name, places)| (name.clone(), places.clone())).collect();
    Standing { groups, ..standing.clone() }
}

/// Names of the groups of places that an item speaks of.
fn groups(mut standing: Standing) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut each = |expr: &mut Expr| {
        if let Expr::Builtin(Builtin::Targets | Builtin::OneTarget, arguments) = expr {
            names.extend(arguments.iter().filter_map(|argument| match argument {
                Expr::Literal(value) => value.as_str().map(str::to_string),
                _ => None,
            }));
        }
    };
    let program = &mut standing.program;
    visit::block(&mut program.playbook.body, &mut each);
    program.functions.values_mut().for_each(|function| visit::block(&mut function.body, &mut each));
    program.playbook.params.iter_mut().filter_map(|p| p.default.as_mut()).for_each(|e| visit::expr(e, &mut each));
    match &mut standing.kind {
        StandingKind::Template { .. } => {}
        StandingKind::Schedule { arguments, .. } | StandingKind::Trigger { arguments, .. } => {
            arguments.values_mut().for_each(|e| visit::expr(e, &mut each));
        }
    }
    names
}

/// The statement that publishes an item, for signing here or elsewhere.
pub(crate) fn statement_for(
    engine: &Engine,
    standing: &Standing,
    options: &PublishOptions,
) -> Result<Statement, EngineError> {
    let standing = pinned(standing, options);
    let digest = codec::digest(&standing)?;
    let what = Publishing { name: &standing.name, digest, standing: &standing };
    Ok(statement(engine, &what, what.kind(), options))
}

fn statement(engine: &Engine, what: &Publishing<'_>, kind: StatementKind, options: &PublishOptions) -> Statement {
    let signed = Timestamp::from_second(engine.clock.now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH);
    let longest = signed.checked_add(LONGEST).unwrap_or(Timestamp::MAX);
    let expires = match until(what.standing) {
        Some(until) => until.min(longest),
        None => signed.checked_add(DEFAULT_VALIDITY).unwrap_or(Timestamp::MAX),
    };
    Statement {
        comment: options.comment.clone(),
        digest: what.digest,
        expires: Timestamp::from_second(expires.as_second()).unwrap_or(expires),
        kind,
        planner: String::new(),
        playbook: what.standing.program.playbook.name.clone(),
        principal: options.principal.clone(),
        quorum: what.needs().of,
        run: what.name.to_string(),
        schema: STATEMENT.into(),
        signed,
        store: engine.store.id().to_string(),
    }
}

/// Signs an item, and keeps it.
///
/// Errors: [`EngineError::Refused`] where the gate or the policy would not accept it; the refusal is audited.
pub(crate) fn publish(
    engine: &Engine,
    standing: &Standing,
    key: &SigningKey,
    options: &PublishOptions,
    gate: &Gate,
) -> Result<Published, EngineError> {
    let statement = statement_for(engine, standing, options)?.to_bytes();
    let signature = key.sign(&statement)?;
    add_signature(engine, standing, &statement, &signature, options, gate)
}

/// Records a statement that was signed elsewhere.
pub(crate) fn add_signature(
    engine: &Engine,
    standing: &Standing,
    statement: &[u8],
    signature: &str,
    options: &PublishOptions,
    gate: &Gate,
) -> Result<Published, EngineError> {
    let who = &options.principal;
    let refuse = |refused| Err(audit::refused(engine, None, who, refused));
    let name = &standing.name;
    let fits = name.len() <= MAX_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fits || name.is_empty() {
        return refuse(Refused::new("this is no name of a template or schedule", "write letters, digits and `_`"));
    }
    let standing = pinned(standing, options);
    if let Err(refused) = same_records(engine, &standing.program) {
        return refuse(refused);
    }
    let digest = codec::digest(&standing)?;
    let what = Publishing { name, digest, standing: &standing };
    let accepted = signed(engine, &what, what.kind(), statement, signature, options, gate)?;
    permit_publishing(engine, gate, &what, who)?;
    if until(&standing).is_some_and(|until| engine.clock.now() >= until) {
        return refuse(Refused::new(format!("`{name}` has ended"), "write a later `until`"));
    }
    let before = load(engine, name)?.filter(|before| before.digest == digest);
    let at = engine.clock.now();
    let Signature { digest: approval, bytes, principal, key, comment } = accepted;
    if before.as_ref().is_some_and(|before| before.signed.iter().any(|(known, _)| *known == approval)) {
        return known(engine, name);
    }
    if recorded(engine, name)?.contains(&approval) {
        // What was withdrawn, or what another item took the place of, does not come back by being handed in again.
        let words =
            format!("this publication does not count: `{name}` was withdrawn or published anew since it was signed");
        return refuse(Refused::new(words, "publish it again with `escher publish`"));
    }
    let (_, item) = codec::encode(&standing)?;
    let entry = Publication::Published { standing: digest, statement: approval, principal: principal.clone(), at };
    let name = name.clone();
    let event =
        AuditEvent::Published { name: name.clone(), standing: digest, statement: approval, principal, key, comment };
    let objects = vec![(digest, item), (approval, bytes)];
    write(engine, &name, entry, objects, event, at)?;
    known(engine, &name)
}

/// Takes something back that was published. Whoever may publish it may do that.
pub(crate) fn withdraw(
    engine: &Engine,
    name: &str,
    key: &SigningKey,
    options: &PublishOptions,
    gate: &Gate,
) -> Result<(), EngineError> {
    let found = known(engine, name).map_err(|error| audit::said(engine, &options.principal, error))?;
    let what = Publishing { name, digest: found.digest, standing: &found.standing };
    let statement = statement(engine, &what, StatementKind::Revocation, options).to_bytes();
    let signature = key.sign(&statement)?;
    let accepted = signed(engine, &what, StatementKind::Revocation, &statement, &signature, options, gate)?;
    let at = engine.clock.now();
    let Signature { digest: statement, bytes, principal, key, comment } = accepted;
    let entry = Publication::Withdrawn { statement, principal: principal.clone(), at };
    let event = AuditEvent::Withdrawn { name: name.to_string(), statement, principal, key, comment };
    write(engine, name, entry, vec![(statement, bytes)], event, at)
}

/// Holds a schedule or trigger back, or lets it go on.
pub(crate) fn pause(
    engine: &Engine,
    name: &str,
    paused: bool,
    gate: &Gate,
    principal: &str,
) -> Result<(), EngineError> {
    permit_in_store(engine, gate, principal, Action::Pause)?;
    let found = known(engine, name).map_err(|error| audit::said(engine, principal, error))?;
    if found.paused.is_some() == paused {
        let words = if paused { "is paused already" } else { "is not paused" };
        let refused = Refused::new(format!("`{name}` {words}"), "`escher schedule list` says what is");
        return Err(audit::refused(engine, None, principal, refused));
    }
    let (at, who) = (engine.clock.now(), principal.to_string());
    let entry = match paused {
        true => Publication::Paused { principal: who.clone(), at },
        false => Publication::Continued { principal: who.clone(), at },
    };
    let event = AuditEvent::Held { name: name.to_string(), paused, principal: who };
    write(engine, name, entry, Vec::new(), event, at)
}

/// A signature that holds, and its statement as an object.
struct Signature {
    digest: Digest,
    bytes: Vec<u8>,
    principal: String,
    key: String,
    comment: String,
}

fn signed(
    engine: &Engine,
    what: &Publishing<'_>,
    kind: StatementKind,
    statement: &[u8],
    signature: &str,
    options: &PublishOptions,
    gate: &Gate,
) -> Result<Signature, EngineError> {
    let refuse = |refused| audit::refused(engine, None, &options.principal, refused);
    if statement.len() > MAX_SIGNATURE_FILE {
        return Err(refuse(Refused::new("the statement is too large", "sign what `--statement` writes")));
    }
    let text = String::from_utf8(statement.to_vec())
        .map_err(|_| refuse(Refused::new("the statement is not text", "sign what `--statement` writes")))?;
    let signed = Signed { statement: text, signature: signature.to_string() };
    let now = time::latest(engine, None, &options.principal, None)?;
    let store = engine.store.id();
    let accepted = accept_publication(kind, gate, what, store, &[], &signed, now).map_err(refuse)?;
    let principal = accepted.statement.principal.clone();
    if !trust::check(engine, gate, &principal, None)? {
        trust::pin(engine, &accepted.public, gate, &principal)?;
    }
    let (digest, bytes) = codec::encode(&signed)?;
    let comment = accepted.statement.comment;
    Ok(Signature { digest, bytes, principal, key: accepted.fingerprint, comment })
}

fn write(
    engine: &Engine,
    name: &str,
    entry: Publication,
    objects: Vec<(Digest, Vec<u8>)>,
    event: AuditEvent,
    at: Timestamp,
) -> Result<(), EngineError> {
    let stream = stream(name);
    let expected = engine.store.head(&stream)?;
    let append = Append { stream, expected, bytes: codec::encode(&entry)?.1 };
    let commit = Commit { objects, appends: vec![append], lease: None };
    audit::commit(&*engine.store, &mut End::default(), commit, vec![(at, event)]).map(drop)
}
