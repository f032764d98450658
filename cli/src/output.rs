//! Standard output and standard error: colour only on terminals, and a closed pipe is no crash.

use std::io::{IsTerminal, Write};

/// Writes data, with a line feed. Ends the program quietly where nobody reads any more (`escher … | head`).
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Writes data as JSON, indented.
pub(crate) fn json(value: &serde_json::Value) {
    line(&format!("{value:#}"));
}

/// Writes a note for people on standard error.
pub(crate) fn note(text: &str) {
    // Where even that is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Whether standard error shows colour.
pub(crate) fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

fn paint(code: &str, text: &str) -> String {
    if colour() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
}

/// Red, on terminals.
pub(crate) fn red(text: &str) -> String {
    paint("31;1", text)
}

/// Bold, on terminals.
pub(crate) fn bold(text: &str) -> String {
    paint("1", text)
}

/// Asks a yes-or-no question on the terminal; no where there is none.
pub(crate) fn ask(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}
