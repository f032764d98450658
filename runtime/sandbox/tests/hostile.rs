//! What strangers send: after each of it the server still answers.

mod client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use client::{Lab, form, request};
use escher_sandbox::{Options, Seed, World, serve};

fn lab() -> Lab {
    let options = Options {
        head_timeout: Duration::from_millis(400),
        body_timeout: Duration::from_millis(400),
        max_body: 100_000,
        ..Options::default()
    };
    Lab::start(Seed::default(), options)
}

fn alive(lab: &Lab) {
    assert_eq!(lab.get("/_sandbox/health").status, 200);
}

#[test]
fn forms_that_are_none() {
    let lab = lab();
    let start = "Action=DescribeInstances&Version=2016-11-15";
    let deep = format!("{start}&{}=1", vec!["Filter.1"; 5_000].join("."));
    let many = format!("{start}{}", "&a=".repeat(25_000));
    let stars = format!("{start}&Filter.1.Name=tag:Name&Filter.1.Value.1={}", "*a".repeat(5_000));
    for (body, code) in [
        (format!("{start}&Filter.999999999.Name=tag:env&Filter.999999999.Value.4294967295=dev"), None),
        (format!("{start}&Filter.99999999999999999999999.Name=x"), Some("UnknownParameter")),
        (format!("{start}&Filter.1.Name=tag:env&Filter.1.Name=tag:env"), Some("MalformedQueryString")),
        (format!("{start}&MaxResults=99999999999999999999"), Some("InvalidParameterValue")),
        (format!("{start}&NextToken=../../etc/passwd"), Some("InvalidParameterValue")),
        (format!("{start}&InstanceId.1=%00%00"), Some("InvalidInstanceID.Malformed")),
        (format!("{start}&x=%"), Some("MalformedQueryString")),
        (format!("{start}&.=1"), Some("UnknownParameter")),
        (format!("{start}&Filter=1"), Some("InvalidParameterValue")),
        ("\u{0}&&&===".to_owned(), Some("MissingAction")),
        (deep, Some("MalformedQueryString")),
        (many, Some("MalformedQueryString")),
        (stars, Some("InvalidParameterValue")),
    ] {
        let answer = lab.ec2(&body);
        assert_eq!(answer.all("Code").first().map(String::as_str), code, "{}", body.get(..100).unwrap_or(&body));
    }
    alive(&lab);
}

#[test]
fn requests_that_are_none() {
    let lab = lab();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
        b"DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /_sandbox/../state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: \xff\xfe\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b"GET /_sandbox/activity?since=x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ] {
        let answer = lab.try_raw(bytes).unwrap_or_default();
        assert!(!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 5"), "{answer}");
        alive(&lab);
    }
    let huge = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(200_000));
    let answer = lab.try_raw(huge.as_bytes()).unwrap_or_default();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    alive(&lab);
}

#[test]
fn only_who_means_loopback_is_served() {
    let lab = lab();
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:7000", 200),
        ("[::1]:7000", 200),
        ("123.localhost", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:80", 403),
        ("", 403),
    ] {
        let text = lab.raw(&format!("GET /_sandbox/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {text}");
    }
    let page = "POST /_sandbox/reset HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert!(lab.raw(page).starts_with("HTTP/1.1 403"));
}

#[test]
fn bodies_that_are_too_long() {
    let lab = lab();
    let announced = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nabc";
    assert!(lab.raw(announced).starts_with("HTTP/1.1 413"));
    let chunk = format!("2710\r\n{}\r\n", "a".repeat(10_000));
    let chunked =
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(11));
    let answer = lab.try_raw(chunked.as_bytes()).unwrap_or_default();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    alive(&lab);
}

#[test]
fn requests_that_never_end_are_ended() {
    let lab = lab();
    let whole = request("AKIA", "ec2", "us-east-1", &form("DescribeRegions", &[]));
    for part in ["", "POST / HT", "POST / HTTP/1.1\r\nHost: localhost\r\nX-", whole.get(..whole.len() - 3).unwrap()] {
        let from = Instant::now();
        let mut stream = TcpStream::connect(lab.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(part.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(!answer.contains(" 200 ") && from.elapsed() < Duration::from_secs(3), "{part:?}: {answer}");
    }
    alive(&lab);
}

#[test]
fn a_crowd_waits_its_turn() {
    let options = Options { max_connections: 4, head_timeout: Duration::from_millis(300), ..Options::default() };
    let lab = Lab::start(Seed::default(), options);
    let idle: Vec<_> = (0..20).map(|_| TcpStream::connect(lab.address).unwrap()).collect();
    alive(&lab);
    drop(idle);
}

#[test]
fn one_connection_carries_many_requests() {
    let lab = lab();
    let mut stream = TcpStream::connect(lab.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let open = request("AKIA", "ec2", "us-east-1", &form("DescribeRegions", &[])).replace("Connection: close\r\n", "");
    for _ in 0..20 {
        stream.write_all(open.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut buffer = [0u8; 4096];
        while !answer.ends_with(b"</DescribeRegionsResponse>") {
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0);
            answer.extend_from_slice(buffer.get(..read).unwrap());
        }
    }
}

#[test]
fn listens_on_loopback_only() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        let world = World::from_seed(&Seed::empty()).unwrap();
        let error = serve(listener, world, std::future::pending::<()>()).await.unwrap_err();
        assert!(error.to_string().contains("loopback only"), "{error}");
    });
}
