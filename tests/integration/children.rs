//! What the daemon has, its children have not: no descriptor, no environment, no ambient capability.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::runtime::Runtime;
use crate::support::{eventually, host};

const SECRET: &str = "a-secret-of-the-daemon";

/// For good: what runc runs in a container before it becomes the process that was asked for has more.
fn has_three(situation: &str, pid: i64) {
    let descriptors = || {
        let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    eventually(&format!("{situation} leaves three descriptors"), || descriptors() == ["0", "1", "2"]);
}

fn added(daemon: &Daemon, id: &str, body: &Value) -> i64 {
    daemon.client.put(&format!("/containers/{id}/process"), body).expect(200).json()["pid"].as_i64().unwrap()
}

#[test]
fn a_container_has_three_descriptors_and_no_more_however_it_came_to_be() {
    let daemon = Daemon::start();
    for terminal in [false, true] {
        let bundle = Bundle::sleeper().with(|config| config["process"]["terminal"] = json!(terminal));
        let id = daemon.name(if terminal { "terminal" } else { "pipes" });
        let init = || i64::from(daemon.init_pid(&id));
        let body = json!({ "args": ["sleep", "1000"], "terminal": terminal });
        daemon.start_container(&id, &bundle.start()).expect(201);
        has_three("runc run", init());
        has_three("runc exec", added(&daemon, &id, &body));
        daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);

        daemon.start_container(&id, &bundle.start()).expect(201);
        let path = format!("/containers/{id}/checkpoint/one");
        daemon.client.post(&path, &json!({ "exit": true })).expect(201);
        daemon.start_container(&id, &bundle.restore("one")).expect(201);
        has_three("runc restore", init());
        has_three("runc exec once restored", added(&daemon, &id, &body));
    }
    daemon.clean_up();
}

/// Each process of a container's: its shim, and what runs in it.
fn family(daemon: &Daemon, id: &str) -> Vec<u32> {
    let of = host::processes(id, daemon.pid());
    assert!(of.len() >= 2, "{of:?}");
    of.into_keys().collect()
}

#[test]
fn no_environment_of_the_daemons_reaches_runc_a_shim_or_a_container() {
    let runtime = Runtime::new();
    let mut daemon = Daemon::with(&["--runtime", runtime.path().to_str().unwrap()]);
    daemon.set_env(&[
        ("CONTAINERD_REST_TEST", SECRET),
        ("LD_LIBRARY_PATH", SECRET),
        ("NOTIFY_SOCKET", SECRET),
    ]);
    let daemon = daemon.crash_and_restart_after(|| {});
    let own = fs::read(format!("/proc/{}/environ", daemon.pid())).unwrap();
    assert!(String::from_utf8_lossy(&own).contains(SECRET));

    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    for verb in ["run", "exec", "checkpoint", "restore", "pause", "resume", "delete"] {
        let note =
            format!("echo {verb} >> {0}; cat /proc/$$/environ >> {0}; exec runc \"$@\"", told.display());
        runtime.fall_ill(verb, &note);
    }
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let process = added(&daemon, &id, &json!({ "args": ["sleep", "1000"] }));
    let path = format!("/containers/{id}");
    for status in ["paused", "running"] {
        daemon.client.patch(&path, &json!({ "status": status })).expect(200);
    }
    daemon.client.post(&format!("{path}/process/{process}"), &json!({ "signal": 9 }));
    for pid in family(&daemon, &id) {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&environment).contains(SECRET), "{pid}");
    }
    daemon.client.delete(&format!("{path}?force=true")).expect(204);
    let other = Bundle::sleeper();
    daemon.start_container(&id, &other.start()).expect(201);
    daemon.client.post(&format!("{path}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    daemon.start_container(&id, &other.restore("one")).expect(201);
    daemon.clean_up();
    let told = String::from_utf8_lossy(&fs::read(told).unwrap()).into_owned();
    for verb in ["run", "exec", "checkpoint", "restore", "pause", "resume", "delete"] {
        assert!(told.contains(verb), "{verb}: {told}");
    }
    assert!(!told.contains(SECRET), "{told}");
}

/// What a line of /proc/PID/status says.
fn status(pid: u32, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
}

#[test]
fn what_a_daemon_was_started_with_is_none_of_its_childrens() {
    let folder = tempfile::tempdir().unwrap();
    // Started by somebody careless: an ambient capability, and a descriptor that is not closed.
    let program = folder.path().join("daemon");
    let script = format!(
        "#!/bin/sh\nexec 9</etc/hostname\nexec setpriv --inh-caps +kill --ambient-caps +kill {} \"$@\"\n",
        env!("CARGO_BIN_EXE_containerd-rest")
    );
    host::install_script(&program, &script);
    let daemon = Daemon::of_program(&program);
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    for pid in family(&daemon, &id) {
        assert_eq!(status(pid, "CapAmb:"), "0000000000000000", "{pid}");
        let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        let opened = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
        assert!(opened.into_iter().all(|path| path != Path::new("/etc/hostname")), "{pid}");
    }
    daemon.clean_up();
}
