//! Lays out the text on standard input, or says what is wrong with it: a way to look at this crate without the CLI.

use std::io::{Read, Write};

#[allow(clippy::disallowed_methods, reason = "an example reads and writes")]
fn main() -> std::io::Result<()> {
    let mut source = String::new();
    std::io::stdin().read_to_string(&mut source)?;
    let mut out = std::io::stdout();
    match escher_syntax::format(&source) {
        Ok(text) => out.write_all(text.as_bytes()),
        Err(diagnostics) => diagnostics.iter().try_for_each(|d| {
            writeln!(out, "{}..{} {} {}", d.span.start, d.span.end, d.code, d.message)?;
            d.help.iter().try_for_each(|h| writeln!(out, "    {h}"))
        }),
    }
}
