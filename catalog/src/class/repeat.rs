//! Whether an operation may be sent again when its answer was lost.
//!
//! Conservative: a verb is idempotent here only if the second call ends in the state that the first one left. This module
//! does *not* find read-backs; a `probe` is the playbook's or the engine's.

use super::Verdict;
use crate::codec::{Chunk, Facts};
use crate::model::{Effect, Operation, Repeat, ShapeKind};

/// Members that recognise a repeated request though the model gives them no trait.
const TOKENS: &[&str] = &["client_token", "client_request_token", "idempotency_token", "creation_token"];

/// Verbs whose second call changes nothing more.
///
/// `update` and `modify` carry absolute values; `reboot`, `create`, `add`, `send`, `rotate`, `increase` do not belong here.
const IDEMPOTENT: &[&str] = &[
    "activate",
    "associate",
    "attach",
    "authorize",
    "cancel",
    "configure",
    "deactivate",
    "deallocate",
    "delete",
    "deregister",
    "destroy",
    "detach",
    "disable",
    "disassociate",
    "dissociate",
    "enable",
    "grant",
    "lock",
    "modify",
    "pause",
    "power",
    "put",
    "release",
    "remove",
    "replace",
    "resume",
    "revoke",
    "set",
    "stop",
    "suspend",
    "tag",
    "terminate",
    "unassign",
    "unlock",
    "unsubscribe",
    "untag",
    "update",
];

/// Nouns after which `put` or `update` makes one more of something, or `put` appends.
const NOT_TWICE: &[&str] = &[
    "execution",
    "job",
    "jobs",
    "query",
    "build",
    "batch",
    "run",
    "task",
    "tasks",
    "session",
    "records",
    "record",
    "events",
    "event",
    "message",
    "messages",
    "deployment",
    "pipeline",
    "workflow",
    "assessment",
    "import",
    "export",
    "backup",
    "transaction",
    "logs",
    "data",
    "call",
    "refresh",
    "migration",
    "recommendation",
    "simulation",
    "crawler",
    "scan",
];

/// What runs or stands: starting it again does nothing. To start anything else is to begin one more.
const STANDING: &[&str] = &[
    "application",
    "canary",
    "channel",
    "cluster",
    "database",
    "encryption",
    "fleet",
    "gateway",
    "graph",
    "input",
    "instance",
    "instances",
    "logging",
    "multiplex",
    "node",
    "output",
    "pipe",
    "pool",
    "recorder",
    "schedule",
    "scheduler",
    "server",
    "streams",
    "workspaces",
];

/// How `operation` may be repeated.
pub(super) fn repeat(
    chunk: &Chunk,
    operation: &Operation,
    words: &[&str],
    verdict: &Verdict,
    reads: bool,
    facts: &Facts,
    rest: bool,
) -> Repeat {
    if reads {
        return Repeat::Read;
    }
    if let Some(member) = token(chunk, operation) {
        return Repeat::Token(member);
    }
    // A value that is handed out once is lost with the answer; code that ran has run.
    if verdict.effects.iter().any(|e| matches!(e, Effect::Reveal | Effect::Exec)) {
        return Repeat::Unsafe;
    }
    // Outside of AWS, PUT and PATCH carry the state that is wanted, and what was deleted stays so.
    let wanted = rest && matches!(&*operation.method, "PUT" | "PATCH" | "DELETE");
    if facts.idempotent || wanted {
        return Repeat::Idempotent;
    }
    let Some(verb) = super::verbs::verb(words) else { return Repeat::Unsafe };
    if verb == "start" {
        let stands = words.last().is_some_and(|last| STANDING.contains(last));
        return if stands { Repeat::Idempotent } else { Repeat::Unsafe };
    }
    let begins = matches!(verb, "put" | "cancel" | "update" | "set" | "resume");
    if begins && words.iter().any(|w| NOT_TWICE.contains(w)) {
        return if operation.method.as_ref() == "PUT" { Repeat::Idempotent } else { Repeat::Unsafe };
    }
    let creates = verb == "create" && matches!(words, [_, "tags" | "tag"]);
    if creates || IDEMPOTENT.contains(&verb) || matches!(words, ["add" | "create", .., "tags"] | ["change", "tags", ..])
    {
        Repeat::Idempotent
    } else {
        Repeat::Unsafe
    }
}

/// The input member that recognises a repeated request: by trait, else by name.
fn token(chunk: &Chunk, operation: &Operation) -> Option<std::sync::Arc<str>> {
    let input = chunk.shape(operation.input?)?;
    let members = input.members();
    let is_text = |id| chunk.shape(id).is_some_and(|s| matches!(s.kind, ShapeKind::String { .. }));
    let found = members
        .iter()
        .find(|m| m.idempotency_token)
        .or_else(|| members.iter().find(|m| TOKENS.contains(&&*m.name) && is_text(m.shape)))?;
    Some(std::sync::Arc::clone(&found.official))
}
