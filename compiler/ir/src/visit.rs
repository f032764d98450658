//! Visits every expression of a block, those inside first.

use std::sync::Arc;

use crate::program::{Block, CatchArm, CatchOutcome, Expr, Identity, NodeKind, RecordPart, Step, TextPart};

/// Visits a block.
pub fn block(block: &mut Block, each: &mut dyn FnMut(&mut Expr)) {
    for node in &mut block.nodes {
        match &mut node.kind {
            NodeKind::Let { value, .. } | NodeKind::Do { value } => expr(value, each),
            NodeKind::Require { condition, otherwise } => {
                expr(condition, each);
                otherwise.iter_mut().for_each(|e| expr(e, each));
            }
            NodeKind::Confirm { question } => expr(question, each),
            NodeKind::Notify { text, .. } => expr(text, each),
            NodeKind::Approve(approve) => {
                expr(&mut approve.question, each);
                approve.show.iter_mut().for_each(|e| expr(e, each));
            }
            NodeKind::Sleep { duration } => expr(duration, each),
            NodeKind::Return { value } => value.iter_mut().for_each(|e| expr(e, each)),
            NodeKind::Report { title, body } => {
                title.iter_mut().for_each(|e| expr(e, each));
                self::block(body, each);
            }
            NodeKind::Wait(wait) => {
                expr(&mut wait.poll, each);
                expr(&mut wait.timeout, each);
            }
            NodeKind::Step(step) => self::step(step, each),
        }
    }
    block.value.iter_mut().for_each(|e| expr(e, each));
}

/// Visits a step, with its `undo`.
pub fn step(step: &mut Step, each: &mut dyn FnMut(&mut Expr)) {
    step.title.iter_mut().for_each(|e| expr(e, each));
    if let Some(item) = &mut step.each {
        expr(&mut item.list, each);
        item.by.iter_mut().for_each(|e| expr(e, each));
        if let Identity::Key(key) = &mut item.identity {
            expr(key, each);
        }
    }
    for bound in &mut step.max {
        expr(&mut bound.value, each);
        [&mut bound.of, &mut bound.per].into_iter().flatten().for_each(|e| expr(e, each));
    }
    [&mut step.at_once, &mut step.retry, &mut step.timeout].into_iter().for_each(|e| expr(e, each));
    let guards = [&mut step.tolerate, &mut step.when, &mut step.otherwise, &mut step.unless];
    guards.into_iter().flatten().for_each(|e| expr(e, each));
    block(&mut step.body, each);
    step.undo.iter_mut().for_each(|b| block(b, each));
    catch(&mut step.catch, each);
}

fn catch(arms: &mut [CatchArm], each: &mut dyn FnMut(&mut Expr)) {
    for arm in arms {
        if let CatchOutcome::Value(e) = &mut arm.outcome {
            expr(e, each);
        }
    }
}

/// Visits an expression, and those inside it first.
pub fn expr(e: &mut Expr, each: &mut dyn FnMut(&mut Expr)) {
    match e {
        Expr::Literal(_) | Expr::Local(_) | Expr::StepResult { .. } => {}
        Expr::Text(parts) => parts.iter_mut().for_each(|p| {
            if let TextPart::Hole(e) = p {
                expr(e, each);
            }
        }),
        Expr::List(items) => items.iter_mut().for_each(|e| expr(e, each)),
        Expr::Record(parts) => parts.iter_mut().for_each(|p| match p {
            RecordPart::Field(_, e) | RecordPart::Spread(e) => expr(e, each),
        }),
        Expr::Map(entries) => entries.iter_mut().for_each(|(k, v)| {
            expr(k, each);
            expr(v, each);
        }),
        Expr::Member { base, .. } | Expr::Maybe(base) | Expr::Unary(_, base) => expr(base, each),
        Expr::Index { base, index } => {
            expr(base, each);
            expr(index, each);
        }
        Expr::Binary(_, left, right) => {
            expr(left, each);
            expr(right, each);
        }
        Expr::If { condition, then, otherwise } => {
            expr(condition, each);
            self::block(then, each);
            otherwise.iter_mut().for_each(|b| self::block(b, each));
        }
        Expr::Match { subject, arms } => {
            expr(subject, each);
            arms.iter_mut().for_each(|a| self::block(&mut a.body, each));
        }
        Expr::Lambda { body, .. } => expr(body, each),
        Expr::Method { base, arguments, .. } => {
            expr(base, each);
            arguments.iter_mut().for_each(|e| expr(e, each));
        }
        Expr::Builtin(_, arguments) | Expr::Function { arguments, .. } => {
            arguments.iter_mut().for_each(|e| expr(e, each));
        }
        Expr::Call(call) => {
            let call = Arc::make_mut(call);
            call.arguments.values_mut().for_each(|e| expr(e, each));
            catch(&mut call.catch, each);
            call.probe.iter_mut().for_each(|e| expr(e, each));
        }
        Expr::With { target, body } => {
            expr(target, each);
            self::block(body, each);
        }
        Expr::StepOf { item, .. } => expr(item, each),
        Expr::Catch { body, arms } => {
            expr(body, each);
            catch(arms, each);
        }
    }
    each(e);
}
