//! `escher halt`: the kill switch of a whole state.

use serde_json::json;

use crate::args::{Common, Format, HaltArgs};
use crate::failure::Failure;
use crate::output;
use crate::project::Project;

pub(crate) fn halt(common: &Common, args: &HaltArgs, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let gate = project.gate(&engine, false)?;
    let halt = engine.set_halted(!args.lift, &args.reason, &gate, &project.principal()?)?;
    if format == Format::Json {
        let (by, at) = (halt.as_ref().map(|h| &h.principal), halt.as_ref().map(|h| h.at.to_string()));
        let reason = halt.as_ref().map(|h| &h.reason);
        output::json(&json!({ "schema": "escher.halt/1", "halted": halt.is_some(), "by": by, "at": at,
            "reason": reason }));
        return Ok(0);
    }
    match halt {
        Some(_) => {
            output::note("Halted: nothing is changed in this state until `escher halt --lift`.");
            output::note(
                "Runs at work end after the calls that are in flight; `escher resume` goes on with them later.",
            );
        }
        None => output::note("Changes are allowed again; `escher runs list` shows what was cut short."),
    }
    Ok(0)
}
