//! Doors for the fuzz targets (`tests/replay`), behind the feature `fuzzing`. Nobody else may use them.

use escher_ir::statement::{NAMESPACE, Signed, StatementKind};
use jiff::Timestamp;
use ssh_key::PublicKey;

use crate::approve::{Gate, accept};
use crate::error::Refused;
use crate::plan::Planned;

/// Judges one signed statement, and says who signed it.
pub fn judge(
    gate: &Gate,
    planned: &Planned,
    store: &str,
    starter: &str,
    signed: &Signed,
    now: Timestamp,
) -> Result<String, Refused> {
    accept(StatementKind::Plan, gate, planned, store, &[starter], signed, now)
        .map(|accepted| accepted.statement.principal)
}

/// Whether a key may sign for a principal.
pub fn may_sign(gate: &Gate, key: &PublicKey, principal: &str, now: Timestamp) -> bool {
    gate.signers.allows(key.key_data(), principal, NAMESPACE, now) == crate::approve::Allowed::Yes
}
