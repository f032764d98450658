//! The picture for other tools to draw: Graphviz's language, and Mermaid's.

use std::fmt::Write as _;

use super::{Graph, colours};

/// For Graphviz.
pub(crate) fn dot(graph: &Graph) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = String::from("digraph playbook {\n");
    let _ = writeln!(out, "  label=\"{}\"; labelloc=t; fontname=\"monospace\";", quoted(&graph.title));
    out.push_str("  node [shape=box, style=\"rounded,filled\", fontname=\"monospace\", fontsize=11];\n");
    for (at, shown) in graph.boxes.iter().enumerate() {
        let (fill, line) = colours(shown);
        let label: Vec<String> = shown.lines.iter().map(|l| quoted(l)).collect();
        let style = if shown.kind == "step" { ", style=filled, penwidth=2" } else { "" };
        let label = label.join("\\n");
        let _ = writeln!(out, "  n{at} [label=\"{label}\", fillcolor=\"{fill}\", color=\"{line}\"{style}];");
    }
    for (from, to) in &graph.arrows {
        let _ = writeln!(out, "  n{from} -> n{to};");
    }
    out.push_str("}\n");
    out
}

/// For Mermaid.
pub(crate) fn mermaid(graph: &Graph) -> String {
    // Mermaid reads `#…;` as a character: everything that could mean something to it is written so.
    let escaped = |text: &str| -> String {
        let plain = |c: char| c.is_alphanumeric() || " .,…○◔◑◕●".contains(c);
        text.chars().map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
    };
    let mut out = format!("---\ntitle: {}\n---\nflowchart TD\n", serde_json::json!(graph.title));
    for (at, shown) in graph.boxes.iter().enumerate() {
        let (fill, line) = colours(shown);
        let label: Vec<String> = shown.lines.iter().map(|l| escaped(l)).collect();
        let label = label.join("<br/>");
        let (open, close) = if shown.kind == "step" { ("[", "]") } else { ("(", ")") };
        let _ = writeln!(out, "  n{at}{open}\"{label}\"{close}");
        let _ = writeln!(out, "  style n{at} fill:{fill},stroke:{line},color:#000");
    }
    for (from, to) in &graph.arrows {
        let _ = writeln!(out, "  n{from} --> n{to}");
    }
    out
}
