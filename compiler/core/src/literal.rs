//! Literals: text to value and type.

use escher_ir::{Type, Value, units};
use escher_syntax::ast::ExprKind;
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Typed};
use escher_ir::program::Expr;

impl Checker<'_> {
    /// The value of a literal that is no text; none for any other expression.
    pub(crate) fn literal(&mut self, kind: &ExprKind, span: Span) -> Option<Typed> {
        let (value, ty) = match kind {
            ExprKind::None => (Some(Value::None), Type::None),
            ExprKind::Bool(b) => (Some(Value::Bool(*b)), Type::Bool),
            ExprKind::Int(text) => match text.parse::<i64>() {
                Ok(n) => (Some(Value::Int(n)), Type::Int { min: Some(n), max: Some(n) }),
                Err(_) => (None, Type::INT),
            },
            ExprKind::Float(text) => (text.parse().ok().filter(|f: &f64| f.is_finite()).map(Value::Float), Type::Float),
            ExprKind::Duration(text) => (units::parse_duration(text).map(Value::Duration), Type::Duration),
            ExprKind::Size(text) => (units::parse_size(text).map(Value::Size), Type::Size),
            ExprKind::Percent(text) => (units::parse_decimal(text).map(Value::Percent), Type::Percent),
            ExprKind::Money(amount, currency) => {
                (units::parse_decimal(amount).map(|a| Value::Money(a, currency.as_str().into())), Type::Money)
            }
            ExprKind::Instant(text) => (units::parse_instant(text).map(Value::Instant), Type::Instant),
            ExprKind::Date(text) => (units::parse_date(text).map(Value::Date), Type::Date),
            _ => return None,
        };
        Some(match value {
            Some(value) => Typed::new(Expr::Literal(value), ty),
            None => {
                self.say(
                    Diagnostic::error("E0308", span, format!("this is no {ty} that Escher can hold"))
                        .help("numbers have 64 bits; instants and dates must exist in the calendar"),
                );
                Typed::new(Expr::Literal(Value::None), Type::Unknown)
            }
        })
    }
}
