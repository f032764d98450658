//! Types. Does not know which names exist, nor which refinements a type takes.

use escher_grammar::Rule;

use super::Builder;
use crate::ast::{self, Expr, ExprKind, FieldType, Type, TypeKind};
use crate::codes;
use crate::span::Span;
use crate::tree::Node;

impl<'t> Builder<'t, '_> {
    pub(super) fn child_type(&mut self, node: Node<'t>) -> Type {
        match node.child(Rule::r#type) {
            Some(ty) => self.ty(ty),
            None => Type { kind: TypeKind::Error, span: node.span().after() },
        }
    }

    pub(super) fn ty(&mut self, node: Node<'t>) -> Type {
        let span = node.span();
        let error = Type { kind: TypeKind::Error, span };
        self.deeper(1, span, error, |b| b.union(node))
    }

    /// `A | B`; `none` among the parts makes the rest optional.
    fn union(&mut self, node: Node<'t>) -> Type {
        let span = node.span();
        let mut parts = Vec::new();
        let mut optional = false;
        for child in node.children() {
            match child.rule() {
                Some(Rule::PIPE) => {}
                Some(Rule::KW_NONE) => optional = true,
                _ => parts.push(self.type_part(child)),
            }
        }
        let ty = match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Type { kind: TypeKind::Union(parts), span }
            }
            None => Type { kind: TypeKind::Error, span },
        };
        if optional { Type { kind: TypeKind::Optional(Box::new(ty)), span } } else { ty }
    }

    fn type_part(&mut self, node: Node<'t>) -> Type {
        let span = node.span();
        match node.rule() {
            Some(Rule::literal_type) => Type { kind: TypeKind::Literal(Box::new(self.literal(node))), span },
            Some(Rule::optional_type) => {
                let Some(inner) = node.children().next() else { return Type { kind: TypeKind::Error, span } };
                let ty = self.type_prime(inner);
                match node.child(Rule::QUESTION) {
                    Some(_) => Type { kind: TypeKind::Optional(Box::new(ty)), span },
                    None => ty,
                }
            }
            _ => Type { kind: TypeKind::Error, span },
        }
    }

    fn type_prime(&mut self, node: Node<'t>) -> Type {
        let span = node.span();
        let kind = match node.rule() {
            Some(Rule::record_type) => TypeKind::Record(self.field_types(node)),
            Some(Rule::type_group) => return self.child_type(node),
            Some(Rule::named_type) => {
                let list = node.child(Rule::type_arguments);
                let inner = list.into_iter().flat_map(Node::children).filter(|c| c.rule() == Some(Rule::r#type));
                let inner: Vec<_> = inner.collect();
                let mut arguments: Vec<Type> = inner.iter().map(|t| self.ty(*t)).collect();
                let mut path = Self::path_or(node.child(Rule::path), span);
                let foreign = foreign_type(&path, arguments.len());
                if let Some((right, keeps)) = foreign {
                    let argument = inner.last().map_or("", |t| t.text());
                    let written = match keeps {
                        Keeps::Nothing => right.to_string(),
                        Keeps::Argument => format!("{right}<{argument}>"),
                        Keeps::Maybe => format!("{argument}?"),
                    };
                    self.tell(codes::foreign_type(span, node.text(), &written));
                    // The checker goes on with what was meant.
                    let last = arguments.pop();
                    match (keeps, last) {
                        (Keeps::Maybe, Some(ty)) => return Type { kind: TypeKind::Optional(Box::new(ty)), span },
                        (Keeps::Argument, last) => arguments = last.into_iter().collect(),
                        _ => arguments.clear(),
                    }
                    path.segments = vec![ast::Name { text: right.to_string(), span: path.span }];
                }
                let refinement = node.child(Rule::arguments).map_or_else(Vec::new, |a| self.arguments(a));
                TypeKind::Named { path, arguments, refinement }
            }
            _ => TypeKind::Error,
        };
        Type { kind, span }
    }

    fn field_types(&mut self, node: Node<'t>) -> Vec<FieldType> {
        let fields: Vec<_> = node.children().filter(|c| c.rule() == Some(Rule::field_type)).collect();
        fields
            .into_iter()
            .map(|field| FieldType {
                doc: self.doc(field.span().start),
                name: Self::name_or(field.child(Rule::WORD), field.span()),
                ty: self.child_type(field),
                default: field.child(Rule::expr).map(|e| self.expr(e)),
            })
            .collect()
    }

    /// A text, number or word that stands for itself, in a type or a pattern.
    fn literal(&mut self, node: Node<'t>) -> Expr {
        match node.children().next() {
            Some(inner) => self.literal_at(inner, node.span()),
            None => Self::error_expr(node.span()),
        }
    }

    pub(super) fn literal_at(&mut self, node: Node<'t>, span: Span) -> Expr {
        if node.rule() != Some(Rule::signed_number) {
            return Expr { span, ..self.atom(node) };
        }
        let mut children = node.children();
        let minus = children.eat(Rule::MINUS).is_some();
        let number = match children.next() {
            Some(number) => self.atom(number),
            None => Self::error_expr(span),
        };
        if minus {
            Expr { kind: ExprKind::Unary { op: ast::UnaryOp::Negate, operand: Box::new(number) }, span }
        } else {
            number
        }
    }
}

/// What is left of a type of another language.
#[derive(Clone, Copy)]
enum Keeps {
    /// Its name in this one.
    Nothing,
    /// And its last argument.
    Argument,
    /// Its only argument, with `?`.
    Maybe,
}

/// Type names of other languages; a record of one's own can't be meant, for its name begins with a capital.
fn foreign_type(path: &ast::Path, arguments: usize) -> Option<(&'static str, Keeps)> {
    let [name] = path.segments.as_slice() else { return None };
    Some(match (name.text.as_str(), arguments) {
        ("str" | "text" | "varchar", 0) => ("string", Keeps::Nothing),
        ("number" | "integer" | "int32" | "int64" | "i32" | "i64" | "u32" | "u64" | "long", 0) => {
            ("int", Keeps::Nothing)
        }
        ("double" | "f32" | "f64" | "decimal", 0) => ("float", Keeps::Nothing),
        ("boolean", 0) => ("bool", Keeps::Nothing),
        ("datetime" | "timestamp", 0) => ("instant", Keeps::Nothing),
        ("Option" | "Optional" | "option" | "optional", 1) => ("", Keeps::Maybe),
        ("array" | "Array" | "List" | "Vec" | "vec", 1) => ("list", Keeps::Argument),
        ("dict" | "Dict" | "Map" | "map" | "HashMap" | "Record", 2) => ("map", Keeps::Argument),
        _ => return None,
    })
}
