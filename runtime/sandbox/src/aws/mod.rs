//! The AWS side of the practice cloud: credentials, dispatch, and one function per operation.
//!
//! An operation is `fn(&Value, &mut World, &mut Call) -> Result<Value, ApiError>`: it never sees a form, XML or HTTP.
//! Signatures must be there and well formed, and their scope says service and region; their cryptography is *not* checked,
//! because any key is welcome in a practice cloud.

pub(crate) mod auth;
pub(crate) mod call;
pub(crate) mod ec2;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod paging;
pub(crate) mod state;
pub(crate) mod sts;

use crate::protocol::Value;
use crate::world::World;
use call::Call;
use error::ApiError;

/// One operation.
pub(crate) type Handler = fn(&Value, &mut World, &mut Call<'_>) -> Result<Value, ApiError>;

/// The operation of a service (its signing name), where the practice cloud has it.
pub(crate) fn handler(service: &str, operation: &str) -> Option<Handler> {
    let table = operations(service);
    table.iter().find(|(name, _)| *name == operation).map(|(_, handler)| *handler)
}

/// All operations that a service has here.
pub(crate) fn operations(service: &str) -> &'static [(&'static str, Handler)] {
    match service {
        "ec2" => ec2::OPERATIONS,
        "sts" => sts::OPERATIONS,
        _ => &[],
    }
}
