//! `escher audit`: the hash chain, shown or verified.

use std::path::Path;

use escher_engine::Checkpoint;
use escher_ir::statement::Signed;
use serde_json::{Value, json};

use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::project::readable;
use crate::{output, render};

pub(crate) fn show(common: &Common, format: Format) -> Result<u8, Failure> {
    let engine = readable(common)?;
    let entries = engine.audit(0)?;
    if (0u64..).zip(&entries).any(|(number, entry)| number != entry.number) {
        output::note("The audit log is not whole: `escher audit verify` says where.");
    }
    let shown: Vec<Value> = entries
        .iter()
        .map(
            |e| json!({ "number": e.number, "at": e.at.to_string(), "before": e.before.to_string(), "event": e.event }),
        )
        .collect();
    if format == Format::Json {
        output::json(&json!({ "schema": "escher.audit/1", "entries": shown }));
        return Ok(0);
    }
    let mut table = render::table(["n", "at", "what", "run", "details"]);
    for (entry, json) in entries.iter().zip(&shown) {
        let event = json.get("event").and_then(Value::as_object).and_then(|o| o.iter().next());
        let Some((what, details)) = event else { continue };
        let text = |key: &str| details.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
        let rest: Vec<String> = details
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(k, v)| *k != "run" && !v.is_null() && !v.to_string().starts_with("\"sha256:"))
            .map(|(k, v)| match v {
                Value::Array(items) if items.len() > 3 => format!("{} {k}", items.len()),
                Value::String(text) => format!("{k} {text}"),
                other => format!("{k} {other}"),
            })
            .collect();
        table.add_row([
            entry.number.to_string(),
            format!("{:.0}", entry.at),
            what.replace('_', " "),
            text("run"),
            rest.join(", "),
        ]);
    }
    output::line(&table.to_string());
    Ok(0)
}

/// Writes the approvals of a run as `ssh-keygen` takes them.
pub(crate) fn export(common: &Common, run: &str, to: &Path, format: Format) -> Result<u8, Failure> {
    let engine = readable(common)?;
    let failed = |e: std::io::Error| Failure::failed(format!("cannot write into {}: {e}", to.display()));
    std::fs::create_dir_all(to).map_err(failed)?;
    let mut files = Vec::new();
    for (digest, signed) in engine.signed(run)? {
        let file = to.join(format!("{}.json", digest.short()));
        write_signed(&file, &signed)?;
        files.push(file);
    }
    if format == Format::Json {
        output::json(&json!({ "schema": "escher.approvals/1", "run": run, "statements": files }));
        return Ok(0);
    }
    if files.is_empty() {
        output::note(&format!("Run {run} has no approvals."));
    }
    for file in files {
        let shown = file.display();
        output::line(&format!(
            "ssh-keygen -Y verify -f allowed_signers -I PRINCIPAL -n escher-approval -s {shown}.sig < {shown}"
        ));
    }
    Ok(0)
}

/// A statement, and its signature beside it.
pub(crate) fn write_signed(file: &Path, signed: &Signed) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("cannot write {}: {e}", file.display()));
    std::fs::write(file, &signed.statement).map_err(failed)?;
    let mut beside = file.as_os_str().to_os_string();
    beside.push(".sig");
    std::fs::write(beside, &signed.signature).map_err(failed)
}

/// Prints how far the log goes: one object, whatever the format.
pub(crate) fn checkpoint(common: &Common) -> Result<u8, Failure> {
    let checkpoint = readable(common)?.audit_checkpoint()?;
    output::json(&serde_json::to_value(checkpoint).map_err(|e| Failure::failed(e.to_string()))?);
    Ok(0)
}

pub(crate) fn verify(common: &Common, checkpoint: Option<&Path>, format: Format) -> Result<u8, Failure> {
    let engine = readable(common)?;
    let verdict = match checkpoint {
        Some(path) => {
            let kept: Checkpoint = serde_json::from_slice(&super::approve::bytes(path)?)
                .map_err(|e| Failure::usage(format!("{} is no checkpoint: {e}", path.display())))?;
            engine.verify_audit_against(&kept)?
        }
        None => engine.verify_audit()?,
    };
    let whole = verdict.problems.is_empty();
    if format == Format::Json {
        let problems: Vec<_> =
            verdict.problems.iter().map(|p| json!({ "at": p.at, "entry": p.entry, "reason": p.reason })).collect();
        output::json(&json!({
            "schema": "escher.audit_verdict/1", "entries": verdict.entries, "whole": whole, "problems": problems,
        }));
    } else if whole {
        output::note(&format!("The audit log is whole: {} entries.", verdict.entries));
    } else {
        for problem in &verdict.problems {
            output::line(&format!("{}: {}", problem.at, problem.reason));
        }
        output::note(&format!("The audit log is not whole: {} problems.", verdict.problems.len()));
    }
    Ok(if whole { 0 } else { 1 })
}
