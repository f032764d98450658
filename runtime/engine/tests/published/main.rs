//! What somebody published: templates that others use, schedules that run by themselves, and the ways past what was signed.
//!
//! The same through the real binary: `cli/tests/team.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise, and a table says how long it is"
)]

#[path = "../common/mod.rs"]
mod common;
mod schedules;
mod ways;

use std::collections::BTreeMap;

use common::*;
use escher_engine::{EngineError, Gate, PlanOptions, Planned, PublishOptions, Published, RunOptions, RunReport};
use escher_ir::program::{NodeKind, Param, Program};
use escher_ir::standing::{Rate, Standing, StandingKind, When, Within};
use escher_ir::{Digest, Target, Type, Value, codec};
use escher_provider::fake::Fake;

/// Mara and Ben are managers, Eli is an executor, Vera a viewer; what else people are the gate of `common` says.
fn crew() -> Gate {
    let mut gate = gate();
    gate.roles.insert("executor".into(), vec!["eli".into(), "otto".into()]);
    gate.roles.insert("viewer".into(), vec!["vera".into()]);
    gate
}

/// The playbook without what it requires of the world, so that it may run with nothing to do.
fn undemanding(mut program: Program) -> Program {
    for node in &mut program.playbook.body.nodes {
        if let NodeKind::Require { condition, .. } = &mut node.kind {
            *condition = lit(Value::Bool(true));
        }
    }
    program
}

/// A state with a cloud of so many machines that run.
struct Shop {
    bench: Bench,
    fake: Fake,
    gate: Gate,
}

impl Shop {
    fn new(machines: usize) -> Shop {
        let mut program = undemanding(program(vec![batch_step(2)]));
        let params = &mut program.playbook.params;
        params[0].ty = Type::Int { min: Some(1), max: Some(20) };
        params[0].default = Some(int(10));
        params.push(Param {
            name: "env".into(),
            doc: None,
            ty: Type::Literals(vec![Value::text("dev")]),
            default: Some(text("dev")),
        });
        Shop { bench: Bench::new(program), fake: Fake::with_instances(machines), gate: crew() }
    }

    fn standing(&self, name: &str, kind: StandingKind) -> Standing {
        let program = (*self.bench.program).clone();
        Standing {
            name: name.into(),
            doc: None,
            within: Within {
                program: codec::digest(&program).unwrap(),
                risk: program.playbook.risk,
                blast_radius: None,
            },
            program,
            until: Some(Value::Date("2027-03-31".parse().unwrap())),
            kind,
            groups: BTreeMap::new(),
        }
    }

    /// A template that may run so often a day.
    fn template(&self, runs: u32) -> Standing {
        self.rated(runs, "day")
    }

    fn rated(&self, runs: u32, per: &str) -> Standing {
        let rate = Some(Rate { runs, per: per.into() });
        self.standing(
            "some",
            StandingKind::Template { fixed: vec!["env".into()], narrowed: vec!["limit".into()], rate },
        )
    }

    /// Every day at eight in the evening, in UTC.
    fn schedule(&self, overlap: &str, missed: &str, within_hours: Option<u64>) -> Standing {
        let when = When::Cron { expression: "0 20 * * *".into(), zone: "UTC".into() };
        let (overlap, missed) = (overlap.to_string(), missed.to_string());
        let (within_ms, arguments) = (within_hours.map(|hours| hours * 3_600_000), BTreeMap::new());
        let kind = StandingKind::Schedule { arguments, when, overlap, missed, within_ms, jitter_ms: None };
        self.standing("nightly", kind)
    }

    fn publish(&self, standing: &Standing) -> Published {
        self.publish_as(standing, 1, "mara").unwrap()
    }

    fn publish_as(&self, standing: &Standing, seed: u8, who: &str) -> Result<Published, EngineError> {
        let options =
            PublishOptions { principal: who.into(), comment: "as agreed".into(), ..PublishOptions::default() };
        self.bench.engine.publish(standing, &key(seed), &options, &self.gate)
    }

    fn withdraw(&self, name: &str) {
        let options = PublishOptions { principal: "ben".into(), ..PublishOptions::default() };
        self.bench.engine.withdraw(name, &key(2), &options, &self.gate).unwrap();
    }

    fn planning(&self, who: &str) -> PlanOptions {
        let mut options = PlanOptions::new(who, Target { cloud: "aws".into(), ..Target::default() });
        options.gate = self.gate.clone();
        options
    }

    fn running(&self, who: &str) -> RunOptions {
        RunOptions { principal: who.into(), gate: self.gate.clone(), ..self.bench.options() }
    }

    async fn plan(&self, who: &str, given: &[(&str, Value)]) -> Result<Planned, EngineError> {
        let given = given.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        self.bench.engine.extend("some", given, &self.fake, &self.planning(who)).await
    }

    async fn start(&self, who: &str, planned: &Planned) -> Result<RunReport, EngineError> {
        self.bench.engine.run(&planned.run, &self.fake, &self.running(who)).await
    }

    /// Plans and starts.
    async fn extend(&self, who: &str) -> Result<RunReport, EngineError> {
        let planned = self.plan(who, &[]).await?;
        self.start(who, &planned).await
    }

    fn put(&self, object: (Digest, Vec<u8>)) -> Digest {
        self.bench.engine.store().put(object.0, object.1).unwrap();
        object.0
    }
}
