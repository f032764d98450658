//! Statements: blocks inside expressions, and the body of a playbook as a DAG.

use std::collections::BTreeSet;

use escher_ir::program::{Block, Expr, Node, NodeKind};
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, StmtKind};
use escher_syntax::{Diagnostic, Span};

use crate::branch::branching;
use crate::checker::{Checker, Typed};
use crate::order::{Order, acts};
use crate::scope::Origin;
use crate::unsupported::not_sent;

fn node(id: String, kind: NodeKind) -> Node {
    Node { id, doc: None, after: Vec::new(), kind }
}

pub(crate) fn doc_text(doc: &Option<ast::Doc>) -> Option<String> {
    doc.as_ref().map(|d| d.text.clone())
}

impl Checker<'_> {
    /// A block inside an expression, a function or a step: `let`, `require`, calls, and a value.
    pub(crate) fn inner_block(&mut self, block: &ast::Block, expected: Option<&Type>) -> (Block, Type) {
        let mut nodes = Vec::new();
        let mut value = None;
        let mut ty = Type::None;
        let last = block.statements.len().saturating_sub(1);
        // A block inside of it has a value of its own, and goes on below.
        let may_return = std::mem::take(&mut self.may_return);
        for (i, statement) in block.statements.iter().enumerate() {
            let kind = match &statement.kind {
                StmtKind::Let { name, ty, value } => {
                    let typed = self.let_value(ty.as_ref(), value);
                    self.note_default(&name.text, &typed.expr);
                    self.bind(name, typed.ty, Origin::Lambda);
                    NodeKind::Let { name: name.text.clone(), value: typed.expr }
                }
                StmtKind::Require { condition, otherwise } => self.require(condition, otherwise.as_ref()),
                StmtKind::Expr(expr) if i == last => {
                    let typed = self.expr(expr, expected);
                    value = Some(Box::new(typed.expr));
                    ty = typed.ty;
                    continue;
                }
                StmtKind::Expr(expr) => {
                    let typed = self.expr(expr, None);
                    NodeKind::Do { value: typed.expr }
                }
                StmtKind::Wait { what, until, clauses } if self.may_wait(statement.span) => {
                    let Some(wait) = self.wait(what, *until, clauses) else { continue };
                    let id = self.site("wait");
                    nodes.push(Node { doc: doc_text(&statement.doc), ..node(id, NodeKind::Wait(Box::new(wait))) });
                    continue;
                }
                StmtKind::Sleep(time) if self.may_wait(statement.span) => {
                    let duration = self.expr_of(time, &Type::Duration, "how long `sleep` takes").expr;
                    let id = self.site("sleep");
                    nodes.push(Node { doc: doc_text(&statement.doc), ..node(id, NodeKind::Sleep { duration }) });
                    continue;
                }
                StmtKind::Return(expr) if i == last && may_return => {
                    if let Some(expr) = expr {
                        let typed = self.expr(expr, expected);
                        value = Some(Box::new(typed.expr));
                        ty = typed.ty;
                    }
                    continue;
                }
                other => {
                    self.misplaced(other, statement.span);
                    continue;
                }
            };
            nodes.push(Node { id: format!("{i}"), doc: doc_text(&statement.doc), after: Vec::new(), kind });
        }
        (Block { nodes, value }, ty)
    }

    fn misplaced(&mut self, kind: &StmtKind, span: Span) {
        let diagnostic = match kind {
            StmtKind::Error => {
                self.broken.push(span);
                return;
            }
            StmtKind::Step(step) => {
                Diagnostic::error("E0411", step.name.span, "a step stands directly in the body of a playbook").help(
                    "move it out, or into an `if` of the body; a step's own `when` says for which items it is done",
                )
            }
            StmtKind::Return(_) => {
                Diagnostic::error("E0411", span, "`return` stands only last in a playbook, a function or an action")
                    .help("leave the word out: a step, and a block of `if` or `match`, gives the last value in it")
            }
            StmtKind::Wait { .. } | StmtKind::Sleep(_) => {
                Diagnostic::error("E0411", span, "nothing is waited for inside a value")
                    .help("wait in the body of the playbook, or in a step")
            }
            _ => Diagnostic::error("E0411", span, "this statement cannot stand here")
                .help("a block inside a statement has `let`, `require`, calls, and a last value"),
        };
        self.say(diagnostic);
    }

    fn let_value(&mut self, ty: Option<&ast::Type>, value: &ast::Expr) -> Typed {
        match ty {
            Some(ty) => {
                let ty = self.resolve(ty);
                let typed = self.expr_of(value, &ty, "this value");
                Typed::new(typed.expr, ty)
            }
            None => self.expr(value, None),
        }
    }

    fn require(&mut self, condition: &ast::Expr, otherwise: Option<&ast::Expr>) -> NodeKind {
        let typed = self.expr_of(condition, &Type::Bool, "what `require` checks");
        let words = otherwise.map(|e| self.expr_of(e, &Type::STRING, "what follows `else`").expr);
        self.narrow(condition);
        NodeKind::Require { condition: typed.expr, otherwise: words }
    }

    /// The body of a playbook.
    pub(crate) fn body(&mut self, block: &ast::Block, returns: &Type) -> Vec<Node> {
        let mut order = Order::default();
        let returned = self.statements(block, returns, &mut order);
        let readable = !block.statements.iter().any(|s| matches!(s.kind, StmtKind::Error));
        if readable && !returned && !matches!(returns, Type::None | Type::Unknown | Type::Optional(_)) {
            self.say(
                Diagnostic::error(
                    "E0301",
                    block.span.after(),
                    format!("this playbook promises `{returns}` and returns nothing"),
                )
                .help("end it with `return …`"),
            );
        }
        order.nodes
    }

    /// The statements of a body, or the branches of a `parallel`. Whether it ends with `return`.
    pub(crate) fn statements(&mut self, block: &ast::Block, returns: &Type, order: &mut Order) -> bool {
        let last = block.statements.len().saturating_sub(1);
        let (mut returned, mut acted) = (false, false);
        for (i, statement) in block.statements.iter().enumerate() {
            let doc = doc_text(&statement.doc);
            self.begin_sites();
            // The branches of a `parallel` don't see what the others do.
            self.acted |= acted && !order.is_forked();
            match &statement.kind {
                StmtKind::Let { name, ty, value } => {
                    self.located = false;
                    (self.lenient, self.cut, self.staged) = (None, None, false);
                    let (typed, uses, _) = self.guarded(|c| c.let_value(ty.as_ref(), value));
                    if self.located {
                        self.located_nodes.insert(name.text.clone());
                    }
                    if self.staged {
                        self.staged_names.insert(name.text.clone());
                    }
                    self.lenient_nodes.extend(self.lenient.take().map(|span| (name.text.clone(), span)));
                    self.cut_nodes.extend(self.cut.take().map(|span| (name.text.clone(), span)));
                    self.note_default(&name.text, &typed.expr);
                    self.bind(name, typed.ty, Origin::Node);
                    let value = self.guard.value(typed.expr, None);
                    let kind = NodeKind::Let { name: name.text.clone(), value };
                    order.reading(name.text.clone(), doc, &uses, kind);
                }
                StmtKind::Require { condition, otherwise } => {
                    let (mut kind, uses, _) = self.guarded(|c| c.require(condition, otherwise.as_ref()));
                    if let NodeKind::Require { condition, .. } = &mut kind {
                        let holds = std::mem::replace(condition, Expr::Literal(Value::None));
                        *condition = self.guard.value(holds, Some(Expr::Literal(Value::Bool(true))));
                    }
                    let id = order.id("require");
                    order.reading(id, doc, &uses, kind);
                }
                StmtKind::Wait { what, until, clauses } => {
                    acted = true;
                    let (wait, uses, _) = self.guarded(|c| c.wait(what, *until, clauses));
                    if let Some(mut wait) = wait {
                        if wait.waiter.is_some() && self.guard.is_branch() {
                            self.say(
                                Diagnostic::error(
                                    "E0411",
                                    statement.span,
                                    "what a cloud is asked for is not waited for in a branch",
                                )
                                .help("write `wait until` with a condition, or wait in the step"),
                            );
                        }
                        wait.poll = self.guard.value(wait.poll, Some(Expr::Literal(Value::Bool(true))));
                        let id = order.id("wait");
                        order.waiting(id, doc, &uses, NodeKind::Wait(Box::new(wait)));
                    }
                }
                StmtKind::Sleep(time) => {
                    acted = true;
                    let what = "how long `sleep` takes";
                    let (typed, uses, _) = self.guarded(|c| c.expr_of(time, &Type::Duration, what));
                    let id = order.id("sleep");
                    let none = Expr::Literal(Value::Duration(jiff::SignedDuration::ZERO));
                    let duration = self.guard.value(typed.expr, Some(none));
                    order.waiting(id, doc, &uses, NodeKind::Sleep { duration });
                }
                StmtKind::Step(step) => {
                    let before = self.witnesses.len();
                    let (lowered, uses, _) = self.guarded(|c| c.step(step, &order.nodes));
                    acted |= self.witnesses.iter().skip(before).any(acts);
                    if let Some(mut lowered) = lowered {
                        self.guard.step(&mut lowered);
                        order.waiting(step.name.text.clone(), doc, &uses, NodeKind::Step(Box::new(lowered)));
                    }
                }
                StmtKind::Parallel(branches) => {
                    let first = order.fork();
                    self.statements(branches, returns, order);
                    self.check_branches(branches, &order.nodes);
                    order.join(first);
                }
                StmtKind::Confirm(_)
                | StmtKind::Approve { .. }
                | StmtKind::Report { .. }
                | StmtKind::Notify { .. }
                | StmtKind::Return(_)
                    if order.is_forked() =>
                {
                    self.say(
                        Diagnostic::error("E0411", statement.span, "this is no branch of `parallel`")
                            .help("steps, waits and readings run side by side; write this below the `parallel`"),
                    );
                }
                StmtKind::Approve { .. } | StmtKind::Return(_) if self.guard.is_branch() => {
                    self.say(
                        Diagnostic::error("E0411", statement.span, "this stands directly in the body of a playbook")
                            .help("a branch has steps, reports, notices, questions, readings and what is waited for"),
                    );
                }
                StmtKind::Confirm(question) => {
                    let typed = self.expr_of(question, &Type::STRING, "what `confirm` asks");
                    let id = order.id("confirm");
                    order.waiting(
                        id,
                        doc,
                        &BTreeSet::new(),
                        NodeKind::Confirm { question: self.guard.value(typed.expr, None) },
                    );
                }
                StmtKind::Report { title, body } => {
                    let title = title.as_ref().map(|t| self.expr_of(t, &Type::STRING, "a report's title").expr);
                    let title = title.map(|title| self.guard.value(title, None));
                    let mut body = self.report(body);
                    body.value = body.value.map(|shown| Box::new(self.guard.value(*shown, None)));
                    let id = order.id("report");
                    order.waiting(id, doc, &BTreeSet::new(), NodeKind::Report { title, body });
                }
                StmtKind::Return(value) => {
                    returned = true;
                    let typed = value.as_ref().map(|v| {
                        self.usage.whole(returns);
                        self.expr_of(v, returns, "what this playbook returns")
                    });
                    if let Some(value) = typed.as_ref() {
                        self.usage.whole(&value.ty);
                    }
                    let id = order.id("return");
                    order.waiting(id, doc, &BTreeSet::new(), NodeKind::Return { value: typed.map(|t| t.expr) });
                    if i != last {
                        self.error("E0411", statement.span, "nothing can follow `return`");
                    }
                }
                StmtKind::Expr(expr) if branching(expr) => {
                    if let ast::ExprKind::If { condition, then, otherwise } = &expr.kind {
                        let acting = self.witnesses.len();
                        self.branches(condition, (then, otherwise.as_ref()), returns, order);
                        acted |= self.witnesses.iter().skip(acting).any(acts);
                    }
                }
                StmtKind::Expr(expr) => {
                    let told = self.diagnostics.len();
                    let (typed, uses, _) = self.guarded(|c| c.expr(expr, None));
                    if told == self.diagnostics.len()
                        && typed.ty != Type::Unknown
                        && !matches!(typed.expr, Expr::Call(_))
                    {
                        self.say(
                            Diagnostic::error("E0410", expr.span, "this value is not used")
                                .help("name it with `let`, or show it in a `report`"),
                        );
                    }
                    let id = order.id("do");
                    order.reading(id, doc, &uses, NodeKind::Do { value: self.guard.value(typed.expr, None) });
                }
                StmtKind::Approve { title, clauses } => {
                    let approve = self.approve(title, clauses, statement.span);
                    acted = false;
                    let id = order.id("approve");
                    order.waiting(id, doc, &BTreeSet::new(), NodeKind::Approve(Box::new(approve)));
                }
                StmtKind::Notify { channel, text } => {
                    let channel = self.channel(channel);
                    let text = match text {
                        Some(text) => {
                            let text = self.expr_of(text, &Type::STRING, "what `notify` tells").expr;
                            self.guard.value(text, None)
                        }
                        None => {
                            let told = Diagnostic::error("E0205", statement.span, "this notice says nothing");
                            self.say(told.help("write its text behind the channel: `notify ops \"…\"`"));
                            continue;
                        }
                    };
                    let id = order.id("notify");
                    order.waiting(id, doc, &BTreeSet::new(), NodeKind::Notify { channel, text });
                    self.say(not_sent(statement.span));
                }
                other => self.misplaced(other, statement.span),
            }
        }
        self.acted |= acted;
        returned
    }

    /// As [`Checker::tracked`], with the conditions of the branches around it.
    fn guarded<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> (T, BTreeSet<String>, bool) {
        let (result, mut uses, reads) = self.tracked(inner);
        uses.extend(self.guard.nodes.iter().cloned());
        (result, uses, reads)
    }

    /// The name of a channel, with or without quotes.
    fn channel(&mut self, channel: &ast::Expr) -> String {
        match &channel.kind {
            ast::ExprKind::Name(name) => name.clone(),
            _ => {
                let typed = self.expr_of(channel, &Type::STRING, "the name of a channel");
                match typed.constant().and_then(Value::as_str) {
                    Some(name) => name.to_string(),
                    None if typed.ty == Type::Unknown => String::new(),
                    None => {
                        self.say(
                            Diagnostic::error("E0301", channel.span, "the name of a channel is a plain text")
                                .help("channels stand in escher.toml: write `notify ops \"…\"`"),
                        );
                        String::new()
                    }
                }
            }
        }
    }

    /// What a report shows: its values in written order, as one list.
    fn report(&mut self, body: &ast::Block) -> Block {
        let mut parts = Vec::new();
        for statement in &body.statements {
            match &statement.kind {
                StmtKind::Expr(expr) => {
                    let typed = self.expr(expr, None);
                    self.usage.whole(&typed.ty);
                    self.hidden_from(&typed.ty, expr.span, "a report");
                    parts.push(typed.expr);
                }
                StmtKind::Error => {}
                _ => {
                    self.say(
                        Diagnostic::error("E0411", statement.span, "a report shows values")
                            .help("write texts and `table(…)`, one below the other"),
                    );
                }
            }
        }
        Block { nodes: Vec::new(), value: Some(Box::new(Expr::List(parts))) }
    }
}
