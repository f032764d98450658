//! The reviewed table of arguments that change what an operation does, `data/arguments.txt`.
//!
//! One row each: operation, `argument=value`, the fields of an override, and after `#` the reason. A row that raises the risk
//! holds where the argument has the value *or can't be seen*; one that lowers it only where the value can be seen. A row's value is
//! a text, a number, `true`, `false`, `*` for whatever is given, or `-` for an argument that is left out. This module does *not* read programs.

use std::sync::Arc;

use crate::class::Override;
use crate::model::{Class, Effect, Provenance, Record, Risk};
use crate::risk::{self, Reversal, Scope};

const SOURCE: &str = include_str!("../data/arguments.txt");

/// What is known of an argument before the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is left out.
    Absent,
    /// It is given, and what it is shows only in the run.
    Unseen,
    /// It is this, as JSON without quotes.
    Value(String),
}

struct Row {
    path: Vec<&'static str>,
    value: &'static str,
    fields: Override,
}

/// The class of one call: that of the operation, with what its arguments change about it. `seen` is asked for paths such as
/// `["body", "properties", "public_access"]`.
pub fn class(record: &Record, seen: impl Fn(&[&str]) -> Seen) -> Class {
    let mut class = record.operation.class.clone();
    let usual = class.risk;
    let mut lowered: Option<(Risk, Vec<Effect>, Arc<str>)> = None;
    for row in rows(&record.name()).filter_map(row) {
        let effects = row.fields.effects.clone().unwrap_or_else(|| record.operation.class.effects.clone());
        let scope = row.fields.scope.unwrap_or(Scope::Own);
        let risk = risk::of_effects(&effects, scope, row.fields.reversal.unwrap_or(Reversal::Easy));
        let (holds, hidden) = match seen(&row.path) {
            Seen::Absent => (row.value == "-", false),
            Seen::Unseen => (false, true),
            Seen::Value(value) => (row.value == "*" || value == row.value, false),
        };
        if risk > usual && (holds || hidden) && risk > class.risk {
            class.risk = risk;
            class.effects = joined(&class.effects, &effects);
            class.reason = Some(row.fields.reason);
            class.provenance = Provenance::Curated;
        } else if risk < usual && holds {
            lowered = Some((risk, effects, row.fields.reason));
        }
    }
    if let Some((risk, effects, reason)) = lowered.filter(|_| class.risk == usual) {
        class = Class { risk, effects, reason: Some(reason), provenance: Provenance::Curated, ..class };
    }
    class
}

fn joined(one: &[Effect], other: &[Effect]) -> Vec<Effect> {
    let mut all = [one, other].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// What stands behind the name in the rows of an operation.
fn rows(operation: &str) -> impl Iterator<Item = &'static str> {
    lines().filter(move |(name, _)| *name == operation).map(|(_, rest)| rest)
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOURCE.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(' '))
}

fn row(text: &'static str) -> Option<Row> {
    let (argument, fields) = text.split_once(' ')?;
    let (path, value) = argument.split_once('=')?;
    Some(Row { path: path.split('.').collect(), value, fields: Override::parse(fields)? })
}

#[cfg(test)]
mod tests {
    use super::{Seen, class, lines, row};
    use crate::{Catalog, Record, Risk, ShapeKind};

    #[test]
    fn every_row_names_an_argument_of_an_operation_and_changes_its_risk() {
        let all: Vec<_> = lines().collect();
        assert!(all.len() >= 30);
        for pair in all.windows(2) {
            assert!(pair[0] < pair[1], "{pair:?}");
        }
        for (name, text) in all {
            let record = Catalog::embedded().record(name).unwrap_or_else(|| panic!("{name}"));
            let row = row(text).unwrap_or_else(|| panic!("{name} {text}"));
            assert!(argument(&record, &row.path), "{name} has no {:?}", row.path);
            let with = class(&record, |path| match row.value {
                _ if path != row.path => Seen::Value("neither this nor that".into()),
                "-" => Seen::Absent,
                value => Seen::Value(value.to_owned()),
            });
            assert_ne!(with.risk, record.operation.class.risk, "{name} {text}");
        }
    }

    /// Whether a path of names leads to a member.
    fn argument(record: &Record, path: &[&str]) -> bool {
        let mut at = record.operation.input;
        for name in path {
            let Some(shape) = at.and_then(|id| record.shape(id)) else { return false };
            let Some(member) = shape.members().iter().find(|m| &*m.name == *name) else { return false };
            at = Some(member.shape);
        }
        at.and_then(|id| record.shape(id)).is_some_and(|s| !matches!(s.kind, ShapeKind::Structure(_)))
    }

    #[test]
    fn what_is_not_seen_counts_as_the_worst() {
        let record = Catalog::embedded().record("aws.rds.create_db_instance").unwrap();
        let with = |seen: &Seen| {
            class(&record, |path| if path == ["publicly_accessible"] { seen.clone() } else { Seen::Absent }).risk
        };
        assert_eq!(with(&Seen::Absent), Risk::Medium);
        assert_eq!(with(&Seen::Value("false".into())), Risk::Medium);
        assert_eq!(with(&Seen::Value("true".into())), Risk::Critical);
        assert_eq!(with(&Seen::Unseen), Risk::Critical);
        let record = Catalog::embedded().record("aws.rds.delete_db_instance").unwrap();
        let with = |seen: &Seen| {
            class(&record, |path| if path == ["skip_final_snapshot"] { seen.clone() } else { Seen::Absent }).risk
        };
        assert_eq!(with(&Seen::Value("false".into())), Risk::High);
        assert_eq!(with(&Seen::Unseen), Risk::Critical);
        assert_eq!(with(&Seen::Value("true".into())), Risk::Critical);
    }
}
