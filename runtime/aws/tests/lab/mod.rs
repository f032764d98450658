//! Practice clouds of others, started for a test: found where `cargo xtask lab fetch` puts them.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at the first surprise")]

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A file of the lab; none where it wasn't set up, which is an error where `CI` is set.
pub(crate) fn find(path: &str) -> Option<PathBuf> {
    let lab = match std::env::var_os("ESCHER_LAB") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/lab"),
    };
    let file = lab.join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(std::env::var_os("CI").is_none(), "{path} of the lab is missing: run `cargo xtask lab fetch`");
    eprintln!("skipped: {path} of the lab is missing (run `cargo xtask lab fetch`)");
    None
}

/// A server that dies with the test.
pub(crate) struct Server {
    child: Child,
    /// Where it answers.
    pub(crate) url: String,
}

impl Server {
    /// Starts it on a free port and waits until it takes connections.
    pub(crate) fn start(prepare: impl FnOnce(u16) -> Command) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = prepare(port);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Server { child, url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the server didn't start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// moto, where it is installed. It checks signatures after this many calls.
pub(crate) fn moto(unchecked: u32) -> Option<Server> {
    let program = find("venv/moto/bin/moto_server")?;
    Some(Server::start(|port| {
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", unchecked.to_string());
        command
    }))
}

/// ministack, where it is installed.
pub(crate) fn ministack() -> Option<Server> {
    let program = find("venv/ministack/bin/ministack")?;
    Some(Server::start(|port| {
        let mut command = Command::new(program);
        command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
        command
    }))
}

/// Runs an ignored test of this binary in a process of its own, with the environment that AWS's tools would have.
pub(crate) fn inside(test: &str, url: &str, more: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "eu-central-1").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_CONFIG_FILE", "/nonexistent").env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
    command.envs(more.iter().copied());
    assert!(command.status().unwrap().success(), "{test} failed inside");
}
