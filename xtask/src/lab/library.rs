//! The library on servers that others wrote. Which of its operations a server has is found out by asking it, in no list of
//! ours: one that it has must run there, what it has not is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::escher::{Project, RUN, anybody};
use super::server::{Emulator, Kind, Server, free_port};
use super::venv::Venv;
use super::{check, http, policy};
use crate::{Result, paths, process};

const LIBRARY: &str = "stdlib-playbooks";
/// From npm.
const AZURITE: &str = "azurite@3.35.0";

/// A playbook: its file, its name, and parameters.
type Job = (String, String, Vec<String>);

/// How operations were answered: by name, each status that was seen, and whether a code of the cloud's stood beside it.
type Seen = BTreeMap<String, BTreeSet<(u16, bool)>>;

/// moto: the library's AWS side.
pub fn moto(binary: &Path) -> Result<()> {
    let server = Emulator::start(Kind::Moto)?;
    server.seed_library()?;
    // In an order in which each finds something to do; then those that are not judged by policies.
    let mut jobs: Vec<Job> = policy::cases().collect();
    let known: BTreeSet<String> = jobs.iter().map(|(_, name, _)| name.clone()).collect();
    jobs.extend(library()?.into_iter().filter(|(_, name, _)| !known.contains(name)));
    jobs.push(("xtask/lab/resize.esc".into(), "resize".into(), vec![]));
    // What the first of them has switched off is old enough now.
    jobs.push((format!("{LIBRARY}/access_keys.esc"), "retire_access_keys".into(), vec!["end=0s".into()]));
    let seen = run(binary, "moto", &server.url(), &places("aws", "123456789012"), &jobs)?;
    // What it lacks it answers with no code of AWS's.
    let has =
        |operation: &str| Ok(seen.get(operation).is_some_and(|all| all.iter().any(|(s, coded)| *s < 400 || *coded)));
    judge("moto", &operations(binary, "aws")?, &seen, has)?;
    let sent = |operation: &String| seen.contains_key(operation);
    let never: Vec<_> = operations(binary, "aws")?.into_iter().filter(|operation| !sent(operation)).collect();
    check::that(never.is_empty(), format!("nothing asked moto for {never:?}"))
}

/// drongo: Cloud Storage.
pub fn drongo(binary: &Path) -> Result<()> {
    let port = free_port()?;
    let mut program = Venv::of("google")?.command("drongo");
    program.args(["server", "--host", "127.0.0.1", "-p", &port.to_string()]);
    google(binary, "drongo", &Server::start("drongo", &program, port, "/")?)
}

/// gcplocal: Cloud Storage, Cloud SQL.
pub fn gcplocal(binary: &Path) -> Result<()> {
    let port = free_port()?;
    let mut program = Venv::of("google")?.command("gcplocal");
    program.args(["start", "--host", "127.0.0.1", "--port", &port.to_string()]);
    program.env("HOME", paths::scratch("gcplocal-home")?);
    google(binary, "gcplocal", &Server::start("gcplocal", &program, port, "/")?)
}

fn google(binary: &Path, name: &str, server: &Server) -> Result<()> {
    let buckets = "/storage/v1/b?project=practice";
    for bucket in ["library-open", "library-more"] {
        let made = http::ask_json(server.port, "POST", buckets, &format!("{{ \"name\": \"{bucket}\" }}"))?;
        check::equal("status of a new bucket", &made.status, &200)?;
    }
    let mut jobs = library()?;
    jobs.push(("xtask/lab/google.esc".into(), "disk".into(), vec![]));
    let seen = run(binary, name, &server.url(), &places("gcp", "practice"), &jobs)?;
    judge(name, &operations(binary, "gcp")?, &seen, |operation| probed(binary, server.port, operation))?;
    for bucket in ["library-open", "library-more"] {
        let answer = http::ask(server.port, "GET", &format!("/storage/v1/b/{bucket}"), "")?;
        // Not every server keeps what was set; that it was told shows in the number of the bucket's versions.
        let bucket: Value = serde_json::from_str(&answer.body)?;
        check::equal("changes of a bucket", &check::text(&bucket, "/metageneration")?.as_str(), &"2")?;
    }
    Ok(())
}

/// azurite: it has the data of Blob storage, and Resource Manager's side is asked of it all the same.
pub fn azurite(binary: &Path) -> Result<()> {
    let folder = paths::lab()?.join("azurite");
    fs::create_dir_all(&folder)?;
    let script = folder.join("node_modules/azurite/dist/src/azurite.js");
    if !script.exists() {
        let mut install = Command::new("npm");
        install.current_dir(&folder).args(["install", "--no-audit", "--no-fund", "--ignore-scripts", AZURITE]);
        process::text(&mut install)?;
    }
    let [blob, queue, table] = [free_port()?, free_port()?, free_port()?];
    let mut program = Command::new("node");
    program.arg(script).args(["--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]);
    for (what, port) in [("blob", blob), ("queue", queue), ("table", table)] {
        program.args([&format!("--{what}Host"), "127.0.0.1", &format!("--{what}Port"), &port.to_string()]);
    }
    let server = Server::start("azurite", &program, blob, "/")?;
    let account = "00000000-0000-0000-0000-000000000001";
    let seen = run(binary, "azurite", &server.url(), &places("azure", account), &library()?)?;
    judge("azurite", &operations(binary, "azure")?, &seen, |operation| probed(binary, server.port, operation))
}

/// Each operation that the server has ran there; says how many those are, and which it has not.
fn judge(name: &str, operations: &BTreeSet<String>, seen: &Seen, has: impl Fn(&str) -> Result<bool>) -> Result<()> {
    let (mut ran, mut lacks, mut missed) = (0, Vec::new(), Vec::new());
    for operation in operations {
        // That a thing is not there is an answer of an operation that is.
        let answered =
            |good: fn(&u16) -> bool| seen.get(operation).is_some_and(|all| all.iter().any(|(status, _)| good(status)));
        let has = has(operation)?;
        match (answered(|s| (200..300).contains(s)) || (has && answered(|s| *s == 404)), has) {
            (true, _) => ran += 1,
            (false, false) => lacks.push(operation.as_str()),
            (false, true) => missed.push(operation.as_str()),
        }
    }
    println!("        {name}: {ran} of the library's {} operations ran, {} it has not:", operations.len(), lacks.len());
    lacks.iter().for_each(|operation| println!("          {operation}"));
    check::that(missed.is_empty(), format!("{name} has {missed:?}, and they did not run"))
}

/// Whether a server has an operation: it answers it otherwise than what no cloud has.
fn probed(binary: &Path, port: u16, operation: &str) -> Result<bool> {
    let told = escher(binary, &["ops", "show", operation, "--format", "json"])?;
    let (method, uri) = (check::text(&told, "/method")?, check::text(&told, "/uri")?);
    let mut path = String::new();
    for (at, part) in uri.split(['{', '}']).enumerate() {
        path.push_str(if at % 2 == 0 { part } else { "practice" });
    }
    let body = if matches!(method.as_str(), "GET" | "DELETE") { "" } else { "{}" };
    // A server that does not answer has it as little as one that says so.
    let answer = |path: &str| {
        http::ask_json(port, &method, path, body).ok().map(|answer| (answer.status, answer.body.replace(path, "")))
    };
    let (asked, nonsense) = (answer(&path), answer(&format!("/none-has-this{path}")));
    // A cloud's answer is JSON, whatever it says.
    Ok(asked != nonsense && asked.is_some_and(|(_, body)| serde_json::from_str::<Value>(&body).is_ok()))
}

/// Runs playbooks one after the other, and gives how what they asked for was answered.
fn run(binary: &Path, name: &str, url: &str, settings: &str, jobs: &[Job]) -> Result<Seen> {
    let mut seen = Seen::new();
    for (file, playbook, set) in jobs {
        let project = Project::new(&format!("library/{name}"), file, binary, url, anybody())?;
        project.add_settings(settings)?;
        let what = format!("job.esc:{playbook}");
        let mut log = String::new();
        let mut call = |arguments: &[&str]| {
            let arguments = [arguments, &["--endpoint-url", url]].concat();
            let output = process::output(project.escher(&arguments).env("ESCHER_LOG", "debug"))?;
            let said = String::from_utf8_lossy(&output.stderr);
            note(&said, &mut seen);
            log += &format!("$ escher {}\n{said}", arguments.join(" "));
            Ok::<_, Box<dyn std::error::Error>>(output.status.success())
        };
        let mut plan = vec!["plan", &what, "-o", "plan.json"];
        set.iter().for_each(|set| plan.extend(["--set", set]));
        // What a server lacks ends a playbook; what it has is judged by what was asked until then.
        if call(&plan)? {
            project.approve()?;
            call(RUN)?;
            if !file.ends_with("access_keys.esc") {
                call(&["undo", &project.newest_run()?])?;
            }
        }
        fs::write(paths::root()?.join(format!("target/lab/logs/library-{name}-{playbook}.log")), log)?;
    }
    Ok(seen)
}

/// Operations and statuses out of what the clients log.
fn note(log: &str, seen: &mut Seen) {
    for line in log.lines() {
        let word = |name: &str| {
            let rest = line.split_once(name)?.1;
            rest.trim_start_matches('"').split(['"', ' ']).next()
        };
        if let (Some(operation), Some(status)) = (word("operation="), word("status=").and_then(|s| s.parse().ok())) {
            seen.entry(operation.to_owned()).or_default().insert((status, word("code=").is_some()));
        }
    }
}

/// All playbooks of the library.
fn library() -> Result<Vec<Job>> {
    let mut jobs = Vec::new();
    let mut files: Vec<_> = fs::read_dir(paths::root()?.join(LIBRARY))?.collect::<std::io::Result<_>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let (text, name) = (fs::read_to_string(file.path())?, file.file_name().to_string_lossy().into_owned());
        let playbooks = text.lines().filter_map(|line| line.strip_prefix("playbook ")?.split('(').next());
        let set = |playbook: &str| if playbook == "patch_in_rings" { vec!["rest=1s".into()] } else { vec![] };
        jobs.extend(playbooks.map(|p| (format!("{LIBRARY}/{name}"), p.to_owned(), set(p))));
    }
    Ok(jobs)
}

/// What the library calls of a cloud.
fn operations(binary: &Path, cloud: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for (file, playbook, _) in library()? {
        let what = format!("{}:{playbook}", paths::root()?.join(file).display());
        let told = escher(binary, &["permissions", &what, "--format", "json"])?;
        for permission in check::list(&told, "/permissions")?.iter().chain(check::list(&told, "/free")?) {
            let named = permission.get("operations").and_then(Value::as_array).into_iter().flatten();
            let named = named.chain(permission.get("operation")).chain(Some(permission).filter(|p| p.is_string()));
            found.extend(named.filter_map(Value::as_str).filter(|o| o.starts_with(cloud)).map(str::to_owned));
        }
    }
    check::that(!found.is_empty(), format!("the library calls nothing of {cloud}"))?;
    Ok(found)
}

fn escher(binary: &Path, arguments: &[&str]) -> Result<Value> {
    let text = process::text(Command::new(binary).args(arguments).current_dir(paths::root()?))?;
    Ok(serde_json::from_str(&text)?)
}

/// Every group that the library names, with one place.
fn places(cloud: &str, account: &str) -> String {
    let region = if cloud == "aws" { "us-east-1" } else { "" };
    let mut settings = "\n[targets]\n".to_owned();
    for group in ["all", "development", "production", "storage", "disaster"] {
        settings += &format!("{group} = [{{ cloud = \"{cloud}\", account = \"{account}\", region = \"{region}\" }}]\n");
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_tell_operations_and_statuses() {
        let mut seen = Seen::new();
        let log = "DEBUG x: operation=\"gcp.a.b\" status=404\nDEBUG x: operation=\"aws.c.d\" status=404 code=\"No\"\nDEBUG status=1";
        note(log, &mut seen);
        assert_eq!(seen.len(), 2);
        assert!(seen["gcp.a.b"].contains(&(404, false)) && seen["aws.c.d"].contains(&(404, true)));
    }

    #[test]
    fn the_library_has_playbooks() {
        let names: Vec<_> = library().unwrap().into_iter().map(|(_, name, _)| name).collect();
        assert!(names.len() >= 10 && names.contains(&"start_for_the_day".to_owned()), "{names:?}");
    }
}
