//! What is kept of templates, schedules and triggers that somebody signed: what holds, and what became of each time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::codec::Stored;
use crate::digest::Digest;

/// An entry about one published item; the item itself is an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Publication {
    /// Somebody signed it. Another item under the same name takes the place of the one before.
    Published {
        /// The item.
        standing: Digest,
        /// The signed statement, an object.
        statement: Digest,
        /// Who signed.
        principal: String,
        /// When.
        at: Timestamp,
    },
    /// Nobody may use it any more.
    Withdrawn {
        /// The signed statement, an object.
        statement: Digest,
        /// Who signed.
        principal: String,
        /// When.
        at: Timestamp,
    },
    /// A schedule or trigger is held back.
    Paused {
        /// Who.
        principal: String,
        /// When.
        at: Timestamp,
    },
    /// It goes on.
    Continued {
        /// Who.
        principal: String,
        /// When.
        at: Timestamp,
    },
}

impl Stored for Publication {
    const FORMAT: &'static str = "escher.publication";
    const VERSION: u16 = 1;
}

/// What became of one time that something published was asked for, or due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// When this was decided.
    pub at: Timestamp,
    /// The instant that a schedule meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Who asked for it.
    pub principal: String,
    /// What became of it.
    pub what: UseOf,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum UseOf {
    /// A run began.
    Run(String),
    /// None began: why.
    Missed(String),
}

impl Stored for Use {
    const FORMAT: &'static str = "escher.use";
    const VERSION: u16 = 1;
}

/// An entry about what may happen in a store at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halt {
    /// Nothing may be changed; or again it may.
    pub halted: bool,
    /// Who said so.
    pub principal: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Stored for Halt {
    const FORMAT: &'static str = "escher.halt";
    const VERSION: u16 = 1;
}
