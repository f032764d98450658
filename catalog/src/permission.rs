//! What a caller must be allowed to do, in the words of each cloud: IAM action, RBAC operation, Google permission.
//!
//! Known where a source names it: the actions of AWS's own reference, Google's documentation of the method, or a row of
//! `data/permissions.txt`. Derived by the cloud's naming rule otherwise, which is right for most and a guess all the same.
//! This module does *not* say which resources a permission is needed on.

use std::sync::Arc;

use crate::codec::Facts;
use crate::model::{Operation, ServiceMeta};

const SOURCE: &str = include_str!("../data/permissions.txt");

/// One permission that an operation needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Such as `ec2:StopInstances`, `Microsoft.Compute/virtualMachines/deallocate/action`, `compute.instances.stop`.
    pub name: Arc<str>,
    /// A source names it; otherwise it is derived from the operation's own name.
    pub known: bool,
    /// Needed only because of what the operation hands on, such as `iam:PassRole`.
    pub dependent: bool,
}

impl Permission {
    fn new(name: impl Into<Arc<str>>, known: bool) -> Permission {
        Permission { name: name.into(), known, dependent: false }
    }
}

/// The permissions of an operation; none where nothing is needed.
pub(crate) fn permissions(service: &ServiceMeta, operation: &Operation, facts: &Facts) -> Vec<Permission> {
    let full = format!("{}.{}.{}", service.cloud, service.name, operation.name);
    if let Some((_, list)) = rows().find(|(name, _)| *name == full) {
        return list.split(',').filter(|p| *p != "-").map(of_row).collect();
    }
    if !facts.permissions.is_empty() {
        return facts.permissions.iter().map(|name| Permission::new(Arc::clone(name), true)).collect();
    }
    match &*service.cloud {
        "aws" => {
            let action = format!("{}:{}", service.signing_name, operation.official);
            vec![Permission::new(action, facts.level.is_some())]
        }
        "azure" => vec![Permission::new(of_azure(operation), false)],
        _ => vec![Permission::new(of_google(service, operation), false)],
    }
}

fn of_row(text: &str) -> Permission {
    let name = text.strip_prefix('+').unwrap_or(text);
    Permission { dependent: name.len() < text.len(), ..Permission::new(name, true) }
}

/// Rows of the table: full name of an operation, permissions with `+` before dependent ones.
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOURCE.lines().filter_map(|line| {
        let line = line.split_once('#').map_or(line, |(row, _)| row);
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    })
}

/// Namespace and types of the URL, and what the method does to them.
fn of_azure(operation: &Operation) -> String {
    let uri = operation.uri.trim_start_matches('/');
    // What stands behind the last `providers` is the resource; without one it is a resource group or subscription.
    let (namespace, rest) = match uri.rsplit_once("providers/") {
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("Microsoft.Resources", uri),
    };
    let parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
    // Types and names take turns; a type without a name behind it is the action of a POST.
    let types: Vec<&str> = parts.iter().step_by(2).copied().collect();
    let mut name = namespace.to_owned();
    for part in types {
        name.push('/');
        name.push_str(part);
    }
    name.push_str(match &*operation.method {
        "GET" | "HEAD" => "/read",
        "PUT" | "PATCH" => "/write",
        "DELETE" => "/delete",
        _ => "/action",
    });
    name
}

/// Service, resource and verb: `compute.instances.stop`.
fn of_google(service: &ServiceMeta, operation: &Operation) -> String {
    let api = service.endpoint_prefix.split('.').next().unwrap_or_default();
    let mut parts = operation.official.rsplit('.');
    let verb = match parts.next().unwrap_or_default() {
        "insert" | "batchCreate" => "create",
        "patch" => "update",
        "aggregatedList" => "list",
        "batchGet" => "get",
        other => other,
    };
    match parts.next() {
        Some(resource) => format!("{api}.{resource}.{verb}"),
        None => format!("{api}.{verb}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, rows};
    use crate::Catalog;

    fn names(operation: &str) -> Vec<(String, bool, bool)> {
        let found = Catalog::embedded().permissions(operation).unwrap();
        found.into_iter().map(|Permission { name, known, dependent }| (name.to_string(), known, dependent)).collect()
    }

    #[test]
    fn each_cloud_in_its_own_words() {
        for (operation, name, known) in [
            ("aws.ec2.stop_instances", "ec2:StopInstances", true),
            ("aws.cloudwatch.put_metric_alarm", "cloudwatch:PutMetricAlarm", true),
            ("aws.s3.list_objects_v2", "s3:ListBucket", true),
            ("azure.compute.virtual_machines.deallocate", "Microsoft.Compute/virtualMachines/deallocate/action", false),
            ("azure.compute.virtual_machines.list_all", "Microsoft.Compute/virtualMachines/read", false),
            (
                "azure.network.security_rules.create_or_update",
                "Microsoft.Network/networkSecurityGroups/securityRules/write",
                false,
            ),
            ("gcp.compute.instances.stop", "compute.instances.stop", false),
            ("gcp.compute.disks.insert", "compute.disks.create", false),
        ] {
            assert_eq!(names(operation), [(name.to_owned(), known, false)], "{operation}");
        }
        let run = names("aws.ec2.run_instances");
        assert!(run.contains(&("iam:PassRole".to_owned(), true, true)), "{run:?}");
        assert!(Catalog::embedded().permissions("aws.sts.get_caller_identity").unwrap().is_empty());
    }

    #[test]
    fn every_row_names_an_operation_and_they_stand_in_order() {
        let all: Vec<_> = rows().collect();
        assert!(all.len() > 40);
        for (name, list) in &all {
            assert!(Catalog::embedded().record(name).is_some(), "{name}");
            assert!(!list.is_empty());
        }
        for pair in all.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} stands above {}", pair[0].0, pair[1].0);
        }
    }
}
