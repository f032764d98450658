//! A plan for people: what would be done to what.

use std::collections::BTreeMap;

use escher_engine::Planned;
use escher_ir::plan::{PlannedStep, Rollback};

use super::risk_word;
use crate::output;

/// Width that lists of items are wrapped to.
const WIDTH: usize = 100;

/// Prints a plan.
pub(crate) fn print(planned: &Planned) {
    let plan = &planned.plan;
    let approval = match &plan.approval {
        Some(a) if a.of > 1 => format!("needs the approval of {} of role `{}`", a.of, a.by),
        Some(a) => format!("needs the approval of a `{}`", a.by),
        None => "needs no approval".to_string(),
    };
    output::line(&format!("Plan {} of {}", output::bold(&planned.run), output::bold(&plan.playbook)));
    output::line(&format!("  risk {}, {approval}, touches {}", risk_word(plan.risk), things(plan.blast_radius())));
    for target in &plan.targets {
        let endpoint = target.endpoint.as_ref().map(|e| format!(" at {e}")).unwrap_or_default();
        output::line(&format!("  in {} account {} {}{endpoint}", target.cloud, target.account, target.region));
    }
    if plan.steps.len() > 1 {
        output::line(&format!("  {}", coverage(&plan.steps)));
    }
    for step in &plan.steps {
        print_step(step);
    }
    output::line(&format!("  {}", planned.digest));
}

/// How many of several steps can be taken back.
fn coverage(steps: &[PlannedStep]) -> String {
    let kept: Vec<&str> = steps.iter().filter(|s| s.rollback == Rollback::None).map(|s| s.name.as_str()).collect();
    let all = steps.len();
    match (kept.len(), all) {
        (0, _) => format!("all {all} steps can be undone"),
        (n, _) if n == all => format!("none of the {all} steps can be undone"),
        (n, _) => format!("{} of {all} steps can be undone, not {}", all - n, kept.join(", ")),
    }
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
    let rollback = match step.rollback {
        Rollback::Undo => "can be undone",
        Rollback::None => "cannot be undone",
    };
    let many = match step.up_to {
        Some(n) => format!("up to {n}"),
        None => format!("{} of at most {}", step.items.len(), step.max),
    };
    output::line(&format!("  step {}{title}: {many}, {rollback}", step.name));
    // What is done is the same for most items: each sequence of calls once, then whom it is done to.
    let mut groups: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for item in &step.items {
        let calls = item.calls.iter().map(|c| c.operation.as_str()).collect();
        groups.entry(calls).or_default().push(&item.item.id);
    }
    for (calls, items) in groups {
        output::line(&format!("    {}", if calls.is_empty() { "no call".into() } else { calls.join(", ") }));
        for line in wrap(&items) {
            output::line(&format!("      {line}"));
        }
    }
    if !step.skipped_absent.is_empty() {
        let ids: Vec<&str> = step.skipped_absent.iter().map(|i| i.id.as_str()).collect();
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
