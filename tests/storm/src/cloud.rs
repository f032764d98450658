//! Where a storm's run takes place, and how time passes there: a simulated cloud in no time, or the practice cloud in real
//! time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use escher_engine::{Clock, PlanOptions, RunOptions};
use escher_ir::program::Program;
use escher_ir::{Target, Value};
use escher_provider::Change;

use crate::clock::{AheadClock, PausedClock};
use crate::practice::{self, Practice};
use crate::random::Random;
use crate::simulator::{Chaos, Simulator, World};

/// Past the lease of whoever died, and within what clocks may differ.
const PAST_THE_LEASE: Duration = Duration::from_secs(20);

/// One of the two.
pub(crate) enum Cloud {
    Simulated(Simulator, PausedClock),
    Practice(Box<Practice>, AheadClock),
}

impl Cloud {
    /// The simulated one. Must be called inside a runtime whose time is paused.
    pub(crate) fn simulated(seed: u64, random: &mut Random) -> Cloud {
        // No pages smaller than this: five troubles in a row end a reading, and so most runs.
        let page = 2 + usize::try_from(random.below(30)).unwrap_or(0);
        Cloud::Simulated(Simulator::new(seed, Chaos::storm(page), World::default()), PausedClock::new())
    }

    pub(crate) async fn practice(random: &mut Random) -> Result<Cloud, String> {
        Ok(Cloud::Practice(Box::new(Practice::start(random).await?), AheadClock::default()))
    }

    pub(crate) fn change(&self) -> &dyn Change {
        match self {
            Cloud::Simulated(simulator, _) => simulator,
            Cloud::Practice(practice, _) => &**practice,
        }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Cloud::Simulated(_, clock) => Arc::new(clock.clone()),
            Cloud::Practice(_, clock) => Arc::new(clock.clone()),
        }
    }

    /// The world as it is, with all that was done to it.
    pub(crate) async fn world(&self) -> Result<World, String> {
        match self {
            Cloud::Simulated(simulator, _) => Ok(simulator.world().clone()),
            Cloud::Practice(practice, _) => practice.world().await,
        }
    }

    /// Draws what there is; the practice cloud begins with that.
    pub(crate) fn populate(&self, random: &mut Random) {
        let Cloud::Simulated(simulator, _) = self else { return };
        let mut world = simulator.world();
        for n in 0..2 + random.below(12) {
            let env = if random.percent(75) { "dev" } else { "prod" };
            let state = if random.percent(75) { "running" } else { "stopped" };
            world.machine(&format!("i-{n:04}"), state, env);
        }
        for n in 0..1 + random.below(8) {
            let env = if random.percent(75) { "dev" } else { "prod" };
            world.volume(&format!("vol-{n:04}"), env);
        }
    }

    /// A machine for a playbook that wants one.
    pub(crate) fn something_to_do(&self) {
        if let Cloud::Simulated(simulator, _) = self {
            simulator.world().machine("i-9999", "running", "dev");
        }
    }

    /// Somebody else is at work between plan and run: what they take out of the list must be left alone.
    pub(crate) async fn drift(&self, random: &mut Random) -> Result<Vec<String>, String> {
        if !random.percent(40) {
            return Ok(Vec::new());
        }
        match self {
            Cloud::Simulated(simulator, _) => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                let mut gone = Vec::new();
                for (id, machine) in &mut simulator.world().machines {
                    if random.percent(15) {
                        machine.tags.insert("env".into(), "prod".into());
                        gone.push(id.clone());
                    }
                }
                Ok(gone)
            }
            Cloud::Practice(practice, _) => {
                tokio::time::sleep(RECHECK_AFTER * 2).await;
                practice.drift(random, 15).await
            }
        }
    }

    /// From now on things go wrong; the simulated cloud was never anything else.
    pub(crate) async fn break_down(&self, random: &mut Random) -> Result<(), String> {
        match self {
            Cloud::Simulated(..) => Ok(()),
            Cloud::Practice(practice, _) => practice.break_down(random).await,
        }
    }

    /// Where a playbook that is told so is to look.
    pub(crate) fn parameters(&self, program: &Program) -> BTreeMap<String, Value> {
        let here = Target { cloud: "aws".into(), region: "us-east-1".into(), ..Target::default() };
        let asked = program.playbook.params.iter().filter(|param| param.name == "places");
        asked.map(|param| (param.name.clone(), Value::list(vec![Value::Target(Arc::new(here.clone()))]))).collect()
    }

    /// How fast a reading ages.
    pub(crate) fn ageing(&self, options: &mut PlanOptions) {
        if matches!(self, Cloud::Practice(..)) {
            options.recheck_after = RECHECK_AFTER;
        }
    }

    /// In real time nobody waits for long.
    pub(crate) fn pace(&self, options: &mut RunOptions) {
        if matches!(self, Cloud::Practice(..)) {
            options.backoff = Duration::from_millis(20);
            options.settle = Duration::from_millis(400);
        }
    }

    /// Time passes after a process died; `lease`: until nobody holds what it held.
    pub(crate) async fn after_a_death(&self, lease: bool) {
        match self {
            Cloud::Simulated(..) if lease => tokio::time::sleep(PAST_THE_LEASE).await,
            Cloud::Simulated(..) => {}
            Cloud::Practice(_, clock) => {
                tokio::time::sleep(practice::IN_FLIGHT).await;
                clock.advance(PAST_THE_LEASE);
            }
        }
    }
}

/// How old a reading may be on the practice cloud.
const RECHECK_AFTER: Duration = Duration::from_millis(100);
