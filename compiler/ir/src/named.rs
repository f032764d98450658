//! Few things by name, and texts that stand in many places: a plan of 100,000 items has the arguments of as many calls,
//! under the same names.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;
use std::sync::Arc;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// Few things by name, sorted by name; on disk a map. A `BTreeMap` of one takes the room of eleven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T>(Vec<(Arc<str>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    fn at(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }

    /// What has this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.get(self.at(name).ok()?).map(|(_, value)| value)
    }

    /// Whether something has this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.at(name).is_ok()
    }

    /// Gives something a name; what had it before is handed back.
    pub fn insert(&mut self, name: Arc<str>, value: T) -> Option<T> {
        match self.at(&name) {
            Ok(at) => self.0.get_mut(at).map(|(_, known)| std::mem::replace(known, value)),
            Err(at) => {
                self.0.insert(at, (name, value));
                None
            }
        }
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All names, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter().map(|(name, _)| name)
    }

    /// What has a name, in the order of the names.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Both, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &T)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl<T> Index<&str> for Named<T> {
    type Output = T;

    #[allow(clippy::expect_used, reason = "as every index does")]
    fn index(&self, name: &str) -> &T {
        self.get(name).expect("something of this name")
    }
}

impl<T> IntoIterator for Named<T> {
    type Item = (Arc<str>, T);
    type IntoIter = std::vec::IntoIter<(Arc<str>, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T> FromIterator<(Arc<str>, T)> for Named<T> {
    /// Of two with one name the last stays.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, T)>>(all: I) -> Named<T> {
        let mut all: Vec<(Arc<str>, T)> = all.into_iter().collect();
        all.reverse();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all.dedup_by(|(a, _), (b, _)| a == b);
        all.shrink_to_fit();
        Named(all)
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Named<T>, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut all = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    all.push((name, value));
                }
                Ok(all.into_iter().collect())
            }
        }
        from.deserialize_map(Entries(PhantomData))
    }
}

/// A name that stands in many places.
pub(crate) struct Name(pub(crate) Arc<str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        shared(from).map(Name)
    }
}

/// Texts that a thread remembers.
const REMEMBERED: usize = 16;

/// A text that stands in many places: one of those that this thread came across last is shared.
pub fn text(text: &str) -> Arc<str> {
    thread_local! {
        static LAST: RefCell<(usize, Vec<Arc<str>>)> = const { RefCell::new((0, Vec::new())) };
    }
    LAST.with_borrow_mut(|(next, known)| {
        if let Some(same) = known.iter().find(|known| known.len() == text.len() && ***known == *text) {
            return same.clone();
        }
        let new: Arc<str> = Arc::from(text);
        match known.get_mut(*next) {
            Some(oldest) => *oldest = new.clone(),
            None => known.push(new.clone()),
        }
        *next = (*next + 1) % REMEMBERED;
        new
    })
}

/// Reads a text that stands in many places.
pub(crate) fn shared<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
    struct Text;
    impl Visitor<'_> for Text {
        type Value = Arc<str>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }
        fn visit_str<E>(self, found: &str) -> Result<Arc<str>, E> {
            Ok(text(found))
        }
    }
    from.deserialize_str(Text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::value::Value;

    fn written(value: &impl Serialize) -> Vec<u8> {
        crate::canonical::write(Vec::new(), value, 100).unwrap()
    }

    #[test]
    fn it_is_a_map_on_disk_and_in_use() {
        let all = [("size", 1), ("a", 2), ("instance_ids", 3), ("a", 4), ("b", 5)];
        let named: Named<i64> = all.iter().map(|(name, n)| (text(name), *n)).collect();
        let map: BTreeMap<Arc<str>, i64> = all.iter().map(|(name, n)| (text(name), *n)).collect();
        assert!(named.iter().eq(map.iter()));
        assert!(named.keys().eq(map.keys()) && named.values().eq(map.values()));
        for name in ["a", "b", "c", "size", ""] {
            assert_eq!((named.get(name), named.contains_key(name)), (map.get(name), map.contains_key(name)), "{name}");
        }
        assert_eq!(written(&named), written(&map));
        let again: Named<i64> = crate::codec::read(&written(&map)).unwrap();
        assert_eq!(again, named);
        let mut changed = named.clone();
        assert_eq!((changed.insert(text("a"), 7), changed.insert(text("aa"), 8)), (Some(4), None));
        assert_eq!(changed.keys().map(|name| &**name).collect::<Vec<_>>(), ["a", "aa", "b", "instance_ids", "size"]);
        assert_eq!((changed["a"], changed["aa"]), (7, 8));
    }

    #[test]
    fn a_text_that_is_remembered_is_shared_and_no_more_are_remembered_than_that() {
        let first = text("first");
        assert!(Arc::ptr_eq(&first, &text("first")));
        for n in 0..REMEMBERED {
            text(&format!("{n}"));
        }
        let again = text("first");
        assert!(!Arc::ptr_eq(&first, &again) && first == again);
        let map = BTreeMap::from([("first", Value::None)]);
        let named: Named<Value> = crate::codec::read(&written(&map)).unwrap();
        assert!(Arc::ptr_eq(&again, named.keys().next().unwrap()));
    }
}
