//! Requests that are right by themselves and wrong here and now: names that are taken or that nothing has,
//! states that do not allow it, processes that are somebody else's.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::footprint::{Footprint, Refusal};
use crate::support::{eventually, host};

pub(crate) fn row<'a>(situation: &'a str, status: u16, kind: &'a str) -> Refusal<'a> {
    Refusal { situation, status, kind, at: None }
}

/// It is stopped, and what it held of the host is given back, a moment later.
#[track_caller]
pub(crate) fn await_end(daemon: &Daemon, id: &str) {
    daemon.await_status(id, "stopped");
    let folder = daemon.state_folder().join("containers").join(id);
    eventually("it holds nothing of the host any more", || {
        !folder.exists() && host::processes(&daemon.prefix, daemon.pid()).is_empty()
    });
}

#[test]
fn a_name_that_is_taken_is_refused_whatever_its_container_does() {
    let daemon = Daemon::start();
    let (bundle, other) = (Bundle::sleeper(), Bundle::sleeper());
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    daemon.start_container(&id, &bundle.start()).expect(201);
    for status in ["running", "paused"] {
        daemon.client.patch(&path, &json!({ "status": status })).expect(200);
        let footprint = Footprint::of(&daemon, &[bundle.path(), other.path()]);
        for bundle in [&bundle, &other] {
            footprint.refuses(&row(status, 409, "name-taken"), || daemon.client.post(&path, &bundle.start()));
        }
    }
    daemon.clean_up();
}

#[test]
fn a_container_that_is_not_there_is_missed_by_every_operation() {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    daemon.start_container(&daemon.name("a"), &bundle.start()).expect(201);
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    // A name that begins like one that is there.
    let path = format!("/containers/{}", daemon.name("ab"));
    let (exec, signal) = (json!({ "args": ["true"] }), json!({ "signal": 9 }));
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("PATCH", path.clone(), Some(json!({ "status": "paused" }))),
        ("PATCH", path.clone(), Some(signal.clone())),
        ("DELETE", path.clone(), None),
        ("DELETE", format!("{path}?force=true"), None),
        ("PUT", format!("{path}/process"), Some(exec.clone())),
        ("PUT", format!("{path}/processes"), Some(exec)),
        ("POST", format!("{path}/process/1"), Some(signal.clone())),
        ("POST", format!("{path}/processes/1"), Some(signal)),
        ("GET", format!("{path}/checkpoint"), None),
        ("POST", format!("{path}/checkpoint/c"), None),
        ("POST", format!("{path}/checkpoint/c"), Some(json!({ "exit": true }))),
        ("DELETE", format!("{path}/checkpoint/c"), None),
    ] {
        let situation = format!("{method} {path}");
        let body = body.map(|body| body.to_string().into_bytes());
        footprint.refuses(&row(&situation, 404, "container-not-found"), || {
            daemon.client.send(method, &path, body.as_deref())
        });
    }
    daemon.clean_up();
}

#[test]
fn a_pid_that_is_not_the_containers_is_missed_and_its_process_lives_on() {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let (id, other) = (daemon.name("a"), daemon.name("b"));
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.start_container(&other, &bundle.start()).expect(201);
    let mut stranger = Command::new("sleep").arg("300").stdin(Stdio::null()).spawn().unwrap();
    let shim = host::processes(&format!("{id} "), daemon.pid())
        .into_iter()
        .find(|(_, command)| command.contains("shim"));
    let ended = Command::new("true").spawn().and_then(|mut child| child.wait().map(|_| child.id())).unwrap();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    for (situation, pid) in [
        ("another container's init process", u32::try_from(daemon.init_pid(&other)).unwrap()),
        ("a process of the host", stranger.id()),
        ("the daemon itself", daemon.pid()),
        ("the container's own shim", shim.unwrap().0),
        ("the host's init process", 1),
        ("the pid inside of the container", 1),
        ("a process that has ended", ended),
        ("a pid that Linux never gives", i32::MAX.unsigned_abs()),
    ] {
        for signal in [15, 9] {
            for spelling in ["process", "processes"] {
                let path = format!("/containers/{id}/{spelling}/{pid}");
                footprint.refuses(&row(situation, 404, "process-not-found"), || {
                    daemon.client.post(&path, &json!({ "signal": signal }))
                });
            }
        }
    }
    assert_eq!(stranger.try_wait().unwrap(), None, "the process of the host lives on");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    daemon.clean_up();
}

#[test]
fn a_paused_container_takes_no_process_and_no_checkpoint() {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.patch(&path, &json!({ "status": "paused" })).expect(200);
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    assert_refused_by_state(
        &footprint,
        &daemon,
        "paused",
        &[
            ("PUT", format!("{path}/process"), Some(json!({ "args": ["true"] }))),
            ("PUT", format!("{path}/processes"), Some(json!({ "args": ["true"] }))),
            ("POST", format!("{path}/checkpoint/c"), None),
            ("DELETE", path.clone(), None),
            ("DELETE", format!("{path}?force=false"), None),
        ],
    );
    // As the remedy says.
    daemon.client.patch(&path, &json!({ "status": "running" })).expect(200);
    daemon.client.put(&format!("{path}/process"), &json!({ "args": ["true"] })).expect(200);
    daemon.clean_up();
}

#[test]
fn a_stopped_container_takes_nothing_but_a_start_and_a_delete() {
    let (daemon, bundle) = (Daemon::start(), Bundle::new(&["true"]));
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    let pid = daemon.start_container(&id, &bundle.start()).expect(201).json()["processes"][0]["pid"].clone();
    await_end(&daemon, &id);
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    assert_refused_by_state(
        &footprint,
        &daemon,
        "stopped",
        &[
            ("PUT", format!("{path}/process"), Some(json!({ "args": ["true"] }))),
            ("PUT", format!("{path}/processes"), Some(json!({ "args": ["true"] }))),
            ("POST", format!("{path}/checkpoint/c"), None),
            ("POST", format!("{path}/checkpoint/c"), Some(json!({ "exit": true }))),
            ("PATCH", path.clone(), Some(json!({ "status": "paused" }))),
            ("PATCH", path.clone(), Some(json!({ "status": "running" }))),
            ("PATCH", path.clone(), Some(json!({ "signal": 9 }))),
            ("POST", format!("{path}/process/{pid}"), Some(json!({ "signal": 9 }))),
            ("POST", format!("{path}/processes/{pid}"), Some(json!({ "signal": 9 }))),
        ],
    );
    assert_eq!(daemon.client.get(&format!("{path}/checkpoint")).expect(200).json(), json!([]));
    daemon.client.delete(&path).expect(204);
    daemon.assert_nothing_left();
}

#[track_caller]
fn assert_refused_by_state(
    footprint: &Footprint<'_>,
    daemon: &Daemon,
    status: &str,
    requests: &[(&str, String, Option<Value>)],
) {
    for (method, path, body) in requests {
        let situation = format!("{status}: {method} {path} {body:?}");
        let body = body.as_ref().map(|body| body.to_string().into_bytes());
        let problem = footprint.refuses(&row(&situation, 409, "wrong-state"), || {
            daemon.client.send(method, path, body.as_deref())
        });
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("is {status}")), "{situation}: {detail}");
    }
}

#[test]
fn a_checkpoint_that_is_not_there_is_missed_and_one_that_is_keeps_its_name() {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let (id, free) = (daemon.name("a"), format!("/containers/{}", daemon.name("free")));
    let path = format!("/containers/{id}");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let missing = |situation| row(situation, 404, "checkpoint-not-found");
    for situation in ["before the first checkpoint", "beside another checkpoint"] {
        let footprint = Footprint::of(&daemon, &[bundle.path()]);
        footprint.refuses(&missing(situation), || daemon.client.delete(&format!("{path}/checkpoint/none")));
        footprint.refuses(&missing(situation), || daemon.client.post(&free, &bundle.restore("none")));
        daemon
            .client
            .post(&format!("{path}/checkpoint/{}", situation.replace(' ', "-")), &json!({}))
            .expect(201);
    }
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let listed = daemon.client.get(&format!("{path}/checkpoint")).expect(200).json();
    for body in [json!({}), json!({ "exit": true }), json!({ "tcp": true })] {
        let taken = row("a checkpoint's name that is taken", 409, "checkpoint-exists");
        let checkpoint = format!("{path}/checkpoint/before-the-first-checkpoint");
        footprint.refuses(&taken, || daemon.client.post(&checkpoint, &body));
    }
    assert_eq!(daemon.client.get(&format!("{path}/checkpoint")).expect(200).json(), listed);
    daemon.clean_up();
}

#[test]
fn a_checkpoints_name_that_something_else_has_is_taken_too() {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let all = bundle.path().join("checkpoints");
    fs::create_dir_all(all.join("folder")).unwrap();
    fs::write(all.join("file"), "").unwrap();
    std::os::unix::fs::symlink("/tmp", all.join("link")).unwrap();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    for name in ["folder", "file", "link"] {
        let path = format!("/containers/{id}/checkpoint/{name}");
        footprint.refuses(&row(name, 409, "checkpoint-exists"), || daemon.client.post(&path, &json!({})));
        footprint.refuses(&row(name, 404, "checkpoint-not-found"), || daemon.client.delete(&path));
    }
    daemon.clean_up();
}
