//! Ending a run from another process: a request in the store, which the process at work honours between calls; a run
//! that nobody works on any more is ended here.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use escher_ir::audit::AuditEvent;
use escher_ir::codec;
use escher_ir::journal::{CancelRequest, Entry, Event, RunStatus};
use escher_ir::plan::ItemId;
use escher_policy::Action;
use escher_provider::Change;

use super::{acquire, take_up};
use crate::approve::permit;
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::halt;
use crate::journal::{self, CallResult, RunState};
use crate::options::RunOptions;
use crate::plan;
use crate::progress::{Cancel, ProgressEvent};
use crate::report::RunReport;
use crate::store::{Append, Commit, StoreError};
use crate::transitions::{RUN, RunOn};

/// How often a process looks whether it was asked for its end, and one that asked whether that has come.
const LOOK: Duration = Duration::from_millis(250);

/// Why an item of a cancelled run is neither done nor left alone.
pub(crate) const IN_DOUBT: &str = "it had begun when its process ended: `escher resume` goes on with it";

fn stream(run: &str) -> String {
    format!("cancel/{run}")
}

/// Ends a run. Waits for a process that is at work for so long; the report says how the run stands then.
pub(crate) async fn cancel(
    engine: &Engine,
    run: &str,
    change: &dyn Change,
    options: &RunOptions,
    patience: Duration,
) -> Result<RunReport, EngineError> {
    let (state, planned) = plan::known(engine, run, &options.principal)?;
    permit(engine, &options.gate, &planned, &options.principal, Action::Cancel, engine.clock.now())?;
    if let Some((status, ..)) = &state.finished {
        let words = match status {
            RunStatus::Cancelled => format!("run {run} was cancelled already"),
            _ => format!("run {run} has ended: there is nothing to cancel"),
        };
        let help = if state.started.is_some() { format!("`escher undo {run}` takes it back") } else { String::new() };
        return Err(audit::refused(engine, Some(run), &options.principal, Refused::new(words, help)));
    }
    if state.started.is_none() {
        return never(engine, &state, options);
    }
    let name = journal::stream(run);
    let until = tokio::time::Instant::now() + patience;
    let mut asked = None;
    while let Some(holder) = engine.store.holder(&name, engine.clock.now())? {
        if asked != Some(holder.fence) {
            ask(engine, run, holder.fence, options)?;
            asked = Some(holder.fence);
        }
        if tokio::time::Instant::now() >= until {
            return crate::runs::report(engine, run);
        }
        options.progress.event(ProgressEvent::Waiting { at: "the end of the calls that are in flight" });
        tokio::time::sleep(LOOK).await;
    }
    let state = plan::state_of(engine, run)?;
    if state.finished.is_some() {
        return crate::runs::report(engine, run);
    }
    // Its process is gone: it is ended as if it had heard the request.
    if asked.is_none() {
        ask(engine, run, 0, options)?;
    }
    options.cancel.cancel();
    let lease = acquire(engine, run, options)?;
    take_up(engine, planned, lease, change, options, None).await
}

/// Writes the request down, for the process with this fencing number, and in the audit log.
fn ask(engine: &Engine, run: &str, fence: u64, options: &RunOptions) -> Result<(), EngineError> {
    let stream = stream(run);
    loop {
        let request = CancelRequest { fence, principal: options.principal.clone() };
        let expected = engine.store.head(&stream)?;
        let append = Append { stream: stream.clone(), expected, bytes: codec::encode(&request)?.1 };
        let commit = Commit { appends: vec![append], ..Commit::default() };
        let event = AuditEvent::CancelRequested { run: run.to_string(), principal: options.principal.clone() };
        match audit::commit(&*engine.store, &mut End::default(), commit, vec![(engine.clock.now(), event)]) {
            // Two asked at once.
            Err(EngineError::Store(StoreError::Conflict { stream: other })) if other == stream => {}
            other => return other.map(drop),
        }
    }
}

/// A plan that nobody started, and nobody will.
fn never(engine: &Engine, state: &RunState, options: &RunOptions) -> Result<RunReport, EngineError> {
    RUN.next(state.phase, RunOn::Cancel)?;
    let (run, now) = (state.run.clone(), engine.clock.now());
    let event = Event::Finished {
        status: RunStatus::Cancelled,
        value: None,
        message: Some("cancelled before it began".into()),
        totals: Default::default(),
    };
    let entries = vec![Entry { at: now, event }];
    let mut told = vec![(now, AuditEvent::CancelRequested { run: run.clone(), principal: options.principal.clone() })];
    told.extend(audit::of_events(&run, &entries));
    let bytes = journal::segment(state.events, entries)?;
    // A process that starts it at the same moment conflicts here, or this does there.
    let append = Append { stream: journal::stream(&run), expected: state.head, bytes };
    let commit = Commit { appends: vec![append], ..Commit::default() };
    match audit::commit(&*engine.store, &mut End::default(), commit, told) {
        Err(EngineError::Store(StoreError::Conflict { .. })) => {
            let refused =
                Refused::new(format!("run {run} has just changed"), format!("try again: `escher cancel {run}`"));
            Err(audit::refused(engine, Some(&run), &options.principal, refused))
        }
        Err(error) => Err(error),
        Ok(_) => crate::runs::report(engine, &run),
    }
}

/// Does the work, and cancels it when somebody asks this process to, or halts the whole state.
pub(crate) async fn watched<T>(
    engine: &Engine,
    run: &str,
    fence: u64,
    options: &RunOptions,
    work: impl Future<Output = T>,
) -> T {
    let cancel = &options.cancel;
    let watch = async {
        let (mut seen, mut said) = (0, None);
        loop {
            tokio::time::sleep(LOOK).await;
            seen = look(engine, run, fence, seen, cancel);
            let now = halt::said(&*engine.store);
            // Practice clouds go on: nothing of anybody's is changed there.
            if now != said && !options.gate.sandbox && halt::holds(engine).is_ok_and(|halt| halt.is_some()) {
                cancel.cancel();
            }
            said = now;
        }
    };
    tokio::pin!(work);
    tokio::select! {
        biased;
        result = &mut work => result,
        never = async { let never: Infallible = watch.await; never } => match never {},
    }
}

/// Honours requests after the first `seen`; gives how many there are. A store that fails now is noticed by the journal.
fn look(engine: &Engine, run: &str, fence: u64, seen: u64, cancel: &Cancel) -> u64 {
    let stream = stream(run);
    let count = engine.store.head(&stream).map_or(seen, |head| head.count);
    if count == seen {
        return seen;
    }
    for segment in engine.store.read(&stream, seen).unwrap_or_default() {
        let request = codec::decode::<CancelRequest>(&segment.bytes);
        if request.is_ok_and(|(_, request)| request.fence == fence) {
            cancel.cancel();
        }
    }
    count
}

/// Items that had begun and have not ended.
pub(crate) fn in_doubt(state: &RunState) -> HashSet<(&str, &ItemId)> {
    let had_effect = |result: &CallResult, maybe: bool| maybe || !matches!(result, CallResult::Failed(_));
    let begun = state.intents.values().filter(|intent| had_effect(&intent.result, intent.maybe_done));
    let items = begun.flat_map(|intent| intent.items.iter().map(|item| (intent.step.as_str(), item)));
    items.filter(|(step, item)| !state.ended.contains_key(&((*step).to_string(), (*item).clone()))).collect()
}
