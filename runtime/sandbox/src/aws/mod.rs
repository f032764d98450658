//! The AWS side of the practice cloud: credentials, dispatch, one function per operation of machines, rows for the rest.
//!
//! An operation is `fn(&Value, &mut World, &mut Call) -> Result<Value, ApiError>`: it never sees a form, XML or HTTP.
//! Signatures must be there and well formed, and their scope says service and region; their cryptography is *not* checked,
//! because any key is welcome in a practice cloud.

pub(crate) mod auth;
pub(crate) mod buckets;
pub(crate) mod call;
pub(crate) mod ec2;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod paging;
pub(crate) mod state;
pub(crate) mod sts;
pub(crate) mod table;

use crate::protocol::Value;
use crate::world::World;
use call::Call;
use error::ApiError;

/// One operation.
pub(crate) type Handler = fn(&Value, &mut World, &mut Call<'_>) -> Result<Value, ApiError>;

/// What serves an operation.
pub(crate) enum Serve {
    Own(Handler),
    Row(&'static table::Op),
}

impl Serve {
    pub(crate) fn serve(&self, input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
        match self {
            Serve::Own(handler) => handler(input, world, call),
            Serve::Row(row) => row.serve(input, world, call),
        }
    }
}

/// The operation of a service (its name in the catalogue), where the practice cloud has it.
pub(crate) fn handler(service: &str, operation: &str) -> Option<Serve> {
    let own = operations(service).iter().find(|(name, _)| *name == operation).map(|(_, handler)| Serve::Own(*handler));
    own.or_else(|| table::operations(service).iter().find(|op| op.name == operation).map(Serve::Row))
}

/// The operations of a service that have a function of their own.
pub(crate) fn operations(service: &str) -> &'static [(&'static str, Handler)] {
    match service {
        "ec2" => ec2::OPERATIONS,
        "sts" => sts::OPERATIONS,
        _ => &[],
    }
}
