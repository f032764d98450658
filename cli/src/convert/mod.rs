//! `escher convert`: a command line of `aws`, `az` or `gcloud` to a playbook that checks.
//!
//! What the words mean stands in the catalogue (`escher_catalog::commands`); here values are read and a playbook is written. What
//! a line says that a playbook has no place for is told in a note, never dropped in silence.

mod call;
mod common;
mod ids;
mod options;
mod shell;
mod shorthand;
mod value;
mod write;

use escher_catalog::Risk;
use escher_catalog::commands::{Commands, Found, What, cloud};
use escher_core::{CatalogWorld, Diagnostic, nearest};

pub(crate) use shell::line;
use shell::{Word, span};

/// A playbook that a command line became.
#[derive(Clone, Debug)]
pub(crate) struct Converted {
    /// The playbook.
    pub(crate) text: String,
    /// Its name.
    pub(crate) name: String,
    /// The operation that it calls, by its full name.
    pub(crate) operation: String,
    /// Its risk.
    pub(crate) risk: Risk,
    /// What was left out of the line, and why.
    pub(crate) notes: Vec<String>,
}

/// Converts a line.
pub(crate) fn convert(line: &str) -> Result<Converted, Box<Diagnostic>> {
    let mut words = shell::words(line)?;
    let tool = words.first().map(|w| w.text.rsplit('/').next().unwrap_or_default().to_owned()).unwrap_or_default();
    if cloud(&tool).is_none() {
        let at = words.first().map_or(span(0, line.len()), |w| w.span);
        let message =
            if tool.is_empty() { "there is no command here".into() } else { format!("`{tool}` is no tool of a cloud") };
        return Err(Box::new(
            Diagnostic::error("E0241", at, message)
                .help("write a command of `aws`, `az` or `gcloud`, such as `az vm start -g shop -n web-1`"),
        ));
    }
    // gcloud has the same commands in three stages; all tools take some options in front of the command.
    if tool == "gcloud" && words.get(1).is_some_and(|w| matches!(w.text.as_str(), "alpha" | "beta")) {
        words.remove(1);
    }
    options_to_the_end(&tool, &mut words);
    let texts: Vec<&str> = std::iter::once(tool.as_str())
        .chain(words.iter().skip(1).map(|w| w.text.as_str()))
        .take_while(|t| !t.starts_with('-'))
        .collect();
    let Some(found) = Commands::embedded().find(&texts) else { return Err(Box::new(unknown(&words, &texts))) };
    let draft = best(&tool, &words, &found)?;
    finished(line, draft)
}

/// The line as it may be shown beside a diagnostic: what looks like a secret is covered, whatever the diagnostic is about.
pub(crate) fn without_secrets(line: &str, told: &Diagnostic) -> String {
    let (words, whole) = match shell::words(line) {
        Ok(words) => (words, true),
        Err(_) => (shell::plain_words(line), false),
    };
    let is_secret = |option: &str| {
        let option = option.to_ascii_lowercase();
        option.starts_with('-')
            && ["password", "secret", "token", "passphrase", "private-key", "credential", "input-json"]
                .iter()
                .any(|s| option.contains(s))
    };
    let mut covered: Vec<_> = words
        .windows(2)
        .filter_map(|two| match two {
            [option, value] if is_secret(&option.text) && !value.text.starts_with("--") => Some(value.span),
            _ => None,
        })
        .collect();
    covered.extend(words.iter().filter_map(|word| {
        let (start, end) = (word.span.start as usize, word.span.end as usize);
        let (option, _) = line.get(start..end)?.split_once('=').filter(|(option, _)| is_secret(option))?;
        Some(span(start + option.len() + 1, end))
    }));
    // Where a text has no end, nobody knows where the secret ends.
    if let (false, Some(first)) = (whole, covered.iter().map(|s| s.start as usize).min()) {
        covered.push(span(first, line.len()));
    }
    if told.code == "E0245" {
        covered.push(told.span);
    }
    line.char_indices()
        .map(|(at, letter)| {
            let inside = covered.iter().any(|s| (s.start as usize..s.end as usize).contains(&at));
            if inside && !letter.is_whitespace() { '*' } else { letter }
        })
        .collect()
}

/// Moves what stands between the tool and its command behind the command.
fn options_to_the_end(tool: &str, words: &mut Vec<Word>) {
    let mut moved = Vec::new();
    while let Some(word) = words.get(1).filter(|w| w.text.starts_with("--")).cloned() {
        let name = word.text.trim_start_matches('-');
        let Some((value, _)) = common::find(tool, name.split('=').next().unwrap_or_default()) else { break };
        moved.push(words.remove(1));
        if value && !name.contains('=') && words.len() > 1 {
            moved.push(words.remove(1));
        }
    }
    words.extend(moved);
}

/// Of the rows that a command has, the one that needs the least that the line does not say.
fn best(tool: &str, words: &[Word], found: &Found) -> Result<call::Draft, Box<Diagnostic>> {
    let rest = words.get(found.words..).unwrap_or_default();
    let command = words.get(..found.words).unwrap_or_default();
    let at =
        span(command.first().map_or(0, |w| w.span.start as usize), command.last().map_or(0, |w| w.span.end as usize));
    let mut first: Option<Box<Diagnostic>> = None;
    let mut drafts = Vec::new();
    for command in &found.commands {
        match call::draft(tool, command, rest, at) {
            Ok(draft) => drafts.push(draft),
            // What is wrong with a row that knows all options says more than what one lacks.
            Err(told) if first.as_ref().is_none_or(|f| f.code == "E0242" && told.code != "E0242") => first = Some(told),
            Err(_) => {}
        }
    }
    let best = drafts.into_iter().min_by_key(|d| (d.parameters.len(), std::cmp::Reverse(d.used)));
    best.ok_or_else(|| first.unwrap_or_else(|| Box::new(Diagnostic::error("E0241", at, "this command is not known"))))
}

/// A command that is not known, with what may be meant.
fn unknown(words: &[Word], texts: &[&str]) -> Diagnostic {
    let commands = Commands::embedded();
    let known = (1..texts.len())
        .find(|at| {
            let next = commands.next(texts.get(..*at).unwrap_or_default());
            !texts.get(*at).is_some_and(|w| next.iter().any(|n| n == w))
        })
        .unwrap_or(texts.len());
    let said = texts.get(..known).unwrap_or_default();
    let next = commands.next(said);
    let (Some(wrong), Some(word)) = (texts.get(known), words.get(known)) else {
        let end = words.get(known.saturating_sub(1)).map_or(0, |w| w.span.end as usize);
        let some: Vec<String> = next.iter().take(6).map(|n| format!("`{n}`")).collect();
        return Diagnostic::error("E0241", span(0, end), format!("`{}` is not a whole command", said.join(" ")))
            .help(format!("it goes on with {}{}", some.join(", "), if next.len() > 6 { ", …" } else { "" }));
    };
    let told = Diagnostic::error(
        "E0241",
        word.span,
        format!("`{}` has no command `{wrong}` that is known here", said.join(" ")),
    );
    match nearest(wrong, next.iter().map(String::as_str)) {
        Some(near) => told.help(format!("did you mean `{} {near}`?", said.join(" "))),
        None => told.help(format!("`escher ops search {}` looks for the operation", texts.join(" "))),
    }
}

/// Writes the playbook, asks the checker what it needs, and writes it with that.
fn finished(line: &str, draft: call::Draft) -> Result<Converted, Box<Diagnostic>> {
    let checked = |text: &str| {
        let checked = escher_core::check(&CatalogWorld, text);
        let wrong = checked.diagnostics.iter().find(|d| d.severity == escher_core::Severity::Error).cloned();
        match wrong {
            Some(wrong) => {
                let help =
                    wrong.help.unwrap_or_else(|| "write the playbook by hand, with `escher ops show` beside it".into());
                let message = format!("this would not check: {} ({})", wrong.message, wrong.code);
                Err(Box::new(Diagnostic::error("E0244", draft.at, message).help(help)))
            }
            None => Ok(checked),
        }
    };
    let worst = checked(&write::playbook(line, &draft, Risk::Critical))?;
    let risk = worst.playbooks.iter().flat_map(|p| p.witnesses.iter()).map(|w| w.raised).max().unwrap_or(Risk::Read);
    let text = write::playbook(line, &draft, risk);
    checked(&text)?;
    let operation = match &draft.what {
        What::Operation(name) | What::Wait { operation: name, .. } => name.clone(),
        What::WritesBack | What::Nothing(_) => String::new(),
    };
    Ok(Converted { name: write::name(&draft.what), text, operation, risk, notes: draft.notes })
}
