//! DescribeRegions and DescribeAvailabilityZones: the regions of the seed, three zones in each.

use super::region;
use crate::aws::call::{Call, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::{Filters, Tags};
use crate::protocol::Value;
use crate::protocol::value::record;
use crate::world::World;

const OPT_IN: &str = "opt-in-not-required";

pub(crate) fn regions(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let wanted = texts(input, "RegionNames");
    let known = &world.aws.regions;
    if let Some(bad) = wanted.iter().find(|w| !known.iter().any(|r| r == *w)) {
        return Err(ApiError::invalid(format!("Invalid region names provided: {bad}")));
    }
    let filters = Filters::of(input, &["endpoint", "opt-in-status", "region-name"], &[])?;
    call.proceed(input)?;
    let none = Tags::new();
    let endpoint = |name: &str| format!("ec2.{name}.amazonaws.com");
    let chosen = known.iter().filter(|r| wanted.is_empty() || wanted.contains(&r.as_str())).filter(|r| {
        filters.pass(&none, |filter, test| match filter {
            "endpoint" => test(&endpoint(r)),
            "region-name" => test(r),
            _ => test(OPT_IN),
        })
    });
    let view = |r: &String| record![("OptInStatus", OPT_IN), ("RegionName", r.clone()), ("Endpoint", endpoint(r))];
    Ok(record![("Regions", chosen.map(view).collect::<Vec<_>>())])
}

pub(crate) fn zones(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (names, zone_ids) = (texts(input, "ZoneNames"), texts(input, "ZoneIds"));
    let served = ["group-name", "opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"];
    let known = ["group-long-name", "message", "parent-zone-id", "parent-zone-name"];
    let filters = Filters::of(input, &served, &known)?;
    let place = region(world, call)?;
    let id = |at: usize| format!("{}-az{}", short(&call.region), at + 1);
    let zones: Vec<_> = place.network.zones.iter().enumerate().map(|(at, (zone, _))| (zone, id(at))).collect();
    if let Some(bad) = names.iter().find(|n| !zones.iter().any(|(zone, _)| ***zone == ***n)) {
        return Err(ApiError::invalid(format!("Invalid availability zone: [{bad}]")));
    }
    if let Some(bad) = zone_ids.iter().find(|n| !zones.iter().any(|(_, id)| id == *n)) {
        return Err(ApiError::invalid(format!("Invalid availability zone-id: [{bad}]")));
    }
    call.proceed(input)?;
    let none = Tags::new();
    let chosen = zones.iter().filter(|(zone, id)| {
        (names.is_empty() || names.contains(&&***zone))
            && (zone_ids.is_empty() || zone_ids.contains(&id.as_str()))
            && filters.pass(&none, |filter, test| match filter {
                "group-name" | "region-name" => test(&call.region),
                "opt-in-status" => test(OPT_IN),
                "state" => test("available"),
                "zone-id" => test(id),
                "zone-name" => test(zone),
                _ => test("availability-zone"),
            })
    });
    let view = |(zone, id): &(&std::sync::Arc<str>, String)| {
        record![
            ("OptInStatus", OPT_IN),
            ("Messages", Vec::new()),
            ("RegionName", call.region.clone()),
            ("ZoneName", *zone),
            ("ZoneId", id.clone()),
            ("GroupName", call.region.clone()),
            ("NetworkBorderGroup", call.region.clone()),
            ("ZoneType", "availability-zone"),
            ("State", "available"),
        ]
    };
    Ok(record![("AvailabilityZones", chosen.map(view).collect::<Vec<_>>())])
}

/// `us-east-1` as zone ids have it: `use1`.
fn short(region: &str) -> String {
    let mut parts = region.split('-');
    let cloud = parts.next().unwrap_or_default().to_owned();
    parts.fold(cloud, |mut short, part| {
        let direction = match part {
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            other => other.get(..1).unwrap_or_default(),
        };
        short.push_str(direction);
        short
    })
}
