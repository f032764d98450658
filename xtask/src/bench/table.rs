//! The table that the book shows, and the limits that it is held to.

use super::measure::Sample;

/// A line of the table.
pub struct Row<'a> {
    name: &'a str,
    samples: &'a [Sample],
}

impl<'a> Row<'a> {
    /// What was measured under a name.
    pub fn new(name: &'a str, samples: &'a [Sample]) -> Self {
        Self { name, samples }
    }
}

/// A promise: a figure that must not be passed.
pub struct Limit {
    name: &'static str,
    found: f64,
    limit: f64,
    unit: &'static str,
}

impl Limit {
    /// Median against median.
    pub fn ratio(name: &'static str, ours: &[Sample], theirs: &[Sample], limit: f64) -> Self {
        Self { name, found: wall(ours).median / wall(theirs).median, limit, unit: "×" }
    }

    /// The greatest of all runs: memory is no matter of luck.
    pub fn megabytes(name: &'static str, ours: &[Sample], limit: f64) -> Self {
        Self { name, found: Spread::of(ours.iter().map(|s| s.megabytes)).max, limit, unit: "MB" }
    }

    /// The median.
    pub fn milliseconds(name: &'static str, ours: &[Sample], limit: f64) -> Self {
        Self { name, found: wall(ours).median * 1000.0, limit, unit: "ms" }
    }

    /// Whether it is kept. What could not be measured isn't.
    pub fn met(&self) -> bool {
        self.found <= self.limit
    }
}

/// Median, least and greatest.
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Self { median: at(values.len() / 2), min: at(0), max: at(values.len().saturating_sub(1)) }
    }
}

fn wall(samples: &[Sample]) -> Spread {
    Spread::of(samples.iter().map(|sample| sample.wall))
}

/// Prints both tables.
pub fn print(rows: &[Row<'_>], limits: &[Limit]) {
    println!("\n| What | runs | seconds: median (least – greatest) | peak memory, MB |");
    println!("|---|---:|---:|---:|");
    for Row { name, samples } in rows {
        let Spread { median, min, max } = wall(samples);
        let memory = Spread::of(samples.iter().map(|sample| sample.megabytes)).max;
        println!("| {name} | {} | {median:.3} ({min:.3} – {max:.3}) | {memory:.0} |", samples.len());
    }
    println!("\n| Promise | limit | measured | kept |");
    println!("|---|---:|---:|---|");
    for limit in limits {
        let kept = if limit.met() { "yes" } else { "**no**" };
        println!("| {} | {} {} | {:.2} {} | {kept} |", limit.name, limit.limit, limit.unit, limit.found, limit.unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(walls: &[f64]) -> Vec<Sample> {
        walls.iter().map(|wall| Sample { wall: *wall, megabytes: wall * 10.0 }).collect()
    }

    #[test]
    fn medians_are_compared_and_memory_takes_the_worst() {
        let (ours, theirs) = (samples(&[0.1, 0.2, 9.0]), samples(&[1.0, 1.0, 1.0]));
        assert!(Limit::ratio("a", &ours, &theirs, 0.3).met());
        assert!(!Limit::ratio("a", &theirs, &ours, 0.3).met());
        assert!(!Limit::megabytes("a", &ours, 40.0).met());
        assert!(!Limit::milliseconds("a", &[], 15.0).met(), "nothing measured is nothing kept");
    }
}
