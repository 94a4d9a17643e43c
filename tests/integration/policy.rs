//! Rules for callers who are not root: each forbids what it says, by its name and place, at a start, a restore and an added
//! process; and root is bound by none.

use std::fs;
use std::os::unix::fs::chown;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::daemon::{Daemon, command};
use crate::support::footprint::{Footprint, Refusal};
use crate::support::host::as_user;
use crate::support::raw;

const NOBODY: u32 = 65534;
const MASKED: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];
const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// A daemon that serves nobody by these rules; root filesystems lie where all tests' do.
fn ruled(rules: &str) -> Daemon {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mounts = env!("CARGO_TARGET_TMPDIR");
    let text = format!("allow-user = [\"nobody\"]\n[policy]\nmounts = [\"{mounts}\"]\n{rules}\n");
    fs::write(file.path(), text).unwrap();
    Daemon::with(&["--config", file.path().to_str().unwrap()])
}

/// What all rules let pass.
fn tame(bundle: Bundle) -> Bundle {
    bundle.with(|config| {
        config["linux"]["maskedPaths"] = json!(MASKED);
        config["linux"]["readonlyPaths"] = json!(READ_ONLY);
    })
}

fn ask(daemon: &Daemon, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    as_user(NOBODY, || raw::send(&daemon.client, method, path, &body))
}

#[track_caller]
fn assert_names(problem: &Value, rule: &str, at: &str, place: &str) {
    let named = problem["errors"].as_array().unwrap().iter().find(|one| one["code"] == rule);
    let named = named.unwrap_or_else(|| panic!("{rule}: {problem}"));
    assert_eq!(named["location"], at, "{problem}");
    assert!(named["message"].as_str().unwrap().contains(place), "{rule}, {place}: {problem}");
    assert!(problem["detail"].as_str().unwrap().contains(rule), "{problem}");
}

fn push(list: &mut Value, one: Value) {
    match list.as_array_mut() {
        Some(list) => list.push(one),
        None => *list = json!([one]),
    }
}

type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn each_rule_forbids_what_it_says_by_its_name_and_place_and_root_is_bound_by_none() {
    let elsewhere = tempfile::tempdir().unwrap();
    let daemon = ruled("no-seccomp = false\nroot-user = false\nbundle-roots = [\"/tmp\"]");
    let good = |config: &mut Value| {
        config["linux"]["seccomp"] = json!({ "defaultAction": "SCMP_ACT_ERRNO" });
        config["process"]["user"] = json!({ "uid": 7, "gid": 7 });
    };
    let source = elsewhere.path().to_str().unwrap().to_owned();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink("/", &link).unwrap();
    let bind = |source: &str| json!({ "destination": "/mnt", "type": "none", "source": source, "options": ["rbind"] });
    let rows: [(&str, &str, Change<'_>); 26] = [
        ("capabilities", "/process/capabilities/bounding has CAP_SYS_ADMIN", &|config| {
            push(&mut config["process"]["capabilities"]["bounding"], json!("CAP_SYS_ADMIN"));
        }),
        ("capabilities", "/process/capabilities/ambient has CAP_SYS_PTRACE", &|config| {
            push(&mut config["process"]["capabilities"]["ambient"], json!("CAP_SYS_PTRACE"));
        }),
        ("host-namespaces", "/linux/namespaces has none of its own for network", &|config| {
            config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != "network");
        }),
        ("host-namespaces", "/linux/namespaces has none of its own for pid", &|config| {
            config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != "pid");
        }),
        ("host-namespaces", "/linux/namespaces/1/path", &|config| {
            config["linux"]["namespaces"][1]["path"] = json!("/proc/1/ns/net");
        }),
        ("devices", "/linux/devices/0", &|config| {
            push(
                &mut config["linux"]["devices"],
                json!({ "path": "/dev/sda", "type": "b", "major": 8, "minor": 0 }),
            );
        }),
        ("devices", "/linux/resources/devices/1", &|config| {
            push(&mut config["linux"]["resources"]["devices"], json!({ "allow": true, "access": "rwm" }));
        }),
        ("mounts", "/mounts/3/source", &|config| push(&mut config["mounts"], bind(&source))),
        ("mounts", "/mounts/3/source leads to /,", &|config| {
            push(&mut config["mounts"], bind(link.to_str().unwrap()));
        }),
        ("mounts", "/mounts/3/source leads to /,", &|config| push(&mut config["mounts"], bind("../../."))),
        ("mounts", "/mounts/3/source shows", &|config| {
            let root = bind(config["root"]["path"].as_str().unwrap());
            push(&mut config["mounts"], root);
        }),
        ("mounts", "/mounts/3/source shows", &|config| {
            let below = bind(&format!("{}/proc", config["root"]["path"].as_str().unwrap()));
            push(&mut config["mounts"], below);
        }),
        ("mounts", "/mounts/3/type", &|config| {
            let overlay = json!({ "destination": "/mnt", "type": "overlay", "source": "overlay",
                "options": ["lowerdir=/etc:/root"] });
            push(&mut config["mounts"], overlay);
        }),
        ("mounts", "/root/path leads to /etc", &|config| config["root"]["path"] = json!("/etc")),
        ("masks", "/linux/maskedPaths lacks /proc/keys", &|config| {
            config["linux"]["maskedPaths"].as_array_mut().unwrap().retain(|one| one != "/proc/keys");
        }),
        ("masks", "/linux/readonlyPaths lacks /proc/sys,", &|config| {
            config["linux"]["readonlyPaths"] = json!(["/proc/bus", "/proc/fs", "/proc/irq"]);
        }),
        ("masks", "/mounts/3/options", &|config| {
            push(&mut config["mounts"], json!({ "destination": "/sys", "type": "sysfs", "source": "sysfs" }));
        }),
        ("masks", "/mounts/3/options", &|config| {
            let options = ["ro", "rw"];
            let sys =
                json!({ "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": options });
            push(&mut config["mounts"], sys);
        }),
        ("masks", "/mounts/3/destination", &|config| {
            push(&mut config["mounts"], json!({ "destination": "/mem", "type": "proc", "source": "proc" }));
        }),
        ("new-privileges", "/process/noNewPrivileges", &|config| {
            config["process"].as_object_mut().unwrap().remove("noNewPrivileges");
        }),
        ("no-seccomp", "/linux/seccomp", &|config| {
            config["linux"].as_object_mut().unwrap().remove("seccomp");
        }),
        ("root-user", "/process/user/uid is 0", &|config| {
            config["process"]["user"] = json!({ "uid": 0, "gid": 0 })
        }),
        ("root-user", "/process/user/uid is 7", &|config| {
            config["process"]["user"] = json!({ "uid": 7, "gid": 7 });
            push(&mut config["linux"]["namespaces"], json!({ "type": "user" }));
            config["linux"]["uidMappings"] = json!([{ "containerID": 7, "hostID": 0, "size": 1 }]);
        }),
        ("known", "/Linux", &|config| config["Linux"] = json!({ "namespaces": [] })),
        ("known", "/process/Capabilities", &|config| {
            config["process"]["Capabilities"] = json!({ "bounding": ["CAP_SYS_ADMIN"] });
        }),
        ("allow-hooks", "/hooks/poststop", &|config| {
            config["hooks"] = json!({ "poststop": [{ "path": "/bin/true" }] });
        }),
    ];
    for (rule, place, change) in rows {
        let bundle = tame(Bundle::sleeper()).with(good).with(change);
        let footprint = Footprint::of(&daemon, &[bundle.path()]);
        let at = Some("/body/bundlePath");
        let row = Refusal { situation: place, status: 403, kind: "policy", at };
        let path = format!("/containers/{}", daemon.name("a"));
        let problem = footprint.refuses(&row, || ask(&daemon, "POST", &path, &bundle.start()));
        assert_names(&problem, rule, "/body/bundlePath", place);
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    }
    // All of them, and not the first alone.
    let bare = Bundle::sleeper();
    let path = format!("/containers/{}", daemon.name("a"));
    let problem = ask(&daemon, "POST", &path, &bare.start()).problem(403, "policy");
    for (rule, place) in [("masks", "maskedPaths"), ("no-seccomp", "seccomp"), ("root-user", "uid")] {
        assert_names(&problem, rule, "/body/bundlePath", place);
    }
    daemon.start_container(&daemon.name("a"), &bare.start()).expect(201);
    daemon.clean_up();
}

#[test]
fn what_the_rules_allow_is_started_added_to_checkpointed_and_restored() {
    let data = tempfile::tempdir().unwrap();
    let rules =
        "capabilities = [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\", \"CAP_SYS_NICE\"]
host-namespaces = [\"network\"]
devices = true
masks = false
new-privileges = true
output-files = true
archives = true";
    let daemon = ruled(rules);
    let bundle =
        Bundle::sleeper().capable(&["CAP_SYS_NICE"]).with_shared().without_namespace("network").with(
            |config| {
                config["process"]["noNewPrivileges"] = json!(false);
                push(
                    &mut config["linux"]["resources"]["devices"],
                    json!({ "allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw" }),
                );
            },
        );
    let path = format!("/containers/{}", daemon.name("a"));
    let mut start = bundle.start();
    start["stdout"] = json!(data.path().join("out"));
    ask(&daemon, "POST", &path, &start).expect(201);
    ask(
        &daemon,
        "PUT",
        &format!("{path}/process"),
        &json!({ "args": ["sleep", "1000"], "user": { "uid": 7, "gid": 7 } }),
    )
    .expect(200);
    ask(&daemon, "POST", &format!("{path}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    ask(&daemon, "POST", &path, &bundle.restore("one")).expect(201);
    daemon.clean_up();

    // By default what a bundle of `runc spec` has may be had.
    let daemon = ruled("");
    let bundle = tame(Bundle::sleeper());
    let path = format!("/containers/{}", daemon.name("a"));
    ask(&daemon, "POST", &path, &bundle.start()).expect(201);
    ask(&daemon, "PUT", &format!("{path}/process"), &json!({ "args": ["true"] })).expect(200);
    daemon.clean_up();
}

#[test]
fn a_bundle_in_the_hands_of_whom_the_rules_bind_is_not_started() {
    let daemon = ruled("");
    let bundle = tame(Bundle::sleeper());
    let path = format!("/containers/{}", daemon.name("a"));
    for place in ["config.json", ""] {
        let place = bundle.path().join(place);
        chown(&place, Some(NOBODY), None).unwrap();
        ask(&daemon, "POST", &path, &bundle.start()).problem(403, "bundle-unsafe");
        chown(&place, Some(0), None).unwrap();
    }
    ask(&daemon, "POST", &path, &bundle.start()).expect(201);
    daemon.clean_up();
}

#[test]
fn bundles_of_whom_the_rules_bind_lie_where_the_rules_say() {
    let roots = tempfile::tempdir().unwrap();
    let daemon = ruled(&format!("bundle-roots = [\"{}\"]", roots.path().display()));
    let bundle = tame(Bundle::sleeper());
    let path = format!("/containers/{}", daemon.name("a"));
    let problem = ask(&daemon, "POST", &path, &bundle.start()).problem(403, "policy");
    assert_names(&problem, "bundle-roots", "/body/bundlePath", bundle.path().to_str().unwrap());
    let inside = roots.path().join("bundle");
    fs::create_dir(&inside).unwrap();
    fs::copy(bundle.path().join("config.json"), inside.join("config.json")).unwrap();
    ask(&daemon, "POST", &path, &json!({ "bundlePath": inside })).expect(201);
    // And no deeper: in a root filesystem lies what a container has written, as root.
    let deeper = inside.join("rootfs/bundle");
    fs::create_dir_all(&deeper).unwrap();
    fs::copy(bundle.path().join("config.json"), deeper.join("config.json")).unwrap();
    let path = format!("/containers/{}", daemon.name("b"));
    for below in [&deeper, &roots.path().to_owned()] {
        let problem = ask(&daemon, "POST", &path, &json!({ "bundlePath": below })).problem(403, "policy");
        assert_names(&problem, "bundle-roots", "/body/bundlePath", below.to_str().unwrap());
    }
    daemon.start_container(&daemon.name("b"), &json!({ "bundlePath": deeper })).expect(201);
    daemon.clean_up();
}

#[test]
fn a_process_is_not_added_to_a_container_that_breaks_the_rules_whoever_has_started_it() {
    let daemon = ruled("root-user = false");
    let capable = tame(Bundle::sleeper()).capable(&["CAP_SYS_ADMIN"]).with(|config| {
        config["process"]["user"] = json!({ "uid": 7, "gid": 7 });
    });
    let plain =
        tame(Bundle::sleeper()).with(|config| config["process"]["user"] = json!({ "uid": 7, "gid": 7 }));
    let odd = tame(Bundle::sleeper()).with(|config| {
        config["process"]["user"] = json!({ "uid": 7, "gid": 7 });
        config["process"]["Capabilities"] = json!({ "bounding": ["CAP_SYS_ADMIN"] });
    });
    let path = |name: &str| format!("/containers/{}/process", daemon.name(name));
    daemon.start_container(&daemon.name("odd"), &odd.start()).expect(201);
    daemon.start_container(&daemon.name("capable"), &capable.start()).expect(201);
    daemon.start_container(&daemon.name("plain"), &plain.start()).expect(201);
    // What counts is what it was started with.
    fs::write(capable.path().join("config.json"), fs::read(plain.path().join("config.json")).unwrap())
        .unwrap();
    let body = json!({ "args": ["sleep", "1000"] });
    let footprint = Footprint::of(&daemon, &[]);
    for spelled in ["capable", "plain", "odd"] {
        let as_root = json!({ "args": ["sleep", "1000"], "user": { "uid": 0, "gid": 0 } });
        let (body, rule, at) = match spelled {
            "capable" => (&body, "capabilities", "/path/id"),
            "odd" => (&body, "known", "/path/id"),
            _ => (&as_root, "root-user", "/body/user"),
        };
        let row = Refusal { situation: spelled, status: 403, kind: "policy", at: Some(at) };
        let problem = footprint.refuses(&row, || ask(&daemon, "PUT", &path(spelled), body));
        assert_names(&problem, rule, at, "/process/");
    }
    ask(&daemon, "PUT", &path("plain"), &body).expect(200);
    daemon.client.put(&path("capable"), &body).expect(200);
    daemon.clean_up();
}

#[test]
fn a_restore_with_a_changed_bundle_is_held_against_the_rules() {
    let daemon = ruled("");
    let bundle = tame(Bundle::sleeper());
    let path = format!("/containers/{}", daemon.name("a"));
    ask(&daemon, "POST", &path, &bundle.start()).expect(201);
    ask(&daemon, "POST", &format!("{path}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let bundle = bundle.capable(&["CAP_SYS_ADMIN"]);
    let changed = format!("{path}?allowChangedBundle=true");
    let problem = ask(&daemon, "POST", &changed, &bundle.restore("one")).problem(403, "policy");
    assert_names(&problem, "capabilities", "/body/bundlePath", "CAP_SYS_ADMIN");
    daemon.client.post(&changed, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}

#[test]
fn root_is_not_restored_for_whom_the_rules_let_have_none() {
    let daemon = ruled("root-user = false");
    let bundle = tame(Bundle::sleeper());
    let path = format!("/containers/{}", daemon.name("a"));
    daemon.client.post(&path, &bundle.start()).expect(201);
    daemon.client.post(&format!("{path}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let bundle = bundle.with(|config| config["process"]["user"] = json!({ "uid": 7, "gid": 7 }));
    let changed = format!("{path}?allowChangedBundle=true");
    let problem = ask(&daemon, "POST", &changed, &bundle.restore("one")).problem(403, "policy");
    assert_names(&problem, "root-user", "/body/checkpoint", "process 1 ");
    daemon.client.post(&changed, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}

#[test]
fn files_of_the_hosts_and_memory_are_not_written_or_read_for_whom_the_rules_bind() {
    let daemon = ruled("");
    let folder = tempfile::tempdir().unwrap();
    let bundle = tame(Bundle::sleeper());
    let path = format!("/containers/{}", daemon.name("a"));
    for field in ["stdout", "stderr"] {
        let mut start = bundle.start();
        start[field] = json!(folder.path().join("out"));
        let problem = ask(&daemon, "POST", &path, &start).problem(403, "policy");
        assert_names(&problem, "output-files", &format!("/body/{field}"), "out");
        assert!(!folder.path().join("out").exists());
    }
    ask(&daemon, "POST", &path, &bundle.start()).expect(201);
    ask(&daemon, "POST", &format!("{path}/checkpoint/one"), &json!({})).expect(201);
    let archive = format!("{path}/checkpoint/one/archive");
    let out = ask(&daemon, "GET", &archive, &Value::Null).problem(403, "policy");
    assert_names(&out, "archives", "/path/checkpoint", "memory");
    let inward = as_user(NOBODY, || {
        let kind = "Content-Type: application/x-tar";
        raw::send_with(&daemon.client, "PUT", &format!("{path}/checkpoint/two/archive"), kind, "x")
    });
    assert_names(&inward.problem(403, "policy"), "archives", "/path/checkpoint", "memory");
    daemon.clean_up();
}

#[test]
fn a_rule_that_is_none_is_said_at_the_start() {
    for (rules, words) in [
        ("capability = []", "unknown field `capability`"),
        ("capabilities = [\"CAP_EVERYTHING\"]", "CAP_EVERYTHING"),
        ("host-namespaces = [\"planet\"]", "planet"),
        ("masks = \"no\"", "masks"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, format!("[policy]\n{rules}\n")).unwrap();
        let args = ["--dry-run", "--config", file.to_str().unwrap()].map(str::to_owned);
        let output = command(folder.path(), &args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words), "{rules}: {said}");
    }
}
