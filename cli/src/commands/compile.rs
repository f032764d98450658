//! `escher compile`: the IR of a playbook, alone enough for a run; or of a template, a schedule, a trigger with its program.

use std::path::Path;

use escher_ir::codec;

use crate::args::Format;
use crate::failure::Failure;
use crate::source::Found;
use crate::{output, source};

pub(crate) fn compile(playbook: &str, to: &Path) -> Result<u8, Failure> {
    let (name, (digest, bytes)) = match source::item(playbook, Format::Human)?.1 {
        Found::Playbook(checked, program) => (checked.name, codec::encode(&*program)?),
        Found::Standing(standing) => (standing.name.clone(), codec::encode(&*standing)?),
    };
    std::fs::write(to, &bytes).map_err(|e| Failure::failed(format!("cannot write {}: {e}", to.display())))?;
    output::note(&format!("{name} → {} ({} bytes)", to.display(), bytes.len()));
    output::line(&digest.to_string());
    Ok(0)
}
