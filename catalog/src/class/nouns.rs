//! What the nouns of an operation's name say about the thing that it is done to, for Azure and Google Cloud.
//!
//! The tables are about words, *not* about operations.

use crate::risk::Scope;

/// Words behind which a name only says where or how.
const QUALIFIERS: &str = "by at for slot with async from on";

/// Services that steer an account or an organisation as a whole.
const ORGANISATION: &str = "accesscontextmanager admin billing cloudbilling cloudidentity cloudresourcemanager \
     cloudresourcemanager_v1 managementgroups orgpolicy subscription";

/// Services that keep names of versions, as tags.
const REGISTRIES: &str = "artifactregistry containerregistry";

/// Services through which somebody's own data are written, row by row.
const DATA_SERVICES: &str = "connectors datastore";

/// Services of whose resources others depend: keys and names.
const SHARED_SERVICES: &str = "cloudkms dns keyvault managednetworkfabric privatedns privateca trafficmanager domains";

/// Things that others depend on, wherever they stand in a name.
const SHARED: &str = "certificate dns firewall forwarding gateway interconnect listener nat peering perimeter route router \
     routing subnet subnetwork vpn circuit";

/// Things that others depend on where they stand last in a name.
const SHARED_LAST: &str = "network proxy zone vnet";

/// What guards: records, limits and rules about everything else.
const GUARDS: &str = "audit auditing compliance defender exclusion guardrail immutability ledger lien lock mute perimeter pricing provisioning \
     restriction retention sink constraint";

/// Two-word guards.
const GUARD_PAIRS: &[(&str, &str)] = &[
    ("policy", "assignment"),
    ("diagnostic", "setting"),
    ("flow", "log"),
    ("security", "setting"),
    ("log", "profile"),
    ("org", "policy"),
    ("extension", "policy"),
    ("policy", "definition"),
    ("set", "definition"),
    ("api", "policy"),
    ("legal", "hold"),
    ("threat", "protection"),
    ("encryption", "protector"),
    ("data", "encryption"),
];

/// Two-word things that steer traffic.
const TRAFFIC_PAIRS: &[(&str, &str)] =
    &[("security", "group"), ("load", "balancer"), ("url", "map"), ("address", "group"), ("ip", "group")];

/// What only asks for attention.
const NOTES: &str = "annotation bookmark comment favorite label note tag wiki workbook dashboard reaction feedback";

/// Things whose making costs nothing that counts; notes are free as well.
const FREE: &str = "alert alias api assessment association binding budget category collection comment config configuration \
     contact context definition description document entity entry_group event evaluation export fhir filter \
     folder intent issue item label link list mapping message metric occurrence operation parameter \
     phrase plan policy profile proposal query record report result revision rule schema set snapshot spec subscription \
     target template test topic type variable version view";

/// Groups that are groupings; other groups are of machines.
const FREE_GROUPS: &str =
    "action application asset entry host placement policy profile resource rule schema security tag target";

/// Definitions: once deleted, somebody who has the definition can make them again.
const DEFINITIONS: &str = "action agent alert alias assignment association attachment attribute authorization authorizer autoscaler \
     backend baseline binding budget check class component condition config configuration connection connector \
     constraint contact context control credential dashboard definition deployment destination diagnostic \
     endpoint entitlement exclusion extension feature feed filter firewall flow gateway hook integration \
     intent interface issue label lien link list listener lock map mapping metric module monitor network \
     notification note override package parameter path peering perimeter plan plugin policy prefix preset \
     process profile provider proxy query range reference registration report request reservation resolver \
     restriction result role route router rule ruleset rulestack runbook schedule schema scope segment session \
     setting sink solution source spec stage subnet subnetwork subscription target template test trigger type \
     validation value variable view webhook workflow group";

/// Groups whose deletion takes along what is in them.
const HOLDING_GROUPS: &str = "resource server backup instance node volume replication log capacity";

/// Content that a write replaces as a whole.
const CONTENT: &str = "blob content file object secret";

/// Endings of names of secrets.
const SECRETS: &[&[&str]] = &[
    &["key"],
    &["keys"],
    &["secret"],
    &["secrets"],
    &["credential"],
    &["credentials"],
    &["password"],
    &["passwords"],
    &["token"],
    &["tokens"],
    &["key", "string"],
    &["connection", "string"],
    &["connection", "strings"],
    &["sas"],
    &["kubeconfig"],
    &["full", "url"],
    &["callback", "url"],
    &["sign", "in", "url"],
    &["login", "url"],
    &["upload", "url"],
    &["download", "url"],
    &["signed", "url"],
    &["secret", "value"],
    &["access", "uri"],
    &["publishing", "profile"],
    &["invitation", "link"],
    &["vpn", "profile"],
];

/// Endings of names of what holds secrets; Azure shows it by POST, so that who may only read does not see it.
const SHOWN_BY_POST: &[&[&str]] = &[
    &["app", "settings"],
    &["application", "settings"],
    &["push", "settings"],
    &["auth", "settings"],
    &["list", "metadata"],
    &["backup", "configuration"],
    &["azure", "storage", "accounts"],
    &["function", "triggers"],
    &["passphrases"],
    &["access", "code"],
    &["shareable", "link"],
    &["activation", "links"],
    &["package", "url"],
    &["file", "url"],
    &["connection", "uri"],
    &["connection", "info"],
    &["with", "details"],
    &["callback", "config"],
    &["debugging", "config"],
    &["access", "profile"],
    &["list", "value"],
    &["license"],
    &["file", "contents"],
    &["ipsec", "parameters"],
    &["sso", "request"],
    &["verification", "code"],
    &["payload"],
];

/// Endings of names of permissions.
const PERMISSIONS: &[&[&str]] = &[
    &["iam", "policy"],
    &["role", "assignment"],
    &["role", "definition"],
    &["role", "eligibility"],
    &["role", "binding"],
    &["access", "policy"],
    &["access", "control"],
    &["access", "level"],
    &["acl"],
    &["permission"],
    &["grant"],
    &["administrator"],
    &["admin"],
    &["authorization", "rule"],
    &["authorization"],
    &["federated", "identity", "credential"],
    &["private", "endpoint", "connection"],
    &["private", "endpoint", "connection", "status"],
    &["member"],
    &["membership"],
    &["group", "link"],
    &["group", "user"],
    &["product", "group"],
    &["role"],
    &["access", "binding"],
    &["access", "bindings"],
    &["user", "role"],
    &["principal", "assignment"],
    &["authorized", "key"],
    &["scope", "map"],
    &["identity", "metadata"],
    &["identity", "provider"],
];

/// Endings of names of openings to others.
const OPENINGS: &[&[&str]] = &[
    &["firewall"],
    &["firewall", "rule"],
    &["security", "rule"],
    &["access", "rule"],
    &["ingress", "rule"],
    &["external", "address"],
    &["authorized", "network"],
    &["access", "config"],
];

/// Endings of names of what runs code that somebody wrote into it.
const CODE: &[&[&str]] = &[
    &["run", "command"],
    &["machine", "extension"],
    &["vm", "extension"],
    &["deployment", "script"],
    &["script", "execution"],
    &["flux", "configuration"],
    &["source", "control", "configuration"],
    &["patch", "deployment"],
    &["os", "policy", "assignment"],
];

fn is_in(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|w| w == word)
}

/// The words of a method's name without what only says where or how.
pub(super) fn phrase(last: &str) -> Vec<&str> {
    let words = super::verbs::words(last);
    let end = words.iter().skip(1).position(|w| is_in(QUALIFIERS, w)).map_or(words.len(), |at| at + 1);
    // `get_all_by_…`, `create_or_update`: the rest of a name that is nothing but a verb stays.
    words.get(..end).map(<[_]>::to_vec).unwrap_or_default()
}

/// Whether a name hands out a secret: `list_keys` shows them, `keys.list` says which there are.
pub(super) fn reveals(last: &str, thing: &Thing<'_>) -> bool {
    let words = super::verbs::words(last);
    // `list_keys_slot` is as `list_keys`; `list_metadata_for_secret` is about one.
    let named = ends_with_any(&words, SECRETS) || ends_with_any(&phrase(last), SECRETS);
    let public = words.iter().any(|w| matches!(*w, "ssh" | "public" | "without" | "cmek"));
    let made =
        matches!(words.first(), Some(&("create" | "generate" | "mint"))) && thing.is_secret() && !thing.has("crypto");
    let shown = words.first() == Some(&"retrieve") && thing.is_secret();
    (named && !public) || made || shown
}

/// Whether a name hands out what Azure shows by POST alone.
pub(super) fn reveals_by_post(phrase: &[&str]) -> bool {
    matches!(phrase, ["list" | "get", ..]) && ends_with_any(phrase, SHOWN_BY_POST)
}

fn ends_with_any(words: &[&str], endings: &[&[&str]]) -> bool {
    words.len() > 1 && endings.iter().any(|ending| words.ends_with(ending))
}

/// The thing that an operation is done to: the object of its phrase, else its last group.
#[derive(Debug)]
pub(super) struct Thing<'a> {
    service: &'a str,
    /// Its words, the last in the singular.
    words: Vec<String>,
    /// All words of the phrase and of the last group, in the singular.
    all: Vec<String>,
}

impl<'a> Thing<'a> {
    pub(super) fn new(service: &'a str, groups: &[&str], phrase: &[&str]) -> Self {
        let group: Vec<String> =
            groups.last().map(|g| self::phrase(g).into_iter().map(singular).collect()).unwrap_or_default();
        // Some groups are called after what is done in them.
        let group = match group.as_slice() {
            [some @ .., last] if last == "operation" && !some.is_empty() => some.to_vec(),
            _ => group,
        };
        let object: Vec<String> = phrase
            .iter()
            .skip(1)
            .filter(|w| !matches!(**w, "or" | "update" | "create" | "all"))
            .map(|w| singular(w))
            .collect();
        let mut all = group.clone();
        all.extend(phrase.iter().map(|w| singular(w)));
        Thing { service, words: if object.is_empty() { group } else { object }, all }
    }

    fn last(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }

    fn before(&self) -> &str {
        self.words.len().checked_sub(2).and_then(|at| self.words.get(at)).map_or("", String::as_str)
    }

    fn ends(&self, ending: &[&str]) -> bool {
        let from = self.words.len().checked_sub(ending.len());
        from.and_then(|from| self.words.get(from..)).is_some_and(|words| {
            words.iter().map(String::as_str).eq(ending.iter().map(|w| w.trim_end_matches('s')))
                || words.iter().map(String::as_str).eq(ending.iter().copied())
        })
    }

    fn ends_with_any(&self, endings: &[&[&str]]) -> bool {
        endings.iter().any(|e| self.ends(e))
    }

    pub(super) fn is_secret(&self) -> bool {
        self.ends_with_any(SECRETS)
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.all.iter().any(|w| w == word)
    }

    fn has_pair(&self, pairs: &[(&str, &str)]) -> bool {
        self.all.windows(2).any(|two| pairs.iter().any(|(a, b)| matches!(two, [x, y] if x == a && y == b)))
    }

    fn guards(&self) -> bool {
        GUARDS.split_whitespace().any(|w| self.has(w)) || self.has_pair(GUARD_PAIRS)
    }

    /// How much depends on it.
    pub(super) fn scope(&self) -> Scope {
        if is_in(ORGANISATION, self.service) {
            Scope::Organisation
        } else if is_in(SHARED_SERVICES, self.service)
            || SHARED.split_whitespace().any(|w| self.has(w))
            || is_in(SHARED_LAST, self.last())
            || self.guards()
            || self.has_pair(TRAFFIC_PAIRS)
        {
            Scope::Shared
        } else {
            Scope::Own
        }
    }

    /// A new thing is nobody's dependency yet, only organisations care; what guards applies at once.
    pub(super) fn new_scope(&self) -> Scope {
        match self.scope() {
            Scope::Organisation => Scope::Organisation,
            Scope::Shared if self.guards() || matches!(self.last(), "route" | "peering") => Scope::Shared,
            _ => Scope::Own,
        }
    }

    /// The record of something that was done: forgetting it changes nothing else.
    pub(super) fn is_record_of_work(&self) -> bool {
        matches!(self.words.as_slice(), [one] if one == "operation")
    }

    pub(super) fn is_note(&self) -> bool {
        let names_a_version = self.last() == "tag" && is_in(REGISTRIES, self.service);
        is_in(NOTES, self.last()) && !names_a_version
            || self.words.first().is_some_and(|w| w == "tag") && self.last() == "link"
    }

    /// A share or invitation: to delete it takes access away.
    pub(super) fn is_access(&self) -> bool {
        matches!(self.last(), "invitation" | "grant") || self.ends(&["access"])
    }

    pub(super) fn is_free(&self) -> bool {
        match self.last() {
            "group" => is_in(FREE_GROUPS, self.before()),
            last => is_in(FREE, last) || is_in(NOTES, last),
        }
    }

    pub(super) fn is_definition(&self) -> bool {
        match self.last() {
            "group" => !is_in(HOLDING_GROUPS, self.before()) && self.words.len() > 1,
            "version" => is_in("definition layer policy rule schema template type", self.before()),
            "server" => self.before() == "print",
            "tag" => true,
            last => is_in(DEFINITIONS, last) || is_in(SHARED, last) || self.has("dns"),
        }
    }

    /// What was found out, or how something is set up.
    pub(super) fn is_report(&self) -> bool {
        is_in("configuration definition report result scan template", self.last())
    }

    pub(super) fn is_route(&self) -> bool {
        matches!(self.last(), "route" | "peering")
    }

    pub(super) fn is_message(&self) -> bool {
        is_in("topic message event", self.last())
    }

    pub(super) fn is_content(&self) -> bool {
        is_in(CONTENT, self.last()) || self.last() == "entity" && is_in(DATA_SERVICES, self.service)
    }

    /// One machine, with what is on it.
    pub(super) fn is_machine(&self) -> bool {
        matches!(self.last(), "instance" | "runtime" | "machine")
    }

    /// What reads a document and gives what stands in it.
    pub(super) fn reads_documents(&self) -> bool {
        self.service == "documentai"
    }

    pub(super) fn is_permission(&self) -> bool {
        self.ends_with_any(PERMISSIONS)
    }

    pub(super) fn opens(&self) -> bool {
        // Rules about names let nobody in.
        let lets_in = self.last() == "rule" && (self.has("firewall") || self.has("security"));
        (self.ends_with_any(OPENINGS) || lets_in) && !self.has("dns")
    }

    pub(super) fn runs_code(&self) -> bool {
        self.ends_with_any(CODE) || self.has_pair(&[("run", "command")])
    }
}

/// A noun in the singular, well enough to find it in a table.
fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|s| s.len() > 1) {
        return format!("{stem}y");
    }
    for end in ["sses", "xes", "ches", "shes", "uses", "ases"] {
        if word.ends_with(end) && !matches!(word, "databases" | "releases" | "leases" | "cases" | "phrases" | "aliases")
        {
            return word.get(..word.len() - 2).unwrap_or(word).to_owned();
        }
    }
    match word {
        "aliases" => return "alias".to_owned(),
        "apis" => return "api".to_owned(),
        _ => {}
    }
    match word.strip_suffix('s') {
        Some(stem)
            if !word.ends_with("ss")
                && !word.ends_with("us")
                && !word.ends_with("is")
                && !matches!(word, "dns" | "sas" | "tls" | "https" | "alias") =>
        {
            stem.to_owned()
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{phrase, singular};

    #[test]
    fn words_are_brought_to_the_singular() {
        for (many, one) in [
            ("policies", "policy"),
            ("aliases", "alias"),
            ("addresses", "address"),
            ("databases", "database"),
            ("dns", "dns"),
            ("keys", "key"),
            ("proxies", "proxy"),
            ("status", "status"),
        ] {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn where_and_how_are_no_part_of_a_phrase() {
        assert_eq!(phrase("list_by_resource_group"), ["list"]);
        assert_eq!(phrase("create_or_update_at_scope"), ["create", "or", "update"]);
        assert_eq!(phrase("get"), ["get"]);
    }
}
