//! A playbook as a picture: its statements, what each waits for, and what each can do. Colour and mark say the risk, so that
//! neither is needed alone.

mod layout;
mod svg;
mod text;

use std::collections::BTreeMap;

use escher_catalog::Risk;
use escher_ir::program::{Approval, Expr, Node, NodeKind, Program, TextPart};
use escher_ir::{Value, json};

use crate::render::risk_word;

pub(crate) use svg::svg;
pub(crate) use text::{dot, mermaid};

/// Longest line of a box, in characters.
const LONGEST: usize = 34;

/// A box of the picture.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// What it is, in a word: `step`.
    kind: &'static str,
    /// Its name, then what it says, a line each.
    lines: Vec<String>,
    /// What it can do, where it changes something.
    risk: Option<Risk>,
}

/// A playbook as boxes and arrows.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    title: String,
    boxes: Vec<Shown>,
    /// From box to box.
    arrows: Vec<(usize, usize)>,
}

/// The statements of a playbook.
pub(crate) fn of(program: &Program) -> Graph {
    let nodes = &program.playbook.body.nodes;
    let at: BTreeMap<&str, usize> = nodes.iter().enumerate().map(|(at, n)| (n.id.as_str(), at)).collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (to, node) in nodes.iter().enumerate() {
        for from in node.after.iter().filter_map(|id| at.get(id.as_str())) {
            below.get_mut(*from).into_iter().for_each(|b| b.push(to));
        }
    }
    let mut arrows = Vec::new();
    for (from, tos) in below.iter().enumerate() {
        arrows.extend(tos.iter().filter(|to| !around(&below, from, **to)).map(|to| (from, *to)));
    }
    let title = format!("{} (risk {})", program.playbook.name, risk_word(program.playbook.risk));
    Graph { title, boxes: nodes.iter().map(shown).collect(), arrows }
}

/// Whether another way leads there, which says the same.
fn around(below: &[Vec<usize>], from: usize, to: usize) -> bool {
    let next = |at: usize| below.get(at).into_iter().flatten().copied();
    let mut todo: Vec<usize> = next(from).filter(|n| *n != to).collect();
    let mut seen = vec![false; below.len()];
    while let Some(at) = todo.pop() {
        if at == to {
            return true;
        }
        if let Some(seen) = seen.get_mut(at).filter(|s| !**s) {
            *seen = true;
            // A node waits only for what stands above it.
            todo.extend(next(at).filter(|n| *n <= to));
        }
    }
    false
}

fn shown(node: &Node) -> Shown {
    let (kind, words, risk) = match &node.kind {
        NodeKind::Let { .. } => ("let", Vec::new(), None),
        NodeKind::Require { otherwise, .. } => ("require", otherwise.iter().map(plain).collect(), None),
        NodeKind::Confirm { question } => ("confirm", vec![plain(question)], None),
        NodeKind::Approve(approve) => {
            let Approval { by, of, .. } = &approve.approval;
            let who = if *of > 1 { format!("by {of} of `{by}`") } else { format!("by a `{by}`") };
            ("approve", vec![plain(&approve.question), who], None)
        }
        NodeKind::Step(step) => {
            let mut words: Vec<String> = step.title.iter().map(plain).collect();
            if step.each.is_some() {
                words.push(format!("up to {}", step.max_at_most));
            }
            words.push(crate::render::plan::rollback(&step.rollback()));
            ("step", words, Some(step.risk))
        }
        NodeKind::Wait(_) => ("wait", Vec::new(), None),
        NodeKind::Sleep { duration } => ("sleep", vec![plain(duration)], None),
        NodeKind::Report { title, .. } => ("report", title.iter().map(plain).collect(), None),
        NodeKind::Notify { channel, text } => ("notify", vec![channel.clone(), plain(text)], None),
        NodeKind::Return { .. } => ("return", Vec::new(), None),
        NodeKind::Do { .. } => ("call", Vec::new(), None),
    };
    let name = match kind {
        "let" | "step" => format!("{kind} {}", node.id),
        _ => kind.to_string(),
    };
    let mut lines = vec![short(&name)];
    lines.extend(words.iter().filter(|w| !w.is_empty()).map(|w| short(w)));
    if let Some(risk) = risk {
        lines.push(format!("{} {}", mark(risk), risk_word(risk)));
    }
    Shown { kind, lines, risk }
}

/// A text as written, holes as `{…}`.
fn plain(expr: &Expr) -> String {
    match expr {
        Expr::Literal(Value::None) => String::new(),
        Expr::Literal(value) => json::to_text(value),
        Expr::Text(parts) => parts
            .iter()
            .map(|part| match part {
                TextPart::Literal(text) => text.clone(),
                TextPart::Hole(_) => "{…}".to_string(),
            })
            .collect(),
        _ => String::new(),
    }
}

fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= LONGEST {
        return line;
    }
    line.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// The mark of a level, which says it without colour.
fn mark(risk: Risk) -> &'static str {
    match risk {
        Risk::Read => "○",
        Risk::Low => "◔",
        Risk::Medium => "◑",
        Risk::High => "◕",
        Risk::Critical => "●",
    }
}

/// Fill and line of a box: light enough for black text, and told apart by those who see few colours.
fn colours(shown: &Shown) -> (&'static str, &'static str) {
    match shown.risk {
        Some(Risk::Critical) => ("#f4b6b0", "#8f1d14"),
        Some(Risk::High) => ("#fbd3a2", "#9a5200"),
        Some(Risk::Medium) => ("#fbf0ac", "#7d6a00"),
        Some(Risk::Low) => ("#d3e8f8", "#2a6a9c"),
        Some(Risk::Read) | None => ("#f6f6f6", "#777777"),
    }
}
