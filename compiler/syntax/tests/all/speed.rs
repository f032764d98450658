//! Speed: generous limits that only a change of order would break; `--nocapture` in release gives the figures.

use std::time::Duration;

use crate::support::corpus;

#[allow(clippy::disallowed_methods, reason = "the test takes a time")]
fn best<T>(mut f: impl FnMut() -> T) -> Duration {
    (0..5)
        .map(|_| {
            let start = std::time::Instant::now();
            let value = f();
            let took = start.elapsed();
            drop(value);
            took
        })
        .min()
        .unwrap()
}

/// At least this many lines of right text of all kinds.
fn text_of(lines: usize) -> String {
    let unit: String = corpus("ok").into_iter().map(|(_, s)| s + "\n").collect();
    let count = lines.div_ceil(unit.lines().count());
    unit.repeat(count)
}

/// Slower than in release by about this.
const SLACK: u32 = if cfg!(debug_assertions) { 20 } else { 3 };

fn told(what: &str, lines: usize, took: Duration, limit: Duration) {
    println!("{what}: {lines} lines in {took:?}");
    assert!(took < limit * SLACK, "{what} took {took:?}");
}

#[test]
fn right_text() {
    let source = text_of(10_000);
    let lines = source.lines().count();
    assert!(escher_syntax::parse(&source).diagnostics.is_empty());
    told("parse", lines, best(|| escher_syntax::parse(&source)), Duration::from_millis(150));
    told("tree only", lines, best(|| escher_syntax::tree(&source)), Duration::from_millis(150));
    told("format", lines, best(|| escher_syntax::format(&source)), Duration::from_millis(800));
}

#[test]
fn fifty_mistakes_in_many_playbooks() {
    let source = text_of(10_000);
    let mut lines: Vec<&str> = source.lines().collect();
    let places: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].contains("    let ")).collect();
    for n in 0..50 {
        lines[places[n * places.len() / 50]] = "    let broken = ] + (";
    }
    let source = lines.join("\n");
    let found = escher_syntax::parse(&source).diagnostics.len();
    assert!((50..=150).contains(&found), "{found}");
    told("50 mistakes", lines.len(), best(|| escher_syntax::parse(&source)), Duration::from_secs(1));
}

#[test]
fn fifty_mistakes_in_one_playbook() {
    let mut source = String::from("playbook p() {\n");
    for n in 0..5_000 {
        source.push_str("    let a = vm.list(places).filter(m => m.state == \"running\")\n");
        source.push_str(if n % 100 == 0 {
            "    let b = a +\n"
        } else {
            "    require a.count() <= 3 else \"{a.count()}\"\n"
        });
    }
    source.push_str("}\n");
    let found = escher_syntax::parse(&source).diagnostics.len();
    assert_eq!(found, 50);
    told("50 mistakes in one playbook", 10_000, best(|| escher_syntax::parse(&source)), Duration::from_secs(1));
}

#[test]
fn unclosed_braces() {
    let source = format!("playbook p() {{\n{}", "    if a {\n".repeat(2_000));
    told("2,000 unclosed braces", 2_000, best(|| escher_syntax::parse(&source)), Duration::from_millis(100));
}

#[test]
fn depth_eighteen_of_each_construct() {
    for (name, source) in crate::shapes::nested() {
        let took = best(|| escher_syntax::parse(&source));
        let limit = Duration::from_millis(1) * if cfg!(debug_assertions) { SLACK } else { 1 };
        assert!(took < limit, "{name} took {took:?}");
    }
}
