//! When and where: clocks, what starts once, what has ended, other places.

use std::time::Duration;

use escher_ir::{Target, Value};

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn rows(table: &mut Table) {
    // Time. 24 hours hold; the cloud's clock and the audit log count too.
    let case = Case::approved().await;
    case.bench.clock.advance(86_399);
    case.start().await.unwrap();
    let case = Case::approved().await;
    case.bench.clock.advance(86_400);
    table.refused("an approval that has ended", "it ended at", &case, case.start().await);
    let case = Case::approved().await;
    case.bench.clock.advance(-3_600);
    table.refused("a clock that was moved back", "the last audit record is of", &case, case.start().await);
    let result = case.approve(2, "ben", &gate());
    table.refused("an approval by a clock that was moved back", "the last audit record is of", &case, result);
    case.bench.clock.advance(3_600);
    case.start().await.unwrap();
    // Back by less than the skew, and over the end by the log.
    let case = Case::approved().await;
    case.bench.clock.advance(86_400 + 100);
    table.refused("an approval that has ended, by the clock", "it ended at", &case, case.start().await);
    case.bench.clock.advance(-200);
    table.refused("an approval that has ended, by the audit log", "it ended at", &case, case.start().await);
    for (what, ahead) in [("a cloud whose clock is ahead", 301), ("a cloud whose clock is behind", -301)] {
        let mut case = Case::approved().await;
        case.fake.ahead = Some(ahead);
        table.refused(what, "by the cloud's", &case, case.start().await);
        case.fake.ahead = Some(ahead - ahead.signum());
        case.start().await.unwrap();
    }
    let mut case = Case::approved().await;
    case.bench.clock.advance(86_400 - 120);
    case.fake.ahead = Some(180);
    table.refused("an approval that has ended, by the cloud's clock", "it ended at", &case, case.start().await);
    case.fake.ahead = Some(100);
    case.start().await.unwrap();

    ends(table).await;
    places(table).await;
}

/// Nothing was sent since: the table looks at what arrived, and a finished run has sent something.
fn fresh(case: &Case) -> Case {
    let engine = Bench::engine_on(open(&case.bench.state()), &case.bench.clock);
    let bench = Bench {
        folder: tempfile::tempdir().unwrap(),
        clock: case.bench.clock.clone(),
        engine,
        program: case.bench.program.clone(),
    };
    let fake = Fake::with_instances(2);
    for id in fake.instances().keys() {
        fake.set_state(id, "stopped");
    }
    Case { bench, fake, run: case.run.clone() }
}

async fn ends(table: &mut Table) {
    let planned = Case::planned().await;
    let engine = &planned.bench.engine;
    let (options, run) = (planned.bench.options(), planned.run.clone());
    table.refused(
        "a plan resumed that never began",
        "has not begun",
        &planned,
        engine.resume(&run, &planned.fake, &options).await,
    );
    table.refused(
        "a plan taken back that never began",
        "has not begun",
        &planned,
        engine.undo(&run, &planned.fake, &options).await,
    );

    let first = Case::approved().await;
    let signed = first.bench.engine.signed(&first.run).unwrap().remove(0).1;
    first.start().await.unwrap();
    let case = fresh(&first);
    let (engine, options, run) = (&case.bench.engine, case.bench.options(), case.run.clone());
    table.refused("a plan started twice", "has begun already", &case, case.start().await);
    table.refused("an ended run resumed", "has ended", &case, engine.resume(&run, &case.fake, &options).await);
    let result = engine.cancel(&run, &case.fake, &options, PATIENCE).await;
    table.refused("an ended run cancelled", "nothing to cancel", &case, result);
    table.refused("an ended run approved", "a plan starts once", &case, case.approve(2, "ben", &gate()));
    let result = engine.add_signature(&run, signed.statement.as_bytes(), &signed.signature, &gate());
    table.refused("an approval handed in again after the run", "a plan starts once", &case, result);
    let result = engine.revoke(&run, &key(1), &super::options("mara"), &gate());
    table.refused("an approval taken back after the run", "a plan starts once", &case, result);
    // Taking back needs the approval too.
    let mut other = options.clone();
    other.gate.solo = true;
    let result = engine.undo(&run, &case.fake, &other).await;
    table.refused("taken back under other settings", "`solo` is another", &case, result);
    let lease =
        engine.store().acquire(&format!("run/{run}"), escher_engine::Clock::now(&case.bench.clock), PATIENCE).unwrap();
    let result = engine.undo(&run, &case.fake, &options).await;
    table.refused("taken back while it goes on", "still going on", &case, result);
    engine.store().release(&lease).unwrap();
    let second = Case::approved().await;
    second.start().await.unwrap();
    let late = fresh(&second);
    late.bench.clock.advance(86_401);
    let result = late.bench.engine.undo(&late.run, &late.fake, &options).await;
    table.refused("taken back after the approval has ended", "does not cover taking it back", &late, result);
    late.bench.clock.advance(-86_401);
    let result = late.bench.engine.undo(&late.run, &late.fake, &options).await;
    table.refused("taken back by a clock that was moved back", "the last audit record is of", &late, result);
    let undone = first.bench.engine.undo(&run, &first.fake, &first.bench.options()).await.unwrap();
    let case = fresh(&first);
    let result = case.bench.engine.undo(&undone.run, &case.fake, &options).await;
    table.refused("a taking back taken back", "takes back another one", &case, result);
    let result = case.bench.engine.resume(&undone.run, &case.fake, &options).await;
    table.refused("an ended taking back resumed", "has ended", &case, result);

    let case = Case::approved().await;
    case.bench.engine.cancel(&case.run, &case.fake, &case.bench.options(), PATIENCE).await.unwrap();
    table.refused("a cancelled plan started", "cancelled before it began", &case, case.start().await);
    table.refused("a cancelled plan approved", "cancelled before it began", &case, case.approve(2, "ben", &gate()));
    let result = case.bench.engine.resume(&case.run, &case.fake, &case.bench.options()).await;
    table.refused("a cancelled plan resumed", "cancelled before it began", &case, result);
    let result = case.bench.engine.cancel(&case.run, &case.fake, &case.bench.options(), PATIENCE).await;
    table.refused("a cancelled plan cancelled", "cancelled already", &case, result);

    let case = Case::approved().await;
    let now = escher_engine::Clock::now(&case.bench.clock);
    let lease = case.bench.engine.store().acquire(&format!("run/{}", case.run), now, PATIENCE).unwrap();
    table.refused(
        "a run that another process is about to start",
        "another process is at work",
        &case,
        case.start().await,
    );
    case.bench.engine.store().release(&lease).unwrap();
    case.start().await.unwrap();
}

async fn places(table: &mut Table) {
    // Where this process stands, against where the plan was made: written into the journal in the place of what it said.
    for (what, words, there) in [
        (
            "credentials of another account",
            "planned for account 999999999999",
            ("999999999999", "eu-central-1", "http://127.0.0.1:9"),
        ),
        ("another region at hand", "planned for region us-east-1", ("123456789012", "us-east-1", "http://127.0.0.1:9")),
        ("another endpoint at hand", "planned for endpoint", ("123456789012", "eu-central-1", "http://127.0.0.1:8")),
        ("the same place", "", ("123456789012", "eu-central-1", "http://127.0.0.1:9")),
    ] {
        let case = Case::approved().await;
        let (account, region, endpoint) = there;
        let place = Target {
            cloud: "aws".into(),
            account: account.into(),
            region: region.into(),
            endpoint: Some(endpoint.into()),
            ..Target::default()
        };
        let value = escher_ir::journal::StoredValue(Value::Target(place.into()));
        let digest = case.put(codec::encode(&value).unwrap());
        case.rewrite_journal(|events| {
            if let Event::Planned { ambient, .. } = &mut events[0].event {
                *ambient = digest;
            }
        });
        match words {
            "" => drop(case.start().await.unwrap()),
            words => table.refused(what, words, &case, case.start().await),
        }
    }
    // A throw-away key for what is no practice cloud.
    let case = Case::planned().await;
    case.forge_plan(|plan| plan.targets[0].endpoint = None);
    let result = case.start_under(Gate { sandbox: true, ..gate() }).await;
    table.refused("a throw-away key for a real cloud", "--sandbox is for practice clouds", &case, result);
    case.forge_plan(|plan| plan.targets[0].endpoint = Some("http://127.0.0.1.example.org".into()));
    let result = case.start_under(Gate { sandbox: true, ..gate() }).await;
    table.refused("a throw-away key for what looks like practice", "--sandbox is for practice clouds", &case, result);
}
