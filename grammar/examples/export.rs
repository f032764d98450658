//! Writes the exports of the grammar into a folder.

#[allow(clippy::disallowed_methods, reason = "an example writes files")]
fn main() -> std::io::Result<()> {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_string()));
    std::fs::write(folder.join("escher.ebnf"), escher_grammar::export::ebnf())?;
    std::fs::write(folder.join("escher.lark"), escher_grammar::export::lark())?;
    std::fs::write(folder.join("escher.gbnf"), escher_grammar::export::gbnf())
}
