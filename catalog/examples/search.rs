//! How long a question takes: `cargo run --release -p escher-catalog --example search -- stop a vm`.

#![allow(clippy::print_stdout, reason = "it prints its figures")]
#![allow(clippy::disallowed_methods, reason = "it takes times and an argument")]

use std::time::Instant;

use escher_catalog::search::Index;

fn main() {
    let question = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let start = Instant::now();
    let index = Index::embedded();
    let built = start.elapsed();
    let start = Instant::now();
    let hits = index.search(&question, None, 20);
    let first = start.elapsed();
    let start = Instant::now();
    // `ONCE=1`: a single question, for counting instructions.
    let times = if std::env::var_os("ONCE").is_some() { 1 } else { 20 };
    for _ in 1..times {
        index.search(&question, None, 20);
    }
    println!("built in {built:?}, first answer {first:?}, later answers {:?}", start.elapsed() / times);
    for hit in hits.iter().take(5) {
        println!("{:6.2} {}", hit.score, hit.operation);
    }
}
