//! Items of a file: types, constants and functions first, then playbooks.

use std::collections::HashMap;
use std::sync::Arc;

use escher_ir::Type;
use escher_ir::program::{Block, Expr, Function};
use escher_ir::types::RecordType;
use escher_syntax::ast::{self, ItemKind};
use escher_syntax::{Diagnostic, Severity, Span};

use crate::Checked;
use crate::checker::{ActionBody, Checker, Facts, Place, Signature};
use crate::module::{Exports, Lowered, Node, Own};
use crate::scope::{Binding, Origin, Scope};
use crate::world::World;

/// The name that an item gives itself.
pub(crate) fn name_of(item: &ast::Item) -> Option<&ast::Name> {
    match &item.kind {
        ItemKind::Const { name, .. }
        | ItemKind::Type { name, .. }
        | ItemKind::Template { name, .. }
        | ItemKind::Schedule { name, .. }
        | ItemKind::Trigger { name, .. } => Some(name),
        ItemKind::Fn(c) | ItemKind::Action(c) | ItemKind::Playbook(c) => Some(&c.name),
        _ => None,
    }
}

/// What the checker makes of a file.
pub(crate) struct Made {
    pub(crate) checked: Checked,
    /// What could not be read, and may have defined what is missed elsewhere.
    pub(crate) broken: Vec<Span>,
    /// What other modules see of it.
    pub(crate) exports: Exports,
    /// Whether what was found depends on the bodies of functions of other modules.
    pub(crate) linked: bool,
}

/// Checks the items of a file, with the modules that were checked before it.
pub(crate) fn check_file(
    world: &dyn World,
    node: &Node,
    module: usize,
    modules: &[Option<Arc<Exports>>],
    facts: &Facts,
) -> Made {
    let file = &node.file;
    let mut checker = Checker::new(world, node, module, modules, facts);
    checker.one_name_each();
    let mut checked = Checked::default();
    for item in &file.items {
        match &item.kind {
            ItemKind::Type { name, ty } => {
                let resolved = named(checker.resolve(ty), &name.text);
                checker.types.insert(name.text.clone(), resolved);
            }
            ItemKind::Const { name, ty, value } => checker.constant(name, ty.as_ref(), value),
            _ => {}
        }
    }
    for item in &file.items {
        match &item.kind {
            ItemKind::Fn(callable) | ItemKind::Action(callable) => {
                checker.signature(&callable.name.text, callable.name.span);
            }
            ItemKind::Playbook(callable) => checked.playbooks.push(checker.playbook(item, callable)),
            ItemKind::Error => checker.broken.push(item.span),
            _ => {}
        }
    }
    // Last: what calls playbooks, wherever they stand.
    checker.place = Place::Pure;
    for item in &file.items {
        match &item.kind {
            ItemKind::Test { title, body } => checked.tests.push(checker.test(title, body)),
            ItemKind::Template { .. } | ItemKind::Schedule { .. } | ItemKind::Trigger { .. } => {
                checked.standing.extend(checker.standing(item).map(Arc::new));
            }
            _ => {}
        }
    }
    let exports = checker.exports_of(node);
    checked.diagnostics = checker.diagnostics;
    Made { checked, broken: checker.broken, exports, linked: checker.linked.get() }
}

/// Whether a value comes from a call, of a cloud or of the language.
fn calls(expr: &Expr) -> bool {
    let mut block = Block { nodes: Vec::new(), value: Some(Box::new(expr.clone())) };
    let mut found = false;
    escher_ir::visit::block(&mut block, &mut |e| {
        found |= matches!(e, Expr::Call(_) | Expr::Function { .. } | Expr::Builtin(..) | Expr::StepResult { .. });
    });
    found
}

/// A record type is told of by its name.
fn named(ty: Type, name: &str) -> Type {
    match ty {
        Type::Record(record) => Type::Record(Arc::new(RecordType { name: Some(Arc::from(name)), ..(*record).clone() })),
        other => other,
    }
}

/// What an item is, in a word.
fn kind_of(item: &ItemKind) -> Option<&'static str> {
    Some(match item {
        ItemKind::Const { .. } => "constant",
        ItemKind::Type { .. } => "type",
        ItemKind::Fn(_) => "function",
        ItemKind::Action(_) => "action",
        ItemKind::Playbook(_) => "playbook",
        ItemKind::Template { .. } => "template",
        ItemKind::Schedule { .. } => "schedule",
        ItemKind::Trigger { .. } => "trigger",
        ItemKind::Use { .. } | ItemKind::Test { .. } | ItemKind::Error => return None,
    })
}

impl Checker<'_> {
    /// What others see of this file, now that all of it was checked.
    fn exports_of(&mut self, node: &Node) -> Exports {
        let named = node.file.items.iter().filter_map(|i| Some((name_of(i)?.text.clone(), kind_of(&i.kind)?)));
        let constants = self.scope.iter().filter_map(|b| match &b.origin {
            Origin::Const(value) => Some((b.name.clone(), (b.ty.clone(), value.clone()))),
            _ => None,
        });
        let known = self.signatures.drain().filter_map(|(name, signature)| Some((name, signature?)));
        let uses = node.uses.values().filter_map(|used| used.module);
        let uses = uses.filter_map(|at| Some((at, self.modules.get(at)?.clone()?))).collect();
        let own = Own {
            module: self.module,
            incomplete: node.parsed.iter().any(|d| d.severity == Severity::Error),
            shown: node.id.to_string(),
            kinds: named.collect(),
            types: std::mem::take(&mut self.types),
            constants: constants.collect(),
            signatures: known.collect(),
            functions: std::mem::take(&mut self.functions),
            playbooks: std::mem::take(&mut self.playbooks),
        };
        Exports { own: Arc::new(own), uses }
    }

    fn one_name_each(&mut self) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let file = self.file;
        for item in &file.items {
            match (&item.kind, name_of(item)) {
                (ItemKind::Type { ty, .. }, Some(name)) if matches!(ty.kind, ast::TypeKind::Record(_)) => {
                    self.spelt_as_type(name);
                }
                (ItemKind::Type { .. }, _) | (_, None) => {}
                (_, Some(name)) => self.spelt_as_name(name),
            }
        }
        for name in file.items.iter().filter_map(name_of) {
            if let Some(module) = self.imports.get(&name.text) {
                let module = module.span;
                self.say(
                    Diagnostic::error("E0202", name.span, format!("`{}` is a module", name.text))
                        .label(module, "used here")
                        .help("choose another name: nothing hides a module"),
                );
            }
            if let Some(first) = seen.insert(&name.text, name.span) {
                self.say(
                    Diagnostic::error("E0202", name.span, format!("`{}` is defined already", name.text))
                        .label(first, "first defined here")
                        .help("choose another name: a name means one thing"),
                );
            }
        }
    }

    fn constant(&mut self, name: &ast::Name, ty: Option<&ast::Type>, value: &ast::Expr) {
        let typed = match ty {
            Some(ty) => {
                let ty = self.resolve(ty);
                self.expr_of(value, &ty, &format!("`{}`", name.text))
            }
            None => self.expr(value, None),
        };
        match crate::constant::try_fold(&typed.expr) {
            Ok(Some(folded)) => {
                self.scope.push(Binding {
                    name: name.text.clone(),
                    ty: typed.ty,
                    origin: Origin::Const(folded),
                    span: name.span,
                });
            }
            _ if typed.ty == Type::Unknown => {}
            Err(why) if why.absent.is_none() && !calls(&typed.expr) => {
                let told = Diagnostic::error("E0302", value.span, format!("this has no value: {}", why.message));
                self.say(told.help("a constant is worked out when it is checked: write one that has a value"));
            }
            _ => self.say(
                Diagnostic::error("E0301", value.span, "a constant is worked out without calling anything")
                    .help("read it in the playbook: `let x = …`"),
            ),
        }
    }

    /// The signature of a function or action of the file, whose body is checked the first time it is asked for. No
    /// recursion: one that is asked for while it is being checked calls itself.
    pub(crate) fn signature(&mut self, name: &str, at: Span) -> Option<Arc<Signature>> {
        if let Some(known) = self.signatures.get(name).cloned() {
            if known.is_none() {
                self.say(
                    Diagnostic::error("E0212", at, format!("`{name}` calls itself")).help(
                        "a playbook always ends, so there is no recursion; use `map`, `filter`, `sum` over a list",
                    ),
                );
            }
            return known;
        }
        let file = self.file;
        let (callable, is_action) = file.items.iter().find_map(|i| match &i.kind {
            ItemKind::Fn(c) if c.name.text == name => Some((c, false)),
            ItemKind::Action(c) if c.name.text == name => Some((c, true)),
            _ => None,
        })?;
        self.signatures.insert(name.to_string(), None);
        let place = if is_action { Place::Change } else { Place::Pure };
        let outer = (std::mem::replace(&mut self.place, place), self.step.take(), self.returns.take());
        let marks = (self.located, self.lenient.take(), self.cut.take(), self.cutting, self.probed);
        let staged = (self.acted, self.staged);
        (self.located, self.cutting, self.probed, self.acted) = (false, false, false, false);
        let sites = self.begin_sites();
        let (usage, operations) = (std::mem::take(&mut self.usage), std::mem::take(&mut self.operations));
        let waiters = std::mem::take(&mut self.waiters);
        // A function sees the constants of the file and its parameters.
        let visible: Scope = self.scope.iter().filter(|b| matches!(b.origin, Origin::Const(_))).cloned().collect();
        let scope = std::mem::replace(&mut self.scope, visible);
        let params = self.params(&callable.params);
        let names = params.iter().map(|p| p.name.clone()).collect();
        let action = is_action.then(|| ActionBody { params: names, ..ActionBody::default() });
        let outer_action = std::mem::replace(&mut self.action, action);
        let returns = callable.returns.as_ref().map(|t| self.resolve(t));
        self.may_return = true;
        let ((body, ty), _, reads) = self.tracked(|c| c.inner_block(&callable.body, returns.as_ref()));
        let returns = match returns {
            Some(returns) => {
                let value = body.value.as_deref().cloned();
                let typed = crate::checker::Typed {
                    expr: value.unwrap_or(escher_ir::program::Expr::Literal(escher_ir::Value::None)),
                    ty,
                };
                self.expect(&typed, &returns, callable.body.span.after(), &format!("what `{name}` gives"));
                returns
            }
            None => ty,
        };
        self.scope = scope;
        self.resume_sites(sites);
        (self.place, self.step, self.returns) = outer;
        let body_of = std::mem::replace(&mut self.action, outer_action).unwrap_or_default();
        let signature = Arc::new(Signature {
            params: params.iter().map(|p| (p.name.clone(), p.ty.clone(), p.default.clone())).collect(),
            returns,
            reads: reads || is_action,
            body: body_of,
            located: self.located,
            lenient: self.lenient.take().or(self.cut.take()),
        });
        (self.located, self.lenient, self.cut, self.cutting, self.probed) = marks;
        (self.acted, self.staged) = staged;
        let lowered = Lowered {
            function: Function { params: params.into_iter().map(|p| p.name).collect(), body },
            usage: std::mem::replace(&mut self.usage, usage),
            operations: std::mem::replace(&mut self.operations, operations),
            waiters: std::mem::replace(&mut self.waiters, waiters),
        };
        let mut alone = crate::constant::empty_program();
        alone.functions.insert(name.to_string(), lowered.function.clone());
        self.check_depth(&alone, &callable.name);
        self.functions.insert(name.to_string(), Arc::new(lowered));
        self.signatures.insert(name.to_string(), Some(signature.clone()));
        Some(signature)
    }
}
