//! What the policy is told, and what it says: of a plan, a person and a moment.

use std::collections::BTreeSet;

use escher_catalog::Risk;
use escher_policy::{Action, Facts, Level, Moment, Question, Verdict};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Gate, Publishing};
use crate::audit;
use crate::engine::Engine;
use crate::error::{EngineError, Refused};
use crate::halt;
use crate::plan::Planned;
use crate::published;

/// Roles that make somebody more than everybody.
const ASSIGNED: [&str; 2] = ["executor", "viewer"];

impl Gate {
    /// Roles of a principal.
    pub(crate) fn roles_of(&self, principal: &str) -> Vec<&str> {
        let has = |members: &Vec<String>| members.iter().any(|member| member == principal);
        self.roles.iter().filter(|(_, members)| has(members)).map(|(role, _)| role.as_str()).collect()
    }

    /// Freezes that hold at a moment. One that can't be read holds: what it would have stopped is not known.
    fn freezes_at(&self, at: Timestamp) -> BTreeSet<String> {
        self.freezes.iter().filter(|(_, f)| f.holds(at).unwrap_or(true)).map(|(name, _)| name.clone()).collect()
    }

    /// What is known without a plan.
    fn facts(&self, engine: &Engine, at: Timestamp) -> Result<Facts, EngineError> {
        let zone = match self.zone.as_str() {
            "" => TimeZone::UTC,
            zone => TimeZone::get(zone).map_err(|_| EngineError::Usage(format!("there is no time zone \"{zone}\"")))?,
        };
        Ok(Facts {
            moment: Moment { at, zone },
            freezes: self.freezes_at(at),
            halted: halt::holds(engine)?.is_some(),
            solo: self.solo,
            sandbox: self.sandbox,
            roles_assigned: ASSIGNED.iter().any(|role| self.roles.get(*role).is_some_and(|m| !m.is_empty())),
            ..Facts::default()
        })
    }
}

/// What is known of a plan, for somebody who made it, starts it, or neither.
fn facts_of(
    engine: &Engine,
    gate: &Gate,
    planned: &Planned,
    principal: &str,
    starters: &[&str],
    at: Timestamp,
) -> Result<Facts, EngineError> {
    let plan = &*planned.plan;
    let each = |of: fn(&escher_ir::Target) -> &String| plan.targets.iter().map(of).cloned().collect();
    let asked = plan.approval.as_ref().and_then(|approval| gate.roles.get(&approval.by));
    Ok(Facts {
        kind: match &plan.under {
            Some(under) => published::kind_of(engine, under)?,
            None => escher_policy::Kind::Interactive,
        },
        risk: level(plan.risk),
        blast_radius: plan.blast_radius(),
        changes: plan.blast_radius() > 0,
        clouds: each(|target| &target.cloud),
        accounts: each(|target| &target.account),
        regions: each(|target| &target.region),
        operations: plan.operations.keys().cloned().collect(),
        freeze_exempt: planned.program.playbook.freeze_exempt,
        own: planned.principal == principal || starters.contains(&principal),
        asked_role: asked.is_some_and(|members| members.iter().any(|member| member == principal)),
        ..gate.facts(engine, at)?
    })
}

fn level(risk: Risk) -> Level {
    match risk {
        Risk::Read => Level::Read,
        Risk::Low => Level::Low,
        Risk::Medium => Level::Medium,
        Risk::High => Level::High,
        Risk::Critical => Level::Critical,
    }
}

/// What the policy says of somebody who wants to do something with a plan.
pub(crate) fn verdict(
    engine: &Engine,
    gate: &Gate,
    planned: &Planned,
    principal: &str,
    starters: &[&str],
    action: Action,
    at: Timestamp,
) -> Result<Verdict, EngineError> {
    let facts = facts_of(engine, gate, planned, principal, starters, at)?;
    let playbook = &planned.plan.playbook;
    Ok(gate.policy.decide(&Question { principal, roles: gate.roles_of(principal), action, playbook, facts: &facts }))
}

/// The same of something that is about the whole store.
pub(crate) fn verdict_of_store(
    engine: &Engine,
    gate: &Gate,
    principal: &str,
    action: Action,
) -> Result<Verdict, EngineError> {
    let facts = gate.facts(engine, engine.clock.now())?;
    let question = Question { principal, roles: gate.roles_of(principal), action, playbook: "", facts: &facts };
    Ok(gate.policy.decide(&question))
}

/// A denial, as a refusal.
pub(crate) fn denial(verdict: Verdict) -> Refused {
    Refused { code: Some("E0615"), ..Refused::new(verdict.reason, verdict.help) }
}

/// Refuses what the policy does not let somebody do with a plan; the refusal is audited.
pub(crate) fn permit(
    engine: &Engine,
    gate: &Gate,
    planned: &Planned,
    principal: &str,
    action: Action,
    at: Timestamp,
) -> Result<(), EngineError> {
    let unread = |error| audit::tampered(engine, Some(&planned.run), principal, error);
    match verdict(engine, gate, planned, principal, &[], action, at).map_err(unread)? {
        verdict if verdict.allowed => Ok(()),
        verdict => Err(audit::refused(engine, Some(&planned.run), principal, denial(verdict))),
    }
}

/// The same of what somebody would publish; what it would change is known as far as its own bounds say it.
pub(crate) fn permit_publishing(
    engine: &Engine,
    gate: &Gate,
    what: &Publishing<'_>,
    principal: &str,
) -> Result<(), EngineError> {
    let playbook = &what.standing.program.playbook;
    let places = || what.standing.groups.values().flatten();
    let operations = what.standing.program.operations.keys();
    let facts = Facts {
        kind: published::kind(what.standing),
        risk: level(playbook.risk),
        blast_radius: playbook.blast_radius.unwrap_or(u64::MAX),
        changes: playbook.risk > Risk::Read,
        clouds: operations.clone().filter_map(|name| name.split('.').next()).map(str::to_string).collect(),
        accounts: places().map(|target| target.account.clone()).collect(),
        regions: places().map(|target| target.region.clone()).collect(),
        operations: operations.cloned().collect(),
        freeze_exempt: playbook.freeze_exempt,
        ..gate.facts(engine, engine.clock.now())?
    };
    let (roles, action) = (gate.roles_of(principal), Action::Publish);
    let question = Question { principal, roles, action, playbook: &playbook.name, facts: &facts };
    match gate.policy.decide(&question) {
        verdict if verdict.allowed => Ok(()),
        verdict => Err(audit::refused(engine, None, principal, denial(verdict))),
    }
}

/// The same of something that is about the whole store.
pub(crate) fn permit_in_store(
    engine: &Engine,
    gate: &Gate,
    principal: &str,
    action: Action,
) -> Result<(), EngineError> {
    match verdict_of_store(engine, gate, principal, action)? {
        verdict if verdict.allowed => Ok(()),
        verdict => Err(audit::refused(engine, None, principal, denial(verdict))),
    }
}
