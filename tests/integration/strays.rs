//! Nothing of a container outlives it: orphans are reaped by its shim, and whatever it has sent into the background goes
//! with its init process, in a pid namespace of its own or not.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

/// Sends children away twice over, in sessions of their own and deaf to SIGTERM; some end at once.
const BREEDER: &str = "trap '' TERM; for i in 1 2 3 4 5; do (busybox setsid sh -c \"trap '' TERM HUP; sleep 1000\" &) ; (sleep 0.01 &) ; done; \
                       echo bred; while :; do sleep 0.02; done";

fn without_pid_namespace(config: &mut Value) {
    let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
    namespaces.retain(|namespace| namespace["type"] != "pid");
}

/// Every process in its cgroup.
fn within(id: &str) -> Vec<u32> {
    let lists = host::cgroups(id).into_iter().map(|folder| fs::read_to_string(folder.join("cgroup.procs")));
    let mut pids: Vec<u32> = lists
        .flat_map(|list| list.unwrap_or_default().lines().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>())
        .collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

fn zombies(pids: &[u32]) -> usize {
    let stat = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    pids.iter().filter(|pid| stat(pid).contains(") Z ")).count()
}

fn bred(bundle: &Bundle, how: impl FnOnce(&Daemon, &str)) {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it has bred", || daemon.output(&id).contains("bred"));
    let body = json!({ "args": ["sh", "-c", "trap '' TERM; busybox setsid sleep 1000 & sleep 1000"] });
    let added = daemon.client.put(&format!("/containers/{id}/process"), &body).expect(200).json();
    // The shell, five that were sent away with a sleep each, the added one with two: at the least.
    eventually("all are there", || within(&id).len() >= 9);
    eventually("those that have ended are reaped", || zombies(&within(&id)) == 0);
    how(&daemon, &id);
    daemon.await_status(&id, "stopped");
    eventually("nothing runs on", || within(&id).is_empty() && host::cgroups(&id).is_empty());
    let told = daemon.client.get(&format!("/events?since=0&follow=false&id={id}&type=exit"));
    eventually("the added one's end is told", || {
        let told =
            daemon.client.get(&format!("/events?since=0&follow=false&id={id}&type=exit")).expect(200).body;
        told.contains(&format!("\"pid\":{}", added["pid"]))
    });
    drop(told);
    daemon.clean_up();
}

#[test]
fn what_a_container_has_sent_away_goes_with_its_init_process() {
    for plain in [true, false] {
        let bundle = Bundle::script(BREEDER);
        let bundle = if plain { bundle } else { bundle.with(without_pid_namespace) };
        bred(&bundle, |daemon, id| kill(Pid::from_raw(daemon.init_pid(id)), Signal::SIGKILL).unwrap());
        bred(&bundle, |daemon, id| {
            daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
        });
    }
}

/// While no daemon is there, the shim alone sees the end; the next daemon clears what is left.
#[test]
fn what_is_left_of_a_container_that_ended_without_a_daemon_is_cleared_by_the_next() {
    let daemon = Daemon::start();
    let bundle = Bundle::script(BREEDER).with(without_pid_namespace);
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it has bred", || daemon.output(&id).contains("bred") && within(&id).len() >= 6);
    let pid = daemon.init_pid(&id);
    let daemon = daemon.crash_and_restart_after(|| {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        eventually("it has ended", || !std::path::Path::new(&format!("/proc/{pid}")).exists());
    });
    assert_eq!(daemon.container(&id)["state"]["exitStatus"], json!(137));
    eventually("nothing runs on", || host::cgroups(&id).is_empty());
    daemon.clean_up();
}

#[test]
fn a_container_that_forks_as_fast_as_it_can_is_deleted_whole() {
    let daemon = Daemon::start();
    for plain in [true, false] {
        let bundle = Bundle::script("while :; do (busybox setsid sleep 1000 &) ; done").with(|config| {
            config["linux"]["resources"]["pids"] = json!({ "limit": 64 });
            if !plain {
                without_pid_namespace(config);
            }
        });
        let id = daemon.name(if plain { "a" } else { "b" });
        daemon.start_container(&id, &bundle.start()).expect(201);
        eventually("it is at its limit", || within(&id).len() >= 50);
        daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
        assert_eq!(host::cgroups(&id), Vec::<std::path::PathBuf>::new());
    }
    daemon.assert_nothing_left();
}
