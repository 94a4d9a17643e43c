//! `Idempotency-Key`: a request that is repeated has happened once, and its first answer is given again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::host::as_user;
use crate::support::{eventually, raw};

fn events(daemon: &Daemon, id: &str, kind: &str) -> usize {
    let path = format!("/events?since=0&follow=false&id={id}&type={kind}");
    daemon.client.get(&path).expect(200).body.lines().count()
}

/// Asked, repeated, repeated after a crash: three answers that are one.
fn thrice(daemon: Daemon, key: &str, method: &str, path: &str, body: &Value, status: u16) -> Daemon {
    let first = daemon.client.keyed(key, method, path, body).expect(status);
    let second = daemon.client.keyed(key, method, path, body).expect(status);
    assert_eq!(first.body, second.body, "{method} {path}");
    let daemon = daemon.crash_and_restart_after(|| {});
    let third = daemon.client.keyed(key, method, path, body).expect(status);
    assert_eq!(first.body, third.body, "{method} {path} after a crash");
    assert_eq!(first.headers.get("content-type"), third.headers.get("content-type"));
    daemon
}

#[test]
fn every_changing_operation_happens_once_and_its_first_answer_is_given_again_across_a_crash() {
    let daemon = Daemon::start();
    let bundle = Bundle::script(
        "trap 'echo got >>/tmp/got' USR1; trap 'exit 5' TERM; echo up >>/tmp/got; while :; do sleep 0.02; done",
    )
    .with_shared();
    let got = || fs::read_to_string(bundle.shared().join("got")).unwrap_or_default();
    let id = daemon.name("a");
    let path = format!("/containers/{id}");

    let daemon = thrice(daemon, "start", "POST", &path, &bundle.start(), 201);
    assert_eq!(events(&daemon, &id, "start"), 1);
    eventually("it is up", || got() == "up\n");
    let sleep = json!({ "args": ["sleep", "1000"] });
    let daemon = thrice(daemon, "exec", "PUT", &format!("{path}/process"), &sleep, 200);
    assert_eq!(daemon.container(&id)["processes"].as_array().unwrap().len(), 2);
    let daemon = thrice(daemon, "usr1", "PATCH", &path, &json!({ "signal": 10 }), 200);
    eventually("the signal came", || got().contains("got"));
    let added = daemon.container(&id)["processes"][1]["pid"].as_i64().unwrap();
    let one = format!("{path}/processes/{added}");
    let daemon = thrice(daemon, "kill", "POST", &one, &json!({ "signal": 9 }), 200);
    let dump = format!("{path}/checkpoint/one");
    let daemon = thrice(daemon, "dump", "POST", &dump, &json!({}), 201);
    let daemon = thrice(daemon, "drop", "DELETE", &dump, &Value::Null, 200);
    let daemon = thrice(daemon, "stop", "POST", &format!("{path}/stop"), &Value::Null, 200);
    // The name may be another container's by now: it is told of the first all the same.
    let daemon = thrice(daemon, "gone", "DELETE", &path, &Value::Null, 204);
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.keyed("gone", "DELETE", &path, &Value::Null).expect(204);
    assert_eq!(daemon.status(&id), "running");
    assert_eq!(got().matches("got").count(), 1, "one signal");
    daemon.clean_up();
}

#[test]
fn a_key_is_one_requests_and_what_was_refused_unbegun_may_be_mended() {
    let daemon = Daemon::start();
    let (bundle, other) = (Bundle::sleeper(), Bundle::sleeper());
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    let client = &daemon.client;
    let typo = json!({ "bundlePat": bundle.path() });
    client.keyed("one", "POST", &path, &typo).problem(422, "invalid-request");
    client.keyed("one", "POST", &path, &bundle.start()).expect(201);
    client.keyed("one", "POST", &path, &other.start()).problem(422, "idempotency-key-reused");
    let elsewhere = format!("/containers/{}", daemon.name("b"));
    client.keyed("one", "POST", &elsewhere, &bundle.start()).problem(422, "idempotency-key-reused");
    client
        .keyed("one", "DELETE", &format!("{path}?force=true"), &Value::Null)
        .problem(422, "idempotency-key-reused");
    // However its JSON is written, it is the same request.
    let spaced = format!("{{ \"bundlePath\" :\n {} }}", json!(bundle.path()));
    let spaced: Value = serde_json::from_str(&spaced).unwrap();
    client.keyed("one", "POST", &path, &spaced).expect(201);
    // What was refused is no outcome: once nothing is in its way any more it is done.
    client.keyed("two", "POST", &path, &other.start()).problem(409, "name-taken");
    client.delete(&format!("{path}?force=true")).expect(204);
    client.keyed("two", "POST", &path, &other.start()).expect(201);
    client.keyed("two", "POST", &path, &other.start()).expect(201);
    client.delete(&format!("{path}?force=true")).expect(204);
    // What failed at work is one.
    let nowhere = Bundle::new(&["/nowhere"]);
    let failed = client.keyed("three", "POST", &path, &nowhere.start()).problem(500, "runtime-failed");
    assert_eq!(client.keyed("three", "POST", &path, &nowhere.start()).problem(500, "runtime-failed"), failed);
    for bad in ["x".repeat(256), "a b".to_owned()] {
        client.keyed(&bad, "POST", &path, &bundle.start()).problem(422, "invalid-request");
    }
    client.get(&path).problem(404, "container-not-found");
    daemon.clean_up();
}

#[test]
fn a_refusal_is_not_given_again_once_its_user_has_mended_what_it_was_for() {
    let daemon = Daemon::start();
    let (id, mut bundle) = (daemon.name("a"), Bundle::sleeper());
    let (client, path) = (&daemon.client, format!("/containers/{id}"));
    let mode = |bits| fs::set_permissions(bundle.path(), fs::Permissions::from_mode(bits)).unwrap();
    mode(0o777);
    client.keyed("start", "POST", &path, &bundle.start()).problem(403, "bundle-unsafe");
    mode(0o755);
    client.keyed("start", "POST", &path, &bundle.start()).expect(201);
    let dump = |name: &str| format!("{path}/checkpoint/{name}");
    client.keyed("pause", "PATCH", &path, &json!({ "status": "paused" })).expect(200);
    client.keyed("one", "POST", &dump("one"), &json!({ "exit": true })).problem(409, "wrong-state");
    client.patch(&path, &json!({ "status": "running" })).expect(200);
    client.keyed("one", "POST", &dump("one"), &json!({ "exit": true })).expect(201);
    bundle = bundle.with(|config| config["hostname"] = json!("other"));
    client.keyed("restore", "POST", &path, &bundle.restore("one")).problem(409, "bundle-changed");
    // Across a crash too.
    let daemon = daemon.crash_and_restart_after(|| {});
    let client = &daemon.client;
    client.keyed("restore", "POST", &path, &bundle.restore("one")).problem(409, "bundle-changed");
    bundle = bundle.with(|config| config["hostname"] = json!("box"));
    client.keyed("restore", "POST", &path, &bundle.restore("one")).expect(201);
    client.keyed("absent", "DELETE", &dump("two"), &Value::Null).problem(404, "checkpoint-not-found");
    client.post(&dump("two"), &json!({})).expect(201);
    client.keyed("absent", "DELETE", &dump("two"), &Value::Null).expect(200);
    daemon.clean_up();
}

#[test]
fn keys_are_each_callers_own() {
    let daemon = Daemon::with(&["--allow-user", "65534,65533"]);
    let bundle = Bundle::sleeper();
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    let ask = |daemon: &Daemon, user: u32, id: &str| {
        let (path, body) = (format!("/containers/{id}"), bundle.start().to_string());
        as_user(user, || raw::send_with(&daemon.client, "POST", &path, "Idempotency-Key: k", &body))
    };
    let first = ask(&daemon, 0, &a).expect(201);
    // Not root's answer, nor the word that root has used the key.
    ask(&daemon, 65534, &a).problem(409, "name-taken");
    let theirs = ask(&daemon, 65534, &b).expect(201);
    ask(&daemon, 65533, &b).problem(409, "name-taken");
    let daemon = daemon.crash_and_restart_after(|| {});
    for (user, id, answer) in [(0, &a, first), (65534, &b, theirs)] {
        assert_eq!(ask(&daemon, user, id).expect(201).body, answer.body);
    }
    ask(&daemon, 65534, &a).problem(422, "idempotency-key-reused");
    ask(&daemon, 65533, &b).problem(409, "name-taken");
    daemon.clean_up();
}

/// It is read on another thread.
#[test]
fn what_a_large_body_asks_is_done_once_and_as_asked_by_its_sender() {
    let daemon = Daemon::with(&["--allow-user", "65534"]);
    let id = daemon.name("a");
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    // More than 128 KiB in all, and less in each (execve(2)).
    let args =
        ["sleep".to_owned(), format!("{}1000", "0".repeat(100_000)), format!("{}1000", "0".repeat(100_000))];
    let (path, body) = (format!("/containers/{id}/process"), json!({ "args": args }).to_string());
    let ask = |user| {
        let asked = || raw::send_with(&daemon.client, "PUT", &path, "Idempotency-Key: k", &body);
        as_user(user, asked).expect(200).json()["pid"].clone()
    };
    let theirs = ask(65534);
    assert_eq!(ask(65534), theirs, "it was done already");
    let roots = ask(0);
    assert_ne!(roots, theirs, "another's key is another");
    assert_eq!(ask(0), roots);
    let broken = body.replace(']', "");
    raw::send_with(&daemon.client, "PUT", &path, "X: y", &broken).problem(400, "malformed-request");
    let seen = daemon.client.get(&format!("/containers/{id}")).expect(200).json();
    assert_eq!(seen["processes"].as_array().unwrap().len(), 3, "{}", seen["state"]);
    daemon.clean_up();
}

#[test]
fn who_repeats_while_it_is_obeyed_waits_for_the_first_answer() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    let (client, path) = (&daemon.client, format!("/containers/{id}/process"));
    let answers: Vec<String> = std::thread::scope(|scope| {
        let sleep = json!({ "args": ["sleep", "1000"] });
        let ask = move || client.keyed("k", "PUT", &path.clone(), &sleep.clone()).expect(200).body;
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask.clone())).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(daemon.container(&id)["processes"].as_array().unwrap().len(), 2);
    daemon.clean_up();
}

/// The daemon is killed while it obeys; the request is repeated until it is answered: it has happened once.
#[test]
fn what_a_daemon_died_over_has_happened_once_when_its_repeat_is_answered() {
    let mut daemon = Daemon::start();
    let bundle = Bundle::sleeper().with_shared();
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    let process = format!("{path}/process");
    const ROUNDS: u64 = 6;
    for round in 0..ROUNDS {
        let steps = [
            ("start", "POST", path.clone(), bundle.start(), 201),
            ("exec", "PUT", process.clone(), json!({ "args": ["sh", "-c", "echo x >>/tmp/ran"] }), 200),
            ("dump", "POST", format!("{path}/checkpoint/c{round}"), json!({}), 201),
            ("delete", "DELETE", format!("{path}?force=true"), Value::Null, 204),
        ];
        for (step, (name, method, path, body, status)) in steps.into_iter().enumerate() {
            let (key, client) = (format!("{name}-{round}"), daemon.client.clone());
            let (sent_key, sent_path, sent_body) = (key.clone(), path.clone(), body.clone());
            let asking =
                std::thread::spawn(move || client.try_keyed(Some(&sent_key), method, &sent_path, &sent_body));
            let longer = if name == "dump" { 25 } else { 7 };
            std::thread::sleep(Duration::from_millis(1 + (round * longer + step as u64) % (6 * longer)));
            daemon = daemon.crash_and_restart_after(|| {});
            let first = asking.join().unwrap();
            daemon.client.keyed(&key, method, &path, &body).expect(status);
            assert!(first.is_none_or(|first| first == status), "{key}: {first:?}");
        }
    }
    eventually("each has run", || {
        fs::read_to_string(bundle.shared().join("ran")).is_ok_and(|ran| ran == "x\n".repeat(ROUNDS as usize))
    });
    assert_eq!(events(&daemon, &id, "start"), ROUNDS as usize);
    daemon.clean_up();
}
