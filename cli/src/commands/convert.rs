//! `escher convert`: a command line of a cloud's own tool to a playbook.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::args::{Common, Format};
use crate::convert;
use crate::failure::Failure;
use crate::output;
use crate::project::Project;
use crate::render::diagnostics::{self, File};
use crate::render::risk_word;

/// The greatest line that is read; a shell takes no greater one either.
const LONGEST: usize = 1 << 20;

pub(crate) fn convert(common: &Common, words: &[String], to: Option<&Path>, format: Format) -> Result<u8, Failure> {
    Project::find(None, common)?;
    // One argument is a line in quotes; several were taken apart by the shell.
    let line = match words {
        [line] => line.trim().to_owned(),
        words => convert::line(words),
    };
    if line.len() > LONGEST {
        return Err(Failure::usage("the command line is too long"));
    }
    let converted = match convert::convert(&line) {
        Ok(converted) => converted,
        Err(told) => {
            let text = Arc::from(convert::without_secrets(&line, &told));
            let file = File { path: "command line".into(), text, diagnostics: vec![*told] };
            match format {
                Format::Json => output::json(&diagnostics::json(&[&file])),
                _ => diagnostics::note(&file),
            }
            return Err(Failure::told(1));
        }
    };
    if let Some(path) = to {
        std::fs::write(path, &converted.text)
            .map_err(|e| Failure::failed(format!("cannot write {}: {e}", path.display())))?;
    }
    if format == Format::Json {
        output::json(&json!({
            "schema": "escher.converted/1", "command": line, "operation": converted.operation, "playbook": converted.name,
            "risk": risk_word(converted.risk), "notes": converted.notes, "text": converted.text,
        }));
        return Ok(0);
    }
    if to.is_none() {
        output::line(converted.text.trim_end());
    }
    for note in &converted.notes {
        output::note(&format!("note: {note}"));
    }
    Ok(0)
}
