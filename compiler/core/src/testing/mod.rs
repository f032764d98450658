//! `test` items: mocks, calls of playbooks and expectations, typed and lowered. Runs nothing.
//!
//! What stands for the cloud is typed by the catalogue, so that a mock of what no cloud can answer is a mistake.

mod mock;
mod outcome;

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_ir::program::{Block, Expr, Node, NodeKind, Program};
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ExprKind, StmtKind};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Place, Typed};
use crate::module::Unlinked;
use crate::risk::Witness;
use crate::scope::Origin;

pub use mock::{Mock, MockAction, MockAnswer};

/// A test, checked.
#[derive(Clone, Debug)]
pub struct CheckedTest {
    /// Its title.
    pub title: String,
    /// Where its title stands.
    pub span: Span,
    /// What it does, in order.
    pub statements: Vec<TestStatement>,
    /// All that its statements evaluate, by number.
    pub expressions: Vec<Expr>,
    /// The functions that they call.
    pub program: Program,
}

/// A statement of a test.
#[derive(Clone, Debug)]
pub struct TestStatement {
    /// Where it stands.
    pub span: Span,
    /// What it does.
    pub kind: TestKind,
}

/// The number of an expression in [`CheckedTest::expressions`].
pub type ExprId = usize;

/// The kinds of statements of a test.
#[derive(Clone, Debug)]
pub enum TestKind {
    /// `at INSTANT`.
    At(ExprId),
    /// `mock op(args) => answer then [ … ]`.
    Mock(Mock),
    /// `mock vm.list(places) => answer`: an action gives this in place of what it reads.
    MockAction(MockAction),
    /// `crash after op`: the process dies when the change was made, before its answer is known.
    CrashAfter(String),
    /// `fail op with "Code" on N`.
    Fail {
        /// The operation.
        operation: String,
        /// A cloud's code, or a kind.
        code: String,
        /// At which call, from 1.
        on: u64,
    },
    /// `let x = e`.
    Let(String, ExprId),
    /// `let r = p(…)`, or `p(…)` alone.
    Run {
        /// The name of its outcome.
        name: Option<String>,
        /// The file of the playbook, among those that were checked.
        file: usize,
        /// The playbook.
        playbook: String,
        /// Its parameters.
        arguments: BTreeMap<String, ExprId>,
    },
    /// `expect c`.
    Expect {
        /// The condition.
        condition: ExprId,
        /// The sides of a comparison, to show where it does not hold.
        sides: Option<(ExprId, ExprId)>,
    },
}

/// What a test must know of a playbook.
#[derive(Clone, Debug)]
pub(crate) struct PlaybookInfo {
    /// Names, types, and whether there is a default.
    pub(crate) params: Vec<(String, Type, bool)>,
    /// Steps with the types of what identifies their items: a shape or a text.
    pub(crate) steps: BTreeMap<String, Type>,
    /// What it returns.
    pub(crate) returns: Type,
    /// Its program and where its risk comes from; none while it is being checked.
    pub(crate) made: Option<(Arc<Unlinked>, Arc<[Witness]>)>,
}

impl PlaybookInfo {
    /// Whether whoever names it finds what it found before.
    pub(crate) fn looks_as(&self, before: &PlaybookInfo) -> bool {
        (&self.params, &self.steps, &self.returns) == (&before.params, &before.steps, &before.returns)
    }
}

#[derive(Default)]
pub(crate) struct Lowering {
    statements: Vec<TestStatement>,
    expressions: Vec<Expr>,
}

impl Lowering {
    pub(crate) fn keep(&mut self, expr: Expr) -> ExprId {
        self.expressions.push(expr);
        self.expressions.len() - 1
    }
}

impl Checker<'_> {
    pub(crate) fn test(&mut self, title: &ast::Text, body: &ast::Block) -> CheckedTest {
        let place = std::mem::replace(&mut self.place, Place::Pure);
        self.partial = true;
        let mut lowering = Lowering::default();
        self.scoped(|c| {
            for statement in &body.statements {
                c.begin_sites();
                if let Some(kind) = c.test_statement(statement, &mut lowering) {
                    lowering.statements.push(TestStatement { span: statement.span, kind });
                }
            }
        });
        self.partial = false;
        self.place = place;
        let plain: String = title
            .parts
            .iter()
            .filter_map(|p| if let ast::TextPart::Literal(s) = p { Some(s.as_str()) } else { None })
            .collect();
        let Lowering { statements, expressions } = lowering;
        let (expressions, program) = self.test_program(expressions);
        CheckedTest { title: plain, span: title.span, statements, expressions, program }
    }

    /// The functions that expressions reach, as a program; the expressions call them by its names.
    fn test_program(&self, expressions: Vec<Expr>) -> (Vec<Expr>, Program) {
        let node = |value| Node { id: String::new(), doc: None, after: Vec::new(), kind: NodeKind::Do { value } };
        let mut block = Block { nodes: expressions.into_iter().map(node).collect(), value: None };
        let mut program = crate::constant::empty_program();
        program.functions = self.link(&mut block);
        let value = |node: Node| match node.kind {
            NodeKind::Do { value } => value,
            _ => Expr::Literal(Value::None),
        };
        (block.nodes.into_iter().map(value).collect(), program)
    }

    fn test_statement(&mut self, statement: &ast::Stmt, lowering: &mut Lowering) -> Option<TestKind> {
        match &statement.kind {
            StmtKind::At(instant) => {
                let typed = self.expr_of(instant, &Type::Instant, "what `at` sets the clock to");
                Some(TestKind::At(lowering.keep(typed.expr)))
            }
            StmtKind::Mock { target, answer, then } => self.mock(target, answer, then, lowering),
            StmtKind::CrashAfter(target) => {
                let (operation, record) = self.tested_operation(target)?;
                if !record.operation.class.changes() {
                    self.say(
                        Diagnostic::error("E0320", target.span, format!("`{operation}` changes nothing"))
                            .help("a crash after a read loses nothing: write it after a change"),
                    );
                }
                Some(TestKind::CrashAfter(operation))
            }
            StmtKind::FailWith { target, code, on } => {
                let (operation, _) = self.tested_operation(target)?;
                let code = self.failure(code)?;
                let on = match on {
                    Some(on) => {
                        let typed = self.expr_of(on, &Type::Int { min: Some(1), max: Some(1_000_000) }, "the call");
                        typed.constant().and_then(|v| if let Value::Int(n) = v { u64::try_from(*n).ok() } else { None })
                    }
                    None => Some(1),
                };
                Some(TestKind::Fail { operation, code, on: on.unwrap_or(1) })
            }
            StmtKind::Let { name, ty, value } => {
                if let Some((kind, info)) = self.run_of(value, Some(&name.text), lowering) {
                    self.bind(name, Type::Unknown, Origin::Run(info));
                    return Some(kind);
                }
                let typed = match ty {
                    Some(ty) => {
                        let ty = self.resolve(ty);
                        let typed = self.expr_of(value, &ty, "this value");
                        Typed::new(typed.expr, ty)
                    }
                    None => self.expr(value, None),
                };
                self.bind(name, typed.ty, Origin::Lambda);
                Some(TestKind::Let(name.text.clone(), lowering.keep(typed.expr)))
            }
            StmtKind::Expect(condition) => {
                let typed = self.expr_of(condition, &Type::Bool, "what `expect` checks");
                let sides = match &typed.expr {
                    Expr::Binary(_, left, right) if comparison(condition) => {
                        Some(((**left).clone(), (**right).clone()))
                    }
                    _ => None,
                };
                let condition = lowering.keep(typed.expr);
                let sides = sides.map(|(left, right)| (lowering.keep(left), lowering.keep(right)));
                Some(TestKind::Expect { condition, sides })
            }
            StmtKind::Expr(expr) => match self.run_of(expr, None, lowering) {
                Some((kind, _)) => Some(kind),
                None => {
                    let told = self.diagnostics.len();
                    self.expr(expr, None);
                    if told == self.diagnostics.len() {
                        self.say(
                            Diagnostic::error("E0410", expr.span, "this value is not used")
                                .help("write `expect` before it"),
                        );
                    }
                    None
                }
            },
            StmtKind::Error => {
                self.broken.push(statement.span);
                None
            }
            _ => {
                self.say(
                    Diagnostic::error("E0411", statement.span, "this statement cannot stand in a test").help(
                        "a test has `at`, `mock`, `fail`, `crash after`, `let`, calls of playbooks, and `expect`",
                    ),
                );
                None
            }
        }
    }

    /// A call of a playbook, of this file or of a module; none where the expression is something else.
    fn run_of(
        &mut self,
        expr: &ast::Expr,
        name: Option<&str>,
        lowering: &mut Lowering,
    ) -> Option<(TestKind, PlaybookInfo)> {
        let ExprKind::Call { callee, arguments } = &expr.kind else { return None };
        let (file, playbook, info) = match &callee.kind {
            ExprKind::Name(word) => (self.module, word.clone(), self.playbooks.get(word)?.clone()),
            ExprKind::Member { base, name: member, optional: false } => {
                let alias = self.module_of(base)?;
                let (module, info) = self.imported_playbook(&alias, member)?;
                (module, member.text.clone(), info)
            }
            _ => return None,
        };
        let given = self.given_by_name(&playbook, &info, arguments, expr.span);
        let given = given.into_iter().map(|(param, (_, typed))| (param, lowering.keep(typed.expr))).collect();
        let kind = TestKind::Run { name: name.map(str::to_string), file, playbook, arguments: given };
        Some((kind, info))
    }
}

/// Whether an expression is a comparison as written.
fn comparison(expr: &ast::Expr) -> bool {
    use ast::BinaryOp::{Equal, Greater, GreaterEqual, In, Less, LessEqual, NotEqual, NotIn};
    let of =
        |op: &ast::BinaryOp| matches!(op, Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual | In | NotIn);
    matches!(&expr.kind, ExprKind::Binary { op, .. } if of(op))
}
