//! Approvals: the statement, the keys that sign it, and the gate that judges it.

mod fits;
mod gate;
mod keys;
mod signers;
mod statement;
pub(crate) mod trust;

pub(crate) use fits::check;
pub use gate::Gate;
#[cfg(feature = "fuzzing")]
pub(crate) use gate::accept;
pub(crate) use gate::{Passed, judge, required};
pub use keys::SigningKey;
#[cfg(feature = "fuzzing")]
pub(crate) use signers::Allowed;
pub use signers::AllowedSigners;
pub use statement::ApproveOptions;
pub(crate) use statement::{
    add_signature, approvals_of, approve, held, load_signed, pass, principals, revoke, statement_for,
};
pub use trust::TrustReport;
