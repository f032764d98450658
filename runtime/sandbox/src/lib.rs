//! A practice cloud on loopback that speaks the clouds' own protocols, so that what is written against it runs against
//! the real one.
//!
//! Today: AWS with EC2 (instances, volumes, snapshots, tags) and STS, virtual machines of Azure, instances of Google's Compute
//! Engine. [`serve`] serves a [`World`] that a [`Seed`]
//! describes; formats and rules stand where they are read: seed files in [`world::seed`], everything under `/_sandbox/`
//! (health, state, activity, faults, reset) in `server::control`, faults in `server::faults`.
//!
//! - `protocol` turns forms into neutral values and values into XML, by the catalogue's shapes. No operation has wire code.
//! - `world` holds what every cloud needs: seeds, ids, states that take time. `aws` holds AWS: one function per operation.
//! - `rest` holds what Azure and Google share: paths of the catalogue to operations. `azure` and `gcp` hold theirs.
//! - `server` listens, limits, logs, and lets things go wrong on demand.
//!
//! What it is *not*: it doesn't check signatures' cryptography or permissions, runs no machine, keeps no secret, and costs
//! nothing. What it doesn't serve it refuses (`UnsupportedOperation`) rather than ignores.

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
