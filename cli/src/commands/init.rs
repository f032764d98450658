//! `escher init`: a project's settings and its allowed signers.

use std::path::Path;

use crate::args::Common;
use crate::failure::Failure;
use crate::project::{Project, SETTINGS};
use crate::{output, platform};

pub(crate) fn init(common: &Common, dir: &Path, solo: Option<&Path>, root: Option<&Path>) -> Result<u8, Failure> {
    let settings = dir.join(SETTINGS);
    if settings.exists() {
        return Err(
            Failure::usage(format!("{} exists already", settings.display())).help("edit it, or choose another folder")
        );
    }
    let (principal, signer) = match solo {
        Some(key) => {
            let (principal, line) = public_key(key)?;
            (Some(principal), line)
        }
        None => (None, String::new()),
    };
    // Read before anything is written: a wrong file is said first.
    root.map(public_key).transpose()?;
    std::fs::create_dir_all(dir).map_err(|e| Failure::failed(format!("cannot make {}: {e}", dir.display())))?;
    write(&dir.join("allowed_signers"), &signers_text(&signer))?;
    let ignore = dir.join(".gitignore");
    if !ignore.exists() {
        write(&ignore, "# State and journals stay on this machine.\n/.escher/\n")?;
    }
    // Last, so that a half-made project is not taken for one.
    write(&settings, &settings_text(principal.as_deref()))?;
    output::note(&format!("Set up {}", std::path::absolute(dir).unwrap_or_else(|_| dir.into()).display()));
    let pinned = match solo.or(root) {
        Some(key) => pin(common, dir, key)?,
        None => false,
    };
    match principal {
        Some(principal) => {
            output::note(&format!("{principal} may approve their own runs here; the audit log says `solo` each time."))
        }
        None => output::note("Add the keys of those who approve to allowed_signers, and their names to [roles]."),
    }
    if pinned {
        output::note("Who may approve is signed under that key: after a change, `escher trust sign --key KEY`.");
    }
    Ok(0)
}

/// Pins the root key in the audit log's first record.
fn pin(common: &Common, dir: &Path, key: &Path) -> Result<bool, Failure> {
    let project = Project::find(Some(dir), common)?;
    let engine = project.engine()?;
    if engine.trust()?.is_some() {
        output::note(
            "This state has its root key already: `escher trust sign --key KEY` signs these settings with it.",
        );
        return Ok(false);
    }
    let line =
        std::fs::read_to_string(key).map_err(|e| Failure::usage(format!("cannot read {}: {e}", key.display())))?;
    let gate = project.gate(&engine, false)?;
    engine.pin_root(line.trim(), &gate, &project.principal()?)?;
    Ok(true)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| Failure::failed(format!("cannot write {}: {e}", path.display())))
}

/// Principal and line of a public key: its comment is who it belongs to.
fn public_key(path: &Path) -> Result<(String, String), Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("cannot read {}: {e}", path.display())))?;
    let wrong = || {
        Failure::usage(format!("{} is no SSH public key", path.display()))
            .help("give the `.pub` file that `ssh-keygen -t ed25519` writes")
    };
    let mut words = text.split_whitespace();
    let (kind, key) = (words.next().ok_or_else(wrong)?, words.next().ok_or_else(wrong)?);
    // A comment may hold spaces; a principal may not.
    let comment = words.next().filter(|c| !c.contains([',', '"', '*', '?', '!'])).map(str::to_string);
    let principal = comment.unwrap_or_else(platform::user);
    let line = format!("{principal} namespaces=\"escher-approval\" {kind} {key}");
    escher_engine::AllowedSigners::parse(&line).map_err(|_| wrong())?;
    Ok((principal, line))
}

fn signers_text(line: &str) -> String {
    let mut text = String::from(
        "# Who may sign approvals, in OpenSSH's allowed-signers format: principals, options, key.\n\
         # ada@example.com namespaces=\"escher-approval\" ssh-ed25519 AAAA…\n",
    );
    if !line.is_empty() {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn settings_text(principal: Option<&str>) -> String {
    let (solo, managers) = match principal {
        // JSON's quoting of text is TOML's, too.
        Some(principal) => (true, format!("[{}]", serde_json::json!(principal))),
        None => (false, "[]".to_string()),
    };
    format!(
        "edition = \"{}\"\n\n\
         [approval]\n\
         # Keys that may sign, in OpenSSH's allowed-signers format.\n\
         signers = \"allowed_signers\"\n\
         # One person alone: their key may approve their own runs, and the audit log says so each time.\n\
         solo = {solo}\n\n\
         [roles]\n\
         # Principals of the allowed signers, by role: `@approval(by: \"manager\")` names one.\n\
         manager = {managers}\n\n\
         [run]\n\
         # A reading older than this is taken again before anything is changed because of it.\n\
         recheck_after = \"30s\"\n",
        escher_ir::EDITION
    )
}
