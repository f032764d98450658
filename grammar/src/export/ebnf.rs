//! EBNF for people: what the parser reads, without what only saves it time.

use pest_meta::ast::Expr;

use super::rules::{Grammar, choices, is_space, quoted, sequence};

const HEAD: &str = "\
(* The Escher language. Made from escher.pest; do not edit.
   White space and comments stand between any two parts, but for rules marked (* touching *).
   `!x` says that x does not follow; of several ways the first that fits is taken.
   Checked behind the grammar: a statement starts a line, a bare value stands last in a block, each clause stands once,
   comparisons do not chain, a hole in a text stands on one line. *)
";

pub(super) fn write(grammar: &Grammar) -> String {
    let mut out = String::from(HEAD);
    for name in grammar.reachable("file", true) {
        let Some(rule) = grammar.get(&name).filter(|_| !is_space(&name)) else { continue };
        let touching = if super::rules::is_spaced(rule) { "" } else { "  (* touching *)" };
        out.push_str(&format!("\n{name} ={touching}\n    {} ;\n", ways(&rule.expr, "\n  | ")));
    }
    out
}

fn ways(expr: &Expr, separator: &str) -> String {
    choices(expr).into_iter().map(parts).collect::<Vec<_>>().join(separator)
}

fn parts(expr: &Expr) -> String {
    let parts: Vec<String> = sequence(expr).into_iter().map(part).filter(|p| !p.is_empty()).collect();
    parts.join(", ")
}

fn part(expr: &Expr) -> String {
    match expr {
        Expr::Str(text) | Expr::Insens(text) => quoted(text),
        Expr::Range(a, b) => format!("{}..{}", quoted(a), quoted(b)),
        Expr::Ident(name) if is_space(name) => String::new(),
        Expr::Ident(name) => name.clone(),
        Expr::NegPred(inner) => format!("!{}", grouped(inner)),
        Expr::Opt(inner) => format!("[ {} ]", ways(inner, " | ")),
        Expr::Rep(inner) => repeated(inner, ""),
        Expr::RepOnce(inner) => repeated(inner, "-"),
        Expr::RepExact(inner, n) => format!("{n} * {}", grouped(inner)),
        Expr::RepMin(inner, n) => format!("{n} * {}, {}", grouped(inner), repeated(inner, "")),
        Expr::RepMax(inner, n) | Expr::RepMinMax(inner, _, n) => format!("1..{n} * {}", grouped(inner)),
        Expr::Seq(..) | Expr::Choice(..) => grouped(expr),
        _ => String::new(),
    }
}

fn repeated(inner: &Expr, mark: &str) -> String {
    let inner = ways(inner, " | ");
    if inner.is_empty() { String::new() } else { format!("{{ {inner} }}{mark}") }
}

fn grouped(expr: &Expr) -> String {
    match expr {
        Expr::Seq(..) | Expr::Choice(..) => format!("( {} )", ways(expr, " | ")),
        other => part(other),
    }
}
