//! `escher fix`: the certain repairs, applied until there are none left.

use std::path::{Path, PathBuf};

use escher_core::{Diagnostic, Edit};

use crate::commands::check::{count, playbook_files};
use crate::commands::fmt::replace;
use crate::failure::Failure;
use crate::world::Files;
use crate::{output, source};

/// A repair may uncover another; more rounds than this would mean that two repairs undo each other.
const MAX_ROUNDS: usize = 10;

pub(crate) fn fix(paths: &[PathBuf]) -> Result<u8, Failure> {
    let (mut repairs, mut left) = (0, 0);
    for path in playbook_files(paths)? {
        let original = source::read(&path)?;
        let files = Files::around(&path)?;
        let mut text = original.clone();
        for _ in 0..MAX_ROUNDS {
            let found = told(&files, &path, &text);
            let (next, applied) = apply(&text, &found);
            if applied == 0 {
                break;
            }
            repairs += applied;
            text = next;
        }
        left += told(&files, &path, &text).len();
        if text != original {
            replace(&path, &text)?;
            output::note(&format!("repaired {}", path.display()));
        }
    }
    output::note(&format!("{} applied, {} left", count(repairs, "repair"), count(left, "diagnostic")));
    Ok(u8::from(left > 0))
}

/// What there is to say of a file, as one of its project.
fn told(files: &Files, path: &Path, text: &str) -> Vec<Diagnostic> {
    let checked = escher_core::check_files(files, vec![files.entry(path, text)]);
    checked.into_iter().next().map(|f| f.checked.diagnostics.clone()).unwrap_or_default()
}

/// Applies the first repair of each diagnostic, from the end to the start; one that overlaps another waits a round.
fn apply(text: &str, found: &[Diagnostic]) -> (String, usize) {
    let mut fixes: Vec<&[Edit]> = found.iter().filter_map(|d| d.fixes.first()).map(|f| f.edits.as_slice()).collect();
    fixes.retain(|edits| !edits.is_empty());
    fixes.sort_by_key(|edits| std::cmp::Reverse(edits.iter().map(|e| e.span.end).max()));
    let mut out = text.to_string();
    let mut free_until = u32::MAX;
    let mut applied = 0;
    for edits in fixes {
        if edits.iter().any(|e| e.span.end > free_until) {
            continue;
        }
        let mut edits: Vec<&Edit> = edits.iter().collect();
        edits.sort_by_key(|e| std::cmp::Reverse(e.span.start));
        for edit in edits {
            let range = edit.span.start as usize..edit.span.end as usize;
            if out.get(range.clone()).is_some() {
                out.replace_range(range, &edit.text);
                free_until = free_until.min(edit.span.start);
            }
        }
        applied += 1;
    }
    (out, applied)
}
