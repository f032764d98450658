//! Expressions: types inferred, meaning lowered, in one walk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escher_ir::program::{self, Builtin, Expr, Method, RecordPart, StepPart, TextPart};
use escher_ir::types::{Field, RecordType};
use escher_ir::{Target, Type, Value};
use escher_syntax::ast::{self, Entry, ExprKind};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Typed};
use crate::scope::Origin;
use crate::shapes::ShapeFields;
use crate::suggest::nearest;
use crate::types::describe;

/// Values of other languages that have a word here.
const FOREIGN: &[(&str, &str)] = &[
    ("None", "none"),
    ("null", "none"),
    ("nil", "none"),
    ("undefined", "none"),
    ("True", "true"),
    ("False", "false"),
    ("TRUE", "true"),
    ("FALSE", "false"),
];

impl Checker<'_> {
    /// Lowers an expression. `expected` is a hint for literals, records and lambdas, not a check.
    pub(crate) fn expr(&mut self, expr: &ast::Expr, expected: Option<&Type>) -> Typed {
        let expected = match expected {
            Some(Type::Optional(inner)) => Some(&**inner),
            other => other,
        };
        if let Some(literal) = self.literal(&expr.kind, expr.span) {
            return literal;
        }
        match &expr.kind {
            ExprKind::Text(text) => self.text(text),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::List(items) => self.list(items, expected),
            ExprKind::Braces(entries) => self.braces(entries, expr.span, expected),
            ExprKind::Member { base, name, optional } => self.member(base, name, *optional, expr.span),
            ExprKind::Maybe(inner) => {
                let inner = self.expr(inner, expected);
                Typed::new(Expr::Maybe(Box::new(inner.expr)), inner.ty.optional())
            }
            ExprKind::Index { base, index } => self.index(base, index),
            ExprKind::Call { callee, arguments } => self.call(callee, arguments, expr.span),
            ExprKind::Catch { call, arms } => self.catching(call, arms, expr.span, expected),
            ExprKind::Unless { call, probe } => self.unless(call, probe, expr.span, expected),
            ExprKind::Lambda { .. } => {
                self.say(
                    Diagnostic::error("E0306", expr.span, "a function stands here, and a value is needed")
                        .help("functions such as `x => x.name` are arguments of methods: `list.map(x => x.name)`"),
                );
                Typed::error()
            }
            ExprKind::If { condition, then, otherwise } => self.if_expr(condition, then, otherwise.as_ref(), expected),
            ExprKind::Match { subject, arms } => self.match_expr(subject, arms, expr.span, expected),
            ExprKind::With { target, body } => self.with(target, body, expected),
            ExprKind::Unary { op, operand } => self.unary(*op, operand),
            ExprKind::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, expr.span),
            _ => Typed::error(),
        }
    }

    /// Lowers an expression and says so where its value does not fit.
    pub(crate) fn expr_of(&mut self, expr: &ast::Expr, expected: &Type, what: &str) -> Typed {
        let typed = self.expr(expr, Some(expected));
        let typed = self.referred(typed, expected, expr.span);
        self.expect(&typed, expected, expr.span, what);
        typed
    }

    pub(crate) fn text(&mut self, text: &ast::Text) -> Typed {
        let mut parts = Vec::new();
        for part in &text.parts {
            match part {
                ast::TextPart::Literal(s) => parts.push(TextPart::Literal(s.clone())),
                ast::TextPart::Hole(e) => {
                    let typed = self.expr(e, None);
                    self.usage.whole(&typed.ty);
                    self.hidden_from(&typed.ty, e.span, "a text");
                    parts.push(TextPart::Hole(typed.expr));
                }
            }
        }
        match parts.as_slice() {
            [] => plain(""),
            [TextPart::Literal(s)] => plain(s),
            _ => Typed::new(Expr::Text(parts), Type::STRING),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Typed {
        if let Some(binding) = self.lookup(name).cloned() {
            return match binding.origin {
                Origin::Const(value) => Typed::new(Expr::Literal(value), binding.ty),
                Origin::Run(_) => {
                    self.say(
                        Diagnostic::error("E0206", span, format!("`{name}` is a run, not a value"))
                            .help(format!("write `{name}.items(\"step\")`, `{name}.calls(…)`, `{name}.refused`")),
                    );
                    Typed::error()
                }
                Origin::Step { .. } => {
                    self.say(
                        Diagnostic::error("E0206", span, format!("`{name}` is a step, not a value"))
                            .help(format!("write `{name}.items` for what it finished, or `{name}.failed`")),
                    );
                    Typed::error()
                }
                Origin::Node => {
                    self.uses.insert(name.to_string());
                    self.located |= self.located_nodes.contains(name);
                    self.staged |= self.staged_names.contains(name);
                    self.takes_over(self.lenient_nodes.get(name).copied(), self.cut_nodes.get(name).copied());
                    Typed::new(Expr::Local(name.to_string()), binding.ty)
                }
                Origin::Param | Origin::Lambda => Typed::new(Expr::Local(name.to_string()), binding.ty),
            };
        }
        if self.imports.contains_key(name) {
            self.say(
                Diagnostic::error("E0206", span, format!("`{name}` is a module, not a value"))
                    .help(format!("write what you need of it: `{name}.…`")),
            );
            return Typed::error();
        }
        let mut diagnostic = Diagnostic::error("E0201", span, format!("there is no `{name}` here"));
        if let Some((_, ours)) = FOREIGN.iter().find(|(theirs, _)| *theirs == name) {
            diagnostic = diagnostic.help(format!("write `{ours}`")).fix(format!("write `{ours}`"), span, *ours);
        } else if let Some(help) = crate::foreign::value(name) {
            diagnostic = diagnostic.help(help);
        } else if let Some(near) = nearest(name, self.scope.iter().map(|b| b.name.as_str())) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else if matches!(name, "aws" | "azure" | "gcp") {
            diagnostic = diagnostic.help("an operation is called: `aws.ec2.describe_instances()`");
        } else if let Some(cloud) = ["aws", "azure", "gcp"].into_iter().find(|c| self.world.service(c, name).is_some())
        {
            diagnostic = diagnostic.help(format!("`{name}` is a service: write `{cloud}.{name}`"));
        } else {
            diagnostic = diagnostic.help(format!("define it above with `let {name} = …`, or make it a parameter"));
        }
        self.say(diagnostic);
        Typed::error()
    }

    fn list(&mut self, items: &[ast::Expr], expected: Option<&Type>) -> Typed {
        let hint = if let Some(Type::List(item)) = expected { Some(&**item) } else { None };
        let mut exprs = Vec::with_capacity(items.len());
        let mut ty = Type::Unknown;
        for item in items {
            let typed = self.expr(item, hint);
            match Checker::join_as(&ty, &typed.ty, hint) {
                Some(joined) => ty = joined,
                None => {
                    let message = format!(
                        "a list holds one kind of value: {} before, {} here",
                        describe(&ty),
                        describe(&typed.ty)
                    );
                    self.error("E0301", item.span, message);
                }
            }
            exprs.push(typed.expr);
        }
        // A list of constants is a constant.
        let constants: Option<Vec<Value>> =
            exprs.iter().map(|e| if let Expr::Literal(v) = e { Some(v.clone()) } else { None }).collect();
        match constants {
            Some(values) => Typed::new(Expr::Literal(Value::list(values)), Type::list(ty)),
            None => Typed::new(Expr::List(exprs), Type::list(ty)),
        }
    }

    fn braces(&mut self, entries: &[Entry], span: Span, expected: Option<&Type>) -> Typed {
        let pairs = entries.iter().any(|e| matches!(e, Entry::Pair(..)));
        let fields = entries.iter().any(|e| matches!(e, Entry::Field(..)));
        let wants_map = matches!(expected, Some(Type::Map(_)));
        match expected {
            Some(Type::Shape(name)) => self.shape_literal(entries, span, &name.clone()),
            // In tests, where no settings say which places there are.
            Some(Type::Target) if self.partial => self.place_literal(entries, span),
            _ if pairs && fields => {
                self.say(
                    Diagnostic::error("E0301", span, "this is half a record and half a map")
                        .help("a record is `{ name: value }`, a map is `{ \"key\": value }`"),
                );
                Typed::error()
            }
            _ if pairs || wants_map => self.map(entries, expected),
            _ => self.record(entries, expected),
        }
    }

    fn map(&mut self, entries: &[Entry], expected: Option<&Type>) -> Typed {
        let hint = if let Some(Type::Map(value)) = expected { Some(&**value) } else { None };
        let (mut out, mut parts) = (Vec::new(), Vec::new());
        let mut ty = Type::Unknown;
        for entry in entries {
            let (key, value) = match entry {
                Entry::Pair(key, value) => (self.text(key), value),
                Entry::Field(name, value) => {
                    self.say(
                        Diagnostic::error("E0301", name.span, "the key of a map is text")
                            .help(format!("write `\"{}\":`", name.text))
                            .fix("put it in quotes", name.span, format!("\"{}\"", name.text)),
                    );
                    (plain(&name.text), value)
                }
                Entry::Spread(value) => {
                    let typed = self.expr(value, expected);
                    let held = match &typed.ty {
                        Type::Map(held) => (**held).clone(),
                        Type::Unknown => Type::Unknown,
                        other => {
                            let message = format!("`...` in a map needs a map, not {}", describe(other));
                            self.error("E0302", value.span, message);
                            Type::Unknown
                        }
                    };
                    match Checker::join(&ty, &held) {
                        Some(joined) => ty = joined,
                        None => drop(self.one_kind(value.span, &ty)),
                    }
                    parts.push(Expr::Map(std::mem::take(&mut out)));
                    parts.push(typed.expr);
                    continue;
                }
            };
            let typed = self.expr(value, hint);
            match Checker::join_as(&ty, &typed.ty, hint) {
                Some(joined) => ty = joined,
                None => drop(self.one_kind(value.span, &ty)),
            }
            out.push((key.expr, typed.expr));
        }
        parts.push(Expr::Map(out));
        // What stands later counts.
        let nothing = |e: &Expr| matches!(e, Expr::Map(entries) if entries.is_empty());
        let merged = parts.into_iter().reduce(|before, next| match (nothing(&before), nothing(&next)) {
            (true, _) => next,
            (_, true) => before,
            _ => Expr::Method { base: Box::new(before), method: Method::Merge, arguments: vec![next] },
        });
        Typed::new(merged.unwrap_or(Expr::Map(Vec::new())), Type::map(ty))
    }

    fn one_kind(&mut self, span: Span, before: &Type) -> Typed {
        self.error("E0301", span, format!("a map holds one kind of value: {} before", describe(before)))
    }

    fn record(&mut self, entries: &[Entry], expected: Option<&Type>) -> Typed {
        let wanted = match expected {
            Some(Type::Record(record)) => Some(record.clone()),
            Some(Type::Union(records)) => crate::union::meant(records, entries),
            _ => None,
        };
        let mut parts = Vec::new();
        let (mut fields, mut written) = (BTreeMap::new(), BTreeSet::new());
        for entry in entries {
            match entry {
                Entry::Field(name, value) => {
                    let hint = wanted.as_ref().and_then(|r| r.fields.get(name.text.as_str())).map(|f| f.ty.clone());
                    let typed = self.expr(value, hint.as_ref());
                    let field = Field { ty: typed.ty, required: true, absent: false };
                    fields.insert(Arc::from(name.text.as_str()), field);
                    if !written.insert(name.text.as_str()) {
                        self.error("E0202", name.span, format!("`{}` is given twice", name.text));
                    }
                    parts.push(RecordPart::Field(name.text.clone(), typed.expr));
                }
                Entry::Spread(value) => {
                    let typed = self.expr(value, None);
                    match &typed.ty {
                        Type::Record(record) => {
                            fields.extend(record.fields.iter().map(|(n, f)| (n.clone(), f.clone())));
                        }
                        Type::Unknown => {}
                        other => {
                            let message = format!("`...` needs a record, not {}", describe(other));
                            self.error("E0302", value.span, message);
                        }
                    }
                    parts.push(RecordPart::Spread(typed.expr));
                }
                Entry::Pair(..) => {}
            }
        }
        Typed::new(Expr::Record(parts), Type::Record(Arc::new(RecordType { name: None, fields })))
    }

    /// `{ cloud: "azure", account: "…", region: "…" }`: a place of a test.
    fn place_literal(&mut self, entries: &[Entry], span: Span) -> Typed {
        let mut place = Target::default();
        for entry in entries {
            let Entry::Field(name, value) = entry else {
                return self.error("E0301", span, "a place is a cloud, an account and a region");
            };
            let typed = self.expr_of(value, &Type::STRING, "what says where");
            let Some(Value::String(text)) = typed.constant() else {
                return self.error("E0301", value.span, "a place is written in plain texts");
            };
            let member = match name.text.as_str() {
                "cloud" => &mut place.cloud,
                "account" => &mut place.account,
                "region" => &mut place.region,
                _ => {
                    self.no_member(name, "a target", &["cloud", "account", "region"]);
                    return Typed::error();
                }
            };
            *member = text.to_string();
        }
        Typed::new(Expr::Literal(Value::Target(Arc::new(place))), Type::Target)
    }

    /// `{ … }` where a shape of the catalogue is expected: members are checked one by one.
    fn shape_literal(&mut self, entries: &[Entry], span: Span, shape: &Arc<str>) -> Typed {
        let Some(fields) = self.shape_fields(shape) else { return Typed::error() };
        let short = shape.rsplit('.').next().unwrap_or(shape).to_string();
        let mut parts = Vec::new();
        let (mut given, mut written): (Vec<String>, Vec<String>) = Default::default();
        for entry in entries {
            let (name, span, value, quoted) = match entry {
                Entry::Field(name, value) => (name.text.clone(), name.span, value, false),
                Entry::Pair(text, value) => match text.parts.as_slice() {
                    [ast::TextPart::Literal(s)] => (s.clone(), text.span, value, true),
                    _ => {
                        self.error("E0301", text.span, format!("`{short}` is a record: its members are names"));
                        continue;
                    }
                },
                Entry::Spread(value) => {
                    let typed = self.expr(value, None);
                    given.extend(self.spread_of(&typed.ty, shape, &fields, value.span));
                    parts.push(RecordPart::Spread(typed.expr));
                    continue;
                }
            };
            // boto3's spelling, `{ "Name": …, "Values": … }`, is understood and put right.
            let ours = fields.iter().find(|(n, f)| ***n == *name || *f.official == *name).map(|(n, _)| n.to_string());
            let Some(ours) = ours else {
                let mut diagnostic = Diagnostic::error("E0206", span, format!("`{short}` has no member `{name}`"));
                if let Some(near) = nearest(&name, fields.keys().map(|k| &**k)) {
                    diagnostic =
                        diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), span, near);
                } else {
                    let names: Vec<&str> = fields.keys().take(12).map(|k| &**k).collect();
                    diagnostic = diagnostic.help(format!("it has {}", names.join(", ")));
                }
                self.say(diagnostic);
                self.expr(value, None);
                continue;
            };
            if quoted || ours != name {
                self.say(
                    Diagnostic::error("E0209", span, format!("write `{ours}` here"))
                        .help("members are written in snake case and without quotes")
                        .fix(format!("write `{ours}`"), span, ours.clone()),
                );
            }
            let Some(field) = fields.get(ours.as_str()) else { continue };
            let what = format!("`{ours}` of `{short}`");
            let typed = match self.partial {
                true => self.mocked(value, &field.ty, &what),
                false => self.sent(value, field, &field.ty, &what),
            };
            if written.contains(&ours) {
                self.error("E0202", span, format!("`{ours}` is given twice"));
            }
            written.push(ours.clone());
            given.push(ours.clone());
            parts.push(RecordPart::Field(ours, typed.expr));
        }
        for (name, field) in fields.iter() {
            if field.required && !self.partial && !given.iter().any(|g| **g == **name) {
                self.say(
                    Diagnostic::error("E0309", span, format!("`{short}` needs `{name}`"))
                        .help(format!("add `{name}: …`, {}", describe(&field.ty))),
                );
            }
        }
        Typed::new(Expr::Record(parts), Type::Shape(shape.clone()))
    }

    /// The members that `...value` gives in the place of a shape.
    fn spread_of(&mut self, ty: &Type, shape: &Arc<str>, fields: &ShapeFields, span: Span) -> Vec<String> {
        match ty {
            Type::Shape(theirs) if theirs == shape => {
                self.usage.whole(ty);
                fields.keys().map(ToString::to_string).collect()
            }
            Type::Record(record) => {
                let short = shape.rsplit('.').next().unwrap_or(shape).to_string();
                for (name, field) in &record.fields {
                    match fields.get(name) {
                        Some(wanted) => {
                            let given = Typed::new(Expr::Local(String::new()), field.ty.clone());
                            self.expect(&given, &wanted.ty, span, &format!("`{name}` of `{short}`"));
                        }
                        None => drop(self.error("E0206", span, format!("`{short}` has no member `{name}`"))),
                    }
                }
                record.fields.keys().map(ToString::to_string).collect()
            }
            Type::Unknown => fields.keys().map(ToString::to_string).collect(),
            other => {
                self.error("E0302", span, format!("`...` needs a record, not {}", describe(other)));
                Vec::new()
            }
        }
    }

    fn if_expr(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Block,
        otherwise: Option<&ast::Block>,
        expected: Option<&Type>,
    ) -> Typed {
        let cond = self.expr_of(condition, &Type::Bool, "a condition");
        let (then_block, then_ty) = self.scoped(|c| {
            c.narrow(condition);
            c.inner_block(then, expected)
        });
        let (other, ty) = match otherwise {
            Some(block) => {
                let (lowered, ty) = self.scoped(|c| c.inner_block(block, expected));
                let joined = match Checker::join_as(&then_ty, &ty, expected) {
                    Some(joined) => joined,
                    None => {
                        let message = format!("one branch gives {}, the other {}", describe(&then_ty), describe(&ty));
                        self.error("E0301", block.span, message);
                        Type::Unknown
                    }
                };
                (Some(Box::new(lowered)), joined)
            }
            None => (None, then_ty.optional()),
        };
        Typed::new(Expr::If { condition: Box::new(cond.expr), then: Box::new(then_block), otherwise: other }, ty)
    }

    /// `with t { … }`: what runs there, and its value.
    fn with(&mut self, target: &ast::Expr, body: &ast::Block, expected: Option<&Type>) -> Typed {
        let target = self.expr_of(target, &Type::Target, "where `with` runs its block");
        let (body, ty) = self.scoped(|c| c.inner_block(body, expected));
        self.located = true;
        Typed::new(Expr::With { target: Box::new(target.expr), body: Box::new(body) }, ty)
    }

    fn match_expr(
        &mut self,
        subject: &ast::Expr,
        arms: &[ast::MatchArm],
        span: Span,
        expected: Option<&Type>,
    ) -> Typed {
        let subject_typed = self.expr(subject, None);
        let mut lowered = Vec::new();
        let mut result: Option<Type> = None;
        let mut covered: Vec<Value> = Vec::new();
        let mut has_any = false;
        for arm in arms {
            let mut values = Vec::new();
            for pattern in &arm.patterns {
                match &pattern.kind {
                    ast::PatternKind::Any => has_any = true,
                    ast::PatternKind::Literal(e) => {
                        let typed = self.expr(e, Some(&subject_typed.ty));
                        self.comparable((&subject_typed, pattern.span), (&typed, pattern.span), pattern.span);
                        values.extend(typed.constant().cloned());
                    }
                    ast::PatternKind::Name(path) => {
                        self.say(
                            Diagnostic::error("E0301", path.span, "a pattern is a literal or `_`")
                                .help("texts stand in quotes: `\"running\" => …`; the rest is `_ => …`"),
                        );
                    }
                }
            }
            let (body, ty) = self.scoped(|c| {
                // `match m.kind { … }`: in an arm `m` is what has that kind, in `_` what no arm above has.
                match arm.patterns.iter().any(|p| matches!(p.kind, ast::PatternKind::Any)) {
                    true => c.narrow_union(subject, |value| !covered.contains(value)),
                    false => c.narrow_union(subject, |value| values.contains(value)),
                }
                c.inner_block(&arm.body, expected)
            });
            covered.extend(values.iter().cloned());
            result = match result {
                None => Some(ty),
                Some(before) => Checker::join_as(&before, &ty, expected).or_else(|| {
                    let message = format!("the arms above give {}, this one {}", describe(&before), describe(&ty));
                    self.error("E0301", arm.span, message);
                    Some(Type::Unknown)
                }),
            };
            lowered.push(program::MatchArm { values, body });
        }
        let complete = match &subject_typed.ty {
            Type::Literals(all) => all.iter().all(|v| covered.contains(v)),
            Type::Bool => covered.contains(&Value::Bool(true)) && covered.contains(&Value::Bool(false)),
            Type::Unknown => true,
            _ => false,
        };
        if !has_any && !complete {
            self.say(
                Diagnostic::error("E0310", span, "this `match` does not say what happens otherwise")
                    .help("add `_ => …`, or an arm for every value"),
            );
        }
        let ty = result.unwrap_or(Type::Unknown);
        Typed::new(Expr::Match { subject: Box::new(subject_typed.expr), arms: lowered }, ty)
    }

    /// `stop.items` and its like.
    pub(crate) fn step_member(&mut self, step: &str, item: Option<Type>, name: &ast::Name) -> Typed {
        let item = item.unwrap_or(Type::None);
        let part = match name.text.as_str() {
            "items" => StepPart::Items,
            "failed" => StepPart::Failed,
            "skipped" => StepPart::Skipped,
            "outcomes" => StepPart::Outcomes,
            other => {
                let near = nearest(other, ["items", "failed", "skipped", "outcomes", "of"]);
                self.say(Diagnostic::error("E0206", name.span, format!("a step has no `{other}`")).help(match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "it has items, failed, skipped, outcomes and `of(x)`".to_string(),
                }));
                return Typed::error();
            }
        };
        self.staged |= !self.asked.knows(step) && (part != StepPart::Items || self.staged_names.contains(step));
        let ty = match part {
            StepPart::Outcomes => {
                let field = |ty| Field { ty, required: true, absent: false };
                let fields = [
                    (Arc::from("item"), field(item)),
                    (Arc::from("outcome"), field(Type::STRING)),
                    (Arc::from("reason"), field(Type::STRING.optional())),
                ];
                Type::list(Type::Record(Arc::new(RecordType { name: None, fields: fields.into_iter().collect() })))
            }
            _ => Type::list(item),
        };
        Typed::new(Expr::StepResult { step: step.to_string(), part }, ty)
    }

    /// `run.id`, `run.started`.
    pub(crate) fn run_member(&mut self, name: &ast::Name) -> Typed {
        match name.text.as_str() {
            "id" => Typed::new(Expr::Builtin(Builtin::RunId, Vec::new()), Type::STRING),
            "started" => Typed::new(Expr::Builtin(Builtin::RunStarted, Vec::new()), Type::Instant),
            "due" => Typed::new(Expr::Builtin(Builtin::RunDue, Vec::new()), Type::Instant.optional()),
            "last" => match self.returns.clone() {
                Some(Type::None) => {
                    self.error("E0302", name.span, "this playbook returns nothing, so its last run gave nothing")
                }
                Some(returns) => {
                    self.usage.whole(&returns);
                    Typed::new(Expr::Builtin(Builtin::RunLast, Vec::new()), returns.optional())
                }
                None => {
                    self.say(
                        Diagnostic::error("E0302", name.span, "what the last run returned is known in a playbook only")
                            .help("hand it on as a parameter"),
                    );
                    Typed::error()
                }
            },
            other => {
                let mut diagnostic = Diagnostic::error("E0206", name.span, format!("a run has no `{other}`"));
                diagnostic = diagnostic.help("it has id, started, due and last");
                self.say(diagnostic);
                Typed::error()
            }
        }
    }
}

/// A constant text.
pub(crate) fn plain(text: &str) -> Typed {
    let value = Value::text(text);
    Typed::new(Expr::Literal(value.clone()), Type::Literals(vec![value]))
}
