//! A playbook's program with its parameters fixed or narrowed: bounds and risk follow, and never exceed its own.

use std::collections::BTreeMap;

use escher_catalog::Risk;
use escher_ir::program::{Expr, NodeKind, Param, Program, Step};
use escher_ir::{Type, Value};

use crate::bounds;
use crate::checker::Typed;
use crate::risk::{self, Witness};

/// What becomes of a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Narrowing {
    /// One value, or one group of targets.
    Fixed(Expr),
    /// A type with fewer values.
    To(Type),
}

/// The program within these; types of parameters are what an engine holds their values to.
pub(crate) fn narrowed(program: &Program, witnesses: &[Witness], by: &BTreeMap<String, Narrowing>) -> Program {
    let mut out = program.clone();
    for param in &mut out.playbook.params {
        match by.get(&param.name) {
            Some(Narrowing::Fixed(Expr::Literal(value))) => {
                param.ty = Type::Literals(vec![value.clone()]);
                param.default = Some(Expr::Literal(value.clone()));
            }
            Some(Narrowing::Fixed(group)) => param.default = Some(group.clone()),
            Some(Narrowing::To(ty)) => {
                // A default that is no longer among them is none.
                let outside = |d: &Expr| matches!(d, Expr::Literal(value) if !escher_ir::admit::admits(value, ty));
                param.default = param.default.take().filter(|d| !outside(d));
                param.ty = ty.clone();
            }
            None => {}
        }
    }
    let params = std::mem::take(&mut out.playbook.params);
    let (mut highest, mut radius) = (Risk::Read, Some(0u64));
    for node in &mut out.playbook.body.nodes {
        let NodeKind::Step(step) = &mut node.kind else { continue };
        let before = step.max_at_most;
        step.max_at_most = most(step, &params).map_or(before, |n| n.min(before));
        // What one item hands over is counted in a witness's bound: as often as before.
        let bound = |w: &Witness| match before {
            0 | u64::MAX => w.bound,
            _ => (w.bound / before).saturating_mul(step.max_at_most).min(w.bound),
        };
        let own: Vec<&Witness> = witnesses.iter().filter(|w| w.step == step.name).collect();
        let raised = own.iter().map(|w| risk::raised(w.risk, bound(w)).min(w.raised)).max();
        step.risk = raised.unwrap_or(step.risk).min(step.risk);
        highest = highest.max(step.risk);
        let touched = own.iter().map(|w| bound(w)).max().unwrap_or(0).max(step.max_at_most);
        radius = radius.and_then(|sum| sum.checked_add(touched));
    }
    // What stands in no step reads, at the risk that it has anyway.
    let elsewhere = witnesses.iter().filter(|w| w.step.is_empty()).map(|w| w.raised).max().unwrap_or(Risk::Read);
    out.playbook.risk = highest.max(elsewhere).min(program.playbook.risk);
    out.playbook.blast_radius = match (radius, program.playbook.blast_radius) {
        (Some(now), Some(before)) => Some(now.min(before)),
        (now, before) => now.or(before),
    };
    out.playbook.params = params;
    out
}

/// The least of the numbers of a step's `max`, where one is a constant or a bounded parameter.
fn most(step: &Step, params: &[Param]) -> Option<u64> {
    let plain = step.max.iter().filter(|bound| bound.of.is_none() && bound.per.is_none());
    let greatest = plain.filter_map(|bound| {
        let ty = match &bound.value {
            Expr::Local(name) => params.iter().find(|p| p.name == *name).map(|p| p.ty.clone())?,
            Expr::Literal(Value::Int(n)) => Type::Int { min: Some(*n), max: Some(*n) },
            _ => return None,
        };
        bounds::greatest(&Typed::new(Expr::Local(String::new()), ty))
    });
    greatest.min()
}
