//! Random playbooks as source text, with what may become of the world when they run.
//!
//! Constructs that the checker does not know yet are left out by asking it: what it learns is generated from then on.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use escher_core::CatalogWorld;

use crate::random::Random;

/// A playbook, and what the judge knows about it.
#[derive(Clone, Debug, Default)]
pub struct Generated {
    /// Its text.
    pub source: String,
    /// How often each effect may come to one thing at most: by the bodies, and by the undos besides.
    pub allowed: BTreeMap<&'static str, (usize, usize)>,
    /// Steps whose body is one call, with its effect: failed means that nothing happened, done that it did.
    pub single: Vec<(String, &'static str)>,
}

/// What the checker knows by now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features {
    /// `wait aws.ec2.instance_stopped(…)`.
    pub wait: bool,
    /// `call(…) unless found`.
    pub probe: bool,
    /// `call(…) catch { … }`.
    pub catch: bool,
    /// `step … catch { … }`.
    pub step_catch: bool,
    /// `for x in ["a"]` with a `key`.
    pub text: bool,
}

/// What the checker knows, found out by asking it.
pub static FEATURES: LazyLock<Features> = LazyLock::new(|| {
    let stop = "aws.ec2.stop_instances(instance_ids: [m.instance_id])";
    let step = |body: &str, after: &str| accepted(&playbook(&machines_step("s", "machines", "", body, after), true));
    let copy = "aws.ec2.create_snapshot(volume_id: \"vol-1\", description: \"x\") unless ";
    let found = "aws.ec2.describe_snapshots(snapshot_ids: [\"x\"]).snapshots.first()";
    Features {
        wait: step(
            &format!("{stop}\n        wait aws.ec2.instance_stopped(instance_ids: [m.instance_id]) timeout 10m"),
            "",
        ),
        probe: step(&format!("{copy}{found}"), ""),
        catch: step(&format!("{stop} catch {{ denied => skip }}"), ""),
        step_catch: step(stop, " catch { denied => skip }"),
        text: accepted(&playbook(&launch("launch", 2, ""), false)),
    }
});

/// Whether the checker takes a text.
pub fn accepted(source: &str) -> bool {
    !escher_core::check(&CatalogWorld, source).has_errors()
}

fn playbook(steps: &str, machines: bool) -> String {
    let lists = if machines { MACHINES } else { "" };
    format!("{HEAD}{lists}{steps}}}\n")
}

const HEAD: &str = "/// Drawn by a storm.
@risk(critical)
@approval(by: \"manager\", of: 2)
playbook storm(limit: int(1..=50) = 50) {
";
const MACHINES: &str =
    "    let machines = aws.ec2.describe_instances(filters: [{ name: \"tag:env\", values: [\"dev\"] }])
        .reservations.flat_map(.instances)
        .filter(m => m.tags[\"env\"] == \"dev\" and m.state.name == \"running\")
";
const SLEEPING: &str = "    let sleeping = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.tags[\"env\"] == \"dev\" and m.state.name == \"stopped\")
";
const FREE: &str = "    let free = aws.ec2.describe_volumes().volumes
        .filter(v => v.state == \"available\" and v.tags[\"env\"] == \"dev\")
";

fn machines_step(name: &str, list: &str, clauses: &str, body: &str, after: &str) -> String {
    format!("    step {name} \"{name}\" for m in {list} max limit{clauses} {{\n        {body}\n    }}{after}\n")
}

fn launch(name: &str, count: u64, clauses: &str) -> String {
    let names: Vec<String> = (0..count).map(|n| format!("{{ name: \"k{n}\" }}")).collect();
    format!(
        "    step {name} \"{name}\" for n in [{}] max {count}, key .name{clauses} {{
        aws.ec2.run_instances(image_id: \"ami-0123456789abcdef0\", min_count: 1, max_count: 1, key_name: n.name)
    }}\n",
        names.join(", ")
    )
}

/// The clauses that decide how a step goes on after trouble.
fn clauses(random: &mut Random) -> String {
    let tolerate = ["all", "all", "all", "50%", "0", "1"];
    let mut text = format!(", tolerate {}, at_once {}", random.pick(&tolerate), 1 + random.below(6));
    if random.percent(70) {
        let _ = write!(text, ", retry {}", 1 + random.below(4));
    }
    if random.percent(40) {
        let _ = write!(text, ", timeout {}", random.pick(&["2m", "10m", "30m"]));
    }
    text
}

impl Generated {
    fn body(&mut self, effect: &'static str, times: usize) {
        let allowed = self.allowed.entry(effect).or_default();
        allowed.0 = allowed.0.saturating_add(times);
    }

    fn undo(&mut self, effect: &'static str) {
        self.allowed.entry(effect).or_default().1 += 1;
    }
}

/// The playbook of a seed.
pub fn generate(seed: u64) -> Generated {
    let mut random = Random::of(seed, "playbook");
    let (mut found, mut steps) = (Generated::default(), String::new());
    let (mut machines, mut sleeping, mut volumes) = (false, false, false);
    if random.percent(75) {
        machines = true;
        stop_chain(&mut random, &mut found, &mut steps);
    }
    if random.percent(25) {
        sleeping = true;
        let start = "aws.ec2.start_instances(instance_ids: [m.instance_id])";
        steps += &machines_step("wake", "sleeping", &clauses(&mut random), start, "");
        found.body("running", 1);
        found.single.push(("wake".into(), "running"));
    }
    if random.percent(60) {
        volumes = true;
        volume_chain(&mut random, &mut found, &mut steps);
    }
    if FEATURES.text && (random.percent(25) || steps.is_empty()) {
        steps += &launch("launch", 1 + random.below(4), &clauses(&mut random));
        found.body("launched", 1);
        found.single.push(("launch".into(), "launched"));
    }
    if steps.is_empty() {
        machines = true;
        stop_chain(&mut random, &mut found, &mut steps);
    }
    let mut source = HEAD.to_string();
    for (used, list) in [(machines, MACHINES), (sleeping, SLEEPING), (volumes, FREE)] {
        source += if used { list } else { "" };
    }
    if machines && random.percent(30) {
        source += "    require machines.count() > 0 else \"nothing is running\"\n";
    }
    if steps.contains("step stop ") && Random::of(seed, "approve").percent(35) {
        steps += APPROVE;
        found.body("terminated", 1);
        found.single.push(("gone".into(), "terminated"));
    }
    found.source = source + &steps + "}\n";
    found
}

/// What stays stopped is ended for good, once people have seen which machines those are.
const APPROVE: &str = "    let ours = stop.items.map(.instance_id)
    let stopped = aws.ec2.describe_instances(filters: [{ name: \"tag:env\", values: [\"dev\"] }])
        .reservations.flat_map(.instances)
        .filter(m => m.state.name == \"stopped\" and m.instance_id in ours)
    approve \"Terminate {stopped.count()}?\" by \"manager\", of 2, within 1d
    step gone \"gone\" for m in stopped max limit, tolerate all, at_once 3, retry 2 {
        aws.ec2.terminate_instances(instance_ids: [m.instance_id])
    }
";

/// Machines are stopped, perhaps resized, perhaps started again: one list, handed from step to step.
fn stop_chain(random: &mut Random, found: &mut Generated, steps: &mut String) {
    let stop = "aws.ec2.stop_instances(instance_ids: [m.instance_id])";
    let start = "aws.ec2.start_instances(instance_ids: [m.instance_id])";
    let wait = FEATURES.wait && random.percent(50);
    let batch = !wait && random.percent(40);
    found.body("stopped", 1);
    if batch {
        let by = 1 + random.below(5);
        let undo = random.percent(50);
        let _ = write!(
            steps,
            "    step stop \"stop\" for batch in machines by {by} max limit{} {{
        aws.ec2.stop_instances(instance_ids: batch.map(.instance_id))
    }}{}\n",
            clauses(random),
            if undo { " undo { aws.ec2.start_instances(instance_ids: batch.map(.instance_id)) }" } else { "" },
        );
        if undo {
            found.undo("running");
        }
        found.single.push(("stop".into(), "stopped"));
    } else {
        let mut body = stop.to_string();
        let caught = FEATURES.catch && random.percent(30);
        if caught {
            body += *random.pick(&[" catch { denied => skip }", " catch { throttled => fail, missing => done }"]);
        }
        let tagged = random.percent(25);
        if tagged {
            body = format!(
                "aws.ec2.create_tags(resources: [m.instance_id], tags: {{ \"by\": \"storm\" }})\n        {body}"
            );
            found.body("tagged", 1);
        }
        if wait {
            body += "\n        wait aws.ec2.instance_stopped(instance_ids: [m.instance_id]) timeout 10m";
        }
        let mut after = String::new();
        if random.percent(60) {
            let _ = write!(after, " undo {{ {start} }}");
            found.undo("running");
        }
        if FEATURES.step_catch && random.percent(20) {
            after += *random.pick(&[" catch { denied => skip }", " catch { denied => done }"]);
        } else if !caught && !tagged && !wait {
            found.single.push(("stop".into(), "stopped"));
        }
        *steps += &machines_step("stop", "machines", &clauses(random), &body, &after);
    }
    let mut last = "stop";
    if random.percent(40) {
        let body =
            "aws.ec2.modify_instance_attribute(instance_id: m.instance_id, instance_type: { value: \"m5.large\" })";
        *steps += &machines_step("resize", "stop.items", &clauses(random), body, "");
        found.body("resized", 1);
        found.single.push(("resize".into(), "resized"));
        last = "resize";
    }
    if random.percent(50) {
        *steps += &machines_step("start", &format!("{last}.items"), &clauses(random), start, "");
        found.body("running", 1);
        last = "start";
    }
    if random.percent(35) {
        // A reboot can't be told from two: with `unless` the engine must never send it again.
        let body = "aws.ec2.reboot_instances(instance_ids: [m.instance_id])";
        let again = random.percent(50);
        let safety = if again { ", may_repeat" } else { ", unless m.instance_type == \"c1.medium\"" };
        let all = clauses(random) + safety;
        *steps += &machines_step("reboot", &format!("{last}.items"), &all, body, "");
        found.body("rebooted", if again { 1_000 } else { 1 });
        found.single.push(("reboot".into(), "rebooted"));
    }
}

/// Volumes are copied, and perhaps deleted where there is a copy.
fn volume_chain(random: &mut Random, found: &mut Generated, steps: &mut String) {
    let copies = "aws.ec2.describe_snapshots(filters: [
            { name: \"volume-id\", values: [v.volume_id] },
            { name: \"description\", values: [\"storm {run.id}\"] },
        ]).snapshots.first()";
    let copy = "aws.ec2.create_snapshot(volume_id: v.volume_id, description: \"storm {run.id}\")";
    let probe = FEATURES.probe && random.percent(70);
    let mut body = copy.to_string();
    let mut clause = clauses(random);
    if probe {
        body = format!("let s = {copy} unless {copies}\n        ");
        if FEATURES.wait && random.percent(60) {
            body += "wait aws.ec2.snapshot_completed(snapshot_ids: [s.snapshot_id]) timeout 1h\n        ";
        } else {
            found.single.push(("copy".into(), "snapshot"));
        }
        body += "s";
    } else {
        // Without a probe of the call it is the step's own: what was in flight ends `unknown`.
        let _ = write!(clause, ", unless {}count() > 0", copies.trim_end_matches("first()"));
        found.single.push(("copy".into(), "snapshot"));
    }
    found.body("snapshot", 1);
    let _ = write!(steps, "    step copy \"copy\" for v in free max limit{clause} {{\n        {body}\n    }}\n");
    if random.percent(60) {
        let list = random.pick(&["free", "copy.items"]);
        let caught = FEATURES.catch && random.percent(50);
        let catch = if caught { " catch { missing => done }" } else { "" };
        // Behind a step's own `unless` there may be no answer to take the id from.
        let undo = probe && random.percent(50);
        let back = " undo {
        aws.ec2.create_volume(snapshot_id: copy.of(v).snapshot_id, availability_zone: v.availability_zone)
    }";
        let _ = write!(
            steps,
            "    step delete \"delete\" for v in {list} max limit{} {{
        aws.ec2.delete_volume(volume_id: v.volume_id){catch}
    }}{}\n",
            clauses(random),
            if undo { back } else { "" },
        );
        found.body("deleted", 1);
        if undo {
            found.undo("volume");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checker_takes_what_is_drawn() {
        for seed in 0..40 {
            let drawn = generate(seed);
            let checked = escher_core::check(&CatalogWorld, &drawn.source);
            let errors: Vec<_> = checked.diagnostics.iter().map(|d| (d.code, &d.message, d.span)).collect();
            assert!(!checked.has_errors(), "seed {seed}\n{}\n{errors:#?}", drawn.source);
        }
    }

    #[test]
    fn seeds_draw_different_playbooks() {
        let drawn: std::collections::BTreeSet<String> = (0..40).map(|seed| generate(seed).source).collect();
        assert!(drawn.len() > 30, "{}", drawn.len());
    }
}
