//! The lab's servers: started on a free port of loopback, waited for, ended with whoever started them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::http;
use super::venv::Venv;
use crate::{Result, paths, process};

/// A running server.
pub struct Server {
    /// The launcher; when its standard input closes, it ends the server's process group.
    launcher: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts `program` with its arguments and waits until it answers `GET path`. What it prints goes to a log.
    pub fn start(name: &str, program: &Command, port: u16, path: &str) -> Result<Self> {
        let logs = paths::root()?.join("target/lab/logs");
        std::fs::create_dir_all(&logs)?;
        let log = logs.join(format!("{name}-{port}.log"));
        let file = File::create(&log)?;
        let mut launcher = Command::new("python3");
        launcher.arg(paths::lab_file("serve.py")?).arg(program.get_program()).args(program.get_args());
        for (key, value) in program.get_envs() {
            match value {
                Some(value) => launcher.env(key, value),
                None => launcher.env_remove(key),
            };
        }
        launcher.stdin(Stdio::piped()).stdout(file.try_clone()?).stderr(file);
        let mut server = Self { launcher: launcher.spawn()?, port };
        server.wait(name, path, &log)?;
        Ok(server)
    }

    fn wait(&mut self, name: &str, path: &str, log: &Path) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(60);
        while http::ask(self.port, "GET", path, "").is_err() {
            if self.launcher.try_wait()?.is_some() || Instant::now() > end {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let last: Vec<_> = said.lines().rev().take(15).collect();
                let last: Vec<_> = last.into_iter().rev().collect();
                return Err(format!("{name} did not start:\n{}", last.join("\n")).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.launcher.stdin.take());
        // It may have ended by itself; there is nobody left to tell.
        let _ = self.launcher.wait();
    }
}

/// A port that is free at this moment, and that this process has given nobody else: scenarios run side by side. Another
/// process may take it before the server does; then the server doesn't start and says so.
pub fn free_port() -> Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        if GIVEN.lock().map_err(|_| "a thread that asked for a port panicked")?.insert(port) {
            return Ok(port);
        }
    }
}

/// The AWS emulators of the lab.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Answers as AWS does, and can judge signatures and policies.
    Moto,
    /// Fast; ignores filters that it doesn't know, and paging.
    Ministack,
}

impl Kind {
    /// As its requirements file and its scenarios are called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::Ministack => "ministack",
        }
    }
}

/// What became of every instance: id to (tag `env`, state).
pub type Fleet = BTreeMap<String, (String, String)>;

/// A running emulator of AWS, and the script that looks after its fleet.
pub struct Emulator {
    /// Which.
    pub kind: Kind,
    server: Server,
    boto3: Venv,
    /// Access key that the looking-after uses: id and secret.
    admin: Option<Key>,
}

/// An access key of the emulator.
#[derive(Clone)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its secret, of a throw-away emulator.
    pub secret: String,
}

impl Emulator {
    /// Starts one, empty. moto starts without asking for credentials.
    pub fn start(kind: Kind) -> Result<Self> {
        let port = free_port()?;
        let boto3 = Venv::of("moto")?;
        let venv = Venv::of(kind.name())?;
        let mut program = match kind {
            Kind::Moto => venv.command("moto_server"),
            Kind::Ministack => venv.command("ministack"),
        };
        match kind {
            // So many actions need no authority; `judge_signatures` ends that.
            Kind::Moto => program
                .args(["-H", "127.0.0.1", "-p", &port.to_string()])
                .env("INITIAL_NO_AUTH_ACTION_COUNT", "1000000")
                // Its images come with 1,300 snapshots that would be this account's own.
                .env("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
                .env("MOTO_RECORDER_FILEPATH", paths::scratch(&format!("moto-{port}"))?.join("recording")),
            Kind::Ministack => program.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string()),
        };
        let server = Server::start(kind.name(), &program, port, "/")?;
        let emulator = Self { kind, server, boto3, admin: None };
        // moto loads a service at its first call, for seconds.
        emulator.fleet()?;
        Ok(emulator)
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Empties it and starts so many instances tagged `env=dev` and `env=prod`.
    pub fn seed(&self, dev: u32, prod: u32) -> Result<()> {
        self.script(&["seed", &dev.to_string(), &prod.to_string()], self.admin.as_ref()).map(drop)
    }

    /// From here on moto writes down what arrives.
    pub fn record(&self) -> Result<()> {
        for step in ["reset-recording", "start-recording"] {
            let answer = http::ask(self.server.port, "POST", &format!("/moto-api/recorder/{step}"), "")?;
            super::check::equal("status of the recorder", &answer.status, &200)?;
        }
        Ok(())
    }

    /// Of what was recorded, a parameter of each request for this action.
    pub fn recorded(&self, action: &str, parameter: &str) -> Result<Vec<String>> {
        let text = http::ask(self.server.port, "GET", "/moto-api/recorder/download-recording", "")?.body;
        let mut found = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let request: serde_json::Value = serde_json::from_str(line)?;
            let body = BASE64.decode(super::check::text(&request, "/body").unwrap_or_default())?;
            let body = String::from_utf8_lossy(&body);
            let of =
                |name: &str| body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned));
            if of("Action").as_deref() == Some(action) {
                found.extend(of(parameter));
            }
        }
        Ok(found)
    }

    /// Every instance.
    pub fn fleet(&self) -> Result<Fleet> {
        self.fleet_with(self.admin.as_ref())
    }

    /// Every instance, if the key may look.
    pub fn fleet_as(&self, key: &Key) -> Result<Fleet> {
        self.fleet_with(Some(key))
    }

    fn fleet_with(&self, key: Option<&Key>) -> Result<Fleet> {
        Ok(serde_json::from_str(&self.script(&["state"], key)?)?)
    }

    /// From here on moto checks every signature, and that the key's policy allows the action. Gives the key of a user who
    /// may describe, stop and start instances.
    pub fn judge_signatures(&mut self) -> Result<Key> {
        let admin = self.key("admin")?;
        let operator = self.key("user")?;
        let answer = http::ask(self.server.port, "POST", "/moto-api/reset-auth", "0")?;
        super::check::equal("status of reset-auth", &answer.status, &200)?;
        self.admin = Some(admin);
        Ok(operator)
    }

    /// Empties it and makes something to do for every playbook of the library.
    pub fn seed_library(&self) -> Result<()> {
        self.script(&["library"], self.admin.as_ref()).map(drop)
    }

    /// Empties it and plants two secrets: in the Parameter Store and in the Secrets Manager.
    pub fn plant(&self, stored: &str, read: &str) -> Result<()> {
        self.script(&["plant", stored, read], None).map(drop)
    }

    /// What its Secrets Manager keeps, and the planted user's keys.
    pub fn planted(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_str(&self.script(&["planted"], None)?)?)
    }

    /// The key of a new user who may do exactly what a policy says.
    pub fn allowed(&self, name: &str, policy: &serde_json::Value) -> Result<Key> {
        let mut command = self.command(&["allowed", name], self.admin.as_ref())?;
        key_of(&process::text_with(&mut command, &policy.to_string())?)
    }

    fn key(&self, command: &str) -> Result<Key> {
        key_of(&self.script(&[command], None)?)
    }

    fn script(&self, arguments: &[&str], key: Option<&Key>) -> Result<String> {
        process::text(&mut self.command(arguments, key)?)
    }

    fn command(&self, arguments: &[&str], key: Option<&Key>) -> Result<Command> {
        let mut command = self.boto3.script("fleet.py")?;
        command.arg(self.url()).args(arguments).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
        match key {
            Some(key) => command.env("AWS_ACCESS_KEY_ID", &key.id).env("AWS_SECRET_ACCESS_KEY", &key.secret),
            None => command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY"),
        };
        Ok(command)
    }
}

/// An access key as the script prints it.
fn key_of(text: &str) -> Result<Key> {
    let json: serde_json::Value = serde_json::from_str(text)?;
    Ok(Key { id: super::check::text(&json, "/id")?, secret: super::check::text(&json, "/secret")? })
}

/// How many instances of an environment are in a state.
pub fn count(fleet: &Fleet, env: &str, states: &[&str]) -> usize {
    fleet.values().filter(|(e, state)| e == env && states.contains(&state.as_str())).count()
}
