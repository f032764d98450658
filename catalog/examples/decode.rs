//! What the catalogue costs: `cargo run --release -p escher-catalog --example decode`.
//!
//! Each figure is the least of several runs. With an argument it does that one thing once and prints nothing: for profilers.

#![allow(clippy::print_stdout, reason = "it prints its figures")]
#![allow(clippy::disallowed_methods, reason = "it takes times and an argument")]

use std::borrow::Cow;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use escher_catalog::{Catalog, CatalogError};

const AWS: &[u8] = include_bytes!("../data/aws.bin");
const AZURE: &[u8] = include_bytes!("../data/azure.bin");
const GCP: &[u8] = include_bytes!("../data/gcp.bin");

const TEN: [(&str, &str); 10] = [
    ("aws", "ec2"),
    ("aws", "s3"),
    ("aws", "iam"),
    ("aws", "rds"),
    ("azure", "compute"),
    ("azure", "network"),
    ("azure", "storage"),
    ("gcp", "compute"),
    ("gcp", "storage"),
    ("gcp", "iam"),
];

const RUNS: usize = 5;

fn fresh() -> Result<Catalog, CatalogError> {
    Catalog::from_packs([AWS, AZURE, GCP].map(Cow::Borrowed))
}

fn index() -> Result<usize, CatalogError> {
    let catalog = fresh()?;
    Ok(catalog.clouds().into_iter().map(|cloud| catalog.operation_count(cloud)).sum())
}

fn record() -> Result<usize, CatalogError> {
    Ok(fresh()?.record("aws.ec2.stop_instances").map_or(0, |record| record.shapes.len()))
}

fn ec2() -> Result<usize, CatalogError> {
    Ok(fresh()?.try_service("aws", "ec2")?.map_or(0, |service| service.shapes.len()))
}

fn whole() -> Result<usize, CatalogError> {
    let service = fresh()?.try_service("aws", "ec2")?;
    Ok(service.map_or(0, |service| service.shapes.iter().count() + service.operations.iter().count()))
}

fn all() -> Result<usize, CatalogError> {
    let catalog = fresh()?;
    let mut shapes = 0;
    for cloud in catalog.clouds() {
        for name in catalog.services(cloud) {
            shapes += catalog.try_service(cloud, name)?.map_or(0, |service| service.shapes.len());
        }
    }
    Ok(shapes)
}

/// Ten services that playbooks use most.
fn ten() -> Result<usize, CatalogError> {
    let catalog = fresh()?;
    let mut operations = 0;
    for (cloud, name) in TEN {
        operations += catalog.try_service(cloud, name)?.map_or(0, |service| service.operations.len());
    }
    Ok(operations)
}

fn classes() -> Result<usize, CatalogError> {
    let catalog = fresh()?;
    let mut operations = 0;
    for cloud in catalog.clouds() {
        for name in catalog.services(cloud) {
            operations += catalog.try_service(cloud, name)?.map_or(0, |service| service.operations.iter().count());
        }
    }
    Ok(operations)
}

/// Name of a figure, what is done, what is counted.
type Figure = (&'static str, fn() -> Result<usize, CatalogError>, &'static str);

const FIGURES: [Figure; 7] = [
    ("index", index, "operations"),
    ("record", record, "shapes of the first record of ec2"),
    ("ec2", ec2, "shapes of ec2"),
    ("whole", whole, "shapes and operations of ec2, all asked for"),
    ("ten", ten, "operations of ten services of three clouds"),
    ("all", all, "shapes of all services"),
    ("classes", classes, "operations of all services, classified"),
];

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(only: Option<&str>) -> Result<(), CatalogError> {
    if let Some(only) = only {
        for (_, figure, _) in FIGURES.iter().filter(|(name, ..)| *name == only) {
            std::hint::black_box(figure()?);
        }
        return Ok(());
    }
    // What the program pays once: measured first, and once.
    let began = Instant::now();
    let operations = Catalog::embedded().operation_count("aws");
    println!("{:>9.3} ms  embedded(), the first time: {operations} operations", milliseconds(began.elapsed()));
    for (name, figure, counted) in FIGURES {
        let (mut least, mut count) = (Duration::MAX, 0);
        for _ in 0..RUNS {
            let began = Instant::now();
            count = std::hint::black_box(figure()?);
            least = least.min(began.elapsed());
        }
        println!("{:>9.3} ms  {name}: {count} {counted}", milliseconds(least));
    }
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
