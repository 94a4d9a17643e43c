//! A runtime that fails, lies, hangs or is gone: a script in runc's place, which is real runc for everything but
//! the verb in question. The caller hears its own words, and nothing of what it began is left.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::footprint::{Footprint, Refusal};
use crate::support::host;
use crate::support::runtime::Runtime;

const FAILED: (u16, &str) = (500, "runtime-failed");

/// A container that runs, one that is paused, a checkpoint, and a name that is free: whatever a verb needs.
struct Scene {
    runtime: Runtime,
    daemon: Daemon,
    bundle: Bundle,
    running: String,
    paused: String,
    free: String,
}

impl Scene {
    const VERBS: [&str; 6] = ["run", "exec", "pause", "resume", "checkpoint", "restore"];

    fn new() -> Self {
        let runtime = Runtime::new();
        let path = runtime.path();
        let daemon = Daemon::with(&[
            "--runtime",
            path.to_str().unwrap(),
            "--runtime-timeout",
            "2",
            "--checkpoint-timeout",
            "3",
        ]);
        let bundle = Bundle::sleeper().with_shared();
        let path = |name: &str| format!("/containers/{}", daemon.name(name));
        let (running, paused, free) = (path("running"), path("paused"), path("free"));
        daemon.client.post(&running, &bundle.start()).expect(201);
        daemon.client.post(&paused, &bundle.start()).expect(201);
        daemon.client.patch(&paused, &json!({ "status": "paused" })).expect(200);
        daemon.client.post(&format!("{running}/checkpoint/made"), &json!({})).expect(201);
        Self { runtime, daemon, bundle, running, paused, free }
    }

    /// Asks for what needs this verb of runc's.
    #[track_caller]
    fn ask(&self, verb: &str) -> Answer {
        let client = &self.daemon.client;
        match verb {
            "run" => client.post(&self.free, &self.bundle.start()),
            "exec" => client.put(&format!("{}/process", self.running), &json!({ "args": ["sleep", "1000"] })),
            "pause" => client.patch(&self.running, &json!({ "status": "paused" })),
            "resume" => client.patch(&self.paused, &json!({ "status": "running" })),
            "checkpoint" => client.post(&format!("{}/checkpoint/new", self.running), &json!({})),
            "restore" => client.post(&self.free, &self.bundle.restore("made")),
            "delete" => client.delete(&format!("{}?force=true", self.running)),
            other => panic!("{other} is no verb of runc's"),
        }
    }

    /// The verb does this instead: the answer is this problem with these words in it, and nothing has changed.
    #[track_caller]
    fn refuses(&self, verb: &str, instead: &str, (status, kind): (u16, &str), words: &str) {
        let situation = format!("{verb} does {instead:?}");
        let footprint = Footprint::of(&self.daemon, &[self.bundle.path()]);
        self.runtime.fall_ill(verb, instead);
        let row = Refusal { situation: &situation, status, kind, at: None };
        let problem = footprint.refuses(&row, || self.ask(verb));
        self.runtime.heal(verb);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("runc {verb} ")) && detail.contains(words), "{situation}: {detail}");
        self.runtime.assert_ended(&self.daemon);
        if matches!(verb, "pause" | "checkpoint") {
            self.assert_goes_on(&situation);
        }
    }

    /// In a frozen container nothing begins.
    #[track_caller]
    fn assert_goes_on(&self, situation: &str) {
        let path = format!("{}/process", self.running);
        self.daemon.client.put(&path, &json!({ "args": ["touch", "/tmp/alive"] })).expect(200);
        let sign = self.bundle.shared().join("alive");
        eventually(&format!("{situation}: the container goes on"), || {
            let container = self.daemon.client.get(&self.running).json();
            let alone = container["processes"].as_array().unwrap().len() == 1;
            // Its files go a moment after its end was told.
            let files = host::files(&self.daemon.state_folder(), &[]);
            sign.exists() && alone && !files.iter().any(|file| file.contains("/exec-"))
        });
        std::fs::remove_file(sign).unwrap();
    }

    /// What was refused can be done once the runtime is well again: nothing is in its way.
    #[track_caller]
    fn assert_well(&self, verb: &str) {
        let answer = self.ask(verb);
        assert!(matches!(answer.status, 200 | 201), "{verb}: {}", answer.body);
        if verb == "pause" {
            self.daemon.client.patch(&self.running, &json!({ "status": "running" })).expect(200);
        }
        if verb == "run" {
            self.daemon.client.delete(&format!("{}?force=true", self.free)).expect(204);
        }
    }

    fn end(&self) {
        for verb in Self::VERBS {
            self.assert_well(verb);
        }
        self.daemon.clean_up();
    }
}

#[test]
fn a_runtime_that_fails_is_quoted_and_changes_nothing() {
    let scene = Scene::new();
    let logged =
        r#"echo '{"level":"error","msg":"the moon is full","time":"t"}' >>"$log"; echo no >&2; exit 1"#;
    for verb in Scene::VERBS {
        for (instead, words) in [
            (logged, "the moon is full"),
            ("echo the sun is down >&2; exit 1", "the sun is down"),
            ("exit 3", "it ended with 3 and said nothing"),
            ("kill -9 $$", "signal 9 ended it"),
            // A child that holds the pipes is not waited for.
            ("hang & sleep 0.05; echo left behind >&2; exit 1", "left behind"),
        ] {
            scene.refuses(verb, instead, FAILED, words);
        }
    }
    scene.end();
}

#[test]
fn what_a_failed_runtime_has_sent_far_away_is_ended_too() {
    let scene = Scene::new();
    // In a session of its own, with a child: out of reach of who ends its process group, and its parent with it.
    let far = r#"setsid sh -c '"$0" 1000 & touch "$0-ready"; "$0" 1000' "${0%/*}/hang" &
        until test -e "${0%/*}/hang-ready"; do sleep 0.01; done; rm "${0%/*}/hang-ready"; echo no >&2; exit 1"#;
    // Those that the shim runs, which is the parent of all that have lost theirs.
    for verb in ["run", "exec", "checkpoint", "restore"] {
        scene.refuses(verb, far, FAILED, "no");
    }
    scene.end();
}

#[test]
fn a_runtime_that_does_it_and_then_fails_is_undone() {
    let scene = Scene::new();
    for verb in Scene::VERBS.into_iter().filter(|verb| *verb != "resume") {
        scene.refuses(verb, "runc \"$@\"; echo too late >&2; exit 1", FAILED, "too late");
    }
    // What was asked for has come about.
    scene.runtime.fall_ill("resume", "runc \"$@\"; exit 1");
    assert_eq!(scene.ask("resume").expect(200).json()["state"]["status"], "running");
    scene.runtime.heal("resume");
    scene.end();
}

#[test]
fn a_runtime_that_prints_garbage_and_says_all_is_well_is_not_believed() {
    let scene = Scene::new();
    for verb in Scene::VERBS {
        scene.refuses(verb, "echo '<html>%$#'; echo '{{{' >>\"$log\"; exit 0", FAILED, "it ended with 0 but");
    }
    let garbage = "echo '\x07<html>' >\"$pid_file\"; exit 0";
    // Whose process it names is looked at: the host's, or the one that the container has already.
    let (strange, own) =
        ("echo 1 >\"$pid_file\"; exit 0", "cat \"${pid_file%/*}/init.pid\" >\"$pid_file\"; exit 0");
    for (verb, instead) in [
        ("run", garbage),
        ("exec", garbage),
        ("restore", garbage),
        ("run", strange),
        ("exec", strange),
        ("exec", own),
    ] {
        scene.refuses(verb, instead, FAILED, "it ended with 0 but named no process");
    }
    scene.end();
}

#[test]
fn a_runtime_that_hangs_is_ended_with_its_children_whatever_it_was_asked() {
    // Each with a daemon of its own, at once: most of the time they wait.
    std::thread::scope(|threads| {
        for verb in Scene::VERBS {
            threads.spawn(move || {
                let scene = Scene::new();
                let mut ways = vec!["hang & hang"];
                // It has been done when the limit is reached, and is to be undone.
                if matches!(verb, "run" | "exec" | "pause") {
                    ways.push("runc \"$@\"; hang");
                }
                for instead in ways {
                    let asked = Instant::now();
                    scene.refuses(verb, instead, (504, "runtime-timeout"), "did not end within");
                    // The limit is 2 s, 3 s for checkpoints: what is more is the machine's other work.
                    assert!(asked.elapsed() < Duration::from_secs(10), "{verb}: {:?}", asked.elapsed());
                }
                scene.assert_well(verb);
                scene.daemon.clean_up();
            });
        }
    });
}

#[test]
fn a_checkpoint_that_hangs_while_the_container_is_frozen_leaves_it_running() {
    // As CRIU does it: it freezes the cgroup, and a CRIU that is killed does not thaw it.
    let scene = Scene::new();
    let freeze = "runc --root \"$2\" pause \"$previous\"; hang";
    scene.refuses("checkpoint", freeze, (504, "runtime-timeout"), "did not end within");
    scene.end();
}

#[test]
fn a_pause_that_cannot_be_undone_is_told_as_it_is() {
    let scene = Scene::new();
    scene.runtime.fall_ill("pause", "runc \"$@\"; exit 1");
    scene.runtime.fall_ill("resume", "exit 1");
    scene.ask("pause").problem(500, "runtime-failed");
    assert_eq!(scene.daemon.client.get(&scene.running).json()["state"]["status"], "paused");
    scene.runtime.heal("resume");
    scene.daemon.client.patch(&scene.running, &json!({ "status": "running" })).expect(200);
    scene.assert_goes_on("resumed");
    scene.runtime.heal("pause");
    scene.end();
}

#[test]
fn a_runtime_that_cannot_delete_is_told_and_nothing_is_forgotten_until_it_can() {
    for (instead, status, kind, words) in [
        ("echo the moon is full >&2; exit 1", 500, "runtime-failed", "the moon is full"),
        ("echo '<html>%$#'; exit 0", 500, "runtime-failed", "it ended with 0 but"),
        ("hang & hang", 504, "runtime-timeout", "did not end within 2 s"),
    ] {
        eprintln!("-- delete does {instead:?}");
        let scene = Scene::new();
        scene.runtime.fall_ill("delete", instead);
        let asked = Instant::now();
        let problem = scene.ask("delete").problem(status, kind);
        assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
        scene.runtime.assert_ended(&scene.daemon);
        // That it was killed cannot be undone.
        let left = scene.daemon.client.get(&scene.running).expect(200).json();
        assert_eq!(
            (&left["state"]["status"], &left["state"]["exitStatus"]),
            (&json!("stopped"), &json!(137))
        );
        scene.runtime.heal("delete");
        scene.daemon.client.delete(&scene.running).expect(204);
        scene.daemon.clean_up();
    }
}

#[test]
fn a_runtime_that_deletes_and_then_fails_has_deleted() {
    let scene = Scene::new();
    scene.runtime.fall_ill("delete", "runc \"$@\"; exit 1");
    scene.ask("delete").expect(204);
    scene.daemon.client.get(&scene.running).problem(404, "container-not-found");
    scene.runtime.heal("delete");
    scene.daemon.clean_up();
}

#[test]
fn a_runtime_that_is_gone_is_unavailable_until_it_is_back() {
    let scene = Scene::new();
    let footprint = Footprint::of(&scene.daemon, &[scene.bundle.path()]);
    scene.runtime.vanish();
    for verb in Scene::VERBS {
        let row = Refusal { situation: verb, status: 503, kind: "runtime-unavailable", at: None };
        let problem = footprint.refuses(&row, || scene.ask(verb));
        assert!(problem["remedy"].as_str().unwrap().contains("--runtime"), "{problem}");
    }
    scene.runtime.come_back();
    scene.assert_goes_on("the runtime is back");
    scene.end();
}

/// What a daemon that is gone has asked for is ended at once, and nobody waits for it: the limit is a minute.
#[test]
fn a_runtime_that_hangs_does_not_keep_the_next_daemon_from_listening() {
    let runtime = Runtime::new();
    let path = runtime.path();
    let mut daemon = Daemon::with(&["--runtime", path.to_str().unwrap(), "--runtime-timeout", "60"]);
    let bundle = Bundle::sleeper();
    let (hangs, other) = (daemon.name("hangs"), daemon.name("other"));
    daemon.start_container(&other, &bundle.start()).expect(201);
    // A name that is new, one that has been started before, and a process that is added.
    for (verb, before) in [("run", false), ("run", true), ("exec", true)] {
        let (method, target, body) = match verb {
            "exec" => ("PUT", format!("/containers/{other}/process"), json!({ "args": ["sleep", "1000"] })),
            _ => ("POST", format!("/containers/{hangs}"), bundle.start()),
        };
        runtime.fall_ill(verb, "hang");
        let client = daemon.client.clone();
        let asking = std::thread::spawn(move || client.try_send(method, &target, &body));
        eventually("it hangs", || runtime.is_at_work(&daemon));
        let asked = Instant::now();
        daemon = daemon.crash_and_restart_after(|| {});
        let answered = daemon.client.get("/state").expect(200).json();
        assert!(asked.elapsed() < Duration::from_secs(20), "{verb}: {:?}", asked.elapsed());
        assert_eq!(asking.join().unwrap(), None);
        let shown = |id: &str| {
            let containers = answered["containers"].as_array().unwrap();
            containers.iter().find(|one| one["id"] == id).map(|one| one["state"]["status"].clone())
        };
        assert_eq!(shown(&other), Some(json!("running")));
        assert_eq!(shown(&hangs), before.then(|| json!("stopped")), "as before the start that failed");
        runtime.heal(verb);
        let path = format!("/containers/{other}/process");
        daemon.client.put(&path, &json!({ "args": ["true"] })).expect(200);
        runtime.assert_ended(&daemon);
        daemon.start_container(&hangs, &bundle.start()).expect(201);
        daemon.client.post(&format!("/containers/{hangs}/stop"), &json!({ "timeout": 0 })).expect(200);
    }
    eventually("no process is left listed", || {
        daemon.container(&other)["processes"].as_array().unwrap().len() == 1
    });
    daemon.clean_up();
}

/// While it is being started it is there, and then it never was; or is what it was before.
#[test]
fn who_waits_for_a_container_whose_start_fails_is_told_that_there_is_none_or_what_it_was() {
    let runtime = Runtime::new();
    let path = runtime.path();
    let daemon = Daemon::with(&["--runtime", path.to_str().unwrap(), "--runtime-timeout", "3"]);
    let (bundle, id) = (Bundle::sleeper(), daemon.name("a"));
    let path = format!("/containers/{id}/wait");
    let failing = || {
        runtime.fall_ill("run", "hang");
        let waited = std::thread::scope(|scope| {
            let starting = scope.spawn(|| daemon.start_container(&id, &bundle.start()));
            eventually("it is being started", || {
                daemon.client.get("/containers").json()[0]["state"]["status"] == "creating"
            });
            let waiting: Vec<_> = (0..2).map(|_| scope.spawn(|| daemon.client.get(&path))).collect();
            starting.join().unwrap().problem(504, "runtime-timeout");
            waiting.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        runtime.heal("run");
        waited
    };
    for answer in failing() {
        answer.problem(404, "container-not-found");
    }
    daemon.start_container(&id, &bundle.start()).expect(201);
    let stop = format!("/containers/{id}/stop");
    let before = daemon.client.post(&stop, &json!({ "timeout": 0 })).expect(200).json();
    for answer in failing() {
        assert_eq!(answer.expect(200).json(), before);
    }
    daemon.clean_up();
}

#[test]
fn a_start_whose_shim_is_killed_is_undone_and_says_so() {
    let runtime = Runtime::new();
    let path = runtime.path();
    let daemon = Daemon::with(&["--runtime", path.to_str().unwrap()]);
    let (bundle, id) = (Bundle::sleeper(), daemon.name("a"));
    runtime.fall_ill("run", "hang");
    let answer = std::thread::scope(|scope| {
        let starting = scope.spawn(|| daemon.start_container(&id, &bundle.start()));
        eventually("it hangs", || runtime.is_at_work(&daemon));
        let shim = i32::try_from(crate::recovery::shim_of(&daemon, &id)).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(shim), nix::sys::signal::Signal::SIGKILL).unwrap();
        starting.join().unwrap()
    });
    let problem = answer.problem(500, "shim-lost");
    assert!(problem["detail"].as_str().unwrap().contains("undone"), "{problem}");
    assert!(problem["remedy"].as_str().unwrap().contains("repeat"), "{problem}");
    runtime.assert_ended(&daemon);
    runtime.heal("run");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.clean_up();
}
