//! Templates, schedules and triggers that somebody signed: kept whole, run within what was signed, and never compiled again.

mod publish;
mod rate;
mod run;
mod tick;

use std::collections::{BTreeMap, BTreeSet};

use escher_ir::plan::Under;
use escher_ir::published::Publication;
use escher_ir::standing::{Standing, StandingKind};
use escher_ir::statement::Signed;
use escher_ir::{Digest, Target, Value, codec};
use escher_policy::Kind;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub(crate) use publish::{add_signature, pause, publish, statement_for, withdraw};
pub(crate) use rate::{Counted, USES, judge, uses};
pub(crate) use run::extend;
pub use tick::{Happened, Ticked};
pub(crate) use tick::{history, next, tick};

use crate::approve::Publishing;
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::journal;

/// The longest that a signature on something published holds.
pub(crate) const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What streams about one published item begin with.
pub(crate) const PREFIX: &str = "published/";

pub(crate) fn stream(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Who signs, their words, and the places of the groups of the settings.
#[derive(Clone, Debug, Default)]
pub struct PublishOptions {
    /// A principal of the allowed-signers file.
    pub principal: String,
    /// Their words.
    pub comment: String,
    /// `targets("group")`, as it is now: it is signed with the rest.
    pub groups: BTreeMap<String, Vec<Target>>,
}

/// Something published, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Its name.
    pub name: String,
    /// Digest of the item.
    pub digest: Digest,
    /// The item.
    pub standing: Standing,
    /// Digests of the signed statements, and who signed each.
    pub signed: Vec<(Digest, String)>,
    /// When the first of them was recorded.
    pub at: Timestamp,
    /// Who holds it back.
    pub paused: Option<String>,
}

/// Digests of all statements that were ever recorded under a name.
pub(crate) fn recorded(engine: &Engine, name: &str) -> Result<BTreeSet<Digest>, EngineError> {
    let mut all = BTreeSet::new();
    for segment in engine.store.read(&stream(name), 0)? {
        let (_, entry): (_, Publication) = codec::decode(&segment.bytes)?;
        if let Publication::Published { statement, .. } | Publication::Withdrawn { statement, .. } = entry {
            all.insert(statement);
        }
    }
    Ok(all)
}

impl Published {
    /// How many people must sign it.
    pub fn needed(&self) -> u32 {
        Publishing { name: &self.name, digest: self.digest, standing: &self.standing }.needs().of
    }

    /// Until when it holds, by what it says itself.
    pub fn until(&self) -> Option<Timestamp> {
        until(&self.standing)
    }
}

/// Something published, by name; none where there is none, or nobody may use it any more.
pub(crate) fn load(engine: &Engine, name: &str) -> Result<Option<Published>, EngineError> {
    let mut found: Option<Held> = None;
    for segment in engine.store.read(&stream(name), 0)? {
        let (_, entry): (_, Publication) = codec::decode(&segment.bytes)?;
        match entry {
            Publication::Published { standing, statement, principal, at } => match &mut found {
                Some(held) if held.digest == standing => held.signed.push((statement, principal)),
                _ => {
                    found = Some(Held { digest: standing, signed: vec![(statement, principal)], at, paused: None });
                }
            },
            Publication::Withdrawn { .. } => found = None,
            Publication::Paused { principal, .. } => {
                found.iter_mut().for_each(|held| held.paused = Some(principal.clone()));
            }
            Publication::Continued { .. } => found.iter_mut().for_each(|held| held.paused = None),
        }
    }
    let Some(Held { digest, signed, at, paused }) = found else { return Ok(None) };
    let (_, standing): (_, Standing) = journal::load(&*engine.store, &digest)?;
    Ok(Some(Published { name: name.to_string(), digest, standing, signed, at, paused }))
}

/// What the entries about a name say together.
struct Held {
    digest: Digest,
    signed: Vec<(Digest, String)>,
    at: Timestamp,
    paused: Option<String>,
}

/// All that is published, by name.
pub(crate) fn list(engine: &Engine) -> Result<Vec<Published>, EngineError> {
    let streams = engine.store.streams(PREFIX)?;
    let names = streams.iter().map(|stream| stream.trim_start_matches(PREFIX));
    names.filter_map(|name| load(engine, name).transpose()).collect()
}

/// The same, or a refusal that says what to do.
pub(crate) fn known(engine: &Engine, name: &str) -> Result<Published, EngineError> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    load(engine, name)?.ok_or_else(|| {
        let help = format!("a manager publishes it: `escher publish FILE:{shown} --key KEY`");
        Refused::new(format!("nothing is published here as `{shown}`"), help).into()
    })
}

/// The signed statements of something published.
pub(crate) fn statements(engine: &Engine, of: &Published) -> Result<Vec<(Digest, Signed)>, EngineError> {
    let load = |(digest, _): &(Digest, String)| Ok((*digest, journal::load::<Signed>(&*engine.store, digest)?.1));
    of.signed.iter().map(load).collect()
}

/// Until when it holds, by what it says itself; a date is the whole of its day, in UTC.
pub(crate) fn until(standing: &Standing) -> Option<Timestamp> {
    match standing.until.as_ref()? {
        Value::Instant(at) => Some(*at),
        Value::Date(date) => {
            let next = date.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?;
            Some(next.timestamp())
        }
        // A type that it can't have: it has ended.
        _ => Some(Timestamp::UNIX_EPOCH),
    }
}

/// How a run of it comes about.
pub(crate) fn kind(standing: &Standing) -> Kind {
    match standing.kind {
        StandingKind::Template { .. } => Kind::Template,
        StandingKind::Schedule { .. } => Kind::Schedule,
        StandingKind::Trigger { .. } => Kind::Trigger,
    }
}

/// The same for a plan, from what it says it is a run of.
pub(crate) fn kind_of(engine: &Engine, under: &Under) -> Result<Kind, EngineError> {
    let (_, standing): (_, Standing) = journal::load(&*engine.store, &under.standing)?;
    Ok(kind(&standing))
}
