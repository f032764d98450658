//! What runs without anybody at the terminal: a playbook with its parameters fixed or narrowed, and when it may run.
//!
//! Each holds its program whole, so that it is never compiled again: what was signed is what runs. Nothing here is started;
//! when one is due, and who may publish one, is the business of whoever keeps them.

use std::collections::BTreeMap;

use escher_catalog::Risk;
use serde::{Deserialize, Serialize};

use crate::codec::Stored;
use crate::digest::Digest;
use crate::program::{Expr, Program};
use crate::value::{Target, Value};

/// A template, a schedule or a trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// The program that it runs. Of a template: with the parameters as narrow as it says, and bounds and risk that follow
    /// from that.
    pub program: Program,
    /// What the playbook says by itself, which the program lies within.
    pub within: Within,
    /// Until when it holds: a date or an instant.
    pub until: Option<Value>,
    /// What it is.
    pub kind: StandingKind,
    /// The places of the groups that it names, as they were when it was published: who signs it signs where it runs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<Target>>,
}

impl Stored for Standing {
    const FORMAT: &'static str = "escher.standing";
    const VERSION: u16 = 1;
    const FEATURES: &'static [&'static str] = Program::FEATURES;

    fn requires(&self) -> Vec<&'static str> {
        self.program.requires()
    }
}

/// The playbook as it stands alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// Digest of its program.
    pub program: Digest,
    /// Its risk.
    pub risk: Risk,
    /// How many things it can touch at most.
    pub blast_radius: Option<u64>,
}

/// What is particular to each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StandingKind {
    /// `template t = p(a: 1, b in 1..=20) runs 3 per day`.
    Template {
        /// Parameters that have one value.
        fixed: Vec<String>,
        /// Parameters that have fewer values than the playbook takes.
        narrowed: Vec<String>,
        /// How often it may run.
        rate: Option<Rate>,
    },
    /// `schedule s = p(…) cron "…", zone "…"`.
    Schedule {
        /// Parameters by name: constants, and groups of targets.
        arguments: BTreeMap<String, Expr>,
        /// When it runs.
        when: When,
        /// What happens while the run before is under way: `skip`, `queue` or `parallel`.
        overlap: String,
        /// What happens to runs that were missed: `skip`, `run_once` or `run_all`.
        missed: String,
        /// How late it may begin, in milliseconds.
        within_ms: Option<u64>,
        /// Over how long beginnings are spread, in milliseconds.
        jitter_ms: Option<u64>,
    },
    /// `trigger t = p(…) on e: called(op)`.
    Trigger {
        /// Full name of the operation that was called.
        operation: String,
        /// Digest of its catalogue record, by which the event is typed.
        record: Digest,
        /// Name of the event in the expressions.
        event: String,
        /// Parameters by name: of the event.
        arguments: BTreeMap<String, Expr>,
        /// `when c`: of the event.
        when: Option<Expr>,
        /// `unless c`: of the event.
        unless: Option<Expr>,
        /// How late it may begin, in milliseconds.
        within_ms: Option<u64>,
    },
}

/// `runs 3 per day`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How often.
    pub runs: u32,
    /// `hour`, `day`, `week` or `month`, in UTC.
    pub per: String,
}

/// When a schedule runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// `cron "0 20 * * 1-5", zone "Europe/Berlin"`.
    Cron {
        /// Minute, hour, day, month, weekday.
        expression: String,
        /// Time zone in which they are.
        zone: String,
    },
    /// `every 6h`, in milliseconds.
    EveryMs(u64),
}
