//! Cases: who may do what, written down beside the rules and judged by them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::Action;
use crate::decide::{Question, Verdict};
use crate::facts::{Facts, Kind, Level, Moment};
use crate::rules::Policy;

/// Most cases of a text.
const MAX_CASES: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    people: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    case: Vec<Case>,
}

/// What one case says. A fact that it does not say is that of a reading on a working day at ten.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    title: String,
    who: String,
    action: Action,
    allowed: bool,
    rule: Option<String>,
    #[serde(default)]
    playbook: String,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    risk: Level,
    #[serde(default)]
    blast_radius: u64,
    #[serde(default)]
    changes: bool,
    #[serde(default)]
    clouds: BTreeSet<String>,
    #[serde(default)]
    accounts: BTreeSet<String>,
    #[serde(default)]
    regions: BTreeSet<String>,
    #[serde(default)]
    operations: BTreeSet<String>,
    tags: Option<BTreeSet<String>>,
    monthly_cost: Option<Decimal>,
    at: Option<Timestamp>,
    #[serde(default)]
    freezes: BTreeSet<String>,
    #[serde(default)]
    freeze_exempt: bool,
    #[serde(default)]
    halted: bool,
    #[serde(default)]
    own: bool,
    #[serde(default)]
    solo: bool,
    #[serde(default)]
    asked_role: bool,
    #[serde(default)]
    sandbox: bool,
    #[serde(default = "yes")]
    roles_assigned: bool,
}

fn yes() -> bool {
    true
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its title.
    pub title: String,
    /// What the rules say.
    pub verdict: Verdict,
    /// Why that is not what the case says; none where it is.
    pub wrong: Option<String>,
}

/// Judges the cases of a text: TOML with `[people]`, roles by principal, and a `[[case]]` for each. Whom the text does not
/// name has the `roles` at hand.
///
/// Errors: why the text holds no cases.
pub fn judge(
    policy: &Policy,
    text: &str,
    roles: &BTreeMap<String, Vec<String>>,
    zone: &TimeZone,
) -> Result<Vec<Judged>, String> {
    let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    if table.case.len() > MAX_CASES {
        return Err(format!("there are {} cases, and {MAX_CASES} are the most", table.case.len()));
    }
    let mut titles = BTreeSet::new();
    if let Some(twice) = table.case.iter().find(|case| !titles.insert(&case.title)) {
        return Err(format!("two cases are called \"{}\"", twice.title));
    }
    let of = |who: &str| match table.people.get(who) {
        Some(roles) => roles.iter().map(String::as_str).collect::<Vec<_>>(),
        None => roles.iter().filter(|(_, m)| m.iter().any(|m| m == who)).map(|(role, _)| role.as_str()).collect(),
    };
    Ok(table.case.iter().map(|case| one(policy, case, of(&case.who), zone)).collect())
}

fn one(policy: &Policy, case: &Case, roles: Vec<&str>, zone: &TimeZone) -> Judged {
    let facts = case.facts(zone);
    let question =
        Question { principal: &case.who, roles, action: case.action, playbook: &case.playbook, facts: &facts };
    let verdict = policy.decide(&question);
    let by = |rule: &str| verdict.rules.iter().any(|decided| decided.name == rule);
    let wrong = match &case.rule {
        _ if verdict.allowed != case.allowed => {
            let says = if case.allowed { "allowed" } else { "not allowed" };
            Some(format!("the case says {says}, and {}", verdict.reason))
        }
        Some(rule) if !by(rule) => Some(format!("the case says rule `{rule}`, and {}", verdict.reason)),
        _ => None,
    };
    Judged { title: case.title.clone(), verdict, wrong }
}

impl Case {
    fn facts(&self, zone: &TimeZone) -> Facts {
        let case = self.clone();
        Facts {
            kind: case.kind,
            risk: case.risk,
            blast_radius: case.blast_radius,
            changes: case.changes,
            clouds: case.clouds,
            accounts: case.accounts,
            regions: case.regions,
            operations: case.operations,
            tags: case.tags,
            monthly_cost: case.monthly_cost,
            // A Friday, at ten in UTC.
            moment: Moment { at: case.at.unwrap_or(TEN), zone: zone.clone() },
            freezes: case.freezes,
            freeze_exempt: case.freeze_exempt,
            halted: case.halted,
            own: case.own,
            solo: case.solo,
            asked_role: case.asked_role,
            sandbox: case.sandbox,
            roles_assigned: case.roles_assigned,
        }
    }
}

/// 2026-11-20T10:00:00Z.
const TEN: Timestamp = Timestamp::constant(1_795_168_800, 0);
