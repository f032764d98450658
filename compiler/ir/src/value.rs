//! Values as a run sees them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// A place to call: a cloud, an account, a region. Account and region are empty until resolved (the ambient target).
// Members in the order in which they are written: one stands in every record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// `aws`, `azure` or `gcp`.
    pub cloud: String,
    /// Region; empty for what is global.
    pub region: String,
    /// Account number, subscription or project.
    pub account: String,
    /// Endpoint, where it is not the cloud's own.
    pub endpoint: Option<String>,
    /// Role assumed for reads.
    pub read_role: Option<String>,
    /// Role assumed for changes.
    pub change_role: Option<String>,
}

impl Target {
    /// By cloud and account first.
    fn order(&self) -> (&str, &str, &str, [&Option<String>; 3]) {
        (&self.cloud, &self.account, &self.region, [&self.endpoint, &self.read_role, &self.change_role])
    }
}

impl Ord for Target {
    fn cmp(&self, other: &Target) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for Target {
    fn partial_cmp(&self, other: &Target) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A record: members sorted by name, with where it was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Catalogue shape, such as `aws.ec2.Instance`, where it came from a cloud.
    #[serde(deserialize_with = "shared::shape")]
    pub shape: Option<Arc<str>>,
    /// Where it was read.
    #[serde(deserialize_with = "shared::target")]
    pub target: Option<Arc<Target>>,
    /// Members that are present, sorted by name.
    #[serde(deserialize_with = "shared::members")]
    pub members: Vec<(Arc<str>, Value)>,
}

mod shared {
    //! Records that are read one after the other mostly come from one place and have one shape: they share them, and the
    //! names of their members.
    use std::cell::RefCell;
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer};

    use super::{Target, Value};
    use crate::named::Name;

    thread_local! {
        static TARGET: RefCell<Option<Arc<Target>>> = const { RefCell::new(None) };
        static SHAPE: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
    }

    /// The one that was read last, where it is the same.
    fn last<T: PartialEq + ?Sized>(kept: &RefCell<Option<Arc<T>>>, found: Option<Arc<T>>) -> Option<Arc<T>> {
        let mut kept = kept.borrow_mut();
        if found.is_some() && *kept != found {
            kept.clone_from(&found);
        }
        found.and(kept.clone())
    }

    pub(super) fn target<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<Target>>, D::Error> {
        let found = Option::<Arc<Target>>::deserialize(from)?;
        Ok(TARGET.with(|kept| last(kept, found)))
    }

    pub(super) fn members<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(Arc<str>, Value)>, D::Error> {
        let found = Vec::<(Name, Value)>::deserialize(from)?;
        Ok(found.into_iter().map(|(Name(name), value)| (name, value)).collect())
    }

    pub(super) fn shape<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<str>>, D::Error> {
        let found = Option::<Arc<str>>::deserialize(from)?;
        Ok(SHAPE.with(|kept| last(kept, found)))
    }
}

impl Record {
    /// A record of these members, sorted; of two with one name the last stays.
    pub fn of(members: impl IntoIterator<Item = (Arc<str>, Value)>) -> Record {
        let sorted: BTreeMap<Arc<str>, Value> = members.into_iter().collect();
        Record { shape: None, target: None, members: sorted.into_iter().collect() }
    }

    /// The member of this name, where present.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self.members.binary_search_by(|(n, _)| (**n).cmp(name)).ok()?;
        self.members.get(at).map(|(_, v)| v)
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// `none`.
    None,
    /// A truth value.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A float; never NaN or infinite.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// A length of time.
    Duration(SignedDuration),
    /// A number of bytes.
    Size(u64),
    /// A percentage: `5%` is 5.
    Percent(Decimal),
    /// An amount and its currency.
    Money(Decimal, Arc<str>),
    /// A point in time.
    Instant(Timestamp),
    /// A calendar date.
    Date(civil::Date),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A record.
    Record(Arc<Record>),
    /// A map with text keys.
    Map(Arc<BTreeMap<Arc<str>, Value>>),
    /// A place to call.
    Target(Arc<Target>),
    /// A member that the cloud left out, by name: equal to nothing, and any other use of it fails naming it.
    Absent(Arc<str>),
    /// A secret: only where it is kept is written or shown.
    Secret(Arc<Secret>),
    /// Not known while planning (`run.*`, `now()`, the answer of a change), by where it will come from.
    Hole(Arc<str>),
}

impl Value {
    /// Text.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::String(Arc::from(text.as_ref()))
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    /// A record of these members.
    pub fn record<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
        Value::Record(Arc::new(Record::of(members.into_iter().map(|(n, v)| (Arc::from(n), v)))))
    }

    /// A map of these entries.
    pub fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
        Value::Map(Arc::new(entries.into_iter().map(|(n, v)| (Arc::from(n), v)).collect()))
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(s) = self { Some(s) } else { None }
    }

    /// The items, where it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(items) = self { Some(items) } else { None }
    }

    /// The record, where it is one.
    pub fn as_record(&self) -> Option<&Record> {
        if let Value::Record(record) = self { Some(record) } else { None }
    }

    /// What people call its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::None => "none",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::String(_) => "string",
            Value::Duration(_) => "duration",
            Value::Size(_) => "size",
            Value::Percent(_) => "percent",
            Value::Money(..) => "money",
            Value::Instant(_) => "instant",
            Value::Date(_) => "date",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Record(_) => "record",
            Value::Map(_) => "map",
            Value::Target(_) => "target",
            Value::Absent(_) => "absent",
            Value::Secret(_) => "secret",
            Value::Hole(_) => "not known yet",
        }
    }

    /// Whether it is or holds a secret.
    pub fn has_secret(&self) -> bool {
        match self {
            Value::Secret(_) => true,
            Value::List(items) => items.iter().any(Value::has_secret),
            Value::Record(r) => r.members.iter().any(|(_, v)| v.has_secret()),
            Value::Map(m) => m.values().any(Value::has_secret),
            _ => false,
        }
    }

    /// Whether it is or holds something that is not known yet.
    pub fn has_hole(&self) -> bool {
        match self {
            Value::Hole(_) => true,
            Value::List(items) => items.iter().any(Value::has_hole),
            Value::Record(r) => r.members.iter().any(|(_, v)| v.has_hole()),
            Value::Map(m) => m.values().any(Value::has_hole),
            _ => false,
        }
    }
}
