//! `escher permissions`: the least that whoever runs a playbook must be allowed to do, as each cloud wants to be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::plan::load;
use crate::args::{Format, PermissionsFormat};
use crate::failure::Failure;
use crate::permissions::{self, Need, Needs, Source};
use crate::{output, render};

/// Longest policy that AWS takes for a user-managed policy, white space not counted.
const AWS_POLICY_CHARACTERS: usize = 6144;

pub(crate) fn permissions(playbook: &str, format: PermissionsFormat) -> Result<u8, Failure> {
    let shown = if format == PermissionsFormat::Json { Format::Json } else { Format::Human };
    let program = load(playbook, shown)?.program;
    let needs = permissions::of(&program);
    let name = &program.playbook.name;
    match format {
        PermissionsFormat::Table => {
            table(&needs);
            return Ok(0);
        }
        PermissionsFormat::Json => output::json(&as_json(name, &needs)),
        PermissionsFormat::AwsIam => {
            let policy = aws(of_cloud(&needs, name, "aws", "AWS")?);
            output::json(&policy);
            let length = policy.to_string().chars().filter(|c| !c.is_whitespace()).count();
            if length > AWS_POLICY_CHARACTERS {
                output::note(&format!(
                    "The policy has {length} characters and AWS takes {AWS_POLICY_CHARACTERS}: attach its statements apart."
                ));
            }
        }
        PermissionsFormat::AzureRole => output::json(&azure(name, of_cloud(&needs, name, "azure", "Azure")?)),
        PermissionsFormat::GcpRole => output::json(&google(name, of_cloud(&needs, name, "gcp", "Google Cloud")?)),
    }
    doubts(&needs);
    Ok(0)
}

/// Permissions by name.
type Permissions = BTreeMap<Arc<str>, Need>;

fn of_cloud<'n>(needs: &'n Needs, name: &str, cloud: &str, title: &str) -> Result<&'n Permissions, Failure> {
    needs.clouds.get(cloud).ok_or_else(|| {
        let clouds: Vec<&str> = needs.clouds.keys().map(String::as_str).collect();
        let failure = Failure::usage(format!("`{name}` calls nothing of {title}"));
        if clouds.is_empty() { failure } else { failure.help(format!("it calls {}", clouds.join(", "))) }
    })
}

/// What the reader of a policy has to know and the policy can't say.
fn doubts(needs: &Needs) {
    let derived = needs.clouds.values().flatten().filter(|(_, need)| need.source == Source::Derived);
    for (permission, need) in derived {
        let operations: Vec<&str> = need.operations.iter().map(String::as_str).collect();
        output::note(&format!("derived from the name, not known: {permission} (for {})", operations.join(", ")));
    }
    for operation in &needs.unknown {
        output::note(&format!("unknown: what `{operation}` needs; it is not in this version's catalogue"));
    }
}

fn names(permissions: &Permissions, chosen: impl Fn(&Need) -> bool) -> Vec<&str> {
    permissions.iter().filter(|(_, need)| chosen(need)).map(|(name, _)| &**name).collect()
}

/// A policy of IAM. The resources are all: which ones they are is known only to a run, whose bounds hold besides.
fn aws(permissions: &Permissions) -> Value {
    let parts = [
        ("Read", names(permissions, |n| !n.hands_on && !n.changes)),
        ("Change", names(permissions, |n| !n.hands_on && n.changes)),
        ("HandRolesOn", names(permissions, |n| n.hands_on)),
    ];
    let statements: Vec<Value> = parts
        .into_iter()
        .filter(|(_, actions)| !actions.is_empty())
        .map(|(sid, actions)| json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*" }))
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A custom role, as `az role definition create` takes it.
fn azure(name: &str, permissions: &Permissions) -> Value {
    json!({
        "Name": format!("Escher {name}"), "IsCustom": true,
        "Description": format!("The least that the playbook {name} needs"),
        "Actions": names(permissions, |_| true), "NotActions": [], "DataActions": [], "NotDataActions": [],
        "AssignableScopes": ["/subscriptions/SUBSCRIPTION"],
    })
}

/// A custom role, as `gcloud iam roles create --file` takes it.
fn google(name: &str, permissions: &Permissions) -> Value {
    json!({
        "title": format!("Escher {name}"), "description": format!("The least that the playbook {name} needs"),
        "stage": "GA", "includedPermissions": names(permissions, |_| true),
    })
}

fn table(needs: &Needs) {
    let mut table = render::table(["permission", "for", "how sure"]);
    for (permission, need) in needs.clouds.values().flatten() {
        let operations: Vec<&str> = need.operations.iter().map(String::as_str).collect();
        table.add_row([permission.to_string(), operations.join(", "), sure(need)]);
    }
    for operation in &needs.unknown {
        table.add_row(["unknown".to_string(), operation.clone(), "not in this catalogue".into()]);
    }
    for operation in &needs.free {
        table.add_row(["none".to_string(), operation.clone(), "known".into()]);
    }
    if table.is_empty() {
        output::line("It calls no cloud, and needs no permission.");
    } else {
        output::line(&table.to_string());
    }
}

/// How sure a permission is, in words.
pub(crate) fn sure(need: &Need) -> String {
    let hands_on = if need.hands_on { ", only where a role is handed on" } else { "" };
    format!("{}{hands_on}", need.source.word())
}

fn as_json(name: &str, needs: &Needs) -> Value {
    let all: Vec<Value> = needs
        .clouds
        .iter()
        .flat_map(|(cloud, permissions)| {
            permissions.iter().map(move |(permission, need)| {
                json!({
                    "cloud": cloud, "permission": permission, "operations": need.operations, "changes": need.changes,
                    "source": if need.source == Source::Known { "known" } else { "derived" }, "hands_on": need.hands_on,
                })
            })
        })
        .collect();
    json!({
        "schema": "escher.permissions/1", "playbook": name, "permissions": all, "unknown": needs.unknown, "free": needs.free,
    })
}
