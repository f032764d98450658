//! The whole outside of the compiler, in one small trait.

use std::sync::Arc;

use escher_catalog::{Catalog, Record, Service};

/// What the compiler may ask.
pub trait World {
    /// Names of the services of a cloud.
    fn services(&self, cloud: &str) -> Vec<String>;

    /// A service of the catalogue.
    fn service(&self, cloud: &str, name: &str) -> Option<Arc<Service>>;

    /// The record of an operation, by full name.
    fn record(&self, operation: &str) -> Option<Arc<Record>>;

    /// The member that identifies a shape, by full name of the shape.
    fn identity(&self, shape: &str) -> Option<Arc<str>>;
}

/// The embedded catalogue as a world.
#[derive(Clone, Copy, Debug, Default)]
pub struct CatalogWorld;

impl World for CatalogWorld {
    fn services(&self, cloud: &str) -> Vec<String> {
        Catalog::embedded().services(cloud).into_iter().map(str::to_string).collect()
    }

    fn service(&self, cloud: &str, name: &str) -> Option<Arc<Service>> {
        Catalog::embedded().service(cloud, name)
    }

    fn record(&self, operation: &str) -> Option<Arc<Record>> {
        Catalog::embedded().record(operation)
    }

    fn identity(&self, shape: &str) -> Option<Arc<str>> {
        Catalog::embedded().identity(shape)
    }
}
