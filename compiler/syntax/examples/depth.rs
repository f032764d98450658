//! How long each construct takes nested 18 deep in itself, closed and cut off, slowest first.
//!
//! `cargo run --release -p escher-syntax --example depth`

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it takes times and prints them")]

#[path = "../tests/all/shapes.rs"]
mod shapes;

use std::time::{Duration, Instant};

/// The best of some tries: what else the machine does is not the parser's.
fn best(source: &str) -> Duration {
    let once = || {
        let start = Instant::now();
        let parsed = escher_syntax::parse(source);
        let took = start.elapsed();
        drop(parsed);
        took
    };
    (0..50).map(|_| once()).min().unwrap_or_default()
}

fn main() {
    let mut rows: Vec<(Duration, String)> = shapes::nested().into_iter().map(|(n, s)| (best(&s), n)).collect();
    rows.sort_by(|a, b| b.cmp(a));
    println!("{} constructs, {} deep each; microseconds", rows.len(), shapes::DEPTH);
    for (took, name) in rows {
        println!("{:>8.1}  {name}", took.as_secs_f64() * 1e6);
    }
}
