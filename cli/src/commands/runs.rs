//! `escher runs`: history.

use serde_json::json;

use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::project::readable;
use crate::{output, render};

pub(crate) fn list(common: &Common, format: Format) -> Result<u8, Failure> {
    let engine = readable(common)?;
    let runs = engine.runs()?;
    if format == Format::Json {
        let runs: Vec<_> = runs
            .iter()
            .map(|r| {
                json!({
                    "run": r.run, "playbook": r.playbook, "status": r.standing.word(), "principal": r.principal,
                    "planned": r.planned.to_string(), "undo_of": r.undo_of, "owes": r.owes,
                })
            })
            .collect();
        output::json(&json!({ "schema": "escher.runs/1", "runs": runs }));
        return Ok(0);
    }
    if runs.is_empty() {
        output::note("There are no runs yet.");
        return Ok(0);
    }
    let mut table = render::table(["run", "playbook", "status", "planned", "by"]);
    for r in runs {
        let playbook = match r.undo_of {
            Some(of) => format!("{} (undo of {of})", r.playbook),
            None => r.playbook,
        };
        let mut status = r.standing.word().to_string();
        if !r.owes.is_empty() {
            status.push_str(&format!(", owes the undo of {}", r.owes.join(", ")));
        }
        table.add_row([r.run, playbook, status, format!("{:.0}", r.planned), r.principal]);
    }
    output::line(&table.to_string());
    Ok(0)
}

pub(crate) fn show(common: &Common, run: &str, format: Format) -> Result<u8, Failure> {
    let engine = readable(common)?;
    let report = engine.show(run)?;
    if format == Format::Json {
        output::json(&report.to_json());
    } else {
        render::run::print(&report);
        render::run::next(&report);
    }
    Ok(0)
}
