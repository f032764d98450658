//! Secrets as an ability: who may hold one, and where it may go. Knows no value of any.

use std::collections::BTreeSet;
use std::sync::Arc;

use escher_catalog::{Record, ShapeKind};
use escher_ir::admit::holds_secret;
use escher_ir::program::{Block, Call, Expr, Program, Projection};
use escher_ir::secret::{REFERENCES, Secret, reference};
use escher_ir::{Type, Value, visit};
use escher_syntax::{Diagnostic, Span, ast};

use crate::checker::{Checker, Typed};
use crate::module::Unlinked;
use crate::risk::Witness;
use crate::shapes::ShapeField;
use crate::types::fits;

/// Words of members that hold what opens a door, among those that a cloud marks as sensitive; others are merely private.
const KEYS: &[&str] = &["password", "passphrase", "secret", "private_key", "auth_token", "credential"];

/// `secret<string>`
pub(crate) fn secret_text() -> Type {
    Type::Secret(Box::new(Type::STRING))
}

/// The type that a sensitive member has in an answer; none where it is no text.
pub(crate) fn answered(ty: &Type) -> Option<Type> {
    match ty {
        Type::String { .. } | Type::Literals(_) => Some(secret_text()),
        Type::Bytes => Some(Type::Secret(Box::new(Type::Bytes))),
        _ => None,
    }
}

impl Checker<'_> {
    /// Says so where a secret would be seen. `place` is where, such as "a text".
    pub(crate) fn hidden_from(&mut self, ty: &Type, span: Span, place: &str) -> bool {
        if !holds_secret(ty) {
            return false;
        }
        self.say(Diagnostic::error("E0312", span, format!("this is a secret, and cannot stand in {place}")).help(
            "a secret only goes where a cloud keeps one, such as `master_user_password:`; name what it belongs to",
        ));
        true
    }

    /// A text where a secret is wanted: the reference that it is.
    pub(crate) fn referred(&mut self, typed: Typed, expected: &Type, span: Span) -> Typed {
        let inner = if let Type::Optional(inner) = expected { inner } else { expected };
        let (Type::Secret(_), Some(Value::String(text))) = (inner, typed.constant()) else { return typed };
        match reference(text) {
            Some(from) => Typed::new(Expr::Literal(Value::Secret(Arc::new(Secret::kept(from)))), inner.clone()),
            None => {
                self.say(written_out(span));
                Typed::error()
            }
        }
    }

    /// An argument, or a member of one: what the cloud marks as sensitive takes a secret too.
    pub(crate) fn sent(&mut self, value: &ast::Expr, field: &ShapeField, wanted: &Type, what: &str) -> Typed {
        let typed = self.expr(value, Some(wanted));
        let secret = answered(&field.ty).filter(|_| field.sensitive).map(Type::optional);
        if secret.is_some_and(|secret| typed.ty != Type::Unknown && holds_secret(&typed.ty) && fits(&typed.ty, &secret))
        {
            return typed;
        }
        let key = || KEYS.iter().any(|word| field.official.to_lowercase().contains(&word.replace('_', "")));
        if let (true, false, Some(Value::String(text))) = (field.sensitive, self.partial, typed.constant())
            && !text.is_empty()
            && key()
        {
            self.say(written_out(value.span));
            return typed;
        }
        self.expect(&typed, wanted, value.span, what);
        typed
    }

    /// A cloud shows a new secret once. A run that is taken up again has lost it: the item must be taken back.
    pub(crate) fn check_lost_secrets(&mut self, unlinked: &Unlinked, witnesses: &[Witness], body: &ast::Block) {
        // Few operations have one: only then is it worth looking into all that the playbook reaches.
        let may = |operation: &str| {
            let record = self.world.record(operation)?;
            Some(has_secret(&record, record.operation.output?, &mut BTreeSet::new()))
        };
        let operations: BTreeSet<&str> = witnesses.iter().map(|w| w.operation.as_str()).collect();
        if !operations.into_iter().any(|operation| may(operation).unwrap_or(false)) {
            return;
        }
        let program = &self.program_of(self.module, unlinked);
        let steps = program.playbook.body.nodes.iter().filter_map(|node| match &node.kind {
            escher_ir::program::NodeKind::Step(step) if step.undo.is_none() => Some(step),
            _ => None,
        });
        for step in steps {
            let Some(operation) = self.shows_once(program, &step.body) else { continue };
            let written = body.statements.iter().flat_map(|s| match &s.kind {
                ast::StmtKind::Parallel(inner) => inner.statements.iter().collect::<Vec<_>>(),
                _ => vec![s],
            });
            let name = written.into_iter().find_map(|s| match &s.kind {
                ast::StmtKind::Step(found) if found.name.text == step.name => Some(found.name.span),
                _ => None,
            });
            let told = format!("`{operation}` shows its secret once, and step `{}` says no `undo`", step.name);
            self.say(Diagnostic::error("E0423", name.unwrap_or_default(), told).help(
                "a secret is never written down: a run that was interrupted takes the item back, so say how: `undo { … }`",
            ));
        }
    }

    /// The first changing call of a block, or of a function that it calls, of whose answer a secret is read there.
    fn shows_once(&self, program: &Program, block: &Block) -> Option<String> {
        let (mut calls, mut names, mut seen) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut todo = vec![block.clone()];
        while let Some(mut block) = todo.pop() {
            visit::block(&mut block, &mut |e| match e {
                Expr::Call(call) if call.changes => calls.push(call.clone()),
                Expr::Member { name, .. } => drop(names.insert(name.clone())),
                Expr::Function { name, .. } if seen.insert(name.clone()) => {
                    todo.extend(program.functions.get(name).map(|f| f.body.clone()));
                }
                _ => {}
            });
        }
        let shows = |call: &Arc<Call>| {
            let record = self.world.record(&call.operation)?;
            reads_secret(&record, record.operation.output?, &call.reads, &names, 0).then(|| call.operation.clone())
        };
        calls.iter().find_map(shows)
    }
}

/// Whether something in a shape is sensitive.
fn has_secret(record: &Record, id: u32, seen: &mut BTreeSet<u32>) -> bool {
    let Some(shape) = record.shape(id).filter(|_| seen.insert(id)) else { return false };
    match &shape.kind {
        _ if shape.sensitive => true,
        ShapeKind::List { item: id, .. } | ShapeKind::Map { value: id, .. } => has_secret(record, *id, seen),
        _ => shape.members().iter().any(|member| has_secret(record, member.shape, seen)),
    }
}

/// Whether one of these members is read and sensitive.
fn reads_secret(record: &Record, id: u32, reads: &Projection, names: &BTreeSet<String>, depth: u32) -> bool {
    let (Some(shape), Projection::Members(members), true) = (record.shape(id), reads, depth < 50) else { return false };
    match &shape.kind {
        ShapeKind::List { item: id, .. } | ShapeKind::Map { value: id, .. } => {
            reads_secret(record, *id, reads, names, depth + 1)
        }
        _ => shape.members().iter().any(|member| {
            let sensitive = record.shape(member.shape).is_some_and(|s| s.sensitive) && names.contains(&*member.name);
            members
                .get(&*member.name)
                .is_some_and(|below| sensitive || reads_secret(record, member.shape, below, names, depth + 1))
        }),
    }
}

fn written_out(span: Span) -> Diagnostic {
    Diagnostic::error("E0313", span, "a secret does not stand in a playbook").help(format!(
        "make it a parameter, `password: secret<string>`; whoever runs the playbook says where it is kept: {REFERENCES}"
    ))
}
