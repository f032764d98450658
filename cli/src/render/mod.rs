//! Data for people: tables, diagnostics, progress. Decides nothing.

pub(crate) mod diagnostics;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod run;

use comfy_table::{ContentArrangement, Table, presets};
use escher_catalog::Risk;
use escher_ir::plan::Replaced;

use crate::output;

/// Answers replaced by `catch` that are listed.
const REPLACED: usize = 20;

/// A table with these columns: borders on terminals, plain columns elsewhere.
pub(crate) fn table<const N: usize>(columns: [&str; N]) -> Table {
    let mut table = Table::new();
    if output::is_terminal() {
        table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.load_style(presets::NOTHING);
    }
    table.set_header(columns);
    table
}

/// Lists the answers that `catch` replaced.
pub(crate) fn print_replaced(replaced: &[Replaced]) {
    for Replaced { path, kind, code } in replaced.iter().take(REPLACED) {
        let code = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        output::line(&format!("  `catch` stands for the answer of {path}: {kind}{code}"));
    }
    if replaced.len() > REPLACED {
        output::line(&format!("  … and for {} more: `--format json` lists them", replaced.len() - REPLACED));
    }
}

/// The word of the language for a level.
pub(crate) fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::Read => "read",
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

/// Line and column of a byte offset, from 1; columns count characters.
pub(crate) fn line_column(text: &str, offset: u32) -> (usize, usize) {
    let offset = (offset as usize).min(text.len());
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
