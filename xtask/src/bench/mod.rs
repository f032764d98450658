//! `cargo xtask bench`: Escher beside its peers, in one run on one server, as a table for the book.
//!
//! Escher is timed as an operator uses it: `plan`, `approve` and `run` are three processes. The peers have neither plan nor
//! approval nor journal; that is part of the comparison.

mod durable;
mod measure;
mod peers;
mod table;
mod throttle;

use std::path::Path;

use crate::Result;
use crate::lab::escher::{self, EXAMPLE, Project, anybody};
use crate::lab::server::{Emulator, Kind};
use measure::{Sample, measure};
use peers::{Job, Who};
use table::{Limit, Row, print};

/// Rounds of all contestants in turn; the median counts.
const ROUNDS: usize = 5;
/// What takes milliseconds is run more often.
const QUICK_ROUNDS: usize = 21;

/// Runs everything and prints the table. With `--strict`, a missed limit is a failure.
pub fn run(arguments: &[String]) -> Result<()> {
    let strict = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => false,
        ["--strict"] => true,
        ["durable"] => return durable::run(),
        ["throttle"] => return throttle::run(),
        _ => return Err("`bench` takes `--strict`, `durable`, `throttle` or nothing".into()),
    };
    let binary = escher::binary(true)?;
    let server = Emulator::start(Kind::Ministack)?;
    let listed = in_turn(&server, &binary, Job::List)?;
    let stopped = in_turn(&server, &binary, Job::Stop)?;
    let (version, check) = cold_starts(&server, &binary)?;

    let [ours, custodian, boto3, cli] = &stopped;
    let [ours_listed, custodian_listed, boto3_listed, cli_listed] = &listed;
    let limits = [
        Limit::ratio("list, against Cloud Custodian", ours_listed, custodian_listed, 0.5),
        Limit::ratio("list, against the boto3 script", ours_listed, boto3_listed, 0.5),
        Limit::ratio("list, against the aws command line", ours_listed, cli_listed, 0.5),
        Limit::ratio("plan + approve + run against Cloud Custodian", ours, custodian, 0.3),
        Limit::ratio("plan + approve + run against the boto3 script", ours, boto3, 0.5),
        Limit::ratio("plan + approve + run against the aws command line", ours, cli, 0.5),
        Limit::megabytes("peak memory of the three", ours, 40.0),
        Limit::milliseconds("`escher --version`", &version, 15.0),
        Limit::milliseconds("`escher check` of the example", &check, 30.0),
    ];
    let name = |job: Job, who: Who| format!("{}: {}", job.name(), who.name());
    let names: Vec<String> =
        [Job::List, Job::Stop].into_iter().flat_map(|job| Who::ALL.map(|who| name(job, who))).collect();
    let mut rows: Vec<Row<'_>> =
        names.iter().zip(listed.iter().chain(&stopped)).map(|(name, samples)| Row::new(name, samples)).collect();
    rows.push(Row::new("`escher --version`", &version));
    rows.push(Row::new("`escher check` of the example", &check));
    print(&rows, &limits);
    let missed = limits.iter().filter(|limit| !limit.met()).count();
    if strict && missed > 0 { Err(format!("{missed} limits missed").into()) } else { Ok(()) }
}

type Samples = Vec<Sample>;

/// A job by all, in turn, as often as rounds are counted. The first round warms caches of files and is not.
fn in_turn(server: &Emulator, binary: &Path, job: Job) -> Result<[Samples; 4]> {
    let mut samples: [Samples; 4] = Default::default();
    for round in 0..=ROUNDS {
        println!("{}: round {round} of {ROUNDS} …", job.name());
        for (who, samples) in Who::ALL.into_iter().zip(&mut samples) {
            let sample = peers::seeded(server, binary, who, job)?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    Ok(samples)
}

/// What a person waits for at a prompt: no server is asked.
fn cold_starts(server: &Emulator, binary: &Path) -> Result<(Samples, Samples)> {
    let project = Project::new("bench", EXAMPLE, binary, &server.url(), anybody())?;
    let quick = |arguments: &[&str]| -> Result<Samples> {
        measure(&project.escher(arguments), 1)?;
        measure(&project.escher(arguments), QUICK_ROUNDS)
    };
    Ok((quick(&["--version"])?, quick(&["check", "job.esc"])?))
}
