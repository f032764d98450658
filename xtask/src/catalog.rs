//! `cargo xtask catalog`: fetches the pinned packages and writes `catalog/data/`.
//!
//! Python and npm are needed here only, never to build or to test. Run twice, it gives the same bytes. What is in the packages
//! is read, not executed, botocore's own loader apart.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package that the catalogue is made of.
struct Source {
    package: &'static str,
    registry: &'static str,
    version: &'static str,
    licence: &'static str,
    /// When this version was taken; changed by hand together with the version.
    taken: &'static str,
    gives: &'static str,
}

const BOTOCORE: Source = Source {
    package: "botocore",
    registry: "pypi",
    version: "1.44.5",
    licence: "Apache-2.0",
    taken: "2026-11-21",
    gives: "operations, shapes, paginators, waiters, endpoint rules",
};

const IAM_FLOYD: Source = Source {
    package: "iam-floyd",
    registry: "npm",
    version: "0.842.0",
    licence: "Apache-2.0",
    taken: "2026-11-21",
    gives: "access levels of IAM actions",
};

/// Compresses; pinned because another version gives other bytes.
const ZSTANDARD: &str = "zstandard==0.25.0";

/// Runs the importer. There are no arguments yet.
pub fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    if let Some(unknown) = args.first() {
        return Err(format!("`cargo xtask catalog` takes no argument, but got `{unknown}`").into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no root")?;
    let work = root.join("target").join("catalog-import");
    fs::create_dir_all(&work)?;

    let python = environment(&work)?;
    let levels = npm_package(&work, &IAM_FLOYD)?;
    let sources = work.join("sources.json");
    fs::write(&sources, sources_json(&[&BOTOCORE, &IAM_FLOYD]))?;
    call(
        Command::new(&python)
            .arg(root.join("xtask").join("catalog").join("import_aws.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg("--levels")
            .arg(levels)
            .arg("--sources")
            .arg(sources)
            .arg("--out")
            .arg(root.join("catalog").join("data")),
    )
}

/// A Python environment with the pinned packages; its interpreter.
fn environment(work: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let home = work.join("venv");
    let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        call(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    }
    let botocore = format!("{}=={}", BOTOCORE.package, BOTOCORE.version);
    call(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        &botocore,
        ZSTANDARD,
    ]))?;
    Ok(python)
}

/// An unpacked npm package; nothing of it is installed or run.
fn npm_package(work: &Path, source: &Source) -> Result<PathBuf, Box<dyn Error>> {
    let name = format!("{}-{}", source.package, source.version);
    let home = work.join(&name);
    if !home.join("package").exists() {
        fs::create_dir_all(&home)?;
        let wanted = format!("{}@{}", source.package, source.version);
        call(Command::new("npm").args(["pack", "--silent", &wanted]).current_dir(&home))?;
        call(Command::new("tar").arg("-xzf").arg(format!("{name}.tgz")).current_dir(&home))?;
    }
    Ok(home.join("package"))
}

/// The sources as JSON. All texts are constants above without anything to escape.
fn sources_json(sources: &[&Source]) -> String {
    let rows: Vec<String> = sources
        .iter()
        .map(|s| {
            format!(
                r#"{{"package": "{}", "registry": "{}", "version": "{}", "licence": "{}", "taken": "{}", "gives": "{}"}}"#,
                s.package, s.registry, s.version, s.licence, s.taken, s.gives
            )
        })
        .collect();
    format!("[{}]", rows.join(", "))
}

fn call(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let status =
        command.status().map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} ended with {status}", command.get_program().display()).into())
    }
}
