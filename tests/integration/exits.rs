//! How added processes ended: kept, readable, waited for, across a crash of the daemon.

use std::fs;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::processes::{add, started};
use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

fn run(daemon: &Daemon, id: &str, script: &str) -> i64 {
    add(daemon, id, &json!({ "args": ["sh", "-c", script] }))["pid"].as_i64().unwrap()
}

#[track_caller]
fn waited(daemon: &Daemon, id: &str, pid: i64) -> Value {
    daemon.client.get(&format!("/containers/{id}/process/{pid}/wait?timeout=20")).expect(200).json()
}

fn told(daemon: &Daemon, id: &str) -> Vec<(String, i64)> {
    let body = daemon.client.get(&format!("/events?since=0&follow=false&id={id}")).expect(200).body;
    let events = body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .filter(|event| event["pid"].is_number())
        .map(|event| (event["type"].as_str().unwrap().to_owned(), event["pid"].as_i64().unwrap()))
        .collect()
}

#[test]
fn how_an_added_process_ended_is_kept_until_the_container_is_deleted_or_started_again() {
    let (daemon, id) = started(&Bundle::sleeper());
    let code = run(&daemon, &id, "exit 7");
    let signal = run(&daemon, &id, "kill -9 $$");
    let runs = run(&daemon, &id, "sleep 1000");

    let ended = waited(&daemon, &id, code);
    assert_eq!((&ended["state"]["status"], &ended["state"]["exitStatus"]), (&json!("exited"), &json!(7)));
    assert_eq!((&ended["args"], &ended["init"]), (&json!(["sh", "-c", "exit 7"]), &json!(false)));
    assert!(ended["state"]["finishedAt"].is_string());
    let ended = waited(&daemon, &id, signal);
    assert_eq!((&ended["state"]["exitStatus"], &ended["state"]["exitSignal"]), (&json!(137), &json!(9)));

    let report = |path: String| daemon.client.get(&path).expect(200).json();
    let running = report(format!("/containers/{id}/processes/{runs}"));
    assert_eq!(running["state"], json!({ "status": "running" }));
    let timed_out = report(format!("/containers/{id}/processes/{runs}/wait?timeout=0"));
    assert_eq!(timed_out, running, "a wait whose time is over says what is");
    let init = daemon.init_pid(&id);
    let path = format!("/containers/{id}/process/{init}");
    assert_eq!(
        (&report(path.clone())["init"], &report(path)["state"]["status"]),
        (&json!(true), &json!("running"))
    );
    daemon.client.get(&format!("/containers/{id}/process/1")).problem(404, "process-not-found");
    daemon.client.get(&format!("/containers/{id}/process/1/wait")).problem(404, "process-not-found");

    // With its container: init's own end is kept as well, and so is that of the one that it took along.
    daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
    assert_eq!(waited(&daemon, &id, i64::from(init))["state"]["exitStatus"], json!(137));
    assert_eq!(waited(&daemon, &id, runs)["state"]["exitSignal"], json!(9));
    assert_eq!(waited(&daemon, &id, code)["state"]["exitStatus"], json!(7));

    let bundle = Bundle::sleeper();
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.get(&format!("/containers/{id}/process/{code}")).problem(404, "process-not-found");
    daemon.clean_up();
}

/// One ends before the crash, one while no daemon is there, one afterwards, and one with its container while no
/// daemon is there; each is told once and its status known.
#[test]
fn no_exit_status_is_lost_by_a_crash_and_none_is_told_twice() {
    let bundle = Bundle::sleeper().with_shared();
    let (daemon, id) = started(&bundle);
    let until =
        |name: &str, code: u8| format!("while ! test -e /tmp/{name}; do sleep 0.01; done; exit {code}");
    let end = |name: &str| fs::write(bundle.shared().join(name), "").unwrap();
    let before = run(&daemon, &id, "exit 3");
    waited(&daemon, &id, before);
    let meanwhile = run(&daemon, &id, &until("meanwhile", 4));
    let after = run(&daemon, &id, &until("after", 5));
    let last = run(&daemon, &id, "exec sleep 1000");

    let exits = daemon.root_folder().join("containers").join(&id).join("run-1/exits");
    let lines = |count: usize| {
        eventually("the shim has kept it", || {
            fs::read_to_string(&exits).is_ok_and(|text| text.lines().count() == count)
        });
    };
    let daemon = daemon.crash_and_restart_after(|| {
        end("meanwhile");
        lines(2);
    });
    assert_eq!(waited(&daemon, &id, before)["state"]["exitStatus"], json!(3));
    let seen = waited(&daemon, &id, meanwhile);
    assert_eq!((&seen["state"]["exitStatus"], &seen["args"][2]), (&json!(4), &json!(until("meanwhile", 4))));
    end("after");
    assert_eq!(waited(&daemon, &id, after)["state"]["exitStatus"], json!(5));
    let init = daemon.init_pid(&id);
    let daemon = daemon.crash_and_restart_after(|| {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(init), nix::sys::signal::Signal::SIGKILL).unwrap();
        lines(4);
    });
    assert_eq!(waited(&daemon, &id, last)["state"]["exitSignal"], json!(9));
    assert_eq!(waited(&daemon, &id, i64::from(init))["state"]["exitSignal"], json!(9));

    eventually("all is told", || told(&daemon, &id).len() >= 8);
    let told = told(&daemon, &id);
    for pid in [before, meanwhile, after, last] {
        let of: Vec<&str> = told.iter().filter(|(_, of)| *of == pid).map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(of, ["exec", "exit"], "{pid}: {told:?}");
    }
    daemon.clean_up();
}

#[test]
fn an_added_process_that_the_kernel_killed_for_want_of_memory_says_so() {
    let bundle = Bundle::sleeper().with(|config| {
        config["linux"]["resources"]["memory"] = json!({ "limit": 16 * 1024 * 1024 });
    });
    let (daemon, id) = started(&bundle);
    let greedy = run(&daemon, &id, "x=$(cat /dev/zero | od -v)");
    let ended = waited(&daemon, &id, greedy);
    assert_eq!(ended["state"]["oomKilled"], json!(true), "{ended}");
    let other = run(&daemon, &id, "kill -9 $$");
    assert_eq!(waited(&daemon, &id, other)["state"].get("oomKilled"), None, "that was a person");
    daemon.clean_up();
}

/// Signals 34 to 64 have no names, and are as good as others.
#[test]
fn a_real_time_signal_ends_a_process_as_any_other_and_its_shim_goes_on() {
    let shared_pids = Bundle::sleeper().with(|config| {
        config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != "pid");
    });
    for (own_pids, bundle) in [(true, Bundle::sleeper()), (false, shared_pids)] {
        let (daemon, id) = started(&bundle);
        let by_signal = |number: i64, ended: &Value| {
            let state = &ended["state"];
            assert_eq!(
                (&state["exitStatus"], &state["exitSignal"]),
                (&json!(128 + number), &json!(number)),
                "{ended}"
            );
        };
        let own = run(&daemon, &id, "kill -40 $$");
        by_signal(40, &waited(&daemon, &id, own));
        for number in [34, 40, 64] {
            let signalled = run(&daemon, &id, "exec sleep 1000");
            let path = format!("/containers/{id}/process/{signalled}");
            daemon.client.post(&path, &json!({ "signal": number })).expect(200);
            by_signal(number, &waited(&daemon, &id, signalled));
        }
        let code = run(&daemon, &id, "exit 7");
        assert_eq!(
            waited(&daemon, &id, code)["state"]["exitStatus"],
            json!(7),
            "who comes after is seen too"
        );

        let path = format!("/containers/{id}");
        daemon.client.patch(&path, &json!({ "signal": 40 })).expect(200);
        if own_pids {
            // The first process of a pid namespace does not hear what it has no handler for (pid_namespaces(7)).
            assert_eq!(daemon.status(&id), "running");
        } else {
            by_signal(40, &daemon.client.get(&format!("{path}/wait?timeout=20")).expect(200).json());
        }
        daemon.clean_up();
    }
}

/// A process whose shim is gone stays a zombie until init reaps it. Here it lives on, and that its end was told is
/// written by hand: what was told is told.
#[test]
fn an_end_that_was_told_is_not_told_again_though_the_process_is_still_there() {
    let (daemon, id) = started(&Bundle::sleeper());
    let added = run(&daemon, &id, "exec sleep 1000");
    let shim = crate::recovery::shim_of(&daemon, &id);
    let events = daemon.root_folder().join("events");
    let mut daemon = daemon.crash_and_restart_after(|| {
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(i32::try_from(shim).unwrap()),
            nix::sys::signal::Signal::SIGKILL,
        )
        .unwrap();
        let text = fs::read_to_string(&events).unwrap();
        let mut event: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let exec = event["happened"]["exec"].clone();
        assert_eq!(exec["pid"], json!(added), "{event}");
        event["cursor"] = json!(event["cursor"].as_u64().unwrap() + 1);
        event["happened"] = json!({ "exit": { "pid": added, "seq": exec["seq"], "status": 0 } });
        fs::write(&events, format!("{text}{event}\n")).unwrap();
    });
    for _ in 0..2 {
        assert_eq!(daemon.container(&id)["processes"].as_array().unwrap().len(), 1, "it is over");
        daemon = daemon.crash_and_restart_after(|| {});
    }
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    let of: Vec<String> =
        told(&daemon, &id).into_iter().filter(|(_, pid)| *pid == added).map(|(kind, _)| kind).collect();
    assert_eq!(of, ["exec", "exit"]);
    daemon.clean_up();
}

/// An fsync(2) that takes seconds, as on a disk that is busy with something else.
const SLOW: &str = "#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int fsync(int fd) {
    usleep(4000000);
    return ((int (*)(int))dlsym(RTLD_NEXT, \"fsync\"))(fd);
}
";

#[test]
fn a_disk_that_takes_seconds_for_an_exit_record_keeps_nobody_from_knowing() {
    let folder = tempfile::tempdir().unwrap();
    let (source, slow, shim) =
        (folder.path().join("slow.c"), folder.path().join("slow.so"), folder.path().join("shim"));
    fs::write(&source, SLOW).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).args([&slow, &source]).arg("-ldl");
    assert!(compiler.status().expect("cc is missing: run scripts/prerequisites test").success());
    let real = env!("CARGO_BIN_EXE_containerd-rest-shim");
    let script = format!("#!/bin/sh\nexec env LD_PRELOAD={} {real} \"$@\"\n", slow.display());
    host::install_script(&shim, &script);
    let daemon = Daemon::with(&["--shim", shim.to_str().unwrap()]);
    let id = daemon.name("a");
    let bundle = Bundle::script("trap 'exit 7' TERM; echo up; while :; do sleep 0.02; done");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it is up", || daemon.output(&id).contains("up"));
    let added = run(&daemon, &id, "trap 'exit 5' TERM; while :; do sleep 0.02; done");
    daemon.client.post(&format!("/containers/{id}/process/{added}"), &json!({ "signal": 15 })).expect(200);
    assert_eq!(waited(&daemon, &id, added)["state"]["exitStatus"], json!(5));
    let stopped = daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 60 }));
    assert_eq!(stopped.expect(200).json()["state"]["exitStatus"], json!(7));
    let event =
        daemon.client.get(&format!("/events?since=0&follow=false&type=exit&id={id}")).expect(200).body;
    assert!(event.lines().last().unwrap().contains("\"status\":7"), "{event}");
    // While it is written still, the daemon is killed, and its successor deletes the container.
    let daemon = daemon.crash_and_restart_after(|| {});
    assert_eq!(daemon.container(&id)["state"]["exitStatus"], json!(7));
    daemon.clean_up();
}

/// More than one file of them, and more than are kept once they were told.
#[test]
fn however_many_end_while_no_daemon_is_there_each_is_told_how() {
    let (daemon, id) = started(&Bundle::sleeper());
    let note = "x".repeat(100_000);
    let script = "trap 'exit 7' USR1; while :; do sleep 100 & wait; done";
    let pids: Vec<i64> = (0..150)
        .map(|_| {
            let args = json!({ "args": ["sh", "-c", script, note] });
            add(&daemon, &id, &args)["pid"].as_i64().unwrap()
        })
        .collect();
    let running = daemon.client.get(&format!("/containers/{id}/process/{}", pids[0])).expect(200).json();
    assert_eq!(running["args"][3].as_str().unwrap().len(), note.len());
    let daemon = daemon.crash_and_restart_after(|| {
        for pid in &pids {
            kill(Pid::from_raw(i32::try_from(*pid).unwrap()), Signal::SIGUSR1).unwrap();
        }
        let left = |pid: &&i64| fs::metadata(format!("/proc/{pid}")).is_ok();
        eventually("all have ended", || pids.iter().find(left).is_none());
    });
    for pid in &pids {
        let report = daemon.client.get(&format!("/containers/{id}/process/{pid}")).expect(200).json();
        assert_eq!(report["state"]["exitStatus"], json!(7), "{pid}");
        let kept: usize = report["args"].as_array().unwrap().iter().map(|arg| arg.to_string().len()).sum();
        assert!(kept < 5000, "what is kept of it is bounded");
    }
    let events = daemon.client.get(&format!("/events?since=0&follow=false&type=exit&id={id}")).expect(200);
    assert_eq!(events.body.matches("\"status\":7").count(), pids.len());
    daemon.clean_up();
}

/// As much as a program can be given at all, which is more than a body of this API may have.
#[test]
fn a_process_with_very_much_to_say_is_added_and_its_shim_goes_on() {
    let words: Vec<String> = (0..3).map(|number| format!("W{number}={}", "y".repeat(100_000))).collect();
    let bundle = Bundle::sleeper().with(|config| {
        let env = config["process"]["env"].as_array_mut().unwrap();
        env.extend(words.iter().map(|word| json!(word)));
    });
    let (daemon, id) = started(&bundle);
    let mut args = vec!["true".to_owned()];
    args.extend((0..8).map(|_| "z".repeat(100_000)));
    let added = add(&daemon, &id, &json!({ "args": args }))["pid"].as_i64().unwrap();
    assert_eq!(waited(&daemon, &id, added)["state"]["exitStatus"], json!(0));
    let after = run(&daemon, &id, "exit 3");
    assert_eq!(waited(&daemon, &id, after)["state"]["exitStatus"], json!(3));
    daemon.clean_up();
}
