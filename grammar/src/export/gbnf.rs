//! GBNF: everything down to characters, white space written out.
//!
//! The notation has no look-ahead, so a reserved word can stand as a name here, and what follows a word of the language
//! is kept apart from it by a blank.

use pest_meta::ast::Expr;

use super::rules::{Grammar, choices, is_space, is_spaced, is_terminal, quoted, sequence};

const HEAD: &str = "\
# The Escher language in GBNF. Made from escher.pest; do not edit.
# Accepts a little more than the language: reserved words as names, numbers that run into words, and what is checked
# behind the grammar (a statement starts a line, a bare value stands last, each clause once).
";

pub(super) fn write(grammar: &Grammar) -> String {
    let mut out = String::from(HEAD);
    out.push_str("\nroot ::= ws file ws\n");
    let mut open = vec!["file".to_string()];
    let mut seen = std::collections::BTreeSet::new();
    let mut body = std::collections::BTreeMap::new();
    while let Some(name) = open.pop() {
        let Some(rule) = grammar.get(&name).filter(|_| seen.insert(name.clone())) else { continue };
        let mut writer = Writer { spaced: is_spaced(rule) && !is_terminal(&name), used: Vec::new() };
        body.insert(name, writer.ways(&rule.expr));
        open.append(&mut writer.used);
    }
    for name in &grammar.order {
        if let Some(text) = body.get(name) {
            out.push_str(&format!("{} ::= {text}\n", dashed(name)));
        }
    }
    out.push_str("ws ::= ( [ \\t\\r\\n] | \"//\" [^\\n]* \"\\n\" )*\n");
    out.push_str("gap ::= ( [ \\t\\r\\n] | \"//\" [^\\n]* \"\\n\" )+\n");
    out
}

/// Names in GBNF have dashes, no underscores.
fn dashed(name: &str) -> String {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    if is_terminal(name) { format!("t-{lower}") } else { lower }
}

struct Writer {
    /// Whether white space stands between the parts.
    spaced: bool,
    used: Vec<String>,
}

impl Writer {
    fn ways(&mut self, expr: &Expr) -> String {
        let ways: Vec<String> = choices(expr).into_iter().map(|way| self.parts(way)).collect();
        ways.into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" | ")
    }

    fn parts(&mut self, expr: &Expr) -> String {
        let all = sequence(expr);
        let mut out = String::new();
        let mut before: Option<&Expr> = None;
        let mut index = 0;
        while let Some(part) = all.get(index) {
            // `!("a" | "b") ~ ANY` is any character but these.
            let excluded = match (part, all.get(index + 1)) {
                (Expr::NegPred(inner), Some(Expr::Ident(any))) if any == "ANY" => Some(class_without(inner)),
                _ => None,
            };
            let written = match &excluded {
                Some(class) => class.clone(),
                None => self.part(part, before),
            };
            index += if excluded.is_some() { 2 } else { 1 };
            if written.is_empty() {
                continue;
            }
            let optional = matches!(part, Expr::Opt(_) | Expr::Rep(_));
            if !out.is_empty() {
                out.push(' ');
                if self.spaced && !optional {
                    out.push_str(self.space(before));
                    out.push(' ');
                }
            }
            out.push_str(&written);
            before = Some(*part);
        }
        out
    }

    /// What stands between a part and the next: at least a blank behind a word.
    fn space(&self, before: Option<&Expr>) -> &'static str {
        match before {
            Some(Expr::Ident(name)) if name.starts_with("KW_") => "gap",
            _ => "ws",
        }
    }

    fn part(&mut self, expr: &Expr, before: Option<&Expr>) -> String {
        match expr {
            Expr::Str(text) | Expr::Insens(text) => quoted(text),
            Expr::Range(a, b) => format!("[{a}-{b}]"),
            Expr::Ident(name) => self.name(name),
            Expr::Opt(inner) => self.marked(inner, "?", before),
            Expr::Rep(inner) => self.marked(inner, "*", before),
            Expr::RepOnce(inner) => {
                let once = self.ways(inner);
                let more = self.marked(inner, "*", None);
                format!("( {once} ) {more}")
            }
            Expr::RepExact(inner, n) => {
                let inner = self.ways(inner);
                (0..*n).map(|_| format!("( {inner} )")).collect::<Vec<_>>().join(" ")
            }
            Expr::RepMinMax(inner, m, n) => {
                let inner = self.ways(inner);
                let once = (0..*m).map(|_| format!("( {inner} )"));
                once.chain((*m..*n).map(|_| format!("( {inner} )?"))).collect::<Vec<_>>().join(" ")
            }
            Expr::Seq(..) | Expr::Choice(..) => format!("( {} )", self.ways(expr)),
            _ => String::new(),
        }
    }

    /// Something that may be absent or repeated brings its own white space.
    fn marked(&mut self, inner: &Expr, mark: &str, before: Option<&Expr>) -> String {
        let text = self.ways(inner);
        if text.is_empty() {
            return String::new();
        }
        if self.spaced { format!("( {} ( {text} ) ){mark}", self.space(before)) } else { format!("( {text} ){mark}") }
    }

    fn name(&mut self, name: &str) -> String {
        match name {
            "ANY" => "[^\\x00]".to_string(),
            "ASCII_DIGIT" => "[0-9]".to_string(),
            "ASCII_ALPHA" => "[A-Za-z]".to_string(),
            "ASCII_ALPHA_UPPER" => "[A-Z]".to_string(),
            "ASCII_ALPHANUMERIC" => "[A-Za-z0-9]".to_string(),
            "ASCII_HEX_DIGIT" => "[0-9A-Fa-f]".to_string(),
            "trivia" | "WHITESPACE" | "COMMENT" => "ws".to_string(),
            name if is_space(name) => String::new(),
            name => {
                self.used.push(name.to_string());
                dashed(name)
            }
        }
    }
}

/// Any character but the first of each of these.
fn class_without(expr: &Expr) -> String {
    let mut class = String::from("[^");
    for way in choices(expr) {
        let Expr::Str(text) = way else { continue };
        match text.chars().next() {
            Some('\n') => class.push_str("\\n"),
            Some(c @ ('"' | '\\' | ']' | '[')) => {
                class.push('\\');
                class.push(c);
            }
            Some(c) => class.push(c),
            None => {}
        }
    }
    class.push(']');
    class
}
