//! Operations and waiters out of a chunk's columns.

use std::sync::Arc;

use super::columns::{Column, Columns};
use crate::CatalogError;
use crate::class::AccessLevel;
use crate::model::{Acceptor, Class, Completion, Operation, Paging, ShapeId, Waiter};

/// What the model and the access levels say of an operation; `class` judges by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The provider's access level, where it has one.
    pub(crate) level: Option<AccessLevel>,
    /// The model calls it read-only.
    pub(crate) read_only: bool,
    /// The model calls it idempotent.
    pub(crate) idempotent: bool,
    /// Permissions that the sources name.
    pub(crate) permissions: Vec<Arc<str>>,
}

/// The next operation and its facts; its class is still the worst.
pub(super) fn operation(columns: &mut Columns<'_>, shapes: u32) -> Result<(Operation, Facts), CatalogError> {
    let (official, name) = columns.operation_name(Column::OpName)?;
    let method = columns.text(Column::OpHttp)?;
    let uri = columns.text(Column::OpHttp)?;
    let input = reference(columns, shapes)?;
    let output = reference(columns, shapes)?;
    let flags = columns.small(Column::OpFlags)?;
    let bit = |at: u32| flags >> (at + 3) & 1 == 1;
    let text = Column::OpText;
    let host_prefix = if bit(5) { Some(columns.text(text)?) } else { None };
    let output_wrapper = if bit(6) { Some(columns.text(text)?) } else { None };
    let input_wire_name = if bit(7) { Some(columns.text(text)?) } else { None };
    let input_xml_namespace = if bit(8) { columns.namespace(text)? } else { None };
    let static_context = if bit(11) { pairs(columns)? } else { Vec::new() };
    let input_context = if bit(12) { pairs(columns)? } else { Vec::new() };
    let api_version = if bit(13) { Some(columns.text(text)?) } else { None };
    let upload = if bit(14) { Some(columns.text(text)?) } else { None };
    let errors = errors(columns, shapes)?;
    let paging = if bit(4) { Some(paging(columns)?) } else { None };
    let completion = if bit(16) { Some(completion(columns)?) } else { None };
    let permissions = if bit(17) { columns.texts(Column::Permission)? } else { Vec::new() };
    let level = AccessLevel::from_number(flags & 7)?;
    let facts = Facts { level, read_only: bit(9), idempotent: bit(10), permissions };
    let operation = Operation {
        official,
        name,
        method,
        uri,
        input,
        input_wire_name,
        input_xml_namespace,
        output,
        output_wrapper,
        errors,
        paging,
        host_prefix,
        unsigned: bit(1),
        unsigned_payload: bit(2),
        checksum_required: bit(3),
        deprecated: bit(0),
        static_context,
        input_context,
        api_version,
        upload,
        download: bit(15),
        completion,
        class: Class::worst(),
    };
    Ok((operation, facts))
}

/// A shape's index plus one, or 0 for none.
fn reference(columns: &mut Columns<'_>, shapes: u32) -> Result<Option<ShapeId>, CatalogError> {
    match columns.small(Column::OpShapes)? {
        0 => Ok(None),
        id if id <= shapes => Ok(Some(id - 1)),
        _ => Err(CatalogError::Malformed("a shape out of range")),
    }
}

/// Sorted indices, as steps from one to the next.
fn errors(columns: &mut Columns<'_>, shapes: u32) -> Result<Vec<ShapeId>, CatalogError> {
    let count = columns.number(Column::OpErrors)?;
    let mut errors = Vec::with_capacity(columns.room(Column::OpErrors, count));
    let mut at = 0u32;
    for _ in 0..count {
        at = at.saturating_add(columns.small(Column::OpErrors)?);
        if at >= shapes {
            return Err(CatalogError::Malformed("an error out of range"));
        }
        errors.push(at);
    }
    Ok(errors)
}

/// A name and what belongs to it.
type Pair = (Arc<str>, Arc<str>);

fn pairs(columns: &mut Columns<'_>) -> Result<Vec<Pair>, CatalogError> {
    let count = columns.number(Column::OpText)?;
    (0..count).map(|_| Ok((columns.text(Column::OpText)?, columns.text(Column::OpText)?))).collect()
}

fn paging(columns: &mut Columns<'_>) -> Result<Paging, CatalogError> {
    Ok(Paging {
        input_tokens: columns.texts(Column::Paging)?,
        output_tokens: columns.texts(Column::Paging)?,
        result_keys: columns.texts(Column::Paging)?,
        limit_key: columns.texts(Column::Paging)?.into_iter().next(),
        more_results: columns.texts(Column::Paging)?.into_iter().next(),
    })
}

fn completion(columns: &mut Columns<'_>) -> Result<Completion, CatalogError> {
    let kind = columns.number(Column::Completion)?;
    let text = columns.option(Column::Completion)?;
    Ok(match kind {
        0 => Completion::Azure { final_state_via: text },
        1 => Completion::GoogleLongRunning { poll: text },
        2 => Completion::GoogleStatus { poll: text },
        _ => return Err(CatalogError::Malformed("a completion")),
    })
}

/// All waiters of a service in order.
pub(super) fn waiters(columns: &mut Columns<'_>, count: u32) -> Result<Vec<Waiter>, CatalogError> {
    (0..count).map(|_| waiter(columns)).collect()
}

fn waiter(columns: &mut Columns<'_>) -> Result<Waiter, CatalogError> {
    let (official, name) = columns.name(Column::Waiter)?;
    let operation = columns.text(Column::Waiter)?;
    let delay = columns.small(Column::Waiter)?;
    let max_attempts = columns.small(Column::Waiter)?;
    let count = columns.number(Column::Waiter)?;
    let acceptors = (0..count)
        .map(|_| {
            Ok(Acceptor {
                matcher: columns.text(Column::Waiter)?,
                argument: columns.option(Column::Waiter)?,
                expected: columns.text(Column::Waiter)?,
                state: columns.text(Column::Waiter)?,
            })
        })
        .collect::<Result<_, CatalogError>>()?;
    Ok(Waiter { official, name, operation, delay, max_attempts, acceptors })
}
