//! The one table from effects to risk.
//!
//! Risk is a total function of what is done (effect), to how much (scope) and whether it can be put back (reversal); a bound
//! above one raises it. Who wants another answer for one operation changes the operation's row in `data/overrides.txt`, which
//! feeds this table; nobody else decides a level. This module does *not* know operations.

use crate::model::{Effect, Risk};

/// What it takes to put back what an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reversal {
    /// Nothing: a tag, an alarm.
    Free,
    /// Another call: start what was stopped.
    Easy,
    /// Work, or a copy that was kept: create again what was deleted.
    Hard,
    /// It can't be put back.
    Never,
}

/// How much one call touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The resources that it names.
    Own,
    /// What others depend on: routes, names, policies, encryption keys.
    Shared,
    /// An account or organisation.
    Organisation,
}

/// Risk of one effect on one target.
pub const fn of_effect(effect: Effect, scope: Scope, reversal: Reversal) -> Risk {
    use Effect::{Create, Delete, Exec, Expose, Grant, Interrupt, Modify, Observe, Reveal, Spend};
    use Reversal::{Easy, Free, Hard, Never};
    use Scope::{Organisation, Own, Shared};
    match (effect, scope, reversal) {
        (Observe, _, _) => Risk::Read,

        (Create | Modify, Own, Free) => Risk::Low,
        (Create, Own, Easy) => Risk::Low,
        (Create, Own, Hard) => Risk::Medium,
        (Create, Own, Never) => Risk::High,
        (Create, Shared, Free | Easy) => Risk::Medium,
        (Create, Shared, Hard | Never) => Risk::High,

        (Modify, Own, Easy) => Risk::Medium,
        (Modify, Own, Hard) => Risk::High,
        (Modify, Own, Never) => Risk::Critical,
        (Modify, Shared, Free) => Risk::Medium,
        (Modify, Shared, Easy | Hard) => Risk::High,
        (Modify, Shared, Never) => Risk::Critical,

        (Interrupt, Own, Free | Easy) => Risk::Medium,
        (Interrupt, Own, Hard) => Risk::High,
        (Interrupt, Shared, Free | Easy | Hard) => Risk::High,
        (Interrupt, Own | Shared, Never) => Risk::Critical,

        (Delete, Own, Free) => Risk::Low,
        (Delete, Own, Easy) => Risk::Medium,
        (Delete, Own, Hard) => Risk::High,
        (Delete, Shared, Free | Easy | Hard) => Risk::High,
        (Delete, Own | Shared, Never) => Risk::Critical,

        // Money that runs until somebody stops it, or money that is gone.
        (Spend, Own | Shared, Free | Easy) => Risk::Medium,
        (Spend, Own | Shared, Hard) => Risk::High,
        (Spend, Own | Shared, Never) => Risk::Critical,

        // A secret that the account has anyway; a new one is a grant as well.
        (Reveal, Own | Shared, _) => Risk::High,

        // An organisation has no small changes.
        (Create | Modify | Delete, Organisation, Free) => Risk::High,
        (Create | Modify | Interrupt | Delete | Spend | Reveal, Organisation, _) => Risk::Critical,

        (Expose | Grant | Exec, _, _) => Risk::Critical,
    }
}

/// Risk of several effects: the greatest. No effects at all are unknown ones, which is the top.
pub fn of_effects(effects: &[Effect], scope: Scope, reversal: Reversal) -> Risk {
    effects.iter().map(|effect| of_effect(*effect, scope, reversal)).max().unwrap_or(Risk::Critical)
}

/// Risk of a fan-out: one level more when up to `bound` (`None`: unknown) above one are changed; reads stay reads.
pub const fn of_fan_out(risk: Risk, bound: Option<u64>) -> Risk {
    match (risk, bound) {
        (_, Some(0 | 1)) | (Risk::Read, _) => risk,
        (Risk::Low, _) => Risk::Medium,
        (Risk::Medium, _) => Risk::High,
        (Risk::High | Risk::Critical, _) => Risk::Critical,
    }
}
