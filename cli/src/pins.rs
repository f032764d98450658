//! `[catalog]` of `escher.toml`: files of operations in the place of those inside the program, each pinned by its hash.
//!
//! A file decides what a name sends and how risky that is: it works only with the hash that the project pins, and clouds are
//! reached with it only where the root key has signed that pin ([`crate::project::Project::vouched`]).

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use escher_catalog::Catalog;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// Clouds and the hashes of their files.
pub(crate) type Hashes = BTreeMap<String, String>;

/// Greatest size of a file, in bytes: thirty times what the greatest there is takes.
const LIMIT: u64 = 64 << 20;

/// A file and its hash.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    /// Relative to the settings.
    pub(crate) file: PathBuf,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// What is wrong with a `[catalog]`, before any file is read.
pub(crate) fn wrong(pins: &BTreeMap<String, Pin>) -> Option<String> {
    pins.iter().find_map(|(cloud, pin)| {
        let shown = pin.file.display();
        if !Catalog::embedded().clouds().contains(&cloud.as_str()) {
            return Some(format!("`[catalog]` has files of aws, azure and gcp, not of \"{cloud}\""));
        }
        if pin.file.components().any(|c| !matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Some(format!(
                "`[catalog]` names files of the project such as \"catalog/aws.bin\", not \"{shown}\""
            ));
        }
        let hash = pin.sha256.len() == 64 && pin.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (!hash).then(|| format!("`sha256` of `[catalog]` {cloud} is 64 hexadecimal digits in lower case"))
    })
}

/// Cloud by cloud, the hash that is pinned.
pub(crate) fn hashes(pins: &BTreeMap<String, Pin>) -> Hashes {
    pins.iter().map(|(cloud, pin)| (cloud.clone(), pin.sha256.clone())).collect()
}

/// Makes the pinned files those that this process works with. The first project decides; a second one may not differ.
pub(crate) fn install(root: Option<&Path>, pins: &BTreeMap<String, Pin>) -> Result<(), Failure> {
    static INSTALLED: OnceLock<Hashes> = OnceLock::new();
    if let Some(installed) = INSTALLED.get() {
        return if *installed == hashes(pins) {
            Ok(())
        } else {
            Err(Failure::usage("E0803: these files belong to projects with different `[catalog]`s")
                .help("give them to commands of their own"))
        };
    }
    let mut files = Vec::new();
    for (cloud, pin) in pins {
        files.push(read(cloud, &root.unwrap_or(Path::new(".")).join(&pin.file), pin)?);
    }
    if !files.is_empty() {
        let catalog = Catalog::embedded_with(files)
            .map_err(|why| Failure::usage(format!("E0803: a file of `[catalog]` can't be used: {why}")).help(HELP))?;
        if let Some(cloud) = pins.keys().find(|cloud| !catalog.replaced().contains(&cloud.as_str())) {
            let words = format!("E0803: the file of `[catalog]` {cloud} is of another cloud");
            return Err(Failure::usage(words).help(HELP));
        }
        catalog.install();
    }
    let _ = INSTALLED.set(hashes(pins));
    Ok(())
}

const HELP: &str =
    "write the pin anew with `escher ops update FILE`, or go back with `escher ops update --builtin CLOUD`";

/// A pinned file whose bytes are those that were pinned.
fn read(cloud: &str, path: &Path, pin: &Pin) -> Result<Vec<u8>, Failure> {
    let bytes = bytes(path)?;
    if sha256(&bytes) != pin.sha256 {
        let words = format!("E0803: {} is not the file that `[catalog]` {cloud} pins", path.display());
        return Err(Failure::refused(words).help(HELP));
    }
    Ok(bytes)
}

/// The bytes of a file of operations.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::usage(format!("E0803: cannot read {}: {e}", path.display())).help(HELP);
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(failed)?.take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LIMIT {
        let words = format!("E0803: {} is larger than {} MiB", path.display(), LIMIT >> 20);
        return Err(Failure::usage(words));
    }
    Ok(bytes)
}

/// As `sha256sum` prints it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
