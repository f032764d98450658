//! `escher doc`: a page for each playbook, in Markdown, with its picture.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use escher_core::{CheckedPlaybook, Witness};
use escher_ir::program::{Expr, NodeKind, Program, TextPart};
use escher_ir::{Value, json};

use crate::commands::check::{count, playbook_files};
use crate::commands::permissions::sure;
use crate::failure::Failure;
use crate::permissions::Needs;
use crate::render::risk_word;
use crate::{graph, output, source};

pub(crate) fn doc(paths: &[PathBuf], to: &Path) -> Result<u8, Failure> {
    let sources = source::sources(&playbook_files(paths)?)?;
    if sources.has_errors() {
        sources.shown().iter().for_each(|file| crate::render::diagnostics::note(file));
        return Err(Failure::told(1));
    }
    std::fs::create_dir_all(to).map_err(|e| failed(to, &e))?;
    let mut index = String::from("# Playbooks\n\n| playbook | what it does | risk | file |\n|---|---|---|---|\n");
    let mut taken = BTreeSet::new();
    let mut pages = 0;
    for source in sources.files.iter().take(sources.asked) {
        for playbook in &source.checked.playbooks {
            let Some(program) = playbook.program() else { continue };
            let name = free(&mut taken, &playbook.name);
            write(&to.join(format!("{name}.svg")), &graph::svg(&graph::of(program)))?;
            write(&to.join(format!("{name}.md")), &page(playbook, program, &source.file.path, &name))?;
            let _ = writeln!(
                index,
                "| [{}]({name}.md) | {} | {} | {} |",
                playbook.name,
                cell(program.playbook.doc.as_deref().and_then(|d| d.lines().next()).unwrap_or_default()),
                risk_word(program.playbook.declared_risk),
                cell(&source.file.path)
            );
            pages += 1;
        }
    }
    write(&to.join("index.md"), &index)?;
    output::note(&format!("{} in {}", count(pages, "page"), to.display()));
    Ok(0)
}

/// A name for the pages of a playbook; playbooks of several files may be called alike.
fn free(taken: &mut BTreeSet<String>, name: &str) -> String {
    // The list of all pages has this name.
    let mut free = if name == "index" { "index-1".to_string() } else { name.to_string() };
    let mut n = 1;
    while !taken.insert(free.clone()) {
        n += 1;
        free = format!("{name}-{n}");
    }
    free
}

fn page(playbook: &CheckedPlaybook, program: &Program, path: &str, name: &str) -> String {
    let p = &program.playbook;
    let mut out = format!("# {}\n\n", p.name);
    if let Some(doc) = &p.doc {
        let _ = writeln!(out, "{}\n", escape(doc));
    }
    let _ = writeln!(out, "- file: {}\n- risk: **{}**", cell(path), risk_word(p.declared_risk));
    match &p.approval {
        Some(a) if a.of == 1 => {
            let _ = writeln!(out, "- approval: a `{}`", a.by);
        }
        Some(a) => {
            let _ = writeln!(out, "- approval: {} of role `{}`", a.of, a.by);
        }
        None => out.push_str("- approval: none\n"),
    }
    let radius = p.blast_radius.map_or("not bounded".into(), |n| format!("at most {n} things"));
    let _ = writeln!(out, "- touches: {radius}\n\n![what waits for what]({name}.svg)\n");
    if !p.params.is_empty() {
        out.push_str("## Parameters\n\n| name | type | default | what it is |\n|---|---|---|---|\n");
        for param in &p.params {
            let default = param.default.as_ref().map(plain).unwrap_or_else(|| "needed".into());
            let doc = param.doc.as_deref().unwrap_or_default();
            let (ty, doc) = (cell(&param.ty.to_string()), cell(doc));
            let _ = writeln!(out, "| `{}` | `{ty}` | {} | {doc} |", param.name, cell(&default));
        }
        out.push('\n');
    }
    steps(&mut out, program);
    calls(&mut out, program, &playbook.witnesses);
    permissions(&mut out, &crate::permissions::of(program));
    out
}

fn permissions(out: &mut String, needs: &Needs) {
    if needs.clouds.values().all(BTreeMap::is_empty) && needs.unknown.is_empty() {
        return;
    }
    out.push_str("\n## Permissions\n\n| permission | for | how sure |\n|---|---|---|\n");
    for (permission, need) in needs.clouds.values().flatten() {
        let operations: Vec<String> = need.operations.iter().map(|o| format!("`{o}`")).collect();
        let _ = writeln!(out, "| `{permission}` | {} | {} |", operations.join(", "), sure(need));
    }
    for operation in &needs.unknown {
        let _ = writeln!(out, "| unknown | `{operation}` | not in this catalogue |");
    }
}

fn steps(out: &mut String, program: &Program) {
    let steps = program.playbook.body.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Step(step) => Some((node, step)),
        _ => None,
    });
    let mut begun = false;
    for (node, step) in steps {
        if !begun {
            out.push_str("## Steps\n\n| step | what it does | for at most | risk | undo |\n|---|---|---|---|---|\n");
            begun = true;
        }
        let title = step.title.as_ref().map(plain).unwrap_or_default();
        let doc = node.doc.as_deref().unwrap_or_default();
        let what = if doc.is_empty() { title } else { format!("{title}: {doc}") };
        let most = if step.each.is_some() { step.max_at_most.to_string() } else { "once".into() };
        let undo = if step.undo.is_some() { "yes" } else { "no" };
        let _ = writeln!(out, "| `{}` | {} | {most} | {} | {undo} |", step.name, cell(&what), risk_word(step.risk));
    }
    if begun {
        out.push('\n');
    }
}

fn calls(out: &mut String, program: &Program, witnesses: &[Witness]) {
    if program.operations.is_empty() {
        return;
    }
    out.push_str("## Operations\n\n| operation | risk of one call | where |\n|---|---|---|\n");
    for (name, operation) in &program.operations {
        let places: BTreeSet<&str> = witnesses
            .iter()
            .filter(|w| w.operation == *name)
            .map(|w| w.step.as_str())
            .filter(|s| !s.is_empty())
            .collect();
        let places: Vec<String> = places.iter().map(|s| format!("`{s}`")).collect();
        let _ = writeln!(out, "| `{name}` | {} | {} |", risk_word(operation.risk), places.join(", "));
    }
}

/// A constant, or a text as written.
fn plain(expr: &Expr) -> String {
    match expr {
        Expr::Literal(Value::None) => "none".into(),
        Expr::Literal(value) => json::to_text(value),
        Expr::Text(parts) => parts
            .iter()
            .map(|p| match p {
                TextPart::Literal(text) => text.clone(),
                TextPart::Hole(_) => "{…}".into(),
            })
            .collect(),
        _ => "worked out".into(),
    }
}

/// Text that says nothing to Markdown or to HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The same in a cell of a table.
fn cell(text: &str) -> String {
    escape(text).replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| failed(path, &e))
}
