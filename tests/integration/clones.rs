//! Clones: one checkpoint under many names at once, beside the container that it is of. Each is in a cgroup of its own, on
//! version 2 too, where runc leaves that to CRIU; what is done to one by its cgroup is done to no other.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, eventually_within};

const CLONES: usize = 10;
const LIMIT: u64 = 96 << 20;

/// Its cgroup's file: of the unified hierarchy, or of this controller's.
fn file(pid: i32, controller: &str, name: &str) -> PathBuf {
    let lines = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let of = |wanted: &str| {
        lines.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':').unwrap().1.split_once(':').unwrap();
            controllers.split(',').any(|one| one == wanted).then(|| path.trim_start_matches('/').to_owned())
        })
    };
    let mount = Path::new("/sys/fs/cgroup");
    match of(controller) {
        Some(path) => mount.join(controller).join(path).join(name),
        None => mount.join(of("").unwrap()).join(name),
    }
}

fn cgroup(pid: i32) -> PathBuf {
    file(pid, "freezer", "")
}

fn is_unified() -> bool {
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

fn number(path: &Path) -> u64 {
    fs::read_to_string(path).unwrap().trim().parse().unwrap()
}

#[test]
fn ten_clones_at_once_are_each_in_a_cgroup_of_their_own_and_paused_limited_and_killed_alone() {
    let daemon = Daemon::start();
    let script =
        "x=$(head -c 8000000 /dev/zero | tr '\\0' y); i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done";
    let bundle = Bundle::script(script).with(|config| {
        config["linux"]["resources"]["memory"] = json!({ "limit": LIMIT });
        if is_unified() {
            let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
            namespaces.push(json!({ "type": "cgroup" }));
        }
    });
    let origin = daemon.name("origin");
    daemon.start_container(&origin, &bundle.start()).expect(201);
    let counted = |id: &str| daemon.output(id).lines().count();
    eventually("it counts", || counted(&origin) > 3);
    daemon.client.post(&format!("/containers/{origin}/checkpoint/one"), &json!({})).expect(201);
    let clones: Vec<String> = (0..CLONES).map(|number| daemon.name(&format!("c{number}"))).collect();
    std::thread::scope(|scope| {
        for clone in &clones {
            scope.spawn(|| daemon.start_container(clone, &bundle.restore("one")).expect(201));
        }
    });

    let all: Vec<&String> = clones.iter().chain([&origin]).collect();
    for id in &all {
        let pid = daemon.init_pid(id);
        assert!(cgroup(pid).to_string_lossy().contains(id.as_str()), "{id} is in {}", cgroup(pid).display());
        let processes = fs::read_to_string(cgroup(pid).join("cgroup.procs")).unwrap();
        assert!(processes.lines().any(|line| line == pid.to_string()), "{id}: {processes}");
        let limit = if is_unified() { "memory.max" } else { "memory.limit_in_bytes" };
        assert_eq!(number(&file(pid, "memory", limit)), LIMIT, "{id}");
        let used = if is_unified() { "memory.current" } else { "memory.usage_in_bytes" };
        // What it has in memory was brought in there, and counts there.
        assert!(number(&file(pid, "memory", used)) > 8_000_000, "{id}'s memory is another's");
        if is_unified() {
            let seen = std::process::Command::new("nsenter")
                .args(["--cgroup", "--target", &pid.to_string(), "cat", &format!("/proc/{pid}/cgroup")])
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8_lossy(&seen.stdout),
                "0::/\n",
                "{id} is at the root of what it sees"
            );
        }
    }

    let goes_on = |id: &str| {
        let before = counted(id);
        eventually_within(20, &format!("{id} goes on"), || counted(id) > before);
    };
    let (paused, killed) = (&clones[0], &clones[1]);
    daemon.client.patch(&format!("/containers/{paused}"), &json!({ "status": "paused" })).expect(200);
    let before = counted(paused);
    for id in all.iter().filter(|id| **id != paused) {
        goes_on(id);
    }
    assert_eq!(counted(paused), before, "it is paused and runs on");
    daemon.client.patch(&format!("/containers/{paused}"), &json!({ "status": "running" })).expect(200);
    goes_on(paused);
    let place = cgroup(daemon.init_pid(killed));
    daemon.client.delete(&format!("/containers/{killed}?force=true")).expect(204);
    assert!(!place.exists(), "{}", place.display());
    // The original is deleted first, with the cgroup that the images name.
    daemon.client.delete(&format!("/containers/{origin}?force=true")).expect(204);
    for clone in clones.iter().filter(|clone| *clone != killed) {
        goes_on(clone);
    }
    daemon.clean_up();
}
