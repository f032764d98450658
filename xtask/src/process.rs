//! Commands that are run to their end.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::{Result, paths};

/// `cargo`, building where this machine keeps what it built.
pub fn cargo() -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths::root()?).env("CARGO_TARGET_DIR", paths::target()?);
    Ok(command)
}

/// Runs a command that talks to the person at the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", shown(command)).into()) }
}

/// Runs a command and keeps what it prints, whatever its exit code.
pub fn output(command: &mut Command) -> Result<Output> {
    let output = command.stdin(Stdio::null()).output();
    output.map_err(|error| format!("{}: {error}", shown(command)).into())
}

/// Runs a command and gives its standard output; a failure shows its standard error.
pub fn text(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    text_of(command, output)
}

/// The same with something to read.
pub fn text_with(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // Dropped at the end of this line: that is where its input ends.
    child.stdin.take().ok_or("a command without standard input")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    text_of(command, output)
}

fn text_of(command: &Command, output: Output) -> Result<String> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}\n{}", shown(command), output.status, said.trim_end()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A command as a person would type it, without folders.
pub fn shown(command: &Command) -> String {
    let short = |text: &std::ffi::OsStr| {
        let text = text.to_string_lossy();
        text.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(short);
    words.collect::<Vec<_>>().join(" ")
}
