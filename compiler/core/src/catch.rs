//! What stands on a call: `catch { … }` and `unless probe(…)`.

use std::sync::Arc;

use escher_ir::program::{self, CatchOutcome, CatchPattern, Expr};
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ExprKind};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Place, Typed};
use crate::suggest::nearest;
use crate::types::describe;

const KINDS: &[&str] = &["missing", "denied", "conflict", "throttled", "unreachable", "timeout", "invalid"];

/// What a `catch` stands on.
enum On<'t> {
    /// A step: every call in it.
    Step,
    /// A call or several, of this type, which change something or don't.
    Calls { ty: &'t Type, changes: bool },
}

impl Checker<'_> {
    /// `call catch { … }`
    pub(crate) fn catching(
        &mut self,
        call: &ast::Expr,
        arms: &[ast::CatchArm],
        span: Span,
        expected: Option<&Type>,
    ) -> Typed {
        let (calls, changes) = (self.calls, self.changes);
        let typed = self.expr(call, expected);
        if typed.ty == Type::Unknown {
            return typed;
        }
        if self.calls == calls {
            self.say(
                Diagnostic::error("E0420", span, "nothing here calls a cloud, so there is nothing to catch")
                    .help("`catch` stands after a call"),
            );
            return typed;
        }
        let changes = self.changes > changes;
        let (arms, ty) = self.catch_arms(arms, &On::Calls { ty: &typed.ty, changes });
        let expr = match typed.expr {
            Expr::Call(mut call) if call.catch.is_empty() => {
                Arc::make_mut(&mut call).catch = arms;
                Expr::Call(call)
            }
            body => Expr::Catch { body: Box::new(body), arms },
        };
        Typed::new(expr, ty)
    }

    /// The `catch` of a step.
    pub(crate) fn step_catch(&mut self, arms: &[ast::CatchArm]) -> Vec<program::CatchArm> {
        self.catch_arms(arms, &On::Step).0
    }

    fn catch_arms(&mut self, arms: &[ast::CatchArm], on: &On<'_>) -> (Vec<program::CatchArm>, Type) {
        let mut ty = if let On::Calls { ty, .. } = on { (*ty).clone() } else { Type::None };
        let mut lowered = Vec::new();
        for arm in arms {
            let patterns = arm.patterns.iter().filter_map(|p| self.catch_pattern(p)).collect::<Vec<_>>();
            let outcome = match &arm.value.kind {
                ExprKind::Name(word) => outcome(word),
                _ => None,
            };
            let outcome = match (outcome, on) {
                (Some(outcome), On::Step) => outcome,
                (None, On::Step) => {
                    self.say(
                        Diagnostic::error("E0210", arm.value.span, "a step's `catch` ends in skip, done, undo or fail")
                            .help("write `missing => done`"),
                    );
                    continue;
                }
                (Some(outcome), On::Calls { .. }) => {
                    self.ends_item(&outcome, arm.value.span);
                    outcome
                }
                (None, On::Calls { changes: true, .. }) => {
                    self.say(
                        Diagnostic::error("E0420", arm.value.span, "the answer of a change is not made up")
                            .help("say what becomes of the item: `skip`, `done`, `undo` or `fail`"),
                    );
                    continue;
                }
                (None, On::Calls { .. }) => {
                    let value = self.expr(&arm.value, Some(&ty));
                    match Checker::join(&ty, &value.ty) {
                        Some(joined) => ty = joined,
                        None => {
                            let message =
                                format!("this call gives {}, and this is {}", describe(&ty), describe(&value.ty));
                            self.error("E0301", arm.value.span, message);
                        }
                    }
                    let hides = |p: &CatchPattern| match p {
                        CatchPattern::Any => true,
                        CatchPattern::Kind(kind) => matches!(kind.as_str(), "denied" | "unreachable"),
                        CatchPattern::Code(_) => false,
                    };
                    if patterns.iter().any(hides) {
                        self.takes_over(Some(arm.span), None);
                    }
                    CatchOutcome::Value(Box::new(value.expr))
                }
            };
            lowered.push(program::CatchArm { patterns, outcome });
        }
        (lowered, ty)
    }

    fn catch_pattern(&mut self, pattern: &ast::Pattern) -> Option<CatchPattern> {
        match &pattern.kind {
            ast::PatternKind::Any => Some(CatchPattern::Any),
            ast::PatternKind::Literal(e) => match self.expr(e, None).constant() {
                Some(Value::String(code)) => Some(CatchPattern::Code(code.to_string())),
                _ => None,
            },
            ast::PatternKind::Name(path) => {
                let word = path.segments.first().map_or("", |n| n.text.as_str());
                if KINDS.contains(&word) && path.segments.len() == 1 {
                    return Some(CatchPattern::Kind(word.to_string()));
                }
                let mut d = Diagnostic::error("E0210", path.span, format!("`{word}` is no kind of error"));
                d = match nearest(word, KINDS.iter().copied()) {
                    Some(near) => d.help(format!("did you mean `{near}`?")),
                    None => d.help(format!("kinds are {}; a cloud's own code stands in quotes", KINDS.join(", "))),
                };
                self.say(d);
                None
            }
        }
    }

    /// `skip`, `done`, `undo`, `fail` say what becomes of an item, so there must be one.
    fn ends_item(&mut self, outcome: &CatchOutcome, span: Span) {
        if self.place != Place::Change {
            self.say(
                Diagnostic::error("E0420", span, "there is no item here that this could be said of")
                    .help("give a value to go on with, such as `none` or `[]`; items are those of a step"),
            );
        } else if let Some(action) = &mut self.action {
            action.needs_step.get_or_insert(span);
        } else if let (CatchOutcome::Undo, Some(step)) = (outcome, &self.step)
            && !step.has_undo
        {
            self.no_undo(span, "this takes the item back, and the step does not say how");
        }
    }

    pub(crate) fn no_undo(&mut self, span: Span, message: &str) {
        self.say(Diagnostic::error("E0418", span, message).help("write `undo { … }` after the step's body"));
    }

    /// The expression at hand uses what may stand for the answer of a refused or unreachable cloud.
    pub(crate) fn takes_over(&mut self, lenient: Option<Span>, cut: Option<Span>) {
        if let Some(span) = lenient {
            let place = if self.cutting { &mut self.cut } else { &mut self.lenient };
            place.get_or_insert(span);
        }
        if let Some(span) = cut {
            self.cut.get_or_insert(span);
        }
    }

    /// What a step is done for may not be cut down by an answer that a cloud refused: less knowledge would mean more
    /// changes.
    pub(crate) fn check_cut(&mut self, span: Span) {
        if let Some(replaced) = self.cut.take() {
            self.say(
                Diagnostic::error("E0416", span, "this leaves items out by an answer that may have been refused")
                    .label(replaced, "replaced here where the cloud refuses or cannot be reached")
                    .help("leave `denied`, `unreachable` and `_` out of that `catch`: knowing less would change more"),
            );
        }
    }

    /// `call unless probe(…)`: the probe's value takes the place of the answer.
    pub(crate) fn unless(&mut self, call: &ast::Expr, probe: &ast::Expr, span: Span, expected: Option<&Type>) -> Typed {
        let changes = self.changes;
        self.probed = true;
        let typed = self.expr(call, expected);
        self.probed = false;
        let changes = self.changes > changes;
        let place = std::mem::replace(&mut self.place, Place::Read);
        let found = self.expr(probe, Some(&typed.ty));
        self.place = place;
        let mut lowered = match typed.expr {
            _ if typed.ty == Type::Unknown => return Typed::error(),
            Expr::Call(lowered) if changes => lowered,
            _ => {
                self.say(
                    Diagnostic::error("E0421", span, "`unless` stands on one call of a cloud that changes something")
                        .help("a read is simply asked again; in an action, write it on the call itself"),
                );
                return Typed::new(typed.expr, typed.ty);
            }
        };
        self.expect(&found, &typed.ty.clone().optional(), probe.span, "what takes the place of this call's answer");
        Arc::make_mut(&mut lowered).probe = Some(Box::new(found.expr));
        Typed::new(Expr::Call(lowered), typed.ty)
    }
}

fn outcome(word: &str) -> Option<CatchOutcome> {
    match word {
        "skip" => Some(CatchOutcome::Skip),
        "done" => Some(CatchOutcome::Done),
        "undo" => Some(CatchOutcome::Undo),
        "fail" => Some(CatchOutcome::Fail),
        _ => None,
    }
}
