//! What checking a large project costs: `cargo run --release -p escher-core --example modules`.
//!
//! Makes 200 modules of 500 lines that use each other, in chains of fifty, in memory, and checks all of them once, cold;
//! then again after an edit of one line: of a module that nobody uses, of one that is used most, and of a signature there.
//! An argument is the number of modules.

#![allow(clippy::print_stdout, reason = "it prints its figures")]
#![allow(clippy::disallowed_methods, reason = "it takes times, an argument, and its own memory")]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use escher_core::{Entry, Memory, TextWorld};

const LINES: usize = 500;
/// Modules may use each other only so deep.
const CHAIN: usize = 50;

fn module(at: usize) -> String {
    let mut text = String::new();
    let first = at / CHAIN * CHAIN;
    for below in at.saturating_sub(3).max(first)..at {
        let _ = writeln!(text, "use \"./m{below}.esc\" as m{below}");
    }
    let _ = writeln!(text, "\ntype Row{at} = {{ name: string, size: int }}\n\nconst limit{at} = {}", at + 1);
    let mut n = 0;
    while text.matches('\n').count() < LINES {
        let other = match at.checked_sub(1).filter(|below| *below >= first) {
            Some(below) => format!("m{below}.pick{}(tags, \"x\")", n % 10),
            None => "tags[\"x\"] ?? \"none\"".to_string(),
        };
        let _ = write!(
            text,
            r#"
/// Picks what is wanted.
fn pick{n}(tags: map<string>, key: string) -> string {{
    let found = tags[key] ?? "nothing"
    let other = {other}
    if found == "a" and other != "b" {{ "{{found}} of {at} and {n}" }} else {{ other }}
}}

@risk(high)
@approval(by: "manager")
playbook stop{n}(env: "dev" | "test" = "dev", limit: int(1..=50) = 20) {{
    let machines = aws.ec2.describe_instances(filters: [{{ name: "tag:env", values: [env] }}])
        .reservations.flat_map(.instances)
        .filter(m => m.state.name == "running" and pick{n}(m.tags, "env") == env)

    step stop "Stop the machines" for m in machines max limit, at_once 2, tolerate 5% {{
        aws.ec2.stop_instances(instance_ids: [m.instance_id])
    }}
    undo {{ aws.ec2.start_instances(instance_ids: [m.instance_id]) }}
    report "Stopped" {{
        table(stop.items, columns: [.instance_id, .instance_type])
    }}
}}
"#
        );
        n += 1;
    }
    text
}

fn main() {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200);
    let files: Vec<(String, Arc<str>)> = (0..count).map(|at| (format!("m{at}.esc"), Arc::from(module(at)))).collect();
    let lines: usize = files.iter().map(|(_, text)| text.matches('\n').count()).sum();
    let entries: Vec<Entry> =
        files.iter().map(|(path, text)| Entry { path: path.clone(), text: text.clone() }).collect();
    let world = TextWorld { files: files.into_iter().collect(), ..TextWorld::default() };
    let mut memory = Memory::default();
    let begun = Instant::now();
    let checked = memory.check(&world, entries.clone());
    let took = begun.elapsed();
    let playbooks: usize = checked.iter().map(|f| f.checked.playbooks.len()).sum();
    let told: usize = checked.iter().map(|f| f.checked.diagnostics.len()).sum();
    println!("{lines} lines in {count} modules, {playbooks} playbooks, {told} diagnostics: {took:.2?}");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find(|l| l.starts_with("VmHWM")) {
        println!("{}", peak.replace('\t', " "));
    }
    let (body, face) = (("\"nothing\"", "\"nothing at all\""), ("key: string)", "key: string = \"x\")"));
    let edits = [
        ("a line of one that nobody uses", count - 1, body),
        ("a line of one that is used most", 0, body),
        ("a signature of one that is used most", 0, face),
    ];
    for (what, at, (from, to)) in edits {
        let mut changed = entries.clone();
        let Some(entry) = changed.get_mut(at) else { continue };
        entry.text = entry.text.replacen(from, to, 1).into();
        let begun = Instant::now();
        let files = memory.check(&world, changed);
        println!("again, {what}: {:.2?} ({} files)", begun.elapsed(), files.len());
        memory.check(&world, entries.clone());
    }
}
