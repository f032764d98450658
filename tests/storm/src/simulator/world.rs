//! What there is, and the log of everything that was done to it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

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
