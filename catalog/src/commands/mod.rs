//! The command lines of the clouds' own tools as operations: `aws ec2 stop-instances`, `az vm deallocate`,
//! `gcloud compute instances stop`.
//!
//! Those of `aws` follow from its naming rule, those of `az` are read out of azure-cli (`data/az.zst`), and what neither gives
//! stands in `data/commands.txt`. This module knows which option fills which parameter; it does *not* read values.

mod row;

pub use row::{Command, Fill, Part, Position, Source, What};

use std::collections::HashMap;
use std::io::Read;
use std::sync::OnceLock;

use crate::model::Record;
use crate::{Catalog, names};

/// Commands of az, as the importer wrote them.
static AZ: &[u8] = include_bytes!("../../data/az.zst");

/// Curated commands of all three.
const CURATED: &str = include_str!("../../data/commands.txt");

/// Greatest size of the text of az: many times what it is.
const LIMIT: u64 = 8 << 20;

/// Services that `aws` calls otherwise than the catalogue.
const AWS_SERVICES: &[(&str, &str)] = &[("s3api", "s3"), ("deploy", "codedeploy"), ("configservice", "config")];

/// Rows by tool and words, such as `az` and `vm list`.
type Rows = HashMap<(&'static str, &'static str), Vec<&'static str>>;

/// The commands of the three tools.
#[derive(Debug, Default)]
pub struct Commands {
    curated: Rows,
    read: Rows,
}

/// What the first words of a command line are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// How many of the words, the tool's name included, are the command.
    pub words: usize,
    /// What it may be; several where its options decide.
    pub commands: Vec<Command>,
}

/// The cloud of a tool.
pub fn cloud(tool: &str) -> Option<&'static str> {
    match tool {
        "aws" => Some("aws"),
        "az" => Some("azure"),
        "gcloud" => Some("gcp"),
        _ => None,
    }
}

impl Commands {
    /// The commands inside the program; read on first use.
    pub fn embedded() -> &'static Commands {
        static TEXT: OnceLock<String> = OnceLock::new();
        static COMMANDS: OnceLock<Commands> = OnceLock::new();
        COMMANDS.get_or_init(|| {
            let az = TEXT.get_or_init(|| {
                let mut text = String::new();
                // The embedded bytes are tested; no commands are what remains of a damaged program.
                let read = zstd::Decoder::new(AZ).and_then(|d| d.take(LIMIT).read_to_string(&mut text));
                read.map(|_| text).unwrap_or_default()
            });
            let curated = CURATED.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' '));
            Commands { curated: rows(curated), read: rows(az.lines().map(|l| ("az", l))) }
        })
    }

    /// The command that the first words of a line are; the longest that is known. The first word is the tool.
    pub fn find(&self, words: &[&str]) -> Option<Found> {
        let (tool, rest) = words.split_first()?;
        let known = (1..=rest.len().min(row::LONGEST)).rev().find_map(|count| {
            let said = rest.get(..count)?.join(" ");
            let of = |rows: &Rows| rows.get(&(*tool, said.as_str())).cloned();
            let commands = of(&self.curated).or_else(|| of(&self.read))?;
            Some(Found { words: count + 1, commands: commands.iter().map(|line| row::parse(tool, line)).collect() })
        });
        // What is curated of aws only adds to what its rule gives.
        let by_rule = if *tool == "aws" { by_rule(rest) } else { None };
        let count = |command: &Command| command.words.split(' ').count();
        match (known, by_rule) {
            (Some(mut known), Some(rule)) if count(&rule) <= known.words => {
                for command in &mut known.commands {
                    command.add(&rule);
                }
                Some(known)
            }
            (Some(known), None) => Some(known),
            (_, rule) => rule.map(|command| Found { words: count(&command), commands: vec![command] }),
        }
    }

    /// How the tools spell an operation, by its full name.
    pub fn spelt(&self, operation: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let Some((cloud, rest)) = operation.split_once('.') else { return found };
        let is = |line: &&str| line.split('|').nth(1) == Some(rest);
        for ((tool, words), lines) in self.curated.iter().chain(&self.read) {
            if self::cloud(tool) == Some(cloud) && lines.iter().any(is) {
                found.push(format!("{tool} {words}"));
            }
        }
        found.sort_by_key(|words| (words.len(), words.clone()));
        found.dedup();
        if cloud == "aws" {
            let (service, name) = rest.split_once('.').unwrap_or((rest, ""));
            let service = AWS_SERVICES.iter().find(|(_, ours)| *ours == service).map_or(service, |(theirs, _)| theirs);
            let rule = format!("aws {service} {name}").replace('_', "-");
            found.retain(|words| *words != rule);
            found.insert(0, rule);
        }
        found
    }

    /// Commands of a tool that begin with these words, as their next words: what may stand there instead of a slip.
    pub fn next(&self, words: &[&str]) -> Vec<String> {
        let Some((tool, rest)) = words.split_first() else { return Vec::new() };
        let mut found: Vec<String> = Vec::new();
        for (of, words) in self.curated.keys().chain(self.read.keys()).filter(|(of, _)| of == tool) {
            let mut own = words.split(' ');
            if rest.iter().all(|said| own.next() == Some(said)) {
                found.extend(own.next().filter(|_| !of.is_empty()).map(str::to_owned));
            }
        }
        if *tool == "aws" {
            let catalog = Catalog::embedded();
            match rest {
                [] => found.extend(catalog.services("aws").iter().map(|s| s.replace('_', "-"))),
                [service] => {
                    let service = aws_service(service);
                    found.extend(catalog.operations("aws", &service).iter().map(|o| o.replace('_', "-")));
                }
                _ => {}
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

fn rows(lines: impl Iterator<Item = (&'static str, &'static str)>) -> Rows {
    let mut rows = Rows::new();
    for (tool, line) in lines {
        rows.entry((tool, row::words(line))).or_default().push(line);
    }
    rows
}

fn aws_service(word: &str) -> String {
    let named = AWS_SERVICES.iter().find(|(theirs, _)| *theirs == word).map_or(word, |(_, ours)| ours);
    names::service(named)
}

/// `aws SERVICE OPERATION` and `aws SERVICE wait CONDITION`: words and options follow from official names.
fn by_rule(words: &[&str]) -> Option<Command> {
    let (service, operation) = (aws_service(words.first()?), *words.get(1)?);
    // `s3` alone is a command of its own, with rows.
    if words.first() == Some(&"s3") {
        return None;
    }
    let catalog = Catalog::embedded();
    let (spelt, waiter) = match operation {
        "wait" => (words.get(..3)?, Some(words.get(2)?.replace('-', "_"))),
        _ => (words.get(..2)?, None),
    };
    let full = match &waiter {
        Some(waiter) => {
            let waiter = catalog.waiter(&format!("aws.{service}.{waiter}"))?;
            format!("aws.{service}.{}", names::snake(&waiter.operation))
        }
        None => format!("aws.{service}.{}", operation.replace('-', "_")),
    };
    let record = catalog.record(&full)?;
    let what = match waiter {
        Some(waiter) => What::Wait { waiter: format!("aws.{service}.{waiter}"), operation: full },
        None => What::Operation(full),
    };
    Some(Command { words: format!("aws {}", spelt.join(" ")), positions: Vec::new(), what, fills: fills(&record) })
}

/// An option for each parameter, called like it.
fn fills(record: &Record) -> Vec<Fill> {
    let members = record.operation.input.and_then(|id| record.shape(id)).map(|s| s.members()).unwrap_or_default();
    let fill = |name: &str| Fill {
        parameter: name.to_owned(),
        source: Source::Options(vec![name.replace('_', "-")], Part::Whole),
        default: None,
    };
    members.iter().map(|m| fill(&m.name)).collect()
}

#[cfg(test)]
mod tests;
