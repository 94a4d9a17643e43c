//! The clock is set back a day: order is by cursors and by the monotonic clock, and nothing is told twice or lost.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten();
    let mut found = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    found.find(|path| path.exists()).expect("libfaketime is missing: run scripts/prerequisites test")
}

fn events(daemon: &Daemon, query: &str) -> Vec<Value> {
    let body = daemon.client.get(&format!("/events?follow=false&{query}")).expect(200).body;
    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn with_the_clock_set_back_events_keep_their_order_waits_their_length_and_nothing_is_lost() {
    let mut daemon = Daemon::start();
    let bundle = Bundle::script("trap 'exit 6' TERM; echo up; while :; do sleep 0.02; done");
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    daemon.start_container(&a, &bundle.start()).expect(201);
    eventually("it is up", || daemon.output(&a).contains("up"));
    let before = events(&daemon, "since=0");
    let last = before.last().unwrap()["cursor"].as_u64().unwrap();

    let library = library();
    daemon.set_env(&[
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME", "-1d"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]);
    let pid = daemon.init_pid(&a);
    let daemon = daemon.crash_and_restart_after(|| {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
        eventually("it has ended", || !std::path::Path::new(&format!("/proc/{pid}")).exists());
    });
    assert_eq!(daemon.container(&a)["state"]["exitStatus"], json!(6));
    daemon.start_container(&b, &bundle.start()).expect(201);
    let created = daemon.container(&b)["createdAt"].as_str().unwrap().to_owned();
    assert!(created.as_str() < before[0]["time"].as_str().unwrap(), "the clock is not set back: {created}");
    eventually("it is up", || daemon.output(&b).contains("up"));
    // Times that are waited are as long as ever.
    let asked = std::time::Instant::now();
    daemon.client.get(&format!("/containers/{b}/wait?timeout=1")).expect(200);
    assert!((1..10).contains(&asked.elapsed().as_secs()), "{:?}", asked.elapsed());
    daemon.client.post(&format!("/containers/{b}/stop"), &json!({ "timeout": 20 })).expect(200);
    assert_eq!(daemon.container(&b)["state"]["exitStatus"], json!(6));

    let daemon = daemon.crash_and_restart_after(|| {});
    let told: Vec<(u64, String, String)> = events(&daemon, &format!("since={last}"))
        .iter()
        .map(|event| {
            let word = |field: &str| event[field].as_str().unwrap().to_owned();
            (event["cursor"].as_u64().unwrap(), word("id"), word("type"))
        })
        .collect();
    let want = [(&a, "exit"), (&b, "created"), (&b, "start"), (&b, "exit")];
    let want =
        want.iter().zip(last + 1..).map(|((id, kind), cursor)| (cursor, (*id).clone(), (*kind).to_owned()));
    assert_eq!(told, want.collect::<Vec<_>>(), "each once, in order");
    daemon.clean_up();
}
