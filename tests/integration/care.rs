//! What is done for a container unasked: restarts by policy, restores, scheduled checkpoints; and what a restart of the host
//! leaves.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, eventually_within, host};

/// The request, with more in it.
fn with(mut start: Value, more: &Value) -> Value {
    start.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    start
}

fn kill_init(daemon: &Daemon, id: &str) {
    kill(Pid::from_raw(daemon.init_pid(id)), Signal::SIGKILL).unwrap();
}

/// Counts in its memory, and writes it down; a life that began anew begins at 1.
fn counter() -> Bundle {
    Bundle::subject("")
}

fn checkpoints(daemon: &Daemon, id: &str) -> Vec<String> {
    let listed = daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
    listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_fails_is_started_again_until_it_has_failed_so_many_times_in_a_row() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("echo x >>/tmp/lives; exit 3").with_shared();
    let id = daemon.name("a");
    let start = with(bundle.start(), &json!({ "restart": "on-failure:3" }));
    let begun = daemon.start_container(&id, &start).expect(201).json();
    assert_eq!((&begun["restart"], begun.get("restarts")), (&json!("on-failure:3"), None));
    let lives = || fs::read_to_string(bundle.shared().join("lives")).unwrap_or_default().lines().count();
    eventually("it has lived four times", || lives() == 4 && daemon.status(&id) == "stopped");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(lives(), 4);
    let container = daemon.container(&id);
    assert_eq!((&container["restarts"], &container["state"]["exitStatus"]), (&json!(3), &json!(3)));
    daemon.clean_up();
}

#[test]
fn what_ends_well_is_started_again_by_always_alone() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("echo x >>/tmp/$0; exit 0").with_shared();
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    daemon.start_container(&a, &with(bundle.start(), &json!({ "restart": "on-failure" }))).expect(201);
    daemon.start_container(&b, &with(bundle.start(), &json!({ "restart": "always" }))).expect(201);
    eventually("always", || daemon.container(&b)["restarts"].as_i64().unwrap_or(0) >= 2);
    assert_eq!(daemon.container(&a).get("restarts"), None);
    // One that waits to be started again is stopped, and deleted, as any other.
    daemon.client.post(&format!("/containers/{b}/stop"), &json!({})).expect(200);
    daemon.clean_up();
}

#[test]
fn who_is_stopped_is_left_alone_and_who_is_killed_is_not_by_the_next_daemon_too() {
    let mut daemon = Daemon::start();
    let (bundle, id) = (Bundle::sleeper(), daemon.name("a"));
    let start = with(bundle.start(), &json!({ "restart": "unless-stopped" }));
    daemon.start_container(&id, &start).expect(201);
    let first = daemon.init_pid(&id);
    kill_init(&daemon, &id);
    let runs = |daemon: &Daemon, other: i32| {
        let now = daemon.container(&id);
        now["state"]["status"] == "running" && now["processes"][0]["pid"] != json!(other)
    };
    eventually("another runs", || runs(&daemon, first));
    daemon = daemon.crash_and_restart_after(|| {});
    let second = daemon.init_pid(&id);
    kill_init(&daemon, &id);
    eventually("a third runs", || runs(&daemon, second));
    assert_eq!(daemon.container(&id)["restarts"], 2);
    daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(600));
        assert_eq!(daemon.status(&id), "stopped");
        daemon = daemon.crash_and_restart_after(|| {});
    }
    daemon.clean_up();
}

#[test]
fn checkpoints_are_made_by_themselves_the_newest_are_kept_and_a_killed_container_goes_on_from_one() {
    let daemon = Daemon::start();
    let (bundle, id) = (counter(), daemon.name("a"));
    let care = json!({
        "restart": "on-failure", "restoreFrom": "latest", "schedule": { "every": 1, "keep": 2 }
    });
    let begun = daemon.start_container(&id, &with(bundle.start(), &care)).expect(201).json();
    assert_eq!(begun["schedule"], json!({ "every": 1, "keep": 2 }));
    let mut seen = std::collections::BTreeSet::new();
    eventually_within(30, "four were made", || {
        let now = checkpoints(&daemon, &id);
        assert!(now.len() <= 3, "{now:?}");
        assert!(now.iter().all(|name| name.starts_with(&format!("auto-{id}-"))), "{now:?}");
        seen.extend(now);
        seen.len() >= 4
    });
    // By no clock: what was counted when it was dumped is in its memory alone.
    let counted = bundle.counted();
    assert!(counted > 20);
    kill_init(&daemon, &id);
    eventually_within(30, "it is restored", || {
        let now = daemon.container(&id);
        now["state"]["status"] == "running" && now["restarts"] == 1
    });
    let container = daemon.container(&id);
    assert!(container["checkpoint"].as_str().unwrap().starts_with("auto-"), "{container}");
    assert_eq!(container["state"].get("reason"), None);
    let all = || fs::read_to_string(bundle.shared().join("count")).unwrap();
    eventually("it counts on", || bundle.counted() > counted);
    assert_eq!(all().lines().filter(|line| *line == "1").count(), 1, "it did not begin anew");
    daemon.clean_up();
}

#[test]
fn where_no_checkpoint_can_be_restored_it_is_started_anew_or_left_and_says_why() {
    let daemon = Daemon::start();
    for (otherwise, status) in [("start", "running"), ("leave", "stopped")] {
        let (bundle, id) = (counter(), daemon.name(otherwise));
        let care = json!({ "restart": "always", "restoreFrom": "latest", "otherwise": otherwise });
        daemon.start_container(&id, &with(bundle.start(), &care)).expect(201);
        eventually("it counts", || bundle.counted() > 5);
        daemon.client.post(&format!("/containers/{id}/checkpoint/only"), &json!({})).expect(201);
        // Its list cannot see that: CRIU refuses it.
        let images = bundle.path().join("checkpoints/only/image");
        let pages = fs::read_dir(&images).unwrap().flatten().map(|entry| entry.path());
        let core = pages.into_iter().find(|path| path.to_string_lossy().contains("/mm-")).unwrap();
        fs::write(core, b"no image").unwrap();
        kill_init(&daemon, &id);
        eventually_within(30, "it says why", || daemon.container(&id)["state"].get("reason").is_some());
        eventually(status, || daemon.status(&id) == status);
        let reason = daemon.container(&id)["state"]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("checkpoint"), "{reason}");
    }
    daemon.clean_up();
}

#[test]
fn after_a_restart_of_the_host_containers_are_stopped_for_that_reason_and_policies_do_what_they_say() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let [plain, failing, stopped, always] =
        ["plain", "failing", "stopped", "always"].map(|name| daemon.name(name));
    let start = |policy: &str| with(bundle.start(), &json!({ "restart": policy }));
    daemon.start_container(&plain, &bundle.start()).expect(201);
    daemon.start_container(&failing, &start("on-failure:1")).expect(201);
    daemon.start_container(&stopped, &start("unless-stopped")).expect(201);
    daemon.start_container(&always, &start("always")).expect(201);
    for id in [&stopped, &always] {
        daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
    }
    let (state, prefix) = (daemon.state_folder(), daemon.prefix.clone());
    let mut daemon = daemon.crash_and_restart_after(|| {
        // As a boot leaves it: no process, no cgroup, another boot's volatile folder.
        host::end_containers(&prefix);
        fs::write(state.join("boot-id"), "another").unwrap();
    });
    let settled = |daemon: &Daemon| {
        eventually("policies are obeyed", || {
            [&failing, &always].iter().all(|id| daemon.status(id) == "running")
        });
        assert_eq!([&plain, &stopped].map(|id| daemon.status(id)), ["stopped", "stopped"]);
    };
    settled(&daemon);
    assert_eq!(daemon.container(&plain)["state"]["reason"], "host restarted");
    assert_eq!(daemon.container(&stopped)["state"].get("reason"), None);
    // The next daemon of this boot says the same.
    daemon = daemon.crash_and_restart_after(|| {});
    settled(&daemon);
    assert_eq!(daemon.container(&plain)["state"]["reason"], "host restarted");
    daemon.clean_up();
}
