//! `cargo xtask bench throttle`: 500 single calls through microburst on moto, with none and with three in ten refused.

use crate::Result;
use crate::lab::{escher, throttle};

const MACHINES: u32 = 500;
const ROUNDS: usize = 3;

/// Runs both in turn and prints the medians and their ratio.
pub fn run() -> Result<()> {
    let binary = escher::binary(true)?;
    let (mut plain, mut throttled, mut refused) = (Vec::new(), Vec::new(), 0);
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS} …");
        plain.push(throttle::through(&binary, MACHINES, 0.0)?.wall.as_secs_f64());
        let passed = throttle::through(&binary, MACHINES, 0.3)?;
        throttled.push(passed.wall.as_secs_f64());
        refused += passed.refused;
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let (plain, throttled) = (median(&mut plain), median(&mut throttled));
    println!("{MACHINES} calls, none refused: {plain:.2} s");
    println!("{MACHINES} calls, three in ten refused ({} a run): {throttled:.2} s", refused / ROUNDS);
    println!("ratio {:.2} (limit 2)", throttled / plain);
    Ok(())
}
