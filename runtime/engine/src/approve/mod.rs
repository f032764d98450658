//! Approvals: the statement, the keys that sign it, and the gate that judges it.

mod gate;
mod keys;
mod signers;
mod statement;

pub use gate::Gate;
pub(crate) use gate::{Passed, judge};
pub use keys::SigningKey;
pub use signers::AllowedSigners;
pub use statement::ApproveOptions;
pub(crate) use statement::{add_signature, approve, load_signed, pass, principals, statement_for};
