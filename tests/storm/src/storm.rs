//! One run from its seed: drawn, planned, started, killed, taken up again, perhaps taken back, judged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use escher_core::CatalogWorld;
use escher_engine::{Clock, Engine, EngineError, PlanOptions, RunOptions, RunReport, SqliteStore, Standing};
use escher_ir::journal::RunStatus;
use escher_ir::program::Program;
use escher_ir::{Digest, Target};

use crate::cloud::Cloud;
use crate::dying::Dying;
use crate::examples::{example, often};
use crate::generator::{Generated, generate};
use crate::judge;
use crate::people;
use crate::random::Random;

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
    /// Times that it waited for an approval on the way, and got it.
    pub approvals: u64,
    /// Whether people signed, or a throw-away key.
    pub signed: bool,
    /// Whether it ran on the practice cloud.
    pub practice: bool,
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

/// Runs the storm of a seed on the simulated cloud, in no time. `Err` says what was wrong.
pub fn storm(seed: u64) -> Result<Story, String> {
    on(seed, generate(seed), false)
}

/// Runs the storm of a seed on the practice cloud, over the clouds' own protocols and in real time: an example, or every
/// third time what the seed draws.
pub fn practice_storm(seed: u64) -> Result<Story, String> {
    let drawn = match seed % 3 {
        0 => {
            let drawn = generate(seed);
            Generated { source: often(&drawn.source), ..drawn }
        }
        _ => example(seed),
    };
    on(seed, drawn, true)
}

fn on(seed: u64, drawn: Generated, practice: bool) -> Result<Story, String> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(!practice).build().map_err(|e| e.to_string())?;
    let told = |why: String| format!("seed {seed}: {why}\n{}", drawn.source);
    let work = async { Storm::of(seed, &drawn, practice).await?.go().await };
    let story = runtime.block_on(work).map_err(told);
    runtime.shutdown_timeout(Duration::ZERO);
    story
}

struct Storm<'d> {
    random: Random,
    drawn: &'d Generated,
    program: Arc<Program>,
    cloud: Cloud,
    folder: tempfile::TempDir,
    /// Whether people sign what runs, with keys of their own.
    signed: bool,
    /// The rest of the run that they signed last.
    rest: Option<Digest>,
    story: Story,
}

impl<'d> Storm<'d> {
    async fn of(seed: u64, drawn: &'d Generated, practice: bool) -> Result<Storm<'d>, String> {
        let mut random = Random::of(seed, "world");
        let checked = escher_core::check(&CatalogWorld, &drawn.source);
        let mut playbooks = checked.playbooks.into_iter();
        let program = playbooks.next().and_then(|p| p.program().cloned());
        let program = program.ok_or_else(|| format!("does not check: {:?}", checked.diagnostics))?;
        let cloud = match practice {
            true => Cloud::practice(&mut random).await?,
            false => Cloud::simulated(seed, &mut random),
        };
        let signed = Random::of(seed, "people").percent(50);
        Ok(Storm {
            cloud,
            random,
            drawn,
            program,
            folder: tempfile::tempdir().map_err(|e| e.to_string())?,
            signed,
            rest: None,
            story: Story { source: drawn.source.clone(), practice, signed, ..Story::default() },
        })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.cloud.clock()
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
        let mut options = RunOptions::new("otto", people::gate(self.signed));
        options.confirm = escher_engine::Confirm::Yes;
        self.cloud.pace(&mut options);
        options
    }

    async fn go(mut self) -> Result<Story, String> {
        self.cloud.populate(&mut self.random);
        let run = self.plan().await?;
        if self.signed {
            people::sign(&self.engine()?, &run, "as drawn")?;
        }
        let left_alone = self.cloud.drift(&mut self.random).await?;
        self.cloud.break_down(&mut self.random).await?;
        let planned = self.engine()?.planned(&run).map_err(|e| e.to_string())?;
        self.story.items = planned.plan.steps.iter().map(|s| s.items.len() as u64).sum();
        let report = self.live(&run, false).await?;
        judge::run(self.drawn, &planned, &report, &self.cloud.world().await?, &left_alone, false)?;
        for (outcome, count) in report.totals() {
            *self.story.outcomes.entry(escher_engine::outcome_word(outcome)).or_default() += count;
        }
        let has_undo = self.drawn.allowed.values().any(|(_, undo)| *undo > 0);
        if has_undo && self.random.percent(50) {
            let back = self.take_back(&run).await?;
            if let Some(back) = back {
                self.story.undone = true;
                let planned = self.engine()?.planned(&back.run).map_err(|e| e.to_string())?;
                judge::run(self.drawn, &planned, &back, &self.cloud.world().await?, &left_alone, true)?;
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
        self.story.effects = self.cloud.world().await?.effects.len() as u64;
        Ok(self.story)
    }

    async fn plan(&mut self) -> Result<String, String> {
        let ambient = Target { cloud: "aws".into(), ..Target::default() };
        let mut options = PlanOptions::new("otto", ambient);
        self.cloud.ageing(&mut options);
        let mut last = String::new();
        for _ in 0..20 {
            let engine = self.engine()?;
            match engine
                .plan(self.program.clone(), self.cloud.parameters(&self.program), self.cloud.change(), &options)
                .await
            {
                Ok(planned) => return Ok(planned.run),
                // A `require` that does not hold: this world has nothing to do for it.
                Err(EngineError::Refused(refused)) if refused.reason.contains("nothing is running") => {
                    self.cloud.something_to_do();
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(format!("twenty plans failed: {last}"))
    }

    /// People sign the rest of a run that waits for them, after somebody has tried without.
    async fn approve_the_rest(&mut self, run: &str) -> Result<(), String> {
        let waiting = self.engine()?.waiting(run).map_err(|e| e.to_string())?;
        // Where nothing is left to do, nobody need sign that; and what was signed stays so, whoever dies then.
        let Some(rest) = waiting.filter(|rest| rest.plan.covered() > 0 && self.rest != Some(rest.digest)) else {
            return Ok(());
        };
        self.rest = Some(rest.digest);
        if self.random.percent(30) {
            let engine = self.engine()?;
            match engine.resume(run, self.cloud.change(), &self.options()).await {
                Err(EngineError::Refused(_)) => {}
                other => return Err(format!("it goes on without its approval: {other:?}")),
            }
        }
        people::sign(&self.engine()?, run, "as drawn")?;
        self.story.approvals += 1;
        Ok(())
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
                Standing::Status(RunStatus::WaitingForApproval | RunStatus::Cancelled | RunStatus::Running)
                | Standing::Interrupted => true,
                _ => return Ok(shown),
            };
            if self.signed && begun {
                self.approve_the_rest(run).await?;
            }
            if let Some(result) = self.life(&life, run, begun).await {
                match result {
                    Ok(report) if goes_on(report.standing) => {}
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
                    // The cloud would not say who asks: whoever sees that tries again.
                    Err(EngineError::Call { error, .. }) if self.story.practice && error.kind.is_transient() => {}
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
                false => engine.run(run, self.cloud.change(), &options).await,
                true => engine.resume(run, self.cloud.change(), &options).await,
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
            // The dead may hold the lease of a run that has not begun, which `run` does not wait out.
            self.cloud.after_a_death(!begun).await;
            return None;
        }
        result
    }

    /// Takes the run back, with deaths of its own. None where there is nothing that could be.
    async fn take_back(&mut self, run: &str) -> Result<Option<RunReport>, String> {
        for mut life in self.lives(self.story.items) {
            // A process that died right after the end still holds the lease.
            self.cloud.after_a_death(true).await;
            if self.story.practice {
                // Whoever dies while they prepare it leave a claim that lasts longer than clocks may differ.
                life.dies_at = None;
            }
            let store = SqliteStore::open(self.state()).map_err(|e| e.to_string())?;
            let store = Arc::new(Dying::new(store, life.dies_at.unwrap_or(u64::MAX / 2), life.lands));
            let engine = Engine::new(store.clone()).with_clock(self.clock());
            let options = self.options();
            let result = tokio::select! {
                biased;
                () = store.death() => None,
                result = engine.undo(run, self.cloud.change(), &options) => Some(result),
            };
            drop(engine);
            if let (Some(result), false) = (result, store.is_dead()) {
                return match result {
                    Ok(report) => Ok(Some(report)),
                    Err(EngineError::Call { error, .. }) if self.story.practice && error.kind.is_transient() => {
                        continue;
                    }
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

/// Whether a run in this standing goes on in another process.
fn goes_on(standing: Standing) -> bool {
    matches!(standing, Standing::Status(RunStatus::Cancelled | RunStatus::WaitingForApproval))
}
