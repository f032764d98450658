//! The generic AWS client: protocols, signatures, paging and waiting, all driven by the catalogue.
//!
//! No operation has code of its own; where one needs special treatment it is a row of a table with a reason (`endpoint`,
//! `errors`, `wire`). Made with [`Client::new`]; everything else goes through the traits of `escher-provider`.

mod answer;
mod cbor;
mod choice;
mod client;
#[cfg(test)]
mod conformance;
mod endpoint;
mod errors;
#[cfg(test)]
mod everything;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod home;
#[cfg(test)]
mod hostile;
mod http;
mod identity;
mod json;
mod paging;
mod path;
mod read;
mod request;
mod schema;
mod send;
mod sign;
mod texts;
mod waiter;
mod wire;
mod write;
mod xml;

pub use client::{Client, Options};
pub use errors::kind_of;
pub use http::MAX_BODY;
pub use paging::MAX_PAGES;
