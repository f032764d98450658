//! Conformance suites that others wrote: fetched once, pinned by hash, never committed.

use std::path::PathBuf;
use std::process::Command;

use crate::{Result, paths, process};

/// botocore's source distribution, whose tests hold protocol and endpoint cases.
const BOTOCORE: &str = "botocore-1.44.5";
const SHA256: &str = "a988f39e3a4484def0b8010f41128f71157da0515a4804fccce4739aa8f216da";
/// What is taken out of it.
const PARTS: [&str; 2] = ["tests/unit/protocols", "tests/functional/endpoint-rules"];

/// The folder that holds them, fetched where it isn't there.
pub fn botocore() -> Result<PathBuf> {
    let lab = paths::lab()?;
    let folder = lab.join(BOTOCORE);
    // The marker is written last: half a folder is fetched again.
    let marker = folder.join("complete");
    if marker.exists() {
        return Ok(folder);
    }
    println!("fetching {BOTOCORE} for its cases …");
    std::fs::create_dir_all(&lab)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]);
    pip.arg("--dest").arg(&lab).arg(BOTOCORE.replace('-', "=="));
    process::text(&mut pip)?;
    let archive = lab.join(format!("{BOTOCORE}.tar.gz"));
    let sum = process::text(Command::new("sha256sum").arg(&archive))?;
    if sum.split_whitespace().next() != Some(SHA256) {
        return Err(format!("{} is not what was pinned: {sum}", archive.display()).into());
    }
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(&archive).arg("-C").arg(&lab).args(PARTS.map(|part| format!("{BOTOCORE}/{part}")));
    process::text(&mut tar)?;
    std::fs::remove_file(&archive)?;
    std::fs::write(&marker, "")?;
    Ok(folder)
}
