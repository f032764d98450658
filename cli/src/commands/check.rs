//! `escher check`: all diagnostics of all files.

use std::path::{Path, PathBuf};

use crate::args::Format;
use crate::failure::Failure;
use crate::render::diagnostics;
use crate::{output, source};

pub(crate) fn check(paths: &[PathBuf], format: Format) -> Result<u8, Failure> {
    let sources = source::sources(&playbook_files(paths)?)?;
    let playbooks = sources.files.iter().take(sources.asked).map(|s| s.checked.playbooks.len()).sum();
    let files = sources.shown();
    let errors =
        files.iter().flat_map(|f| &f.diagnostics).filter(|d| d.severity == escher_core::Severity::Error).count();
    let warnings = files.iter().map(|f| f.diagnostics.len()).sum::<usize>() - errors;
    match format {
        Format::Json => output::json(&diagnostics::json(&files)),
        Format::Sarif => output::json(&diagnostics::sarif(&files)),
        Format::Github => files.iter().for_each(|f| diagnostics::github(f)),
        Format::Human => {
            files.iter().for_each(|f| diagnostics::print(f));
            output::note(&format!(
                "{}, {}: {}, {}",
                count(files.len(), "file"),
                count(playbooks, "playbook"),
                count(errors, "error"),
                count(warnings, "warning")
            ));
        }
    }
    Ok(u8::from(errors > 0))
}

/// `1 file`, `2 files`.
pub(crate) fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// The playbook files among paths: files as given, folders searched for `.esc`, hidden folders and `target` left out.
pub(crate) fn playbook_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            search(path, &mut found, 0)?;
        } else if path.exists() {
            found.push(path.clone());
        } else {
            return Err(Failure::usage(format!("there is no {}", path.display())));
        }
    }
    if found.is_empty() {
        return Err(Failure::usage("there is no .esc file here").help("name a file, or a folder that has some"));
    }
    Ok(found)
}

/// Deepest folder that is searched.
const MAX_FOLDERS: usize = 32;

fn search(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) -> Result<(), Failure> {
    let unreadable = |e| Failure::usage(format!("cannot read {}: {e}", folder.display()));
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).map_err(unreadable)?.filter_map(Result::ok).map(|e| e.path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if entry.is_symlink() || name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if entry.is_dir() && depth < MAX_FOLDERS {
            search(&entry, found, depth + 1)?;
        } else if name.ends_with(".esc") {
            found.push(entry);
        }
    }
    Ok(())
}
