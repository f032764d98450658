//! Every operation of the clouds: names, types, effects, risk, paging, waiting.
//!
//! The data is generated (`cargo xtask catalog`), embedded, and decoded one service at a time on first use.
//! This crate does no IO, knows no clock and no async.

pub mod model;

pub use model::{
    Class, Effect, Member, Operation, Paging, Protocol, Provenance, Record, Repeat, Risk, Service, ServiceMeta, Shape,
    ShapeId, ShapeKind, Waiter,
};

use std::sync::Arc;

/// A catalogue: the embedded one, or one loaded from bytes.
#[derive(Debug)]
pub struct Catalog {}

impl Catalog {
    /// The catalogue inside the program. Cheap: nothing is decoded.
    pub fn embedded() -> &'static Catalog {
        static EMBEDDED: Catalog = Catalog {};
        &EMBEDDED
    }

    /// Names of the services of a cloud (`aws`), sorted, without decoding any.
    pub fn services(&self, cloud: &str) -> Vec<&str> {
        let _ = cloud;
        Vec::new()
    }

    /// A service by cloud and snake-case name, decoded on first use and kept.
    pub fn service(&self, cloud: &str, name: &str) -> Option<Arc<Service>> {
        let _ = (cloud, name);
        None
    }

    /// The self-contained record of an operation, by its full name `aws.ec2.stop_instances`.
    pub fn record(&self, operation: &str) -> Option<Arc<Record>> {
        let _ = operation;
        None
    }

    /// The member that identifies a shape, such as `instance_id` for `aws.ec2.Instance`.
    pub fn identity(&self, shape: &str) -> Option<Arc<str>> {
        let _ = shape;
        None
    }
}
