//! Where the engine finds the records of operations and waiters. Calls nothing.

use std::sync::Arc;

use escher_catalog::{Catalog, Record, Waiter};

/// A source of catalogue records.
pub trait Operations: Send + Sync {
    /// The record of an operation, by full name.
    fn record(&self, operation: &str) -> Option<Arc<Record>>;

    /// A waiter, by cloud, service and its own name.
    fn waiter(&self, cloud: &str, service: &str, name: &str) -> Option<Arc<Waiter>>;
}

/// The catalogue inside the program.
impl Operations for &'static Catalog {
    fn record(&self, operation: &str) -> Option<Arc<Record>> {
        Catalog::record(self, operation)
    }

    fn waiter(&self, cloud: &str, service: &str, name: &str) -> Option<Arc<Waiter>> {
        self.service(cloud, service)?.waiter(name).cloned().map(Arc::new)
    }
}
