//! The one grammar of the Escher language, and the parser generated from it.
//!
//! Knows how the language is spelt and nothing else: trees, recovery from mistakes, layout and advice stand in
//! `escher-syntax`, meaning in `escher-core`.

pub use generated::{EscherParser, Rule};

/// What `pest_derive` writes; its code is not ours to lint.
#[allow(missing_docs, clippy::all, clippy::pedantic, clippy::restriction)]
mod generated {
    /// Parser of the rules in `escher.pest`.
    #[derive(pest_derive::Parser)]
    #[grammar = "escher.pest"]
    pub struct EscherParser;
}

/// The text of the grammar, for exports and documentation.
pub const SOURCE: &str = include_str!("../escher.pest");

/// How many rule attempts one parse may make before pest gives up, whatever the text: a backstop behind the tests that
/// show the grammar to be linear, not a limit that a real file could reach (10,000 lines take about 10 million).
pub const CALL_LIMIT: usize = 4_000_000_000;
