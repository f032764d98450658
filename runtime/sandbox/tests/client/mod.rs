//! A server on a thread of its own, and a client that writes HTTP by hand: what the tests judge is every byte.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on ends")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use escher_sandbox::{Options, Seed, World, serve_with};
use tokio::sync::oneshot;

/// A practice cloud that runs.
pub(crate) struct Lab {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Lab {
    pub(crate) fn start(seed: Seed, options: Options) -> Lab {
        Lab::with_world(World::from_seed(&seed).unwrap(), options)
    }

    pub(crate) fn with_world(world: World, options: Options) -> Lab {
        let (stop, stopped) = oneshot::channel();
        let (tell, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve_with(listener, world, options, stopped).await.unwrap();
            });
        });
        Lab { address: address.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }

    pub(crate) fn ec2(&self, body: &str) -> Answer {
        self.signed("ec2", "us-east-1", body)
    }

    pub(crate) fn sts(&self, body: &str) -> Answer {
        self.signed("sts", "us-east-1", body)
    }

    pub(crate) fn signed(&self, service: &str, region: &str, body: &str) -> Answer {
        self.signed_by("AKIAPRACTICE", service, region, body)
    }

    pub(crate) fn signed_by(&self, key: &str, service: &str, region: &str, body: &str) -> Answer {
        Answer::parse(&self.raw(&request(key, service, region, body)))
    }

    /// An EC2 request that may end without an answer.
    pub(crate) fn try_ec2(&self, body: &str) -> std::io::Result<String> {
        self.try_raw(request("AKIAPRACTICE", "ec2", "us-east-1", body).as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        Answer::parse(&self.raw(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}");
        Answer::parse(&self.raw(&format!("{head}\r\n\r\n{body}")))
    }

    pub(crate) fn raw(&self, request: &str) -> String {
        self.try_raw(request.as_bytes()).unwrap()
    }

    /// Sends all, reads until the server closes or has been quiet for five seconds.
    pub(crate) fn try_raw(&self, request: &[u8]) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(request)?;
        // A request without `Connection: close` is answered, and then the connection stays open: say that all is said.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        // CBOR is no text; what the tests look at of it is.
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Waits for a state, as a playbook would.
    pub(crate) fn until(&self, id: &str, state: &str) {
        let from = Instant::now();
        loop {
            let answer = self.ec2(&form("DescribeInstances", &[("InstanceId.1", id)]));
            if answer.all("name").contains(&state.to_owned()) {
                return;
            }
            assert!(from.elapsed() < Duration::from_secs(10), "{id} is not {state}: {}", answer.body);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The whole text of a signed request; the signature is well formed and wrong.
pub(crate) fn request(key: &str, service: &str, region: &str, body: &str) -> String {
    let signature = "0123456789abcdef".repeat(4);
    format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nX-Amz-Date: 20260115T090000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={key}/20260115/{region}/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The form of an EC2 call.
pub(crate) fn form(action: &str, parameters: &[(&str, &str)]) -> String {
    let start = format!("Action={action}&Version=2016-11-15");
    parameters.iter().fold(start, |form, (name, value)| format!("{form}&{name}={value}"))
}

/// An answer, taken apart.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|l| l.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The texts of all elements of this name.
    pub(crate) fn all(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let parts = self.body.split(&open).skip(1);
        parts.filter_map(|p| p.split_once(&close)).map(|(text, _)| text.to_owned()).collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
