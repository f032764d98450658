//! Why a command ends without doing what was asked, with the exit code that says so.

use escher_engine::EngineError;
use serde_json::json;

use crate::args::Format;
use crate::output;

/// A failure, in words for people.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Exit code: 1 failed, 2 wrong usage, 3 refused.
    pub(crate) code: u8,
    /// What went wrong; empty where it was said already.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
    /// The code whose page says more.
    pub(crate) page: Option<&'static str>,
}

impl Failure {
    /// Something failed.
    pub(crate) fn failed(message: impl Into<String>) -> Failure {
        Failure { code: 1, message: message.into(), help: None, page: None }
    }

    /// The command was used wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { code: 2, message: message.into(), help: None, page: None }
    }

    /// A gate said no.
    pub(crate) fn refused(message: impl Into<String>) -> Failure {
        Failure { code: 3, message: message.into(), help: None, page: None }
    }

    /// What was wrong has been shown already.
    pub(crate) fn told(code: u8) -> Failure {
        Failure { code, message: String::new(), help: None, page: None }
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// Shows it: for scripts as JSON on standard output, always as text on standard error.
    pub(crate) fn show(&self, format: Format) {
        if self.message.is_empty() {
            return;
        }
        if format == Format::Json {
            let kind = match self.code {
                2 => "usage",
                3 => "refused",
                _ => "failed",
            };
            output::json(&json!({
                "schema": "escher.error/1", "kind": kind, "code": self.page, "message": self.message, "help": self.help,
            }));
        }
        let word = if self.code == 3 { "refused" } else { "error" };
        let page = self.page.map(|code| format!("[{code}]")).unwrap_or_default();
        output::note(&format!("{}: {}", output::red(&format!("{word}{page}")), self.message));
        if let Some(help) = &self.help {
            output::note(&format!("  {}: {help}", output::bold("help")));
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        Failure {
            code: error.exit_code(),
            message: error.to_string(),
            help: error.help().filter(|h| !h.is_empty()).map(str::to_string),
            page: error.code(),
        }
    }
}

impl From<escher_ir::CodecError> for Failure {
    fn from(error: escher_ir::CodecError) -> Failure {
        Failure::failed(error.to_string())
    }
}
