//! `escher ops`: the catalogue, looked up.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use escher_catalog::Catalog;
use escher_catalog::commands::{Commands, What};
use escher_catalog::search::{Hit, Index};
use serde_json::json;

use crate::args::{Common, Format, Ops};
use crate::failure::Failure;
use crate::output;
use crate::project::Project;
use crate::render::{self, risk_word};

pub(crate) fn ops(common: &Common, what: &Ops) -> Result<u8, Failure> {
    if !matches!(what, Ops::Update { .. }) {
        Project::find(None, common)?;
    }
    match what {
        Ops::Update { builtin: Some(cloud), format, .. } => super::update::builtin(common, cloud, format.format),
        Ops::Update { file: Some(file), format, .. } => super::update::update(common, file, format.format),
        Ops::Update { .. } => {
            Err(Failure::usage("nothing says what to update to").help("name a file, or `--builtin CLOUD`"))
        }
        Ops::Search { words, cloud, limit, format } => search(words, cloud.as_deref(), *limit, format.format),
        Ops::Show { operation, format } => super::show::show(&operation.join(" "), format.format),
        Ops::Stats { format } => stats(format.format),
    }
}

/// The operations that fit what was asked, best first.
fn search(words: &[String], cloud: Option<&str>, limit: u16, format: Format) -> Result<u8, Failure> {
    let catalog = Catalog::current();
    if let Some(cloud) = cloud.filter(|c| !catalog.clouds().contains(c)) {
        let known = catalog.clouds().join("`, `");
        return Err(Failure::usage(format!("there is no cloud `{cloud}`")).help(format!("the clouds are `{known}`")));
    }
    let question = words.join(" ");
    let mut found = Index::current().search(&question, cloud, limit.into());
    // A command of a cloud's own tool is known, not guessed.
    let said: Vec<&str> = question.split_whitespace().take_while(|w| !w.starts_with('-')).collect();
    for command in Commands::embedded().find(&said).into_iter().flat_map(|f| f.commands).rev() {
        if let What::Operation(operation) = command.what
            && cloud.is_none_or(|c| operation.split('.').next() == Some(c))
        {
            let score = found.first().map_or(1.0, |h| h.score);
            found.retain(|h| h.operation != operation);
            found.insert(0, Hit { operation, score });
        }
    }
    found.truncate(limit.into());
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

/// The word that serde writes for a plain enumeration.
pub(super) fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(|s| s.replace('_', " "))).unwrap_or_default()
}

fn stats(format: Format) -> Result<u8, Failure> {
    let catalog = Catalog::current();
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
                "source": if catalog.replaced().contains(&cloud) { "project" } else { "builtin" },
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
