//! A run for people: a table of outcomes, what went wrong, what the playbook reports, how to go on.

use escher_engine::{OUTCOMES, ReportPart, RunReport, Standing, outcome_word};
use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::{Value, json};

use crate::output;

/// How many items that did not work are listed.
const LISTED: usize = 50;

/// Prints a run.
pub(crate) fn print(report: &RunReport) {
    for part in &report.report {
        print_part(part);
    }
    let mut header = vec!["step"];
    header.extend(OUTCOMES.iter().map(|(_, word)| *word));
    let mut table = super::table(["step"]);
    table.set_header(header);
    for step in &report.steps {
        let counts = OUTCOMES.iter().map(|(o, _)| step.counts.get(o).copied().unwrap_or(0).to_string());
        table.add_row(std::iter::once(step.name.clone()).chain(counts).collect::<Vec<_>>());
    }
    if !report.steps.is_empty() {
        output::line(&table.to_string());
    }
    let troubled = |o: Outcome| !matches!(o, Outcome::Done | Outcome::Unchanged);
    let bad: Vec<_> = report.items.iter().filter(|i| troubled(i.outcome)).collect();
    for item in bad.iter().take(LISTED) {
        let request = item.request_id.as_ref().map(|r| format!(" (request {r})")).unwrap_or_default();
        let why = item.reason.as_deref().unwrap_or_default();
        output::line(&format!("  {} {}: {} {why}{request}", item.step, item.item.id, outcome_word(item.outcome)));
    }
    if bad.len() > LISTED {
        output::line(&format!("  … and {} more: `escher runs show {} --format json`", bad.len() - LISTED, report.run));
    }
    super::print_replaced(&report.replaced);
    let what = match &report.undo_of {
        Some(of) => format!("Run {} (undo of {of})", report.run),
        None => format!("Run {}", report.run),
    };
    // How to go on with a cancelled run is said once, below.
    let cancelled = report.standing == Standing::Status(RunStatus::Cancelled);
    let message = report.message.as_ref().filter(|_| !cancelled).map(|m| format!(": {m}")).unwrap_or_default();
    output::line(&format!("{} of {} {}{message}", output::bold(&what), report.playbook, ended(report.standing)));
    if let Some(rest) = &report.waiting {
        super::plan::print(rest);
    }
}

fn ended(standing: Standing) -> &'static str {
    match standing {
        Standing::Interrupted => "was interrupted",
        Standing::Status(RunStatus::Planned) => "has not begun",
        Standing::Status(RunStatus::Running) => "is running",
        Standing::Status(RunStatus::WaitingForApproval) => "waits for the approval of the rest",
        Standing::Status(RunStatus::Done) => "is done",
        Standing::Status(RunStatus::DoneWithFailures) => "is done, with failures within its tolerance",
        Standing::Status(RunStatus::Failed) => "failed",
        Standing::Status(RunStatus::Cancelled) => "was cancelled",
    }
}

/// Says how to go on.
pub(crate) fn next(report: &RunReport) {
    let run = &report.run;
    match report.standing {
        Standing::Interrupted | Standing::Status(RunStatus::Cancelled) => {
            output::note(&format!("Go on with it: escher resume {run}"));
        }
        Standing::Status(RunStatus::WaitingForApproval) => {
            output::note(&format!("Approve it: escher approve {run} --key KEY"));
            output::note(&format!("Go on then: escher resume {run}"));
        }
        Standing::Status(RunStatus::Done | RunStatus::DoneWithFailures | RunStatus::Failed)
            if report.undo_of.is_none() && report.items.iter().any(|i| i.outcome == Outcome::Done) =>
        {
            output::note(&format!("Take it back:  escher undo {run}"));
        }
        _ => {}
    }
}

fn print_part(part: &ReportPart) {
    if let Some(title) = &part.title {
        output::line(&output::bold(title));
    }
    print_value(&part.value);
    output::line("");
}

/// Prints a value of a report, or of what approvers are shown.
pub(crate) fn print_value(value: &Value) {
    match value {
        Value::List(parts) => parts.iter().for_each(print_value),
        Value::Record(record) => match (record.get("columns"), record.get("rows")) {
            (Some(Value::List(columns)), Some(Value::List(rows))) => print_table(columns, rows),
            _ => output::line(&json::to_text(value)),
        },
        other => output::line(&json::to_text(other)),
    }
}

fn print_table(columns: &[Value], rows: &[Value]) {
    let mut table = super::table([""]);
    if columns.is_empty() {
        // Without columns: those of the first row.
        let names: Vec<String> = match rows.first() {
            Some(Value::Record(first)) => first.members.iter().map(|(n, _)| n.to_string()).collect(),
            _ => vec!["value".into()],
        };
        table.set_header(names.clone());
        for row in rows {
            table.add_row(match row {
                Value::Record(record) => {
                    names.iter().map(|n| record.get(n).map_or(String::new(), json::to_text)).collect()
                }
                other => vec![json::to_text(other)],
            });
        }
    } else {
        table.set_header(columns.iter().map(json::to_text).collect::<Vec<_>>());
        for row in rows {
            let cells = row.as_list().unwrap_or_default();
            table.add_row(cells.iter().map(cell).collect::<Vec<_>>());
        }
    }
    output::line(&table.to_string());
}

fn cell(value: &Value) -> String {
    if matches!(value, Value::None) { "-".into() } else { json::to_text(value) }
}
