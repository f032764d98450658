//! Operations, found by what people mean.
//!
//! Names alone are searched: those of operations and of services. They stand in a file of their own (`names.zst`, about
//! 200 kB), so that a question does not unpack every service. A test holds the file in step with the catalogue.

mod index;
mod rank;
mod synonyms;
mod words;

pub use index::{Index, names_text, pack};

/// An operation that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Its full name, such as `aws.ec2.stop_instances`.
    pub operation: String,
    /// How well it fits; compares within one answer only.
    pub score: f32,
}
