//! The daemon, the shim and runc, each killed in every phase of a dump and of a restore: whole or not at all.
//! (CRIU: `host_faults`.)

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

/// Where in CRIU's log, in lines: the beginning, the middle, the end.
const OF_A_DUMP: [usize; 3] = [1, 150, 450];
const OF_A_RESTORE: [usize; 3] = [1, 60, 150];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Victim {
    Daemon,
    Shim,
    Runc,
}

fn counter() -> Bundle {
    Bundle::script("i=0; while :; do i=$((i+1)); echo $i >>/tmp/count; sleep 0.01; done").with_shared()
}

fn counts_on(bundle: &Bundle) {
    let count = || fs::read_to_string(bundle.shared().join("count")).unwrap_or_default().lines().count();
    let now = count();
    eventually("it goes on", || count() > now + 3);
}

fn lines(log: &Path) -> usize {
    fs::read(log).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
}

/// Asks, and kills the victim when CRIU's log is so far; gives the daemon that is there then. `false`: it was done before.
fn cut(
    daemon: Daemon,
    id: &str,
    victim: Victim,
    is_reached: impl Fn(&Path) -> bool,
    asked: (&str, &Value),
    log: impl Fn(&Daemon) -> Option<PathBuf>,
) -> (Daemon, bool) {
    let (client, path, body) = (daemon.client.clone(), asked.0.to_owned(), asked.1.clone());
    let asking = std::thread::spawn(move || client.try_send("POST", &path, &body));
    let find = |daemon: &Daemon| {
        let named = match victim {
            Victim::Daemon => return Some(daemon.pid()),
            Victim::Shim => "containerd-rest-shim",
            Victim::Runc => "runc --root",
        };
        host::processes(id, 0).into_iter().find(|(_, line)| line.contains(named)).map(|(pid, _)| pid)
    };
    // Without a pause: a phase lasts some milliseconds.
    let found = loop {
        if asking.is_finished() {
            break None;
        }
        if log(&daemon).is_some_and(|log| is_reached(&log))
            && let Some(pid) = find(&daemon)
        {
            break Some(pid);
        }
    };
    if let Some(pid) = found.filter(|_| victim != Victim::Daemon) {
        let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL);
    }
    let daemon = if victim == Victim::Daemon { daemon.crash_and_restart_after(|| {}) } else { daemon };
    asking.join().unwrap();
    (daemon, found.is_some())
}

/// Nothing half-made is there, and what is listed can be restored.
fn is_whole(daemon: &Daemon, bundle: &Bundle, id: &str) {
    let all = bundle.path().join("checkpoints");
    let hidden =
        || host::files(&all, &[]).into_iter().filter(|file| file.starts_with('.')).collect::<Vec<_>>();
    eventually("nothing half-made is left", || hidden().is_empty());
    let listed = daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
    for one in listed.as_array().unwrap() {
        assert_eq!(one["restorable"], true, "{one}");
        let (name, clone) = (one["name"].as_str().unwrap(), format!("{id}-clone"));
        daemon.start_container(&clone, &bundle.restore(name)).expect(201);
        daemon.client.delete(&format!("/containers/{clone}?force=true")).expect(204);
        daemon.client.delete(&format!("/containers/{id}/checkpoint/{name}")).expect(200);
    }
}

fn settled(daemon: &Daemon, id: &str) -> String {
    eventually("nothing is under way", || {
        let answer = daemon.client.get(&format!("/containers/{id}"));
        answer.status == 200
            && ["running", "stopped"].map(|state| json!(state)).contains(&answer.json()["state"]["status"])
    });
    daemon.status(id)
}

#[test]
fn whoever_is_killed_in_a_dump_it_is_whole_or_not_there_and_the_container_goes_on() {
    let mut daemon = Daemon::start();
    let bundle = counter();
    let mut cuts = 0;
    for victim in [Victim::Daemon, Victim::Shim, Victim::Runc] {
        for phase in OF_A_DUMP {
            let id = daemon.name("a");
            daemon.start_container(&id, &bundle.start()).expect(201);
            let partial = bundle.path().join("checkpoints/.one.partial/dump.log");
            let asked = (&*format!("/containers/{id}/checkpoint/one"), &json!({}));
            let in_time;
            (daemon, in_time) =
                cut(daemon, &id, victim, |log| lines(log) >= phase, asked, |_| Some(partial.clone()));
            cuts += usize::from(in_time);
            let status = settled(&daemon, &id);
            // A CRIU that is ended with its runc may have been at work inside it: then it dies at a breakpoint.
            if status == "stopped" {
                let state = daemon.container(&id)["state"].clone();
                assert!(
                    victim != Victim::Daemon && [json!(5), Value::Null].contains(&state["exitSignal"]),
                    "{victim:?} {phase} {state}"
                );
            } else {
                counts_on(&bundle);
            }
            is_whole(&daemon, &bundle, &id);
            daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
        }
    }
    assert!(cuts >= 5, "only {cuts} were cut");
    daemon.clean_up();
}

/// CRIU has written all, ends the container, and somebody dies before that is said: there is no other copy of its memory.
#[test]
fn whoever_is_killed_at_the_end_of_a_dump_with_exit_the_memory_is_there_or_the_container_is() {
    let mut daemon = Daemon::start();
    let bundle = counter();
    let mut ended = 0;
    for victim in [Victim::Daemon, Victim::Shim, Victim::Runc, Victim::Runc, Victim::Runc] {
        for words in ["Unseizing", "Writing stats"] {
            let id = daemon.name("a");
            daemon.start_container(&id, &bundle.start()).expect(201);
            counts_on(&bundle);
            let partial = bundle.path().join("checkpoints/.one.partial/dump.log");
            let asked = (&*format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true }));
            let says =
                |log: &Path| fs::read(log).is_ok_and(|said| String::from_utf8_lossy(&said).contains(words));
            (daemon, _) = cut(daemon, &id, victim, says, asked, |_| Some(partial.clone()));
            let status = settled(&daemon, &id);
            let listed = || daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
            if status == "stopped" {
                ended += 1;
                eventually("its memory is there", || listed().as_array().unwrap().len() == 1);
            } else {
                counts_on(&bundle);
            }
            is_whole(&daemon, &bundle, &id);
            daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
        }
    }
    assert!(ended > 5, "{ended}");
    daemon.clean_up();
}

#[test]
fn whoever_is_killed_in_a_restore_it_runs_or_nothing_of_it_is_left() {
    let mut daemon = Daemon::start();
    let bundle = counter();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let mut cuts = 0;
    for victim in [Victim::Daemon, Victim::Shim, Victim::Runc] {
        for phase in OF_A_RESTORE {
            let id = id.clone();
            let log = |daemon: &Daemon| {
                let runs = fs::read_dir(daemon.state_folder().join("containers").join(&id)).ok()?.flatten();
                runs.map(|run| run.path().join("restore.log"))
                    .max_by_key(|log| fs::metadata(log).and_then(|log| log.modified()).ok())
            };
            let asked = (&*format!("/containers/{id}"), &bundle.restore("one"));
            let in_time;
            (daemon, in_time) = cut(daemon, &id, victim, |log| lines(log) >= phase, asked, log);
            cuts += usize::from(in_time);
            if settled(&daemon, &id) == "running" {
                counts_on(&bundle);
                daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
                daemon.await_status(&id, "stopped");
            }
            eventually("nothing of it runs", || {
                host::processes(&id, daemon.pid()).into_iter().all(|(_, line)| !line.contains("/tmp/count"))
            });
            daemon.start_container(&id, &bundle.restore("one")).expect(201);
            daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
            daemon.await_status(&id, "stopped");
        }
    }
    assert!(cuts >= 5, "only {cuts} were cut");
    daemon.clean_up();
}
