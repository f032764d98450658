//! `escher trust`: who may approve, as the root key signed it.

use std::path::Path;

use escher_engine::{SigningKey, TrustReport};
use serde_json::json;

use super::approve::{bytes, passphrase, text};
use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::output;
use crate::project::Project;

pub(crate) fn show(common: &Common, format: Format) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let gate = project.gate(&engine, false)?;
    let (trust, same) = (engine.trust()?, engine.trusts(&gate)?);
    if format == Format::Json {
        output::json(&json!({ "schema": "escher.trust/1", "pinned": trust.is_some(), "same": same,
            "root": trust.as_ref().map(|t| &t.root), "number": trust.as_ref().map(|t| t.number),
            "settings": trust.as_ref().map(|t| t.settings.to_string()) }));
        return Ok(0);
    }
    match trust {
        None => {
            output::line("No root key is pinned: the first approver's becomes it, or `escher trust sign --key KEY`.")
        }
        Some(trust) => {
            output::line(&format!("root key  {}", trust.root));
            output::line(&format!("settings  {} (number {})", trust.settings, trust.number));
            output::line(match same {
                true => "The files here say what was signed.",
                false => "The files here say something else: `escher trust sign --key KEY`, or put them back.",
            });
        }
    }
    Ok(0)
}

pub(crate) fn sign(
    common: &Common,
    key: Option<&Path>,
    statement: Option<&Path>,
    signature: Option<&Path>,
    format: Format,
) -> Result<u8, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let gate = project.gate(&engine, false)?;
    let principal = project.principal()?;
    let report = match (key, statement, signature) {
        (_, Some(statement), Some(signature)) => {
            engine.add_trust(&bytes(statement)?, &text(signature)?, &gate, &principal)?
        }
        (None, Some(to), None) => {
            std::fs::write(to, engine.trust_statement(&gate)?.to_bytes())
                .map_err(|e| Failure::failed(format!("cannot write {}: {e}", to.display())))?;
            let shown = to.display();
            output::note(&format!("Sign it:  ssh-keygen -Y sign -n escher-trust -f KEY {shown}"));
            output::note(&format!("Hand in:  escher trust sign --statement {shown} --signature {shown}.sig"));
            return Ok(0);
        }
        (Some(key), ..) => engine.sign_trust(&SigningKey::read(key, passphrase)?, &gate, &principal)?,
        (None, None, _) => return Err(Failure::usage("nothing says how to sign").help("add `--key SSH_KEY`")),
    };
    told(&report, format);
    Ok(0)
}

fn told(report: &TrustReport, format: Format) {
    if format == Format::Json {
        output::json(&json!({ "schema": "escher.trust/1", "pinned": true, "same": true,
            "root": report.root, "number": report.number, "settings": report.settings.to_string() }));
    } else {
        output::note(&format!(
            "Signers, roles, rules and freezes hold as they stand here, under the root key {}.",
            report.root
        ));
    }
}
