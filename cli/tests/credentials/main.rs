//! Every source of credentials of the three clouds, by the real program: it calls the clouds' own hosts, which
//! [`internet`] plays on this machine, and each answer depends on the proof that was asked for.

#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod aws;
mod azure;
mod gcp;
mod internet;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use internet::{Asked, Internet};
use serde_json::Value;

/// A project with one playbook, and the variables that the program sees.
struct Bench {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Bench {
    fn new(playbook: &str) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("look.esc"), playbook).unwrap();
        std::fs::write(folder.path().join("escher.toml"), "").unwrap();
        Bench { folder, variables: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A program of this name on the search path, which says what `script` writes.
    fn tool(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn set(mut self, name: &str, value: impl Into<String>) -> Bench {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn run(&self, internet: &Internet) -> Output {
        let proxy = format!("http://127.0.0.1:{}", internet.port);
        let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
        command.current_dir(self.folder.path()).args(["run", "look.esc", "--format", "json"]).env_clear();
        command
            .env("HOME", self.folder.path())
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("ESCHER_LOG", "trace")
            .env("HTTPS_PROXY", &proxy)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("SSL_CERT_FILE", &internet.authority);
        command.envs(self.variables.iter().map(|(n, v)| (n, v))).output().unwrap()
    }

    /// Runs it: it is done, and no secret and no token is in what it wrote, even where it tells all it does.
    #[track_caller]
    fn works(&self, internet: &Internet, secrets: &[&str]) {
        let output = self.run(internet);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: Vec<String> = internet.asked().iter().map(Asked::line).collect();
        let last: String = told.lines().rev().take(12).collect::<Vec<_>>().join("\n");
        assert!(output.status.success(), "{last}\n{lines:#?}");
        let run: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(run["status"], "done");
        let all = format!("{}{told}", String::from_utf8_lossy(&output.stdout));
        for secret in secrets {
            let line = all.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{secret} was told: {line:?}");
        }
    }

    #[track_caller]
    fn fails(&self, internet: &Internet, words: &str) {
        let output = self.run(internet);
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success() && told.contains(words), "{words}: {told}");
    }
}

/// A private RSA key as PKCS #8, made by OpenSSH.
fn rsa_key(folder: &Path) -> String {
    let file = folder.join("rsa");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f"]).arg(&file);
    assert!(command.status().unwrap().success());
    std::fs::read_to_string(file).unwrap()
}

fn bearer(asked: &Asked) -> &str {
    asked.headers.get("authorization").and_then(|v| v.strip_prefix("Bearer ")).unwrap_or_default()
}

/// Header and claims of a signed statement.
fn claims(statement: &str) -> (Value, Value) {
    let part = |at: usize| {
        let text = statement.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}
