//! Forty spellings that people and models bring along, each with the answer that it gets.
//!
//! `accept`: parses without a word. `fix`: an error whose certain repair makes the text right. `help`: an error that
//! says what to write. Rows 25, 26, 27 and 35 need types or the catalogue and are the checker's.

use crate::support::{lines, repaired};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Answer {
    Accept,
    /// The repaired text holds this.
    Fix(&'static str),
    Help,
}
use Answer::{Accept, Fix, Help};

/// Where the spelling stands.
enum Place {
    File,
    Body,
    Test,
    Value,
    Type,
}
use Place::{Body, File, Test, Type, Value};

fn wrap(place: &Place, text: &str) -> String {
    match place {
        File => format!("{text}\n"),
        Body => format!("playbook p() {{\n    {text}\n}}\n"),
        Test => format!("test \"t\" {{\n    {text}\n}}\n"),
        Value => format!("playbook p() {{\n    let a = {text}\n}}\n"),
        Type => format!("playbook p(a: {text}) {{\n}}\n"),
    }
}

const ROWS: &[(&str, Place, &str, Answer)] = &[
    ("1", Value, "f(env=\"dev\")", Fix("f(env: \"dev\")")),
    ("2", Body, "let x = 1;", Accept),
    ("3", Value, "'dev'", Fix("\"dev\"")),
    ("4", Value, "f\"{x}\"", Fix("= \"{x}\"")),
    ("5", Value, "\"${x}\"", Fix("\"{x}\"")),
    ("6", Value, "\"{{ x }}\"", Fix("\"{x}\"")),
    ("7a", Value, "b && c", Fix("b and c")),
    ("7b", Value, "b || c", Fix("b or c")),
    ("7c", Value, "!b", Fix("not b")),
    ("8a", Value, "None", Fix("= none")),
    ("8b", Value, "null", Fix("= none")),
    ("8c", Value, "nil", Fix("= none")),
    ("9a", Value, "True", Fix("= true")),
    ("9b", Value, "False", Fix("= false")),
    ("10", File, "# comment\nconst x = 1", Fix("// comment\nconst")),
    ("10b", Body, "# comment\n    let x = 1", Fix("// comment\n")),
    ("10c", Body, "let x = 1 # comment", Fix("let x = 1 // comment\n")),
    ("11", File, "/* comment */ const x = 1", Fix("// comment\n const x = 1")),
    ("12", Body, "x = 5", Fix("let x = 5")),
    ("13a", Body, "const x = 5", Fix("let x = 5")),
    ("13b", Body, "var x = 5", Fix("let x = 5")),
    ("14", Body, "for m in ms { vm.stop(m) }", Fix("step each_m for m in ms max 10 { vm.stop(m) }")),
    ("15", Body, "while a { b() }", Help),
    ("16", Body, "step \"Stop the machines\" { vm.stop(m) }", Fix("step stop_the_machines \"Stop the machines\" {")),
    ("17", Body, "step a for m in ms {\n        max: 10\n        vm.stop(m)\n    }", Fix("for m in ms max 10 {")),
    ("18", Body, "step a (max: 10) { b() }", Help),
    ("19a", Body, "step a for m in ms max 5 where m.ok { b() }", Fix("max 5, when m.ok {")),
    ("19b", Body, "step a for m in ms if m.ok { b() }", Fix("in ms when m.ok {")),
    ("20a", Body, "step b for m in ms depends_on [a] { b() }", Fix("after [a]")),
    ("20b", Body, "step b max 5, needs a { b() }", Fix("max 5, after a")),
    ("21a", Body, "step b max 5, concurrency 10 { b() }", Fix("at_once 10")),
    ("21b", Body, "step b max 5, forks 10 { b() }", Fix("at_once 10")),
    ("21c", Body, "step b max 5, serial 10 { b() }", Fix("at_once 10")),
    ("21d", Body, "step b max 5, parallel 10 { b() }", Fix("at_once 10")),
    ("22", Body, "step b max 5, timeout: 10m { b() }", Accept),
    ("23", Body, "step b timeout 10 minutes { b() }", Fix("timeout 10m")),
    ("24a", Value, "20 GB", Fix("20GB")),
    ("24b", Value, "12.50USD", Fix("12.50 USD")),
    ("24c", Value, "$12.50", Fix("12.50 USD")),
    ("28a", Value, "ms.map(lambda m: m.x)", Fix("ms.map(m => m.x)")),
    ("28b", Value, "ms.map(|m| m.x)", Fix("ms.map(m => m.x)")),
    ("29a", Value, "[m.id for m in ms if m.ok]", Fix("= ms.filter(m => m.ok).map(m => m.id)")),
    ("29b", Value, "[m for m in ms if m.ok]", Fix("= ms.filter(m => m.ok)\n")),
    ("30", Value, "ms.filter(.state == \"running\")", Fix("ms.filter(x => x.state == \"running\")")),
    ("31", Value, "ms.map(m => { let y = m.x; y })", Help),
    ("32a", Value, "x if c else y", Fix("if c { x } else { y }")),
    ("32b", Value, "c ? x : y", Fix("if c { x } else { y }")),
    ("33a", Body, "if a { b() } elif c { d() }", Fix("else if c")),
    ("33b", Body, "if c: b()", Fix("if c { b() }")),
    ("33c", Body, "if c:\n        b()", Help),
    ("34a", Value, "match x { case \"a\": 1, _ => 2 }", Fix("{ \"a\" => 1")),
    ("34b", Value, "match x { \"a\" => 1, default => 2 }", Fix("_ => 2")),
    ("34c", Value, "match x { \"a\" => 1, else => 2 }", Fix("_ => 2")),
    ("36", Body, "log \"x\"", Fix("report { \"x\" }")),
    ("37", Body, "try { a() } catch e { b() }", Help),
    ("38a", Type, "list[string]", Fix("a: list<string>")),
    ("38b", Type, "string[]", Fix("a: list<string>")),
    ("38c", Type, "[string]", Fix("a: list<string>")),
    ("38d", Type, "Option<string>", Fix("a: string?")),
    ("38e", Type, "str", Fix("a: string")),
    ("38f", Type, "number", Fix("a: int")),
    ("38g", Type, "boolean", Fix("a: bool")),
    ("38h", Type, "map<string, int>", Fix("a: map<int>")),
    ("39a", File, "import std.vm", Fix("use std.vm")),
    ("39b", File, "from std import vm", Fix("use std.vm")),
    ("39c", File, "use std::vm", Fix("use std.vm")),
    ("39d", File, "use \"std/vm\"", Fix("use std.vm")),
    ("40a", File, "def f(x: int) -> int = x", Fix("fn f(")),
    ("40b", File, "function f(x: int) -> int { x }", Fix("fn f(")),
    ("40c", File, "playbook \"Stop it\" { a() }", Fix("playbook stop_it {")),
    ("40d", File, "playbook p { a() }", Accept),
    ("also: assert", Body, "assert a == b", Fix("require a == b")),
    ("also: assert in a test", Test, "assert a == b", Fix("expect a == b")),
    ("also: ensure", Body, "ensure a == b else \"no\"", Fix("require a == b else \"no\"")),
    ("also: require()", Body, "require(a == b, \"no\")", Fix("require a == b else \"no\"")),
    ("also: mock =", Test, "mock vm.list = []", Fix("mock vm.list => []")),
    ("also: not x in y", Value, "not x in y", Accept),
    ("also: T | none", Type, "string | none", Accept),
    ("also: 1..20", Type, "int(1..20)", Help),
    ("also: return x, y", Body, "return x, y", Help),
    ("also: ..base", Value, "{ ..base, a: 1 }", Fix("{ ...base, a: 1 }")),
    ("also: leading |", File, "type T = | \"a\" | \"b\"", Accept),
    ("also: (x) =>", Value, "ms.map((x) => x)", Accept),
    ("also: first comma", Body, "step a for m in ms, max 5 { b() }", Fix("in ms max 5 {")),
    ("also: last comma", Body, "step a for m in ms max 5, { b() }", Fix("max 5 {")),
    ("also: missing comma", Body, "step a for m in ms max 5 retry 3 { b() }", Fix("max 5, retry 3 {")),
    ("also: is none", Value, "a is not none", Fix("a != none")),
    ("also: run p()", Test, "let r = run p()", Fix("let r = p()")),
    ("also: let in a file", File, "let x = 5", Fix("const x = 5")),
    ("also: struct", File, "struct V { id: string }", Fix("type V = { id: string }")),
    ("also: attribute", File, "@risk high\nplaybook p { a() }", Fix("@risk(high)")),
    ("also: result", File, "fn f(x: int): int = x", Fix("(x: int) -> int")),
    ("also: optional parameter", File, "playbook p(a?: string) { a() }", Fix("a: string?")),
    ("also: misspelt", Body, "requre a == b", Fix("require a == b")),
    ("also: misspelt item", File, "plabook p() { a() }", Fix("playbook p()")),
    ("also: test name", File, "test leaves_it { a() }", Fix("test \"leaves it\" {")),
    ("also: zone", File, "schedule s = p() cron \"0 20 * * *\" timezone \"UTC\"", Fix(", zone \"UTC\"")),
    ("also: on", File, "on e: event(x: 1) => p(e)", Help),
    ("also: ===", Value, "b === c", Fix("b == c")),
    ("also: template braces", File, "template t = p { env: \"dev\" }", Fix("= p( env: \"dev\" )")),
];

#[test]
fn each_spelling_gets_its_answer() {
    let mut wrong = Vec::new();
    for (row, place, text, answer) in ROWS {
        let source = wrap(place, text);
        let told = lines(&source);
        let right = match answer {
            Accept => told.is_empty(),
            Help => told.len() == 1 && escher_syntax::parse(&source).diagnostics.iter().all(|d| d.help.is_some()),
            Fix(part) => {
                let fixed = repaired(&source);
                fixed.contains(part) && lines(&fixed).is_empty()
            }
        };
        if !right {
            wrong.push(format!("{row}: {text:?} gives {told:#?}\n  repaired: {:?}", repaired(&source)));
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

/// Plain syntax without its places.
fn meaning(source: &str) -> String {
    let file = format!("{:?}", escher_syntax::parse(source).file);
    let mut parts = file.split("Span { start: ");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |mut text, part| {
        text.push_str(part.split_once(" }").map_or("", |(_, rest)| rest));
        text
    })
}

#[test]
fn the_tree_behind_a_mistake_is_the_one_of_the_repaired_text() {
    for (row, place, text, answer) in ROWS {
        let source = wrap(place, text);
        if matches!(answer, Fix(_)) {
            assert_eq!(meaning(&source), meaning(&repaired(&source)), "{row}: {text:?}");
        }
    }
}
