//! Where the output of processes goes: terminals, the log, the caller's own files.

use std::fs;

use serde_json::json;

use crate::processes::{add, listed, output, started};
use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::events::Events;
use crate::support::eventually;

#[track_caller]
fn await_output(daemon: &Daemon, id: &str, line: &str) {
    eventually(&format!("{line:?} is in the log"), || output(daemon, id).iter().any(|one| one == line));
}

#[test]
fn a_process_with_a_terminal_has_one_and_its_output_is_logged() {
    let bundle = Bundle::sleeper();
    let (daemon, id) = started(&bundle);
    let script = "test -t 0 && test -t 1 && test -t 2 && stty -echo && echo it is; echo errors too >&2";
    let events = Events::follow(&daemon.client);
    let added = add(&daemon, &id, &json!({ "args": ["sh", "-c", script], "terminal": true }));
    assert_eq!(added["terminal"], true);
    let event = events.next("exit");
    assert_eq!((&event["pid"], &event["status"]), (&added["pid"], &json!(0)));
    // A terminal is one stream, and ends its lines in its own way.
    await_output(&daemon, &id, "stdout F it is\r");
    await_output(&daemon, &id, "stdout F errors too\r");
    let without =
        add(&daemon, &id, &json!({ "args": ["sh", "-c", "test -t 0 || test -t 1 || echo it is not"] }));
    assert_eq!(without["terminal"], false);
    await_output(&daemon, &id, "stdout F it is not");
    daemon.clean_up();
}

#[test]
fn an_init_process_with_a_terminal_has_one_too() {
    let bundle = Bundle::script("test -t 0 && test -t 1 && echo it is; sleep 1000")
        .with(|config| config["process"]["terminal"] = json!(true));
    let (daemon, id) = started(&bundle);
    assert_eq!(listed(&daemon, &id)[0]["terminal"], true);
    await_output(&daemon, &id, "stdout F it is\r");
    // It is asked for, never inherited.
    assert_eq!(add(&daemon, &id, &json!({ "args": ["sleep", "1001"] }))["terminal"], false);
    daemon.clean_up();
}

#[test]
fn the_output_of_every_process_is_logged_and_its_streams_are_told_apart() {
    let bundle = Bundle::script("echo init out; echo init err >&2; sleep 1000");
    let (daemon, id) = started(&bundle);
    add(
        &daemon,
        &id,
        &json!({ "args": ["sh", "-c", "echo added out; echo added err >&2; printf 'no end'"] }),
    );
    for line in [
        "stdout F init out",
        "stderr F init err",
        "stdout F added out",
        "stderr F added err",
        "stdout F no end",
    ] {
        await_output(&daemon, &id, line);
    }
    assert_eq!(output(&daemon, &id).len(), 5);
    let times: Vec<String> =
        daemon.output(&id).lines().map(|line| line.split_once(' ').unwrap().0.to_owned()).collect();
    assert!(
        times.iter().all(|time| time.len() == "2026-11-25T10:00:00.000000Z".len()) && times.is_sorted(),
        "{times:?}"
    );
    daemon.clean_up();
}

#[test]
fn the_output_of_a_process_that_ends_at_once_is_never_lost() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("echo out; echo err >&2");
    let id = daemon.name("a");
    for _ in 0..20 {
        daemon.start_container(&id, &bundle.start()).expect(201);
        daemon.await_status(&id, "stopped");
        let mut lines = output(&daemon, &id);
        lines.sort();
        assert_eq!(lines, ["stderr F err", "stdout F out"]);
    }
    daemon.clean_up();
}

#[test]
fn files_of_the_callers_get_the_output_of_the_init_process_too() {
    let daemon = Daemon::start();
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    fs::write(&out, "before\n").unwrap();
    let bundle = Bundle::script("echo to out; echo to err >&2; printf 'no end'");
    let id = daemon.name("a");
    let mut body = bundle.start();
    (body["stdout"], body["stderr"]) = (json!(out), json!(err));
    for run in 1..=2 {
        daemon.start_container(&id, &body).expect(201);
        daemon.await_status(&id, "stopped");
        assert_eq!(fs::read_to_string(&out).unwrap(), format!("before\n{}", "to out\nno end".repeat(run)));
        assert_eq!(fs::read_to_string(&err).unwrap(), "to err\n".repeat(run));
        assert!(output(&daemon, &id).contains(&"stdout F to out".to_owned()));
    }
    daemon.clean_up();
}
