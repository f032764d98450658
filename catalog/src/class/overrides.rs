//! The reviewed table of exceptions, `data/overrides.txt`.
//!
//! One row each: operation, `field=value` pairs, and after `#` the reason. Fields: `effects` (comma-separated), `scope`,
//! `reversal`, `repeat`. What a row leaves out stays as the rules found it. A row never names a risk: see [`crate::risk`].

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::Verdict;
use crate::model::{Effect, Provenance, Repeat};
use crate::risk::{Reversal, Scope};

const SOURCE: &str = include_str!("../../data/overrides.txt");

/// One row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Override {
    effects: Option<Vec<Effect>>,
    scope: Option<Scope>,
    reversal: Option<Reversal>,
    pub(super) repeat: Option<Repeat>,
    pub(super) reason: Arc<str>,
}

impl Override {
    pub(super) fn apply(&self, verdict: &mut Verdict) {
        if let Some(effects) = &self.effects {
            verdict.effects.clone_from(effects);
            // Whoever names the effects has thought of the rest.
            verdict.scope = Scope::Own;
            verdict.reversal = Reversal::Easy;
        }
        verdict.scope = self.scope.unwrap_or(verdict.scope);
        verdict.reversal = self.reversal.unwrap_or(verdict.reversal);
        verdict.provenance = Provenance::Curated;
    }
}

/// All rows, by service and operation.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    services: HashMap<&'static str, HashMap<&'static str, Override>>,
}

impl Overrides {
    /// The table inside the program, parsed once. Rows that say nothing sensible are left out; a test finds them.
    pub(crate) fn embedded() -> &'static Overrides {
        static TABLE: OnceLock<Overrides> = OnceLock::new();
        TABLE.get_or_init(|| Overrides::parse(SOURCE).0)
    }

    /// The table, and the lines that are no rows.
    pub(crate) fn parse(source: &'static str) -> (Overrides, Vec<&'static str>) {
        let (mut table, mut bad) = (Overrides::default(), Vec::new());
        for line in source.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
            let Some((service, operation, row)) = row(line) else {
                bad.push(line);
                continue;
            };
            if table.services.entry(service).or_default().insert(operation, row).is_some() {
                bad.push(line);
            }
        }
        (table, bad)
    }

    pub(super) fn of_service(&self, cloud: &str, name: &str) -> Option<&HashMap<&'static str, Override>> {
        self.services.get(&*format!("{cloud}.{name}"))
    }

    /// Full names of all operations with a row.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.services.iter().flat_map(|(s, rows)| rows.keys().map(move |o| (*s, *o)))
    }
}

/// Service, operation and row of a line such as `aws.sts.get_session_token effects=grant,reveal # why`.
fn row(line: &'static str) -> Option<(&'static str, &'static str, Override)> {
    let (fields, reason) = line.split_once('#')?;
    let mut fields = fields.split_whitespace();
    let (service, operation) = fields.next()?.rsplit_once('.')?;
    let mut row = Override { reason: Arc::from(reason.trim()), ..Override::default() };
    let mut any = false;
    for field in fields {
        any = true;
        match field.split_once('=')? {
            ("effects", list) => {
                let mut effects = list.split(',').map(effect).collect::<Option<Vec<_>>>()?;
                effects.sort_unstable();
                effects.dedup();
                row.effects = Some(effects);
            }
            ("scope", word) => row.scope = Some(scope(word)?),
            ("reversal", word) => row.reversal = Some(reversal(word)?),
            ("repeat", word) => row.repeat = Some(repeat(word)?),
            _ => return None,
        }
    }
    (any && !row.reason.is_empty()).then_some((service, operation, row))
}

fn effect(word: &str) -> Option<Effect> {
    Some(match word {
        "observe" => Effect::Observe,
        "create" => Effect::Create,
        "modify" => Effect::Modify,
        "interrupt" => Effect::Interrupt,
        "delete" => Effect::Delete,
        "expose" => Effect::Expose,
        "grant" => Effect::Grant,
        "spend" => Effect::Spend,
        "reveal" => Effect::Reveal,
        "exec" => Effect::Exec,
        _ => return None,
    })
}

fn scope(word: &str) -> Option<Scope> {
    Some(match word {
        "own" => Scope::Own,
        "shared" => Scope::Shared,
        "organisation" => Scope::Organisation,
        _ => return None,
    })
}

fn reversal(word: &str) -> Option<Reversal> {
    Some(match word {
        "free" => Reversal::Free,
        "easy" => Reversal::Easy,
        "hard" => Reversal::Hard,
        "never" => Reversal::Never,
        _ => return None,
    })
}

fn repeat(word: &str) -> Option<Repeat> {
    Some(match word {
        "read" => Repeat::Read,
        "idempotent" => Repeat::Idempotent,
        "unsafe" => Repeat::Unsafe,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Overrides, SOURCE};
    use crate::Catalog;

    #[test]
    fn every_row_is_one_and_names_an_operation() {
        let (table, bad) = Overrides::parse(SOURCE);
        assert_eq!(bad, Vec::<&str>::new());
        for (service, operation) in table.names() {
            let (cloud, name) = service.split_once('.').unwrap();
            let service = Catalog::embedded().service(cloud, name).unwrap_or_else(|| panic!("no service {service}"));
            assert!(service.operation(operation).is_some(), "no operation {name}.{operation}");
        }
    }

    #[test]
    fn rows_stand_in_order() {
        let rows: Vec<&str> = SOURCE.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).collect();
        for pair in rows.windows(2) {
            assert!(pair[0] < pair[1], "{} stands above {}", pair[0], pair[1]);
        }
    }
}
