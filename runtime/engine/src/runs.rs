//! Runs as their journals tell of them: the list, and what one did.

use escher_ir::journal::{Outcome, RunStatus};
use escher_ir::plan::ItemId;

use crate::engine::{Engine, RunSummary};
use crate::error::EngineError;
use crate::journal::{self, RunState};
use crate::plan;
use crate::report::{ItemReport, ReportPart, RunReport, Standing, StepReport};
use crate::run::{IN_DOUBT, in_doubt};

fn standing(engine: &Engine, state: &RunState) -> Result<Standing, EngineError> {
    Ok(match (&state.finished, state.started) {
        (Some((status, ..)), _) => Standing::Status(*status),
        (None, None) => Standing::Status(RunStatus::Planned),
        (None, Some(_)) => match engine.store.holder(&journal::stream(&state.run), engine.clock.now())? {
            Some(_) => Standing::Status(RunStatus::Running),
            None => Standing::Interrupted,
        },
    })
}

/// All runs, newest first.
pub(crate) fn list(engine: &Engine) -> Result<Vec<RunSummary>, EngineError> {
    let mut runs = Vec::new();
    for stream in engine.store.streams(journal::PREFIX)? {
        let run = stream.strip_prefix(journal::PREFIX).unwrap_or(&stream);
        let Some(state) = RunState::load(&*engine.store, run)? else { continue };
        let planned = plan::from_state(engine, &state)?;
        runs.push(RunSummary {
            run: run.to_string(),
            playbook: planned.plan.playbook.clone(),
            standing: standing(engine, &state)?,
            principal: state.principal.clone(),
            planned: state.planned,
            undo_of: state.undo_of.clone(),
            owes: if state.undo_of.is_none() { crate::run::owed(&state, &planned) } else { Vec::new() },
        });
    }
    runs.sort_by(|a, b| (b.planned, &b.run).cmp(&(a.planned, &a.run)));
    Ok(runs)
}

/// What a run did so far.
pub(crate) fn report(engine: &Engine, run: &str) -> Result<RunReport, EngineError> {
    let state = plan::state_of(engine, run)?;
    let planned = plan::from_state(engine, &state)?;
    let standing = standing(engine, &state)?;
    let cancelled = standing == Standing::Status(RunStatus::Cancelled);
    let doubtful = in_doubt(&state);
    let (mut steps, mut items) = (Vec::new(), Vec::new());
    for step in &planned.plan.steps {
        let mut report = StepReport { name: step.name.clone(), ..StepReport::default() };
        let mut ids: Vec<&ItemId> = step.items.iter().map(|i| &i.item).collect();
        // Items that only an earlier step could give.
        let mut extra: Vec<&ItemId> = state
            .ended
            .keys()
            .filter(|(name, id)| *name == step.name && step.items.binary_search_by(|i| i.item.cmp(id)).is_err())
            .map(|(_, id)| id)
            .collect();
        extra.sort();
        ids.extend(extra);
        for id in ids {
            let (outcome, reason, request_id) = match state.ended.get(&(step.name.clone(), id.clone())) {
                Some(ended) => (ended.outcome, ended.reason.clone(), ended.request_id.clone()),
                None if cancelled && doubtful.contains(&(&*step.name, id)) => {
                    (Outcome::Unknown, Some(IN_DOUBT.to_string()), None)
                }
                None if cancelled => (Outcome::Skipped, Some("cancelled before it began".to_string()), None),
                None => continue,
            };
            *report.counts.entry(outcome).or_default() += 1;
            let step = step.name.clone();
            items.push(ItemReport { step, item: id.clone(), outcome, reason, request_id });
        }
        steps.push(report);
        // What a temporary step took back at the end of the run.
        let ledger = crate::run::ledger(&step.name);
        let mut back: Vec<_> = state.ended.iter().filter(|((name, _), _)| *name == ledger).collect();
        back.sort_by(|((_, a), _), ((_, b), _)| a.cmp(b));
        if !back.is_empty() {
            let mut report = StepReport { name: ledger.clone(), ..StepReport::default() };
            for ((_, id), ended) in back {
                *report.counts.entry(ended.outcome).or_default() += 1;
                items.push(ItemReport {
                    step: ledger.clone(),
                    item: id.clone(),
                    outcome: ended.outcome,
                    reason: ended.reason.clone(),
                    request_id: ended.request_id.clone(),
                });
            }
            steps.push(report);
        }
    }
    let value_of = |digest| journal::value(&*engine.store, digest);
    let mut report = Vec::with_capacity(state.reports.len());
    for (_, title, digest) in &state.reports {
        report.push(ReportPart { title: title.clone(), value: value_of(digest)? });
    }
    let (value, message) = match &state.finished {
        Some((_, value, message)) => (value.as_ref().map(value_of).transpose()?, message.clone()),
        None => (None, None),
    };
    Ok(RunReport {
        run: run.to_string(),
        standing,
        digest: state.plan,
        playbook: planned.plan.playbook.clone(),
        undo_of: state.undo_of.clone(),
        steps,
        items,
        targets: planned.plan.targets.clone(),
        report,
        value,
        message,
    })
}
