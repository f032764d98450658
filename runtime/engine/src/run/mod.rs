//! Running: the gate, the playbook's nodes in order, the end. Steps stand in `step`, their bodies in `unit`.

mod cancel;
mod check;
mod live;
mod nodes;
mod part;
mod place;
mod pressure;
mod send;
mod step;
mod undo;
mod unit;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use escher_ir::audit::AuditEvent;
use escher_ir::journal::{Entry, Event, Outcome, RunStatus};
use escher_ir::plan::Replaced;
use escher_ir::{Digest, Target, Value};
use escher_provider::Change;
use jiff::Timestamp;

pub(crate) use cancel::{IN_DOUBT, cancel, in_doubt};
pub(crate) use live::{Live, step_named};
pub(crate) use undo::{ledger, owed, resume_undo, undo};

use crate::ambient;
use crate::approve::{Passed, held, pass};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::journal::{self, CallResult, Journal, PartState, RunState};
use crate::limits;
use crate::options::RunOptions;
use crate::parts::Parts;
use crate::plan::{self, Planned};
use crate::progress::ProgressEvent;
use crate::report::{ReportPart, RunReport, Standing};
use crate::store::{Append, Commit, Lease, StoreError};
use crate::time;
use crate::transitions::{APPROVAL, ApprovalOn, RUN, RunOn};
use crate::world::World;

/// A run that goes on in this process.
pub(crate) struct Runner<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) planned: &'a Planned,
    pub(crate) options: &'a RunOptions,
    pub(crate) change: &'a dyn Change,
    pub(crate) world: World<'a>,
    pub(crate) journal: &'a Journal,
    /// What the journal said when this process took the run up.
    pub(crate) state: &'a RunState,
    /// What its steps do.
    pub(crate) live: &'a Live,
    /// Number of the last time that a list was read again.
    pub(crate) generation: AtomicU64,
    pub(crate) recheck_after: std::time::Duration,
    /// Something beside has failed: nothing new begins.
    pub(crate) halted: AtomicBool,
    /// An item was left as it is, because somebody asked for the end while it waited.
    pub(crate) left_open: AtomicBool,
    /// What can't have happened, and did.
    pub(crate) impossible: Mutex<Option<EngineError>>,
    /// The waiters that the plan was made with, from the store.
    pub(crate) waiters: BTreeMap<String, Arc<escher_catalog::Waiter>>,
    /// What the playbook reported so far.
    pub(crate) reports: Mutex<Vec<ReportPart>>,
}

/// How the run ended.
pub(crate) struct Ending {
    pub(crate) status: RunStatus,
    pub(crate) value: Option<Value>,
    pub(crate) message: Option<String>,
}

/// How the playbook's body ended.
#[derive(Debug, Default)]
pub(crate) struct BodyResult {
    pub(crate) failed: Option<String>,
    pub(crate) cancelled: bool,
    /// It stands at an `approve`.
    pub(crate) paused: bool,
    pub(crate) value: Option<Value>,
}

/// Starts a planned run.
pub(crate) async fn run(
    engine: &Engine,
    run: &str,
    change: &dyn Change,
    options: &RunOptions,
) -> Result<RunReport, EngineError> {
    let (state, planned) = plan::known(engine, run, &options.principal)?;
    if state.started.is_some() {
        let refused = Refused::new(
            format!("run {run} has begun already: a plan starts once"),
            format!("`escher resume {run}` goes on with it; `escher plan` makes a new plan"),
        );
        return Err(audit::refused(engine, Some(run), &options.principal, refused));
    }
    if state.finished.is_some() {
        let refused =
            Refused::new(format!("run {run} was cancelled before it began"), "make a new plan with `escher plan`");
        return Err(audit::refused(engine, Some(run), &options.principal, refused));
    }
    let (who, gate) = (&options.principal, &options.gate);
    let now = time::latest(engine, Some(run), who, None)?;
    let passed = pass(engine, &state, &planned, who, gate, now)?;
    let unread = |error| audit::tampered(engine, Some(run), who, error);
    let places = ambient::of(engine, &state).map_err(unread)?;
    place::check(engine, run, &places, change, options, place::Fit::Whole).await?;
    // Asking where this is, the cloud has said what time it is there.
    let there = time::latest(engine, Some(run), who, change.ahead())?;
    let (passed, objects) = if there > now { pass(engine, &state, &planned, who, gate, there)? } else { passed };
    let lease = acquire(engine, run, options)?;
    start(engine, &state, &planned, &lease, passed, objects, None, options)?;
    drop(state);
    go_on(engine, planned, lease, change, options, Begin::Fresh).await
}

/// Goes on with a run that was interrupted or cancelled.
pub(crate) async fn resume(
    engine: &Engine,
    run: &str,
    change: &dyn Change,
    options: &RunOptions,
) -> Result<RunReport, EngineError> {
    let (state, planned) = plan::known(engine, run, &options.principal)?;
    let refuse = |refused| Err(audit::refused(engine, Some(run), &options.principal, refused));
    if state.started.is_none() && state.finished.is_some() {
        let help = "make a new plan with `escher plan`";
        return refuse(Refused::new(format!("run {run} was cancelled before it began"), help));
    }
    if state.started.is_none() {
        let help = format!("`escher run {run}` starts it");
        return refuse(Refused::new(format!("run {run} has not begun"), help));
    }
    if let Some((status, ..)) = &state.finished
        && *status != RunStatus::Cancelled
    {
        let help = format!("`escher runs show {run}` says how");
        return refuse(Refused::new(format!("run {run} has ended"), help));
    }
    if let Some((step, _)) = state.ended.keys().find(|(step, _)| state.finished.is_some() && step.ends_with("/undo")) {
        let step = step.trim_end_matches("/undo");
        let reason = format!("run {run} was cancelled, and its temporary step `{step}` has been taken back");
        return refuse(Refused::new(reason, "make a new plan with `escher plan`"));
    }
    if let Some(by) = taken_back_by(engine, run)? {
        let help = "make a new plan with `escher plan`";
        return refuse(Refused::new(format!("run {run} has been taken back by {by}"), help));
    }
    let unread = |error| audit::tampered(engine, Some(run), &options.principal, error);
    if state.undo_of.is_none() {
        held(engine, &state, &options.principal, &options.gate)?;
    }
    let mut approved = part::judged(engine, &state, options, None)?;
    // Before it is taken up: what the journal names is there, and is what it was.
    drop(Live::new(engine, &planned, &state).map_err(unread)?);
    let places = ambient::of(engine, &state).map_err(unread)?;
    place::check(engine, run, &places, change, options, place::Fit::Account).await?;
    if approved.is_some() {
        // Asking where this is, the cloud has said what time it is there.
        approved = part::judged(engine, &state, options, change.ahead())?;
    }
    let lease = acquire_after(engine, run, options).await?;
    if approved.is_some() && plan::state_of(engine, run)?.head != state.head {
        engine.store.release(&lease)?;
        return refuse(Refused::new(
            format!("run {run} has just changed"),
            format!("try again: `escher resume {run}`"),
        ));
    }
    // A journal of many calls is not kept beside the one that is read again under the lease.
    drop(state);
    take_up(engine, planned, lease, change, options, approved).await
}

/// The run that has taken this one back, or is about to.
fn taken_back_by(engine: &Engine, run: &str) -> Result<Option<String>, EngineError> {
    let prefix = undo::marker(run, "");
    Ok(engine.store.streams(&prefix)?.pop().map(|stream| stream.trim_start_matches(&prefix).to_string()))
}

/// Goes on with what has begun, with its lease in hand.
async fn take_up(
    engine: &Engine,
    planned: Planned,
    lease: Lease,
    change: &dyn Change,
    options: &RunOptions,
    approved: Option<part::Approved>,
) -> Result<RunReport, EngineError> {
    if plan::state_of(engine, &planned.run)?.undo_of.is_some() {
        return resume_undo(engine, planned, lease, change, options).await;
    }
    go_on(engine, planned, lease, change, options, Begin::Again(approved)).await
}

/// How a process comes to work on a run.
enum Begin {
    /// It has started it.
    Fresh,
    /// It takes it up again, with the approval of its rest where it waited for that.
    Again(Option<part::Approved>),
}

pub(crate) fn acquire(engine: &Engine, run: &str, options: &RunOptions) -> Result<Lease, EngineError> {
    match engine.store.acquire(&journal::stream(run), engine.clock.now(), options.lease) {
        Err(StoreError::Held { until, .. }) => {
            let refused = Refused::new(
                format!("another process is at work on run {run}"),
                format!("wait for it; if it has crashed, its lease ends at {until}"),
            );
            Err(audit::refused(engine, Some(run), &options.principal, refused))
        }
        other => Ok(other?),
    }
}

/// Takes the lease of a run whose process may just have died: its lease is waited out. A process that lives renews its
/// lease, which is seen, and then this is refused.
async fn acquire_after(engine: &Engine, run: &str, options: &RunOptions) -> Result<Lease, EngineError> {
    let name = journal::stream(run);
    let mut seen = None;
    let looks = options.lease.as_millis() / LEASE_LOOK.as_millis() + 4;
    for _ in 0..looks {
        let Some(held) = engine.store.holder(&name, engine.clock.now())? else {
            return acquire(engine, run, options);
        };
        match seen {
            None => {
                options.progress.event(ProgressEvent::Waiting { at: "the end of the lease of a process that was here" })
            }
            Some(before) if before != (held.fence, held.expires) => return acquire(engine, run, options),
            Some(_) => {}
        }
        seen = Some((held.fence, held.expires));
        tokio::select! {
            () = tokio::time::sleep(LEASE_LOOK) => {}
            () = options.cancel.cancelled() => return acquire(engine, run, options),
        }
    }
    acquire(engine, run, options)
}

/// How often a lease that is waited out is looked at.
const LEASE_LOOK: std::time::Duration = std::time::Duration::from_millis(250);

/// Writes the start down, once: a second process that passed the gate at the same time conflicts here.
#[allow(clippy::too_many_arguments, reason = "one caller each for run and undo")]
pub(crate) fn start(
    engine: &Engine,
    state: &RunState,
    planned: &Planned,
    lease: &Lease,
    passed: Passed,
    objects: Vec<(Digest, Vec<u8>)>,
    undo_of: Option<String>,
    options: &RunOptions,
) -> Result<(), EngineError> {
    let now = engine.clock.now();
    RUN.next(state.phase, RunOn::Start)?;
    APPROVAL.next(state.approval, ApprovalOn::Use)?;
    let event = Event::Started {
        plan: planned.digest,
        program: planned.plan.program,
        approvals: passed.approvals.clone(),
        principal: options.principal.clone(),
        undo_of: undo_of.clone(),
    };
    let bytes = journal::segment(state.events, vec![Entry { at: now, event }])?;
    let append = Append { stream: journal::stream(&planned.run), expected: state.head, bytes };
    let until = crate::clock::later(now, options.lease);
    let counted = passed.counted;
    let appends = [append].into_iter().chain(counted.iter().map(|counted| counted.append.clone())).collect();
    let commit = Commit { objects, appends, lease: Some((lease.clone(), until)) };
    let event = AuditEvent::Started {
        run: planned.run.clone(),
        plan: planned.digest,
        principal: options.principal.clone(),
        approvals: passed.approvals,
        solo: passed.solo,
        sandbox: passed.sandbox,
        undo_of,
    };
    let events = counted.iter().map(|counted| counted.event.clone()).chain([event]).map(|event| (now, event)).collect();
    match (audit::commit(&*engine.store, &mut End::default(), commit, events), &counted) {
        // Both would have been the last that may run: one was.
        (Err(EngineError::Store(StoreError::Conflict { stream })), Some(counted))
            if stream == counted.append.stream =>
        {
            let refused = Refused::new("another run of the same began at this moment", "try again");
            Err(audit::refused(engine, Some(&planned.run), &options.principal, refused))
        }
        (result, _) => result.map(drop),
    }
}

/// From a journal that says `Started` to the end, or to an `approve`: the same for a fresh run and for one that is taken
/// up again.
async fn go_on(
    engine: &Engine,
    planned: Planned,
    lease: Lease,
    change: &dyn Change,
    options: &RunOptions,
    begin: Begin,
) -> Result<RunReport, EngineError> {
    // Read again, now that the lease keeps everybody else away.
    let run = planned.run.clone();
    let run = &*run;
    let mut state = plan::state_of(engine, run)?;
    let (store, clock) = (engine.store.clone(), engine.clock.clone());
    let journal = Journal::open(&state, store, clock, lease.clone(), options.lease)?;
    if let Begin::Again(approved) = begin {
        journal.commit(Event::Resumed { fence: lease.fence }, Vec::new()).await?;
        if let Some(approved) = approved {
            approved.goes_on(engine, &journal).await?;
        }
        state = plan::state_of(engine, run)?;
    }
    let (mut begun, mut known) = (false, Some(planned));
    // Once for each part: what follows an `approve` is taken up as another process would, from the journal.
    loop {
        // A plan is large: the one that was judged is used, where nothing was added to it since.
        let planned = match known.take().filter(|known| known.digest == state.plan && state.begun().next().is_none()) {
            Some(known) => known,
            None => plan::from_state(engine, &state)?,
        };
        let live = Live::new(engine, &planned, &state)?;
        let runner = Runner::new(engine, &planned, options, change, &journal, &state, &live, None)?;
        if !std::mem::replace(&mut begun, true) {
            let items: u64 = planned.plan.steps.iter().map(|s| s.items.len() as u64).sum();
            engine.store.expect(items.saturating_mul(limits::BYTES_PER_ITEM));
            options.progress.event(ProgressEvent::Started { run, items });
        }
        let body = runner.body(&planned.plan.parameters);
        let result = cancel::watched(engine, run, lease.fence, options, body).await;
        let mut result = match result {
            Ok(result) => result,
            Err(error @ (EngineError::LeaseLost(_) | EngineError::Store(_) | EngineError::Codec(_))) => {
                return Err(error);
            }
            Err(error) => BodyResult { failed: Some(error.to_string()), ..BodyResult::default() },
        };
        result.cancelled |= result.paused && options.cancel.is_cancelled();
        if result.paused && !result.cancelled {
            drop(runner);
            journal.flush().await?;
            state = plan::state_of(engine, run)?;
            let Some(approved) = part::needs_nobody(engine, &state, options)? else { break };
            approved.goes_on(engine, &journal).await?;
            state = plan::state_of(engine, run)?;
            continue;
        }
        if let Some(words) = runner.end_temporary().await? {
            result.failed.get_or_insert(words);
        }
        let ending = runner.end(result).await?;
        let reports = runner.reports.into_inner().unwrap_or_else(PoisonError::into_inner);
        let replaced = journal.replaced();
        drop(journal);
        return told(engine, &planned, &state, live, ending, reports, replaced);
    }
    drop(journal);
    crate::runs::report(engine, run)
}

/// What a run that has just ended did, as its journal tells of it; only one that was cancelled leaves more in there
/// than this process remembers.
pub(crate) fn told(
    engine: &Engine,
    planned: &Planned,
    state: &RunState,
    live: Live,
    ending: Ending,
    report: Vec<ReportPart>,
    replaced: Vec<Replaced>,
) -> Result<RunReport, EngineError> {
    if ending.status == RunStatus::Cancelled {
        return crate::runs::report(engine, &planned.run);
    }
    let Ending { status, value, message } = ending;
    let end = crate::runs::End { standing: Standing::Status(status), value, message, report, replaced };
    Ok(crate::runs::told(planned, state.undo_of.clone(), live.into_ended(), end, None))
}

impl<'a> Runner<'a> {
    #[allow(clippy::too_many_arguments, reason = "what a run consists of")]
    pub(crate) fn new(
        engine: &'a Engine,
        planned: &'a Planned,
        options: &'a RunOptions,
        change: &'a dyn Change,
        journal: &'a Journal,
        state: &'a RunState,
        live: &'a Live,
        original: Option<(&'a RunState, &'a Live)>,
    ) -> Result<Runner<'a>, EngineError> {
        static NO_GROUPS: BTreeMap<String, Vec<Target>> = BTreeMap::new();
        let (seen, steps) = original.unwrap_or((state, live));
        let started = seen.started.unwrap_or(seen.planned);
        let world = World {
            program: &planned.program,
            read: change,
            operations: &*engine.operations,
            clock: &*engine.clock,
            steps,
            notes: journal,
            ambient: live.ambient.clone(),
            others: live.others.clone(),
            groups: &NO_GROUPS,
            limits: &engine.limits,
            run: Some((&seen.run, started)),
            planned_at: started,
            memo: Mutex::default(),
            began: Mutex::default(),
            resolved: Mutex::default(),
            records: Mutex::new(records(engine, planned)?),
            backoff: options.backoff,
            secrets: &*engine.secrets,
            revealed: Mutex::default(),
        };
        let runner = Runner {
            engine,
            planned,
            options,
            change,
            world,
            journal,
            state,
            live,
            generation: AtomicU64::new(0),
            // Of a plan that does not say it, the journal does.
            recheck_after: std::time::Duration::from_millis(
                planned.plan.recheck_after_ms.unwrap_or(seen.recheck_after_ms),
            ),
            halted: AtomicBool::new(false),
            left_open: AtomicBool::new(false),
            impossible: Mutex::default(),
            waiters: waiters(engine, planned)?,
            reports: Mutex::new(crate::runs::reports(engine, state)?),
        };
        if let Some((original, _)) = original {
            remember(engine, &runner.world, original, None)?;
        }
        let generation = remember(engine, &runner.world, state, Some(runner.recheck_after))?;
        runner.generation.store(generation, Ordering::SeqCst);
        Ok(runner)
    }

    /// The end: the outcome of what was never reached, the totals, the status.
    pub(crate) async fn end(&self, mut result: BodyResult) -> Result<Ending, EngineError> {
        let now;
        let mut state = self.state;
        if self.left_open.load(Ordering::SeqCst) {
            // What failed beside it fails again when the run is taken up; ended, nobody could go on with what is open.
            (result.failed, result.cancelled) = (None, true);
            self.journal.flush().await?;
            now = plan::state_of(self.engine, &self.planned.run)?;
            state = &now;
        }
        let reason = match &result.failed {
            Some(_) => "not reached: the run had failed",
            None => "not reached",
        };
        let mut totals: BTreeMap<Outcome, u64> = BTreeMap::new();
        let doubtful = in_doubt(state);
        for step in &self.planned.plan.steps {
            for item in &step.items {
                let known = self.live.outcome(&step.name, &item.item);
                let outcome = match known {
                    Some(outcome) => outcome,
                    // Cancelled: a resume goes on with it, so the journal leaves it open.
                    None if result.cancelled && doubtful.contains(&(&*step.name, &item.item)) => Outcome::Unknown,
                    None if result.cancelled => Outcome::Skipped,
                    None => {
                        self.ended(&step.name, &item.item, Outcome::Skipped, Some(reason.into()), None, None);
                        Outcome::Skipped
                    }
                };
                *totals.entry(outcome).or_default() += 1;
            }
            for outcome in self.live.extra(&step.name, step.items.iter().map(|i| &i.item)) {
                *totals.entry(outcome).or_default() += 1;
            }
            for outcome in self.live.extra(&undo::ledger(&step.name), std::iter::empty()) {
                *totals.entry(outcome).or_default() += 1;
            }
        }
        let bad = [Outcome::Failed, Outcome::Denied, Outcome::Unknown];
        let status = match (&result.failed, result.cancelled) {
            (Some(_), _) => RunStatus::Failed,
            (None, true) => RunStatus::Cancelled,
            _ if bad.iter().any(|o| totals.contains_key(o)) => RunStatus::DoneWithFailures,
            _ => RunStatus::Done,
        };
        let message = match (result.failed, status) {
            (Some(message), _) => Some(message),
            (None, RunStatus::Cancelled) => {
                Some(format!("cancelled: `escher resume {}` goes on with it", self.planned.run))
            }
            _ => None,
        };
        let mut objects = Vec::new();
        let value = match &result.value {
            Some(value) => {
                let object = journal::named(value)?;
                let digest = object.digest;
                objects.push(object);
                Some(digest)
            }
            None => None,
        };
        if let Some(error) = crate::world::lock(&self.impossible).take() {
            return Err(error);
        }
        let event = Event::Finished { status, value, message: message.clone(), totals };
        self.journal.commit(event, objects).await?;
        Ok(Ending { status, value: result.value, message })
    }
}

/// Puts into the memo what a journal holds; gives the number of the last time that a list was read again.
///
/// With `fresh_for`, what is too old to act on is left out: it is read again.
pub(crate) fn remember(
    engine: &Engine,
    world: &World<'_>,
    state: &RunState,
    fresh_for: Option<std::time::Duration>,
) -> Result<u64, EngineError> {
    let mut generation = 0;
    let now = engine.clock.now();
    let parts = Parts::of(world.program)?;
    for (path, (digest, began)) in &state.fixed {
        let number = path.strip_prefix("again.").and_then(|r| r.split_once('/')).and_then(|(n, _)| n.parse().ok());
        generation = generation.max(number.unwrap_or(0));
        if fresh_for.is_some_and(|fresh| is_stale(state, &parts, path, *began, now, fresh)) {
            continue;
        }
        world.know(path, state.value(&*engine.store, digest)?, *began);
    }
    for (path, (failure, at)) in &state.failed_reads {
        if fresh_for.is_some_and(|fresh| is_stale(state, &parts, path, *at, now, fresh)) {
            continue;
        }
        world.know_failed(path, path.rsplit('/').next().unwrap_or(path), failure);
    }
    for (path, intent) in &state.intents {
        if let CallResult::Answered { value, .. } = &intent.result {
            world.know(path, state.value(&*engine.store, value)?, intent.at);
        }
    }
    Ok(generation)
}

/// A reading that was made while planning, too long ago; or one of an item that has sent nothing yet.
///
/// A reading below an `approve` was made while the rest was planned, or after that went on.
fn is_stale(
    state: &RunState,
    parts: &Parts<'_>,
    path: &str,
    began: Timestamp,
    now: Timestamp,
    fresh: std::time::Duration,
) -> bool {
    if path.starts_with("targets.") {
        return false;
    }
    if let Some(unit) = unit_of(path) {
        let scope = format!("{unit}/");
        return !state.intents.range(scope.clone()..).next().is_some_and(|(p, _)| p.starts_with(&scope));
    }
    let last = |ask: &str| state.parts.iter().rev().find(|part| part.node == ask);
    if parts.read_for(path).and_then(last).is_some_and(|part| part.started.is_none()) {
        // The question lapsed, and is asked anew with what is there now.
        return true;
    }
    // Judged as of the start: a run that is taken up again sees what it saw.
    let started = match parts.below_path(path) {
        None => state.started.unwrap_or(now),
        Some(ask) => match last(ask) {
            Some(PartState { started: Some(started), .. }) => *started,
            // What it was read for did not go on.
            _ => return true,
        },
    };
    began < started && age(began, started) > fresh
}

/// The item's scope that a path lies in: `stop[i-0abc]` of `stop[i-0abc]/when/describe`.
fn unit_of(path: &str) -> Option<&str> {
    let open = path.find('[')?;
    let before = path.get(..open)?;
    if before.contains('/') || before.contains(".list") {
        return None;
    }
    let close = path.find("]/").or_else(|| path.ends_with(']').then(|| path.len() - 1))?;
    path.get(..=close)
}

/// How long ago; nothing where the clock went back.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// The records that the plan was made with, from the store.
fn records(engine: &Engine, planned: &Planned) -> Result<HashMap<String, Arc<escher_catalog::Record>>, EngineError> {
    let mut records = HashMap::new();
    for (name, digest) in &planned.plan.operations {
        let (_, stored) = journal::load::<escher_ir::operation::StoredRecord>(&*engine.store, digest)?;
        records.insert(name.clone(), Arc::new(stored.0));
    }
    Ok(records)
}

/// The waiters that the plan was made with, from the store.
fn waiters(engine: &Engine, planned: &Planned) -> Result<BTreeMap<String, Arc<escher_catalog::Waiter>>, EngineError> {
    let mut waiters = BTreeMap::new();
    for (name, digest) in &planned.plan.waiters {
        let (_, stored) = journal::load::<escher_ir::operation::StoredWaiter>(&*engine.store, digest)?;
        waiters.insert(name.clone(), Arc::new(stored.0));
    }
    Ok(waiters)
}

/// A duration of the playbook, at most a year: a timer beyond that is a mistake.
pub(crate) fn duration(value: Option<&Value>) -> Option<std::time::Duration> {
    let Some(Value::Duration(d)) = value else { return None };
    let d = std::time::Duration::try_from(*d).ok()?;
    Some(d.min(std::time::Duration::from_secs(366 * 86_400)))
}

/// Attempts that a step's `retry` allows, with the limit.
pub(crate) fn retries(value: Option<&Value>) -> u32 {
    match value {
        Some(Value::Int(n)) => u32::try_from(*n).unwrap_or(0).min(limits::MAX_ATTEMPTS),
        _ => 0,
    }
}
