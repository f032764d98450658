//! What may follow what: the state machines of a run, an approval, a call, an item and a step, as tables.
//!
//! Whoever writes an event and whoever folds a journal goes through them. What stands in no table is an internal error, told
//! with its code, and nothing more is sent. How often each row was taken is counted, so that a test can say which never was.
//! Decides nothing about *whether* something should happen: only whether it can.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use escher_ir::journal::{Event, RunStatus};

use crate::error::EngineError;

/// Rows that a table may have.
const ROWS: usize = 16;

/// A table: from a state, on an event, to a state.
pub(crate) struct Machine<S: 'static, E: 'static> {
    name: &'static str,
    rows: &'static [(S, E, S)],
    taken: [AtomicU64; ROWS],
}

impl<S: Copy + PartialEq + Debug, E: Copy + PartialEq + Debug> Machine<S, E> {
    const fn new(name: &'static str, rows: &'static [(S, E, S)]) -> Machine<S, E> {
        assert!(rows.len() <= ROWS, "a longer table needs more counters");
        Machine { name, rows, taken: [const { AtomicU64::new(0) }; ROWS] }
    }

    /// The state that follows.
    pub(crate) fn next(&self, from: S, on: E) -> Result<S, EngineError> {
        let row = self.rows.iter().zip(&self.taken).find(|((before, event, _), _)| *before == from && *event == on);
        let Some(((_, _, to), taken)) = row else {
            return Err(EngineError::Impossible {
                machine: self.name,
                from: format!("{from:?}").to_lowercase(),
                on: format!("{on:?}").to_lowercase(),
            });
        };
        taken.fetch_add(1, Ordering::Relaxed);
        Ok(*to)
    }

    fn told(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        self.rows.iter().zip(&self.taken).map(|((from, on, to), taken)| {
            (format!("{}: {from:?} --{on:?}--> {to:?}", self.name), taken.load(Ordering::Relaxed))
        })
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    Planned,
    Running,
    /// At an `approve`.
    Waiting,
    Cancelled,
    /// Cancelled at an `approve`.
    CancelledWaiting,
    Ended,
    /// Cancelled before it began: it never will.
    Void,
}

/// What happens to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunOn {
    Start,
    /// Another process has it now.
    TakeUp,
    Ask,
    GoOn,
    Cancel,
    End,
}

pub(crate) static RUN: Machine<Run, RunOn> = Machine::new(
    "run",
    &[
        (Run::Planned, RunOn::Start, Run::Running),
        (Run::Planned, RunOn::Cancel, Run::Void),
        (Run::Running, RunOn::TakeUp, Run::Running),
        (Run::Running, RunOn::Ask, Run::Waiting),
        (Run::Running, RunOn::Cancel, Run::Cancelled),
        (Run::Running, RunOn::End, Run::Ended),
        (Run::Waiting, RunOn::TakeUp, Run::Waiting),
        // Nobody answered in time: it is asked anew.
        (Run::Waiting, RunOn::Ask, Run::Waiting),
        (Run::Waiting, RunOn::GoOn, Run::Running),
        (Run::Waiting, RunOn::Cancel, Run::CancelledWaiting),
        // What it would ask can't be worked out any more.
        (Run::Waiting, RunOn::End, Run::Ended),
        (Run::Cancelled, RunOn::TakeUp, Run::Running),
        (Run::CancelledWaiting, RunOn::TakeUp, Run::Waiting),
    ],
);

/// What an event of a journal is to its run; none where it is nothing to it.
pub(crate) fn of_run(event: &Event) -> Option<RunOn> {
    Some(match event {
        Event::Started { .. } => RunOn::Start,
        Event::Resumed { .. } => RunOn::TakeUp,
        Event::Paused { .. } => RunOn::Ask,
        Event::PartStarted { .. } => RunOn::GoOn,
        Event::Finished { status: RunStatus::Cancelled, .. } => RunOn::Cancel,
        Event::Finished { .. } => RunOn::End,
        _ => return None,
    })
}

/// What people have said to a plan, or to a later part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    Unsigned,
    Signed,
    /// The run went on with it.
    Used,
}

/// What happens to an approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApprovalOn {
    Sign,
    TakeBack,
    Use,
}

pub(crate) static APPROVAL: Machine<Approval, ApprovalOn> = Machine::new(
    "approval",
    &[
        (Approval::Unsigned, ApprovalOn::Sign, Approval::Signed),
        (Approval::Unsigned, ApprovalOn::TakeBack, Approval::Unsigned),
        // Where nobody need sign, or a throw-away key does.
        (Approval::Unsigned, ApprovalOn::Use, Approval::Used),
        (Approval::Signed, ApprovalOn::Sign, Approval::Signed),
        (Approval::Signed, ApprovalOn::TakeBack, Approval::Unsigned),
        (Approval::Signed, ApprovalOn::Use, Approval::Used),
    ],
);

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    New,
    /// Its intent is on the disk.
    Open,
    Answered,
    Failed,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallOn {
    Intend,
    Answer,
    Fail,
}

pub(crate) static CALL: Machine<Call, CallOn> = Machine::new(
    "call",
    &[
        (Call::New, CallOn::Intend, Call::Open),
        // Its process ended before it was answered.
        (Call::Open, CallOn::Intend, Call::Open),
        (Call::Open, CallOn::Answer, Call::Answered),
        (Call::Open, CallOn::Fail, Call::Failed),
        (Call::Failed, CallOn::Intend, Call::Open),
        // Its probe found what it made.
        (Call::Failed, CallOn::Answer, Call::Answered),
    ],
);

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Open,
    Ended,
}

/// What happens to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemOn {
    /// A change is sent for it.
    Send,
    /// A change is sent that takes it back.
    SendBack,
    End,
}

pub(crate) static ITEM: Machine<Item, ItemOn> = Machine::new(
    "item",
    &[
        (Item::Open, ItemOn::Send, Item::Open),
        (Item::Open, ItemOn::SendBack, Item::Open),
        (Item::Open, ItemOn::End, Item::Ended),
        // What is temporary, at the end of its run.
        (Item::Ended, ItemOn::SendBack, Item::Ended),
    ],
);

/// What is known of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Open,
    Ended,
}

/// What happens to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepOn {
    End,
}

pub(crate) static STEP: Machine<Step, StepOn> = Machine::new("step", &[(Step::Open, StepOn::End, Step::Ended)]);

/// Every row of every table, with how often this process took it.
pub fn transitions() -> Vec<(String, u64)> {
    RUN.told().chain(APPROVAL.told()).chain(CALL.told()).chain(ITEM.told()).chain(STEP.told()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_no_table_is_an_error_with_a_code() {
        let error = RUN.next(Run::Ended, RunOn::TakeUp).unwrap_err();
        assert_eq!((error.code(), error.exit_code()), (Some("E0614"), 1));
        assert!(error.to_string().contains("run") && error.to_string().contains("takeup"), "{error}");
        assert!(CALL.next(Call::Answered, CallOn::Intend).is_err(), "an answered call is never sent again");
        assert!(ITEM.next(Item::Ended, ItemOn::End).is_err() && ITEM.next(Item::Ended, ItemOn::Send).is_err());
        assert!(APPROVAL.next(Approval::Used, ApprovalOn::TakeBack).is_err());
        assert!(STEP.next(Step::Ended, StepOn::End).is_err());
    }

    #[test]
    fn each_row_says_another_thing() {
        let rows = transitions();
        let distinct: std::collections::BTreeSet<_> = rows.iter().map(|(row, _)| row).collect();
        assert_eq!(distinct.len(), rows.len());
    }
}
