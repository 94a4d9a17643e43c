//! Restores that go on before all memory is in: what comes is right, what does not come is never zeros.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::pages::Pages;
use crate::support::runtime::Runtime;
use crate::support::{eventually, host};

/// Where scripts/prerequisites puts it.
const CRIU: &str = "/opt/containerd-rest/bin/criu";

/// Each page of 128 MiB is known. It is looked at again and again, by a child every time too; each wrong one is told, and
/// how often all was looked at.
const HOLDER: &str = "
import os, time
PAGES = 32768
def page(n): return (b'%016d' % n) * 256
held = bytearray(b''.join(page(n) for n in range(PAGES)))
def wrong(n):
    if held[n * 4096 : (n + 1) * 4096] == page(n): return False
    os.write(1, b'wrong %d\\n' % n)
    return True
rounds = 0
while True:
    child = os.fork()
    if child == 0: os._exit(any([wrong(n) for n in range(0, PAGES, 64)]))
    for n in range(PAGES - 1, -1, -7): wrong(n)
    assert os.waitpid(child, 0)[1] == 0
    rounds += 1
    os.write(1, b'%d\\n' % rounds)
    time.sleep(0.01)
";

/// It looks at its memory again, and finds it right.
#[track_caller]
fn goes_on(daemon: &Daemon, id: &str) {
    let count = || {
        let output = daemon.output(id);
        output
            .lines()
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .next_back()
            .unwrap_or(0)
    };
    let now = count();
    eventually("it goes on", || count() > now);
    nothing_wrong(daemon, id);
}

#[track_caller]
fn nothing_wrong(daemon: &Daemon, id: &str) {
    let output = daemon.output(id);
    assert!(!output.contains("wrong"), "{output}");
}

struct Lazy {
    daemon: Daemon,
    bundle: Bundle,
    id: String,
    pages: Pages,
}

impl Lazy {
    /// A container that was checkpointed as `one` and is stopped.
    fn new(daemon: Daemon) -> Self {
        let bundle = Bundle::python(HOLDER);
        let id = daemon.name("a");
        daemon.start_container(&id, &bundle.start()).expect(201);
        let pages = Pages::slow(&daemon.state_folder());
        let lazy = Self { daemon, bundle, id, pages };
        lazy.goes_on();
        lazy.daemon.client.post(&lazy.path("/checkpoint/one"), &json!({ "exit": true })).expect(201);
        lazy
    }

    fn path(&self, rest: &str) -> String {
        format!("/containers/{}{rest}", self.id)
    }

    fn body(&self) -> Value {
        let mut body = self.bundle.restore("one");
        body["lazyPages"] = json!(true);
        body
    }

    /// Restores it, and hardly a page comes any more.
    #[track_caller]
    fn restore(&self) {
        self.pages.slow_again();
        let answer = self.daemon.start_container(&self.id, &self.body()).expect(201).json();
        self.pages.hold();
        assert_eq!((&answer["pages"], &answer["state"]["status"]), (&json!("loading"), &json!("running")));
        assert_eq!(self.pages(), "loading");
    }

    #[track_caller]
    fn pages(&self) -> Value {
        self.daemon.container(&self.id)["pages"].clone()
    }

    #[track_caller]
    fn goes_on(&self) {
        goes_on(&self.daemon, &self.id);
    }

    #[track_caller]
    fn nothing_wrong(&self) {
        nothing_wrong(&self.daemon, &self.id);
    }

    #[track_caller]
    fn is_lost(&self) {
        eventually("it is lost", || self.pages() == "lost");
        self.daemon.await_status(&self.id, "stopped");
        assert_eq!(self.pages(), "lost");
        self.nothing_wrong();
        self.pages.are_gone();
        assert_eq!(self.told(), ["restore", "pagesLost", "exit"]);
        // The checkpoint is as good as before.
        self.pages.let_go();
        self.daemon.start_container(&self.id, &self.bundle.restore("one")).expect(201);
        assert!(self.pages().is_null());
        self.goes_on();
    }

    /// Of the last restore.
    fn told(&self) -> Vec<String> {
        let path = format!("/events?since=0&follow=false&id={}", self.id);
        let told = self.daemon.client.get(&path).expect(200).body;
        let kinds = told
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned());
        let mut kinds: Vec<String> = kinds.filter(|kind| kind != "progress").collect();
        let last = kinds.iter().rposition(|kind| kind == "restore").unwrap();
        kinds.split_off(last)
    }

    fn crash_after(self, meanwhile: impl FnOnce(&Pages)) -> Self {
        let Self { daemon, bundle, id, pages } = self;
        let daemon = daemon.crash_and_restart_after(|| meanwhile(&pages));
        Self { daemon, bundle, id, pages }
    }

    fn end(self) {
        self.daemon.client.delete(&self.path("?force=true")).expect(204);
        self.daemon.clean_up();
        self.pages.are_gone();
    }
}

#[test]
fn a_lazy_restore_answers_before_its_memory_is_in_and_then_all_is_right() {
    let lazy = Lazy::new(Daemon::start());
    let client = lazy.daemon.client.clone();
    lazy.restore();
    client.delete(&lazy.path("/checkpoint/one")).problem(409, "checkpoint-busy");
    client.post(&lazy.path("/checkpoint/two"), &json!({})).problem(409, "pages-loading");
    client.get(&lazy.path("/checkpoint-preflight")).problem(409, "pages-loading");
    // What needs no page that is missing is done.
    let added = client.put(&lazy.path("/process"), &json!({ "args": ["true"] })).expect(200).json();
    let ended = client.get(&lazy.path(&format!("/process/{}/wait?timeout=10", added["pid"]))).expect(200);
    assert_eq!(ended.json()["state"]["exitStatus"], 0);
    client
        .put(&lazy.path("/process"), &json!({ "args": ["no-such-program"] }))
        .problem(500, "runtime-failed");
    for status in ["paused", "running"] {
        client.patch(&lazy.path(""), &json!({ "status": status })).expect(200);
    }
    assert_eq!(lazy.pages(), "loading");
    lazy.pages.let_go();
    eventually("all is in", || lazy.pages() == "loaded");
    lazy.pages.are_gone();
    lazy.goes_on();
    lazy.goes_on();
    assert_eq!(lazy.told().iter().filter(|kind| *kind == "pagesLoaded").count(), 1);
    client.post(&lazy.path("/checkpoint/two"), &json!({})).expect(201);
    client.delete(&lazy.path("/checkpoint/one")).expect(200);
    lazy.end();
}

#[test]
fn a_page_server_that_is_killed_takes_its_container_along_before_it_reads_zeros() {
    let lazy = Lazy::new(Daemon::start());
    for _ in 0..3 {
        lazy.restore();
        lazy.pages.kill();
        lazy.is_lost();
        lazy.daemon.client.delete(&lazy.path("?force=true")).expect(204);
    }
    // Frozen ones end too.
    lazy.restore();
    lazy.daemon.client.patch(&lazy.path(""), &json!({ "status": "paused" })).expect(200);
    lazy.pages.kill();
    lazy.daemon.await_status(&lazy.id, "stopped");
    assert_eq!(lazy.pages(), "lost");
    lazy.nothing_wrong();
    lazy.end();
}

#[test]
fn a_daemon_that_is_killed_leaves_the_pages_to_come() {
    let lazy = Lazy::new(Daemon::start());
    lazy.restore();
    let lazy = lazy.crash_after(|_| {});
    assert_eq!(lazy.pages(), "loading");
    lazy.daemon.client.delete(&lazy.path("/checkpoint/one")).problem(409, "checkpoint-busy");
    // They may all come, or never, while no daemon is there.
    let lazy = lazy.crash_after(|pages| {
        pages.let_go();
        pages.are_gone();
    });
    eventually("all is in", || lazy.pages() == "loaded");
    lazy.goes_on();
    assert_eq!(lazy.told(), ["restore", "pagesLoaded"]);
    let lazy = lazy.crash_after(|_| {});
    assert_eq!((lazy.pages(), lazy.told().len()), (json!("loaded"), 2));
    lazy.daemon.client.delete(&lazy.path("?force=true")).expect(204);
    lazy.restore();
    let lazy = lazy.crash_after(|pages| {
        pages.kill();
        pages.are_gone();
    });
    lazy.is_lost();
    lazy.end();
}

#[test]
fn a_container_that_loses_its_shim_while_its_pages_come_is_ended() {
    let lazy = Lazy::new(Daemon::start());
    let kill_shim = |id: &str| {
        let mut all = host::processes(id, 0).into_iter();
        let shim = all.find(|(_, line)| line.contains("containerd-rest-shim")).map(|(pid, _)| pid);
        kill(Pid::from_raw(i32::try_from(shim.unwrap()).unwrap()), Signal::SIGKILL).unwrap();
    };
    lazy.restore();
    kill_shim(&lazy.id);
    lazy.is_lost();
    lazy.daemon.client.delete(&lazy.path("?force=true")).expect(204);
    // The same, seen by the next daemon.
    lazy.restore();
    let id = lazy.id.clone();
    let lazy = lazy.crash_after(|_| kill_shim(&id));
    lazy.is_lost();
    let lazy = lazy.crash_after(|_| {});
    lazy.end();
}

#[test]
fn whatever_ends_a_container_whose_pages_come_ends_their_server_too() {
    let lazy = Lazy::new(Daemon::start());
    let client = lazy.daemon.client.clone();
    let ends: [&dyn Fn(); 3] = [
        &|| drop(client.post(&lazy.path("/stop"), &json!({ "timeout": 0 })).expect(200)),
        &|| drop(client.patch(&lazy.path(""), &json!({ "signal": 9 })).expect(200)),
        &|| drop(client.delete(&lazy.path("?force=true")).expect(204)),
    ];
    for end in ends {
        lazy.restore();
        end();
        lazy.pages.are_gone();
        if client.get(&lazy.path("")).status == 200 {
            lazy.daemon.await_status(&lazy.id, "stopped");
            assert!(lazy.pages().is_null());
        }
        lazy.nothing_wrong();
    }
    lazy.daemon.assert_nothing_left();
    // Two at once share nothing but the images.
    let (one, two) = (lazy.daemon.name("one"), lazy.daemon.name("two"));
    lazy.pages.slow_again();
    for id in [&one, &two] {
        lazy.daemon.start_container(id, &lazy.body()).expect(201);
    }
    client.delete(&format!("/containers/{one}?force=true")).expect(204);
    lazy.pages.let_go();
    eventually("all is in", || lazy.daemon.container(&two)["pages"] == "loaded");
    goes_on(&lazy.daemon, &two);
    lazy.daemon.clean_up();
}

#[test]
fn a_lazy_restore_that_fails_leaves_nothing() {
    let runtime = Runtime::new();
    let lazy = Lazy::new(Daemon::with(&["--runtime", runtime.path().to_str().unwrap()]));
    lazy.pages.let_go();
    runtime.fall_ill("restore", "sleep 0.2; exit 1");
    lazy.daemon.start_container(&lazy.id, &lazy.body()).problem(500, "runtime-failed");
    lazy.pages.are_gone();
    // Its server dies before it has answered.
    runtime.fall_ill("restore", "sleep 2; exec runc \"$@\"");
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| lazy.daemon.start_container(&lazy.id, &lazy.body()));
        eventually("there is a page server", || {
            !crate::support::pages::servers(&lazy.daemon.state_folder().to_string_lossy()).is_empty()
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        lazy.pages.kill();
        asked.join().unwrap().problem(500, "runtime-failed");
    });
    lazy.pages.are_gone();
    assert_eq!(lazy.daemon.status(&lazy.id), "stopped");
    // Without a checkpoint there is nothing to be lazy about.
    let mut body = lazy.bundle.start();
    body["lazyPages"] = json!(true);
    let problem = lazy.daemon.start_container(&lazy.daemon.name("b"), &body).problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["location"], "/body/lazyPages");
    lazy.nothing_wrong();
    lazy.end();
}

#[test]
fn a_page_server_that_does_not_start_is_told_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let criu = folder.path().join("criu");
    let real = if Path::new(CRIU).exists() { CRIU } else { "criu" };
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = lazy-pages ] && set -- \"$@\" --images-dir /nowhere\nexec {real} \"$@\"\n"
    );
    host::install_script(&criu, &script);
    let lazy = Lazy::new(Daemon::with(&["--criu", criu.to_str().unwrap()]));
    let problem = lazy.daemon.start_container(&lazy.id, &lazy.body()).problem(500, "runtime-failed");
    assert!(problem["detail"].as_str().unwrap().contains("page server cannot be started"), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("/nowhere"), "{problem}");
    lazy.pages.are_gone();
    assert_eq!(lazy.daemon.status(&lazy.id), "stopped");
    lazy.pages.let_go();
    lazy.daemon.start_container(&lazy.id, &lazy.bundle.restore("one")).expect(201);
    lazy.goes_on();
    lazy.end();
}

#[test]
fn rounds_before_a_dump_are_made_where_the_kernel_tracks_memory_and_refused_elsewhere() {
    let daemon = Daemon::start();
    let bundle = Bundle::python(HOLDER);
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it holds its memory", || daemon.output(&id).contains("F 1"));
    let features = daemon.client.get("/version").expect(200).json()["features"].clone();
    let path = format!("/containers/{id}/checkpoint/one");
    for rounds in [0, 9] {
        daemon.client.post(&path, &json!({ "preDumps": rounds })).problem(422, "invalid-request");
    }
    let answer = daemon.client.post(&path, &json!({ "preDumps": 2, "exit": true }));
    if features["preDumps"] == false {
        let problem = answer.problem(409, "feature-unavailable");
        assert!(problem["detail"].as_str().unwrap().contains("mem_dirty_track"), "{problem}");
        assert!(!bundle.path().join("checkpoints").exists(), "nothing was touched");
    } else {
        assert_eq!(answer.expect(201).json()["preDumps"], 2);
        daemon.start_container(&id, &bundle.restore("one")).expect(201);
    }
    assert_eq!(daemon.status(&id), "running");
    daemon.clean_up();
}

/// Speaks with itself over TCP.
const SPEAKER: &str = "
import socket, time
server = socket.create_server(('127.0.0.1', 7000))
one = socket.create_connection(('127.0.0.1', 7000))
other = server.accept()[0]
n = 0
while True:
    one.sendall(b'x')
    assert other.recv(1) == b'x'
    n += 1
    print(n, flush=True)
    time.sleep(0.02)
";

#[test]
fn connections_terminals_and_the_hosts_pids_are_restored_lazily_and_a_user_namespace_is_refused_by_name() {
    let daemon = Daemon::start();
    let user = Bundle::sleeper().with(|config| {
        let mapping = json!([{ "containerID": 0, "hostID": 100_000, "size": 1000 }]);
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "user" }));
        config["linux"]["uidMappings"] = mapping.clone();
        config["linux"]["gidMappings"] = mapping;
    });
    let counter = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done";
    let terminal = Bundle::script(counter).with(|config| config["process"]["terminal"] = json!(true));
    let host_pids = Bundle::script(counter).without_namespace("pid");
    for (name, bundle) in [("tcp", Bundle::python(SPEAKER)), ("terminal", terminal), ("pids", host_pids)] {
        let id = daemon.name(name);
        daemon.start_container(&id, &bundle.start()).expect(201);
        goes_on(&daemon, &id);
        let options = json!({ "exit": true, "tcp": true });
        daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &options).expect(201);
        let mut body = bundle.restore("one");
        body["lazyPages"] = json!(true);
        daemon.start_container(&id, &body).expect(201);
        eventually("all is in", || daemon.container(&id)["pages"] == "loaded");
        goes_on(&daemon, &id);
    }
    let id = daemon.name("user");
    daemon.start_container(&id, &user.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let mut body = user.restore("one");
    body["lazyPages"] = json!(true);
    let problem = daemon.start_container(&id, &body).problem(409, "feature-unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("user namespace"), "{problem}");
    daemon.start_container(&id, &user.restore("one")).expect(201);
    daemon.clean_up();
}
