//! Faults on demand: throttling, delays, resets, answers that get lost.
//!
//! Set with `POST /_sandbox/faults`, which replaces all rules:
//!
//! ```json
//! { "seed": 7, "rules": [
//!   { "action": "StopInstances", "fault": "throttle", "probability": 0.3 },
//!   { "action": "RunInstances", "fault": "lost_answer", "skip": 2, "times": 1 },
//!   { "action": "*", "fault": "latency", "milliseconds": 50 }
//! ] }
//! ```
//!
//! | fault | what happens |
//! |---|---|
//! | `throttle` | nothing is done; `RequestLimitExceeded` 503 (EC2), `Throttling` 400 (others) |
//! | `unavailable` | nothing is done; `Unavailable` 503 (EC2), `ServiceUnavailable` 503 (others) |
//! | `internal_error` | nothing is done; `InternalError` 500 |
//! | `reset` | nothing is done; the connection is reset |
//! | `lost_answer` | it is done; the connection ends without an answer |
//! | `latency` | the answer comes `milliseconds` later; the rules below it are looked at as well |
//!
//! Rules are looked at in order and the first that fires ends it. `action` is an operation or `*` (default);
//! `probability` is 1 by default; `skip` lets that many matching requests pass first; `times` is how often it fires at most.
//! Whether a rule of some probability fires depends on the seed, the request and how often that request came before, and
//! *not* on the order in which different requests arrive: a run with many calls at once repeats as well.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::world::ids::{hash, mix};

/// Rules that one set may have.
const MAX_RULES: usize = 100;
/// Longest delay.
const MAX_DELAY: u64 = 120_000;
/// Different requests that are counted.
const MAX_COUNTED: usize = 200_000;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    Throttle,
    Unavailable,
    InternalError,
    Reset,
    LostAnswer,
    Latency,
}

/// When something goes wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default = "any")]
    action: String,
    fault: Fault,
    #[serde(default = "always")]
    probability: f64,
    #[serde(default)]
    milliseconds: u64,
    #[serde(default)]
    skip: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_deserializing)]
    fired: u64,
    #[serde(skip)]
    matched: u64,
}

/// All rules, and what has happened under them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Faults {
    #[serde(default)]
    seed: u64,
    rules: Vec<Rule>,
    #[serde(skip)]
    seen: HashMap<u64, u64>,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// More milliseconds.
    pub(crate) delay: u64,
    /// What goes wrong, if anything.
    pub(crate) fault: Option<Fault>,
}

impl Faults {
    /// Nothing goes wrong.
    pub(crate) fn none(seed: u64) -> Faults {
        Faults { seed, rules: Vec::new(), seen: HashMap::new() }
    }

    /// Reads a set of rules.
    pub(crate) fn parse(json: &[u8]) -> Result<Faults, String> {
        let faults: Faults = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        if faults.rules.len() > MAX_RULES {
            return Err(format!("more than {MAX_RULES} rules"));
        }
        for rule in &faults.rules {
            if !(0.0..=1.0).contains(&rule.probability) {
                return Err("`probability` is from 0 to 1".into());
            }
            if rule.milliseconds > MAX_DELAY || (rule.milliseconds > 0) != (rule.fault == Fault::Latency) {
                return Err(format!("`milliseconds`, 1 to {MAX_DELAY}, belong to `latency` and to nothing else"));
            }
        }
        Ok(faults)
    }

    /// What happens to a request. `parameters` tells requests of one action apart.
    pub(crate) fn judge(&mut self, action: &str, parameters: &str) -> Verdict {
        let mut verdict = Verdict::default();
        if self.rules.is_empty() {
            return verdict;
        }
        let request = hash(format!("{action}\n{parameters}").as_bytes());
        if self.seen.len() >= MAX_COUNTED {
            self.seen.clear();
        }
        let before = self.seen.entry(request).or_default();
        *before += 1;
        let draw = mix(self.seed ^ mix(request ^ mix(*before)));
        for (rule, salt) in self.rules.iter_mut().zip(1u64..) {
            if rule.action != "*" && rule.action != action {
                continue;
            }
            rule.matched += 1;
            // 53 bits are what a float holds exactly.
            let chance = (mix(draw ^ salt) >> 11) as f64 / (1u64 << 53) as f64;
            if rule.matched <= rule.skip || rule.times.is_some_and(|t| rule.fired >= t) || chance >= rule.probability {
                continue;
            }
            rule.fired += 1;
            if rule.fault != Fault::Latency {
                verdict.fault = Some(rule.fault);
                return verdict;
            }
            verdict.delay = verdict.delay.saturating_add(rule.milliseconds).min(MAX_DELAY);
        }
        verdict
    }
}

fn any() -> String {
    "*".into()
}

fn always() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_requests_meet_the_same_faults_in_any_order() {
        let rules = br#"{"seed": 3, "rules": [{"fault": "throttle", "probability": 0.5}]}"#;
        let (mut one, mut two) = (Faults::parse(rules).unwrap(), Faults::parse(rules).unwrap());
        let ask = |f: &mut Faults, n: u32| f.judge("StopInstances", &n.to_string()).fault.is_some();
        let forward: Vec<bool> = (0..200).map(|n| ask(&mut one, n)).collect();
        let mut backward: Vec<bool> = (0..200).rev().map(|n| ask(&mut two, n)).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        let fired = forward.iter().filter(|f| **f).count();
        assert!((70..130).contains(&fired), "{fired}");
        // A repeated request is drawn anew, or a throttled one would never get through.
        assert!((0..20).any(|_| !ask(&mut one, 0)) && (0..20).any(|_| ask(&mut one, 0)));
    }

    #[test]
    fn skips_counts_and_adds_delays() {
        let rules = br#"{"rules": [
            {"fault": "latency", "milliseconds": 5},
            {"action": "A", "fault": "lost_answer", "skip": 1, "times": 1},
            {"action": "B", "fault": "reset"}]}"#;
        let mut faults = Faults::parse(rules).unwrap();
        let found: Vec<_> = ["A", "A", "A", "B", "C"].iter().map(|a| faults.judge(a, "").fault).collect();
        assert_eq!(found, [None, Some(Fault::LostAnswer), None, Some(Fault::Reset), None]);
        assert_eq!(faults.judge("C", "").delay, 5);
    }

    #[test]
    fn refuses_nonsense() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"rules":[{"fault":"fire"}]}"#,
            r#"{"rules":[{"fault":"reset","probability":2}]}"#,
            r#"{"rules":[{"fault":"latency"}]}"#,
            r#"{"rules":[{"fault":"reset","colour":1}]}"#,
            r#"{"rules":[{"fault":"latency","milliseconds":999999999}]}"#,
        ] {
            assert!(Faults::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
