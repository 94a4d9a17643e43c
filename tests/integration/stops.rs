//! A stop waits for its process to end politely, and nobody who has less patience waits for that.

use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::daemon::Daemon;
use crate::support::eventually;

/// Longer than any test waits.
const LONG: u64 = 600;

/// A container that says when it is asked to end, and does not.
fn deaf(daemon: &Daemon, name: &str) -> String {
    let bundle = Bundle::script("trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done");
    let id = daemon.name(name);
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it is deaf", || daemon.output(&id).contains("ready"));
    id
}

fn beside(daemon: &Daemon, method: &'static str, path: String, body: Value) -> JoinHandle<Answer> {
    let client = daemon.client.clone();
    std::thread::spawn(move || client.send(method, &path, Some(body.to_string().as_bytes())))
}

/// A stop that waits.
fn long_stop(daemon: &Daemon, id: &str) -> JoinHandle<Answer> {
    let stop = beside(daemon, "POST", format!("/containers/{id}/stop"), json!({ "timeout": LONG }));
    eventually("it is asked to end", || daemon.output(id).contains("asked"));
    stop
}

#[track_caller]
fn assert_killed(stop: JoinHandle<Answer>) {
    let state = stop.join().unwrap().expect(200).json()["state"].clone();
    assert_eq!((&state["status"], &state["exitSignal"]), (&json!("stopped"), &json!(9)), "{state}");
}

#[test]
fn a_kill_is_sent_while_a_stop_waits_and_what_came_before_it_waits_its_turn() {
    let daemon = Daemon::start();
    let id = deaf(&daemon, "a");
    let path = format!("/containers/{id}");
    let sleep = json!({ "args": ["sleep", "1000"] });
    let added = daemon.client.put(&format!("{path}/process"), &sleep).expect(200).json()["pid"].clone();
    let stop = long_stop(&daemon, &id);
    let exec = beside(&daemon, "PUT", format!("{path}/process"), sleep);
    // Of an added process: the stop goes on.
    daemon.client.post(&format!("{path}/process/{added}"), &json!({ "signal": 9 })).expect(200);
    let gone = || daemon.container(&id)["processes"].as_array().unwrap().len() == 1;
    eventually("the added one has ended", gone);
    assert_eq!(daemon.status(&id), "running");
    assert!(!stop.is_finished() && !exec.is_finished());
    daemon.client.patch(&path, &json!({ "signal": 9 })).expect(200);
    assert_killed(stop);
    exec.join().unwrap().problem(409, "wrong-state");
    daemon.clean_up();
}

#[test]
fn who_deletes_with_force_or_stops_with_less_patience_ends_the_wait_of_a_stop() {
    let daemon = Daemon::start();
    let id = deaf(&daemon, "a");
    let stop = long_stop(&daemon, &id);
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    assert_killed(stop);

    let id = deaf(&daemon, "b");
    let stop = long_stop(&daemon, &id);
    let longer = beside(&daemon, "POST", format!("/containers/{id}/stop"), json!({ "timeout": LONG }));
    assert_eq!(daemon.status(&id), "running");
    let shorter = daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 1 })).expect(200);
    assert_eq!(shorter.json()["state"]["exitSignal"], 9);
    assert_killed(stop);
    assert_killed(longer);
    daemon.clean_up();
}

#[test]
fn a_stop_that_a_daemon_died_over_is_cut_short_at_the_next_one() {
    let daemon = Daemon::start();
    let id = deaf(&daemon, "a");
    let (client, path) = (daemon.client.clone(), format!("/containers/{id}"));
    let stop = format!("{path}/stop");
    let cut_off = std::thread::spawn(move || client.try_post(&stop, &json!({ "timeout": LONG })));
    eventually("it is asked to end", || daemon.output(&id).contains("asked"));
    let daemon = daemon.crash_and_restart_after(|| {});
    assert_eq!(cut_off.join().unwrap(), None);
    assert_eq!(daemon.status(&id), "running");
    // Behind the stop that is carried on.
    let exec = beside(&daemon, "PUT", format!("{path}/process"), json!({ "args": ["true"] }));
    daemon.client.patch(&path, &json!({ "signal": 9 })).expect(200);
    daemon.await_status(&id, "stopped");
    exec.join().unwrap().problem(409, "wrong-state");
    daemon.clean_up();
}
