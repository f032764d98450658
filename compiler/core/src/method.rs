//! The closed table of methods: which type has which, and what it gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_ir::program::{BinaryOp, Expr, Method};
use escher_ir::types::{Field, RecordType};
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ExprKind};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Place, Typed};
use crate::scope::Origin;
use crate::suggest::nearest;
use crate::types::describe;

/// What `a?.method(…)` calls `a`, once it is there.
const THERE: &str = "?";

/// Words of other languages for methods.
const FOREIGN: &[(&str, &str)] = &[
    ("len", "count"),
    ("size", "count"),
    ("where", "filter"),
    ("select", "map"),
    ("flatMap", "flat_map"),
    ("sort", "sort_by"),
    ("groupBy", "group_by"),
    ("distinct", "unique"),
    ("head", "first"),
    ("limit", "take"),
    ("includes", "contains"),
    ("toLowerCase", "lower"),
    ("to_lower", "lower"),
    ("toUpperCase", "upper"),
    ("to_upper", "upper"),
    ("startsWith", "starts_with"),
    ("startswith", "starts_with"),
    ("endsWith", "ends_with"),
    ("endswith", "ends_with"),
    ("strip", "trim"),
    ("mod", "remainder"),
    ("modulo", "remainder"),
    ("rem", "remainder"),
];

impl Checker<'_> {
    pub(crate) fn method(
        &mut self,
        base: &ast::Expr,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Typed {
        let base_typed = self.expr(base, None);
        self.method_of(base_typed, base.span, name, arguments, span)
    }

    /// `a?.method(…)`: none where `a` is.
    pub(crate) fn method_if_there(
        &mut self,
        base: &ast::Expr,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Typed {
        let typed = self.expr(base, None);
        let inner = match &typed.ty {
            Type::Optional(inner) => (**inner).clone(),
            other => other.clone(),
        };
        // No name of the language: nothing hides it, and it hides nothing.
        let there = Expr::Local(THERE.into());
        let given = self.method_of(Typed::new(there.clone(), inner), base.span, name, arguments, span);
        let lambda = |body| Expr::Lambda { params: vec![THERE.into()], body: Box::new(body) };
        let method = |base, method, arguments| Expr::Method { base: Box::new(base), method, arguments };
        let is_there = Expr::Binary(BinaryOp::NotEqual, Box::new(there), Box::new(Expr::Literal(Value::None)));
        let one = Expr::List(vec![Expr::Maybe(Box::new(typed.expr))]);
        let kept = method(one, Method::Filter, vec![lambda(is_there)]);
        let mapped = method(kept, Method::Map, vec![lambda(given.expr)]);
        Typed::new(method(mapped, Method::First, Vec::new()), given.ty.optional())
    }

    fn method_of(
        &mut self,
        base_typed: Typed,
        base_span: Span,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Typed {
        let found = Method::TABLE.iter().find(|(word, _)| *word == name.text).map(|(_, m)| *m);
        let ty = match base_typed.ty.clone() {
            Type::Literals(_) => Type::STRING,
            other => other,
        };
        if ty == Type::Unknown {
            for argument in arguments {
                if let ExprKind::Lambda { params, .. } = &argument.value.kind {
                    let unknown = vec![Type::Unknown; params.len()];
                    self.lambda(&argument.value, &unknown);
                } else {
                    self.expr(&argument.value, None);
                }
            }
            return Typed::error();
        }
        if let Type::Optional(_) = ty {
            self.say(
                Diagnostic::error("E0305", base_span, format!("this may be `none`, which has no `{}`", name.text))
                    .help(format!(
                        "write `?.{}(…)`, give a value for that case with `??`, or narrow it with `require … != none`",
                        name.text
                    )),
            );
            return Typed::error();
        }
        let typed = found.and_then(|method| self.typed_method(&ty, method, name, arguments, span));
        match (found, typed) {
            (Some(method), Some((lowered, result))) => {
                Typed::new(Expr::Method { base: Box::new(base_typed.expr), method, arguments: lowered }, result)
            }
            (Some(_), None) if self.has_method(&ty, &name.text) => Typed::error(),
            _ => {
                self.no_method(&ty, name);
                Typed::error()
            }
        }
    }

    fn has_method(&self, ty: &Type, name: &str) -> bool {
        words_of(ty).contains(&name)
    }

    fn no_method(&mut self, ty: &Type, name: &ast::Name) {
        let mut diagnostic =
            Diagnostic::error("E0207", name.span, format!("{} has no method `{}`", describe(ty), name.text));
        let words = words_of(ty);
        let foreign = FOREIGN.iter().find(|(theirs, ours)| *theirs == name.text && words.contains(ours));
        let near = foreign.map(|(_, ours)| *ours).or_else(|| match crate::foreign::method(&name.text) {
            Some(_) => None,
            None => nearest(&name.text, words.iter().copied()),
        });
        diagnostic = match near {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), name.span, near)
            }
            None if crate::foreign::method(&name.text).is_some() => {
                diagnostic.help(crate::foreign::method(&name.text).unwrap_or_default())
            }
            None if matches!(ty, Type::Secret(_)) => diagnostic.help("nobody looks into a secret: it is sent as it is"),
            None if words.is_empty() => diagnostic.help("it has no methods"),
            None => diagnostic.help(format!("it has {}", words.join(", "))),
        };
        self.say(diagnostic);
    }

    /// A lambda over values of these types: what executes, and the type it gives.
    pub(crate) fn lambda(&mut self, expr: &ast::Expr, params: &[Type]) -> (Expr, Type) {
        let ExprKind::Lambda { params: names, body, .. } = &expr.kind else {
            if !matches!(expr.kind, ExprKind::Error) {
                self.say(
                    Diagnostic::error("E0306", expr.span, "a function is needed here")
                        .help("write `x => …`, or `.name` for a member"),
                );
            }
            return (
                Expr::Lambda { params: vec![String::new(); params.len()], body: Box::new(Typed::error().expr) },
                Type::Unknown,
            );
        };
        if names.len() != params.len() {
            self.error("E0307", expr.span, format!("this function gets {} values, not {}", params.len(), names.len()));
        }
        // A step's `for` is the only fan-out of changes: nothing bounds what a lambda is called for.
        let outer = self.place;
        if outer == Place::Change {
            self.place = Place::Read;
        }
        let around = std::mem::replace(&mut self.in_lambda, true);
        let lowered = self.scoped(|c| {
            for (name, ty) in names.iter().zip(params) {
                c.bind(name, ty.clone(), Origin::Lambda);
            }
            let body = c.expr(body, None);
            let lowered =
                Expr::Lambda { params: names.iter().map(|n| n.text.clone()).collect(), body: Box::new(body.expr) };
            (lowered, body.ty)
        });
        (self.place, self.in_lambda) = (outer, around);
        lowered
    }

    fn typed_method(
        &mut self,
        ty: &Type,
        method: Method,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Option<(Vec<Expr>, Type)> {
        if !self.has_method(ty, &name.text) {
            return None;
        }
        match ty {
            Type::List(item) => self.list_method(item, method, name, arguments, span),
            Type::Map(value) => self.map_method(value, method, name, arguments, span),
            Type::String { .. } => self.string_method(method, name, arguments, span),
            Type::Int { .. } if method == Method::Remainder => {
                let counted = self.count_arguments(&name.text, arguments, &[1], span);
                let divisor = arguments.first().filter(|_| counted)?;
                Some((vec![self.expr_of(&divisor.value, &Type::INT, "what it is divided by").expr], Type::INT))
            }
            _ => Some((Vec::new(), Type::STRING)),
        }
    }

    fn count_arguments(&mut self, name: &str, arguments: &[ast::Argument], counts: &[usize], span: Span) -> bool {
        if counts.contains(&arguments.len()) {
            return true;
        }
        let wanted: Vec<String> = counts.iter().map(ToString::to_string).collect();
        let takes = match wanted.as_slice() {
            [one] if one == "0" => "no arguments".to_string(),
            [one] if one == "1" => "one argument".to_string(),
            _ => format!("{} arguments", wanted.join(" or ")),
        };
        let told = Diagnostic::error("E0307", span, format!("`{name}` takes {takes}, not {}", arguments.len()));
        self.say(match (name, arguments.len()) {
            ("get", 2) => told.help("write `map[\"key\"] ?? \"value\"` for a value that stands for none"),
            (_, 0) => told.help("write what it is asked with: `list.take(5)`, `list.filter(x => …)`"),
            _ => told.help(format!("leave the others out of `{name}(…)`")),
        });
        false
    }

    fn list_method(
        &mut self,
        item: &Type,
        method: Method,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Option<(Vec<Expr>, Type)> {
        let one = std::slice::from_ref(item);
        let counts: &[usize] = match method {
            Method::Count | Method::First | Method::Sum | Method::Min | Method::Max | Method::Unique => &[0, 1],
            Method::Last | Method::Reverse | Method::Flatten | Method::Length => &[0],
            _ => &[1],
        };
        if !self.count_arguments(&name.text, arguments, counts, span) {
            return None;
        }
        let first = arguments.first();
        let list = Type::list(item.clone());
        let compares = match method {
            Method::Contains | Method::Join => true,
            Method::Unique | Method::Min | Method::Max | Method::Sum => first.is_none(),
            _ => false,
        };
        if compares && self.hidden_from(item, span, "a comparison or a text") {
            return None;
        }
        Some(match (method, first) {
            (Method::Filter, Some(a)) => (vec![self.predicate(&a.value, one)], list),
            (Method::Any | Method::All, Some(a)) => (vec![self.predicate(&a.value, one)], Type::Bool),
            (Method::Count, Some(a)) => (vec![self.predicate(&a.value, one)], Type::INT),
            (Method::First, Some(a)) => (vec![self.predicate(&a.value, one)], item.clone().optional()),
            (Method::Map, Some(a)) => {
                let (lambda, result) = self.lambda(&a.value, one);
                (vec![lambda], Type::list(result))
            }
            (Method::ToMap, Some(a)) => {
                let typed = Typed::new(Expr::Local(String::new()), item.clone());
                self.expect(&typed, &Type::STRING, span, "a key of a map");
                let (lambda, result) = self.lambda(&a.value, one);
                (vec![lambda], Type::map(result))
            }
            (Method::FlatMap, Some(a)) => {
                let (lambda, result) = self.lambda(&a.value, one);
                match result {
                    Type::List(_) | Type::Unknown => (vec![lambda], result),
                    other => {
                        self.say(
                            Diagnostic::error(
                                "E0301",
                                a.value.span,
                                format!("`flat_map` needs a list of each, and this gives {}", describe(&other)),
                            )
                            .help("write `map` where each gives one value"),
                        );
                        (vec![lambda], Type::list(Type::Unknown))
                    }
                }
            }
            (Method::SortBy | Method::Unique, Some(a)) => {
                let (lambda, key) = self.lambda(&a.value, one);
                self.hidden_from(&key, a.value.span, "a comparison");
                (vec![lambda], list)
            }
            (Method::GroupBy, Some(a)) => {
                let (lambda, key) = self.lambda(&a.value, one);
                let typed = Typed::new(Expr::Local(String::new()), key);
                self.expect(&typed, &Type::STRING, a.value.span, "the key of a group");
                (vec![lambda], Type::map(list))
            }
            (Method::Sum, Some(a)) => {
                let (lambda, result) = self.lambda(&a.value, one);
                (vec![lambda], result)
            }
            (Method::Min | Method::Max, Some(a)) => {
                let (lambda, result) = self.lambda(&a.value, one);
                self.hidden_from(&result, a.value.span, "a comparison");
                (vec![lambda], result.optional())
            }
            (Method::Take | Method::Skip, Some(a)) => (vec![self.expr_of(&a.value, &Type::INT, "how many").expr], list),
            (Method::Join, Some(a)) => {
                (vec![self.expr_of(&a.value, &Type::STRING, "what stands between").expr], Type::STRING)
            }
            (Method::Contains, Some(a)) => {
                self.usage.whole(item);
                (vec![self.expr(&a.value, Some(item)).expr], Type::Bool)
            }
            (Method::Concat, Some(a)) => (vec![self.expr_of(&a.value, &list, "the other list").expr], list),
            (Method::Zip, Some(a)) => {
                let other = self.expr(&a.value, None);
                let right = if let Type::List(inner) = &other.ty { (**inner).clone() } else { Type::Unknown };
                let field = |ty| Field { ty, required: true, absent: false };
                let fields: BTreeMap<Arc<str>, Field> =
                    [(Arc::from("left"), field(item.clone())), (Arc::from("right"), field(right))].into();
                (vec![other.expr], Type::list(Type::Record(Arc::new(RecordType { name: None, fields }))))
            }
            (Method::Count | Method::Length, None) => (Vec::new(), Type::Int { min: Some(0), max: None }),
            (Method::First | Method::Last, None) => (Vec::new(), item.clone().optional()),
            (Method::Sum, None) => (Vec::new(), item.clone()),
            (Method::Min | Method::Max, None) => (Vec::new(), item.clone().optional()),
            (Method::Unique | Method::Reverse, None) => {
                self.usage.whole(item);
                (Vec::new(), list)
            }
            (Method::Flatten, None) => (Vec::new(), item.clone()),
            _ => return None,
        })
    }

    fn predicate(&mut self, expr: &ast::Expr, params: &[Type]) -> Expr {
        let cutting = std::mem::replace(&mut self.cutting, true);
        let (lambda, result) = self.lambda(expr, params);
        self.cutting = cutting;
        let typed = Typed::new(Expr::Local(String::new()), result);
        self.expect(&typed, &Type::Bool, expr.span, "a condition");
        lambda
    }

    fn map_method(
        &mut self,
        value: &Type,
        method: Method,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Option<(Vec<Expr>, Type)> {
        let takes = usize::from(matches!(method, Method::Get | Method::Contains | Method::Merge));
        if !self.count_arguments(&name.text, arguments, &[takes], span) {
            return None;
        }
        let first = arguments.first();
        Some(match (method, first) {
            (Method::Keys, _) => (Vec::new(), Type::list(Type::STRING)),
            (Method::Values, _) => (Vec::new(), Type::list(value.clone())),
            (Method::Count | Method::Length, _) => (Vec::new(), Type::Int { min: Some(0), max: None }),
            (Method::Get, Some(a)) => {
                (vec![self.expr_of(&a.value, &Type::STRING, "a key").expr], value.clone().optional())
            }
            (Method::Contains, Some(a)) => (vec![self.expr_of(&a.value, &Type::STRING, "a key").expr], Type::Bool),
            (Method::Merge, Some(a)) => {
                let map = Type::map(value.clone());
                (vec![self.expr_of(&a.value, &map, "the other map").expr], map)
            }
            _ => return None,
        })
    }

    fn string_method(
        &mut self,
        method: Method,
        name: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Option<(Vec<Expr>, Type)> {
        let (takes, result) = match method {
            Method::Lower | Method::Upper | Method::Trim | Method::ToString => (0, Type::STRING),
            Method::Length | Method::Count => (0, Type::Int { min: Some(0), max: None }),
            Method::ToInt => (0, Type::INT.optional()),
            Method::ToInstant => (0, Type::Instant.optional()),
            Method::Split => (1, Type::list(Type::STRING)),
            Method::StartsWith | Method::EndsWith | Method::Contains => (1, Type::Bool),
            Method::Replace => (2, Type::STRING),
            _ => return None,
        };
        if !self.count_arguments(&name.text, arguments, &[takes], span) {
            return None;
        }
        let lowered = arguments.iter().map(|a| self.expr_of(&a.value, &Type::STRING, "this argument").expr).collect();
        Some((lowered, result))
    }
}

/// The methods of a type.
fn words_of(ty: &Type) -> &'static [&'static str] {
    match ty {
        Type::List(_) => &[
            "all", "any", "concat", "contains", "count", "filter", "first", "flat_map", "flatten", "group_by", "join",
            "last", "map", "max", "min", "reverse", "skip", "sort_by", "sum", "take", "to_map", "unique", "zip",
        ],
        Type::Map(_) => &["contains", "count", "get", "keys", "merge", "values"],
        Type::String { .. } => &[
            "contains",
            "ends_with",
            "length",
            "lower",
            "replace",
            "split",
            "starts_with",
            "to_instant",
            "to_int",
            "trim",
            "upper",
        ],
        Type::Int { .. } => &["remainder", "to_string"],
        Type::Bool
        | Type::Float
        | Type::Duration
        | Type::Size
        | Type::Percent
        | Type::Money
        | Type::Instant
        | Type::Date => &["to_string"],
        _ => &[],
    }
}
