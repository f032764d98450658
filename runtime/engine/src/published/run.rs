//! A plan of something published: its program as it was signed, its parameters within what was signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use escher_eval::{Evaluator, NoHost};
use escher_ir::journal::RunStatus;
use escher_ir::plan::Under;
use escher_ir::program::{Builtin, Expr, Program};
use escher_ir::published::{Use, UseOf};
use escher_ir::standing::{Standing as Item, StandingKind};
use escher_ir::{Value, codec};
use escher_provider::Read;
use jiff::Timestamp;

use super::{known, rate};
use crate::audit;
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::options::PlanOptions;
use crate::plan::Planned;
use crate::report::Standing;
use crate::time;

/// Plans a run of something published; `due` is the instant that a schedule meant.
pub(crate) async fn extend(
    engine: &Engine,
    name: &str,
    given: BTreeMap<String, Value>,
    due: Option<Timestamp>,
    read: &dyn Read,
    options: &PlanOptions,
) -> Result<Planned, EngineError> {
    let who = &options.principal;
    let found = known(engine, name).map_err(|error| audit::said(engine, who, error))?;
    let now = time::latest(engine, None, who, None)?;
    rate::still(&found, now).map_err(|refused| audit::refused(engine, None, who, refused))?;
    let fixed = fixed(&found.standing)?;
    if let Some((name, _)) = given.iter().find(|(name, value)| fixed.get(*name).is_some_and(|fixed| fixed != *value)) {
        let words = format!("parameter `{name}` is fixed in `{}`", found.name);
        return Err(audit::refused(engine, None, who, Refused::new(words, "leave it out")));
    }
    let mut parameters = defaults(&found.standing)?;
    parameters.extend(given);
    parameters.extend(fixed);
    let under = Some(Under { name: found.name.clone(), standing: found.digest, due });
    let last = last(engine, &found.name)?;
    let options = PlanOptions { under, due, last, groups: found.standing.groups.clone(), ..options.clone() };
    engine.plan(Arc::new(found.standing.program), parameters, read, &options).await
}

/// What the last run of it returned that finished.
fn last(engine: &Engine, name: &str) -> Result<Option<Value>, EngineError> {
    let stream = rate::uses(name);
    let count = engine.store.head(&stream)?.count;
    for number in (0..count).rev().take(LOOK_BACK) {
        let Some(segment) = engine.store.read_one(&stream, number)? else { break };
        let (_, used): (_, Use) = codec::decode(&segment.bytes)?;
        let UseOf::Run(run) = used.what else { continue };
        let report = crate::runs::report(engine, &run)?;
        if matches!(report.standing, Standing::Status(RunStatus::Done | RunStatus::DoneWithFailures)) {
            return Ok(report.value);
        }
    }
    Ok(None)
}

/// Uses that are looked through for one that finished.
const LOOK_BACK: usize = 100;

/// The parameters that whoever uses it can't choose.
pub(super) fn fixed(standing: &Item) -> Result<BTreeMap<String, Value>, EngineError> {
    match &standing.kind {
        StandingKind::Template { fixed, .. } => {
            let params = standing.program.playbook.params.iter().filter(|param| fixed.contains(&param.name));
            let mut values = BTreeMap::new();
            for param in params {
                if let Some(default) = &param.default {
                    values.insert(param.name.clone(), constant(standing, default)?);
                }
            }
            Ok(values)
        }
        StandingKind::Schedule { arguments, .. } => {
            let one = |(name, expr): (&String, &Expr)| Ok((name.clone(), constant(standing, expr)?));
            arguments.iter().map(one).collect()
        }
        // An event gives them.
        StandingKind::Trigger { .. } => Ok(BTreeMap::new()),
    }
}

/// Groups of places that stand where a parameter has no other value: those that were signed.
fn defaults(standing: &Item) -> Result<BTreeMap<String, Value>, EngineError> {
    let mut values = BTreeMap::new();
    for param in &standing.program.playbook.params {
        if let Some(default @ Expr::Builtin(Builtin::Targets | Builtin::OneTarget, _)) = &param.default {
            values.insert(param.name.clone(), constant(standing, default)?);
        }
    }
    Ok(values)
}

/// A constant, or the places of a group as they were signed.
fn constant(standing: &Item, expr: &Expr) -> Result<Value, EngineError> {
    if let Expr::Builtin(which @ (Builtin::Targets | Builtin::OneTarget), arguments) = expr {
        let group = arguments.first().and_then(|a| if let Expr::Literal(v) = a { v.as_str() } else { None });
        let places = group.and_then(|group| standing.groups.get(group)).ok_or_else(|| {
            let group = group.unwrap_or_default();
            let help = "publish it again where escher.toml names the group under `[targets]`";
            Refused::new(format!("`{}` was signed without the places of group `{group}`", standing.name), help)
        })?;
        let mut places = places.iter().map(|place| Value::Target(place.clone().into()));
        if *which == Builtin::OneTarget {
            return match (places.next(), places.next()) {
                (Some(one), None) => Ok(one),
                _ => Err(EngineError::Usage(format!(
                    "`{}` was signed with a group that is not one place",
                    standing.name
                ))),
            };
        }
        return Ok(Value::list(places.collect()));
    }
    let program: &Program = &standing.program;
    let (mut nobody, wrong) = (NoHost, "a parameter that was signed cannot be worked out");
    let mut evaluator = Evaluator::new(program, &mut nobody, standing.name.clone());
    evaluator.expr(expr).ok().flatten().ok_or_else(|| EngineError::Usage(wrong.into()))
}
