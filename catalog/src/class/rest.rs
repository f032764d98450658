//! The rules for Azure and Google Cloud: HTTP method first, then the verb and nouns of the name and its groups.
//!
//! Both clouds' APIs are about resources, so the method says more than in AWS: a GET looks, a DELETE removes. What a POST does its
//! verb says; a POST without a verb that is known is unknown, which is the top. Single operations are *not* named here.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::nouns::{self, Thing};
use super::rules::{by_verb, permissions};
use super::verbs::{self, Act};
use super::{Facts, Verdict};
use crate::model::{Effect, Provenance};
use crate::risk::{Reversal, Scope};

/// Verbs that only these clouds have, or that mean something else here.
const LEXICON: &[(Act, &str)] = &[
    (
        Act::Look,
        "aggregated annotate answer assess ask augment compute corroborate \
         group inquire introspect lint listen longrunningrecognize match moderate partition \
         refine recommend romanize search troubleshoot usage validation what",
    ),
    (
        Act::Make,
        "batch createor createsecondary capture duplicate extract instantiate insert load make reissue seed prewarm regenerate train \
         tune book adhoc buffer collect watch deidentify",
    ),
    (
        Act::Change,
        "acquire advance alter announce attributes addons appeal augmented autoscaling benign break compact cordon credit cutover enforce expand \
         false fix finish generalize handle ignore labels lease legacy locations logging maintenance master mitigate \
         monitoring mutate not online pool prepare pull rebase reassociate reconfigure reconnect recrawl reevaluate \
         redirect reestablish reenable reinstate reinstall rejoin relocate reprotect reprovision reschedule retarget resolve resubmit \
         resubscribe retract return revalidate rewrite seek triage unauthorize uncordon undo unprepare unresolve borrow checkin \
         changequorum un escalate transactions",
    ),
    (Act::Interrupt, "deallocate failback hibernate offline power reapply recreate recycle restrict shut unenroll"),
    (Act::Give, "access consent elevate establish impersonate"),
    (Act::Run, "action call command execution inject debug fulfill postgrest"),
    // Asking a model costs money.
    (Act::Start, "completions converse detect embed embeddings inference predict responses run suggest"),
    (Act::Reset, "cleanup resync reverse"),
    (Act::Remove, "expunge"),
];

/// Verbs that stand last in a name whose first word is none: `planned_failover`, `gallery_sharing_accept`.
const AT_THE_END: &[&str] = &[
    "accept",
    "abort",
    "annotate",
    "analyze",
    "backup",
    "change",
    "commit",
    "create",
    "decrypt",
    "deallocate",
    "delete",
    "details",
    "failover",
    "hibernate",
    "import",
    "insert",
    "inspect",
    "migrate",
    "predict",
    "prepare",
    "query",
    "read",
    "refresh",
    "reject",
    "restore",
    "search",
    "send",
    "sign",
    "signin",
    "start",
    "translate",
    "update",
    "verify",
    "write",
];

/// Last words of names that ask for something: `ddos_protection_status`.
const QUESTIONS: &[&str] = &[
    "availability",
    "capabilities",
    "capacity",
    "configuration",
    "details",
    "diff",
    "health",
    "history",
    "mapping",
    "metadata",
    "mode",
    "scopes",
    "sku",
    "skus",
    "status",
    "usage",
    "usages",
    "devices",
    "recommendations",
    "view",
    "predict",
    "search",
    "read",
];

/// Verbs that a GET should not have.
const ACTS_BY_GET: &[&str] = &["accept", "cancel", "finish", "move", "restore", "start", "subscribe"];

/// Verbs that write something down; what else makes something puts it to work.
const WRITES_DOWN: &[&str] = &[
    "add", "append", "clone", "copy", "create", "createor", "define", "generate", "insert", "new", "register", "save",
    "take",
];

/// What the signals together say of an operation; nothing where they explain nothing. `hands_out`: the answer holds a secret.
pub(super) fn verdict(service: &str, name: &str, method: &str, facts: &Facts, hands_out: bool) -> Option<Verdict> {
    let groups: Vec<&str> = name.split('.').collect();
    let (last, groups) = groups.split_last()?;
    let phrase = nouns::phrase(last);
    let verb = verbs::verb(&phrase)?;
    let thing = Thing::new(service, groups, &phrase);
    let act = act(verb, &phrase);
    let found = match method {
        // A few change something all the same, and say so.
        "GET" | "HEAD" => match known(verb).filter(|a| *a != Act::Look && ACTS_BY_GET.contains(&verb)) {
            Some(act) => post(act, verb, &phrase, &thing, hands_out),
            None => return Some(look(verb, last, &phrase, &thing, hands_out, method)),
        },
        "DELETE" => delete(act, &thing),
        "PUT" | "PATCH" => change(act, &phrase, &thing),
        _ => match act? {
            Act::Look => return Some(look(verb, last, &phrase, &thing, hands_out, method)),
            act => post(act, verb, &phrase, &thing, hands_out),
        },
    };
    let _ = facts;
    Some(sorted(raised(found, act, &phrase, &thing)))
}

fn act(verb: &str, phrase: &[&str]) -> Option<Act> {
    // A test of a failover is one.
    if verb == "test" && phrase.len() > 1 {
        let worst = phrase.iter().skip(1).filter_map(|w| known(w)).filter(|a| *a != Act::Look).max_by_key(|a| *a as u8);
        if let Some(worst) = worst.filter(|_| !matches!(phrase, [.., "permissions" | "connection"])) {
            return Some(worst);
        }
    }
    if verb == "perform" && phrase.contains(&"maintenance") {
        return Some(Act::Interrupt);
    }
    if verb == "simulate" && phrase.contains(&"maintenance") {
        return Some(Act::Interrupt);
    }
    if phrase.contains(&"stateless") || phrase == ["complete", "query"] {
        return Some(Act::Look);
    }
    let at_the_end = || phrase.last().filter(|w| AT_THE_END.contains(w)).and_then(|w| known(w));
    let asks = || phrase.last().filter(|w| QUESTIONS.contains(w)).map(|_| Act::Look);
    // Words such as `data` or `log` begin names of things, too.
    match known(verb) {
        Some(act) => Some(act),
        None => at_the_end().or_else(asks).or_else(|| phrase.get(1).and_then(|w| known(w))),
    }
}

fn known(verb: &str) -> Option<Act> {
    static INDEX: OnceLock<HashMap<&str, Act>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        LEXICON.iter().flat_map(|(act, verbs)| verbs.split_whitespace().map(move |v| (v, *act))).collect()
    });
    index.get(verb).copied().or_else(|| verbs::act(verb))
}

/// A call that looks, unless what it shows is worth protecting.
fn look(verb: &str, last: &str, phrase: &[&str], thing: &Thing<'_>, hands_out: bool, method: &str) -> Verdict {
    let provenance = if matches!(method, "GET" | "HEAD") { Provenance::HttpMethod } else { Provenance::Verb };
    let plain = matches!(verb, "test" | "check" | "validate" | "query" | "search" | "aggregated");
    // Azure hands out keys by POST, so that who may only read does not see them.
    let keys = method == "POST" && matches!(phrase, ["list" | "get"]) && thing.is_secret();
    let keys = keys || method == "POST" && nouns::reveals_by_post(phrase);
    let shows = hands_out || keys || nouns::reveals(last, thing) || verb == "access" && !phrase.contains(&"report");
    if plain || !shows {
        return Verdict::new(&[Effect::Observe], Scope::Own, Reversal::Free, provenance);
    }
    if verb == "generate" {
        return Verdict::new(&[Effect::Create, Effect::Grant, Effect::Reveal], Scope::Own, Reversal::Easy, provenance);
    }
    Verdict::new(&[Effect::Observe, Effect::Reveal], Scope::Own, Reversal::Free, provenance)
}

fn delete(act: Option<Act>, thing: &Thing<'_>) -> Verdict {
    let new = |reversal| Verdict::new(&[Effect::Delete], thing.scope(), reversal, Provenance::HttpMethod);
    match act {
        // `stop`, `cancel` by DELETE are what they say.
        Some(Act::Interrupt) => Verdict::new(&[Effect::Interrupt], thing.scope(), Reversal::Easy, Provenance::Verb),
        Some(Act::Destroy) => new(Reversal::Never),
        _ if thing.is_record_of_work() || thing.is_note() => {
            Verdict::new(&[Effect::Delete], Scope::Own, Reversal::Free, Provenance::HttpMethod)
        }
        _ if thing.is_access() => {
            Verdict::new(&[Effect::Modify, Effect::Interrupt], Scope::Own, Reversal::Easy, Provenance::HttpMethod)
        }
        _ if thing.is_definition() => new(Reversal::Hard),
        _ => new(Reversal::Never),
    }
}

/// PUT and PATCH carry the state that is wanted.
fn change(act: Option<Act>, phrase: &[&str], thing: &Thing<'_>) -> Verdict {
    let creates = act == Some(Act::Make) || phrase.contains(&"create");
    let effects: &[Effect] = if creates { &[Effect::Create, Effect::Modify] } else { &[Effect::Modify] };
    let new = |effects: &[Effect], reversal| Verdict::new(effects, thing.scope(), reversal, Provenance::HttpMethod);
    match act {
        Some(
            act @ (Act::Interrupt
            | Act::Remove
            | Act::Destroy
            | Act::Give
            | Act::Run
            | Act::Start
            | Act::Reset
            | Act::Revoke),
        ) => by_verb(act, phrase, thing.scope()),
        _ if thing.is_note() => Verdict::new(effects, Scope::Own, Reversal::Free, Provenance::HttpMethod),
        // What stands in an object is replaced as a whole.
        _ if thing.is_content() => new(effects, Reversal::Hard),
        _ => new(effects, Reversal::Easy),
    }
}

fn post(act: Act, verb: &str, phrase: &[&str], thing: &Thing<'_>, hands_out: bool) -> Verdict {
    use Effect::{Create, Grant, Interrupt, Modify, Reveal};
    let new = |effects: &[Effect], reversal| Verdict::new(effects, thing.scope(), reversal, Provenance::Verb);
    match act {
        // The key that was in use stops working.
        Act::Make if matches!(verb, "regenerate" | "reissue") => {
            new(&[Create, Grant, Reveal, Interrupt], Reversal::Hard)
        }
        Act::Make if hands_out || nouns::reveals(&phrase.join("_"), thing) => {
            new(&[Create, Grant, Reveal], Reversal::Easy)
        }
        Act::Make if verb == "add" && !thing.is_note() => new(&[Modify], Reversal::Easy),
        Act::Make if thing.is_free() && WRITES_DOWN.contains(&verb) => {
            Verdict::new(&[Create], thing.new_scope(), Reversal::Easy, Provenance::Verb)
        }
        Act::Make if verb == "export" && thing.is_report() => {
            Verdict::new(&[Create], thing.new_scope(), Reversal::Easy, Provenance::Verb)
        }
        // Shown to those who see it anyway; a message is out.
        Act::Send if verb == "publish" && !thing.is_message() => new(&[Modify], Reversal::Easy),
        // Traffic takes it from the moment it is there.
        Act::Make if thing.is_route() => {
            Verdict::new(&[Create, Modify], Scope::Shared, Reversal::Easy, Provenance::Verb)
        }
        Act::Make => Verdict::new(&[Create, Effect::Spend], thing.new_scope(), Reversal::Easy, Provenance::Verb),
        Act::Remove if thing.is_record_of_work() || thing.is_note() => {
            Verdict::new(&[Effect::Delete], Scope::Own, Reversal::Free, Provenance::Verb)
        }
        Act::Remove if thing.is_definition() => new(&[Effect::Delete], Reversal::Hard),
        // What stood in the rows is gone.
        Act::Change if thing.is_content() => new(&[Modify], Reversal::Hard),
        // Nobody goes back to what was on a machine before.
        Act::Change if matches!(phrase, ["upgrade" | "migrate"]) && thing.is_machine() => {
            new(&[Modify], Reversal::Hard)
        }
        // Reads what it is given.
        Act::Send if verb == "process" && thing.reads_documents() => {
            Verdict::new(&[Effect::Observe], Scope::Own, Reversal::Free, Provenance::Verb)
        }
        Act::Change | Act::Note if thing.is_note() => {
            Verdict::new(&[Modify], Scope::Own, Reversal::Free, Provenance::Verb)
        }
        act => by_verb(act, phrase, thing.scope()),
    }
}

/// Rights, openings to others and code, wherever they are written.
fn raised(mut found: Verdict, act: Option<Act>, phrase: &[&str], thing: &Thing<'_>) -> Verdict {
    let takes = matches!(act, Some(Act::Remove | Act::Detach | Act::Revoke | Act::Destroy))
        || found.effects == [Effect::Delete];
    if thing.is_permission() && !thing.is_record_of_work() {
        let act = if takes { Act::Remove } else { act.unwrap_or(Act::Change) };
        found = permissions(act, found, thing.scope());
    } else if thing.opens() && !takes {
        found.effects.push(Effect::Expose);
    } else if thing.runs_code() && !takes && !matches!(act, Some(Act::Interrupt)) {
        found.effects.push(Effect::Exec);
    } else if phrase.first() == Some(&"approve") || !takes && phrase.len() > 1 && phrase.ends_with(&["password"]) {
        found.effects.push(Effect::Grant);
    }
    found
}

fn sorted(mut verdict: Verdict) -> Verdict {
    verdict.effects.sort_unstable();
    verdict.effects.dedup();
    verdict
}

#[cfg(test)]
mod tests {
    use super::LEXICON;

    #[test]
    fn no_verb_says_two_things() {
        let mut verbs: Vec<&str> = LEXICON.iter().flat_map(|(_, verbs)| verbs.split_whitespace()).collect();
        let all = verbs.len();
        verbs.sort_unstable();
        verbs.dedup();
        assert_eq!(verbs.len(), all);
    }
}
