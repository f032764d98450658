//! The lexicon: what the verb of an operation's name says it does.
//!
//! Verbs alone mislead (`get_delegated_access_token`), so [`super::rules`] weighs them against the other signals. A verb that
//! is missing here is unknown, which is the top of risk.

use std::collections::HashMap;
use std::sync::OnceLock;

/// What a verb says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Looks.
    Look,
    /// Makes something new.
    Make,
    /// Pays for something once and for good.
    Buy,
    /// Changes something to another state or value.
    Change,
    /// Changes what only asks for attention: acknowledges, mutes, marks.
    Note,
    /// Puts to work what stood still.
    Start,
    /// Stops, restarts or cuts off something that works.
    Interrupt,
    /// Takes something out of a set; the thing itself stays.
    Detach,
    /// Goes back to an earlier or empty state.
    Reset,
    /// Takes something away, which may be made again.
    Remove,
    /// Takes something away for good, whatever it is.
    Destroy,
    /// Labels.
    Tag,
    /// Gives rights or opens access.
    Give,
    /// Takes rights away.
    Revoke,
    /// Sends something out, which can't be called back.
    Send,
    /// Runs code or a command that the model does not show.
    Run,
}

const LEXICON: &[(Act, &str)] = &[
    (
        Act::Look,
        "aggregate analyze autocomplete calculate can chat check classify compare contains converse count describe detect \
         diagnose discover download estimate evaluate exists explain fetch filter find forecast geocode get head infer inspect \
         is list locate lookup model optimize peek poll predict preview query rank read recognize render rerank resolve \
         retrieve reverse sample scan search select show simulate snap suggest summarize synthesize tail test translate \
         validate verify view wait watch",
    ),
    (
        Act::Make,
        "add allocate append backup build bundle checkout claim clone compose copy create define deploy export generate import \
         ingest initialize insert install issue launch mint new onboard populate provision record register replicate request \
         restore run schedule setup snapshot store submit subscribe take upload write enroll derive peer acquire index save \
         prepare meter",
    ),
    (Act::Buy, "buy order purchase redeem reserve renew"),
    (
        Act::Change,
        "adjust advertise amend apply archive assign associate attach batchupdate bind change channel commit complete \
         configure connect convert customize decrease demote distribute edit exchange extend finalize increase join link \
         manage merge migrate modify monitor mount move override patch promote put rebalance reconcile refresh reindex \
         rename reorder replace rescore resize resync rotate scale set shrink split swap switch sync synchronize \
         toggle transact transition unarchive unlock lock update upgrade upsert close revise rebuild \
         undelete recover repair transfer redrive reimport remediate restructure reprocess opt exit end \
         enter untrack track redact",
    ),
    (Act::Note, "acknowledge ack dismiss label mark mute note rate report unmute respond reopen"),
    (
        Act::Start,
        "activate begin continue enable initiate open reactivate resume retry start trigger unsuspend undeprecate rerun",
    ),
    (
        Act::Interrupt,
        "abort block cancel deactivate decommission deprecate disable disconnect drain evict failover halt hold interrupt \
         isolate pause quarantine reboot redeploy reimage reject reload restart shutdown skip stop suspend switchover withdraw \
         decline unsubscribe logout unmonitor deny disallow",
    ),
    (
        Act::Detach,
        "detach disassociate dissociate leave unassign unbind undeploy unlink unmount unpeer unregister deregister remove forget",
    ),
    (Act::Reset, "reset revert rollback truncate clear flush empty invalidate expire clean abandon"),
    (Act::Remove, "delete drop erase discard retire deprovision dispose release"),
    (Act::Destroy, "destroy expunge purge terminate wipe"),
    (Act::Tag, "tag untag"),
    (
        Act::Give,
        "accept admin allow approve assume authorize confirm delegate grant invite login share signup \
         provide signin recall",
    ),
    (Act::Revoke, "revoke unshare deauthorize"),
    (Act::Send, "deliver notify ping publish push send post signal resend phone broadcast process vote"),
    (Act::Run, "agentic execute invoke perform decrypt decapsulate sign encrypt re encapsulate"),
];

/// Words in front of the verb that say how, not what.
const ADVERBS: &[&str] = &["batch", "bulk", "admin", "multi", "force", "async", "safe", "global", "user", "internal"];

/// The words of a snake-case name.
pub(super) fn words(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = name.split('_').filter(|w| !w.is_empty()).collect();
    // Which edition of an API a name is of says nothing about what it does.
    if words.len() > 1 && words.last().is_some_and(|w| matches!(*w, "v1" | "v2" | "v3")) {
        words.pop();
    }
    words
}

/// The verb among the words.
pub(super) fn verb<'a>(words: &[&'a str]) -> Option<&'a str> {
    match words {
        [adverb, verb, ..] if ADVERBS.contains(adverb) => Some(verb),
        [verb, ..] => Some(verb),
        [] => None,
    }
}

/// What the verb says; nothing where the lexicon does not have it.
pub(super) fn act(verb: &str) -> Option<Act> {
    static INDEX: OnceLock<HashMap<&str, Act>> = OnceLock::new();
    let index = INDEX.get_or_init(|| {
        LEXICON.iter().flat_map(|(act, verbs)| verbs.split_whitespace().map(move |v| (v, *act))).collect()
    });
    index.get(verb).copied()
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
