//! Blocks, statements, steps and their clauses.

use escher_grammar::Rule;

use super::Builder;
use crate::ast::{Block, Bound, Clause, ClauseValue, Each, Expr, ExprKind, MockAnswer, Step, Stmt, StmtKind};
use crate::codes;
use crate::span::Span;
use crate::tree::{Children, Node, NodeKind, slice};

impl<'t> Builder<'t, '_> {
    pub(super) fn block(&mut self, node: Node<'t>) -> Block {
        let span = node.span();
        if !matches!(node.rule(), Some(Rule::block | Rule::test_block)) {
            return Block { statements: Vec::new(), span };
        }
        let values_anywhere = std::mem::take(&mut self.in_report);
        let empty = Block { statements: Vec::new(), span };
        let block = self.deeper(1, span, empty, |b| Block { statements: b.statements(node, values_anywhere), span });
        self.in_report = values_anywhere;
        block
    }

    fn statements(&mut self, node: Node<'t>, values_anywhere: bool) -> Vec<Stmt> {
        let mut statements: Vec<Stmt> = Vec::new();
        let mut ended = true;
        // Words in a row on a line are one mistake.
        let mut told = false;
        for child in node.children() {
            match child.kind() {
                NodeKind::Rule(Rule::LBRACE | Rule::RBRACE) => continue,
                NodeKind::Rule(Rule::SEMI) => {
                    ended = true;
                    continue;
                }
                _ => {}
            }
            if let Some(previous) = statements.last() {
                let shares = self.shares_line(previous, child, ended);
                if shares && !told {
                    let between = Span { start: previous.span.end, end: child.span().start };
                    self.tell(codes::same_line(child.span(), between));
                }
                if !values_anywhere && !shares && !told {
                    self.bare_value(previous);
                }
                told = shares;
            }
            ended = false;
            statements.push(self.statement(child, values_anywhere));
        }
        statements
    }

    /// Whether a statement begins on the line of the one before.
    fn shares_line(&self, previous: &Stmt, next: Node<'t>, ended: bool) -> bool {
        if ended || matches!(previous.kind, StmtKind::Error) || next.kind() == NodeKind::Error {
            return false;
        }
        let between = Span { start: previous.span.end, end: next.span().start };
        !slice(self.tree.source(), between).contains('\n')
    }

    /// A value in the middle of a block does nothing, which is never what was meant.
    fn bare_value(&mut self, previous: &Stmt) {
        let StmtKind::Expr(value) = &previous.kind else { return };
        let acts = matches!(
            value.kind,
            ExprKind::Call { .. }
                | ExprKind::Catch { .. }
                | ExprKind::Unless { .. }
                | ExprKind::If { .. }
                | ExprKind::Match { .. }
                | ExprKind::With { .. }
                | ExprKind::Error
        );
        if !acts {
            self.tell(codes::bare_value(value.span));
        }
    }

    fn statement(&mut self, node: Node<'t>, values_anywhere: bool) -> Stmt {
        let span = node.span();
        let doc = self.doc(span.start);
        let kind = match (node.kind(), node.children().next()) {
            (NodeKind::Rule(Rule::statement | Rule::test_statement), Some(inner)) => {
                self.in_report = values_anywhere;
                let kind = self.statement_kind(inner);
                self.in_report = false;
                kind
            }
            _ => StmtKind::Error,
        };
        Stmt { doc, kind, span }
    }

    fn statement_kind(&mut self, node: Node<'t>) -> StmtKind {
        let mut children = node.children();
        match node.rule() {
            Some(Rule::let_statement) => StmtKind::Let {
                name: Self::name_or(node.child(Rule::NAME), node.span()),
                ty: node.child(Rule::r#type).map(|t| self.ty(t)),
                value: self.child_expr(node, Rule::expr),
            },
            Some(Rule::require_statement) => {
                StmtKind::Require { condition: self.child_expr(node, Rule::plain), otherwise: self.otherwise(node) }
            }
            Some(Rule::confirm_statement) => StmtKind::Confirm(self.child_expr(node, Rule::plain)),
            Some(Rule::approve_statement) => {
                let title = self.child_expr(node, Rule::string);
                StmtKind::Approve { title, clauses: self.clauses(children) }
            }
            Some(Rule::step_statement) => StmtKind::Step(Box::new(self.step(children))),
            Some(Rule::parallel_statement) => StmtKind::Parallel(self.child_block(node)),
            Some(Rule::wait_statement) => {
                children.next();
                let condition = children.next().unwrap_or(node);
                let until = condition.rule() == Some(Rule::until_condition);
                let what = if until { self.child_expr(condition, Rule::plain) } else { self.expr(condition) };
                StmtKind::Wait { what, until, clauses: self.clauses(children) }
            }
            Some(Rule::sleep_statement) => StmtKind::Sleep(self.child_expr(node, Rule::plain)),
            Some(Rule::report_statement) => {
                let title = node.child(Rule::report_head).and_then(|h| h.child(Rule::string));
                let title = title.map(|t| self.expr(t));
                self.in_report = true;
                let body = self.child_block(node);
                self.in_report = false;
                StmtKind::Report { title, body }
            }
            Some(Rule::notify_statement) => {
                let channel = self.child_expr(node, Rule::chain);
                StmtKind::Notify { channel, text: node.child(Rule::string).map(|t| self.expr(t)) }
            }
            Some(Rule::return_statement) => {
                let value = node.child(Rule::expr);
                if let Some(value) = value {
                    let word = children.next().map_or(node.span(), Node::span);
                    let between = Span { start: word.end, end: value.span().start };
                    if slice(self.tree.source(), between).contains('\n') {
                        self.tell(codes::return_over_lines(word, value.span()));
                    }
                }
                StmtKind::Return(value.map(|v| self.expr(v)))
            }
            Some(Rule::mock_statement) => self.mock(node),
            Some(Rule::expect_statement) => StmtKind::Expect(self.child_expr(node, Rule::expr)),
            Some(Rule::at_statement) => match children.nth(1) {
                Some(instant) => StmtKind::At(self.atom(instant)),
                None => StmtKind::Error,
            },
            Some(Rule::crash_statement) => StmtKind::CrashAfter(self.operation_name(node)),
            Some(Rule::fail_statement) => self.fail_with(node),
            Some(Rule::expr) => StmtKind::Expr(self.expr(node)),
            _ => StmtKind::Error,
        }
    }

    fn otherwise(&mut self, node: Node<'t>) -> Option<Expr> {
        let otherwise = node.child(Rule::otherwise)?;
        Some(self.child_expr(otherwise, Rule::plain))
    }

    pub(super) fn child_block(&mut self, node: Node<'t>) -> Block {
        match node.child(Rule::block) {
            Some(block) => self.block(block),
            None => Block { statements: Vec::new(), span: node.span().after() },
        }
    }

    /// A single value as a block.
    pub(super) fn value_block(&mut self, node: Node<'t>) -> Block {
        let value = self.expr(node);
        let span = value.span;
        Block { statements: vec![Stmt { doc: None, kind: StmtKind::Expr(value), span }], span }
    }

    // ---- steps ----------------------------------------------------------------------------------------------------

    fn step(&mut self, children: Children<'t>) -> Step {
        let mut step = Step {
            name: crate::ast::Name { text: String::new(), span: Span::default() },
            title: None,
            each: None,
            clauses: Vec::new(),
            body: Block::default(),
            undo: None,
            catch: None,
            head: Span::default(),
        };
        for part in children {
            match part.rule() {
                Some(Rule::step_head) => {
                    step.head = part.span();
                    step.name = Self::name_or(part.child(Rule::NAME), part.span());
                    step.title = part.child(Rule::string).map(|t| self.expr(t));
                    step.each = part.child(Rule::each).map(|e| self.each(e));
                    step.clauses = self.clauses(part.children());
                }
                Some(Rule::block) => step.body = self.block(part),
                Some(Rule::undo) => {
                    let word = part.children().next().map_or(part.span(), Node::span);
                    let block = self.child_block(part);
                    if let Some(first) = step.undo.replace(block) {
                        self.tell(codes::clause_twice("undo", word, first.span));
                    }
                }
                Some(Rule::catch) => {
                    let word = part.children().next().map_or(part.span(), Node::span);
                    let arms = self.catch_arms(part);
                    if step.catch.replace(arms).is_some() {
                        self.tell(codes::clause_twice("catch", word, step.name.span));
                    }
                }
                _ => {}
            }
        }
        step
    }

    fn each(&mut self, node: Node<'t>) -> Each {
        let mut values = node.children().filter(|c| c.rule() == Some(Rule::plain));
        let list = values.next();
        let by = values.next();
        Each {
            name: Self::name_or(node.child(Rule::NAME), node.span()),
            list: list.map_or(Self::error_expr(node.span()), |l| self.expr(l)),
            by: by.map(|b| self.expr(b)),
        }
    }

    pub(super) fn clause(&mut self, node: Node<'t>) -> Option<Clause> {
        let span = node.span();
        let inner = match node.rule()? {
            Rule::step_clause | Rule::template_clause => match node.children().next() {
                Some(inner) if !inner.is_leaf() => inner,
                _ => node,
            },
            Rule::schedule_clause | Rule::trigger_clause | Rule::approve_clause | Rule::wait_clause => node,
            _ => return None,
        };
        let word = Self::name_or(inner.children().next(), span);
        let value = match inner.rule()? {
            Rule::max_clause => {
                let bounds: Vec<_> = inner.children().filter(|c| c.rule() == Some(Rule::bound)).collect();
                ClauseValue::Bounds(bounds.into_iter().map(|b| self.bound(b)).collect())
            }
            Rule::guard_clause => {
                ClauseValue::Guard { condition: self.child_expr(inner, Rule::plain), otherwise: self.otherwise(inner) }
            }
            Rule::key_clause => ClauseValue::Expr(self.child_expr(inner, Rule::field_function)),
            Rule::runs_clause => ClauseValue::Rate {
                count: self.child_expr(inner, Rule::plain),
                per: Self::name_or(inner.child(Rule::WORD), span),
            },
            _ => match inner.child(Rule::plain) {
                Some(value) => ClauseValue::Expr(self.expr(value)),
                None => ClauseValue::None,
            },
        };
        Some(Clause { word, value, span })
    }

    fn bound(&mut self, node: Node<'t>) -> Bound {
        let mut bound = Bound { value: Self::error_expr(node.span()), of: None, per: None };
        let mut of = false;
        for part in node.children() {
            match part.rule() {
                Some(Rule::KW_OF) => of = true,
                Some(Rule::bound_value) if of => bound.of = Some(self.expr(part)),
                Some(Rule::bound_value) => bound.value = self.expr(part),
                Some(Rule::field_function) => bound.per = Some(self.expr(part)),
                _ => {}
            }
        }
        bound
    }

    // ---- tests ----------------------------------------------------------------------------------------------------

    fn mock(&mut self, node: Node<'t>) -> StmtKind {
        let target = self.operation_name(node);
        let answer = node.child(Rule::mock_answer);
        let answer = answer.map_or(MockAnswer::Value(Self::error_expr(node.span())), |a| self.mock_answer(a));
        let then: Vec<_> = match node.child(Rule::mock_then) {
            Some(then) => then.children().filter(|c| c.rule() == Some(Rule::mock_answer)).collect(),
            None => Vec::new(),
        };
        let then = then.into_iter().map(|a| self.mock_answer(a)).collect();
        StmtKind::Mock { target, answer, then }
    }

    fn mock_answer(&mut self, node: Node<'t>) -> MockAnswer {
        let mut children = node.children();
        if children.eat(Rule::KW_FAIL).is_some() {
            let code = children.next().map_or(Self::error_expr(node.span()), |c| self.atom(c));
            MockAnswer::Fail(code)
        } else {
            MockAnswer::Value(self.child_expr(node, Rule::expr))
        }
    }

    fn fail_with(&mut self, node: Node<'t>) -> StmtKind {
        let target = self.operation_name(node);
        let code = node.children().find(|c| matches!(c.rule(), Some(Rule::STRING | Rule::NAME)));
        StmtKind::FailWith {
            target,
            code: code.map_or(Self::error_expr(node.span()), |c| self.atom(c)),
            on: node.child(Rule::NUMBER).map(|n| self.atom(n)),
        }
    }

    /// `aws.ec2.stop_instances` or a call of it, in a test.
    fn operation_name(&mut self, node: Node<'t>) -> Expr {
        let Some(path) = node.child(Rule::path) else { return Self::error_expr(node.span()) };
        let mut expr: Option<Expr> = None;
        for name in Self::path(path).segments {
            expr = Some(match expr {
                None => Expr { span: name.span, kind: ExprKind::Name(name.text) },
                Some(base) => Expr {
                    span: base.span.join(name.span),
                    kind: ExprKind::Member { base: Box::new(base), name, optional: false },
                },
            });
        }
        let callee = expr.unwrap_or(Self::error_expr(path.span()));
        match node.child(Rule::arguments) {
            Some(arguments) => Expr {
                span: callee.span.join(arguments.span()),
                kind: ExprKind::Call { callee: Box::new(callee), arguments: self.arguments(arguments) },
            },
            None => callee,
        }
    }
}
