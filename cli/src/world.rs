//! The files of a project as the compiler sees them: modules that lie in it, and none that a link leads out to.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use escher_catalog::{Record, Service};
use escher_core::{CatalogWorld, Entry, ModuleId, NoModule, World};

use crate::failure::Failure;
use crate::project::SETTINGS;
use crate::settings::Settings;
use crate::source::{self, MAX_SOURCE};

/// A project's files, or those of one folder where no `escher.toml` says that there is a project.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The folder, without links.
    pub(crate) root: PathBuf,
    /// Folders in which `use a.b` looks for `a/b.esc`.
    search: Vec<String>,
    /// Where the command was given.
    here: PathBuf,
}

impl Files {
    /// The files that those beside a playbook may use.
    pub(crate) fn around(playbook: &Path) -> Result<Files, Failure> {
        let absolute = std::path::absolute(playbook).unwrap_or_else(|_| playbook.to_path_buf());
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        // A link on the way to the playbook is the author's own; from there on, what is used must lie in the project.
        let folder = std::fs::canonicalize(folder)
            .map_err(|e| Failure::usage(format!("cannot read {}: {e}", playbook.display())))?;
        let root = folder.ancestors().find(|f| f.join(SETTINGS).is_file());
        let settings = root.map(|r| Settings::read(&r.join(SETTINGS))).transpose()?.flatten().unwrap_or_default();
        crate::pins::install(root, &settings.catalog)?;
        let here = std::env::current_dir().and_then(std::fs::canonicalize).unwrap_or_default();
        let root = root.unwrap_or(&folder).to_path_buf();
        Ok(Files { root, search: settings.modules.folders(), here })
    }

    /// A playbook's place in the project.
    pub(crate) fn entry(&self, playbook: &Path, text: &str) -> Entry {
        let absolute = std::path::absolute(playbook).unwrap_or_else(|_| playbook.to_path_buf());
        let folder = absolute.parent().map(std::fs::canonicalize).and_then(Result::ok).unwrap_or_default();
        let path = folder.join(absolute.file_name().unwrap_or_default());
        let inside = path.strip_prefix(&self.root).unwrap_or(&path);
        let words: Vec<String> = inside.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
        Entry { path: words.join("/"), text: Arc::from(text) }
    }

    /// Where a module stands, for people.
    pub(crate) fn shown(&self, id: &ModuleId) -> String {
        match id {
            ModuleId::Library(name) => name.clone(),
            ModuleId::File(path) => {
                let path = self.root.join(path);
                path.strip_prefix(&self.here).unwrap_or(&path).display().to_string()
            }
        }
    }
}

impl World for Files {
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
        let unreadable = |why: String| Err(NoModule::Unreadable(why));
        let path = self.root.join(path);
        let real = match std::fs::canonicalize(&path) {
            Ok(real) => real,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let dangling = std::fs::symlink_metadata(&path).is_ok();
                return if dangling { unreadable("it is a link to nothing".into()) } else { Err(NoModule::Missing) };
            }
            Err(e) => return unreadable(e.to_string()),
        };
        if !real.starts_with(&self.root) {
            return Err(NoModule::Outside);
        }
        match std::fs::metadata(&real) {
            Ok(m) if !m.is_file() => return unreadable("it is no file".into()),
            Ok(m) if m.len() > MAX_SOURCE => return unreadable(format!("it is larger than {} MiB", MAX_SOURCE >> 20)),
            Ok(_) => {}
            Err(e) => return unreadable(e.to_string()),
        }
        match source::read(&real) {
            Ok(text) => Ok(Arc::from(text)),
            Err(failure) => unreadable(failure.message),
        }
    }

    fn search_path(&self) -> Vec<String> {
        self.search.clone()
    }
}
