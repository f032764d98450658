//! What there is, and the log of everything that was done to it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::time::Instant;

/// States and effects.
const WORDS: &[&str] =
    &["running", "stopped", "terminated", "rebooted", "resized", "tagged", "snapshot", "deleted", "volume", "launched"];

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its type.
    pub kind: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Where it goes, and when it will be there.
    pub(super) goal: (&'static str, Instant),
}

/// A volume.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The snapshot that it was made of.
    pub from: Option<String>,
}

/// A snapshot.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Of this volume.
    pub volume: String,
    /// What whoever made it said.
    pub description: String,
    pub(super) ready: Instant,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What: `stopped`, `snapshot` and so on.
    pub what: &'static str,
    /// To what, or from what.
    pub to: String,
}

/// What there is.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Machines by id.
    pub machines: BTreeMap<String, Machine>,
    /// Volumes by id.
    pub volumes: BTreeMap<String, Volume>,
    /// Snapshots by id.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// What was made for each token.
    pub(super) tokens: BTreeMap<String, String>,
    /// Everything that was done, in order.
    pub effects: Vec<Effect>,
    /// Every change that was asked for, done or not: operation, arguments, token.
    pub sent: Vec<String>,
    made: u64,
}

impl World {
    /// Adds a machine in a state where it stays.
    pub fn machine(&mut self, id: &str, state: &'static str, env: &str) {
        let tags = BTreeMap::from([("env".to_string(), env.to_string())]);
        let goal = (state, Instant::now());
        self.machines.insert(id.to_string(), Machine { kind: "t3.micro".into(), tags, goal });
    }

    /// Adds a free volume.
    pub fn volume(&mut self, id: &str, env: &str) {
        let tags = BTreeMap::from([("env".to_string(), env.to_string())]);
        self.volumes.insert(id.to_string(), Volume { tags, from: None });
    }

    /// How often something was done to a thing.
    pub fn count(&self, what: &str, to: &str) -> usize {
        self.effects.iter().filter(|e| e.what == what && e.to == to).count()
    }

    /// What is kept of it in a file, once all that was begun has ended.
    pub(crate) fn kept(&self) -> Json {
        let machines = self.machines.iter().map(|(id, m)| (id, json!([m.state(), m.kind, m.tags])));
        let volumes = self.volumes.iter().map(|(id, v)| (id, json!([v.tags, v.from])));
        let snapshots = self.snapshots.iter().map(|(id, s)| (id, json!([s.volume, s.description])));
        json!({
            "machines": machines.collect::<BTreeMap<_, _>>(),
            "volumes": volumes.collect::<BTreeMap<_, _>>(),
            "snapshots": snapshots.collect::<BTreeMap<_, _>>(),
            "tokens": self.tokens,
            "effects": self.effects.iter().map(|e| json!([e.what, e.to])).collect::<Vec<_>>(),
            "made": self.made,
        })
    }

    /// What was kept.
    pub(crate) fn of(kept: &Json) -> World {
        let each = |list: &str| kept[list].as_object().cloned().unwrap_or_default().into_iter();
        let text = |json: &Json| json.as_str().unwrap_or_default().to_string();
        let texts = |json: &Json| {
            let all = json.as_object().cloned().unwrap_or_default();
            all.into_iter().map(|(name, value)| (name, text(&value))).collect::<BTreeMap<_, _>>()
        };
        let word = |json: &Json| WORDS.iter().find(|word| **word == json.as_str().unwrap_or_default()).copied();
        let now = Instant::now();
        let machine = |m: &Json| {
            let goal = (word(&m[0]).unwrap_or("running"), now);
            Machine { kind: text(&m[1]), tags: texts(&m[2]), goal }
        };
        let snapshot = |s: &Json| Snapshot { volume: text(&s[0]), description: text(&s[1]), ready: now };
        let effects = kept["effects"].as_array().into_iter().flatten();
        World {
            machines: each("machines").map(|(id, m)| (id, machine(&m))).collect(),
            volumes: each("volumes")
                .map(|(id, v)| (id, Volume { tags: texts(&v[0]), from: v[1].as_str().map(str::to_string) }))
                .collect(),
            snapshots: each("snapshots").map(|(id, s)| (id, snapshot(&s))).collect(),
            tokens: texts(&kept["tokens"]),
            effects: effects.filter_map(|e| Some(Effect { what: word(&e[0])?, to: text(&e[1]) })).collect(),
            sent: Vec::new(),
            made: kept["made"].as_u64().unwrap_or_default(),
        }
    }

    pub(super) fn did(&mut self, what: &'static str, to: &str) {
        self.effects.push(Effect { what, to: to.to_string() });
    }

    pub(super) fn id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}-new{:04}", self.made)
    }
}

impl Machine {
    /// Its state now.
    pub fn state(&self) -> &'static str {
        match self.goal {
            (state, at) if Instant::now() >= at => state,
            ("stopped", _) => "stopping",
            ("terminated", _) => "shutting-down",
            _ => "pending",
        }
    }

    pub(super) fn goes(&mut self, to: &'static str) {
        self.goal = (to, Instant::now() + Duration::from_secs(8));
    }
}
