//! `escher explain`: a diagnostic code's page, or why a playbook has its risk.

use serde_json::json;

use crate::args::Format;
use crate::failure::Failure;
use crate::render::{line_column, risk_word};
use crate::source::Found;
use crate::{output, source};

pub(crate) fn explain(what: &str, playbook: Option<&str>, format: Format) -> Result<u8, Failure> {
    if what == "risk" {
        let playbook = playbook.ok_or_else(|| Failure::usage("`explain risk` needs a FILE[:PLAYBOOK]"))?;
        return risk(playbook, format);
    }
    match escher_core::pages::page(what) {
        Some(page) => {
            output::line(page.trim_end());
            Ok(0)
        }
        None => Err(Failure::usage(format!("there is no diagnostic `{what}`"))
            .help("codes look like E0402; `escher check` shows them")),
    }
}

fn risk(text: &str, format: Format) -> Result<u8, Failure> {
    let (path, checked, program) = match source::item(text, format)? {
        (path, Found::Playbook(checked, program)) => (path, checked, program),
        (_, Found::Standing(standing)) => {
            let (within, own) = (&standing.within, &standing.program.playbook);
            let words = format!("`{}` is of risk {}", standing.name, risk_word(own.risk));
            return Err(Failure::usage(words).help(format!(
                "its playbook `{}` is of risk {}: explain that",
                own.name,
                risk_word(within.risk)
            )));
        }
    };
    let source_text = source::read(&path)?;
    let witnesses: Vec<_> = checked.witnesses.iter().map(|w| (w, line_column(&source_text, w.span.start))).collect();
    if format == Format::Json {
        let calls: Vec<_> = witnesses
            .iter()
            .map(|(w, (line, column))| {
                json!({
                    "operation": w.operation, "step": w.step, "risk": risk_word(w.risk), "with_fan_out": risk_word(w.raised),
                    "bound": w.bound, "effects": w.effects, "via": w.via, "line": line, "column": column,
                })
            })
            .collect();
        output::json(&json!({
            "schema": "escher.risk/1", "playbook": checked.name, "risk": risk_word(program.playbook.risk), "calls": calls,
        }));
        return Ok(0);
    }
    output::line(&format!("{} is of risk {}.", checked.name, output::bold(risk_word(program.playbook.risk))));
    if witnesses.is_empty() {
        output::line("It changes nothing.");
    }
    let mut table = crate::render::table(["where", "step", "through", "operation", "one call", "up to", "so it is"]);
    for (w, (line, column)) in witnesses {
        table.add_row([
            format!("{}:{line}:{column}", path.display()),
            w.step.clone(),
            w.via.join(" > "),
            w.operation.clone(),
            risk_word(w.risk).to_string(),
            if w.bound == u64::MAX { "unbounded".into() } else { w.bound.to_string() },
            risk_word(w.raised).to_string(),
        ]);
    }
    if !checked.witnesses.is_empty() {
        output::line(&table.to_string());
    }
    Ok(0)
}
