//! Cloud Monitoring: an instance's time series.

use serde_json::{Value as Json, json};

use super::engine::{bad, number};
use super::kinds::INSTANCES;
use super::own;
use crate::protocol::time::{iso8601, parse_iso8601};
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::metrics::{self, MAX_POINTS};

/// Time series on a page.
const PAGE: usize = 1_000;

/// Types, and whether they are a share of one.
const METRICS: &[(&str, bool)] = &[
    ("compute.googleapis.com/instance/cpu/utilization", true),
    ("compute.googleapis.com/instance/network/received_bytes_count", false),
    ("compute.googleapis.com/instance/network/sent_bytes_count", false),
    ("compute.googleapis.com/instance/disk/read_bytes_count", false),
    ("compute.googleapis.com/instance/disk/write_bytes_count", false),
];

pub(super) fn time_series(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    own(world, call)?;
    let filter = call.of_query("filter").ok_or_else(|| bad("filter"))?;
    let wanted = quoted(filter, "metric.type").ok_or_else(|| bad("filter"))?;
    let (metric, share) = METRICS.iter().find(|(name, _)| *name == wanted).ok_or_else(|| {
        Refusal::new(404, "notFound", format!("Cannot find metric(s) that match type = \"{wanted}\"."))
    })?;
    let instance = quoted(filter, "resource.labels.instance_id");
    let time = |name: &str| call.of_query(name).and_then(parse_iso8601);
    let to = time("interval.endTime").ok_or_else(|| bad("interval.endTime"))?;
    let from = time("interval.startTime").unwrap_or(to);
    let step = match call.of_query("aggregation.alignmentPeriod") {
        Some(text) => text
            .strip_suffix('s')
            .and_then(|s| s.parse::<i64>().ok())
            .filter(|s| *s >= 60)
            .ok_or_else(|| bad("aggregation.alignmentPeriod"))?,
        None => 60,
    } * 1000;
    if to < from || (to - from) / step > MAX_POINTS {
        return Err(bad("interval"));
    }
    let after: u64 = call.of_query("pageToken").unwrap_or("0").parse().map_err(|_| bad("pageToken"))?;
    let most = call.of_query("pageSize").and_then(|p| p.parse::<usize>().ok()).unwrap_or(PAGE).clamp(1, PAGE);
    let mut rows = world.things.after(INSTANCES, after).filter_map(|(n, thing)| {
        let id = number(&format!("instances/{}", thing.key));
        let asked = instance.as_ref().is_none_or(|wanted| *wanted == id);
        (asked && thing.state.at(call.now) == "RUNNING").then_some((n, thing, id))
    });
    let mut last = after;
    let series: Vec<Json> = rows
        .by_ref()
        .take(most)
        .map(|(n, thing, id)| {
            last = n;
            // The newest first, as Monitoring has them.
            let mut points: Vec<Json> = metrics::points(&thing.key, metric, from, to.max(from + step), step)
                .map(|(at, sample)| {
                    let value = match share {
                        true => json!({ "doubleValue": sample.of("average", true) / 100.0 }),
                        false => json!({ "int64Value": format!("{}", sample.of("average", false)) }),
                    };
                    json!({ "interval": { "startTime": iso8601(at), "endTime": iso8601(at) }, "value": value })
                })
                .collect();
            points.reverse();
            json!({
                "metric": { "type": metric, "labels": { "instance_name": thing.name } },
                "resource": { "type": "gce_instance", "labels": { "instance_id": id, "project_id": world.gcp.project,
                    "zone": thing.place.trim_start_matches("zones/") } },
                "metricKind": if *share { "GAUGE" } else { "DELTA" },
                "valueType": if *share { "DOUBLE" } else { "INT64" },
                "points": points,
            })
        })
        .collect();
    let more = rows.next().is_some();
    Ok(Answer::ok(match more {
        true => json!({ "timeSeries": series, "nextPageToken": last.to_string() }),
        false => json!({ "timeSeries": series }),
    }))
}

/// The value that a filter gives a member: `metric.type = "…"`.
fn quoted(filter: &str, member: &str) -> Option<String> {
    let (_, rest) = filter.split_once(member)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
    rest.split('"').next().map(str::to_owned)
}
