//! botocore's own protocol cases, over all protocols, against our requests and answers.
//!
//! The cases are not committed: `cargo xtask lab fetch` brings them, pinned by their hash. What we don't
//! pass stands in `tests/refused.txt` with a reason, and what stands there must still fail.

mod compare;
pub(crate) mod convert;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use escher_catalog::Protocol;
use escher_ir::Target;
use escher_ir::program::Projection;
use serde_json::Value as Json;

use crate::answer::Received;
use crate::endpoint;
use crate::request;
use crate::schema::Plan;
use crate::wire::Quirks;

#[path = "../../tests/lab/mod.rs"]
mod lab;

/// The token that the suite expects.
const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

fn text<'j>(json: &'j Json, key: &str) -> Option<&'j str> {
    json.get(key).and_then(Json::as_str)
}

fn plan(suite: &Json, case: &Json) -> &'static Plan {
    Plan::of(&Arc::new(convert::record(suite, &case["given"])))
}

fn check_request(suite: &Json, case: &Json) -> Result<(), String> {
    let plan = plan(suite, case);
    let quirks = Quirks {
        gzip: case["given"].get("requestcompression").is_some(),
        query_mode: suite["metadata"].get("awsQueryCompatible").is_some(),
    };
    let arguments = convert::arguments(plan, &case["params"]);
    let draft = request::draft(plan, &arguments, Some(TOKEN), quirks).map_err(|e| e.to_string())?;
    let want = &case["serialized"];
    let url = text(suite, "clientEndpoint").unwrap_or("https://example.com");
    let address = endpoint::address(url, draft.host_prefix.as_deref(), draft.http.uri()).ok_or("no address")?;
    let http = &draft.http;
    if let Some(method) = text(want, "method").filter(|m| *m != http.method()) {
        return Err(format!("method {method}, not {}", http.method()));
    }
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if let Some(uri) = text(want, "uri").filter(|u| !compare::same_uri(u, &format!("/{path}"))) {
        return Err(format!("address {uri}, not /{path}"));
    }
    if let Some(wanted) = text(want, "host").filter(|h| h.split('/').next() != Some(host)) {
        return Err(format!("host {wanted}, not {host}"));
    }
    let header = |name: &str| http.headers().get_all(name.to_lowercase()).collect::<Vec<_>>().join(", ");
    for (name, value) in want["headers"].as_object().into_iter().flatten() {
        if header(name) != value.as_str().unwrap_or_default() {
            return Err(format!("{name}: {value}, not {:?}", header(name)));
        }
    }
    let listed = |key: &str| want[key].as_array().cloned().unwrap_or_default();
    for name in listed("forbidHeaders") {
        if !header(name.as_str().unwrap_or_default()).is_empty() {
            return Err(format!("there is a header {name}"));
        }
    }
    for name in listed("requireHeaders") {
        if header(name.as_str().unwrap_or_default()).is_empty() {
            return Err(format!("there is no header {name}"));
        }
    }
    match text(want, "body") {
        Some(body) => compare::same_body(plan.record.service.protocol, body, http.body().bytes().unwrap_or_default()),
        None => Ok(()),
    }
}

fn check_answer(suite: &Json, case: &Json) -> Result<(), String> {
    let plan = plan(suite, case);
    let response = &case["response"];
    let body = text(response, "body").unwrap_or_default();
    let body = if plan.record.service.protocol == Protocol::RpcV2Cbor {
        aws_smithy_types::base64::decode(body).map_err(|e| e.to_string())?
    } else {
        body.as_bytes().to_vec()
    };
    let status = u16::try_from(response["status_code"].as_u64().unwrap_or(200)).map_err(|e| e.to_string())?;
    let mut http = Response::new(StatusCode::try_from(status).map_err(|e| e.to_string())?, SdkBody::from(body));
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        http.headers_mut().insert(name.to_lowercase(), value.as_str().unwrap_or_default().to_owned());
    }
    let received = Received { http };
    if let Some(code) = text(case, "errorCode") {
        let error = received.error(plan).ok_or("not seen as an error")?;
        if error.code.as_deref() != Some(code) {
            return Err(format!("code {code}, not {:?}", error.code));
        }
        return match text(case, "errorMessage").filter(|m| *m != error.message) {
            Some(message) => Err(format!("message {message:?}, not {:?}", error.message)),
            None => Ok(()),
        };
    }
    if let Some(error) = received.error(plan) {
        return Err(format!("seen as an error: {error}"));
    }
    // In the language's words more is done with it, so at least it must come through.
    received.value(plan, &Projection::All, &Arc::new(Target::default())).map_err(|e| e.to_string())?;
    let value = received.official(plan, &Projection::All).map_err(|e| e.to_string())?;
    let got = compare::plain(&value);
    let want = case.get("result").filter(|r| !r.is_null()).cloned().unwrap_or_else(|| serde_json::json!({}));
    let got = if got.is_null() { serde_json::json!({}) } else { got };
    if compare::same(&want, &got) { Ok(()) } else { Err(format!("{want}, not {got}")) }
}

fn run_file(path: &Path, way: &str, passed: &mut usize, failed: &mut BTreeMap<String, String>) {
    let suites: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let (mut here, mut all) = (0, 0);
    for suite in suites.as_array().unwrap() {
        for case in suite["cases"].as_array().unwrap() {
            all += 1;
            let outcome = if way == "input" { check_request(suite, case) } else { check_answer(suite, case) };
            match outcome {
                Ok(()) => here += 1,
                Err(why) => {
                    let key = format!("{way}/{name}/{}", text(case, "id").unwrap_or("?"));
                    assert!(failed.insert(key, why).is_none(), "two cases have one id");
                }
            }
        }
    }
    println!("{way}/{name}: {here} of {all}");
    *passed += here;
}

#[test]
fn passes_botocores_cases() {
    let Some(folder) = lab::find("botocore-1.44.5/tests/unit/protocols") else { return };
    let (mut passed, mut failed) = (0, BTreeMap::new());
    for way in ["input", "output"] {
        let mut files: Vec<_> = std::fs::read_dir(folder.join(way)).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        for file in files {
            run_file(&file, way, &mut passed, &mut failed);
        }
    }
    println!("all: {passed} of {}", passed + failed.len());
    let refused: BTreeMap<&str, &str> = include_str!("../../tests/refused.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    for (case, why) in &failed {
        assert!(refused.contains_key(case.as_str()) || std::env::var_os("ESCHER_SHOW").is_some(), "{case}: {why}");
        println!("{case}: {why}");
    }
    for case in refused.keys() {
        assert!(failed.contains_key(*case), "{case} passes now: take it off the list");
    }
    assert!(passed >= 725, "only {passed} cases pass");
}
