//! The root of trust: signers, roles and the solo flag hold only as the store's root key has them.
//!
//! The first entry pins the key; every later one is signed under it, for this store, with the next number. Where nobody
//! pinned one before, the first approver's key becomes the root. Who owns the machine can rewrite all of it: on one
//! laptop this is evidence (`escher audit checkpoint` kept elsewhere shows it), not enforcement.

use escher_ir::audit::{AuditEvent, AuditSegment};
use escher_ir::statement::Signed;
use escher_ir::trust::{TRUST_NAMESPACE, TrustEntry, TrustSettings, TrustStatement};
use escher_ir::{Digest, codec};
use jiff::Timestamp;
use ssh_key::{HashAlg, PublicKey, SshSig};

use super::{Gate, SigningKey, keys};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::store::{Append, Commit, Head, StateStore, StoreError};

/// The stream of entries of trust.
pub(crate) const STREAM: &str = "trust";

/// What holds in a store.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    head: Head,
    number: u64,
    root: String,
    settings: TrustSettings,
}

/// What pinning or signing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustReport {
    /// Fingerprint of the root key.
    pub root: String,
    /// Number of the entry that holds now, from 0.
    pub number: u64,
    /// Digest of the settings that hold now.
    pub settings: Digest,
}

fn broken(reason: impl Into<String>) -> EngineError {
    StoreError::Damaged { what: "the root of trust".into(), reason: reason.into() }.into()
}

fn public(line: &str) -> Result<PublicKey, EngineError> {
    PublicKey::from_openssh(line).map_err(|e| EngineError::Key(format!("no SSH public key ({e})")))
}

/// Algorithm and key of a public key line, without its comment.
fn bare(key: &PublicKey) -> Result<String, EngineError> {
    PublicKey::new(key.key_data().clone(), "").to_openssh().map_err(|e| EngineError::Key(e.to_string()))
}

fn fingerprint(root: &str) -> Result<String, EngineError> {
    Ok(public(root)?.fingerprint(HashAlg::Sha256).to_string())
}

/// What holds, with every signature checked; none where no root key is pinned yet.
pub(crate) fn load(store: &dyn StateStore) -> Result<Option<Trust>, EngineError> {
    let mut head = Head::EMPTY;
    let mut trust: Option<Trust> = None;
    for segment in store.read(STREAM, 0)? {
        if segment.head != head.after(&segment.bytes) {
            return Err(broken(format!("entry {} was changed", head.count)));
        }
        head = segment.head;
        let (_, entry): (_, TrustEntry) = codec::decode(&segment.bytes)?;
        let expected = trust.as_ref().map_or(0, |t| t.number + 1);
        if entry.number != expected || trust.as_ref().is_some_and(|t| t.root != entry.root) {
            return Err(broken(format!("entry {expected} is not the one that belongs there")));
        }
        match &entry.signed {
            Some(signed) => verify(store, &entry, signed).map_err(broken)?,
            None if expected == 0 => {}
            None => return Err(broken(format!("entry {expected} is not signed"))),
        }
        trust = Some(Trust { head, number: entry.number, root: entry.root, settings: entry.settings });
    }
    if store.head(STREAM)? != head {
        return Err(broken("entries are missing at the end"));
    }
    first_record(store, trust.as_ref())?;
    Ok(trust)
}

/// Where the audit log begins with a root key, it is this one.
fn first_record(store: &dyn StateStore, trust: Option<&Trust>) -> Result<(), EngineError> {
    let Some(first) = store.read_one(audit::STREAM, 0)? else {
        return if trust.is_none() { Ok(()) } else { Err(broken("the audit log has no beginning")) };
    };
    let (_, first): (_, AuditSegment) = codec::decode(&first.bytes)?;
    match first.entries.first().map(|entry| &entry.event) {
        Some(AuditEvent::Rooted { root, .. }) if trust.is_none_or(|trust| *root != trust.root) => {
            Err(broken("the first audit record pins another root key"))
        }
        _ => Ok(()),
    }
}

fn verify(store: &dyn StateStore, entry: &TrustEntry, signed: &Signed) -> Result<(), String> {
    let number = entry.number;
    let statement: TrustStatement = serde_json::from_str(&signed.statement)
        .map_err(|_| format!("the statement of entry {number} cannot be read"))?;
    let settings = codec::digest(&entry.settings).map_err(|e| e.to_string())?;
    let says = statement.to_bytes() == signed.statement.as_bytes()
        && statement.schema == "escher.trust/1"
        && statement.number == number
        && statement.settings == settings
        && statement.store == store.id();
    if !says {
        return Err(format!("the statement of entry {number} is for something else"));
    }
    let signature = SshSig::from_pem(&signed.signature).map_err(|e| format!("entry {number}: {e}"))?;
    let root = PublicKey::from_openssh(&entry.root).map_err(|e| format!("the root key of entry {number}: {e}"))?;
    if signature.public_key() != root.key_data() {
        return Err(format!("entry {number} is signed with another key than the root key"));
    }
    keys::check_signature(&signature, TRUST_NAMESPACE, signed.statement.as_bytes())
        .map_err(|why| format!("entry {number}: {why}"))
}

/// What holds, in short.
pub(crate) fn report(engine: &Engine) -> Result<Option<TrustReport>, EngineError> {
    let Some(trust) = load(&*engine.store)? else { return Ok(None) };
    let settings = codec::digest(&trust.settings)?;
    Ok(Some(TrustReport { root: fingerprint(&trust.root)?, number: trust.number, settings }))
}

/// Whether the settings at hand are those that hold.
pub(crate) fn holds(engine: &Engine, gate: &Gate) -> Result<bool, EngineError> {
    Ok(load(&*engine.store)?.is_some_and(|trust| trust.settings == gate.trust()))
}

/// Refuses where the settings at hand are not those that the root key signed; the refusal is audited.
pub(crate) fn check(engine: &Engine, gate: &Gate, principal: &str, run: Option<&str>) -> Result<bool, EngineError> {
    let found = load(&*engine.store).map_err(|error| audit::tampered(engine, run, principal, error))?;
    let Some(trust) = found else { return Ok(false) };
    let here = gate.trust();
    let Some(what) = difference(&trust.settings, &here) else { return Ok(true) };
    let root = fingerprint(&trust.root)?;
    let help = format!("put it back, or sign it with the root key {root}: `escher trust sign --key KEY`");
    let refused = Refused::new(format!("{what} than the root key has signed"), help);
    Err(audit::refused(engine, run, principal, refused))
}

/// The first thing that is not as it was signed.
fn difference(signed: &TrustSettings, here: &TrustSettings) -> Option<String> {
    if signed.signers != here.signers {
        Some("the allowed signers are others".into())
    } else if signed.solo != here.solo {
        Some("the setting `solo` is another".into())
    } else if let Some(role) =
        signed.roles.keys().chain(here.roles.keys()).find(|role| signed.roles.get(*role) != here.roles.get(*role))
    {
        Some(format!("the role `{role}` has other members"))
    } else if signed.catalog != here.catalog {
        Some("the files of `[catalog]` are others".into())
    } else if signed.policy != here.policy {
        Some("the policy is another".into())
    } else if signed.zone != here.zone {
        Some("the time zone of the policy is another".into())
    } else {
        let names = signed.freezes.keys().chain(here.freezes.keys());
        let other = |name: &&String| signed.freezes.get(*name) != here.freezes.get(*name);
        names.into_iter().find(other).map(|name| format!("the freeze `{name}` is another"))
    }
}

/// Pins a root key, with the settings that hold from here on. Once for each store.
pub(crate) fn pin(engine: &Engine, root: &str, gate: &Gate, principal: &str) -> Result<TrustReport, EngineError> {
    let key = public(root)?;
    keys::check_strength(key.key_data()).map_err(EngineError::Key)?;
    let root = bare(&key)?;
    if let Some(trust) = load(&*engine.store)? {
        let words = format!("this state has its root key already: {}", fingerprint(&trust.root)?);
        let refused = Refused::new(words, "sign the settings with that key: `escher trust sign --key KEY`");
        return Err(audit::refused(engine, None, principal, refused));
    }
    let entry = TrustEntry { number: 0, root, settings: gate.trust(), signed: None };
    write(engine, Head::EMPTY, entry, principal)
}

/// Signs the settings at hand with the root key; the first time, pins it.
pub(crate) fn sign(
    engine: &Engine,
    key: &SigningKey,
    gate: &Gate,
    principal: &str,
) -> Result<TrustReport, EngineError> {
    let statement = statement_for(engine, gate)?.to_bytes();
    let signature = key.sign_as(TRUST_NAMESPACE, &statement)?;
    add_signature(engine, &statement, &signature, gate, principal)
}

/// The statement that the root key signs for the settings at hand.
pub(crate) fn statement_for(engine: &Engine, gate: &Gate) -> Result<TrustStatement, EngineError> {
    let trust = load(&*engine.store)?;
    Ok(TrustStatement {
        number: trust.map_or(0, |t| t.number + 1),
        schema: "escher.trust/1".into(),
        settings: codec::digest(&gate.trust())?,
        signed: Timestamp::from_second(engine.clock.now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH),
        store: engine.store.id().to_string(),
    })
}

/// Records settings that were signed elsewhere.
pub(crate) fn add_signature(
    engine: &Engine,
    statement: &[u8],
    signature: &str,
    gate: &Gate,
    principal: &str,
) -> Result<TrustReport, EngineError> {
    let trust = load(&*engine.store).map_err(|error| audit::tampered(engine, None, principal, error))?;
    let refuse = |reason: String, help: &str| Err(audit::refused(engine, None, principal, Refused::new(reason, help)));
    let Ok(text) = String::from_utf8(statement.to_vec()) else {
        return refuse("the statement is not text".into(), "sign what `escher trust sign --statement FILE` writes");
    };
    let root = match (SshSig::from_pem(signature), &trust) {
        (Err(error), _) => return refuse(format!("the signature cannot be read ({error})"), "sign it again"),
        (Ok(_), Some(trust)) => trust.root.clone(),
        (Ok(signature), None) => bare(&PublicKey::new(signature.public_key().clone(), ""))?,
    };
    let signed = Signed { statement: text, signature: signature.to_string() };
    let number = trust.as_ref().map_or(0, |t| t.number + 1);
    let entry = TrustEntry { number, root, settings: gate.trust(), signed: Some(signed.clone()) };
    if let Err(reason) = verify(&*engine.store, &entry, &signed) {
        let help = match &trust {
            Some(trust) => format!("the root key is {}", fingerprint(&trust.root)?),
            None => "sign it again".into(),
        };
        return refuse(format!("these settings do not hold: {reason}"), &help);
    }
    write(engine, trust.map_or(Head::EMPTY, |t| t.head), entry, principal)
}

fn write(engine: &Engine, head: Head, entry: TrustEntry, principal: &str) -> Result<TrustReport, EngineError> {
    let (root, number) = (entry.root.clone(), entry.number);
    let (key, settings) = (fingerprint(&root)?, codec::digest(&entry.settings)?);
    let principal = principal.to_string();
    let event = match number {
        0 => AuditEvent::Rooted { root, key: key.clone(), settings, principal },
        _ => AuditEvent::Trusted { number, key: key.clone(), settings, principal },
    };
    let append = Append { stream: STREAM.into(), expected: head, bytes: codec::encode(&entry)?.1 };
    let commit = Commit { appends: vec![append], ..Commit::default() };
    audit::commit(&*engine.store, &mut End::default(), commit, vec![(engine.clock.now(), event)])?;
    Ok(TrustReport { root: key, number, settings })
}
