//! Secrets are planted in the environment, a file, the Parameter Store and the Secrets Manager, and one is made. Each must
//! arrive where it belongs, and no byte of any may be found in what Escher wrote, printed or logged on the way: plan,
//! approve, run, two kills, resume, undo, run again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::check;
use super::escher::{Answer, Project, anybody};
use super::server::{Emulator, Kind};
use crate::{Result, process};

const PLAYBOOK: &str = "xtask/lab/secrets.esc";
/// How long the playbook sleeps where it is to be killed: longer than it takes to see that it got there.
const PAUSE: &str = "8s";

/// What is planted, by the name that the playbook gives it.
const PLANTED: [(&str, &str); 4] = [
    ("given", "Gx7-planted+in/the=environment&9f31c2"),
    ("filed", "Fq2-planted \"in\" a\\file-77ab04"),
    ("stored", "Sv5-planted{in}the<Parameter>Store-10dd6e"),
    ("read", "Rk8-planted-in-the-Secrets-Manager-e3a955"),
];

/// A project, and everything that it was heard to say.
struct Listener {
    project: Project,
    heard: Vec<(String, Vec<u8>)>,
}

impl Listener {
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.project.escher(arguments);
        command.env("GIVEN", PLANTED[0].1).env("ESCHER_LOG", "trace");
        command
    }

    fn call(&mut self, arguments: &[&str]) -> Result<Answer> {
        let output = process::output(&mut self.command(arguments))?;
        self.heard.push((format!("{arguments:?}, output"), output.stdout.clone()));
        self.heard.push((format!("{arguments:?}, log"), output.stderr.clone()));
        Ok(Answer::of(arguments, &output))
    }

    /// Runs until `there`, and kills it.
    fn killed(&mut self, arguments: &[&str], name: &str, there: impl Fn() -> Result<bool>) -> Result<()> {
        let folder = self.project.folder.join("heard");
        fs::create_dir_all(&folder)?;
        let file = |kind: &str| fs::File::create(folder.join(format!("{name}.{kind}")));
        let mut command = self.command(arguments);
        let mut run = command.stdin(Stdio::null()).stdout(file("out")?).stderr(file("log")?).spawn()?;
        let end = Instant::now() + Duration::from_secs(60);
        while !there()? {
            let ended = run.try_wait()?;
            check::that(ended.is_none() && Instant::now() < end, format!("{name}: it did not get there: {ended:?}"))?;
            std::thread::sleep(Duration::from_millis(100));
        }
        // What arrived is journaled with the answer, a moment later.
        std::thread::sleep(Duration::from_millis(500));
        run.kill()?;
        check::that(run.wait()?.code().is_none(), format!("{name}: it had ended before it was killed"))
    }

    /// Fails where one of these is found in a file of the project or in what was heard.
    fn found_nowhere(&self, secrets: &[String]) -> Result<()> {
        let mut places = self.heard.clone();
        for path in files(&self.project.folder)? {
            // The one file that a secret was planted in.
            if path.ends_with("planted.txt") {
                continue;
            }
            places.push((path.display().to_string(), fs::read(&path)?));
        }
        for (place, bytes) in &places {
            // A frame of zstd would hide what is in it.
            check::that(!contains(bytes, &[0x28, 0xb5, 0x2f, 0xfd]), format!("{place} is compressed"))?;
            for secret in secrets {
                for (form, needle) in forms(secret.as_bytes()) {
                    check::that(!contains(bytes, &needle), format!("a secret is in {place}, as {form}"))?;
                }
            }
        }
        let bytes: usize = places.iter().map(|(_, bytes)| bytes.len()).sum();
        println!("        {} secrets, {} files and outputs, {bytes} bytes searched", secrets.len(), places.len());
        check::that(places.len() > 20 && bytes > 100_000, "there was too little to search")
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => found.extend(files(&entry.path())?),
            false => found.push(entry.path()),
        }
    }
    Ok(found)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The forms that a secret could take: as it is, escaped for JSON, in hexadecimal digits, percent-encoded, and as base64 from
/// any of three offsets. The middle of it is enough of it.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex: String = secret.iter().map(|b| format!("{b:02x}")).collect();
    let percent: String = secret
        .iter()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~".contains(b) {
                (*b as char).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    let json = Value::from(String::from_utf8_lossy(secret)).to_string();
    let mut forms = vec![
        ("itself", secret.to_vec()),
        ("its middle", secret.iter().skip(secret.len() / 4).take(secret.len() / 2).copied().collect()),
        ("JSON", json.trim_matches('"').as_bytes().to_vec()),
        ("hex", hex.to_uppercase().into_bytes()),
        ("hex", hex.into_bytes()),
        ("percent", percent.into_bytes()),
    ];
    for offset in 0..3 {
        // Whole groups of three bytes, wherever they begin.
        let groups: Vec<u8> = secret.iter().skip(offset).copied().collect();
        let groups = groups.get(..groups.len() / 3 * 3).unwrap_or_default();
        forms.push(("base64", base64(groups).into_bytes()));
    }
    forms
}

/// Base64 of whole groups of three bytes.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks_exact(3) {
        let bits = group.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b));
        for shift in [18, 12, 6, 0] {
            out.extend(DIGITS.get((bits >> shift & 63) as usize).map(|digit| char::from(*digit)));
        }
    }
    out
}

pub fn nowhere(binary: &Path) -> Result<()> {
    let server = Emulator::start(Kind::Moto)?;
    let secrets = |names: &[&str]| -> Result<bool> {
        let planted = server.planted()?;
        Ok(names.iter().all(|name| planted.pointer(&format!("/secrets/{name}")).is_some()))
    };
    let keys = || -> Result<usize> { Ok(check::list(&server.planted()?, "/keys")?.len()) };
    server.plant(PLANTED[2].1, PLANTED[3].1)?;
    let project = Project::new("secrets", PLAYBOOK, binary, &server.url(), anybody())?;
    fs::write(project.folder.join("planted.txt"), format!("{}\n", PLANTED[1].1))?;
    let mut listener = Listener { project, heard: Vec::new() };
    let set = |pause: &str| -> Vec<String> {
        ["names=a,b", "given=env:GIVEN", "filed=file:planted.txt", &format!("pause={pause}")]
            .map(str::to_owned)
            .to_vec()
    };
    let plan = |listener: &mut Listener, pause: &str, format: &str| -> Result<Answer> {
        let set = set(pause);
        let mut arguments = vec!["plan", "job.esc", "-o", "plan.json", "--format", format];
        set.iter().for_each(|one| arguments.extend(["--set", one]));
        listener.call(&arguments)?.exits(0)
    };
    let approve = ["approve", "plan.json", "--key", "key"];
    let run = ["run", "plan.json", "--yes", "--format", "json"];

    // A secret typed where its reference belongs is refused, and not repeated.
    let typed = format!("given={}", PLANTED[0].1);
    let refused =
        listener.project.call(&["plan", "job.esc", "--set", "names=a", "--set", &typed, "--set", "filed=env:X"])?;
    check::that(
        refused.code == Some(2) && !refused.stderr.contains(PLANTED[0].1),
        format!("typed: {}", refused.stderr),
    )?;

    // Killed while it sleeps between its steps, and again between the making of a key and its keeping.
    plan(&mut listener, PAUSE, "human")?;
    let shown = plan(&mut listener, PAUSE, "json")?.json()?;
    check::equal(
        "the plan's reference",
        &check::text(&shown, "/parameters/stored/$secret")?,
        &"ssm:/lab/planted:1".into(),
    )?;
    listener.call(&approve)?.exits(0)?;
    listener.killed(&run, "first", || secrets(&["a-given", "a-filed", "a-stored", "a-read", "b-read"]))?;
    let planted = server.planted()?;
    for (name, wanted) in PLANTED {
        check::equal(name, &check::text(&planted, &format!("/secrets/a-{name}"))?, &wanted.to_owned())?;
    }
    let id = listener.project.newest_run()?;
    listener.killed(&["resume", &id], "second", || Ok(keys()? == 1))?;
    // The key's secret is gone with the process: the key is taken back, and that is said.
    let resumed = listener.call(&["resume", &id])?;
    check::that(
        resumed.code == Some(4) || resumed.code == Some(1),
        format!("resume: {:?} {}", resumed.code, resumed.stderr),
    )?;
    check::equal("keys that were taken back", &keys()?, &0)?;
    let shown = listener.call(&["runs", "show", &id, "--format", "json"])?.exits(0)?;
    check::that(shown.stdout.contains("E0613") && shown.stdout.contains("taken back"), shown.stdout)?;
    listener.call(&["runs", "show", &id])?.exits(0)?;
    listener.call(&["undo", &id])?.exits(0)?;
    check::that(!secrets(&["a-given"])?, "undo left a secret")?;

    // The same without an accident; a refusal of the cloud quotes what it was sent.
    plan(&mut listener, "0s", "json")?;
    listener.call(&approve)?.exits(0)?;
    let report = listener.call(&run)?.json()?;
    check::equal("done", &check::number(&report, "/totals/done")?, &3)?;
    let id = check::text(&report, "/run")?;
    let made = check::text(&server.planted()?, "/secrets/the-key")?;
    for command in [vec!["runs", "list"], vec!["runs", "show", &id], vec!["audit", "show"], vec!["audit", "verify"]] {
        listener.call(&command)?.exits(0)?;
        listener.call(&[command.clone(), vec!["--format", "json"]].concat())?.exits(0)?;
    }
    let mut all: Vec<String> = PLANTED.iter().map(|(_, secret)| (*secret).to_owned()).collect();
    all.push(made);
    listener.found_nowhere(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = b"correct horse/battery+staple";
        for text in [
            "x correct horse/battery+staple y",
            "636f727265637420686f7273652f626174746572792b737461706c65",
            "a=correct%20horse%2Fbattery%2Bstaple",
            "Y29ycmVjdCBob3JzZS9iYXR0ZXJ5K3N0YXBsZQ==",
            "eGNvcnJlY3QgaG9yc2UvYmF0dGVyeStzdGFwbGU=",
            "eHhjb3JyZWN0IGhvcnNlL2JhdHRlcnkrc3RhcGxl",
        ] {
            assert!(forms(secret).iter().any(|(_, form)| contains(text.as_bytes(), form)), "{text}");
        }
        assert!(!forms(secret).iter().any(|(_, form)| contains(b"incorrect", form)));
    }
}
