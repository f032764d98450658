use escher_catalog::Risk;
use escher_ir::codec;

use super::*;

const EXAMPLE: &str = include_str!("../../../examples/stop_dev_instances.esc");

fn codes(source: &str) -> Vec<(&'static str, String)> {
    let checked = check(&CatalogWorld, source);
    checked
        .diagnostics
        .iter()
        // Advice on what any of these playbooks could say besides.
        .filter(|d| d.code != "E0425")
        .map(|d| (d.code, source.get(d.span.start as usize..d.span.end as usize).unwrap_or("?").to_string()))
        .collect()
}

fn only(source: &str) -> (&'static str, String) {
    let mut found = codes(source);
    assert_eq!(found.len(), 1, "{found:?}\n{source}");
    found.remove(0)
}

#[test]
fn the_example_checks_and_compiles_to_the_same_bytes_twice() {
    let checked = check(&CatalogWorld, EXAMPLE);
    assert_eq!(checked.diagnostics, []);
    let program = checked.playbooks[0].program().unwrap();
    assert_eq!(program.playbook.risk, Risk::High);
    assert_eq!(program.playbook.blast_radius, Some(500));
    let again = check(&CatalogWorld, EXAMPLE);
    assert_eq!(codec::encode(&**program).unwrap(), codec::encode(&**again.playbooks[0].program().unwrap()).unwrap());
}

#[test]
fn a_comment_keeps_the_digest_and_a_literal_changes_it() {
    let digest = |source: &str| {
        let checked = check(&CatalogWorld, source);
        codec::digest(&**checked.playbooks[0].program().unwrap()).unwrap()
    };
    let commented = EXAMPLE.replace("// The condition", "// Yes: the condition");
    assert_eq!(digest(EXAMPLE), digest(&commented));
    for (from, to) in
        [("= 500,", "= 499,"), ("\"running\" and", "\"stopped\" and"), ("Stop the machines", "Stop machines")]
    {
        assert_ne!(digest(EXAMPLE), digest(&EXAMPLE.replace(from, to)), "{from}");
    }
}

#[test]
fn only_what_is_read_is_asked_for() {
    let checked = check(&CatalogWorld, EXAMPLE);
    let text = format!("{:?}", checked.playbooks[0].program().unwrap().playbook.body);
    assert!(text.contains("\"instance_id\""));
    assert!(!text.contains("private_ip_address") && !text.contains("All"), "{text}");
}

/// The example with one replacement, and the diagnostic that it must give: code and underlined text.
fn broken(from: &str, to: &str) -> (&'static str, String) {
    assert!(EXAMPLE.contains(from), "{from}");
    // Its tests would repeat each mistake.
    let playbook = EXAMPLE.split("\ntest ").next().unwrap();
    only(&playbook.replace(from, to))
}

#[test]
fn each_rule_gives_its_own_diagnostic_at_the_right_place() {
    let cases = [
        ("@risk(high)", "@risk(medium)", "E0402", "aws.ec2.stop_instances"),
        ("@risk(high)\n", "", "E0413", "stop_dev_instances"),
        ("@approval(by: \"manager\")\n", "", "E0501", "stop_dev_instances"),
        ("@approval(by: \"manager\")", "@approval(by: manager)", "E0503", "manager"),
        ("by 100", "by 0", "E0304", "0"),
        ("max limit, ", "", "E0403", "machines"),
        ("limit: int(1..=500) = 500", "limit: int = 500", "E0403", "limit"),
        ("== \"running\" and", "== \"runing\" and", "E0303", "\"runing\""),
        ("m.state.name", "m.stat.name", "E0206", "stat"),
        ("describe_instances", "describe_instance", "E0203", "describe_instance"),
        ("describe_instances", "DescribeInstances", "E0209", "DescribeInstances"),
        ("(filters:", "(filter:", "E0204", "filter"),
        (
            "stop_instances(instance_ids: batch.map(.instance_id))",
            "stop_instances()",
            "E0205",
            "aws.ec2.stop_instances()",
        ),
        ("step stop \"Stop the machines\"", "step stop", "E0406", "stop"),
        ("timeout 10m", "timeout 10", "E0301", "10"),
        ("flat_map(.instances)", "flatMap(.instances)", "E0207", "flatMap"),
        ("= \"dev\",", "= \"prod\",", "E0303", "\"prod\""),
        ("for batch in machines by", "for batch in machine by", "E0201", "machine"),
        ("env: \"dev\" | \"test\" | \"staging\" = \"dev\"", "env: strnig = \"dev\"", "E0208", "strnig"),
    ];
    for (from, to, code, text) in cases {
        let (found_code, found_text) = broken(from, to);
        assert_eq!((found_code, found_text.as_str()), (code, text), "{from} -> {to}");
    }
}

#[test]
fn changes_stand_in_steps_and_steps_are_bounded() {
    let source = "@risk(low)\nplaybook p() {\n    aws.ec2.stop_instances(instance_ids: [\"i-1\"])\n}\n";
    assert_eq!(codes(source)[0].0, "E0401");
    let source = "@risk(medium)\nplaybook p(ids: list<string>) {\n    step s \"Stop\" {\n        aws.ec2.stop_instances(instance_ids: ids)\n    }\n}\n";
    assert_eq!(codes(source)[0], ("E0403", "ids".to_string()));
}

#[test]
fn what_this_version_does_not_do_is_said() {
    let (code, found) = only("playbook p() {\n    notify ops \"x\"\n}\n");
    assert_eq!((code, found.as_str()), ("E0199", "notify ops \"x\""));
}

#[test]
fn a_list_that_a_step_changed_is_not_gone_over_again() {
    let more = "    step again \"Stop them once more\" for batch in machines by 100 max limit {\n        aws.ec2.start_instances(instance_ids: batch.map(.instance_id))\n    }\n    report";
    let (code, text) = only(&EXAMPLE.replacen("    report", more, 1));
    assert_eq!((code, text.as_str()), ("E0414", "machines"));
    let fine = more.replace("in machines by", "in stop.items by");
    assert_eq!(codes(&EXAMPLE.replacen("    report", &fine, 1)), []);
}

#[test]
fn functions_compute_and_do_not_call_themselves() {
    let source = "fn f(x: int) -> int = f(x)\n";
    assert_eq!(codes(source)[0].0, "E0212");
    let source = "fn f() -> int {\n    aws.ec2.describe_instances().reservations.count()\n}\n";
    assert_eq!(codes(source)[0].0, "E0404");
}

#[test]
fn what_a_mistake_of_the_text_explains_is_not_told_again() {
    // The parser reads on with a repaired copy, or behind a gap: neither is what the author wrote.
    for (source, code) in [
        ("const patience = 10min\n", "E0003"),
        ("fn some(count: int) -> bool = 0 < count < 10\n", "E0107"),
        ("playbook find(name: string? = null) {\n    report { \"{name ?? \"all\"}\" }\n}\n", "E0130"),
        ("playbook p(name?: string) {\n    report { \"Hello {name ?? \"you\"}\" }\n}\n", "E0151"),
        ("playbook p() -> int {\n    return 1, 2\n}\n", "E0174"),
        ("playbook p() {\n    let a, b = 1\n    report { \"{a} {b}\" }\n}\n", "E0164"),
    ] {
        assert_eq!(only(source).0, code, "{source}");
    }
    // But what is on other lines is told at once.
    let both = "playbook p(n: int) {\n    let a = null\n    let b = n + 5s\n    report { \"{b}\" }\n}\n";
    assert_eq!(codes(both).iter().map(|c| c.0).collect::<Vec<_>>(), ["E0130", "E0302"]);
}

#[test]
fn one_mistake_gives_one_message() {
    let step = "    step s \"Stop\" {\n        aws.ec2.stop_instances(instance_ids: [\"i-1\"])\n    }\n";
    assert_eq!(only(&format!("@risk(hihg)\nplaybook p() {{\n{step}}}\n")).0, "E0210");
    assert_eq!(only("fn f(x: int) -> int = f(x)\n").0, "E0212");
    assert_eq!(
        only(&format!("@risk(medium)\nplaybook p(a: bool) {{\n    step o \"Do\" {{\n{step}    }}\n}}\n")).0,
        "E0411"
    );
}

#[test]
fn a_text_is_its_own_key() {
    let source = "@risk(medium)\nplaybook p(ids: list<string>) {\n    step t \"Tag\" for id in ids max 5 {\n        \
                  aws.ec2.create_tags(resources: [id], tags: { \"a\": \"b\" })\n    }\n}\n";
    assert_eq!(codes(source), []);
}

#[test]
fn nothing_is_changed_by_a_lambda() {
    // It would be called for a list that no `max` counts.
    let source = "@risk(critical)\n@approval(by: \"manager\", of: 2)\nplaybook p(ids: list<string>) {\n    step s \"End\" {\n        \
                  ids.map(i => aws.ec2.terminate_instances(instance_ids: [i]))\n    }\n}\n";
    assert_eq!(only(source), ("E0401", "aws.ec2.terminate_instances".to_string()));
}

#[test]
fn a_list_that_is_not_the_batch_is_not_counted_by_the_step() {
    let playbook = |each: &str, list: &str| {
        format!(
            "@risk(high)\n@approval(by: \"manager\")\nplaybook p(ids: list<string>, all: list<string>) {{\n    \
             step s \"Stop\" for {each} max 5 {{\n        aws.ec2.stop_instances(instance_ids: {list})\n    }}\n}}\n"
        )
    };
    assert_eq!(only(&playbook("id in ids", "all")), ("E0403", "all".to_string()));
    assert_eq!(only(&playbook("b in ids by 5", "all")), ("E0403", "all".to_string()));
    assert_eq!(codes(&playbook("id in ids", "[id]")), []);
    assert_eq!(codes(&playbook("id in ids", "all.take(3)")), []);
    assert_eq!(codes(&playbook("b in ids by 5", "b")), []);
    assert_eq!(codes(&playbook("b in ids by 5", "b.filter(i => i != \"i-1\")")), []);
}

#[test]
fn a_read_that_reveals_has_its_risk() {
    let source = "playbook p(id: string) {\n    let a = aws.ec2.get_password_data(instance_id: id)\n    report { \"{a.timestamp}\" }\n}\n";
    assert_eq!(codes(source).iter().map(|c| c.0).collect::<Vec<_>>(), ["E0413", "E0501"]);
}

#[test]
fn a_list_that_was_only_added_to_may_be_gone_over_again() {
    let step = |name: &str, call: &str| {
        format!(
            "    step {name} \"…\" for v in due max 5, may_repeat {{\n        {call}(volume_id: v.volume_id)\n    }}\n"
        )
    };
    let playbook = |first: &str| {
        format!(
            "@risk(critical)\n@approval(by: \"manager\", of: 2)\nplaybook p() {{\n    let due = aws.ec2.describe_volumes().volumes\n{}{}}}\n",
            step("first", first),
            step("second", "aws.ec2.delete_volume")
        )
    };
    assert_eq!(codes(&playbook("aws.ec2.create_snapshot")), []);
    assert_eq!(only(&playbook("aws.ec2.detach_volume")).0, "E0414");
}

#[test]
fn a_bound_and_a_list_are_told_once_where_they_are_of_another_type() {
    let playbook = |max: &str, list: &str| {
        format!(
            "@risk(high)\n@approval(by: \"manager\")\nplaybook p(ids: list<string>, one: string) {{\n    \
             step s \"Stop\" for id in ids max {max} {{\n        aws.ec2.stop_instances(instance_ids: {list})\n    }}\n    \
             step again \"Start\" for id in ids max 5 {{\n        aws.ec2.start_instances(instance_ids: [id])\n    }}\n}}\n"
        )
    };
    assert_eq!(codes(&playbook("5", "[id]")), []);
    assert_eq!(only(&playbook("\"five\"", "[id]")), ("E0301", "\"five\"".to_string()));
    assert_eq!(only(&playbook("5", "one")), ("E0301", "one".to_string()));
}

#[test]
fn a_fan_out_of_lists_touches_their_product() {
    let source = "@risk(high)\n@approval(by: \"manager\")\nplaybook p(pairs: list<string>) {\n    step s \"Stop\" for x in pairs max 10 {\n        aws.ec2.stop_instances(instance_ids: [x, \"i-1\"])\n    }\n}\n";
    assert_eq!(codes(source), []);
    let checked = check(&CatalogWorld, source);
    assert_eq!(checked.playbooks[0].program().unwrap().playbook.blast_radius, Some(20));
}

const STANDING: &str = r#"
/// Stop some.
@risk(high)
@approval(by: "manager")
playbook stop(ids: list<string>, env: "dev" | "prod" = "prod", limit: int(1..=50) = 20, grace: duration = 30d) {
    step stop "Stop them" for id in ids max limit {
        aws.ec2.stop_instances(instance_ids: [id])
    }
    report { "{env} {grace}" }
}

/// What an Executor may run without asking.
template some = stop(ids: ["a", "b"], env in ["dev"], limit in 1..=5)

template one = stop(limit: 1)

template as_it_is = stop()

schedule nightly = stop(ids: ["a"]) cron "0 20 * * 1-5", zone "Europe/Berlin", missed run_once, within 2h

trigger started = stop(ids: e.result.instances.map(.instance_id)) on e: called(aws.ec2.run_instances), when e.actor != "ci"
"#;

#[test]
fn what_runs_unattended_is_lowered_within_its_playbook() {
    use escher_ir::standing::{Standing, StandingKind, When};
    let checked = check(&CatalogWorld, STANDING);
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    let own = checked.playbooks[0].program().unwrap();
    let named = |name: &str| checked.standing.iter().find(|s| s.name == name).unwrap();
    for standing in &checked.standing {
        // The same bytes every time, and all of them again.
        let (digest, bytes) = codec::encode(&**standing).unwrap();
        let again = check(&CatalogWorld, STANDING);
        let same = again.standing.iter().find(|s| s.name == standing.name).unwrap();
        assert_eq!(codec::encode(&**same).unwrap(), (digest, bytes.clone()));
        assert_eq!(codec::decode::<Standing>(&bytes).unwrap().1, **standing);
        // Within the playbook's own.
        let program = &standing.program.playbook;
        assert_eq!(standing.within.program, codec::digest(&**own).unwrap());
        assert!(program.risk <= own.playbook.risk && program.blast_radius <= own.playbook.blast_radius);
        assert_eq!(program.approval, own.playbook.approval);
    }
    let some = named("some");
    assert_eq!(some.doc.as_deref(), Some("What an Executor may run without asking."));
    assert_eq!((some.program.playbook.risk, some.program.playbook.blast_radius), (Risk::High, Some(5)));
    let types: Vec<String> = some.program.playbook.params.iter().map(|p| p.ty.to_string()).collect();
    assert_eq!(types, ["[\"a\",\"b\"]", "\"dev\"", "int(1..=5)", "duration"]);
    // Its defaults were `prod` and 20.
    let defaults: Vec<bool> = some.program.playbook.params.iter().map(|p| p.default.is_some()).collect();
    assert_eq!(defaults, [true, false, false, true]);
    let StandingKind::Template { fixed, narrowed, rate } = &some.kind else { panic!("{some:?}") };
    assert_eq!((fixed.join(" "), narrowed.join(" "), rate), ("ids".into(), "env limit".into(), &None));
    // One thing alone is not many.
    assert_eq!(
        (named("one").program.playbook.risk, named("one").program.playbook.blast_radius),
        (Risk::Medium, Some(1))
    );
    assert_eq!(named("as_it_is").program, **own);
    let StandingKind::Schedule { when, overlap, within_ms, .. } = &named("nightly").kind else { panic!("a schedule") };
    assert_eq!(*when, When::Cron { expression: "0 20 * * 1-5".into(), zone: "Europe/Berlin".into() });
    assert_eq!((overlap.as_str(), *within_ms), ("skip", Some(7_200_000)));
    let StandingKind::Trigger { operation, arguments, when, .. } = &named("started").kind else { panic!("a trigger") };
    assert!(operation == "aws.ec2.run_instances" && arguments.contains_key("ids") && when.is_some());
}

/// The parser takes a flat chain that the codec could not write as the tree that it is.
#[test]
fn what_is_nested_deeper_than_the_codec_goes_is_told() {
    let chain = |n: usize| {
        format!("playbook look(x: int) {{\n    let a = x{}\n    report {{ \"{{a}}\" }}\n}}\n", " + x".repeat(n))
    };
    assert!(!check(&CatalogWorld, &chain(20)).has_errors());
    let told = check(&CatalogWorld, &chain(2000)).diagnostics;
    assert_eq!(told.iter().map(|d| d.code).collect::<Vec<_>>(), ["E0102"], "{told:?}");
}
