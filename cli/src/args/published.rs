//! Arguments of what runs by itself or for others: policy, templates, schedules, the kill switch.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::FormatArg;

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// All rules that hold here, and what they say.
    Show {
        #[command(flatten)]
        format: FormatArg,
    },
    /// Read the project's own rules, and say what is wrong with them.
    Check {
        /// The file; the one that escher.toml names where it isn't said.
        file: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Say whether somebody may do something, and which rule decides.
    #[command(after_help = "Examples:
  escher policy explain --as eve --action halt
  escher policy explain plan.json --as eve --action run
  escher policy explain r-20261121-k3v9q2m7xa --as ada --action approve --at 2026-12-24T12:00:00Z")]
    Explain {
        /// A plan file or a run id; nothing for what is about the whole state (read, halt, lift, pause).
        what: Option<String>,
        /// Who.
        #[arg(long = "as", value_name = "PRINCIPAL")]
        principal: Option<String>,
        /// What they want to do: plan, approve, run, resume, extend, undo, cancel, publish, read, halt, lift, pause.
        #[arg(long)]
        action: String,
        /// When, instead of now.
        #[arg(long, value_name = "INSTANT")]
        at: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Judge the cases that are written down beside the rules.
    #[command(after_help = "A case, in policy.tests.toml:
  [[case]]
  title = \"nobody deletes on a Friday evening\"
  who = \"eli\"
  action = \"run\"
  risk = \"high\"
  changes = true
  at = 2026-11-20T18:30:00Z
  allowed = false
  rule = \"friday\"")]
    Test {
        /// The file; the one that escher.toml names, or policy.tests.toml beside it.
        file: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
}

/// How something is published.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// FILE:NAME of a template, a schedule or a trigger; with --withdraw its NAME.
    pub(crate) template: String,
    /// Private key in OpenSSH's format.
    #[arg(long, value_name = "SSH_KEY", required_unless_present = "statement")]
    pub(crate) key: Option<PathBuf>,
    /// Take it back: nobody may use it any more.
    #[arg(long, conflicts_with_all = ["statement", "signature"])]
    pub(crate) withdraw: bool,
    /// Write what is to be signed here, and sign nothing; with --signature: what was signed.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    pub(crate) statement: Option<PathBuf>,
    /// The signature that `ssh-keygen -Y sign -n escher-approval` made of the statement.
    #[arg(long, value_name = "FILE", requires = "statement")]
    pub(crate) signature: Option<PathBuf>,
    /// Your words, which are signed too.
    #[arg(long, default_value = "")]
    pub(crate) comment: String,
    /// Who signs, where the key may sign for several principals.
    #[arg(long = "as", value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// How a template is run.
#[derive(Debug, Args)]
pub(crate) struct ExtendArgs {
    /// Its name; all that are published where none is said.
    pub(crate) template: Option<String>,
    /// A parameter, within what the template allows.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Run it without asking, and answer `confirm` with yes.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}

/// How the kill switch is set.
#[derive(Debug, Args)]
pub(crate) struct HaltArgs {
    /// Why.
    #[arg(default_value = "")]
    pub(crate) reason: String,
    /// Allow changes again.
    #[arg(long)]
    pub(crate) lift: bool,
    #[command(flatten)]
    pub(crate) format: FormatArg,
}
