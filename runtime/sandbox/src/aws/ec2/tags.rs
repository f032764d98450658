//! CreateTags, DeleteTags, DescribeTags, and the tags that creating calls carry.

use std::sync::Arc;

use super::model::{Region, VolumeState, visible};
use super::{ids, region, shown};
use crate::aws::call::{Call, list, text, texts};
use crate::aws::error::ApiError;
use crate::aws::filter::{Filters, Tags};
use crate::aws::paging::Page;
use crate::protocol::Value;
use crate::protocol::value::record;
use crate::world::World;

/// Tags that a resource may have.
const MAX_TAGS: usize = 50;
/// Resources that one call may name.
const MAX_RESOURCES: usize = 1000;

pub(crate) fn create(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let shown = shown(world);
    let given = tag_list(input, "Tags")?;
    if given.is_empty() {
        return Err(ApiError::missing("Tag"));
    }
    let resources = resources(input, world, call, shown)?;
    for id in &resources {
        let tags = tags_of(world, call, id).ok_or_else(|| invalid_id(id))?;
        if tags.len() + given.keys().filter(|key| !tags.contains_key(*key)).count() > MAX_TAGS {
            let message = format!("The maximum number of {MAX_TAGS} tags for a given resource has been reached");
            return Err(ApiError::new("TagLimitExceeded", message));
        }
    }
    call.proceed(input)?;
    for id in &resources {
        if let Some(mut tags) = tags_of(world, call, id) {
            tags.extend(given.iter().map(|(k, v)| (k.clone(), v.clone())));
            set(world, call, id, tags);
        }
    }
    Ok(Value::record())
}

pub(crate) fn delete(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let shown = shown(world);
    let resources = resources(input, world, call, shown)?;
    let given = list(input, "Tags");
    for tag in given {
        text(tag, "Key").filter(|k| !k.is_empty()).ok_or_else(|| ApiError::missing("Tag.Key"))?;
    }
    call.proceed(input)?;
    for id in &resources {
        let Some(mut tags) = tags_of(world, call, id) else { continue };
        if given.is_empty() {
            tags.clear();
        }
        for tag in given {
            let key = text(tag, "Key").unwrap_or_default();
            // With a value, even an empty one, only that value goes; without one, whatever it is.
            if text(tag, "Value").is_none_or(|value| tags.get(key).is_some_and(|v| **v == *value)) {
                tags.remove(key);
            }
        }
        set(world, call, id, tags);
    }
    Ok(Value::record())
}

pub(crate) fn describe(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let shown = shown(world);
    let page = Page::of(input, 5, 1000)?;
    let filters = Filters::of(input, &["key", "resource-id", "resource-type", "value"], &[])?;
    let place = region(world, call)?;
    call.proceed(input)?;
    let instances =
        place.instances.iter().filter(|i| visible(i, call.now, shown)).map(|i| (&i.id, "instance", &i.tags));
    let alive = place.volumes.iter().filter(|v| v.state.at(call.now) != VolumeState::Deleted);
    let volumes = alive.map(|v| (&v.id, "volume", &v.tags));
    let snapshots = place.snapshots.iter().map(|s| (&s.id, "snapshot", &s.tags));
    let all = instances.chain(volumes).chain(snapshots);
    let rows = all.flat_map(|(id, kind, tags)| tags.iter().map(move |(k, v)| (id, kind, k, v)));
    let passing = rows.filter(|(id, kind, key, value)| {
        let single: Tags = [((*key).clone(), (*value).clone())].into();
        filters.pass(&single, |name, test| match name {
            "key" => test(key),
            "value" => test(value),
            "resource-id" => test(id),
            _ => test(kind),
        })
    });
    // Tags have no row of their own, so their position in the answer is their number.
    let from = usize::try_from(page.after).unwrap_or(usize::MAX);
    let (rows, token) = page.cut((1u64..).zip(passing).skip(from));
    let view = |(id, kind, key, value): (&Arc<str>, &'static str, &Arc<str>, &Arc<str>)| {
        record![("Key", key), ("ResourceId", id), ("ResourceType", kind), ("Value", value)]
    };
    let mut members: Vec<_> = token.map(|t| ("NextToken".into(), t.into())).into_iter().collect();
    members.push(("Tags".into(), Value::List(rows.into_iter().map(view).collect())));
    Ok(Value::Record(members))
}

/// Tags in `TagSpecifications` for one kind of resource. Kinds that neither it nor `others` names are refused.
pub(crate) fn specified(input: &Value, kind: &str, others: &[&str]) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for specification in list(input, "TagSpecifications") {
        match text(specification, "ResourceType") {
            Some(found) if found == kind => tags.extend(tag_list(specification, "Tags")?),
            Some(found) if others.contains(&found) => {}
            Some(found) => {
                return Err(ApiError::invalid(format!(
                    "'{found}' is not a valid taggable resource type for this operation."
                )));
            }
            None => return Err(ApiError::missing("TagSpecification.ResourceType")),
        }
    }
    Ok(tags)
}

fn tag_list(input: &Value, member: &str) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for tag in list(input, member) {
        let key = text(tag, "Key").filter(|k| !k.is_empty()).ok_or_else(|| ApiError::missing("Tag.Key"))?;
        let value = text(tag, "Value").unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ApiError::invalid(format!(
                "Tag keys starting with 'aws:' are reserved for internal use ('{key}')"
            )));
        }
        if key.chars().count() > 128 {
            return Err(ApiError::invalid("Tag key exceeds the maximum length of 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(ApiError::invalid("Tag value exceeds the maximum length of 256 characters"));
        }
        if tags.insert(key.into(), value.into()).is_some() {
            return Err(ApiError::invalid(format!("Duplicate tag key '{key}' specified.")));
        }
    }
    if tags.len() > MAX_TAGS {
        return Err(ApiError::new("TagLimitExceeded", format!("More than {MAX_TAGS} tags")));
    }
    Ok(tags)
}

fn resources(input: &Value, world: &mut World, call: &Call<'_>, shown: i64) -> Result<Vec<Arc<str>>, ApiError> {
    let wanted = texts(input, "Resources");
    if wanted.is_empty() {
        return Err(ApiError::missing("ResourceId"));
    }
    if wanted.len() > MAX_RESOURCES {
        return Err(ApiError::invalid(format!("More than {MAX_RESOURCES} resources")));
    }
    for id in &wanted {
        if crate::aws::table::tags(world, call, id).is_some() {
            continue;
        }
        let place = region(world, call)?;
        if id.starts_with("i-") {
            ids::instances(place, &[id], call, shown)?;
        } else if id.starts_with("vol-") {
            ids::volumes(place, &[id], call)?;
        } else if id.starts_with("snap-") {
            ids::snapshots(place, &[id])?;
        } else {
            return Err(invalid_id(id));
        }
    }
    Ok(wanted.into_iter().map(Arc::from).collect())
}

fn invalid_id(id: &str) -> ApiError {
    ApiError::new("InvalidID", format!("The ID '{id}' is not valid"))
}

fn tags_of(world: &mut World, call: &Call<'_>, id: &str) -> Option<Tags> {
    if let Some(tags) = crate::aws::table::tags(world, call, id) {
        return Some(tags);
    }
    own(region(world, call).ok()?, id).map(|tags| tags.clone())
}

fn set(world: &mut World, call: &Call<'_>, id: &str, tags: Tags) {
    crate::aws::table::tag(world, call, id, &tags);
    if let Some(own) = region(world, call).ok().and_then(|place| own(place, id)) {
        *own = tags;
    }
}

fn own<'r>(place: &'r mut Region, id: &str) -> Option<&'r mut Tags> {
    if id.starts_with("i-") {
        place.instances.get_mut(id).map(|i| &mut i.tags)
    } else if id.starts_with("vol-") {
        place.volumes.get_mut(id).map(|v| &mut v.tags)
    } else {
        place.snapshots.get_mut(id).map(|s| &mut s.tags)
    }
}
