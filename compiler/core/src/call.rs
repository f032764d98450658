//! Calls: operations of a cloud, functions of the file and of the language, methods.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::{Record, Repeat, Risk, Service, argument, names};
use escher_ir::program::{Builtin, Call, Expr, OperationUse, Projection};
use escher_ir::{Type, operation};
use escher_syntax::ast::{self, ExprKind};
use escher_syntax::{Diagnostic, Span};

use crate::bounds;
use crate::checker::{Checker, Deferred, Place, Typed};
use crate::defaulted::params_of;
use crate::foreign;
use crate::member::{is_cloud, path_of};
use crate::risk::{self, Witness};
use crate::scope::Origin;
use crate::seen;
use crate::shapes;
use crate::suggest::nearest;
use crate::types::describe;

/// The words of an operation's name as one: `virtual_machines.deallocate`.
pub(crate) fn operation_of(words: &[ast::Name]) -> Option<ast::Name> {
    let span = words.iter().map(|n| n.span).reduce(Span::join)?;
    let text = words.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(".");
    Some(ast::Name { text, span })
}

/// Our name of an operation that is spelt as its cloud spells it: `StopInstances`, `VirtualMachines_Deallocate`.
fn foreign_spelling(service: &Service, text: &str) -> Option<Arc<str>> {
    let bare = names::bare(text);
    // Azure's own library calls what takes long `begin_…`.
    let begun = names::bare(&text.replace("begin_", ""));
    let all = service.operations.names();
    let is = |name: &&Arc<str>, bare: &str| names::bare(name) == bare;
    all.iter().find(|n| is(n, &bare)).or_else(|| all.iter().find(|n| is(n, &begun))).cloned()
}

/// The operation that is meant by a name, and whether that is but a slip of the pen: an operation with another verb does
/// something else, so it is only asked about. What reads is never taken for what changes.
pub(crate) fn near_operation<'s>(service: &'s Service, written: &str) -> Option<(&'s str, bool)> {
    const READS: &[&str] = &["describe", "list", "get", "search", "head", "batch_get"];
    let names = || service.operations.names().iter().map(|n| &**n);
    let (verb, noun) = written.split_once('_')?;
    if READS.contains(&verb) {
        let other = READS.iter().map(|verb| format!("{verb}_{noun}"));
        if let Some(found) = other.into_iter().find_map(|wanted| names().find(|n| *n == wanted)) {
            return Some((found, false));
        }
        let reads =
            names().filter(|n| READS.iter().any(|verb| n.strip_prefix(verb).is_some_and(|r| r.starts_with('_'))));
        return nearest(written, reads).map(|near| (near, near.split('_').next() == Some(verb)));
    }
    nearest(written, names()).map(|near| (near, near.split('_').next() == Some(verb)))
}

impl Checker<'_> {
    pub(crate) fn call(&mut self, callee: &ast::Expr, arguments: &[ast::Argument], span: Span) -> Typed {
        if let Some(path) = path_of(callee).filter(|p| is_cloud(p)) {
            return self.cloud_call(&path, arguments, span);
        }
        match &callee.kind {
            ExprKind::Name(name) => self.named_call(name, callee.span, arguments, span),
            ExprKind::Member { base, name, optional: false } => {
                if let ExprKind::Name(word) = &base.kind
                    && let Some(Origin::Step { value, .. }) = self.lookup(word).map(|b| b.origin.clone())
                    && name.text == "of"
                {
                    return self.step_of(word, value, arguments, span);
                }
                if let ExprKind::Name(word) = &base.kind
                    && let Some(Origin::Run(info)) = self.lookup(word).map(|b| b.origin.clone())
                {
                    return self.outcome_call(word, &info, name, arguments);
                }
                if let Some(module) = self.module_of(base) {
                    return self.module_call(&module, name, arguments, span);
                }
                self.method(base, name, arguments, span)
            }
            ExprKind::Member { base, name, .. } => self.method_if_there(base, name, arguments, span),
            ExprKind::Error => Typed::error(),
            _ => {
                self.say(Diagnostic::error("E0302", callee.span, "this cannot be called"));
                Typed::error()
            }
        }
    }

    fn step_of(&mut self, step: &str, value: Type, arguments: &[ast::Argument], span: Span) -> Typed {
        self.uses.insert(step.to_string());
        self.staged |= !self.asked.knows(step);
        let [argument] = arguments else {
            return self.error("E0307", span, "`of` takes one item");
        };
        let item = self.expr(&argument.value, None);
        Typed::new(Expr::StepOf { step: step.to_string(), item: Box::new(item.expr) }, value)
    }

    /// A call of an operation of a cloud.
    fn cloud_call(&mut self, path: &[ast::Name], arguments: &[ast::Argument], span: Span) -> Typed {
        let path_span = path.iter().map(|n| n.span).reduce(Span::join).unwrap_or(span);
        let [cloud, service_name, operation @ ..] = path else {
            let help = "an operation is `cloud.service.operation(…)`, such as `aws.ec2.describe_instances()`";
            self.say(Diagnostic::error("E0203", path_span, "this is no operation").help(help));
            return self.skip_arguments(arguments);
        };
        let Some(operation_name) = operation_of(operation) else {
            let help = "an operation is `cloud.service.operation(…)`, such as `aws.ec2.describe_instances()`";
            self.say(Diagnostic::error("E0203", path_span, "this is no operation").help(help));
            return self.skip_arguments(arguments);
        };
        let Some(service) = self.service(&cloud.text, service_name) else {
            return self.skip_arguments(arguments);
        };
        let full = format!("{}.{}.{}", cloud.text, service_name.text, operation_name.text);
        let Some(record) = self.world.record(&full) else {
            let prefix = format!("{}.{}", cloud.text, service_name.text);
            let mut diagnostic = Diagnostic::error(
                "E0203",
                operation_name.span,
                format!("`{prefix}` has no operation `{}`", operation_name.text),
            );
            if let Some(ours) = foreign_spelling(&service, &operation_name.text) {
                diagnostic = Diagnostic::error("E0209", operation_name.span, format!("write `{ours}` here"))
                    .help("operations are written in snake case")
                    .fix(format!("write `{ours}`"), operation_name.span, &*ours);
            } else if let Some(help) = foreign::operation(&operation_name.text) {
                diagnostic = diagnostic.help(help);
            } else if let Some((near, slip)) = near_operation(&service, &operation_name.text) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                if slip {
                    diagnostic = diagnostic.fix(format!("write `{near}`"), operation_name.span, near);
                }
            } else {
                diagnostic = diagnostic.help(format!("`escher ops search {}` looks for it", operation_name.text));
            }
            self.say(diagnostic);
            return self.skip_arguments(arguments);
        };
        let probed = std::mem::take(&mut self.probed);
        let (lowered, longest) = self.arguments(&record, &service, arguments, span);
        let changes = record.operation.class.changes();
        let needs = if changes { self.needed(&record, &lowered, arguments) } else { Vec::new() };
        let class = argument::class(&record, |path| seen::seen(&lowered, path));
        self.calls += 1;
        let call = Deferred { record: record.clone(), class, span: path_span, longest, probed, via: Vec::new(), needs };
        if changes {
            self.change(call)
        } else {
            self.read(call)
        }
        self.note_operation(&full, &record);
        // An answer of AWS is a structure; others' may be a list or a text.
        let ty = match service.operation(&record.operation.name).and_then(|o| o.output) {
            Some(id) => shapes::type_of(&service, id),
            None => Type::None,
        };
        let site = self.site(&operation_name.text);
        let call = Call {
            site,
            operation: full,
            arguments: lowered,
            changes,
            reads: Projection::default(),
            catch: Vec::new(),
            probe: None,
        };
        Typed::new(Expr::Call(Arc::new(call)), ty)
    }

    /// Arguments of a call that cannot be made are looked at all the same, for the mistakes in them.
    pub(crate) fn skip_arguments(&mut self, arguments: &[ast::Argument]) -> Typed {
        for argument in arguments {
            if !matches!(argument.value.kind, ExprKind::Lambda { .. }) {
                self.expr(&argument.value, None);
            }
        }
        Typed::error()
    }

    /// The arguments of an operation, and how many things its longest list hands over.
    pub(crate) fn arguments(
        &mut self,
        record: &Arc<Record>,
        service: &escher_catalog::Service,
        arguments: &[ast::Argument],
        span: Span,
    ) -> (BTreeMap<String, Expr>, Option<(Span, bounds::Length)>) {
        let members = record.operation.input.and_then(|id| record.shape(id)).map(|s| s.members().to_vec());
        // Shapes of a record are re-indexed; types are named after the service, where they are looked up.
        let input = record.operation.input.and_then(|id| record.shape(id)).map(|s| s.name.clone());
        let fields = input.and_then(|name| self.shape_fields(&shapes::full_name(service, &name))).unwrap_or_default();
        let mut out = BTreeMap::new();
        let mut longest: Option<(Span, bounds::Length)> = None;
        let mut unnamed = false;
        for argument in arguments {
            let Some(name) = &argument.name else {
                unnamed = true;
                let first =
                    fields.iter().find(|(n, f)| f.required && !out.contains_key(&***n)).or(fields.iter().next());
                let first = first.map_or("name", |(n, _)| n);
                self.say(
                    Diagnostic::error("E0204", argument.value.span, "arguments of an operation are named")
                        .help(format!("write the name before it: `{first}: …`")),
                );
                self.expr(&argument.value, None);
                continue;
            };
            let same = |official: &str| names::bare(official) == names::bare(&name.text);
            let found = fields.get_key_value(&*name.text).or_else(|| fields.iter().find(|(_, f)| same(&f.official)));
            let Some((ours, field)) = found else {
                let mut diagnostic = Diagnostic::error(
                    "E0204",
                    name.span,
                    format!("`{}` takes no argument `{}`", record.operation.name, name.text),
                );
                diagnostic = match nearest(&name.text, fields.keys().map(|k| &**k)) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                        format!("write `{near}`"),
                        name.span,
                        near,
                    ),
                    None => diagnostic.help(format!("`escher ops show {}` lists them", record.name())),
                };
                self.say(diagnostic);
                self.expr(&argument.value, None);
                continue;
            };
            if **ours != *name.text {
                self.say(
                    Diagnostic::error("E0209", name.span, format!("write `{ours}` here"))
                        .help("arguments are written in snake case")
                        .fix(format!("write `{ours}`"), name.span, &**ours),
                );
            }
            let wanted = if field.required { field.ty.clone() } else { field.ty.clone().optional() };
            let typed = self.sent(&argument.value, field, &wanted, &format!("`{ours}`"));
            // A list of plain texts names things; a list of records describes one.
            let names_things = matches!(&field.ty, Type::List(item) if matches!(**item, Type::String { .. }));
            if names_things && matches!(typed.ty, Type::List(_)) {
                let batch = self.step.as_ref().and_then(|s| s.batch.as_deref());
                let params = self.action.as_ref().map_or(&[][..], |a| a.params.as_slice());
                let length = bounds::length(&typed.expr, batch, params);
                if longest.as_ref().is_none_or(|(_, l)| length > *l) {
                    longest = Some((argument.value.span, length));
                }
            }
            if out.insert(ours.to_string(), typed.expr).is_some() {
                self.error("E0202", name.span, format!("`{ours}` is given twice"));
            }
        }
        let token = members.iter().flatten().find(|m| m.idempotency_token).map(|m| m.name.clone());
        let missing: Vec<&Arc<str>> = fields
            .iter()
            .filter(|(n, f)| f.required && !out.contains_key(&***n) && token.as_deref() != Some(&***n))
            .map(|(n, _)| n)
            .collect();
        // One without a name may be the one that is missing.
        if !missing.is_empty() && !unnamed {
            let names: Vec<String> = missing.iter().map(|n| format!("`{n}`")).collect();
            let shown: Vec<String> =
                missing.iter().filter_map(|n| fields.get(*n).map(|f| format!("{n}: …, {}", describe(&f.ty)))).collect();
            self.say(
                Diagnostic::error("E0205", span, format!("`{}` needs {}", record.operation.name, names.join(" and ")))
                    .help(format!("add {}", shown.join("; "))),
            );
        }
        (out, longest)
    }

    /// Looks at the arguments that a changing call needs; gives those that are made of the action's parameters.
    fn needed(
        &mut self,
        record: &Arc<Record>,
        lowered: &BTreeMap<String, Expr>,
        arguments: &[ast::Argument],
    ) -> Vec<(String, usize)> {
        let members = record.operation.input.and_then(|id| record.shape(id)).map(|s| s.members().to_vec());
        let (mut needs, operation) = (Vec::new(), record.name());
        for member in members.iter().flatten().filter(|m| m.required) {
            let Some(given) = lowered.get(&*member.name) else { continue };
            let written = arguments.iter().find(|a| a.name.as_ref().is_some_and(|n| n.text == *member.name));
            let what = format!("`{}`", member.name);
            if let Some(written) = written {
                self.not_defaulted(given, written.value.span, &what, &operation);
            }
            let params = self.action.as_ref().map_or(&[][..], |a| a.params.as_slice());
            needs.extend(params_of(given, params).into_iter().map(|at| (what.clone(), at)));
        }
        needs
    }

    fn read(&mut self, call: Deferred) {
        self.reads = true;
        self.staged |= self.acted;
        if self.place == Place::Pure {
            let operation = call.record.name();
            self.say(
                Diagnostic::error("E0404", call.span, format!("a function cannot call `{operation}`"))
                    .help("make it an `action`, or hand the value in as a parameter"),
            );
        } else if call.class.risk > Risk::Read {
            self.judge(call);
        }
    }

    /// Judges a call here, or, in the body of an action, where that is called.
    pub(crate) fn judge(&mut self, call: Deferred) {
        match &mut self.action {
            Some(action) => action.deferred.push(call),
            None if call.record.operation.class.changes() => self.judge_change(call),
            None => {
                // It changes nothing, but what it shows is worth protecting, such as a password.
                let step = self.step.as_ref().map(|s| s.name.clone()).unwrap_or_default();
                let class = &call.class;
                self.witnesses.push(Witness {
                    span: call.span,
                    operation: call.record.name(),
                    effects: class.effects.clone(),
                    risk: class.risk,
                    raised: class.risk,
                    step,
                    bound: 1,
                    via: call.via,
                });
            }
        }
    }

    /// A call that changes the world: only in a step, within a bound, and only where it can be repeated safely.
    fn change(&mut self, call: Deferred) {
        self.changes += 1;
        if self.place == Place::Change {
            return self.judge(call);
        }
        let name = call.record.name();
        let told =
            Diagnostic::error("E0401", call.span, format!("`{name}` changes the world, and that is done in a step"));
        self.say(match self.in_lambda {
            true => told.help("a lambda changes nothing: go over the list with `step name \"what it does\" for x in list max N { … }`"),
            false => told.help("write `step name \"what it does\" for x in list max N { … }` around it"),
        });
    }

    fn judge_change(&mut self, call: Deferred) {
        let Deferred { record, class, span, longest, probed, via, needs: _ } = call;
        let name = record.name();
        let Some(step) = self.step.clone() else { return };
        let mut bound = step.max;
        match longest {
            Some((list, bounds::Length::Unknown)) if !step.has_max && step.max <= 1 => self.say(
                Diagnostic::error("E0403", list, "this hands over a list, and nothing says how long it may be")
                    .help("add `max N` to the step, or hand over one at a time"),
            ),
            // Each item hands over so many.
            Some((_, bounds::Length::Known(n))) => bound = bound.saturating_mul(n.max(1)),
            Some((list, bounds::Length::Unknown)) if step.max <= 1 => self.say(
                Diagnostic::error("E0403", list, "this hands over a list to a step that is done for one thing")
                    .help("write `for batch in list by 100` and hand over the batch"),
            ),
            Some((list, bounds::Length::Unknown)) => self.say(
                Diagnostic::error("E0403", list, "this hands over a list that the step's `max` does not count")
                    .help("go over it, `for batch in list by 100`, and hand over the batch; or cut it: `.take(10)`"),
            ),
            _ => {}
        }
        if matches!(class.repeat, Repeat::Unsafe) && !probed && !step.may_repeat && !step.has_unless {
            self.say(
                Diagnostic::error("E0405", span, format!("`{name}` cannot be repeated safely after a crash")).help(
                    "write `unless found(x)` after the call: an action that looks for what it made; or `may_repeat`, \
                         where doing it twice does no harm",
                ),
            );
        }
        self.witnesses.push(Witness {
            span,
            operation: name,
            effects: class.effects.clone(),
            risk: class.risk,
            raised: risk::raised(class.risk, bound),
            step: step.name,
            bound,
            via,
        });
    }

    pub(crate) fn note_operation(&mut self, name: &str, record: &Arc<Record>) {
        if self.operations.contains_key(name) {
            return;
        }
        if let Some((known, answer)) = self.facts.uses.borrow().get(name) {
            self.operations.insert(name.to_string(), known.clone());
            answer.iter().for_each(|shape| self.usage.answers(name, shape.clone()));
            return;
        }
        if let Ok(digest) = operation::record_digest(record) {
            let class = &record.operation.class;
            let used = OperationUse {
                record: digest,
                effects: class.effects.clone(),
                risk: class.risk,
                repeat: class.repeat.clone(),
            };
            let of = |shape: &str| format!("{}.{}.{shape}", record.service.cloud, record.service.name);
            let answer = record.operation.output.and_then(|id| record.shape(id)).map(|s| Arc::from(of(&s.name)));
            answer.iter().for_each(|shape: &Arc<str>| self.usage.answers(name, shape.clone()));
            self.facts.uses.borrow_mut().insert(name.to_string(), (used.clone(), answer));
            self.operations.insert(name.to_string(), used);
        }
    }

    /// `now()`, `table(…)`, a function of the file.
    fn named_call(&mut self, name: &str, name_span: Span, arguments: &[ast::Argument], span: Span) -> Typed {
        match name {
            "now" => {
                if self.place == Place::Pure {
                    self.error("E0404", span, "a function cannot ask for the time: hand it in as a parameter");
                }
                if !arguments.is_empty() {
                    self.error("E0307", span, "`now` takes no arguments");
                }
                return Typed::new(Expr::Builtin(Builtin::Now, Vec::new()), Type::Instant);
            }
            "table" => return self.table(arguments, span),
            "targets" | "target" => return self.targets(name, arguments, span),
            _ => {}
        }
        if let Some(signature) = self.signature(name, name_span) {
            return self.function_call(name, name.to_string(), &signature, arguments, span);
        }
        if self.signatures.contains_key(name) {
            // It calls itself, which was told.
            return self.skip_arguments(arguments);
        }
        if self.file.items.iter().any(|i| crate::item::name_of(i).is_some_and(|n| n.text == name)) {
            self.say(
                Diagnostic::error("E0302", name_span, format!("`{name}` cannot be called here"))
                    .help("only functions are called"),
            );
            return self.skip_arguments(arguments);
        }
        let functions: Vec<&str> = self
            .file
            .items
            .iter()
            .filter_map(crate::item::name_of)
            .map(|n| n.text.as_str())
            .chain(["now", "table"])
            .collect();
        let mut diagnostic = Diagnostic::error("E0201", name_span, format!("there is no function `{name}`"));
        if let Some(help) = foreign::function(name) {
            diagnostic = diagnostic.help(help);
        } else if let Some(theirs) = self.imported_function(name) {
            diagnostic =
                diagnostic.help(format!("write `{theirs}`")).fix(format!("write `{theirs}`"), name_span, theirs);
        } else if let Some(near) = nearest(name, functions) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else {
            diagnostic =
                diagnostic.help(format!("define it: `fn {name}(…) -> … = …`; a method stands behind its value"));
        }
        self.say(diagnostic);
        self.skip_arguments(arguments)
    }

    /// `targets("group")`: the places that the settings name so; `target("group")`: the only one of them.
    fn targets(&mut self, word: &str, arguments: &[ast::Argument], span: Span) -> Typed {
        let [argument] = arguments else {
            return self.error("E0307", span, format!("`{word}` takes the name of a group of the settings"));
        };
        let group = self.expr_of(&argument.value, &Type::STRING, "the name of a group");
        if group.constant().is_none() && group.ty != Type::Unknown {
            self.say(
                Diagnostic::error("E0301", argument.value.span, "the name of a group is a plain text")
                    .help("an approver must see where a playbook looks"),
            );
        }
        match word {
            "target" => Typed::new(Expr::Builtin(Builtin::OneTarget, vec![group.expr]), Type::Target),
            _ => Typed::new(Expr::Builtin(Builtin::Targets, vec![group.expr]), Type::list(Type::Target)),
        }
    }

    /// A call of a function. `name` is how the text has it, `key` what the program calls it until it is linked.
    pub(crate) fn function_call(
        &mut self,
        name: &str,
        key: String,
        signature: &crate::checker::Signature,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Typed {
        let mut slots: Vec<Option<Expr>> = vec![None; signature.params.len()];
        for (position, argument) in arguments.iter().enumerate() {
            let at = match &argument.name {
                Some(n) => signature.params.iter().position(|(p, ..)| *p == n.text),
                None => Some(position),
            };
            let Some((at, (param, ty, _))) = at.and_then(|at| signature.params.get(at).map(|p| (at, p))) else {
                self.error("E0204", argument.value.span, format!("`{name}` has no such parameter"));
                continue;
            };
            let typed = self.expr_of(&argument.value, &ty.clone(), &format!("`{param}`"));
            if let Some(slot) = slots.get_mut(at) {
                *slot = Some(typed.expr);
            }
        }
        let mut lowered = Vec::new();
        for (slot, (param, ty, default)) in slots.into_iter().zip(&signature.params) {
            match slot.or_else(|| default.clone()) {
                Some(expr) => lowered.push(expr),
                None => {
                    self.say(
                        Diagnostic::error("E0205", span, format!("`{name}` needs `{param}`"))
                            .help(format!("add `{param}: …`, {}", describe(ty))),
                    );
                }
            }
        }
        self.effects((name, &key), signature, &lowered, span);
        let site = self.site(name.rsplit('.').next().unwrap_or(name));
        Typed::new(Expr::Function { site, name: key, arguments: lowered }, signature.returns.clone())
    }

    /// What calling an action does here: its changes are this step's, within its bound and at its risk.
    fn effects(
        &mut self,
        (name, key): (&str, &str),
        signature: &crate::checker::Signature,
        arguments: &[Expr],
        span: Span,
    ) {
        // What stands in another file is shown where it is called.
        let foreign = key.contains(':');
        let here = |inside: Span| if foreign { span } else { inside };
        if !signature.reads {
            return;
        }
        (self.reads, self.calls) = (true, self.calls + 1);
        self.changes += u32::from(signature.changes());
        self.located |= signature.located;
        self.staged |= self.acted;
        self.takes_over(signature.lenient.map(here), None);
        if self.place == Place::Pure {
            self.say(
                Diagnostic::error("E0404", span, format!("a function cannot call the action `{name}`"))
                    .help("make it an `action` as well, or hand the value in as a parameter"),
            );
            return;
        }
        if self.place != Place::Change && (signature.changes() || signature.body.needs_step.is_some()) {
            let does = match signature.changes() {
                true => "changes the world",
                false => "waits, or says what becomes of an item",
            };
            let why = signature.body.deferred.iter().find(|d| d.record.operation.class.changes()).map(|d| d.span);
            let mut d = Diagnostic::error("E0401", span, format!("`{name}` {does}, and that is done in a step"))
                .help("write `step name \"what it does\" for x in list max N { … }` around it");
            if let Some(why) = why.or(signature.body.needs_step).filter(|_| !foreign) {
                d = d.label(why, "here");
            }
            self.say(d);
            return;
        }
        if let (Some(action), Some(why)) = (&mut self.action, signature.body.needs_step) {
            action.needs_step.get_or_insert(here(why));
        }
        for call in &signature.body.deferred {
            let longest = call.longest.map(|(at, length)| match length {
                bounds::Length::Param(position) => {
                    let batch = self.step.as_ref().and_then(|s| s.batch.as_deref());
                    let params = self.action.as_ref().map_or(&[][..], |a| a.params.as_slice());
                    let given = arguments.get(position);
                    (span, given.map_or(bounds::Length::Unknown, |e| bounds::length(e, batch, params)))
                }
                known => (here(at), known),
            });
            let via = std::iter::once(name.to_string()).chain(call.via.iter().cloned()).collect();
            let operation = call.record.name();
            let mut needs = Vec::new();
            for (what, position) in &call.needs {
                let Some(given) = arguments.get(*position) else { continue };
                self.not_defaulted(given, span, what, &operation);
                let params = self.action.as_ref().map_or(&[][..], |a| a.params.as_slice());
                needs.extend(params_of(given, params).into_iter().map(|at| (what.clone(), at)));
            }
            self.judge(Deferred { longest, span: here(call.span), via, needs, ..call.clone() });
        }
    }

    fn table(&mut self, arguments: &[ast::Argument], span: Span) -> Typed {
        let mut lowered = Vec::new();
        let mut item = Type::Unknown;
        let (mut columns_given, mut listed) = (false, None);
        for argument in arguments {
            match argument.name.as_ref().map(|n| n.text.as_str()) {
                None => {
                    let list = self.expr(&argument.value, None);
                    match &list.ty {
                        Type::List(inner) => {
                            item = (**inner).clone();
                            listed = Some(argument.value.span);
                        }
                        Type::Unknown => {}
                        other => {
                            self.error(
                                "E0302",
                                argument.value.span,
                                format!("a table shows a list, not {}", describe(other)),
                            );
                        }
                    }
                    lowered.insert(0, list.expr);
                }
                Some("columns") => {
                    columns_given = true;
                    let ExprKind::List(columns) = &argument.value.kind else {
                        self.error("E0302", argument.value.span, "columns are a list, such as `[.name, .id]`");
                        continue;
                    };
                    for column in columns {
                        let title = column_title(column);
                        let (lambda, shown) = self.lambda(column, std::slice::from_ref(&item));
                        self.hidden_from(&shown, column.span, "a table");
                        lowered.push(crate::expr::plain(&title).expr);
                        lowered.push(lambda);
                    }
                }
                Some(other) => {
                    self.error("E0204", argument.value.span, format!("`table` takes no argument `{other}`"));
                }
            }
        }
        if lowered.is_empty() {
            return self.error("E0205", span, "`table` needs a list");
        }
        if !columns_given {
            self.hidden_from(&item, listed.unwrap_or(span), "a table");
            self.usage.whole(&item);
        }
        Typed::new(Expr::Builtin(Builtin::Table, lowered), Type::Json)
    }
}

/// What stands over a column: the last word of `.state.name`.
fn column_title(expr: &ast::Expr) -> String {
    fn last(expr: &ast::Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Member { name, .. } => Some(name.text.clone()),
            ExprKind::Lambda { body, .. } => last(body),
            ExprKind::Maybe(inner) => last(inner),
            ExprKind::Index { index, .. } => match &index.kind {
                ExprKind::Text(text) => match text.parts.as_slice() {
                    [ast::TextPart::Literal(s)] => Some(s.clone()),
                    _ => None,
                },
                _ => None,
            },
            ExprKind::Binary { left, .. } => last(left),
            _ => None,
        }
    }
    last(expr).unwrap_or_else(|| "value".to_string())
}
