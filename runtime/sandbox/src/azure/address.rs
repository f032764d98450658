//! Where a resource is: its group, and its name with those of what it lies in.

use std::sync::Arc;

use super::kinds::{GROUP, Kind};
use crate::rest::route::decode;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) group: String,
    /// As many as the kind has types, where it is a resource; one fewer where it is a list.
    pub(crate) names: Vec<String>,
}

impl Address {
    /// Reads the path of a resource, a list or an action.
    pub(crate) fn of_path(path: &str) -> Address {
        let mut parts = path.trim_matches('/').split('/').map(|part| decode(part).unwrap_or_default());
        let (mut group, mut names) = (String::new(), Vec::new());
        while let Some(word) = parts.next() {
            if word.eq_ignore_ascii_case("resourceGroups") {
                group = parts.next().unwrap_or_default();
            } else if word.eq_ignore_ascii_case("providers") {
                parts.next();
                let rest: Vec<String> = parts.by_ref().collect();
                names = rest.into_iter().skip(1).step_by(2).collect();
            }
        }
        Address { group, names }
    }

    /// One with a single name.
    pub(crate) fn new(group: &str, name: &str) -> Address {
        Address { group: group.to_owned(), names: vec![name.to_owned()] }
    }

    /// What a resource is kept under: cases make no difference.
    pub(crate) fn key(&self) -> Arc<str> {
        key(&self.group, &self.names.join("/"))
    }

    /// What it lies in.
    pub(crate) fn parent(&self) -> Option<Address> {
        let (_, names) = self.names.split_last()?;
        (!names.is_empty()).then(|| Address { group: self.group.clone(), names: names.to_vec() })
    }

    /// The last name.
    pub(crate) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }
}

/// What a resource is kept under.
pub(crate) fn key(group: &str, names: &str) -> Arc<str> {
    format!("{group}/{names}").to_lowercase().into()
}

/// The full id of a resource.
pub(crate) fn id(subscription: &str, kind: &Kind, group: &str, names: &str) -> String {
    if kind.name == GROUP {
        return format!("/subscriptions/{subscription}/resourceGroups/{group}");
    }
    let (namespace, types) = kind.name.split_once('/').unwrap_or((kind.name, ""));
    let path: String = types.split('/').zip(names.split('/')).map(|(kind, name)| format!("/{kind}/{name}")).collect();
    format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::kinds::kind;

    #[test]
    fn paths_and_ids_are_each_others() {
        let path = "/subscriptions/s/resourceGroups/Front/providers/Microsoft.Sql/servers/A/databases/b";
        let address = Address::of_path(path);
        assert_eq!(address, Address { group: "Front".into(), names: vec!["A".into(), "b".into()] });
        assert_eq!(&*address.key(), "front/a/b");
        assert_eq!(address.parent().map(|p| p.key()), Some("front/a".into()));
        let kind = kind("microsoft.sql/servers/databases").unwrap();
        assert_eq!(id("s", kind, "Front", "A/b"), path);
        let action =
            Address::of_path("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m/start");
        assert_eq!(action.names, ["m"]);
    }
}
