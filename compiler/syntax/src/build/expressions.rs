//! Values: operators by their binding power, chains of members and calls, and the forms with blocks.

use escher_grammar::Rule;

use super::Builder;
use crate::ast::{
    Argument, BinaryOp, Block, CatchArm, Entry, Expr, ExprKind, MatchArm, Name, Pattern, PatternKind, SHORTHAND_PARAM,
    Stmt, StmtKind, UnaryOp,
};
use crate::codes;
use crate::span::Span;
use crate::tree::{Children, Node};

/// Binding powers, loose to tight; those of `OPERATORS` lie between.
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const RANGE: u8 = 6;
const NEGATE: u8 = 9;

/// The operator of a token and how tightly it binds.
fn operator(rule: Rule) -> Option<(BinaryOp, u8)> {
    Some(match rule {
        Rule::KW_OR => (BinaryOp::Or, 1),
        Rule::KW_AND => (BinaryOp::And, 2),
        Rule::EQUAL => (BinaryOp::Equal, COMPARE),
        Rule::NOT_EQUAL => (BinaryOp::NotEqual, COMPARE),
        Rule::LESS => (BinaryOp::Less, COMPARE),
        Rule::LESS_EQUAL => (BinaryOp::LessEqual, COMPARE),
        Rule::GREATER => (BinaryOp::Greater, COMPARE),
        Rule::GREATER_EQUAL => (BinaryOp::GreaterEqual, COMPARE),
        Rule::KW_IN => (BinaryOp::In, COMPARE),
        Rule::NOT_IN => (BinaryOp::NotIn, COMPARE),
        Rule::COALESCE => (BinaryOp::Coalesce, 5),
        Rule::RANGE => (BinaryOp::Range, RANGE),
        Rule::PLUS => (BinaryOp::Add, 7),
        Rule::MINUS => (BinaryOp::Subtract, 7),
        Rule::STAR => (BinaryOp::Multiply, 8),
        Rule::SLASH => (BinaryOp::Divide, 8),
        _ => return None,
    })
}

impl<'t> Builder<'t, '_> {
    pub(super) fn error_expr(span: Span) -> Expr {
        Expr { kind: ExprKind::Error, span }
    }

    pub(super) fn child_expr(&mut self, node: Node<'t>, rule: Rule) -> Expr {
        match node.child(rule) {
            Some(child) => self.expr(child),
            None => Self::error_expr(node.span().after()),
        }
    }

    pub(super) fn expr(&mut self, node: Node<'t>) -> Expr {
        let span = node.span();
        self.deeper(1, span, Self::error_expr(span), |b| b.expr_here(node))
    }

    fn expr_here(&mut self, node: Node<'t>) -> Expr {
        match node.rule() {
            Some(Rule::expr) => self.whole(node),
            Some(Rule::plain | Rule::operation | Rule::bound_value) => self.operators(node),
            Some(Rule::chain) => self.chain(node),
            Some(Rule::field_function) => self.field_function(node),
            _ => self.atom(node),
        }
    }

    /// Lambda heads and what they lead to.
    fn whole(&mut self, node: Node<'t>) -> Expr {
        let mut children = node.children();
        let mut heads = Vec::new();
        while let Some(head) = children.eat(Rule::lambda_head) {
            heads.push(head);
        }
        let levels = heads.len();
        let span = node.span();
        let body = self.deeper(levels, span, Self::error_expr(span), |b| match children.next() {
            None => Self::error_expr(span),
            Some(inner) => match inner.rule() {
                Some(Rule::if_expr) => b.if_expr(inner),
                Some(Rule::match_expr) => b.match_expr(inner),
                Some(Rule::with_expr) => {
                    let target = inner.child(Rule::with_head).unwrap_or(inner);
                    let target = Box::new(b.child_expr(target, Rule::plain));
                    Expr { kind: ExprKind::With { target, body: b.child_block(inner) }, span: inner.span() }
                }
                _ => b.expr_here(inner),
            },
        });
        heads.into_iter().rev().fold(body, |body, head| {
            let params = head.children().filter(|c| c.rule() == Some(Rule::NAME)).map(Self::name).collect();
            let span = head.span().join(body.span);
            Expr { kind: ExprKind::Lambda { params, body: Box::new(body), shorthand: false }, span }
        })
    }

    fn operators(&mut self, node: Node<'t>) -> Expr {
        // Operators and answers each put one level around what stands before them; operands don't.
        let levels = node.children().filter(|c| c.rule() != Some(Rule::chain)).count();
        let span = node.span();
        self.deeper(levels, span, Self::error_expr(span), |b| {
            let mut children = node.children();
            b.climb(&mut children, 0, span)
        })
    }

    /// Operands and operators as far as they bind at least as tightly as `floor`.
    fn climb(&mut self, children: &mut Children<'t>, floor: u8, near: Span) -> Expr {
        let mut left = self.operand(children, near);
        let mut last = 0;
        while let Some(node) = children.peek() {
            let Some((op, power)) = node.rule().and_then(operator) else { break };
            if power < floor {
                break;
            }
            children.next();
            let chained = last == power && (power == COMPARE || power == RANGE);
            if chained {
                self.tell(codes::chained(node.span(), node.text()));
            }
            last = power;
            if op == BinaryOp::Subtract {
                self.minus_over_lines(left.span, node.span(), children);
            }
            let right = self.climb(children, power + 1, node.span().after());
            let span = left.span.join(right.span);
            let kind = match chained {
                // It has no meaning, so nobody may complain about its types.
                true => ExprKind::Error,
                false => ExprKind::Binary { op, op_span: node.span(), left: Box::new(left), right: Box::new(right) },
            };
            left = Expr { kind, span };
        }
        left
    }

    /// `let a = b ⏎ -c`: a value of its own was meant, perhaps.
    fn minus_over_lines(&mut self, left: Span, minus: Span, rest: &Children<'t>) {
        let before = Span { start: left.end, end: minus.start };
        let touches = rest.peek().is_some_and(|next| next.span().start == minus.end);
        if touches && crate::tree::slice(self.tree.source(), before).contains('\n') {
            self.tell(codes::minus_begins_line(minus));
        }
    }

    fn operand(&mut self, children: &mut Children<'t>, near: Span) -> Expr {
        let Some(node) = children.next() else { return Self::error_expr(near) };
        let (op, power) = match node.rule() {
            Some(Rule::KW_NOT) => (UnaryOp::Not, NOT),
            Some(Rule::MINUS) => (UnaryOp::Negate, NEGATE),
            _ => return self.answered(node, children),
        };
        let operand = Box::new(self.climb(children, power, node.span().after()));
        let span = node.span().join(operand.span);
        Expr { kind: ExprKind::Unary { op, operand }, span }
    }

    /// An operand with the `catch` and `unless` that follow it.
    fn answered(&mut self, node: Node<'t>, children: &mut Children<'t>) -> Expr {
        let mut value = self.expr_here(node);
        while let Some(answer) = children.peek().filter(|a| matches!(a.rule(), Some(Rule::catch | Rule::probe))) {
            children.next();
            let span = value.span.join(answer.span());
            let word = answer.children().next().map_or(answer.span(), Node::span);
            if !call_of(&value) {
                self.tell(codes::not_a_call(word, value.span));
            }
            let call = Box::new(value);
            let kind = if answer.rule() == Some(Rule::catch) {
                ExprKind::Catch { call, arms: self.catch_arms(answer) }
            } else {
                ExprKind::Unless { call, probe: Box::new(self.child_expr(answer, Rule::chain)) }
            };
            value = Expr { kind, span };
        }
        value
    }

    fn chain(&mut self, node: Node<'t>) -> Expr {
        let mut children = node.children();
        let Some(first) = children.next() else { return Self::error_expr(node.span()) };
        let links = children.clone().count();
        let span = node.span();
        if self.depth + links > crate::limits::MAX_HEIGHT {
            return self.deeper(links, span, Self::error_expr(span), |_| Self::error_expr(span));
        }
        self.depth += links;
        let mut value = self.atom(first);
        for link in children {
            self.depth = self.depth.saturating_sub(1);
            value = self.link(value, link);
        }
        value
    }

    fn link(&mut self, base: Expr, link: Node<'t>) -> Expr {
        let span = base.span.join(link.span());
        let base = Box::new(base);
        let kind = match link.rule() {
            Some(Rule::member) => ExprKind::Member {
                base,
                name: Self::name_or(link.child(Rule::WORD), link.span()),
                optional: link.child(Rule::OPTIONAL_DOT).is_some(),
            },
            Some(Rule::arguments) => ExprKind::Call { callee: base, arguments: self.arguments(link) },
            Some(Rule::index) => ExprKind::Index { base, index: Box::new(self.child_expr(link, Rule::expr)) },
            Some(Rule::MAYBE) => ExprKind::Maybe(base),
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    /// `.field.more` as `x => x.field.more`.
    fn field_function(&mut self, node: Node<'t>) -> Expr {
        let mut children = node.children();
        let dot = children.next().map_or(node.span(), Node::span);
        let param = Name { text: SHORTHAND_PARAM.to_string(), span: dot };
        let name = Self::name_or(children.next(), dot);
        let base = Expr { kind: ExprKind::Name(param.text.clone()), span: dot };
        let span = dot.join(name.span);
        let mut body = Expr { kind: ExprKind::Member { base: Box::new(base), name, optional: false }, span };
        let links = children.clone().count();
        body = self.deeper(links, node.span(), Self::error_expr(node.span()), |b| {
            children.fold(body, |body, link| b.link(body, link))
        });
        Expr {
            kind: ExprKind::Lambda { params: vec![param], body: Box::new(body), shorthand: true },
            span: node.span(),
        }
    }

    pub(super) fn arguments(&mut self, node: Node<'t>) -> Vec<Argument> {
        let arguments: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::argument)).collect();
        arguments
            .into_iter()
            .map(|argument| match argument.child(Rule::named_argument) {
                Some(named) => Argument {
                    name: named.child(Rule::WORD).map(Self::name),
                    value: self.child_expr(named, Rule::expr),
                },
                None => Argument { name: None, value: self.child_expr(argument, Rule::expr) },
            })
            .collect()
    }

    /// What stands alone: a literal, a name, or something in brackets.
    pub(super) fn atom(&mut self, node: Node<'t>) -> Expr {
        let span = node.span();
        let text = node.text();
        let plain = || text.replace('_', "");
        let kind = match node.rule() {
            Some(Rule::NAME | Rule::WORD) => {
                let word = codes::foreign_word(text);
                if let Some(word) = word {
                    self.tell(codes::foreign_literal(span, text, word));
                }
                match word {
                    Some("none") => ExprKind::None,
                    Some("true") => ExprKind::Bool(true),
                    Some("false") => ExprKind::Bool(false),
                    _ => ExprKind::Name(text.to_string()),
                }
            }
            Some(Rule::KW_NONE) => ExprKind::None,
            Some(Rule::KW_TRUE) => ExprKind::Bool(true),
            Some(Rule::KW_FALSE) => ExprKind::Bool(false),
            Some(Rule::NUMBER) if text.contains('.') => ExprKind::Float(plain()),
            Some(Rule::NUMBER) => ExprKind::Int(plain()),
            Some(Rule::DURATION) => ExprKind::Duration(plain()),
            Some(Rule::SIZE) => ExprKind::Size(plain()),
            Some(Rule::PERCENT) => ExprKind::Percent(plain().trim_end_matches('%').to_string()),
            Some(Rule::MONEY) => {
                let text = plain();
                let (amount, currency) = text.split_once(' ').unwrap_or((&text, ""));
                ExprKind::Money(amount.to_string(), currency.to_string())
            }
            Some(Rule::INSTANT) => ExprKind::Instant(text.to_string()),
            Some(Rule::DATE) => ExprKind::Date(text.to_string()),
            Some(Rule::string | Rule::STRING | Rule::RAW) => ExprKind::Text(self.text(node)),
            Some(Rule::group) => return Expr { span, ..self.child_expr(node, Rule::expr) },
            Some(Rule::list) => {
                let values: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::expr)).collect();
                self.members_over_lines(&values);
                ExprKind::List(values.into_iter().map(|v| self.expr(v)).collect())
            }
            Some(Rule::braces) => {
                let entries: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::entry)).collect();
                ExprKind::Braces(entries.into_iter().map(|e| self.entry(e)).collect())
            }
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    /// `[.cloud .account]`, on one line or two: a comma was forgotten, and the text means `.cloud.account`.
    fn members_over_lines(&mut self, values: &[Node<'t>]) {
        for value in values {
            let Some(function) = value.child(Rule::field_function) else { continue };
            let mut end = 0;
            for part in function.children() {
                let between = Span { start: end, end: part.span().start };
                if end > 0 && crate::tree::slice(self.tree.source(), between).contains([' ', '\n']) {
                    self.tell(codes::comma_before_member(between, part.span()));
                }
                end = part.span().end;
            }
        }
    }

    fn entry(&mut self, node: Node<'t>) -> Entry {
        let value = self.child_expr(node, Rule::expr);
        match node.children().next() {
            Some(key) if key.rule() == Some(Rule::string) => Entry::Pair(self.text(key), value),
            Some(key) if key.rule() == Some(Rule::WORD) => Entry::Field(Self::name(key), value),
            _ => Entry::Spread(value),
        }
    }

    // ---- forms with blocks -----------------------------------------------------------------------------------------

    fn if_expr(&mut self, node: Node<'t>) -> Expr {
        let branches = node.children().filter(|c| c.rule() == Some(Rule::else_head)).count();
        let span = node.span();
        self.deeper(branches, span, Self::error_expr(span), |b| b.if_branches(node))
    }

    fn if_branches(&mut self, node: Node<'t>) -> Expr {
        let mut branches: Vec<(Span, Expr, Block)> = Vec::new();
        let mut otherwise = None;
        let mut children = node.children();
        while let Some(part) = children.next() {
            match part.rule() {
                Some(Rule::if_head | Rule::else_head) => {
                    let start = part.child(Rule::KW_IF).map_or(part.span(), Node::span);
                    let condition = self.child_expr(part, Rule::plain);
                    let then = match children.eat(Rule::block) {
                        Some(block) => self.block(block),
                        None => Block { statements: Vec::new(), span: part.span().after() },
                    };
                    branches.push((start, condition, then));
                }
                Some(Rule::block) => otherwise = Some(self.block(part)),
                _ => {}
            }
        }
        let end = node.span();
        let mut value = None;
        for (start, condition, then) in branches.into_iter().rev() {
            let span = Span { start: start.start, end: end.end };
            let rest = match value.take() {
                None => otherwise.take(),
                Some(inner) => Some(block_of(inner)),
            };
            let kind = ExprKind::If { condition: Box::new(condition), then, otherwise: rest };
            value = Some(Expr { kind, span });
        }
        value.unwrap_or(Self::error_expr(end))
    }

    fn match_expr(&mut self, node: Node<'t>) -> Expr {
        let head = node.child(Rule::match_head).unwrap_or(node);
        let subject = Box::new(self.child_expr(head, Rule::plain));
        let found: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::match_arm)).collect();
        let count = found.len();
        let arms = found.into_iter().enumerate().map(|(i, arm)| self.match_arm(arm, i + 1 == count)).collect();
        Expr { kind: ExprKind::Match { subject, arms }, span: node.span() }
    }

    fn match_arm(&mut self, node: Node<'t>, last: bool) -> MatchArm {
        let doc = self.doc(node.span().start);
        let patterns = self.patterns(node);
        let body = match node.children().nth(2) {
            Some(block) if block.rule() == Some(Rule::block) => self.block(block),
            Some(value) => {
                if !last && node.child(Rule::COMMA).is_none() {
                    self.tell(codes::comma_after_arm(value.span().after()));
                }
                self.value_block(value)
            }
            None => Block { statements: Vec::new(), span: node.span().after() },
        };
        MatchArm { doc, patterns, body, span: node.span() }
    }

    pub(super) fn catch_arms(&mut self, node: Node<'t>) -> Vec<CatchArm> {
        let arms: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::catch_arm)).collect();
        arms.into_iter()
            .map(|arm| {
                let patterns = self.patterns(arm);
                let value = match arm.children().nth(2) {
                    Some(word) if word.rule() == Some(Rule::KW_UNDO) => {
                        Expr { kind: ExprKind::Name(word.text().to_string()), span: word.span() }
                    }
                    Some(value) => self.expr(value),
                    None => Self::error_expr(arm.span()),
                };
                CatchArm { patterns, value, span: arm.span() }
            })
            .collect()
    }

    fn patterns(&mut self, node: Node<'t>) -> Vec<Pattern> {
        let Some(pattern) = node.child(Rule::pattern) else { return Vec::new() };
        let mut patterns = Vec::new();
        for part in pattern.children() {
            let span = part.span();
            let kind = match part.rule() {
                Some(Rule::PIPE) => continue,
                Some(Rule::UNDERSCORE) => PatternKind::Any,
                Some(Rule::path) => {
                    let path = Self::path(part);
                    if matches!(part.text(), "default" | "otherwise") {
                        self.tell(codes::default_arm(span, part.text()));
                        PatternKind::Any
                    } else {
                        PatternKind::Name(path)
                    }
                }
                _ => PatternKind::Literal(self.literal_at(part, span)),
            };
            patterns.push(Pattern { kind, span });
        }
        patterns
    }
}

/// Whether `catch` and `unless` may follow: a call, or members of what it gave.
fn call_of(value: &Expr) -> bool {
    let mut value = value;
    loop {
        match &value.kind {
            ExprKind::Call { .. } | ExprKind::Catch { .. } | ExprKind::Unless { .. } | ExprKind::Error => return true,
            ExprKind::Member { base, .. } | ExprKind::Index { base, .. } | ExprKind::Maybe(base) => value = base,
            _ => return false,
        }
    }
}

fn block_of(value: Expr) -> Block {
    let span = value.span;
    Block { statements: vec![Stmt { doc: None, kind: StmtKind::Expr(value), span }], span }
}
