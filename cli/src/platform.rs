//! What comes from the operating system: folders, the user's name, logging. Nothing else assumes an operating system.

use std::path::PathBuf;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs go to standard error, as `ESCHER_LOG` asks (`info`, `escher_aws=debug`); without it only errors do.
///
/// Libraries tell `debug` at most: at `trace` those of AWS and of HTTP/2 write whole requests, with the tokens in them.
pub(crate) fn start_logging() {
    let Ok(wanted) = std::env::var("ESCHER_LOG") else { return };
    let own = |event: &Metadata<'_>| *event.level() < Level::TRACE || event.target().starts_with("escher");
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(crate::output::colour());
    let all = tracing_subscriber::registry().with(EnvFilter::new(wanted)).with(filter_fn(own)).with(lines);
    let _ = all.try_init();
}

/// An environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// The folder for a user's data, such as `~/.local/share/escher`.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let base = match variable("XDG_DATA_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(variable("HOME")?).join(".local/share"),
    };
    Some(base.join("escher"))
}

/// The user's own settings file.
pub(crate) fn user_settings() -> Option<PathBuf> {
    let base = match variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(variable("HOME")?).join(".config"),
    };
    Some(base.join("escher/escher.toml"))
}

/// The name of the user at the keyboard.
pub(crate) fn user() -> String {
    variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "unknown".into())
}

/// Waits until somebody asks this process for its end: Ctrl-C, or the system's own request. False where that can't be
/// heard here.
#[cfg(unix)]
pub(crate) async fn asked_to_end() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return tokio::signal::ctrl_c().await.is_ok() };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
        asked = terminate.recv() => asked.is_some(),
    }
}

/// The same where there is Ctrl-C alone.
#[cfg(not(unix))]
pub(crate) async fn asked_to_end() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

/// Gives a new file the permissions of the one that it will replace; where that fails the new one keeps its own.
pub(crate) fn keep_permissions(from: &std::path::Path, to: &std::path::Path) {
    if let Ok(metadata) = std::fs::metadata(from) {
        let _ = std::fs::set_permissions(to, metadata.permissions());
    }
}
