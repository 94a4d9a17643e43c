//! Requests whose body is wrong by itself: broken JSON, wrong fields, signals that are none, too much of it. Each
//! is answered with a problem that points at the fault, and changes nothing.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::footprint::{Footprint, Refusal};
use crate::support::raw;

const MIB: usize = 1024 * 1024;

/// A daemon with one container that runs, so that a request has something to break.
pub(crate) fn with_container() -> (Daemon, Bundle, String) {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    (daemon, bundle, id)
}

fn malformed<'a>(situation: &'a str) -> Refusal<'a> {
    Refusal { situation, status: 400, kind: "malformed-request", at: None }
}

pub(crate) fn invalid<'a>(situation: &'a str, at: &'a str) -> Refusal<'a> {
    Refusal { situation, status: 422, kind: "invalid-request", at: Some(at) }
}

#[test]
fn a_body_that_is_not_json_is_pointed_at_by_the_byte() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    // The README of 2015 has it so, but for its missing quote.
    let readme: &[u8] =
        b"{\n    \"bundlePath\": \"/containers/redis\",\n    \"checkpoint: \"checkpoint-name\"\n    }";
    let at_name = readme.len() - b"checkpoint-name\"\n    }".len();
    // Of what ends too early, the last byte.
    let rows: [(&str, &[u8], usize); 11] = [
        ("a name twice", b"{\"a\": {\"b\": 1, \"b\": 2}}", 17),
        ("README's missing quote", readme, at_name),
        ("a word", b"redis", 0),
        ("blanks alone", b"   ", 2),
        ("a form, as curl's header says", b"bundlePath=/b", 0),
        ("single quotes", b"{'bundlePath': '/b'}", 1),
        ("a comma too many", b"{\"bundlePath\": \"/b\",}", 20),
        ("an end too early", b"{\"bundlePath\": \"/b\"", 18),
        ("a second value", b"{} {}", 3),
        ("not UTF-8", b"{\"bundlePath\": \"/\xff\"}", 17),
        ("deeper than anybody reads", &[b'['; 1000], 127),
    ];
    let free = format!("/containers/{}", daemon.name("free"));
    let taken = format!("/containers/{id}");
    for (situation, body, byte) in rows {
        for (method, path) in [
            ("POST", free.clone()),
            ("PATCH", taken.clone()),
            ("PUT", format!("{taken}/process")),
            ("POST", format!("{taken}/process/1")),
            ("POST", format!("{taken}/checkpoint/c")),
        ] {
            let row = Refusal { at: Some("/body"), ..malformed(situation) };
            let problem = footprint.refuses(&row, || daemon.client.send(method, &path, Some(body)));
            let words = problem["detail"].as_str().unwrap();
            assert!(words.ends_with(&format!("(byte {byte})")), "{situation}: {words}, not at {byte}");
        }
    }
    daemon.clean_up();
}

#[test]
fn an_empty_body_is_said_to_be_missing_where_one_is_needed() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let path = format!("/containers/{id}");
    for (method, path) in [
        ("POST", format!("/containers/{}", daemon.name("free"))),
        ("PATCH", path.clone()),
        ("PUT", format!("{path}/process")),
        ("PUT", format!("{path}/processes")),
        ("POST", format!("{path}/process/1")),
        ("POST", format!("{path}/processes/1")),
    ] {
        for (situation, body) in [("an empty body", Some(&b""[..])), ("no body at all", None)] {
            let problem =
                footprint.refuses(&malformed(situation), || daemon.client.send(method, &path, body));
            assert!(problem["detail"].as_str().unwrap().contains("no body"), "{problem}");
        }
    }
    daemon.clean_up();
}

#[test]
fn a_body_that_breaks_off_begins_nothing() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let body = bundle.start().to_string();
    let free = format!("/containers/{}", daemon.name("free"));
    raw::break_off(&daemon.client, "POST", &free, body.len() + 1, &body);
    raw::break_off(&daemon.client, "PATCH", &format!("/containers/{id}"), 100, r#"{"signal": 9}"#);
    footprint.assert_unchanged("a body that breaks off");
    daemon.clean_up();
}

#[test]
fn a_field_that_is_wrong_unknown_or_missing_is_pointed_at() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let path = format!("/containers/{id}");
    let (start, update) = (("POST", format!("/containers/{}", daemon.name("free"))), ("PATCH", path.clone()));
    let (exec, signal) = (("PUT", format!("{path}/process")), ("POST", format!("{path}/process/1")));
    let checkpoint = ("POST", format!("{path}/checkpoint/c"));
    let bundle_path = bundle.path();
    let rows: Vec<(&str, &(&str, String), Value, &str)> = vec![
        ("wrong type: an array for all", &start, json!([]), "/body"),
        ("wrong type: null for all", &checkpoint, json!(null), "/body"),
        ("wrong type: bundlePath", &start, json!({ "bundlePath": 5 }), "/body/bundlePath"),
        (
            "wrong type: checkpoint",
            &start,
            json!({ "bundlePath": bundle_path, "checkpoint": {} }),
            "/body/checkpoint",
        ),
        ("wrong type: stdout", &start, json!({ "bundlePath": bundle_path, "stdout": null }), "/body/stdout"),
        ("wrong type: status", &update, json!({ "status": true }), "/body/status"),
        ("wrong type: args", &exec, json!({ "args": "sh -c true" }), "/body/args"),
        ("wrong type: an argument", &exec, json!({ "args": ["sleep", 10] }), "/body/args/1"),
        ("wrong type: terminal", &exec, json!({ "args": ["true"], "terminal": "yes" }), "/body/terminal"),
        (
            "wrong type: uid",
            &exec,
            json!({ "args": ["true"], "user": { "uid": "root", "gid": 0 } }),
            "/body/user/uid",
        ),
        (
            "wrong type: half a uid",
            &exec,
            json!({ "args": ["true"], "user": { "uid": 0.5, "gid": 0 } }),
            "/body/user/uid",
        ),
        ("wrong type: exit", &checkpoint, json!({ "exit": "true" }), "/body/exit"),
        ("unknown: a typo", &start, json!({ "bundlePath": bundle_path, "bundle": "/b" }), "/body/bundle"),
        ("unknown: another case", &start, json!({ "bundlepath": bundle_path }), "/body/bundlepath"),
        (
            "unknown: in the user",
            &exec,
            json!({ "args": ["true"], "user": { "uid": 0, "gid": 0, "name": "root" } }),
            "/body/user/name",
        ),
        (
            "unknown: a name that a pointer escapes",
            &exec,
            json!({ "args": ["true"], "a/b~c": 1 }),
            "/body/a~1b~0c",
        ),
        ("unknown: in a change", &update, json!({ "status": "paused", "state": "paused" }), "/body/state"),
        ("unknown: beside a signal", &signal, json!({ "signal": 9, "pid": 1 }), "/body/pid"),
        ("unknown: in a checkpoint", &checkpoint, json!({ "exits": true }), "/body/exits"),
        ("missing: bundlePath", &start, json!({}), "/body/bundlePath"),
        ("missing: args", &exec, json!({ "cwd": "/" }), "/body/args"),
        ("missing: gid", &exec, json!({ "args": ["true"], "user": { "uid": 0 } }), "/body/user/gid"),
        ("missing: signal", &signal, json!({}), "/body/signal"),
        ("out of bounds: no arguments", &exec, json!({ "args": [] }), "/body/args"),
        (
            "out of bounds: a uid of 33 bits",
            &exec,
            json!({ "args": ["true"], "user": { "uid": 1_u64 << 32, "gid": 0 } }),
            "/body/user/uid",
        ),
        (
            "out of bounds: a negative gid",
            &exec,
            json!({ "args": ["true"], "user": { "uid": 0, "gid": -1 } }),
            "/body/user/gid",
        ),
        ("wrong form: env without =", &exec, json!({ "args": ["true"], "env": ["A=1", "B"] }), "/body/env/1"),
        ("wrong form: an argument with NUL", &exec, json!({ "args": ["true", "\0"] }), "/body/args/1"),
        ("wrong form: a relative cwd", &exec, json!({ "args": ["true"], "cwd": "tmp" }), "/body/cwd"),
        (
            "wrong form: a relative bundle",
            &start,
            json!({ "bundlePath": "containers/redis" }),
            "/body/bundlePath",
        ),
        ("wrong form: an empty bundle", &start, json!({ "bundlePath": "" }), "/body/bundlePath"),
        ("wrong form: a bundle with NUL", &start, json!({ "bundlePath": "/b\0" }), "/body/bundlePath"),
        ("{} changes nothing", &update, json!({}), "/body"),
        ("an unknown status", &update, json!({ "status": "stopped" }), "/body/status"),
    ];
    for (situation, (method, path), body, at) in &rows {
        let body = body.to_string();
        footprint
            .refuses(&invalid(situation, at), || daemon.client.send(method, path, Some(body.as_bytes())));
    }
    daemon.clean_up();
}

#[test]
fn a_signal_that_is_none_is_refused_wherever_it_is_sent() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let (path, pid) = (format!("/containers/{id}"), daemon.init_pid(&id));
    for (situation, signal) in [
        ("signal 0", json!(0)),
        ("signal 65", json!(65)),
        ("signal -9", json!(-9)),
        ("signal 2^40", json!(1_u64 << 40)),
        ("signal \"TERM\"", json!("TERM")),
        ("signal \"15\"", json!("15")),
        ("signal 1.5", json!(1.5)),
        ("signal null", json!(null)),
    ] {
        let body = json!({ "signal": signal });
        let row = invalid(situation, "/body/signal");
        footprint.refuses(&row, || daemon.client.patch(&path, &body));
        footprint.refuses(&row, || daemon.client.post(&format!("{path}/process/{pid}"), &body));
        footprint.refuses(&row, || daemon.client.post(&format!("{path}/processes/{pid}"), &body));
        // What is wrong in one field keeps the other from being done.
        let both = json!({ "status": "paused", "signal": signal });
        footprint.refuses(&row, || daemon.client.patch(&path, &both));
    }
    daemon.clean_up();
}

#[test]
fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
    // JSON Schema has no integers but numbers without a fraction: 15.0 is 15.
    let (daemon, _bundle, id) = with_container();
    let (path, body) = (format!("/containers/{id}"), br#"{"signal": 0.9e1}"#);
    daemon.client.send("PATCH", &path, Some(body)).expect(200);
    daemon.await_status(&id, "stopped");
    assert_eq!(daemon.container(&id)["state"]["exitSignal"], 9);
    daemon.clean_up();
}

#[test]
fn a_body_of_more_than_a_mebibyte_is_refused_and_one_of_just_that_is_read() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let path = format!("/containers/{id}");
    let padded =
        |body: &str, length: usize| format!("{body}{}", " ".repeat(length - body.len())).into_bytes();
    let too_large = |situation| Refusal { situation, status: 413, kind: "body-too-large", at: None };
    for (situation, length) in [("1 MiB and a byte", MIB + 1), ("3 MiB", 3 * MIB)] {
        for (method, path, body) in [
            ("POST", format!("/containers/{}", daemon.name("free")), bundle.start().to_string()),
            ("PATCH", path.clone(), r#"{"signal": 9}"#.to_owned()),
            ("PUT", format!("{path}/process"), r#"{"args": ["sleep", "1000"]}"#.to_owned()),
            ("POST", format!("{path}/process/1"), r#"{"signal": 9}"#.to_owned()),
            ("POST", format!("{path}/checkpoint/c"), "{}".to_owned()),
        ] {
            let body = padded(&body, length);
            footprint.refuses(&too_large(situation), || daemon.client.send(method, &path, Some(&body)));
        }
    }
    // Whoever sends everything before it reads anything gets its answer too.
    let body = padded(r#"{"signal": 9}"#, 3 * MIB);
    footprint.refuses(&too_large("sent to its end"), || {
        raw::send(&daemon.client, "PATCH", &path, std::str::from_utf8(&body).unwrap())
    });
    let body = padded(r#"{"signal": 9}"#, MIB);
    daemon.client.send("PATCH", &path, Some(&body)).expect(200);
    eventually("the signal of a body of 1 MiB arrives", || daemon.status(&id) == "stopped");
    daemon.clean_up();
}

#[test]
fn curl_gets_to_read_that_its_body_of_3_mib_is_too_large() {
    let (daemon, bundle, _id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let folder = tempfile::tempdir().unwrap();
    let (file, answer) = (folder.path().join("body"), folder.path().join("answer"));
    std::fs::write(&file, format!("{}{}", bundle.start(), " ".repeat(3 * MIB))).unwrap();
    let url = format!("{}/containers/{}", daemon.client.base, daemon.name("free"));
    for (situation, headers, sent) in [
        ("sent at once", &["Expect:"][..], Some(3 * MIB)),
        ("sent at once in chunks", &["Expect:", "Transfer-Encoding: chunked"], Some(3 * MIB)),
        // Said no before a byte of it.
        ("asked for with Expect: 100-continue", &["Expect: 100-continue"], Some(0)),
        ("as curl does it by itself", &[], None),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "60", "--expect100-timeout", "30"]);
        curl.args(["--write-out", "%{http_code} %{content_type} %{size_upload}", "--output"]).arg(&answer);
        curl.args(headers.iter().flat_map(|header| ["--header", header]));
        curl.arg("--data-binary").arg(format!("@{}", file.display())).arg(&url);
        let output = curl.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{situation}: {}", String::from_utf8_lossy(&output.stderr));
        let (kind, uploaded) = said.rsplit_once(' ').unwrap();
        assert_eq!(kind, "413 application/problem+json", "{situation}");
        if let Some(sent) = sent {
            let uploaded: usize = uploaded.parse().unwrap();
            assert!(if sent == 0 { uploaded == 0 } else { uploaded >= sent }, "{situation}: {uploaded} sent");
        }
        let problem: Value = serde_json::from_slice(&std::fs::read(&answer).unwrap()).unwrap();
        assert_eq!(problem["type"], "urn:containerd-rest:problem:body-too-large", "{situation}");
        footprint.assert_unchanged(situation);
    }
    daemon.clean_up();
}

#[test]
fn an_argument_that_no_program_can_be_given_is_refused_and_the_longest_that_can_is_not() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let path = format!("/containers/{id}/process");
    let (longest, longer) = ("x".repeat(131_071), "x".repeat(131_072));
    for (body, at) in [
        (json!({ "args": ["echo", longer] }), "/body/args/1"),
        (json!({ "args": ["echo"], "env": ["A=1", "B=2", longer] }), "/body/env/2"),
    ] {
        let row = Refusal { situation: at, status: 422, kind: "invalid-request", at: Some(at) };
        footprint.refuses(&row, || daemon.client.put(&path, &body));
    }
    daemon.client.put(&path, &json!({ "args": ["echo", longest] })).expect(200);
    eventually("it was given", || daemon.output(&id).contains(&"x".repeat(100)));
    daemon.clean_up();
}
