//! How long questions take with so many containers: one caller on a kept connection for the latency, `wrk` with 16
//! connections on one thread for requests a second, beside the daemon on the same processors. Beside it, at 100, how long
//! each contender takes to list its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::batch::millis;
use crate::contenders::{Contender, OURS};
use crate::{Bench, host};

const SECTION: &str = "ask";

pub(crate) fn measure(bench: &mut Bench, size: usize, rounds: usize) {
    let container = format!("/containers/{}", bench.ours.account().id(0));
    let paths = [("/state", "/state"), ("GET container", &container)];
    let requests = if size > 100 { 300 } else { 1000 };
    for _ in 0..rounds {
        for (name, path) in paths {
            eprintln!("ask: {name} of {size}");
            let http = bench.ours.http();
            let ask = || {
                let begun = Instant::now();
                http.send("GET", path, "").expect("it is answered");
                millis(begun.elapsed())
            };
            // The connection is made by the first.
            ask();
            let times: Vec<_> = (0..requests).map(|_| ask()).collect();
            bench.results.samples(SECTION, &format!("{name} at {size}"), OURS, "ms", &times);
            if let Some(rate) = wrk(&format!("{}{path}", bench.ours.base)) {
                bench.results.round(SECTION, &format!("{name}, wrk, at {size}"), OURS, "/s", rate);
            }
        }
    }
}

/// What it costs to find out who calls: of a connection, its first answer less its second. Whose the socket is has been asked
/// before, when the connection was taken.
pub(crate) fn who_calls(bench: &mut Bench) {
    const ASKED: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let at = bench.ours.base.trim_start_matches("http://").to_owned();
    let costs: Vec<f64> = (0..500)
        .map(|_| {
            let mut stream = TcpStream::connect(&at).expect("it is taken");
            std::thread::sleep(Duration::from_millis(2));
            let mut ask = || {
                let begun = Instant::now();
                stream.write_all(ASKED).expect("it is asked");
                let length = stream.read(&mut [0; 4096]).expect("it is answered");
                assert!(length > 0, "it is answered");
                1000.0 * millis(begun.elapsed())
            };
            let first = ask();
            first - ask()
        })
        .collect();
    bench.results.samples(SECTION, "who calls, a connection", OURS, "us", &costs);
}

/// All contenders in turns, of a hundred.
pub(crate) fn list(bench: &mut Bench, rounds: usize) {
    for _ in 0..rounds {
        let mut listed = Vec::new();
        for contender in bench.contenders() {
            let mut session = contender.session();
            session.list().expect("it lists them");
            let begun = Instant::now();
            session.list().expect("it lists them");
            listed.push((contender.who(), millis(begun.elapsed())));
        }
        for (who, took) in listed {
            bench.results.samples(SECTION, "list at 100", who, "ms", &[took]);
        }
    }
}

/// Requests a second, if it is installed.
fn wrk(url: &str) -> Option<f64> {
    host::find("wrk")?;
    let output = Command::new("wrk").args(["-t1", "-c16", "-d3s", url]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Non-2xx"), "{url}: {text}");
    let rate = text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    Some(
        rate.and_then(|rate| rate.trim().parse().ok()).unwrap_or_else(|| panic!("wrk of {url} says: {text}")),
    )
}
