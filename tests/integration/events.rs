//! What happened, in one order, without loss or repeat.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

fn all(daemon: &Daemon, query: &str) -> Vec<Value> {
    let body = daemon.client.get(&format!("/events?follow=false&{query}")).expect(200).body;
    body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn every_transition_is_told_in_order_to_those_who_follow_and_to_those_who_ask_later() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    let follower = daemon.client.stream(&format!("/events?id={id}"));
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.put(&format!("{path}/process"), &json!({ "args": ["sh", "-c", "exit 6"] })).expect(200);
    eventually("it has ended", || daemon.container(&id)["processes"].as_array().unwrap().len() == 1);
    daemon.client.patch(&path, &json!({ "status": "paused" })).expect(200);
    daemon.client.patch(&path, &json!({ "status": "running" })).expect(200);
    daemon.client.post(&format!("{path}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.client.delete(&format!("{path}?force=true")).expect(204);

    let expected = [
        "created",
        "start",
        "exec",
        "exit",
        "pause",
        "resume",
        "exit",
        "checkpoint",
        "restore",
        "exit",
        "delete",
    ];
    let mut lines = BufReader::new(follower).lines();
    let told: Vec<Value> =
        (0..expected.len()).map(|_| serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()).collect();
    assert_eq!(types(&told), expected);
    assert_eq!((&told[3]["status"], &told[3]["pid"]), (&json!(6), &told[2]["pid"]));
    assert_eq!((&told[6]["status"], told[6].get("pid")), (&json!(137), None));
    eventually("they are kept", || all(&daemon, &format!("since=0&id={id}")) == told);
    assert_eq!(types(&all(&daemon, &format!("since=0&id={id}&type=exit"))), ["exit"; 3]);
    let after = told[8]["cursor"].as_u64().unwrap();
    assert_eq!(all(&daemon, &format!("since={after}&id={id}")), told[9..]);
    daemon.assert_nothing_left();
}

#[test]
fn events_go_on_across_a_crash_with_what_happened_meanwhile_and_nothing_twice() {
    let mut daemon = Daemon::start();
    let bundle = Bundle::script("while ! test -e /tmp/end; do sleep 0.01; done; exit 3").with_shared();
    let sleeper = Bundle::sleeper();
    let (dies, lives) = (daemon.name("dies"), daemon.name("lives"));
    daemon.start_container(&dies, &bundle.start()).expect(201);
    daemon.start_container(&lives, &sleeper.start()).expect(201);
    eventually("both are told", || all(&daemon, "since=0").len() == 4);
    let before = all(&daemon, "since=0");
    let pid = daemon.init_pid(&dies);
    daemon = daemon.crash_and_restart_after(|| {
        std::fs::write(bundle.shared().join("end"), "").unwrap();
        eventually("it ends", || !std::path::Path::new(&format!("/proc/{pid}")).exists());
    });
    for _ in 0..2 {
        eventually("the end is told", || all(&daemon, "since=0").len() == 5);
        let told = all(&daemon, "since=0");
        assert_eq!(told[..4], before);
        assert_eq!(
            (&told[4]["type"], &told[4]["id"], &told[4]["status"]),
            (&json!("exit"), &json!(dies), &json!(3))
        );
        let cursors: Vec<u64> = told.iter().map(|event| event["cursor"].as_u64().unwrap()).collect();
        assert_eq!(cursors, [1, 2, 3, 4, 5]);
        daemon = daemon.crash_and_restart_after(|| {});
    }
    daemon.clean_up();
}

#[test]
fn a_browser_gets_server_sent_events_and_resumes_by_their_id() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it is told", || all(&daemon, "since=0").len() == 2);
    let body = daemon.client.get_as("/events?follow=false&since=0", "text/event-stream").expect(200).body;
    let lines: Vec<&str> = body.lines().collect();
    assert_eq!(lines[..2], ["id: 1", "event: created"]);
    let event: Value = serde_json::from_str(lines[2].strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(event["id"], json!(id));
    assert!(body.ends_with("\n\n"));
    for (query, pointer) in [
        ("since=-1", "since"),
        ("since=9223372036854775808", "since"),
        ("id=..", "id"),
        ("type=nothing", "type"),
        ("follow=maybe", "follow"),
        ("x=1", "x"),
    ] {
        let problem = daemon.client.get(&format!("/events?{query}")).problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["location"], format!("/query/{pointer}"));
    }
    for wrong in ["abc", "-1", "9223372036854775808"] {
        let answer = daemon.client.get_with("/events?follow=false&since=0", &[("last-event-id", wrong)]);
        let problem = answer.problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["location"], "/header/Last-Event-ID");
    }
    daemon.clean_up();
}

/// Told when it happens, whoever was killed: here a child that nobody added, and then a process that was.
#[test]
fn that_the_kernel_killed_for_want_of_memory_is_told_at_once_and_once() {
    // One process: of several that are greedy together the kernel may kill more than one.
    let greedy = "exec dd if=/dev/zero of=/dev/null bs=64M";
    let bundle = Bundle::script(&format!("sh -c '{greedy}'; while :; do sleep 0.05; done"))
        .with(|config| config["linux"]["resources"]["memory"] = json!({ "limit": 16 * 1024 * 1024 }));
    let mut daemon = Daemon::start();
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    let told = |daemon: &Daemon| all(daemon, &format!("since=0&id={id}"));
    let count = |daemon: &Daemon| types(&told(daemon)).iter().filter(|kind| **kind == "oom").count();
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it is told", || count(&daemon) == 1);
    assert_eq!(daemon.status(&id), "running");
    daemon = daemon.crash_and_restart_after(|| {});
    assert_eq!(types(&told(&daemon)), ["created", "start", "oom"]);

    let body = json!({ "args": ["sh", "-c", greedy] });
    let added = daemon.client.put(&format!("{path}/process"), &body).expect(200).json()["pid"].clone();
    daemon.client.get(&format!("{path}/process/{added}/wait?timeout=30")).expect(200);
    eventually("that too", || count(&daemon) == 2);
    daemon = daemon.crash_and_restart_after(|| {});
    daemon.client.post(&format!("{path}/stop"), &json!({ "timeout": 0 })).expect(200);
    let events = told(&daemon);
    // It may be killed before runc has said that it runs.
    let second = events.iter().rposition(|event| event["type"] == "oom").unwrap();
    assert!((3..=4).contains(&second), "{events:?}");
    let others: Vec<&str> = types(&events).into_iter().filter(|kind| *kind != "oom").collect();
    assert_eq!(others, ["created", "start", "exec", "exit", "exit"]);
    assert_eq!(types(&all(&daemon, &format!("since=0&id={id}&type=oom"))), ["oom"; 2]);
    assert_eq!(events[6]["oomKilled"], json!(true), "of init: any process of the container");
    daemon.clean_up();
}
