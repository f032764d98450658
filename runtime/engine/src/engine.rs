//! The one handle that callers hold: a store, a catalogue, a clock, and what can be done with them.
//!
//! Each method is a line or two; the work stands in the modules of the same names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use escher_catalog::Catalog;
use escher_ir::audit::AuditEntry;
use escher_ir::program::Program;
use escher_ir::published::{Halt, Use};
use escher_ir::standing::Standing as Item;
use escher_ir::statement::{Signed, Statement};
use escher_ir::trust::TrustStatement;
use escher_ir::{Digest, Value};
use escher_policy::{Action, Verdict};
use escher_provider::{Change, Read};
use jiff::Timestamp;

use crate::approve::{ApproveOptions, Gate, SigningKey, TrustReport};
use crate::audit::{AuditVerdict, Checkpoint};
use crate::clock::{Clock, SystemClock};
use crate::error::{EngineError, Refused};
use crate::limits::Limits;
use crate::operations::Operations;
use crate::options::{PlanOptions, RunOptions};
use crate::plan::Planned;
use crate::published::{PublishOptions, Published, Ticked};
use crate::report::{RunReport, Standing};
use crate::secrets::{Secrets, SystemSecrets};
use crate::store::StateStore;

/// The engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) operations: Arc<dyn Operations>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) limits: Limits,
}

/// A line of `escher runs list`.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// Run id.
    pub run: String,
    /// The playbook.
    pub playbook: String,
    /// How it stands.
    pub standing: Standing,
    /// Who planned it.
    pub principal: String,
    /// When it was planned.
    pub planned: Timestamp,
    /// The run that this one takes back.
    pub undo_of: Option<String>,
    /// Temporary steps that it has not taken back: a run that was interrupted owes them.
    pub owes: Vec<String>,
}

impl Engine {
    /// An engine on this store, with the catalogue of this build and the machine's clock.
    pub fn new(store: Arc<dyn StateStore>) -> Engine {
        Engine {
            store,
            operations: Arc::new(Catalog::current()),
            clock: Arc::new(SystemClock),
            secrets: Arc::new(SystemSecrets),
            limits: Limits::default(),
        }
    }

    /// With other records of operations.
    pub fn with_operations(mut self, operations: Arc<dyn Operations>) -> Engine {
        self.operations = operations;
        self
    }

    /// With other places that secrets are kept in.
    pub fn with_secrets(mut self, secrets: Arc<dyn Secrets>) -> Engine {
        self.secrets = secrets;
        self
    }

    /// With a project's own limits.
    pub fn with_limits(mut self, limits: Limits) -> Engine {
        self.limits = limits;
        self
    }

    /// With another clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Engine {
        self.clock = clock;
        self
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn StateStore> {
        &self.store
    }

    /// Reads the world and says what a run would do; mints the run id and keeps program, records and plan.
    ///
    /// Errors: [`EngineError::Refused`] for a `require` that fails, too many items or two of one identity;
    /// [`EngineError::Usage`] for a parameter that doesn't fit.
    pub async fn plan(
        &self,
        program: Arc<Program>,
        parameters: BTreeMap<String, Value>,
        read: &dyn Read,
        options: &PlanOptions,
    ) -> Result<Planned, EngineError> {
        crate::plan::plan(self, program, parameters, read, options).await
    }

    /// A plan that was made before, by run id.
    pub fn planned(&self, run: &str) -> Result<Planned, EngineError> {
        crate::plan::load(self, run)
    }

    /// The rest of a run that waits for its approval; none where a run does not wait.
    pub fn waiting(&self, run: &str) -> Result<Option<Planned>, EngineError> {
        crate::plan::waiting(self, &crate::plan::state_of(self, run)?)
    }

    /// The plan that a plan file shows, where the file says exactly what is stored.
    ///
    /// Errors: [`EngineError::Refused`] naming the first field that differs.
    pub fn verify_plan_file(&self, file: &serde_json::Value) -> Result<Planned, EngineError> {
        crate::plan::verify_file(self, file)
    }

    /// The statement that an approver signs, of a plan or of the rest of a run that waits, for signing elsewhere (`ssh-keygen -Y sign -n escher-approval`).
    pub fn statement_for(&self, run: &str, options: &ApproveOptions) -> Result<Statement, EngineError> {
        crate::approve::statement_for(self, run, false, options)
    }

    /// The statement that takes the approvals of a run back, for signing elsewhere.
    pub fn revocation_for(&self, run: &str, options: &ApproveOptions) -> Result<Statement, EngineError> {
        crate::approve::statement_for(self, run, true, options)
    }

    /// Signs and records an approval, of the plan or of the rest of a run that waits; the digest is that of the signed statement.
    ///
    /// Errors: [`EngineError::Refused`] where the gate would not accept it; the refusal is audited.
    pub fn approve(
        &self,
        run: &str,
        key: &SigningKey,
        options: &ApproveOptions,
        gate: &Gate,
    ) -> Result<Digest, EngineError> {
        crate::approve::approve(self, run, key, options, gate)
    }

    /// Takes the approvals back that a run has so far. Whoever may approve may do that.
    pub fn revoke(
        &self,
        run: &str,
        key: &SigningKey,
        options: &ApproveOptions,
        gate: &Gate,
    ) -> Result<Digest, EngineError> {
        crate::approve::revoke(self, run, key, options, gate)
    }

    /// Pins the root key of this store, a public key line, and with it the signers, roles and solo flag at hand.
    ///
    /// Errors: [`EngineError::Refused`] where one is pinned.
    pub fn pin_root(&self, root: &str, gate: &Gate, principal: &str) -> Result<TrustReport, EngineError> {
        crate::approve::trust::pin(self, root, gate, principal)
    }

    /// What the root key signed last; none where no root key is pinned.
    pub fn trust(&self) -> Result<Option<TrustReport>, EngineError> {
        crate::approve::trust::report(self)
    }

    /// Whether signers, roles and solo flag at hand are those that the root key signed.
    pub fn trusts(&self, gate: &Gate) -> Result<bool, EngineError> {
        crate::approve::trust::holds(self, gate)
    }

    /// Signs signers, roles and solo flag at hand with the root key; the first time, pins it.
    pub fn sign_trust(&self, key: &SigningKey, gate: &Gate, principal: &str) -> Result<TrustReport, EngineError> {
        crate::approve::trust::sign(self, key, gate, principal)
    }

    /// The statement that the root key signs for what is at hand, for signing elsewhere
    /// (`ssh-keygen -Y sign -n escher-trust`).
    pub fn trust_statement(&self, gate: &Gate) -> Result<TrustStatement, EngineError> {
        crate::approve::trust::statement_for(self, gate)
    }

    /// Records what the root key signed elsewhere: the exact bytes of the statement and the armoured signature.
    pub fn add_trust(
        &self,
        statement: &[u8],
        signature: &str,
        gate: &Gate,
        principal: &str,
    ) -> Result<TrustReport, EngineError> {
        crate::approve::trust::add_signature(self, statement, signature, gate, principal)
    }

    /// Publishes a template, a schedule or a trigger: signs it, and keeps it whole.
    ///
    /// Errors: [`EngineError::Refused`] where the gate or the policy would not accept it; the refusal is audited.
    pub fn publish(
        &self,
        item: &Item,
        key: &SigningKey,
        options: &PublishOptions,
        gate: &Gate,
    ) -> Result<Published, EngineError> {
        crate::published::publish(self, item, key, options, gate)
    }

    /// The statement that publishes it, for signing elsewhere (`ssh-keygen -Y sign -n escher-approval`).
    pub fn publication_for(&self, item: &Item, options: &PublishOptions) -> Result<Statement, EngineError> {
        crate::published::statement_for(self, item, options)
    }

    /// Records a publication that was signed elsewhere.
    pub fn add_publication(
        &self,
        item: &Item,
        statement: &[u8],
        signature: &str,
        options: &PublishOptions,
        gate: &Gate,
    ) -> Result<Published, EngineError> {
        crate::published::add_signature(self, item, statement, signature, options, gate)
    }

    /// Takes something back that was published: nobody may use it any more.
    pub fn withdraw(
        &self,
        name: &str,
        key: &SigningKey,
        options: &PublishOptions,
        gate: &Gate,
    ) -> Result<(), EngineError> {
        crate::published::withdraw(self, name, key, options, gate)
    }

    /// Holds a schedule or trigger back, or lets it go on.
    pub fn pause(&self, name: &str, paused: bool, gate: &Gate, principal: &str) -> Result<(), EngineError> {
        crate::published::pause(self, name, paused, gate, principal)
    }

    /// All that is published.
    pub fn published(&self) -> Result<Vec<Published>, EngineError> {
        crate::published::list(self)
    }

    /// Plans a run of something published, within what was signed; [`Engine::run`] starts it without another approval.
    pub async fn extend(
        &self,
        name: &str,
        given: BTreeMap<String, Value>,
        read: &dyn Read,
        options: &PlanOptions,
    ) -> Result<Planned, EngineError> {
        crate::published::extend(self, name, given, None, read, options).await
    }

    /// Runs what schedules have due, goes on with their runs that were cut short, and writes down what was missed.
    ///
    /// A run that fails is no error, but stands in what its schedule says.
    pub async fn tick(
        &self,
        change: &dyn Change,
        planning: &PlanOptions,
        running: &RunOptions,
    ) -> Result<Vec<Ticked>, EngineError> {
        crate::published::tick(self, change, planning, running).await
    }

    /// When a published schedule is due next; none where it never is.
    pub fn due_next(&self, of: &Published) -> Result<Option<Timestamp>, EngineError> {
        crate::published::next(self, of)
    }

    /// What became of the last so many times of something published, newest first.
    pub fn uses(&self, name: &str, most: u64) -> Result<Vec<Use>, EngineError> {
        crate::published::history(self, name, most)
    }

    /// Stops every change in this state, in every process, or allows them again.
    pub fn set_halted(
        &self,
        halted: bool,
        reason: &str,
        gate: &Gate,
        principal: &str,
    ) -> Result<Option<Halt>, EngineError> {
        crate::halt::set(self, halted, reason, gate, principal)
    }

    /// Who stopped every change in this state, and why; none where changes are allowed.
    pub fn halted(&self) -> Result<Option<Halt>, EngineError> {
        crate::halt::holds(self)
    }

    /// What the policy says of somebody who wants to do something with a planned run.
    pub fn explain(
        &self,
        run: &str,
        principal: &str,
        action: Action,
        gate: &Gate,
        at: Timestamp,
    ) -> Result<Verdict, EngineError> {
        let planned = self.waiting(run)?.map_or_else(|| self.planned(run), Ok)?;
        crate::approve::verdict(self, gate, &planned, principal, &[], action, at)
    }

    /// The same of something that is about the whole state; refused, with an audit record, where they may not.
    pub fn permit(&self, principal: &str, action: Action, gate: &Gate) -> Result<(), EngineError> {
        crate::approve::permit_in_store(self, gate, principal, action)
    }

    /// The same, as a verdict.
    pub fn explain_in_store(&self, principal: &str, action: Action, gate: &Gate) -> Result<Verdict, EngineError> {
        crate::approve::verdict_of_store(self, gate, principal, action)
    }

    /// The signed statements that a run has: approvals that count, with their digests.
    pub fn signed(&self, run: &str) -> Result<Vec<(Digest, Signed)>, EngineError> {
        let state = crate::plan::state_of(self, run)?;
        let later = state.parts.iter().flat_map(|part| &part.approvals);
        let all: Vec<_> = state.approvals.iter().chain(later).cloned().collect();
        crate::approve::load_signed(self, &all)
    }

    /// Records an approval that was signed elsewhere: the exact bytes of the statement and the armoured signature.
    pub fn add_signature(
        &self,
        run: &str,
        statement: &[u8],
        signature: &str,
        gate: &Gate,
    ) -> Result<Digest, EngineError> {
        crate::approve::add_signature(self, run, statement, signature, gate)
    }

    /// Principals who have approved a run so far, whether or not that is enough.
    pub fn approvals(&self, run: &str) -> Result<Vec<String>, EngineError> {
        crate::approve::principals(self, run)
    }

    /// Records that a caller refused something for a reason of its own.
    pub fn refuse(&self, run: Option<&str>, principal: &str, reason: &str) -> Result<(), EngineError> {
        match crate::audit::refused(self, run, principal, Refused::new(reason, "")) {
            EngineError::Refused(_) => Ok(()),
            other => Err(other),
        }
    }

    /// Starts a planned run, once, and goes on to its end.
    ///
    /// An item that fails is no error but an outcome of the report; `Err` is for what kept the run from being judged.
    pub async fn run(&self, run: &str, change: &dyn Change, options: &RunOptions) -> Result<RunReport, EngineError> {
        crate::run::run(self, run, change, options).await
    }

    /// Goes on with a run that was interrupted or cancelled.
    pub async fn resume(&self, run: &str, change: &dyn Change, options: &RunOptions) -> Result<RunReport, EngineError> {
        crate::run::resume(self, run, change, options).await
    }

    /// Ends a run: asks the process at work on it and waits for that so long; ends it here where there is none.
    ///
    /// Errors: [`EngineError::Refused`] for a run that has ended.
    pub async fn cancel(
        &self,
        run: &str,
        change: &dyn Change,
        options: &RunOptions,
        patience: Duration,
    ) -> Result<RunReport, EngineError> {
        crate::run::cancel(self, run, change, options, patience).await
    }

    /// Takes a run back, newest item first, in a run of its own.
    pub async fn undo(&self, run: &str, change: &dyn Change, options: &RunOptions) -> Result<RunReport, EngineError> {
        crate::run::undo(self, run, change, options).await
    }

    /// All runs, newest first.
    pub fn runs(&self) -> Result<Vec<RunSummary>, EngineError> {
        crate::runs::list(self)
    }

    /// What a run did so far.
    pub fn show(&self, run: &str) -> Result<RunReport, EngineError> {
        crate::runs::report(self, run)
    }

    /// The audit log, oldest first, from the entry numbered `from`, as far as it can be read: only
    /// [`Engine::verify_audit`] says whether that is all.
    pub fn audit(&self, from: u64) -> Result<Vec<AuditEntry>, EngineError> {
        crate::audit::entries(self, from)
    }

    /// Checks the whole chain, and the journals against it.
    pub fn verify_audit(&self) -> Result<AuditVerdict, EngineError> {
        crate::audit::verify(self, None)
    }

    /// The same, and whether the log is still the one that a checkpoint was made of.
    pub fn verify_audit_against(&self, checkpoint: &Checkpoint) -> Result<AuditVerdict, EngineError> {
        crate::audit::verify(self, Some(checkpoint))
    }

    /// How far the log goes now: what to keep elsewhere.
    pub fn audit_checkpoint(&self) -> Result<Checkpoint, EngineError> {
        crate::audit::checkpoint(self)
    }
}
