//! DescribeInstanceStatus.
//!
//! Checks pass a moment after an instance runs; there are no scheduled events.

use super::model::{Instance, InstanceState, visible};
use super::{ids, region, shown, view};
use crate::aws::call::{Call, flag, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::Filters;
use crate::aws::paging::Page;
use crate::protocol::Value;
use crate::protocol::value::record;
use crate::world::World;

const FILTERS: &[&str] = &[
    "availability-zone",
    "instance-state-code",
    "instance-state-name",
    "instance-status.reachability",
    "instance-status.status",
    "system-status.reachability",
    "system-status.status",
];
const KNOWN: &[&str] = &[
    "attached-ebs-status.status",
    "availability-zone-id",
    "event.code",
    "event.description",
    "event.instance-event-id",
    "event.not-after",
    "event.not-before",
    "event.not-before-deadline",
    "operator.managed",
    "operator.principal",
];

pub(crate) fn describe(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let shown = shown(world);
    let checking = i64::from(world.aws.timing.starting);
    let all = flag(input, "IncludeAllInstances").unwrap_or(false);
    let wanted = texts(input, "InstanceIds");
    if !wanted.is_empty() && input.get("MaxResults").is_some() {
        let message = "The parameter instancesSet cannot be used with the parameter maxResults";
        return Err(ApiError::new("InvalidParameterCombination", message));
    }
    let page = Page::of(input, 5, 1000)?;
    let filters = Filters::of(input, FILTERS, KNOWN)?;
    let place = region(world, call)?;
    ids::instances(place, &wanted, call, shown)?;
    call.proceed(input)?;
    let rows = place.instances.after(page.after).filter(|(_, i)| {
        (wanted.is_empty() || wanted.contains(&&*i.id))
            && visible(i, call.now, shown)
            && (all || i.state.at(call.now) == InstanceState::Running)
            && filters.pass(&i.tags, |name, test| {
                let state = i.state.at(call.now);
                let (status, reachability) = checks(i, call.now, checking);
                match name {
                    "availability-zone" => test(&i.zone),
                    "instance-state-code" => test(&state.code().to_string()),
                    "instance-state-name" => test(state.name()),
                    "instance-status.status" | "system-status.status" => test(status),
                    _ => reachability.is_some_and(test),
                }
            })
    });
    let (rows, token) = page.cut(rows);
    let statuses = rows.into_iter().map(|i| status(i, call.now, checking)).collect();
    let mut members = vec![("InstanceStatuses".into(), Value::List(statuses))];
    members.extend(token.map(|t| ("NextToken".into(), t.into())));
    Ok(Value::Record(members))
}

/// Status and reachability of both checks.
fn checks(i: &Instance, now: i64, checking: i64) -> (&'static str, Option<&'static str>) {
    match i.state.at(now) {
        InstanceState::Running if now.saturating_sub(i.state.since(now)) < checking => {
            ("initializing", Some("initializing"))
        }
        InstanceState::Running => ("ok", Some("passed")),
        _ => ("not-applicable", None),
    }
}

fn status(i: &Instance, now: i64, checking: i64) -> Value {
    let (status, reachability) = checks(i, now, checking);
    let details: Vec<Value> =
        reachability.map(|r| record![("Name", "reachability"), ("Status", r)]).into_iter().collect();
    let summary = || record![("Details", details.clone()), ("Status", status)];
    record![
        ("AvailabilityZone", &i.zone),
        ("InstanceId", &i.id),
        ("InstanceState", view::state(i.state.at(now))),
        ("InstanceStatus", summary()),
        ("SystemStatus", summary()),
    ]
}
