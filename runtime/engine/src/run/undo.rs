//! Taking a run back: a planned run of its own, newest item first, last step first.
//!
//! An item that is no longer as the body left it stays; each is taken back at most once. The original approval covers
//! it while it is valid.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use escher_ir::audit::AuditEvent;
use escher_ir::journal::{Entry, Event, Outcome, RunStatus};
use escher_ir::plan::{ItemId, Plan, PlannedItem, PlannedStep, Rollback};
use escher_ir::program::{NodeKind, Step};
use escher_ir::{Value, codec};
use escher_policy::Action;
use escher_provider::Change;

use super::cancel::watched;
use super::live::step_named;
use super::pressure::Pressure;
use super::step::{Queue, StepRun, Unit, list};
use super::unit::{TAKEN_BACK, body_lets};
use super::{BodyResult, Live, Runner, acquire, duration, remember, retries, told, unit_of};
use crate::approve::{covers, permit, trust};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::identity::{batch_scope, target_of};
use crate::journal::{self, CallResult, Journal, RunState};
use crate::options::RunOptions;
use crate::plan::{self, Collected, Planned, look, outer, plan_bodies};
use crate::report::RunReport;
use crate::store::{Append, Commit, Head, Lease};
use crate::time;
use crate::world::{Bindings, Mode, What, World};

/// The stream whose presence says that a run has been taken back by another.
pub(crate) fn marker(run: &str, by: &str) -> String {
    format!("undo/{run}/{by}")
}

/// Takes a run back.
pub(crate) async fn undo(
    engine: &Engine,
    run: &str,
    change: &dyn Change,
    options: &RunOptions,
) -> Result<RunReport, EngineError> {
    let (state, original) = plan::known(engine, run, &options.principal)?;
    let refuse = |reason: String, help: String| {
        audit::refused(engine, Some(run), &options.principal, Refused::new(reason, help))
    };
    if state.started.is_none() {
        return Err(refuse(format!("run {run} has not begun: there is nothing to take back"), "nothing to do".into()));
    }
    if state.undo_of.is_some() {
        return Err(refuse(format!("run {run} takes back another one"), "run the playbook again instead".into()));
    }
    if engine.store.holder(&journal::stream(run), engine.clock.now())?.is_some() {
        return Err(refuse(format!("run {run} is still going on"), "wait for its end, or cancel it".into()));
    }
    let unread = |error| audit::tampered(engine, Some(run), &options.principal, error);
    drop(super::Live::new(engine, &original, &state).map_err(unread)?);
    let places = crate::ambient::of(engine, &state).map_err(unread)?;
    super::place::check(engine, run, &places, change, options, super::place::Fit::Account).await?;
    let claim = engine
        .store
        .acquire(&format!("undo/{run}"), engine.clock.now(), Duration::from_secs(600))
        .map_err(|_| refuse(format!("another process is about to take run {run} back"), "wait for it".into()))?;
    let result = begin(engine, &state, &original, change, options, &claim).await;
    engine.store.release(&claim)?;
    let (undo_run, lease) = result?;
    let planned = plan::load(engine, &undo_run)?;
    drop((state, original));
    go_on(engine, planned, lease, change, options, true).await
}

/// Goes on with taking back.
pub(crate) async fn resume_undo(
    engine: &Engine,
    planned: Planned,
    lease: Lease,
    change: &dyn Change,
    options: &RunOptions,
) -> Result<RunReport, EngineError> {
    go_on(engine, planned, lease, change, options, false).await
}

/// A unit whose body sent a change, with when it did.
struct Sent {
    order: u64,
    scope: String,
    items: Vec<ItemId>,
}

/// The units of a step that have something to take back, newest first.
fn sent_units(state: &RunState, step: &str) -> Vec<Sent> {
    let mut last: BTreeMap<&ItemId, (u64, &str)> = BTreeMap::new();
    for (path, intent) in state.intents.iter().filter(|(_, intent)| intent.step == step) {
        let had_effect = intent.maybe_done || matches!(intent.result, CallResult::Open);
        let Some(scope) = unit_of(path).filter(|_| had_effect) else { continue };
        for item in &intent.items {
            let entry = last.entry(item).or_insert((intent.order, scope));
            if intent.order >= entry.0 {
                *entry = (intent.order, scope);
            }
        }
    }
    let mut units: BTreeMap<&str, Sent> = BTreeMap::new();
    for (item, (order, scope)) in last {
        let unit = units.entry(scope).or_insert_with(|| Sent { order, scope: scope.to_string(), items: Vec::new() });
        unit.order = unit.order.max(order);
        unit.items.push(item.clone());
    }
    let mut units: Vec<Sent> = units.into_values().collect();
    units.sort_by_key(|unit| std::cmp::Reverse(unit.order));
    units
}

/// Items that an earlier `undo` has sent a change for.
fn taken_back(engine: &Engine, run: &str, principal: &str) -> Result<HashSet<(String, ItemId)>, EngineError> {
    let mut taken = HashSet::new();
    let prefix = marker(run, "");
    for stream in engine.store.streams(&prefix)? {
        let by = stream.strip_prefix(&prefix).unwrap_or_default();
        let Some(state) = RunState::load(&*engine.store, by)? else { continue };
        if state.finished.as_ref().is_none_or(|(status, ..)| *status == RunStatus::Cancelled) {
            let reason = format!("run {by} is taking {run} back already");
            let refused = Refused::new(reason, format!("`escher resume {by}` goes on with it"));
            return Err(audit::refused(engine, Some(run), principal, refused));
        }
        for intent in state.intents.into_values() {
            if intent.maybe_done || matches!(intent.result, CallResult::Open) {
                taken.extend(intent.items.into_iter().map(|item| (intent.step.clone(), item)));
            }
        }
    }
    Ok(taken)
}

/// The names of the playbook's block, as far as the journal knows them.
fn names_of(world: &World<'_>, parameters: &Bindings) -> Bindings {
    let mut names = parameters.clone();
    for node in &world.program.playbook.body.nodes {
        if let NodeKind::Let { name, value } = &node.kind {
            let question = look(world, &node.id, What::Expr(value), &names, true);
            if let Some(value) = world.round(&question, None, None).ok().and_then(|round| round.value) {
                names.insert(name.clone(), value);
            }
        }
    }
    names
}

/// The name under which the `undo` of a temporary step is written, at the end of its own run.
pub(crate) fn ledger(step: &str) -> String {
    format!("{step}/undo")
}

/// Temporary steps with something that is not taken back yet, last step first.
pub(crate) fn owed(state: &RunState, planned: &Planned) -> Vec<String> {
    let settled = |step: &str, item: &ItemId| {
        let caught = state.ended.get(&(step.to_string(), item.clone()));
        let caught = caught.and_then(|e| e.reason.as_ref()).is_some_and(|r| r.ends_with(TAKEN_BACK));
        caught || state.ended.contains_key(&(ledger(step), item.clone()))
    };
    let steps = planned.plan.steps.iter().rev().filter(|p| {
        step_named(&planned.program, &p.name).is_some_and(|step| step.temporary)
            && sent_units(state, &p.name).iter().any(|unit| unit.items.iter().any(|item| !settled(&p.name, item)))
    });
    steps.map(|p| p.name.clone()).collect()
}

impl Runner<'_> {
    /// Takes back what temporary steps made. Words about what could not be.
    pub(crate) async fn end_temporary(&self) -> Result<Option<String>, EngineError> {
        let temporary = |p: &PlannedStep| step_named(&self.planned.program, &p.name).is_some_and(|s| s.temporary);
        if !self.planned.plan.steps.iter().any(temporary) {
            return Ok(None);
        }
        self.journal.flush().await?;
        let mut state = plan::state_of(self.engine, &self.planned.run)?;
        let names = names_of(&self.world, &self.planned.plan.parameters);
        let mut words = None;
        for name in owed(&state, self.planned) {
            let Some(step) = step_named(&self.planned.program, &name) else { continue };
            let Some(planned) = self.planned.plan.steps.iter().find(|p| p.name == name) else { continue };
            for intent in state.intents.values_mut().filter(|i| i.step == name) {
                let caught = |item: &ItemId| {
                    let ended = state.ended.get(&(name.clone(), item.clone()));
                    ended.and_then(|e| e.reason.as_ref()).is_some_and(|r| r.ends_with(TAKEN_BACK))
                };
                intent.items.retain(|item| !caught(item));
            }
            take_back(self, step, planned, &names, &state, self.live, &ledger(&name)).await?;
            let bad = [Outcome::Failed, Outcome::Denied, Outcome::Unknown];
            let failed = self.live.count(&ledger(&name), &bad);
            if failed > 0 {
                words = Some(format!("step `{name}` is temporary, and {failed} of its items could not be taken back"));
            }
        }
        Ok(words)
    }
}

/// Plans the undo and writes its first segment, start included: the claim must still hold then.
async fn begin(
    engine: &Engine,
    state: &RunState,
    original: &Planned,
    change: &dyn Change,
    options: &RunOptions,
    claim: &Lease,
) -> Result<(String, Lease), EngineError> {
    let unread = |error| audit::tampered(engine, Some(&state.run), &options.principal, error);
    if !options.gate.sandbox {
        let now = time::latest(engine, Some(&state.run), &options.principal, change.ahead())?;
        trust::check(engine, &options.gate, &options.principal, Some(&state.run))?;
        permit(engine, &options.gate, original, &options.principal, Action::Undo, now)?;
        let mut all = vec![plan::first(engine, state).map_err(unread)?];
        for part in state.begun() {
            all.push(plan::part_of(engine, state, part).map_err(unread)?);
        }
        for approved in &all {
            covers(engine, &options.gate, state, approved, now).map_err(|error| match error {
                EngineError::Refused(why) => {
                    let run = &state.run;
                    let reason = format!("the approval of run {run} does not cover taking it back: {}", why.reason);
                    let help = "plan and have approved a playbook that puts things right".to_string();
                    audit::refused(engine, Some(run), &options.principal, Refused::new(reason, help))
                }
                other => unread(other),
            })?;
        }
    }
    let taken = taken_back(engine, &state.run, &options.principal)?;
    let live = Live::new(engine, original, state)?;
    let notes = Collected::default();
    let groups = BTreeMap::new();
    let began = engine.clock.now();
    let world = World {
        program: &original.program,
        read: change,
        operations: &*engine.operations,
        clock: &*engine.clock,
        steps: &live,
        notes: &notes,
        ambient: live.ambient.clone(),
        others: live.others.clone(),
        groups: &groups,
        limits: &engine.limits,
        run: Some((&state.run, state.started.unwrap_or(began))),
        planned_at: began,
        memo: Mutex::default(),
        began: Mutex::default(),
        resolved: Mutex::default(),
        records: Mutex::new(super::records(engine, original)?),
        backoff: options.backoff,
        secrets: &*engine.secrets,
        revealed: Mutex::default(),
    };
    let mut generation = remember(engine, &world, state, None)?;
    let names = names_of(&world, &original.plan.parameters);
    let (mut steps, mut skipped) = (Vec::new(), Vec::new());
    for before in original.plan.steps.iter().rev() {
        let Some(step) = step_named(&original.program, &before.name) else { continue };
        let Some(undo) = &step.undo else { continue };
        let mut units = sent_units(state, &step.name);
        for unit in &mut units {
            unit.items.retain(|item| {
                let by_itself = (ledger(&step.name), item.clone());
                !taken.contains(&(step.name.clone(), item.clone()))
                    && state.ended.get(&by_itself).is_none_or(|e| e.outcome != Outcome::Done)
            });
        }
        let mut left = HashSet::new();
        if let Some(Some(still)) = state.steps_ended.get(&step.name) {
            generation += 1;
            let still: HashSet<&ItemId> = still.iter().collect();
            let now = list(&world, &live, step, &names, &format!("again.{generation}/"), false).await?;
            if let Ok(now) = now {
                let all = units.iter().flat_map(|unit| &unit.items);
                let changed = all.filter(|item| still.contains(item) != now.values.contains_key(*item));
                left.extend(changed.cloned());
            }
        }
        let mut items = Vec::new();
        let (mut values, mut extra) = (Vec::new(), BTreeMap::new());
        for unit in &units {
            for item in &unit.items {
                let value = live.value(&step.name, item).unwrap_or(Value::None);
                let target = target_of(&value, &world.ambient);
                let lets = body_lets(&world, step, &unit.scope, bind(step, &[&value], names.clone()), &target);
                extra.insert(values.len(), lets);
                values.push(value);
                items.push(item.clone());
            }
        }
        let scope = format!("{}.plan", step.name);
        let calls = plan_bodies(&world, step, undo, &values, &names, extra, (Mode::PlanBody, &scope)).await?;
        let variables: BTreeSet<String> = step.each.iter().map(|each| each.variable.clone()).collect();
        let mut planned: Vec<PlannedItem> = Vec::new();
        for (item, calls) in items.into_iter().zip(calls) {
            let to_call = |ask| plan::planned_call(&original.program, ask, &variables, &original.plan.targets);
            let changed = left.contains(&item);
            let calls = if changed { Vec::new() } else { calls.into_iter().map(to_call).collect() };
            if changed {
                skipped.push((step.name.clone(), item.clone()));
            }
            planned.push(PlannedItem { item, calls });
        }
        planned.sort_by(|a, b| a.item.cmp(&b.item));
        steps.push(PlannedStep {
            name: step.name.clone(),
            title: before.title.clone(),
            max: before.max,
            up_to: None,
            items: planned,
            skipped_absent: Vec::new(),
            rollback: Rollback::None,
            below: None,
        });
    }
    // It is one plan, and waits for nobody.
    let plan = Plan { steps, asks: Vec::new(), under: None, replaced: notes.replaced(), ..(*original.plan).clone() };
    drop(world);
    write(engine, state, original, &plan, skipped, options, claim, began)
}

fn bind(step: &Step, values: &[&Value], mut names: Bindings) -> Bindings {
    if let (Some(each), Some(first)) = (&step.each, values.first()) {
        let value = match each.by {
            Some(_) => Value::list(values.iter().map(|v| (*v).clone()).collect()),
            None => (*first).clone(),
        };
        names.insert(each.variable.clone(), value);
    }
    names
}

#[allow(clippy::too_many_arguments, reason = "one caller")]
fn write(
    engine: &Engine,
    state: &RunState,
    original: &Planned,
    plan: &Plan,
    skipped: Vec<(String, ItemId)>,
    options: &RunOptions,
    claim: &Lease,
    began: jiff::Timestamp,
) -> Result<(String, Lease), EngineError> {
    let now = engine.clock.now();
    let run = plan::run_id(now)?;
    let (digest, bytes) = codec::encode(plan)?;
    let later = state.begun().flat_map(|part| &part.approvals);
    let approvals: Vec<_> = state.approvals.iter().chain(later).map(|(digest, _)| *digest).collect();
    let ambient = state.ambient.unwrap_or(digest);
    let mut events = vec![
        Event::Planned {
            plan: digest,
            program: original.plan.program,
            principal: options.principal.clone(),
            began,
            recheck_after_ms: state.recheck_after_ms,
            ambient,
        },
        Event::Started {
            plan: digest,
            program: original.plan.program,
            approvals: approvals.clone(),
            principal: options.principal.clone(),
            undo_of: Some(state.run.clone()),
        },
    ];
    events.extend(skipped.into_iter().map(|(step, item)| Event::Ended {
        step,
        item,
        outcome: Outcome::Skipped,
        reason: Some("changed: it is no longer as the run left it".into()),
        value: None,
        request_id: None,
    }));
    let entries: Vec<Entry> = events.into_iter().map(|event| Entry { at: now, event }).collect();
    let mut told = vec![(
        now,
        AuditEvent::Started {
            run: run.clone(),
            plan: digest,
            principal: options.principal.clone(),
            approvals,
            solo: options.gate.solo,
            sandbox: options.gate.sandbox,
            undo_of: Some(state.run.clone()),
        },
    )];
    told.extend(audit::of_events(&run, &entries));
    let lease = acquire(engine, &run, options)?;
    let bytes_of_run = journal::segment(0, entries)?;
    let mark = Append { stream: marker(&state.run, &run), expected: Head::EMPTY, bytes: bytes_of_run.clone() };
    let append = Append { stream: journal::stream(&run), expected: Head::EMPTY, bytes: bytes_of_run };
    let until = claim.expires;
    let commit =
        Commit { objects: vec![(digest, bytes)], appends: vec![append, mark], lease: Some((claim.clone(), until)) };
    audit::commit(&*engine.store, &mut End::default(), commit, told)?;
    Ok((run, lease))
}

async fn go_on(
    engine: &Engine,
    planned: Planned,
    lease: Lease,
    change: &dyn Change,
    options: &RunOptions,
    fresh: bool,
) -> Result<RunReport, EngineError> {
    let run = &*planned.run;
    let state = plan::state_of(engine, run)?;
    let undone = state.undo_of.clone().unwrap_or_default();
    let original_state = plan::state_of(engine, &undone)?;
    let original = plan::from_state(engine, &original_state)?;
    let original_live = Live::new(engine, &original, &original_state)?;
    let live = Live::new(engine, &planned, &state)?;
    let store = engine.store.clone();
    let clock = engine.clock.clone();
    let journal = Journal::open(&state, store, clock, lease.clone(), options.lease)?;
    if !fresh {
        journal.commit(Event::Resumed { fence: lease.fence }, Vec::new()).await?;
    }
    let seen = Some((&original_state, &original_live));
    let runner = Runner::new(engine, &planned, options, change, &journal, &state, &live, seen)?;
    let names = names_of(&runner.world, &planned.plan.parameters);
    let mut result = BodyResult::default();
    for planned_step in &planned.plan.steps {
        let Some(step) = step_named(&planned.program, &planned_step.name) else { continue };
        let work = take_back(&runner, step, planned_step, &names, &original_state, &original_live, &step.name);
        if let Err(error) = watched(engine, run, lease.fence, options, work).await {
            match error {
                EngineError::Evaluation { .. } | EngineError::Call { .. } => result.failed = Some(error.to_string()),
                error => return Err(error),
            }
            break;
        }
        if options.cancel.is_cancelled() {
            result.cancelled = true;
            break;
        }
    }
    let ending = runner.end(result).await?;
    let reports = runner.reports.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let replaced = journal.replaced();
    drop(journal);
    told(engine, &planned, &state, live, ending, reports, replaced)
}

async fn take_back(
    runner: &Runner<'_>,
    step: &Step,
    planned: &PlannedStep,
    names: &Bindings,
    original: &RunState,
    original_live: &Live,
    ledger: &str,
) -> Result<(), EngineError> {
    let Some(body) = &step.undo else { return Ok(()) };
    let temporary = ledger != step.name;
    let open = |item: &ItemId| {
        let planned = temporary || planned.items.iter().any(|i| i.item == *item);
        planned && runner.live.outcome(ledger, item).is_none()
    };
    let mut units = VecDeque::new();
    for sent in sent_units(original, &step.name) {
        let whole = sent.items.len();
        let kept: Vec<ItemId> = sent.items.into_iter().filter(&open).collect();
        if kept.is_empty() {
            continue;
        }
        let value = |item: &ItemId| original_live.value(&step.name, item).unwrap_or(Value::None);
        let items: Vec<(ItemId, Value)> = kept.iter().map(|item| (item.clone(), value(item))).collect();
        let values: Vec<&Value> = items.iter().map(|(_, value)| value).collect();
        let target =
            values.first().map_or_else(|| runner.world.ambient.clone(), |v| target_of(v, &runner.world.ambient));
        let lets = body_lets(&runner.world, step, &sent.scope, bind(step, &values, names.clone()), &target);
        let scope = if kept.len() == whole { sent.scope.clone() } else { batch_scope(&step.name, &kept) };
        let inner = format!("{scope}/undo/");
        let resumed = runner.state.intents.range(inner.clone()..).next().is_some_and(|(p, _)| p.starts_with(&inner));
        units.push_back(Unit { scope, items, resumed, lets });
    }
    let clause = async |expr, part: &str| outer(&runner.world, step, What::Expr(expr), names, part, false).await;
    let run = StepRun {
        runner,
        step,
        planned,
        body,
        taking_back: true,
        ledger: ledger.to_string(),
        names,
        retry: retries(clause(&step.retry, "retry").await?.value.as_ref()),
        timeout: duration(clause(&step.timeout, "timeout").await?.value.as_ref()).unwrap_or(Duration::from_secs(3_600)),
        // What can be taken back is, whatever else fails.
        tolerate: u64::MAX,
        queue: tokio::sync::Mutex::new(Queue::of(units)),
        failed: AtomicU64::new(0),
        pressure: Pressure::default(),
        left_open: AtomicBool::new(false),
    };
    // One after the other: newest first is an order.
    run.work().await
}
