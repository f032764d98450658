//! What holds of the checker whatever is written: properties over playbooks that are drawn, and a naive checker beside it.
//!
//! A drawn playbook is some steps, each for a list of its own that is read at the top, in a row or side by side, with or
//! without what it declares. Lists of its own keep the order rules out of it, which have pages of their own.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use escher_catalog::Risk;
use escher_core::{CatalogWorld, Checked, check};
use proptest::prelude::*;

/// A change, and how risky one of it is: from the table of levels in the reference, not from the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Tag,
    Stop,
    Start,
    Terminate,
}

impl Change {
    fn risk(self) -> Risk {
        match self {
            Change::Tag => Risk::Low,
            Change::Stop | Change::Start => Risk::Medium,
            Change::Terminate => Risk::Critical,
        }
    }

    fn call(self) -> &'static str {
        match self {
            Change::Tag => "aws.ec2.create_tags(resources: [m.instance_id], tags: { \"seen\": \"yes\" })",
            Change::Stop => "aws.ec2.stop_instances(instance_ids: [m.instance_id])",
            Change::Start => "aws.ec2.start_instances(instance_ids: [m.instance_id])",
            Change::Terminate => "aws.ec2.terminate_instances(instance_ids: [m.instance_id])",
        }
    }
}

/// A step: what it does, and to how many at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    change: Change,
    max: u64,
    undo: Option<Change>,
}

/// What stands above the playbook.
#[derive(Clone, Copy, Debug)]
struct Declared {
    risk: Option<Risk>,
    /// How many approvers.
    approval: Option<u32>,
}

const LEVELS: [Risk; 5] = [Risk::Read, Risk::Low, Risk::Medium, Risk::High, Risk::Critical];

fn word(risk: Risk) -> &'static str {
    ["read", "low", "medium", "high", "critical"][risk as usize]
}

fn text(steps: &[Step], declared: Declared, side_by_side: bool) -> String {
    let mut out = String::new();
    if let Some(risk) = declared.risk {
        out.push_str(&format!("@risk({})\n", word(risk)));
    }
    if let Some(of) = declared.approval {
        out.push_str(&format!("@approval(by: \"manager\", of: {of})\n"));
    }
    out.push_str("playbook drawn() {\n");
    for n in 0..steps.len() {
        out.push_str(&format!("    let l{n} = aws.ec2.describe_instances().reservations.flat_map(.instances)\n"));
    }
    let written = steps.iter().enumerate().map(|(n, step)| named(n, *step));
    let written: Vec<String> = written.collect();
    match side_by_side {
        true => out.push_str(&format!("    parallel {{\n{}    }}\n", written.concat())),
        false => out.push_str(&written.concat()),
    }
    out.push_str("    report { \"done\" }\n}\n");
    out
}

fn named(n: usize, step: Step) -> String {
    let undo = step.undo.map(|u| format!(" undo {{ {} }}", u.call())).unwrap_or_default();
    format!("    step s{n} \"Do it\" for m in l{n} max {} {{\n        {}\n    }}{undo}\n", step.max, step.change.call())
}

fn told(source: &str) -> Checked {
    check(&CatalogWorld, source)
}

/// The risk that was inferred; of a playbook that is accepted.
fn inferred(checked: &Checked) -> Risk {
    checked.playbooks.first().and_then(|p| p.program().map(|p| &**p)).unwrap().playbook.risk
}

fn anything() -> Declared {
    Declared { risk: Some(Risk::Critical), approval: Some(2) }
}

fn raised(risk: Risk, bound: u64) -> Risk {
    match risk {
        Risk::Read => Risk::Read,
        _ if bound <= 1 => risk,
        Risk::Low => Risk::Medium,
        Risk::Medium => Risk::High,
        Risk::High | Risk::Critical => Risk::Critical,
    }
}

/// The rules of risk and approval once more, in the fewest words.
fn naive(steps: &[Step], declared: Declared) -> (Risk, bool) {
    let changes =
        steps.iter().flat_map(|s| [Some(s.change), s.undo].into_iter().flatten().map(|c| raised(c.risk(), s.max)));
    let risk = changes.max().unwrap_or(Risk::Read);
    let says_enough = risk == Risk::Read || declared.risk.is_some_and(|d| d >= risk);
    let counted = risk.max(declared.risk.unwrap_or(Risk::Read));
    let needed = match counted {
        Risk::Critical => 2,
        Risk::High => 1,
        _ => 0,
    };
    (risk, says_enough && declared.approval.unwrap_or(0) >= needed)
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![Just(Change::Tag), Just(Change::Stop), Just(Change::Start), Just(Change::Terminate)]
}

fn step() -> impl Strategy<Value = Step> {
    let max = prop_oneof![Just(1u64), 2..300u64];
    (change(), max, proptest::option::of(change())).prop_map(|(change, max, undo)| Step { change, max, undo })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 0..5)
}

fn declared() -> impl Strategy<Value = Declared> {
    let risk = proptest::option::of(proptest::sample::select(LEVELS.to_vec()));
    (risk, proptest::option::of(1..4u32)).prop_map(|(risk, approval)| Declared { risk, approval })
}

/// How many playbooks each property is tried on: few with all other tests, as many as are asked for.
#[allow(clippy::disallowed_methods, reason = "a test, which is asked for more")]
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn a_naive_checker_agrees(steps in steps(), declared in declared(), side_by_side: bool) {
        let source = text(&steps, declared, side_by_side && !steps.is_empty());
        let checked = told(&source);
        let (risk, accepted) = naive(&steps, declared);
        prop_assert_eq!(!checked.has_errors(), accepted, "{}\n{:?}", source, checked.diagnostics);
        if accepted {
            prop_assert_eq!(inferred(&checked), risk, "{}", source);
        }
    }

    #[test]
    fn risk_is_monotone(steps in steps(), more in step(), grown in 1..300u64, at in 0..5usize) {
        let before = inferred(&told(&text(&steps, anything(), false)));
        let longer: Vec<Step> = steps.iter().copied().chain([more]).collect();
        prop_assert!(inferred(&told(&text(&longer, anything(), false))) >= before);
        let mut wider = longer.clone();
        let at = at % wider.len();
        wider[at].max += grown;
        let wider = inferred(&told(&text(&wider, anything(), false)));
        prop_assert!(wider >= inferred(&told(&text(&longer, anything(), false))));
    }

    #[test]
    fn branches_commute(steps in proptest::collection::vec(step(), 2..5), declared in declared(), turn in 1..4usize) {
        let mut turned = steps.clone();
        turned.rotate_left(turn % steps.len());
        let (one, other) = (told(&text(&steps, declared, true)), told(&text(&turned, declared, true)));
        let codes = |c: &Checked| {
            let mut codes: Vec<_> = c.diagnostics.iter().map(|d| d.code).collect();
            codes.sort_unstable();
            codes
        };
        prop_assert_eq!(codes(&one), codes(&other));
        let facts = |c: &Checked| {
            c.playbooks.first().and_then(|p| p.program().map(|p| &**p)).map(|p| (p.playbook.risk, p.playbook.blast_radius))
        };
        prop_assert_eq!(facts(&one), facts(&other));
    }

    #[test]
    fn taking_the_approval_away_makes_nothing_right(steps in steps(), declared in declared()) {
        let with = told(&text(&steps, declared, false));
        let without = told(&text(&steps, Declared { approval: None, ..declared }, false));
        prop_assert!(!with.has_errors() || without.has_errors());
    }

    #[test]
    fn the_layout_of_a_playbook_means_what_was_written(steps in steps(), side_by_side: bool) {
        let source = text(&steps, anything(), side_by_side && !steps.is_empty());
        let laid_out = escher_syntax::format(&source).unwrap();
        let program = |text: &str| told(text).playbooks.first().and_then(|p| p.program().cloned());
        prop_assert_eq!(program(&source), program(&laid_out));
        prop_assert_eq!(escher_syntax::format(&laid_out).unwrap(), laid_out);
    }
}
