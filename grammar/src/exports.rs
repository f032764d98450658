//! The grammar in other notations, as committed; a test holds them to the pest file. Does not make them: see `export`.

/// For people: W3C EBNF.
pub const EBNF: &str = include_str!("../exports/escher.ebnf");
/// For Python's Lark (Earley).
pub const LARK: &str = include_str!("../exports/escher.lark");
/// For llama.cpp: holds a language model to the grammar while it writes.
pub const GBNF: &str = include_str!("../exports/escher.gbnf");
