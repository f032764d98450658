//! What runs without anybody at the terminal: templates, schedules and triggers, held to the playbook that they run.
//!
//! They are checked here and not lowered: this version runs none of them, and says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_ir::program::{Builtin, Expr};
use escher_ir::types::{Field, RecordType};
use escher_ir::{Type, Value};
use escher_syntax::ast::{self, ClauseValue, ExprKind};
use escher_syntax::{Diagnostic, Span};

use crate::checker::{Checker, Place, Typed};
use crate::constant;
use crate::scope::Origin;
use crate::suggest::nearest;
use crate::testing::PlaybookInfo;
use crate::types::{describe, fits};
use crate::unsupported::not_run;

const OVERLAP: &[&str] = &["skip", "queue", "parallel"];
const MISSED: &[&str] = &["skip", "run_once", "run_all"];
const PER: &[&str] = &["hour", "day", "week", "month"];

impl Checker<'_> {
    /// `template t = p(a: 1, b in 1..=20) runs 3 per day, until 2027-03-31`.
    pub(crate) fn template(
        &mut self,
        name: &ast::Name,
        playbook: &ast::Path,
        fields: &[ast::TemplateField],
        clauses: &[ast::Clause],
    ) {
        let place = std::mem::replace(&mut self.place, Place::Read);
        if let Some((shown, info)) = self.standing_playbook(playbook) {
            for field in fields {
                let Some(ty) = self.param_of(&shown, &info, &field.name) else { continue };
                if field.narrows {
                    self.narrowed(&field.name, &field.value, &ty);
                } else {
                    let typed = self.expr_of(&field.value, &ty, &format!("`{}`", field.name.text));
                    self.fixed(&typed, field.value.span);
                }
            }
        }
        for clause in clauses {
            match (clause.word.text.as_str(), &clause.value) {
                ("runs", ClauseValue::Rate { count, per }) => {
                    let typed =
                        self.expr_of(count, &Type::Int { min: Some(1), max: Some(10_000) }, "how often it runs");
                    self.fixed(&typed, count.span);
                    self.word_of(&per.text, per.span, PER, "a rate is counted by");
                }
                (_, ClauseValue::Expr(value)) => self.until(value),
                _ => {}
            }
        }
        self.place = place;
        self.say(not_run(name.span, "a `template`"));
    }

    /// `schedule s = p(…) cron "0 20 * * 1-5", zone "Europe/Berlin"`.
    pub(crate) fn schedule(
        &mut self,
        name: &ast::Name,
        playbook: &ast::Path,
        arguments: &[ast::Argument],
        clauses: &[ast::Clause],
    ) {
        // What only a run can know is told as that, wherever it comes from.
        let place = std::mem::replace(&mut self.place, Place::Read);
        if let Some((shown, info)) = self.standing_playbook(playbook) {
            for (span, typed) in self.given(&shown, &info, arguments, playbook.span) {
                self.fixed(&typed, span);
            }
        }
        let (mut times, mut zone) = (0, false);
        for clause in clauses {
            let ClauseValue::Expr(value) = &clause.value else { continue };
            match clause.word.text.as_str() {
                "cron" => {
                    times += 1;
                    self.cron(value);
                }
                "every" => {
                    times += 1;
                    let typed = self.expr_of(value, &Type::Duration, "`every`");
                    self.fixed(&typed, value.span);
                }
                "zone" => {
                    zone = true;
                    self.zone(value);
                }
                "overlap" => self.bare_word(value, OVERLAP, "`overlap` is"),
                "missed" => self.bare_word(value, MISSED, "`missed` is"),
                "within" | "jitter" => {
                    let typed = self.expr_of(value, &Type::Duration, &format!("`{}`", clause.word.text));
                    self.fixed(&typed, value.span);
                }
                _ => self.until(value),
            }
        }
        if times != 1 {
            self.say(
                Diagnostic::error("E0205", name.span, "a schedule says once when it runs")
                    .help("write `cron \"0 20 * * 1-5\", zone \"Europe/Berlin\"`, or `every 6h`"),
            );
        } else if !zone && clauses.iter().any(|c| c.word.text == "cron") {
            self.say(
                Diagnostic::error("E0205", name.span, "this does not say in which zone its hours are")
                    .help("write `zone \"UTC\"`, or that of the people who wait for it: `zone \"Europe/Berlin\"`"),
            );
        }
        self.place = place;
        self.say(not_run(name.span, "a `schedule`"));
    }

    /// `trigger t = p(id: e.arguments.group_id) on e: called(aws.ec2.authorize_security_group_ingress)`.
    pub(crate) fn trigger(
        &mut self,
        name: &ast::Name,
        playbook: &ast::Path,
        arguments: &[ast::Argument],
        (event, source): (&ast::Name, &ast::Expr),
        clauses: &[ast::Clause],
    ) {
        let ty = self.event(source);
        let found = self.standing_playbook(playbook);
        self.scoped(|c| {
            c.bind(event, ty, Origin::Lambda);
            if let Some((shown, info)) = found {
                c.given(&shown, &info, arguments, playbook.span);
            }
            for clause in clauses {
                match (clause.word.text.as_str(), &clause.value) {
                    ("when" | "unless", ClauseValue::Expr(value) | ClauseValue::Guard { condition: value, .. }) => {
                        c.expr_of(value, &Type::Bool, &format!("what follows `{}`", clause.word.text));
                    }
                    ("within", ClauseValue::Expr(value)) => {
                        c.expr_of(value, &Type::Duration, "`within`");
                    }
                    (_, ClauseValue::Expr(value)) => c.until(value),
                    _ => {}
                }
            }
        });
        self.say(not_run(name.span, "a `trigger`"));
    }

    /// What an event of this source is.
    fn event(&mut self, source: &ast::Expr) -> Type {
        let operation = match &source.kind {
            ExprKind::Call { callee, arguments } if matches!(&callee.kind, ExprKind::Name(w) if w == "called") => {
                arguments.first().filter(|a| a.name.is_none() && arguments.len() == 1)
            }
            ExprKind::Error => return Type::Unknown,
            _ => None,
        };
        let Some(operation) = operation else {
            self.say(
                Diagnostic::error("E0203", source.span, "this is no event")
                    .help("an event is an operation that somebody called: `on e: called(aws.ec2.run_instances)`"),
            );
            return Type::Unknown;
        };
        let Some((_, record)) = self.tested_operation(&operation.value) else { return Type::Unknown };
        let members = [
            ("arguments", self.shape_type(&record, record.operation.input)),
            ("result", self.shape_type(&record, record.operation.output)),
            ("actor", Type::STRING),
            ("target", Type::Target),
            ("at", Type::Instant),
        ];
        let field = |ty| Field { ty, required: true, absent: false };
        let fields: BTreeMap<Arc<str>, Field> = members.into_iter().map(|(n, ty)| (Arc::from(n), field(ty))).collect();
        Type::Record(Arc::new(RecordType { name: Some("Event".into()), fields }))
    }

    /// The playbook that a path names, of this file or of a module, as it is written.
    fn standing_playbook(&mut self, path: &ast::Path) -> Option<(String, PlaybookInfo)> {
        let shown = path.segments.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(".");
        let found = match path.segments.as_slice() {
            [name] => self.playbooks.get(&name.text).cloned(),
            [module, name] => self.imported_playbook(&module.text, name).map(|(_, info)| info),
            _ => None,
        };
        if found.is_none() {
            let told = Diagnostic::error("E0201", path.span, format!("there is no playbook `{shown}`"));
            self.say(match nearest(&shown, self.playbooks.keys().map(String::as_str)) {
                Some(near) => told.help(format!("did you mean `{near}`?")),
                None => told.help("write one in this file, or `use` the module that has it: `module.playbook(…)`"),
            });
        }
        found.map(|info| (shown, info))
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

    /// The arguments of a playbook, by name and all that it needs.
    pub(crate) fn given(
        &mut self,
        playbook: &str,
        info: &PlaybookInfo,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Vec<(Span, Typed)> {
        self.given_by_name(playbook, info, arguments, span).into_values().collect()
    }

    /// The same, by the names of the parameters.
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
    fn fixed(&mut self, typed: &Typed, span: Span) {
        let group = matches!(&typed.expr, Expr::Builtin(Builtin::Targets, _));
        if typed.ty != Type::Unknown && !group && constant::fold(&typed.expr).is_none() {
            self.say(
                Diagnostic::error("E0301", span, "this is known only to a run, and stands here once and for all")
                    .help("write a constant; what each run finds out is read in the playbook"),
            );
        }
    }

    /// `limit in 1..=20`, `env in ["dev", "test"]`: within what the playbook takes.
    fn narrowed(&mut self, name: &ast::Name, value: &ast::Expr, ty: &Type) {
        let what = format!("`{}`", name.text);
        match &value.kind {
            ExprKind::Binary { op: ast::BinaryOp::Range, left, right, .. } => {
                let bounds = [left, right].map(|side| self.expr_of(side, &Type::INT, &what));
                let ends = bounds.map(|typed| match constant::fold(&typed.expr) {
                    Some(Value::Int(n)) => Some(n),
                    _ => None,
                });
                let [Some(min), Some(max)] = ends else { return };
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
            }
            ExprKind::List(items) => {
                for item in items {
                    let typed = self.expr_of(item, ty, &what);
                    self.fixed(&typed, item.span);
                }
            }
            ExprKind::Error => {}
            _ => self.say(Diagnostic::error("E0208", value.span, "a parameter is narrowed to a range or a list").help(
                format!(
                    "write `{name} in 1..=20` or `{name} in [\"a\", \"b\"]`; `{name}: value` fixes it",
                    name = name.text
                ),
            )),
        }
    }

    /// `until 2027-03-31`.
    fn until(&mut self, value: &ast::Expr) {
        let typed = self.expr(value, None);
        if !matches!(typed.ty, Type::Date | Type::Instant | Type::Unknown) {
            let message = format!("`until` is a date or an instant, and this is {}", describe(&typed.ty));
            self.say(Diagnostic::error("E0301", value.span, message).help("write `until 2027-03-31`"));
        }
        self.fixed(&typed, value.span);
    }

    fn zone(&mut self, value: &ast::Expr) {
        let typed = self.expr_of(value, &Type::STRING, "`zone`");
        if let Some(Value::String(zone)) = typed.constant() {
            let area = zone
                .split('/')
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c)));
            if !(area && (zone.contains('/') || &**zone == "UTC")) {
                self.say(
                    Diagnostic::error("E0304", value.span, format!("`{zone}` is no time zone"))
                        .help("write `\"UTC\"`, or area and city: `\"Europe/Berlin\"`"),
                );
            }
        }
    }

    fn cron(&mut self, value: &ast::Expr) {
        let typed = self.expr_of(value, &Type::STRING, "`cron`");
        if let Some(Value::String(text)) = typed.constant()
            && let Err(why) = cron(text)
        {
            self.say(
                Diagnostic::error("E0304", value.span, format!("this is no cron expression: {why}"))
                    .help("minute, hour, day, month, weekday: `\"0 20 * * 1-5\"` is 20:00 from Monday to Friday"),
            );
        }
    }

    /// A word of the language, without quotes.
    fn bare_word(&mut self, value: &ast::Expr, words: &[&str], what: &str) {
        match &value.kind {
            ExprKind::Name(word) => self.word_of(word, value.span, words, what),
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

/// Whether a text is a cron expression of five fields, and what is wrong with it.
fn cron(text: &str) -> Result<(), String> {
    const FIELDS: [(&str, u32, u32); 5] =
        [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7)];
    let parts: Vec<&str> = text.split_whitespace().collect();
    if parts.len() != FIELDS.len() {
        return Err(format!("it has {} fields, not 5", parts.len()));
    }
    for (part, (name, least, most)) in parts.iter().zip(FIELDS) {
        let number = |n: &str| match n.parse::<u32>() {
            Ok(n) if (least..=most).contains(&n) => Ok(n),
            _ => Err(format!("`{n}` is no {name} of {least} to {most}")),
        };
        for one in part.split(',') {
            let (range, step) = one.split_once('/').unwrap_or((one, "1"));
            if !step.parse::<u32>().is_ok_and(|n| n >= 1 && n <= most) {
                return Err(format!("`{step}` is no number of steps"));
            }
            match range.split_once('-') {
                _ if range == "*" => {}
                Some((from, to)) if number(from)? > number(to)? => {
                    return Err(format!("`{range}` goes backwards"));
                }
                Some(_) => {}
                None => drop(number(range)?),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::cron;

    #[test]
    fn cron_expressions_are_told_from_others() {
        for right in ["0 20 * * 1-5", "*/15 * * * *", "0 8,12 1 1 0", "5 4 * * 7"] {
            assert_eq!(cron(right), Ok(()), "{right}");
        }
        for wrong in ["", "0 20 * *", "60 * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "a b c d e", "0 0 * * 8"]
        {
            assert!(cron(wrong).is_err(), "{wrong}");
        }
    }
}
