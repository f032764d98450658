//! Steps: clauses, bounds, identity of items, body, undo.

use std::collections::BTreeSet;

use escher_catalog::{Effect, Risk};
use escher_ir::program::{self, Bound, Each, Expr, Identity, Node, NodeKind};
use escher_ir::types::RecordType;
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ClauseValue};
use escher_syntax::{Diagnostic, Span};

use crate::bounds;
use crate::branch::taken;
use crate::checker::{Checker, Place, StepContext, Typed};
use crate::risk::{self, Witness};
use crate::rollback::Done;
use crate::scope::{Binding, Origin};
use crate::suggest::nearest;
use crate::types::describe;

/// The clauses of a step, each lowered once.
#[derive(Default)]
struct Clauses {
    max: Option<(Vec<Bound>, u64)>,
    at_once: Option<Expr>,
    tolerate: Option<Option<Expr>>,
    retry: Option<Expr>,
    timeout: Option<Expr>,
    may_repeat: bool,
    key: Option<Expr>,
}

/// The `let`s of a body as its `undo` sees them: those from the first change on may have no value.
fn lets_for_undo(lets: Vec<Binding>, body: &program::Block) -> Vec<Binding> {
    let mut changed = false;
    let mut sure = BTreeSet::new();
    for node in &body.nodes {
        let mut alone = program::Block { nodes: vec![node.clone()], value: None };
        // What a function or an action does is not looked at here.
        escher_ir::visit::block(&mut alone, &mut |e| {
            changed |= matches!(e, Expr::Call(call) if call.changes) || matches!(e, Expr::Function { .. });
        });
        if let (NodeKind::Let { name, .. }, false) = (&node.kind, changed) {
            sure.insert(name.as_str());
        }
    }
    let seen = |binding: Binding| match sure.contains(binding.name.as_str()) {
        true => binding,
        false => Binding { ty: binding.ty.optional(), ..binding },
    };
    lets.into_iter().map(seen).collect()
}

impl Checker<'_> {
    pub(crate) fn step(&mut self, step: &ast::Step, above: &[Node]) -> Option<program::Step> {
        let title = step.title.as_ref().map(|t| self.expr_of(t, &Type::STRING, "a step's title").expr);
        let list = step.each.as_ref().map(|each| {
            self.located = false;
            (self.lenient, self.cut, self.staged) = (None, None, false);
            let (typed, mut uses, _) = self.tracked(|c| c.expr(&each.list, None));
            // What its branch depends on is asked again with the list.
            uses.extend(self.guard.nodes.iter().cloned());
            self.staged |= self.guard.staged;
            self.check_cut(each.list.span);
            (each, typed, uses)
        });
        let located = std::mem::replace(&mut self.located, false);
        let staged = std::mem::replace(&mut self.staged, false) && step.each.is_some();
        if staged {
            self.staged_names.insert(step.name.text.clone());
        }
        let item = list.as_ref().map(|(each, typed, _)| self.item_type(each, typed));
        let batch = step.each.as_ref().and_then(|each| each.by.as_ref()).map(|by| self.batch_size(by));
        let clauses = self.scoped(|c| c.clauses(step, item.as_ref()));
        let (max, max_at_most) = self.bound(step, &clauses);
        let variable = match (&item, &batch) {
            (Some(item), Some(_)) => Some(Type::list(item.clone())),
            (Some(item), None) => Some(item.clone()),
            _ => None,
        };
        let (before, told) = (self.witnesses.len(), self.diagnostics.len());
        let context = StepContext {
            name: step.name.text.clone(),
            max: max_at_most,
            batch: step.each.as_ref().filter(|e| e.by.is_some()).map(|e| e.name.text.clone()),
            has_max: !max.is_empty(),
            may_repeat: clauses.may_repeat,
            has_unless: step.clauses.iter().any(|c| c.word.text == "unless"),
            has_undo: step.undo.is_some(),
        };
        let outer = (self.step.replace(context), std::mem::replace(&mut self.place, Place::Change));
        let (body, value, undo, bodys) = self.scoped(|c| {
            if let (Some(each), Some(ty)) = (&step.each, variable) {
                c.bind(&each.name, ty, Origin::Lambda);
                if let Some((_, list, _)) = &list {
                    c.note_default(&each.name.text, &list.expr);
                }
            }
            let (body, value, lets) = c.scoped(|c| {
                let outside = c.scope.len();
                let (body, value) = c.inner_block(&step.body, None);
                let lets: Vec<Binding> = c.scope.iter().skip(outside).cloned().collect();
                (body, value, lets)
            });
            let adds = |e: &Effect| matches!(e, Effect::Observe | Effect::Create | Effect::Spend | Effect::Reveal);
            if c.witnesses.iter().skip(before).any(|w| !w.effects.iter().all(adds)) {
                c.changed.insert(step.name.text.clone());
            }
            let bodys = c.witnesses.len();
            // Undo sees the item as it was checked, and what the body named: after a crash some of that has no value.
            let undo = step.undo.as_ref().map(|block| {
                c.scoped(|c| {
                    lets_for_undo(lets, &body).into_iter().for_each(|binding| c.scope.push(binding));
                    c.inner_block(block, None).0
                })
            });
            (body, value, undo, bodys)
        });
        (self.step, self.place) = outer;
        let (when, unless, otherwise) = self.guards(step, item.as_ref());
        let risk = self.witnesses.iter().skip(before).map(|w| w.raised).max().unwrap_or(Risk::Read);
        let reads = |e: &Effect| matches!(e, Effect::Observe | Effect::Reveal);
        // A call that was refused would have been the change.
        if told == self.diagnostics.len() && self.witnesses.iter().skip(before).all(|w| w.effects.iter().all(reads)) {
            self.say(
                Diagnostic::warning("E0412", step.head, format!("step `{}` changes nothing", step.name.text))
                    .help("reads need no step: use `let`"),
            );
        }
        if risk >= Risk::Medium && step.title.is_none() {
            self.say(
                Diagnostic::error(
                    "E0406",
                    step.name.span,
                    format!("a step of risk `{}` needs a title", risk::word(risk)),
                )
                .help(format!("say what it does: `step {} \"…\"`", step.name.text)),
            );
        }
        if let (true, true, Some(each)) = (staged, risk >= Risk::High, &step.each) {
            self.say(
                Diagnostic::error(
                    "E0419",
                    each.list.span,
                    "what this is done for is known only once the run is under way",
                )
                .label(step.name.span, format!("this step is of risk `{}`", risk::word(risk)))
                .help(
                    "an approver must see it: put `approve \"…\" by \"manager\"` above this step, read the list above the first \
                         step, or go over `STEP.items`",
                ),
            );
        }
        let calls: Vec<Witness> = self.witnesses.iter().skip(before).cloned().collect();
        let (of_body, of_undo) = calls.split_at(bodys.saturating_sub(before).min(calls.len()));
        let undoing = step.undo.is_some().then_some(of_undo);
        let rollback = self.rollback(step, &Done { body: of_body, undo: undoing, block: &body });
        self.asked.covers(&step.name.text);
        let after = self.after(step);
        let temporary = step.clauses.iter().find(|c| c.word.text == "temporary");
        if let (Some(clause), None) = (temporary, &step.undo) {
            self.no_undo(clause.span, "what is temporary is taken back at the end, and this step does not say how");
        }
        if let (true, Some(each), Some(item)) = (located, &step.each, &item) {
            self.check_located(each, item);
        }
        let each = list.map(|(each, typed, uses)| self.each(each, typed, &uses, item.clone(), batch, &clauses, above));
        self.check_list_again(step, each.as_ref(), above);
        // An item that was left as it is has no result.
        let value = if when.is_some() || unless.is_some() { value.optional() } else { value };
        self.bind(&step.name, Type::Unknown, Origin::Step { item: item.clone(), value });
        let catch = step.catch.as_deref().map(|arms| self.step_catch(arms)).unwrap_or_default();
        let one = || Expr::Literal(Value::Int(1));
        Some(program::Step {
            name: step.name.text.clone(),
            title,
            each,
            max,
            max_at_most,
            at_once: clauses.at_once.unwrap_or_else(one),
            tolerate: clauses.tolerate.unwrap_or(Some(Expr::Literal(Value::Int(0)))),
            retry: clauses.retry.unwrap_or(Expr::Literal(Value::Int(0))),
            timeout: clauses.timeout.unwrap_or(Expr::Literal(Value::Duration(jiff::SignedDuration::from_hours(1)))),
            when,
            otherwise,
            unless,
            may_repeat: clauses.may_repeat,
            temporary: temporary.is_some(),
            after,
            body,
            undo,
            rollback,
            catch,
            risk,
        })
    }

    fn item_type(&mut self, each: &ast::Each, list: &Typed) -> Type {
        match &list.ty {
            Type::List(item) => (**item).clone(),
            Type::Unknown => Type::Unknown,
            other => {
                let mut diagnostic = Diagnostic::error(
                    "E0301",
                    each.list.span,
                    format!("`for` goes over a list, and this is {}", describe(other)),
                );
                if let Type::Shape(shape) = other
                    && let Some(fields) = self.shape_fields(shape)
                {
                    let lists: Vec<&str> =
                        fields.iter().filter(|(_, f)| matches!(f.ty, Type::List(_))).map(|(n, _)| &**n).collect();
                    if let Some(first) = lists.first() {
                        diagnostic = diagnostic.help(format!("write `.{first}` for the list in it"));
                    }
                }
                self.say(diagnostic);
                Type::Unknown
            }
        }
    }

    fn batch_size(&mut self, by: &ast::Expr) -> Expr {
        let typed = self.expr_of(by, &Type::Int { min: Some(1), max: Some(1000) }, "the size of a batch");
        typed.expr
    }

    fn clauses(&mut self, step: &ast::Step, item: Option<&Type>) -> Clauses {
        let mut out = Clauses::default();
        for clause in &step.clauses {
            let word = clause.word.text.as_str();
            match (word, &clause.value) {
                ("max", ClauseValue::Bounds(parts)) => out.max = Some(self.max(parts, item)),
                ("max", ClauseValue::Expr(expr)) => {
                    let part = ast::Bound { value: expr.clone(), of: None, per: None };
                    out.max = Some(self.max(&[part], item));
                }
                ("at_once", ClauseValue::Expr(expr)) => {
                    let typed = self.expr_of(expr, &Type::Int { min: Some(1), max: Some(1000) }, "`at_once`");
                    out.at_once = Some(typed.expr);
                }
                ("tolerate", ClauseValue::Expr(expr)) => out.tolerate = Some(self.tolerate(expr)),
                ("retry", ClauseValue::Expr(expr)) => {
                    let typed = self.expr_of(expr, &Type::Int { min: Some(0), max: Some(100) }, "`retry`");
                    out.retry = Some(typed.expr);
                }
                ("timeout", ClauseValue::Expr(expr)) => {
                    out.timeout = Some(self.expr_of(expr, &Type::Duration, "`timeout`").expr);
                }
                ("key", ClauseValue::Expr(expr)) => {
                    let item = item.cloned().unwrap_or(Type::Unknown);
                    let (lambda, ty) = self.lambda(expr, &[item]);
                    let key = Typed::new(Expr::Local(String::new()), ty);
                    self.expect(&key, &Type::STRING, expr.span, "a key");
                    out.key = Some(lambda);
                }
                ("may_repeat", _) => out.may_repeat = true,
                ("when" | "unless" | "after" | "temporary" | "irreversible", _) => {}
                // Others are no clauses by the grammar, and none lacks its value.
                _ => {}
            }
        }
        out
    }

    /// `tolerate all` is no limit.
    fn tolerate(&mut self, expr: &ast::Expr) -> Option<Expr> {
        if matches!(&expr.kind, ast::ExprKind::Name(word) if word == "all") {
            return None;
        }
        let typed = self.expr(expr, None);
        if !matches!(typed.ty, Type::Int { .. } | Type::Percent | Type::Unknown) {
            self.say(
                Diagnostic::error(
                    "E0301",
                    expr.span,
                    format!("`tolerate` is a number or a percentage, and this is {}", describe(&typed.ty)),
                )
                .help("write `tolerate 3`, `tolerate 5%` or `tolerate all`"),
            );
        }
        Some(typed.expr)
    }

    fn max(&mut self, parts: &[ast::Bound], item: Option<&Type>) -> (Vec<Bound>, u64) {
        let mut lowered = Vec::new();
        let mut least: Option<u64> = None;
        let mut span: Option<Span> = None;
        for part in parts {
            span = Some(span.map_or(part.value.span, |s| s.join(part.value.span)));
            let typed = self.expr(&part.value, None);
            let (of, per) = self.bound_parts(part, item);
            if part.of.is_some() || part.per.is_some() {
                // A part of something, and so many of each, have no end of their own.
                let percent = typed.ty == Type::Percent;
                let number = match &typed.ty {
                    Type::Int { .. } | Type::Unknown => true,
                    Type::Literals(values) => values.iter().all(|v| matches!(v, Value::Int(_))),
                    _ => false,
                };
                if !percent && !number {
                    let message = format!("`max` is a number or a percentage, and this is {}", describe(&typed.ty));
                    self.error("E0301", part.value.span, message);
                } else if percent && part.of.is_none() {
                    self.error("E0301", part.value.span, "this does not say of what: write `10% of fleet`");
                }
                lowered.push(Bound { value: typed.expr, of, per });
                continue;
            }
            let number = match &typed.ty {
                Type::Int { .. } | Type::Unknown => true,
                Type::Literals(values) => values.iter().all(|v| matches!(v, Value::Int(_))),
                _ => false,
            };
            if !number {
                let message = format!("`max` is a number, and this is {}", describe(&typed.ty));
                self.say(
                    Diagnostic::error("E0301", part.value.span, message)
                        .help("say how many at most, and of what a part is: `max 200 and 10% of fleet`"),
                );
                least = Some(least.unwrap_or(1));
            } else if let Some(n) = bounds::greatest(&typed) {
                least = Some(least.map_or(n, |l| l.min(n)));
            } else if typed.ty != Type::Unknown {
                self.say(
                    Diagnostic::error("E0403", part.value.span, "nothing says how great this can be")
                        .help("give the parameter a bounded type, such as `limit: int(1..=200)`, or write a number"),
                );
                least = Some(least.unwrap_or(u64::MAX));
            }
            lowered.push(Bound { value: typed.expr, of: None, per: None });
        }
        if let (None, Some(span)) = (least, span) {
            self.say(
                Diagnostic::error("E0403", span, "nothing says how many things this step may touch in all")
                    .help("add a number: `max 200 and 10% of fleet`"),
            );
        }
        (lowered, least.unwrap_or(u64::MAX))
    }

    /// `of fleet`, `per .account`.
    fn bound_parts(&mut self, part: &ast::Bound, item: Option<&Type>) -> (Option<Expr>, Option<Expr>) {
        let of = part.of.as_ref().map(|of| {
            let typed = self.expr(of, None);
            if !matches!(typed.ty, Type::List(_) | Type::Int { .. } | Type::Unknown) {
                let message = format!("`of` names a list or a number, and this is {}", describe(&typed.ty));
                self.error("E0301", of.span, message);
            }
            typed.expr
        });
        let per = part.per.as_ref().map(|per| {
            let (lambda, ty) = self.lambda(per, &[item.cloned().unwrap_or(Type::Unknown)]);
            self.expect(&Typed::new(Expr::Local(String::new()), ty), &Type::STRING, per.span, "what `per` counts by");
            lambda
        });
        (of, per)
    }

    /// `after a`, `after [a, b]`: steps above that must have ended.
    fn after(&mut self, step: &ast::Step) -> Vec<String> {
        let mut names = Vec::new();
        let Some(clause) = step.clauses.iter().find(|c| c.word.text == "after") else { return names };
        let ClauseValue::Expr(written) = &clause.value else { return names };
        let all = match &written.kind {
            ast::ExprKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(written),
        };
        for one in all {
            match &one.kind {
                ast::ExprKind::Name(name)
                    if self.lookup(name).is_some_and(|b| matches!(b.origin, Origin::Step { .. })) =>
                {
                    self.uses.insert(name.clone());
                    names.push(name.clone());
                }
                ast::ExprKind::Error => {}
                _ => {
                    let steps = self.scope.iter().filter(|b| matches!(b.origin, Origin::Step { .. }));
                    let steps: Vec<&str> = steps.map(|b| b.name.as_str()).collect();
                    let mut d = Diagnostic::error("E0422", one.span, "`after` names a step above this one");
                    if let ast::ExprKind::Name(name) = &one.kind
                        && let Some(near) = nearest(name, steps.iter().copied())
                    {
                        d = d.help(format!("did you mean `{near}`?"));
                    } else if !steps.is_empty() {
                        d = d.help(format!("above it stand {}", steps.join(", ")));
                    }
                    self.say(d);
                }
            }
        }
        names
    }

    fn bound(&mut self, step: &ast::Step, clauses: &Clauses) -> (Vec<Bound>, u64) {
        match (&clauses.max, &step.each) {
            (Some((bounds, most)), _) => (bounds.clone(), *most),
            (None, None) => (Vec::new(), 1),
            (None, Some(each)) => {
                self.say(
                    Diagnostic::error("E0403", each.list.span, "nothing says how many things this step may touch")
                        .help("add `max N`: a number, or a parameter with a bounded type such as `int(1..=50)`"),
                );
                (Vec::new(), u64::MAX)
            }
        }
    }

    /// `when`, `unless`, and what `when` says where it does not hold.
    fn guards(&mut self, step: &ast::Step, item: Option<&Type>) -> (Option<Expr>, Option<Expr>, Option<Expr>) {
        let mut found = (None, None, None);
        for clause in &step.clauses {
            let word = clause.word.text.as_str();
            if word != "when" && word != "unless" {
                continue;
            }
            let (condition, words) = match &clause.value {
                ClauseValue::Guard { condition, otherwise } => (condition, otherwise.as_ref()),
                ClauseValue::Expr(condition) => (condition, None),
                _ => continue,
            };
            self.cut = None;
            let cutting = std::mem::replace(&mut self.cutting, true);
            let (typed, otherwise) = self.scoped(|c| {
                if let (Some(each), Some(item)) = (&step.each, item) {
                    let ty = if each.by.is_some() { Type::list(item.clone()) } else { item.clone() };
                    c.bind(&each.name, ty, Origin::Lambda);
                }
                let typed = match word {
                    "when" => c.expr_of(condition, &Type::Bool, "what follows `when`"),
                    // What a look-up finds is a yes as well.
                    _ => match c.expr(condition, None) {
                        typed if matches!(typed.ty, Type::Optional(_)) => typed,
                        typed => {
                            c.expect(&typed, &Type::Bool, condition.span, "what follows `unless`");
                            typed
                        }
                    },
                };
                let words = words.map(|e| c.expr_of(e, &Type::STRING, "what follows `else`").expr);
                (typed, words)
            });
            self.cutting = cutting;
            self.check_cut(condition.span);
            match word {
                "when" => (found.0, found.2) = (Some(typed.expr), otherwise),
                _ => found.1 = Some(typed.expr),
            }
        }
        found
    }

    #[allow(clippy::too_many_arguments, reason = "each is one fact about the list, known only here")]
    fn each(
        &mut self,
        each: &ast::Each,
        list: Typed,
        uses: &BTreeSet<String>,
        item: Option<Type>,
        batch: Option<Expr>,
        clauses: &Clauses,
        above: &[Node],
    ) -> Each {
        let item = item.unwrap_or(Type::Unknown);
        let identity = match (&clauses.key, &item) {
            (Some(key), _) => Identity::Key(Box::new(key.clone())),
            (None, Type::Shape(shape)) => match self.world.identity(shape) {
                Some(member) => {
                    let known = self.shape_fields(shape).and_then(|f| f.get(&member).map(|f| f.ty.clone()));
                    self.usage.read(shape, &member, &known.unwrap_or(Type::Json));
                    Identity::Member { kind: shape.to_string(), member: member.to_string() }
                }
                None => self.no_identity(each.list.span, &item),
            },
            // A text is what it is called.
            (None, Type::Unknown | Type::String { .. } | Type::Literals(_)) => Identity::Text,
            (None, Type::Record(record)) if says_which(record) => {
                let kind = record.name.as_deref().unwrap_or("record").to_string();
                Identity::Member { kind, member: "id".into() }
            }
            (None, Type::Union(records)) if records.iter().all(|record| says_which(record)) => {
                Identity::Member { kind: item.to_string(), member: "id".into() }
            }
            (None, other) => self.no_identity(each.list.span, &other.clone()),
        };
        let from_step = match &list.expr {
            Expr::StepResult { step, part: program::StepPart::Items } => Some(step.clone()),
            _ => None,
        };
        Each {
            variable: each.name.text.clone(),
            sources: sources(above, uses),
            from_step,
            list: list.expr,
            by: batch,
            identity,
        }
    }

    /// What was read in places of its own must still know where: a name alone would be called at the wrong one.
    fn check_located(&mut self, each: &ast::Each, item: &Type) {
        let located = |record: &RecordType| record.fields.get("target").is_some_and(|f| f.ty == Type::Target);
        match item {
            Type::Shape(_) | Type::Unknown => return,
            Type::Record(record) if located(record) => return,
            Type::Union(records) if records.iter().all(|record| located(record)) => return,
            _ => {}
        }
        self.say(
            Diagnostic::error("E0415", each.list.span, "these were read in several places and no longer say where")
                .help("go over the records themselves, and read their members in the body of the step"),
        );
    }

    fn no_identity(&mut self, span: Span, item: &Type) -> Identity {
        self.say(
            Diagnostic::error("E0409", span, format!("nothing says how one {} is told from another", describe(item)))
                .help("add `key .field`: the member that no two of them share"),
        );
        Identity::Text
    }

    /// Going over a list again that a step above has changed: its own work may have made the condition false.
    fn check_list_again(&mut self, step: &ast::Step, each: Option<&Each>, above: &[Node]) {
        let (Some(each), Some(written)) = (each, &step.each) else { return };
        // What was given, and what is read below the step, is not asked for again.
        if each.from_step.is_some() || each.sources.is_empty() {
            return;
        }
        for node in above {
            let NodeKind::Step(earlier) = &node.kind else { continue };
            let Some(other) = &earlier.each else { continue };
            if self.changed.contains(&earlier.name) && same_things(taken(&other.list), &each.list, above) {
                self.say(
                    Diagnostic::error(
                        "E0414",
                        written.list.span,
                        format!(
                            "step `{}` has changed these already, so asking for them again may give others",
                            earlier.name
                        ),
                    )
                    .help(format!(
                        "go on with what it finished: `for {} in {}.items`; or read the list again below it",
                        each.variable, earlier.name
                    )),
                );
                return;
            }
        }
    }
}

/// Whether a record that a playbook built says which thing it is, and where: it has an `id` and a `target`.
pub(crate) fn says_which(record: &RecordType) -> bool {
    let is = |name: &str, fits: fn(&Type) -> bool| record.fields.get(name).is_some_and(|f| fits(&f.ty));
    is("id", |ty| matches!(ty, Type::String { .. })) && is("target", |ty| *ty == Type::Target)
}

/// Whether one list is the other, or a part of it.
fn same_things(a: &Expr, b: &Expr, above: &[Node]) -> bool {
    let ((a_whole, a), (b_whole, b)) = (chain(a, above), chain(b, above));
    a.iter().take(a_whole).any(|e| b.contains(e)) || b.iter().take(b_whole).any(|e| a.contains(e))
}

/// A list, the one that it is cut down from, and so on; and how many of them, from the first, are the whole list under
/// another name. What a `let` names is known by that name: two readings in the same words are two.
fn chain(list: &Expr, above: &[Node]) -> (usize, Vec<Expr>) {
    use program::Method::{Filter, Reverse, Skip, SortBy, Take, Unique};
    let (mut found, mut whole, mut cut, mut named) = (Vec::new(), 0, false, false);
    let mut at = list;
    loop {
        if !named {
            found.push(at.clone());
            whole += usize::from(!cut);
        }
        let value = match at {
            Expr::Local(name) => above.iter().find_map(|n| match &n.kind {
                NodeKind::Let { name: known, value } if known == name => Some(value),
                _ => None,
            }),
            _ => None,
        };
        // `let`s stand above each other, so this ends.
        (at, named) = match (at, value) {
            (_, Some(value)) => (value, !matches!(value, Expr::Local(_))),
            (Expr::Method { base, method: Filter | Take | Skip | SortBy | Unique | Reverse, .. }, None) => {
                cut = true;
                (&**base, false)
            }
            _ => return (whole, found),
        };
    }
}

/// The `let`s that a list comes from, and the `require`s about them, in written order: what is asked again.
fn sources(above: &[Node], uses: &BTreeSet<String>) -> Vec<String> {
    let mut wanted = uses.clone();
    let is_let = |n: &&Node| matches!(n.kind, NodeKind::Let { .. });
    // Not through steps: what stood above one may well be otherwise below it, by the run's own work.
    for node in above.iter().rev().filter(is_let) {
        if wanted.contains(&node.id) {
            wanted.extend(node.after.iter().cloned());
        }
    }
    let lets: BTreeSet<&str> =
        above.iter().filter(is_let).filter(|n| wanted.contains(&n.id)).map(|n| n.id.as_str()).collect();
    above
        .iter()
        .filter(|n| match n.kind {
            NodeKind::Let { .. } => lets.contains(n.id.as_str()),
            NodeKind::Require { .. } => n.after.iter().any(|a| lets.contains(a.as_str())),
            _ => false,
        })
        .map(|n| n.id.clone())
        .collect()
}
