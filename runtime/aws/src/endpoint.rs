//! Where a service answers: the regional template, and the few that don't follow it.
//!
//! Overrides come from the target, the environment and the shared configuration (see `identity`), before this is asked.
//! This module does *not* resolve names or know credentials.

use escher_catalog::model::ServiceMeta;

/// A place to send a request to, and the region to sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Scheme, host and perhaps a path.
    pub(crate) url: String,
    /// Region in the signature.
    pub(crate) signing_region: String,
}

/// A partition of AWS: a prefix of its regions, the suffix of its hosts, the region of its global services.
struct Partition {
    prefix: &'static str,
    suffix: &'static str,
    global: &'static str,
    name: &'static str,
}

const PARTITIONS: &[Partition] = &[
    Partition { prefix: "cn-", suffix: "amazonaws.com.cn", global: "cn-northwest-1", name: "aws-cn" },
    Partition { prefix: "us-gov-", suffix: "amazonaws.com", global: "us-gov-west-1", name: "aws-us-gov" },
    Partition { prefix: "us-iso-", suffix: "c2s.ic.gov", global: "us-iso-east-1", name: "aws-iso" },
    Partition { prefix: "us-isob-", suffix: "sc2s.sgov.gov", global: "us-isob-east-1", name: "aws-iso-b" },
    Partition { prefix: "eu-isoe-", suffix: "cloud.adc-e.uk", global: "eu-isoe-west-1", name: "aws-iso-e" },
    Partition { prefix: "us-isof-", suffix: "csp.hci.ic.gov", global: "us-isof-south-1", name: "aws-iso-f" },
    Partition { prefix: "eusc-", suffix: "amazonaws.eu", global: "eusc-de-east-1", name: "aws-eusc" },
    Partition { prefix: "", suffix: "amazonaws.com", global: "us-east-1", name: "aws" },
];

fn partition(region: &str) -> Option<&'static Partition> {
    PARTITIONS.iter().find(|p| region.starts_with(p.prefix))
}

/// The partition of a region, as it stands in an ARN.
pub(crate) fn partition_name(region: &str) -> &'static str {
    partition(region).map_or("aws", |p| p.name)
}

/// How the host of a service is made where it isn't `{prefix}.{region}.{suffix}`.
enum Host {
    /// One for the whole partition, `{prefix}.{suffix}`.
    Global,
    /// One for all, in a certain region.
    Fixed(&'static str, &'static str),
    /// Regional, on the domain of newer services.
    Api,
}

/// Exceptions by catalogue name, each with its reason.
const EXCEPTIONS: &[(&str, Host)] = &[
    // Accounts, users and roles are the same in all regions of a partition.
    ("iam", Host::Global),
    // One directory of distributions, and one of zones, for all regions.
    ("cloudfront", Host::Global),
    ("route53", Host::Global),
    // An organisation spans the regions of its partition.
    ("organizations", Host::Fixed("organizations.us-east-1.amazonaws.com", "us-east-1")),
    // Billing is done in one region.
    ("ce", Host::Fixed("ce.us-east-1.amazonaws.com", "us-east-1")),
    ("budgets", Host::Fixed("budgets.amazonaws.com", "us-east-1")),
    ("cur", Host::Fixed("cur.us-east-1.amazonaws.com", "us-east-1")),
    // Prices are kept in three regions; one is enough.
    ("pricing", Host::Fixed("api.pricing.us-east-1.amazonaws.com", "us-east-1")),
    ("shield", Host::Fixed("shield.us-east-1.amazonaws.com", "us-east-1")),
    ("support", Host::Fixed("support.us-east-1.amazonaws.com", "us-east-1")),
    ("health", Host::Fixed("global.health.amazonaws.com", "us-east-1")),
    // The classic firewall of CloudFront.
    ("waf", Host::Fixed("waf.amazonaws.com", "us-east-1")),
    // Registration of domains, and accelerators, are run from one region each.
    ("route53domains", Host::Fixed("route53domains.us-east-1.amazonaws.com", "us-east-1")),
    ("globalaccelerator", Host::Fixed("globalaccelerator.us-west-2.amazonaws.com", "us-west-2")),
    // Born after the newer domain, and answers there alone.
    ("resource_explorer_2", Host::Api),
];

/// The plain endpoint of a service in a region. The region is part of a host name, so it must look like one.
pub(crate) fn plain(service: &ServiceMeta, region: &str) -> Option<Place> {
    let fits = !region.is_empty() && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let partition = partition(region).filter(|_| fits)?;
    let (prefix, suffix) = (&service.endpoint_prefix, partition.suffix);
    let at_home = partition.name == "aws";
    let (host, signing_region) = match EXCEPTIONS.iter().find(|(name, _)| *name == &*service.name).map(|(_, h)| h) {
        Some(Host::Global) if at_home => (format!("{prefix}.{suffix}"), partition.global),
        Some(Host::Global) => (format!("{prefix}.{}.{suffix}", partition.global), partition.global),
        Some(Host::Fixed(host, signing)) if at_home => ((*host).to_owned(), *signing),
        Some(Host::Api) if at_home => (format!("{prefix}.{region}.api.aws"), region),
        _ => (format!("{prefix}.{region}.{suffix}"), region),
    };
    Some(Place { url: format!("https://{host}"), signing_region: signing_region.to_owned() })
}

/// The region to sign for where the host is overridden: that of the service, if it has only one.
pub(crate) fn overridden(service: &ServiceMeta, url: &str, region: &str) -> Place {
    let own = plain(service, region).map_or_else(|| "us-east-1".to_owned(), |p| p.signing_region);
    Place { url: url.trim_end_matches('/').to_owned(), signing_region: own }
}

/// The address of a request: the endpoint, the host prefix, and the path and query that the operation made.
pub(crate) fn address(place: &Place, host_prefix: Option<&str>, path: &str) -> Option<String> {
    let (scheme, rest) = place.url.split_once("://")?;
    if !matches!(scheme, "http" | "https") || rest.is_empty() {
        return None;
    }
    let host = rest.split('/').next().unwrap_or(rest);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    // A prefix before an address of numbers, or before localhost, leads nowhere.
    let numeric = name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok() || name == "localhost";
    let prefix = host_prefix.filter(|_| !numeric).unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some(format!("{scheme}://{prefix}{rest}{slash}{path}"))
}

#[cfg(test)]
mod tests {
    use super::{Place, address};

    #[test]
    fn puts_an_address_together() {
        let place = |url: &str| Place { url: url.into(), signing_region: "us-east-1".into() };
        let full = |url: &str, prefix, path| address(&place(url), prefix, path);
        assert_eq!(full("https://a.b", Some("x."), "/p?q=1").as_deref(), Some("https://x.a.b/p?q=1"));
        assert_eq!(full("http://127.0.0.1:5000", Some("x."), "/").as_deref(), Some("http://127.0.0.1:5000/"));
        assert_eq!(full("http://[::1]:5000", Some("x."), "/").as_deref(), Some("http://[::1]:5000/"));
        assert_eq!(full("https://a.b/custom", None, "/").as_deref(), Some("https://a.b/custom/"));
        assert_eq!(full("file:///etc", None, "/"), None);
        assert_eq!(full("nonsense", None, "/"), None);
    }
}
