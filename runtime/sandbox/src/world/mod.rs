//! What exists in the practice clouds, whatever cloud it is in: seeds, ids, clocks, states that take time.
//!
//! Knows no wire format and no operation. The resources of each cloud stand in that cloud's own module and are held here.
//! Nothing runs in the background: a state that is due is found out when somebody looks.

pub(crate) mod clock;
mod generate;
pub(crate) mod ids;
pub(crate) mod lifecycle;
pub(crate) mod metrics;
pub mod seed;
pub(crate) mod table;
pub(crate) mod things;

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aws::state::Aws;
use crate::azure::state::Azure;
use crate::gcp::state::Gcp;
use ids::Ids;
use seed::{Seed, SeedError};
use things::{Things, Word};

/// Version of the state file.
const STATE_FORMAT: u32 = 3;

/// The practice clouds with all that is in them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    format: u32,
    /// Where it started from, and goes back to on `POST /_sandbox/reset`.
    pub(crate) seed: Seed,
    pub(crate) ids: Ids,
    pub(crate) aws: Aws,
    pub(crate) azure: Azure,
    pub(crate) gcp: Gcp,
    /// Resources of all clouds whose kinds a table describes.
    pub(crate) things: Things,
}

/// A change of state that a request caused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Transition {
    /// Id of the resource.
    pub(crate) resource: Arc<str>,
    /// State before; nothing where the request made it.
    pub(crate) from: Option<Word>,
    /// State at once.
    pub(crate) to: Word,
    /// State it comes to by itself, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) settles: Option<Word>,
}

/// A state file that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system says no.
    #[error("the state file {path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It isn't a state file of this version.
    #[error("the state file {path} is not one of this version: {reason}")]
    Format {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
}

impl World {
    /// Everything that the seed describes, all of it settled.
    pub fn from_seed(seed: &Seed) -> Result<World, SeedError> {
        seed.validate()?;
        let mut ids = Ids::new(seed.seed);
        let aws = Aws::from_seed(seed, &mut ids)?;
        let mut things = Things::default();
        let azure = Azure::from_seed(&seed.azure, seed.timing, &mut things);
        let gcp = Gcp::from_seed(&seed.gcp, seed.timing, &mut things);
        Ok(World { format: STATE_FORMAT, seed: seed.clone(), ids, aws, azure, gcp, things })
    }

    /// What an earlier sandbox left in its state file.
    pub fn load(path: &Path) -> Result<World, StateError> {
        let shown = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| StateError::Io { path: shown(), source })?;
        let world: World =
            serde_json::from_str(&text).map_err(|e| StateError::Format { path: shown(), reason: e.to_string() })?;
        if world.format != STATE_FORMAT {
            return Err(StateError::Format { path: shown(), reason: format!("it has format {}", world.format) });
        }
        Ok(world)
    }

    /// Writes the state file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let fail = |source| StateError::Io { path: path.display().to_string(), source };
        let json = serde_json::to_vec(self).map_err(|e| fail(e.into()))?;
        let beside = path.with_extension("new");
        std::fs::write(&beside, json).map_err(fail)?;
        std::fs::rename(&beside, path).map_err(fail)
    }

    /// Back to the seed.
    pub(crate) fn reset(&mut self) {
        // The seed was accepted once, and nothing changes it.
        if let Ok(fresh) = World::from_seed(&self.seed) {
            *self = fresh;
        }
    }

    /// Applies every transition that is due, so that what is shown is what is.
    pub(crate) fn settle(&mut self, now: i64) {
        self.aws.settle(now);
        self.things.settle(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_world() {
        let one = World::from_seed(&Seed::default()).unwrap();
        let two = World::from_seed(&Seed::default()).unwrap();
        assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&two).unwrap());
    }

    #[test]
    fn a_state_file_gives_the_world_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let world = World::from_seed(&Seed::default()).unwrap();
        world.save(&path).unwrap();
        let again = World::load(&path).unwrap();
        assert_eq!(serde_json::to_string(&world).unwrap(), serde_json::to_string(&again).unwrap());
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(World::load(&path), Err(StateError::Format { .. })));
        assert!(matches!(World::load(&folder.path().join("none")), Err(StateError::Io { .. })));
    }
}
