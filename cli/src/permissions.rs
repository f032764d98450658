//! What a playbook must be allowed to do: the permissions of every operation that its program can call, those of `undo`,
//! `unless`, `wait` and of functions of other files among them. Says nothing of resources, which only a run knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escher_catalog::Catalog;
use escher_ir::program::Program;

/// How sure it is that a permission is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The cloud's own documentation names it.
    Known,
    /// Made from the operation's name by the cloud's rule for names.
    Derived,
}

impl Source {
    /// In a word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Source::Known => "known",
            Source::Derived => "derived from the name",
        }
    }
}

/// A permission, and what it is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// How sure that is.
    pub(crate) source: Source,
    /// Needed only where a call hands a role on.
    pub(crate) hands_on: bool,
    /// Whether an operation that needs it changes something.
    pub(crate) changes: bool,
    /// Full names of the operations.
    pub(crate) operations: BTreeSet<String>,
}

/// What a program needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// By cloud, then by the permission's name.
    pub(crate) clouds: BTreeMap<String, BTreeMap<Arc<str>, Need>>,
    /// Operations of which this catalogue knows nothing.
    pub(crate) unknown: BTreeSet<String>,
    /// Operations that anybody may call who has credentials.
    pub(crate) free: BTreeSet<String>,
}

/// The permissions of a program.
pub(crate) fn of(program: &Program) -> Needs {
    let mut needs = Needs::default();
    for (operation, used) in &program.operations {
        let Some(permissions) = Catalog::current().permissions(operation) else {
            needs.unknown.insert(operation.clone());
            continue;
        };
        if permissions.is_empty() {
            needs.free.insert(operation.clone());
        }
        let cloud = operation.split('.').next().unwrap_or_default();
        let of_cloud = needs.clouds.entry(cloud.to_string()).or_default();
        let changes = used.effects.iter().any(|e| *e != escher_catalog::Effect::Observe);
        for permission in permissions {
            let source = if permission.known { Source::Known } else { Source::Derived };
            let need = of_cloud.entry(permission.name).or_insert_with(|| Need {
                source,
                hands_on: permission.dependent,
                changes,
                operations: BTreeSet::new(),
            });
            need.source = need.source.min(source);
            need.hands_on &= permission.dependent;
            need.changes |= changes;
            need.operations.insert(operation.clone());
        }
    }
    needs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

    use super::*;

    fn needs(body: &str) -> Needs {
        let source = format!("@risk(critical)\n@approval(by: \"manager\", of: 2)\nplaybook p() {{\n{body}\n}}\n");
        let checked = escher_core::check(&escher_core::CatalogWorld, &source);
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        of(checked.playbooks[0].program().unwrap())
    }

    #[test]
    fn what_undoes_and_what_asks_is_needed_too() {
        let needs = needs(
            "let all = aws.ec2.describe_instances().reservations.flat_map(.instances)\n\
             step stop \"Stop\" for m in all max 2 { aws.ec2.stop_instances(instance_ids: [m.instance_id])\n\
             wait aws.ec2.instance_stopped(instance_ids: [m.instance_id]) }\n\
             undo { aws.ec2.start_instances(instance_ids: [m.instance_id]) }",
        );
        let aws: Vec<_> = needs.clouds["aws"].iter().map(|(n, need)| (&**n, need.changes)).collect();
        assert_eq!(aws, [("ec2:DescribeInstances", false), ("ec2:StartInstances", true), ("ec2:StopInstances", true)]);
        assert!(needs.unknown.is_empty());
    }

    #[test]
    fn an_operation_that_this_catalogue_does_not_know_is_unknown() {
        let mut program = {
            let checked =
                escher_core::check(&escher_core::CatalogWorld, "playbook p() { aws.sts.get_caller_identity() }");
            (**checked.playbooks[0].program().unwrap()).clone()
        };
        let used = program.operations.values().next().unwrap().clone();
        program.operations.insert("aws.ec2.of_tomorrow".into(), used);
        let needs = of(&program);
        assert_eq!(needs.unknown.iter().collect::<Vec<_>>(), ["aws.ec2.of_tomorrow"]);
        assert_eq!(needs.free.iter().collect::<Vec<_>>(), ["aws.sts.get_caller_identity"]);
    }
}
