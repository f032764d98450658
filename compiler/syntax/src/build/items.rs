//! Items, parameters and attributes. Knows nothing of bodies, types or values beyond where they stand.

use escher_grammar::Rule;

use super::Builder;
use crate::ast::{self, Callable, ItemKind, TemplateField, UseTarget};
use crate::codes;
use crate::span::Span;
use crate::tree::{Children, Node, NodeKind};

impl<'t> Builder<'t, '_> {
    pub(super) fn item(&mut self, node: Node<'t>) -> Option<ast::Item> {
        let span = node.span();
        match node.kind() {
            NodeKind::Error => {
                return Some(ast::Item { doc: None, attributes: Vec::new(), kind: ItemKind::Error, span });
            }
            NodeKind::Rule(Rule::item) => {}
            NodeKind::Rule(_) => return None,
        }
        let doc = self.doc(span.start);
        let mut children = node.children();
        let mut attributes = Vec::new();
        while let Some(attribute) = children.eat(Rule::attribute) {
            attributes.push(self.attribute(attribute));
        }
        let kind = children.next().map_or(ItemKind::Error, |kind| self.item_kind(kind));
        Some(ast::Item { doc, attributes, kind, span })
    }

    fn attribute(&mut self, node: Node<'t>) -> ast::Attribute {
        let name = Self::name_or(node.child(Rule::WORD), node.span());
        let arguments = node.child(Rule::arguments).map_or_else(Vec::new, |a| self.arguments(a));
        ast::Attribute { name, arguments, span: node.span() }
    }

    fn item_kind(&mut self, node: Node<'t>) -> ItemKind {
        let span = node.span();
        let mut children = node.children();
        match node.rule() {
            Some(Rule::use_item) => self.use_item(node),
            Some(Rule::const_item) => {
                let name = Self::name_or(node.child(Rule::NAME), span);
                let ty = node.child(Rule::r#type).map(|t| self.ty(t));
                let value = self.child_expr(node, Rule::expr);
                ItemKind::Const { name, ty, value }
            }
            Some(Rule::type_item) => {
                let name = Self::name_or(node.child(Rule::NAME), span);
                let ty = self.child_type(node);
                ItemKind::Type { name, ty }
            }
            Some(Rule::fn_item) => ItemKind::Fn(self.callable(node)),
            Some(Rule::action_item) => ItemKind::Action(self.callable(node)),
            Some(Rule::playbook_item) => ItemKind::Playbook(self.callable(node)),
            Some(Rule::template_item) => {
                let (name, playbook) = Self::named(&mut children, span);
                let fields = children.eat(Rule::template_fields).map_or_else(Vec::new, |f| self.template_fields(f));
                let clauses = self.clauses(children);
                ItemKind::Template { name, playbook, fields, clauses }
            }
            Some(Rule::schedule_item) => {
                let (name, playbook) = Self::named(&mut children, span);
                let arguments = children.eat(Rule::arguments).map_or_else(Vec::new, |a| self.arguments(a));
                let clauses = self.clauses(children);
                ItemKind::Schedule { name, playbook, arguments, clauses }
            }
            Some(Rule::trigger_item) => self.trigger(children, span),
            Some(Rule::test_item) => self.test(node),
            _ => ItemKind::Error,
        }
    }

    fn use_item(&mut self, node: Node<'t>) -> ItemKind {
        let target = match node.child(Rule::STRING) {
            Some(file) => {
                let module = codes::module_of(file.text());
                if !file.text().ends_with(".esc\"") {
                    self.tell(codes::not_a_file(file.span(), module.as_deref()));
                }
                match module {
                    Some(module) => {
                        let span = file.span();
                        let segments = module.split('.').map(|s| ast::Name { text: s.to_string(), span }).collect();
                        UseTarget::Module(ast::Path { segments, span })
                    }
                    None => UseTarget::File(self.text_leaf(file)),
                }
            }
            None => UseTarget::Module(Self::path_or(node.child(Rule::path), node.span())),
        };
        ItemKind::Use { target, alias: node.child(Rule::NAME).map(Self::name) }
    }

    /// The `word name = playbook` that templates, schedules and triggers begin with.
    fn named(children: &mut Children<'t>, span: Span) -> (ast::Name, ast::Path) {
        children.next();
        let name = Self::name_or(children.eat(Rule::NAME), span);
        children.eat(Rule::EQ);
        (name, Self::path_or(children.eat(Rule::path), span))
    }

    fn template_fields(&mut self, node: Node<'t>) -> Vec<TemplateField> {
        let fields: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::template_field)).collect();
        fields
            .into_iter()
            .map(|field| TemplateField {
                name: Self::name_or(field.child(Rule::WORD), field.span()),
                narrows: field.child(Rule::KW_IN).is_some(),
                value: self.child_expr(field, Rule::expr),
            })
            .collect()
    }

    fn trigger(&mut self, mut children: Children<'t>, span: Span) -> ItemKind {
        let (name, playbook) = Self::named(&mut children, span);
        let arguments = children.eat(Rule::arguments).map_or_else(Vec::new, |a| self.arguments(a));
        children.eat(Rule::KW_ON);
        let event = Self::name_or(children.eat(Rule::NAME), span);
        children.eat(Rule::COLON);
        let source = match children.eat(Rule::plain) {
            Some(source) => self.expr(source),
            None => Self::error_expr(span),
        };
        let clauses = self.clauses(children);
        ItemKind::Trigger { name, playbook, arguments, event, source, clauses }
    }

    fn test(&mut self, node: Node<'t>) -> ItemKind {
        let head = node.child(Rule::test_head);
        let title = head.and_then(|h| h.child(Rule::STRING));
        let title = match title {
            Some(title) => self.text_leaf(title),
            None => ast::Text { parts: Vec::new(), span: node.span() },
        };
        let body = node.child(Rule::test_block).map_or_else(ast::Block::default, |b| self.block(b));
        ItemKind::Test { title, body }
    }

    fn callable(&mut self, node: Node<'t>) -> Callable {
        let mut children = node.children();
        let head = children.next().unwrap_or(node);
        let name = Self::name_or(head.child(Rule::NAME), head.span());
        let params = head.child(Rule::params).map_or_else(Vec::new, |p| self.params(p));
        let returns = head.child(Rule::r#type).map(|t| self.ty(t));
        let body = if children.eat(Rule::EQ).is_some() {
            match children.next() {
                Some(value) => self.value_block(value),
                None => ast::Block { statements: Vec::new(), span: node.span().after() },
            }
        } else {
            match children.next() {
                Some(block) => self.block(block),
                None => ast::Block { statements: Vec::new(), span: node.span().after() },
            }
        };
        Callable { name, params, returns, body, head: head.span() }
    }

    fn params(&mut self, node: Node<'t>) -> Vec<ast::Param> {
        let params: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::param)).collect();
        params
            .into_iter()
            .map(|param| ast::Param {
                doc: self.doc(param.span().start),
                name: Self::name_or(param.child(Rule::NAME), param.span()),
                ty: self.child_type(param),
                default: param.child(Rule::expr).map(|e| self.expr(e)),
                span: param.span(),
            })
            .collect()
    }

    /// The clauses among the rest of some children; each word may stand once.
    pub(super) fn clauses(&mut self, children: Children<'t>) -> Vec<ast::Clause> {
        let mut clauses: Vec<ast::Clause> = Vec::new();
        for child in children {
            let Some(clause) = self.clause(child) else { continue };
            if let Some(first) = clauses.iter().find(|c| c.word.text == clause.word.text) {
                let told = codes::clause_twice(&clause.word.text, clause.word.span, first.span);
                self.diagnostics.push(told);
            }
            clauses.push(clause);
        }
        clauses
    }
}
