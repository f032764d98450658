//! Several people and one state, through the real binary on a practice cloud: a Manager publishes, an Executor works within
//! it, a Viewer looks, and what goes beyond is refused with exit 3, an audit record and the name of the rule.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops at the first surprise")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod common;

use common::{Cloud, text};

const OPS: &str = r#"/// Stop machines that nobody needs at night.
@risk(high)
@approval(by: "manager")
playbook stop_some_of(env: "dev" | "test" = "dev", limit: int(1..=50) = 50) {
    let machines = aws.ec2.describe_instances().reservations.flat_map(.instances)
        .filter(m => m.state.name == "running" and m.tags["env"] == env)

    step stop "Stop the machines" for m in machines max limit {
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }
    undo { aws.ec2.start_instances(instance_ids: [m.instance_id]) }
}

/// What an Executor may run without asking.
template stop_dev = stop_some_of(env: "dev", limit in 1..=20)
    runs 2 per day, until 2099-03-31

/// Look at machines.
playbook count_machines() -> int {
    return aws.ec2.describe_instances().reservations.flat_map(.instances).count()
}
"#;

/// A project with mara and max, managers; eli, an executor; vera, a viewer.
struct Team<'c> {
    cloud: &'c Cloud,
    folder: PathBuf,
    _base: tempfile::TempDir,
}

impl Team<'_> {
    fn new(cloud: &Cloud) -> Team<'_> {
        let base = tempfile::tempdir().unwrap();
        let team = Team { cloud, folder: base.path().to_path_buf(), _base: base };
        let mut signers = String::new();
        for key in ["root", "mara", "max", "eli"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", key]).current_dir(&team.folder);
            assert!(keygen.status().unwrap().success());
            let public = std::fs::read_to_string(team.folder.join(format!("{key}.pub"))).unwrap();
            let words: Vec<&str> = public.split_whitespace().collect();
            if key != "root" {
                signers.push_str(&format!("{key} namespaces=\"escher-approval\" {} {}\n", words[0], words[1]));
            }
        }
        team.well("root", &["init", ".", "--root", "root.pub"]);
        team.write("allowed_signers", &signers);
        let roles = "manager = [\"mara\", \"max\"]\nexecutor = [\"eli\"]\nviewer = [\"vera\"]";
        team.change("escher.toml", "manager = []", roles);
        team.write("ops.esc", OPS);
        team.sign();
        team
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).unwrap();
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let before = std::fs::read_to_string(self.folder.join(file)).unwrap();
        assert!(before.contains(from), "{before}");
        self.write(file, &before.replace(from, to));
    }

    fn add(&self, file: &str, more: &str) {
        let before = std::fs::read_to_string(self.folder.join(file)).unwrap();
        self.write(file, &(before + more));
    }

    /// The root key signs the settings as they are.
    fn sign(&self) {
        self.well("root", &["trust", "sign", "--key", "root"]);
    }

    fn publish(&self) {
        self.well("mara", &["publish", "ops.esc:stop_dev", "--key", "mara", "--comment", "as agreed"]);
    }

    fn call(&self, who: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_escher"));
        command.env_clear().current_dir(&self.folder).env("HOME", &self.folder).env("NO_COLOR", "1");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.env("AWS_ACCESS_KEY_ID", "practice").env("AWS_SECRET_ACCESS_KEY", "practice");
        command.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("ESCHER_PRINCIPAL", who).stdin(Stdio::null());
        command.args(arguments).args(["--endpoint-url", &self.cloud.url]);
        command.output().unwrap()
    }

    fn well(&self, who: &str, arguments: &[&str]) -> String {
        let output = self.call(who, arguments);
        let shown = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{who}: {arguments:?}: {shown}");
        shown
    }

    fn json(&self, who: &str, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        let output = self.call(who, &all);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output.stderr)))
    }

    /// Refused in these words, with exit 3 and an audit record that says the same, and nothing sent.
    fn refused(&self, who: &str, words: &str, arguments: &[&str]) {
        let before = self.cloud.moves();
        let output = self.call(who, arguments);
        let shown = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(3), "{who}: {arguments:?}: {shown}");
        assert!(shown.contains(words), "{who}: {arguments:?}: {shown}");
        let log = self.json("mara", &["audit", "show"]);
        let last = log["entries"].as_array().unwrap().last().unwrap().to_string();
        assert!(last.contains("refused"), "{who}: {arguments:?}: {last}");
        assert_eq!(self.cloud.moves(), before, "{who}: {arguments:?} sent something");
    }
}

#[test]
fn a_template_is_used_within_its_bounds() {
    let cloud = Cloud::start();
    let team = Team::new(&cloud);
    team.refused("eli", "nothing is published here as `stop_dev`", &["extend-me", "stop_dev", "--yes"]);
    team.refused("eli", "does not have the role `manager`", &["publish", "ops.esc:stop_dev", "--key", "eli"]);
    team.publish();
    // Published, and compiled again differently: what was signed is what runs.
    team.change("ops.esc", "\"running\"", "\"stopped\"");
    let listed = team.json("vera", &["extend-me"]);
    assert_eq!(listed["published"][0]["name"], "stop_dev");
    assert_eq!(listed["published"][0]["rate"], "2 per day");
    let use_it = ["extend-me", "stop_dev", "--set", "limit=20", "--yes"];
    team.refused("vera", "no rule of the policy lets `vera` plan", &use_it);
    team.refused("mara", "nobody approves their own", &use_it);
    team.refused("eli", "expected `int(1..=20)`", &["extend-me", "stop_dev", "--set", "limit=21", "--yes"]);
    team.refused(
        "eli",
        "expected `\"dev\"`",
        &["extend-me", "stop_dev", "--set", "env=test", "--set", "limit=2", "--yes"],
    );
    team.refused("eli", "nobody said yes", &["extend-me", "stop_dev", "--set", "limit=20"]);
    // A run that was planned under the template is no plan that a Manager could not see.
    let report = team.json("eli", &use_it);
    assert_eq!(report["status"], "done");
    assert_eq!(cloud.moves().len(), 12);
    assert_eq!(team.json("eli", &use_it)["status"], "done");
    team.refused("eli", "may run 2 times a day, and has", &use_it);
    let log = team.well("vera", &["audit", "show"]);
    for word in ["published", "used", "as agreed"] {
        assert!(log.contains(word), "{log}");
    }
    team.well("vera", &["audit", "verify"]);
    team.refused("eli", "does not have the role", &["publish", "stop_dev", "--withdraw", "--key", "eli"]);
    team.well("max", &["publish", "stop_dev", "--withdraw", "--key", "max"]);
    team.refused("eli", "nothing is published here", &use_it);
}

#[test]
fn what_was_signed_elsewhere_counts_once() {
    let cloud = Cloud::start();
    let team = Team::new(&cloud);
    team.well("mara", &["publish", "ops.esc:stop_dev", "--as", "mara", "--statement", "s.json"]);
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-Y", "sign", "-n", "escher-approval", "-f", "mara", "s.json"]).current_dir(&team.folder);
    assert!(keygen.status().unwrap().success());
    let hand_in = ["publish", "ops.esc:stop_dev", "--statement", "s.json", "--signature", "s.json.sig"];
    team.well("mara", &hand_in);
    team.well("max", &["publish", "stop_dev", "--withdraw", "--key", "max"]);
    team.refused("mara", "was withdrawn or published anew", &hand_in);
    team.publish();
    team.change("ops.esc", "limit in 1..=20", "limit in 1..=10");
    team.publish();
    team.change("ops.esc", "limit in 1..=10", "limit in 1..=20");
    team.refused("mara", "was withdrawn or published anew", &hand_in);
    team.refused("eli", "expected `int(1..=10)`", &["extend-me", "stop_dev", "--set", "limit=20", "--yes"]);
}

#[test]
fn roles_rules_and_freezes_hold_as_they_were_signed() {
    let cloud = Cloud::start();
    let team = Team::new(&cloud);
    team.publish();
    let use_it = ["extend-me", "stop_dev", "--set", "limit=20", "--yes"];
    // A viewer makes an executor of themselves.
    team.change("escher.toml", "executor = [\"eli\"]", "executor = [\"eli\", \"vera\"]");
    team.refused("vera", "the role `executor` has other members", &use_it);
    team.change("escher.toml", "executor = [\"eli\", \"vera\"]", "executor = [\"eli\"]");
    // A rule of one's own is signed before it holds; one that is wrong is told with its line.
    team.add("escher.toml", "\n[policy]\nfile = \"policy.cedar\"\nzone = \"Europe/Berlin\"\n");
    team.write("policy.cedar", "permit (principal, action, resource);\n");
    team.refused("vera", "the policy is another", &use_it);
    team.write(
        "policy.cedar",
        "@id(\"few\")\nforbid (principal, action, resource)\nwhen { context.blastradius > 5 };\n",
    );
    let wrong = team.call("eli", &["policy", "check"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("policy.cedar:3:8"), "{}", text(&wrong.stderr));
    let rule = "@id(\"few\") @says(\"five at a time\") @help(\"ask for fewer\")\n\
        forbid (principal in Role::\"executor\", action, resource) when { context.blast_radius > 5 };\n";
    team.write("policy.cedar", rule);
    team.sign();
    team.well("eli", &["policy", "check"]);
    team.refused("eli", "rule `few` of the policy does not let `eli` plan: five at a time", &use_it);
    team.write("policy.tests.toml", "[[case]]\ntitle = \"few\"\nwho = \"eli\"\naction = \"run\"\nblast_radius = 6\nallowed = false\nrule = \"few\"\n");
    assert!(team.well("eli", &["policy", "test"]).contains("1 cases: 1 passed, 0 failed"));
    team.change("policy.tests.toml", "= 6", "= 5");
    assert_eq!(team.call("eli", &["policy", "test"]).status.code(), Some(1));
    // A freeze holds templates and plans that were approved, and passes in its time.
    team.change("escher.toml", "\n[policy]\nfile = \"policy.cedar\"\nzone = \"Europe/Berlin\"\n", "");
    team.sign();
    team.well("eli", &["plan", "ops.esc:stop_some_of", "-o", "plan.json"]);
    team.well("mara", &["approve", "plan.json", "--key", "mara"]);
    team.add("escher.toml", "\n[freeze.all_year]\nfrom = \"2020-01-01\"\nuntil = \"2098-12-31\"\n");
    team.refused("eli", "the freeze `all_year` is another", &["run", "plan.json", "--yes"]);
    team.sign();
    team.refused("eli", "rule `freeze` of the policy", &use_it);
    team.refused("eli", "rule `freeze` of the policy", &["run", "plan.json", "--yes"]);
    let explained = team.json("eli", &["policy", "explain", "plan.json", "--action", "run"]);
    assert_eq!((&explained["allowed"], &explained["rules"][0]["name"]), (&Value::Bool(false), &Value::from("freeze")));
    team.well("eli", &["policy", "explain", "plan.json", "--action", "run", "--at", "2099-01-01T00:00:00Z"]);
    // What only reads goes on.
    team.well("eli", &["run", "ops.esc:count_machines", "--yes"]);
}

#[test]
fn whoever_works_may_stop_everything_and_a_manager_lets_go_on() {
    let cloud = Cloud::start();
    let team = Team::new(&cloud);
    team.publish();
    let use_it = ["extend-me", "stop_dev", "--set", "limit=20", "--yes"];
    team.refused("vera", "no rule of the policy lets `vera` halt", &["halt", "no"]);
    team.well("eli", &["halt", "wrong account"]);
    assert!(team.well("vera", &["policy"]).contains("HALTED by eli"));
    team.refused("eli", "rule `halted`", &use_it);
    team.refused("eli", "this state is halted already", &["halt"]);
    team.refused("eli", "it takes the role `manager`", &["halt", "--lift"]);
    team.well("eli", &["run", "ops.esc:count_machines", "--yes"]);
    team.well("mara", &["halt", "--lift"]);
    assert_eq!(team.json("eli", &use_it)["status"], "done");
}
