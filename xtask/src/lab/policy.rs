//! What `escher permissions` prints is enough, and no more than enough: each playbook of the library and the examples runs on
//! moto, which judges policies, as a user who has exactly that; with one permission taken away its calls are denied.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::check;
use super::escher::{Project, RUN, anybody};
use super::server::{Emulator, Key, Kind};
use crate::Result;

/// A playbook: its file, its name, parameters for this seed, and the permission that is taken away.
struct Case {
    file: &'static str,
    name: &'static str,
    set: &'static [&'static str],
    without: &'static str,
}

/// In an order in which each finds something to do, and before other users have keys. `make_smaller` is not among them: moto does not speak CBOR, which is how
/// CloudWatch is asked.
const CASES: &[Case] = &[
    case("stdlib-playbooks/access_keys.esc", "retire_access_keys", &["age=0s", EXCEPT], "iam:UpdateAccessKey"),
    case("stdlib-playbooks/inventory.esc", "inventory", &[], "ec2:DescribeVolumes"),
    case("stdlib-playbooks/tag_enforcement.esc", "enforce_tags", &[], "ec2:CreateTags"),
    case("stdlib-playbooks/patch_rings.esc", "patch_in_rings", &["rest=1s"], "ssm:SendCommand"),
    case("stdlib-playbooks/off_hours.esc", "stop_for_the_night", &[], "ec2:StopInstances"),
    case("stdlib-playbooks/off_hours.esc", "start_for_the_day", &[], "ec2:StartInstances"),
    case("stdlib-playbooks/unattached_volumes.esc", "retire_unattached_volumes", &[], "ec2:DeleteVolume"),
    case("stdlib-playbooks/disaster_copies.esc", "copy_far_away", &[], "ec2:CopySnapshot"),
    case(
        "stdlib-playbooks/snapshot_retention.esc",
        "delete_old_snapshots",
        &["age=0s", "newest=1"],
        "ec2:DeleteSnapshot",
    ),
    case("stdlib-playbooks/public_buckets.esc", "close_public_buckets", &[], "s3:PutBucketPublicAccessBlock"),
    case("examples/stop_dev_vms.esc", "stop_dev_vms", &["env=test"], "ec2:StopInstances"),
    case("examples/stop_dev_instances.esc", "stop_dev_instances", &[], "ec2:StopInstances"),
    case("examples/retire_volumes.esc", "retire_volumes", &["grace=0s"], "ec2:DeleteVolume"),
];

/// Actions that moto does not know: it judges these calls as any other of a bucket, and AWS by the first.
const MISNAMED: &[(&str, &str)] =
    &[("s3:GetBucketPublicAccessBlock", "s3:ListBucket"), ("s3:PutBucketPublicAccessBlock", "s3:CreateBucket")];

/// The lab's own users at that time, whose keys must stay.
const EXCEPT: &str = "except=[\"admin\",\"operator\",\"retire_access_keys\",\"retire_access_keys-less\"]";

const fn case(file: &'static str, name: &'static str, set: &'static [&'static str], without: &'static str) -> Case {
    Case { file, name, set, without }
}

/// The playbooks with their parameters, for another judge: file, name, parameters.
pub fn cases() -> impl Iterator<Item = (String, String, Vec<String>)> {
    let owned = |set: &[&str]| set.iter().map(|s| (*s).to_owned()).collect();
    CASES.iter().map(move |case| (case.file.to_owned(), case.name.to_owned(), owned(case.set)))
}

pub fn least(binary: &Path) -> Result<()> {
    let mut server = Emulator::start(Kind::Moto)?;
    server.seed_library()?;
    server.judge_signatures()?;
    for case in CASES {
        judged(binary, &server, case).map_err(|error| format!("{}: {error}", case.name))?;
    }
    Ok(())
}

fn judged(binary: &Path, server: &Emulator, case: &Case) -> Result<()> {
    let asked = Project::new("policy/asked", case.file, binary, &server.url(), anybody())?;
    let what = format!("job.esc:{}", case.name);
    let policy = asked.call(&["permissions", &what, "--format", "aws-iam"])?.exits(0)?.json()?;
    let less = without(&policy, case.without)?;

    let key = server.allowed(&format!("{}-less", case.name), &as_moto_has_it(&less)?)?;
    denied(&project(case, binary, server, key)?, case, &what)?;

    let project = project(case, binary, server, server.allowed(case.name, &as_moto_has_it(&policy)?)?)?;
    plan(&project, case, &what)?.exits(0)?;
    project.call(&["approve", "plan.json", "--key", "key"])?.exits(0)?;
    let run = project.call(RUN)?.exits(0)?.json()?;
    let changes = case.name != "inventory";
    check::that(!changes || check::number(&run, "/totals/done")? > 0, "it found nothing to do, so nothing was judged")
}

/// A call is denied, in the plan or in the run, and that is said; nothing breaks.
fn denied(project: &Project, case: &Case, what: &str) -> Result<()> {
    let plan = plan(project, case, what)?;
    if plan.code != Some(0) {
        let plan = plan.exits(1)?;
        let said = plan.stderr.to_lowercase();
        return check::that(said.contains("denied") || said.contains("not authorized"), plan.stderr);
    }
    project.call(&["approve", "plan.json", "--key", "key"])?.exits(0)?;
    let run = project.call(RUN)?;
    check::that(matches!(run.code, Some(1 | 4)), format!("exit {:?} of what is denied: {}", run.code, run.stderr))?;
    check::that(check::number(&run.json()?, "/totals/denied")? > 0, format!("nothing was denied: {}", run.stdout))
}

fn plan(project: &Project, case: &Case, what: &str) -> Result<super::escher::Answer> {
    let mut arguments = vec!["plan", what, "-o", "plan.json"];
    case.set.iter().for_each(|set| arguments.extend(["--set", set]));
    project.call(&arguments)
}

/// A project with places for every group that a playbook names.
fn project(case: &Case, binary: &Path, server: &Emulator, key: Key) -> Result<Project> {
    let project = Project::new(&format!("policy/{}", case.name), case.file, binary, &server.url(), key)?;
    // moto judges a signature by a form that it wrote anew, with a plus for each blank: it takes no text that has one.
    let text = fs::read_to_string(project.folder.join("job.esc"))?;
    let text = text.replace("\"escher copy of {", "\"escher-copy-of-{").replace("\"escher {", "\"escher-{");
    fs::write(project.folder.join("job.esc"), text)?;
    let place = |region: &str| format!("[{{ cloud = \"aws\", account = \"123456789012\", region = \"{region}\" }}]");
    let mut settings = String::from("\n[targets]\n");
    for group in ["all", "development", "production", "storage"] {
        settings.push_str(&format!("{group} = {}\n", place("us-east-1")));
    }
    settings.push_str(&format!("disaster = {}\n", place("eu-central-1")));
    project.add_settings(&settings)?;
    Ok(project)
}

fn as_moto_has_it(policy: &Value) -> Result<Value> {
    let mut text = policy.to_string();
    for (ours, theirs) in MISNAMED {
        text = text.replace(&format!("\"{ours}\""), &format!("\"{theirs}\""));
    }
    Ok(serde_json::from_str(&text)?)
}

/// The policy without one of its actions.
fn without(policy: &Value, action: &str) -> Result<Value> {
    let mut less = policy.clone();
    let mut found = false;
    let statements = less.get_mut("Statement").and_then(Value::as_array_mut).ok_or("a policy without statements")?;
    for statement in statements.iter_mut() {
        if let Some(actions) = statement.get_mut("Action").and_then(Value::as_array_mut) {
            let before = actions.len();
            actions.retain(|a| a.as_str() != Some(action));
            found |= actions.len() < before;
        }
    }
    statements.retain(|s| s.get("Action").and_then(Value::as_array).is_some_and(|a| !a.is_empty()));
    if statements.is_empty() {
        // A policy says something: this allows nothing that any playbook calls.
        statements.push(json!({ "Effect": "Allow", "Action": ["sts:GetCallerIdentity"], "Resource": "*" }));
    }
    check::that(found, format!("the policy does not have {action}: {}", check::short(policy)))?;
    Ok(less)
}
