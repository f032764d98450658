//! The whole outside of the compiler, in one small trait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escher_catalog::{Catalog, Record, Service};

use crate::library;

/// Why a module of the project can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoModule {
    /// There is no such file.
    Missing,
    /// A link leads out of the project.
    Outside,
    /// It can't be read, and why.
    Unreadable(String),
}

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

    /// The text of a file of the project. The path is relative to it, has `/` between folders, and neither `.` nor `..`.
    fn module(&self, _path: &str) -> Result<Arc<str>, NoModule> {
        Err(NoModule::Missing)
    }

    /// Folders of the project in which `use a.b` looks for `a/b.esc`, in order; the project itself is `""`.
    fn search_path(&self) -> Vec<String> {
        vec![String::new()]
    }

    /// The text of a module of the library.
    fn library(&self, name: &str) -> Option<&'static str> {
        library::text(name)
    }

    /// Names of the library's modules.
    fn library_names(&self) -> Vec<&'static str> {
        library::names().collect()
    }
}

/// The embedded catalogue and library as a world: no files.
#[derive(Clone, Copy, Debug, Default)]
pub struct CatalogWorld;

impl World for CatalogWorld {
    fn services(&self, cloud: &str) -> Vec<String> {
        Catalog::current().services(cloud).into_iter().map(str::to_string).collect()
    }

    fn service(&self, cloud: &str, name: &str) -> Option<Arc<Service>> {
        Catalog::current().service(cloud, name)
    }

    fn record(&self, operation: &str) -> Option<Arc<Record>> {
        Catalog::current().record(operation)
    }

    fn identity(&self, shape: &str) -> Option<Arc<str>> {
        Catalog::current().identity(shape)
    }
}

/// A project in memory, with the embedded catalogue and library.
#[derive(Clone, Debug, Default)]
pub struct TextWorld {
    /// Its files, by path.
    pub files: BTreeMap<String, Arc<str>>,
    /// Links that lead out of it.
    pub links: BTreeSet<String>,
    /// Folders in which modules are looked for; the project itself where there are none.
    pub search: Vec<String>,
}

impl World for TextWorld {
    fn services(&self, cloud: &str) -> Vec<String> {
        CatalogWorld.services(cloud)
    }

    fn service(&self, cloud: &str, name: &str) -> Option<Arc<Service>> {
        CatalogWorld.service(cloud, name)
    }

    fn record(&self, operation: &str) -> Option<Arc<Record>> {
        CatalogWorld.record(operation)
    }

    fn identity(&self, shape: &str) -> Option<Arc<str>> {
        CatalogWorld.identity(shape)
    }

    fn module(&self, path: &str) -> Result<Arc<str>, NoModule> {
        match self.files.get(path) {
            _ if self.links.contains(path) => Err(NoModule::Outside),
            Some(text) => Ok(text.clone()),
            None => Err(NoModule::Missing),
        }
    }

    fn search_path(&self) -> Vec<String> {
        if self.search.is_empty() { CatalogWorld.search_path() } else { self.search.clone() }
    }
}
