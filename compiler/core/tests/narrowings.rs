//! Templates narrow, never widen: ten thousand drawn narrowings, each held to every value that there is to sample.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeSet;
use std::fmt::Write;

use escher_core::{CatalogWorld, Severity, check};
use escher_ir::{Type, Value, admit};

/// A small generator: the same narrowings on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, below: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % below
    }
    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below(to - from + 1)
    }
}

const WORDS: [&str; 8] = ["", "a", "dev", "test", "prod", "staging", "Dev", "dev "];

/// A parameter of a playbook: how it is written, and the values that it takes.
struct Param {
    written: String,
    /// Of numbers; else of texts.
    numbers: bool,
    takes: Box<dyn Fn(&Value) -> bool>,
}

fn param(random: &mut Random) -> Param {
    match random.below(4) {
        0 => {
            let from = random.between(-5, 20);
            let to = random.between(10, 40).max(from);
            let takes = Box::new(move |v: &Value| matches!(v, Value::Int(n) if (from..=to).contains(n)));
            Param { written: format!("int({from}..={})", to), numbers: true, takes }
        }
        1 => Param { written: "int".into(), numbers: true, takes: Box::new(|v| matches!(v, Value::Int(_))) },
        2 => {
            let some: BTreeSet<usize> =
                (0..random.between(1, 4)).map(|_| usize::try_from(random.below(8)).unwrap()).collect();
            let written = some.iter().map(|at| format!("{:?}", WORDS[*at])).collect::<Vec<_>>().join(" | ");
            let takes = Box::new(move |v: &Value| some.iter().any(|at| v.as_str() == Some(WORDS[*at])));
            Param { written, numbers: false, takes }
        }
        _ => {
            let (from, to) = (random.between(0, 3), random.between(3, 6));
            let fits = move |v: &Value| v.as_str().is_some_and(|s| (from..=to).contains(&(s.chars().count() as i64)));
            Param { written: format!("string(len: {from}..={to})"), numbers: false, takes: Box::new(fits) }
        }
    }
}

/// A narrowing: how it is written, and the values that it leaves.
fn narrowing(random: &mut Random, numbers: bool) -> (String, Vec<Value>) {
    let word = |random: &mut Random| WORDS[usize::try_from(random.below(8)).unwrap()];
    match (random.below(3), numbers) {
        (0, true) => {
            let n = random.between(-8, 45);
            (format!("x: {n}"), vec![Value::Int(n)])
        }
        (0, false) => {
            let text = word(random);
            (format!("x: {text:?}"), vec![Value::text(text)])
        }
        (1, true) => {
            let (from, to) = (random.between(-8, 45), random.between(-8, 45));
            (format!("x in {from}..={to}"), (from..=to).map(Value::Int).collect())
        }
        (_, true) => {
            let all: Vec<i64> = (0..random.between(1, 4)).map(|_| random.between(-8, 45)).collect();
            let written = all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            (format!("x in [{written}]"), all.into_iter().map(Value::Int).collect())
        }
        (_, false) => {
            let all: Vec<&str> = (0..random.between(1, 4)).map(|_| word(random)).collect();
            let written = all.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ");
            (format!("x in [{written}]"), all.into_iter().map(Value::text).collect())
        }
    }
}

/// A template of a file.
struct Drawn {
    text: String,
    /// Which playbook it is of.
    of: usize,
    /// The values that it leaves.
    leaves: Vec<Value>,
}

/// Lines, from 0, that an error points at first.
fn lines_with_errors(source: &str) -> BTreeSet<usize> {
    let checked = check(&CatalogWorld, source);
    let errors = checked.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    errors.map(|d| source.get(..usize::try_from(d.span.start).unwrap()).unwrap().matches('\n').count()).collect()
}

#[test]
fn a_template_is_accepted_exactly_where_it_lies_within_its_playbook() {
    const FILES: i64 = 200;
    const EACH: usize = 50;
    let mut random = Random(2_026);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..FILES {
        let params: Vec<Param> = (0..10).map(|_| param(&mut random)).collect();
        let mut playbooks = String::new();
        for (number, param) in params.iter().enumerate() {
            writeln!(playbooks, "playbook p{number}(x: {}) {{\n    report {{ \"{{x}}\" }}\n}}\n", param.written)
                .unwrap();
        }
        let drawn: Vec<Drawn> = (0..EACH)
            .map(|number| {
                let of = number % params.len();
                let (written, leaves) = narrowing(&mut random, params[of].numbers);
                Drawn { text: format!("template t{number} = p{of}({written})\n"), of, leaves }
            })
            .collect();
        let all: String = drawn.iter().map(|one| one.text.as_str()).collect();
        let source = format!("{playbooks}{all}");
        let wrong = lines_with_errors(&source);
        let first = playbooks.lines().count();
        let mut good = playbooks.clone();
        for (number, one) in drawn.iter().enumerate() {
            let param = &params[one.of];
            let within = !one.leaves.is_empty() && one.leaves.iter().all(|value| (param.takes)(value));
            assert_eq!(!wrong.contains(&(first + number)), within, "{} of {}", one.text, param.written);
            if within {
                accepted += 1;
                good.push_str(&one.text);
            } else {
                refused += 1;
            }
        }
        // And the engine holds values to exactly those.
        let checked = check(&CatalogWorld, &good);
        for standing in &checked.standing {
            let number: usize = standing.name.trim_start_matches('t').parse().unwrap();
            let ty: &Type = &standing.program.playbook.params[0].ty;
            let samples = (-10..=50).map(Value::Int).chain(WORDS.iter().map(|text| Value::text(*text)));
            for value in samples {
                let left = drawn[number].leaves.contains(&value);
                assert_eq!(admit::admits(&value, ty), left, "{value:?} in {}", drawn[number].text);
            }
        }
        assert_eq!(
            checked.standing.len(),
            drawn.len() - drawn.iter().enumerate().filter(|(n, _)| wrong.contains(&(first + n))).count()
        );
    }
    println!("{} narrowings: {accepted} within their playbook, {refused} beyond it", accepted + refused);
    assert!(accepted > 1_000 && refused > 1_000);
}
