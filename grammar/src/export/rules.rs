//! The rules of the grammar as data, and what the exports ask of them.

use std::collections::{BTreeMap, BTreeSet};

use pest_meta::ast::{Expr, Rule, RuleType};
use pest_meta::parser;

/// The rules by name, and in the order written.
pub(super) struct Grammar {
    pub(super) order: Vec<String>,
    rules: BTreeMap<String, Rule>,
}

impl Grammar {
    /// The rules of `escher.pest`. It compiled, so it parses.
    pub(super) fn ours() -> Grammar {
        let pairs = parser::parse(parser::Rule::grammar_rules, crate::SOURCE);
        let rules = pairs.ok().and_then(|pairs| parser::consume_rules(pairs).ok()).unwrap_or_default();
        Grammar {
            order: rules.iter().map(|r| r.name.clone()).collect(),
            rules: rules.into_iter().map(|r| (r.name.clone(), r)).collect(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Rule> {
        self.rules.get(name)
    }

    /// Names that can be reached from a rule, without looking ahead; terminals are entered only `with_parts`.
    pub(super) fn reachable(&self, from: &str, with_parts: bool) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_string()];
        while let Some(name) = open.pop() {
            let Some(rule) = self.get(&name).filter(|_| seen.insert(name.clone())) else { continue };
            if with_parts || !is_terminal(&name) {
                names(&rule.expr, &mut open);
            }
        }
        self.order.iter().filter(|n| seen.contains(*n)).cloned().collect()
    }
}

/// Terminals are the rules in capitals.
pub(super) fn is_terminal(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        && !matches!(name, "SOI" | "EOI" | "WHITESPACE" | "COMMENT")
}

/// Rules that only say where white space may stand, and marks of pest.
pub(super) fn is_space(name: &str) -> bool {
    matches!(name, "WHITESPACE" | "COMMENT" | "trivia" | "SOI" | "EOI" | "gap_dot")
}

/// Whether white space may stand between the parts of a rule.
pub(super) fn is_spaced(rule: &Rule) -> bool {
    !matches!(rule.ty, RuleType::Atomic | RuleType::CompoundAtomic)
}

fn names(expr: &Expr, out: &mut Vec<String>) {
    match expr {
        Expr::Ident(name) => out.push(name.clone()),
        Expr::Seq(a, b) | Expr::Choice(a, b) => {
            names(a, out);
            names(b, out);
        }
        Expr::Opt(e)
        | Expr::Rep(e)
        | Expr::RepOnce(e)
        | Expr::RepExact(e, _)
        | Expr::RepMin(e, _)
        | Expr::RepMax(e, _)
        | Expr::RepMinMax(e, _, _)
        | Expr::NegPred(e) => names(e, out),
        _ => {}
    }
}

/// The parts of a sequence.
pub(super) fn sequence(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Seq(a, b) => [sequence(a), sequence(b)].concat(),
        other => vec![other],
    }
}

/// The ways of a choice.
pub(super) fn choices(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Choice(a, b) => [choices(a), choices(b)].concat(),
        other => vec![other],
    }
}

/// A text between quotes, with escapes that all three notations know.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
