//! Crash storms: random playbooks, a simulated cloud that breaks down, processes that die, and a judge.
//!
//! A crate of its own because it alone knows both halves of the house: what it runs is source text that the real checker
//! accepted, and what runs it is the real engine on a real store. Ships in nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test tool stops at the first surprise"
)]

mod clock;
mod cloud;
mod dying;
mod examples;
pub mod generator;
pub mod history;
mod judge;
pub mod noop;
pub mod people;
mod practice;
pub mod random;
pub mod simulator;
mod storm;

pub use clock::PausedClock;
pub use dying::Dying;
pub use storm::{Story, practice_storm, storm};
