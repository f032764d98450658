//! `escher publish`: a Manager's signature under a template, a schedule or a trigger.

use std::path::Path;
use std::sync::Arc;

use escher_engine::{Engine, Gate, PublishOptions, Published, SigningKey};
use escher_ir::standing::{Standing, StandingKind};
use serde_json::json;

use super::approve::{bytes, passphrase, signer, text};
use crate::args::{Common, Format, PublishArgs};
use crate::failure::Failure;
use crate::output;
use crate::project::Project;
use crate::render::risk_word;
use crate::source::{self, Found};

pub(crate) fn publish(common: &Common, args: &PublishArgs, format: Format) -> Result<u8, Failure> {
    let (path, _) = source::split(&args.template);
    let project = Project::find(path.exists().then_some(path.as_path()), common)?;
    let engine = project.engine()?;
    let gate = project.gate(&engine, false)?;
    if args.withdraw {
        return withdraw(&engine, &gate, args, format);
    }
    let standing = item(&args.template, format)?;
    let mut options = PublishOptions {
        comment: args.comment.clone(),
        groups: project.settings.groups(),
        ..PublishOptions::default()
    };
    let published = match (&args.key, &args.statement, &args.signature) {
        (_, Some(statement), Some(signature)) => {
            options.principal = project.principal()?;
            engine.add_publication(&standing, &bytes(statement)?, &text(signature)?, &options, &gate)?
        }
        (None, Some(to), None) => {
            options.principal = args.principal.clone().map_or_else(|| project.principal(), Ok)?;
            return write_statement(&engine, &standing, &options, args, to);
        }
        (Some(key), ..) => {
            let key = SigningKey::read(key, passphrase)?;
            options.principal = signer(&engine, None, args.principal.as_deref(), &key, &gate)?;
            engine.publish(&standing, &key, &options, &gate)?
        }
        (None, None, _) => return Err(Failure::usage("nothing says how to sign").help("add `--key SSH_KEY`")),
    };
    told(&published, format);
    Ok(0)
}

/// A template, a schedule or a trigger of a file; the file's only one where none is named.
fn item(what: &str, format: Format) -> Result<Arc<Standing>, Failure> {
    let (path, wanted) = source::split(what);
    if wanted.is_none() {
        let checked = source::check(&path, format)?;
        let names: Vec<&str> = checked.standing.iter().map(|standing| standing.name.as_str()).collect();
        return match (checked.standing.as_slice(), names.as_slice()) {
            ([one], _) => Ok(one.clone()),
            ([], _) => Err(Failure::usage(format!("{} has no template, schedule or trigger", path.display()))),
            (_, names) => Err(Failure::usage(format!("{} has several: {}", path.display(), names.join(", ")))
                .help(format!("say which: `{}:{}`", path.display(), names.first().copied().unwrap_or_default()))),
        };
    }
    match source::item(what, format)? {
        (_, Found::Standing(standing)) => Ok(standing),
        (path, Found::Playbook(playbook, _)) => {
            let name = &playbook.name;
            Err(Failure::usage(format!("`{name}` is a playbook, which is planned and approved"))
                .help(format!("write a template of it in {}: `template some_{name} = {name}(…)`", path.display())))
        }
    }
}

fn write_statement(
    engine: &Engine,
    standing: &Standing,
    options: &PublishOptions,
    args: &PublishArgs,
    to: &Path,
) -> Result<u8, Failure> {
    let statement = engine.publication_for(standing, options)?;
    std::fs::write(to, statement.to_bytes())
        .map_err(|e| Failure::failed(format!("cannot write {}: {e}", to.display())))?;
    let (shown, what) = (to.display(), &args.template);
    output::note(&format!("Sign it:  ssh-keygen -Y sign -n escher-approval -f KEY {shown}"));
    output::note(&format!("Hand in:  escher publish {what} --statement {shown} --signature {shown}.sig"));
    Ok(0)
}

fn withdraw(engine: &Engine, gate: &Gate, args: &PublishArgs, format: Format) -> Result<u8, Failure> {
    let name = args.template.rsplit_once(':').map_or(args.template.as_str(), |(_, name)| name);
    let Some(key) = &args.key else {
        return Err(Failure::usage("nothing says how to sign").help("add `--key SSH_KEY`"));
    };
    let key = SigningKey::read(key, passphrase)?;
    let principal = signer(engine, None, args.principal.as_deref(), &key, gate)?;
    let options = PublishOptions { principal, comment: args.comment.clone(), ..PublishOptions::default() };
    engine.withdraw(name, &key, &options, gate)?;
    match format {
        Format::Json => output::json(&json!({ "schema": "escher.publication/1", "name": name, "withdrawn": true })),
        _ => output::note(&format!("Nobody may use `{name}` any more; runs that have begun go on.")),
    }
    Ok(0)
}

fn told(published: &Published, format: Format) {
    let standing = &published.standing;
    let playbook = &standing.program.playbook;
    let who: Vec<&str> = published.signed.iter().map(|(_, principal)| principal.as_str()).collect();
    let needed = published.needed();
    let complete = who.len() >= needed as usize;
    if format == Format::Json {
        output::json(&json!({
            "schema": "escher.publication/1", "name": published.name, "withdrawn": false, "kind": kind_word(standing),
            "digest": published.digest.to_string(), "playbook": playbook.name, "risk": risk_word(playbook.risk),
            "signed": who, "needed": needed, "complete": complete,
        }));
        return;
    }
    output::note(&format!("Published the {} `{}` of {}", kind_word(standing), published.name, playbook.name));
    output::note(&format!("  digest {}", published.digest));
    output::note(&format!("  signed by {}", who.join(", ")));
    for (group, places) in &standing.groups {
        output::note(&format!("  group {group}: {} places, as they are now", places.len()));
    }
    let more = (needed as usize).saturating_sub(who.len());
    match &standing.kind {
        _ if !complete => output::note(&format!("It takes {more} more: `escher publish … --key THEIR_KEY`")),
        StandingKind::Template { .. } => output::note(&format!("Use it: escher extend-me {}", published.name)),
        _ => output::note("It runs when it is due: `escher tick`, from cron or a timer"),
    }
}

/// `template`, `schedule` or `trigger`.
pub(crate) fn kind_word(standing: &Standing) -> &'static str {
    match standing.kind {
        StandingKind::Template { .. } => "template",
        StandingKind::Schedule { .. } => "schedule",
        StandingKind::Trigger { .. } => "trigger",
    }
}
