//! A plan for people: what would be done to what, and what will be asked for on the way.

use std::collections::BTreeMap;

use escher_engine::Planned;
use escher_ir::plan::{PlannedApproval, PlannedStep, Rollback};
use escher_ir::program::Approval;
use jiff::SignedDuration;

use super::risk_word;
use crate::output;

/// Width that lists of items are wrapped to.
const WIDTH: usize = 100;

/// Prints a plan.
pub(crate) fn print(planned: &Planned) {
    let plan = &planned.plan;
    let approval = match (&plan.under, &plan.approval) {
        (Some(under), _) => format!("as `{}` was published", under.name),
        (None, Some(approval)) => needs(approval),
        (None, None) if plan.asks.is_empty() => "needs no approval".to_string(),
        (None, None) => "begins without an approval".to_string(),
    };
    match &plan.part {
        None => output::line(&format!("Plan {} of {}", output::bold(&planned.run), output::bold(&plan.playbook))),
        Some(part) => {
            let run = output::bold(&planned.run);
            output::line(&format!("The rest of run {run} of {}: {}", output::bold(&plan.playbook), part.question));
            if let Some(shown) = &part.shown {
                super::run::print_value(shown);
            }
        }
    }
    // What a later approval covers is counted there.
    let touched = if plan.part.is_some() { plan.covered() } else { plan.blast_radius() };
    output::line(&format!("  risk {}, {approval}, touches {}", risk_word(plan.risk), things(touched)));
    if let Some(until) = planned.until() {
        output::line(&format!("  asked until {until:.0}; then it is planned anew"));
    }
    for target in &plan.targets {
        let endpoint = target.endpoint.as_ref().map(|e| format!(" at {e}")).unwrap_or_default();
        // What is global has no region.
        let region = if target.region.is_empty() { String::new() } else { format!(" {}", target.region) };
        output::line(&format!("  in {} account {}{region}{endpoint}", target.cloud, target.account));
    }
    if plan.steps.len() > 1 {
        output::line(&format!("  {}", coverage(&plan.steps)));
    }
    let mut asks = plan.asks.iter();
    let mut below = plan.part.as_ref().map(|part| &part.node);
    for step in &plan.steps {
        while step.below.as_ref() != below {
            let Some(ask) = asks.next() else { break };
            below = Some(&ask.node);
            print_ask(ask);
        }
        print_step(step);
    }
    asks.for_each(print_ask);
    super::print_replaced(&plan.replaced);
    output::line(&format!("  {}", planned.digest));
}

/// What becomes of several steps when the run is undone.
fn coverage(steps: &[PlannedStep]) -> String {
    let count = |is: fn(&Rollback) -> bool| steps.iter().filter(|s| is(&s.rollback)).count();
    let counts = [
        (count(|r| *r == Rollback::Undo), "put back"),
        (count(|r| *r == Rollback::Replaced), "replaced"),
        (count(|r| *r == Rollback::Itself), "left as it was"),
    ];
    let mut told: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let kept = steps.iter().filter(|s| matches!(s.rollback, Rollback::None | Rollback::Irreversible(_)));
    let kept: Vec<&str> = kept.map(|s| s.name.as_str()).collect();
    if !kept.is_empty() {
        told.push(format!("{} not undone ({})", kept.len(), kept.join(", ")));
    }
    format!("when undone, of {} steps {}", steps.len(), told.join(", "))
}

/// What becomes of one step when the run is undone.
pub(crate) fn rollback(rollback: &Rollback) -> String {
    match rollback {
        Rollback::Undo => "undo puts it back".into(),
        Rollback::Replaced => "undo makes another in its place".into(),
        Rollback::Itself => "leaves nothing to undo".into(),
        Rollback::Irreversible(why) => format!("cannot be undone: {why}"),
        Rollback::None => "cannot be undone".into(),
    }
}

fn needs(approval: &Approval) -> String {
    match approval.of {
        1 => format!("needs the approval of a `{}`", approval.by),
        of => format!("needs the approval of {of} of role `{}`", approval.by),
    }
}

fn print_ask(ask: &PlannedApproval) {
    let hours = SignedDuration::from_secs(i64::try_from(ask.approval.valid_seconds).unwrap_or(i64::MAX));
    let (needs, within) = (needs(&ask.approval), escher_ir::units::duration_text(hours));
    output::line(&format!("  then it stops, and what follows {needs} within {within}: \"{}\"", ask.question));
}

fn things(n: u64) -> String {
    match n {
        0 => "nothing".into(),
        1 => "1 thing".into(),
        n => format!("{n} things"),
    }
}

fn print_step(step: &PlannedStep) {
    let title = step.title.as_ref().map(|t| format!(" \"{t}\"")).unwrap_or_default();
    let rollback = rollback(&step.rollback);
    let many = match step.up_to {
        Some(n) => format!("up to {n}"),
        None => format!("{} of at most {}", step.items.len(), step.max),
    };
    output::line(&format!("  step {}{title}: {many}, {rollback}", step.name));
    // What is done is the same for most items: each sequence of calls once, then whom it is done to.
    let mut groups: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for item in &step.items {
        let calls = item.calls.iter().map(|c| &*c.operation).collect();
        groups.entry(calls).or_default().push(&item.item.id);
    }
    for (calls, items) in groups {
        output::line(&format!("    {}", if calls.is_empty() { "no call".into() } else { calls.join(", ") }));
        for line in wrap(&items) {
            output::line(&format!("      {line}"));
        }
    }
    if !step.skipped_absent.is_empty() {
        let ids: Vec<&str> = step.skipped_absent.iter().map(|i| &*i.id).collect();
        output::line("    left out, because the cloud did not say enough about them");
        wrap(&ids).iter().for_each(|line| output::line(&format!("      {line}")));
    }
}

fn wrap(words: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push((*word).to_string()),
        }
    }
    lines
}
