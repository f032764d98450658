//! Types as written, which type fits which, and what two have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_ir::types::{Field, RecordType};
use escher_ir::{Type, Value, admit, json};
use escher_syntax::ast::{self, TypeKind};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Typed};
use crate::suggest::nearest;
use crate::union;

const NAMES: &[&str] = &[
    "bool", "int", "float", "string", "duration", "size", "percent", "money", "instant", "date", "cloud", "target",
    "json", "list", "map", "secret",
];

/// Names of other languages, and ours.
const FOREIGN: &[(&str, &str)] = &[
    ("str", "string"),
    ("String", "string"),
    ("text", "string"),
    ("number", "int"),
    ("integer", "int"),
    ("Int", "int"),
    ("i64", "int"),
    ("boolean", "bool"),
    ("Bool", "bool"),
    ("array", "list"),
    ("List", "list"),
    ("dict", "map"),
    ("object", "map"),
    ("Map", "map"),
    ("datetime", "instant"),
    ("timestamp", "instant"),
    ("any", "json"),
    ("Any", "json"),
    ("unknown", "json"),
    ("void", "none"),
];

impl Checker<'_> {
    /// The type that a text names.
    pub(crate) fn resolve(&mut self, ty: &ast::Type) -> Type {
        match &ty.kind {
            TypeKind::Named { path, arguments, refinement } => self.named(ty.span, path, arguments, refinement),
            TypeKind::Literal(expr) => {
                let typed = self.expr(expr, None);
                match typed.constant() {
                    Some(value) => Type::Literals(vec![value.clone()]),
                    // By the grammar it is a plain text or a number.
                    None => Type::Unknown,
                }
            }
            TypeKind::Union(parts) => self.union(ty.span, parts),
            TypeKind::Optional(inner) => self.resolve(inner).optional(),
            TypeKind::Record(fields) => {
                let mut record = RecordType::default();
                for field in fields {
                    let required = field.default.is_none();
                    let ty = self.resolve(&field.ty);
                    let absent = false;
                    record.fields.insert(Arc::from(field.name.text.as_str()), Field { ty, required, absent });
                }
                Type::Record(Arc::new(record))
            }
            TypeKind::Error => Type::Unknown,
        }
    }

    fn union(&mut self, span: Span, parts: &[ast::Type]) -> Type {
        let (mut literals, mut records) = (Vec::new(), Vec::new());
        for part in parts {
            match self.resolve(part) {
                Type::Literals(values) if records.is_empty() => literals.extend(values),
                Type::Record(record) if literals.is_empty() => records.push(record),
                Type::Union(more) if literals.is_empty() => records.extend(more),
                Type::Unknown => return Type::Unknown,
                other => {
                    let told = format!("{} cannot be one of several types", describe(&other));
                    self.say(Diagnostic::error("E0208", part.span, told).help(
                        "a union is of texts, such as `\"dev\" | \"test\"`, or of records that a field tells apart",
                    ));
                    return Type::Unknown;
                }
            }
        }
        match records.as_slice() {
            [] => Type::Literals(literals),
            [one] => Type::Record(one.clone()),
            several if union::tag(several).is_some() => Type::Union(records),
            _ => {
                self.say(
                    Diagnostic::error("E0208", span, "nothing tells these records apart")
                        .help("give each a field of one name with a text of its own, such as `kind: \"disk\"`"),
                );
                Type::Unknown
            }
        }
    }

    fn named(&mut self, span: Span, path: &ast::Path, arguments: &[ast::Type], refinement: &[ast::Argument]) -> Type {
        let [first, rest @ ..] = path.segments.as_slice() else { return Type::Unknown };
        if let ([name], true) = (rest, self.imports.contains_key(&first.text)) {
            return self.module_type(&first.text, name);
        }
        if !rest.is_empty() {
            return self.catalogue_type(span, path);
        }
        let expected = match first.text.as_str() {
            "list" | "map" | "secret" => 1,
            _ => 0,
        };
        if arguments.len() != expected {
            let help = if expected == 1 {
                format!("write what it holds: `{}<string>`", first.text)
            } else {
                format!("write `{}` alone", first.text)
            };
            self.say(
                Diagnostic::error(
                    "E0208",
                    span,
                    format!(
                        "`{}` takes {}",
                        first.text,
                        if expected == 1 { "one type in `<…>`" } else { "no types in `<…>`" }
                    ),
                )
                .help(help),
            );
            return Type::Unknown;
        }
        let inner = arguments.first().map(|a| self.resolve(a)).unwrap_or(Type::Unknown);
        let ty = match first.text.as_str() {
            "bool" => Type::Bool,
            "int" => return self.refined_int(refinement),
            "float" => Type::Float,
            "string" => return self.refined_string(refinement),
            "duration" => Type::Duration,
            "size" => Type::Size,
            "percent" => Type::Percent,
            "money" => Type::Money,
            "instant" => Type::Instant,
            "date" => Type::Date,
            "cloud" => Type::Literals(["aws", "azure", "gcp"].map(Value::text).to_vec()),
            "target" => Type::Target,
            "json" => Type::Json,
            "list" => Type::list(inner),
            "map" => Type::map(inner),
            "secret" => {
                if !matches!(inner, Type::String { matches: None, min: None, max: None } | Type::Unknown) {
                    self.say(
                        Diagnostic::error("E0208", span, "a secret is a text, and nothing is known of it")
                            .help("write `secret<string>`"),
                    );
                }
                crate::secret::secret_text()
            }
            name => match self.types.get(name) {
                Some(ty) => ty.clone(),
                None => match self.imported_type(first) {
                    Some(ty) => ty,
                    None => return self.unknown_type(first),
                },
            },
        };
        if let Some(argument) = refinement.first() {
            let message = format!("`{}` cannot be refined", first.text);
            self.error("E0208", argument.value.span, message);
        }
        ty
    }

    fn unknown_type(&mut self, name: &ast::Name) -> Type {
        let mut diagnostic = Diagnostic::error("E0208", name.span, format!("there is no type `{}`", name.text));
        let foreign = FOREIGN.iter().find(|(theirs, _)| *theirs == name.text).map(|(_, ours)| *ours);
        let own = self.types.keys().map(String::as_str);
        if let Some(ours) = foreign {
            diagnostic = diagnostic.help(format!("write `{ours}`")).fix(format!("write `{ours}`"), name.span, ours);
        } else if let Some(near) = nearest(&name.text, NAMES.iter().copied().chain(own)) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else {
            diagnostic = diagnostic.help(format!("the built-in types are {}", NAMES.join(", ")));
        }
        self.say(diagnostic);
        Type::Unknown
    }

    fn catalogue_type(&mut self, span: Span, path: &ast::Path) -> Type {
        let [cloud, service, shape] = path.segments.as_slice() else {
            self.error("E0208", span, "a type of the catalogue is `cloud.service.Shape`, such as `aws.ec2.Instance`");
            return Type::Unknown;
        };
        let Some(found) = self.service(&cloud.text.clone(), service) else { return Type::Unknown };
        if found.structure(&shape.text).is_some() {
            return Type::Shape(crate::shapes::full_name(&found, &shape.text));
        }
        let names: Vec<&str> = found.shapes.iter().filter(|s| !s.members().is_empty()).map(|s| &*s.name).collect();
        let message = format!("`{}.{}` has no shape `{}`", cloud.text, service.text, shape.text);
        let mut diagnostic = Diagnostic::error("E0208", shape.span, message);
        if let Some(near) = nearest(&shape.text, names) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        self.say(diagnostic);
        Type::Unknown
    }

    fn refined_int(&mut self, refinement: &[ast::Argument]) -> Type {
        let Some(argument) = refinement.first() else { return Type::INT };
        if let ast::ExprKind::Binary { op: ast::BinaryOp::Range, left, right, .. } = &argument.value.kind {
            let (low, high) = (self.expr(left, None), self.expr(right, None));
            if let (Some(Value::Int(min)), Some(Value::Int(max))) = (constant_int(&low), constant_int(&high)) {
                if min > max {
                    self.error("E0208", argument.value.span, "this range is empty: its first number is the greater");
                    return Type::Unknown;
                }
                return Type::Int { min: Some(min), max: Some(max) };
            }
        }
        self.say(
            Diagnostic::error("E0208", argument.value.span, "an `int` is refined by a range of constants")
                .help("write `int(1..=20)`"),
        );
        Type::Unknown
    }

    fn refined_string(&mut self, refinement: &[ast::Argument]) -> Type {
        let (mut matches, mut min, mut max) = (None, None, None);
        for argument in refinement {
            let word = argument.name.as_ref().map(|n| n.text.as_str());
            let range = match &argument.value.kind {
                ast::ExprKind::Binary { op: ast::BinaryOp::Range, left, right, .. } => {
                    let (low, high) = (self.expr(left, None), self.expr(right, None));
                    Some((constant_int(&low), constant_int(&high)))
                }
                _ => None,
            };
            match (word, range) {
                (Some("len"), Some((Some(Value::Int(low)), Some(Value::Int(high))))) if low >= 0 && low <= high => {
                    min = u64::try_from(low).ok();
                    max = u64::try_from(high).ok();
                }
                (Some("matches"), None) => {
                    let pattern = self.expr(&argument.value, Some(&Type::STRING));
                    match pattern.constant() {
                        Some(Value::String(text)) => {
                            if let Err(why) = escher_ir::admit::check_pattern(text) {
                                self.error("E0208", argument.value.span, format!("this is no pattern: {why}"));
                            }
                            matches = Some(text.clone());
                        }
                        _ => {
                            self.error("E0208", argument.value.span, "a pattern is a plain text");
                        }
                    }
                }
                _ => {
                    self.say(
                        Diagnostic::error("E0208", argument.value.span, "a `string` is refined by `matches` and `len`")
                            .help("write `string(matches: r\"[a-z-]+\", len: 1..=63)`"),
                    );
                }
            }
        }
        Type::String { matches, min, max }
    }

    /// Says so where a value of one type can't stand where another is expected.
    pub(crate) fn expect(&mut self, typed: &Typed, expected: &Type, span: Span, what: &str) {
        if let Err(diagnostic) = self.mismatch(typed, expected, span, what) {
            self.say(*diagnostic);
        }
    }

    fn mismatch(&mut self, typed: &Typed, expected: &Type, span: Span, what: &str) -> Result<(), Box<Diagnostic>> {
        if let Some(value) = typed.constant()
            && let Some(why) = admit::outside(value, expected).filter(|_| same_base(value, expected))
        {
            return Err(Box::new(outside(expected, span, what, &why)));
        }
        if fits(&typed.ty, expected) {
            return Ok(());
        }
        let found = describe(&typed.ty);
        let wanted = describe(expected);
        if admit::holds_secret(&typed.ty) && !matches!(&typed.ty, Type::Optional(inner) if fits(inner, expected)) {
            let told = Diagnostic::error("E0312", span, format!("{what} is {wanted}, and this is a secret"));
            return Err(Box::new(told.help(
                "a secret only goes where a cloud keeps one, or into a parameter that says so: `password: secret<string>`",
            )));
        }
        let mut diagnostic = Diagnostic::error("E0301", span, format!("{what} is {wanted}, and this is {found}"));
        if let Type::Optional(inner) = &typed.ty {
            if fits(inner, expected) {
                diagnostic = Diagnostic::error("E0305", span, format!("{what} is {wanted}, and this may be `none`"))
                    .help("give a value for that case with `??`, or narrow it with `require … != none`");
            }
        } else if let Type::List(item) = expected {
            if fits(&typed.ty, item) {
                diagnostic = diagnostic.help("write `[ ]` around it: a list of one");
            }
        } else if let Some(plain) = typed.constant().and_then(|v| unquoted(v, expected)) {
            diagnostic =
                diagnostic.help(format!("write it without quotes: `{plain}`")).fix("drop the quotes", span, plain);
        } else if let Some(help) = unit(&typed.ty, expected) {
            diagnostic = diagnostic.help(help);
        } else if matches!(expected, Type::Bool) {
            diagnostic = diagnostic.help("write a condition, such as `x == \"value\"` or `list.count() > 0`");
        } else if matches!(expected, Type::String { .. }) && !matches!(typed.ty, Type::Shape(_) | Type::List(_)) {
            diagnostic = diagnostic.help("write it in a text: `\"{…}\"`");
        }
        Err(Box::new(diagnostic))
    }

    /// The same where a type is wanted: records of one union need nothing else in common.
    pub(crate) fn join_as(a: &Type, b: &Type, wanted: Option<&Type>) -> Option<Type> {
        match wanted {
            Some(union @ Type::Union(_)) if fits(a, union) && fits(b, union) => Some(union.clone()),
            _ => Checker::join(a, b),
        }
    }

    /// What two types have in common; none where they have nothing.
    pub(crate) fn join(a: &Type, b: &Type) -> Option<Type> {
        if a == b {
            return Some(a.clone());
        }
        Some(match (a, b) {
            (Type::Unknown, t) | (t, Type::Unknown) => t.clone(),
            (Type::None, t) | (t, Type::None) => t.clone().optional(),
            (Type::Optional(x), Type::Optional(y)) => Checker::join(x, y)?.optional(),
            (Type::Optional(x), t) | (t, Type::Optional(x)) => Checker::join(x, t)?.optional(),
            (Type::Literals(x), Type::Literals(y)) => {
                let mut all = x.clone();
                all.extend(y.iter().filter(|v| !x.contains(v)).cloned());
                Type::Literals(all)
            }
            (Type::Literals(x), s @ Type::String { .. }) | (s @ Type::String { .. }, Type::Literals(x))
                if x.iter().all(|v| matches!(v, Value::String(_))) =>
            {
                let _ = s;
                Type::STRING
            }
            (Type::String { .. }, Type::String { .. }) => Type::STRING,
            (Type::Int { min: a, max: b }, Type::Int { min: c, max: d }) => {
                Type::Int { min: a.zip(*c).map(|(a, c)| a.min(c)), max: b.zip(*d).map(|(b, d)| b.max(d)) }
            }
            (Type::List(x), Type::List(y)) => Type::list(Checker::join(x, y)?),
            (Type::Map(x), Type::Map(y)) => Type::map(Checker::join(x, y)?),
            (Type::Record(x), Type::Record(y)) if x.fields.keys().eq(y.fields.keys()) => {
                let fields = x.fields.iter().zip(y.fields.values()).map(|((name, a), b)| {
                    let required = a.required && b.required;
                    let absent = a.absent || b.absent;
                    Some((name.clone(), Field { ty: Checker::join(&a.ty, &b.ty)?, required, absent }))
                });
                Type::Record(Arc::new(RecordType { name: None, fields: fields.collect::<Option<_>>()? }))
            }
            (union @ Type::Union(_), other) | (other, union @ Type::Union(_)) if fits(other, union) => union.clone(),
            _ => return None,
        })
    }
}

fn constant_int(typed: &Typed) -> Option<Value> {
    typed.constant().filter(|v| matches!(v, Value::Int(_))).cloned()
}

/// Whether every value of one type is a value of the other.
pub(crate) fn fits(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Unknown, _) | (_, Type::Unknown) => true,
        (from, Type::Json) => !admit::holds_secret(from),
        (Type::None, Type::Optional(_) | Type::None) => true,
        (Type::Optional(a), Type::Optional(b)) => fits(a, b),
        (a, Type::Optional(b)) => fits(a, b),
        (Type::Literals(values), to) => values.iter().all(|v| admit::admits(v, to)),
        (Type::Int { min, max }, Type::Int { min: low, max: high }) => {
            low.is_none_or(|low| min.is_some_and(|min| min >= low))
                && high.is_none_or(|high| max.is_some_and(|max| max <= high))
        }
        (Type::String { .. }, Type::String { matches: None, min: None, max: None }) => true,
        (Type::List(a), Type::List(b)) | (Type::Map(a), Type::Map(b)) => fits(a, b),
        (Type::Record(a), Type::Record(b)) => record_fits(&a.fields, &b.fields),
        (Type::Union(all), to) => all.iter().all(|record| fits(&Type::Record(record.clone()), to)),
        (from, Type::Union(all)) => all.iter().any(|record| fits(from, &Type::Record(record.clone()))),
        (a, b) => a == b,
    }
}

fn record_fits(from: &BTreeMap<Arc<str>, Field>, to: &BTreeMap<Arc<str>, Field>) -> bool {
    to.iter().all(|(name, wanted)| match from.get(name) {
        Some(found) => fits(&found.ty, &wanted.ty),
        None => !wanted.required || matches!(wanted.ty, Type::Optional(_)),
    })
}

/// A type in words.
pub(crate) fn describe(ty: &Type) -> String {
    match ty {
        Type::None => "`none`".into(),
        Type::Literals(values) if values.len() > 4 => "one of several texts".into(),
        Type::Function(..) => "a function".into(),
        // The exact number says nothing about why a number does not fit.
        Type::Int { min, max } if min == max => "`int`".into(),
        other => format!("`{other}`"),
    }
}

/// What to say of a constant that is of the right kind but not among the allowed.
fn outside(expected: &Type, span: Span, what: &str, why: &str) -> Diagnostic {
    if let Type::Literals(allowed) = expected {
        let texts: Vec<String> = allowed.iter().map(json::to_text).collect();
        let mut diagnostic = Diagnostic::error("E0303", span, format!("{what} cannot be {why}"));
        let near = nearest(why.trim_matches(['`', '"']), texts.iter().map(String::as_str));
        diagnostic = match near {
            Some(near) => diagnostic.help(format!("did you mean \"{near}\"?")).fix(
                format!("write \"{near}\""),
                span,
                format!("\"{near}\""),
            ),
            None => {
                let shown: Vec<String> = texts.iter().take(12).map(|t| format!("\"{t}\"")).collect();
                let more = if texts.len() > 12 { ", …" } else { "" };
                diagnostic.help(format!("it is one of {}{more}", shown.join(", ")))
            }
        };
        return diagnostic;
    }
    Diagnostic::error("E0304", span, format!("{what} is `{expected}`, and this is {why}"))
}

/// Whether a constant is of the kind of a type, so that only its value can be wrong.
fn same_base(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (value, Type::Optional(inner)) => same_base(value, inner),
        (Value::Int(_), Type::Int { .. }) | (Value::String(_), Type::String { .. } | Type::Cloud) => true,
        (value, Type::Literals(allowed)) => allowed.iter().any(|a| a.kind() == value.kind()),
        _ => false,
    }
}

/// A text that would be a value of the type, were it not in quotes.
fn unquoted(value: &Value, expected: &Type) -> Option<String> {
    let Value::String(text) = value else { return None };
    let base = match expected {
        Type::Optional(inner) => inner,
        other => other,
    };
    let written_so = match base {
        Type::Int { .. } => text.parse::<i64>().is_ok(),
        Type::Bool => matches!(&**text, "true" | "false"),
        Type::Duration | Type::Size | Type::Percent | Type::Instant | Type::Date => admit::parse(text, base).is_ok(),
        _ => false,
    };
    written_so.then(|| text.to_string())
}

/// What to write where a number has no unit.
fn unit(found: &Type, expected: &Type) -> Option<&'static str> {
    let number = matches!(found, Type::Int { .. } | Type::Float);
    Some(match expected {
        Type::Duration if number => "write a unit: `30s`, `10m`, `1h30m`",
        Type::Size if number => "write a unit: `20GB`, `512MiB`",
        Type::Percent if number => "write `5%`",
        Type::Money if number => "write the currency: `12.50 USD`",
        Type::Instant => "write an instant, with its time and zone: `2026-11-21T08:00:00Z`",
        _ => return None,
    })
}
