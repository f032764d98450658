//! `approve` in a playbook's body: what is asked, and which steps it covers.
//!
//! An approver sees the rest of the plan as it stands then, so what earlier steps gave is known below it.

use std::collections::BTreeMap;

use escher_catalog::Risk;
use escher_ir::program::{Approval, Approve};
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ClauseValue};
use escher_syntax::{Diagnostic, Span};

use crate::checker::Checker;
use crate::playbook::DEFAULT_VALID_SECONDS;
use crate::risk::{self, Witness};

/// The `approve`s of a playbook so far, and the steps that each covers.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    all: Vec<(Span, Approval)>,
    /// How many stand above each step.
    above: BTreeMap<String, usize>,
}

impl Asked {
    /// A step stands below those that there are so far.
    pub(crate) fn covers(&mut self, step: &str) {
        self.above.insert(step.to_string(), self.all.len());
    }

    /// Whether a step has ended before the last `approve` is asked.
    pub(crate) fn knows(&self, step: &str) -> bool {
        self.above.get(step).is_some_and(|above| *above < self.all.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The highest risk below so many of them and no more; `witnesses` are sorted, highest first.
    pub(crate) fn first_below<'w>(&self, number: usize, witnesses: &'w [Witness]) -> Option<&'w Witness> {
        witnesses.iter().find(|w| self.above.get(&w.step) == Some(&number))
    }
}

impl Checker<'_> {
    pub(crate) fn approve(&mut self, title: &ast::Expr, clauses: &[ast::Clause], span: Span) -> Approve {
        let question = self.expr_of(title, &Type::STRING, "what `approve` asks").expr;
        let mut approval = Approval { by: "manager".into(), of: 1, valid_seconds: DEFAULT_VALID_SECONDS };
        let (mut named, mut show) = (false, None);
        for clause in clauses {
            let ClauseValue::Expr(value) = &clause.value else { continue };
            match clause.word.text.as_str() {
                "by" => {
                    named = true;
                    self.role(value, &mut approval);
                }
                "of" => self.quorum(value, &mut approval),
                "within" => self.validity(value, "`within`", &mut approval),
                _ => {
                    let typed = self.expr(value, None);
                    self.usage.whole(&typed.ty);
                    show = Some(typed.expr);
                }
            }
        }
        if !named {
            self.say(
                Diagnostic::error("E0503", span, "this does not say who approves")
                    .help("write `approve \"…\" by \"manager\"`"),
            );
        }
        // All above has ended when this is asked: the rest is planned with what it gave.
        self.acted = false;
        self.staged_names.clear();
        self.asked.all.push((span, approval.clone()));
        Approve { question, approval, show }
    }

    /// `by "manager"`.
    pub(crate) fn role(&mut self, value: &ast::Expr, approval: &mut Approval) {
        if let ast::ExprKind::Name(word) = &value.kind {
            self.say(Diagnostic::error("E0503", value.span, "a role is text").help(format!("write `\"{word}\"`")).fix(
                "put it in quotes",
                value.span,
                format!("\"{word}\""),
            ));
            approval.by = word.clone();
            return;
        }
        let typed = self.expr_of(value, &Type::STRING, "`by`");
        match typed.constant() {
            Some(Value::String(role)) => approval.by = role.to_string(),
            _ => drop(self.error("E0503", value.span, "a role is a plain text")),
        }
    }

    /// `of 2`.
    pub(crate) fn quorum(&mut self, value: &ast::Expr, approval: &mut Approval) {
        let typed = self.expr_of(value, &Type::Int { min: Some(1), max: Some(20) }, "`of`");
        if let Some(Value::Int(n)) = typed.constant() {
            approval.of = u32::try_from(*n).unwrap_or(1);
        }
    }

    /// `valid: 24h` above a playbook, `within 24h` in it.
    pub(crate) fn validity(&mut self, value: &ast::Expr, what: &str, approval: &mut Approval) {
        let typed = self.expr_of(value, &Type::Duration, what);
        if let Some(Value::Duration(d)) = typed.constant() {
            approval.valid_seconds = u64::try_from(d.as_secs()).unwrap_or(0);
        }
    }

    /// Whether each `approve` has something below it, and approvers enough for that.
    pub(crate) fn check_asked(&mut self, witnesses: &[Witness]) {
        let asked = std::mem::take(&mut self.asked);
        for (at, (span, approval)) in asked.all.iter().enumerate() {
            let Some(witness) = asked.first_below(at + 1, witnesses) else {
                if self.diagnostics.iter().all(|d| d.severity != escher_syntax::Severity::Error) {
                    self.say(
                        Diagnostic::warning("E0504", *span, "nothing that this approves changes anything")
                            .help("put it above the step that it is for"),
                    );
                }
                continue;
            };
            if witness.raised == Risk::Critical && approval.of < 2 {
                self.say(
                    Diagnostic::error("E0502", *span, "what stands below this needs two approvers")
                        .label(witness.span, format!("this is `{}`", risk::word(witness.raised)))
                        .help("add `of 2`"),
                );
            }
        }
        self.asked = asked;
    }
}
