//! How deep a text may nest, so that no walk over it can overflow the stack.

/// Open brackets inside each other. People stop at eight; generated text that needs more wants a `const`.
pub const MAX_DEPTH: usize = 128;

/// Levels of the plain syntax: brackets, operators in a row, members in a row. Whoever walks an [`crate::ast::Expr`]
/// by recursion goes no deeper than this.
pub const MAX_HEIGHT: usize = 256;
