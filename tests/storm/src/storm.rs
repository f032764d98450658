//! One run from its seed: drawn, planned, started, killed, taken up again, perhaps taken back, judged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use escher_core::CatalogWorld;
use escher_engine::{Engine, EngineError, Gate, PlanOptions, RunOptions, RunReport, SqliteStore, Standing};
use escher_ir::Target;
use escher_ir::journal::RunStatus;
use escher_ir::program::Program;

use crate::clock::PausedClock;
use crate::dying::Dying;
use crate::generator::{Generated, generate};
use crate::judge;
use crate::random::Random;
use crate::simulator::{Chaos, Simulator, World};

/// What one seed's storm was like.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// The playbook.
    pub source: String,
    /// Times that its process died.
    pub deaths: u64,
    /// Items that were planned.
    pub items: u64,
    /// Items by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Changes that reached the cloud.
    pub effects: u64,
    /// Whether the run was taken back as well.
    pub undone: bool,
    /// Whether it was cancelled once.
    pub cancelled: bool,
    /// The statuses that it was seen in, in order.
    pub statuses: Vec<&'static str>,
}

/// A life of a run: the process that has it, and how it ends.
struct Life {
    /// Journal events that it will see; none where it lives on.
    dies_at: Option<u64>,
    lands: bool,
    cancels: bool,
}

/// Runs the storm of a seed, with its own playbook or a given one. `Err` says what was wrong.
pub fn storm(seed: u64, given: Option<Generated>) -> Result<Story, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .map_err(|e| e.to_string())?;
    let drawn = given.unwrap_or_else(|| generate(seed));
    let told = |why: String| format!("seed {seed}: {why}\n{}", drawn.source);
    let story = runtime.block_on(Storm::of(seed, &drawn).map_err(told)?.go()).map_err(told);
    runtime.shutdown_timeout(Duration::ZERO);
    story
}

struct Storm<'d> {
    random: Random,
    drawn: &'d Generated,
    program: Arc<Program>,
    simulator: Simulator,
    folder: tempfile::TempDir,
    clock: Option<Arc<PausedClock>>,
    story: Story,
}

impl<'d> Storm<'d> {
    fn of(seed: u64, drawn: &'d Generated) -> Result<Storm<'d>, String> {
        let mut random = Random::of(seed, "world");
        let checked = escher_core::check(&CatalogWorld, &drawn.source);
        let mut playbooks = checked.playbooks.into_iter();
        let program = playbooks.next().and_then(|p| p.program);
        let program = program.ok_or_else(|| format!("does not check: {:?}", checked.diagnostics))?;
        // No pages smaller than this: five troubles in a row end a reading, and so most runs.
        let page = 2 + usize::try_from(random.below(30)).unwrap_or(0);
        Ok(Storm {
            simulator: Simulator::new(seed, Chaos::storm(page), World::default()),
            random,
            drawn,
            program: Arc::new(program),
            folder: tempfile::tempdir().map_err(|e| e.to_string())?,
            clock: None,
            story: Story { source: drawn.source.clone(), ..Story::default() },
        })
    }

    fn clock(&self) -> Arc<PausedClock> {
        self.clock.clone().unwrap_or_default()
    }

    fn state(&self) -> &Path {
        self.folder.path()
    }

    /// An engine of a process that lives until the end.
    fn engine(&self) -> Result<Engine, String> {
        let store = SqliteStore::open(self.state()).map_err(|e| e.to_string())?;
        Ok(Engine::new(Arc::new(store)).with_clock(self.clock()))
    }

    fn options(&self) -> RunOptions {
        let mut options = RunOptions::new("otto", Gate { sandbox: true, ..Gate::default() });
        options.confirm = escher_engine::Confirm::Yes;
        options
    }

    async fn go(mut self) -> Result<Story, String> {
        self.clock = Some(Arc::new(PausedClock::new()));
        self.populate();
        let run = self.plan().await?;
        let left_alone = self.drift().await;
        let planned = self.engine()?.planned(&run).map_err(|e| e.to_string())?;
        self.story.items = planned.plan.steps.iter().map(|s| s.items.len() as u64).sum();
        let report = self.live(&run, false).await?;
        judge::run(self.drawn, &planned, &report, &self.simulator.world(), &left_alone, false)?;
        for (outcome, count) in report.totals() {
            *self.story.outcomes.entry(escher_engine::outcome_word(outcome)).or_default() += count;
        }
        let has_undo = self.drawn.allowed.values().any(|(_, undo)| *undo > 0);
        if has_undo && self.random.percent(50) {
            let back = self.take_back(&run).await?;
            if let Some(back) = back {
                self.story.undone = true;
                let planned = self.engine()?.planned(&back.run).map_err(|e| e.to_string())?;
                judge::run(self.drawn, &planned, &back, &self.simulator.world(), &left_alone, true)?;
            }
        }
        let engine = self.engine()?;
        let verdict = engine.verify_audit().map_err(|e| e.to_string())?;
        if !verdict.problems.is_empty() {
            return Err(format!("the audit log does not verify: {:?}", verdict.problems));
        }
        if engine.show(&run).map_err(|e| e.to_string())? != report {
            return Err("the journal tells another report than the run gave".into());
        }
        self.story.effects = self.simulator.world().effects.len() as u64;
        Ok(self.story)
    }

    fn populate(&mut self) {
        let (random, simulator) = (&mut self.random, self.simulator.clone());
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

    async fn plan(&mut self) -> Result<String, String> {
        let ambient = Target { cloud: "aws".into(), ..Target::default() };
        let options = PlanOptions::new("otto", ambient);
        let mut last = String::new();
        for _ in 0..20 {
            let engine = self.engine()?;
            match engine.plan(self.program.clone(), BTreeMap::new(), &self.simulator, &options).await {
                Ok(planned) => return Ok(planned.run),
                // A `require` that does not hold: this world has nothing to do for it.
                Err(EngineError::Refused(refused)) if refused.reason.contains("nothing is running") => {
                    self.simulator.world().machine("i-9999", "running", "dev");
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(format!("twenty plans failed: {last}"))
    }

    /// Somebody else is at work between plan and run: what they take out of the list must be left alone.
    async fn drift(&mut self) -> Vec<String> {
        if !self.random.percent(40) {
            return Vec::new();
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
        let mut world = self.simulator.world();
        let mut gone = Vec::new();
        for (id, machine) in &mut world.machines {
            if self.random.percent(15) {
                machine.tags.insert("env".into(), "prod".into());
                gone.push(id.clone());
            }
        }
        gone
    }

    /// One to three deaths, then the end.
    fn lives(&mut self, items: u64) -> Vec<Life> {
        let random = &mut self.random;
        let deaths = 1 + random.below(3);
        let mut lives: Vec<Life> = (0..deaths)
            .map(|_| Life {
                dies_at: Some(random.below(items * 4 + 6)),
                lands: random.percent(50),
                cancels: random.percent(8),
            })
            .collect();
        lives.push(Life { dies_at: None, lands: false, cancels: random.percent(8) });
        lives
    }

    /// Starts a run, or takes it up again, until it has ended.
    async fn live(&mut self, run: &str, undo: bool) -> Result<RunReport, String> {
        let lives = self.lives(self.story.items);
        for life in lives
            .into_iter()
            .chain(std::iter::repeat_with(|| Life { dies_at: None, lands: false, cancels: false }))
            .take(12)
        {
            let shown = self.engine()?.show(run).map_err(|e| e.to_string())?;
            self.story.statuses.push(shown.standing.word());
            let begun = match shown.standing {
                Standing::Status(RunStatus::Planned) if !undo => false,
                Standing::Status(RunStatus::Cancelled | RunStatus::Running) | Standing::Interrupted => true,
                _ => return Ok(shown),
            };
            if let Some(result) = self.life(&life, run, begun).await {
                match result {
                    Ok(report) if report.standing == Standing::Status(RunStatus::Cancelled) => {}
                    Ok(report) => {
                        self.story.statuses.push(report.standing.word());
                        // What a process remembers of its run is what the journal says.
                        if self.engine()?.show(run).map_err(|e| e.to_string())? != report {
                            return Err("its process reports another run than its journal".into());
                        }
                        return Ok(report);
                    }
                    // Told to stop while it waited for the lease of the dead.
                    Err(EngineError::Refused(refused)) if life.cancels && refused.reason.contains("at work") => {}
                    Err(error) => return Err(format!("it cannot go on: {error}")),
                }
            }
        }
        Err("it comes to no end".into())
    }

    /// One process. None where it died.
    async fn life(&mut self, life: &Life, run: &str, begun: bool) -> Option<Result<RunReport, EngineError>> {
        let store = SqliteStore::open(self.state()).map_err(EngineError::from);
        let store = match store {
            Ok(store) => Arc::new(Dying::new(store, life.dies_at.unwrap_or(u64::MAX / 2), life.lands)),
            Err(error) => return Some(Err(error)),
        };
        let engine = Engine::new(store.clone()).with_clock(self.clock());
        let options = self.options();
        if life.cancels {
            self.story.cancelled = true;
            let (cancel, after) = (options.cancel.clone(), Duration::from_millis(self.random.below(20_000)));
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                cancel.cancel();
            });
        }
        let work = async {
            match begun {
                false => engine.run(run, &self.simulator, &options).await,
                true => engine.resume(run, &self.simulator, &options).await,
            }
        };
        let result = tokio::select! {
            biased;
            () = store.death() => None,
            result = work => Some(result),
        };
        // A process that died in its last breath told nobody how it ended.
        if store.is_dead() {
            self.story.deaths += 1;
            if !begun {
                // The dead may hold the lease of a run that has not begun, which `run` does not wait out.
                tokio::time::sleep(Duration::from_secs(20)).await;
            }
            return None;
        }
        result
    }

    /// Takes the run back, with deaths of its own. None where there is nothing that could be.
    async fn take_back(&mut self, run: &str) -> Result<Option<RunReport>, String> {
        for life in self.lives(self.story.items) {
            // A process that died right after the end still holds the lease.
            tokio::time::sleep(Duration::from_secs(20)).await;
            let store = SqliteStore::open(self.state()).map_err(|e| e.to_string())?;
            let store = Arc::new(Dying::new(store, life.dies_at.unwrap_or(u64::MAX / 2), life.lands));
            let engine = Engine::new(store.clone()).with_clock(self.clock());
            let options = self.options();
            let result = tokio::select! {
                biased;
                () = store.death() => None,
                result = engine.undo(run, &self.simulator, &options) => Some(result),
            };
            drop(engine);
            if let (Some(result), false) = (result, store.is_dead()) {
                return match result {
                    Ok(report) => Ok(Some(report)),
                    Err(EngineError::Refused(refused)) => Err(format!("undo was refused: {}", refused.reason)),
                    Err(error) => Err(format!("undo failed: {error}")),
                };
            }
            self.story.deaths += 1;
            // Whoever prepared it is gone, and so is their claim.
            tokio::time::sleep(Duration::from_secs(601)).await;
            let runs = self.engine()?.runs().map_err(|e| e.to_string())?;
            if let Some(begun) = runs.into_iter().find(|r| r.undo_of.as_deref() == Some(run)) {
                return self.live(&begun.run, true).await.map(Some);
            }
        }
        Ok(None)
    }
}
