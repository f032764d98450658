//! STS: who am I, and roles of other accounts.
//!
//! Roles are *not* resources here: any role name of an account that exists can be assumed, by anybody.

use super::Handler;
use super::call::{Call, int, needed};
use super::error::ApiError;
use super::state::Session;
use crate::protocol::Value;
use crate::protocol::value::record;
use crate::world::World;

pub(crate) const OPERATIONS: &[(&str, Handler)] =
    &[("AssumeRole", assume_role), ("GetCallerIdentity", get_caller_identity)];

fn get_caller_identity(_: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let account = &call.account;
    let (user, arn) = match world.aws.sessions.get(&call.access_key) {
        Some(s) => {
            let arn = format!("arn:aws:sts::{account}:assumed-role/{}/{}", s.role, s.name);
            (format!("{}:{}", unique("AROA", account, &s.role), s.name), arn)
        }
        None => (unique("AIDA", account, "practice"), format!("arn:aws:iam::{account}:user/practice")),
    };
    Ok(record![("UserId", user), ("Account", account), ("Arn", arn)])
}

fn assume_role(input: &Value, world: &mut World, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let arn = needed(input, "RoleArn")?;
    let name = needed(input, "RoleSessionName")?;
    let seconds = int(input, "DurationSeconds").unwrap_or(3600);
    let invalid = |what: &str| ApiError::new("ValidationError", format!("{what} is invalid"));
    if !(900..=43_200).contains(&seconds) {
        return Err(invalid("DurationSeconds"));
    }
    let plain = |t: &str| {
        (1..=64).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
    };
    let (account, role) = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(":role/"))
        .and_then(|(account, path)| Some((account, path.rsplit('/').next()?)))
        .filter(|(_, role)| plain(role))
        .ok_or_else(|| invalid("RoleArn"))?;
    if !plain(name) {
        return Err(invalid("RoleSessionName"));
    }
    let Some(owner) = world.aws.accounts.iter().find(|a| &*a.id == account).map(|a| a.id.clone()) else {
        let message = format!("User is not authorized to perform: sts:AssumeRole on resource: {arn}");
        return Err(ApiError::new("AccessDenied", message).with_status(403));
    };
    let key: String = world.ids.next("ASIA").to_ascii_uppercase().chars().take(20).collect();
    let expires = call.now.saturating_add(seconds.saturating_mul(1000));
    let session = Session { account: owner.clone(), role: role.to_owned(), name: name.to_owned(), expires };
    world.aws.assume(key.clone(), session, call.now);
    Ok(record![
        (
            "Credentials",
            record![
                ("AccessKeyId", key),
                ("SecretAccessKey", "practice-cloud-secret-key-of-no-worth-00"),
                ("SessionToken", "practice-cloud-session-token-of-no-worth"),
                ("Expiration", Value::Time(expires)),
            ]
        ),
        (
            "AssumedRoleUser",
            record![
                ("AssumedRoleId", format!("{}:{name}", unique("AROA", &owner, role))),
                ("Arn", format!("arn:aws:sts::{owner}:assumed-role/{role}/{name}")),
            ]
        ),
    ])
}

/// A unique id in IAM's form, the same for the same name.
fn unique(prefix: &str, account: &str, name: &str) -> String {
    let number = crate::world::ids::mix(crate::world::ids::hash(format!("{account}/{name}").as_bytes()));
    format!("{prefix}{number:016X}")
}
