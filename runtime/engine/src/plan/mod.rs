//! Planning.
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::options::PlanOptions;
use escher_ir::plan::Plan;
use escher_ir::program::Program;
use escher_ir::{Digest, Value};
use escher_provider::Read;
use jiff::Timestamp;

/// A plan with the run that it is for.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Run id: a plan starts once.
    pub run: String,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Its digest: what an approval signs.
    pub digest: Digest,
    /// The program.
    pub program: Arc<Program>,
    /// Who planned.
    pub principal: String,
    /// When its first reading began.
    pub began: Timestamp,
}

/// The plan as `escher.plan/1`.
pub fn plan_json(planned: &Planned) -> serde_json::Value {
    serde_json::json!({ "schema": "escher.plan/1", "run": planned.run })
}

pub(crate) async fn plan(
    _: &Engine,
    _: Arc<Program>,
    _: BTreeMap<String, Value>,
    _: &dyn Read,
    _: &PlanOptions,
) -> Result<Planned, EngineError> {
    Err(EngineError::Usage("not built yet".into()))
}
pub(crate) fn load(_: &Engine, _: &str) -> Result<Planned, EngineError> {
    Err(EngineError::Usage("not built yet".into()))
}
pub(crate) fn verify_file(_: &Engine, _: &serde_json::Value) -> Result<Planned, EngineError> {
    Err(EngineError::Usage("not built yet".into()))
}
