//! What an approval covers: a plan that was approved runs unchanged or not at all.

use std::fs;
use std::path::Path;

use super::check;
use super::escher::{EXAMPLE, Project, anybody, instance_ids};
use super::server::{Emulator, Kind, count};
use crate::Result;

/// How one thing is changed after the approval.
type Change = (&'static str, fn(&Project) -> Result<()>);

const CHANGES: &[Change] = &[
    ("a literal of the playbook", |project| replace(project, "job.esc", "\"running\"", "\"stopped\"")),
    ("a target of the plan", |project| replace(project, "plan.json", "us-east-1", "eu-west-1")),
    ("an argument of the plan", |project| {
        let text = fs::read_to_string(project.folder.join("plan.json"))?;
        let id = instance_ids(&text).into_iter().next().ok_or("the plan has no target")?;
        // The same length, so that nothing but the argument is another.
        let other: String = id.chars().map(|c| if c == 'a' { 'b' } else { c }).collect();
        let other = if other == id { id.replace(['0', '1', '2', '3', '4'], "5") } else { other };
        replace(project, "plan.json", &id, &other)
    }),
];

/// One literal, one target, one argument: exit 3 with the reason, and nothing is touched.
pub fn changed(binary: &Path) -> Result<()> {
    let server = Emulator::start(Kind::Ministack)?;
    for (what, change) in CHANGES {
        server.seed(6, 2)?;
        let project = approved("gate-changed", binary, &server)?;
        change(&project)?;
        let answer = project.run()?.exits(3).map_err(|error| format!("{what}: {error}"))?;
        check::that(!answer.stderr.trim().is_empty(), format!("{what}: refused without a reason"))?;
        check::equal("still running", &count(&server.fleet()?, "dev", &["running"]), &6)?;
    }
    Ok(())
}

/// A comment has no meaning, so it voids nothing.
pub fn comment(binary: &Path) -> Result<()> {
    let server = Emulator::start(Kind::Ministack)?;
    server.seed(6, 2)?;
    let project = approved("gate-comment", binary, &server)?;
    let path = project.folder.join("job.esc");
    fs::write(&path, format!("// Changed after the approval.\n{}", fs::read_to_string(&path)?))?;
    project.run()?.exits(0)?;
    check::equal("stopped", &count(&server.fleet()?, "dev", &["stopping", "stopped"]), &6)
}

fn approved(name: &str, binary: &Path, server: &Emulator) -> Result<Project> {
    let project = Project::new(name, EXAMPLE, binary, &server.url(), anybody())?;
    project.plan()?;
    project.approve()?;
    Ok(project)
}

fn replace(project: &Project, file: &str, from: &str, to: &str) -> Result<()> {
    let path = project.folder.join(file);
    let text = fs::read_to_string(&path)?;
    check::that(text.contains(from), format!("{file} doesn't contain {from}"))?;
    Ok(fs::write(&path, text.replacen(from, to, 1))?)
}
