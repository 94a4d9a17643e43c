//! runc's own integration cases of checkpoint (`tests/integration/checkpoint.bats`), told through our API: a test a
//! case, by the case's name. Not told: "with netdevice" (`linux.netDevices` is of runc 1.4), "with --debug" (CRIU's log
//! is always whole). "checkpoint/restore and exec" is as far as runc 1.1 goes. "--pre-dump" and
//! "--lazy-pages" are in `lazy`, and in `tests/guest/pre-dumps` for a kernel that tracks memory.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

/// Checkpointed with `exit` and restored, twice, with a terminal as runc's cases have it.
fn simple_cr(bundle: Bundle) {
    let daemon = Daemon::start();
    let bundle = with_terminal(bundle);
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    for round in ["one", "two"] {
        cr(&daemon, &id, &bundle, round, "");
        lives(&daemon, &id);
    }
    daemon.clean_up();
}

fn with_terminal(bundle: Bundle) -> Bundle {
    bundle.with(|config| config["process"]["terminal"] = json!(true))
}

fn cr(daemon: &Daemon, id: &str, bundle: &Bundle, name: &str, query: &str) {
    daemon.client.post(&format!("/containers/{id}/checkpoint/{name}"), &json!({ "exit": true })).expect(201);
    assert_eq!(daemon.status(id), "stopped");
    daemon.client.post(&format!("/containers/{id}{query}"), &bundle.restore(name)).expect(201);
    assert_eq!(daemon.status(id), "running");
}

/// What is asked of it is done.
fn lives(daemon: &Daemon, id: &str) {
    let added = daemon
        .client
        .put(&format!("/containers/{id}/process"), &json!({ "args": ["true"] }))
        .expect(200)
        .json();
    let ended =
        daemon.client.get(&format!("/containers/{id}/process/{}/wait?timeout=10", added["pid"])).expect(200);
    assert_eq!(ended.json()["state"]["exitStatus"], 0);
}

fn mount(bundle: Bundle, mount: Value) -> Bundle {
    bundle.with(|config| config["mounts"].as_array_mut().unwrap().push(mount))
}

#[test]
fn checkpoint_and_restore() {
    simple_cr(Bundle::new(&["sh"]));
}

#[test]
fn checkpoint_and_restore_bind_mount_destination_is_symlink() {
    let bundle = Bundle::new(&["sh"]).with_own_rootfs();
    let rootfs = bundle.path().join("rootfs");
    fs::create_dir_all(rootfs.join("real/conf")).unwrap();
    std::os::unix::fs::symlink("/real/conf", rootfs.join("conf")).unwrap();
    let source = bundle.path().to_owned();
    simple_cr(mount(bundle, json!({ "source": source, "destination": "/conf", "options": ["bind"] })));
}

#[test]
fn checkpoint_and_restore_cgroupns() {
    simple_cr(Bundle::new(&["sh"]).with(|config| {
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "cgroup" }));
    }));
}

#[test]
fn checkpoint_and_restore_in_external_network_namespace() {
    let mut owner =
        Command::new("unshare").args(["-n", "sleep", "1000"]).stdin(Stdio::null()).spawn().unwrap();
    let path = format!("/proc/{}/ns/net", owner.id());
    let own = fs::read_link("/proc/self/ns/net").unwrap();
    eventually("it has a network namespace", || fs::read_link(&path).is_ok_and(|theirs| theirs != own));
    let theirs = fs::read_link(&path).unwrap();
    let daemon = Daemon::start();
    let bundle = with_terminal(Bundle::new(&["sh"])).with(|config| {
        let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
        let network = namespaces.iter_mut().find(|one| one["type"] == "network").unwrap();
        network["path"] = json!(path);
    });
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    for round in ["one", "two"] {
        cr(&daemon, &id, &bundle, round, "");
        let restored = fs::read_link(format!("/proc/{}/ns/net", daemon.init_pid(&id))).unwrap();
        assert_eq!(restored, theirs);
    }
    daemon.clean_up();
    owner.kill().unwrap();
    owner.wait().unwrap();
}

#[test]
fn checkpoint_and_restore_with_container_specific_criu_config() {
    let daemon = Daemon::start();
    let config = tempfile::NamedTempFile::new().unwrap();
    fs::write(config.path(), "file-locks\n").unwrap();
    let locks = "import fcntl, time
file = open('/tmp/lock', 'w')
fcntl.flock(file, fcntl.LOCK_EX)
open('/tmp/ready', 'w')
time.sleep(1000)";
    let bundle = Bundle::python(locks).with_shared().with(|spec| {
        spec["annotations"] = json!({ "org.criu.config": config.path() });
    });
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it holds its lock", || bundle.shared().join("ready").exists());
    // Without that file CRIU refuses it, as the preflight says; nobody has asked for fileLocks.
    let url = format!("/containers/{id}/checkpoint/one");
    daemon.client.post(&url, &json!({ "exit": true })).problem(409, "checkpoint-blocked");
    daemon.client.post(&format!("{url}?preflight=false"), &json!({ "exit": true })).expect(201);
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}

#[test]
fn checkpoint_and_restore_with_nested_bind_mounts() {
    let daemon = Daemon::start();
    let (outer, inner) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bind = |from: &Path, to: &str| json!({ "type": "bind", "source": from, "destination": to, "options": ["rw", "bind"] });
    let bundle = with_terminal(Bundle::new(&["sh"]).with_own_rootfs());
    let bundle = mount(mount(bundle, bind(outer.path(), "/test")), bind(inner.path(), "/test/for/nested"));
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    // The mount points that runc made in it are made again by the restore.
    fs::remove_dir_all(outer.path().join("for")).unwrap();
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    lives(&daemon, &id);
    daemon.clean_up();
}

#[test]
fn checkpoint_then_restore_into_a_different_cgroup() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    let at = |name: &str| json!(format!("/{}", daemon.name(name)));
    let mut bundle =
        with_terminal(Bundle::new(&["sh"])).with(|config| config["linux"]["cgroupsPath"] = at("first"));
    daemon.start_container(&id, &bundle.start()).expect(201);
    bundle = bundle.with(|config| config["linux"]["cgroupsPath"] = at("second"));
    cr(&daemon, &id, &bundle, "one", "?allowChangedBundle=true");
    let cgroup = fs::read_to_string(format!("/proc/{}/cgroup", daemon.init_pid(&id))).unwrap();
    let freezer = cgroup.lines().find(|line| line.contains("freezer")).unwrap_or(&cgroup);
    assert!(freezer.ends_with(at("second").as_str().unwrap()), "{cgroup}");
    daemon.clean_up();
}

#[test]
fn checkpoint_restore_and_exec() {
    let daemon = Daemon::start();
    let bundle = with_terminal(Bundle::new(&["sh"])).with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let run = |script: &str| {
        let args = json!({ "args": ["sh", "-c", script] });
        let added = daemon.client.put(&format!("/containers/{id}/process"), &args).expect(200).json();
        let wait = format!("/containers/{id}/process/{}/wait?timeout=10", added["pid"]);
        assert_eq!(daemon.client.get(&wait).expect(200).json()["state"]["exitStatus"], 0);
    };
    let begin = "sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/tmp/pid";
    run(begin);
    cr(&daemon, &id, &bundle, "one", "");
    let pid = fs::read_to_string(bundle.shared().join("pid")).unwrap();
    run(&format!("test -d /proc/{}", pid.trim()));
    // CRIU restores into a time namespace, which the exec of runc 1.1 does not join; CRIU would dump both and could
    // not restore them. So it is refused, and the container goes on.
    run(begin);
    let refused = daemon.client.post(&format!("/containers/{id}/checkpoint/two"), &json!({ "exit": true }));
    let problem = refused.problem(409, "checkpoint-blocked");
    assert!(problem["detail"].as_str().unwrap().contains("time namespace"), "{problem}");
    lives(&daemon, &id);
    daemon.clean_up();
}

/// `check_pipes` of runc's cases: the standard streams are pipes, and go on.
#[test]
fn pipes_go_on_after_a_restore() {
    let daemon = Daemon::start();
    let bundle = Bundle::script(
        "while :; do if read line </tmp/in; then echo ponG $line; echo err $line >&2; fi; done",
    )
    .with_shared();
    let fifo = bundle.shared().join("in");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let say = |word: &str| fs::write(&fifo, format!("{word}\n")).unwrap();
    say("one");
    eventually("it answers", || daemon.output(&id).contains("ponG one"));
    cr(&daemon, &id, &bundle, "one", "");
    say("two");
    eventually("it answers again", || daemon.output(&id).contains("ponG two"));
    let stderr = daemon.client.get(&format!("/containers/{id}/logs?stdout=false")).expect(200).body;
    assert!(stderr.contains("err two"), "{stderr}");
    daemon.clean_up();
}
