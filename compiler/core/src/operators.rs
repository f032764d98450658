//! Operators and the types they work on.

use escher_ir::Type;
use escher_ir::program::{self, Expr};
use escher_syntax::ast::{self, BinaryOp, UnaryOp};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Typed};
use crate::types::{describe, fits};

impl Checker<'_> {
    pub(crate) fn unary(&mut self, op: UnaryOp, operand: &ast::Expr) -> Typed {
        let typed = self.expr(operand, None);
        let (lowered, ty) = match op {
            UnaryOp::Not => {
                self.expect(&typed, &Type::Bool, operand.span, "what follows `not`");
                (program::UnaryOp::Not, Type::Bool)
            }
            UnaryOp::Negate => match &typed.ty {
                Type::Int { min, max } => (
                    program::UnaryOp::Negate,
                    Type::Int { min: max.and_then(i64::checked_neg), max: min.and_then(i64::checked_neg) },
                ),
                t @ (Type::Float | Type::Duration | Type::Money | Type::Unknown) => {
                    (program::UnaryOp::Negate, t.clone())
                }
                other => {
                    let message = format!("`-` needs a number, and this is {}", describe(other));
                    return self.error("E0302", operand.span, message);
                }
            },
        };
        let expr = Expr::Unary(lowered, Box::new(typed.expr));
        match crate::constant::fold(&expr) {
            Some(value) => Typed::new(Expr::Literal(value), ty),
            None => Typed::new(expr, ty),
        }
    }

    pub(crate) fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Typed {
        let l = self.expr(left, None);
        // What stands right of `and` may rely on what stands left of it.
        let r = if op == BinaryOp::And {
            self.scoped(|c| {
                c.narrow(left);
                c.expr(right, None)
            })
        } else {
            let hint = l.ty.clone();
            self.expr(right, Some(&hint))
        };
        let lowered = lower(op);
        let ty = match op {
            BinaryOp::And | BinaryOp::Or => {
                let word = if op == BinaryOp::And { "what stands beside `and`" } else { "what stands beside `or`" };
                self.expect(&l, &Type::Bool, left.span, word);
                self.expect(&r, &Type::Bool, right.span, word);
                Type::Bool
            }
            BinaryOp::Coalesce => {
                let inner = match &l.ty {
                    Type::Optional(inner) => (**inner).clone(),
                    other => other.clone(),
                };
                match Checker::join(&inner, &r.ty) {
                    Some(ty) => ty,
                    None => {
                        let message =
                            format!("`??` has {} on its left and {} on its right", describe(&l.ty), describe(&r.ty));
                        let told = Diagnostic::error("E0302", span, message);
                        self.say(told.help("what stands for `none` is of the type that is there otherwise"));
                        return Typed::error();
                    }
                }
            }
            BinaryOp::Equal | BinaryOp::NotEqual => {
                self.comparable((&l, left.span), (&r, right.span), span);
                self.usage.whole(&l.ty);
                self.usage.whole(&r.ty);
                Type::Bool
            }
            BinaryOp::In | BinaryOp::NotIn => {
                self.membership(&l, &r, span);
                self.usage.whole(&l.ty);
                Type::Bool
            }
            BinaryOp::Range => {
                self.expect(&l, &Type::INT, left.span, "a bound of a range");
                self.expect(&r, &Type::INT, right.span, "a bound of a range");
                Type::list(Type::INT)
            }
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                self.ordered(&l, &r, left.span, right.span, op_span);
                Type::Bool
            }
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                match arithmetic(op, &base(&l.ty), &base(&r.ty)) {
                    Some(ty) => ty,
                    None => return self.no_arithmetic(op, &l, &r, span),
                }
            }
        };
        let expr = Expr::Binary(lowered, Box::new(l.expr), Box::new(r.expr));
        match crate::constant::fold(&expr) {
            Some(value) if matches!(ty, Type::Int { .. } | Type::Duration | Type::Size | Type::Bool | Type::Float) => {
                let ty = match &value {
                    escher_ir::Value::Int(n) => Type::Int { min: Some(*n), max: Some(*n) },
                    _ => ty,
                };
                Typed::new(Expr::Literal(value), ty)
            }
            _ => Typed::new(expr, ty),
        }
    }

    fn no_arithmetic(&mut self, op: BinaryOp, l: &Typed, r: &Typed, span: Span) -> Typed {
        let sign = match op {
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            _ => "/",
        };
        if matches!(l.ty, Type::Unknown) || matches!(r.ty, Type::Unknown) {
            return Typed::error();
        }
        let message = format!("`{sign}` does not work between {} and {}", describe(&l.ty), describe(&r.ty));
        let mut diagnostic = Diagnostic::error("E0302", span, message);
        if matches!((&l.ty, &r.ty), (Type::Duration, Type::Int { .. }) | (Type::Int { .. }, Type::Duration)) {
            diagnostic = diagnostic.help("give the number a unit: `30s`, `5m`");
        } else if matches!(l.ty, Type::Optional(_)) || matches!(r.ty, Type::Optional(_)) {
            diagnostic = diagnostic.help("give a value for `none` with `??`");
        } else if matches!(l.ty, Type::Money) || matches!(r.ty, Type::Money) {
            diagnostic = diagnostic.help("give the number its currency: `3.00 USD`");
        } else if matches!(l.ty, Type::Size) || matches!(r.ty, Type::Size) {
            diagnostic = diagnostic.help("give the number a unit: `20GB`, `512MiB`");
        } else if op == BinaryOp::Add && (is_text(&l.ty) || is_text(&r.ty)) {
            diagnostic = diagnostic.help("put both into a text: `\"{a}{b}\"`");
        } else if op == BinaryOp::Add && matches!(l.ty, Type::List(_)) {
            diagnostic = diagnostic.help("write `list.concat(other)`");
        } else {
            diagnostic = diagnostic.help("both sides are numbers of one kind, or a time and a length of time");
        }
        self.say(diagnostic);
        Typed::error()
    }

    /// Says so where two values can never be equal.
    pub(crate) fn comparable(&mut self, (l, left): (&Typed, Span), (r, right): (&Typed, Span), span: Span) {
        let (a, b) = (unwrap(&l.ty), unwrap(&r.ty));
        if !matches!(a, Type::None) && !matches!(b, Type::None) {
            for (ty, at) in [(a, left), (b, right)] {
                if self.hidden_from(ty, at, "a comparison") {
                    return;
                }
            }
        }
        for (value, at, ty) in [(l, left, b), (r, right, a)] {
            if let (Some(constant @ escher_ir::Value::String(_)), Type::Literals(allowed)) = (value.constant(), ty)
                && allowed.len() > 1
                && !allowed.contains(constant)
            {
                self.expect(value, ty, at, "this");
                return;
            }
        }
        if fits(a, b)
            || fits(b, a)
            || matches!(a, Type::None)
            || matches!(b, Type::None)
            || Checker::join(a, b).is_some()
        {
            return;
        }
        let message = format!("{} and {} are never equal", describe(&l.ty), describe(&r.ty));
        let help = self.member_like(a, b).or_else(|| self.member_like(b, a)).map_or_else(
            || "compare values of one type: a text is made of any with `\"{x}\"`".to_string(),
            |member| format!("write `.{member}` for the text in it"),
        );
        self.say(Diagnostic::error("E0302", span, message).help(help));
    }

    /// The one member of a record that a text could be compared with.
    fn member_like(&mut self, record: &Type, text: &Type) -> Option<String> {
        let Type::Shape(shape) = record else { return None };
        let fields = self.shape_fields(shape)?;
        let mut like = fields.iter().filter(|(_, f)| fits(text, &f.ty)).map(|(name, _)| name.to_string());
        let first = like.next()?;
        like.next().is_none().then_some(first)
    }

    fn membership(&mut self, l: &Typed, r: &Typed, span: Span) {
        if [&l.ty, &r.ty].into_iter().any(|ty| self.hidden_from(ty, span, "a comparison")) {
            return;
        }
        let fine = match unwrap(&r.ty) {
            Type::List(item) => {
                let element = Typed::new(Expr::Local(String::new()), (**item).clone());
                self.comparable((l, span), (&element, span), span);
                return;
            }
            Type::Map(_) | Type::String { .. } => fits(unwrap(&l.ty), &Type::STRING),
            Type::Literals(_) => true,
            Type::Unknown => true,
            _ => false,
        };
        if !fine {
            let message = format!("`in` cannot look for {} in {}", describe(&l.ty), describe(&r.ty));
            self.say(
                Diagnostic::error("E0302", span, message)
                    .help("it looks in a list, among the keys of a map, or in a text"),
            );
        }
    }

    fn ordered(&mut self, l: &Typed, r: &Typed, left: Span, right: Span, op: Span) {
        for (typed, span) in [(l, left), (r, right)] {
            if self.hidden_from(&typed.ty, span, "a comparison") {
                return;
            }
            if matches!(typed.ty, Type::Optional(_) | Type::None) {
                self.say(
                    Diagnostic::error("E0305", span, "this may be `none`, which has no order")
                        .help("give a value for `none` with `??`"),
                );
                return;
            }
        }
        let (a, b) = (base(&l.ty), base(&r.ty));
        let has_order = |t: &Type| {
            matches!(
                t,
                Type::Int { .. }
                    | Type::Float
                    | Type::String { .. }
                    | Type::Duration
                    | Type::Size
                    | Type::Percent
                    | Type::Money
                    | Type::Instant
                    | Type::Date
                    | Type::Unknown
            )
        };
        if !has_order(&a) || !has_order(&b) || (a != b && a != Type::Unknown && b != Type::Unknown) {
            let message = format!("{} and {} have no order", describe(&l.ty), describe(&r.ty));
            let told = Diagnostic::error("E0302", left.join(right).join(op), message);
            let instant = matches!(a, Type::Instant) || matches!(b, Type::Instant);
            self.say(told.help(match () {
                () if instant => "write an instant, with its time and zone and without quotes: `2026-11-21T00:00:00Z`",
                () if a == b => "what has an order is a number, a text, a time, an amount",
                () => "compare values of one type",
            }));
        }
    }

    /// `a != none` narrows `a` from here on.
    pub(crate) fn narrow(&mut self, condition: &ast::Expr) {
        if let ast::ExprKind::Binary { op, left, right, .. } = &condition.kind {
            match (op, &left.kind, &right.kind) {
                (BinaryOp::And, ..) => {
                    self.narrow(left);
                    self.narrow(right);
                }
                (BinaryOp::NotEqual, ast::ExprKind::Name(name), ast::ExprKind::None) => {
                    if let Some(mut binding) = self.lookup(name).cloned()
                        && let Type::Optional(inner) = binding.ty
                    {
                        binding.ty = *inner;
                        self.scope.push(binding);
                    }
                }
                (op, ..) => self.narrow_tag(*op, left, right),
            }
        }
    }
}

fn unwrap(ty: &Type) -> &Type {
    if let Type::Optional(inner) = ty { inner } else { ty }
}

/// A type without refinement: what an operator looks at.
fn base(ty: &Type) -> Type {
    match ty {
        Type::Int { .. } => Type::INT,
        Type::String { .. } => Type::STRING,
        Type::Literals(values) if values.iter().all(|v| matches!(v, escher_ir::Value::String(_))) => Type::STRING,
        Type::Literals(values) if values.iter().all(|v| matches!(v, escher_ir::Value::Int(_))) => Type::INT,
        other => other.clone(),
    }
}

/// The type of a sum, difference, product or quotient; none where there is none.
fn arithmetic(op: BinaryOp, a: &Type, b: &Type) -> Option<Type> {
    use BinaryOp::{Add, Divide, Multiply, Subtract};
    use Type::{Duration, Float, Instant, Int, Money, Percent, Size};
    Some(match (op, a, b) {
        (Add | Subtract | Multiply | Divide, Int { .. }, Int { .. }) => Type::INT,
        (Add | Subtract | Multiply | Divide, Float, Float) => Float,
        (Add | Subtract, Duration, Duration) => Duration,
        (Add | Subtract, Size, Size) => Size,
        (Add | Subtract, Percent, Percent) => Percent,
        (Add | Subtract, Money, Money) => Money,
        (Add | Subtract, Instant, Duration) | (Add, Duration, Instant) => Instant,
        (Subtract, Instant, Instant) => Duration,
        (Multiply | Divide, Duration, Int { .. }) | (Multiply, Int { .. }, Duration) => Duration,
        (Multiply | Divide, Size, Int { .. }) | (Multiply, Int { .. }, Size) => Size,
        (Multiply | Divide, Money, Int { .. }) | (Multiply, Int { .. }, Money) => Money,
        (Multiply, Money, Percent) | (Multiply, Percent, Money) => Money,
        (Add, Type::String { .. }, Type::String { .. }) => Type::STRING,
        (Add, Type::List(x), Type::List(y)) => Type::list(Checker::join(x, y)?),
        _ => return None,
    })
}

fn lower(op: BinaryOp) -> program::BinaryOp {
    match op {
        BinaryOp::Multiply => program::BinaryOp::Multiply,
        BinaryOp::Divide => program::BinaryOp::Divide,
        BinaryOp::Add => program::BinaryOp::Add,
        BinaryOp::Subtract => program::BinaryOp::Subtract,
        BinaryOp::Range => program::BinaryOp::Range,
        BinaryOp::Coalesce => program::BinaryOp::Coalesce,
        BinaryOp::Equal => program::BinaryOp::Equal,
        BinaryOp::NotEqual => program::BinaryOp::NotEqual,
        BinaryOp::Less => program::BinaryOp::Less,
        BinaryOp::LessEqual => program::BinaryOp::LessEqual,
        BinaryOp::Greater => program::BinaryOp::Greater,
        BinaryOp::GreaterEqual => program::BinaryOp::GreaterEqual,
        BinaryOp::In => program::BinaryOp::In,
        BinaryOp::NotIn => program::BinaryOp::NotIn,
        BinaryOp::And => program::BinaryOp::And,
        BinaryOp::Or => program::BinaryOp::Or,
    }
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String { .. })
        || matches!(ty, Type::Literals(all) if all.iter().all(|v| matches!(v, escher_ir::Value::String(_))))
}
