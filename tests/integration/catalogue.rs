//! What is told of checkpoints, and which of them are refused before anything is touched.

use std::fs;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

fn made(daemon: &Daemon, id: &str, name: &str, options: &Value) -> Value {
    daemon.client.post(&format!("/containers/{id}/checkpoint/{name}"), options).expect(201).json()
}

fn list(daemon: &Daemon, id: &str, query: &str) -> Vec<Value> {
    let listed = daemon.client.get(&format!("/containers/{id}/checkpoint{query}")).expect(200).json();
    listed.as_array().unwrap().clone()
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().map(|one| one["name"].as_str().unwrap()).collect()
}

/// Fails as it should, and leaves the container stopped.
#[track_caller]
fn refused(daemon: &Daemon, id: &str, bundle: &Bundle, kind: &str) -> String {
    let answer = daemon.start_container(id, &bundle.restore("one"));
    let detail = answer.problem(409, kind)["detail"].as_str().unwrap().to_owned();
    assert_eq!(daemon.status(id), "stopped");
    detail
}

#[test]
fn a_checkpoint_tells_what_made_it_and_what_is_in_it() {
    let daemon = Daemon::start();
    let script = "nc -l -p 7 & (sleep 1000 | cat) & touch /tmp/ready; while :; do sleep 0.1; done";
    let bundle = Bundle::script(script).with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it is ready", || bundle.shared().join("ready").exists());
    eventually("all run", || {
        let pid = daemon.init_pid(&id);
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.split_whitespace().count() >= 3
    });
    let answer = made(&daemon, &id, "one", &json!({ "exit": true, "fileLocks": true }));
    assert_eq!(list(&daemon, &id, ""), std::slice::from_ref(&answer));
    let version = daemon.client.get("/version").expect(200).json();
    assert_eq!((&answer["container"], &answer["exit"]), (&json!(id), &json!(true)));
    assert_eq!((&answer["fileLocks"], &answer["restorable"]), (&json!(true), &json!(true)));
    assert_eq!((&answer["criu"], &answer["kernel"]), (&version["criu"]["version"], &version["kernel"]));
    assert_eq!(answer["runtime"], version["runtime"]["version"]);
    assert!(answer["size"].as_u64().unwrap() > 100_000, "{answer}");

    let processes = answer["processes"].as_array().unwrap();
    let commands: Vec<&str> = processes.iter().map(|one| one["command"].as_str().unwrap()).collect();
    for command in ["nc", "cat", "sleep", "sh"] {
        assert!(commands.contains(&command), "{commands:?}");
    }
    assert_eq!((&processes[0]["pid"], &processes[0]["parent"]), (&json!(1), &json!(0)));

    let report = daemon.client.get(&format!("/containers/{id}/checkpoint/one")).expect(200).json();
    assert_eq!(report["checkpoint"], answer);
    let details = report["processes"].as_array().unwrap();
    assert_eq!(details.len(), processes.len());
    assert!(details.iter().all(|one| one["memory"].as_u64().unwrap() >= 4096), "{report}");
    let whole: u64 = details.iter().map(|one| one["memory"].as_u64().unwrap()).sum();
    assert_eq!(report["memory"], whole, "CRIU's own count of what it wrote");
    assert!(report["frozenMicros"].as_u64().unwrap() > 0);
    let open: Vec<&Value> = details.iter().flat_map(|one| one["descriptors"].as_array().unwrap()).collect();
    assert!(open.iter().any(|one| one["kind"] == "tcp" && one["what"] == "[::]:7"), "{open:?}");
    assert!(open.iter().any(|one| one["kind"] == "pipe" && one["number"] == 1), "{open:?}");
    let mounts = report["mounts"].as_array().unwrap();
    let at =
        |path: &str| mounts.iter().find(|one| one["path"] == path).unwrap_or_else(|| panic!("{mounts:?}"));
    assert_eq!((&at("/proc")["external"], &at("/tmp")["external"]), (&json!(false), &json!(true)));
    daemon.client.get(&format!("/containers/{id}/checkpoint/two")).problem(404, "checkpoint-not-found");
    daemon.clean_up();
}

#[test]
fn checkpoints_are_listed_in_the_order_that_is_asked_for() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    for name in ["m", "z", "a"] {
        made(&daemon, &id, name, &json!({}));
    }
    fs::write(bundle.path().join("checkpoints/z/image/more"), vec![1; 1024 * 1024]).unwrap();
    assert_eq!(names(&list(&daemon, &id, "")), ["m", "z", "a"]);
    assert_eq!(names(&list(&daemon, &id, "?sort=newest&limit=2")), ["a", "z"]);
    assert_eq!(names(&list(&daemon, &id, "?sort=name")), ["a", "m", "z"]);
    assert_eq!(names(&list(&daemon, &id, "?sort=largest&limit=1")), ["z"]);
    for query in ["?sort=size", "?limit=0", "?limit=x"] {
        daemon.client.get(&format!("/containers/{id}/checkpoint{query}")).problem(422, "invalid-request");
    }
    daemon.clean_up();
}

#[test]
fn a_bundle_that_has_changed_is_restored_only_when_that_is_allowed() {
    let daemon = Daemon::start();
    let mut bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    // Changed already when it is dumped: what counts is what it was started with.
    bundle = bundle.with(|config| config["hostname"] = json!("other"));
    made(&daemon, &id, "one", &json!({ "exit": true }));
    let detail = refused(&daemon, &id, &bundle, "bundle-changed");
    assert!(detail.ends_with("at /hostname"), "{detail}");
    let listed = &list(&daemon, &id, "")[0];
    assert_eq!(listed["restorable"], false);
    assert!(listed["obstacles"][0].as_str().unwrap().contains("/hostname"), "{listed}");
    let anyway = format!("/containers/{id}?allowChangedBundle=true");
    daemon.client.post(&anyway, &bundle.restore("one")).expect(201);
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    // The same in another order, with spaces.
    bundle = bundle.with(|config| config["hostname"] = json!("box"));
    let pretty = serde_json::to_string_pretty(&bundle.config).unwrap();
    fs::write(bundle.path().join("config.json"), pretty).unwrap();
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}

#[test]
fn a_checkpoint_of_a_newer_criu_or_another_processor_or_that_is_damaged_is_refused() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    made(&daemon, &id, "one", &json!({ "exit": true }));
    let path = bundle.path().join("checkpoints/one/checkpoint.json");
    let meta: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let with = |at: &str, value: Value| {
        let mut meta = meta.clone();
        *meta.pointer_mut(at).unwrap() = value;
        fs::write(&path, meta.to_string()).unwrap();
    };
    with("/madeBy/criu", json!("999.0"));
    assert!(refused(&daemon, &id, &bundle, "checkpoint-unfit").contains("made by CRIU 999.0"));
    with("/madeBy/cpu/flags", json!(["avx9000"]));
    assert!(refused(&daemon, &id, &bundle, "checkpoint-unfit").contains("lacks: avx9000"));
    with("/madeBy/cpu/architecture", json!("pdp11"));
    assert!(refused(&daemon, &id, &bundle, "checkpoint-unfit").contains("made on pdp11"));
    with("/madeBy/kernel", meta["madeBy"]["kernel"].clone());
    // CRIU itself would read the missing pages for ever, and fill the disk with its log.
    let pages = bundle.path().join("checkpoints/one/image/pages-1.img");
    let whole = fs::read(&pages).unwrap();
    fs::write(&pages, &whole[..100]).unwrap();
    assert!(refused(&daemon, &id, &bundle, "checkpoint-unfit").contains("pages-1.img has 100 bytes"));
    assert_eq!(list(&daemon, &id, "")[0]["restorable"], false);
    fs::write(&pages, whole).unwrap();
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}

#[test]
fn an_image_with_garbage_in_its_middle_is_named_and_refused() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("exec 9>/tmp/l; sleep 1000 | cat").with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("both run", || {
        let pid = daemon.init_pid(&id);
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.split_whitespace().count() == 2
    });
    made(&daemon, &id, "one", &json!({ "exit": true }));
    let images = bundle.path().join("checkpoints/one/image");
    for name in ["mm-1.img", "files.img", "fdinfo-2.img", "core-1.img"] {
        let path = images.join(name);
        let whole = fs::read(&path).unwrap();
        for seed in 0..20 {
            let mut garbage = whole.clone();
            let middle = garbage.len() / 2;
            fastrand::Rng::with_seed(seed).fill(&mut garbage[middle - 16..middle + 16]);
            fs::write(&path, garbage).unwrap();
            let listed = &list(&daemon, &id, "")[0];
            assert_eq!(listed["restorable"], false, "{name}, {seed}");
            let obstacle = listed["obstacles"][0].as_str().unwrap();
            assert!(obstacle.starts_with(&format!("its images are damaged: {name} ")), "{obstacle}");
        }
        assert!(refused(&daemon, &id, &bundle, "checkpoint-unfit").contains(name));
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(list(&daemon, &id, "")[0]["restorable"], true);
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}

#[test]
fn pids_and_ports_of_the_hosts_that_are_taken_are_named() {
    let daemon = Daemon::start();
    let without = |bundle: Bundle, kind: &str| {
        bundle.with(|config| {
            config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != kind);
        })
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listener = without(Bundle::new(&["nc", "-l", "-p", &port.to_string()]), "network");
    let sharing = without(Bundle::sleeper(), "pid");
    for (name, bundle) in [("pid", &sharing), ("port", &listener)] {
        let (id, second) = (daemon.name(name), daemon.name(&format!("{name}2")));
        daemon.start_container(&id, &bundle.start()).expect(201);
        let pid = daemon.init_pid(&id);
        if name == "port" {
            eventually("it listens", || {
                std::fs::read_to_string("/proc/net/tcp6").unwrap().contains(&format!(":{port:04X} "))
            });
        }
        made(&daemon, &id, "one", &json!({}));
        let answer = daemon.start_container(&second, &bundle.restore("one"));
        let detail = answer.problem(409, "host-conflict")["detail"].as_str().unwrap().to_owned();
        let what = if name == "pid" {
            format!("the pid {pid} of its sleep")
        } else {
            format!("listens at [::]:{port}")
        };
        assert!(detail.contains(&what), "{detail}");
        daemon.client.get(&format!("/containers/{second}")).problem(404, "container-not-found");
        // Once it is free it is no conflict any more.
        daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
        daemon.start_container(&id, &bundle.restore("one")).expect(201);
        assert_eq!(daemon.status(&id), "running");
    }
    daemon.clean_up();
}

#[test]
fn a_user_namespace_is_dumped_and_restored() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper().with(|config| {
        let mapping = json!([{ "containerID": 0, "hostID": 100_000, "size": 1000 }]);
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
        config["linux"]["uidMappings"] = mapping.clone();
        config["linux"]["gidMappings"] = mapping;
    });
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    made(&daemon, &id, "one", &json!({ "exit": true }));
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    let pid = daemon.init_pid(&id);
    let mapped = fs::read_to_string(format!("/proc/{pid}/uid_map")).unwrap();
    assert_eq!(mapped.split_whitespace().collect::<Vec<_>>(), ["0", "100000", "1000"]);
    daemon.clean_up();
}

/// What is being deleted is there whole, or is not there.
#[test]
fn checkpoints_that_are_looked_at_while_others_are_deleted_are_whole_or_gone() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    made(&daemon, &id, "one", &json!({ "exit": true }));
    let all = bundle.path().join("checkpoints");
    let path = |name: &str| format!("/containers/{id}/checkpoint/{name}");
    for _ in 0..3 {
        let copies: Vec<String> = (0..30).map(|number| format!("copy-{number}")).collect();
        for copy in &copies {
            let status =
                std::process::Command::new("cp").arg("-a").args([all.join("one"), all.join(copy)]).status();
            assert!(status.unwrap().success());
        }
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_over.load(std::sync::atomic::Ordering::Acquire) {
                        for listed in list(&daemon, &id, "") {
                            assert_eq!(listed["restorable"], true, "{listed}");
                        }
                    }
                });
                scope.spawn(|| {
                    for copy in &copies {
                        while daemon.client.get(&path(copy)).status == 200 {}
                        daemon.client.get(&path(copy)).problem(404, "checkpoint-not-found");
                    }
                });
            }
            for copy in &copies {
                std::thread::sleep(std::time::Duration::from_millis(5));
                daemon.client.delete(&path(copy)).expect(200);
            }
            is_over.store(true, std::sync::atomic::Ordering::Release);
        });
    }
    assert_eq!(names(&list(&daemon, &id, "")), ["one"]);
    daemon.clean_up();
}

/// Files that a careless umask would let everybody write are no reason to refuse what the daemon itself has made.
#[test]
fn a_daemon_that_was_started_without_a_umask_restores_what_it_has_dumped() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("containerd-rest");
    let real = env!("CARGO_BIN_EXE_containerd-rest");
    host::install_script(&program, &format!("#!/bin/sh\numask 0\nexec {real} \"$@\"\n"));
    let daemon = Daemon::of_program(&program);
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    assert!(status.contains("Umask:\t0000"), "{status}");
    made(&daemon, &id, "one", &json!({ "exit": true }));
    assert_eq!(list(&daemon, &id, "")[0]["restorable"], true);
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    let (_, archive) = daemon.client.bytes(&format!("/containers/{id}/checkpoint/one/archive"), &[]);
    daemon
        .client
        .send_as("PUT", &format!("/containers/{id}/checkpoint/two/archive"), Some(&archive), &[])
        .expect(201);
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    daemon.start_container(&id, &bundle.restore("two")).expect(201);
    daemon.clean_up();
}

/// CRIU has other rules for what the images do not tell, so nothing that they do not tell is passed over.
#[test]
fn images_that_do_not_tell_what_a_process_may_do_are_damaged() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    made(&daemon, &id, "one", &json!({ "exit": true }));
    let images = bundle.path().join("checkpoints/one/image");
    for name in ["core-1.img", "ids-1.img"] {
        fs::rename(images.join(name), bundle.path().join(name)).unwrap();
        let detail = refused(&daemon, &id, &bundle, "checkpoint-unfit");
        assert!(detail.contains(&format!("{name} is not there")), "{detail}");
        let listed = &list(&daemon, &id, "")[0];
        assert_eq!(listed["restorable"], false, "{listed}");
        fs::rename(bundle.path().join(name), images.join(name)).unwrap();
    }
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}
