//! Shapes of the catalogue as types.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::{Member, Service, ShapeId, ShapeKind};
use escher_ir::{Type, Value};

/// A member of a shape, as the language sees it.
#[derive(Clone, Debug)]
pub(crate) struct ShapeField {
    /// Its type.
    pub(crate) ty: Type,
    /// Whether a request must have it.
    pub(crate) required: bool,
    /// Official spelling.
    pub(crate) official: Arc<str>,
    /// Whether it may never be shown.
    pub(crate) sensitive: bool,
}

/// The members of a shape.
pub(crate) type ShapeFields = BTreeMap<Arc<str>, ShapeField>;

/// The members of a structure of a service.
pub(crate) fn fields(service: &Service, members: &[Member]) -> ShapeFields {
    members
        .iter()
        .map(|m| {
            let ty = if m.tags.is_some() { Type::map(Type::STRING) } else { type_of(service, m.shape) };
            let sensitive = service.shape(m.shape).is_some_and(|s| s.sensitive);
            let field = ShapeField { ty, required: m.required, official: m.official.clone(), sensitive };
            (m.name.clone(), field)
        })
        .collect()
}

/// The type of a shape.
pub(crate) fn type_of(service: &Service, id: ShapeId) -> Type {
    let Some(shape) = service.shape(id) else { return Type::Json };
    match &shape.kind {
        ShapeKind::Structure(_) | ShapeKind::Union(_) => Type::Shape(full_name(service, &shape.name)),
        ShapeKind::List { item, .. } => Type::list(type_of(service, *item)),
        ShapeKind::Map { value, .. } => Type::map(type_of(service, *value)),
        ShapeKind::String { values } if !values.is_empty() => {
            Type::Literals(values.iter().map(|v| Value::String(v.clone())).collect())
        }
        ShapeKind::String { .. } => Type::STRING,
        ShapeKind::Integer | ShapeKind::Long => Type::INT,
        ShapeKind::Float | ShapeKind::Double => Type::Float,
        ShapeKind::Boolean => Type::Bool,
        ShapeKind::Timestamp => Type::Instant,
        ShapeKind::Blob => Type::Bytes,
        ShapeKind::Document => Type::Json,
    }
}

/// `aws.ec2.Instance`
pub(crate) fn full_name(service: &Service, shape: &str) -> Arc<str> {
    Arc::from(format!("{}.{}.{}", service.meta.cloud, service.meta.name, shape))
}
