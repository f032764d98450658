//! The reviewed table of exceptions, `data/overrides.txt`.
//!
//! One row each: operation, `field=value` pairs, and after `#` the reason. Fields: `effects` (comma-separated), `scope`,
//! `reversal`, `repeat`. What a row leaves out stays as the rules found it. A row never names a risk: see [`crate::risk`].

use std::sync::{Arc, OnceLock};

use super::Verdict;
use crate::model::{Effect, Provenance, Repeat};
use crate::risk::{Reversal, Scope};

const SOURCE: &str = include_str!("../../data/overrides.txt");

/// One row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Override {
    pub(crate) effects: Option<Vec<Effect>>,
    pub(crate) scope: Option<Scope>,
    pub(crate) reversal: Option<Reversal>,
    pub(super) repeat: Option<Repeat>,
    pub(crate) reason: Arc<str>,
}

impl Override {
    /// The row behind a name: `effects=grant,reveal # why`.
    pub(crate) fn parse(line: &str) -> Option<Override> {
        row(line)
    }

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

/// All rows, by full name of the operation. A row is read when its operation is asked for.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    rows: Vec<(&'static str, &'static str)>,
}

impl Overrides {
    /// The table inside the program, split into lines once. Rows that say nothing sensible do nothing; a test finds them.
    pub(crate) fn embedded() -> &'static Overrides {
        static TABLE: OnceLock<Overrides> = OnceLock::new();
        TABLE.get_or_init(|| Overrides::split(SOURCE))
    }

    fn split(source: &'static str) -> Overrides {
        let lines = source.lines().filter(|l| !l.trim_start().is_empty() && !l.starts_with('#'));
        let mut rows: Vec<_> = lines.filter_map(|l| l.split_once(char::is_whitespace)).collect();
        rows.sort_by_key(|(name, _)| *name);
        Overrides { rows }
    }

    /// The row of an operation.
    pub(super) fn of(&self, cloud: &str, service: &str, operation: &str) -> Option<Override> {
        let parts = [cloud, ".", service, ".", operation];
        let order = |name: &str| name.bytes().cmp(parts.iter().flat_map(|p| p.bytes()));
        let at = self.rows.binary_search_by(|(name, _)| order(name)).ok()?;
        row(self.rows.get(at)?.1)
    }
}

/// The row of a line such as `aws.sts.get_session_token effects=grant,reveal # why`, behind the name.
fn row(line: &str) -> Option<Override> {
    let (fields, reason) = line.split_once('#')?;
    let mut row = Override { reason: Arc::from(reason.trim()), ..Override::default() };
    let mut any = false;
    for field in fields.split_whitespace() {
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
    (any && !row.reason.is_empty()).then_some(row)
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
    use super::{Overrides, SOURCE, row};
    use crate::Catalog;

    #[test]
    fn every_row_is_one_and_names_an_operation() {
        let rows = Overrides::embedded().rows.as_slice();
        let lines = SOURCE.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
        assert_eq!(rows.len(), lines.count());
        for pair in rows.windows(2) {
            assert!(pair[0].0 < pair[1].0, "two rows of {}", pair[0].0);
        }
        for (name, line) in rows {
            assert!(row(line).is_some(), "{name} {line}");
            let [cloud, service, operation] = name.splitn(3, '.').collect::<Vec<_>>()[..] else { panic!("{name}") };
            let found = Catalog::embedded().service(cloud, service).unwrap_or_else(|| panic!("no service {name}"));
            assert!(found.operation(operation).is_some(), "no operation {name}");
            assert!(Overrides::embedded().of(cloud, service, operation).is_some(), "{name} is not found");
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
