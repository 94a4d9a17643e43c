//! Again and again: a container that is checkpointed and restored many times is the same at the end, and the host too.

use std::fs;
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

/// Each link is made of the one before, which is in memory alone.
const CHAIN: &str = "import hashlib, time
link, number = b'', 0
out = open('/tmp/chain', 'a', buffering=1)
while True:
    link, number = hashlib.sha256(link + str(number).encode()).digest(), number + 1
    out.write(link.hex() + '\\n')
    time.sleep(0.005)";

/// How many rounds; `CHECKPOINT_ROUNDS` says otherwise (`make rounds`: 200).
fn rounds() -> usize {
    std::env::var("CHECKPOINT_ROUNDS")
        .ok()
        .map_or(12, |count| count.parse().expect("CHECKPOINT_ROUNDS is a number"))
}

/// What may not grow, and by how much it may differ.
#[derive(Debug)]
struct Use {
    descriptors: usize,
    mounts: usize,
    cgroups: usize,
    disk: u64,
}

impl Use {
    fn of(daemon: &Daemon, id: &str, bundle: &Bundle) -> Self {
        let folder = daemon.folder().to_string_lossy().into_owned();
        Self {
            descriptors: fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count(),
            mounts: host::mounts(&folder).len(),
            cgroups: host::cgroups(id).len(),
            disk: size(daemon.folder()) + size(&bundle.path().join("checkpoints")),
        }
    }
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        Ok(kind) => kind.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

fn links(bundle: &Bundle) -> usize {
    fs::read_to_string(bundle.shared().join("chain")).unwrap_or_default().lines().count()
}

#[test]
fn a_chain_in_memory_is_never_broken_and_nothing_grows() {
    let daemon = Daemon::start();
    let bundle = Bundle::python(CHAIN).with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let url = format!("/containers/{id}/checkpoint/round");
    let mut before = None;
    for round in 0..rounds() {
        let seen = links(&bundle);
        eventually("it goes on", || links(&bundle) > seen + 2);
        daemon.client.post(&url, &json!({ "exit": true })).expect(201);
        daemon.start_container(&id, &bundle.restore("round")).expect(201);
        daemon.client.delete(&url).expect(200);
        // The first rounds fill caches.
        if round == 1 {
            before = Some(Use::of(&daemon, &id, &bundle));
        }
    }
    let seen = links(&bundle);
    eventually("it goes on", || links(&bundle) > seen + 2);
    let (before, after) = (before.unwrap(), Use::of(&daemon, &id, &bundle));
    assert_eq!((after.mounts, after.cgroups), (before.mounts, before.cgroups));
    assert!(after.descriptors <= before.descriptors + 2, "{before:?} {after:?}");
    // Some bytes an event, and no image, log or record a round.
    let grown = after.disk.saturating_sub(before.disk);
    assert!(grown < 2048 * rounds() as u64, "{before:?} {after:?}");

    let text = fs::read_to_string(bundle.shared().join("chain")).unwrap();
    let mut link = Vec::new();
    for (number, line) in text.lines().enumerate() {
        link = Sha256::digest([link.as_slice(), number.to_string().as_bytes()].concat()).to_vec();
        let hex: String = link.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(line, hex, "link {number}");
    }
    daemon.clean_up();
}

fn said(daemon: &Daemon, id: &str) -> String {
    daemon.client.get(&format!("/containers/{id}/logs")).expect(200).body
}

#[test]
fn many_are_restored_from_one_at_once() {
    const CLONES: usize = 50;
    let daemon = Daemon::start();
    let script = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";
    let bundle = Bundle::script(script);
    let id = daemon.name("origin");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it counts", || said(&daemon, &id).lines().count() > 3);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let dumped: u64 = said(&daemon, &id).lines().last().unwrap().parse().unwrap();
    let names: Vec<String> = (0..CLONES).map(|number| daemon.name(&format!("c{number}"))).collect();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| daemon.start_container(name, &bundle.restore("one")).expect(201));
        }
    });
    let mut pids: Vec<i32> = names.iter().map(|name| daemon.init_pid(name)).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), CLONES, "each has processes of its own");
    for name in &names {
        let cgroup = fs::read_to_string(format!("/proc/{}/cgroup", daemon.init_pid(name))).unwrap();
        assert!(cgroup.contains(name.as_str()), "{name}: {cgroup}");
        eventually("it counts on, in a log of its own", || {
            said(&daemon, name).lines().any(|line| line.parse() == Ok(dumped + 2))
        });
        let first: u64 = said(&daemon, name).lines().next().unwrap().parse().unwrap();
        assert!(first == dumped || first == dumped + 1, "{first} after {dumped}");
        let told = daemon
            .client
            .get(&format!("/events?since=0&follow=false&type=restore&id={name}"))
            .expect(200)
            .body;
        assert_eq!(told.lines().count(), 1);
    }
    // The end of one is nobody else's.
    daemon.client.patch(&format!("/containers/{}", names[0]), &json!({ "signal": 9 })).expect(200);
    daemon.await_status(&names[0], "stopped");
    assert!(names[1..].iter().all(|name| daemon.status(name) == "running"));
    daemon.clean_up();
}
