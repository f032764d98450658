//! What rules can look at: the facts of a plan, a person and a moment. Filled by whoever asks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

/// How a run comes about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody is there.
    #[default]
    Interactive,
    /// From a published template.
    Template,
    /// It was due.
    Schedule,
    /// Something happened.
    Trigger,
}

impl Kind {
    /// Its name in rules.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Interactive => "interactive",
            Kind::Template => "template",
            Kind::Schedule => "schedule",
            Kind::Trigger => "trigger",
        }
    }
}

/// How risky it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It observes.
    #[default]
    Read,
    /// It adds, or changes what costs nothing to put back.
    Low,
    /// It interrupts, or starts to cost money.
    Medium,
    /// It loses availability or recoverable data.
    High,
    /// It can't be put back, or opens access.
    Critical,
}

impl Level {
    fn number(self) -> u8 {
        match self {
            Level::Read => 0,
            Level::Low => 1,
            Level::Medium => 2,
            Level::High => 3,
            Level::Critical => 4,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Level::Read => "read",
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
            Level::Critical => "critical",
        }
    }
}

/// A moment, and the zone in whose hours and days rules speak.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// The zone.
    pub zone: TimeZone,
}

impl Default for Moment {
    fn default() -> Moment {
        Moment { at: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC }
    }
}

/// The facts.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How it comes to run.
    pub kind: Kind,
    /// Its risk.
    pub risk: Level,
    /// How many things it would change.
    pub blast_radius: u64,
    /// Whether it would change anything.
    pub changes: bool,
    /// Clouds that it reaches.
    pub clouds: BTreeSet<String>,
    /// Account numbers, subscriptions and projects.
    pub accounts: BTreeSet<String>,
    /// Regions.
    pub regions: BTreeSet<String>,
    /// Full names of the operations that it may call.
    pub operations: BTreeSet<String>,
    /// Tags of what it would change, as `name=value`; none where those of some item were not read.
    pub tags: Option<BTreeSet<String>>,
    /// What it costs more a month, in US dollars; none where a price is not known.
    pub monthly_cost: Option<Decimal>,
    /// When.
    pub moment: Moment,
    /// Names of the freezes that hold then.
    pub freezes: BTreeSet<String>,
    /// It is signed to pass them.
    pub freeze_exempt: bool,
    /// The state is halted.
    pub halted: bool,
    /// Who asks made the plan, or starts the run.
    pub own: bool,
    /// The project is for one person alone.
    pub solo: bool,
    /// Who asks has the role that the playbook wants an approval of.
    pub asked_role: bool,
    /// A practice cloud.
    pub sandbox: bool,
    /// Anybody has the role executor or viewer.
    pub roles_assigned: bool,
}

impl Facts {
    /// As rules see them.
    pub(crate) fn to_json(&self) -> Value {
        let local = self.moment.zone.to_datetime(self.moment.at);
        let weekday = local.strftime("%a").to_string().to_lowercase();
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        json!({
            "kind": self.kind.name(),
            "risk": self.risk.number(),
            "risk_name": self.risk.name(),
            "blast_radius": whole(self.blast_radius),
            "changes": self.changes,
            "clouds": self.clouds,
            "accounts": self.accounts,
            "regions": self.regions,
            "operations": self.operations,
            "tags": self.tags.clone().unwrap_or_default(),
            "tags_known": self.tags.is_some(),
            "monthly_cost": { "__extn": { "fn": "decimal", "arg": money(self.monthly_cost.unwrap_or_default()) } },
            "cost_known": self.monthly_cost.is_some(),
            "at": { "__extn": { "fn": "datetime", "arg": self.moment.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() } },
            "hour": local.hour(),
            "weekday": weekday,
            "date": local.date().to_string(),
            "freezes": self.freezes,
            "freeze_exempt": self.freeze_exempt,
            "halted": self.halted,
            "own": self.own,
            "solo": self.solo,
            "asked_role": self.asked_role,
            "sandbox": self.sandbox,
            "roles_assigned": self.roles_assigned,
        })
    }
}

/// Cedar's decimals have one to four digits behind the point and 64 bits; what is beyond them counts as the most.
fn money(amount: Decimal) -> String {
    let most = Decimal::new(900_000_000_000_000, 0);
    format!("{:.2}", amount.clamp(-most, most).round_dp(2))
}
