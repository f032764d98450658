//! The words behind a command, as options with their values, and as what stands without an option.

use escher_catalog::commands::{Command, Source};
use escher_catalog::{Record, ShapeKind};
use escher_core::{Diagnostic, Span, nearest};

use super::common::{self, Common};
use super::shell::{Word, span};
use super::value;

/// An option that was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// Its name without dashes.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) span: Span,
    /// Its values.
    pub(crate) values: Vec<Word>,
}

/// All that stands behind a command.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// What stands without an option.
    pub(crate) positions: Vec<Word>,
    /// The options, in order.
    pub(crate) given: Vec<Given>,
}

/// Whether a word is an option: `--name`, `-n`; not `-1` and not `-`.
fn option(text: &str) -> Option<&str> {
    let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-'))?;
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(name)
}

/// Takes the words behind a command apart. In gcloud an option has one value at most, elsewhere all words up to the next.
pub(crate) fn split(tool: &str, words: &[Word], command: &Command, record: Option<&Record>) -> Options {
    let mut options = Options::default();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(written) = option(&word.text) else {
            options.positions.push(word.clone());
            continue;
        };
        let (name, value) = written.split_once('=').map_or((written, None), |(name, value)| (name, Some(value)));
        let mut given = Given { name: name.to_owned(), span: word.span, values: Vec::new() };
        if let Some(value) = value {
            // Where it begins can only be told where nothing was in quotes; else the whole word is shown.
            let end = word.span.end as usize;
            let start = end.saturating_sub(value.len()).max(word.span.start as usize);
            given.values.push(Word { text: value.to_owned(), span: span(start, end) });
        }
        let most = match (value.is_some(), tool) {
            (true, "az" | "aws") => usize::MAX,
            (true, _) => 0,
            (false, _) if !takes_value(tool, name, command, record) => 0,
            (false, "gcloud") => 1,
            (false, _) => usize::MAX,
        };
        while given.values.len() < most {
            match words.next_if(|w| option(&w.text).is_none()) {
                Some(value) => given.values.push(value.clone()),
                None => break,
            }
        }
        options.given.push(given);
    }
    options
}

/// Whether a word behind an option is its value; an option that nobody knows is told elsewhere.
fn takes_value(tool: &str, name: &str, command: &Command, record: Option<&Record>) -> bool {
    let fill = command
        .fills
        .iter()
        .find(|f| matches!(&f.source, Source::Options(names, _) if names.iter().any(|n| n == name)));
    if let Some(fill) = fill {
        let shape = record.and_then(|r| value::place(r, &fill.parameter)).and_then(|place| record?.shape(place.shape));
        // az takes `true` and `false` behind them.
        return fill.parameter != "?" && (tool == "az" || !shape.is_some_and(|s| s.kind == ShapeKind::Boolean));
    }
    if let Some((value, _)) = common::find(tool, name) {
        return value;
    }
    !(tool == "aws" && name.starts_with("no-"))
}

/// The option of a command that one of a slip may mean, with its dashes.
pub(crate) fn unknown(
    tool: &str,
    given: &Given,
    command: &Command,
    operation: &str,
    record: Option<&Record>,
) -> Diagnostic {
    let mut names: Vec<String> = Vec::new();
    for fill in &command.fills {
        match &fill.source {
            Source::Options(options, _) => names.extend(options.iter().filter(|o| o.len() > 1).cloned()),
            Source::Text(text) => names.extend(value::holes(text).map(str::to_owned)),
            Source::Constant(_) => {}
        }
    }
    names.retain(|n| n.starts_with(|c: char| c.is_ascii_lowercase()));
    names.extend(record.into_iter().flat_map(value::parameters).map(|p| p.replace('_', "-")));
    names.extend(common::names(tool).map(str::to_owned));
    let message = format!("`{}` has no option `--{}`", command.words, given.name);
    let told = Diagnostic::error("E0242", given.span, message);
    match nearest(&given.name, names.iter().map(String::as_str)) {
        Some(near) => told.help(format!("did you mean `--{near}`?")),
        None => told.help(format!("`escher ops show {operation}` lists what it takes")),
    }
}

/// What an option that all commands take means, where it is one.
pub(crate) fn common(tool: &str, given: &Given) -> Option<Common> {
    common::find(tool, &given.name).map(|(_, what)| what)
}
