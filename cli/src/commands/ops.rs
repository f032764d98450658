//! `escher ops`: the catalogue, looked up.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use escher_catalog::search::{Hit, Index};
use escher_catalog::{Catalog, Record, Repeat, ShapeKind};
use serde_json::json;

use crate::args::{Format, Ops};
use crate::failure::Failure;
use crate::output;
use crate::render::{self, risk_word};

/// How many findings are shown.
const SHOWN: usize = 20;

pub(crate) fn ops(what: &Ops) -> Result<u8, Failure> {
    match what {
        Ops::Search { words, cloud, format } => search(words, cloud.as_deref(), format.format),
        Ops::Show { operation, format } => show(operation, format.format),
        Ops::Stats { format } => stats(format.format),
    }
}

/// The operations that fit what was asked, best first.
fn search(words: &[String], cloud: Option<&str>, format: Format) -> Result<u8, Failure> {
    let catalog = Catalog::embedded();
    if let Some(cloud) = cloud.filter(|c| !catalog.clouds().contains(c)) {
        let known = catalog.clouds().join("`, `");
        return Err(Failure::usage(format!("there is no cloud `{cloud}`")).help(format!("the clouds are `{known}`")));
    }
    let found = Index::embedded().search(&words.join(" "), cloud, SHOWN);
    let risk = |hit: &Hit| catalog.record(&hit.operation).map_or("", |r| risk_word(r.operation.class.risk));
    if format == Format::Json {
        let operations: Vec<_> = found
            .iter()
            .map(|hit| {
                let cloud = hit.operation.split('.').next().unwrap_or_default();
                let score = (f64::from(hit.score) * 100.0).round() / 100.0;
                json!({ "operation": hit.operation, "cloud": cloud, "risk": risk(hit), "score": score })
            })
            .collect();
        output::json(&json!({ "schema": "escher.ops/1", "found": found.len(), "operations": operations }));
        return Ok(0);
    }
    if found.is_empty() {
        return Err(Failure::failed("no operation is called like this").help("try other words"));
    }
    let mut table = render::table(["operation", "risk"]);
    for hit in &found {
        table.add_row([hit.operation.clone(), risk(hit).to_string()]);
    }
    output::line(&table.to_string());
    Ok(0)
}

fn show(name: &str, format: Format) -> Result<u8, Failure> {
    let record = Catalog::embedded().record(name).ok_or_else(|| {
        let last = name.rsplit('.').next().unwrap_or(name).replace('_', " ");
        Failure::usage(format!("there is no operation `{name}`")).help(format!("try `escher ops search {last}`"))
    })?;
    let class = &record.operation.class;
    let repeat = match &class.repeat {
        Repeat::Read => "a read: as often as one likes".to_string(),
        Repeat::Token(member) => format!("with its idempotency token, `{}`", escher_catalog::names::snake(member)),
        Repeat::Idempotent => "yes: twice has the effect of once".to_string(),
        Repeat::Unsafe => "no: a step needs `unless` or `may_repeat`".to_string(),
    };
    let parameters = members(&record, record.operation.input);
    let results = members(&record, record.operation.output);
    if format == Format::Json {
        let shown = |list: &[(String, String, bool)]| {
            list.iter().map(|(n, t, r)| json!({ "name": n, "type": t, "required": r })).collect::<Vec<_>>()
        };
        output::json(&json!({
            "schema": "escher.operation/1", "operation": name, "official": &*record.operation.official,
            "service": &*record.service.full_name, "api_version": &*record.service.api_version,
            "risk": risk_word(class.risk), "effects": class.effects, "provenance": class.provenance,
            "reason": class.reason.as_deref(), "repeat": class.repeat, "paged": record.operation.paging.is_some(),
            "parameters": shown(&parameters), "result": shown(&results),
        }));
        return Ok(0);
    }
    output::line(&format!("{}  ({} of {})", output::bold(name), record.operation.official, record.service.full_name));
    let why = class.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
    output::line(&format!("risk     {} (from {}{why})", risk_word(class.risk), word(&class.provenance)));
    output::line(&format!("effects  {}", class.effects.iter().map(word).collect::<Vec<_>>().join(", ")));
    output::line(&format!("repeat   {repeat}"));
    if record.operation.paging.is_some() {
        output::line("pages    followed for you");
    }
    for (title, list) in [("parameters", parameters), ("result", results)] {
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
    Ok(0)
}

/// The word that serde writes for a plain enumeration.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(|s| s.replace('_', " "))).unwrap_or_default()
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

fn stats(format: Format) -> Result<u8, Failure> {
    let catalog = Catalog::embedded();
    let mut clouds = serde_json::Map::new();
    let mut table =
        render::table(["cloud", "services", "operations", "read", "low", "medium", "high", "critical", "unknown"]);
    for cloud in catalog.clouds() {
        let mut risks: BTreeMap<&str, u64> = BTreeMap::new();
        let mut origins: BTreeMap<String, u64> = BTreeMap::new();
        // By host: one request may stand under two names.
        let mut requests: HashSet<(Arc<str>, String, String)> = HashSet::new();
        let services = catalog.services(cloud);
        for name in &services {
            let Some(service) = catalog.service(cloud, name) else { continue };
            for operation in &service.operations {
                requests.insert((
                    operation.method.clone(),
                    operation.uri.to_lowercase(),
                    service.meta.endpoint_prefix.to_string(),
                ));
                *risks.entry(risk_word(operation.class.risk)).or_insert(0) += 1;
                *origins.entry(word(&operation.class.provenance)).or_insert(0) += 1;
            }
        }
        let unknown = origins.get("unknown").copied().unwrap_or(0);
        let operations: u64 = risks.values().sum();
        let of = |risk: &str| risks.get(risk).copied().unwrap_or(0).to_string();
        table.add_row([
            cloud.to_string(),
            services.len().to_string(),
            operations.to_string(),
            of("read"),
            of("low"),
            of("medium"),
            of("high"),
            of("critical"),
            unknown.to_string(),
        ]);
        clouds.insert(
            cloud.to_string(),
            json!({
                "services": services.len(), "operations": operations, "requests": requests.len(), "risk": risks,
                "provenance": origins, "unclassified": 0, "unknown": unknown, "bytes": catalog.data_size(cloud),
            }),
        );
    }
    if format == Format::Json {
        let bytes: usize = catalog.clouds().into_iter().map(|cloud| catalog.data_size(cloud)).sum();
        output::json(&json!({ "schema": "escher.ops_stats/2", "clouds": clouds, "bytes": bytes }));
    } else {
        output::line(&table.to_string());
    }
    Ok(0)
}
