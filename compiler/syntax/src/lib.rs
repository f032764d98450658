//! Text to a lossless tree, recovery, plain syntax and the formatter.
//!
//! Knows no names, no types and no catalogue: what is written, never what it means. Never returns `Err` for a user's
//! mistake: always a value and a list of diagnostics.

pub mod ast;
mod build;
mod codes;
pub mod diagnostic;
mod layout;
pub mod limits;
mod recover;
pub mod span;
pub mod tree;

pub use diagnostic::{Diagnostic, Edit, Fix, Label, Severity};
pub use span::Span;
pub use tree::SyntaxTree;

/// What parsing a text gives: always a file, perhaps with error nodes, and what there is to say about it.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The plain syntax.
    pub file: ast::File,
    /// Lexical and syntax diagnostics, in order of their spans.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses one file. Linear in its length; never fails, never panics.
pub fn parse(source: &str) -> Parsed {
    let (tree, mut diagnostics) = recover::tree(source);
    let file = build::build(&tree, &mut diagnostics);
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    Parsed { file, diagnostics }
}

/// The lossless tree of one file: `tree(source).text() == source`, whatever the source.
pub fn tree(source: &str) -> SyntaxTree {
    recover::tree(source).0
}

/// The one layout of a text, or the diagnostics that keep it from being parsed.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    layout::format(source)
}
