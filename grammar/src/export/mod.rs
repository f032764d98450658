//! The grammar in the notations of other tools, made from `escher.pest` and from nothing else.
//!
//! For people: EBNF. For holding a language model to the language while it writes: Lark and GBNF. None of the three can
//! say everything that pest can; each export accepts a little more than the language, never less, and says in its head
//! what it leaves out. Behind the feature `export`, for a compiler needs none of it.

mod ebnf;
mod gbnf;
mod lark;
mod rules;

use rules::Grammar;

/// The grammar for reading.
pub fn ebnf() -> String {
    ebnf::write(&Grammar::ours())
}

/// The grammar for Lark (Earley, dynamic lexer).
pub fn lark() -> String {
    lark::write(&Grammar::ours())
}

/// The grammar for llama.cpp and what understands its notation.
pub fn gbnf() -> String {
    gbnf::write(&Grammar::ours())
}

#[cfg(test)]
mod tests {
    fn committed(name: &str) -> String {
        #[allow(clippy::disallowed_methods, reason = "the test compares with committed files")]
        fn read(path: &str) -> String {
            std::fs::read_to_string(path).unwrap()
        }
        read(&format!("{}/exports/{name}", env!("CARGO_MANIFEST_DIR")))
    }

    #[test]
    fn the_committed_exports_are_those_of_the_grammar() {
        for (name, made) in
            [("escher.ebnf", super::ebnf()), ("escher.lark", super::lark()), ("escher.gbnf", super::gbnf())]
        {
            assert_eq!(
                committed(name),
                made,
                "{name}: cargo run -p escher-grammar --features export --example export -- grammar/exports"
            );
        }
    }

    /// The names in a line of GBNF, without what stands in quotes or brackets.
    fn named(line: &str) -> Vec<String> {
        let mut names = vec![String::new()];
        let mut inside: Option<char> = None;
        let mut escaped = false;
        for c in line.chars() {
            match inside {
                Some(_) if escaped => escaped = false,
                Some(_) if c == '\\' => escaped = true,
                Some(end) if c == end => inside = None,
                Some(_) => {}
                None if c == '"' => inside = Some('"'),
                None if c == '[' => inside = Some(']'),
                None if c.is_ascii_lowercase() || c == '-' => names.last_mut().unwrap().push(c),
                None => names.push(String::new()),
            }
        }
        names.retain(|n| !n.is_empty());
        names
    }

    #[test]
    fn every_rule_that_gbnf_names_it_defines() {
        let made = super::gbnf();
        let rules: Vec<(&str, &str)> = made.lines().filter_map(|l| l.split_once(" ::= ")).collect();
        assert!(rules.len() > 200);
        for (rule, body) in &rules {
            for name in named(body) {
                assert!(rules.iter().any(|(defined, _)| *defined == name), "{rule} names {name}");
            }
            assert!(!body.contains("( )") && !body.contains("|  |"), "{rule} ::= {body}");
        }
    }

    /// Python with the package `lark` judges the export; where there is none, the test says so and passes, unless
    /// `ESCHER_REQUIRE_LARK` is set.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "another program judges the export")]
    fn lark_accepts_every_right_file() {
        use std::process::Command;
        let python = std::env::var("ESCHER_PYTHON").unwrap_or_else(|_| "python3".to_string());
        let has_lark = Command::new(&python).args(["-c", "import lark"]).output().is_ok_and(|o| o.status.success());
        if !has_lark {
            assert!(std::env::var_os("ESCHER_REQUIRE_LARK").is_none(), "{python} has no lark");
            println!("skipped: {python} has no lark");
            return;
        }
        let home = env!("CARGO_MANIFEST_DIR");
        let files = std::fs::read_dir(format!("{home}/../tests/corpus/ok")).unwrap().map(|e| e.unwrap().path());
        let judged = Command::new(python)
            .arg(format!("{home}/exports/check.py"))
            .arg(format!("{home}/exports/escher.lark"))
            .args(files)
            .output()
            .unwrap();
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    }
}
