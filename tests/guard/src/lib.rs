//! What the project promises about itself, checked by a machine: which crate may know which, whose licence comes in, why
//! a dependency is here, and what never belongs in a commit.
//!
//! Each check is a function from plain data to a list of violations, in words that say what to do. The functions are
//! tested on planted violations beside their code, and run on the repository itself in `tests/repository.rs`.

pub mod edges;
pub mod licences;
pub mod manifests;
pub mod repository;
pub mod texts;
