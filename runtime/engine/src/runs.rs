//! Runs as their journals tell of them: the list, and what one did.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use escher_ir::journal::{Entry, Event, Outcome, RunStatus, Segment};
use escher_ir::plan::{ItemId, Replaced};
use escher_ir::program::{NodeKind, Program};
use escher_ir::{Digest, Value, codec};

use crate::engine::{Engine, RunSummary};
use crate::error::EngineError;
use crate::journal::{self, RunState};
use crate::plan::{self, Planned};
use crate::report::{ItemReport, ReportPart, RunReport, Standing, StepReport};
use crate::run::{IN_DOUBT, in_doubt};

fn standing(engine: &Engine, state: &RunState) -> Result<Standing, EngineError> {
    Ok(match (&state.finished, state.started) {
        (Some((status, ..)), _) => Standing::Status(*status),
        (None, None) => Standing::Status(RunStatus::Planned),
        (None, Some(_)) => match engine.store.holder(&journal::stream(&state.run), engine.clock.now())? {
            Some(_) => Standing::Status(RunStatus::Running),
            None if state.waiting().is_some() => Standing::Status(RunStatus::WaitingForApproval),
            None => Standing::Interrupted,
        },
    })
}

/// All runs, newest first. Of a run that has ended only the ends of its journal are read: who shows or resumes it reads and
/// checks all of that.
pub(crate) fn list(engine: &Engine) -> Result<Vec<RunSummary>, EngineError> {
    let mut runs = Vec::new();
    let mut programs = HashMap::new();
    for stream in engine.store.streams(journal::PREFIX)? {
        let run = stream.strip_prefix(journal::PREFIX).unwrap_or(&stream);
        let found = match ended(engine, run, &mut programs)? {
            Some(found) => Some(found),
            None => whole(engine, run)?,
        };
        runs.extend(found);
    }
    runs.sort_by(|a, b| (b.planned, &b.run).cmp(&(a.planned, &a.run)));
    Ok(runs)
}

/// A line of the list, from the whole journal.
fn whole(engine: &Engine, run: &str) -> Result<Option<RunSummary>, EngineError> {
    let Some(state) = RunState::load(&*engine.store, run)? else { return Ok(None) };
    let planned = plan::from_state(engine, &state)?;
    Ok(Some(RunSummary {
        run: run.to_string(),
        playbook: planned.plan.playbook.clone(),
        standing: standing(engine, &state)?,
        principal: state.principal.clone(),
        planned: state.planned,
        undo_of: state.undo_of.clone(),
        owes: if state.undo_of.is_none() { crate::run::owed(&state, &planned) } else { Vec::new() },
    }))
}

/// Segments at the front of a journal in which its start is looked for: before it there are approvals alone.
const FRONT: u64 = 16;

/// A line of the list, from both ends of the journal of a run that has ended and can owe nothing.
fn ended(
    engine: &Engine,
    run: &str,
    programs: &mut HashMap<Digest, Arc<Program>>,
) -> Result<Option<RunSummary>, EngineError> {
    let stream = journal::stream(run);
    let events = |number: u64| -> Result<Vec<Entry>, EngineError> {
        let Some(segment) = engine.store.read_one(&stream, number)? else { return Ok(Vec::new()) };
        Ok(codec::decode::<Segment>(&segment.bytes)?.1.events)
    };
    let count = engine.store.head(&stream)?.count;
    let Some(last) = count.checked_sub(1) else { return Ok(None) };
    let Some(Event::Finished { status, .. }) = events(last)?.pop().map(|entry| entry.event) else { return Ok(None) };
    let (mut first, mut started) = (None, None);
    for number in 0..count.min(FRONT) {
        for Entry { at, event } in events(number)? {
            match event {
                Event::Planned { program, principal, .. } if first.is_none() => first = Some((at, program, principal)),
                Event::Started { undo_of, .. } => started = Some(undo_of),
                _ => {}
            }
        }
        if started.is_some() {
            break;
        }
    }
    let Some((planned, digest, principal)) = first else { return Ok(None) };
    if started.is_none() && count > FRONT {
        return Ok(None);
    }
    let program = match programs.get(&digest) {
        Some(known) => known.clone(),
        None => {
            let program = Arc::new(journal::load::<Program>(&*engine.store, &digest)?.1);
            programs.entry(digest).or_insert(program).clone()
        }
    };
    let temporary = |kind: &NodeKind| matches!(kind, NodeKind::Step(step) if step.temporary);
    if program.playbook.body.nodes.iter().any(|node| temporary(&node.kind)) {
        return Ok(None);
    }
    let (run, playbook, undo_of) = (run.to_string(), program.playbook.name.clone(), started.flatten());
    let standing = Standing::Status(status);
    Ok(Some(RunSummary { run, playbook, standing, principal, planned, undo_of, owes: Vec::new() }))
}

/// How an item ended.
pub(crate) struct Row {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// How a run ended, or stands.
pub(crate) struct End {
    pub(crate) standing: Standing,
    pub(crate) value: Option<Value>,
    pub(crate) message: Option<String>,
    pub(crate) report: Vec<ReportPart>,
    pub(crate) replaced: Vec<Replaced>,
}

/// Items that ended, by the name that they are written under.
pub(crate) type Rows = HashMap<String, BTreeMap<ItemId, Row>>;

/// What a run did so far.
pub(crate) fn report(engine: &Engine, run: &str) -> Result<RunReport, EngineError> {
    let state = plan::state_of(engine, run)?;
    let planned = plan::from_state(engine, &state)?;
    let standing = standing(engine, &state)?;
    let mut rows = Rows::new();
    for ((step, item), ended) in &state.ended {
        let row = Row { outcome: ended.outcome, reason: ended.reason.clone(), request_id: ended.request_id.clone() };
        rows.entry(step.clone()).or_default().insert(item.clone(), row);
    }
    let (value, message) = match &state.finished {
        Some((_, value, message)) => {
            (value.as_ref().map(|digest| state.value(&*engine.store, digest)).transpose()?, message.clone())
        }
        None => (None, None),
    };
    let waiting = match standing {
        Standing::Status(RunStatus::WaitingForApproval) => plan::waiting(engine, &state)?.map(Box::new),
        _ => None,
    };
    let end = End { standing, value, message, report: reports(engine, &state)?, replaced: state.replaced() };
    let cancelled = standing == Standing::Status(RunStatus::Cancelled);
    let doubtful = cancelled.then(|| in_doubt(&state));
    Ok(RunReport { waiting, ..told(&planned, state.undo_of.clone(), rows, end, doubtful) })
}

/// What the playbook reported so far.
pub(crate) fn reports(engine: &Engine, state: &RunState) -> Result<Vec<ReportPart>, EngineError> {
    let part = |(_, title, digest): &(String, Option<String>, Digest)| {
        Ok(ReportPart { title: title.clone(), value: state.value(&*engine.store, digest)? })
    };
    state.reports.iter().map(part).collect()
}

/// A report; `doubtful` are the items of a cancelled run that had begun.
pub(crate) fn told(
    planned: &Planned,
    undo_of: Option<String>,
    mut rows: Rows,
    end: End,
    doubtful: Option<HashSet<(&str, &ItemId)>>,
) -> RunReport {
    let (mut steps, mut items) = (Vec::new(), Vec::new());
    let mut add = |name: &str, rows: Vec<(ItemId, Row)>| {
        let mut report = StepReport { name: name.to_string(), ..StepReport::default() };
        for (item, Row { outcome, reason, request_id }) in rows {
            *report.counts.entry(outcome).or_default() += 1;
            items.push(ItemReport { step: name.to_string(), item, outcome, reason, request_id });
        }
        steps.push(report);
    };
    for step in &planned.plan.steps {
        let mut ended = rows.remove(&step.name).unwrap_or_default();
        let mut all = Vec::with_capacity(ended.len());
        for planned in &step.items {
            let item = &planned.item;
            match (ended.remove_entry(item), &doubtful) {
                (Some(row), _) => all.push(row),
                (None, Some(doubtful)) if doubtful.contains(&(&*step.name, item)) => {
                    let reason = Some(IN_DOUBT.to_string());
                    all.push((item.clone(), Row { outcome: Outcome::Unknown, reason, request_id: None }));
                }
                (None, Some(_)) => {
                    let reason = Some("cancelled before it began".to_string());
                    all.push((item.clone(), Row { outcome: Outcome::Skipped, reason, request_id: None }));
                }
                (None, None) => {}
            }
        }
        // Items that only an earlier step could give.
        all.extend(ended);
        add(&step.name, all);
        // What a temporary step took back at the end of the run.
        let ledger = crate::run::ledger(&step.name);
        if let Some(back) = rows.remove(&ledger) {
            add(&ledger, back.into_iter().collect());
        }
    }
    RunReport {
        run: planned.run.clone(),
        standing: end.standing,
        digest: planned.digest,
        playbook: planned.plan.playbook.clone(),
        undo_of,
        steps,
        items,
        targets: planned.plan.targets.clone(),
        report: end.report,
        replaced: end.replaced,
        value: end.value,
        message: end.message,
        waiting: None,
    }
}
