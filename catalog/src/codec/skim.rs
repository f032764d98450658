//! Passes a shape or an operation without making it, and checks all that making it would check.
//!
//! The same steps in the same order as `shapes` and `operations`; a test over the whole catalogue holds them together.

use super::columns::{Column, Cursor};
use super::shapes::bit;
use crate::CatalogError;
use crate::class::AccessLevel;

/// Passes a shape; returns its name.
pub(super) fn shape(cursor: &mut Cursor<'_>, count: u32) -> Result<Option<u32>, CatalogError> {
    let kind = cursor.number(Column::Kind)?;
    let flags = cursor.small(Column::ShapeFlags)?;
    let text = Column::ShapeText;
    let name = if bit(flags, 5) { Some(cursor.name(text)?) } else { None };
    for _ in 0..(flags >> 2 & 3).count_ones() {
        cursor.signed(Column::Range)?;
    }
    for _ in 0..u32::from(bit(flags, 4)) + u32::from(bit(flags, 6)) {
        cursor.name(text)?;
    }
    if bit(flags, 7) {
        cursor.string(Column::Error)?;
        u16::try_from(cursor.number(Column::Error)?).map_err(|_| CatalogError::Malformed("a status"))?;
    }
    if bit(flags, 8) {
        namespace(cursor, text)?;
    }
    if bit(flags, 12) && !matches!(cursor.number(Column::Kind)?, 1..=3) {
        return Err(CatalogError::Malformed("a timestamp format"));
    }
    if bit(flags, 13) {
        for _ in 0..cursor.number(Column::EnumCount)? {
            cursor.name(Column::EnumValue)?;
        }
    }
    match kind {
        0 | 1 => {
            for _ in 0..cursor.number(Column::MemberCount)? {
                member(cursor, count)?;
            }
        }
        2 | 3 => {
            for _ in 2..=kind {
                target(cursor, count)?;
                cursor.string(Column::MemberText)?;
            }
        }
        4..=12 => {}
        _ => return Err(CatalogError::Malformed("a kind of shape")),
    }
    Ok(name)
}

fn target(cursor: &mut Cursor<'_>, count: u32) -> Result<(), CatalogError> {
    if cursor.small(Column::Target)? < count { Ok(()) } else { Err(CatalogError::Malformed("a shape out of range")) }
}

fn member(cursor: &mut Cursor<'_>, count: u32) -> Result<(), CatalogError> {
    cursor.name(Column::MemberName)?;
    target(cursor, count)?;
    let flags = cursor.small(Column::MemberFlags)?;
    if flags >> 3 & 7 > 5 {
        return Err(CatalogError::Malformed("a location"));
    }
    let text = Column::MemberText;
    if bit(flags, 1) {
        cursor.name(text)?;
    }
    if bit(flags, 11) {
        namespace(cursor, text)?;
    }
    for _ in 0..(flags >> 12 & 3).count_ones() {
        cursor.name(text)?;
    }
    Ok(())
}

fn namespace(cursor: &mut Cursor<'_>, column: Column) -> Result<(), CatalogError> {
    cursor.name(column)?;
    cursor.string(column)?;
    Ok(())
}

/// Passes an operation; returns its name.
pub(super) fn operation(cursor: &mut Cursor<'_>, shapes: u32) -> Result<u32, CatalogError> {
    let name = cursor.name(Column::OpName)?;
    for _ in 0..2 {
        cursor.name(Column::OpHttp)?;
    }
    for _ in 0..2 {
        if cursor.small(Column::OpShapes)? > shapes {
            return Err(CatalogError::Malformed("a shape out of range"));
        }
    }
    let flags = cursor.small(Column::OpFlags)?;
    let has = |at: u32| bit(flags, at + 3);
    AccessLevel::from_number(flags & 7)?;
    for _ in 0..u32::from(has(5)) + u32::from(has(6)) + u32::from(has(7)) {
        cursor.name(Column::OpText)?;
    }
    if has(8) {
        namespace(cursor, Column::OpText)?;
    }
    for _ in 0..u32::from(has(11)) + u32::from(has(12)) {
        for _ in 0..cursor.number(Column::OpText)? {
            cursor.name(Column::OpText)?;
            cursor.name(Column::OpText)?;
        }
    }
    for _ in 0..u32::from(has(13)) + u32::from(has(14)) {
        cursor.name(Column::OpText)?;
    }
    let mut error = 0u32;
    for _ in 0..cursor.number(Column::OpErrors)? {
        error = error.saturating_add(cursor.small(Column::OpErrors)?);
        if error >= shapes {
            return Err(CatalogError::Malformed("an error out of range"));
        }
    }
    if has(4) {
        for _ in 0..5 {
            for _ in 0..cursor.number(Column::Paging)? {
                cursor.name(Column::Paging)?;
            }
        }
    }
    if has(16) {
        if cursor.number(Column::Completion)? > 2 {
            return Err(CatalogError::Malformed("a completion"));
        }
        cursor.string(Column::Completion)?;
    }
    if has(17) {
        for _ in 0..cursor.number(Column::Permission)? {
            cursor.name(Column::Permission)?;
        }
    }
    Ok(name)
}
