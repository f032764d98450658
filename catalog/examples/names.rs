//! Writes the names that are searched: `cargo run -p escher-catalog --example names > catalog/data/names.zst`.

#![allow(clippy::disallowed_methods, reason = "an example writes what it made")]

use std::io::Write;

fn main() -> std::io::Result<()> {
    let text = escher_catalog::search::names_text(escher_catalog::Catalog::embedded());
    let packed = escher_catalog::search::pack(&text).map_err(std::io::Error::other)?;
    std::io::stdout().write_all(&zstd::encode_all(&packed[..], 19)?)
}
