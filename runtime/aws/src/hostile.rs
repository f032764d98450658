//! Answers that no cloud should give, and connections that break: a typed error each, never a panic or a hang.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use escher_catalog::{Catalog, Protocol};
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{CallError, ErrorKind, Sent};
use proptest::prelude::*;

use crate::answer::Received;
use crate::http::{Failure, Http};
use crate::request;
use crate::schema::Plan;
use crate::wire::Quirks;

/// One reading of each protocol, with lists and nesting in its answer.
const READS: [&str; 7] = [
    "aws.ec2.describe_instances",
    "aws.iam.list_users",
    "aws.s3.list_objects_v2",
    "aws.lambda.list_functions",
    "aws.dynamodb.scan",
    "aws.secretsmanager.list_secrets",
    "aws.cloudwatch.describe_alarms",
];

fn plan(operation: &str) -> &'static Plan {
    Plan::of(&Catalog::embedded().record(operation).unwrap())
}

fn read(operation: &str, status: u16, content_type: &str, body: &[u8]) -> Result<Value, CallError> {
    let mut http = Response::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body.to_vec()));
    http.headers_mut().insert("content-type", content_type.to_owned());
    http.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    let received = Received { http };
    let plan = plan(operation);
    match received.error(plan) {
        Some(error) => Err(error),
        None => {
            let target = Arc::new(Target::default());
            received.official(plan, &Projection::All)?;
            received.value(plan, &Projection::All, &target)
        }
    }
}

#[test]
fn the_seven_protocols_are_here() {
    let mut protocols: Vec<Protocol> = READS.iter().map(|o| plan(o).record.service.protocol).collect();
    protocols.dedup();
    assert_eq!(protocols.len(), 7, "{protocols:?}");
}

#[test]
fn pages_of_proxies_are_errors() {
    let html = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>";
    let broken = b"<!doctype html><html lang=en><p>Oops &amp; sorry<br></html>";
    for operation in READS {
        for body in [&html[..], &broken[..]] {
            for status in [500, 502] {
                let error = read(operation, status, "text/html", body).unwrap_err();
                assert_eq!((error.kind, error.sent), (ErrorKind::Unreachable, Sent::Maybe), "{operation}: {error:?}");
            }
            let error = read(operation, 200, "text/html", body).unwrap_err();
            assert_eq!((error.kind, error.sent), (ErrorKind::Unknown, Sent::Maybe), "{operation}: {error:?}");
            let error = read(operation, 403, "text/html", body).unwrap_err();
            assert_eq!((error.kind, error.sent), (ErrorKind::Denied, Sent::Refused), "{operation}: {error:?}");
        }
    }
}

#[test]
fn a_truncated_answer_is_not_a_short_one() {
    let whole = "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId></item>\
        </instancesSet></item></reservationSet></DescribeInstancesResponse>";
    assert!(read(READS[0], 200, "text/xml", whole.as_bytes()).is_ok());
    for cut in 1..whole.len() {
        assert!(read(READS[0], 200, "text/xml", &whole.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
    let whole = b"\xa1\x6cMetricAlarms\x81\xa1\x69AlarmName\x61a";
    assert!(read("aws.cloudwatch.describe_alarms", 200, "application/cbor", whole).is_ok());
    for cut in 1..whole.len() {
        assert!(
            read("aws.cloudwatch.describe_alarms", 200, "application/cbor", &whole[..cut]).is_err(),
            "cut at {cut}"
        );
    }
    let whole = r#"{"Items":[{"id":{"S":"1"}}],"Count":1}"#;
    assert!(read("aws.dynamodb.scan", 200, "application/json", whole.as_bytes()).is_ok());
    for cut in 1..whole.len() {
        assert!(read("aws.dynamodb.scan", 200, "application/json", &whole.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn depth_does_not_reach_the_stack() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    for operation in READS {
        for body in [deep("<a>", "</a>"), deep("[", "]"), deep("{\"a\":", "}"), "\u{1}".repeat(100_000)] {
            for status in [200, 400, 500] {
                assert!(read(operation, status, "x", body.as_bytes()).is_err(), "{operation}");
            }
        }
        // CBOR: arrays and maps within each other, of known and unknown length.
        for byte in [0x81u8, 0x9f, 0xa1, 0xbf, 0xd9] {
            assert!(read(operation, 200, "application/cbor", &vec![byte; 100_000]).is_err(), "{operation} {byte:x}");
        }
    }
    // Where the shape itself is recursive, the reader's own limit holds.
    let nested = format!("{{\"Items\":[{{\"a\":{}{{\"S\":\"x\"}}{}}}]}}", "{\"L\":[".repeat(90), "]}".repeat(90));
    assert!(read("aws.dynamodb.scan", 200, "application/json", nested.as_bytes()).is_err());
}

#[test]
fn sensitive_members_are_secrets() {
    let body = br#"{"ARN":"a","Name":"n","SecretString":"hush","SecretBinary":"aHVzaA==","CreatedDate":1.5}"#;
    let value = read("aws.secretsmanager.get_secret_value", 200, "application/json", body).unwrap();
    let record = value.as_record().unwrap();
    assert_eq!(record.get("name"), Some(&Value::text("n")));
    assert!(matches!(record.get("created_date"), Some(Value::Instant(_))));
    for (name, length) in [("secret_string", 4), ("secret_binary", 4)] {
        let Some(Value::Secret(secret)) = record.get(name) else { panic!("{name} is a secret") };
        assert_eq!(secret.plain().map(|plain| plain.bytes().len()), Some(length));
    }
    assert!(!format!("{value:?}").contains("hush"));
}

#[test]
fn flattened_lists_stand_between_each_other() {
    let body = b"<ListBucketResult><Contents><Key>a</Key></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>\
        <Contents><Key>b</Key></Contents><Prefix>x</Prefix><CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes></ListBucketResult>";
    let value = read("aws.s3.list_objects_v2", 200, "application/xml", body).unwrap();
    let record = value.as_record().unwrap();
    let all = |list: &str, member: &str| {
        let items = record.get(list).and_then(Value::as_list).unwrap_or_default();
        let of = |v: &Value| v.as_record().and_then(|r| r.get(member)).and_then(Value::as_str).map(str::to_owned);
        items.iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(all("contents", "key"), ["a", "b"]);
    assert_eq!(all("common_prefixes", "prefix"), ["p/", "q/"]);
    assert_eq!(record.get("prefix"), Some(&Value::text("x")));
}

#[test]
fn absent_lists_are_empty_and_absent_scalars_absent() {
    let value = read(READS[0], 200, "text/xml", b"<DescribeInstancesResponse/>").unwrap();
    let record = value.as_record().unwrap();
    assert_eq!(record.get("reservations"), Some(&Value::list(vec![])));
    assert_eq!(record.get("next_token"), None);
    let item = b"<DescribeInstancesResponse><reservationSet><item><instancesSet><item/></instancesSet></item>\
        </reservationSet></DescribeInstancesResponse>";
    let text = format!("{:?}", read(READS[0], 200, "text/xml", item).unwrap());
    assert!(text.contains("\"tags\", Map({})"), "{text}");
}

#[test]
fn payloads_bear_the_name_of_their_member() {
    let rule = Value::record([("status", Value::text("Enabled")), ("id", Value::text("r"))]);
    let configuration = Value::record([("rules", Value::list(vec![rule]))]);
    let arguments = BTreeMap::from([
        ("bucket".to_owned(), Value::text("b")),
        ("lifecycle_configuration".to_owned(), configuration),
    ]);
    let plan = plan("aws.s3.put_bucket_lifecycle_configuration");
    let draft = request::draft(plan, &arguments, None, Quirks::default()).unwrap_or_else(|e| panic!("{e}"));
    let body = String::from_utf8_lossy(draft.http.body().bytes().unwrap()).into_owned();
    let start = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>";
    assert!(body.starts_with(start) && body.ends_with("</LifecycleConfiguration>"), "{body}");
}

#[test]
fn tokens_fit_their_member() {
    let arguments = BTreeMap::from([("image_id".to_owned(), Value::text("ami-1"))]);
    let plan = plan("aws.ec2.run_instances");
    let long = "x".repeat(500);
    let draft = request::draft(plan, &arguments, Some(&long), Quirks::default()).unwrap_or_else(|e| panic!("{e}"));
    let body = String::from_utf8_lossy(draft.http.body().bytes().unwrap()).into_owned();
    let sent = body.split("ClientToken=").nth(1).unwrap().split('&').next().unwrap().len();
    assert!((1..=500).contains(&sent) && body.contains("Action=RunInstances"));
}

/// A server that reads a request, does this, and hangs up.
fn serve(act: impl FnOnce(&mut std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        if let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 4096]);
            act(&mut stream);
        }
    });
    url
}

fn send(url: &str) -> Result<Response, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut request = aws_smithy_runtime_api::http::Request::new(SdkBody::from("a=b"));
        request.set_method("POST").unwrap();
        request.set_uri(url).unwrap();
        let http = Http::default();
        tokio::time::timeout(Duration::from_secs(20), http.send(request)).await.unwrap()
    })
}

#[test]
fn failures_say_how_far_they_got() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let failed = send(&closed).unwrap_err();
    assert!(!failed.reached && failed.message.contains("refused"), "{failed:?}");
    let failed = send("http://no-such-host.invalid/").unwrap_err();
    assert!(!failed.reached, "{failed:?}");
    // No TLS is spoken there, so nothing was sent.
    let deaf = serve(|stream| drop(stream.write_all(b"nonsense"))).replace("http:", "https:");
    let failed = send(&deaf).unwrap_err();
    assert!(!failed.reached, "{failed:?}");

    let failed = send(&serve(|_| ())).unwrap_err();
    assert!(failed.reached, "{failed:?}");
    let failed =
        send(&serve(|stream| drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")))).unwrap_err();
    assert!(failed.reached, "{failed:?}");
    let failed = send(&serve(|stream| drop(stream.write_all(b"HTTP/1.1 2xx what\r\n\r\n")))).unwrap_err();
    assert!(failed.reached, "{failed:?}");
    let endless = serve(|stream| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n";
        let chunk = vec![b'x'; 1 << 20];
        let _ = stream.write_all(head);
        while stream.write_all(&chunk).is_ok() {}
    });
    let failed = send(&endless).unwrap_err();
    assert!(failed.reached && failed.message.contains("larger"), "{failed:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes, it comes back as a value or an error.
    #[test]
    fn noise_never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), status in 200u16..600, which in 0usize..7) {
        let _ = read(READS[which], status, "application/x", &body);
    }

    /// Good answers with a byte changed here and there.
    #[test]
    fn damage_never_panics(at in 0usize..250, byte in any::<u8>(), cut in 0usize..250, which in 0usize..4) {
        let (operation, body): (&str, &[u8]) = [
            ("aws.ec2.describe_instances", &b"<DescribeInstancesResponse xmlns=\"u\"><reservationSet><item><instancesSet><item><launchTime>2026-01-01T00:00:00Z</launchTime><tagSet><item><key>a</key><value>&lt;b&gt;</value></item></tagSet></item></instancesSet></item></reservationSet></DescribeInstancesResponse>"[..]),
            ("aws.dynamodb.scan", &b"{\"Items\":[{\"id\":{\"B\":\"aGk=\"},\"n\":{\"N\":\"1\"}}],\"Count\":1,\"LastEvaluatedKey\":{\"id\":{\"S\":\"\\u00e4\"}}}"[..]),
            ("aws.iam.list_users", &b"<ListUsersResponse><ListUsersResult><Users><member><UserName>a</UserName></member></Users><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>"[..]),
            ("aws.cloudwatch.describe_alarms", &b"\xa1\x6cMetricAlarms\x9f\xa2\x69AlarmName\x61a\x69Threshold\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00\xff"[..]),
        ][which];
        let mut body = body.to_vec();
        let at = at % body.len();
        body[at] = byte;
        let _ = read(operation, 200, "application/x", &body);
        body.truncate(body.len().saturating_sub(cut));
        let _ = read(operation, 200, "application/x", &body);
        let _ = read(operation, 400, "application/x", &body);
    }
}
