//! Each status that many operations name, at every operation that names it, found in the contract: one that is added to
//! it has to be given too. What one operation alone can answer stands where that operation is tested.

use std::fs;
use std::io::{Read, Write};

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::contract::document;
use crate::support::daemon::Daemon;
use crate::support::host::as_user;
use crate::support::runtime::Runtime;
use crate::support::{eventually, raw};

const NONE: Option<&str> = None;

/// An operation: its method, its path's template, and a body that it takes, if it takes JSON.
struct Operation {
    method: String,
    template: String,
    tag: String,
    body: Option<String>,
}

/// The contract's operations: method, path's template, and what it says of them.
fn operations() -> Vec<(String, String, Value)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(template, item)| {
        let all = item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters");
        all.map(move |(method, operation)| (method.to_uppercase(), template.clone(), operation.clone()))
    });
    operations.collect()
}

impl Operation {
    /// Those that name a status.
    fn naming(status: u16) -> Vec<Self> {
        let document = document();
        let mut found = Vec::new();
        for (method, template, operation) in operations() {
            if operation["responses"].get(status.to_string()).is_none() {
                continue;
            }
            let body = &operation["requestBody"];
            let body = match body["$ref"].as_str() {
                Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
                None => body,
            };
            let examples = body["content"]["application/json"]["examples"].as_object();
            let body = examples.map(|all| all.values().next().unwrap()["value"].to_string());
            let tag = operation["tags"][0].as_str().unwrap().to_owned();
            found.push(Self { method, template, tag, body });
        }
        assert!(!found.is_empty());
        found
    }

    fn path(&self, id: &str, pid: &str) -> String {
        self.template.replace("{id}", id).replace("{pid}", pid).replace("{checkpoint}", "one")
    }

    /// Sent raw, as curl would.
    #[track_caller]
    fn send(&self, daemon: &Daemon, path: &str) -> Answer {
        self.send_with(daemon, path, "Accept: */*")
    }

    /// With a header.
    #[track_caller]
    fn send_with(&self, daemon: &Daemon, path: &str, header: &str) -> Answer {
        eprintln!("-- {} {path}", self.method);
        raw::send_with(&daemon.client, &self.method, path, header, self.body.as_deref().unwrap_or_default())
    }
}

#[test]
fn a_name_of_the_wrong_form_is_refused_wherever_there_is_a_name() {
    let daemon = Daemon::start();
    for operation in Operation::naming(422).iter().filter(|one| one.template.contains("{id}")) {
        let problem = operation.send(&daemon, &operation.path("-a", "1")).problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["location"], "/path/id");
    }
    daemon.clean_up();
}

/// They are nobody's, so they do nothing; but what is the same on every host is for everybody.
#[test]
fn who_is_not_root_is_refused_by_every_operation() {
    let daemon = Daemon::start();
    let path =
        |operation: &Operation| operation.path(&daemon.name("a"), "1").replace("{file}", "settings.js");
    let all = Operation::naming(403);
    assert_eq!(all.len(), operations().len(), "every operation can refuse");
    let (open, closed): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.tag == "contract");
    assert!(open.iter().all(|one| one.method == "GET"));
    assert_eq!(closed.len(), Operation::naming(401).len(), "which is where a token can be a bad one");
    as_user(65534, || {
        for operation in &closed {
            operation.send(&daemon, &path(operation)).problem(403, "not-allowed");
        }
        for operation in &open {
            let status = operation.send(&daemon, &path(operation)).status;
            assert!([200, 303].contains(&status), "{} {status}", operation.template);
        }
    });
    for operation in &closed {
        operation.send_with(&daemon, &path(operation), "Authorization: Bearer x").problem(401, "bad-token");
    }
    for operation in &open {
        operation
            .send_with(&daemon, &path(operation), "Sec-Fetch-Site: cross-site")
            .problem(403, "foreign-site");
    }
    daemon.clean_up();
}

/// Before who asks is looked at, so that is all that they are told.
#[test]
fn a_connection_too_many_is_told_so_by_every_operation() {
    let daemon = Daemon::with(&["--max-connections", "2"]);
    let open = [(); 2].map(|()| {
        let mut stream = raw::connect(&daemon.client);
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        stream.read_exact(&mut [0; 12]).unwrap();
        stream
    });
    let all = Operation::naming(429);
    assert_eq!(all.len(), operations().len(), "every operation");
    for operation in all {
        let answer = operation.send(&daemon, &operation.path(&daemon.name("a"), "1"));
        answer.problem(429, "too-many-connections");
        assert!(answer.headers.contains_key("retry-after"));
    }
    drop(open);
    eventually("there is room", || raw::send(&daemon.client, "GET", "/state", "").status == 200);
    daemon.clean_up();
}

#[test]
fn a_parameter_that_the_contract_does_not_name_is_refused_wherever_something_can_be_wrong() {
    let daemon = Daemon::start();
    for operation in Operation::naming(422) {
        let path = format!("{}?nonsense=1", operation.path(&daemon.name("a"), "1"));
        let problem = operation.send(&daemon, &path).problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["location"], "/query/nonsense", "{path}");
    }
    daemon.clean_up();
}

#[test]
fn what_cannot_be_read_is_refused_wherever_there_is_something_to_be_read() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    for mut operation in Operation::naming(400) {
        let path = operation.path(&id, "1");
        if operation.body.replace("{".to_owned()).is_some() {
            operation.send(&daemon, &path).problem(400, "malformed-request");
        } else {
            // An archive; the bundle is there.
            let bundle = Bundle::sleeper();
            let path = format!("{path}?bundlePath={}", bundle.path().display());
            operation.send(&daemon, &path).problem(400, "archive-cut-off");
        }
    }
    daemon.clean_up();
}

#[test]
fn a_body_that_is_too_large_is_refused_wherever_there_is_one() {
    let daemon = Daemon::start();
    for mut operation in Operation::naming(413) {
        operation.body = Some(format!("{{{}}}", " ".repeat(1 << 20)));
        operation.send(&daemon, &operation.path(&daemon.name("a"), "1")).problem(413, "body-too-large");
    }
    daemon.clean_up();
}

/// Without CRIU too, so that what only looks has a reason as well.
#[test]
fn a_daemon_that_is_to_end_says_so_wherever_that_is_named() {
    let daemon = Daemon::with(&["--criu", "/nonexistent/criu"]);
    let id = daemon.name("a");
    let bundle = Bundle::script("trap '' TERM; echo ready; while :; do sleep 1; done");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it is deaf", || daemon.output(&id).contains("ready"));
    let deaf = daemon.init_pid(&id);
    let pid = deaf.to_string();
    let (client, path) = (daemon.client.clone(), format!("/containers/{id}/stop"));
    let stop = std::thread::spawn(move || client.post(&path, &json!({ "timeout": 25 })));
    std::thread::sleep(std::time::Duration::from_millis(300));
    daemon.terminate();
    eventually("it ends", || daemon.log().contains("ending"));
    for operation in Operation::naming(503) {
        let answer = operation.send(&daemon, &operation.path(&id, &pid));
        let looks = operation.template.ends_with("preflight");
        answer.problem(503, if looks { "criu-unavailable" } else { "shutting-down" });
        assert!(looks || answer.headers.contains_key("retry-after"));
    }
    kill(Pid::from_raw(deaf), Signal::SIGKILL).unwrap();
    assert_eq!(stop.join().unwrap().expect(200).json()["state"]["status"], "stopped");
}

#[test]
fn a_runtime_that_fails_or_hangs_is_told_by_the_second_spellings_and_by_stop_too() {
    let runtime = Runtime::new();
    let path = runtime.path();
    let daemon = Daemon::with(&["--runtime", path.to_str().unwrap(), "--runtime-timeout", "2"]);
    let id = daemon.name("a");
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    let processes = format!("/containers/{id}/processes");
    let exec = || daemon.client.put(&processes, &json!({ "args": ["true"] }));
    runtime.fall_ill("exec", "echo no >&2; exit 1");
    exec().problem(500, "runtime-failed");
    runtime.fall_ill("exec", "hang");
    exec().problem(504, "runtime-timeout");
    runtime.heal("exec");
    runtime.vanish();
    exec().problem(503, "runtime-unavailable");
    runtime.come_back();
    exec().expect(200);

    // What is frozen is thawed to be ended.
    daemon.client.patch(&format!("/containers/{id}"), &json!({ "status": "paused" })).expect(200);
    let stop = || daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 }));
    runtime.fall_ill("resume", "echo no >&2; exit 1");
    stop().problem(500, "runtime-failed");
    runtime.fall_ill("resume", "hang");
    stop().problem(504, "runtime-timeout");
    runtime.heal("resume");
    assert_eq!(stop().expect(200).json()["state"]["status"], "stopped");
    daemon.clean_up();
}

/// A bundle with a checkpoint `one` and the container's name.
fn checkpointed(daemon: &Daemon) -> (Bundle, String) {
    let (bundle, id) = (Bundle::sleeper(), daemon.name("a"));
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({})).expect(201);
    (bundle, id)
}

#[test]
fn a_disk_that_fails_under_the_checkpoints_is_told_and_changes_nothing() {
    let daemon = Daemon::start();
    let (bundle, id) = checkpointed(&daemon);
    let all = bundle.path().join("checkpoints");
    let one = format!("/containers/{id}/checkpoint/one");
    let failed = |answer: Answer| -> Value { answer.problem(500, "storage-failed") };

    // What it is said to be cannot be read.
    let (meta, aside) = (all.join("one/checkpoint.json"), bundle.path().join("aside"));
    fs::rename(&meta, &aside).unwrap();
    fs::create_dir(&meta).unwrap();
    failed(daemon.client.get(&one));
    failed(daemon.client.get(&format!("{one}/archive")));
    fs::remove_dir(&meta).unwrap();
    fs::rename(&aside, &meta).unwrap();

    let archive = daemon.client.bytes(&format!("{one}/archive"), &[]).1;
    let read_only =
        |flags| mount(NONE, &all, NONE, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | flags, NONE).unwrap();
    mount(Some(&all), &all, NONE, MsFlags::MS_BIND, NONE).unwrap();
    read_only(MsFlags::MS_RDONLY);
    failed(daemon.client.delete(&one));
    failed(daemon.client.put_from(
        &format!("/containers/{id}/checkpoint/two/archive"),
        &[],
        &mut archive.as_slice(),
    ));
    nix::mount::umount(&all).unwrap();

    let list = format!("/containers/{id}/checkpoint");
    assert_eq!(daemon.client.get(&list).expect(200).json().as_array().unwrap().len(), 1);
    fs::rename(&all, &aside).unwrap();
    // A link to itself.
    std::os::unix::fs::symlink(&all, &all).unwrap();
    failed(daemon.client.get(&list));
    fs::remove_file(&all).unwrap();
    fs::rename(&aside, &all).unwrap();
    daemon.client.delete(&one).expect(200);
    daemon.clean_up();
}

#[test]
fn a_checkpoint_whose_images_cannot_be_read_says_so() {
    let daemon = Daemon::start();
    let (bundle, id) = checkpointed(&daemon);
    let files = bundle.path().join("checkpoints/one/image/files.img");
    fs::write(&files, &fs::read(&files).unwrap()[..20]).unwrap();
    let problem =
        daemon.client.get(&format!("/containers/{id}/checkpoint/one")).problem(409, "checkpoint-unfit");
    assert!(problem["detail"].as_str().unwrap().contains("files.img"), "{problem}");
    daemon.clean_up();
}

#[test]
fn a_disk_without_room_for_its_memory_refuses_a_checkpoint_before_it_is_begun() {
    let daemon = Daemon::start();
    let small = daemon.folder().join("small");
    fs::create_dir(&small).unwrap();
    mount(Some("tmpfs"), &small, Some("tmpfs"), MsFlags::empty(), Some("size=24m,mode=755")).unwrap();
    // Its processes' memory, and a file system in memory.
    for script in ["memory = bytearray(b'x' * 30_000_000)", "open('/mem/x', 'wb').write(b'x' * 30_000_000)"] {
        let bundle = Bundle::subject(script);
        fs::copy(bundle.path().join("config.json"), small.join("config.json")).unwrap();
        let id = daemon.name("a");
        daemon.start_container(&id, &json!({ "bundlePath": small })).expect(201);
        eventually("it has its memory", || daemon.output(&id).contains("ready"));
        let answer = daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({}));
        let problem = answer.problem(507, "no-space");
        assert!(problem["detail"].as_str().unwrap().contains("are left for checkpoints in"), "{problem}");
        assert!(!small.join("checkpoints").exists());
        assert_eq!(daemon.status(&id), "running");
        daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    }
    nix::mount::umount(&small).unwrap();
    daemon.clean_up();
}
