//! A practice cloud on loopback that speaks the clouds' own protocols, so that what is written against it runs against
//! the real one.
//!
//! [`serve`] serves a [`World`] that a [`Seed`] describes; `book/src/sandbox.md` says what there is. Formats and rules stand where
//! they are read: seed files in [`world::seed`], everything under `/_sandbox/` (health, state, activity, faults, reset) in
//! `server::control`, faults in `server::faults`.
//!
//! - `protocol` turns requests into neutral values and values into answers, by the catalogue's shapes. No operation has wire code.
//! - `world` holds what every cloud needs: seeds, ids, states that take time, and *things*: resources whose kind a table describes.
//! - `aws`, `azure` and `gcp` each have a table of kinds, one row a kind, and one engine for all of them. AWS's machines, volumes and
//!   snapshots have functions of their own, because their rules are what playbooks are practised on.
//! - `rest` holds what Azure and Google share: paths of the catalogue to operations, bodies against shapes.
//! - `server` listens, limits, logs, and lets things go wrong on demand.
//!
//! What it is *not*: it doesn't check signatures' cryptography or permissions, runs no machine, and costs nothing. What it
//! doesn't serve it refuses (`UnsupportedOperation`) rather than ignores.

mod aws;
mod azure;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gcp;
mod protocol;
mod rest;
mod server;
pub mod world;

pub use server::{MAX_ENTRIES, MAX_PARAMETERS, Options, ServeError, serve, serve_with};
pub use world::seed::{Seed, SeedError};
pub use world::{StateError, World};
