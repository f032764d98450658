//! CloudWatch: what instances did.

use serde_json::{Value as Json, json};

use super::{Kind, Op, PLAIN, Verb, op};
use crate::aws::call::{Call, int, list, needed, text, texts};
use crate::aws::ec2::model::InstanceState;
use crate::aws::error::ApiError;
use crate::protocol::Value;
use crate::protocol::time::{iso8601, parse_iso8601};
use crate::world::World;
use crate::world::metrics::{self, MAX_POINTS, Sample};

static METRIC: Kind = Kind { table: "cloudwatch/metric", ..PLAIN };

/// Names and units.
const METRICS: &[(&str, &str)] = &[
    ("CPUUtilization", "Percent"),
    ("NetworkIn", "Bytes"),
    ("NetworkOut", "Bytes"),
    ("DiskReadBytes", "Bytes"),
    ("DiskWriteBytes", "Bytes"),
];
/// Instances that a list of metrics shows.
const MAX_LISTED: usize = 100;

pub(super) static OPERATIONS: &[Op] = &[
    op("GetMetricStatistics", &METRIC, Verb::Own(statistics)),
    op("GetMetricData", &METRIC, Verb::Own(data)),
    op("ListMetrics", &METRIC, Verb::Own(list_metrics)),
];

/// A span and its step, in milliseconds.
type Span = (i64, i64, i64);

fn span(input: &Value, period: Option<i64>) -> Result<Span, ApiError> {
    let time = |name: &str| match input.get(name) {
        Some(Value::Time(at)) => Ok(*at),
        Some(Value::Text(text)) => parse_iso8601(text).ok_or_else(|| invalid(name)),
        _ => Err(ApiError::missing(name)),
    };
    let step = period.unwrap_or(300).checked_mul(1000).filter(|p| *p >= 1000).ok_or_else(|| invalid("Period"))?;
    let (from, to) = (time("StartTime")?, time("EndTime")?);
    if to <= from || (to - from) / step > MAX_POINTS {
        return Err(invalid("StartTime"));
    }
    Ok((from, to, step))
}

fn invalid(what: &str) -> ApiError {
    ApiError::invalid(format!("The parameter {what} is invalid."))
}

/// The instance that the dimensions name, where it is one that ran.
fn instance(metric: &Value, world: &mut World, call: &Call<'_>) -> Option<String> {
    let of = list(metric, "Dimensions").iter().find(|d| text(d, "Name") == Some("InstanceId"))?;
    let id = text(of, "Value")?;
    let place = world.aws.region(&call.account, &call.region)?;
    place.instances.get(id).filter(|i| i.state.at(call.now) == InstanceState::Running).map(|i| i.id.to_string())
}

/// The points of a metric; none of what does not run.
fn points(metric: &Value, world: &mut World, call: &Call<'_>, span: Span) -> (Vec<(i64, Sample)>, bool) {
    let name = text(metric, "MetricName").unwrap_or_default();
    let known = METRICS.iter().find(|(known, _)| *known == name);
    let percent = known.is_some_and(|(_, unit)| *unit == "Percent");
    let found =
        known.filter(|_| text(metric, "Namespace") == Some("AWS/EC2")).and_then(|_| instance(metric, world, call));
    let (from, to, step) = span;
    (found.map(|id| metrics::points(&id, name, from, to, step).collect()).unwrap_or_default(), percent)
}

fn statistics(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (name, wanted) = (needed(input, "MetricName")?.to_owned(), texts(input, "Statistics"));
    needed(input, "Namespace")?;
    let span = span(input, int(input, "Period"))?;
    let (points, percent) = points(input, world, call, span);
    let unit = if percent { "Percent" } else { "Bytes" };
    let shown = points.into_iter().map(|(at, sample)| {
        let mut point = json!({ "Timestamp": iso8601(at), "Unit": unit });
        for statistic in &wanted {
            if let Some(point) = point.as_object_mut() {
                let value = if *statistic == "SampleCount" { 1.0 } else { sample.of(statistic, percent) };
                point.insert((*statistic).to_owned(), value.into());
            }
        }
        point
    });
    Ok(Value::of_json(json!({ "Label": name, "Datapoints": shown.collect::<Vec<_>>() })))
}

fn data(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let mut results = Vec::new();
    for query in list(input, "MetricDataQueries") {
        let id = needed(query, "Id")?;
        let Some(stat) = query.get("MetricStat") else {
            return Err(ApiError::unsupported("expressions of metrics"));
        };
        let span = span(input, int(stat, "Period"))?;
        let metric = stat.get("Metric").ok_or_else(|| ApiError::missing("MetricStat.Metric"))?;
        let (mut points, percent) = points(metric, world, call, span);
        if text(input, "ScanBy") != Some("TimestampAscending") {
            points.reverse();
        }
        let statistic = text(stat, "Stat").unwrap_or("Average");
        results.push(json!({
            "Id": id,
            "Label": text(query, "Label").or_else(|| text(metric, "MetricName")),
            "Timestamps": points.iter().map(|(at, _)| iso8601(*at)).collect::<Vec<_>>(),
            "Values": points.iter().map(|(_, sample)| sample.of(statistic, percent)).collect::<Vec<_>>(),
            "StatusCode": "Complete",
        }));
    }
    Ok(Value::of_json(json!({ "MetricDataResults": results })))
}

fn list_metrics(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let wanted = list(input, "Dimensions")
        .iter()
        .filter(|d| text(d, "Name") == Some("InstanceId"))
        .find_map(|d| text(d, "Value"));
    let other = text(input, "Namespace").is_some_and(|n| n != "AWS/EC2");
    let Some(place) = world.aws.region(&call.account, &call.region).filter(|_| !other) else {
        return Ok(Value::of_json(json!({ "Metrics": [] })));
    };
    let ids = place.instances.iter().filter(|i| wanted.is_none_or(|w| *i.id == *w)).take(MAX_LISTED);
    let names = || METRICS.iter().filter(|(name, _)| text(input, "MetricName").is_none_or(|wanted| wanted == *name));
    let shown: Vec<Json> = ids
        .flat_map(|i| names().map(move |(name, _)| {
            json!({ "Namespace": "AWS/EC2", "MetricName": name, "Dimensions": [{ "Name": "InstanceId", "Value": &*i.id }] })
        }))
        .collect();
    Ok(Value::of_json(json!({ "Metrics": shown })))
}
