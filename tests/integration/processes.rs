//! Added processes: what they are, what they inherit, and how they end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::events::Events;
use crate::support::{eventually, host, raw};

/// A shell that does not end and says when a signal has come.
const TRAP: &str = "trap 'echo trapped; exit 5' USR1; echo ready; while :; do sleep 0.02; done";

pub(crate) fn started(bundle: &Bundle) -> (Daemon, String) {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    (daemon, id)
}

#[track_caller]
pub(crate) fn add(daemon: &Daemon, id: &str, process: &Value) -> Value {
    daemon.client.put(&format!("/containers/{id}/process"), process).expect(200).json()
}

fn pid(process: &Value) -> i64 {
    process["pid"].as_i64().unwrap()
}

#[track_caller]
pub(crate) fn listed(daemon: &Daemon, id: &str) -> Vec<Value> {
    let state = daemon.client.get("/state").expect(200).json();
    let container = state["containers"].as_array().unwrap().iter().find(|one| one["id"] == id);
    container.unwrap()["processes"].as_array().unwrap().clone()
}

/// What /proc/PID/status says.
fn status(pid: i64) -> BTreeMap<String, String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let fields = text.lines().filter_map(|line| line.split_once(":\t"));
    fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

fn environment(pid: i64) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn cwd(pid: i64) -> String {
    fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_string_lossy().into_owned()
}

/// runc answers a moment before what it has made becomes the program that was asked for.
#[track_caller]
fn await_program(process: &Value) {
    let args: Vec<&str> =
        process["args"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let command = format!("{}\0", args.join("\0"));
    let path = format!("/proc/{}/cmdline", process["pid"]);
    eventually(&format!("{path} is {command:?}"), || {
        fs::read_to_string(&path).is_ok_and(|read| read == command)
    });
}

fn exists(pid: i64) -> bool {
    fs::exists(format!("/proc/{pid}")).unwrap()
}

/// The log's lines without their times. Not by `lines`, which takes a terminal's \r off.
pub(crate) fn output(daemon: &Daemon, id: &str) -> Vec<String> {
    daemon.output(id).split_terminator('\n').map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn added_processes_are_listed_after_init_in_order_and_as_they_were_asked_for() {
    let bundle = Bundle::sleeper();
    let (daemon, id) = started(&bundle);
    let asked = [
        (
            "process",
            json!({
                "args": ["sleep", "1001"], "user": { "uid": 5, "gid": 6, "additionalGids": [7, 8] },
                "env": ["PATH=/bin", "A=1 = 2"], "cwd": "/tmp", "terminal": false,
            }),
        ),
        ("processes", json!({ "args": ["sleep", "1002"], "terminal": true })),
        (
            "process",
            json!({ "args": ["sh", "-c", "sleep 1003; true", "ä \"quoted\""], "user": { "uid": 0, "gid": 0 } }),
        ),
    ];
    let mut expected = listed(&daemon, &id);
    for (spelling, process) in asked {
        let answer = daemon.client.put(&format!("/containers/{id}/{spelling}"), &process).expect(200).json();
        let mut wanted = json!({ "user": { "uid": 0, "gid": 0 }, "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/", "terminal": false });
        for (field, value) in process.as_object().unwrap() {
            wanted[field] = value.clone();
        }
        wanted["pid"] = answer["pid"].clone();
        assert_eq!(answer, wanted);
        expected.push(answer);
    }
    assert_eq!(listed(&daemon, &id), expected);
    assert_eq!(daemon.container(&id)["processes"], json!(expected));

    // And so they are.
    for process in &expected {
        await_program(process);
    }
    let first = pid(&expected[1]);
    let status = status(first);
    assert_eq!((status["Uid"].as_str(), status["Gid"].as_str()), ("5\t5\t5\t5", "6\t6\t6\t6"));
    assert_eq!(status["Groups"], "7 8");
    assert!(environment(first).starts_with(&["PATH=/bin".to_owned(), "A=1 = 2".to_owned()]));
    assert_eq!(cwd(first), "/tmp");
    daemon.clean_up();
}

#[test]
fn what_is_left_out_is_what_the_bundles_own_process_has() {
    // Ambient, or a user who is not root would have none of them after exec (capabilities(7)).
    let capabilities = json!(["CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    let bundle = Bundle::sleeper().with(|config| {
        let process = &mut config["process"];
        process["user"] = json!({ "uid": 1000, "gid": 1001, "additionalGids": [1002, 1003] });
        process["env"] = json!(["PATH=/bin", "OWN=yes"]);
        process["cwd"] = json!("/tmp");
        for set in ["bounding", "effective", "permitted", "inheritable", "ambient"] {
            process["capabilities"][set] = capabilities.clone();
        }
    });
    let (daemon, id) = started(&bundle);
    let added = add(&daemon, &id, &json!({ "args": ["sleep", "1001"] }));
    let init = &listed(&daemon, &id)[0];
    await_program(init);
    await_program(&added);
    for field in ["user", "env", "cwd", "terminal"] {
        assert_eq!(added[field], init[field], "{field}");
    }
    assert_eq!(added["user"], json!({ "uid": 1000, "gid": 1001, "additionalGids": [1002, 1003] }));
    let (own, of_init) = (status(pid(&added)), status(pid(init)));
    for field in
        ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"]
    {
        assert_eq!(own[field], of_init[field], "{field}");
    }
    // CAP_KILL is 5, CAP_NET_BIND_SERVICE is 10.
    assert_eq!(own["CapEff"], "0000000000000420");
    assert_eq!((own["Groups"].as_str(), own["NoNewPrivs"].as_str()), ("1002 1003", "1"));
    assert_eq!(environment(pid(&added)), environment(pid(init)));
    assert_eq!(cwd(pid(&added)), "/tmp");
    daemon.clean_up();
}

#[test]
fn what_is_said_replaces_what_the_bundle_has_whole() {
    let bundle = Bundle::sleeper().with(|config| {
        config["process"]["user"] = json!({ "uid": 1000, "gid": 1000, "additionalGids": [1001] });
        config["process"]["env"] = json!(["PATH=/bin", "OWN=yes"]);
    });
    let (daemon, id) = started(&bundle);
    let process = json!({ "args": ["/bin/sleep", "1001"], "user": { "uid": 0, "gid": 0 }, "env": ["NEW=yes"], "cwd": "/bin" });
    let added = add(&daemon, &id, &process);
    await_program(&added);
    let status = status(pid(&added));
    assert_eq!((status["Uid"].as_str(), status["Groups"].as_str()), ("0\t0\t0\t0", ""));
    let environment = environment(pid(&added));
    assert!(environment.contains(&"NEW=yes".to_owned()), "{environment:?}");
    assert!(
        !environment.iter().any(|one| one.starts_with("OWN=") || one.starts_with("PATH=")),
        "{environment:?}"
    );
    assert_eq!(cwd(pid(&added)), "/bin");
    // Nothing is something else than left out.
    let bare = add(&daemon, &id, &json!({ "args": ["/bin/sleep", "1002"], "env": [] }));
    assert_eq!(bare.get("env"), None);
    await_program(&bare);
    assert!(!self::environment(pid(&bare)).iter().any(|one| one.starts_with("OWN=")));
    daemon.clean_up();
}

#[test]
fn a_process_that_ends_leaves_the_list_at_once_and_an_event_says_how() {
    let bundle = Bundle::sleeper().with_shared();
    let (daemon, id) = started(&bundle);
    let events = Events::follow(&daemon.client);
    let waits = "while ! test -e /tmp/end; do sleep 0.02; done; exit 3";
    let code = add(&daemon, &id, &json!({ "args": ["sh", "-c", waits] }));
    let signal = add(&daemon, &id, &json!({ "args": ["sleep", "1001"] }));
    for process in [&code, &signal] {
        let event = events.next("exec");
        assert_eq!((&event["id"], &event["pid"]), (&json!(id), &process["pid"]));
    }
    fs::write(bundle.shared().join("end"), "").unwrap();
    let event = events.next("exit");
    assert_eq!((&event["id"], &event["pid"], &event["status"]), (&json!(id), &code["pid"], &json!(3)));
    // Whoever has heard of it does not see it any more.
    assert_eq!(listed(&daemon, &id).len(), 2);
    assert_eq!(listed(&daemon, &id)[1], signal);

    daemon
        .client
        .post(&format!("/containers/{id}/process/{}", signal["pid"]), &json!({ "signal": 9 }))
        .expect(200);
    let event = events.next("exit");
    assert_eq!((&event["pid"], &event["status"]), (&signal["pid"], &json!(128 + 9)));
    assert_eq!(listed(&daemon, &id).len(), 1);
    assert_eq!(daemon.status(&id), "running");
    daemon.clean_up();
    assert_eq!(events.next("exit").get("pid"), None, "of the init process the container's name says enough");
    assert_eq!(events.next("delete")["id"], json!(id));
}

#[test]
fn a_signal_reaches_the_process_it_is_sent_to_and_no_other() {
    let bundle = Bundle::script(TRAP);
    let (daemon, id) = started(&bundle);
    let events = Events::follow(&daemon.client);
    let added: Vec<Value> =
        (0..2).map(|_| add(&daemon, &id, &json!({ "args": ["sh", "-c", TRAP] }))).collect();
    eventually("all three are ready", || {
        output(&daemon, &id).iter().filter(|line| line.ends_with("ready")).count() == 3
    });
    for (spelling, process) in [("process", &added[0]), ("processes", &added[1])] {
        let path = format!("/containers/{id}/{spelling}/{}", process["pid"]);
        let answer = daemon.client.post(&path, &json!({ "signal": 10 })).expect(200);
        assert_eq!(answer.body, "");
        let event = events.next("exit");
        assert_eq!((&event["pid"], &event["status"]), (&process["pid"], &json!(5)));
    }
    let trapped = || output(&daemon, &id).iter().filter(|line| line.ends_with("trapped")).count();
    assert_eq!((trapped(), daemon.status(&id).as_str()), (2, "running"));
    // The init process is a process too.
    let path = format!("/containers/{id}/process/{}", daemon.init_pid(&id));
    daemon.client.post(&path, &json!({ "signal": 10 })).expect(200);
    daemon.await_status(&id, "stopped");
    assert_eq!((trapped(), &daemon.container(&id)["state"]["exitStatus"]), (3, &json!(5)));
    daemon.clean_up();
}

#[test]
fn a_child_that_nobody_added_is_signalled_by_its_pid_on_the_host() {
    let bundle = Bundle::script("sleep 1001 & sleep 1000");
    let (daemon, id) = started(&bundle);
    let child = |seconds: &str| {
        let found = host::processes(&id, daemon.pid())
            .into_iter()
            .find(|(_, command)| command.starts_with(&format!("sleep {seconds}")));
        found.map(|(pid, _)| i64::from(pid))
    };
    eventually("the shell has forked", || child("1001").is_some() && child("1000").is_some());
    let forked = child("1001").unwrap();
    assert!(listed(&daemon, &id).iter().all(|process| pid(process) != forked));
    daemon.client.post(&format!("/containers/{id}/process/{forked}"), &json!({ "signal": 9 })).expect(200);
    eventually("it has ended", || child("1001").is_none());
    assert!(child("1000").is_some() && daemon.status(&id) == "running");
    daemon.clean_up();
}

#[test]
fn with_its_init_process_the_added_ones_are_gone_too() {
    // Without a pid namespace of its own the kernel does not see to it.
    let shared_pids = Bundle::sleeper().with(|config| {
        config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != "pid");
    });
    for (situation, bundle) in
        [("a pid namespace of its own", Bundle::sleeper()), ("the host's pids", shared_pids)]
    {
        eprintln!("-- {situation}");
        let (daemon, id) = started(&bundle);
        let added: Vec<i64> = (0..3)
            .map(|_| pid(&add(&daemon, &id, &json!({ "args": ["sh", "-c", "sleep 1001 & sleep 1002"] }))))
            .collect();
        daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
        daemon.await_status(&id, "stopped");
        assert_eq!(listed(&daemon, &id), Vec::<Value>::new());
        eventually("the added ones are gone", || !added.iter().any(|pid| exists(*pid)));
        eventually("their children are gone", || host::processes(&daemon.prefix, daemon.pid()).is_empty());
        eventually("their cgroup is gone", || host::cgroups(&daemon.prefix).is_empty());
        daemon.clean_up();
    }
}

#[test]
fn many_quick_processes_leave_nothing_and_none_goes_unsaid() {
    let bundle = Bundle::sleeper();
    let (daemon, id) = started(&bundle);
    let events = Events::follow(&daemon.client);
    let files = || host::files(&daemon.state_folder(), &[]);
    let before = files();
    let added: Vec<Value> = (0..40).map(|_| add(&daemon, &id, &json!({ "args": ["true"] }))).collect();
    let mut ended = BTreeSet::new();
    for _ in &added {
        let event = events.next("exit");
        assert_eq!(event["status"], 0);
        assert!(ended.insert(pid(&event)), "each end is told once");
    }
    // Not always in order: runc answers a moment before its process becomes the program.
    assert_eq!(ended, added.iter().map(pid).collect());
    assert_eq!(listed(&daemon, &id).len(), 1);
    // The last one's go a moment after its end was told.
    eventually("their files are gone", || files() == before);
    daemon.clean_up();
}

#[test]
fn a_client_that_hangs_up_does_not_cancel_what_it_began() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let names: Vec<String> = (0..10).map(|number| daemon.name(&format!("a{number}"))).collect();
    for id in &names {
        raw::send_and_hang_up(
            raw::let_in(&daemon.client),
            "POST",
            &format!("/containers/{id}"),
            &bundle.start().to_string(),
        );
    }
    let containers = || daemon.client.get("/containers").expect(200).json().as_array().unwrap().clone();
    eventually("all of them run", || {
        containers().iter().filter(|one| one["state"]["status"] == "running").count() == names.len()
    });
    for id in &names {
        let path = format!("/containers/{id}/process");
        raw::send_and_hang_up(
            raw::let_in(&daemon.client),
            "PUT",
            &path,
            &json!({ "args": ["sleep", "1001"] }).to_string(),
        );
    }
    eventually("each has its process", || {
        containers().iter().all(|one| one["processes"].as_array().unwrap().len() == 2)
    });
    for id in &names {
        raw::send_and_hang_up(
            raw::let_in(&daemon.client),
            "DELETE",
            &format!("/containers/{id}?force=true"),
            "",
        );
    }
    eventually("all of them are gone", || containers().is_empty());
    daemon.assert_nothing_left();
}
