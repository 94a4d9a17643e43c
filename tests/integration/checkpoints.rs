//! Checkpoint and restore, on real CRIU.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use containerd_rest::runtime::netns::within;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

/// Counts in memory, and says where it is: what a restore goes on from.
fn counter() -> Bundle {
    Bundle::script("i=0; while :; do i=$((i+1)); echo $i >>/tmp/count; sleep 0.02; done").with_shared()
}

fn counts(bundle: &Bundle) -> Vec<u64> {
    let text = fs::read_to_string(bundle.shared().join("count")).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

#[track_caller]
fn checkpoint(daemon: &Daemon, id: &str, name: &str, options: &Value) -> Value {
    daemon.client.post(&format!("/containers/{id}/checkpoint/{name}"), options).expect(201).json()
}

fn names(daemon: &Daemon, id: &str) -> Vec<String> {
    let list = daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_restore_goes_on_from_the_memory_that_was_dumped_and_not_from_the_beginning() {
    let daemon = Daemon::start();
    let bundle = counter();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it counts", || counts(&bundle).len() > 5);

    let made = checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    assert_eq!((&made["name"], &made["tcp"], &made["shell"]), (&json!("one"), &json!(false), &json!(false)));
    assert_eq!(daemon.status(&id), "stopped", "with exit it has ended when the answer comes");
    let dumped = *counts(&bundle).last().unwrap();

    let restored = daemon.start_container(&id, &bundle.restore("one")).expect(201).json();
    assert_eq!(restored["checkpoint"], "one");
    assert_eq!(restored["state"], json!({ "status": "running" }));
    eventually("it counts on", || *counts(&bundle).last().unwrap() > dumped + 5);
    let all = counts(&bundle);
    let expected: Vec<u64> = (1..=all.len() as u64).collect();
    assert_eq!(all, expected, "each number once and in order: nothing lost, nothing twice");
    daemon.clean_up();
}

#[test]
fn a_container_goes_on_after_a_checkpoint_unless_it_is_told_to_exit() {
    let daemon = Daemon::start();
    let bundle = counter();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let pid = daemon.init_pid(&id);
    // Without a body, and with one that names every option.
    daemon.client.send("POST", &format!("/containers/{id}/checkpoint/bare"), None).expect(201);
    checkpoint(
        &daemon,
        &id,
        "full",
        &json!({ "exit": false, "tcp": false, "unixSockets": false, "shell": false }),
    );
    assert_eq!((daemon.status(&id).as_str(), daemon.init_pid(&id)), ("running", pid));
    let before = counts(&bundle).len();
    eventually("it counts on", || counts(&bundle).len() > before + 3);
    assert_eq!(names(&daemon, &id), ["bare", "full"], "newest last");
    daemon.clean_up();
}

#[test]
fn one_checkpoint_is_restored_under_second_names_beside_the_original() {
    let daemon = Daemon::start();
    let bundle = counter();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", &json!({}));
    let mut pids = vec![daemon.init_pid(&id)];
    for name in ["b", "c"] {
        let id = daemon.name(name);
        daemon.start_container(&id, &bundle.restore("one")).expect(201);
        pids.push(daemon.init_pid(&id));
    }
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3, "each has processes of its own");
    // A signal to one reaches that one alone: each is in its own cgroup.
    for name in ["b", "c"] {
        let id = daemon.name(name);
        let pid = daemon.init_pid(&id);
        let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        assert!(cgroup.contains(&id), "{id}: {cgroup}");
        daemon
            .client
            .post(&format!("/containers/{}/process/{pid}", daemon.name("a")), &json!({ "signal": 9 }))
            .problem(404, "process-not-found");
        daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
        daemon.await_status(&id, "stopped");
    }
    assert_eq!(daemon.status(&id), "running");
    daemon.clean_up();
}

#[test]
fn a_container_that_listens_is_restored_with_its_loopback_up() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("while :; do echo hello | nc -l -p 7; done");
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let ask = |id: &str| {
        daemon
            .client
            .put(
                &format!("/containers/{id}/process"),
                &json!({ "args": ["sh", "-c", "nc 127.0.0.1 7 </dev/null"] }),
            )
            .expect(200);
    };
    eventually("it listens", || {
        ask(&id);
        daemon.output(&id).contains("hello")
    });
    eventually("the askers have ended", || daemon.container(&id)["processes"].as_array().unwrap().len() == 1);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true, "tcp": true }));
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    eventually("it answers again", || {
        ask(&id);
        daemon.output(&id).contains("hello")
    });
    daemon.clean_up();
}

#[test]
fn a_container_without_sockets_is_restored_with_its_loopback_up_too() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    // When it is answered, and not some time later. A device that is down has no address to listen at.
    within(daemon.init_pid(&id), || TcpListener::bind("127.0.0.1:0")).unwrap();
    daemon.clean_up();
}

#[test]
fn a_terminal_and_its_output_go_on_after_a_restore() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.02; done")
        .with(|config| config["process"]["terminal"] = json!(true));
    let id = daemon.name("a");
    let started = daemon.start_container(&id, &bundle.start()).expect(201).json();
    assert_eq!(started["processes"][0]["terminal"], true);
    eventually("it speaks", || daemon.output(&id).contains("tick 3"));
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    eventually("it speaks again", || daemon.output(&id).lines().count() > 3);
    let log = daemon.output(&id);
    assert!(!log.contains("tick 1\r") && !log.contains("tick 1\n"), "it goes on, it does not begin: {log}");
    daemon.clean_up();
}

#[test]
fn deleted_checkpoints_are_gone_and_those_of_a_stopped_container_stay_reachable() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", &json!({}));
    checkpoint(&daemon, &id, "two", &json!({ "exit": true }));
    assert_eq!(names(&daemon, &id), ["one", "two"]);
    daemon.client.delete(&format!("/containers/{id}/checkpoint/one")).expect(200);
    assert_eq!(names(&daemon, &id), ["two"]);
    daemon.client.delete(&format!("/containers/{id}/checkpoint/one")).problem(404, "checkpoint-not-found");
    daemon.client.delete(&format!("/containers/{id}/checkpoint/two")).expect(200);
    assert!(!bundle.path().join("checkpoints").exists(), "the last one leaves no folder");
    daemon.clean_up();
}

#[test]
fn an_image_is_for_root_alone_and_says_what_made_it() {
    use std::os::unix::fs::PermissionsExt;
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    let folder = bundle.path().join("checkpoints/one");
    // A process of a user namespace opens its images below a descriptor; nobody gets there by a path.
    let modes =
        [(bundle.path().join("checkpoints"), 0o700), (folder.clone(), 0o700), (folder.join("image"), 0o711)];
    for (path, mode) in modes {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
    assert!(folder.join("dump.log").exists());
    let meta: Value = serde_json::from_slice(&fs::read(folder.join("checkpoint.json")).unwrap()).unwrap();
    let version = daemon.client.get("/version").expect(200).json();
    assert_eq!(meta["madeBy"]["criu"], version["criu"]["version"]);
    assert_eq!(meta["madeBy"]["runc"], version["runtime"]["version"]);
    daemon.clean_up();
}

#[test]
fn a_folder_of_the_2015_daemon_with_images_directly_inside_is_restored() {
    let daemon = Daemon::start();
    let bundle = counter();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it counts", || counts(&bundle).len() > 5);
    checkpoint(&daemon, &id, "new", &json!({ "exit": true }));
    let all = bundle.path().join("checkpoints");
    fs::rename(all.join("new/image"), all.join("old")).unwrap();
    fs::remove_dir_all(all.join("new")).unwrap();
    let listed = daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
    assert_eq!((&listed[0]["name"], &listed[0]["tcp"]), (&json!("old"), &json!(false)));
    let dumped = *counts(&bundle).last().unwrap();
    daemon.start_container(&id, &bundle.restore("old")).expect(201);
    eventually("it counts on", || *counts(&bundle).last().unwrap() > dumped + 2);
    daemon.clean_up();
}

#[test]
fn a_dump_that_criu_refuses_leaves_the_container_running_and_nothing_listed() {
    let daemon = Daemon::start();
    // A connected TCP socket, and tcp is not said.
    let bundle = Bundle::script(
        "(sleep 100 | nc -l -p 7) & sleep 0.2; nc 127.0.0.1 7 </dev/zero >/dev/null & sleep 1000",
    );
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let pid = daemon.init_pid(&id);
    eventually("it is connected", || {
        fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap_or_default().contains(":0007 01")
            || fs::read_to_string(format!("/proc/{pid}/net/tcp"))
                .unwrap_or_default()
                .lines()
                .any(|line| line.contains(":0007 ") && line.contains(" 01 "))
    });
    // Without the preflight, which would say so first.
    let answer = daemon
        .client
        .post(&format!("/containers/{id}/checkpoint/one?preflight=false"), &json!({ "exit": true }));
    let problem = answer.problem(500, "runtime-failed");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("tcp-established"), "CRIU's own words: {detail}");
    let log = problem["log"].as_str().unwrap();
    assert!(Path::new(log).exists(), "the whole log is kept: {log}");
    assert_eq!((daemon.status(&id).as_str(), daemon.init_pid(&id)), ("running", pid));
    assert!(names(&daemon, &id).is_empty());
    assert!(!bundle.path().join("checkpoints").exists(), "nothing on disk");
    // It runs, and is not merely said to: what is asked of it is done.
    // (Its log is no place to look: nc fills and rotates it.)
    let path = format!("/containers/{id}/process");
    let added = daemon.client.put(&path, &json!({ "args": ["true"] })).expect(200).json()["pid"].clone();
    let ended = daemon.client.get(&format!("{path}/{added}/wait?timeout=20")).expect(200).json();
    assert_eq!(ended["state"]["exitStatus"], json!(0), "it lives");
    daemon.clean_up();
}

#[test]
fn a_restore_that_fails_leaves_the_name_as_it_was() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    let before = daemon.container(&id);
    // What is missing is found by CRIU alone.
    fs::remove_file(bundle.path().join("checkpoints/one/image/fs-1.img")).unwrap();
    let problem = daemon.start_container(&id, &bundle.restore("one")).problem(500, "runtime-failed");
    assert!(problem["log"].as_str().is_some_and(|log| Path::new(log).exists()), "{problem}");
    assert_eq!(daemon.container(&id), before, "stopped, with the exit status it had");
    let second = daemon.name("b");
    daemon.start_container(&second, &bundle.restore("one")).problem(500, "runtime-failed");
    daemon.client.get(&format!("/containers/{second}")).problem(404, "container-not-found");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.clean_up();
}

#[test]
fn without_criu_the_daemon_serves_and_says_what_is_missing() {
    let daemon = Daemon::with(&["--criu", "/nonexistent/criu"]);
    assert!(daemon.log().contains("no CRIU that works"), "{}", daemon.log());
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let version = daemon.client.get("/version").expect(200).json();
    assert_eq!(
        (&version["criu"]["available"], &version["features"]["checkpoint"]),
        (&json!(false), &json!(false))
    );
    let answer = daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({}));
    let problem = answer.problem(503, "criu-unavailable");
    assert!(problem["remedy"].as_str().unwrap().contains("--criu"), "{problem}");
    assert_eq!(daemon.status(&id), "running");
    daemon.clean_up();
}

/// Not a connection that needs `tcp`, and still it needs a way to the other end.
#[test]
fn a_connected_udp_socket_is_restored_in_a_network_namespace_of_its_own() {
    let daemon = Daemon::start();
    let script = "import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', 5000))
while True:
    time.sleep(0.02)
    print(s.getpeername(), flush=True)";
    let bundle = Bundle::python(script);
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let says = || daemon.output(&id).contains("('127.0.0.1', 5000)");
    eventually("it is connected", says);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    // Its output is in a log of its own from here on.
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    eventually("it is connected again", says);
    daemon.clean_up();
}

/// A hook finds in its working folder what the bundle has, whatever is restored from.
#[test]
fn a_hook_of_the_bundles_finds_the_bundle_at_a_restore_too() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let seen = bundle.path().join("seen");
    fs::write(bundle.path().join("mine"), "found").unwrap();
    let script = format!("cat mine >>{}", seen.display());
    let hook = json!({ "path": "/bin/sh", "args": ["sh", "-c", script] });
    let bundle = bundle.with(|config| config["hooks"] = json!({ "createRuntime": [hook] }));
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    assert_eq!(fs::read_to_string(&seen).unwrap(), "foundfound");
    daemon.clean_up();
}

#[test]
fn a_bundle_behind_a_link_is_restored_too() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    let bundle = Bundle::sleeper().with_own_rootfs().with(|config| config["root"]["path"] = json!("rootfs"));
    let link = daemon.folder().join("link");
    std::os::unix::fs::symlink(bundle.path().parent().unwrap(), &link).unwrap();
    let path = link.join(bundle.path().file_name().unwrap());
    daemon.start_container(&id, &json!({ "bundlePath": path })).expect(201);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    daemon.start_container(&id, &json!({ "bundlePath": path, "checkpoint": "one" })).expect(201);
    daemon.clean_up();
}

/// As a daemon leaves it that could give it no name, or died before.
#[test]
fn a_finished_dump_that_has_no_name_yet_gets_it_before_another_one_is_made() {
    let daemon = Daemon::start();
    let bundle = counter();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it counts", || counts(&bundle).len() > 5);
    checkpoint(&daemon, &id, "one", &json!({ "exit": true }));
    let all = bundle.path().join("checkpoints");
    fs::rename(all.join("one"), all.join(".one.partial")).unwrap();
    let dumped = *counts(&bundle).last().unwrap();
    daemon.start_container(&id, &bundle.start()).expect(201);
    let again = daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({}));
    again.problem(409, "checkpoint-exists");
    assert_eq!(names(&daemon, &id), ["one"]);
    daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
    daemon.await_status(&id, "stopped");
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    eventually("it goes on where it was", || {
        counts(&bundle).iter().filter(|count| **count == dumped + 3).count() > 0
    });
    daemon.clean_up();
}

#[test]
fn the_memory_of_a_container_that_is_gone_is_kept_under_another_name_when_its_own_is_taken() {
    let daemon = Daemon::start();
    let bundle = counter();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it counts", || counts(&bundle).len() > 5);
    let all = bundle.path().join("checkpoints");
    let (client, path) = (daemon.client.clone(), format!("/containers/{id}/checkpoint/one"));
    let asking = std::thread::spawn(move || client.post(&path, &json!({ "exit": true })));
    eventually("it is being made", || all.join(".one.partial/dump.log").exists());
    // By somebody else, behind the daemon's back.
    fs::create_dir(all.join("one")).unwrap();
    let problem = asking.join().unwrap().problem(409, "checkpoint-kept");
    assert!(problem["detail"].as_str().unwrap().contains("it is there as one-1"), "{problem}");
    assert_eq!((daemon.status(&id).as_str(), names(&daemon, &id)), ("stopped", vec!["one-1".to_owned()]));
    let dumped = *counts(&bundle).last().unwrap();
    daemon.start_container(&id, &bundle.restore("one-1")).expect(201);
    eventually("it counts on", || *counts(&bundle).last().unwrap() > dumped + 3);
    fs::remove_dir(all.join("one")).unwrap();
    daemon.clean_up();
}
