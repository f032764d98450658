//! The command line as data. Names, flags and exit codes are relied on by scripts: add, don't change.

#![allow(rustdoc::broken_intra_doc_links, reason = "`FILE[:PLAYBOOK]` is a help text, not a link")]

mod published;

use std::path::PathBuf;

pub(crate) use published::{ExtendArgs, HaltArgs, Policy, PublishArgs};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Operate clouds with playbooks that are checked, planned, approved and journaled.
#[derive(Debug, Parser)]
#[command(name = "escher", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Examples:
  escher run examples/stop_dev_instances.esc --sandbox     practise, without an account
  escher check playbooks/                                  all diagnostics of all files
  escher plan stop.esc --set env=test -o plan.json         what it would do; changes nothing
  escher approve plan.json --key ~/.ssh/id_ed25519         sign exactly that
  escher run plan.json                                     do exactly that

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 done with failed items, 130 cancelled.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// Where state lives [default: `.escher` beside escher.toml, else the user's data folder].
    #[arg(long, global = true, value_name = "DIR", env = "ESCHER_STATE", help_heading = "Everywhere")]
    pub(crate) state: Option<PathBuf>,
    /// Where all services of all clouds answer, instead of the clouds' own endpoints.
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub(crate) endpoint_url: Option<String>,
}

/// How a command shows what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Human,
    /// One object, for scripts.
    Json,
    /// SARIF 2.1.0 (check only).
    Sarif,
    /// Annotations of GitHub Actions (check only).
    Github,
}

/// `--format`
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FormatArg {
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up a project: escher.toml and an allowed-signers file.
    #[command(after_help = "Examples:
  escher init ops --solo ~/.ssh/id_ed25519.pub     one person alone: that key may approve its own runs
  escher init ops --root ~/.ssh/id_ed25519.pub     for several: that key signs who may approve
  escher init                                      here; add signers and roles to the files it writes

Who may approve, in which role, and whether one person is alone holds only as the root key signed it:
after a change, `escher trust sign --key KEY`. Without --solo and --root, the first approver's key
becomes the root key.")]
    Init {
        /// The folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// For one person alone: their public key may approve their own runs, and the audit log says so each time.
        #[arg(long, value_name = "KEY.pub")]
        solo: Option<PathBuf>,
        /// For several: the public key under which signers and roles are signed.
        #[arg(long, value_name = "KEY.pub", conflicts_with = "solo")]
        root: Option<PathBuf>,
    },
    /// Show all diagnostics of playbooks. Nothing is run, nothing is asked of a network.
    #[command(after_help = "Examples:
  escher check                          every .esc file below here
  escher check stop.esc --format json")]
    Check {
        /// Files and folders.
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Give playbooks the one layout.
    #[command(after_help = "Examples:
  escher fmt                     rewrite every .esc file below here
  escher fmt --check             only say which would change (exit 1)
  escher fmt --stdin < a.esc     from standard input to standard output")]
    Fmt {
        /// Files and folders.
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
        /// Change nothing; exit 1 where something would change.
        #[arg(long)]
        check: bool,
        /// From standard input to standard output.
        #[arg(long, conflicts_with_all = ["check", "paths"])]
        stdin: bool,
    },
    /// Apply the certain repairs of diagnostics.
    Fix {
        /// Files and folders.
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
    },
    /// Explain a diagnostic code, or why a playbook has its risk.
    #[command(after_help = "Examples:
  escher explain E0402
  escher explain risk stop.esc")]
    Explain {
        /// A code such as `E0402`, or `risk`.
        what: String,
        /// For `risk`: FILE[:PLAYBOOK].
        playbook: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Write a page for each playbook: parameters, risk, steps, operations, and a picture.
    #[command(after_help = "Example:
  escher doc playbooks/ -o pages")]
    Doc {
        /// Files and folders.
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
        /// The folder of the pages.
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
    /// Run the `test` items of playbooks. Nothing is asked of a network.
    #[command(after_help = "Examples:
  escher test                                  all tests of all .esc files below here
  escher test stop.esc --filter 'production'   those whose title has these words
  escher test --format junit > results.xml")]
    Test {
        /// Files and folders.
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
        /// Only tests whose title has these words in it.
        #[arg(long, value_name = "WORDS")]
        filter: Option<String>,
        /// How to show what became of them.
        #[arg(long, value_enum, default_value_t = TestFormat::Human)]
        format: TestFormat,
    },
    /// Draw what a playbook does: its statements, what waits for what, and how risky each is.
    #[command(after_help = "Examples:
  escher graph stop.esc > stop.svg
  escher graph stop.esc:stop_dev_instances --format dot | dot -Tpng > stop.png")]
    Graph {
        /// FILE[:PLAYBOOK]
        playbook: String,
        /// The form of the picture.
        #[arg(long, value_enum, default_value_t = GraphFormat::Svg)]
        format: GraphFormat,
    },
    /// Print the least that whoever runs a playbook must be allowed to do.
    #[command(after_help = "Examples:
  escher permissions stop.esc
  escher permissions stop.esc --format aws-iam > policy.json
  escher permissions stop.esc:stop_dev_vms --format azure-role

What is derived from an operation's name and named by no document of its cloud is said to be so, on
standard error beside a policy. Where a target names a role, its reader needs sts:AssumeRole besides.")]
    Permissions {
        /// FILE[:PLAYBOOK], or an IR file.
        playbook: String,
        /// The form.
        #[arg(long, value_enum, default_value_t = PermissionsFormat::Table)]
        format: PermissionsFormat,
    },
    /// Look things up in the catalogue of operations.
    Ops {
        #[command(subcommand)]
        what: Ops,
    },
    /// Turn a command line of aws, az or gcloud into a playbook that checks.
    #[command(after_help = "Examples:
  escher convert 'aws ec2 stop-instances --instance-ids i-0abc i-0def'
  escher convert -o stop.esc 'az vm deallocate -g shop -n web-1'
  escher convert gcloud compute instances stop web-1 --zone europe-west1-b

What a playbook has no place for, such as --profile or --query, is said in a note.")]
    Convert {
        /// Where to write it, instead of standard output.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
        /// The command line, in quotes or as words; options of Escher stand before it.
        #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Show schedules and when they are due; hold a published one back, or let it go on. Starts nothing.
    #[command(after_help = "Examples:
  escher schedule                                           all of this folder, with the next time of each
  escher schedule pause nightly                             what comes meanwhile is written down as missed
  escher schedule next nightly --count 10                   the next ten times
  escher schedule next nightly --from 2026-03-28T00:00:00Z  around a change of clocks

A schedule of fixed hours runs once a day that it names: a time that clocks skip runs as soon as they have been put
forward, one that comes twice runs the first time. One of all hours is about time that passes.")]
    Schedule {
        #[command(subcommand)]
        what: Option<Schedule>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Compile a playbook to its IR: same sources, same bytes.
    Compile {
        /// FILE[:PLAYBOOK]
        playbook: String,
        /// Where to write it.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Read the clouds and show every call that a run would make. Changes nothing.
    #[command(after_help = "Examples:
  escher plan stop.esc                                    on the account and region at hand
  escher plan stop.esc --set env=test -o plan.json
  escher plan stop.esc --format json | jq .calls[].item")]
    Plan {
        /// FILE[:PLAYBOOK], or an IR file.
        playbook: String,
        /// A parameter.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Where to write the plan as JSON.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Sign a plan with an SSH key.
    #[command(after_help = "Examples:
  escher approve plan.json --key ~/.ssh/id_ed25519
  escher approve r-20261121-k3v9q2m7xa --key id_ed25519 --comment 'as discussed'
  escher approve plan.json --key id_ed25519 --revoke

With a key that only ssh-keygen can use (a security key, an agent):
  escher approve plan.json --as ada --statement s.json
  ssh-keygen -Y sign -n escher-approval -f KEY s.json
  escher approve plan.json --statement s.json --signature s.json.sig")]
    Approve {
        /// A plan file or a run id.
        plan: String,
        /// Private key in OpenSSH's format.
        #[arg(long, value_name = "SSH_KEY", required_unless_present = "statement")]
        key: Option<PathBuf>,
        /// Take the approvals back that the plan has so far.
        #[arg(long)]
        revoke: bool,
        /// Write what is to be signed here, and sign nothing; with --signature: what was signed.
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        statement: Option<PathBuf>,
        /// The signature that `ssh-keygen -Y sign` made of the statement.
        #[arg(long, value_name = "FILE", requires = "statement")]
        signature: Option<PathBuf>,
        /// Also write the statement here, and its signature beside it as FILE.sig.
        #[arg(short, long, value_name = "FILE", conflicts_with = "statement")]
        output: Option<PathBuf>,
        /// Your words, which are signed too.
        #[arg(long, default_value = "")]
        comment: String,
        /// Who signs, where the key may sign for several principals.
        #[arg(long = "as", value_name = "PRINCIPAL")]
        principal: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show or sign who may approve: signers, roles and the solo flag hold as the root key signed them.
    #[command(after_help = "Examples:
  escher trust                              what holds, and whether the files here still say so
  escher trust sign --key ~/.ssh/id_ed25519  after a change of allowed_signers or [roles]")]
    Trust {
        #[command(subcommand)]
        what: Option<Trust>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show, check, explain or test the rules of who may do what.
    #[command(after_help = "Examples:
  escher policy                                          all rules that hold here
  escher policy explain plan.json --as eve --action run  whether eve may run it, and by which rule
  escher policy test                                     the cases written down beside the rules

A project adds rules in Cedar: `[policy] file = \"policy.cedar\"` in escher.toml. What every project forbids
stays forbidden. Rules, roles and freezes hold as the root key signed them: `escher trust sign`.")]
    Policy {
        #[command(subcommand)]
        what: Option<Policy>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Sign a template, a schedule or a trigger, so that others may use it within its bounds.
    #[command(after_help = "Examples:
  escher publish ops.esc:stop_some --key ~/.ssh/id_ed25519
  escher publish ops.esc:nightly --key ~/.ssh/id_ed25519 --comment 'as agreed'
  escher publish stop_some --withdraw --key ~/.ssh/id_ed25519

What is signed is the compiled playbook with its bounds, its rate, its end and the places of the groups that
it names. It is kept whole and never compiled again.")]
    Publish(PublishArgs),
    /// Run a template that a Manager published: nobody need approve it.
    #[command(after_help = "Examples:
  escher extend-me                              what is published here, and how often it may still run
  escher extend-me stop_some --set limit=5
  escher extend-me stop_some --yes --format json")]
    ExtendMe(ExtendArgs),
    /// Stop every change in this state, in every process and on every machine that uses it.
    #[command(after_help = "Examples:
  escher halt 'wrong account'     runs at work end after the calls that are in flight
  escher halt --lift              a Manager allows changes again")]
    Halt(HaltArgs),
    /// Run what schedules have due, and end: for cron, a timer, or a cloud's scheduler.
    #[command(after_help = "Examples:
  escher tick                       * * * * * in a crontab; anything up to every ten minutes is on time
  escher tick --format json         an object a line for each thing that happened

A schedule runs once a Manager has published it. A time that nothing looked at is missed, and what becomes of
it the schedule says (`missed`, `within`); what did not run is written down, never silent. A run whose process
died goes on. Two looks at once start nothing twice.")]
    Tick {
        #[command(flatten)]
        format: FormatArg,
    },
    /// Run what schedules have due, again and again until Ctrl-C.
    Daemon {
        #[command(flatten)]
        format: FormatArg,
    },
    /// Run a plan that was approved, or plan and run a playbook.
    #[command(after_help = "Examples:
  escher run plan.json                   what was planned and approved
  escher run stop.esc                    plans, asks, runs; refused where an approval is needed
  escher run stop.esc --sandbox          on a practice cloud that ends with the run

Ctrl-C finishes what is in flight and says how to go on.")]
    Run {
        /// FILE[:PLAYBOOK], a plan file, a run id or an IR file.
        what: String,
        /// A parameter.
        #[arg(long = "set", value_name = "NAME=VALUE")]
        set: Vec<String>,
        /// Answer `confirm` with yes. Never an approval.
        #[arg(long)]
        yes: bool,
        /// On a practice cloud, approved by a throw-away key.
        #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "")]
        sandbox: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Go on with a run after a crash, a pause or Ctrl-C.
    Resume {
        /// The run.
        run: String,
        /// Answer `confirm` with yes. Never an approval.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        format: FormatArg,
    },
    /// End a run gracefully, from anywhere: calls in flight are finished, nothing new begins.
    #[command(after_help = "Examples:
  escher cancel r-20261121-k3v9q2m7xa               waits until the process at work has stopped
  escher cancel r-20261121-k3v9q2m7xa --wait 0s     only asks

A plan that nobody started can't be started any more. A run whose process is gone is ended here;
`escher resume` goes on with it, `escher undo` takes it back.")]
    Cancel {
        /// The run.
        run: String,
        /// How long to wait for the process at work on it.
        #[arg(long, value_name = "DURATION", default_value = "60s")]
        wait: String,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Take a run back, newest item first, as its playbook says.
    Undo {
        /// The run.
        run: String,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show the history of runs.
    Runs {
        #[command(subcommand)]
        what: Option<Runs>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show or verify the audit log.
    Audit {
        #[command(subcommand)]
        what: Option<Audit>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Serve practice clouds on loopback: AWS, Azure and Google Cloud, speaking the clouds' own protocols.
    #[command(after_help = "Examples:
  escher sandbox --port 4510                       ends with Ctrl-C
  eval \"$(escher sandbox env --port 4510)\"         in another shell: aws, az and gcloud go there
  aws ec2 describe-instances
  gcloud compute instances list
  az login --identity && az vm list -d             once before: the two lines that `env` shows for az
  escher sandbox --generate 100000                 a large estate
  escher sandbox --seed estate.toml                your own

GET /_sandbox/activity lists every request; GET /_sandbox/state shows the whole world; POST /_sandbox/faults lets
things go wrong in all three clouds. What the clouds have, and lack: book/src/sandbox.md.")]
    #[command(args_conflicts_with_subcommands = true)]
    Sandbox {
        #[command(flatten)]
        sandbox: SandboxArgs,
        #[command(subcommand)]
        action: Option<SandboxAction>,
    },
    /// Print the grammar, for other tools and for language models that are held to it.
    Grammar {
        /// The notation.
        #[arg(long, value_enum, default_value_t = Notation::Ebnf)]
        format: Notation,
    },
    /// Print shell completions.
    #[command(after_help = "Example:
  escher completions bash > /etc/bash_completion.d/escher")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write those of all commands.
    Man {
        /// Folder for the pages of all commands.
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

/// Forms of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A picture, drawn.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Mermaid.
    Mermaid,
}

/// Forms of what a playbook must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PermissionsFormat {
    /// For people.
    Table,
    /// One object, for scripts.
    Json,
    /// A policy of AWS IAM.
    AwsIam,
    /// A custom role of Azure.
    AzureRole,
    /// A custom role of Google Cloud.
    GcpRole,
}

/// How the results of tests are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people.
    Human,
    /// One object, for scripts.
    Json,
    /// JUnit's XML, for build servers.
    Junit,
}

/// Notations of grammars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Notation {
    /// For people.
    Ebnf,
    /// Python's Lark.
    Lark,
    /// llama.cpp's GBNF.
    Gbnf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Ops {
    /// Find operations by what they do, or by the names that the clouds and their command lines use.
    Search {
        /// Words, such as `stop a vm`.
        #[arg(required = true)]
        words: Vec<String>,
        /// Only of this cloud: `aws`, `azure` or `gcp`.
        #[arg(long)]
        cloud: Option<String>,
        /// No more than so many.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show one operation.
    Show {
        /// Its full name, such as `aws.ec2.stop_instances`, or a command, such as `az vm deallocate`.
        #[arg(required = true)]
        operation: Vec<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Take a newer file of operations into this project, or go back to those inside the program.
    #[command(after_help = "Examples:
  escher ops update aws.bin           copies it to catalog/aws.bin and pins its hash in escher.toml
  escher ops update --builtin aws     the operations inside the program again

Clouds are reached with a file only once the root key has signed the settings: escher trust sign --key KEY")]
    Update {
        /// The file: aws.bin, azure.bin or gcp.bin.
        #[arg(required_unless_present = "builtin", conflicts_with = "builtin")]
        file: Option<PathBuf>,
        /// Go back to the operations inside the program.
        #[arg(long, value_name = "CLOUD")]
        builtin: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Count operations by risk and provenance.
    Stats {
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// All schedules of files, each with its next time.
    List {
        /// Files and folders.
        #[arg(default_value = ".")]
        paths: Vec<PathBuf>,
        /// Count from here instead of now, such as 2026-03-28T12:00:00Z.
        #[arg(long, value_name = "INSTANT")]
        from: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Hold a published schedule back: what comes meanwhile is written down as missed.
    Pause {
        /// Its name.
        schedule: String,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Let a schedule go on that was held back.
    Resume {
        /// Its name.
        schedule: String,
        #[command(flatten)]
        format: FormatArg,
    },
    /// The next times of a schedule.
    Next {
        /// NAME, or FILE[:NAME].
        schedule: String,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
        /// Count from here instead of now, such as 2026-03-28T12:00:00Z.
        #[arg(long, value_name = "INSTANT")]
        from: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// All runs, newest first.
    List {
        #[command(flatten)]
        format: FormatArg,
    },
    /// What a run did.
    Show {
        /// The run.
        run: String,
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trust {
    /// What holds, and whether the files here still say so.
    Show {
        #[command(flatten)]
        format: FormatArg,
    },
    /// Sign what the files here say with the root key; the first time, pin that key.
    Sign {
        /// Private key in OpenSSH's format.
        #[arg(long, value_name = "SSH_KEY", required_unless_present = "statement")]
        key: Option<PathBuf>,
        /// Write what is to be signed here, and sign nothing; with --signature: what was signed.
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        statement: Option<PathBuf>,
        /// The signature that `ssh-keygen -Y sign -n escher-trust` made of the statement.
        #[arg(long, value_name = "FILE", requires = "statement")]
        signature: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// All entries, oldest first.
    Show {
        #[command(flatten)]
        format: FormatArg,
    },
    /// Write the approvals of a run to files that `ssh-keygen -Y verify` takes.
    Export {
        /// The run.
        run: String,
        /// Folder for the statements and, beside each, its signature.
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Print how far the log goes now. Kept elsewhere, it shows later that nothing was cut off or rewritten.
    Checkpoint {
        #[command(flatten)]
        format: FormatArg,
    },
    /// Check the hash chain, and the journals against it.
    #[command(after_help = "Examples:
  escher audit verify
  escher audit checkpoint > /elsewhere/audit.json
  escher audit verify --checkpoint /elsewhere/audit.json")]
    Verify {
        /// What `escher audit checkpoint` printed earlier.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
}

impl Cli {
    /// The format that the command was asked for.
    pub(crate) fn format(&self) -> Format {
        let of = |f: &FormatArg| f.format;
        // `escher runs --format json list` and `escher runs list --format json` are the same.
        let either = |inner: &FormatArg, outer: &FormatArg| match inner.format {
            Format::Human => outer.format,
            said => said,
        };
        match &self.command {
            Command::Check { format, .. }
            | Command::Explain { format, .. }
            | Command::Convert { format, .. }
            | Command::Plan { format, .. }
            | Command::Approve { format, .. }
            | Command::Run { format, .. }
            | Command::Resume { format, .. }
            | Command::Cancel { format, .. }
            | Command::Undo { format, .. }
            | Command::Tick { format }
            | Command::Daemon { format } => of(format),
            Command::Test { format: TestFormat::Json, .. }
            | Command::Permissions { format: PermissionsFormat::Json, .. } => Format::Json,
            Command::Publish(args) => of(&args.format),
            Command::ExtendMe(args) => of(&args.format),
            Command::Halt(args) => of(&args.format),
            Command::Policy {
                what:
                    Some(
                        Policy::Show { format: f }
                        | Policy::Check { format: f, .. }
                        | Policy::Explain { format: f, .. }
                        | Policy::Test { format: f, .. },
                    ),
                format,
            } => either(f, format),
            Command::Policy { format, .. } => of(format),
            Command::Ops { what } => match what {
                Ops::Search { format, .. }
                | Ops::Show { format, .. }
                | Ops::Update { format, .. }
                | Ops::Stats { format } => of(format),
            },
            Command::Schedule {
                what:
                    Some(
                        Schedule::List { format: f, .. }
                        | Schedule::Next { format: f, .. }
                        | Schedule::Pause { format: f, .. }
                        | Schedule::Resume { format: f, .. },
                    ),
                format,
            } => either(f, format),
            Command::Schedule { format, .. } => of(format),
            Command::Runs { what: Some(Runs::List { format: f } | Runs::Show { format: f, .. }), format } => {
                either(f, format)
            }
            Command::Trust { what: Some(Trust::Show { format: f } | Trust::Sign { format: f, .. }), format } => {
                either(f, format)
            }
            Command::Trust { format, .. } => of(format),
            Command::Audit {
                what:
                    Some(Audit::Show { format: f } | Audit::Verify { format: f, .. } | Audit::Export { format: f, .. }),
                format,
            } => either(f, format),
            Command::Runs { format, .. } | Command::Audit { format, .. } => of(format),
            _ => Format::Human,
        }
    }
}

/// How practice clouds are served.
#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// What it starts with, as TOML or JSON.
    #[arg(long, value_name = "FILE", conflicts_with = "generate")]
    pub(crate) seed: Option<PathBuf>,
    /// Start with so many resources, drawn over the three clouds.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) generate: Option<u32>,
    /// The port; 0 for a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// How long each answer takes at least, such as `20ms`.
    #[arg(long, value_name = "DURATION")]
    pub(crate) latency: Option<String>,
    /// Where to append the activity log, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// End when standard input is closed.
    #[arg(long, hide = true)]
    pub(crate) until_closed: bool,
}

/// What else there is about practice clouds.
#[derive(Debug, Subcommand)]
pub(crate) enum SandboxAction {
    /// Print the environment in which aws, az and gcloud go to a running sandbox, for a shell to take.
    #[command(after_help = "Example:
  eval \"$(escher sandbox env --port 4510)\"")]
    Env {
        /// The port of the sandbox; the one that started last where it isn't said.
        #[arg(long)]
        port: Option<u16>,
    },
}
