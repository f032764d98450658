//! `escher approve`: an SSH key signs exactly what will run.

use std::path::Path;

use escher_engine::{ApproveOptions, Engine, Gate, Planned, SigningKey};
use serde_json::json;

use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::project::Project;
use crate::{output, platform, render};

/// What `escher approve` was asked for.
pub(crate) struct Wanted<'a> {
    /// Take approvals back.
    pub(crate) revoke: bool,
    /// The private key; none where the signature is made elsewhere.
    pub(crate) key: Option<&'a Path>,
    /// The statement that is signed elsewhere.
    pub(crate) statement: Option<&'a Path>,
    /// Its signature.
    pub(crate) signature: Option<&'a Path>,
    /// Where statement and signature are written besides.
    pub(crate) output: Option<&'a Path>,
    /// The signer's words.
    pub(crate) comment: &'a str,
    /// Who signs.
    pub(crate) principal: Option<&'a str>,
}

pub(crate) fn approve(common: &Common, what: &str, wanted: &Wanted<'_>, format: Format) -> Result<u8, Failure> {
    let project = Project::find(Some(Path::new(what)), common)?;
    let engine = project.engine()?;
    let planned = find(&engine, what)?;
    // What a run that has begun waits for is its rest.
    let planned = engine.waiting(&planned.run)?.unwrap_or(planned);
    if planned.plan.part.is_some() && format == Format::Human {
        render::plan::print(&planned);
    }
    let gate = project.gate(&engine, false)?;
    let (digest, principal, key) = match (wanted.key, wanted.statement, wanted.signature) {
        (_, Some(statement), Some(signature)) => {
            let (statement, signature) = (bytes(statement)?, text(signature)?);
            let digest = engine.add_signature(&planned.run, &statement, &signature, &gate)?;
            (digest, None, None)
        }
        (None, Some(to), None) => return write_statement(&engine, &planned, what, wanted, to, &gate),
        (Some(key), ..) => {
            let key = SigningKey::read(key, passphrase)?;
            let principal = signer(&engine, Some(&planned.run), wanted.principal, &key, &gate)?;
            let options = ApproveOptions { principal: principal.clone(), comment: wanted.comment.to_string() };
            let digest = match wanted.revoke {
                true => engine.revoke(&planned.run, &key, &options, &gate)?,
                false => engine.approve(&planned.run, &key, &options, &gate)?,
            };
            (digest, Some(principal), Some(key.fingerprint()))
        }
        (None, None, _) => return Err(Failure::usage("nothing says how to sign").help("add `--key SSH_KEY`")),
    };
    if let Some(to) = wanted.output {
        let signed = engine.signed(&planned.run)?.into_iter().find(|(known, _)| *known == digest);
        match signed {
            Some((_, signed)) => super::audit::write_signed(to, &signed)?,
            None => return Err(Failure::usage("a revocation is not written to a file")),
        }
    }
    if format == Format::Json {
        output::json(&json!({
            "schema": "escher.approval/1", "run": planned.run, "digest": planned.digest.to_string(),
            "approval": digest.to_string(), "principal": principal, "key": key,
        }));
        return Ok(0);
    }
    let who = principal.unwrap_or_else(|| "the signer".into());
    let did = if wanted.revoke { "took back the approvals of" } else { "approved" };
    let rest = if planned.plan.part.is_some() { "the rest of " } else { "" };
    output::note(&format!("{who} {did} {rest}{} of run {}", planned.plan.playbook, planned.run));
    output::note(&format!("  plan {}", planned.digest));
    if let Some(key) = key {
        output::note(&format!("  key  {key}"));
    }
    if !wanted.revoke {
        match planned.plan.part {
            None => output::note(&format!("Run it: escher run {what}")),
            Some(_) => output::note(&format!("Go on with it: escher resume {}", planned.run)),
        }
    }
    Ok(0)
}

/// Who signs with a key.
pub(crate) fn signer(
    engine: &Engine,
    run: Option<&str>,
    principal: Option<&str>,
    key: &SigningKey,
    gate: &Gate,
) -> Result<String, Failure> {
    if let Some(principal) = principal {
        return Ok(principal.to_string());
    }
    match gate.signers.principals_of(&key.public_line()?).as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let reason = format!("the key {} is not among the allowed signers", key.fingerprint());
            engine.refuse(run, "", &reason)?;
            Err(Failure::refused(reason).help("add its public key to the allowed-signers file that escher.toml names"))
        }
        several => Err(Failure::usage(format!("this key may sign for {}", several.join(", ")))
            .help("say for whom with `--as PRINCIPAL`")),
    }
}

/// Writes what is to be signed elsewhere.
fn write_statement(
    engine: &Engine,
    planned: &Planned,
    what: &str,
    wanted: &Wanted<'_>,
    to: &Path,
    gate: &Gate,
) -> Result<u8, Failure> {
    let principals = gate.signers.principals();
    let principal = match (wanted.principal, principals.as_slice()) {
        (Some(principal), _) => principal.to_string(),
        (None, [one]) => one.clone(),
        (None, _) => {
            return Err(Failure::usage("nothing says who will sign").help("add `--as PRINCIPAL`"));
        }
    };
    let options = ApproveOptions { principal, comment: wanted.comment.to_string() };
    let statement = match wanted.revoke {
        true => engine.revocation_for(&planned.run, &options)?,
        false => engine.statement_for(&planned.run, &options)?,
    };
    std::fs::write(to, statement.to_bytes())
        .map_err(|e| Failure::failed(format!("cannot write {}: {e}", to.display())))?;
    let shown = to.display();
    output::note(&format!("Sign it:  ssh-keygen -Y sign -n escher-approval -f KEY {shown}"));
    output::note(&format!("Hand in:  escher approve {what} --statement {shown} --signature {shown}.sig"));
    Ok(0)
}

/// The bytes of a small file.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let length = std::fs::metadata(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?.len();
    if length > crate::source::MAX_SOURCE {
        return Err(Failure::usage(format!("E0604: {shown} is too large")));
    }
    std::fs::read(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))
}

/// The text of a small file; what is no text is shown as such, and refused where it is judged.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&bytes(path)?).into_owned())
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
pub(crate) const MAX_PLAN: u64 = 512 * 1024 * 1024;

/// The JSON of a plan file.
pub(crate) fn read_plan(path: &Path) -> Result<serde_json::Value, Failure> {
    let shown = path.display();
    let length = std::fs::metadata(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?.len();
    if length > MAX_PLAN {
        return Err(Failure::usage(format!("E0604: {shown} is too large to be a plan")));
    }
    let text = std::fs::read(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?;
    serde_json::from_slice(&text).map_err(|e| Failure::usage(format!("{shown} is no plan file: {e}")))
}

/// A passphrase from the environment. Asking on a terminal would need it unechoed.
pub(crate) fn passphrase() -> Option<String> {
    platform::variable("ESCHER_KEY_PASSPHRASE")
}
