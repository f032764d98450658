//! The rules: verb and nouns of the name, HTTP method, access level and traits, to effects, scope and reversal.
//!
//! Nouns only ever refine what a verb says. Whatever the signals contradict each other about ends as the worst of them, or as
//! unknown. Single operations are *not* named here: they have rows in `data/overrides.txt`.

use super::verbs::{self, Act};
use super::{AccessLevel, Verdict};
use crate::codec::Facts;
use crate::model::{Effect, Provenance};
use crate::risk::{Reversal, Scope};

/// Services that steer an account or an organisation as a whole.
const ORGANISATION: &[&str] = &["account", "controltower", "iam", "identitystore", "organizations", "sso_admin"];

/// Services of whose resources others depend: keys and names.
const SHARED_SERVICES: &[&str] = &[
    "fms",
    "kms",
    "network_firewall",
    "networkmanager",
    "ram",
    "route53",
    "route53domains",
    "route53resolver",
    "shield",
    "taxsettings",
    "waf",
    "waf_regional",
    "wafv2",
];

/// Services that are about who may do what: what is made or changed in them gives rights.
const ACCESS_SERVICES: &[&str] = &["lakeformation", "rolesanywhere", "verifiedpermissions"];

/// Services whose rules steer traffic from the moment they are there.
const TRAFFIC: &[&str] = &["elbv2", "vpc_lattice"];

/// Nouns that others depend on wherever they are.
const SHARED: &[&str] = &[
    "acl",
    "acls",
    "certificate",
    "dns",
    "firewall",
    "listener",
    "listeners",
    "nameservers",
    "nat",
    "peering",
    "route",
    "routes",
    "routing",
    "subnet",
    "tgw",
    "transit",
    "vpc",
    "zone",
];

/// Nouns whose making costs nothing that counts.
const FREE: &[&str] = &[
    "action",
    "alarm",
    "alarms",
    "alias",
    "annotation",
    "association",
    "backup",
    "bookmark",
    "category",
    "comment",
    "configuration",
    "contact",
    "dashboard",
    "definition",
    "document",
    "event",
    "events",
    "filter",
    "finding",
    "findings",
    "folder",
    "hook",
    "image",
    "label",
    "layer",
    "list",
    "mapping",
    "message",
    "metric",
    "note",
    "notification",
    "option",
    "override",
    "parameter",
    "permission",
    "placement",
    "plan",
    "policy",
    "profile",
    "record",
    "records",
    "registration",
    "report",
    "rule",
    "rules",
    "schedule",
    "schema",
    "set",
    "snapshot",
    "snapshots",
    "stage",
    "statement",
    "subscription",
    "tag",
    "tags",
    "template",
    "test",
    "topic",
    "trigger",
    "type",
    "version",
    "view",
    "webhook",
    "workspace_note",
];

/// Two-word things whose making costs nothing, though the last word alone could: there are node groups, too.
const FREE_PAIRS: &[(&str, &str)] = &[
    ("log", "group"),
    ("option", "group"),
    ("package", "group"),
    ("parameter", "group"),
    ("placement", "group"),
    ("resource", "group"),
    ("rule", "group"),
    ("security", "group"),
    ("subnet", "group"),
    ("target", "group"),
    ("user", "group"),
];

/// Nouns that are definitions: once deleted, somebody who has the definition can make them again.
const DEFINITIONS: &[&str] = &[
    "action",
    "alarm",
    "alarms",
    "alias",
    "api",
    "assignment",
    "association",
    "attachment",
    "attributes",
    "authorizer",
    "canary",
    "category",
    "comment",
    "config",
    "configuration",
    "configurations",
    "connection",
    "connector",
    "contact",
    "dashboard",
    "dashboards",
    "definition",
    "deployment",
    "destination",
    "entry",
    "filter",
    "gateway",
    "hook",
    "integration",
    "interface",
    "label",
    "layer",
    "list",
    "listener",
    "mapping",
    "method",
    "model",
    "monitor",
    "notification",
    "option",
    "override",
    "parameter",
    "permission",
    "plan",
    "policy",
    "profile",
    "protection",
    "provider",
    "quota",
    "replication",
    "report",
    "response",
    "route",
    "routes",
    "rule",
    "rules",
    "schedule",
    "schedules",
    "schema",
    "session",
    "setting",
    "settings",
    "stage",
    "statement",
    "subnet",
    "subscription",
    "suite",
    "target",
    "targets",
    "template",
    "test",
    "topic",
    "trigger",
    "type",
    "view",
    "vpc",
    "webhook",
    "workflow",
];

/// Two-word definitions whose last word alone could hold data.
const DEFINITION_PAIRS: &[(&str, &str)] = &[
    ("subnet", "group"),
    ("parameter", "group"),
    ("security", "group"),
    ("option", "group"),
    ("target", "group"),
    ("placement", "group"),
    ("scaling", "group"),
    ("load", "balancer"),
    ("network", "acl"),
    ("route", "table"),
    ("health", "check"),
    ("launch", "template"),
    ("vpc", "endpoint"),
    ("vpc", "endpoints"),
    ("flow", "logs"),
    ("log", "delivery"),
    ("log", "source"),
    ("dhcp", "options"),
    ("prefix", "list"),
    ("ip", "set"),
    ("web", "acl"),
    ("rule", "group"),
];

/// Nouns of data: what is put over them is lost.
const DATA: &[&str] =
    &["attributes", "block", "blob", "content", "file", "item", "items", "object", "objects", "values"];

/// Endings of names that hand out a secret when they are got, and make one when they are made.
const SECRETS: &[&[&str]] = &[
    &["credential"],
    &["credentials"],
    &["password"],
    &["password", "data"],
    &["token"],
    &["tokens"],
    &["secret", "value"],
    &["access", "key"],
    &["access", "keys"],
    &["api", "key"],
    &["api", "keys"],
    &["private", "key"],
    &["key", "pair"],
    &["presigned", "url"],
    &["login", "profile"],
    &["presigned", "urls"],
    &["login", "url"],
    &["embed", "url"],
    &["session", "url"],
    &["authentication", "url"],
    &["signed", "bluinsights", "url"],
    &["upload", "url"],
    &["wallet"],
];

/// Words that are permissions whatever the access level says.
const PERMISSIONS: &[&[&str]] = &[
    &["permission"],
    &["permissions"],
    &["abac"],
    &["acl"],
    &["grant"],
    &["grants"],
    &["resource", "policy"],
    &["bucket", "policy"],
    &["key", "policy"],
    &["access", "policy"],
    &["repository", "policy"],
    &["policy", "statement"],
    &["administrator"],
    &["admin", "account"],
    &["administrator", "account"],
    &["identity", "provider"],
    &["idc", "application"],
];

/// What the signals together say of an operation; nothing where they explain nothing or a "read" writes.
pub(super) fn verdict(service: &str, words: &[&str], method: &str, facts: &Facts) -> Option<Verdict> {
    let verb = verbs::verb(words)?;
    let reads = facts.level.is_some_and(AccessLevel::reads);
    let read = |provenance| Verdict::new(&[Effect::Observe], Scope::Own, Reversal::Free, provenance);
    let Some(act) = verbs::act(verb) else {
        return (reads && (facts.read_only || method == "GET")).then(|| read(Provenance::AccessLevel));
    };
    if act == Act::Look {
        return look(words, method, facts);
    }
    let scope = scope(service, words);
    let mut found = by_verb(act, words, scope);
    if act == Act::Make && TRAFFIC.contains(&service) && last_in(words, &["rule", "rules"]) {
        found = Verdict::new(&[Effect::Create, Effect::Modify], Scope::Shared, Reversal::Easy, Provenance::Verb);
    }
    match facts.level {
        Some(AccessLevel::Tagging) if is_tagging(words) => {
            return Some(Verdict::new(&[Effect::Modify], tag_scope(scope), Reversal::Free, Provenance::AccessLevel));
        }
        Some(AccessLevel::Permissions) => {
            found = permissions(act, found, scope);
            found.provenance = Provenance::AccessLevel;
        }
        _ if is_tagging(words) => {
            return Some(Verdict::new(&[Effect::Modify], tag_scope(scope), Reversal::Free, Provenance::Verb));
        }
        // Who knows it gets in.
        _ if matches!(act, Act::Change | Act::Reset) && last_in(words, &["password", "passwords"]) => {
            found = permissions(act, found, scope);
        }
        _ if ends_with_any(words, PERMISSIONS) || lets_in(words) || ACCESS_SERVICES.contains(&service) => {
            found = permissions(act, found, scope)
        }
        _ => {}
    }
    if method == "DELETE"
        && !found.effects.contains(&Effect::Delete)
        && matches!(act, Act::Note | Act::Change | Act::Make)
    {
        found.effects.push(Effect::Delete);
        found.reversal = found.reversal.max(Reversal::Hard);
        found.provenance = Provenance::HttpMethod;
    }
    found.effects.sort_unstable();
    found.effects.dedup();
    Some(found)
}

/// A verb that looks: believed unless another signal says that it writes.
fn look(words: &[&str], method: &str, facts: &Facts) -> Option<Verdict> {
    let provenance = match facts.level {
        // "Get" that IAM calls a write: 103 of them in AWS, each with a row of its own or at the top.
        Some(AccessLevel::Write | AccessLevel::Permissions | AccessLevel::Tagging) => return None,
        Some(_) => Provenance::AccessLevel,
        None if facts.read_only => Provenance::Trait,
        None if matches!(method, "GET" | "HEAD") => Provenance::HttpMethod,
        None => Provenance::Verb,
    };
    if matches!(method, "PUT" | "PATCH" | "DELETE") && !facts.read_only {
        return Some(Verdict::new(&[Effect::Modify], Scope::Own, Reversal::Easy, Provenance::HttpMethod));
    }
    let hands_out =
        !matches!(words, ["describe" | "list" | "search" | "count" | "validate" | "test", ..]) && is_secret(words);
    let effects: &[Effect] = if hands_out { &[Effect::Observe, Effect::Reveal] } else { &[Effect::Observe] };
    Some(Verdict::new(effects, Scope::Own, Reversal::Free, provenance))
}

pub(super) fn by_verb(act: Act, words: &[&str], scope: Scope) -> Verdict {
    use Effect::{Create, Delete, Exec, Grant, Interrupt, Modify, Observe, Reveal, Spend};
    let new = |effects: &[Effect], reversal| Verdict::new(effects, scope, reversal, Provenance::Verb);
    match act {
        Act::Look => new(&[Observe], Reversal::Free),
        Act::Make if is_secret(words) => new(&[Create, Grant, Reveal], Reversal::Easy),
        // Not before its time: a share that is deleted was access.
        Act::Remove if matches!(words, [.., what, "share"] if !matches!(*what, "file" | "quota")) => {
            new(&[Modify, Interrupt], Reversal::Easy)
        }
        Act::Make if words.first() == Some(&"add") => new(&[Modify], Reversal::Easy),
        // A new thing is nobody's dependency yet, only organisations care.
        Act::Make => Verdict {
            scope: if scope == Scope::Organisation { scope } else { Scope::Own },
            ..new(if is_free(words) { &[Create] } else { &[Create, Spend] }, Reversal::Easy)
        },
        Act::Buy => new(&[Spend], Reversal::Never),
        Act::Change if words.first() == Some(&"put") && last_in(words, DATA) => new(&[Create, Modify], Reversal::Hard),
        Act::Change => new(&[Modify], Reversal::Easy),
        // What is taken out of a queue is handed out no more.
        Act::Note if words.contains(&"queue") => new(&[Modify], Reversal::Easy),
        Act::Note => new(&[Modify], Reversal::Free),
        Act::Start => new(&[Modify, Spend], Reversal::Easy),
        Act::Interrupt => new(&[Interrupt], Reversal::Easy),
        Act::Detach if words.first() == Some(&"deregister") => new(&[Modify, Interrupt], Reversal::Hard),
        Act::Detach if words.first() == Some(&"remove") => new(&[Delete], Reversal::Hard),
        Act::Detach => new(&[Modify, Interrupt], Reversal::Easy),
        Act::Reset => new(&[Modify], Reversal::Hard),
        Act::Remove => new(&[Delete], if is_definition(words) { Reversal::Hard } else { Reversal::Never }),
        Act::Destroy => new(&[Delete], Reversal::Never),
        Act::Tag => new(&[Modify], Reversal::Free),
        Act::Give => new(&[Grant], Reversal::Easy),
        Act::Revoke => new(&[Modify, Interrupt], Reversal::Easy),
        Act::Send => new(&[Create], Reversal::Never),
        // Asking a model costs money.
        Act::Run if words.contains(&"inference") => new(&[Create, Spend], Reversal::Easy),
        Act::Run => new(&[Exec], Reversal::Never),
    }
}

/// An operation on permissions: giving is a grant; taking them away breaks whoever relied on them.
pub(super) fn permissions(act: Act, found: Verdict, scope: Scope) -> Verdict {
    if matches!(act, Act::Remove | Act::Detach | Act::Revoke | Act::Destroy | Act::Interrupt) {
        // Not a grant, though a deleted policy may have been one that denied: high, never medium.
        return Verdict::new(
            &[Effect::Modify, Effect::Delete],
            scope.max(Scope::Shared),
            Reversal::Hard,
            found.provenance,
        );
    }
    let mut effects = found.effects;
    effects.push(Effect::Grant);
    Verdict { effects, ..found }
}

fn scope(service: &str, words: &[&str]) -> Scope {
    if ORGANISATION.contains(&service) || words.iter().any(|w| matches!(*w, "organization" | "organizations")) {
        Scope::Organisation
    } else if SHARED_SERVICES.contains(&service)
        || words.iter().any(|w| SHARED.contains(w))
        || words.windows(2).any(|w| matches!(w, ["security", "group"] | ["prefix", "list" | "lists"]))
    {
        Scope::Shared
    } else {
        Scope::Own
    }
}

/// Labels change nothing that others depend on, unless they stand in an organisation's own services.
fn tag_scope(scope: Scope) -> Scope {
    if scope == Scope::Organisation { scope } else { Scope::Own }
}

fn is_tagging(words: &[&str]) -> bool {
    const SETS: &[&str] = &["add", "remove", "create", "delete", "change", "set", "update", "put"];
    matches!(words, ["tag" | "untag", ..] | [.., "tags" | "tag" | "tagging"])
        || matches!(words, [verb, "tags", ..] if SETS.contains(verb))
}

/// Something restored from a free copy, or made from one, is no copy.
fn is_free(words: &[&str]) -> bool {
    let end = words.iter().position(|w| *w == "from").filter(|at| *at > 1).unwrap_or(words.len());
    let words = words.get(..end).unwrap_or(words);
    words.first() != Some(&"restore")
        && (last_in(words, FREE)
            || words.last().and_then(|w| w.strip_suffix('s')).is_some_and(|one| FREE.contains(&one))
            || matches!(words, [.., a, b] if FREE_PAIRS.contains(&(*a, *b))))
}

/// A name that hands out a secret; a URL that is made for somebody opens what it points to.
fn is_secret(words: &[&str]) -> bool {
    // `get_credentials_for_identity`: whose they are says nothing of what they are.
    let end = words.iter().position(|w| *w == "for").unwrap_or(words.len());
    let words = words.get(..end).unwrap_or(words);
    ends_with_any(words, SECRETS)
        || words.contains(&"presigned")
        || matches!(words, ["create" | "generate", .., "url" | "urls"])
}

/// Whether somebody gets in who was out: a user, a member, another provider of users.
fn lets_in(words: &[&str]) -> bool {
    let joins = matches!(
        words,
        ["associate" | "add" | "attach" | "link", ..] | ["batch" | "admin", "associate" | "add" | "link", ..]
    );
    let who = |w: &&str| matches!(*w, "user" | "users" | "member" | "members" | "principal" | "principals");
    let about = words.last().is_some_and(|w| matches!(*w, "settings" | "secret" | "proficiencies" | "user"));
    joins && words.iter().any(who) && (!about || words.contains(&"provider"))
}

fn is_definition(words: &[&str]) -> bool {
    // A version of a definition is one; a group that is nothing else holds nothing.
    if let [.., what, "version" | "versions"] = words {
        return matches!(*what, "definition" | "layer" | "policy" | "rule" | "schema" | "template" | "type");
    }
    matches!(words, [_, "group"])
        || last_in(words, DEFINITIONS)
        || matches!(words, [.., a, b] if DEFINITION_PAIRS.contains(&(*a, *b)))
}

fn last_in(words: &[&str], nouns: &[&str]) -> bool {
    words.last().is_some_and(|last| nouns.contains(last))
}

fn ends_with_any(words: &[&str], endings: &[&[&str]]) -> bool {
    endings.iter().any(|ending| words.ends_with(ending))
}
