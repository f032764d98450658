//! Azure Monitor: a machine's metrics.

use serde_json::{Map, Value as Json, json};

use super::address::Address;
use super::kinds::MACHINE;
use crate::protocol::time::{iso8601, parse_iso8601};
use crate::rest::route::decode;
use crate::rest::{Answer, Call, Refusal};
use crate::world::World;
use crate::world::metrics::{self, MAX_POINTS};

/// Names and units.
const METRICS: &[(&str, &str)] = &[
    ("Percentage CPU", "Percent"),
    ("Network In Total", "Bytes"),
    ("Network Out Total", "Bytes"),
    ("Disk Read Bytes", "Bytes"),
    ("Disk Write Bytes", "Bytes"),
    ("Available Memory Bytes", "Bytes"),
];

pub(super) fn list(world: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let scope = format!("/{}", call.of_path("resourceUri"));
    let machine = Address::of_path(&scope);
    let thing =
        world.things.get(MACHINE, &machine.key()).filter(|_| scope.to_lowercase().contains("/virtualmachines/"));
    let Some(thing) = thing else {
        let message = format!("The Resource '{scope}' was not found, or has no metrics in a practice cloud.");
        return Err(Refusal::new(404, "ResourceNotFound", message));
    };
    let bad = |what: &str| Refusal::new(400, "BadRequest", format!("Invalid value of '{what}'."));
    let (from, to) = match call.of_query("timespan") {
        Some(span) => {
            // The Azure CLI encodes it twice, and leaves the offset away.
            let span = decode(span).ok_or_else(|| bad("timespan"))?;
            let (from, to) = span.split_once('/').ok_or_else(|| bad("timespan"))?;
            let offset = |text: &str| text.contains(['Z', '+']) || text.matches('-').count() > 2;
            let full = |text: &str| if offset(text) { text.to_owned() } else { format!("{text}Z") };
            let read = |text: &str| parse_iso8601(&full(&text.replace(' ', "+"))).ok_or_else(|| bad("timespan"));
            (read(from)?, read(to)?)
        }
        None => (call.now - 3_600_000, call.now),
    };
    let step = match call.of_query("interval") {
        Some(text) => minutes(text).ok_or_else(|| bad("interval"))?,
        None => 1,
    } * 60_000;
    if to < from || (to - from) / step > MAX_POINTS {
        return Err(bad("timespan"));
    }
    let names = call.of_query("metricnames").unwrap_or("Percentage CPU");
    let aggregations = call.of_query("aggregation").unwrap_or("Average").to_lowercase();
    let mut value = Vec::new();
    for name in names.split(',').map(str::trim) {
        let Some((name, unit)) = METRICS.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) else {
            let known: Vec<_> = METRICS.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "Failed to find metric configuration for provider: Microsoft.Compute, metric: {name}. Valid metrics: {}",
                known.join(",")
            );
            return Err(Refusal::new(400, "BadRequest", message));
        };
        // What it did is what a machine does in the state that it is in now.
        let running = thing.state.at(call.now) == "running";
        let points = metrics::points(&thing.key, name, from, to, step);
        let data: Vec<Json> = points
            .map(|(at, sample)| {
                let mut point = Map::new();
                point.insert("timeStamp".into(), iso8601(at).into());
                for wanted in aggregations.split(',').map(str::trim).filter(|_| running) {
                    let number = match wanted {
                        "count" => 1.0,
                        "total" | "average" | "minimum" | "maximum" => sample.of(wanted, *unit == "Percent"),
                        _ => continue,
                    };
                    point.insert(wanted.to_owned(), number.into());
                }
                Json::Object(point)
            })
            .collect();
        value.push(json!({
            "id": format!("{scope}/providers/Microsoft.Insights/metrics/{name}"),
            "type": "Microsoft.Insights/metrics",
            "name": { "value": name, "localizedValue": name },
            "displayDescription": name,
            "unit": unit,
            "timeseries": [{ "metadatavalues": [], "data": data }],
            "errorCode": "Success",
        }));
    }
    let span = format!("{}/{}", iso8601(from), iso8601(to));
    Ok(Answer::ok(json!({ "cost": 0, "timespan": span, "interval": format!("PT{}M", step / 60_000),
        "namespace": "Microsoft.Compute/virtualMachines", "resourceregion": thing.text("location"), "value": value })))
}

pub(super) fn definitions(_: &mut World, call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let scope = format!("/{}", call.of_path("resourceUri"));
    let row = |(name, unit): &(&str, &str)| {
        json!({ "id": format!("{scope}/providers/Microsoft.Insights/metricdefinitions/{name}"), "resourceId": scope,
                "namespace": "Microsoft.Compute/virtualMachines", "name": { "value": name, "localizedValue": name }, "unit": unit,
                "primaryAggregationType": "Average", "supportedAggregationTypes": ["Average", "Minimum", "Maximum", "Total", "Count"],
                "metricAvailabilities": [{ "timeGrain": "PT1M", "retention": "P93D" }], "isDimensionRequired": false })
    };
    Ok(Answer::ok(json!({ "value": METRICS.iter().map(row).collect::<Vec<_>>() })))
}

/// `PT1M`, `PT1H`, `P1D` in minutes.
fn minutes(text: &str) -> Option<i64> {
    let number = |digits: &str| digits.parse::<i64>().ok().filter(|n| (1..=10_000).contains(n));
    if let Some(days) = text.strip_prefix('P').and_then(|rest| rest.strip_suffix('D')) {
        return number(days).map(|n| n * 1440);
    }
    let rest = text.strip_prefix("PT")?;
    match rest.strip_suffix('H') {
        Some(hours) => number(hours).map(|n| n * 60),
        None => number(rest.strip_suffix('M')?),
    }
}
