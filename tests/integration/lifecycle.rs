//! Start, look, signal, pause, end, delete.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, patience};

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
    // runc answers a moment before its init process becomes the program.
    eventually("it is the program", || {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == "sleep\x001000\x00")
    });

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
        assert!(ended.elapsed() < Duration::from_millis(100) * patience(), "still {}", daemon.container(&id));
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
    let problem = daemon.client.delete(&format!("/containers/{id}")).problem(409, "wrong-state");
    // To resume it would lead to the next refusal.
    assert_eq!(problem["remedy"], format!("DELETE /containers/{id}?force=true kills it first"));
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    daemon.assert_nothing_left();
}

#[test]
fn stop_asks_then_kills_and_says_how_it_ended() {
    let daemon = Daemon::start();
    // PID 1 of a namespace ignores a signal that it has no handler for (pid_namespaces(7)).
    let polite = Bundle::script("trap 'exit 5' TERM; while :; do sleep 0.02; done");
    let deaf = Bundle::sleeper();
    let (a, b) = (daemon.name("polite"), daemon.name("deaf"));
    daemon.start_container(&a, &polite.start()).expect(201);
    daemon.start_container(&b, &deaf.start()).expect(201);
    let stop =
        |id: &str, body: &serde_json::Value| daemon.client.post(&format!("/containers/{id}/stop"), body);

    let stopped = stop(&a, &json!({})).expect(200).json();
    assert_eq!(
        (&stopped["state"]["status"], &stopped["state"]["exitStatus"]),
        (&json!("stopped"), &json!(5))
    );
    assert_eq!(stop(&a, &json!({ "signal": 9 })).expect(200).json(), stopped, "again it changes nothing");
    assert_eq!(
        daemon.client.send("POST", &format!("/containers/{a}/stop"), None).expect(200).json(),
        stopped
    );

    daemon.client.patch(&format!("/containers/{b}"), &json!({ "status": "paused" })).expect(200);
    let killed = stop(&b, &json!({ "timeout": 1 })).expect(200).json();
    assert_eq!(killed["state"]["exitSignal"], json!(9));
    daemon
        .client
        .post(&format!("/containers/{}/stop", daemon.name("none")), &json!({}))
        .problem(404, "container-not-found");
    daemon.clean_up();
}

#[test]
fn any_number_may_wait_for_the_end_of_a_container() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("while ! test -e /tmp/end; do sleep 0.01; done; exit 4").with_shared();
    let id = daemon.name("a");
    let path = format!("/containers/{id}/wait");
    daemon.client.get(&path).problem(404, "container-not-found");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let still = daemon.client.get(&format!("{path}?timeout=0")).expect(200).json();
    assert_eq!(still["state"]["status"], "running");
    std::thread::scope(|scope| {
        let waiters: Vec<_> =
            (0..8).map(|_| scope.spawn(|| daemon.client.get(&path).expect(200).json())).collect();
        std::thread::sleep(Duration::from_millis(50));
        assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
        std::fs::write(bundle.shared().join("end"), "").unwrap();
        for waiter in waiters {
            let container = waiter.join().unwrap();
            assert_eq!(
                (&container["state"]["status"], &container["state"]["exitStatus"]),
                (&json!("stopped"), &json!(4))
            );
        }
    });
    assert_eq!(
        daemon.client.get(&path).expect(200).json()["state"]["exitStatus"],
        json!(4),
        "now, since it has"
    );
    daemon.clean_up();
}

#[test]
fn a_container_that_the_kernel_killed_for_want_of_memory_says_so() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("head -c 200000000 /dev/zero | sh -c 'x=$(cat | od -v)'; sleep 0.1; exit 1")
        .with(|config| config["linux"]["resources"]["memory"] = json!({ "limit": 16_000_000 }));
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let ended = daemon.client.get(&format!("/containers/{id}/wait?timeout=30")).expect(200).json();
    assert_eq!(ended["state"]["oomKilled"], json!(true), "{ended}");
    daemon.clean_up();
}

#[test]
fn a_container_gets_a_clean_start_with_three_descriptors_and_no_signal_blocked_or_ignored() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let process =
        daemon.client.put(&format!("/containers/{id}/process"), &json!({ "args": ["sleep", "1000"] }));
    let added = process.expect(200).json()["pid"].as_i64().unwrap();
    let init = i64::from(daemon.init_pid(&id));
    for pid in [init, added] {
        // runc may have ended a moment before its child becomes the program.
        eventually("it is the program", || {
            std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.starts_with("sleep"))
        });
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        for field in ["SigBlk:", "SigIgn:"] {
            let mask = status.lines().find_map(|line| line.strip_prefix(field)).unwrap().trim();
            let mask = u64::from_str_radix(mask, 16).unwrap();
            // Signal 32 is glibc's own: its posix_spawn ignores it in every child.
            assert_eq!(mask & 0x7fff_ffff, 0, "{field} of {pid}: {mask:x}");
        }
        let mut fds: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .map(|fd| fd.unwrap().file_name().into_string().unwrap())
            .collect();
        fds.sort();
        assert_eq!(fds, ["0", "1", "2"], "of {pid}");
    }
    daemon.clean_up();
}

/// As a large one that is killed: runc takes it for dead, and it takes its time.
#[test]
fn what_is_asked_of_a_process_whose_first_thread_has_ended_waits_for_the_others() {
    let daemon = Daemon::start();
    let script = "import ctypes, os, threading, time
threading.Thread(target=lambda: (time.sleep(1.5), os._exit(3))).start()
ctypes.CDLL(None).syscall(EXIT, 0)";
    let bundle = Bundle::python(&script.replace("EXIT", &nix::libc::SYS_exit.to_string()));
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let pid = daemon.init_pid(&id);
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    eventually("its first thread has ended", || stat().contains(") Z "));
    let answer = daemon.client.patch(&format!("/containers/{id}"), &json!({ "status": "paused" }));
    let problem = answer.problem(409, "wrong-state");
    assert!(problem["detail"].as_str().unwrap().contains("stopped"), "{problem}");
    assert_eq!(daemon.container(&id)["state"]["exitStatus"], json!(3));
    daemon.clean_up();
}
