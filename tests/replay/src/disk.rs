//! What is read from a disk: programs, plans, journals, audit logs, catalogues.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use escher_catalog::endpoints::ParameterValue;
use escher_catalog::{Catalog, Record};
use escher_engine::Planned;
use escher_ir::audit::{AuditEntry, AuditSegment};
use escher_ir::codec::{self, Envelope, Stored};
use escher_ir::journal::{Segment, StoredValue};
use escher_ir::operation::StoredRecord;
use escher_ir::plan::Plan;
use escher_ir::program::Program;
use escher_ir::statement::Signed;
use escher_ir::{Digest, Value, json};

use crate::{kind, packs};

/// Programs, plans and operations: the kinds 0, 1, 2. Greater by 8: with their envelope.
pub fn ir(data: &[u8]) {
    let (kind, bytes) = kind(data);
    let bare = kind < 8;
    match kind % 8 {
        0 => drop(stored::<Program>(bytes, bare)),
        1 => {
            if let Some(plan) = stored::<Plan>(bytes, bare) {
                let _ = plan.blast_radius();
                shown(plan);
            }
        }
        _ => drop(stored::<StoredRecord>(bytes, bare)),
    }
}

/// Segments of journals and audit logs, audit entries, values and approvals: the kinds 0 to 4, and with an envelope.
pub fn journal(data: &[u8]) {
    let (kind, bytes) = kind(data);
    let bare = kind < 8;
    match kind % 8 {
        0 => drop(stored::<Segment>(bytes, bare)),
        1 => drop(stored::<AuditSegment>(bytes, bare)),
        2 => drop(stored::<AuditEntry>(bytes, bare).map(|entry| entry.digest())),
        3 => {
            if let Some(StoredValue(value)) = stored::<StoredValue>(bytes, bare) {
                let _ = (json::to_text(&value), json::to_json(&value).to_string(), value.has_hole());
            }
        }
        _ => drop(stored::<Signed>(bytes, bare)),
    }
}

/// What can be read has one encoding, and it is the one that was read.
fn stored<T: Stored + PartialEq + Debug>(bytes: &[u8], bare: bool) -> Option<T> {
    if !bare {
        return codec::decode::<T>(bytes).ok().map(|(_, value)| value);
    }
    // Nobody guesses a digest: bare bodies get theirs here.
    let digest = Digest::of(&format!("{}/{}", T::FORMAT, T::VERSION), bytes);
    let envelope = Envelope {
        format: T::FORMAT.to_owned(),
        version: T::VERSION,
        requires: Vec::new(),
        producer: "fuzz".to_owned(),
        digest,
        body: bytes.to_vec(),
    };
    let enveloped = serde_ipld_dagcbor::to_vec(&envelope).ok()?;
    let (found, value) = codec::decode::<T>(&enveloped).ok()?;
    assert_eq!(found, digest);
    let again = codec::canonical(&value);
    assert!(again.as_deref().is_ok_and(|again| again == bytes), "{value:?} has two encodings: {again:x?}");
    Some(value)
}

/// What people see of a plan can be made of any plan that can be read.
fn shown(plan: Plan) {
    let Some(program) = crate::seeds::program() else { return };
    let planned = Planned {
        run: "run-1".to_owned(),
        digest: plan.program,
        plan: Arc::new(plan),
        program: Arc::new(program),
        principal: "mara".to_owned(),
        began: jiff::Timestamp::UNIX_EPOCH,
        asked: None,
    };
    let _ = escher_engine::plan_json(&planned).to_string();
}

/// Catalogues (kind 0); behind their compression, chunks of services (1) and endpoint rules (2).
pub fn catalog(data: &[u8]) {
    let (kind, bytes) = kind(data);
    match kind % 4 {
        0 => opened(bytes.to_vec()),
        1 => opened(packs::write(bytes, b"")),
        _ => opened(packs::with_rules(bytes)),
    }
}

fn opened(bytes: Vec<u8>) {
    let Ok(catalog) = Catalog::from_packs([Cow::Owned(bytes)]) else { return };
    for cloud in catalog.clouds() {
        let _ = catalog.operation_count(cloud);
        for name in catalog.services(cloud).into_iter().take(4) {
            if !matches!(catalog.try_service(cloud, name), Ok(Some(_))) {
                continue;
            }
            for operation in catalog.operations(cloud, name).iter().take(20) {
                let record = catalog.record(&format!("{cloud}.{name}.{operation}"));
                record.iter().for_each(|record| record_holds(record));
            }
            let _ =
                (catalog.identity(&format!("{cloud}.{name}.Role")), catalog.waiter(&format!("{cloud}.{name}.done")));
            let region = ParameterValue::Text("eu-west-1".to_owned());
            let given = BTreeMap::from([("Region".to_owned(), region)]);
            let _ = catalog.endpoint_rules(cloud, name).map(|rules| rules.resolve(&given));
        }
    }
}

/// A record holds all that it names, and can be stored.
fn record_holds(record: &Record) {
    for shape in &record.shapes {
        shape.each_target(|id| assert!(record.shape(id).is_some(), "a shape out of range"));
    }
    assert!(escher_ir::operation::record_digest(record).is_ok());
}

/// Whether a value survives the journal. A value that the engine can't read back would end its run.
pub(crate) fn journals(value: &Value) -> bool {
    let written = codec::encode(&StoredValue(value.clone()));
    let read = written.and_then(|(_, bytes)| codec::decode::<StoredValue>(&bytes));
    read.is_ok_and(|(_, again)| again.0 == *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_what_they_claim_to_be() {
        for (target, name, bytes) in crate::seeds::all() {
            let (kind, bytes) = kind(&bytes);
            let bare = kind < 8;
            let read = match (target, kind % 8) {
                ("ir", 0) => stored::<Program>(bytes, bare).is_some(),
                ("ir", 1) => stored::<Plan>(bytes, bare).is_some(),
                ("ir", _) => stored::<StoredRecord>(bytes, bare).is_some(),
                ("journal", 0) => stored::<Segment>(bytes, bare).is_some(),
                ("journal", 1) => stored::<AuditSegment>(bytes, bare).is_some(),
                ("journal", 2) => stored::<AuditEntry>(bytes, bare).is_some(),
                ("journal", 3) => stored::<StoredValue>(bytes, bare).is_some(),
                ("journal", _) => stored::<Signed>(bytes, bare).is_some(),
                _ => true,
            };
            assert!(read, "{target} {name}");
        }
    }
}
