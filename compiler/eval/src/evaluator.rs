//! Walks expressions and blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_ir::program::{
    BinaryOp, Block, Builtin, Call, CatchArm, CatchOutcome, Expr, MatchArm, NodeKind, Program, RecordPart, TextPart,
    UnaryOp,
};
use escher_ir::{Named, Record, Target, Value, json, named};

use crate::compare::{equal, is_in};
use crate::{CallRequest, EvalError, Fixed, Host, PauseRequest, Reply, arithmetic, matching_arm, methods};

/// How much an evaluation may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Expressions and list elements visited.
    pub fuel: u64,
    /// Nesting of expressions.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { fuel: 50_000_000, depth: 200 }
    }
}

/// Why evaluation stopped before it had a value.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The host has been asked and does not know yet.
    Pending,
    /// It failed.
    Fail(EvalError),
}

impl From<EvalError> for Stop {
    fn from(e: EvalError) -> Stop {
        Stop::Fail(e)
    }
}

pub(crate) fn fail<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Fail(EvalError::new(message)))
}

pub(crate) type Outcome = Result<Value, Stop>;

/// One evaluation: a program, a host, the names in scope.
pub struct Evaluator<'p, 'h> {
    program: &'p Program,
    host: &'h mut dyn Host,
    path: String,
    locals: Vec<(&'p str, Value)>,
    /// Names that were in scope before, borrowed; those of `bound` hide them.
    around: Option<&'p BTreeMap<String, Value>>,
    bound: BTreeMap<String, Value>,
    targets: Vec<Arc<Target>>,
    /// The arms of each `catch` around what is evaluated, outermost first.
    catches: Vec<&'p [CatchArm]>,
    fuel: u64,
    depth: u32,
    skip_absent: bool,
    skipped: Vec<(Value, String)>,
}

/// Gives up the first absent member that a value is.
pub(crate) fn present(value: Value) -> Outcome {
    match value {
        Value::Absent(member) => Err(Stop::Fail(EvalError::absent(&member))),
        other => Ok(other),
    }
}

/// Gives up the first absent member that a value is, or has anywhere in it: what is handed to a cloud is known.
fn whole(value: Value) -> Outcome {
    fn first(value: &Value) -> Option<&Arc<str>> {
        match value {
            Value::Absent(member) => Some(member),
            Value::List(items) => items.iter().find_map(first),
            Value::Map(entries) => entries.values().find_map(first),
            Value::Record(record) => record.members.iter().find_map(|(_, v)| first(v)),
            _ => None,
        }
    }
    match first(&value) {
        Some(member) => Err(Stop::Fail(EvalError::absent(member))),
        None => Ok(value),
    }
}

impl<'p, 'h> Evaluator<'p, 'h> {
    /// An evaluation whose call paths begin with `scope`, such as `machines` or `stop[i-0abc]`.
    pub fn new(program: &'p Program, host: &'h mut dyn Host, scope: impl Into<String>) -> Evaluator<'p, 'h> {
        let limits = Limits::default();
        Evaluator {
            program,
            host,
            path: scope.into(),
            locals: Vec::new(),
            around: None,
            bound: BTreeMap::new(),
            targets: Vec::new(),
            catches: Vec::new(),
            fuel: limits.fuel,
            depth: limits.depth,
            skip_absent: false,
            skipped: Vec::new(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.fuel = limits.fuel;
        self.depth = limits.depth;
        self
    }

    /// While a step's list is cut down: elements whose filter uses an absent member are left out, not failed.
    #[must_use]
    pub fn skip_absent(mut self, yes: bool) -> Self {
        self.skip_absent = yes;
        self
    }

    /// The elements that were left out so, each with the member.
    pub fn skipped(&self) -> &[(Value, String)] {
        &self.skipped
    }

    /// The same, at the end.
    pub fn into_skipped(self) -> Vec<(Value, String)> {
        self.skipped
    }

    /// Puts names in scope that somebody else holds: once, before all others.
    #[must_use]
    pub fn among(mut self, names: &'p BTreeMap<String, Value>) -> Self {
        self.around = Some(names);
        self
    }

    /// Puts a name in scope.
    pub fn bind(&mut self, name: impl Into<String>, value: Value) {
        self.bound.insert(name.into(), value);
    }

    /// The value of an expression; none where the host does not know all of it yet.
    pub fn expr(&mut self, expr: &'p Expr) -> Result<Option<Value>, EvalError> {
        done(self.value(expr))
    }

    /// The value of a block; `none` where it has none, nothing where the host does not know all of it yet.
    pub fn block(&mut self, block: &'p Block) -> Result<Option<Value>, EvalError> {
        done(self.run_block(block))
    }

    /// A lambda applied to one value.
    pub fn apply(&mut self, lambda: &'p Expr, value: Value) -> Result<Option<Value>, EvalError> {
        done(self.call_lambda(lambda, &[value]))
    }

    pub(crate) fn burn(&mut self, amount: u64) -> Result<(), Stop> {
        match self.fuel.checked_sub(amount) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => fail("E0605: this takes too long to work out: the limit of evaluation steps is used up"),
        }
    }

    pub(crate) fn note_skipped(&mut self, value: Value, member: String) {
        self.skipped.push((value, member));
    }

    pub(crate) fn skips_absent(&self) -> bool {
        self.skip_absent
    }

    pub(crate) fn value(&mut self, expr: &'p Expr) -> Outcome {
        self.burn(1)?;
        let Some(depth) = self.depth.checked_sub(1) else {
            return fail("E0605: nested too deeply to work out");
        };
        self.depth = depth;
        let result = self.value_of(expr);
        self.depth += 1;
        result
    }

    fn value_of(&mut self, expr: &'p Expr) -> Outcome {
        match expr {
            Expr::Literal(value) => Ok(value.clone()),
            Expr::Local(name) => self.local(name),
            Expr::Text(parts) => self.text(parts),
            Expr::List(items) => {
                let items = self.all(items)?;
                Ok(Value::list(items))
            }
            Expr::Record(parts) => self.record(parts),
            Expr::Map(entries) => self.map(entries),
            Expr::Member { base, name, optional } => self.member(base, name, *optional),
            Expr::Maybe(inner) => match self.value(inner) {
                Ok(Value::Absent(_)) => Ok(Value::None),
                Err(Stop::Fail(e)) if e.absent.is_some() => Ok(Value::None),
                other => other,
            },
            Expr::Index { base, index } => self.index(base, index),
            Expr::Unary(op, operand) => self.unary(*op, operand),
            Expr::Binary(op, left, right) => self.binary(*op, left, right),
            Expr::If { condition, then, otherwise } => self.branch(condition, then, otherwise.as_deref()),
            Expr::Match { subject, arms } => self.matched(subject, arms),
            Expr::Lambda { .. } => fail("a function is not a value"),
            Expr::Method { base, method, arguments } => {
                let base = present(self.value(base)?)?;
                methods::call(self, base, *method, arguments)
            }
            Expr::Builtin(builtin, arguments) => self.builtin(*builtin, arguments),
            Expr::Function { site, name, arguments } => self.function(site, name, arguments),
            Expr::Call(call) => self.call(call),
            Expr::With { target, body } => match present(self.value(target)?)? {
                Value::Target(target) => {
                    self.targets.push(target);
                    let result = self.run_block(body);
                    self.targets.pop();
                    result
                }
                hole @ Value::Hole(_) => Ok(hole),
                other => fail(format!("`with` needs a target, not a {}", other.kind())),
            },
            Expr::Catch { body, arms } => {
                self.catches.push(arms);
                let result = self.value(body);
                self.catches.pop();
                self.caught(arms, result)
            }
            Expr::StepResult { step, part } => reply(self.host.step(step, *part)),
            Expr::StepOf { step, item } => {
                let item = present(self.value(item)?)?;
                reply(self.host.step_of(step, &item))
            }
        }
    }

    fn local(&mut self, name: &str) -> Outcome {
        if let Some((_, value)) = self.locals.iter().rev().find(|(n, _)| *n == name) {
            return Ok(value.clone());
        }
        match self.bound.get(name).or_else(|| self.around?.get(name)) {
            Some(value) => Ok(value.clone()),
            None => fail(format!("`{name}` has no value here")),
        }
    }

    /// Values of several expressions. Goes on past what is pending, so that the host hears of all that may run
    /// side by side.
    pub(crate) fn all(&mut self, exprs: &'p [Expr]) -> Result<Vec<Value>, Stop> {
        let mut values = Vec::with_capacity(exprs.len());
        let mut pending = false;
        for expr in exprs {
            match self.value(expr) {
                Ok(value) => values.push(present(value)?),
                Err(Stop::Pending) => pending = true,
                Err(stop) => return Err(stop),
            }
        }
        if pending { Err(Stop::Pending) } else { Ok(values) }
    }

    fn text(&mut self, parts: &'p [TextPart]) -> Outcome {
        let mut out = String::new();
        let mut hole = None;
        for part in parts {
            match part {
                TextPart::Literal(text) => out.push_str(text),
                TextPart::Hole(expr) => {
                    let value = present(self.value(expr)?)?;
                    if let Value::Hole(from) = &value {
                        hole.get_or_insert_with(|| from.clone());
                    }
                    out.push_str(&json::to_text(&value));
                }
            }
        }
        Ok(match hole {
            Some(_) => Value::Hole(out.into()),
            None => Value::String(out.into()),
        })
    }

    fn record(&mut self, parts: &'p [RecordPart]) -> Outcome {
        let mut members: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for part in parts {
            match part {
                RecordPart::Field(name, expr) => {
                    // What a cloud left out stays left out in a record made of its answer, until somebody uses it.
                    members.insert(Arc::from(name.as_str()), self.value(expr)?);
                }
                RecordPart::Spread(expr) => match present(self.value(expr)?)? {
                    Value::Record(r) => members.extend(r.members.iter().cloned()),
                    Value::Map(m) => members.extend(m.iter().map(|(k, v)| (k.clone(), v.clone()))),
                    hole @ Value::Hole(_) => return Ok(hole),
                    other => return fail(format!("`...` needs a record or a map, not a {}", other.kind())),
                },
            }
        }
        Ok(Value::Record(Arc::new(Record::of(members))))
    }

    fn map(&mut self, entries: &'p [(Expr, Expr)]) -> Outcome {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let key = present(self.value(key)?)?;
            let value = present(self.value(value)?)?;
            match key {
                Value::String(key) => map.insert(key, value),
                hole @ Value::Hole(_) => return Ok(hole),
                other => return fail(format!("the key of a map is text, not a {}", other.kind())),
            };
        }
        Ok(Value::Map(Arc::new(map)))
    }

    fn member(&mut self, base: &'p Expr, name: &str, optional: bool) -> Outcome {
        let base = self.value(base)?;
        if optional && matches!(base, Value::None | Value::Absent(_)) {
            return Ok(Value::None);
        }
        match present(base)? {
            Value::Record(record) => Ok(match record.get(name) {
                Some(value) => value.clone(),
                None => Value::Absent(Arc::from(name)),
            }),
            Value::Target(target) => Ok(match name {
                "cloud" => Value::text(&target.cloud),
                "account" => Value::text(&target.account),
                "region" => Value::text(&target.region),
                _ => return fail(format!("a target has no `{name}`")),
            }),
            hole @ Value::Hole(_) => Ok(hole),
            other => fail(format!("a {} has no member `{name}`", other.kind())),
        }
    }

    fn index(&mut self, base: &'p Expr, index: &'p Expr) -> Outcome {
        let base = present(self.value(base)?)?;
        let index = present(self.value(index)?)?;
        match (&base, &index) {
            (Value::Hole(_), _) => Ok(base),
            (_, Value::Hole(_)) => Ok(index),
            (Value::Map(map), Value::String(key)) => Ok(map.get(key).cloned().unwrap_or(Value::None)),
            (Value::List(items), Value::Int(i)) => {
                Ok(usize::try_from(*i).ok().and_then(|i| items.get(i)).cloned().unwrap_or(Value::None))
            }
            _ => fail(format!("a {} cannot be looked up by a {}", base.kind(), index.kind())),
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &'p Expr) -> Outcome {
        let value = present(self.value(operand)?)?;
        match (op, value) {
            (_, hole @ Value::Hole(_)) => Ok(hole),
            (UnaryOp::Not, Value::Bool(b)) => Ok(Value::Bool(!b)),
            (UnaryOp::Negate, value) => Ok(arithmetic::negate(value)?),
            (UnaryOp::Not, other) => fail(format!("`not` needs a truth value, not a {}", other.kind())),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &'p Expr, right: &'p Expr) -> Outcome {
        match op {
            BinaryOp::And | BinaryOp::Or => return self.logic(op == BinaryOp::And, left, right),
            BinaryOp::Coalesce => {
                return match self.value(left) {
                    Ok(Value::None | Value::Absent(_)) => self.value(right),
                    other => other,
                };
            }
            _ => {}
        }
        let (l, r) = (self.value(left), self.value(right));
        let (l, r) = match (l, r) {
            (Err(Stop::Fail(e)), _) | (_, Err(Stop::Fail(e))) => return Err(Stop::Fail(e)),
            (Err(Stop::Pending), _) | (_, Err(Stop::Pending)) => return Err(Stop::Pending),
            (Ok(l), Ok(r)) => (l, r),
        };
        if let Some(hole) = [&l, &r].into_iter().find(|v| matches!(v, Value::Hole(_))) {
            return Ok(hole.clone());
        }
        Ok(match op {
            BinaryOp::Equal => Value::Bool(equal(&l, &r)),
            BinaryOp::NotEqual => Value::Bool(!equal(&l, &r)),
            BinaryOp::In => Value::Bool(is_in(&l, &present(r)?)?),
            BinaryOp::NotIn => Value::Bool(!is_in(&l, &present(r)?)?),
            _ => arithmetic::binary(op, &present(l)?, &present(r)?)?,
        })
    }

    fn logic(&mut self, and: bool, left: &'p Expr, right: &'p Expr) -> Outcome {
        let word = if and { "and" } else { "or" };
        let check = |value: Value| match value {
            Value::Bool(_) | Value::Hole(_) => Ok(value),
            other => fail(format!("`{word}` needs truth values, not a {}", other.kind())),
        };
        let l = check(present(self.value(left)?)?)?;
        match l {
            Value::Bool(b) if b != and => Ok(Value::Bool(b)),
            Value::Bool(_) => check(present(self.value(right)?)?),
            // Not known yet; the right side may decide all the same.
            hole => match check(present(self.value(right)?)?)? {
                Value::Bool(b) if b != and => Ok(Value::Bool(b)),
                _ => Ok(hole),
            },
        }
    }

    fn branch(&mut self, condition: &'p Expr, then: &'p Block, otherwise: Option<&'p Block>) -> Outcome {
        match present(self.value(condition)?)? {
            Value::Bool(true) => self.run_block(then),
            Value::Bool(false) => match otherwise {
                Some(block) => self.run_block(block),
                None => Ok(Value::None),
            },
            hole @ Value::Hole(_) => {
                self.explore([Some(then), otherwise].into_iter().flatten())?;
                Ok(hole)
            }
            other => fail(format!("`if` needs a truth value, not a {}", other.kind())),
        }
    }

    fn matched(&mut self, subject: &'p Expr, arms: &'p [MatchArm]) -> Outcome {
        let value = self.value(subject)?;
        if matches!(value, Value::Hole(_)) {
            self.explore(arms.iter().map(|arm| &arm.body))?;
            return Ok(value);
        }
        for arm in arms {
            if arm.values.is_empty() || arm.values.iter().any(|v| equal(v, &value)) {
                return self.run_block(&arm.body);
            }
        }
        fail("no arm of this `match` fits")
    }

    /// Looks into branches of which it is not known which one is taken, for the calls in them.
    fn explore(&mut self, blocks: impl Iterator<Item = &'p Block>) -> Result<(), Stop> {
        if !self.host.explores() {
            return Ok(());
        }
        let mut pending = false;
        for block in blocks {
            // A branch that cannot be taken so far has no more to show.
            pending |= matches!(self.run_block(block), Err(Stop::Pending));
        }
        if pending { Err(Stop::Pending) } else { Ok(()) }
    }

    pub(crate) fn run_block(&mut self, block: &'p Block) -> Outcome {
        let scope = self.locals.len();
        let result = self.run_nodes(block);
        self.locals.truncate(scope);
        result
    }

    fn run_nodes(&mut self, block: &'p Block) -> Outcome {
        let mut pending = false;
        for node in &block.nodes {
            match &node.kind {
                NodeKind::Let { name, value } => match self.value(value) {
                    Ok(value) => self.locals.push((name, value)),
                    // What follows may not use it: it would fail on a name without a value.
                    Err(stop) => return Err(stop),
                },
                NodeKind::Require { condition, otherwise } => self.require(condition, otherwise.as_ref())?,
                NodeKind::Do { value } => match self.value(value) {
                    Ok(_) => {}
                    Err(Stop::Pending) => pending = true,
                    Err(stop) => return Err(stop),
                },
                NodeKind::Wait(wait) => self.pause(&node.id, Some(wait), &wait.timeout)?,
                NodeKind::Sleep { duration } => self.pause(&node.id, None, duration)?,
                NodeKind::Return { value: Some(value) } => return self.value(value),
                NodeKind::Return { value: None } => return Ok(Value::None),
                _ => return fail("this statement cannot stand inside an expression"),
            }
            // A statement after a pending one may depend on its effect.
            if pending {
                return Err(Stop::Pending);
            }
        }
        match &block.value {
            Some(value) => self.value(value),
            None => Ok(Value::None),
        }
    }

    fn pause(&mut self, id: &str, wait: Option<&'p escher_ir::program::Wait>, time: &'p Expr) -> Result<(), Stop> {
        let time = present(self.value(time)?)?;
        let (path, names) = (format!("{}/{id}", self.path), self.names());
        let target = self.targets.last().cloned();
        reply(self.host.pause(PauseRequest { path, wait, time, names, target })).map(drop)
    }

    /// All names in scope, with their values.
    fn names(&self) -> BTreeMap<String, Value> {
        let mut names = self.around.cloned().unwrap_or_default();
        names.extend(self.bound.iter().map(|(name, value)| (name.clone(), value.clone())));
        names.extend(self.locals.iter().map(|(name, value)| ((*name).to_string(), value.clone())));
        names
    }

    fn require(&mut self, condition: &'p Expr, otherwise: Option<&'p Expr>) -> Result<(), Stop> {
        match present(self.value(condition)?)? {
            Value::Bool(true) | Value::Hole(_) => Ok(()),
            Value::Bool(false) => {
                let words = match otherwise {
                    Some(expr) => json::to_text(&self.value(expr)?),
                    None => "a `require` does not hold".to_string(),
                };
                fail(words)
            }
            other => fail(format!("`require` needs a truth value, not a {}", other.kind())),
        }
    }

    /// Applies a lambda to values, as element `index` of a list where given.
    pub(crate) fn call_lambda_at(&mut self, lambda: &'p Expr, index: usize, values: &[Value]) -> Outcome {
        let length = self.path.len();
        self.path.push_str(&format!("[{index}]"));
        let result = self.call_lambda(lambda, values);
        self.path.truncate(length);
        result
    }

    pub(crate) fn call_lambda(&mut self, lambda: &'p Expr, values: &[Value]) -> Outcome {
        let Expr::Lambda { params, body } = lambda else {
            return fail("this needs a function, such as `x => x.name`");
        };
        if params.len() != values.len() {
            return fail(format!("this function takes {} values, not {}", params.len(), values.len()));
        }
        let scope = self.locals.len();
        self.locals.extend(params.iter().map(String::as_str).zip(values.iter().cloned()));
        let result = self.value(body);
        self.locals.truncate(scope);
        result
    }

    fn function(&mut self, site: &str, name: &str, arguments: &'p [Expr]) -> Outcome {
        let values = self.all(arguments)?;
        let Some(function) = self.program.functions.get(name) else {
            return fail(format!("there is no function `{name}`"));
        };
        // A function sees its parameters and nothing of its caller.
        let outer = std::mem::take(&mut self.locals);
        let (bound, around) = (std::mem::take(&mut self.bound), self.around.take());
        self.locals.extend(function.params.iter().map(String::as_str).zip(values));
        let length = self.path.len();
        self.path.push_str(&format!("/{site}"));
        let result = self.run_nodes(&function.body);
        self.path.truncate(length);
        self.locals = outer;
        (self.bound, self.around) = (bound, around);
        result
    }

    fn builtin(&mut self, builtin: Builtin, arguments: &'p [Expr]) -> Outcome {
        match builtin {
            Builtin::Now => reply(self.host.fixed(format!("{}/now", self.path), Fixed::Now)),
            Builtin::RunId => reply(self.host.fixed("run.id".into(), Fixed::RunId)),
            Builtin::RunStarted => reply(self.host.fixed("run.started".into(), Fixed::RunStarted)),
            Builtin::RunDue => reply(self.host.fixed("run.due".into(), Fixed::RunDue)),
            Builtin::RunLast => reply(self.host.fixed("run.last".into(), Fixed::RunLast)),
            Builtin::Targets => self.group(arguments).map(|(_, places)| places),
            Builtin::OneTarget => match self.group(arguments)? {
                (group, Value::List(places)) => match places.as_slice() {
                    [place] => Ok(place.clone()),
                    places => {
                        fail(format!("`{group}` of the settings has {} places, and `target` needs one", places.len()))
                    }
                },
                (_, other) => Ok(other),
            },
            Builtin::TargetOf => match self.all(arguments)?.into_iter().next() {
                Some(Value::Record(r)) => match &r.target {
                    Some(target) => Ok(Value::Target(target.clone())),
                    None => fail("this record was not read from a cloud, so it has no `.target`"),
                },
                Some(hole @ Value::Hole(_)) => Ok(hole),
                _ => fail("only a record has a `.target`"),
            },
            Builtin::Table => methods::table(self, arguments),
        }
    }

    /// The name of a group of the settings, and its places.
    fn group(&mut self, arguments: &'p [Expr]) -> Result<(Arc<str>, Value), Stop> {
        match self.all(arguments)?.into_iter().next() {
            Some(Value::String(group)) => {
                let asked = self.host.fixed(format!("targets.{group}"), Fixed::Targets(group.to_string()));
                Ok((group, reply(asked)?))
            }
            _ => fail("`targets` needs the name of a group"),
        }
    }

    fn call(&mut self, call: &'p Arc<Call>) -> Outcome {
        let mut arguments = Named::default();
        let mut pending = false;
        for (name, expr) in &call.arguments {
            match self.value(expr) {
                // An optional argument that is `none` is left out.
                Ok(Value::None) => {}
                Ok(value) => {
                    arguments.insert(named::text(name), whole(value)?);
                }
                Err(Stop::Pending) => pending = true,
                Err(stop) => return Err(stop),
            }
        }
        if pending {
            return Err(Stop::Pending);
        }
        let path = format!("{}/{}", self.path, call.site);
        let target = self.targets.last().cloned();
        let names = if call.probe.is_some() { self.names() } else { BTreeMap::new() };
        let outer = self.catches.iter().rev().copied().flatten();
        let catch = call.catch.iter().chain(outer).cloned().collect();
        let result = reply(self.host.call(CallRequest { path, call, arguments, target, catch, names }));
        self.caught(&call.catch, result)
    }

    /// Applies the arms of a `catch` to what it stands around.
    fn caught(&mut self, arms: &'p [CatchArm], result: Outcome) -> Outcome {
        let Err(Stop::Fail(mut error)) = result else { return result };
        let arm = match (&error.call, &error.outcome) {
            (Some(failure), None) => matching_arm(arms, failure),
            _ => None,
        };
        match arm.map(|arm| &arm.outcome) {
            None => Err(Stop::Fail(error)),
            Some(CatchOutcome::Value(value)) => self.value(value),
            Some(outcome) => {
                error.outcome = Some(Box::new(outcome.clone()));
                Err(Stop::Fail(error))
            }
        }
    }
}

fn reply(reply: Reply) -> Outcome {
    match reply {
        Reply::Value(value) => Ok(value),
        Reply::Pending => Err(Stop::Pending),
        Reply::Failed(error) => Err(Stop::Fail(error)),
    }
}

fn done(outcome: Outcome) -> Result<Option<Value>, EvalError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Pending) => Ok(None),
        Err(Stop::Fail(error)) => Err(error),
    }
}
