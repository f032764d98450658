//! Statements about a planned run: made, signed here or elsewhere, recorded.

use escher_ir::Digest;
use escher_ir::statement::{Signed, Statement};

use crate::approve::{Gate, SigningKey};
use crate::engine::Engine;
use crate::error::EngineError;

/// Who approves, and their words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApproveOptions {
    /// A principal of the allowed-signers file.
    pub principal: String,
    /// The approver's words.
    pub comment: String,
}

pub(crate) fn statement_for(_: &Engine, _: &str, _: &ApproveOptions) -> Result<Statement, EngineError> {
    Err(EngineError::Usage("not built yet".into()))
}
pub(crate) fn approve(
    _: &Engine,
    _: &str,
    _: &SigningKey,
    _: &ApproveOptions,
    _: &Gate,
) -> Result<Digest, EngineError> {
    Err(EngineError::Usage("not built yet".into()))
}
pub(crate) fn add_signature(_: &Engine, _: &str, _: &[u8], _: &str, _: &Gate) -> Result<Digest, EngineError> {
    Err(EngineError::Usage("not built yet".into()))
}
