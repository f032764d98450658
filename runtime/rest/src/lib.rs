//! JSON over REST, as Azure Resource Manager and Google Cloud speak it, driven by the catalogue.
//!
//! What is the same for both stands here: requests and answers by their shapes, HTTP with limits, pages, waiting for what a
//! call began. What a cloud has of its own (hosts, tokens, words for errors, how an operation is seen to have ended) is its
//! [`Dialect`]. Knows no operation, and neither cloud.

mod client;
mod dialect;
mod draft;
mod http;
mod machine;
mod ongoing;
mod paging;
mod read;
mod write;

pub use client::{Client, Options};
pub use dialect::{Dialect, Next, Step};
pub use draft::{Draft, expand};
pub use http::{Http, MAX_BODY, Place, Reply, prepare, within};
pub use machine::machine;
pub use ongoing::Ongoing;
pub use reqwest::Url;
