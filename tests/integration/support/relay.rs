//! What stands between a browser and the daemon: a forwarded port, and a proxy that serves it below a path.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use super::client::Client;

/// A port that leads to the daemon's, as `ssh -L` makes one: the `Host` of every request names the other port.
pub(crate) fn forward(client: &Client) -> String {
    relay(client, "")
}

/// A proxy that serves the daemon below this path and takes it away on the way. Gives the address with the path.
pub(crate) fn below(client: &Client, prefix: &'static str) -> String {
    relay(client, prefix)
}

/// Ends with the test's process.
fn relay(client: &Client, prefix: &'static str) -> String {
    let daemon = client.base.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}{prefix}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for browser in listener.incoming().flatten() {
            let daemon = daemon.clone();
            // Either side may hang up at any time.
            std::thread::spawn(move || drop(pass(browser, &daemon, prefix)));
        }
    });
    base
}

fn pass(mut browser: TcpStream, daemon: &str, prefix: &str) -> io::Result<()> {
    let mut upstream = TcpStream::connect(daemon)?;
    if !prefix.is_empty() {
        let Some(head) = without(prefix, &read_head(&mut browser)?) else {
            return browser
                .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        };
        upstream.write_all(head.as_bytes())?;
    }
    let (mut from, mut to) = (browser.try_clone()?, upstream.try_clone()?);
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    io::copy(&mut upstream, &mut browser)?;
    browser.shutdown(Shutdown::Both)
}

fn read_head(browser: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        browser.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The head as the daemon gets it; nothing, when the path is another. One request a connection, so that every head is
/// the first on its own.
fn without(prefix: &str, head: &str) -> Option<String> {
    let (line, headers) = head.split_once("\r\n")?;
    let (method, target) = line.split_once(' ')?;
    let target = target.strip_prefix(prefix).filter(|rest| rest.starts_with('/'))?;
    let headers: String = headers
        .split_inclusive("\r\n")
        .filter(|header| !header.to_ascii_lowercase().starts_with("connection:"))
        .collect();
    Some(format!("{method} {target}\r\nConnection: close\r\n{headers}"))
}
