//! The options of a line to the arguments of a call.

use escher_catalog::commands::{Command, Fill, Part, Source, What};
use escher_catalog::{Catalog, Record, names};
use escher_core::{Diagnostic, Span};

use super::common::Common;
use super::ids;
use super::options::{self, Given, Options};
use super::shell::Word;
use super::value::{self, Arg, Place};

/// What gcloud and az find in their own settings where a line does not say it: parameters of the playbook.
const CONFIGURED: &[&str] = &["project", "project_id", "zone", "region", "location", "resource_group_name"];

/// What to do with a secret.
const SECRET_HELP: &str = "let the cloud make it, or keep it in its own store, and name that";

/// A call that a line became.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The words of the command.
    pub(crate) words: String,
    /// What it does.
    pub(crate) what: What,
    /// The record of its operation.
    pub(crate) record: std::sync::Arc<Record>,
    /// Its arguments.
    pub(crate) arguments: Vec<(String, Arg)>,
    /// Parameters of the playbook, all of them texts.
    pub(crate) parameters: Vec<String>,
    /// What it is done for, one after the other: a name, and the texts.
    pub(crate) each: Option<(String, Vec<String>)>,
    /// No more than so many are shown.
    pub(crate) limit: Option<u64>,
    /// What was left out.
    pub(crate) notes: Vec<String>,
    /// How many parameters the line fills.
    pub(crate) used: usize,
    /// Where the command stands.
    pub(crate) at: Span,
}

type Told<T> = Result<T, Box<Diagnostic>>;

fn told<T>(code: &'static str, at: Span, message: impl Into<String>, help: &str) -> Told<T> {
    let told = Diagnostic::error(code, at, message);
    Err(Box::new(if help.is_empty() { told } else { told.help(help) }))
}

/// The call of a command with these words behind it.
pub(crate) fn draft(tool: &str, command: &Command, rest: &[Word], at: Span) -> Told<Draft> {
    let operation = match &command.what {
        What::Operation(name) | What::Wait { operation: name, .. } => name.clone(),
        What::WritesBack => {
            let help = "write it as a step: read the thing, and hand what shall be to its `update`, `patch` or `set_…` operation";
            return told(
                "E0243",
                at,
                format!(
                    "`{}` reads, changes what it read and writes it back: that is no single operation",
                    command.words
                ),
                help,
            );
        }
        What::Nothing(why) => {
            return told("E0243", at, format!("`{}` is no operation of a cloud: {why}", command.words), "");
        }
    };
    let Some(record) = Catalog::current().record(&operation) else {
        return told("E0241", at, format!("the catalogue has no `{operation}`"), "");
    };
    let options = options::split(tool, rest, command, Some(&record));
    let draft = Draft {
        words: command.words.clone(),
        what: command.what.clone(),
        record: record.clone(),
        arguments: Vec::new(),
        parameters: Vec::new(),
        each: None,
        limit: None,
        notes: Vec::new(),
        used: 0,
        at,
    };
    let mut caller =
        Caller { tool, command, record: &record, options: &options, draft, taken: vec![false; options.given.len()] };
    caller.positions()?;
    caller.fills()?;
    caller.others(&operation)?;
    caller.required()?;
    caller.in_order();
    Ok(caller.draft)
}

struct Caller<'a> {
    tool: &'a str,
    command: &'a Command,
    record: &'a Record,
    options: &'a Options,
    draft: Draft,
    /// Options that filled something.
    taken: Vec<bool>,
}

impl Caller<'_> {
    /// The words of a position.
    fn position(&self, name: &str) -> Option<&[Word]> {
        let at = self.command.positions.iter().position(|p| p.name == name)?;
        let many = self.command.positions.get(at).is_some_and(|p| p.many);
        let words = self.options.positions.get(at..if many { self.options.positions.len() } else { at + 1 })?;
        (!words.is_empty()).then_some(words)
    }

    fn positions(&mut self) -> Told<()> {
        let places = &self.command.positions;
        let given = &self.options.positions;
        if let Some(missing) = places.get(given.len()) {
            let message = format!("`{}` needs a word behind it: {}", self.command.words, missing.name);
            return told("E0242", self.draft.at, message, "write what it is done to");
        }
        let many = places.last().filter(|p| p.many);
        if let (Some(extra), None) = (given.get(places.len()), many) {
            let help = "a value belongs behind its option";
            return told(
                "E0242",
                extra.span,
                format!("`{}` takes no word here: `{}`", self.command.words, extra.text),
                help,
            );
        }
        let Some(many) = many else { return Ok(()) };
        if given.len() > places.len() {
            let part = self.command.fills.iter().find_map(|f| match &f.source {
                Source::Options(options, part) if options.contains(&many.name) => Some(*part),
                _ => None,
            });
            let words = given.get(places.len() - 1..).unwrap_or_default();
            let texts = words.iter().map(|w| part_of(&w.text, part.unwrap_or(Part::Whole))).collect();
            self.draft.each = Some((many.name.to_lowercase(), texts));
        }
        Ok(())
    }

    fn given(&self, names: &[String]) -> Option<(usize, &Given)> {
        self.options.given.iter().enumerate().find(|(_, g)| names.contains(&g.name))
    }

    /// What the rows of the command fill.
    fn fills(&mut self) -> Told<()> {
        let mut fills: Vec<&Fill> = self.command.fills.iter().collect();
        if self.tool == "aws" {
            // As the line has them.
            let place = |fill: &Fill| match &fill.source {
                Source::Options(names, _) => self.given(names).map_or(usize::MAX, |(at, _)| at),
                _ => usize::MAX,
            };
            fills.sort_by_key(|f| place(f));
        }
        for fill in fills {
            match &fill.source {
                Source::Options(names, part) => self.option(fill, names, *part)?,
                Source::Text(text) => self.text(fill, text)?,
                Source::Constant(text) => self.put(&fill.parameter, &[word(text, self.draft.at)], self.draft.at)?,
            }
        }
        Ok(())
    }

    fn option(&mut self, fill: &Fill, names: &[String], part: Part) -> Told<()> {
        if let Some(words) = names.iter().find_map(|n| self.position(n)).map(<[Word]>::to_vec) {
            if let Some((name, _)) = &self.draft.each {
                let written = Arg::Written(name.clone());
                Arg::put(&mut self.draft.arguments, &fill.parameter, written);
                self.draft.used += 1;
                return Ok(());
            }
            let words: Vec<Word> = words.iter().map(|w| Word { text: part_of(&w.text, part), span: w.span }).collect();
            let at = words.first().map_or(self.draft.at, |w| w.span);
            return if words.iter().all(|w| w.text.is_empty()) {
                Ok(())
            } else {
                self.put(&fill.parameter, &words, at)
            };
        }
        let common_first = self.tool == "aws";
        let given = self.given(names).filter(|(_, g)| !common_first || options::common(self.tool, g).is_none());
        let Some((at, given)) = given.map(|(at, g)| (at, g.clone())) else {
            if fill.parameter == "?" {
                return told("E0242", self.draft.at, "an option is missing", "");
            }
            return match &fill.default {
                Some(default) => self.put(&fill.parameter, &[word(default, self.draft.at)], self.draft.at),
                None => Ok(()),
            };
        };
        if let Some(taken) = self.taken.get_mut(at) {
            *taken = true;
        }
        if fill.parameter == "?" {
            return Ok(());
        }
        let values: Vec<Word> =
            given.values.iter().map(|w| Word { text: part_of(&w.text, part), span: w.span }).collect();
        self.put(&fill.parameter, &values, span_of(&given))
    }

    /// A text with options and positions in it.
    fn text(&mut self, fill: &Fill, template: &str) -> Told<()> {
        let mut written = String::new();
        let mut rest = template;
        let mut missing = Vec::new();
        let mut filled = 0;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            written.push_str(inside(&value::text(before)));
            let owned = [name.to_owned()];
            let option =
                self.given(&owned).map(|(at, g)| (at, g.values.first().map(|w| w.text.clone()).unwrap_or_default()));
            if let Some((each, _)) =
                self.draft.each.as_ref().filter(|(each, _)| *each == name.to_lowercase() && name != each.as_str())
            {
                written.push_str(&format!("{{{each}}}"));
                filled += 1;
            } else if let Some(words) = self.position(name) {
                let text = words.first().map(|w| w.text.as_str()).unwrap_or_default();
                written.push_str(inside(&value::text(text)));
                filled += 1;
            } else if let Some((at, text)) = option {
                if let Some(taken) = self.taken.get_mut(at) {
                    *taken = true;
                }
                written.push_str(inside(&value::text(&text)));
                filled += 1;
            } else if CONFIGURED.contains(&name) {
                written.push_str(&format!("{{{name}}}"));
                missing.push(name.to_owned());
            } else {
                missing.push(format!("--{name}"));
                written.clear();
                rest = "";
                break;
            }
            rest = after;
        }
        if let Some(option) = missing.iter().find(|m| m.starts_with("--")) {
            let needed = value::parameters(self.record).any(|p| p == fill.parameter) && self.needs(&fill.parameter);
            return if needed || filled > 1 {
                told("E0242", self.draft.at, format!("`{}` needs `{option}`", self.command.words), "")
            } else {
                Ok(())
            };
        }
        written.push_str(inside(&value::text(rest)));
        // A whole path or address where a name was expected.
        self.draft.used += filled;
        for name in missing {
            self.parameter(&name);
        }
        Arg::put(&mut self.draft.arguments, &fill.parameter, Arg::Written(format!("\"{written}\"")));
        Ok(())
    }

    fn parameter(&mut self, name: &str) {
        if !self.draft.parameters.iter().any(|p| p == name) {
            self.draft.parameters.push(name.to_owned());
        }
    }

    fn needs(&self, parameter: &str) -> bool {
        let shape = self.record.operation.input.and_then(|id| self.record.shape(id));
        shape.is_some_and(|s| s.members().iter().any(|m| *m.name == *parameter && m.required && !m.idempotency_token))
    }

    fn put(&mut self, parameter: &str, words: &[Word], at: Span) -> Told<()> {
        let Some(place) = value::place(self.record, parameter) else {
            return told("E0242", at, format!("`{}` has no `{parameter}`", self.draft.record.name()), "");
        };
        match value::of_words(self.tool, self.record, place, words) {
            Ok(value) => {
                self.draft.used += 1;
                Arg::put(&mut self.draft.arguments, parameter, value);
                Ok(())
            }
            Err(why) if why == value::SECRET => told("E0245", words.first().map_or(at, |w| w.span), why, SECRET_HELP),
            Err(why) => told("E0242", words.first().map_or(at, |w| w.span), why, ""),
        }
    }

    /// Options that no row speaks of.
    fn others(&mut self, operation: &str) -> Told<()> {
        for at in 0..self.options.given.len() {
            if self.taken.get(at).copied().unwrap_or(true) {
                continue;
            }
            let Some(given) = self.options.given.get(at).cloned() else { continue };
            if let Some(what) = options::common(self.tool, &given) {
                self.common(&given, what)?;
            } else if let Some(path) = self.called_like(&given.name) {
                self.put(&path, &given.values, span_of(&given))?;
            } else if let Some(path) = given.name.strip_prefix("no-").and_then(|n| self.called_like(n)) {
                self.put(&path, &[word("false", given.span)], given.span)?;
            } else {
                return Err(Box::new(options::unknown(self.tool, &given, self.command, operation, Some(self.record))));
            }
        }
        Ok(())
    }

    /// A parameter that is called like an option.
    fn called_like(&self, option: &str) -> Option<String> {
        let name = option.replace('-', "_");
        let paths = [name.clone(), format!("body.{name}"), format!("body.properties.{name}")];
        paths.into_iter().find(|path| value::place(self.record, path).is_some())
    }

    fn common(&mut self, given: &Given, what: Common) -> Told<()> {
        let value = given.values.first().map(|w| w.text.clone()).unwrap_or_default();
        let shown =
            if value.is_empty() { format!("`--{}`", given.name) } else { format!("`--{} {value}`", given.name) };
        match what {
            Common::Dropped => {}
            Common::Said(why) => self.draft.notes.push(format!("{shown} is left out: {why}")),
            Common::Refused(why) => {
                return told("E0243", given.span, format!("`--{}` cannot be converted: {why}", given.name), "");
            }
            Common::Region => {
                self.draft
                    .notes
                    .push(format!("it is for the region `{value}`: run the playbook with `AWS_REGION={value}`"));
            }
            Common::Subscription => {
                let id = value.len() == 36 && value.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
                match value::place(self.record, "subscription_id").filter(|_| id) {
                    Some(_) => self.put("subscription_id", &given.values, given.span)?,
                    None => self
                        .draft
                        .notes
                        .push(format!("it is for the subscription `{value}`: choose that where the playbook is run")),
                }
            }
            Common::Limit => match value.parse() {
                Ok(limit) => self.draft.limit = Some(limit),
                Err(_) => return told("E0242", span_of(given), format!("`{value}` is no whole number"), ""),
            },
            Common::Input => self.input(given, &value)?,
            Common::Ids => self.ids(given)?,
        }
        Ok(())
    }

    /// The whole input as JSON; options win.
    fn input(&mut self, given: &Given, text: &str) -> Told<()> {
        let at = span_of(given);
        if text.starts_with("file://") {
            return told("E0242", at, format!("`{text}` stands in a file: write what is in it"), "");
        }
        let place = Place { shape: self.record.operation.input.unwrap_or(u32::MAX), tags: false };
        let read = serde_json::from_str(text).map_err(|e| format!("this is no JSON: {e}"));
        match read.and_then(|json| value::typed(self.record, place, &json)) {
            Ok(Arg::Record(members)) => {
                self.draft.used += members.len();
                members.into_iter().for_each(|(name, value)| Arg::put(&mut self.draft.arguments, &name, value));
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(why) if why == value::SECRET => told("E0245", at, why, SECRET_HELP),
            Err(why) => told("E0242", at, why, ""),
        }
    }

    /// Resource ids instead of names.
    fn ids(&mut self, given: &Given) -> Told<()> {
        let mut all = Vec::new();
        for id in &given.values {
            match ids::parameters(self.record, &id.text) {
                Ok(found) => all.push(found),
                Err(why) => {
                    return told("E0242", id.span, why, "an id is `/subscriptions/…/resourceGroups/…/providers/…`");
                }
            }
        }
        let Some(first) = all.first().cloned() else { return told("E0242", given.span, "a value is missing", "") };
        let differ: Vec<usize> =
            (0..first.len()).filter(|at| all.iter().any(|ids| ids.get(*at) != first.get(*at))).collect();
        if differ.len() > 1 {
            return told(
                "E0242",
                span_of(given),
                "these differ in more than their name",
                "convert those of one resource group at a time",
            );
        }
        for (at, (name, text)) in first.iter().enumerate() {
            let value = if differ.contains(&at) {
                let texts = all.iter().filter_map(|ids| ids.get(at)).map(|(_, text)| text.clone()).collect();
                self.draft.each = Some((name.clone(), texts));
                Arg::Written(name.clone())
            } else {
                Arg::Written(value::text(text))
            };
            self.draft.used += 1;
            Arg::put(&mut self.draft.arguments, name, value);
        }
        Ok(())
    }

    /// What an operation cannot do without.
    fn required(&mut self) -> Told<()> {
        let members = self.record.operation.input.and_then(|id| self.record.shape(id)).map(|s| s.members().to_vec());
        for member in members.into_iter().flatten().filter(|m| m.required && !m.idempotency_token) {
            if self.draft.arguments.iter().any(|(name, _)| *name == *member.name) {
                continue;
            }
            let shape = self.record.shape(member.shape);
            if CONFIGURED.contains(&&*member.name) && self.tool != "aws" {
                self.parameter(&member.name);
                self.draft.arguments.push((member.name.to_string(), Arg::Written(member.name.to_string())));
            } else if *member.name == *"body" && shape.is_some_and(|s| s.members().iter().all(|m| !m.required)) {
                self.draft.arguments.push(("body".into(), Arg::Record(Vec::new())));
            } else {
                let fill = self.command.fills.iter().find(|f| f.parameter == *member.name);
                let option = fill.and_then(|f| match &f.source {
                    Source::Options(names, _) => names.iter().max_by_key(|n| n.len()).cloned(),
                    _ => None,
                });
                let option = option.unwrap_or_else(|| names::snake(&member.official).replace('_', "-"));
                return told(
                    "E0242",
                    self.draft.at,
                    format!("`{}` needs `--{option}`", self.command.words),
                    "add it to the line",
                );
            }
        }
        Ok(())
    }

    /// What says which thing it is comes first, in the order of the URL; for aws the order of the line stays.
    fn in_order(&mut self) {
        let members = self.record.operation.input.and_then(|id| self.record.shape(id)).map(|s| s.members());
        let place = |name: &str| {
            let member = members.into_iter().flatten().find(|m| *m.name == *name)?;
            let uri = &self.record.operation.uri;
            uri.find(&format!("{{{}}}", member.official)).or_else(|| uri.find(&format!("{{+{}}}", member.official)))
        };
        if self.tool != "aws" {
            self.draft.arguments.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
        }
    }
}

/// A text of the language without its quotes.
fn inside(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or(quoted)
}

fn word(text: &str, span: Span) -> Word {
    Word { text: text.to_owned(), span }
}

fn span_of(given: &Given) -> Span {
    given.values.last().map_or(given.span, |last| given.span.join(last.span))
}

fn part_of(text: &str, part: Part) -> String {
    let range = || text.split_once([':', '-']).filter(|(from, to)| !from.is_empty() && !to.is_empty());
    let address = text.strip_prefix("gs://").or_else(|| text.strip_prefix("s3://")).unwrap_or(text);
    let (bucket, object) = address.split_once('/').unwrap_or((address, ""));
    match part {
        // `gs://logs` where a name is expected.
        Part::Whole if text.starts_with("gs://") && object.is_empty() => bucket.to_owned(),
        Part::Whole => text.to_owned(),
        Part::From => range().map_or(text, |(from, _)| from).to_owned(),
        Part::To => range().map_or(text, |(_, to)| to).to_owned(),
        Part::Bucket => bucket.to_owned(),
        Part::Object => object.to_owned(),
    }
}
