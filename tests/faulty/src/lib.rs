//! A server that misbehaves on demand: what no practice cloud and no emulator does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "only tests use it: they stop at the first surprise")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with one request. `{url}` in headers and bodies is the server's own address.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers: status, further headers (each with its line end), body.
    Answer(u16, &'static str, String),
    /// Hangs up without a word.
    HangUp,
    /// Says nothing for longer than anybody waits.
    Silence,
    /// Promises the whole body, and hangs up in the middle of it.
    Cut(u16, String),
    /// Sends the body a byte at a time, this far apart.
    Drip(Duration, String),
}

/// A server that does these things in turn, the last one for ever.
#[derive(Debug)]
pub struct Faulty {
    /// Where it listens.
    pub url: String,
    seen: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Faulty {
    /// How many requests came.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// The requests that came, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Starts a server that does these things in turn.
pub fn faulty(acts: Vec<Act>) -> Faulty {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (seen, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let server = Faulty { url: url.clone(), seen: Arc::clone(&seen), requests: Arc::clone(&requests) };
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let Some(request) = request_of(&mut stream) else { continue };
            let at = seen.fetch_add(1, Ordering::SeqCst).min(acts.len() - 1);
            requests.lock().unwrap().push(request);
            let (act, url) = (acts[at].clone(), url.clone());
            // A silent or slow one does not hold up those that come after it.
            std::thread::spawn(move || perform(&mut stream, act, &url));
        }
    });
    server
}

fn perform(stream: &mut TcpStream, act: Act, url: &str) {
    let head = |status: u16, headers: &str, length: usize| {
        format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")
    };
    let _ = match act {
        Act::Answer(status, headers, body) => {
            let (headers, body) = (headers.replace("{url}", url), body.replace("{url}", url));
            stream.write_all((head(status, &headers, body.len()) + &body).as_bytes())
        }
        Act::HangUp => Ok(()),
        Act::Silence => {
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        Act::Cut(status, body) => {
            stream.write_all((head(status, "", body.len()) + body.split_at(body.len() / 2).0).as_bytes())
        }
        Act::Drip(pause, body) => {
            let mut written = stream.write_all(head(200, "", body.len()).as_bytes());
            for byte in body.bytes() {
                std::thread::sleep(pause);
                written = written.and_then(|()| stream.write_all(&[byte]));
            }
            written
        }
    };
}

fn request_of(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.map_or(0, |l| l.parse().unwrap()) {
                return Some(text);
            }
        }
        match stream.read(&mut chunk) {
            Ok(n) if n > 0 => read.extend_from_slice(&chunk[..n]),
            _ => return None,
        }
    }
}
