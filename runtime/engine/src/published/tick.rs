//! A look at all schedules: what is due runs, what was missed is told, what was cut short goes on.

use std::collections::BTreeMap;

use escher_ir::audit::AuditEvent;
use escher_ir::codec;
use escher_ir::due::{Due, Missed, Plan};
use escher_ir::journal::RunStatus;
use escher_ir::published::{Use, UseOf};
use escher_ir::standing::StandingKind;
use escher_provider::Change;
use futures_util::future::join_all;
use jiff::Timestamp;

use super::rate::uses;
use super::{Published, extend, list};
use crate::audit::{self, End};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::{PlanOptions, RunOptions};
use crate::report::{RunReport, Standing};
use crate::store::{Append, Commit, Head, StoreError};
use crate::time;

/// What a look did about one schedule.
#[derive(Debug)]
pub struct Ticked {
    /// Its name.
    pub name: String,
    /// What happened, in order.
    pub happened: Vec<Happened>,
    /// When it is due next; none where it never is.
    pub next: Option<Timestamp>,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Happened {
    /// A run that an earlier process had left went on to this.
    WentOn(RunReport),
    /// A run of this time ended, or waits, like this.
    Ran(Timestamp, RunReport),
    /// Times that did not run: how many, the last of them, why.
    Missed(u64, Timestamp, String),
    /// What is due could not be begun, and is tried again at the next look.
    Failed(Option<Timestamp>, EngineError),
}

/// Who a run of a schedule is started by: nobody. What it may do was signed.
fn principal(name: &str) -> String {
    format!("schedule:{name}")
}

/// Looks at all schedules, side by side.
pub(crate) async fn tick(
    engine: &Engine,
    change: &dyn Change,
    planning: &PlanOptions,
    running: &RunOptions,
) -> Result<Vec<Ticked>, EngineError> {
    let all = list(engine)?;
    let schedules = all.iter().filter(|of| matches!(of.standing.kind, StandingKind::Schedule { .. }));
    let each = schedules.map(|of| {
        let (mut planning, mut running) = (planning.clone(), running.clone());
        (planning.principal, running.principal) = (principal(&of.name), principal(&of.name));
        async move {
            let mut look = Look { engine, change, of, planning, running, ticked: Vec::new() };
            let next = match look.all().await {
                Ok(next) => next,
                // Another process looked at the same moment: what it did is done.
                Err(EngineError::Store(StoreError::Conflict { .. })) => None,
                Err(error) => {
                    look.ticked.push(Happened::Failed(None, error));
                    None
                }
            };
            Ticked { name: of.name.clone(), happened: look.ticked, next }
        }
    });
    Ok(join_all(each).await)
}

/// When schedules are due next, by what was last decided of each.
pub(crate) fn next(engine: &Engine, of: &Published) -> Result<Option<Timestamp>, EngineError> {
    let Some(plan) = plan_of(of) else { return Ok(None) };
    let (_, last, _) = so_far(engine, of)?;
    Ok(due(&plan, last, engine.clock.now())?.next)
}

/// What was last decided of each time of something published, newest first, no more than so many.
pub(crate) fn history(engine: &Engine, name: &str, most: u64) -> Result<Vec<Use>, EngineError> {
    let stream = uses(name);
    let from = engine.store.head(&stream)?.count.saturating_sub(most);
    let all = engine.store.read(&stream, from)?;
    all.iter().rev().map(|segment| Ok(codec::decode::<Use>(&segment.bytes)?.1)).collect()
}

pub(super) fn plan_of(of: &Published) -> Option<Plan<'_>> {
    match &of.standing.kind {
        StandingKind::Schedule { when, missed, within_ms, jitter_ms, .. } => {
            Some(Plan { when, missed, within_ms: *within_ms, jitter_ms: *jitter_ms, name: &of.name })
        }
        _ => None,
    }
}

fn due(plan: &Plan<'_>, after: Timestamp, now: Timestamp) -> Result<Due, EngineError> {
    escher_ir::due::due(plan, after, now).map_err(|why| EngineError::Usage(format!("schedule `{}`: {why}", plan.name)))
}

/// Where its uses end, the last time that was decided of, and the last run.
fn so_far(engine: &Engine, of: &Published) -> Result<(Head, Timestamp, Option<String>), EngineError> {
    let stream = uses(&of.name);
    let head = engine.store.head(&stream)?;
    let (mut last, mut run) = (None, None);
    for number in (0..head.count).rev() {
        let Some(segment) = engine.store.read_one(&stream, number)? else { break };
        let (_, used): (_, Use) = codec::decode(&segment.bytes)?;
        last = last.or(used.due);
        if let UseOf::Run(found) = used.what {
            run = Some(found);
        }
        if last.is_some() && run.is_some() {
            break;
        }
    }
    // What was published anew begins again: its times from before are another's.
    Ok((head, last.map_or(of.at, |last| last.max(of.at)), run))
}

struct Look<'l> {
    engine: &'l Engine,
    change: &'l dyn Change,
    of: &'l Published,
    planning: PlanOptions,
    running: RunOptions,
    ticked: Vec<Happened>,
}

impl Look<'_> {
    async fn all(&mut self) -> Result<Option<Timestamp>, EngineError> {
        let (Some(plan), StandingKind::Schedule { overlap, .. }) = (plan_of(self.of), &self.of.standing.kind) else {
            return Ok(None);
        };
        let (mut head, last, run) = so_far(self.engine, self.of)?;
        if let Some(run) = &run {
            self.go_on(run).await;
        }
        let now = time::latest(self.engine, None, &self.running.principal, None)?;
        let mut due = due(&plan, last, now)?;
        if let Some(who) = &self.of.paused {
            let times: Vec<Missed> = std::mem::take(&mut due.missed);
            let more = due.run.drain(..).map(|t| Missed { count: 1, first: t, last: t, why: "" });
            for Missed { count, last, .. } in times.into_iter().chain(more) {
                self.missed(&mut head, count, last, format!("`{who}` had paused it"))?;
            }
            return Ok(due.next);
        }
        // In the order of time, so that the last entry says how far it was decided.
        let mut missed = due.missed.into_iter().peekable();
        for time in due.run {
            while let Some(before) = missed.next_if(|missed| missed.last < time) {
                self.missed(&mut head, before.count, before.last, before.why.into())?;
            }
            if self.running.cancel.is_cancelled() {
                return Ok(Some(now));
            }
            if overlap != "parallel" && self.is_at_work()? {
                if overlap == "queue" {
                    return Ok(Some(now));
                }
                self.missed(&mut head, 1, time, "the run before it was still at work".into())?;
                continue;
            }
            if !self.run(&mut head, time).await? {
                return Ok(Some(now));
            }
        }
        for before in missed {
            self.missed(&mut head, before.count, before.last, before.why.into())?;
        }
        Ok(due.next)
    }

    /// Takes up a run whose process is gone.
    async fn go_on(&mut self, run: &str) {
        let standing = crate::runs::report(self.engine, run).map(|report| report.standing);
        match standing {
            Ok(Standing::Interrupted) => match self.engine.resume(run, self.change, &self.running).await {
                Ok(report) => self.ticked.push(Happened::WentOn(report)),
                Err(error) => self.ticked.push(Happened::Failed(None, error)),
            },
            Ok(_) => {}
            Err(error) => self.ticked.push(Happened::Failed(None, error)),
        }
    }

    /// Whether the last run has not ended.
    fn is_at_work(&self) -> Result<bool, EngineError> {
        let (_, _, run) = so_far(self.engine, self.of)?;
        let Some(run) = run else { return Ok(false) };
        let standing = crate::runs::report(self.engine, &run)?.standing;
        Ok(match standing {
            Standing::Interrupted => true,
            Standing::Status(status) => matches!(status, RunStatus::Running | RunStatus::WaitingForApproval),
        })
    }

    /// Runs one time; false where it is to be tried again.
    async fn run(&mut self, head: &mut Head, time: Timestamp) -> Result<bool, EngineError> {
        let (engine, name) = (self.engine, &self.of.name);
        let planned = extend(engine, name, BTreeMap::new(), Some(time), self.change, &self.planning).await;
        let result = match planned {
            Ok(planned) => engine.run(&planned.run, self.change, &self.running).await,
            Err(error) => Err(error),
        };
        let after = engine.store.head(&uses(name))?;
        match result {
            Ok(report) => self.ticked.push(Happened::Ran(time, report)),
            // It has begun: whoever looks next goes on with it.
            Err(error) if after != *head => self.ticked.push(Happened::Failed(Some(time), error)),
            // A freeze, a halt, a rule, a signature that ended: told once, and not tried again.
            Err(EngineError::Refused(refused)) => self.missed(head, 1, time, refused.reason)?,
            Err(error) => {
                self.ticked.push(Happened::Failed(Some(time), error));
                return Ok(false);
            }
        }
        *head = engine.store.head(&uses(name))?;
        Ok(true)
    }

    /// Writes down that times did not run.
    fn missed(&mut self, head: &mut Head, count: u64, last: Timestamp, why: String) -> Result<(), EngineError> {
        let (engine, at) = (self.engine, self.engine.clock.now());
        let principal = self.running.principal.clone();
        let reason = if count > 1 { format!("{count} times: {why}") } else { why };
        let used = Use { at, due: Some(last), principal: principal.clone(), what: UseOf::Missed(reason.clone()) };
        let append = Append { stream: uses(&self.of.name), expected: *head, bytes: codec::encode(&used)?.1 };
        let event = AuditEvent::Used {
            name: self.of.name.clone(),
            standing: self.of.digest,
            run: None,
            due: Some(last),
            principal,
            reason: Some(reason.clone()),
        };
        let commit = Commit { appends: vec![append], ..Commit::default() };
        let heads = audit::commit(&*engine.store, &mut End::default(), commit, vec![(at, event)])?;
        *head = heads.into_iter().next().unwrap_or(*head);
        self.ticked.push(Happened::Missed(count, last, reason));
        Ok(())
    }
}
