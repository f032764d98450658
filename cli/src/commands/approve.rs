//! `escher approve`: an SSH key signs exactly what will run.

use std::path::Path;

use escher_engine::{ApproveOptions, Engine, Planned, SigningKey};
use serde_json::json;

use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::project::Project;
use crate::{output, platform};

pub(crate) fn approve(
    common: &Common,
    what: &str,
    key: &Path,
    comment: &str,
    principal: Option<&str>,
    format: Format,
) -> Result<u8, Failure> {
    let project = Project::find(Some(Path::new(what)), common)?;
    let engine = project.engine()?;
    let planned = find(&engine, what)?;
    let key = SigningKey::read(key, passphrase)?;
    let gate = project.gate(false)?;
    let principal = match principal {
        Some(principal) => principal.to_string(),
        None => match gate.signers.principals_of(&key.public_line()?).as_slice() {
            [one] => one.clone(),
            [] => {
                return Err(Failure::refused(format!(
                    "the key {} is not among the allowed signers",
                    key.fingerprint()
                ))
                .help("add its public key to the allowed-signers file that escher.toml names"));
            }
            several => {
                return Err(Failure::usage(format!("this key may sign for {}", several.join(", ")))
                    .help("say for whom with `--as PRINCIPAL`"));
            }
        },
    };
    let options = ApproveOptions { principal: principal.clone(), comment: comment.to_string() };
    let digest = engine.approve(&planned.run, &key, &options, &gate)?;
    if format == Format::Json {
        output::json(&json!({
            "schema": "escher.approval/1", "run": planned.run, "digest": planned.digest.to_string(),
            "approval": digest.to_string(), "principal": principal, "key": key.fingerprint(),
        }));
    } else {
        output::note(&format!("{principal} approved {} of run {}", planned.plan.playbook, planned.run));
        output::note(&format!("  plan {}", planned.digest));
        output::note(&format!("  key  {}", key.fingerprint()));
        output::note(&format!("Run it: escher run {what}"));
    }
    Ok(0)
}

/// The plan that a plan file or a run id names.
pub(crate) fn find(engine: &Engine, what: &str) -> Result<Planned, Failure> {
    let path = Path::new(what);
    if !path.is_file() {
        return Ok(engine.planned(what)?);
    }
    let mut json = read_plan(path)?;
    // Where the text came from is a hint beside the plan, not part of it.
    if let Some(object) = json.as_object_mut() {
        object.remove("source");
    }
    Ok(engine.verify_plan_file(&json)?)
}

/// Largest plan file that is read.
const MAX_PLAN: u64 = 512 * 1024 * 1024;

/// The JSON of a plan file.
pub(crate) fn read_plan(path: &Path) -> Result<serde_json::Value, Failure> {
    let shown = path.display();
    let length = std::fs::metadata(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?.len();
    if length > MAX_PLAN {
        return Err(Failure::usage(format!("{shown} is too large to be a plan")));
    }
    let text = std::fs::read(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?;
    serde_json::from_slice(&text).map_err(|e| Failure::usage(format!("{shown} is no plan file: {e}")))
}

/// A passphrase from the environment. Asking on a terminal would need it unechoed.
fn passphrase() -> Option<String> {
    platform::variable("ESCHER_KEY_PASSPHRASE")
}
