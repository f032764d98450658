//! What must hold after a storm, by the cloud's own log: no effect twice, an outcome for each item, totals that add up,
//! and outcomes that are true.

use std::collections::BTreeSet;

use escher_engine::{Planned, RunReport, Standing};
use escher_ir::journal::{Outcome, RunStatus};

use crate::generator::Generated;
use crate::simulator::World;

/// Judges a run, or one that took a run back.
pub(crate) fn run(
    drawn: &Generated,
    planned: &Planned,
    report: &RunReport,
    world: &World,
    left_alone: &[String],
    undone: bool,
) -> Result<(), String> {
    ended(planned, report)?;
    effects(drawn, world, left_alone, undone)?;
    if undone { Ok(()) } else { truth(drawn, report, world) }
}

/// Each planned item of each step has one outcome, nothing else has, and the counts are those of the items.
fn ended(planned: &Planned, report: &RunReport) -> Result<(), String> {
    let over = [RunStatus::Done, RunStatus::DoneWithFailures, RunStatus::Failed].map(Standing::Status);
    if !over.contains(&report.standing) {
        return Err(format!("it has not ended: {:?}", report.standing));
    }
    let mut seen = BTreeSet::new();
    for item in &report.items {
        if !seen.insert((&item.step, &item.item)) {
            return Err(format!("two outcomes for {} of step {}", item.item.id, item.step));
        }
    }
    for step in &planned.plan.steps {
        let missing = step.items.iter().find(|item| !seen.contains(&(&step.name, &item.item)));
        if let Some(item) = missing {
            return Err(format!("no outcome for {} of step {}", item.item.id, step.name));
        }
        let count = report.items.iter().filter(|item| item.step == step.name).count() as u64;
        let (told, most) = (counts(report, &step.name), step.up_to.unwrap_or(step.items.len() as u64));
        if told != count || count > most {
            return Err(format!("step {} tells {told} items, has {count}, and may have {most}", step.name));
        }
    }
    let bad = |o: &Outcome| matches!(o, Outcome::Failed | Outcome::Denied | Outcome::Unknown);
    if report.standing == Standing::Status(RunStatus::Done) && report.items.iter().any(|item| bad(&item.outcome)) {
        return Err("`done` with items that are not".into());
    }
    Ok(())
}

fn counts(report: &RunReport, step: &str) -> u64 {
    report.steps.iter().filter(|s| s.name == step).flat_map(|s| s.counts.values()).sum()
}

/// Nothing came to one thing more often than the playbook says, and nothing to what was left alone.
fn effects(drawn: &Generated, world: &World, left_alone: &[String], undone: bool) -> Result<(), String> {
    for effect in &world.effects {
        let (body, undo) = drawn.allowed.get(effect.what).copied().unwrap_or_default();
        let most = body + if undone { undo } else { 0 };
        let count = world.count(effect.what, &effect.to);
        if count > most {
            return Err(format!("{} was {} {count} times, at most {most} are right", effect.to, effect.what));
        }
        let prod = world.machines.get(&effect.to).is_some_and(|m| m.tags.get("env").is_some_and(|e| e == "prod"))
            || world.volumes.get(&effect.to).is_some_and(|v| v.tags.get("env").is_some_and(|e| e == "prod"));
        if prod || left_alone.contains(&effect.to) {
            return Err(format!("{} was {} and was to be left alone", effect.to, effect.what));
        }
    }
    Ok(())
}

/// Of steps that make one call: what failed, was denied or skipped had no effect; what is done had.
fn truth(drawn: &Generated, report: &RunReport, world: &World) -> Result<(), String> {
    for (step, what) in &drawn.single {
        for item in report.items.iter().filter(|item| item.step == *step) {
            let (id, count) = (&item.item.id, world.count(what, &item.item.id));
            let wrong = match item.outcome {
                Outcome::Done => count == 0,
                Outcome::Failed | Outcome::Denied | Outcome::Skipped => count > 0,
                Outcome::Unchanged | Outcome::Unknown => false,
            };
            if wrong {
                let words = item.reason.as_deref().unwrap_or("no reason");
                return Err(format!(
                    "{id} is `{:?}` in step {step} ({words}), and was {what} {count} times",
                    item.outcome
                ));
            }
        }
    }
    Ok(())
}
