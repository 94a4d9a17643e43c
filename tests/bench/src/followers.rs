//! Events to 100 followers, each with a connection and a thread of its own: how long after it has happened (its own `time`)
//! an event is with each of them; what the daemon uses for a delivery; and how fast all that was is told to 100 at once.

use std::io::{BufRead, BufReader};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::Bench;
use crate::batch::{count, length, millis};
use crate::contenders::{Contender, OURS};
use crate::cpu;

const SECTION: &str = "events";
const FOLLOWERS: usize = 100;

pub(crate) fn measure(bench: &mut Bench) {
    let turns = if bench.quick { 10 } else { 50 };
    let id = bench.ours.account().id("followed");
    let mut session = bench.ours.session();
    session.start(&id).expect("it starts");
    let alone = toggled(bench, &id, turns);
    let (lags, beside) = followed(bench, &id, turns);
    eprintln!("events: {} deliveries", lags.len());
    bench.results.samples(SECTION, "event to each of 100 followers", OURS, "ms", &lags);
    let micros = millis(beside.saturating_sub(alone)) * 1000.0 / count(lags.len());
    bench.results.round(SECTION, "daemon's processor time a delivery", OURS, "us", micros);
    for _ in 0..3 {
        bench.results.round(SECTION, "past events to 100 at once", OURS, "/s", replayed(bench));
    }
    session.delete(&id).expect("it is deleted");
}

/// Two events a turn; what the daemon has used for them.
fn toggled(bench: &Bench, id: &str, turns: usize) -> Duration {
    let http = bench.ours.http();
    let before = cpu::of_process(bench.ours.pid());
    for _ in 0..turns {
        for status in ["paused", "running"] {
            let body = format!(r#"{{"status":"{status}"}}"#);
            http.send("PATCH", &format!("/containers/{id}"), &body).expect("it is paused and resumed");
        }
    }
    std::thread::sleep(Duration::from_millis(100));
    cpu::of_process(bench.ours.pid()).saturating_sub(before)
}

fn followed(bench: &Bench, id: &str, turns: usize) -> (Vec<f64>, Duration) {
    let lags = Mutex::new(Vec::new());
    let ready = Barrier::new(FOLLOWERS + 1);
    let spent = std::thread::scope(|scope| {
        for _ in 0..FOLLOWERS {
            scope.spawn(|| {
                let body = bench.ours.http().open(&format!("/events?id={id}")).expect("events are told");
                ready.wait();
                let own = follow(BufReader::new(body), 2 * turns);
                lags.lock().expect("no follower panics while it holds it").extend(own);
            });
        }
        ready.wait();
        toggled(bench, id, turns)
    });
    (lags.into_inner().expect("no follower panics while it holds it"), spent)
}

/// So many events; how late each was.
fn follow(body: impl BufRead, events: usize) -> Vec<f64> {
    let late = |line: std::io::Result<String>| {
        let now = Timestamp::now();
        let event: Value = serde_json::from_str(&line.expect("events come")).expect("an event is JSON");
        let time: Timestamp =
            event["time"].as_str().and_then(|time| time.parse().ok()).expect("an event has a time");
        millis(Duration::try_from(now.duration_since(time)).unwrap_or_default())
    };
    body.lines()
        .filter(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .take(events)
        .map(late)
        .collect()
}

/// Lines a second, to all together.
fn replayed(bench: &Bench) -> f64 {
    let ready = Barrier::new(FOLLOWERS);
    let seen = Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..FOLLOWERS {
            scope.spawn(|| {
                let http = bench.ours.http();
                ready.wait();
                let from = Instant::now();
                let body = http.open("/events?since=0&follow=false").expect("events are told");
                let told = BufReader::new(body).lines().count();
                let mut seen = seen.lock().expect("no reader panics while it holds it");
                seen.0 += told;
                seen.1.push((from, Instant::now()));
            });
        }
    });
    let (lines, spans) = seen.into_inner().expect("no reader panics while it holds it");
    count(lines) / length(&spans).as_secs_f64()
}
