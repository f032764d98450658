//! What a test reads of a run: `r.items("stop")`, `r.calls(aws.ec2.stop_instances)`, `r.refused`.
//!
//! A run's outcome is a record that whoever runs the test makes: `items`, `failed` and `skipped` are maps from a step to
//! a list, `calls` one from an operation to the arguments of each call; `order` is the operations of all changes, as they
//! were sent; `report`, `status`, `message`, `refused` and `value` are
//! members.

use escher_ir::program::{BinaryOp, Expr};
use escher_ir::{Type, Value};
use escher_syntax::Diagnostic;
use escher_syntax::ast;

use super::PlaybookInfo;
use crate::checker::{Checker, Typed};
use crate::suggest::nearest;

const MEMBERS: &[&str] =
    &["items", "failed", "skipped", "calls", "order", "report", "status", "message", "refused", "value"];

impl Checker<'_> {
    /// `r.items("stop")` and its like.
    pub(crate) fn outcome_call(
        &mut self,
        run: &str,
        info: &PlaybookInfo,
        name: &ast::Name,
        arguments: &[ast::Argument],
    ) -> Typed {
        let (key, item) = match (name.text.as_str(), arguments) {
            ("items" | "failed" | "skipped", [step]) => {
                let typed = self.expr_of(&step.value, &Type::STRING, "the name of a step");
                let Some(Value::String(word)) = typed.constant().cloned() else {
                    return self.error("E0301", step.value.span, "the name of a step is a plain text");
                };
                let Some(item) = info.steps.get(&*word) else {
                    let names: Vec<&str> = info.steps.keys().map(String::as_str).collect();
                    let told =
                        Diagnostic::error("E0206", step.value.span, format!("this playbook has no step `{word}`"));
                    self.say(match nearest(&word, names.iter().copied()) {
                        Some(near) => told.help(format!("did you mean \"{near}\"?")),
                        None => told.help(format!("it has {}", names.join(", "))),
                    });
                    return Typed::error();
                };
                (word.to_string(), item.clone())
            }
            ("calls", [operation]) => {
                let Some((full, record)) = self.tested_operation(&operation.value) else { return Typed::error() };
                let input = self.shape_type(&record, record.operation.input);
                (full, input)
            }
            ("items" | "failed" | "skipped" | "calls", _) => {
                let what = if name.text == "calls" { "one operation" } else { "the name of one step" };
                return self.error("E0307", name.span, format!("`{}` takes {what}", name.text));
            }
            _ => return self.outcome_unknown(name),
        };
        let whole = Expr::Member { base: Box::new(Expr::Local(run.into())), name: name.text.clone(), optional: false };
        let at = Expr::Index { base: Box::new(whole), index: Box::new(Expr::Literal(Value::text(key))) };
        let none = Expr::Literal(Value::list(Vec::new()));
        Typed::new(Expr::Binary(BinaryOp::Coalesce, Box::new(at), Box::new(none)), Type::list(item))
    }

    /// `r.report` and its like.
    pub(crate) fn outcome_member(&mut self, run: &str, info: &PlaybookInfo, name: &ast::Name) -> Typed {
        let ty =
            match name.text.as_str() {
                "report" | "status" => Type::STRING,
                "order" => Type::list(Type::STRING),
                "message" | "refused" => Type::STRING.optional(),
                "value" => info.returns.clone().optional(),
                "items" | "failed" | "skipped" | "calls" => {
                    let of = if name.text == "calls" { "an operation" } else { "a step" };
                    self.say(Diagnostic::error("E0206", name.span, format!("`{}` is asked for {of}", name.text)).help(
                        if name.text == "calls" { "write `calls(aws.ec2.…)`" } else { "write `items(\"step\")`" },
                    ));
                    return Typed::error();
                }
                _ => return self.outcome_unknown(name),
            };
        Typed::new(
            Expr::Member { base: Box::new(Expr::Local(run.into())), name: name.text.clone(), optional: false },
            ty,
        )
    }

    fn outcome_unknown(&mut self, name: &ast::Name) -> Typed {
        let told = Diagnostic::error("E0206", name.span, format!("what a run did has no `{}`", name.text));
        self.say(match nearest(&name.text, MEMBERS.iter().copied()) {
            Some(near) => told.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), name.span, near),
            None => told.help(format!("it has {}", MEMBERS.join(", "))),
        });
        Typed::error()
    }
}
