//! Who may do what: the table of cases, every fact by itself, and rules of a project's own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use escher_policy::{Action, Facts, Kind, Level, Moment, Policy, Question, Verdict};
use jiff::tz::TimeZone;

fn facts() -> Facts {
    let at = "2026-11-20T10:00:00Z".parse().unwrap();
    Facts {
        moment: Moment { at, zone: TimeZone::get("Europe/Berlin").unwrap() },
        roles_assigned: true,
        ..Facts::default()
    }
}

fn ask(policy: &Policy, who: &str, roles: &[&str], action: Action, facts: &Facts) -> Verdict {
    policy.decide(&Question { principal: who, roles: roles.to_vec(), action, playbook: "stop", facts })
}

#[test]
fn everybody_may_what_the_table_says() {
    let text = include_str!("cases.toml");
    let judged = escher_policy::judge(&Policy::standard(), text, &BTreeMap::new(), &TimeZone::UTC).unwrap();
    for case in &judged {
        assert_eq!(case.wrong, None, "{}", case.title);
        let verdict = &case.verdict;
        match verdict.rules.first() {
            Some(rule) => assert!(verdict.reason.contains(&format!("`{}`", rule.name)), "{}", verdict.reason),
            None => assert!(verdict.reason.starts_with("no rule of the policy lets"), "{}", verdict.reason),
        }
        assert!(verdict.allowed || !verdict.help.is_empty(), "{}: nothing says what to do", case.title);
    }
    println!("{} cases of who may do what", judged.len());
    assert!(judged.len() >= 60);
    // The table is one that fails: each case turned round is wrong.
    let turned = text.replace("allowed = true", "allowed = maybe").replace("allowed = false", "allowed = true");
    let turned = turned.replace("allowed = maybe", "allowed = false");
    let turned = escher_policy::judge(&Policy::standard(), &turned, &BTreeMap::new(), &TimeZone::UTC).unwrap();
    assert!(turned.iter().all(|case| case.wrong.is_some()));
}

/// A forbidding rule on each fact alone stops exactly where the fact is so.
#[test]
fn a_rule_can_look_at_every_fact() {
    type Set = fn(&mut Facts);
    let rows: &[(&str, Set)] = &[
        ("context.kind == \"template\"", |f| f.kind = Kind::Template),
        ("context.risk >= 3", |f| f.risk = Level::High),
        ("context.risk_name == \"critical\"", |f| f.risk = Level::Critical),
        ("context.blast_radius > 20", |f| f.blast_radius = 21),
        ("context.changes", |f| f.changes = true),
        ("context.clouds.contains(\"gcp\")", |f| f.clouds = ["gcp".to_string()].into()),
        ("context.accounts.contains(\"210987654321\")", |f| f.accounts = ["210987654321".to_string()].into()),
        ("!([\"eu-west-1\"].containsAll(context.regions))", |f| f.regions = ["us-east-1".to_string()].into()),
        ("context.operations.contains(\"aws.ec2.terminate_instances\")", |f| {
            f.operations = ["aws.ec2.terminate_instances".to_string()].into();
        }),
        ("context.tags.contains(\"env=prod\")", |f| f.tags = Some(["env=prod".to_string()].into())),
        ("context.tags_known", |f| f.tags = Some(BTreeSet::new())),
        ("context.monthly_cost.greaterThan(decimal(\"99.9\"))", |f| f.monthly_cost = Some(100.into())),
        ("context.cost_known", |f| f.monthly_cost = Some(0.into())),
        ("context.at > datetime(\"2026-12-24T00:00:00Z\")", |f| f.moment.at = "2026-12-25T00:00:00Z".parse().unwrap()),
        // 17:30 in Berlin.
        ("context.hour >= 17", |f| f.moment.at = "2026-11-20T16:30:00Z".parse().unwrap()),
        ("context.weekday == \"sat\"", |f| f.moment.at = "2026-11-20T23:30:00Z".parse().unwrap()),
        ("context.date == \"2026-11-21\"", |f| f.moment.at = "2026-11-20T23:30:00Z".parse().unwrap()),
        ("context.freezes.contains(\"year_end\")", |f| f.freezes = ["year_end".to_string()].into()),
        ("context.freeze_exempt", |f| f.freeze_exempt = true),
        ("context.halted", |f| f.halted = true),
        ("context.own", |f| f.own = true),
        ("context.solo", |f| f.solo = true),
        ("context.asked_role", |f| f.asked_role = true),
        ("context.sandbox", |f| f.sandbox = true),
        ("!context.roles_assigned", |f| f.roles_assigned = false),
    ];
    for (condition, set) in rows {
        let text =
            format!("@id(\"ours\") forbid (principal, action == Action::\"plan\", resource) when {{ {condition} }};");
        let policy = Policy::with(&text).unwrap_or_else(|e| panic!("{condition}: {e}"));
        let mut facts = facts();
        let before = ask(&policy, "eli", &["executor"], Action::Plan, &facts);
        assert!(before.allowed, "{condition}: {}", before.reason);
        set(&mut facts);
        let after = ask(&policy, "eli", &["executor"], Action::Plan, &facts);
        assert!(!after.allowed && after.reason.contains("`ours`"), "{condition}: {}", after.reason);
    }
}

#[test]
fn a_project_widens_and_narrows() {
    let policy = Policy::with(
        "@id(\"on-call\") @says(\"who is on call may run\")\n\
         permit (principal in Role::\"oncall\", action == Action::\"run\", resource == Playbook::\"stop\");\n\
         forbid (principal == User::\"eli\", action, resource) when { context.risk > 1 };",
    )
    .unwrap();
    assert!(ask(&policy, "olga", &["oncall"], Action::Run, &facts()).allowed);
    assert!(!ask(&policy, "olga", &["oncall"], Action::Plan, &facts()).allowed);
    let risky = Facts { risk: Level::Medium, ..facts() };
    let verdict = ask(&policy, "eli", &["executor"], Action::Run, &risky);
    assert!(!verdict.allowed && verdict.reason.contains("`rule 2`"), "{}", verdict.reason);
    // What every project forbids stays so.
    let all = Policy::with("permit (principal, action, resource);").unwrap();
    let own = Facts { own: true, ..facts() };
    assert!(!ask(&all, "mara", &["manager"], Action::Approve, &own).allowed);
    // Who would be permitted is said, whatever the role is called.
    let told = ask(&policy, "vera", &["viewer"], Action::Run, &facts());
    assert_eq!(told.roles, ["executor", "manager", "oncall"]);
}

#[test]
fn what_cannot_be_decided_is_denied() {
    // An overflow while it is asked: Cedar passes the rule over, and what it would forbid would be allowed.
    let policy = Policy::with(
        "@id(\"sum\") forbid (principal, action, resource) when { context.blast_radius * 9223372036854775807 > 0 };",
    )
    .unwrap();
    let facts = Facts { blast_radius: 5, ..facts() };
    let verdict = ask(&policy, "mara", &["manager"], Action::Run, &facts);
    assert!(!verdict.allowed && verdict.reason.contains("`sum`"), "{}", verdict.reason);
}

#[test]
fn a_text_that_is_no_policy_says_where() {
    let wrong = |text: &str| Policy::with(text).unwrap_err();
    let at = |text: &str| wrong(text).0.first().unwrap().at;
    assert_eq!(at("permit (principal, action, resource) wenn { true };"), Some(37));
    for (text, words) in [
        ("forbid (principal, action, resource) when { context.riks > 3 };", "riks"),
        ("forbid (principal, action, resource) when { context.risk == \"high\" };", "Long"),
        ("forbid (principal, action == Action::\"aprove\", resource);", "aprove"),
        ("forbid (principal in Team::\"a\", action, resource);", "Team"),
        ("permit (principal == ?principal, action, resource);", "?principal"),
        ("@id(\"freeze\") permit (principal, action, resource);", "two rules are called \"freeze\""),
        (
            "@id(\"a\") permit (principal, action, resource); @id(\"a\") forbid (principal, action, resource);",
            "two rules",
        ),
    ] {
        let error = wrong(text);
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
    assert!(wrong(&"// no rule\n".repeat(30_000)).to_string().contains("bytes"));
    assert!(Policy::with(&format!("permit (principal, action, resource) when {{ {} }};", "(".repeat(20_000))).is_err());
}

#[test]
fn names_are_told_apart_by_what_they_hold() {
    let standard = Policy::standard();
    assert_eq!(standard.version(), "roles/1");
    assert_eq!(Policy::with("  \n").unwrap().version(), "roles/1");
    let one = Policy::with("forbid (principal == User::\"a\", action, resource);").unwrap();
    let other = Policy::with("forbid (principal == User::\"b\", action, resource);").unwrap();
    assert_ne!(one.version(), other.version());
    // A name may hold anything: it is never read as part of a rule.
    for odd in ["\"", "a\\b", "Role::\"manager\"", "ünïcode 🦀", ""] {
        assert!(!ask(&standard, odd, &[], Action::Run, &facts()).allowed, "{odd}");
        assert!(ask(&standard, odd, &["manager"], Action::Run, &facts()).allowed, "{odd}");
    }
}
