//! Where calls run that say no place: one target for each cloud that a program calls.

use std::sync::Arc;

use escher_ir::program::Program;
use escher_ir::{Target, Value};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::journal::RunState;

/// Clouds, the first of which that a program calls stands for values of no cloud.
const CLOUDS: [&str; 3] = ["aws", "azure", "gcp"];

/// The cloud that an operation belongs to.
pub(crate) fn cloud_of(operation: &str) -> &str {
    operation.split('.').next().unwrap_or_default()
}

/// The targets that a program's calls need, before they are filled in: what is set is set for one cloud.
pub(crate) fn needed(program: &Program, set: &Target) -> Vec<Target> {
    let calls = |cloud: &&str| program.operations.keys().any(|operation| cloud_of(operation) == *cloud);
    CLOUDS
        .into_iter()
        .filter(|cloud| calls(cloud))
        .map(|cloud| match set.cloud == cloud {
            true => set.clone(),
            false => Target { cloud: cloud.into(), ..Target::default() },
        })
        .collect()
}

/// The targets as a journal keeps them.
pub(crate) fn kept(main: &Arc<Target>, others: &[Arc<Target>]) -> Value {
    match others {
        [] => Value::Target(main.clone()),
        others => Value::list(std::iter::once(main).chain(others).cloned().map(Value::Target).collect()),
    }
}

/// The targets of a run: the main one, and those of other clouds.
pub(crate) fn of(engine: &Engine, state: &RunState) -> Result<(Arc<Target>, Vec<Arc<Target>>), EngineError> {
    let kept = match &state.ambient {
        Some(digest) => state.value(&*engine.store, digest)?,
        None => Value::None,
    };
    Ok(read(&kept))
}

/// The targets that a journal kept.
fn read(value: &Value) -> (Arc<Target>, Vec<Arc<Target>>) {
    let target = |value: &Value| match value {
        Value::Target(target) => Some(target.clone()),
        _ => None,
    };
    let mut all = match value {
        Value::List(values) => values.iter().filter_map(target).collect(),
        value => target(value).into_iter().collect::<Vec<_>>(),
    }
    .into_iter();
    (all.next().unwrap_or_default(), all.collect())
}
