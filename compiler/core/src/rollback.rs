//! Whether and how what a step does is taken back: by its `undo`, by itself, or not, and then why not.

use std::sync::Arc;

use escher_catalog::{Effect, Risk};
use escher_ir::plan::Rollback;
use escher_ir::program::{Block, Call, Expr, NodeKind};
use escher_ir::{Type, Value, visit};
use escher_syntax::Diagnostic;
use escher_syntax::ast::{self, ClauseValue};

use crate::checker::Checker;
use crate::risk::{self, Witness};

/// Words of operations that take each other back on the same thing.
const INVERSES: &[(&str, &str)] = &[
    ("stop", "start"),
    ("deallocate", "start"),
    ("power_off", "start"),
    ("disable", "enable"),
    ("detach", "attach"),
    ("disassociate", "associate"),
    ("suspend", "resume"),
    ("pause", "resume"),
    ("pause", "unpause"),
    ("deregister", "register"),
    ("remove", "add"),
    ("untag", "tag"),
    ("revoke", "authorize"),
    ("revoke", "grant"),
    ("lock", "unlock"),
    ("block", "unblock"),
    ("delete", "create"),
    ("delete", "put"),
    ("delete", "insert"),
    ("delete", "restore"),
];

/// Words of operations after which a thing is as it was.
const PASSING: &[&str] = &["reboot", "restart"];

/// What a step's body and `undo` were found to do.
pub(crate) struct Done<'a> {
    /// The calls of the body.
    pub(crate) body: &'a [Witness],
    /// Those of the `undo`; none where it has none.
    pub(crate) undo: Option<&'a [Witness]>,
    /// The body, lowered.
    pub(crate) block: &'a Block,
}

impl Checker<'_> {
    /// How a step is taken back, where that is more than that it has an `undo` or has none; says so where the author must.
    pub(crate) fn rollback(&mut self, step: &ast::Step, done: &Done<'_>) -> Option<Rollback> {
        let clause = step.clauses.iter().find(|c| c.word.text == "irreversible");
        let why = clause.and_then(|clause| Some((clause.span, self.why(clause)?)));
        let does = |calls: &[Witness], what| calls.iter().any(|w| w.effects.contains(&what));
        if let Some(undo) = done.undo {
            if let Some((span, _)) = why {
                self.say(
                    Diagnostic::error("E0426", span, "this step says how it is taken back, and that it cannot be")
                        .label(step.undo.as_ref().map_or(step.head, |u| u.span), "taken back here")
                        .help("leave one of them out"),
                );
            }
            return (does(done.body, Effect::Delete) && does(undo, Effect::Create)).then_some(Rollback::Replaced);
        }
        if let Some((_, why)) = why {
            return Some(Rollback::Irreversible(why));
        }
        if takes_itself_back(done.block) {
            return Some(Rollback::Itself);
        }
        let worst = done.body.iter().max_by_key(|w| (w.raised, std::cmp::Reverse(w.span)))?;
        if worst.raised >= Risk::High {
            self.not_taken_back(step, worst);
        }
        None
    }

    fn why(&mut self, clause: &ast::Clause) -> Option<String> {
        let ClauseValue::Expr(value) = &clause.value else { return None };
        let typed = self.expr_of(value, &Type::STRING, "why it cannot be taken back");
        match typed.constant() {
            Some(Value::String(text)) => Some(text.to_string()),
            None if typed.ty != Type::Unknown => {
                self.say(
                    Diagnostic::error("E0301", value.span, "why it cannot be taken back is a plain text")
                        .help("an approver reads it before anything is known of the run"),
                );
                None
            }
            _ => None,
        }
    }

    fn not_taken_back(&mut self, step: &ast::Step, worst: &Witness) {
        let told = format!(
            "step `{}` is of risk `{}`, and nothing says how it is taken back",
            step.name.text,
            risk::word(worst.raised)
        );
        let way = match self.inverse(&worst.operation) {
            Some(inverse) => format!("say how, with `{inverse}` in `undo {{ … }}`"),
            None => "say how, `undo { … }`".to_string(),
        };
        self.advice.push(
            Diagnostic::warning("E0425", step.name.span, told)
                .label(worst.span, format!("`{}`", worst.operation))
                .help(format!("{way}; or that it cannot be: `irreversible \"why\"`. The plan says which")),
        );
    }

    /// The operation of the catalogue that takes another back.
    fn inverse(&self, operation: &str) -> Option<String> {
        let (group, name) = operation.rsplit_once('.')?;
        let both = INVERSES.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
        both.filter_map(|(word, other)| Some(format!("{group}.{other}{}", rest(name, word)?)))
            .find(|inverse| self.world.record(inverse).is_some())
    }
}

/// What follows a word in the name of an operation: `_instances` in `stop_instances`.
fn rest<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    name.strip_prefix(word).filter(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Whether all that a body changes it changes back itself, on the same things, one call after the other.
fn takes_itself_back(body: &Block) -> bool {
    let mut calls: Vec<&Arc<Call>> = Vec::new();
    for node in &body.nodes {
        match &node.kind {
            NodeKind::Let { value, .. } | NodeKind::Do { value } => calls.extend(call_of(value)),
            NodeKind::Wait(_) | NodeKind::Sleep { .. } | NodeKind::Require { .. } => {}
            _ => return false,
        }
    }
    calls.extend(body.value.as_deref().and_then(call_of));
    calls.retain(|call| call.changes);
    // What stands in a branch, an action or a lambda may be done or not.
    let mut all = 0;
    visit::block(&mut body.clone(), &mut |e| match e {
        Expr::Call(call) if call.changes => all += 1,
        Expr::Function { .. } => all = usize::MAX / 2,
        _ => {}
    });
    if calls.is_empty() || all != calls.len() {
        return false;
    }
    let mut open: Vec<&Arc<Call>> = Vec::new();
    for call in calls {
        let name = call.operation.rsplit('.').next().unwrap_or_default();
        if PASSING.iter().any(|word| rest(name, word).is_some()) {
            continue;
        }
        match open.iter().position(|earlier| takes_back(earlier, call)) {
            Some(at) => drop(open.remove(at)),
            None => open.push(call),
        }
    }
    open.is_empty()
}

/// The call that an expression is, or reads a member of.
fn call_of(expr: &Expr) -> Option<&Arc<Call>> {
    match expr {
        Expr::Call(call) => Some(call),
        Expr::Member { base, .. } | Expr::Maybe(base) => call_of(base),
        _ => None,
    }
}

/// Whether a call takes back an earlier one: the other word of a pair, for the same thing.
fn takes_back(earlier: &Call, later: &Call) -> bool {
    let (Some((group, first)), Some((same, second))) =
        (earlier.operation.rsplit_once('.'), later.operation.rsplit_once('.'))
    else {
        return false;
    };
    let pair = |(a, b): &(&str, &str)| {
        let after = |name, word| rest(name, word);
        after(first, a).is_some() && after(first, a) == after(second, b)
    };
    group == same
        && INVERSES.iter().any(|(a, b)| pair(&(a, b)) || pair(&(b, a)))
        && later.arguments.iter().all(|(name, value)| earlier.arguments.get(name) == Some(value))
}
