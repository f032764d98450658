//! `escher plan`: what a run would do; reads the clouds and changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use escher_engine::{Engine, PlanOptions, Planned, plan_json};
use escher_ir::program::{Builtin, Expr, Program};
use escher_ir::{Target, Value, admit, codec};

use crate::args::{Common, Format};
use crate::failure::Failure;
use crate::project::Project;
use crate::{clouds, output, render, source};

/// A program and the file that it came from.
pub(crate) struct Loaded {
    /// The file.
    pub(crate) path: PathBuf,
    /// The playbook's name, where the file was text.
    pub(crate) source: Option<String>,
    /// The program.
    pub(crate) program: Arc<Program>,
}

/// A playbook from text, or a program from an IR file.
pub(crate) fn load(text: &str, format: Format) -> Result<Loaded, Failure> {
    let path = PathBuf::from(text);
    if path.is_file() && path.extension().is_none_or(|e| e != "esc") {
        let bytes = std::fs::read(&path).map_err(|e| Failure::usage(format!("cannot read {text}: {e}")))?;
        if let Ok((_, program)) = codec::decode::<Program>(&bytes) {
            return Ok(Loaded { path, source: None, program: Arc::new(program) });
        }
        // Bytes that are no text were meant to be an IR: say why they aren't one.
        if std::str::from_utf8(&bytes).is_err() {
            codec::decode::<Program>(&bytes)?;
        }
    }
    let (path, name, program) = source::playbook(text, format)?;
    Ok(Loaded { path, source: Some(name), program })
}

/// What `--set` gives, held to the types of the parameters.
pub(crate) fn given(program: &Program, set: &[String]) -> Result<BTreeMap<String, Value>, Failure> {
    let mut values = BTreeMap::new();
    let known = || program.playbook.params.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    for text in set {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::usage(format!("`--set {text}` has no value")).help("write `--set name=value`"));
        };
        let Some(param) = program.playbook.params.iter().find(|p| p.name == name) else {
            return Err(Failure::usage(format!("`{}` has no parameter `{name}`", program.playbook.name))
                .help(format!("it has {}", known())));
        };
        let value =
            admit::parse(value, &param.ty).map_err(|why| Failure::usage(format!("parameter `{name}`: {why}")))?;
        if values.insert(name.to_string(), value).is_some() {
            return Err(Failure::usage(format!("parameter `{name}` is set twice")));
        }
    }
    Ok(values)
}

/// Parameters from `--set`, and places of the settings where a default is a group of them. Of a group that the settings do
/// not name, the places are those of the practice cloud, where there is one.
pub(crate) fn parameters(
    program: &Program,
    set: &[String],
    project: &Project,
    practice: &[Target],
) -> Result<BTreeMap<String, Value>, Failure> {
    let mut values = given(program, set)?;
    for param in &program.playbook.params {
        // `= targets("group")`: which places those are is a setting, and what the plan says they were is signed.
        if let (Some(Expr::Builtin(which, arguments)), false) = (&param.default, values.contains_key(&param.name)) {
            let group = arguments.first().and_then(|a| if let Expr::Literal(v) = a { v.as_str() } else { None });
            let one = *which == Builtin::OneTarget;
            let practice = if one { practice.get(..1).unwrap_or_default() } else { practice };
            let found = places(project, group.unwrap_or_default(), practice)?;
            values.insert(param.name.clone(), if one { only(found, group)? } else { found });
        }
        if param.default.is_none() && !values.contains_key(&param.name) {
            return Err(Failure::usage(format!("parameter `{}` has no value", param.name))
                .help(format!("add `--set {}=…`, a `{}`", param.name, param.ty)));
        }
    }
    Ok(values)
}

/// The places of a group of the settings.
fn places(project: &Project, group: &str, practice: &[Target]) -> Result<Value, Failure> {
    let practice = Some(practice).filter(|places| !places.is_empty()).map(<[Target]>::to_vec);
    match project.settings.groups().remove(group).or(practice) {
        Some(targets) => Ok(Value::list(targets.into_iter().map(|t| Value::Target(t.into())).collect())),
        None => Err(Failure::usage(format!("escher.toml names no group of targets `{group}`")).help(format!(
            "add `[targets]` with `{group} = [{{ cloud = \"aws\", account = \"…\", region = \"…\" }}]`"
        ))),
    }
}

/// `target("group")`: the only place of a group.
fn only(places: Value, group: Option<&str>) -> Result<Value, Failure> {
    match places.as_list() {
        Some([place]) => Ok(place.clone()),
        found => {
            let (group, n) = (group.unwrap_or_default(), found.map_or(0, <[Value]>::len));
            Err(Failure::usage(format!("`{group}` of escher.toml has {n} places, and `target` needs one"))
                .help(format!("write `targets(\"{group}\")` for all of them")))
        }
    }
}

/// How plans are made here.
pub(crate) fn options(project: &Project, engine: &Engine, sandbox: bool) -> Result<PlanOptions, Failure> {
    let mut options = PlanOptions::new(project.principal()?, clouds::ambient());
    options.recheck_after = project.settings.recheck_after();
    options.groups = project.settings.groups();
    options.gate = project.gate(engine, sandbox)?;
    Ok(options)
}

/// A plan file: the plan, and where its text came from.
pub(crate) fn file(planned: &Planned, loaded: &Loaded, beside: Option<&Path>) -> serde_json::Value {
    let mut json = plan_json(planned);
    if let (Some(name), Some(object)) = (&loaded.source, json.as_object_mut()) {
        // A hint for `escher run`, which refuses a plan whose text has changed since; not part of what is signed.
        let path = match beside.and_then(Path::parent) {
            Some(_) => std::path::absolute(&loaded.path).unwrap_or_else(|_| loaded.path.clone()),
            None => loaded.path.clone(),
        };
        object.insert("source".into(), serde_json::json!({ "file": path, "playbook": name }));
    }
    json
}

pub(crate) async fn plan(
    common: &Common,
    playbook: &str,
    set: &[String],
    to: Option<&Path>,
    format: Format,
) -> Result<u8, Failure> {
    let loaded = load(playbook, format)?;
    let project = Project::find(Some(&loaded.path), common)?;
    let parameters = parameters(&loaded.program, set, &project, &[])?;
    let engine = project.engine()?;
    let client = clouds::client(common, &project, &engine, None)?;
    let planned = make(&engine, &loaded, parameters, &client, &options(&project, &engine, false)?).await?;
    let json = file(&planned, &loaded, to);
    if let Some(to) = to {
        std::fs::write(to, format!("{json:#}\n"))
            .map_err(|e| Failure::failed(format!("cannot write {}: {e}", to.display())))?;
    }
    match format {
        Format::Json => output::json(&json),
        _ => {
            render::plan::print(&planned);
            let what = to.map_or_else(|| planned.run.clone(), |p| p.display().to_string());
            next(&planned, &what);
        }
    }
    Ok(0)
}

/// Makes a plan; says that it reads where somebody watches.
pub(crate) async fn make(
    engine: &Engine,
    loaded: &Loaded,
    parameters: BTreeMap<String, Value>,
    client: &crate::clouds::Clouds,
    options: &PlanOptions,
) -> Result<Planned, Failure> {
    let waiting = render::progress::reading();
    let planned = engine.plan(loaded.program.clone(), parameters, client, options).await;
    waiting.finish_and_clear();
    Ok(planned?)
}

/// What to do next.
fn next(planned: &Planned, what: &str) {
    if planned.plan.blast_radius() == 0 {
        output::note("There is nothing to do.");
    } else if planned.plan.approval.is_some() {
        output::note(&format!("Approve it:  escher approve {what} --key KEY"));
        output::note(&format!("Then run it: escher run {what}"));
    } else {
        output::note(&format!("Run it: escher run {what}"));
    }
}
