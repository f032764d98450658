//! One-line oddities and broken files, each with what is said about it: read the snapshots as a user would.

use std::fmt::Write;
use std::path::PathBuf;

use crate::support::{corpus, lines};

#[allow(clippy::disallowed_methods, reason = "the corpus is read from the disk")]
fn odd(kind: &str) -> Vec<String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/corpus/odd/{kind}.txt"));
    std::fs::read_to_string(file).unwrap().lines().map(|l| l.replace("\\n", "\n")).collect()
}

fn answers(kind: &str, before: &str, after: &str) -> String {
    let mut out = String::new();
    for line in odd(kind) {
        let source = format!("{before}{line}{after}");
        writeln!(out, "{}", line.replace('\n', "⏎")).unwrap();
        let told = lines(&source);
        if told.is_empty() {
            writeln!(out, "    ok").unwrap();
        }
        for diagnostic in escher_syntax::parse(&source).diagnostics {
            let shown = source.get(diagnostic.span.start as usize..diagnostic.span.end as usize).unwrap();
            writeln!(out, "    {} {} [{}]", diagnostic.code, diagnostic.message, shown.replace('\n', "⏎")).unwrap();
            for fix in &diagnostic.fixes {
                writeln!(out, "        fix: {}", fix.title.replace('\n', "⏎")).unwrap();
            }
        }
    }
    out
}

#[test]
fn odd_values() {
    insta::assert_snapshot!(answers("expr", "const x = ", "\n"));
}

#[test]
fn odd_statements() {
    insta::assert_snapshot!(answers("stmt", "playbook p() {\n    ", "\n}\n"));
}

#[test]
fn odd_items() {
    insta::assert_snapshot!(answers("item", "", "\n"));
}

#[test]
fn broken_files() {
    for (name, source) in corpus("broken") {
        insta::assert_snapshot!(name.trim_end_matches(".esc"), lines(&source).join("\n"));
    }
}
