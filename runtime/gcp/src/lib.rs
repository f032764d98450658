//! The client of Google Cloud: generic over the catalogue, no code for one operation.
//!
//! Tokens come from Google's own `google-cloud-auth`, which covers service accounts, federation, impersonation and the
//! metadata server; a login of the gcloud CLI alone, which it does not cover, is asked of that. A project is the account of a
//! target.

mod credentials;
mod dialect;
mod errors;
mod ongoing;
mod project;

pub use dialect::{Gcp, Options};

/// A client for all of Google Cloud.
pub type Client = escher_rest::Client<Gcp>;

/// A client; `max_body` is the largest answer that is read, in bytes.
pub fn client(options: Options, max_body: Option<usize>) -> Client {
    escher_rest::Client::new(Gcp::new(options), &escher_rest::Options { max_body })
}
