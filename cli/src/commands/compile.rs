//! `escher compile`: the IR of a playbook, alone enough for a run.

use std::path::Path;

use escher_ir::codec;

use crate::args::Format;
use crate::failure::Failure;
use crate::{output, source};

pub(crate) fn compile(playbook: &str, to: &Path) -> Result<u8, Failure> {
    let (_, checked, program) = source::playbook(playbook, Format::Human)?;
    let (digest, bytes) = codec::encode(&*program)?;
    std::fs::write(to, &bytes).map_err(|e| Failure::failed(format!("cannot write {}: {e}", to.display())))?;
    output::note(&format!("{} → {} ({} bytes)", checked.name, to.display(), bytes.len()));
    output::line(&digest.to_string());
    Ok(0)
}
