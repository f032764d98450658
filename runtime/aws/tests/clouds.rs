//! The client against moto and ministack: real requests, real answers, checked signatures.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod lab;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use escher_aws::{Client, Options};
use escher_catalog::Catalog;
use escher_ir::program::Projection;
use escher_ir::{Target, Value};
use escher_provider::{Answer, CallError, Change, ErrorKind, Polled, Read, Request, Sent};

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn request<'a>(
    operation: &str,
    target: &Arc<Target>,
    arguments: impl IntoIterator<Item = (&'a str, Value)>,
) -> Request {
    let record = Catalog::embedded().record(operation);
    Request {
        record: record.unwrap_or_else(|| panic!("{operation} is not in the catalogue")),
        arguments: arguments.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        target: Arc::clone(target),
        reads: Projection::All,
        token: None,
        timeout: Duration::from_secs(30),
        patience: Duration::ZERO,
        permit: Default::default(),
    }
}

async fn pages(client: &Client, request: Request) -> Result<Vec<Answer>, CallError> {
    let mut pages = client.read(request);
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.push(page);
    }
    Ok(all)
}

async fn target(client: &Client) -> Arc<Target> {
    Arc::new(client.resolve(Target { cloud: "aws".into(), ..Target::default() }).await.unwrap())
}

fn get<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |at, name| match at {
        Value::Record(record) => record.get(name).unwrap_or_else(|| panic!("no {name} in {record:?}")),
        Value::List(items) => &items[name.parse::<usize>().unwrap()],
        Value::Map(map) => &map[name],
        other => panic!("no {name} in {other:?}"),
    })
}

fn texts(values: &[&str]) -> Value {
    Value::list(values.iter().map(Value::text).collect())
}

async fn run_instances(client: &Client, target: &Arc<Target>, count: i64) -> Vec<String> {
    let tags = Value::map([("env", Value::text("dev")), ("Name", Value::text("öß <&>"))]);
    let specification = Value::record([("resource_type", Value::text("instance")), ("tags", tags)]);
    let mut call = request(
        "aws.ec2.run_instances",
        target,
        [
            ("image_id", Value::text("ami-12c6146b")),
            ("min_count", Value::Int(count)),
            ("max_count", Value::Int(count)),
            ("tag_specifications", Value::list(vec![specification])),
        ],
    );
    call.token = Some("11111111-2222-4333-8444-555555555555".into());
    let answer = client.change(call).await.unwrap();
    let instances = get(&answer.value, "instances").as_list().unwrap();
    instances.iter().map(|i| get(i, "instance_id").as_str().unwrap().to_owned()).collect()
}

async fn stop_and_start() {
    let client = Client::new(Options::default());
    let target = target(&client).await;
    assert_eq!(target.region, "eu-central-1");
    assert_eq!(target.account.len(), 12);
    assert!(target.endpoint.as_deref().is_some_and(|e| e.starts_with("http://127.0.0.1:")));

    let ids = run_instances(&client, &target, 3).await;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(ids.len(), 3);

    let read =
        pages(&client, request("aws.ec2.describe_instances", &target, [("instance_ids", texts(&ids))])).await.unwrap();
    let instance = get(&read[0].value, "reservations.0.instances.0");
    assert_eq!(instance.as_record().unwrap().shape.as_deref(), Some("aws.ec2.Instance"));
    assert_eq!(instance.as_record().unwrap().target.as_ref(), Some(&target));
    assert_eq!(get(instance, "state.name"), &Value::text("running"));
    assert_eq!(get(instance, "tags"), &Value::map([("env", Value::text("dev")), ("Name", Value::text("öß <&>"))]));
    assert!(matches!(get(instance, "launch_time"), Value::Instant(_)));
    assert!(read[0].server_time.is_some());

    let stopped =
        client.change(request("aws.ec2.stop_instances", &target, [("instance_ids", texts(&ids))])).await.unwrap();
    assert_eq!(get(&stopped.value, "stopping_instances").as_list().unwrap().len(), 3);
    let waiter = Catalog::embedded().waiter("aws.ec2.instance_stopped").unwrap();
    let ask = || request("aws.ec2.describe_instances", &target, [("instance_ids", texts(&ids))]);
    assert_eq!(client.poll(&waiter, ask()).await.unwrap(), Polled::Holds);
    let started =
        client.change(request("aws.ec2.start_instances", &target, [("instance_ids", texts(&ids))])).await.unwrap();
    assert_eq!(get(&started.value, "starting_instances").as_list().unwrap().len(), 3);
    assert_eq!(client.poll(&waiter, ask()).await.unwrap(), Polled::NotYet);

    // Only what is read is kept.
    let mut narrow = ask();
    let leaf = |name: &str, below: Projection| Projection::Members(BTreeMap::from([(name.to_owned(), below)]));
    narrow.reads = leaf("reservations", leaf("instances", leaf("instance_id", Projection::default())));
    let read = pages(&client, narrow).await.unwrap();
    let instance = get(&read[0].value, "reservations.0.instances.0").as_record().unwrap();
    assert_eq!(instance.members.len(), 1);

    let missing =
        client.change(request("aws.ec2.stop_instances", &target, [("instance_ids", texts(&["i-0123456789abcdef0"]))]));
    let missing = missing.await.unwrap_err();
    assert_eq!((missing.kind, missing.sent), (ErrorKind::Missing, Sent::Refused));
    assert_eq!(missing.code.as_deref(), Some("InvalidInstanceID.NotFound"));

    let refused = pages(&client, request("aws.ec2.stop_instances", &target, [])).await.unwrap_err();
    assert_eq!((refused.kind, refused.sent), (ErrorKind::Invalid, Sent::No));
    let strange =
        client.change(request("aws.ec2.stop_instances", &target, [("instances", texts(&ids))])).await.unwrap_err();
    assert_eq!((strange.kind, strange.sent), (ErrorKind::Invalid, Sent::No));
}

#[test]
#[ignore = "runs inside of `moto_*` and `ministack_*`"]
fn inside_ec2() {
    run(stop_and_start());
}

/// Protocols other than EC2's, as moto speaks them.
#[test]
#[ignore = "runs inside of `moto_*`"]
fn inside_others() {
    run(async {
        let client = Client::new(Options::default());
        let t = target(&client).await;
        // REST-XML, with a structure as the whole body, and tags.
        let place = Value::record([("location_constraint", Value::text("eu-central-1"))]);
        let bucket = || ("bucket", Value::text("escher-lab"));
        client
            .change(request("aws.s3.create_bucket", &t, [bucket(), ("create_bucket_configuration", place)]))
            .await
            .unwrap();
        let tags = Value::record([("tag_set", Value::map([("env", Value::text("dev"))]))]);
        client.change(request("aws.s3.put_bucket_tagging", &t, [bucket(), ("tagging", tags)])).await.unwrap();
        let read = pages(&client, request("aws.s3.get_bucket_tagging", &t, [bucket()])).await.unwrap();
        assert_eq!(get(&read[0].value, "tag_set"), &Value::map([("env", Value::text("dev"))]));
        for n in 0..5 {
            let body = Value::Bytes(Arc::from(format!("body {n}").as_bytes()));
            let key = Value::text(format!("a b/ü+{n}"));
            client.change(request("aws.s3.put_object", &t, [bucket(), ("key", key), ("body", body)])).await.unwrap();
        }
        let listed = pages(&client, request("aws.s3.list_objects_v2", &t, [bucket(), ("max_keys", Value::Int(2))]))
            .await
            .unwrap();
        assert_eq!(listed.len(), 3);
        assert_eq!(get(&listed[2].value, "contents.0.key"), &Value::text("a b/ü+4"));
        let got = pages(&client, request("aws.s3.get_object", &t, [bucket(), ("key", Value::text("a b/ü+3"))]))
            .await
            .unwrap();
        assert_eq!(get(&got[0].value, "body"), &Value::Bytes(Arc::from(&b"body 3"[..])));
        let none = pages(&client, request("aws.s3.get_bucket_policy", &t, [bucket()])).await.unwrap_err();
        assert_eq!((none.kind, none.code.as_deref()), (ErrorKind::Missing, Some("NoSuchBucketPolicy")));
        // JSON 1.0, with a token that has structure.
        let key =
            |n: &str, kind: &str| Value::record([("attribute_name", Value::text(n)), ("key_type", Value::text(kind))]);
        let attribute = Value::record([("attribute_name", Value::text("id")), ("attribute_type", Value::text("S"))]);
        let table = || ("table_name", Value::text("escher"));
        client
            .change(request(
                "aws.dynamodb.create_table",
                &t,
                [
                    table(),
                    ("key_schema", Value::list(vec![key("id", "HASH")])),
                    ("attribute_definitions", Value::list(vec![attribute])),
                    ("billing_mode", Value::text("PAY_PER_REQUEST")),
                ],
            ))
            .await
            .unwrap();
        for n in 0..3 {
            let item = Value::map([("id", Value::record([("s", Value::text(n.to_string()))]))]);
            client.change(request("aws.dynamodb.put_item", &t, [table(), ("item", item)])).await.unwrap();
        }
        let scanned =
            pages(&client, request("aws.dynamodb.scan", &t, [table(), ("limit", Value::Int(1))])).await.unwrap();
        let items: usize = scanned.iter().map(|p| get(&p.value, "items").as_list().unwrap().len()).sum();
        assert_eq!(items, 3);
        // JSON 1.1, REST-JSON, Query.
        let secret = [("name", Value::text("s")), ("secret_string", Value::text("hush"))];
        client.change(request("aws.secretsmanager.create_secret", &t, secret)).await.unwrap();
        let read =
            pages(&client, request("aws.secretsmanager.get_secret_value", &t, [("secret_id", Value::text("s"))]))
                .await
                .unwrap();
        let member = read[0].value.as_record().unwrap().get("secret_string").cloned();
        assert!(matches!(member, Some(Value::Secret(_))) && !format!("{read:?}").contains("hush"), "it stays a secret");
        let functions = pages(&client, request("aws.lambda.list_functions", &t, [])).await.unwrap();
        assert_eq!(get(&functions[0].value, "functions"), &Value::list(vec![]));
        let roles = pages(&client, request("aws.iam.list_users", &t, [])).await.unwrap();
        assert_eq!(get(&roles[0].value, "users"), &Value::list(vec![]));
        // What moto lacks answers 500 with a page of HTML.
        let lacking =
            pages(&client, request("aws.ec2.describe_aws_network_performance_metric_subscriptions", &t, [])).await;
        let lacking = lacking.unwrap_err();
        assert!(lacking.kind == ErrorKind::Unreachable && lacking.sent == Sent::Maybe, "{lacking:?}");
    });
}

/// With a signature that is wrong, moto refuses.
#[test]
#[ignore = "runs inside of `moto_refuses_strangers`"]
fn inside_signatures() {
    run(async {
        let client = Client::new(Options::default());
        let resolved = client.resolve(Target { cloud: "aws".into(), ..Target::default() }).await;
        let refused = resolved.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Denied, "{refused:?}");
        assert!(!format!("{refused:?}").contains("test-secret"));
    });
}

/// With the key of a user that moto knows, every signature is checked and right.
#[test]
#[ignore = "runs inside of `moto_accepts_its_users`"]
fn inside_signed() {
    run(async {
        let client = Client::new(Options::default());
        let t = target(&client).await;
        pages(&client, request("aws.ec2.describe_instances", &t, [])).await.unwrap();
        let bucket = || ("bucket", Value::text("signed"));
        let place = Value::record([("location_constraint", Value::text("eu-central-1"))]);
        client
            .change(request("aws.s3.create_bucket", &t, [bucket(), ("create_bucket_configuration", place)]))
            .await
            .unwrap();
        for key in ["plain", "a b/ü+&=?#%20", "a//b/../c"] {
            let body = Value::text("body");
            client
                .change(request("aws.s3.put_object", &t, [bucket(), ("key", Value::text(key)), ("body", body)]))
                .await
                .unwrap();
        }
        let arguments = [bucket(), ("prefix", Value::text("a b/ü+&=?#"))];
        let listed = pages(&client, request("aws.s3.list_objects_v2", &t, arguments)).await.unwrap();
        assert_eq!(get(&listed[0].value, "contents.0.key"), &Value::text("a b/ü+&=?#%20"));
        // Not REST-JSON: moto 5.2.5 refuses even boto3's signatures there.
        for operation in ["aws.dynamodb.list_tables", "aws.secretsmanager.list_secrets", "aws.iam.list_users"] {
            pages(&client, request(operation, &t, [])).await.unwrap();
        }
    });
}

/// A call without our client: it never shows the secrets that it is given.
fn raw(url: &str, action: &str) -> String {
    let host = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let credential = "AKIA/20260101/us-east-1/iam/aws4_request";
    let body = format!("Version=2010-05-08&{action}");
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
        Authorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0\r\n\
        Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn moto_accepts_its_users() {
    let Some(server) = lab::moto(3) else { return };
    raw(&server.url, "Action=CreateUser&UserName=u");
    let all = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C\
        %22Resource%22%3A%22*%22%7D%5D%7D";
    raw(&server.url, &format!("Action=PutUserPolicy&UserName=u&PolicyName=all&PolicyDocument={all}"));
    let key = raw(&server.url, "Action=CreateAccessKey&UserName=u");
    let part = |name: &str| key.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
    let (id, secret) = (part("AccessKeyId"), part("SecretAccessKey"));
    lab::inside("inside_signed", &server.url, &[("AWS_ACCESS_KEY_ID", &id), ("AWS_SECRET_ACCESS_KEY", &secret)]);
}

#[test]
fn moto_ec2() {
    if let Some(server) = lab::moto(100_000) {
        lab::inside("inside_ec2", &server.url, &[]);
    }
}

#[test]
fn moto_other_protocols() {
    if let Some(server) = lab::moto(100_000) {
        lab::inside("inside_others", &server.url, &[]);
    }
}

#[test]
fn moto_refuses_strangers() {
    if let Some(server) = lab::moto(0) {
        lab::inside("inside_signatures", &server.url, &[("AWS_SECRET_ACCESS_KEY", "test-secret")]);
    }
}

#[test]
fn ministack_ec2() {
    if let Some(server) = lab::ministack() {
        lab::inside("inside_ec2", &server.url, &[]);
    }
}

/// Cold start: the client, who it is, and one signed call.
#[test]
#[ignore = "runs inside of `measures_the_cold_start`"]
fn inside_cold_start() {
    let began = Instant::now();
    let client = Client::new(Options::default());
    let built = began.elapsed();
    run(async {
        let t = target(&client).await;
        let resolved = began.elapsed();
        pages(&client, request("aws.ec2.describe_instances", &t, [])).await.unwrap();
        eprintln!("cold start: built {built:?}, resolved {resolved:?}, first describe {:?}", began.elapsed());
    });
}

#[test]
fn measures_the_cold_start() {
    if let Some(server) = lab::ministack() {
        // Once to warm the server up.
        lab::inside("inside_cold_start", &server.url, &[]);
        lab::inside("inside_cold_start", &server.url, &[]);
    }
}
