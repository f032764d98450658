//! Rows in the order they were made, found by id: what a page token can point into.
//!
//! A row's number never changes while the sandbox runs, so a page goes on where the last one ended even when rows came or
//! went in between.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// What a row is found by.
pub(crate) trait Identified {
    /// The id.
    fn id(&self) -> &Arc<str>;
}

/// A table of one kind of resource.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, T>,
    numbers: HashMap<Arc<str>, u64>,
    next: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        // Numbers start at 1, so that a page token of 0 is "from the start".
        Table { rows: BTreeMap::new(), numbers: HashMap::new(), next: 1 }
    }
}

impl<T: Identified> Table<T> {
    /// Adds a row; `false`, and nothing done, where the id is taken.
    pub(crate) fn insert(&mut self, row: T) -> bool {
        let id = row.id().clone();
        if self.numbers.contains_key(&id) {
            return false;
        }
        self.numbers.insert(id, self.next);
        self.rows.insert(self.next, row);
        self.next += 1;
        true
    }

    /// The row of this id.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.numbers.get(id)?)
    }

    /// The row of this id, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(self.numbers.get(id)?)
    }

    /// The number and row of this id.
    pub(crate) fn numbered(&self, id: &str) -> Option<(u64, &T)> {
        let number = *self.numbers.get(id)?;
        self.rows.get(&number).map(|row| (number, row))
    }

    /// Takes a row out.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let number = self.numbers.remove(id)?;
        self.rows.remove(&number)
    }

    /// All rows after the one of this number, oldest first.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = (u64, &T)> {
        self.rows.range(number.saturating_add(1)..).map(|(n, row)| (*n, row))
    }

    /// All rows, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// All rows, to change them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut()
    }

    /// Keeps the rows that pass.
    pub(crate) fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.rows.retain(|_, row| keep(row));
        let rows = &self.rows;
        self.numbers.retain(|_, number| rows.contains_key(number));
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.values())
    }
}

impl<'de, T: Deserialize<'de> + Identified> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Table::default();
        for row in Vec::<T>::deserialize(deserializer)? {
            if !table.insert(row) {
                return Err(serde::de::Error::custom("two resources have the same id"));
            }
        }
        Ok(table)
    }
}
