//! The commands, a file each.

pub(crate) mod approve;
mod audit;
pub(crate) mod check;
mod compile;
mod convert;
mod doc;
mod explain;
mod extend;
mod fix;
mod fmt;
mod graph;
mod halt;
mod init;
mod manual;
mod ops;
pub(crate) mod permissions;
mod plan;
mod policy;
mod publish;
mod run;
mod runs;
mod sandbox;
mod sandbox_env;
mod schedule;
mod show;
mod test;
mod tick;
mod trust;
mod update;

use crate::args::{Audit, Cli, Command, Runs, SandboxAction, Schedule, Trust};
use crate::failure::Failure;

/// Does what was asked and gives the exit code.
pub(crate) fn dispatch(cli: &Cli) -> Result<u8, Failure> {
    let (common, format) = (&cli.common, cli.format());
    match &cli.command {
        Command::Init { dir, solo, root } => init::init(common, dir, solo.as_deref(), root.as_deref()),
        Command::Check { paths, .. } => check::check(paths, format),
        Command::Fmt { stdin: true, .. } => fmt::stdin(),
        Command::Fmt { paths, check, .. } => fmt::files(paths, *check),
        Command::Fix { paths } => fix::fix(paths),
        Command::Explain { what, playbook, .. } => explain::explain(what, playbook.as_deref(), format),
        Command::Doc { paths, output } => doc::doc(paths, output),
        Command::Graph { playbook, format } => graph::graph(playbook, *format),
        Command::Test { paths, filter, format } => test::test(paths, filter.as_deref(), *format),
        Command::Permissions { playbook, format } => permissions::permissions(playbook, *format),
        Command::Schedule { what: Some(Schedule::Next { schedule, count, from, .. }), .. } => {
            schedule::next(schedule, (*count).into(), from.as_deref(), format)
        }
        Command::Schedule { what: Some(Schedule::List { paths, from, .. }), .. } => {
            schedule::list(common, paths, from.as_deref(), format)
        }
        Command::Schedule { what: Some(Schedule::Pause { schedule, .. }), .. } => {
            schedule::pause(common, schedule, true, format)
        }
        Command::Schedule { what: Some(Schedule::Resume { schedule, .. }), .. } => {
            schedule::pause(common, schedule, false, format)
        }
        Command::Schedule { what: None, .. } => schedule::list(common, &[".".into()], None, format),
        Command::Tick { .. } => block_on(tick::tick(common, format)),
        Command::Daemon { .. } => block_on(tick::daemon(common, format)),
        Command::Ops { what } => ops::ops(common, what),
        Command::Convert { output, command, .. } => convert::convert(common, command, output.as_deref(), format),
        Command::Compile { playbook, output } => compile::compile(playbook, output),
        Command::Plan { playbook, set, output, .. } => {
            block_on(plan::plan(common, playbook, set, output.as_deref(), format))
        }
        Command::Approve { plan, key, revoke, statement, signature, output, comment, principal, .. } => {
            let wanted = approve::Wanted {
                revoke: *revoke,
                key: key.as_deref(),
                statement: statement.as_deref(),
                signature: signature.as_deref(),
                output: output.as_deref(),
                comment,
                principal: principal.as_deref(),
            };
            approve::approve(common, plan, &wanted, format)
        }
        Command::Trust { what: Some(Trust::Sign { key, statement, signature, .. }), .. } => {
            trust::sign(common, key.as_deref(), statement.as_deref(), signature.as_deref(), format)
        }
        Command::Trust { .. } => trust::show(common, format),
        Command::Policy { what, .. } => policy::policy(common, what.as_ref(), format),
        Command::Publish(args) => publish::publish(common, args, format),
        Command::ExtendMe(args) => block_on(extend::extend(common, args, format)),
        Command::Halt(args) => halt::halt(common, args, format),
        Command::Run { what, set, yes, sandbox, .. } => {
            block_on(run::run(common, what, set, *yes, sandbox.as_deref(), format))
        }
        Command::Resume { run, yes, .. } => block_on(run::resume(common, run, *yes, format)),
        Command::Cancel { run, wait, .. } => block_on(run::cancel(common, run, wait, format)),
        Command::Undo { run, .. } => block_on(run::undo(common, run, format)),
        Command::Runs { what: Some(Runs::Show { run, .. }), .. } => runs::show(common, run, format),
        Command::Runs { .. } => runs::list(common, format),
        Command::Audit { what: Some(Audit::Verify { checkpoint, .. }), .. } => {
            audit::verify(common, checkpoint.as_deref(), format)
        }
        Command::Audit { what: Some(Audit::Checkpoint { .. }), .. } => audit::checkpoint(common),
        Command::Audit { what: Some(Audit::Export { run, output, .. }), .. } => {
            audit::export(common, run, output, format)
        }
        Command::Audit { .. } => audit::show(common, format),
        Command::Sandbox { action: Some(SandboxAction::Env { port }), .. } => sandbox_env::print(common, *port),
        Command::Sandbox { sandbox, .. } => sandbox::serve(common, sandbox),
        Command::Grammar { format } => manual::grammar(*format),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { output } => manual::man(output.as_deref()),
    }
}

/// Runs a command's future on this thread: a run waits for networks, not for cores.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("cannot start: {e}")))?
        .block_on(future)
}
