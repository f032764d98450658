//! What machines did: numbers that look like use, repeat, and are kept nowhere.
//!
//! A machine has a level of its own; over it lie a day's wave and a little noise. The same machine, metric and minute always
//! give the same number, whatever cloud asks.

use super::ids::{hash, mix};

/// Points of one series.
pub(crate) const MAX_POINTS: i64 = 10_000;

/// One point: percent, from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample(f64);

impl Sample {
    /// By the word of a statistic; what is no percentage is counted in bytes.
    pub(crate) fn of(self, statistic: &str, percent: bool) -> f64 {
        let spread = match statistic.to_ascii_lowercase().as_str() {
            "minimum" | "min" => 0.8,
            "maximum" | "max" => 1.2,
            _ => 1.0,
        };
        let value = (self.0 * spread).min(100.0);
        if percent { (value * 1000.0).round() / 1000.0 } else { (value * 20_000.0).round() }
    }
}

/// The points of a span, from its beginning, `step` milliseconds apart. The caller sees to it that they are not too many.
pub(crate) fn points(
    resource: &str,
    metric: &str,
    from: i64,
    to: i64,
    step: i64,
) -> impl Iterator<Item = (i64, Sample)> {
    let own = hash(format!("{resource}\n{metric}").as_bytes());
    let step = step.max(1);
    let first = from - from.rem_euclid(step);
    (0..MAX_POINTS).map(move |n| first + n * step).take_while(move |at| *at < to).map(move |at| (at, sample(own, at)))
}

fn sample(own: u64, at: i64) -> Sample {
    let share = |bits: u64| (bits >> 11) as f64 / (1u64 << 53) as f64;
    // Most machines of a real estate idle; some work.
    let level = 1.5 + 60.0 * share(mix(own)).powi(3);
    let day = (at.rem_euclid(86_400_000)) as f64 / 86_400_000.0;
    let wave = 1.0 + 0.4 * (std::f64::consts::TAU * (day - 0.3)).sin();
    let noise = 0.9 + 0.2 * share(mix(own ^ mix(at.unsigned_abs() / 60_000)));
    Sample((level * wave * noise).clamp(0.0, 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_has_the_same_answer() {
        let ask = |from: i64| points("i-1", "cpu", from, from + 600_000, 60_000).collect::<Vec<_>>();
        assert_eq!(ask(1_800_000_000_000), ask(1_800_000_000_000));
        assert_eq!(ask(1_800_000_000_000).len(), 10);
        assert_eq!(ask(1_800_000_000_000)[1..], ask(1_800_000_060_000)[..9]);
        assert!(ask(0).iter().all(|(_, s)| (0.0..=100.0).contains(&s.of("maximum", true))));
        let levels: Vec<f64> =
            (0..50).map(|n| points(&n.to_string(), "cpu", 0, 60_000, 60_000).next().unwrap().1.0).collect();
        assert!(levels.iter().any(|l| *l < 5.0) && levels.iter().any(|l| *l > 20.0), "{levels:?}");
        // No span is too long for its reader.
        assert_eq!(points("i", "m", 0, i64::MAX, 1).count() as i64, MAX_POINTS);
    }
}
