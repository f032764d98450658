//! Which project is meant.

use std::path::{Path, PathBuf};

use escher_provider::{CallError, ErrorKind};
use serde::Deserialize;

/// The project of a practice cloud that was told of none.
const PRACTICE: &str = "practice";

/// The variables that Google's own tools look at, in their order.
const VARIABLES: [&str; 3] = ["GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "GCLOUD_PROJECT"];

/// The key of a service account says which project it is of.
#[derive(Deserialize)]
struct Key {
    project_id: Option<String>,
}

/// The project that Google's own tools would use.
pub(crate) fn chosen(practice: bool) -> Result<String, CallError> {
    if practice {
        return Ok(PRACTICE.into());
    }
    let set = VARIABLES.iter().find_map(|name| std::env::var(name).ok().filter(|project| !project.is_empty()));
    set.or_else(of_key).or_else(of_cli).ok_or_else(|| {
        CallError::unsent(
            ErrorKind::Invalid,
            "no Google Cloud project is set: set GOOGLE_CLOUD_PROJECT, run `gcloud config set project`, or name one in escher.toml",
        )
    })
}

fn of_key() -> Option<String> {
    let file = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS")?;
    serde_json::from_slice::<Key>(&std::fs::read(file).ok()?).ok()?.project_id
}

fn of_cli() -> Option<String> {
    let folder = std::env::var_os("CLOUDSDK_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config/gcloud")))?;
    let active = std::fs::read_to_string(folder.join("active_config")).unwrap_or_else(|_| "default".into());
    let named = Path::new("configurations").join(format!("config_{}", active.trim()));
    let text = std::fs::read_to_string(folder.join(named)).ok()?;
    // An INI file: the project stands under [core].
    let core = text.split("[core]").nth(1)?.split("\n[").next()?;
    let line = core.lines().find_map(|line| line.trim().strip_prefix("project")?.trim_start().strip_prefix('='))?;
    Some(line.trim().to_owned()).filter(|project| !project.is_empty())
}

/// Project ids are letters, digits, hyphens, and a domain before a colon.
pub(crate) fn check(project: &str) -> Result<(), CallError> {
    if project.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b)) {
        return Ok(());
    }
    Err(CallError::unsent(ErrorKind::Invalid, "a Google Cloud project is named by its id, such as my-project-1"))
}
