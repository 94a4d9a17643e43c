//! What a dead daemon leaves, the next one takes back: finished or undone, nothing lost, nothing left.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

fn kill(pid: u32) {
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
}

pub(crate) fn shim_of(daemon: &Daemon, id: &str) -> u32 {
    let folder = daemon.root_folder().to_string_lossy().into_owned();
    let found = host::processes(&folder, daemon.pid());
    let shim = found.iter().find(|(_, command)| {
        command.contains("containerd-rest-shim") && command.contains(&format!(" {id} "))
    });
    *shim.unwrap_or_else(|| panic!("{id} has no shim: {found:?}")).0
}

fn ended(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

#[test]
fn containers_outlive_a_crash_of_the_daemon_and_are_taken_back() {
    let daemon = Daemon::start();
    let bundle =
        Bundle::script("echo begun; while ! test -e /tmp/end; do sleep 0.01; done; echo ended; exit 3")
            .with_shared();
    let (lives, dies) = (daemon.name("lives"), daemon.name("dies"));
    let sleeper = Bundle::sleeper();
    daemon.start_container(&lives, &sleeper.start()).expect(201);
    daemon.start_container(&dies, &bundle.start()).expect(201);
    daemon
        .client
        .put(&format!("/containers/{lives}/process"), &json!({ "args": ["sleep", "500"] }))
        .expect(200);
    daemon.client.patch(&format!("/containers/{lives}"), &json!({ "status": "paused" })).expect(200);
    let before = daemon.container(&lives);

    let pid = daemon.init_pid(&dies);
    let daemon = daemon.crash_and_restart_after(|| {
        fs::write(bundle.shared().join("end"), "").unwrap();
        eventually("it ends", || ended(pid));
    });
    assert_eq!(daemon.container(&lives), before, "paused, with its added process");
    let state = &daemon.container(&dies)["state"];
    assert_eq!((&state["status"], &state["exitStatus"]), (&json!("stopped"), &json!(3)));
    assert!(daemon.output(&dies).contains("ended"));
    daemon.client.patch(&format!("/containers/{lives}"), &json!({ "status": "running" })).expect(200);
    daemon.clean_up();
}

#[test]
fn a_container_whose_shim_was_killed_runs_on_and_can_be_signalled_paused_and_deleted() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    for (name, restart) in [("a", false), ("b", true)] {
        let id = daemon.name(name);
        daemon.start_container(&id, &bundle.start()).expect(201);
        let brief = json!({ "args": ["sleep", "1"] });
        daemon.client.put(&format!("/containers/{id}/process"), &brief).expect(200);
        if restart {
            let long = json!({ "args": ["sleep", "1000"] });
            daemon.client.put(&format!("/containers/{id}/process"), &long).expect(200);
        }
        kill(shim_of(&daemon, &id));
        if restart {
            break;
        }
        let path = format!("/containers/{id}");
        eventually("the added process is seen to end", || {
            daemon.container(&id)["processes"].as_array().unwrap().len() == 1
        });
        eventually("it is noticed", || daemon.log().contains("its shim is gone"));
        assert_eq!(daemon.status(&id), "running");
        daemon.client.put(&format!("{path}/process"), &json!({ "args": ["true"] })).problem(500, "shim-lost");
        daemon.client.patch(&path, &json!({ "status": "paused" })).expect(200);
        daemon.client.patch(&path, &json!({ "status": "running" })).expect(200);
        daemon.client.patch(&path, &json!({ "signal": 9 })).expect(200);
        daemon.await_status(&id, "stopped");
        assert_eq!(daemon.container(&id)["state"].get("exitStatus"), None, "nobody saw it");
        daemon.client.delete(&path).expect(204);
    }
    // The same when the daemon died too: the next one finds the process by its pid and start time.
    let daemon = daemon.crash_and_restart_after(|| {});
    let id = daemon.name("b");
    assert_eq!(daemon.status(&id), "running");
    // And those that were added: the one that has ended is told of, the other is listed and seen to end.
    eventually("the brief one has ended", || {
        daemon.container(&id)["processes"].as_array().unwrap().len() == 2
    });
    let added = daemon.container(&id)["processes"][1].clone();
    assert_eq!(added["args"], json!(["sleep", "1000"]));
    let one = format!("/containers/{id}/process/{}", added["pid"]);
    daemon.client.post(&one, &json!({ "signal": 9 })).expect(200);
    let ended = daemon.client.get(&format!("{one}/wait?timeout=20")).expect(200).json();
    assert_eq!(ended["state"], json!({ "status": "exited" }), "nobody saw how");
    daemon.clean_up();
}

#[test]
fn a_record_that_cannot_be_read_is_set_aside_and_stops_nobody_else() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let (bad, good) = (daemon.name("bad"), daemon.name("good"));
    for id in [&bad, &good] {
        daemon.start_container(id, &bundle.start()).expect(201);
    }
    let pid = daemon.init_pid(&bad);
    let record = daemon.root_folder().join("containers").join(&bad).join("record.json");
    let whole = fs::read(&record).unwrap();
    let daemon = daemon.crash_and_restart_after(|| fs::write(&record, b"{\"version\":").unwrap());
    assert!(daemon.log().contains("set aside"), "{}", daemon.log());
    assert_eq!(daemon.status(&good), "running");
    daemon.client.get(&format!("/containers/{bad}")).problem(404, "container-not-found");
    assert!(!ended(pid), "what it was about is left alone");
    daemon.start_container(&bad, &bundle.start()).problem(409, "record-set-aside");
    // Mended by hand, it is taken back: nothing was deleted.
    let aside = record.with_file_name("record.json.unreadable");
    assert_eq!(fs::read(&aside).unwrap(), b"{\"version\":");
    let daemon = daemon.crash_and_restart_after(|| {
        fs::remove_file(&aside).unwrap();
        fs::write(&record, &whole).unwrap();
    });
    assert_eq!(daemon.init_pid(&bad), pid);
    daemon.clean_up();
}

/// The daemon is killed while a checkpoint is under way; the shim goes on with it. It is finished or undone.
#[test]
fn a_checkpoint_that_a_crash_cut_off_is_whole_or_not_there() {
    let mut daemon = Daemon::start();
    let bundle =
        Bundle::script("i=0; while :; do i=$((i+1)); echo $i >>/tmp/count; sleep 0.01; done").with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let (mut finished, mut undone) = (0, 0);
    for round in 0..8 {
        let name = format!("c{round}");
        let exit = round % 2 == 1;
        let client = daemon.client.clone();
        let path = format!("/containers/{id}/checkpoint/{name}");
        let asking = std::thread::spawn(move || client.try_post(&path, &json!({ "exit": exit })));
        std::thread::sleep(Duration::from_millis(20 + 25 * round));
        daemon = daemon.crash_and_restart_after(|| {});
        let _ = asking.join().unwrap();
        eventually("the dump is over", || daemon.status(&id) != "checkpointing");
        let listed = daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
        let listed: BTreeSet<&str> =
            listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        let whole = listed.contains(name.as_str());
        let hidden = host::files(&bundle.path().join("checkpoints"), &[])
            .into_iter()
            .filter(|file| file.starts_with('.'));
        assert_eq!(hidden.collect::<Vec<_>>(), Vec::<String>::new(), "round {round}");
        if whole {
            finished += 1
        } else {
            undone += 1
        }
        if daemon.status(&id) == "stopped" {
            assert!(exit && whole, "round {round}: a container that ended left its memory in a checkpoint");
            daemon.start_container(&id, &bundle.restore(&name)).expect(201);
        } else if whole {
            assert!(!exit, "round {round}: dumped with exit, it has ended");
        }
    }
    assert!(finished + undone == 8);
    let counts = fs::read_to_string(bundle.shared().join("count")).unwrap();
    let counts: Vec<u64> = counts.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(counts, (1..=counts.len() as u64).collect::<Vec<_>>(), "its memory was never lost");
    daemon.clean_up();
}

/// Kills at instants all over a mixed load from concurrent clients. Whatever was cut off is whole or not
/// there afterwards, and the next request works.
#[test]
fn kills_at_any_instant_of_a_mixed_load_lose_nothing_and_leave_nothing() {
    let mut daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let names: Vec<String> = (0..6).map(|number| daemon.name(&format!("n{number}"))).collect();
    for round in 0..10_u64 {
        let stop = Mutex::new(false);
        let client = daemon.client.clone();
        daemon = std::thread::scope(|scope| {
            for (number, id) in names.iter().enumerate() {
                let (client, stop, bundle) = (client.clone(), &stop, &bundle);
                scope.spawn(move || {
                    let path = format!("/containers/{id}");
                    for step in number.. {
                        if *stop.lock().unwrap() {
                            break;
                        }
                        let sent = match step % 5 {
                            0 => client.try_post(&path, &bundle.start()),
                            1 => client.try_send(
                                "PUT",
                                &format!("{path}/process"),
                                &json!({ "args": ["sleep", "100"] }),
                            ),
                            2 => client.try_send("PATCH", &path, &json!({ "status": "paused" })),
                            3 => client.try_send("PATCH", &path, &json!({ "status": "running" })),
                            _ => client.try_send("DELETE", &format!("{path}?force=true"), &Value::Null),
                        };
                        if sent.is_none() {
                            break;
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(60 + 37 * round));
            daemon.crash_and_restart_after(|| *stop.lock().unwrap() = true)
        });
        // The oracle: what is said is what is, by the kernel.
        for container in daemon.client.get("/containers").expect(200).json().as_array().unwrap() {
            let id = container["id"].as_str().unwrap();
            let status = container["state"]["status"].as_str().unwrap();
            assert!(["running", "paused", "stopped"].contains(&status), "round {round}: {container}");
            for process in container["processes"].as_array().unwrap() {
                let pid = process["pid"].as_i64().unwrap();
                let cgroup = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
                assert!(cgroup.contains(id), "round {round}: {id}'s process {pid} is in {cgroup}");
            }
            assert_eq!(host::cgroups(id).is_empty(), status == "stopped", "round {round}: {container}");
        }
        for id in &names {
            let known = daemon.client.get(&format!("/containers/{id}")).status == 200;
            if !known {
                assert_eq!(
                    host::cgroups(id),
                    Vec::<std::path::PathBuf>::new(),
                    "round {round}: {id} is not there"
                );
                assert!(
                    !Path::new(&daemon.state_folder().join("runc").join(id)).exists(),
                    "round {round}: {id}"
                );
            }
        }
        daemon.clean_up();
    }
}

/// A CRIU that works, but for restores, in which it hangs after it has mounted.
fn criu_that_hangs_in_restores(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("criu-hangs");
    // runc talks to `criu swrk`: first to ask for its version, then for the restore.
    let script = format!(
        "#!/bin/sh\ncase $1 in swrk) n=$(cat {0}/n 2>/dev/null || echo 0); echo $((n + 1)) >{0}/n; \
         if [ -e {0}/armed ] && [ $n -ge 1 ]; then exec sleep 300; fi;; esac\nexec /opt/containerd-rest/bin/criu \"$@\"\n",
        folder.display()
    );
    host::install_script(&path, &script);
    path
}

fn rootfs_files(bundle: &Bundle) -> usize {
    host::files(Path::new(bundle.config["root"]["path"].as_str().unwrap()), &[]).len()
}

/// runc restore mounts the root filesystem below its own state folder, on the host; killed, it leaves the
/// mount, and whoever removes that folder removes the bundle's files.
#[test]
fn a_restore_that_is_cut_short_leaves_the_bundle_whole_and_nothing_mounted() {
    let folder = tempfile::tempdir().unwrap();
    let criu = criu_that_hangs_in_restores(folder.path());
    let arm = |armed: bool| {
        let _ = fs::remove_file(folder.path().join("n"));
        let _ = fs::remove_file(folder.path().join("armed"));
        if armed {
            fs::write(folder.path().join("armed"), "").unwrap();
        }
    };
    let daemon = Daemon::with(&["--criu", criu.to_str().unwrap(), "--checkpoint-timeout", "3"]);
    let bundle = Bundle::sleeper().with_own_rootfs();
    let before = rootfs_files(&bundle);
    let id = daemon.name("a");
    arm(false);
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);

    arm(true);
    daemon.start_container(&id, &bundle.restore("one")).problem(504, "runtime-timeout");
    assert_eq!(rootfs_files(&bundle), before, "after a restore that timed out");
    assert_eq!(host::mounts(&daemon.folder().to_string_lossy()), Vec::<String>::new());
    assert_eq!(daemon.status(&id), "stopped");

    arm(true);
    let client = daemon.client.clone();
    let (path, body) = (format!("/containers/{id}"), bundle.restore("one"));
    let asking = std::thread::spawn(move || client.try_post(&path, &body));
    eventually("the restore has mounted", || !host::mounts(&daemon.folder().to_string_lossy()).is_empty());
    let daemon = daemon.crash_and_restart_after(|| {});
    let _ = asking.join().unwrap();
    assert_eq!(rootfs_files(&bundle), before, "after a daemon that was killed in a restore");
    assert_eq!(host::mounts(&daemon.folder().to_string_lossy()), Vec::<String>::new());

    arm(false);
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.clean_up();
    assert_eq!(rootfs_files(&bundle), before);
}

#[test]
fn a_shim_that_hangs_does_not_hide_that_its_container_has_ended() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let (pid, shim) = (daemon.init_pid(&id), shim_of(&daemon, &id));
    let signal = |pid: i32, signal| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    signal(i32::try_from(shim).unwrap(), nix::sys::signal::Signal::SIGSTOP);
    signal(pid, nix::sys::signal::Signal::SIGKILL);
    daemon.await_status(&id, "stopped");
    daemon.clean_up();
}

/// A shim that does not speak is its own container's affair: the others, and the daemon, do not wait for it.
#[test]
fn a_shim_that_hangs_does_not_keep_the_next_daemon_from_listening_and_is_heard_when_it_speaks() {
    use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
    let daemon = Daemon::start();
    let bundle = Bundle::script("while ! test -e /tmp/end; do sleep 0.01; done; exit 3").with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let signal = |shim: u32, signal| {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(shim).unwrap()), signal).unwrap();
    };
    let shim = shim_of(&daemon, &id);
    signal(shim, SIGSTOP);
    let daemon = daemon.crash_and_restart_after(|| {});
    // The daemon listens, says what is, and serves others, while the shim has not said a word.
    assert!(!daemon.log().contains("its shim hangs"), "{}", daemon.log());
    assert_eq!(daemon.status(&id), "running");
    let other = daemon.name("b");
    daemon.start_container(&other, &Bundle::sleeper().start()).expect(201);
    let asking = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            daemon.client.put(&format!("/containers/{id}/process"), &json!({ "args": ["sleep", "1000"] }))
        });
        signal(shim, SIGCONT);
        asked.join().unwrap()
    });
    asking.expect(200);
    fs::write(bundle.shared().join("end"), "").unwrap();
    daemon.await_status(&id, "stopped");
    assert_eq!(daemon.container(&id)["state"]["exitStatus"], json!(3), "it was heard");
    daemon.clean_up();
}

/// In a pid namespace init ends behind the others, and those when their parent reaps them, which is the shim.
#[test]
fn a_container_whose_shim_hangs_can_be_deleted_with_what_was_added_to_it() {
    let mut daemon = Daemon::start();
    for restart in [false, true] {
        let id = daemon.name(if restart { "restarted" } else { "same" });
        daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
        let body = json!({ "args": ["sleep", "1000"] });
        daemon.client.put(&format!("/containers/{id}/process"), &body).expect(200);
        let shim = nix::unistd::Pid::from_raw(i32::try_from(shim_of(&daemon, &id)).unwrap());
        nix::sys::signal::kill(shim, nix::sys::signal::Signal::SIGSTOP).unwrap();
        if restart {
            daemon = daemon.crash_and_restart_after(|| {});
        }
        daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
        daemon.assert_nothing_left();
    }
}

/// The signal is sent once, the rest of the time is waited, and then it is killed, whoever asks.
#[test]
fn a_stop_that_a_crash_cut_off_is_finished_by_the_next_daemon() {
    let mut daemon = Daemon::start();
    let deaf = Bundle::script("trap 'echo x >>/tmp/asked' TERM; while :; do sleep 0.01; done").with_shared();
    let asked = || fs::read_to_string(deaf.shared().join("asked")).unwrap_or_default();
    let id = daemon.name("a");
    for restart_again in [false, true] {
        let _ = fs::remove_file(deaf.shared().join("asked"));
        daemon.start_container(&id, &deaf.start()).expect(201);
        daemon.client.patch(&format!("/containers/{id}"), &json!({ "status": "paused" })).expect(200);
        let (client, path) = (daemon.client.clone(), format!("/containers/{id}/stop"));
        let asking = std::thread::spawn(move || client.try_post(&path, &json!({ "timeout": 12 })));
        eventually("it is asked to end", || !asked().is_empty());
        daemon = daemon.crash_and_restart_after(|| {});
        if restart_again {
            daemon = daemon.crash_and_restart_after(|| {});
        }
        assert_eq!(asking.join().unwrap(), None);
        assert_eq!(daemon.status(&id), "running", "its time is not over");
        let ended = daemon.client.get(&format!("/containers/{id}/wait?timeout=30")).expect(200).json();
        assert_eq!(ended["state"]["exitSignal"], json!(9), "{ended}");
        assert_eq!(asked(), "x\n");
    }
    daemon.clean_up();
}
