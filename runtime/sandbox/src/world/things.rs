//! Resources of the kinds that a table describes: a JSON body, a state that may take time, and where it is.
//!
//! Knows no cloud: what a kind is called, what its bodies hold and which states it has is the matter of each cloud's table.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::lifecycle::Lifecycle;
use super::table::{Identified, Table};

/// A state, in the words of its cloud.
pub(crate) type Word = Cow<'static, str>;

/// The state of what is about to be removed.
pub(crate) const GONE: &str = "(gone)";

/// One resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thing {
    /// What tells it apart from others of its kind.
    pub(crate) key: Arc<str>,
    /// What lists are narrowed by: a resource group, a zone, an account with its region.
    pub(crate) place: Arc<str>,
    /// As people call it.
    pub(crate) name: Arc<str>,
    /// When it was made, in milliseconds since the epoch.
    pub(crate) made: i64,
    pub(crate) state: Lifecycle<Word>,
    /// What was said of it; what every resource of its kind has comes from the kind.
    pub(crate) body: Map<String, Json>,
}

impl Identified for Thing {
    fn id(&self) -> &Arc<str> {
        &self.key
    }
}

impl Thing {
    /// A text of the body.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        at(&self.body, pointer)?.as_str()
    }

    /// Sends it to another state, or says when it will be there where it is on the way.
    pub(crate) fn go(&mut self, via: Word, to: Word, now: i64, takes: i64) -> i64 {
        let before = self.state.at(now);
        if before == to {
            return now;
        }
        if before != via {
            self.state = Lifecycle::moving(via, to, now, takes);
        }
        self.state.due().unwrap_or(now)
    }
}

/// A member of a body, by its path.
pub(crate) fn at<'j>(body: &'j Map<String, Json>, pointer: &str) -> Option<&'j Json> {
    let (first, rest) = match pointer.trim_start_matches('/').split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (pointer.trim_start_matches('/'), None),
    };
    let member = body.get(first)?;
    match rest {
        Some(rest) => member.pointer(&format!("/{rest}")),
        None => Some(member),
    }
}

/// Sets a member of a body by its path, making the objects on the way.
pub(crate) fn set(body: &mut Map<String, Json>, pointer: &str, value: Json) {
    match pointer.trim_start_matches('/').split_once('/') {
        None => {
            body.insert(pointer.trim_start_matches('/').to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = body.entry(first).or_insert_with(|| Json::Object(Map::new()));
            if !inner.is_object() {
                *inner = Json::Object(Map::new());
            }
            if let Json::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// Takes a member of a body away, by its path.
pub(crate) fn unset(body: &mut Map<String, Json>, pointer: &str) -> Option<Json> {
    match pointer.trim_start_matches('/').split_once('/') {
        None => body.remove(pointer.trim_start_matches('/')),
        Some((first, rest)) => match body.get_mut(first) {
            Some(Json::Object(inner)) => unset(inner, rest),
            _ => None,
        },
    }
}

/// Lays `over` over a body, object by object; `null` takes a member away (RFC 7396).
pub(crate) fn merge(body: &mut Map<String, Json>, over: &Map<String, Json>) {
    for (name, value) in over {
        match (body.get_mut(name), value) {
            (_, Json::Null) => {
                body.remove(name);
            }
            (Some(Json::Object(inner)), Json::Object(over)) => merge(inner, over),
            _ => {
                body.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Takes out what nobody keeps: passwords, at any depth.
pub(crate) fn forget_passwords(body: &mut Map<String, Json>) {
    body.retain(|name, value| !(name.to_ascii_lowercase().contains("password") && value.is_string()));
    let mut inner: Vec<&mut Json> = body.values_mut().collect();
    while let Some(json) = inner.pop() {
        match json {
            Json::Object(members) => {
                members.retain(|name, value| !(name.to_ascii_lowercase().contains("password") && value.is_string()));
                inner.extend(members.values_mut());
            }
            Json::Array(items) => inner.extend(items.iter_mut()),
            _ => {}
        }
    }
}

/// All of them, by kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Things {
    kinds: BTreeMap<String, Table<Thing>>,
    /// Kinds in which nothing is on the way: looking at them again would only cost time.
    #[serde(skip)]
    calm: BTreeSet<String>,
}

impl Things {
    /// Adds one; false, and nothing done, where its key is taken.
    pub(crate) fn insert(&mut self, kind: &str, thing: Thing) -> bool {
        self.calm.remove(kind);
        match self.kinds.get_mut(kind) {
            Some(table) => table.insert(thing),
            None => self.kinds.entry(kind.to_owned()).or_default().insert(thing),
        }
    }

    pub(crate) fn get(&self, kind: &str, key: &str) -> Option<&Thing> {
        self.kinds.get(kind)?.get(key)
    }

    pub(crate) fn get_mut(&mut self, kind: &str, key: &str) -> Option<&mut Thing> {
        self.calm.remove(kind);
        self.kinds.get_mut(kind)?.get_mut(key)
    }

    pub(crate) fn remove(&mut self, kind: &str, key: &str) -> Option<Thing> {
        self.kinds.get_mut(kind)?.remove(key)
    }

    /// Those of a kind after the one of this number, oldest first.
    pub(crate) fn after(&self, kind: &str, number: u64) -> impl Iterator<Item = (u64, &Thing)> {
        self.kinds.get(kind).into_iter().flat_map(move |table| table.after(number))
    }

    /// Those of a kind, oldest first.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Thing> {
        self.kinds.get(kind).into_iter().flat_map(Table::iter)
    }

    /// Those of a kind, to change them.
    pub(crate) fn of_mut(&mut self, kind: &str) -> impl Iterator<Item = &mut Thing> {
        self.calm.remove(kind);
        self.kinds.get_mut(kind).into_iter().flat_map(Table::iter_mut)
    }

    /// Applies what is due, and forgets what is gone.
    pub(crate) fn settle(&mut self, now: i64) {
        for (kind, table) in &mut self.kinds {
            if self.calm.contains(kind) {
                continue;
            }
            let mut moving = false;
            for thing in table.iter_mut() {
                thing.state.settle(now);
                moving |= thing.state.due().is_some();
            }
            table.retain(|thing| thing.state.at(now) != GONE);
            if !moving {
                self.calm.insert(kind.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn thing(key: &str, state: Lifecycle<Word>) -> Thing {
        let (key, body) = (Arc::from(key), Map::new());
        Thing { name: Arc::clone(&key), key, place: "p".into(), made: 0, state, body }
    }

    #[test]
    fn what_is_gone_is_forgotten_when_its_time_has_come() {
        let mut things = Things::default();
        assert!(things.insert("disk", thing("a", Lifecycle::settled("ready".into(), 0))));
        assert!(!things.insert("disk", thing("a", Lifecycle::settled("ready".into(), 0))));
        things.settle(1);
        assert_eq!(things.get_mut("disk", "a").unwrap().go("deleting".into(), GONE.into(), 10, 5), 15);
        // Asked again it ends when it would have ended.
        assert_eq!(things.get_mut("disk", "a").unwrap().go("deleting".into(), GONE.into(), 12, 5), 15);
        things.settle(14);
        assert_eq!(things.of("disk").count(), 1);
        things.settle(15);
        assert_eq!(things.of("disk").count(), 0);
    }

    #[test]
    fn members_by_path() {
        let mut body = Map::new();
        set(&mut body, "/a/b", json!(1));
        set(&mut body, "/a/c", json!("x"));
        assert_eq!(at(&body, "/a/b"), Some(&json!(1)));
        assert_eq!(unset(&mut body, "/a/c"), Some(json!("x")));
        assert_eq!(at(&body, "/a/c"), None);
        let over = json!({ "a": { "b": null, "d": 2 }, "e": [1] });
        merge(&mut body, over.as_object().unwrap());
        assert_eq!(Json::Object(body), json!({ "a": { "d": 2 }, "e": [1] }));
    }
}
