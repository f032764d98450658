//! A call as a playbook that people like to read.

use escher_catalog::commands::What;
use escher_catalog::{Record, Repeat, Risk, ShapeKind};

use super::call::Draft;
use super::value;
use crate::render::risk_word;

/// Words that name no step.
const RESERVED: &[&str] = &[
    "and", "approve", "catch", "confirm", "else", "expect", "false", "for", "if", "in", "let", "match", "mock", "none",
    "not", "notify", "or", "parallel", "report", "require", "return", "run", "sleep", "step", "true", "undo", "wait",
    "with",
];

/// What an operation is about, and what it does to that: `virtual_machines`, `deallocate`.
fn parts(operation: &str) -> (Option<&str>, &str) {
    let own = operation.splitn(3, '.').nth(2).unwrap_or_default();
    match own.rsplit_once('.') {
        Some((groups, last)) => (groups.rsplit('.').next(), last),
        None => (None, own),
    }
}

/// The name of the playbook.
pub(crate) fn name(what: &What) -> String {
    let operation = match what {
        What::Operation(name) => name,
        What::Wait { waiter, .. } => return format!("wait_for_{}", parts(waiter).1),
        What::WritesBack | What::Nothing(_) => return String::new(),
    };
    match parts(operation) {
        (Some(group), verb) if verb.contains('_') => format!("{verb}_of_{group}"),
        (Some(group), verb) => format!("{verb}_{group}"),
        (None, name) => name.to_owned(),
    }
}

/// What is done, for people: `Deallocate virtual machines`.
fn title(what: &What) -> String {
    let words = name(what).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn step_name(operation: &str) -> String {
    let verb = parts(operation).1.split('_').next().unwrap_or("do");
    if RESERVED.contains(&verb) { format!("{verb}_it") } else { verb.to_owned() }
}

/// The playbook, with the attributes that a risk needs.
pub(crate) fn playbook(line: &str, draft: &Draft, risk: Risk) -> String {
    let text = raw(line, draft, risk);
    // What cannot be laid out cannot be checked either, and that is told.
    escher_syntax::format(&text).unwrap_or(text)
}

fn raw(line: &str, draft: &Draft, risk: Risk) -> String {
    let operation = draft.record.name();
    let title = title(&draft.what);
    let mut out = String::new();
    for part in line.lines().map(str::trim).filter(|l| !l.is_empty()) {
        out.push_str(&format!("// {part}\n"));
    }
    for note in &draft.notes {
        out.push_str(&format!(
            "// {}{}.\n",
            note.get(..1).unwrap_or_default().to_uppercase(),
            note.get(1..).unwrap_or_default()
        ));
    }
    out.push_str(&format!("\n/// {title}: what `{}` does.\n", draft.words));
    if risk > Risk::Read {
        out.push_str(&format!("@risk({})\n", risk_word(risk)));
    }
    match risk {
        Risk::High => out.push_str("@approval(by: \"manager\")\n"),
        Risk::Critical => out.push_str("@approval(by: \"manager\", of: 2)\n"),
        _ => {}
    }
    let parameters: Vec<String> = draft.parameters.iter().map(|p| format!("{p}: string")).collect();
    out.push_str(&format!("playbook {}({})", name(&draft.what), parameters.join(", ")));
    let arguments: Vec<String> = draft.arguments.iter().map(|(n, v)| format!("{n}: {}", v.written())).collect();
    let call = format!("{operation}({})", arguments.join(", "));
    let changes = draft.record.operation.class.changes();
    if let What::Wait { waiter, .. } = &draft.what {
        out.push_str(&format!(" {{\n    wait {waiter}({}) timeout 30m\n}}\n", arguments.join(", ")));
    } else if changes {
        out.push_str(&format!(" {{\n{}}}\n", step(draft, risk, &title, &call)));
    } else {
        out.push_str(&reading(draft, &title, &call));
    }
    out
}

/// A step around a change.
fn step(draft: &Draft, risk: Risk, title: &str, call: &str) -> String {
    let operation = draft.record.name();
    let mut head = format!("    step {} {}", step_name(&operation), value::text(title));
    let mut clauses = Vec::new();
    if let Some((name, texts)) = &draft.each {
        let texts: Vec<String> = texts.iter().map(|t| value::text(t)).collect();
        head.push_str(&format!(" for {name} in [{}]", texts.join(", ")));
        clauses.push(format!("max {}", texts.len()));
    }
    let mut why = String::new();
    if draft.record.operation.class.repeat == Repeat::Unsafe {
        why = "    // Where an answer is lost nothing tells whether the call arrived: it may be done twice.\n".into();
        clauses.push("may_repeat".into());
    }
    if risk >= Risk::High {
        why.push_str("    // A command line knows no way back: write `undo { … }` in the place of `irreversible` where there is one.\n");
        clauses.push("irreversible \"the command that this was has no way back\"".into());
    }
    if !clauses.is_empty() {
        head.push_str(&format!(" {}", clauses.join(", ")));
    }
    format!("{why}{head} {{\n        {call}\n    }}\n")
}

/// A reading: its list as a table, and all of it as the result.
fn reading(draft: &Draft, title: &str, call: &str) -> String {
    let record = &draft.record;
    let Some(output) = record.operation.output else { return format!(" {{\n    let found = {call}\n}}\n") };
    let list = list(record).map(|list| {
        let few = draft.limit.map(|n| format!(".take({n})")).unwrap_or_default();
        format!("    report {} {{\n        table(found.{list}{few})\n    }}\n", value::text(title))
    });
    let ty = type_text(record, output, 0);
    let Some(ty) = ty else { return format!(" {{\n    let found = {call}\n{}}}\n", list.unwrap_or_default()) };
    format!(" -> {ty} {{\n    let found = {call}\n{}    return found\n}}\n", list.unwrap_or_default())
}

/// The list of records that an answer is about, if it is about one.
fn list(record: &Record) -> Option<String> {
    let output = record.shape(record.operation.output?)?;
    let key = record.operation.paging.as_ref().and_then(|p| p.result_keys.first());
    let of_records = |id: u32| {
        let Some(ShapeKind::List { item, .. }) = record.shape(id).map(|s| &s.kind) else { return false };
        record.shape(*item).is_some_and(|s| matches!(s.kind, ShapeKind::Structure(_)))
    };
    let lists = output.members().iter().filter(|m| m.tags.is_none() && of_records(m.shape));
    let named = lists.clone().find(|m| key.is_some_and(|k| **k == *m.official));
    // One list alone is what the answer is about.
    let only = || if lists.clone().count() == 1 { lists.clone().next() } else { None };
    named.or_else(only).map(|m| m.name.to_string())
}

/// A type as the language writes it; none for what has no such name.
fn type_text(record: &Record, id: u32, depth: u32) -> Option<String> {
    let shape = record.shape(id).filter(|_| depth < 4)?;
    Some(match &shape.kind {
        ShapeKind::Structure(_) | ShapeKind::Union(_) => {
            format!("{}.{}.{}", record.service.cloud, record.service.name, shape.name)
        }
        ShapeKind::List { item, .. } => format!("list<{}>", type_text(record, *item, depth + 1)?),
        ShapeKind::Map { value, .. } => format!("map<{}>", type_text(record, *value, depth + 1)?),
        ShapeKind::String { .. } => "string".into(),
        ShapeKind::Integer | ShapeKind::Long => "int".into(),
        ShapeKind::Float | ShapeKind::Double => "float".into(),
        ShapeKind::Boolean => "bool".into(),
        ShapeKind::Timestamp => "instant".into(),
        ShapeKind::Document => "json".into(),
        ShapeKind::Blob => return None,
    })
}
