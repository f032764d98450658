//! `escher fmt`: the one layout.

use std::io::Read;
use std::path::PathBuf;

use crate::commands::check::{count, playbook_files};
use crate::failure::Failure;
use crate::platform;
use crate::render::diagnostics::{self, File};
use crate::{output, source};

pub(crate) fn files(paths: &[PathBuf], check: bool) -> Result<u8, Failure> {
    let (mut changed, mut broken, mut all) = (0, 0, 0);
    for path in playbook_files(paths)? {
        all += 1;
        let text = source::read(&path)?;
        match escher_syntax::format(&text) {
            Ok(formatted) if formatted == text => {}
            Ok(_) if check => {
                changed += 1;
                output::line(&path.display().to_string());
            }
            Ok(formatted) => {
                changed += 1;
                replace(&path, &formatted)?;
            }
            Err(found) => {
                broken += 1;
                diagnostics::print(&File { path: path.display().to_string(), text: text.into(), diagnostics: found });
            }
        }
    }
    let verb = if check { "would change" } else { "changed" };
    output::note(&format!("{}, {changed} {verb}, {broken} left as they are", count(all, "file")));
    Ok(u8::from(broken > 0 || (check && changed > 0)))
}

pub(crate) fn stdin() -> Result<u8, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(source::MAX_SOURCE)
        .read_to_string(&mut text)
        .map_err(|e| Failure::usage(format!("cannot read standard input: {e}")))?;
    match escher_syntax::format(&text) {
        Ok(formatted) => {
            output::line(formatted.strip_suffix('\n').unwrap_or(&formatted));
            Ok(0)
        }
        Err(found) => {
            diagnostics::note(&File { path: "standard input".into(), text: text.into(), diagnostics: found });
            Err(Failure::told(1))
        }
    }
}

/// Replaces a file whole: a crash leaves the old text or the new one.
pub(crate) fn replace(path: &PathBuf, text: &str) -> Result<(), Failure> {
    let beside = path.with_extension("esc.new");
    let failed = |e: std::io::Error| Failure::failed(format!("cannot write {}: {e}", path.display()));
    std::fs::write(&beside, text).map_err(failed)?;
    platform::keep_permissions(path, &beside);
    std::fs::rename(&beside, path).map_err(failed)
}
