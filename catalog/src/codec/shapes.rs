//! Shapes and their members out of a chunk's columns.

use std::sync::Arc;

use super::columns::{Column, Columns};
use crate::CatalogError;
use crate::model::{ErrorTrait, Location, Member, Shape, ShapeId, ShapeKind, TagNames, TimestampFormat};

/// A bit of a flag word.
pub(super) fn bit(flags: u32, at: u32) -> bool {
    flags >> at & 1 == 1
}

/// The next shape, and which of its members are tags: their names stand in other shapes, see [`tag_names`]. Every index in
/// it is below `count`.
pub(super) fn shape(columns: &mut Columns<'_>, count: u32) -> Result<(Shape, Vec<usize>), CatalogError> {
    let mut tagged = Vec::new();
    let kind = columns.number(Column::Kind)?;
    let flags = columns.small(Column::ShapeFlags)?;
    let text = Column::ShapeText;
    let name = if bit(flags, 5) { columns.text(text)? } else { Arc::default() };
    let min = if bit(flags, 2) { Some(columns.signed(Column::Range)?) } else { None };
    let max = if bit(flags, 3) { Some(columns.signed(Column::Range)?) } else { None };
    let pattern = if bit(flags, 4) { Some(columns.text(text)?) } else { None };
    let payload = if bit(flags, 6) { Some(columns.text(text)?) } else { None };
    let error = if bit(flags, 7) {
        let code = columns.option(Column::Error)?;
        let status = u16::try_from(columns.number(Column::Error)?).map_err(|_| CatalogError::Malformed("a status"))?;
        Some(ErrorTrait { code, status })
    } else {
        None
    };
    let xml_namespace = if bit(flags, 8) { columns.namespace(text)? } else { None };
    let timestamp_format = if bit(flags, 12) { Some(timestamp(columns)?) } else { None };
    let values = if bit(flags, 13) { enumeration(columns)? } else { Vec::new() };
    let kind = match kind {
        0 => ShapeKind::Structure(members(columns, count, &mut tagged)?),
        1 => ShapeKind::Union(members(columns, count, &mut tagged)?),
        2 => ShapeKind::List { item: target(columns, count)?, wire_name: columns.option(Column::MemberText)? },
        3 => {
            let key = target(columns, count)?;
            let key_wire_name = columns.option(Column::MemberText)?;
            let value = target(columns, count)?;
            let value_wire_name = columns.option(Column::MemberText)?;
            ShapeKind::Map { key, value, key_wire_name, value_wire_name }
        }
        4 => ShapeKind::String { values },
        5 => ShapeKind::Integer,
        6 => ShapeKind::Long,
        7 => ShapeKind::Float,
        8 => ShapeKind::Double,
        9 => ShapeKind::Boolean,
        10 => ShapeKind::Timestamp,
        11 => ShapeKind::Blob,
        12 => ShapeKind::Document,
        _ => return Err(CatalogError::Malformed("a kind of shape")),
    };
    let shape = Shape {
        name,
        kind,
        sensitive: bit(flags, 0),
        flattened: bit(flags, 1),
        min,
        max,
        pattern,
        timestamp_format,
        payload,
        error,
        xml_namespace,
        streaming: bit(flags, 9),
        event_stream: bit(flags, 10),
        json_value: bit(flags, 11),
        number_as_text: bit(flags, 14),
    };
    Ok((shape, tagged))
}

fn timestamp(columns: &mut Columns<'_>) -> Result<TimestampFormat, CatalogError> {
    match columns.number(Column::Kind)? {
        1 => Ok(TimestampFormat::Iso8601),
        2 => Ok(TimestampFormat::Rfc822),
        3 => Ok(TimestampFormat::UnixTimestamp),
        _ => Err(CatalogError::Malformed("a timestamp format")),
    }
}

fn enumeration(columns: &mut Columns<'_>) -> Result<Vec<Arc<str>>, CatalogError> {
    let count = columns.number(Column::EnumCount)?;
    let mut values = Vec::with_capacity(columns.room(Column::EnumValue, count));
    for _ in 0..count {
        values.push(columns.text(Column::EnumValue)?);
    }
    Ok(values)
}

fn target(columns: &mut Columns<'_>, count: u32) -> Result<ShapeId, CatalogError> {
    let id = columns.small(Column::Target)?;
    if id < count { Ok(id) } else { Err(CatalogError::Malformed("a shape out of range")) }
}

fn members(columns: &mut Columns<'_>, count: u32, tagged: &mut Vec<usize>) -> Result<Vec<Member>, CatalogError> {
    let length = columns.number(Column::MemberCount)?;
    let mut members = Vec::with_capacity(columns.room(Column::MemberName, length));
    for _ in 0..length {
        let (member, tags) = member(columns, count)?;
        if tags {
            tagged.push(members.len());
        }
        members.push(member);
    }
    Ok(members)
}

/// A member, and whether it is tags; whose names are known only when all shapes are.
fn member(columns: &mut Columns<'_>, count: u32) -> Result<(Member, bool), CatalogError> {
    let (official, name) = columns.name(Column::MemberName)?;
    let shape = target(columns, count)?;
    let flags = columns.small(Column::MemberFlags)?;
    let text = Column::MemberText;
    let location = match flags >> 3 & 7 {
        0 => Location::Body,
        1 => Location::Uri,
        2 => Location::Query,
        3 => Location::Header,
        4 => Location::PrefixHeaders,
        5 => Location::Status,
        _ => return Err(CatalogError::Malformed("a location")),
    };
    let wire_name = if bit(flags, 1) { Some(columns.text(text)?) } else { None };
    let xml_namespace = if bit(flags, 11) { columns.namespace(text)? } else { None };
    let query_name = if bit(flags, 12) { Some(columns.text(text)?) } else { None };
    let context_param = if bit(flags, 13) { Some(columns.text(text)?) } else { None };
    let member = Member {
        official,
        name,
        shape,
        required: bit(flags, 0),
        idempotency_token: bit(flags, 2),
        location,
        wire_name,
        query_name,
        flattened: bit(flags, 6),
        xml_attribute: bit(flags, 7),
        host_label: bit(flags, 8),
        streaming: bit(flags, 9),
        json_value: bit(flags, 10),
        xml_namespace,
        tags: None,
        context_param,
        read_only: bit(flags, 15),
        ambient: bit(flags, 16),
    };
    Ok((member, bit(flags, 14)))
}

/// The names of a tag's two members; nothing where they do not fit.
pub(super) fn tag_names(members: &[Member]) -> Option<TagNames> {
    let [one, other] = members else { return None };
    let (key, value) = if one.name.ends_with("key") { (one, other) } else { (other, one) };
    (key.name.ends_with("key") && value.name.ends_with("value"))
        .then(|| TagNames { key: Arc::clone(&key.official), value: Arc::clone(&value.official) })
}
