//! Where things lie: the repository, what is built, what the lab installs.

use std::env;
use std::path::{Path, PathBuf};

use crate::Result;

/// The folder of the workspace.
pub fn root() -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no root")?.to_owned())
}

/// Whether this runs in continuous integration.
pub fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// What outlives a clone on a CI machine, so that a warm one is quick.
fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => PathBuf::from(env::var_os("HOME").ok_or("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache"),
    };
    Ok(base.join("escher"))
}

/// Where cargo builds: as the caller says, else in the user's cache under CI, else `target/`.
pub fn target() -> Result<PathBuf> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => Ok(root()?.join(folder)),
        _ if in_ci() => Ok(cache()?.join("target")),
        _ => Ok(root()?.join("target")),
    }
}

/// Where the lab's virtual environments live.
pub fn lab() -> Result<PathBuf> {
    if in_ci() { Ok(cache()?.join("lab")) } else { Ok(root()?.join("target/lab")) }
}

/// A folder for one use, empty.
pub fn scratch(name: &str) -> Result<PathBuf> {
    let folder = root()?.join("target/lab/scratch").join(name);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => std::fs::create_dir_all(&folder)?,
    }
    Ok(folder)
}

/// A file of the lab that is committed: scripts, requirements, playbooks.
pub fn lab_file(name: &str) -> Result<PathBuf> {
    Ok(root()?.join("xtask/lab").join(name))
}
