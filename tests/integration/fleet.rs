//! Many at once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

const COUNT: usize = 100;
const CONCURRENCY: usize = 16;

/// Runs a job for each number, so many at a time.
fn concurrently(job: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CONCURRENCY {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= COUNT {
                        break;
                    }
                    job(number);
                }
            });
        }
    });
}

#[test]
fn a_hundred_containers_at_sixteen_at_once_are_each_themselves_and_leave_the_host_as_it_was() {
    let daemon = Daemon::start();
    let bundles: Vec<Bundle> = (0..COUNT)
        .map(|number| {
            Bundle::new(&["sleep", &(1000 + number).to_string()])
                .with(|config| config["process"]["user"] = json!({ "uid": number, "gid": number }))
        })
        .collect();
    let pids = Mutex::new(BTreeSet::new());
    concurrently(|number| {
        let id = daemon.name(&number.to_string());
        let started = daemon.start_container(&id, &bundles[number].start()).expect(201).json();
        pids.lock().unwrap().insert(started["processes"][0]["pid"].as_i64().unwrap());
    });
    assert_eq!(pids.lock().unwrap().len(), COUNT, "each has a process of its own");

    let state = daemon.client.get("/state").expect(200).json();
    let containers = state["containers"].as_array().unwrap();
    assert_eq!(containers.len(), COUNT);
    for number in 0..COUNT {
        let id = daemon.name(&number.to_string());
        let container = containers.iter().find(|one| one["id"] == json!(id)).unwrap();
        assert_eq!(container["state"], json!({ "status": "running" }), "{id}");
        let process = &container["processes"][0];
        let args = ["sleep".to_owned(), (1000 + number).to_string()];
        assert_eq!(process["args"], json!(args));
        assert_eq!(process["user"], json!({ "uid": number, "gid": number }));
        // What is said is what is: the kernel's own view of that pid.
        let pid = process["pid"].as_i64().unwrap();
        // A moment after the answer: runc may have ended before its child becomes the program.
        let line = format!("{}\0", args.join("\0"));
        eventually("it is the program", || {
            std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|command| command == line)
        });
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains(&format!("\nUid:\t{number}\t")), "{id}");
    }
    assert_eq!(
        host::files(&daemon.state_folder().join("runc"), &[])
            .iter()
            .filter(|name| !name.contains('/'))
            .count(),
        COUNT
    );

    concurrently(|number| {
        daemon
            .client
            .delete(&format!("/containers/{}?force=true", daemon.name(&number.to_string())))
            .expect(204);
    });
    assert_eq!(daemon.client.get("/containers").expect(200).json(), json!([]));
    daemon.assert_nothing_left();
}

#[test]
fn of_many_that_want_one_name_at_once_one_gets_it() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    let statuses = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..CONCURRENCY {
            scope.spawn(|| {
                let status = daemon.start_container(&id, &bundle.start()).status;
                statuses.lock().unwrap().push(status);
            });
        }
    });
    let statuses = statuses.into_inner().unwrap();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), CONCURRENCY - 1, "{statuses:?}");
    daemon.clean_up();
}

#[test]
fn two_containers_never_share_a_cgroup_so_that_a_signal_or_a_pause_reaches_one() {
    let daemon = Daemon::start();
    let place = format!("/{}", daemon.name("shared"));
    let bundle = |path: &str| {
        let path = path.to_owned();
        Bundle::sleeper().with(|config| config["linux"]["cgroupsPath"] = json!(path))
    };
    let (first, same, inside, beside) =
        (bundle(&place), bundle(&place), bundle(&format!("{place}/inner")), bundle(&format!("{place}r")));
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    daemon.start_container(&a, &first.start()).expect(201);
    for other in [&same, &inside, &first] {
        let problem = daemon.start_container(&b, &other.start()).problem(409, "cgroup-taken");
        assert!(problem["detail"].as_str().unwrap().contains(&a), "{problem}");
    }
    assert_eq!(daemon.status(&a), "running");
    daemon.start_container(&b, &beside.start()).expect(201);
    daemon.clean_up();
}

#[test]
fn a_failed_exec_ends_nobody_elses_orphans() {
    let daemon = Daemon::start();
    // Without a pid namespace the container's orphans become the shim's children.
    let bundle = Bundle::script("while :; do (sleep 300 &); sleep 0.02; done").with(|config| {
        let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
        namespaces.retain(|namespace| namespace["type"] != "pid");
    });
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let orphans = || {
        host::processes(&id, daemon.pid()).values().filter(|command| command.contains("sleep 300")).count()
    };
    for _ in 0..8 {
        let before = orphans();
        daemon
            .client
            .put(&format!("/containers/{id}/process"), &json!({ "args": ["nosuch"] }))
            .problem(500, "runtime-failed");
        assert!(orphans() >= before, "{before} before, {} now", orphans());
    }
    daemon.clean_up();
}
