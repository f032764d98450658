//! A playbook: its attributes, its parameters, and whether what it declares is what it does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use escher_catalog::Risk;
use escher_ir::Type;
use escher_ir::program::{Approval, Block, Builtin, Expr, NodeKind, Param, Playbook, Program};
use escher_ir::types::RecordType;
use escher_syntax::ast;
use escher_syntax::{Diagnostic, Span};

use crate::CheckedPlaybook;
use crate::checker::{Checker, Place};
use crate::module::Unlinked;
use crate::risk::{self, Witness};
use crate::scope::Origin;
use crate::statement::doc_text;
use crate::step::says_which;
use crate::suggest::nearest;
use crate::testing::PlaybookInfo;

const ATTRIBUTES: &[&str] = &["risk", "approval", "owner", "version", "freeze_exempt"];
const LEVELS: &[&str] = &["read", "low", "medium", "high", "critical"];

/// How long an approval holds where the playbook does not say.
pub(crate) const DEFAULT_VALID_SECONDS: u64 = 24 * 3600;

/// What an attribute says, and where.
type Declared<T> = Option<(T, Span)>;

impl Checker<'_> {
    pub(crate) fn playbook(&mut self, item: &ast::Item, callable: &ast::Callable) -> CheckedPlaybook {
        let wrong = self.wrong();
        self.advice.clear();
        self.operations.clear();
        self.witnesses.clear();
        self.changed.clear();
        self.usage = Default::default();
        self.located_nodes.clear();
        self.lenient_nodes.clear();
        self.staged_names.clear();
        self.acted = false;
        self.asked = Default::default();
        self.cut_nodes.clear();
        self.defaulted.clear();
        self.waiters.clear();
        let (declared, approval) = self.attributes(item);
        self.place = Place::Read;
        let (params, returns, nodes, steps) = self.scoped(|c| {
            let params = c.params(&callable.params);
            let returns = callable.returns.as_ref().map(|t| c.resolve(t)).unwrap_or(Type::None);
            c.returns = Some(returns.clone());
            let nodes = c.body(&callable.body, &returns);
            let steps = c.steps_in_scope();
            (params, returns, nodes, steps)
        });
        (self.place, self.returns) = (Place::Pure, None);
        if let Some(ty) = &callable.returns {
            self.hidden_from(&returns, ty.span, "what a playbook returns");
        }
        let known = params.iter().map(|p| (p.name.clone(), p.ty.clone(), p.default.is_some())).collect();
        let info = PlaybookInfo { params: known, steps, returns: returns.clone(), made: None };
        self.playbooks.insert(callable.name.text.clone(), info);
        let mut witnesses = std::mem::take(&mut self.witnesses);
        witnesses.sort_by(|a, b| b.raised.cmp(&a.raised).then(a.span.cmp(&b.span)));
        let inferred = witnesses.iter().map(|w| w.raised).max().unwrap_or(Risk::Read);
        // A level that is none was told already.
        let unreadable = declared.is_none() && item.attributes.iter().any(|a| a.name.text == "risk");
        if !unreadable {
            self.check_risk(callable, declared, inferred, &witnesses);
        }
        if self.asked.is_empty() {
            let level = inferred.max(declared.map_or(Risk::Read, |d| d.0));
            self.check_approval(callable, approval.as_ref(), level, witnesses.first());
        } else {
            // What stands below an `approve` is covered by that one.
            let first = self.asked.first_below(0, &witnesses);
            self.check_approval(callable, approval.as_ref(), first.map_or(Risk::Read, |w| w.raised), first);
        }
        self.check_asked(&witnesses);
        let mut bounds: HashMap<&str, u64> = HashMap::new();
        for witness in &witnesses {
            let most = bounds.entry(&witness.step).or_default();
            *most = witness.bound.max(*most);
        }
        let radius = nodes
            .iter()
            .filter_map(|n| if let NodeKind::Step(step) = &n.kind { Some(step) } else { None })
            .map(|step| bounds.get(step.name.as_str()).copied().unwrap_or(0).max(step.max_at_most))
            .try_fold(0u64, u64::checked_add);
        let program = Program {
            edition: escher_ir::EDITION,
            playbook: Playbook {
                name: callable.name.text.clone(),
                doc: doc_text(&item.doc),
                params,
                returns,
                risk: inferred,
                declared_risk: declared.map_or(inferred, |d| d.0),
                approval: approval.map(|(a, _)| a),
                blast_radius: radius,
                freeze_exempt: item.attributes.iter().any(|a| a.name.text == "freeze_exempt"),
                body: Block { nodes, value: None },
            },
            functions: BTreeMap::new(),
            operations: std::mem::take(&mut self.operations),
            waiters: std::mem::take(&mut self.waiters),
        };
        // Functions were asked about where they stand, once for all playbooks that reach them.
        self.check_depth(&program, &callable.name);
        let unlinked = Arc::new(Unlinked { program, usage: std::mem::take(&mut self.usage) });
        self.check_lost_secrets(&unlinked, &witnesses, &callable.body);
        if wrong == self.wrong() {
            self.diagnostics.append(&mut self.advice);
        }
        let witnesses: Arc<[Witness]> = witnesses.into();
        if let Some(info) = self.playbooks.get_mut(&callable.name.text) {
            info.made = Some((unlinked.clone(), witnesses.clone()));
        }
        CheckedPlaybook::new(callable.name.text.clone(), unlinked, witnesses)
    }

    /// A plan of what is nested too deeply could be made, and never be read again.
    pub(crate) fn check_depth(&mut self, program: &Program, name: &ast::Name) {
        if escher_ir::codec::canonical(program).is_err() {
            let told = Diagnostic::error("E0102", name.span, format!("`{}` is nested too deeply", name.text));
            self.say(told.help("give a part a name with `let`, `const` or `fn`"));
        }
    }

    /// The steps of the body at hand, with the type of what a test sees of an item: its shape, or its key as text.
    fn steps_in_scope(&self) -> BTreeMap<String, Type> {
        let steps = self.scope.iter().filter_map(|b| match &b.origin {
            Origin::Step { item, .. } => {
                let seen = match item {
                    Some(Type::Shape(shape)) => Type::Shape(shape.clone()),
                    Some(Type::Record(record)) if says_which(record) => id_only(record),
                    Some(Type::Union(records)) if records.iter().all(|record| says_which(record)) => {
                        records.first().map_or(Type::STRING, |record| id_only(record))
                    }
                    _ => Type::STRING,
                };
                Some((b.name.clone(), seen))
            }
            _ => None,
        });
        steps.collect()
    }

    fn attributes(&mut self, item: &ast::Item) -> (Declared<Risk>, Declared<Approval>) {
        let (mut declared, mut approval) = (None, None);
        for attribute in &item.attributes {
            match attribute.name.text.as_str() {
                "risk" => declared = self.risk_attribute(attribute).map(|r| (r, attribute.span)),
                "approval" => approval = Some((self.approval_attribute(attribute), attribute.span)),
                "owner" | "version" | "freeze_exempt" => {}
                other => {
                    let mut diagnostic =
                        Diagnostic::error("E0210", attribute.name.span, format!("there is no attribute `@{other}`"));
                    diagnostic = match nearest(other, ATTRIBUTES.iter().copied()) {
                        Some(near) => diagnostic.help(format!("did you mean `@{near}`?")),
                        None => diagnostic.help(format!("there are @{}", ATTRIBUTES.join(", @"))),
                    };
                    self.say(diagnostic);
                }
            }
        }
        (declared, approval)
    }

    fn risk_attribute(&mut self, attribute: &ast::Attribute) -> Option<Risk> {
        let argument = attribute.arguments.first();
        let (word, quoted) = match argument.map(|a| &a.value.kind) {
            Some(ast::ExprKind::Name(word)) => (word.clone(), false),
            Some(ast::ExprKind::Text(text)) => match text.parts.as_slice() {
                [ast::TextPart::Literal(s)] => (s.clone(), true),
                _ => (String::new(), true),
            },
            _ => (String::new(), false),
        };
        let span = argument.map_or(attribute.span, |a| a.value.span);
        let Some(level) = risk::level(&word) else {
            let mut diagnostic = Diagnostic::error("E0210", span, "this is no level of risk");
            diagnostic = match nearest(&word, LEVELS.iter().copied()) {
                Some(near) => {
                    diagnostic.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), span, near)
                }
                None => diagnostic.help(format!("write `@risk(high)`: one of {}", LEVELS.join(", "))),
            };
            self.say(diagnostic);
            return None;
        };
        if quoted {
            self.say(
                Diagnostic::error("E0210", span, "a level is a word of the language, without quotes")
                    .help(format!("write `@risk({word})`"))
                    .fix("drop the quotes", span, word),
            );
        }
        Some(level)
    }

    fn approval_attribute(&mut self, attribute: &ast::Attribute) -> Approval {
        let mut approval = Approval { by: "manager".into(), of: 1, valid_seconds: DEFAULT_VALID_SECONDS };
        let mut named = false;
        for argument in &attribute.arguments {
            match argument.name.as_ref().map(|n| n.text.as_str()) {
                Some("by") => {
                    named = true;
                    self.role(&argument.value, &mut approval);
                }
                Some("of") => self.quorum(&argument.value, &mut approval),
                Some("valid" | "within") => self.validity(&argument.value, "`valid`", &mut approval),
                _ => self.say(
                    Diagnostic::error("E0503", argument.value.span, "`@approval` has no such argument")
                        .help("write `@approval(by: \"manager\", of: 2, valid: 24h)`"),
                ),
            }
        }
        if !named {
            self.say(
                Diagnostic::error("E0503", attribute.span, "this does not say who approves")
                    .help("write `@approval(by: \"manager\")`"),
            );
        }
        approval
    }

    pub(crate) fn params(&mut self, params: &[ast::Param]) -> Vec<Param> {
        let mut out = Vec::new();
        for param in params {
            let ty = self.resolve(&param.ty);
            let default = param.default.as_ref().and_then(|expr| {
                let typed = self.expr_of(expr, &ty, &format!("the default of `{}`", param.name.text));
                match crate::constant::fold(&typed.expr) {
                    Some(value) => Some(Expr::Literal(value)),
                    None if typed.ty == Type::Unknown => None,
                    // Which places those are is a setting, filled in when it is planned.
                    None if matches!(&typed.expr, Expr::Builtin(Builtin::Targets | Builtin::OneTarget, _)) => {
                        Some(typed.expr)
                    }
                    None => {
                        self.say(
                            Diagnostic::error("E0301", expr.span, "a default is a constant")
                                .help("work it out in the body instead"),
                        );
                        None
                    }
                }
            });
            self.bind(&param.name, ty.clone(), Origin::Param);
            out.push(Param { name: param.name.text.clone(), doc: doc_text(&param.doc), ty, default });
        }
        out
    }

    fn check_risk(
        &mut self,
        callable: &ast::Callable,
        declared: Option<(Risk, Span)>,
        inferred: Risk,
        witnesses: &[Witness],
    ) {
        let Some(witness) = witnesses.first() else { return };
        let why = witness_text(witness);
        let word = risk::word(inferred);
        match declared {
            None => self.say(
                Diagnostic::error(
                    "E0413",
                    callable.name.span,
                    format!("this playbook does not say its risk, which is `{word}`"),
                )
                .label(witness.span, why)
                .help(format!("write `@risk({word})` above it")),
            ),
            Some((level, span)) if level < inferred => self.say(
                Diagnostic::error(
                    "E0402",
                    witness.span,
                    format!("the playbook declares risk `{}`, and this makes it `{word}`", risk::word(level)),
                )
                .label(witness.span, why)
                .label(span, "declared here")
                .help(format!("write `@risk({word})`, or do less")),
            ),
            Some(_) => {}
        }
    }

    fn check_approval(
        &mut self,
        callable: &ast::Callable,
        approval: Option<&(Approval, Span)>,
        risk_level: Risk,
        witness: Option<&Witness>,
    ) {
        if risk_level < Risk::High {
            return;
        }
        let word = risk::word(risk_level);
        let needed = if risk_level == Risk::Critical { 2 } else { 1 };
        match approval {
            None => {
                let write =
                    if needed == 2 { "@approval(by: \"manager\", of: 2)" } else { "@approval(by: \"manager\")" };
                let mut diagnostic = Diagnostic::error(
                    "E0501",
                    callable.name.span,
                    format!("a playbook of risk `{word}` must say who approves it"),
                );
                if let Some(witness) = witness {
                    diagnostic = diagnostic.label(witness.span, witness_text(witness));
                }
                self.say(diagnostic.help(format!("write `{write}` above it")));
            }
            Some((approval, span)) if approval.of < needed => self.say(
                Diagnostic::error("E0502", *span, "a playbook of risk `critical` needs two approvers")
                    .help("write `of: 2`"),
            ),
            Some(_) => {}
        }
    }
}

/// What a test sees of a thing that a playbook built: its id.
fn id_only(record: &RecordType) -> Type {
    let fields = record.fields.iter().filter(|(name, _)| &***name == "id");
    let fields = fields.map(|(name, field)| (name.clone(), field.clone())).collect();
    Type::Record(Arc::new(RecordType { name: record.name.clone(), fields }))
}

/// Why a call has its risk.
fn witness_text(witness: &Witness) -> String {
    let base = risk::word(witness.risk);
    if witness.raised == witness.risk {
        return format!("`{}` is `{base}`", witness.operation);
    }
    let many =
        if witness.bound == u64::MAX { "many things".to_string() } else { format!("up to {} things", witness.bound) };
    format!("`{}` is `{base}`, and done to {many} `{}`", witness.operation, risk::word(witness.raised))
}
