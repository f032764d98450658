//! Risk of a playbook from the calls it can make, with the witnesses.
//!
//! The risk of one operation comes from the catalogue; here it is raised by fan-out and joined.

use escher_catalog::{Effect, Risk};
use escher_syntax::Span;

/// A call that a playbook's risk comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Where it is called.
    pub span: Span,
    /// Full name of the operation.
    pub operation: String,
    /// What it does.
    pub effects: Vec<Effect>,
    /// Risk of one call on one target.
    pub risk: Risk,
    /// Risk with the fan-out of its step.
    pub raised: Risk,
    /// The step, or the step's undo.
    pub step: String,
    /// The greatest number of targets, where bounded.
    pub bound: u64,
    /// The actions that lead to it, from the one that the step calls.
    pub via: Vec<String>,
}

/// The word of the language for a level.
pub(crate) fn word(risk: Risk) -> &'static str {
    match risk {
        Risk::Read => "read",
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

/// The level of a word.
pub(crate) fn level(word: &str) -> Option<Risk> {
    [Risk::Read, Risk::Low, Risk::Medium, Risk::High, Risk::Critical].into_iter().find(|r| self::word(*r) == word)
}

/// A fan-out raises what it does by one level when its bound is above one; reads stay reads.
pub(crate) fn raised(risk: Risk, bound: u64) -> Risk {
    if bound <= 1 {
        return risk;
    }
    match risk {
        Risk::Read => Risk::Read,
        Risk::Low => Risk::Medium,
        Risk::Medium => Risk::High,
        Risk::High | Risk::Critical => Risk::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_is_monotone_and_keeps_reads() {
        let all = [Risk::Read, Risk::Low, Risk::Medium, Risk::High, Risk::Critical];
        for pair in all.windows(2) {
            for bound in [0, 1, 2, 1000] {
                assert!(raised(pair[0], bound) <= raised(pair[1], bound));
                assert!(raised(pair[0], bound) >= pair[0]);
            }
        }
        assert_eq!(raised(Risk::Read, 1000), Risk::Read);
        assert!(all.iter().all(|r| level(word(*r)) == Some(*r)));
    }
}
