//! `a.b`, `a?.b`, `a[i]`.

use std::collections::BTreeSet;
use std::sync::Arc;

use escher_ir::program::{Builtin, Expr};
use escher_ir::types::RecordType;
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ExprKind};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Typed};
use crate::scope::Origin;
use crate::suggest::nearest;
use crate::types::describe;

/// The words of `a.b.c`, where an expression is nothing else.
pub(crate) fn path_of(expr: &ast::Expr) -> Option<Vec<ast::Name>> {
    match &expr.kind {
        ExprKind::Name(name) => Some(vec![ast::Name { text: name.clone(), span: expr.span }]),
        ExprKind::Member { base, name, optional: false } => {
            let mut path = path_of(base)?;
            path.push(name.clone());
            Some(path)
        }
        _ => None,
    }
}

/// Whether a path begins with a cloud.
pub(crate) fn is_cloud(path: &[ast::Name]) -> bool {
    path.first().is_some_and(|n| matches!(n.text.as_str(), "aws" | "azure" | "gcp"))
}

impl Checker<'_> {
    pub(crate) fn member(&mut self, base: &ast::Expr, name: &ast::Name, optional: bool, span: Span) -> Typed {
        if let ExprKind::Name(word) = &base.kind {
            if let Some(Origin::Step { item, .. }) = self.lookup(word).map(|b| b.origin.clone()) {
                self.uses.insert(word.clone());
                return self.step_member(&word.clone(), item, name);
            }
            if let Some(Origin::Run(info)) = self.lookup(word).map(|b| b.origin.clone()) {
                return self.outcome_member(&word.clone(), &info, name);
            }
            if word == "run" {
                return self.run_member(name);
            }
        }
        if let Some(module) = self.module_of(base) {
            return self.module_member(&module, name, span);
        }
        if let Some(path) = path_of(base).filter(|p| is_cloud(p)) {
            let written: Vec<&str> = path.iter().map(|n| n.text.as_str()).collect();
            self.say(
                Diagnostic::error(
                    "E0201",
                    span,
                    format!("`{}.{}` is an operation, not a value", written.join("."), name.text),
                )
                .help("call it: write `(…)` after it"),
            );
            return Typed::error();
        }
        let base_typed = self.expr(base, None);
        let (inner, was_optional) = match base_typed.ty.clone() {
            Type::Optional(inner) => (*inner, true),
            other => (other, false),
        };
        if was_optional && !optional {
            self.say(
                Diagnostic::error("E0305", base.span, format!("this may be `none`, which has no `{}`", name.text))
                    .help(format!("write `?.{}`, or narrow it with `require … != none`", name.text)),
            );
            return Typed::error();
        }
        let Some(ty) = self.member_type(&inner, name) else { return Typed::error() };
        // Where a record was read is no member of it.
        if name.text == "target" && matches!(inner, Type::Shape(_)) && ty == Type::Target {
            return Typed::new(Expr::Builtin(Builtin::TargetOf, vec![base_typed.expr]), Type::Target);
        }
        let lowered = Expr::Member { base: Box::new(base_typed.expr), name: name.text.clone(), optional };
        Typed::new(lowered, if optional { ty.optional() } else { ty })
    }

    /// The type of a member, or nothing after saying what is wrong.
    pub(crate) fn member_type(&mut self, base: &Type, name: &ast::Name) -> Option<Type> {
        match base {
            Type::Unknown => None,
            Type::Shape(shape) => self.shape_member(shape, name),
            Type::Record(record) => match record.fields.get(name.text.as_str()) {
                Some(field) => Some(field.ty.clone()),
                None => {
                    let names: Vec<&str> = record.fields.keys().map(|k| &**k).collect();
                    self.no_member(name, "this record", &names);
                    None
                }
            },
            Type::Union(records) => {
                let found: Vec<Option<Type>> =
                    records.iter().map(|r| r.fields.get(name.text.as_str()).map(|f| f.ty.clone())).collect();
                let of_all: Option<Vec<Type>> = found.iter().cloned().collect();
                let joined =
                    of_all.and_then(|all| all.into_iter().map(Some).reduce(|a, b| Checker::join(&a?, &b?)).flatten());
                if joined.is_none() {
                    self.not_of_all(records, name, found.iter().any(Option::is_some));
                }
                joined
            }
            Type::Target => match name.text.as_str() {
                "cloud" | "account" | "region" => Some(Type::STRING),
                _ => {
                    self.no_member(name, "a target", &["cloud", "account", "region"]);
                    None
                }
            },
            Type::Map(_) => {
                self.say(
                    Diagnostic::error("E0206", name.span, "a map is looked up by key")
                        .help(format!("write `[\"{}\"]`", name.text)),
                );
                None
            }
            Type::List(item) => {
                let help = if matches!(**item, Type::Shape(_) | Type::Record(_)) {
                    format!("write `.map(.{})` for that of each, or `.first()` for the first", name.text)
                } else {
                    "call a method of it, such as `.count()`".to_string()
                };
                self.say(Diagnostic::error("E0206", name.span, format!("a list has no `{}`", name.text)).help(help));
                None
            }
            other => {
                let message = format!("{} has no member `{}`", describe(other), name.text);
                self.say(Diagnostic::error("E0206", name.span, message));
                None
            }
        }
    }

    /// A member that not all records of a union have alike.
    fn not_of_all(&mut self, records: &[Arc<RecordType>], name: &ast::Name, some: bool) {
        if !some {
            let names: BTreeSet<&str> = records.iter().flat_map(|r| r.fields.keys().map(|k| &**k)).collect();
            return self.no_member(name, "each of these records", &names.into_iter().collect::<Vec<_>>());
        }
        let tag = crate::union::tag(records).unwrap_or_default();
        self.say(
            Diagnostic::error("E0206", name.span, format!("not all of these records have `{}` alike", name.text))
                .help(format!("ask which it is: `match x.{tag} {{ … }}`, `if x.{tag} == \"…\" {{ … }}`, or `require`")),
        );
    }

    fn shape_member(&mut self, shape: &Arc<str>, name: &ast::Name) -> Option<Type> {
        let fields = self.shape_fields(shape)?;
        if let Some(field) = fields.get(name.text.as_str()) {
            let ty = match field.sensitive {
                true => crate::secret::answered(&field.ty),
                false => Some(field.ty.clone()),
            };
            if ty.is_none() {
                self.say(
                    Diagnostic::error(
                        "E0311",
                        name.span,
                        format!("`{}` holds secrets in a form that is never read", name.text),
                    )
                    .help("one text or one key is read as a secret; leave the rest to the cloud's own stores"),
                );
            }
            self.usage.read(shape, &name.text, &field.ty);
            return ty;
        }
        if name.text == "target" {
            return Some(Type::Target);
        }
        if let Some((ours, _)) = fields.iter().find(|(_, f)| *f.official == *name.text) {
            self.say(
                Diagnostic::error("E0209", name.span, format!("write `{ours}` here"))
                    .help("members are written in snake case")
                    .fix(format!("write `{ours}`"), name.span, &**ours),
            );
            return fields.get(ours).map(|f| f.ty.clone());
        }
        let names: Vec<&str> = fields.keys().map(|k| &**k).collect();
        let short = format!("`{shape}`");
        self.no_member(name, &short, &names);
        None
    }

    pub(crate) fn no_member(&mut self, name: &ast::Name, what: &str, names: &[&str]) {
        let mut diagnostic = Diagnostic::error("E0206", name.span, format!("{what} has no member `{}`", name.text));
        diagnostic = match nearest(&name.text, names.iter().copied()) {
            Some(near) => {
                diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), name.span, near)
            }
            None => {
                let shown: Vec<&str> = names.iter().take(12).copied().collect();
                let more = if names.len() > 12 { ", …" } else { "" };
                diagnostic.help(format!("it has {}{more}", shown.join(", ")))
            }
        };
        self.say(diagnostic);
    }

    pub(crate) fn index(&mut self, base: &ast::Expr, index: &ast::Expr) -> Typed {
        let base_typed = self.expr(base, None);
        let (key, result) = match &base_typed.ty {
            Type::Map(value) => (Type::STRING, (**value).clone().optional()),
            Type::List(item) => (Type::INT, (**item).clone().optional()),
            Type::Unknown => (Type::Unknown, Type::Unknown),
            other => {
                let message = format!("{} cannot be looked up with `[…]`", describe(other));
                self.say(Diagnostic::error("E0302", base.span, message).help("members are read with `.name`"));
                return Typed::error();
            }
        };
        let index_typed = self.expr_of(index, &key, "what it is looked up by");
        if let Some(Value::Int(n)) = index_typed.constant()
            && *n < 0
        {
            self.say(
                Diagnostic::error("E0304", index.span, "a position counts from 0").help("write `.last()` for the last"),
            );
        }
        let lowered = Expr::Index { base: Box::new(base_typed.expr), index: Box::new(index_typed.expr) };
        Typed::new(lowered, result)
    }
}
