//! The project at hand: its settings, its state, who is working on it.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use escher_engine::{AllowedSigners, Engine, Gate, SqliteStore};
use escher_policy::{Action, Mistake, Policy, PolicyError};

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

    /// Who may do what.
    pub(crate) fn gate(&self, engine: &Engine, sandbox: bool) -> Result<Gate, Failure> {
        let signers = match self.signed_file(
            engine,
            "allowed-signers file",
            "[approval] signers",
            &self.settings.approval.signers,
        )? {
            Some(text) => AllowedSigners::parse(&text)?,
            None => AllowedSigners::default(),
        };
        Ok(Gate {
            signers,
            roles: self.settings.roles.clone(),
            solo: self.settings.approval.solo,
            policy: self.policy(engine)?,
            freezes: self.settings.freezes(),
            zone: self.settings.policy.zone.clone().unwrap_or_default(),
            sandbox,
            catalog: pins::hashes(&self.settings.catalog),
        })
    }

    /// The rules of every project, and this one's own.
    fn policy(&self, engine: &Engine) -> Result<Policy, Failure> {
        let Some(path) = &self.settings.policy.file else { return Ok(Policy::standard()) };
        match self.signed_file(engine, "policy", "[policy] file", path)? {
            Some(text) => Policy::with(&text).map_err(|error| policy_failure(path, &text, &error)),
            None => Err(Failure::usage(format!("there is no policy {}, which escher.toml names", path.display()))
                .help("write it, or leave out `[policy] file`")),
        }
    }

    /// A file of the project that the root key signs with the settings; none where there is none.
    fn signed_file(&self, engine: &Engine, what: &str, key: &str, path: &Path) -> Result<Option<String>, Failure> {
        let Some(root) = &self.root else { return Ok(None) };
        if let Some(reason) = leaves(root, path, what) {
            engine.refuse(None, &self.principal()?, &reason)?;
            return Err(Failure::refused(reason).help(format!("name a file of the project in `{key}`")));
        }
        let path = root.join(path);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Failure::usage(format!("cannot read {}: {e}", path.display()))),
        }
    }

    /// Refuses whom the policy does not let do something that is about the whole state.
    pub(crate) fn permit(&self, engine: &Engine, action: Action) -> Result<(), Failure> {
        Ok(engine.permit(&self.principal()?, action, &self.gate(engine, false)?)?)
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

/// The engine on the state of the working folder's project, for somebody who may look at it.
///
/// Where signers or rules can't be read, roles and the rules of every project decide: what is wrong is found in the log.
pub(crate) fn readable(common: &Common) -> Result<Engine, Failure> {
    let project = Project::find(None, common)?;
    let engine = project.engine()?;
    let settings = &project.settings;
    let inside = |path: &Path| project.root.as_ref().is_none_or(|root| leaves(root, path, "").is_none());
    let policy = settings.policy.file.as_deref().is_none_or(inside);
    let gate = match inside(&settings.approval.signers) && policy {
        true => project.gate(&engine, false).ok(),
        false => None,
    };
    let gate = gate.unwrap_or_else(|| Gate { roles: settings.roles.clone(), ..Gate::default() });
    engine.permit(&project.principal()?, Action::Read, &gate)?;
    Ok(engine)
}

/// What is wrong with rules, each with its line.
pub(crate) fn policy_failure(path: &Path, text: &str, error: &PolicyError) -> Failure {
    let shown = path.display();
    let at = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        format!(":{line}:{column}")
    };
    let line = |mistake: &Mistake| {
        let help = mistake.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{shown}{}: {}{help}", mistake.at.map(at).unwrap_or_default(), mistake.message)
    };
    let lines: Vec<String> = error.0.iter().map(line).collect();
    Failure { page: Some("E0805"), ..Failure::usage(lines.join("\n")) }
        .help("`escher explain E0805` says what rules can look at")
}

/// Why a path of the settings is none of the project: whoever can write elsewhere must not decide who approves.
fn leaves(root: &Path, path: &Path, what: &str) -> Option<String> {
    let shown = path.display();
    let inside = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Some(format!("the {what} {shown} is not in the project"));
    }
    let (Ok(root), Ok(real)) = (root.canonicalize(), root.join(path).canonicalize()) else { return None };
    (!real.starts_with(&root)).then(|| format!("the {what} {shown} is a link that leaves the project"))
}
