//! A daemon and a shim of other versions: what a newer shim says more is passed over, what an older one does not say is
//! done without. A proxy doctors what the real shim says.

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

/// Stands between the daemon and the real shim, line by line; `doctor(message)` gives the messages in its place.
const PROXY: &str = r#"#!/usr/bin/env python3
import json, os, socket, subprocess, sys, threading
DOCTOR
# As a hook it is another program.
if "--raise-loopback" in sys.argv:
    os.execv("SHIM", sys.argv)
front = socket.socket(fileno=os.dup(0))
os.path.exists("real.sock") and os.unlink("real.sock")
back = socket.socket(socket.AF_UNIX)
back.bind("/proc/self/cwd/real.sock")
back.listen()
real = subprocess.Popen(["SHIM"] + sys.argv[1:], stdin=back, stdout=subprocess.DEVNULL)
back.close()

def copy(source, target, change):
    try:
        for line in source.makefile("rb"):
            for message in change(json.loads(line)):
                target.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        pass
    for one in (source, target):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

said = []

def serve():
    while True:
        daemon, _ = front.accept()
        shim = socket.socket(socket.AF_UNIX)
        shim.connect("/proc/self/cwd/real.sock")
        said.append(threading.Thread(target=copy, args=(shim, daemon, doctor), daemon=True))
        said[-1].start()
        threading.Thread(target=copy, args=(daemon, shim, lambda message: [message]), daemon=True).start()

threading.Thread(target=serve, daemon=True).start()
real.wait()
for thread in said:
    thread.join(5)
"#;

const NEWER: &str = r#"
def doctor(message):
    message["mood"] = {"good": True}
    if message["say"] == "hello":
        message["version"] = 99
    return [{"say": "telemetry", "load": 0.5}, message, {"say": "goodbye"}]
"#;

/// Of the first version, before the fields that were added to it.
const OLDER: &str = r#"
def doctor(message):
    if message["say"] == "hello":
        message["version"] = 0
        for field in ("busy", "seq"):
            message.pop(field, None)
        if message.get("exit"):
            message["exit"].pop("oom", None)
    if message["say"] == "exited":
        message.pop("oom", None)
    return [message]
"#;

/// `lazy`: whether it is new enough to be asked for a page server.
fn lives_with(doctor: &str, lazy: bool) {
    let folder = tempfile::tempdir().unwrap();
    let proxy = folder.path().join("containerd-rest-shim-proxy");
    let script = PROXY.replace("SHIM", env!("CARGO_BIN_EXE_containerd-rest-shim")).replace("DOCTOR", doctor);
    host::install_script(&proxy, &script);
    let daemon = Daemon::with(&["--shim", proxy.to_str().unwrap()]);
    let bundle = Bundle::script("trap 'exit 6' TERM; i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done");
    let id = daemon.name("a");
    let path = format!("/containers/{id}");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let run = |daemon: &Daemon, script: &str| {
        let body = json!({ "args": ["sh", "-c", script] });
        daemon.client.put(&format!("{path}/process"), &body).expect(200).json()["pid"].as_i64().unwrap()
    };
    let status = |daemon: &Daemon, pid: i64| {
        daemon.client.get(&format!("{path}/process/{pid}/wait?timeout=20")).expect(200).json()["state"]["exitStatus"].clone()
    };
    let quick = run(&daemon, "exit 3");
    assert_eq!(status(&daemon, quick), json!(3));
    let long = run(&daemon, "exec sleep 1000");

    // A daemon that finds it there.
    let daemon = daemon.crash_and_restart_after(|| {});
    assert_eq!(daemon.container(&id)["processes"].as_array().unwrap().len(), 2);
    let again = run(&daemon, "exit 4");
    assert_eq!(status(&daemon, again), json!(4));
    daemon.client.post(&format!("{path}/process/{long}"), &json!({ "signal": 9 })).expect(200);
    assert_eq!(status(&daemon, long), json!(137));
    daemon.client.post(&format!("{path}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let mut body = bundle.restore("one");
    body["lazyPages"] = json!(true);
    let restored = daemon.start_container(&id, &body);
    if lazy {
        restored.expect(201);
        eventually("all is in", || daemon.container(&id)["pages"] == "loaded");
    } else {
        let problem = restored.problem(409, "feature-unavailable");
        assert!(problem["detail"].as_str().unwrap().contains("the shim speaks version 0"), "{problem}");
        daemon.start_container(&id, &bundle.restore("one")).expect(201);
    }
    eventually("it counts on", || {
        daemon.client.get(&format!("{path}/logs?tail=1")).expect(200).body.trim().parse::<u64>().is_ok()
    });
    daemon.client.post(&format!("{path}/stop"), &json!({ "timeout": 20 })).expect(200);
    assert_eq!(daemon.container(&id)["state"]["exitStatus"], json!(6));
    daemon.clean_up();
}

#[test]
fn a_newer_shim_that_says_more_is_understood() {
    lives_with(NEWER, true);
}

#[test]
fn an_older_shim_that_says_less_is_understood() {
    lives_with(OLDER, false);
}
