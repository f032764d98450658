//! Python's virtual environments of the lab: made on first use, from pinned requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::{Result, paths, process};

/// A virtual environment that holds what one requirements file asks for.
pub struct Venv(PathBuf);

impl Venv {
    /// The environment of `xtask/lab/NAME.txt`. Its copy of that file says what was installed: another text, a new start.
    pub fn of(name: &str) -> Result<Self> {
        // Scenarios that run side by side want the same.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().map_err(|_| "a thread that installed an environment panicked")?;
        let wanted = paths::lab_file(&format!("{name}.txt"))?;
        let folder = paths::lab()?.join("venv").join(name);
        let installed = folder.join("installed.txt");
        let text = fs::read_to_string(&wanted)?;
        let venv = Self(folder);
        if fs::read_to_string(&installed).ok().as_deref() != Some(text.as_str()) {
            println!("installing {name} of the lab …");
            venv.install(&wanted)?;
            fs::write(&installed, text)?;
        }
        Ok(venv)
    }

    fn install(&self, requirements: &Path) -> Result<()> {
        process::text(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&self.0))?;
        let mut pip = self.command("pip");
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
        process::text(pip.arg(requirements)).map(drop)
    }

    /// A program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    /// A command that runs a program of the environment.
    pub fn command(&self, name: &str) -> Command {
        Command::new(self.program(name))
    }

    /// A command that runs one of the lab's scripts.
    pub fn script(&self, name: &str) -> Result<Command> {
        let mut command = self.command("python");
        command.arg(paths::lab_file(name)?).env("PYTHONDONTWRITEBYTECODE", "1");
        Ok(command)
    }
}
