//! Start, look, signal, pause, end, delete.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

#[test]
fn a_container_lives_from_start_to_delete_and_leaves_nothing() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    let started = daemon.start_container(&id, &bundle.start()).expect(201).json();
    assert_eq!(started["state"], json!({ "status": "running" }));
    assert_eq!(started["bundlePath"], json!(bundle.path()));
    let process = &started["processes"][0];
    assert_eq!(process["args"], json!(["sleep", "1000"]));
    assert_eq!(process["env"], json!(["PATH=/bin", "TERM=xterm"]));
    assert_eq!(process["user"], json!({ "uid": 0, "gid": 0 }));
    assert_eq!(process["terminal"], json!(false));
    let pid = process["pid"].as_i64().unwrap();
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert_eq!(command, "sleep\x001000\x00");

    let state = daemon.client.get("/state").expect(200).json();
    assert_eq!(state["containers"], json!([started]));
    assert!(state["machine"]["cpus"].as_i64().unwrap() >= 1);
    assert_eq!(daemon.client.get("/containers").expect(200).json(), json!([started]));
    assert_eq!(daemon.container(&id), started);

    daemon.client.delete(&format!("/containers/{id}")).problem(409, "wrong-state");
    assert_eq!(daemon.container(&id), started, "a refused delete changes nothing");
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    daemon.client.get(&format!("/containers/{id}")).problem(404, "container-not-found");
    daemon.assert_nothing_left();
}

#[test]
fn a_container_that_ends_by_itself_is_stopped_with_its_status_within_100_ms() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("while ! test -e /tmp/end; do sleep 0.01; done; exit 7").with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let pid = daemon.init_pid(&id);
    std::fs::write(bundle.shared().join("end"), "").unwrap();
    // The end is when the kernel says so: the process is gone, or a zombie.
    eventually("init ends", || {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
    });
    let ended = Instant::now();
    while daemon.status(&id) != "stopped" {
        assert!(ended.elapsed() < Duration::from_millis(100), "still {}", daemon.container(&id));
    }
    let container = daemon.container(&id);
    assert_eq!(container["state"]["exitStatus"], json!(7));
    assert_eq!(container["state"].get("exitSignal"), None);
    assert_eq!(container["processes"], json!([]));
    daemon.client.delete(&format!("/containers/{id}")).expect(204);
    daemon.assert_nothing_left();
}

#[test]
fn a_signal_ends_the_init_process_and_is_named_in_its_state() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
    daemon.await_status(&id, "stopped");
    let state = &daemon.container(&id)["state"];
    assert_eq!((&state["exitStatus"], &state["exitSignal"]), (&json!(137), &json!(9)));
    daemon.clean_up();
}

#[test]
fn a_paused_container_stands_still_until_it_is_resumed() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("while :; do echo x >>/tmp/ticks; sleep 0.01; done").with_shared();
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    let ticks = || std::fs::metadata(bundle.shared().join("ticks")).map_or(0, |file| file.len());
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it ticks", || ticks() > 0);

    let paused = daemon.client.patch(&path, &json!({ "status": "paused" })).expect(200).json();
    assert_eq!(paused["state"]["status"], "paused");
    let before = ticks();
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(ticks(), before);
    daemon.client.patch(&path, &json!({ "status": "paused" })).expect(200);

    daemon.client.patch(&path, &json!({ "status": "running" })).expect(200);
    eventually("it ticks again", || ticks() > before);
    daemon.client.patch(&path, &json!({ "status": "running" })).expect(200);

    daemon.client.patch(&path, &json!({ "status": "paused", "signal": 9 })).expect(200);
    daemon.await_status(&id, "stopped");
    daemon.clean_up();
}

#[test]
fn a_paused_container_can_be_deleted_with_force() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.patch(&format!("/containers/{id}"), &json!({ "status": "paused" })).expect(200);
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    daemon.assert_nothing_left();
}
