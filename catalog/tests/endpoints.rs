//! Endpoint rules: a few by hand, and botocore's own 14,589 cases where they are at hand.

#![allow(clippy::panic, clippy::unwrap_used)] // helpers outside of `#[test]` may fail a test, too
#![allow(clippy::disallowed_methods)] // the cases are files that only a developer has

use std::collections::BTreeMap;
use std::path::PathBuf;

use escher_catalog::Catalog;
use escher_catalog::endpoints::{Endpoint, EndpointError, ParameterValue};
use serde_json::Value;

fn parameter(value: &Value) -> Option<ParameterValue> {
    match value {
        Value::String(text) => Some(ParameterValue::Text(text.clone())),
        Value::Bool(on) => Some(ParameterValue::Bool(*on)),
        Value::Array(items) => {
            Some(ParameterValue::List(items.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
        }
        _ => None,
    }
}

fn resolve(service: &str, params: &Value) -> Result<Endpoint, EndpointError> {
    let rules = Catalog::embedded().endpoint_rules("aws", service).unwrap_or_else(|| panic!("no rules for {service}"));
    let given: BTreeMap<String, ParameterValue> =
        params.as_object().into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), parameter(v)?))).collect();
    rules.resolve(&given)
}

fn url(service: &str, params: Value) -> String {
    resolve(service, &params).unwrap_or_else(|error| panic!("{service}: {error}")).url
}

#[test]
fn by_hand() {
    use serde_json::json;
    assert_eq!(url("ec2", json!({"Region": "eu-central-1"})), "https://ec2.eu-central-1.amazonaws.com");
    assert_eq!(url("ec2", json!({"Region": "cn-north-1"})), "https://ec2.cn-north-1.amazonaws.com.cn");
    assert_eq!(url("ec2", json!({"Region": "us-east-1", "UseFIPS": true})), "https://ec2-fips.us-east-1.amazonaws.com");
    assert_eq!(
        url("ec2", json!({"Region": "us-east-1", "Endpoint": "http://127.0.0.1:8080"})),
        "http://127.0.0.1:8080"
    );
    let bucket = resolve("s3", &json!({"Region": "eu-central-1", "Bucket": "my-bucket"})).unwrap();
    assert_eq!(bucket.url, "https://my-bucket.s3.eu-central-1.amazonaws.com");
    let scheme = &bucket.auth_schemes()[0];
    assert_eq!((&*scheme.name, scheme.signing_region.as_deref()), ("sigv4", Some("eu-central-1")));
    assert!(scheme.disable_double_encoding);
    let iam = resolve("iam", &json!({"Region": "eu-central-1"})).unwrap();
    assert_eq!(iam.url, "https://iam.amazonaws.com");
    assert_eq!(iam.auth_schemes()[0].signing_region.as_deref(), Some("us-east-1"));
    let refused = resolve("ec2", &json!({})).unwrap_err();
    assert_eq!(refused, EndpointError::Refused("Invalid Configuration: Missing Region".to_owned()));
}

#[test]
fn every_service_has_rules_that_ask_for_a_region_or_an_endpoint() {
    let catalog = Catalog::embedded();
    for service in catalog.services("aws") {
        let rules = catalog.endpoint_rules("aws", service).unwrap_or_else(|| panic!("no rules for {service}"));
        assert!(rules.parameters().iter().any(|p| p.built_in.as_deref() == Some("SDK::Endpoint")), "{service}");
    }
}

/// botocore's cases: where `ESCHER_ENDPOINT_CASES` says, else where `cargo xtask lab fetch` puts them. None where they were
/// not fetched, which is an error where `CI` is set.
fn cases() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("ESCHER_ENDPOINT_CASES") {
        return Some(PathBuf::from(folder));
    }
    let lab = match std::env::var_os("ESCHER_LAB") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/lab"),
    };
    let folder = lab.join("botocore-1.44.5/tests/functional/endpoint-rules");
    if folder.exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "botocore's cases are missing: run `cargo xtask lab fetch`");
    None
}

#[test]
fn botocore_agrees() {
    let Some(folder) = cases() else {
        eprintln!("skipped: botocore's cases are missing (run `cargo xtask lab fetch`)");
        return;
    };
    let (mut good, mut bad) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let Ok(text) = std::fs::read_to_string(entry.path().join("endpoint-tests-1.json")) else { continue };
        let service = escher_catalog::names::service(&entry.file_name().to_string_lossy());
        let cases: Value = serde_json::from_str(&text).unwrap();
        for case in cases["testCases"].as_array().unwrap() {
            if agrees(&service, case) {
                good += 1;
            } else {
                bad.push(format!("{service}: {} {:?}", case["documentation"], resolve(&service, &case["params"])));
            }
        }
    }
    println!("{good} of {} agree", good + bad.len());
    bad.iter().take(40).for_each(|b| println!("{b}"));
    assert_eq!((good, bad.len()), (14_589, 0));
}

fn agrees(service: &str, case: &Value) -> bool {
    let expected = &case["expect"];
    match resolve(service, &case["params"]) {
        Err(EndpointError::Refused(why)) => expected["error"] == why.as_str(),
        Err(_) => false,
        Ok(found) => {
            let wanted = &expected["endpoint"];
            let properties = wanted.get("properties").cloned().unwrap_or_else(|| serde_json::json!({}));
            let headers = wanted.get("headers").cloned().unwrap_or_else(|| serde_json::json!({}));
            wanted["url"] == found.url.as_str()
                && properties == found.properties
                && headers == serde_json::to_value(&found.headers).unwrap()
        }
    }
}
