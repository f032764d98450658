//! The one grammar of the Escher language, and the parser generated from it.
//!
//! Knows how the language is spelt and nothing else: trees, recovery from mistakes, layout and advice stand in
//! `escher-syntax`, meaning in `escher-core`.

#[cfg(any(test, feature = "export"))]
pub mod export;

pub mod exports;

use std::num::NonZeroUsize;
use std::sync::Once;

use pest::Parser;
use pest::error::Error;
use pest::iterators::Pairs;

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

/// How many rule attempts one parse may make before pest gives up, whatever the text. A backstop behind the tests that
/// show the grammar to be linear: 10,000 lines take less than ten million, so no real file comes near.
const CALL_LIMIT: NonZeroUsize = NonZeroUsize::new(400_000_000).unwrap();

/// Parses a text by a rule, within the call limit. The limit is one for the whole process in pest, so it is set here
/// and nowhere else.
///
/// # Errors
/// Where the text is not what the rule says, or where it reaches a limit of pest.
pub fn parse(rule: Rule, text: &str) -> Result<Pairs<'_, Rule>, Box<Error<Rule>>> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(Some(CALL_LIMIT)));
    EscherParser::parse(rule, text).map_err(Box::new)
}
