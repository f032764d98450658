//! How many things a step can touch: constants and bounded parameters.

use escher_ir::program::{Expr, Method};
use escher_ir::{Type, Value};

use crate::checker::Typed;

/// Length of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    /// At most so many.
    Known(u64),
    /// Part of the batch at hand, whose items the step counts.
    Batch,
    /// As long as what is handed over for this parameter of an action.
    Param(usize),
    /// Only the run can tell.
    Unknown,
}

/// The length of a list, as far as its expression tells. `batch` is the name of the batch at hand, `params` those of the
/// parameters of the action at hand.
pub(crate) fn length(expr: &Expr, batch: Option<&str>, params: &[String]) -> Length {
    match expr {
        Expr::Local(name) if Some(name.as_str()) == batch => Length::Batch,
        Expr::Local(name) => params.iter().position(|p| p == name).map_or(Length::Unknown, Length::Param),
        Expr::List(items) => Length::Known(items.len() as u64),
        Expr::Literal(Value::List(items)) => Length::Known(items.len() as u64),
        Expr::Method { base, method: Method::Take, arguments } => match arguments.first() {
            Some(Expr::Literal(Value::Int(n))) => Length::Known(u64::try_from(*n).unwrap_or(0)),
            _ => length(base, batch, params),
        },
        Expr::Method {
            base,
            method: Method::Map | Method::Filter | Method::SortBy | Method::Unique | Method::Reverse | Method::Skip,
            ..
        } => length(base, batch, params),
        _ => Length::Unknown,
    }
}

/// The greatest value of a number, where its type or value says.
pub(crate) fn greatest(typed: &Typed) -> Option<u64> {
    match (typed.constant(), &typed.ty) {
        (Some(Value::Int(n)), _) => u64::try_from(*n).ok(),
        (_, Type::Int { max: Some(max), .. }) => u64::try_from(*max).ok(),
        (_, Type::Literals(values)) => {
            values.iter().map(|v| if let Value::Int(n) = v { u64::try_from(*n).ok() } else { None }).max().flatten()
        }
        _ => None,
    }
}
