//! What runs without anybody at the terminal: templates, schedules and triggers, held to the playbook that they run.
//!
//! They are lowered with the program that they run, whole. When one is due, and who publishes one, is not known here.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_catalog::Record;
use escher_ir::cron::Cron;
use escher_ir::program::{Builtin, Expr, Node, NodeKind, Program};
use escher_ir::standing::{Rate, Standing, StandingKind, When, Within};
use escher_ir::types::{Field, RecordType};
use escher_ir::{Type, Value, codec};
use escher_syntax::ast::{self, ClauseValue, ExprKind};
use escher_syntax::{Diagnostic, Severity, Span};
use jiff::tz::TimeZone;

use crate::checker::{Checker, Place, Typed};
use crate::constant;
use crate::narrow::{self, Narrowing};
use crate::scope::Origin;
use crate::statement::doc_text;
use crate::suggest::nearest;
use crate::testing::PlaybookInfo;
use crate::types::{describe, fits};
use crate::unsupported::not_run;

const OVERLAP: &[&str] = &["skip", "queue", "parallel"];
const MISSED: &[&str] = &["skip", "run_once", "run_all"];
const PER: &[&str] = &["hour", "day", "week", "month"];

/// What is due without anybody: what the clauses of an item say besides what is its own.
#[derive(Default)]
struct Clauses {
    until: Option<Value>,
    within_ms: Option<u64>,
    jitter_ms: Option<u64>,
}

impl Checker<'_> {
    /// A template, a schedule or a trigger; none where something is wrong with it.
    pub(crate) fn standing(&mut self, item: &ast::Item) -> Option<Standing> {
        let (told, place) = (self.wrong(), std::mem::replace(&mut self.place, Place::Read));
        let (name, playbook) = match &item.kind {
            ast::ItemKind::Template { name, playbook, .. }
            | ast::ItemKind::Schedule { name, playbook, .. }
            | ast::ItemKind::Trigger { name, playbook, .. } => (name, playbook),
            _ => return None,
        };
        let found = self.standing_playbook(playbook);
        let mut clauses = Clauses::default();
        let (kind, narrowed) = match &item.kind {
            ast::ItemKind::Template { fields, clauses: written, .. } => {
                self.template(found.as_ref(), fields, written, &mut clauses)
            }
            ast::ItemKind::Schedule { arguments, clauses: written, .. } => (
                self.schedule(name, found.as_ref(), (arguments, playbook.span), written, &mut clauses),
                BTreeMap::new(),
            ),
            ast::ItemKind::Trigger { arguments, event, source, clauses: written, .. } => {
                let arguments = (arguments.as_slice(), playbook.span);
                (self.trigger(found.as_ref(), arguments, (event, source), written, &mut clauses), BTreeMap::new())
            }
            _ => return None,
        };
        self.place = place;
        let made = found.and_then(|(module, _, info)| {
            let (unlinked, witnesses) = info.made?;
            Some((self.program_of(module, &unlinked), witnesses))
        });
        self.unattended(name, made.as_ref().map(|(program, _)| program));
        if let Some(StandingKind::Trigger { .. }) = &kind {
            self.say(not_run(name.span, "a `trigger`"));
        }
        let (Some((program, witnesses)), Some(kind), true) = (made, kind, told == self.wrong()) else { return None };
        let playbook = &program.playbook;
        let digest = codec::digest(&program).ok()?;
        let within = Within { program: digest, risk: playbook.risk, blast_radius: playbook.blast_radius };
        let program = match narrowed.is_empty() {
            true => program,
            false => narrow::narrowed(&program, &witnesses, &narrowed),
        };
        let doc = doc_text(&item.doc);
        Some(Standing {
            name: name.text.clone(),
            doc,
            program,
            within,
            until: clauses.until,
            kind,
            groups: BTreeMap::new(),
        })
    }

    /// How many errors were told so far.
    pub(crate) fn wrong(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// Nobody answers a question of a run that nobody started.
    fn unattended(&mut self, name: &ast::Name, program: Option<&Program>) {
        let asks = |node: &Node| matches!(node.kind, NodeKind::Confirm { .. });
        if program.is_some_and(|p| p.playbook.body.nodes.iter().any(asks)) {
            self.say(
                Diagnostic::error(
                    "E0505",
                    name.span,
                    "its playbook asks with `confirm`, and nobody is there to answer",
                )
                .help("ask for an approval instead: `approve \"…\" by \"manager\"` waits for days"),
            );
        }
    }

    /// `template t = p(a: 1, b in 1..=20) runs 3 per day, until 2027-03-31`.
    fn template(
        &mut self,
        found: Option<&(usize, String, PlaybookInfo)>,
        fields: &[ast::TemplateField],
        written: &[ast::Clause],
        clauses: &mut Clauses,
    ) -> (Option<StandingKind>, BTreeMap<String, Narrowing>) {
        let mut by = BTreeMap::new();
        for field in fields {
            let Some((_, shown, info)) = found else { continue };
            let Some(ty) = self.param_of(shown, info, &field.name) else { continue };
            let narrowing = if field.narrows {
                self.narrowed(&field.name, &field.value, &ty).map(Narrowing::To)
            } else {
                let typed = self.expr_of(&field.value, &ty, &format!("`{}`", field.name.text));
                self.fixed(&typed, field.value.span).map(Narrowing::Fixed)
            };
            let twice = narrowing.is_some_and(|n| by.insert(field.name.text.clone(), n).is_some());
            if twice {
                self.error("E0202", field.name.span, format!("`{}` is given twice", field.name.text));
            }
        }
        let mut rate = None;
        for clause in written {
            match (clause.word.text.as_str(), &clause.value) {
                ("runs", ClauseValue::Rate { count, per }) => {
                    let typed =
                        self.expr_of(count, &Type::Int { min: Some(1), max: Some(10_000) }, "how often it runs");
                    let runs = match self.fixed(&typed, count.span) {
                        Some(Expr::Literal(Value::Int(n))) => u32::try_from(n).ok(),
                        _ => None,
                    };
                    self.word_of(&per.text, per.span, PER, "a rate is counted by");
                    rate = runs.map(|runs| Rate { runs, per: per.text.clone() });
                }
                (_, ClauseValue::Expr(value)) => clauses.until = self.until(value),
                _ => {}
            }
        }
        let of = |fixed: bool| {
            let is = |n: &&Narrowing| matches!(n, Narrowing::Fixed(_)) == fixed;
            by.iter().filter(|(_, n)| is(n)).map(|(name, _)| name.clone()).collect()
        };
        (Some(StandingKind::Template { fixed: of(true), narrowed: of(false), rate }), by)
    }

    /// `schedule s = p(…) cron "0 20 * * 1-5", zone "Europe/Berlin"`.
    fn schedule(
        &mut self,
        name: &ast::Name,
        found: Option<&(usize, String, PlaybookInfo)>,
        (given, at): (&[ast::Argument], Span),
        written: &[ast::Clause],
        clauses: &mut Clauses,
    ) -> Option<StandingKind> {
        // What only a run can know is told as that, wherever it comes from.
        let mut arguments = BTreeMap::new();
        if let Some((_, shown, info)) = found {
            for (name, (span, typed)) in self.given_by_name(shown, info, given, at) {
                arguments.extend(self.fixed(&typed, span).map(|expr| (name, expr)));
            }
        }
        let (mut times, mut zone, mut cron, mut every) = (0, None, None, None);
        let (mut overlap, mut missed) = ("skip".to_string(), "skip".to_string());
        for clause in written {
            let ClauseValue::Expr(value) = &clause.value else { continue };
            match clause.word.text.as_str() {
                "cron" => {
                    times += 1;
                    cron = self.cron(value);
                }
                "every" => {
                    times += 1;
                    every = self.length(value, "`every`");
                }
                "zone" => zone = Some(self.zone(value)),
                "overlap" => overlap = self.bare_word(value, OVERLAP, "`overlap` is").unwrap_or(overlap),
                "missed" => missed = self.bare_word(value, MISSED, "`missed` is").unwrap_or(missed),
                "within" => clauses.within_ms = self.length(value, "`within`"),
                "jitter" => clauses.jitter_ms = self.length(value, "`jitter`"),
                _ => clauses.until = self.until(value),
            }
        }
        if times != 1 {
            self.say(
                Diagnostic::error("E0205", name.span, "a schedule says once when it runs")
                    .help("write `cron \"0 20 * * 1-5\", zone \"Europe/Berlin\"`, or `every 6h`"),
            );
        } else if zone.is_none() && written.iter().any(|c| c.word.text == "cron") {
            self.say(
                Diagnostic::error("E0205", name.span, "this does not say in which zone its hours are")
                    .help("write `zone \"UTC\"`, or that of the people who wait for it: `zone \"Europe/Berlin\"`"),
            );
        }
        let when = match (cron, zone.flatten(), every) {
            (Some(expression), Some(zone), _) => When::Cron { expression, zone },
            (_, _, Some(ms)) => When::EveryMs(ms),
            // Told above, or where it stands.
            _ => When::EveryMs(0),
        };
        let (within_ms, jitter_ms) = (clauses.within_ms, clauses.jitter_ms);
        Some(StandingKind::Schedule { arguments, when, overlap, missed, within_ms, jitter_ms })
    }

    /// `trigger t = p(id: e.arguments.group_id) on e: called(aws.ec2.authorize_security_group_ingress)`.
    fn trigger(
        &mut self,
        found: Option<&(usize, String, PlaybookInfo)>,
        (given, at): (&[ast::Argument], Span),
        (event, source): (&ast::Name, &ast::Expr),
        written: &[ast::Clause],
        clauses: &mut Clauses,
    ) -> Option<StandingKind> {
        let (ty, called) = self.event(source);
        let (arguments, when, unless) = self.scoped(|c| {
            c.bind(event, ty, Origin::Lambda);
            let mut arguments = BTreeMap::new();
            if let Some((_, shown, info)) = found {
                let given = c.given_by_name(shown, info, given, at);
                arguments.extend(given.into_iter().map(|(name, (_, typed))| (name, typed.expr)));
            }
            let (mut when, mut unless) = (None, None);
            for clause in written {
                match (clause.word.text.as_str(), &clause.value) {
                    (
                        word @ ("when" | "unless"),
                        ClauseValue::Expr(value) | ClauseValue::Guard { condition: value, .. },
                    ) => {
                        let typed = c.expr_of(value, &Type::Bool, &format!("what follows `{word}`"));
                        *if word == "when" { &mut when } else { &mut unless } = Some(typed.expr);
                    }
                    ("within", ClauseValue::Expr(value)) => clauses.within_ms = c.length(value, "`within`"),
                    (_, ClauseValue::Expr(value)) => clauses.until = c.until(value),
                    _ => {}
                }
            }
            (arguments, when, unless)
        });
        let (operation, record) = called?;
        let record = escher_ir::operation::record_digest(&record).ok()?;
        let (event, within_ms) = (event.text.clone(), clauses.within_ms);
        Some(StandingKind::Trigger { operation, record, event, arguments, when, unless, within_ms })
    }

    /// A length of time that is known now, in milliseconds.
    fn length(&mut self, value: &ast::Expr, what: &str) -> Option<u64> {
        let typed = self.expr_of(value, &Type::Duration, what);
        match self.fixed(&typed, value.span) {
            Some(Expr::Literal(Value::Duration(time))) => u64::try_from(time.as_millis()).ok(),
            _ => None,
        }
    }

    /// What an event of this source is.
    #[allow(clippy::type_complexity, reason = "its type, and the operation with its record")]
    fn event(&mut self, source: &ast::Expr) -> (Type, Option<(String, Arc<Record>)>) {
        let operation = match &source.kind {
            ExprKind::Call { callee, arguments } if matches!(&callee.kind, ExprKind::Name(w) if w == "called") => {
                arguments.first().filter(|a| a.name.is_none() && arguments.len() == 1)
            }
            ExprKind::Error => return (Type::Unknown, None),
            _ => None,
        };
        let Some(operation) = operation else {
            self.say(
                Diagnostic::error("E0203", source.span, "this is no event")
                    .help("an event is an operation that somebody called: `on e: called(aws.ec2.run_instances)`"),
            );
            return (Type::Unknown, None);
        };
        let Some((full, record)) = self.tested_operation(&operation.value) else { return (Type::Unknown, None) };
        let members = [
            ("arguments", self.shape_type(&record, record.operation.input)),
            ("result", self.shape_type(&record, record.operation.output)),
            ("actor", Type::STRING),
            ("target", Type::Target),
            ("at", Type::Instant),
        ];
        let field = |ty| Field { ty, required: true, absent: false };
        let fields: BTreeMap<Arc<str>, Field> = members.into_iter().map(|(n, ty)| (Arc::from(n), field(ty))).collect();
        (Type::Record(Arc::new(RecordType { name: Some("Event".into()), fields })), Some((full, record)))
    }

    /// The playbook that a path names, of this file or of a module, as it is written.
    fn standing_playbook(&mut self, path: &ast::Path) -> Option<(usize, String, PlaybookInfo)> {
        let shown = path.segments.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(".");
        let found = match path.segments.as_slice() {
            [name] => self.playbooks.get(&name.text).map(|info| (self.module, info.clone())),
            [module, name] => self.imported_playbook(&module.text, name),
            _ => None,
        };
        if found.is_none() {
            let told = Diagnostic::error("E0201", path.span, format!("there is no playbook `{shown}`"));
            self.say(match nearest(&shown, self.playbooks.keys().map(String::as_str)) {
                Some(near) => told.help(format!("did you mean `{near}`?")),
                None => told.help("write one in this file, or `use` the module that has it: `module.playbook(…)`"),
            });
        }
        found.map(|(module, info)| (module, shown, info))
    }

    /// The type of a parameter that is given by name.
    pub(crate) fn param_of(&mut self, playbook: &str, info: &PlaybookInfo, word: &ast::Name) -> Option<Type> {
        if let Some((_, ty, _)) = info.params.iter().find(|(p, ..)| *p == word.text) {
            return Some(ty.clone());
        }
        let names: Vec<&str> = info.params.iter().map(|(p, ..)| p.as_str()).collect();
        let told = Diagnostic::error("E0204", word.span, format!("`{playbook}` has no parameter `{}`", word.text));
        self.say(match nearest(&word.text, names.iter().copied()) {
            Some(near) => told.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), word.span, near),
            None if names.is_empty() => told.help("it has none"),
            None => told.help(format!("it has {}", names.join(", "))),
        });
        None
    }

    /// The arguments of a playbook, by the names of its parameters, and all that it needs.
    pub(crate) fn given_by_name(
        &mut self,
        playbook: &str,
        info: &PlaybookInfo,
        arguments: &[ast::Argument],
        span: Span,
    ) -> BTreeMap<String, (Span, Typed)> {
        let mut given = BTreeMap::new();
        for argument in arguments {
            let Some(word) = &argument.name else {
                self.say(
                    Diagnostic::error("E0204", argument.value.span, "parameters of a playbook are named")
                        .help("write the name before it, such as `env: \"dev\"`"),
                );
                continue;
            };
            let Some(ty) = self.param_of(playbook, info, word) else { continue };
            let typed = self.expr_of(&argument.value, &ty, &format!("`{}`", word.text));
            given.insert(word.text.clone(), (argument.value.span, typed));
        }
        for (param, ty, _) in info.params.iter().filter(|(p, _, default)| !default && !given.contains_key(p)) {
            self.say(
                Diagnostic::error("E0205", span, format!("`{playbook}` needs `{param}`"))
                    .help(format!("add `{param}: …`, {}", describe(ty))),
            );
        }
        given
    }

    /// What is published or stored is known now; which places a group has is a setting.
    fn fixed(&mut self, typed: &Typed, span: Span) -> Option<Expr> {
        if matches!(&typed.expr, Expr::Builtin(Builtin::Targets | Builtin::OneTarget, _)) {
            return Some(typed.expr.clone());
        }
        let folded = constant::fold(&typed.expr);
        if typed.ty != Type::Unknown && folded.is_none() {
            self.say(
                Diagnostic::error("E0301", span, "this is known only to a run, and stands here once and for all")
                    .help("write a constant; what each run finds out is read in the playbook"),
            );
        }
        folded.map(Expr::Literal)
    }

    /// `limit in 1..=20`, `env in ["dev", "test"]`: within what the playbook takes.
    fn narrowed(&mut self, name: &ast::Name, value: &ast::Expr, ty: &Type) -> Option<Type> {
        let what = format!("`{}`", name.text);
        match &value.kind {
            ExprKind::Binary { op: ast::BinaryOp::Range, left, right, .. } => {
                let bounds = [left, right].map(|side| self.expr_of(side, &Type::INT, &what));
                let ends = bounds.map(|typed| match constant::fold(&typed.expr) {
                    Some(Value::Int(n)) => Some(n),
                    _ => None,
                });
                let [Some(min), Some(max)] = ends else { return None };
                let narrow = Type::Int { min: Some(min), max: Some(max) };
                if min > max {
                    self.error("E0208", value.span, "this range is empty: its first number is the greater");
                } else if !fits(&narrow, ty) {
                    let told = format!("{what} is {}, and this goes beyond it", describe(ty));
                    self.say(
                        Diagnostic::error("E0304", value.span, told)
                            .help("narrow it: a template allows less, never more"),
                    );
                }
                Some(narrow)
            }
            ExprKind::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    let typed = self.expr_of(item, ty, &what);
                    if let Some(Expr::Literal(value)) = self.fixed(&typed, item.span) {
                        values.push(value);
                    }
                }
                Some(Type::Literals(values))
            }
            ExprKind::Error => None,
            _ => {
                self.say(Diagnostic::error("E0208", value.span, "a parameter is narrowed to a range or a list").help(
                    format!(
                        "write `{name} in 1..=20` or `{name} in [\"a\", \"b\"]`; `{name}: value` fixes it",
                        name = name.text
                    ),
                ));
                None
            }
        }
    }

    /// `until 2027-03-31`.
    fn until(&mut self, value: &ast::Expr) -> Option<Value> {
        let typed = self.expr(value, None);
        if !matches!(typed.ty, Type::Date | Type::Instant | Type::Unknown) {
            let message = format!("`until` is a date or an instant, and this is {}", describe(&typed.ty));
            self.say(Diagnostic::error("E0301", value.span, message).help("write `until 2027-03-31`"));
        }
        match self.fixed(&typed, value.span) {
            Some(Expr::Literal(value)) => Some(value),
            _ => None,
        }
    }

    fn zone(&mut self, value: &ast::Expr) -> Option<String> {
        let typed = self.expr_of(value, &Type::STRING, "`zone`");
        if let Some(Value::String(zone)) = typed.constant()
            && (TimeZone::get(zone).is_err() || !(zone.contains('/') || &**zone == "UTC"))
        {
            self.say(
                Diagnostic::error("E0304", value.span, format!("`{zone}` is no time zone"))
                    .help("write `\"UTC\"`, or area and city: `\"Europe/Berlin\"`"),
            );
        }
        typed.constant().and_then(Value::as_str).map(str::to_string)
    }

    fn cron(&mut self, value: &ast::Expr) -> Option<String> {
        let typed = self.expr_of(value, &Type::STRING, "`cron`");
        if let Some(Value::String(text)) = typed.constant()
            && let Err(why) = Cron::parse(text)
        {
            self.say(
                Diagnostic::error("E0304", value.span, format!("this is no cron expression: {why}"))
                    .help("minute, hour, day, month, weekday: `\"0 20 * * 1-5\"` is 20:00 from Monday to Friday"),
            );
        }
        typed.constant().and_then(Value::as_str).map(str::to_string)
    }

    /// A word of the language, without quotes.
    fn bare_word(&mut self, value: &ast::Expr, words: &[&str], what: &str) -> Option<String> {
        match &value.kind {
            ExprKind::Name(word) => {
                self.word_of(word, value.span, words, what);
                return Some(word.clone());
            }
            ExprKind::Error => {}
            ExprKind::Text(text) => {
                let plain = match text.parts.as_slice() {
                    [ast::TextPart::Literal(word)] if words.contains(&word.as_str()) => Some(word.clone()),
                    _ => None,
                };
                let told =
                    Diagnostic::error("E0210", value.span, format!("{what} a word of the language, without quotes"));
                self.say(match plain {
                    Some(word) => told.help(format!("write `{word}`")).fix("drop the quotes", value.span, word),
                    None => told.help(format!("one of {}", words.join(", "))),
                });
            }
            _ => self.say(
                Diagnostic::error("E0210", value.span, format!("{what} one of {}", words.join(", ")))
                    .help("it is a word of the language, without quotes"),
            ),
        }
        None
    }

    fn word_of(&mut self, word: &str, span: Span, words: &[&str], what: &str) {
        if words.contains(&word) {
            return;
        }
        let told = Diagnostic::error("E0210", span, format!("{what} one of {}", words.join(", ")));
        self.say(match nearest(word, words.iter().copied()) {
            Some(near) => told.help(format!("did you mean `{near}`?")).fix(format!("write `{near}`"), span, near),
            None => told.help(format!("write `{}`", words.first().unwrap_or(&""))),
        });
    }
}
