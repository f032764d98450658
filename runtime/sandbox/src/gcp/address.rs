//! Where a resource is: the scope that it lies in, and its name.

use std::sync::Arc;

use super::kinds::Kind;
use crate::rest::route::decode;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// What stands between the project and the collection, such as `zones/europe-west1-b`; nothing where nothing does.
    pub(crate) scope: String,
    /// Nothing for a list.
    pub(crate) name: String,
}

impl Address {
    /// Reads the path of a resource, a list or an action.
    pub(crate) fn of_path(path: &str, kind: &Kind) -> Address {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(|p| decode(p).unwrap_or_default()).collect();
        let after = parts.iter().position(|p| p == "projects").map_or(0, |at| at + 2);
        let noun = parts.iter().rposition(|p| p == kind.noun || p.split(':').next() == Some(kind.noun));
        let noun = noun.unwrap_or(parts.len());
        let scope = parts.get(after..noun).unwrap_or_default().join("/");
        let name = parts.get(noun + 1).map_or("", |name| name.split(':').next().unwrap_or_default());
        // The version of the API is no scope.
        let scope = if after == 0 { String::new() } else { scope };
        Address { scope, name: name.to_owned() }
    }

    /// The resource that a link names, whatever it begins with.
    pub(crate) fn of_link(link: &str) -> Address {
        let mut parts = link.rsplit('/');
        let name = parts.next().unwrap_or_default().to_owned();
        parts.next();
        let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let scope = if last == "global" { last.to_owned() } else { format!("{before}/{last}") };
        Address { scope, name }
    }

    pub(crate) fn new(scope: &str, name: &str) -> Address {
        Address { scope: scope.to_owned(), name: name.to_owned() }
    }

    /// What a resource is kept under.
    pub(crate) fn key(&self) -> Arc<str> {
        format!("{}/{}", self.scope, self.name).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gcp::kinds::kind;

    #[test]
    fn paths_say_where_a_resource_is() {
        let of = |service, collection, path| Address::of_path(path, kind(service, collection).unwrap());
        let disk = of("compute", "disks", "/compute/v1/projects/p/zones/z/disks/d/resize");
        assert_eq!(disk, Address::new("zones/z", "d"));
        assert_eq!(Address::of_link("https://x/compute/v1/projects/p/zones/z/disks/d"), disk);
        assert_eq!(of("compute", "firewalls", "/compute/v1/projects/p/global/firewalls"), Address::new("global", ""));
        assert_eq!(of("storage", "buckets", "/storage/v1/b/my-bucket/iam"), Address::new("", "my-bucket"));
        let keys = "projects.serviceAccounts.keys";
        assert_eq!(
            of("iam", keys, "/v1/projects/p/serviceAccounts/a@b/keys/1"),
            Address::new("serviceAccounts/a@b", "1")
        );
        let version =
            of("secretmanager", "projects.secrets.versions", "/v1/projects/p/secrets/s/versions/latest:access");
        assert_eq!(version, Address::new("secrets/s", "latest"));
    }
}
