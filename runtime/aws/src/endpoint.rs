//! Where a service answers, by the endpoint rules of the catalogue; overrides are a parameter of the same rules.
//!
//! What is overridden comes from the target, the environment and the shared configuration (see `identity`). This module
//! does *not* resolve names or know credentials.

use std::collections::BTreeMap;

use escher_catalog::Catalog;
use escher_catalog::endpoints::{EndpointError, EndpointRules, ParameterValue};
use escher_ir::Value;
use escher_provider::{CallError, ErrorKind, clean};
use serde_json::Value as Json;

use crate::path;
use crate::schema::Plan;

/// A place to send a request to, and how to sign for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Scheme, host and perhaps a path.
    pub(crate) url: String,
    /// Headers to add.
    pub(crate) headers: Vec<(String, String)>,
    /// Region in the signature.
    pub(crate) signing_region: String,
    /// Service in the signature, where it isn't the model's.
    pub(crate) signing_name: Option<String>,
    /// Whether the rules made the address, and with it what they say of buckets.
    pub(crate) by_rules: bool,
}

/// What decides about the place of a call.
pub(crate) struct Ask<'a> {
    pub(crate) region: &'a str,
    /// The address that is set in place of AWS's own.
    pub(crate) custom: Option<&'a str>,
    pub(crate) fips: bool,
    pub(crate) dual_stack: bool,
}

fn invalid(what: impl Into<String>) -> CallError {
    CallError::unsent(ErrorKind::Invalid, what)
}

/// The place of a call.
pub(crate) fn place(
    plan: &'static Plan,
    rules: Option<&EndpointRules>,
    arguments: &BTreeMap<String, Value>,
    ask: &Ask<'_>,
) -> Result<Place, CallError> {
    let region = ask.region;
    // The region becomes part of a host name, so it must look like one.
    if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(invalid(format!("`{}` isn't a region", clean(region))));
    }
    let Some(rules) = rules else {
        let own = format!("https://{}.{region}.amazonaws.com", plan.record.service.endpoint_prefix);
        let url = ask.custom.map_or(own, str::to_owned);
        return Ok(Place { url, signing_region: region.to_owned(), ..Place::default() });
    };
    let mut given = parameters(plan, rules, arguments, ask);
    let failed = |e: EndpointError| {
        invalid(format!("{} has no endpoint in {region}: {}", plan.record.service.full_name, clean(&e.to_string())))
    };
    // Where the address is set, the rules without it still know for which region a service signs that has only one.
    let mut own_region = None;
    if ask.custom.is_some() {
        let set = given.remove("Endpoint");
        own_region =
            rules.resolve(&given).ok().and_then(|e| e.auth_schemes().into_iter().find_map(|s| s.signing_region));
        given.extend(set.map(|url| ("Endpoint".to_owned(), url)));
    }
    let found = rules.resolve(&given).map_err(failed)?;
    let schemes = found.auth_schemes();
    let scheme = schemes.iter().find(|s| s.name == "sigv4");
    if let (None, Some(other)) = (scheme, schemes.first()) {
        return Err(invalid(format!("calls to this endpoint are signed with {}, which isn't supported", other.name)));
    }
    let signing_region = scheme.and_then(|s| s.signing_region.clone()).or(own_region);
    Ok(Place {
        url: found.url,
        headers: found.headers.into_iter().map(|(name, values)| (name, values.join(", "))).collect(),
        signing_region: signing_region.unwrap_or_else(|| region.to_owned()),
        signing_name: scheme.and_then(|s| s.signing_name.clone()),
        by_rules: true,
    })
}

/// The parameters of the rules: from the client, from the operation, from its input, in rising order.
fn parameters(
    plan: &'static Plan,
    rules: &EndpointRules,
    arguments: &BTreeMap<String, Value>,
    ask: &Ask<'_>,
) -> BTreeMap<String, ParameterValue> {
    let mut given = BTreeMap::new();
    let text = |text: &str| Some(ParameterValue::Text(text.to_owned()));
    for parameter in rules.parameters() {
        let value = match parameter.built_in.as_deref() {
            Some("AWS::Region") => text(ask.region),
            Some("SDK::Endpoint") => ask.custom.and_then(text),
            Some("AWS::UseFIPS") => Some(ParameterValue::Bool(ask.fips)),
            Some("AWS::UseDualStack") => Some(ParameterValue::Bool(ask.dual_stack)),
            // As all SDKs have it today; the other addresses are for old clients.
            Some("AWS::S3::UseGlobalEndpoint" | "AWS::STS::UseGlobalEndpoint") => Some(ParameterValue::Bool(false)),
            // Sessions of S3 Express are signed in a way of their own.
            Some("AWS::S3::DisableS3ExpressSessionAuth") => Some(ParameterValue::Bool(true)),
            _ => None,
        };
        given.extend(value.map(|value| (parameter.name, value)));
    }
    let operation = &plan.record.operation;
    for (name, json) in &operation.static_context {
        let value = serde_json::from_str(json).ok().and_then(|json| of_json(&json));
        given.extend(value.map(|value| (name.to_string(), value)));
    }
    for (member, _) in &plan.root().members {
        let Some(name) = &member.context_param else { continue };
        let value = arguments.get(&*member.name).and_then(|v| of_json(&crate::json::of_value(v)));
        given.extend(value.map(|value| (name.to_string(), value)));
    }
    if !operation.input_context.is_empty() {
        let official =
            plan.root().members.iter().filter_map(|(m, _)| Some((&*m.official, arguments.get(&*m.name)?.clone())));
        let input = Value::record(official);
        for (name, path) in &operation.input_context {
            given.extend(of_json(&path::search(path, &input)).map(|value| (name.to_string(), value)));
        }
    }
    given
}

fn of_json(json: &Json) -> Option<ParameterValue> {
    match json {
        Json::String(text) => Some(ParameterValue::Text(text.clone())),
        Json::Bool(on) => Some(ParameterValue::Bool(*on)),
        Json::Array(items) => {
            Some(ParameterValue::List(items.iter().filter_map(Json::as_str).map(str::to_owned).collect()))
        }
        _ => None,
    }
}

/// The rules of a service; none where the catalogue has none.
pub(crate) fn rules(plan: &Plan) -> Option<EndpointRules> {
    Catalog::current().endpoint_rules(&plan.record.service.cloud, &plan.record.service.name)
}

/// The path of a request without what the endpoint already says: buckets are part of S3's endpoints.
pub(crate) fn path_after<'p>(plan: &Plan, place: &Place, path: &'p str) -> &'p str {
    let bucketed =
        plan.record.operation.uri.starts_with("/{Bucket}") && plan.record.service.endpoint_prefix.starts_with("s3");
    if !bucketed || !place.by_rules {
        return path;
    }
    let end = path.get(1..).and_then(|p| p.find(['/', '?'])).map_or(path.len(), |at| at + 1);
    path.get(end..).unwrap_or(path)
}

/// The address of a request: the endpoint, the host prefix, and the path and query that the operation made.
pub(crate) fn address(url: &str, host_prefix: Option<&str>, path: &str) -> Option<String> {
    let (scheme, rest) = url.trim_end_matches('/').split_once("://")?;
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

/// The partition of a region, as it stands in an ARN.
pub(crate) fn partition(region: &str) -> &'static str {
    const TABLE: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    TABLE.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{Ask, Place, address, path_after, place, rules};
    use crate::schema::Plan;
    use escher_catalog::Catalog;
    use escher_ir::Value;
    use std::collections::BTreeMap;

    #[test]
    fn puts_an_address_together() {
        assert_eq!(address("https://a.b", Some("x."), "/p?q=1").as_deref(), Some("https://x.a.b/p?q=1"));
        assert_eq!(address("http://127.0.0.1:5000", Some("x."), "/").as_deref(), Some("http://127.0.0.1:5000/"));
        assert_eq!(address("http://[::1]:5000", Some("x."), "/").as_deref(), Some("http://[::1]:5000/"));
        assert_eq!(address("https://a.b/custom/", None, "/").as_deref(), Some("https://a.b/custom/"));
        assert_eq!(address("file:///etc", None, "/"), None);
        assert_eq!(address("nonsense", None, "/"), None);
    }

    fn ask(operation: &str, region: &str, custom: Option<&str>, bucket: Option<&str>) -> (Place, &'static Plan) {
        let plan = Plan::of(&Catalog::embedded().record(operation).unwrap());
        let arguments: BTreeMap<String, Value> =
            bucket.map(|b| ("bucket".to_owned(), Value::text(b))).into_iter().collect();
        let ask = Ask { region, custom, fips: false, dual_stack: false };
        (place(plan, rules(plan).as_ref(), &arguments, &ask).unwrap(), plan)
    }

    #[test]
    fn follows_the_rules_of_the_services() {
        for (operation, region, url, signed) in [
            ("aws.ec2.describe_instances", "eu-central-1", "https://ec2.eu-central-1.amazonaws.com", "eu-central-1"),
            ("aws.ec2.describe_instances", "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (
                "aws.sts.get_caller_identity",
                "us-gov-west-1",
                "https://sts.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            ("aws.iam.list_users", "eu-central-1", "https://iam.amazonaws.com", "us-east-1"),
            ("aws.s3.list_buckets", "eu-central-1", "https://s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ] {
            let (found, _) = ask(operation, region, None, None);
            assert_eq!((&*found.url, &*found.signing_region), (url, signed), "{operation}");
        }
        let (set, _) = ask("aws.iam.list_users", "eu-central-1", Some("http://127.0.0.1:1"), None);
        assert_eq!((&*set.url, &*set.signing_region), ("http://127.0.0.1:1", "us-east-1"));
    }

    #[test]
    fn buckets_stand_once() {
        let (found, plan) = ask("aws.s3.list_objects_v2", "eu-central-1", None, Some("mine"));
        assert_eq!(found.url, "https://mine.s3.eu-central-1.amazonaws.com");
        assert_eq!(path_after(plan, &found, "/mine?list-type=2"), "?list-type=2");
        let (found, plan) = ask("aws.s3.get_object", "eu-central-1", Some("http://127.0.0.1:1"), Some("mine"));
        assert_eq!(found.url, "http://127.0.0.1:1/mine");
        assert_eq!(path_after(plan, &found, "/mine/a/b"), "/a/b");
    }
}
