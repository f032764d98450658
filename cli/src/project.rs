//! The project at hand: its settings, its state, who is working on it.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use escher_engine::{AllowedSigners, Engine, Gate, SqliteStore};

use crate::args::Common;
use crate::failure::Failure;
use crate::pins;
use crate::platform;
use crate::settings::{self, Settings};

/// Name of the settings file.
pub(crate) const SETTINGS: &str = "escher.toml";

/// A project, or none: then defaults hold and state lives in the user's data folder.
#[derive(Debug)]
pub(crate) struct Project {
    /// Folder of `escher.toml`.
    pub(crate) root: Option<PathBuf>,
    /// Its settings.
    pub(crate) settings: Settings,
    state: Option<PathBuf>,
}

impl Project {
    /// The project that a path, or the working folder, lies in. Its catalogue is what the process works with from here on.
    pub(crate) fn find(near: Option<&Path>, common: &Common) -> Result<Project, Failure> {
        let project = Project::located(near, common)?;
        pins::install(project.root.as_deref(), &project.settings.catalog)?;
        Ok(project)
    }

    /// The project of the working folder, whatever its catalogue is: to replace one that can't be used.
    pub(crate) fn without_catalog(common: &Common) -> Result<Project, Failure> {
        Project::located(None, common)
    }

    fn located(near: Option<&Path>, common: &Common) -> Result<Project, Failure> {
        let start = near.map(Path::to_path_buf).unwrap_or_else(|| PathBuf::from("."));
        let start = std::path::absolute(&start).unwrap_or(start);
        let from = if start.is_dir() { Some(start.as_path()) } else { start.parent() };
        let root = from.into_iter().flat_map(Path::ancestors).find(|f| f.join(SETTINGS).is_file());
        let settings = match root {
            Some(root) => Settings::read(&root.join(SETTINGS))?.unwrap_or_default(),
            None => Settings::default(),
        };
        Ok(Project { root: root.map(Path::to_path_buf), settings, state: common.state.clone() })
    }

    /// Where state lives: flag or `ESCHER_STATE`, settings, beside the settings, the user's data folder.
    pub(crate) fn state_folder(&self) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.state {
            return Ok(folder.clone());
        }
        match &self.root {
            Some(root) => Ok(root.join(self.settings.state.dir.clone().unwrap_or_else(|| ".escher".into()))),
            None => platform::data_folder().ok_or_else(|| {
                Failure::usage("there is no project here and no home folder to keep state in")
                    .help("run `escher init`, or say where with `--state DIR`")
            }),
        }
    }

    /// The engine on this project's state.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        let store = SqliteStore::open(&self.state_folder()?).map_err(escher_engine::EngineError::from)?;
        Ok(Engine::new(Arc::new(store)).with_limits(self.settings.limits.of_engine()))
    }

    /// Who is at the keyboard.
    pub(crate) fn principal(&self) -> Result<String, Failure> {
        settings::principal(&self.settings)
    }

    /// Who may approve.
    pub(crate) fn gate(&self, engine: &Engine, sandbox: bool) -> Result<Gate, Failure> {
        let signers = match &self.root {
            Some(root) => {
                let path = root.join(&self.settings.approval.signers);
                if let Some(reason) = leaves(root, &self.settings.approval.signers) {
                    engine.refuse(None, &self.principal()?, &reason)?;
                    return Err(Failure::refused(reason).help("name a file of the project in `[approval] signers`"));
                }
                match std::fs::read_to_string(&path) {
                    Ok(text) => AllowedSigners::parse(&text)?,
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => AllowedSigners::default(),
                    Err(e) => return Err(Failure::usage(format!("cannot read {}: {e}", path.display()))),
                }
            }
            None => AllowedSigners::default(),
        };
        let (roles, solo) = (self.settings.roles.clone(), self.settings.approval.solo);
        Ok(Gate { signers, roles, solo, sandbox, catalog: pins::hashes(&self.settings.catalog) })
    }

    /// Refuses to reach a cloud with operations of a file that the root key has not signed for: such a file decides what a
    /// name sends, of what reads as of what changes.
    pub(crate) fn vouched(&self, engine: &Engine) -> Result<(), Failure> {
        if self.settings.catalog.is_empty() || engine.trusts(&self.gate(engine, false)?)? {
            return Ok(());
        }
        let reason = "E0804: the files of `[catalog]` are not signed for in this state";
        engine.refuse(None, &self.principal()?, reason)?;
        Err(Failure::refused(reason).help("sign the settings with the root key: `escher trust sign --key KEY`"))
    }
}

/// Why a path of the settings is none of the project: whoever can write elsewhere must not decide who approves.
fn leaves(root: &Path, path: &Path) -> Option<String> {
    let shown = path.display();
    let inside = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Some(format!("the allowed-signers file {shown} is not in the project"));
    }
    let (Ok(root), Ok(real)) = (root.canonicalize(), root.join(path).canonicalize()) else { return None };
    (!real.starts_with(&root)).then(|| format!("the allowed-signers file {shown} is a link that leaves the project"))
}
