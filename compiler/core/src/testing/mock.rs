//! What stands for the cloud in a test: answers, and failures.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::Record;
use escher_ir::Type;
use escher_syntax::ast::{self, ExprKind};
use escher_syntax::{Diagnostic, Span};

use super::{ExprId, Lowering, TestKind};
use crate::call::near_operation;
use crate::checker::{Checker, Typed};
use crate::member::{is_cloud, path_of};
use crate::shapes;
use crate::suggest::nearest;
use crate::types::{describe, fits};

/// The kinds of errors that `catch` knows, too.
const KINDS: &[&str] = &["missing", "denied", "conflict", "throttled", "unreachable", "timeout", "invalid"];

/// `mock op(args) => answer then [ … ]`.
#[derive(Clone, Debug)]
pub struct Mock {
    /// The operation, by full name.
    pub operation: String,
    /// Arguments that a call must have for this mock to answer it.
    pub arguments: BTreeMap<String, ExprId>,
    /// Its answers in turn; the last one stays.
    pub answers: Vec<MockAnswer>,
}

/// What a mock answers.
#[derive(Clone, Debug)]
pub enum MockAnswer {
    /// A value of the operation's output.
    Value(ExprId),
    /// A cloud's code, or a kind of error.
    Fail(String),
}

impl Checker<'_> {
    pub(crate) fn mock(
        &mut self,
        target: &ast::Expr,
        answer: &ast::MockAnswer,
        then: &[ast::MockAnswer],
        lowering: &mut Lowering,
    ) -> Option<TestKind> {
        let (callee, arguments) = match &target.kind {
            ExprKind::Call { callee, arguments } => (&**callee, arguments.as_slice()),
            _ => (target, &[][..]),
        };
        let (operation, record) = self.tested_operation(callee)?;
        let input = self.shape_type(&record, record.operation.input);
        let output = self.shape_type(&record, record.operation.output);
        let mut wanted = BTreeMap::new();
        for argument in arguments {
            let Some(name) = &argument.name else {
                self.say(
                    Diagnostic::error("E0204", argument.value.span, "arguments of an operation are named")
                        .help("write the name before it"),
                );
                continue;
            };
            let Some(ty) = self.member_type(&input, name) else { continue };
            let typed = self.expr_of(&argument.value, &ty, &format!("`{}`", name.text));
            wanted.insert(name.text.clone(), lowering.keep(typed.expr));
        }
        let mut answers = Vec::new();
        for answer in std::iter::once(answer).chain(then) {
            match answer {
                ast::MockAnswer::Value(value) => {
                    let typed = self.mocked(value, &output, &format!("what `{operation}` answers"));
                    answers.push(MockAnswer::Value(lowering.keep(typed.expr)));
                }
                ast::MockAnswer::Fail(code) => answers.push(MockAnswer::Fail(self.failure(code)?)),
            }
        }
        Some(TestKind::Mock(super::Mock { operation, arguments: wanted, answers }))
    }

    /// A value that stands for one of the cloud's.
    pub(crate) fn mocked(&mut self, value: &ast::Expr, ty: &Type, what: &str) -> Typed {
        let typed = self.expr(value, Some(ty));
        let Some(why) = self.unlike(&typed.ty, ty, what) else { return typed };
        // A literal is told about as everywhere; of what was built elsewhere, the member that does not fit.
        let told = self.diagnostics.len();
        self.expect(&typed, ty, value.span, what);
        if let Some(last) = self.diagnostics.get_mut(told).filter(|d| d.code == "E0301") {
            last.message = why;
        }
        typed
    }

    /// Why a value of one type cannot stand for one of another: a record may be built anywhere, so long as its members
    /// are those of the shape.
    fn unlike(&mut self, from: &Type, to: &Type, what: &str) -> Option<String> {
        match (from, to) {
            (Type::Record(record), Type::Shape(shape)) => {
                let fields = self.shape_fields(shape)?;
                let short = shape.rsplit('.').next().unwrap_or(shape);
                record.fields.iter().find_map(|(name, field)| match fields.get(name) {
                    Some(wanted) => self.unlike(&field.ty, &wanted.ty, &format!("`{name}` of `{short}`")),
                    None => Some(format!("`{short}` has no member `{name}`")),
                })
            }
            (Type::List(from), Type::List(to)) | (Type::Map(from), Type::Map(to)) => self.unlike(from, to, what),
            _ if fits(from, to) => None,
            _ => Some(format!("{what} is {}, and this is {}", describe(to), describe(from))),
        }
    }

    /// A cloud's code, or one of the kinds.
    pub(crate) fn failure(&mut self, code: &ast::Expr) -> Option<String> {
        match &code.kind {
            ExprKind::Text(text) => match text.parts.as_slice() {
                [ast::TextPart::Literal(code)] if !code.is_empty() => return Some(code.clone()),
                _ => self.say(Diagnostic::error("E0320", code.span, "a cloud's code is a plain text")),
            },
            ExprKind::Name(kind) if KINDS.contains(&kind.as_str()) => return Some(kind.clone()),
            ExprKind::Name(kind) => {
                let told = Diagnostic::error("E0320", code.span, format!("`{kind}` is no kind of error"));
                self.say(match nearest(kind, KINDS.iter().copied()) {
                    Some(near) => {
                        told.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), code.span, near)
                    }
                    None => told.help(format!("write a cloud's code in quotes, or one of {}", KINDS.join(", "))),
                });
            }
            _ => self.say(
                Diagnostic::error("E0320", code.span, "this is no failure")
                    .help(format!("write a cloud's code in quotes, or one of {}", KINDS.join(", "))),
            ),
        }
        None
    }

    /// The operation that a test names.
    pub(crate) fn tested_operation(&mut self, target: &ast::Expr) -> Option<(String, Arc<Record>)> {
        let Some(path) = path_of(target).filter(|p| is_cloud(p)) else {
            self.not_an_operation(target.span);
            return None;
        };
        let [cloud, service, operation] = path.as_slice() else {
            self.not_an_operation(target.span);
            return None;
        };
        let found = self.service(&cloud.text, service)?;
        let full = format!("{}.{}.{}", cloud.text, service.text, operation.text);
        if let Some(record) = self.world.record(&full) {
            return Some((full, record));
        }
        let message = format!("`{}.{}` has no operation `{}`", cloud.text, service.text, operation.text);
        let told = Diagnostic::error("E0203", operation.span, message);
        self.say(match near_operation(&found, &operation.text) {
            Some((near, true)) => {
                told.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), operation.span, near)
            }
            Some((near, false)) => told.help(format!("did you mean `{near}`?")),
            None => told.help(format!("`escher ops search {}` looks for it", operation.text)),
        });
        None
    }

    fn not_an_operation(&mut self, span: Span) {
        self.say(
            Diagnostic::error("E0203", span, "this is no operation")
                .help("an operation of a cloud stands in for itself: `mock aws.ec2.describe_instances => { … }`"),
        );
    }

    /// The type of an operation's input or output.
    pub(crate) fn shape_type(&mut self, record: &Record, id: Option<escher_catalog::ShapeId>) -> Type {
        match id.and_then(|id| record.shape(id)) {
            Some(shape) => {
                let service = self.world.service(&record.service.cloud, &record.service.name);
                service.map_or(Type::Unknown, |s| Type::Shape(shapes::full_name(&s, &shape.name)))
            }
            None => Type::None,
        }
    }
}
