//! Playbooks from files: `FILE[:PLAYBOOK]` to a checked program.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use escher_core::{CatalogWorld, Checked, CheckedPlaybook};
use escher_ir::program::Program;

use crate::args::Format;
use crate::failure::Failure;
use crate::render;

/// Largest file that is read.
pub(crate) const MAX_SOURCE: u64 = 16 * 1024 * 1024;

/// `FILE[:PLAYBOOK]`, apart.
pub(crate) fn split(text: &str) -> (PathBuf, Option<String>) {
    if let Some((file, playbook)) = text.rsplit_once(':') {
        let is_name = !playbook.is_empty() && playbook.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name && !Path::new(text).exists() {
            return (PathBuf::from(file), Some(playbook.to_string()));
        }
    }
    (PathBuf::from(text), None)
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?;
    if metadata.len() > MAX_SOURCE {
        return Err(Failure::usage(format!("E0604: {shown} is larger than {} MiB", MAX_SOURCE >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::failed(format!("E0001: {shown} is not UTF-8 text: the byte at offset {at} is not part of a character"))
            .help("save it as UTF-8")
    })
}

/// Checks a file; its diagnostics are shown, and errors end the command.
pub(crate) fn check(path: &Path, format: Format) -> Result<Checked, Failure> {
    let text = read(path)?;
    let checked = escher_core::check(&CatalogWorld, &text);
    if !checked.diagnostics.is_empty() {
        let file = render::diagnostics::File {
            path: path.display().to_string(),
            text,
            diagnostics: checked.diagnostics.clone(),
        };
        // A script that asked for JSON gets what is wrong as JSON; a plan that follows warnings stays one document.
        if format == Format::Json && checked.has_errors() {
            crate::output::json(&render::diagnostics::json(&[file]));
        } else {
            render::diagnostics::note(&file);
        }
    }
    if checked.has_errors() { Err(Failure::told(1)) } else { Ok(checked) }
}

/// One playbook of a file, checked.
pub(crate) fn playbook(text: &str, format: Format) -> Result<(PathBuf, CheckedPlaybook, Arc<Program>), Failure> {
    let (path, wanted) = split(text);
    let checked = check(&path, format)?;
    let names: Vec<String> = checked.playbooks.iter().map(|p| p.name.clone()).collect();
    let mut found = checked.playbooks.into_iter().filter(|p| wanted.as_ref().is_none_or(|w| *w == p.name));
    let shown = path.display().to_string();
    match (found.next(), found.next()) {
        (Some(one), None) => {
            let program = one.program.clone().ok_or_else(|| Failure::told(1))?;
            Ok((path, one, Arc::new(program)))
        }
        (Some(_), Some(_)) => Err(Failure::usage(format!("{shown} has several playbooks: {}", names.join(", ")))
            .help(format!("say which: `{shown}:{}`", names.first().map_or("name", String::as_str)))),
        (None, _) => match wanted {
            Some(wanted) => Err(Failure::usage(format!("{shown} has no playbook `{wanted}`"))
                .help(format!("it has {}", if names.is_empty() { "none".into() } else { names.join(", ") }))),
            None => Err(Failure::usage(format!("{shown} has no playbook"))),
        },
    }
}
