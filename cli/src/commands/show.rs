//! `escher ops show`: one operation, with all that the catalogue knows of it.

use escher_catalog::commands::{Commands, What};
use escher_catalog::{Catalog, Record, Repeat, ShapeKind, equivalents, names};
use serde_json::{Value, json};

use super::ops::word;
use crate::args::Format;
use crate::failure::Failure;
use crate::output;
use crate::render::{self, risk_word};

/// Shows an operation, by its full name, its official one, or a command of a cloud's own tool.
pub(crate) fn show(said: &str, format: Format) -> Result<u8, Failure> {
    let catalog = Catalog::current();
    let words: Vec<&str> = said.split_whitespace().take_while(|w| !w.starts_with('-')).collect();
    let command = Commands::embedded().find(&words).into_iter().flat_map(|f| f.commands).find_map(|c| match c.what {
        What::Operation(name) => Some(name),
        _ => None,
    });
    let name = command.as_deref().unwrap_or(said);
    let record = catalog.record(name).ok_or_else(|| {
        let last = name.rsplit('.').next().unwrap_or(name).replace('_', " ");
        Failure::usage(format!("there is no operation `{name}`")).help(format!("try `escher ops search {last}`"))
    })?;
    let known = Known::of(&record);
    match format {
        Format::Json => output::json(&known.json(&record)),
        _ => known.show(&record),
    }
    Ok(0)
}

/// What is told besides the signature.
struct Known {
    permissions: Vec<escher_catalog::Permission>,
    repeat: String,
    waits: String,
    waiters: Vec<String>,
    commands: Vec<String>,
    alike: Option<(&'static str, Vec<&'static str>)>,
    documentation: String,
}

impl Known {
    fn of(record: &Record) -> Known {
        let name = record.name();
        let waiters = waiters(record);
        let waits = match (&record.operation.completion, waiters.first()) {
            (Some(_), _) => "a long-running operation: the call has ended when it has".to_string(),
            (None, Some(first)) => format!("`wait {first}(…)`"),
            (None, None) => "has ended when it has answered".to_string(),
        };
        Known {
            permissions: Catalog::current().permissions(&name).unwrap_or_default(),
            repeat: match &record.operation.class.repeat {
                Repeat::Read => "a read: as often as one likes".to_string(),
                Repeat::Token(member) => {
                    format!("with its idempotency token, `{}`, which a run fills in", names::snake(member))
                }
                Repeat::Idempotent => "yes: twice has the effect of once".to_string(),
                Repeat::Unsafe => "no: a step needs `unless` or `may_repeat`".to_string(),
            },
            waits,
            waiters,
            commands: Commands::embedded().spelt(&name),
            alike: equivalents::of(&name),
            documentation: documentation(record),
        }
    }

    fn json(&self, record: &Record) -> Value {
        let class = &record.operation.class;
        let shown = |list: &[(String, String, bool)]| {
            list.iter().map(|(n, t, r)| json!({ "name": n, "type": t, "required": r })).collect::<Vec<_>>()
        };
        let permissions: Vec<Value> = self
            .permissions
            .iter()
            .map(|p| json!({ "name": &*p.name, "known": p.known, "dependent": p.dependent }))
            .collect();
        json!({
            "schema": "escher.operation/1", "operation": record.name(), "official": &*record.operation.official,
            "service": &*record.service.full_name, "api_version": api_version(record),
            "method": &*record.operation.method, "uri": &*record.operation.uri,
            "risk": risk_word(class.risk), "effects": class.effects, "provenance": class.provenance,
            "reason": class.reason.as_deref(), "repeat": class.repeat, "paged": record.operation.paging.is_some(),
            "deprecated": record.operation.deprecated, "long_running": record.operation.completion.is_some(),
            "waiters": self.waiters, "dry_run": dry_run(record), "permissions": permissions, "commands": self.commands,
            "equivalents": self.alike.as_ref().map(|(_, names)| names.clone()).unwrap_or_default(),
            "documentation": self.documentation,
            "parameters": shown(&members(record, record.operation.input)),
            "result": shown(&members(record, record.operation.output)),
        })
    }

    fn show(&self, record: &Record) {
        let class = &record.operation.class;
        let name = record.name();
        output::line(&format!(
            "{}  ({} of {})",
            output::bold(&name),
            record.operation.official,
            record.service.full_name
        ));
        let why = class.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
        let line = |title: &str, text: &str| output::line(&format!("{title:<9}{text}"));
        line("risk", &format!("{} (from {}{why})", risk_word(class.risk), word(&class.provenance)));
        line("effects", &class.effects.iter().map(word).collect::<Vec<_>>().join(", "));
        line("repeat", &self.repeat);
        line("waits", &self.waits);
        if record.operation.paging.is_some() {
            line("pages", "followed for you");
        }
        if let Some(member) = dry_run(record) {
            line("dry run", &format!("`{member}: true` asks only; `escher plan` needs none"));
        }
        if record.operation.deprecated {
            line("replaced", "the cloud calls it deprecated");
        }
        let permissions: Vec<String> = self
            .permissions
            .iter()
            .map(|p| {
                let how = if p.known { "known" } else { "derived from its name" };
                let on = if p.dependent { ", for what it hands on" } else { "" };
                format!("{} ({how}{on})", p.name)
            })
            .collect();
        line(
            "allowed",
            &if permissions.is_empty() { "needs no permission".to_string() } else { permissions.join(", ") },
        );
        if !self.commands.is_empty() {
            line("command", &self.commands.join(", "));
        }
        if let Some((what, names)) = &self.alike {
            line("alike", &format!("{} ({what})", names.join(", ")));
        }
        line("read on", &self.documentation);
        for (title, list) in [
            ("parameters", members(record, record.operation.input)),
            ("result", members(record, record.operation.output)),
        ] {
            if list.is_empty() {
                continue;
            }
            output::line("");
            let mut table = render::table([title, "type", ""]);
            for (name, ty, required) in list {
                table.add_row([name, ty, if required { "required".into() } else { String::new() }]);
            }
            output::line(&table.to_string());
        }
    }
}

/// Each operation of Azure has a version of its own.
fn api_version(record: &Record) -> &str {
    record.operation.api_version.as_deref().unwrap_or(&record.service.api_version)
}

/// The member that only asks what a call would do.
fn dry_run(record: &Record) -> Option<String> {
    let input = record.operation.input.and_then(|id| record.shape(id))?;
    let is = |name: &str| matches!(name, "dry_run" | "validate_only");
    input.members().iter().find(|m| is(&m.name)).map(|m| m.name.to_string())
}

/// Conditions that this asks for, and those that what it does leads to: `instance_stopped` after `stop_instances`.
fn waiters(record: &Record) -> Vec<String> {
    let (cloud, service) = (&record.service.cloud, &record.service.name);
    let Some(all) = Catalog::current().service(cloud, service) else { return Vec::new() };
    let (verb, thing) = record.operation.name.split_once('_').unwrap_or((&record.operation.name, ""));
    let thing = thing.trim_end_matches('s');
    let leads = |waiter: &str| {
        let ending = waiter.strip_prefix(thing).and_then(|rest| rest.strip_prefix('_')).unwrap_or_default();
        let stem = verb.trim_end_matches('e');
        !thing.is_empty() && ending.starts_with(stem)
    };
    let found = all.waiters.iter().filter(|w| w.operation == record.operation.official || leads(&w.name));
    found.map(|w| format!("{cloud}.{service}.{}", w.name)).collect()
}

/// Where its official library describes it; the address follows from its names.
fn documentation(record: &Record) -> String {
    let (service, operation) = (&record.service, &record.operation);
    match &*service.cloud {
        "aws" => format!(
            "https://docs.aws.amazon.com/boto3/latest/reference/services/{}/client/{}.html",
            service.name.replace('_', "-"),
            operation.name
        ),
        "azure" => {
            let package = &service.service_id;
            let group = operation.official.rsplit_once('.').map_or("", |(group, _)| group).to_lowercase();
            let module = package.replace('-', ".");
            format!("https://learn.microsoft.com/python/api/{package}/{module}.operations.{group}operations")
        }
        _ => {
            let (groups, method) = operation.official.rsplit_once('.').unwrap_or(("", &operation.official));
            let api = service.service_id.replace([':', '.'], "_");
            let page = if groups.is_empty() { api } else { format!("{api}.{groups}") };
            format!("https://googleapis.github.io/google-api-python-client/docs/dyn/{page}.html#{method}")
        }
    }
}

fn members(record: &Record, shape: Option<u32>) -> Vec<(String, String, bool)> {
    let Some(shape) = shape.and_then(|id| record.shape(id)) else { return Vec::new() };
    shape
        .members()
        .iter()
        .map(|m| {
            let ty = if m.tags.is_some() { "map<string>".into() } else { type_text(record, m.shape, 0) };
            (m.name.to_string(), ty, m.required)
        })
        .collect()
}

fn type_text(record: &Record, id: u32, depth: u32) -> String {
    let Some(shape) = record.shape(id).filter(|_| depth < 4) else { return "…".into() };
    match &shape.kind {
        ShapeKind::Structure(_) | ShapeKind::Union(_) => {
            format!("{}.{}.{}", record.service.cloud, record.service.name, shape.name)
        }
        ShapeKind::List { item, .. } => format!("list<{}>", type_text(record, *item, depth + 1)),
        ShapeKind::Map { value, .. } => format!("map<{}>", type_text(record, *value, depth + 1)),
        ShapeKind::String { values } if values.is_empty() => "string".into(),
        ShapeKind::String { values } => {
            let shown: Vec<String> = values.iter().take(6).map(|v| format!("\"{v}\"")).collect();
            format!("{}{}", shown.join(" | "), if values.len() > 6 { " | …" } else { "" })
        }
        ShapeKind::Integer | ShapeKind::Long => "int".into(),
        ShapeKind::Float | ShapeKind::Double => "float".into(),
        ShapeKind::Boolean => "bool".into(),
        ShapeKind::Timestamp => "instant".into(),
        ShapeKind::Blob => "bytes".into(),
        ShapeKind::Document => "json".into(),
    }
}
