//! The rules that hold in a project: those of every project, and its own.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use cedar_policy::{Effect, EntityUid, Policy as CedarPolicy, PolicySet};
use sha2::{Digest, Sha256};

use crate::load::{self, Mistake, PolicyError};

/// Version of the rules of every project.
const VERSION: &str = "roles/1";

/// Rules that decide, and their version.
#[derive(Clone, Debug)]
pub struct Policy {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) set: PolicySet,
    pub(crate) rules: Vec<Rule>,
    pub(crate) roles: BTreeSet<String>,
    version: String,
}

/// A rule, as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: `@id`, or the number that it has in its text.
    pub name: String,
    /// `permit`, or else `forbid`.
    pub permits: bool,
    /// `@says("…")`: what it says in plain words.
    pub says: Option<String>,
    /// `@help("…")`: what somebody can do whom it stops.
    pub help: Option<String>,
    /// One of the project's own.
    pub own: bool,
}

static STANDARD: LazyLock<Policy> = LazyLock::new(|| {
    let empty = || Policy {
        // Without a rule nothing is permitted.
        inner: Arc::new(Inner {
            set: PolicySet::new(),
            rules: Vec::new(),
            roles: BTreeSet::new(),
            version: VERSION.into(),
        }),
    };
    made(None).unwrap_or_else(|_| empty())
});

impl Default for Policy {
    fn default() -> Policy {
        Policy::standard()
    }
}

impl Policy {
    /// The rules of every project.
    pub fn standard() -> Policy {
        STANDARD.clone()
    }

    /// These, and a project's own.
    ///
    /// Errors: what is wrong with them; a rule that names what rules can't speak of, or could fail when it is asked.
    pub fn with(text: &str) -> Result<Policy, PolicyError> {
        made(Some(text))
    }

    /// What tells these rules from others: the version of the standard ones, and the SHA-256 of a project's own.
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// All rules, those of every project first.
    pub fn rules(&self) -> &[Rule] {
        &self.inner.rules
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

fn made(own: Option<&str>) -> Result<Policy, PolicyError> {
    let standard = load::rules(load::STANDARD, &BTreeSet::new())?;
    let taken: BTreeSet<String> = standard.iter().map(|rule| rule.id().to_string()).collect();
    let own_rules = own.map_or(Ok(Vec::new()), |text| load::rules(text, &taken))?;
    let mut set = PolicySet::new();
    let mut rules = Vec::new();
    let mut roles = BTreeSet::new();
    let all = standard.into_iter().map(|rule| (rule, false)).chain(own_rules.into_iter().map(|rule| (rule, true)));
    for (rule, own) in all {
        rules.push(shown(&rule, own));
        roles.extend(roles_of(&rule));
        set.add(rule)
            .map_err(|error| PolicyError(vec![Mistake { message: error.to_string(), at: None, help: None }]))?;
    }
    if own.is_some() {
        load::check(&set)?;
    }
    let version = match own {
        // What only comments say is no other policy.
        None => VERSION.to_string(),
        Some(text) if text.trim().is_empty() => VERSION.to_string(),
        Some(text) => format!("{VERSION}+{}", hex::encode(Sha256::digest(text.as_bytes()))),
    };
    Ok(Policy { inner: Arc::new(Inner { set, rules, roles, version }) })
}

fn shown(rule: &CedarPolicy, own: bool) -> Rule {
    let text = |key| rule.annotation(key).filter(|text| !text.is_empty()).map(str::to_string);
    Rule {
        name: rule.id().to_string(),
        permits: rule.effect() == Effect::Permit,
        says: text("says"),
        help: text("help"),
        own,
    }
}

/// Roles that a rule names.
fn roles_of(rule: &CedarPolicy) -> Vec<String> {
    let uids = rule.entity_literals();
    let role = |uid: &EntityUid| uid.type_name().to_string() == "Role";
    uids.iter().filter(|uid| role(uid)).map(|uid| uid.id().unescaped().to_string()).collect()
}

/// The name of an entity, whatever characters are in it.
pub(crate) fn entity(kind: &str, name: &str) -> Option<EntityUid> {
    let kind = cedar_policy::EntityTypeName::from_str(kind).ok()?;
    Some(EntityUid::from_type_name_and_id(kind, cedar_policy::EntityId::new(name)))
}
