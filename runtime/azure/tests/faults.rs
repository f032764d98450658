//! Faults on the way to Azure, each with what becomes of it: what is tried again, what never is, and how far a failed
//! change got.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use escher_azure::{Client, Options, client};
use escher_catalog::Catalog;
use escher_faulty::{Act, Faulty, faulty};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, Change, ErrorKind, Read, Request, Sent};

const ACCEPTED: &str = "Azure-AsyncOperation: {url}/operations/1\r\nRetry-After: 0\r\n";
const MACHINE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m";

fn call(operation: &str, arguments: &[(&str, Value)]) -> Request {
    let target = Target { cloud: "azure".into(), account: "s".into(), ..Target::default() };
    Request {
        record: Catalog::embedded().record(operation).unwrap(),
        arguments: arguments.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        target: Arc::new(target),
        reads: Projection::All,
        token: None,
        timeout: Duration::from_millis(700),
        patience: Duration::from_secs(60),
        permit: Default::default(),
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn practice(server: &Faulty) -> Client {
    client(Options::practice(&server.url), Some(100_000))
}

fn change(server: &Faulty) -> Result<Answer, CallError> {
    let arguments = [("resource_group_name", Value::text("g")), ("vm_name", Value::text("m"))];
    run(practice(server).change(call("azure.compute.virtual_machines.deallocate", &arguments)))
}

fn read(server: &Faulty) -> Result<Vec<Answer>, CallError> {
    let client = practice(server);
    run(async {
        let mut pages = client.read(call("azure.compute.virtual_machines.list_all", &[]));
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.push(page);
        }
        Ok(all)
    })
}

fn ok(body: &str) -> Act {
    Act::Answer(200, "Content-Type: application/json\r\n", body.into())
}

fn error(status: u16, headers: &'static str, code: &str) -> Act {
    Act::Answer(status, headers, format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#))
}

fn accepted() -> Act {
    Act::Answer(202, ACCEPTED, String::new())
}

fn status(word: &str) -> Act {
    ok(&format!(r#"{{"status":"{word}"}}"#))
}

fn machines(next: &str) -> Act {
    let link = if next.is_empty() { String::new() } else { format!(r#","nextLink":"{next}""#) };
    ok(&format!(r#"{{"value":[{{"id":"{MACHINE}","name":"m","location":"westeurope"}}]{link}}}"#))
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
    let failed = r#"{"status":"Failed","error":{"code":"OverconstrainedAllocationRequest","message":"none left"}}"#;
    let rows: Vec<Row<Option<(ErrorKind, Sent)>>> = vec![
        ("throttled", vec![error(429, "Retry-After: 9\r\n", "TooManyRequests")], Some((Throttled, Refused)), 1),
        ("throttled under another code", vec![error(429, "", "OperationNotAllowed")], Some((Throttled, Refused)), 1),
        (
            "another operation is under way",
            vec![error(409, "", "AnotherOperationInProgress")],
            Some((Conflict, Refused)),
            1,
        ),
        ("locked", vec![error(409, "", "ScopeLocked")], Some((Conflict, Refused)), 1),
        ("precondition", vec![error(412, "", "PreconditionFailed")], Some((Conflict, Refused)), 1),
        ("not there", vec![error(404, "", "ResourceNotFound")], Some((Missing, Refused)), 1),
        ("no rights", vec![error(403, "", "AuthorizationFailed")], Some((Denied, Refused)), 1),
        ("against a policy", vec![error(403, "", "RequestDisallowedByPolicy")], Some((Denied, Refused)), 1),
        ("a token that nobody takes", vec![error(401, "", "ExpiredAuthenticationToken")], Some((Denied, Refused)), 2),
        ("an expired token, then a new one", vec![error(401, "", "ExpiredAuthenticationToken"), ok("")], None, 2),
        ("a wrong argument", vec![error(400, "", "InvalidParameter")], Some((Invalid, Refused)), 1),
        ("an internal error", vec![error(500, "", "InternalServerError")], Some((Unreachable, Maybe)), 1),
        ("a proxy's page", vec![Act::Answer(502, "", "<html>oops</html>".into())], Some((Unreachable, Maybe)), 1),
        ("unavailable", vec![error(503, "Retry-After: 2\r\n", "ServiceUnavailable")], Some((Unreachable, Maybe)), 1),
        ("hung up", vec![Act::HangUp], Some((Unreachable, Maybe)), 1),
        ("silent", vec![Act::Silence], Some((Timeout, Maybe)), 1),
        (
            "sent elsewhere",
            vec![Act::Answer(307, "Location: https://evil.example/\r\n", String::new())],
            Some((Unknown, Refused)),
            1,
        ),
        (
            "to be asked for elsewhere",
            vec![Act::Answer(202, "Azure-AsyncOperation: https://evil.example/1\r\n", String::new())],
            Some((Unknown, Maybe)),
            1,
        ),
        ("done in the end", vec![accepted(), status("InProgress"), status("Succeeded")], None, 3),
        ("failed in the end", vec![accepted(), ok(failed)], Some((Unknown, Maybe)), 2),
        ("canceled in the end", vec![accepted(), status("Canceled")], Some((Unknown, Maybe)), 2),
        (
            "a question that fails",
            vec![accepted(), error(500, "", "InternalServerError"), status("Succeeded")],
            None,
            3,
        ),
        ("a question that is hung up on", vec![accepted(), Act::HangUp, status("Succeeded")], None, 3),
        ("a question about nothing", vec![accepted(), error(404, "", "NotFound")], Some((Missing, Maybe)), 2),
        (
            "told by location alone",
            vec![
                Act::Answer(202, "Location: {url}/operations/1\r\nRetry-After: 0\r\n", String::new()),
                Act::Answer(202, "Retry-After: 0\r\n", String::new()),
                Act::Answer(204, "", String::new()),
            ],
            None,
            3,
        ),
    ];
    for (name, acts, want, requests) in rows {
        let server = faulty(acts);
        let got = change(&server);
        assert_eq!(got.as_ref().err().map(|e| (e.kind, e.sent)), want, "{name}: {got:?}");
        assert_eq!(server.seen(), requests, "{name}");
        in_the_book(&format!("| Azure, a change | {name} | {} | {requests} |", told(want)));
        if let Err(failed) = got {
            match name {
                "throttled" => assert_eq!(failed.retry_after, Some(Duration::from_secs(9))),
                "failed in the end" => assert_eq!(failed.code.as_deref(), Some("OverconstrainedAllocationRequest")),
                _ => {}
            }
        }
    }
    let mut nowhere = faulty(vec![Act::HangUp]);
    nowhere.url = "http://127.0.0.1:1".into();
    let failed = change(&nowhere).unwrap_err();
    assert_eq!((failed.kind, failed.sent), (ErrorKind::Unreachable, Sent::No));
}

#[test]
fn what_becomes_of_a_reading() {
    use ErrorKind::{Denied, Timeout, Unknown};
    let deep = format!(r#"{{"value":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    let rows: Vec<Row<Result<usize, ErrorKind>>> = vec![
        ("two pages", vec![machines("{url}/next"), machines("")], Ok(2), 2),
        ("unavailable once", vec![error(503, "", "ServiceUnavailable"), machines("")], Ok(1), 2),
        ("hung up on once", vec![Act::HangUp, machines("")], Ok(1), 2),
        ("cut off once", vec![Act::Cut(200, r#"{"value":[]}"#.into()), machines("")], Ok(1), 2),
        ("no rights", vec![error(403, "", "AuthorizationFailed")], Err(Denied), 1),
        (
            "a log-in page",
            vec![Act::Answer(200, "Content-Type: text/html\r\n", "<html>log in</html>".into())],
            Err(Unknown),
            1,
        ),
        (
            "JSON under another name",
            vec![Act::Answer(200, "Content-Type: text/plain\r\n", r#"{"value":[]}"#.into())],
            Ok(1),
            1,
        ),
        ("a list where an object belongs", vec![ok("[1]")], Err(Unknown), 1),
        ("a text where a list belongs", vec![ok(r#"{"value":"x"}"#)], Err(Unknown), 1),
        ("half of an object", vec![ok(r#"{"value":["#)], Err(Unknown), 1),
        ("something after the end", vec![ok(r#"{"value":[]} x"#)], Err(Unknown), 1),
        ("too deep", vec![ok(&deep)], Err(Unknown), 1),
        ("too large", vec![ok(&format!(r#"{{"value":[],"x":"{}"}}"#, "x".repeat(100_000)))], Err(Unknown), 1),
        ("the next page elsewhere", vec![machines("https://evil.example/next")], Err(Unknown), 1),
        ("pages in a circle", vec![machines("{url}/a"), machines("{url}/b"), machines("{url}/a")], Err(Unknown), 3),
        ("a byte now and then", vec![Act::Drip(Duration::from_millis(300), r#"{"value":[]}"#.into())], Err(Timeout), 4),
    ];
    for (name, acts, want, requests) in rows {
        let server = faulty(acts);
        let got = read(&server);
        let judged = got.as_ref().map(Vec::len).map_err(|e| e.kind);
        assert_eq!(judged, want, "{name}: {got:?}");
        assert_eq!(server.seen(), requests, "{name}");
        let outcome = want.map_or_else(|kind| format!("`{}`", kind.word()), |pages| format!("{pages} read"));
        in_the_book(&format!("| Azure, a reading | {name} | {outcome} | {requests} |"));
        assert!(server.requests().iter().all(|r| r.contains("authorization: Bearer practice")), "{name}");
    }
    let server = faulty(vec![error(429, "Retry-After: 1\r\n", "TooManyRequests"), machines("")]);
    let began = Instant::now();
    assert_eq!(read(&server).unwrap().len(), 1);
    assert!(began.elapsed() >= Duration::from_secs(1), "it waits as asked");
}

#[test]
fn a_path_is_what_it_looks_like() {
    let server = faulty(vec![ok("")]);
    for name in ["..", ".", ""] {
        let arguments = [("resource_group_name", Value::text("g")), ("vm_name", Value::text(name))];
        let call = call("azure.compute.virtual_machines.deallocate", &arguments);
        let failed = run(practice(&server).change(call)).unwrap_err();
        assert_eq!((failed.kind, failed.sent), (ErrorKind::Invalid, Sent::No), "{name}");
    }
    assert_eq!(server.seen(), 0);
}

#[test]
fn what_lost_its_permit_does_not_leave() {
    let server = faulty(vec![ok("")]);
    let arguments = [("resource_group_name", Value::text("g")), ("vm_name", Value::text("m"))];
    let mut call = call("azure.compute.virtual_machines.deallocate", &arguments);
    call.permit = escher_provider::Permit::new(|| false);
    assert_eq!(run(practice(&server).change(call)).unwrap_err().sent, Sent::No);
    assert_eq!(server.seen(), 0);
}
