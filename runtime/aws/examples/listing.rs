//! What it costs to list 100,000 instances: `cargo run --release -p escher-aws --example listing`.
//!
//! A server on loopback sends 100 pages of 1,000 instances that were rendered before; the client reads them page by page and
//! keeps three members of each. Beside it a bare pass of quick-xml over the same bytes. Each is a process of its own, so that
//! neither memory nor time of one is counted as another's.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement: it prints its figures and stops at the first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use escher_aws::{Client, Options};
use escher_catalog::Catalog;
use escher_ir::Target;
use escher_ir::program::Projection;
use escher_provider::{Read, Request};

const PAGES: usize = 100;
const PER_PAGE: usize = 1_000;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve(),
        Some("floor") => floor(),
        Some("client") => client(&std::env::args().nth(2).unwrap()),
        _ => both(),
    }
}

/// Runs the three as processes.
fn both() {
    let program = std::env::current_exe().unwrap();
    let mut server = Command::new(&program).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let figures = |arguments: &[&str]| {
        let output = Command::new(&program).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut words = text.split_whitespace().map(|w| w.parse::<f64>().unwrap());
        (words.next().unwrap(), words.next().unwrap())
    };
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let (floor, _) = figures(&["floor"]);
        let (seconds, memory) = figures(&["client", url.trim()]);
        println!("client {seconds:.2} s of CPU, {memory:.0} MB; bare pass {floor:.2} s; ratio {:.2}", seconds / floor);
        ratios.push(seconds / floor);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!("median ratio {:.2} (limit 2)", ratios[2]);
    server.kill().unwrap();
    server.wait().unwrap();
}

/// One page as EC2 writes it; `{token}` stands for where the list goes on.
fn page() -> String {
    let mut xml = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?><DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>8f7724cf-496f-496e-8fe3-example</requestId><reservationSet>"#,
    );
    for n in 0..PER_PAGE {
        write!(
            xml,
            "<item><reservationId>r-{n:017x}</reservationId><ownerId>123456789012</ownerId><groupSet/><instancesSet><item>\
             <instanceId>i-{n:017x}</instanceId><imageId>ami-0abcdef1234567890</imageId><instanceState><code>16</code><name>running</name></instanceState>\
             <privateDnsName>ip-10-0-0-1.ec2.internal</privateDnsName><dnsName>ec2-1-2-3-4.compute.amazonaws.com</dnsName><reason/><amiLaunchIndex>0</amiLaunchIndex>\
             <productCodes/><instanceType>t3.micro</instanceType><launchTime>2026-01-01T00:00:00.000Z</launchTime><placement><availabilityZone>us-east-1a</availabilityZone><groupName/><tenancy>default</tenancy></placement>\
             <monitoring><state>disabled</state></monitoring><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId><privateIpAddress>10.0.0.1</privateIpAddress><ipAddress>1.2.3.4</ipAddress>\
             <sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>default</groupName></item></groupSet><architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName>\
             <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-{n:017x}</volumeId><status>attached</status><attachTime>2026-01-01T00:00:00.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>\
             <virtualizationType>hvm</virtualizationType><clientToken/><tagSet><item><key>Name</key><value>dev-{n}</value></item><item><key>env</key><value>dev</value></item></tagSet><hypervisor>xen</hypervisor><ebsOptimized>false</ebsOptimized><enaSupport>true</enaSupport>\
             </item></instancesSet></item>"
        )
        .unwrap();
    }
    xml.push_str("</reservationSet>{token}</DescribeInstancesResponse>");
    xml
}

fn serve() {
    let page = page();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    for stream in listener.incoming() {
        let mut stream = BufReader::new(stream.unwrap());
        loop {
            let (mut length, mut line) = (0, String::new());
            while stream.read_line(&mut line).unwrap_or(0) > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if length == 0 || stream.read_exact(&mut body).is_err() {
                break;
            }
            let body = String::from_utf8(body).unwrap();
            let asked =
                body.split('&').find_map(|p| p.strip_prefix("NextToken=page-")).map_or(0, |n| n.parse().unwrap());
            let next =
                if asked + 1 < PAGES { format!("<nextToken>page-{}</nextToken>", asked + 1) } else { String::new() };
            let text = page.replace("{token}", &next);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/xml;charset=UTF-8\r\nContent-Length: {}\r\n\r\n",
                text.len()
            );
            stream.get_mut().write_all(head.as_bytes()).unwrap();
            stream.get_mut().write_all(text.as_bytes()).unwrap();
        }
    }
}

fn floor() {
    let page = page();
    let before = cpu();
    let mut events = 0usize;
    for _ in 0..PAGES {
        let mut reader = quick_xml::Reader::from_reader(page.as_bytes());
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {
            events += 1;
        }
    }
    println!("{} {}", cpu() - before, memory());
    assert!(events > PAGES * PER_PAGE);
}

fn client(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = runtime.block_on(async {
        let client = Client::new(Options::practice(url));
        let members = |names: &[&str], below: Projection| {
            Projection::Members(names.iter().map(|n| ((*n).to_owned(), below.clone())).collect::<BTreeMap<_, _>>())
        };
        let mut instance =
            BTreeMap::from([("instance_id".to_owned(), Projection::default()), ("tags".to_owned(), Projection::All)]);
        instance.insert("state".into(), members(&["name"], Projection::default()));
        let reads = members(&["reservations"], members(&["instances"], Projection::Members(instance)));
        let request = Request {
            record: Catalog::embedded().record("aws.ec2.describe_instances").unwrap(),
            arguments: BTreeMap::new(),
            target: Arc::new(Target {
                cloud: "aws".into(),
                account: "123456789012".into(),
                region: "us-east-1".into(),
                endpoint: Some(url.into()),
                ..Target::default()
            }),
            reads,
            token: None,
            timeout: Duration::from_secs(60),
            patience: Duration::ZERO,
            permit: Default::default(),
        };
        let (mut pages, mut all) = (client.read(request), 0);
        while let Some(page) = pages.next().await.unwrap() {
            let record = page.value.as_record().unwrap();
            all += record.get("reservations").unwrap().as_list().unwrap().len();
        }
        all
    });
    assert_eq!(all, PAGES * PER_PAGE);
    println!("{} {}", cpu(), memory());
}

/// Seconds of CPU of this process.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Greatest memory of this process, in megabytes.
fn memory() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().split(' ').next().unwrap().parse::<f64>().unwrap() / 1024.0
}
