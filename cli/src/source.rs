//! Playbooks from files: `FILE[:PLAYBOOK]` to a checked program.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use escher_core::{Checked, CheckedPlaybook, Entry};
use escher_ir::program::Program;
use escher_ir::standing::{Standing, StandingKind};

use crate::args::Format;
use crate::failure::Failure;
use crate::render;
use crate::world::Files;

/// Largest file that is read.
pub(crate) const MAX_SOURCE: u64 = 16 * 1024 * 1024;

/// `FILE[:PLAYBOOK]`, apart.
pub(crate) fn split(text: &str) -> (PathBuf, Option<String>) {
    if let Some((file, playbook)) = text.rsplit_once(':') {
        let is_name = !playbook.is_empty() && playbook.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name && !Path::new(text).exists() {
            return (PathBuf::from(file), Some(playbook.to_string()));
        }
    }
    (PathBuf::from(text), None)
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?;
    if metadata.len() > MAX_SOURCE {
        return Err(Failure::usage(format!("E0604: {shown} is larger than {} MiB", MAX_SOURCE >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::failed(format!("E0001: {shown} is not UTF-8 text: the byte at offset {at} is not part of a character"))
            .help("save it as UTF-8")
    })
}

/// What checking files gave: each that was asked for, then the modules that they use.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// All of them.
    pub(crate) files: Vec<Source>,
    /// How many of them were asked for.
    pub(crate) asked: usize,
}

/// A file or module.
#[derive(Debug)]
pub(crate) struct Source {
    /// What there is to show of it.
    pub(crate) file: render::diagnostics::File,
    /// What checking it gave.
    pub(crate) checked: Arc<Checked>,
    /// Which project it is of, by number.
    pub(crate) project: usize,
    /// Its number among the files of that project.
    pub(crate) place: usize,
}

/// Checks files; those of one project share the modules that they use.
pub(crate) fn sources(paths: &[PathBuf]) -> Result<Sources, Failure> {
    let mut projects: Vec<(Files, Vec<(&PathBuf, Entry)>)> = Vec::new();
    let mut known: HashMap<&Path, Files> = HashMap::new();
    for path in paths {
        let folder = path.parent().unwrap_or(Path::new(""));
        let files = match known.get(folder) {
            Some(files) => files.clone(),
            None => known.entry(folder).or_insert(Files::around(path)?).clone(),
        };
        let entry = files.entry(path, &read(path)?);
        match projects.iter_mut().find(|(f, _)| f.root == files.root) {
            Some((_, entries)) => entries.push((path, entry)),
            None => projects.push((files, vec![(path, entry)])),
        }
    }
    let (mut asked, mut modules) = (Vec::new(), Vec::new());
    for (project, (files, entries)) in projects.into_iter().enumerate() {
        let (paths, entries): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        for (place, checked) in escher_core::check_files(&files, entries).into_iter().enumerate() {
            let path = paths.get(place).map_or_else(|| files.shown(&checked.id), |p| p.display().to_string());
            let diagnostics = checked.checked.diagnostics.clone();
            let file = render::diagnostics::File { path, text: checked.text, diagnostics };
            let source = Source { file, checked: checked.checked, project, place };
            if place < paths.len() { &mut asked } else { &mut modules }.push(source);
        }
    }
    let count = asked.len();
    asked.append(&mut modules);
    Ok(Sources { files: asked, asked: count })
}

impl Sources {
    /// What there is to show: the files asked for, and the modules that something is said of.
    pub(crate) fn shown(&self) -> Vec<&render::diagnostics::File> {
        let said = |at: usize, f: &render::diagnostics::File| at < self.asked || !f.diagnostics.is_empty();
        self.files.iter().enumerate().filter(|(at, s)| said(*at, &s.file)).map(|(_, s)| &s.file).collect()
    }

    /// Whether a file, or a module that one uses, has errors.
    pub(crate) fn has_errors(&self) -> bool {
        self.files.iter().any(|s| s.checked.has_errors())
    }
}

/// Checks a file; what there is to say of it and of its modules is shown, and errors end the command.
pub(crate) fn check(path: &Path, format: Format) -> Result<Checked, Failure> {
    let sources = sources(&[path.to_path_buf()])?;
    let shown = sources.shown();
    // A script that asked for JSON gets what is wrong as JSON; a plan that follows warnings stays one document.
    if format == Format::Json && sources.has_errors() {
        crate::output::json(&render::diagnostics::json(&shown));
    } else {
        shown.iter().for_each(|file| render::diagnostics::note(file));
    }
    if sources.has_errors() {
        return Err(Failure::told(1));
    }
    Ok(sources.files.into_iter().next().map(|s| Arc::unwrap_or_clone(s.checked)).unwrap_or_default())
}

/// What a file holds under a name.
pub(crate) enum Found {
    /// A playbook.
    Playbook(Box<CheckedPlaybook>, Arc<Program>),
    /// A template, a schedule or a trigger.
    Standing(Arc<Standing>),
}

/// One playbook of a file, checked; of a template, the playbook as narrow as the template says.
pub(crate) fn playbook(text: &str, format: Format) -> Result<(PathBuf, String, Arc<Program>), Failure> {
    match item(text, format)? {
        (path, Found::Playbook(checked, program)) => Ok((path, checked.name, program)),
        (path, Found::Standing(standing)) => match standing.kind {
            StandingKind::Template { .. } => Ok((path, standing.name.clone(), Arc::new(standing.program.clone()))),
            StandingKind::Schedule { .. } | StandingKind::Trigger { .. } => {
                let name = &standing.program.playbook.name;
                Err(Failure::usage(format!("`{}` starts runs by itself, and is not started by hand", standing.name))
                    .help(format!("run its playbook `{name}`; `escher compile` writes what it holds")))
            }
        },
    }
}

/// One playbook, template, schedule or trigger of a file, checked.
pub(crate) fn item(text: &str, format: Format) -> Result<(PathBuf, Found), Failure> {
    let (path, wanted) = split(text);
    let checked = check(&path, format)?;
    if let Some(standing) = checked.standing.iter().find(|s| wanted.as_ref() == Some(&s.name)) {
        return Ok((path, Found::Standing(standing.clone())));
    }
    let names: Vec<String> = checked.playbooks.iter().map(|p| p.name.clone()).collect();
    let mut found = checked.playbooks.into_iter().filter(|p| wanted.as_ref().is_none_or(|w| *w == p.name));
    let shown = path.display().to_string();
    match (found.next(), found.next()) {
        (Some(one), None) => {
            let program = one.program().cloned().ok_or_else(|| Failure::told(1))?;
            Ok((path, Found::Playbook(Box::new(one), program)))
        }
        (Some(_), Some(_)) => Err(Failure::usage(format!("{shown} has several playbooks: {}", names.join(", ")))
            .help(format!("say which: `{shown}:{}`", names.first().map_or("name", String::as_str)))),
        (None, _) => match wanted {
            Some(wanted) => Err(Failure::usage(format!("{shown} has no playbook `{wanted}`"))
                .help(format!("it has {}", if names.is_empty() { "none".into() } else { names.join(", ") }))),
            None => Err(Failure::usage(format!("{shown} has no playbook"))),
        },
    }
}
