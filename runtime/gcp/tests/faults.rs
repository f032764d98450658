//! Faults on the way to Google Cloud, each with what becomes of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::time::Duration;

use escher_catalog::Catalog;
use escher_faulty::{Act, Faulty, faulty};
use escher_gcp::{Client, Options, client};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, Change, ErrorKind, Read, Request, Sent};

fn call(operation: &str, arguments: &[(&str, Value)]) -> Request {
    let target = Target { cloud: "gcp".into(), account: "p".into(), ..Target::default() };
    Request {
        record: Catalog::embedded().record(operation).unwrap(),
        arguments: arguments.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        target: Arc::new(target),
        reads: Projection::All,
        token: Some("5a1e1d6e-0000-4000-8000-000000000001".into()),
        timeout: Duration::from_millis(700),
        patience: Duration::from_secs(60),
        permit: Default::default(),
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn practice(server: &Faulty) -> Client {
    client(Options::practice(&server.url), None)
}

fn change(server: &Faulty) -> Result<Answer, CallError> {
    let arguments = [("project", "p"), ("zone", "z"), ("instance", "i")].map(|(k, v)| (k, Value::text(v)));
    run(practice(server).change(call("gcp.compute.instances.stop", &arguments)))
}

fn read(server: &Faulty) -> Result<Vec<Answer>, CallError> {
    let client = practice(server);
    run(async {
        let mut pages = client.read(call("gcp.compute.instances.aggregated_list", &[("project", Value::text("p"))]));
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.push(page);
        }
        Ok(all)
    })
}

fn ok(body: &str) -> Act {
    Act::Answer(200, "Content-Type: application/json\r\nRetry-After: 0\r\n", body.into())
}

fn error(status: u16, reason: &str) -> Act {
    let body = format!(r#"{{"error":{{"code":{status},"message":"m","errors":[{{"reason":"{reason}"}}]}}}}"#);
    Act::Answer(status, "", body)
}

fn operation(status: &str, rest: &str) -> Act {
    ok(&format!(
        r#"{{"kind":"compute#operation","name":"operation-1","zone":"{{url}}/compute/v1/projects/p/zones/z","status":"{status}"{rest}}}"#
    ))
}

fn page(token: &str, rest: &str) -> Act {
    let token = if token.is_empty() { String::new() } else { format!(r#","nextPageToken":"{token}""#) };
    ok(&format!(
        r#"{{"items":{{"zones/z":{{"instances":[{{"name":"i","id":"1234567890123456789"}}]}}}}{token}{rest}}}"#
    ))
}

/// How the book tells what became of a change.
fn told(want: Option<(ErrorKind, Sent)>) -> String {
    match want {
        None => "done".into(),
        Some((kind, Sent::No)) => format!("`{}`, never sent", kind.word()),
        Some((kind, Sent::Refused)) => format!("`{}`, nothing done", kind.word()),
        Some((kind, Sent::Maybe)) => format!("`{}`, may have been done", kind.word()),
    }
}

/// The book has a row for each fault, and says what the test finds.
fn in_the_book(line: &str) {
    let page = include_str!("../../../book/src/clouds.md");
    assert!(page.lines().any(|l| l == line), "book/src/clouds.md lacks the line\n{line}");
}

/// What goes wrong, what the server does, what becomes of the call, and how many requests came.
type Row<W> = (&'static str, Vec<Act>, W, usize);

#[test]
fn what_becomes_of_a_change() {
    use ErrorKind::{Conflict, Denied, Invalid, Missing, Throttled, Timeout, Unknown, Unreachable};
    use Sent::{Maybe, Refused};
    let stockout = r#","httpErrorStatusCode":503,"error":{"errors":[{"code":"ZONE_RESOURCE_POOL_EXHAUSTED","message":"none left"}]}"#;
    let quota = Act::Answer(
        429,
        "",
        r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3.5s"}]}}"#.into(),
    );
    let rows: Vec<Row<Option<(ErrorKind, Sent)>>> = vec![
        ("throttled", vec![quota], Some((Throttled, Refused)), 1),
        ("throttled as it was of old", vec![error(403, "rateLimitExceeded")], Some((Throttled, Refused)), 1),
        ("a quota of resources", vec![error(403, "quotaExceeded")], Some((Conflict, Refused)), 1),
        ("no rights", vec![error(403, "forbidden")], Some((Denied, Refused)), 1),
        ("not there", vec![error(404, "notFound")], Some((Missing, Refused)), 1),
        ("in use", vec![error(400, "resourceInUseByAnotherResource")], Some((Conflict, Refused)), 1),
        ("not ready", vec![error(400, "resourceNotReady")], Some((Conflict, Refused)), 1),
        ("fingerprint", vec![error(412, "conditionNotMet")], Some((Conflict, Refused)), 1),
        ("a wrong argument", vec![error(400, "invalid")], Some((Invalid, Refused)), 1),
        ("a token that nobody takes", vec![error(401, "authError")], Some((Denied, Refused)), 2),
        ("an expired token, then a new one", vec![error(401, "authError"), operation("DONE", "")], None, 2),
        ("an internal error", vec![error(500, "internalError")], Some((Unreachable, Maybe)), 1),
        (
            "a front end's page",
            vec![Act::Answer(502, "", "<html>That's an error.</html>".into())],
            Some((Unreachable, Maybe)),
            1,
        ),
        ("hung up", vec![Act::HangUp], Some((Unreachable, Maybe)), 1),
        ("silent", vec![Act::Silence], Some((Timeout, Maybe)), 1),
        ("an answer of something else", vec![ok("<html></html>")], Some((Unknown, Maybe)), 1),
        ("done at once", vec![operation("DONE", "")], None, 1),
        ("done in the end", vec![operation("RUNNING", ""), operation("RUNNING", ""), operation("DONE", "")], None, 3),
        (
            "failed in the end",
            vec![operation("RUNNING", ""), operation("DONE", stockout)],
            Some((Unreachable, Maybe)),
            2,
        ),
        (
            "a question that fails",
            vec![operation("RUNNING", ""), error(503, "backendError"), operation("DONE", "")],
            None,
            3,
        ),
        ("a question that is hung up on", vec![operation("RUNNING", ""), Act::HangUp, operation("DONE", "")], None, 3),
    ];
    for (name, acts, want, requests) in rows {
        let server = faulty(acts);
        let got = change(&server);
        assert_eq!(got.as_ref().err().map(|e| (e.kind, e.sent)), want, "{name}: {got:?}");
        assert_eq!(server.seen(), requests, "{name}");
        in_the_book(&format!("| Google Cloud, a change | {name} | {} | {requests} |", told(want)));
        let first = server.requests().into_iter().next().unwrap();
        assert!(first.contains("requestId=5a1e1d6e-0000-4000-8000-000000000001"), "{name}: {first}");
        assert!(first.to_lowercase().contains("content-length: 0"), "{name}: {first}");
        if name == "throttled" {
            assert_eq!(got.unwrap_err().retry_after, Some(Duration::from_millis(3500)));
        }
    }
}

#[test]
fn what_becomes_of_a_reading() {
    use ErrorKind::{Denied, Unknown, Unreachable};
    let lacks = r#","warning":{"code":"UNREACHABLE","message":"zones/z2"}"#;
    let empty = r#","warning":{"code":"NO_RESULTS_ON_PAGE","message":"nothing here"}"#;
    let rows: Vec<Row<Result<usize, ErrorKind>>> = vec![
        ("three pages", vec![page("a", ""), page("b", ""), page("", "")], Ok(3), 3),
        ("pages in a circle", vec![page("a", ""), page("b", ""), page("a", "")], Err(Unknown), 3),
        ("throttled once", vec![error(403, "rateLimitExceeded"), page("", "")], Ok(1), 2),
        ("unavailable once", vec![error(503, "backendError"), page("", "")], Ok(1), 2),
        ("no rights", vec![error(403, "forbidden")], Err(Denied), 1),
        ("nothing in a zone", vec![page("", empty)], Ok(1), 1),
        ("a zone that can't be reached, once", vec![page("", lacks), page("", "")], Ok(1), 2),
        ("a zone that can't be reached", vec![page("", lacks)], Err(Unreachable), 4),
        ("a list that lacks a place", vec![page("", r#","unreachables":["zones/z2"]"#)], Err(Unreachable), 4),
    ];
    for (name, acts, want, requests) in rows {
        let server = faulty(acts);
        let got = read(&server);
        assert_eq!(got.as_ref().map(Vec::len).map_err(|e| e.kind), want, "{name}: {got:?}");
        assert_eq!(server.seen(), requests, "{name}");
        let outcome = want.map_or_else(|kind| format!("`{}`", kind.word()), |pages| format!("{pages} read"));
        in_the_book(&format!("| Google Cloud, a reading | {name} | {outcome} | {requests} |"));
    }
}
