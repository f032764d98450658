//! What stands for the cloud in a test: answers, and failures.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::Record;
use escher_ir::Type;
use escher_syntax::ast::{self, ExprKind};
use escher_syntax::{Diagnostic, Span};

use super::{ExprId, Lowering, TestKind};
use crate::call::{near_operation, operation_of};
use crate::checker::{Checker, Signature, Typed};
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

/// `mock vm.list(places) => answer`.
#[derive(Clone, Debug)]
pub struct MockAction {
    /// The file of the action, among those that were checked, and its name there.
    pub action: (usize, String),
    /// Arguments that a call must have for this mock to answer it, by place.
    pub arguments: Vec<(usize, ExprId)>,
    /// What it gives.
    pub answer: ExprId,
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
        if let Some((action, shown, signature)) = self.mocked_action(callee) {
            return self.mock_action((action, &shown), &signature, arguments, (answer, then, target.span), lowering);
        }
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

    /// The action that a mock names, of this file or of a module; none where it names something else.
    #[allow(clippy::type_complexity, reason = "which action, as it is written, and what it takes and gives")]
    fn mocked_action(&mut self, target: &ast::Expr) -> Option<((usize, String), String, Arc<Signature>)> {
        match &target.kind {
            ExprKind::Name(word) => {
                let is = |c: &ast::Callable| c.name.text == *word;
                let known = self.file.items.iter().any(|i| match &i.kind {
                    ast::ItemKind::Fn(c) | ast::ItemKind::Action(c) => is(c),
                    _ => false,
                });
                let signature = known.then(|| self.signature(word, target.span)).flatten()?;
                Some(((self.module, word.clone()), word.clone(), signature))
            }
            ExprKind::Member { base, name, optional: false } => {
                let alias = self.module_of(base)?;
                let (module, signature) = self.imported_signature(&alias, name)?;
                Some(((module, name.text.clone()), format!("{alias}.{}", name.text), signature))
            }
            _ => None,
        }
    }

    /// A mock of an action that reads. What changes something is recorded as it is, operation by operation.
    fn mock_action(
        &mut self,
        (action, shown): ((usize, String), &str),
        signature: &Signature,
        arguments: &[ast::Argument],
        (answer, then, span): (&ast::MockAnswer, &[ast::MockAnswer], Span),
        lowering: &mut Lowering,
    ) -> Option<TestKind> {
        if !signature.reads || signature.changes() {
            let (does, help) = match signature.reads {
                true => {
                    ("changes something", "its calls are recorded: `expect r.calls(aws.ec2.…)`; mock what they answer")
                }
                false => ("is a function", "it is worked out from what it is given: mock what is read"),
            };
            self.say(Diagnostic::error("E0320", span, format!("`{shown}` {does}, and is not mocked")).help(help));
            return None;
        }
        let mut wanted = Vec::new();
        for (position, argument) in arguments.iter().enumerate() {
            let at = match &argument.name {
                Some(name) => signature.params.iter().position(|(p, ..)| *p == name.text),
                None => Some(position),
            };
            let Some((at, (name, ty, _))) = at.and_then(|at| Some((at, signature.params.get(at)?))) else {
                self.say(
                    Diagnostic::error("E0204", argument.value.span, format!("`{shown}` has no such parameter"))
                        .help("write those that the mock is for, or none: then it is for every call"),
                );
                continue;
            };
            let typed = self.expr_of(&argument.value, &ty.clone(), &format!("`{name}`"));
            wanted.push((at, lowering.keep(typed.expr)));
        }
        let (ast::MockAnswer::Value(value), []) = (answer, then) else {
            self.say(
                Diagnostic::error("E0320", span, "an action gives one value, and no failures")
                    .help("failures, and answers in turn, are those of the operations that it calls: mock these"),
            );
            return None;
        };
        let typed = self.mocked(value, &signature.returns.clone(), &format!("what `{shown}` gives"));
        Some(TestKind::MockAction(MockAction { action, arguments: wanted, answer: lowering.keep(typed.expr) }))
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
            // As of a cloud's record, members may be left out of one that an action builds.
            (Type::Record(from), Type::Record(to)) => {
                let name = to.name.as_deref().unwrap_or("the record").to_string();
                from.fields.iter().find_map(|(member, field)| match to.fields.get(member) {
                    Some(wanted) => self.unlike(&field.ty, &wanted.ty, &format!("`{member}` of `{name}`")),
                    None => Some(format!("`{name}` has no member `{member}`")),
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
            // Without holes, by the grammar.
            ExprKind::Text(text) => {
                return text
                    .parts
                    .first()
                    .and_then(|p| if let ast::TextPart::Literal(s) = p { Some(s.clone()) } else { None });
            }
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
            // It could not be read, which was told.
            _ => {}
        }
        None
    }

    /// The operation that a test names.
    pub(crate) fn tested_operation(&mut self, target: &ast::Expr) -> Option<(String, Arc<Record>)> {
        let Some(path) = path_of(target).filter(|p| is_cloud(p)) else {
            self.not_an_operation(target.span);
            return None;
        };
        let [cloud, service, operation @ ..] = path.as_slice() else {
            self.not_an_operation(target.span);
            return None;
        };
        let Some(operation) = operation_of(operation) else {
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
                .help("name an operation, `mock aws.ec2.describe_instances => { … }`, or an action that reads"),
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
