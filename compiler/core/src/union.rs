//! Unions of records: a field tells them apart, and asking for it narrows what is at hand.

use std::sync::Arc;

use escher_ir::types::RecordType;
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, BinaryOp, Entry, ExprKind};

use crate::checker::Checker;

/// The values that a field of a record may have, where they are few.
fn values<'a>(record: &'a RecordType, field: &str) -> Option<&'a [Value]> {
    match &record.fields.get(field)?.ty {
        Type::Literals(values) => Some(values),
        _ => None,
    }
}

/// The field that tells records apart: each has it, and no two have one value of it in common.
pub(crate) fn tag(records: &[Arc<RecordType>]) -> Option<Arc<str>> {
    let distinct = |field: &str| {
        let mut seen: Vec<&Value> = Vec::new();
        records.iter().all(|record| {
            let Some(own) = values(record, field) else { return false };
            let new = own.iter().all(|value| !seen.contains(&value));
            seen.extend(own);
            new
        })
    };
    records.first()?.fields.keys().find(|field| distinct(field)).cloned()
}

/// Those of the records whose field may have one of these values; the one record where there is one.
fn with(records: &[Arc<RecordType>], field: &str, wanted: impl Fn(&Value) -> bool) -> Option<Type> {
    let may = |record: &&Arc<RecordType>| values(record, field).is_none_or(|own| own.iter().any(&wanted));
    let left: Vec<Arc<RecordType>> = records.iter().filter(may).cloned().collect();
    match left.as_slice() {
        [] => None,
        [one] => Some(Type::Record(one.clone())),
        _ => Some(Type::Union(left)),
    }
}

/// The record of a union that a literal `{ kind: "disk", … }` is meant to be: the one of its tag.
pub(crate) fn meant(records: &[Arc<RecordType>], entries: &[Entry]) -> Option<Arc<RecordType>> {
    let tag = tag(records)?;
    let text = entries.iter().find_map(|entry| match entry {
        Entry::Field(name, value) if *name.text == *tag => match &value.kind {
            ExprKind::Text(text) => match text.parts.as_slice() {
                [ast::TextPart::Literal(text)] => Some(Value::text(text)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })?;
    records.iter().find(|record| values(record, &tag).is_some_and(|own| own.contains(&text))).cloned()
}

/// `m.kind` of a name `m`: the name and the field.
fn tagged(expr: &ast::Expr) -> Option<(&str, &str)> {
    match &expr.kind {
        ExprKind::Member { base, name, optional: false } => match &base.kind {
            ExprKind::Name(word) => Some((word, &name.text)),
            _ => None,
        },
        _ => None,
    }
}

impl Checker<'_> {
    /// Where `m.kind` is one of these values, `m` is one of the records that have them.
    pub(crate) fn narrow_union(&mut self, asked: &ast::Expr, wanted: impl Fn(&Value) -> bool) {
        let Some((name, field)) = tagged(asked) else { return };
        let Some(mut binding) = self.lookup(name).cloned() else { return };
        let Type::Union(records) = &binding.ty else { return };
        if let Some(ty) = with(records, field, wanted) {
            binding.ty = ty;
            self.scope.push(binding);
        }
    }

    /// `m.kind == "disk"`, `m.kind != "disk"`, `m.kind in ["disk", "copy"]`.
    pub(crate) fn narrow_tag(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr) {
        let texts = |expr: &ast::Expr| -> Option<Vec<Value>> {
            let all =
                if let ExprKind::List(items) = &expr.kind { items.as_slice() } else { std::slice::from_ref(expr) };
            all.iter()
                .map(|item| match &item.kind {
                    ExprKind::Text(text) => match text.parts.as_slice() {
                        [ast::TextPart::Literal(text)] => Some(Value::text(text)),
                        _ => None,
                    },
                    _ => None,
                })
                .collect()
        };
        let Some(texts) = texts(right) else { return };
        match op {
            BinaryOp::Equal | BinaryOp::In => self.narrow_union(left, |value| texts.contains(value)),
            BinaryOp::NotEqual | BinaryOp::NotIn => self.narrow_union(left, |value| !texts.contains(value)),
            _ => {}
        }
    }
}
