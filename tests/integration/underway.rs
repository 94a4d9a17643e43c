//! A checkpoint or a restore that takes its time: what is shown of it, and calling it off.

use std::fs;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::runtime::Runtime;

/// Enough that a dump takes long enough to be called off.
const MEMORY: u64 = 1024 * 1024 * 1024;

/// Holds so much memory, and counts.
fn holder() -> Bundle {
    let script = format!(
        "import time
held = bytearray(b'x') * {MEMORY}
i = 0
while True:
    i += 1
    open('/tmp/count', 'w').write(str(i))
    time.sleep(0.02)"
    );
    Bundle::python(&script).with_shared()
}

fn count(bundle: &Bundle) -> u64 {
    fs::read_to_string(bundle.shared().join("count")).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn counts_on(bundle: &Bundle) {
    let before = count(bundle);
    eventually("it counts on", || count(bundle) > before + 3);
}

/// While `work` is under way, once it is shown.
fn meanwhile<T: Send>(
    daemon: &Daemon,
    id: &str,
    work: impl FnOnce() -> T + Send,
    then: impl FnOnce(Value),
) -> T {
    std::thread::scope(|scope| {
        let work = scope.spawn(work);
        let mut shown = Value::Null;
        eventually("it is shown", || {
            let answer = daemon.client.get(&format!("/containers/{id}"));
            shown = if answer.status == 200 { answer.json()["progress"].clone() } else { Value::Null };
            shown.is_object()
        });
        then(shown);
        work.join().unwrap()
    })
}

#[test]
fn a_checkpoint_that_is_called_off_leaves_the_container_as_it_was() {
    let daemon = Daemon::start();
    let bundle = holder();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it holds its memory", || count(&bundle) > 0);
    let pid = daemon.init_pid(&id);
    let cancel = || daemon.client.post(&format!("/containers/{id}/cancel"), &json!({}));
    cancel().problem(409, "nothing-under-way");
    for exit in [true, false, true] {
        let url = format!("/containers/{id}/checkpoint/one");
        let dump = || daemon.client.post(&url, &json!({ "exit": exit }));
        let answer = meanwhile(&daemon, &id, dump, |shown| {
            assert_eq!((&shown["operation"], &shown["checkpoint"]), (&json!("checkpoint"), &json!("one")));
            assert!(shown["total"].as_u64().unwrap() >= MEMORY, "{shown}");
            cancel().expect(204);
        });
        answer.problem(409, "cancelled");
        assert_eq!((daemon.status(&id).as_str(), daemon.init_pid(&id)), ("running", pid));
        assert!(!bundle.path().join("checkpoints").exists(), "nothing on disk");
        counts_on(&bundle);
    }
    // Not worse for it: it can be dumped, and goes on from there.
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let dumped = count(&bundle);

    let restore = || daemon.start_container(&id, &bundle.restore("one"));
    let answer = meanwhile(&daemon, &id, restore, |shown| {
        assert_eq!(shown["operation"], "restore");
        assert!(shown["total"].as_u64().unwrap() >= MEMORY, "{shown}");
        cancel().expect(204);
    });
    answer.problem(409, "cancelled");
    assert_eq!(daemon.status(&id), "stopped");
    // Under a name that nobody had, nothing is left at all.
    let second = daemon.name("b");
    let restore = || daemon.start_container(&second, &bundle.restore("one"));
    let answer = meanwhile(&daemon, &second, restore, |_| {
        daemon.client.post(&format!("/containers/{second}/cancel"), &json!({})).expect(204);
    });
    answer.problem(409, "cancelled");
    daemon.client.get(&format!("/containers/{second}")).problem(404, "container-not-found");
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    eventually("it goes on", || count(&bundle) > dumped + 3);
    daemon.clean_up();
}

#[test]
fn a_criu_that_turns_in_a_circle_is_ended_before_its_log_fills_the_disk() {
    let runtime = Runtime::new();
    let daemon = Daemon::with(&["--runtime", runtime.path().to_str().unwrap()]);
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    // Behind the daemon's back, who would see it: CRIU asks again and again for pages that are not there.
    let pages = bundle.path().join("checkpoints/one/image/pages-1.img");
    runtime.fall_ill(
        "restore",
        &format!("head -c 100 {0} >{0}.cut; mv {0}.cut {0}; exec runc \"$@\"", pages.display()),
    );
    let answer = daemon.start_container(&id, &bundle.restore("one"));
    let problem = answer.problem(500, "runtime-failed");
    assert!(
        fs::metadata(problem["log"].as_str().unwrap()).unwrap().len() <= 4 * 1024 * 1024,
        "its end is kept"
    );
    assert!(daemon.log().contains("grows without end"));
    assert_eq!(daemon.status(&id), "stopped");
    daemon.clean_up();
}

#[test]
fn what_takes_long_is_told_once_a_second() {
    let slow = Runtime::new();
    for verb in ["checkpoint", "restore"] {
        slow.fall_ill(verb, "sleep 2.5; exec runc \"$@\"");
    }
    let daemon = Daemon::with(&["--runtime", slow.path().to_str().unwrap()]);
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    let told = daemon.client.get(&format!("/events?since=0&follow=false&id={id}")).expect(200).body;
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    for operation in ["checkpoint", "restore"] {
        let of = |event: &&Value| event["progress"]["operation"] == operation;
        let progress: Vec<&Value> = told.iter().filter(of).collect();
        assert!(progress.len() >= 2, "{kinds:?}");
        assert!(
            progress.iter().all(|event| event["checkpoint"] == "one" && event["progress"]["total"].is_u64())
        );
    }
    assert!(daemon.container(&id)["progress"].is_null());
    daemon.clean_up();
}
