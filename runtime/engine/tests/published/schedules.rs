//! Schedules: each time runs once, or it is written down why it did not, whoever looks and however often.

use super::*;
use escher_engine::{Happened, Ticked};
use escher_ir::calendar::Calendar;
use escher_ir::journal::RunStatus;
use escher_ir::published::UseOf;
use escher_provider::fake::Fault;

impl Shop {
    async fn tick(&self) -> Vec<Ticked> {
        let (planning, running) = (self.planning("cron"), self.running("cron"));
        self.bench.engine.tick(&self.fake, &planning, &running).await.unwrap()
    }

    /// What one look did, in short.
    async fn look(&self) -> Vec<String> {
        let ticked = self.tick().await;
        let short = |happened: &Happened| match happened {
            Happened::WentOn(report) => format!("went on: {}", report.standing.word()),
            Happened::Ran(due, report) => format!("{due}: {}", report.standing.word()),
            Happened::Missed(count, due, why) => format!("{count} until {due}: {why}"),
            Happened::Failed(_, error) => format!("failed: {error}"),
        };
        ticked.iter().flat_map(|one| &one.happened).map(short).collect()
    }

    /// The clock to an instant.
    fn at(&self, instant: &str) {
        *self.bench.clock.0.lock().unwrap() = instant.parse().unwrap();
    }

    /// Machines that were stopped are started again, by somebody else.
    fn again(&self) {
        self.fake.instances().keys().for_each(|id| self.fake.set_state(id, "running"));
    }
}

#[tokio::test]
async fn a_time_runs_once_however_often_somebody_looks() {
    let shop = Shop::new(3);
    let published = shop.publish(&shop.schedule("skip", "run_once", Some(2)));
    assert_eq!(shop.look().await, [] as [&str; 0]);
    let next = shop.bench.engine.due_next(&published).unwrap();
    assert_eq!(next, Some("2026-11-21T20:00:00Z".parse().unwrap()));
    shop.at("2026-11-21T20:00:00Z");
    assert_eq!(shop.look().await, ["2026-11-21T20:00:00Z: done"]);
    assert_eq!(shop.look().await, [] as [&str; 0]);
    shop.at("2026-11-21T20:05:00Z");
    assert_eq!(shop.look().await, [] as [&str; 0]);
    let uses = shop.bench.engine.uses("nightly", 10).unwrap();
    assert_eq!(uses.len(), 1);
    assert!(matches!(uses[0].what, UseOf::Run(_)));
    assert!(shop.bench.engine.verify_audit().unwrap().problems.is_empty());
}

#[tokio::test]
async fn two_looks_at_once_start_nothing_twice() {
    for round in 0..20 {
        let shop = Shop::new(2);
        shop.publish(&shop.schedule("parallel", "run_all", None));
        shop.at("2026-11-21T20:00:01Z");
        let (one, other) = tokio::join!(shop.look(), shop.look());
        let ran = one.iter().chain(&other).filter(|line| line.ends_with(": done")).count();
        assert_eq!(ran, 1, "round {round}: {one:?} {other:?}");
        let runs = shop.bench.engine.uses("nightly", 10).unwrap();
        let begun = runs.iter().filter(|used| matches!(used.what, UseOf::Run(_))).count();
        assert_eq!(begun, 1, "round {round}");
    }
}

#[tokio::test]
async fn asleep_for_a_week() {
    for (missed, within, expected) in [
        ("skip", None, vec!["7 until 2026-11-28T20:00:00Z: 7 times: nothing looked until it was too late to begin"]),
        (
            "run_once",
            None,
            vec![
                "6 until 2026-11-27T20:00:00Z: 6 times: nothing looked until it was too late to begin",
                "2026-11-28T20:00:00Z: done",
            ],
        ),
        (
            "run_once",
            Some(2),
            vec!["7 until 2026-11-28T20:00:00Z: 7 times: nothing looked until it was too late to begin"],
        ),
        (
            "run_all",
            Some(60),
            vec![
                "4 until 2026-11-25T20:00:00Z: 4 times: nothing looked until it was too late to begin",
                "2026-11-26T20:00:00Z: done",
                "2026-11-27T20:00:00Z: done",
                "2026-11-28T20:00:00Z: done",
            ],
        ),
    ] {
        let shop = Shop::new(2);
        shop.publish(&shop.schedule("skip", missed, within));
        shop.at("2026-11-21T20:00:00Z");
        assert_eq!(shop.look().await, ["2026-11-21T20:00:00Z: done"], "{missed}");
        shop.again();
        shop.at("2026-11-29T07:00:00Z");
        let found = shop.look().await;
        let of_skip = missed == "skip";
        // Of what is skipped, the last was late and not too late.
        let expected: Vec<String> = match of_skip {
            true => vec![
                "6 until 2026-11-27T20:00:00Z: 6 times: nothing looked until it was too late to begin".into(),
                "1 until 2026-11-28T20:00:00Z: nothing looked when it was due".into(),
            ],
            false => expected.into_iter().map(str::to_string).collect(),
        };
        assert_eq!(found, expected, "{missed} {within:?}");
        assert_eq!(shop.look().await, [] as [&str; 0], "{missed}");
    }
}

#[tokio::test]
async fn what_holds_a_schedule_back_is_written_down() {
    let mut shop = Shop::new(2);
    shop.publish(&shop.schedule("skip", "run_once", None));
    let year = Calendar::Between { from: "2026-11-21".into(), until: "2026-11-22".into(), zone: "UTC".into() };
    shop.gate.freezes.insert("year_end".into(), year);
    shop.bench.engine.sign_trust(&key(1), &shop.gate, "mara").unwrap();
    shop.at("2026-11-21T20:00:00Z");
    let frozen = shop.look().await;
    assert!(frozen[0].contains("rule `freeze`"), "{frozen:?}");
    assert_eq!(shop.look().await, [] as [&str; 0], "told once, not tried again");
    shop.at("2026-11-23T20:00:00Z");
    assert_eq!(shop.look().await.last().unwrap(), "2026-11-23T20:00:00Z: done");
    shop.again();
    shop.bench.engine.pause("nightly", true, &shop.gate, "eli").unwrap();
    shop.at("2026-11-24T20:00:00Z");
    assert_eq!(shop.look().await, ["1 until 2026-11-24T20:00:00Z: `eli` had paused it"]);
    shop.bench.engine.pause("nightly", false, &shop.gate, "eli").unwrap();
    shop.at("2026-11-25T20:00:00Z");
    shop.bench.engine.set_halted(true, "wrong account", &shop.gate, "eli").unwrap();
    assert!(shop.look().await[0].contains("rule `halted`"));
    shop.bench.engine.set_halted(false, "", &shop.gate, "mara").unwrap();
    shop.at("2026-11-26T20:00:00Z");
    assert_eq!(shop.look().await, ["2026-11-26T20:00:00Z: done"]);
    shop.withdraw("nightly");
    shop.at("2026-11-27T20:00:00Z");
    assert_eq!(shop.look().await, [] as [&str; 0]);
}

#[tokio::test]
async fn it_ends_when_it_says_and_when_its_signature_does() {
    let shop = Shop::new(2);
    shop.publish(&shop.schedule("skip", "run_once", None));
    shop.at("2027-03-31T20:00:00Z");
    assert_eq!(shop.look().await.last().unwrap(), "2027-03-31T20:00:00Z: done");
    shop.again();
    shop.at("2027-04-01T20:00:00Z");
    let ended = shop.look().await;
    assert!(ended[0].contains("held until 2027-04-01T00:00:00Z"), "{ended:?}");
    let shop = Shop::new(2);
    shop.publish(&Standing { until: None, ..shop.schedule("skip", "run_once", None) });
    shop.at("2027-02-20T20:00:00Z");
    let ended = shop.look().await;
    assert!(ended.last().unwrap().contains("it ended at"), "{ended:?}");
}

#[tokio::test]
async fn a_run_whose_process_died_goes_on_with_the_next_look() {
    let shop = Shop::new(6);
    shop.publish(&shop.schedule("skip", "run_once", None));
    shop.at("2026-11-21T20:00:00Z");
    shop.fake.fault("stop_instances", Fault::Hang);
    let cut = tokio::time::timeout(std::time::Duration::from_millis(500), shop.tick()).await;
    assert!(cut.is_err(), "its process ends in the middle");
    let runs = shop.bench.engine.runs().unwrap();
    let begun = runs.iter().filter(|run| run.standing != escher_engine::Standing::Status(RunStatus::Planned)).count();
    assert_eq!(begun, 1);
    shop.bench.clock.advance(60);
    let found = shop.look().await;
    assert_eq!(found, ["went on: done"]);
    let moves: Vec<usize> = shop.fake.instances().values().map(|machine| machine.transitions.len()).collect();
    assert_eq!(moves, [1; 6], "each stopped, none twice");
}

#[tokio::test]
async fn what_is_still_at_work_keeps_the_next_time_away_or_not() {
    for (overlap, expected) in [
        ("skip", "1 until 2026-11-22T20:00:00Z: the run before it was still at work"),
        ("parallel", "2026-11-22T20:00:00Z: done"),
    ] {
        let shop = Shop::new(2);
        let mut standing = shop.schedule(overlap, "run_once", None);
        standing.program = undemanding(staged());
        standing.within.program = codec::digest(&standing.program).unwrap();
        shop.publish(&standing);
        shop.at("2026-11-21T20:00:00Z");
        assert_eq!(shop.look().await, ["2026-11-21T20:00:00Z: waiting_for_approval"], "{overlap}");
        shop.at("2026-11-22T20:00:00Z");
        let found = shop.look().await;
        match overlap {
            "skip" => assert_eq!(found, [expected]),
            _ => assert!(found[0].starts_with("2026-11-22T20:00:00Z: "), "{found:?}"),
        }
    }
    let shop = Shop::new(2);
    let mut standing = shop.schedule("queue", "run_once", Some(48));
    standing.program = undemanding(staged());
    standing.within.program = codec::digest(&standing.program).unwrap();
    shop.publish(&standing);
    shop.at("2026-11-21T20:00:00Z");
    shop.look().await;
    shop.at("2026-11-22T20:00:00Z");
    assert_eq!(shop.look().await, [] as [&str; 0], "it waits for its turn");
    let run = shop.bench.engine.runs().unwrap().into_iter().find(|run| run.standing.word() == "waiting_for_approval");
    let (run, running) = (run.unwrap().run, shop.running("mara"));
    let report = shop.bench.engine.cancel(&run, &shop.fake, &running, std::time::Duration::ZERO).await.unwrap();
    assert_eq!(report.standing.word(), "cancelled");
    assert!(shop.look().await[0].starts_with("2026-11-22T20:00:00Z: "));
}
