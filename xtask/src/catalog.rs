//! `cargo xtask catalog`: fetches the pinned packages and writes `catalog/data/`.
//!
//! Python and npm are needed here only, never to build or to test. Run twice, it gives the same bytes: `--check` says whether it
//! does. What is in the packages is read, not executed, botocore's own loader apart. Packages are fetched once, into
//! `target/catalog-import`.

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

/// When the packages of `requirements.txt` were taken; changed by hand together with them.
const TAKEN: &str = "2026-11-21";

/// What an import writes.
const WRITTEN: [&str; 6] = ["aws.bin", "azure.bin", "gcp.bin", "az.zst", "PROVENANCE.json", "REPORT.txt"];

/// What is made of the names in it.
const NAMES: &str = "names.zst";

/// Runs the importer; with `--check` it writes nothing and fails where an import would change something.
pub fn run(args: &[String]) -> Result<(), Box<dyn Error>> {
    let check = match args {
        [] => false,
        [only] if only == "--check" => true,
        _ => return Err("`cargo xtask catalog` takes `--check` or nothing".into()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no root")?;
    let scripts = root.join("xtask").join("catalog");
    let data = root.join("catalog").join("data");
    let work = root.join("target").join("catalog-import");
    let out = if check { work.join("again") } else { data.clone() };
    fs::create_dir_all(&work)?;
    fs::create_dir_all(&out)?;

    let python = environment(&work, &scripts)?;
    let wheels = packages(&python, &work, &scripts)?;
    let levels = npm_package(&work, &IAM_FLOYD)?;
    let sources = work.join("sources.json");
    fs::write(&sources, sources_json(&[&BOTOCORE, &IAM_FLOYD]))?;
    call(
        Command::new(&python)
            .arg(scripts.join("importer.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg("--levels")
            .arg(levels)
            .arg("--wheels")
            .arg(wheels)
            .arg("--work")
            .arg(work.join("unpacked"))
            .arg("--sources")
            .arg(sources)
            .arg("--taken")
            .arg(TAKEN)
            .arg("--documentation")
            .arg(work.join("documentation.json"))
            .arg("--out")
            .arg(&out),
    )?;
    // The names that are searched come of what was just written; where nothing is written, of what is committed.
    let cargo =
        Command::new("cargo").args(["run", "--quiet", "-p", "escher-catalog", "--example", "names"]).output()?;
    if !cargo.status.success() {
        return Err(String::from_utf8_lossy(&cargo.stderr).into_owned().into());
    }
    fs::write(out.join(NAMES), cargo.stdout)?;
    if check {
        for name in WRITTEN.iter().chain([&NAMES]) {
            if fs::read(out.join(name))? != fs::read(data.join(name))? {
                return Err(format!("importing again gives another `{name}`").into());
            }
        }
        println!("importing again gives the same bytes");
    }
    Ok(())
}

/// A Python environment with what the importer runs; its interpreter.
fn environment(work: &Path, scripts: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let home = work.join("venv");
    let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if !python.exists() {
        call(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    }
    pip(&python, &["install"], &scripts.join("tools.txt"))?;
    Ok(python)
}

/// The folder of the packages that are read; fetched once for each set of them.
fn packages(python: &Path, work: &Path, scripts: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let wanted = scripts.join("requirements.txt");
    let folder = work.join("wheels");
    let kept = folder.join("requirements.txt");
    if fs::read(&kept).ok() != Some(fs::read(&wanted)?) {
        fs::remove_dir_all(&folder).or_else(|e| if folder.exists() { Err(e) } else { Ok(()) })?;
        fs::create_dir_all(&folder)?;
        let to = folder.to_string_lossy();
        pip(python, &["download", "--only-binary", ":all:", "--dest", &to], &wanted)?;
        fs::copy(&wanted, &kept)?;
    }
    Ok(folder)
}

/// pip with pinned packages, each by its hash, and nothing that they depend on.
fn pip(python: &Path, what: &[&str], wanted: &Path) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(python);
    command.args(["-m", "pip"]).args(what).args(["--quiet", "--disable-pip-version-check", "--no-deps"]);
    call(command.args(["--require-hashes", "--requirement"]).arg(wanted))
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
