//! Approvals: the statement, the keys that sign it, and the gate that judges it.

mod fits;
mod gate;
mod keys;
mod policy;
mod signers;
mod statement;
pub(crate) mod trust;

pub(crate) use fits::{check, same_records};
pub use gate::Gate;
#[cfg(feature = "fuzzing")]
pub(crate) use gate::accept;
pub(crate) use gate::{Passed, Publishing, accept_publication, judge, judge_publication, required};
pub use keys::SigningKey;
pub(crate) use policy::{denial, permit, permit_in_store, permit_publishing, verdict, verdict_of_store};
#[cfg(feature = "fuzzing")]
pub(crate) use signers::Allowed;
pub use signers::AllowedSigners;
pub use statement::ApproveOptions;
pub(crate) use statement::{
    add_signature, approve, covers, held, load_signed, pass, principals, revoke, statement_for,
};
pub use trust::TrustReport;
