//! Lark: rules as they are, terminals as regular expressions (which keep what pest looks ahead for).

use pest_meta::ast::Expr;

use super::rules::{Grammar, choices, is_space, is_terminal, quoted, sequence};

const HEAD: &str = "\
// The Escher language for Lark: parser=\"earley\", lexer=\"dynamic\". Made from escher.pest; do not edit.
// Accepts a little more than the language: what rules look ahead for is left out, white space may stand anywhere, and the
// checks behind the grammar (a statement starts a line, a bare value stands last, each clause once) are not here.
";

pub(super) fn write(grammar: &Grammar) -> String {
    let mut out = String::from(HEAD);
    out.push_str("\nstart: file\n");
    for name in grammar.reachable("file", false) {
        let Some(rule) = grammar.get(&name).filter(|_| !is_space(&name)) else { continue };
        if is_terminal(&name) {
            out.push_str(&format!("{name}: /{}/\n", regex(grammar, &rule.expr).replace('/', "\\/")));
        } else {
            out.push_str(&format!("{name}: {}\n", ways(&rule.expr)));
        }
    }
    out.push_str("%ignore /[ \\t\\r\\n]+/\n%ignore /\\/\\/[^\\n]*/\n");
    out
}

fn ways(expr: &Expr) -> String {
    choices(expr).into_iter().map(parts).collect::<Vec<_>>().join(" | ")
}

fn parts(expr: &Expr) -> String {
    sequence(expr).into_iter().map(part).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
}

fn part(expr: &Expr) -> String {
    match expr {
        Expr::Str(text) | Expr::Insens(text) => quoted(text),
        Expr::Ident(name) if is_space(name) => String::new(),
        Expr::Ident(name) => name.clone(),
        Expr::Opt(inner) => marked(inner, "?"),
        Expr::Rep(inner) => marked(inner, "*"),
        Expr::RepOnce(inner) => marked(inner, "+"),
        Expr::Seq(..) | Expr::Choice(..) => format!("({})", ways(expr)),
        _ => String::new(),
    }
}

fn marked(inner: &Expr, mark: &str) -> String {
    let inner = ways(inner);
    if inner.is_empty() { String::new() } else { format!("({inner}){mark}") }
}

/// A terminal as a regular expression, everything that it names written out.
fn regex(grammar: &Grammar, expr: &Expr) -> String {
    match expr {
        Expr::Str(text) | Expr::Insens(text) => escaped(text),
        Expr::Range(a, b) => format!("[{a}-{b}]"),
        Expr::Ident(name) => match builtin(name) {
            Some(class) => class.to_string(),
            None => grammar.get(name).map_or_else(String::new, |rule| format!("(?:{})", regex(grammar, &rule.expr))),
        },
        Expr::PosPred(inner) => format!("(?={})", regex(grammar, inner)),
        Expr::NegPred(inner) => format!("(?!{})", regex(grammar, inner)),
        Expr::Seq(a, b) => format!("{}{}", sequel(grammar, a), sequel(grammar, b)),
        Expr::Choice(a, b) => format!("{}|{}", regex(grammar, a), regex(grammar, b)),
        Expr::Opt(inner) => format!("(?:{})?", regex(grammar, inner)),
        Expr::Rep(inner) => format!("(?:{})*", regex(grammar, inner)),
        Expr::RepOnce(inner) => format!("(?:{})+", regex(grammar, inner)),
        Expr::RepExact(inner, n) => format!("(?:{}){{{n}}}", regex(grammar, inner)),
        Expr::RepMin(inner, n) => format!("(?:{}){{{n},}}", regex(grammar, inner)),
        Expr::RepMax(inner, n) => format!("(?:{}){{0,{n}}}", regex(grammar, inner)),
        Expr::RepMinMax(inner, m, n) => format!("(?:{}){{{m},{n}}}", regex(grammar, inner)),
        _ => String::new(),
    }
}

fn sequel(grammar: &Grammar, expr: &Expr) -> String {
    match expr {
        Expr::Choice(..) => format!("(?:{})", regex(grammar, expr)),
        other => regex(grammar, other),
    }
}

fn builtin(name: &str) -> Option<&'static str> {
    Some(match name {
        "ANY" => "[\\s\\S]",
        "ASCII_DIGIT" => "[0-9]",
        "ASCII_ALPHA" => "[A-Za-z]",
        "ASCII_ALPHA_UPPER" => "[A-Z]",
        "ASCII_ALPHANUMERIC" => "[A-Za-z0-9]",
        "ASCII_HEX_DIGIT" => "[0-9A-Fa-f]",
        _ => return None,
    })
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c if c.is_ascii_punctuation()
                && !matches!(c, '"' | '\'' | '/' | '_' | ',' | ':' | ';' | '<' | '>' | '=' | '@' | '%') =>
            {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
