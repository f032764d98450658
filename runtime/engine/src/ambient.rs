//! Where calls run that say no place: one target for each cloud that a program calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use escher_ir::program::{Block, Each, Expr, Identity, NodeKind, Program};
use escher_ir::{Target, Value, visit};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::journal::RunState;

/// Clouds, the first of which that a program calls stands for values of no cloud.
const CLOUDS: [&str; 3] = ["aws", "azure", "gcp"];

/// The cloud that an operation belongs to.
pub(crate) fn cloud_of(operation: &str) -> &str {
    operation.split('.').next().unwrap_or_default()
}

/// The targets that a program's calls need, before they are filled in: what is set is set for one cloud. A call inside
/// `with` names its place, and one of a step for things of a cloud has that of its item.
pub(crate) fn needed(program: &Program, set: &Target) -> Vec<Target> {
    let mut called = Called { program, seen: BTreeSet::new(), clouds: BTreeSet::new() };
    called.playbook();
    let Called { clouds, .. } = called;
    CLOUDS
        .into_iter()
        .filter(|cloud| clouds.contains(*cloud))
        .map(|cloud| match set.cloud == cloud {
            true => set.clone(),
            false => Target { cloud: cloud.into(), ..Target::default() },
        })
        .collect()
}

/// The clouds that are called where no place is at hand.
struct Called<'p> {
    program: &'p Program,
    /// Functions that are called there, each with whether a `with` inside it counts as a place.
    seen: BTreeSet<(String, bool)>,
    clouds: BTreeSet<String>,
}

impl Called<'_> {
    fn playbook(&mut self) {
        let mut body = self.program.playbook.body.clone();
        for node in &mut body.nodes {
            let NodeKind::Step(step) = &mut node.kind else { continue };
            let located = |each: &Each| matches!(each.identity, Identity::Member { .. });
            let located = step.each.as_ref().is_some_and(located);
            let blocks = [Some(std::mem::take(&mut step.body)), step.undo.take()];
            if located {
                (step.when, step.unless) = (None, None);
            } else {
                // What is done once, or for texts, is an item of the ambient place, wherever its calls go.
                blocks.into_iter().flatten().for_each(|block| self.block(block, false));
            }
        }
        self.block(body, true);
    }

    fn block(&mut self, mut block: Block, placed: bool) {
        // What stands in a `with` is taken out before anything is counted.
        visit::block(&mut block, &mut |e| {
            if let (Expr::With { body, .. }, true) = (e, placed) {
                **body = Block::default();
            }
        });
        let mut functions = Vec::new();
        visit::block(&mut block, &mut |e| match e {
            Expr::Call(call) => drop(self.clouds.insert(cloud_of(&call.operation).to_string())),
            Expr::Function { name, .. } if self.seen.insert((name.clone(), placed)) => {
                functions.extend(self.program.functions.get(name).map(|f| f.body.clone()));
            }
            _ => {}
        });
        functions.into_iter().for_each(|body| self.block(body, placed));
    }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use escher_catalog::Risk;
    use escher_ir::Type;
    use escher_ir::program::{Call, Function, Node, Playbook, Projection};

    use super::*;

    fn call(operation: &str) -> Expr {
        Expr::Call(Arc::new(Call {
            site: "call".into(),
            operation: operation.into(),
            arguments: BTreeMap::new(),
            changes: false,
            reads: Projection::All,
            catch: Vec::new(),
            probe: None,
        }))
    }

    fn with(inner: Expr) -> Expr {
        let body = Block { nodes: Vec::new(), value: Some(Box::new(inner)) };
        Expr::With { target: Box::new(Expr::Local("there".into())), body: Box::new(body) }
    }

    fn function(name: &str) -> Expr {
        Expr::Function { site: name.into(), name: name.into(), arguments: Vec::new() }
    }

    fn clouds(values: Vec<Expr>, functions: &[(&str, Expr)]) -> Vec<String> {
        let node = |value| Node { id: "do".into(), doc: None, after: Vec::new(), kind: NodeKind::Do { value } };
        let body = |value: &Expr| Block { nodes: Vec::new(), value: Some(Box::new(value.clone())) };
        let function = |value| Function { params: Vec::new(), body: body(value) };
        let program = Program {
            edition: escher_ir::EDITION,
            playbook: Playbook {
                name: "look".into(),
                doc: None,
                params: Vec::new(),
                returns: Type::None,
                risk: Risk::Read,
                declared_risk: Risk::Read,
                approval: None,
                blast_radius: None,
                freeze_exempt: false,
                body: Block { nodes: values.into_iter().map(node).collect(), value: None },
            },
            functions: functions.iter().map(|(name, value)| (name.to_string(), function(value))).collect(),
            operations: BTreeMap::new(),
            waiters: BTreeMap::new(),
        };
        needed(&program, &Target::default()).into_iter().map(|target| target.cloud).collect()
    }

    #[test]
    fn what_is_called_at_a_place_of_its_own_needs_no_other() {
        let (aws, azure) = (call("aws.ec2.describe_volumes"), call("azure.compute.disks.list"));
        assert_eq!(clouds(vec![aws.clone(), azure.clone()], &[]), ["aws", "azure"]);
        assert_eq!(clouds(vec![aws.clone(), with(azure.clone())], &[]), ["aws"]);
        // Through functions: by who calls them where.
        let all = [("disks", azure.clone()), ("placed", with(azure.clone())), ("around", function("disks"))];
        assert_eq!(clouds(vec![with(function("around"))], &all), [""; 0]);
        assert_eq!(clouds(vec![function("placed"), aws], &all), ["aws"]);
        assert_eq!(clouds(vec![with(function("disks")), function("around")], &all), ["azure"]);
    }
}
