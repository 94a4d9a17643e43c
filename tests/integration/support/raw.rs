//! HTTP as bytes: for requests that a client library would mend, and for callers that hang up.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use super::client::{Answer, Client};

pub(crate) fn connect(client: &Client) -> TcpStream {
    let stream = TcpStream::connect(client.base.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

pub(crate) fn head(method: &str, target: &str, length: usize) -> String {
    head_with(method, target, "Host: localhost", length)
}

fn head_with(method: &str, target: &str, headers: &str, length: usize) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\n{headers}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Sends the target as it is, `..` and all, and holds the answer to the contract.
#[track_caller]
pub(crate) fn send(client: &Client, method: &str, target: &str, body: &str) -> Answer {
    send_with(client, method, target, "Accept: */*", body)
}

/// The same, with a header.
#[track_caller]
pub(crate) fn send_with(client: &Client, method: &str, target: &str, header: &str, body: &str) -> Answer {
    let mut stream = connect(client);
    let head = head_with(method, target, &format!("Host: localhost\r\n{header}"), body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {target}: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let answer = Answer { status, headers, body: body.to_owned() };
    let media = answer.headers.get("content-type").map(|media| media.to_str().unwrap());
    client.contract.check(method, target, status, media, &answer.body);
    answer
}

/// A connection of which the daemon knows already whose it is: one that is closed before that is nobody's.
pub(crate) fn let_in(client: &Client) -> TcpStream {
    let mut stream = connect(client);
    stream.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    stream
}

/// Sends the whole request and hangs up at once, without waiting for the answer.
pub(crate) fn send_and_hang_up(mut stream: TcpStream, method: &str, target: &str, body: &str) {
    stream.write_all(format!("{}{body}", head(method, target, body.len())).as_bytes()).unwrap();
}

/// Promises a body of this length, sends less, and says that no more will come; waits for the end.
pub(crate) fn break_off(client: &Client, method: &str, target: &str, length: usize, body: &str) {
    let mut stream = connect(client);
    stream.write_all(format!("{}{body}", head(method, target, length)).as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}
