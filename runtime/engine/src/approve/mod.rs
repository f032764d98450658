//! Approvals: the statement, the keys that sign it, and the gate that judges it.

mod gate;
mod keys;
mod signers;
mod statement;

pub use gate::Gate;

pub use keys::SigningKey;
pub use signers::AllowedSigners;
pub use statement::ApproveOptions;
pub(crate) use statement::{add_signature, approve, statement_for};
