//! The little HTTP that the lab's servers are asked with: one request, one connection, loopback only.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::Result;

/// An answer: status and body.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

/// Asks a server on loopback. HTTP/1.0, so that the body ends with the connection.
pub fn ask(port: u16, method: &str, path: &str, body: &str) -> Result<Answer> {
    send(port, method, path, "", body)
}

/// The same with a body that is said to be JSON.
pub fn ask_json(port: u16, method: &str, path: &str, body: &str) -> Result<Answer> {
    send(port, method, path, "Content-Type: application/json\r\n", body)
}

fn send(port: u16, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    )?;
    // Not every server ends the connection when it has answered.
    let (mut answer, mut chunk) = (Vec::new(), [0; 16 << 10]);
    while !is_whole(&answer) {
        match stream.read(&mut chunk)? {
            0 => break,
            read => answer.extend_from_slice(chunk.get(..read).unwrap_or_default()),
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the server's answer has no end of its head")?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or("the server's answer has no status")?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Ok(Answer { status, body })
}

/// Whether an answer is all there, as far as its head says how long it is.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

/// Puts the chunks together of a server that sends them to HTTP/1.0 all the same.
fn unchunked(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        let Some((chunk, next)) = after.split_at_checked(size).filter(|_| size > 0) else { break };
        whole.push_str(chunk);
        rest = next.strip_prefix("\r\n").unwrap_or(next);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_length_is_there() {
        assert!(is_whole(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
        assert!(!is_whole(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{"));
        assert!(!is_whole(b"HTTP/1.0 200 OK\r\n\r\n{}"));
    }

    #[test]
    fn chunks_come_together() {
        assert_eq!(unchunked("4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n"), "{\"a\":1}");
        assert_eq!(unchunked(""), "");
    }
}
