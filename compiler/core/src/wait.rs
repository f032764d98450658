//! `wait op(…) timeout 10m`, `wait until c every 15s timeout 10m`.

use std::sync::Arc;

use escher_ir::operation::StoredWaiter;
use escher_ir::program::{Call, Expr, Projection, Wait};
use escher_ir::{Type, Value, codec};
use escher_syntax::ast::{self, ClauseValue, ExprKind};
use escher_syntax::{Diagnostic, Span};
use jiff::SignedDuration;

use crate::checker::{Checker, Place};
use crate::member::path_of;
use crate::suggest::nearest;

/// How often a condition is asked for, and when it is given up, where the playbook does not say.
const EVERY: SignedDuration = SignedDuration::from_secs(15);
const TIMEOUT: SignedDuration = SignedDuration::from_mins(10);

impl Checker<'_> {
    /// Whether the place at hand may take its time: a step, or an action that only a step can call then.
    pub(crate) fn may_wait(&mut self, span: Span) -> bool {
        if let Some(action) = self.action.as_mut().filter(|_| self.place == Place::Change) {
            action.needs_step.get_or_insert(span);
        }
        self.place == Place::Change
    }

    pub(crate) fn wait(&mut self, what: &ast::Expr, until: bool, clauses: &[ast::Clause]) -> Option<Wait> {
        let place = std::mem::replace(&mut self.place, Place::Read);
        let asked = match until {
            true => Some((self.expr_of(what, &Type::Bool, "what is waited for").expr, None, EVERY, TIMEOUT)),
            false => self.waiter(what),
        };
        let (mut every, mut timeout) = (None, None);
        for clause in clauses {
            let ClauseValue::Expr(expr) = &clause.value else { continue };
            let what = format!("`{}`", clause.word.text);
            let typed = self.expr_of(expr, &Type::Duration, &what);
            match (clause.word.text.as_str(), crate::constant::fold(&typed.expr)) {
                ("every", Some(Value::Duration(time))) => every = Some(time),
                ("every", _) if typed.ty != Type::Unknown => {
                    self.error("E0301", expr.span, "how often is asked is a constant, such as `15s`");
                }
                ("every", _) => {}
                _ => timeout = Some(typed.expr),
            }
        }
        self.place = place;
        let (poll, waiter, usual, longest) = asked?;
        let every = u64::try_from(every.unwrap_or(usual).as_millis()).unwrap_or(0);
        if every == 0 {
            self.error("E0304", what.span, "nothing is asked for without a pause: write `every 15s`");
        }
        let timeout = timeout.unwrap_or(Expr::Literal(Value::Duration(longest)));
        Some(Wait { poll, waiter, every_ms: every, timeout })
    }

    /// A waiter of the catalogue, with the pause and the length that its model states.
    #[allow(clippy::type_complexity, reason = "the four parts of a wait, taken apart by its one caller")]
    fn waiter(&mut self, what: &ast::Expr) -> Option<(Expr, Option<String>, SignedDuration, SignedDuration)> {
        let path = match &what.kind {
            ExprKind::Call { callee, arguments } => path_of(callee).map(|path| (path, arguments)),
            ExprKind::Error => return None,
            _ => None,
        };
        let Some((path, arguments)) = path else { return self.no_waiter(what.span) };
        let [cloud, service_name, name] = path.as_slice() else { return self.no_waiter(what.span) };
        if !crate::member::is_cloud(&path) {
            return self.no_waiter(what.span);
        }
        let service = self.service(&cloud.text, service_name)?;
        let Some(waiter) = service.waiter(&name.text).cloned() else {
            let message = format!("`{}.{}` has no waiter `{}`", cloud.text, service_name.text, name.text);
            let mut diagnostic = Diagnostic::error("E0203", name.span, message);
            let names: Vec<&str> = service.waiters.iter().map(|w| &*w.name).collect();
            diagnostic = match nearest(&name.text, names.iter().copied()) {
                Some(near) => {
                    diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), name.span, near)
                }
                None => diagnostic.help(format!(
                    "it has {}; anything else is `wait until condition every 15s`",
                    names.iter().take(12).copied().collect::<Vec<_>>().join(", ")
                )),
            };
            self.say(diagnostic);
            return None;
        };
        let polled = service.operations.iter().find(|o| *o.official == *waiter.operation)?.name.clone();
        let operation = format!("{}.{}.{polled}", cloud.text, service_name.text);
        let record = self.world.record(&operation)?;
        let (arguments, _) = self.arguments(&record, &service, arguments, what.span);
        self.note_operation(&operation, &record);
        (self.reads, self.calls) = (true, self.calls + 1);
        let full = format!("{}.{}.{}", cloud.text, service_name.text, waiter.name);
        if let Ok(digest) = codec::digest(&StoredWaiter(waiter.clone())) {
            self.waiters.insert(full.clone(), digest);
        }
        let call = Call {
            site: self.site(&name.text),
            operation,
            arguments,
            changes: false,
            reads: Projection::default(),
            catch: Vec::new(),
            probe: None,
        };
        let seconds = |n: u64| SignedDuration::from_secs(i64::try_from(n).unwrap_or(i64::MAX));
        let longest = u64::from(waiter.delay).saturating_mul(u64::from(waiter.max_attempts)).max(1);
        Some((Expr::Call(Arc::new(call)), Some(full), seconds(u64::from(waiter.delay).max(1)), seconds(longest)))
    }

    fn no_waiter<T>(&mut self, span: Span) -> Option<T> {
        self.say(
            Diagnostic::error("E0203", span, "this is nothing that a cloud can be waited for")
                .help("write `wait aws.ec2.instance_stopped(…)`, or `wait until condition every 15s timeout 10m`"),
        );
        None
    }
}
