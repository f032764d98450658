//! The client of Azure Resource Manager: generic over the catalogue, no code for one operation.
//!
//! Tokens come from `azure_identity`, by the chain that Azure's own tools have; a subscription is the account of a target.

mod certificate;
mod cloud;
mod credentials;
mod dialect;
mod errors;
mod ongoing;
mod subscription;

pub use dialect::{Azure, Options};

/// A client for all of Azure Resource Manager.
pub type Client = escher_rest::Client<Azure>;

/// A client; `max_body` is the largest answer that is read, in bytes.
pub fn client(options: Options, max_body: Option<usize>) -> Client {
    escher_rest::Client::new(Azure::new(options), &escher_rest::Options { max_body })
}
