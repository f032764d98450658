//! The way from text to tree: the strict grammar where the file is right.

use escher_grammar::{EscherParser, Rule};
use pest::Parser;

use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::tree::{SyntaxTree, TreeBuilder};

/// The tree of a text, and what is wrong with its form.
pub(crate) fn tree(source: &str) -> (SyntaxTree, Vec<Diagnostic>) {
    let mut builder = TreeBuilder::new(source);
    let mut diagnostics = Vec::new();
    match EscherParser::parse(Rule::file, source) {
        Ok(pairs) => builder.pairs(pairs, 0),
        Err(e) => {
            let at = match e.location {
                pest::error::InputLocation::Pos(p) | pest::error::InputLocation::Span((p, _)) => p,
            };
            diagnostics.push(Diagnostic::error("E0101", Span::new(at, at), format!("{}", e)));
        }
    }
    (builder.finish(), diagnostics)
}
