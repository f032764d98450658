//! Faults on the way: what is tried again, what never is, and how far a failed change got.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use escher_aws::{Client, Options};
use escher_catalog::Catalog;
use escher_faulty::{Act, Faulty, faulty};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, Change, ErrorKind, Polled, Read, Request, Sent};

fn ok(body: &str) -> Act {
    Act::Answer(200, "Content-Type: text/xml\r\n", body.into())
}

fn error(status: u16, headers: &'static str, code: &str) -> Act {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors><RequestID>r</RequestID></Response>"
    );
    Act::Answer(status, headers, body)
}

fn instances(token: &str) -> String {
    format!(
        "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i</instanceId></item></instancesSet>\
        </item></reservationSet><nextToken>{token}</nextToken></DescribeInstancesResponse>"
    )
}

fn call(operation: &str, arguments: &[(&str, Value)]) -> Request {
    let target = Target { cloud: "aws".into(), region: "eu-central-1".into(), ..Target::default() };
    Request {
        record: Catalog::embedded().record(operation).unwrap(),
        arguments: arguments.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        target: Arc::new(target),
        reads: Projection::All,
        token: None,
        timeout: Duration::from_secs(2),
        patience: Duration::ZERO,
        permit: Default::default(),
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn read(server: &Faulty) -> Result<Vec<Answer>, CallError> {
    run(async {
        let client = Client::new(Options::practice(&server.url));
        let mut pages = client.read(call("aws.ec2.describe_instances", &[]));
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.push(page);
        }
        Ok(all)
    })
}

fn change(server: &Faulty) -> Result<Answer, CallError> {
    let ids = Value::list(vec![Value::text("i-1")]);
    let client = Client::new(Options::practice(&server.url));
    run(client.change(call("aws.ec2.stop_instances", &[("instance_ids", ids)])))
}

fn seen(server: &Faulty) -> usize {
    server.seen()
}

#[test]
fn readings_are_tried_again() {
    let server =
        faulty(vec![error(503, "Retry-After: 1\r\n", "RequestLimitExceeded"), Act::HangUp, ok(&instances(""))]);
    let began = Instant::now();
    assert_eq!(read(&server).unwrap().len(), 1);
    assert!(began.elapsed() >= Duration::from_secs(1), "it waits as asked");
    assert_eq!(seen(&server), 3);

    let server = faulty(vec![error(403, "", "UnauthorizedOperation")]);
    assert_eq!(read(&server).unwrap_err().kind, ErrorKind::Denied);
    assert_eq!(seen(&server), 1, "no right comes by asking again");
}

#[test]
fn changes_are_sent_once_and_say_how_far_they_got() {
    for (act, kind, sent) in [
        (error(503, "Retry-After: 9\r\n", "RequestLimitExceeded"), ErrorKind::Throttled, Sent::Refused),
        (error(400, "", "IncorrectInstanceState"), ErrorKind::Conflict, Sent::Refused),
        (error(500, "", "InternalError"), ErrorKind::Unreachable, Sent::Maybe),
        (Act::Answer(502, "", "<html><body>oops</body></html>".into()), ErrorKind::Unreachable, Sent::Maybe),
        (Act::HangUp, ErrorKind::Unreachable, Sent::Maybe),
        (Act::Silence, ErrorKind::Timeout, Sent::Maybe),
        (ok("<StopInstancesResponse><instancesSet>"), ErrorKind::Unknown, Sent::Maybe),
        (ok("<html><body>Log in to the hotel's network</body></html>"), ErrorKind::Unknown, Sent::Maybe),
    ] {
        let server = faulty(vec![act]);
        let failed = change(&server).unwrap_err();
        assert_eq!((failed.kind, failed.sent), (kind, sent), "{failed:?}");
        assert_eq!(seen(&server), 1);
        if failed.kind == ErrorKind::Throttled {
            assert_eq!(failed.retry_after, Some(Duration::from_secs(9)));
            assert_eq!(failed.request_id.as_deref(), Some("r"));
        }
    }
    let mut nowhere = faulty(vec![Act::HangUp]);
    nowhere.url = "http://127.0.0.1:1".into();
    let failed = change(&nowhere).unwrap_err();
    assert_eq!((failed.kind, failed.sent), (ErrorKind::Unreachable, Sent::No));
}

#[test]
fn paging_ends() {
    let server = faulty(vec![ok(&instances("a")), ok(&instances("b")), ok(&instances(""))]);
    assert_eq!(read(&server).unwrap().len(), 3);
    let bodies = server.requests();
    assert!(!bodies[0].contains("NextToken") && bodies[1].contains("NextToken=a") && bodies[2].contains("NextToken=b"));

    // The same token again and again: a server that ignores paging, or says so that it has ended.
    let server = faulty(vec![ok(&instances("a"))]);
    assert_eq!(read(&server).unwrap().len(), 2);
    // In a circle.
    let circle = ["a", "b", "a", "b", "a", "b", "a"].map(|t| ok(&instances(t)));
    let failed = read(&faulty(circle.into())).unwrap_err();
    assert!(failed.message.contains("repeats"), "{failed:?}");
}

#[test]
fn waiters_ask_once() {
    let stopped =
        instances("").replace("<instanceId>", "<instanceState><name>stopped</name></instanceState><instanceId>");
    let pending = stopped.replace("stopped", "stopping");
    let gone = stopped.replace("stopped", "terminated");
    let waiter = Catalog::embedded().waiter("aws.ec2.instance_stopped").unwrap();
    let exists = Catalog::embedded().waiter("aws.ec2.instance_exists").unwrap();
    let ask = |waiter, act| {
        let server = faulty(vec![act]);
        let client = Client::new(Options::practice(&server.url));
        run(client.poll(waiter, call("aws.ec2.describe_instances", &[])))
    };
    assert_eq!(ask(&waiter, ok(&stopped)).unwrap(), Polled::Holds);
    assert_eq!(ask(&waiter, ok(&pending)).unwrap(), Polled::NotYet);
    assert!(matches!(ask(&waiter, ok(&gone)).unwrap(), Polled::Failed(_)));
    assert_eq!(ask(&exists, error(400, "", "InvalidInstanceID.NotFound")).unwrap(), Polled::NotYet);
    assert_eq!(ask(&waiter, error(403, "", "UnauthorizedOperation")).unwrap_err().kind, ErrorKind::Denied);
}

#[test]
fn a_bucket_of_another_region_is_found_once() {
    let moved = |status| Act::Answer(status, "x-amz-bucket-region: eu-west-1\r\n", String::new());
    for status in [301, 307, 400] {
        let server = faulty(vec![moved(status), Act::Answer(200, "", String::new())]);
        let client = Client::new(Options::practice(&server.url));
        let arguments = [("bucket", Value::text("ours")), ("key", Value::text("a"))];
        run(async {
            client.change(call("aws.s3.delete_object", &arguments)).await.unwrap();
            client.change(call("aws.s3.delete_object", &arguments)).await.unwrap();
        });
        let regions: Vec<bool> = server.requests().iter().map(|r| r.contains("/eu-west-1/s3/")).collect();
        assert_eq!(regions, [false, true, true], "{status}");
    }
    // A place that says so for ever is asked twice, and a region that is no region not at all.
    let server = faulty(vec![moved(301)]);
    let client = Client::new(Options::practice(&server.url));
    let arguments = [("bucket", Value::text("ours")), ("key", Value::text("a"))];
    run(client.change(call("aws.s3.delete_object", &arguments))).unwrap_err();
    assert_eq!(seen(&server), 2);
    let server = faulty(vec![Act::Answer(301, "x-amz-bucket-region: evil.example/\r\n", String::new())]);
    let client = Client::new(Options::practice(&server.url));
    run(client.change(call("aws.s3.delete_object", &arguments))).unwrap_err();
    assert_eq!(seen(&server), 1);
}
