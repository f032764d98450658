//! Whether a plan, or the rest of a run, is one that its program can give: a store is a file, and whoever wrote into it
//! may have left out an approval, raised a bound or added an item.

use escher_catalog::Risk;
use escher_ir::admit;
use escher_ir::operation::record_digest;
use escher_ir::plan::Part;
use escher_ir::program::{NodeKind, Program};

use crate::engine::Engine;
use crate::error::Refused;
use crate::journal::RunState;
use crate::parts::Parts;
use crate::plan::{self, Planned};
use crate::run::step_named;

/// Refuses a plan that does not belong to its program, and a program that plays its risk down.
pub(crate) fn check(engine: &Engine, state: &RunState, planned: &Planned) -> Result<(), Refused> {
    let (plan, program) = (&*planned.plan, &*planned.program);
    let no = |what: String| Err(Refused::new(what, "make a new plan with `escher plan`"));
    if plan.program != state.program {
        return no("the plan is of another program than the one that would run".into());
    }
    let playbook = &program.playbook;
    let parts = Parts::of(program).map_err(|error| Refused::new(error.to_string(), "compile the playbook again"))?;
    let number = match &plan.part {
        None => 0,
        Some(part) => later_part(engine, state, planned, part, &parts)?,
    };
    let asks = parts.asks();
    let (risk, approval) = match number.checked_sub(1).and_then(|at| asks.get(at)) {
        None => (playbook.risk, &playbook.approval),
        Some((_, approve)) => (parts.risk(number), &Some(approve.approval.clone())),
    };
    if plan.playbook != playbook.name || plan.risk != risk || plan.approval != *approval {
        return no("the plan states another playbook, risk or approval than its program".into());
    }
    let follow = asks.iter().skip(number).map(|(node, approve)| (&node.id, &approve.approval));
    if !plan.asks.iter().map(|ask| (&ask.node, &ask.approval)).eq(follow) {
        return no("the plan asks for other approvals than its program".into());
    }
    let floor = program.operations.values().map(|used| used.risk).max().unwrap_or(Risk::Read);
    if playbook.risk < floor {
        return no("the program states a lower risk than its operations have".into());
    }
    let uses = program.operations.iter().map(|(name, used)| (name, &used.record));
    if !plan.operations.iter().eq(uses) {
        return no("the plan lists other operations than its program".into());
    }
    parameters(program, planned).or_else(no)?;
    steps(program, planned, &parts, number).or_else(no)?;
    same_records(engine, program)
}

/// Refuses a program whose operations are others in the catalogue than when it was compiled.
pub(crate) fn same_records(engine: &Engine, program: &Program) -> Result<(), Refused> {
    let no = |what: String| Err(Refused::new(what, "make a new plan with `escher plan`"));
    for (name, used) in &program.operations {
        let found = engine.operations.record(name);
        let same = found.as_ref().and_then(|record| record_digest(record).ok()) == Some(used.record);
        if !same {
            let words = format!("the catalogue says something else of `{name}` than when this was approved");
            return Err(Refused::new(words, "make a new plan with `escher plan`, and have it approved"));
        }
        if found.is_some_and(|record| used.risk < record.operation.class.risk) {
            return no(format!("the program states a lower risk of `{name}` than the catalogue"));
        }
    }
    Ok(())
}

/// The number of the part that this is of the program; refused where it is not what the run would go on with.
fn later_part(
    engine: &Engine,
    state: &RunState,
    planned: &Planned,
    part: &Part,
    parts: &Parts<'_>,
) -> Result<usize, Refused> {
    let no = |what: &str| Refused::new(what, "`escher audit verify` says what is whole");
    let begun = state.begun().count();
    let number = parts.number(&part.node).filter(|number| *number == begun + 1);
    let number = number.ok_or_else(|| no("the run does not stand where this would go on"))?;
    let before = plan::from_state(engine, state).map_err(|error| no(&error.to_string()))?;
    let last = state.begun().last().map_or(state.plan, |part| part.plan);
    let place = state.parts.iter().position(|known| known.plan == planned.digest);
    if part.before != last || place != usize::try_from(part.number).ok().and_then(|n| n.checked_sub(1)) {
        return Err(no("this goes on from another plan than the run has followed"));
    }
    if planned.plan.parameters != before.plan.parameters || !planned.plan.targets.starts_with(&before.plan.targets) {
        return Err(no("the rest of the run has other parameters or places than its beginning"));
    }
    if planned.plan.recheck_after_ms != before.plan.recheck_after_ms {
        return Err(no("the rest of the run takes older readings than its beginning, or newer ones"));
    }
    Ok(number)
}

fn parameters(program: &Program, planned: &Planned) -> Result<(), String> {
    let given = &planned.plan.parameters;
    for param in &program.playbook.params {
        match given.get(&param.name) {
            None => return Err(format!("the plan has no parameter `{}`", param.name)),
            Some(value) => {
                if let Some(shown) = admit::outside(value, &param.ty) {
                    return Err(format!("parameter `{}` is a `{}`, and this is {shown}", param.name, param.ty));
                }
            }
        }
    }
    match given.keys().find(|name| !program.playbook.params.iter().any(|p| p.name == **name)) {
        Some(name) => Err(format!("the playbook has no parameter `{name}`")),
        None => Ok(()),
    }
}

fn steps(program: &Program, planned: &Planned, parts: &Parts<'_>, number: usize) -> Result<(), String> {
    let plan = &*planned.plan;
    for node in &program.playbook.body.nodes {
        if let NodeKind::Step(step) = &node.kind
            && parts.part(&node.id) >= number
            && plan.steps.iter().filter(|planned| planned.name == step.name).count() != 1
        {
            return Err(format!("the plan does not have step `{}` once", step.name));
        }
    }
    for step in &plan.steps {
        let name = &step.name;
        let Some(written) = step_named(program, name) else { return Err(format!("the program has no step `{name}`")) };
        if parts.part(name) < number || step.below.as_deref() != parts.below(name) {
            return Err(format!("step `{name}` stands below another approval"));
        }
        let most = written.max_at_most;
        if step.max > most || step.up_to.is_some_and(|n| n > step.max) || step.items.len() as u64 > step.max {
            return Err(format!("step `{name}` would touch more than {most} things, or more than the plan's `max`"));
        }
        for call in step.items.iter().flat_map(|item| &item.calls) {
            if !program.operations.contains_key(&*call.operation) {
                return Err(format!("the program does not list `{}`", call.operation));
            }
            if plan.targets.get(call.target as usize).is_none() {
                return Err(format!("a call of step `{name}` has no place"));
            }
        }
    }
    Ok(())
}
