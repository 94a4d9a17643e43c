//! What the host does to us: a full disk, a disk that is read-only, no descriptors, no processes. What was asked is
//! refused in words, what runs runs on, no exit status is lost, and everything works again when the host does.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host};

const NONE: Option<&str> = None;

/// A daemon one of whose folders is a small file system of its own.
fn on_small_disk(folder: &'static str) -> Daemon {
    Daemon::prepared(move |all| {
        let at = all.join(folder);
        fs::create_dir(&at).unwrap();
        mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), Some("size=2m")).unwrap();
    })
}

/// Until nothing more goes in.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filling");
    let mut file = fs::File::create(&path).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
    path
}

fn remount(at: &Path, flags: MsFlags) {
    mount(NONE, at, NONE, MsFlags::MS_REMOUNT | flags, NONE).unwrap();
}

fn end(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
}

/// Says a line at USR1, ends with 6 at TERM.
fn talker() -> Bundle {
    Bundle::script("trap 'echo said' USR1; trap 'exit 6' TERM; echo up; while :; do sleep 0.02; done")
}

/// What must work whatever the durable folder is like: everything that needs no record.
fn runs_on(daemon: &Daemon, id: &str) {
    let path = format!("/containers/{id}");
    daemon.client.patch(&path, &json!({ "status": "paused" })).expect(200);
    daemon.client.patch(&path, &json!({ "status": "running" })).expect(200);
    let added = daemon.client.put(&format!("{path}/process"), &json!({ "args": ["sh", "-c", "exit 9"] }));
    let pid = added.expect(200).json()["pid"].clone();
    let ended = daemon.client.get(&format!("{path}/process/{pid}/wait?timeout=20")).expect(200).json();
    assert_eq!(ended["state"]["exitStatus"], json!(9));
    daemon.client.patch(&path, &json!({ "signal": 10 })).expect(200);
}

fn exit_status(daemon: &Daemon, id: &str) -> Value {
    daemon.container(id)["state"]["exitStatus"].clone()
}

#[test]
fn a_full_disk_refuses_starts_in_words_and_loses_no_exit_status_and_no_event() {
    let daemon = on_small_disk("root");
    let (a, b, c) = (daemon.name("a"), daemon.name("b"), daemon.name("c"));
    let bundle = talker();
    for id in [&a, &b] {
        daemon.start_container(id, &bundle.start()).expect(201);
        eventually("it is up", || daemon.output(id).contains("up"));
    }
    let filling = fill(&daemon.root_folder());
    let before = host::files(&daemon.root_folder(), &[]);
    let problem = daemon.start_container(&c, &bundle.start()).problem(500, "storage-failed");
    assert!(problem["detail"].as_str().unwrap().contains("No space left"), "{problem}");
    assert!(problem["remedy"].as_str().unwrap().contains("space"), "{problem}");
    daemon.client.get(&format!("/containers/{c}")).problem(404, "container-not-found");
    assert_eq!(host::cgroups(&c), Vec::<PathBuf>::new());
    assert_eq!(host::files(&daemon.root_folder(), &[]), before, "nothing half-done");
    let keyed = daemon.client.keyed("k", "POST", &format!("/containers/{c}"), &bundle.start());
    assert!(keyed.problem(500, "storage-failed")["detail"].as_str().unwrap().contains("nothing was begun"));
    runs_on(&daemon, &a);

    // They end while nothing can be written, one while no daemon is there.
    end(daemon.init_pid(&a));
    daemon.await_status(&a, "stopped");
    assert_eq!(exit_status(&daemon, &a), json!(6));
    let pid = daemon.init_pid(&b);
    let daemon = daemon.crash_and_restart_after(|| {
        end(pid);
        eventually("its shim has ended", || {
            !host::cgroups(&b).is_empty() && !Path::new(&format!("/proc/{pid}")).exists()
        });
    });
    for id in [&a, &b] {
        assert_eq!((daemon.status(id).as_str(), exit_status(&daemon, id)), ("stopped", json!(6)), "{id}");
    }
    fs::remove_file(filling).unwrap();
    daemon.start_container(&c, &bundle.start()).expect(201);
    let daemon = daemon.crash_and_restart_after(|| {});
    for id in [&a, &b] {
        assert_eq!(exit_status(&daemon, id), json!(6), "and on the disk now");
    }
    // Cursors were not given twice, and what could not be kept is said to be missed.
    let told = daemon.client.get("/events?since=0&follow=false").expect(200).body;
    let cursors =
        told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["cursor"].as_u64().unwrap());
    let cursors: Vec<u64> = cursors.collect();
    assert!(cursors.windows(2).all(|pair| pair[0] < pair[1]), "{told}");
    daemon.clean_up();
}

/// The shim has nowhere to complain then, not even about that.
#[test]
fn where_both_folders_are_full_the_shim_lives_on_and_ends_are_known() {
    let daemon = Daemon::prepared(|all| {
        mount(Some("tmpfs"), all, Some("tmpfs"), MsFlags::empty(), Some("size=6m")).unwrap();
    });
    let id = daemon.name("a");
    let bundle = talker();
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it is up", || daemon.output(&id).contains("up"));
    let process = json!({ "args": ["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.02; done"] });
    let add = || daemon.client.put(&format!("/containers/{id}/process"), &process).expect(200).json();
    let pid = add()["pid"].as_i64().unwrap();
    let filling = fill(daemon.folder());
    daemon.client.post(&format!("/containers/{id}/process/{pid}"), &json!({ "signal": 15 })).expect(200);
    let wait = |pid: i64| daemon.client.get(&format!("/containers/{id}/process/{pid}/wait?timeout=20"));
    assert_eq!(wait(pid).expect(200).json()["state"]["exitStatus"], json!(5));
    fs::remove_file(filling).unwrap();
    let second = add()["pid"].as_i64().unwrap();
    let filling = fill(daemon.folder());
    end(daemon.init_pid(&id));
    daemon.await_status(&id, "stopped");
    assert_eq!(exit_status(&daemon, &id), json!(6));
    fs::remove_file(filling).unwrap();
    assert_eq!(wait(second).expect(200).json()["state"]["status"], json!("exited"));
    for container in daemon.client.get("/containers").expect(200).json().as_array().unwrap() {
        let id = container["id"].as_str().unwrap();
        daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    }
    nix::mount::umount2(daemon.folder(), nix::mount::MntFlags::MNT_DETACH).unwrap();
}

#[test]
fn a_container_that_writes_on_a_full_disk_never_stalls_and_its_lines_are_whole() {
    let daemon = on_small_disk("root");
    let bundle = Bundle::script(
        "i=0; while ! test -e /tmp/end; do echo line $i of many; echo $i >/tmp/at; i=$((i+1)); done; echo last; exit 0",
    )
    .with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let at =
        || fs::read_to_string(bundle.shared().join("at")).ok().and_then(|at| at.trim().parse::<u64>().ok());
    let filling = fill(&daemon.root_folder());
    let full = at().unwrap_or(0);
    eventually("it goes on", || at().is_some_and(|at| at > full + 2000));
    fs::remove_file(filling).unwrap();
    let free = at().unwrap_or(full);
    eventually("it goes on", || at().is_some_and(|at| at > free + 500));
    fs::write(bundle.shared().join("end"), "").unwrap();
    daemon.await_status(&id, "stopped");
    let text = daemon.client.get(&format!("/containers/{id}/logs")).expect(200).body;
    let (lines, last) = text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(last, "last");
    let mut before = None;
    for line in lines.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(matches!(words[..], ["line", _, "of", "many"]), "a torn line: {line:?}");
        let number = words[1].parse::<u64>().unwrap();
        assert!(before.is_none_or(|before| before < number), "{line:?} behind {before:?}");
        before = Some(number);
    }
    daemon.clean_up();
}

#[test]
fn a_full_volatile_folder_refuses_in_words_and_heals() {
    let daemon = on_small_disk("state");
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    let bundle = talker();
    daemon.start_container(&a, &bundle.start()).expect(201);
    let filling = fill(&daemon.state_folder());
    for (method, path, body) in [
        ("POST", format!("/containers/{b}"), bundle.start()),
        ("PUT", format!("/containers/{a}/process"), json!({ "args": ["true"] })),
    ] {
        let answer = daemon.client.send(method, &path, Some(body.to_string().as_bytes()));
        assert_eq!(answer.status, 500, "{}", answer.body);
        assert!(answer.body.contains("o space left"), "{}", answer.body);
    }
    assert_eq!(host::cgroups(&b), Vec::<PathBuf>::new());
    daemon.client.post(&format!("/containers/{a}/stop"), &json!({})).expect(200);
    assert_eq!(exit_status(&daemon, &a), json!(6));
    fs::remove_file(filling).unwrap();
    daemon.start_container(&b, &bundle.start()).expect(201);
    runs_on(&daemon, &b);
    daemon.clean_up();
}

#[test]
fn a_durable_folder_that_turns_read_only_is_said_and_what_runs_runs_on() {
    let daemon = on_small_disk("root");
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    let bundle = talker();
    daemon.start_container(&a, &bundle.start()).expect(201);
    eventually("it is up", || daemon.output(&a).contains("up"));
    // With the log open no file system can be remounted by itself alone; a bind of it can.
    let root = daemon.root_folder();
    mount(Some(&root), &root, NONE, MsFlags::MS_BIND, NONE).unwrap();
    remount(&root, MsFlags::MS_BIND | MsFlags::MS_RDONLY);
    let problem = daemon.start_container(&b, &bundle.start()).problem(500, "storage-failed");
    assert!(problem["detail"].as_str().unwrap().contains("ead-only"), "{problem}");
    assert_eq!(host::cgroups(&b), Vec::<PathBuf>::new());
    runs_on(&daemon, &a);
    end(daemon.init_pid(&a));
    daemon.await_status(&a, "stopped");
    assert_eq!(exit_status(&daemon, &a), json!(6));
    let problem = daemon.client.delete(&format!("/containers/{a}")).problem(500, "storage-failed");
    assert!(problem["detail"].as_str().unwrap().contains("ead-only"), "{problem}");
    assert_eq!(daemon.status(&a), "stopped", "what could not be deleted is there");
    remount(&root, MsFlags::MS_BIND);
    daemon.client.delete(&format!("/containers/{a}")).expect(204);
    daemon.start_container(&b, &bundle.start()).expect(201);
    daemon.clean_up();
}

/// The hard limit stays: without CAP_SYS_RESOURCE it cannot be raised again.
fn limit(pid: u32, descriptors: u64) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let maximum = line.split_whitespace().nth(4).unwrap().parse().ok();
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap());
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(descriptors), maximum }).unwrap();
}

#[test]
fn without_descriptors_it_says_so_and_heals() {
    let daemon = Daemon::start();
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    let bundle = talker();
    daemon.start_container(&a, &bundle.start()).expect(201);
    let open = fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count() as u64;
    limit(daemon.pid(), open + 1);
    let answer = daemon.start_container(&b, &bundle.start());
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.body.contains("oo many open files"), "{}", answer.body);
    assert_eq!(host::cgroups(&b), Vec::<PathBuf>::new());
    limit(daemon.pid(), 4096);
    daemon.start_container(&b, &bundle.start()).expect(201);
    runs_on(&daemon, &a);

    // None for a connection: those that wait are served once there are.
    limit(daemon.pid(), 4);
    let client = daemon.client.clone();
    let base = client.base.clone();
    let waiting = std::thread::spawn(move || ureq::get(format!("{base}/healthz")).call().unwrap().status());
    std::thread::sleep(Duration::from_millis(200));
    limit(daemon.pid(), 4096);
    assert_eq!(waiting.join().unwrap(), 200);
    daemon.clean_up();
}

/// A cgroup in which so many processes may be.
struct PidsLimit(PathBuf);

impl PidsLimit {
    fn new(name: &str) -> Self {
        let folder = Path::new("/sys/fs/cgroup/pids").join(name);
        let _ = fs::create_dir(&folder);
        Self(folder)
    }

    fn hold(&self, pid: u32) {
        fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    /// No more than there are.
    fn close(&self) {
        let now = fs::read_to_string(self.0.join("pids.current")).unwrap();
        fs::write(self.0.join("pids.max"), now.trim()).unwrap();
    }

    fn open(&self) {
        fs::write(self.0.join("pids.max"), "max").unwrap();
    }
}

impl Drop for PidsLimit {
    fn drop(&mut self) {
        let parent = self.0.parent().unwrap();
        for pid in fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = fs::write(parent.join("cgroup.procs"), pid);
        }
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn when_no_process_can_be_made_it_says_so_and_heals() {
    let daemon = Daemon::start();
    let (a, b) = (daemon.name("a"), daemon.name("b"));
    let bundle = talker();
    daemon.start_container(&a, &bundle.start()).expect(201);
    let shim = super::recovery::shim_of(&daemon, &a);
    for (pid, name) in [(daemon.pid(), "daemon"), (shim, "shim")] {
        let limit = PidsLimit::new(&format!("limit-{}{name}", daemon.prefix));
        limit.hold(pid);
        limit.close();
        let (method, path, body) = match name {
            "daemon" => ("POST", format!("/containers/{b}"), bundle.start()),
            _ => ("PUT", format!("/containers/{a}/process"), json!({ "args": ["true"] })),
        };
        let answer = daemon.client.send(method, &path, Some(body.to_string().as_bytes()));
        assert_eq!(answer.status, 500, "{name}: {}", answer.body);
        assert!(answer.body.contains("Resource temporarily unavailable"), "{name}: {}", answer.body);
        assert_eq!(host::cgroups(&b), Vec::<PathBuf>::new());
        assert_eq!(daemon.container(&a)["processes"].as_array().unwrap().len(), 1);
        limit.open();
        runs_on(&daemon, &a);
    }
    daemon.start_container(&b, &bundle.start()).expect(201);
    daemon.clean_up();
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Kills the CRIU that is at work below this shim, once it has written so many lines of its log. `false`: it was done
/// before.
fn kill_criu(shim: u32, log: impl Fn() -> Option<PathBuf>, lines: usize, over: impl Fn() -> bool) -> bool {
    let below =
        |pid: i32| std::iter::successors(parent(pid), |pid| parent(*pid)).any(|pid| pid == shim as i32);
    loop {
        let written =
            log().and_then(|log| fs::read_to_string(log).ok()).map_or(0, |text| text.lines().count());
        if written >= lines {
            let worker = host::processes("swrk", 0).into_keys().map(|pid| pid as i32).find(|pid| below(*pid));
            if let Some(pid) = worker {
                return kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok();
            }
        }
        if over() {
            return false;
        }
    }
}

#[test]
fn a_criu_that_is_killed_in_a_dump_or_a_restore_leaves_everything_as_it_was() {
    let daemon = Daemon::start();
    let bundle =
        Bundle::script("i=0; while :; do i=$((i+1)); echo $i >>/tmp/count; sleep 0.01; done").with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let count = || fs::read_to_string(bundle.shared().join("count")).unwrap().lines().count();
    let (path, checkpoints) = (format!("/containers/{id}"), bundle.path().join("checkpoints"));
    let mut cut = 0;
    for (round, lines) in [1, 60, 200, 400].into_iter().enumerate() {
        let (client, dump) = (daemon.client.clone(), format!("{path}/checkpoint/c{round}"));
        let shim = super::recovery::shim_of(&daemon, &id);
        let asking = std::thread::spawn(move || client.post(&dump, &json!({})));
        let log = || Some(checkpoints.join(format!(".c{round}.partial/dump.log")));
        if !kill_criu(shim, log, lines, || asking.is_finished()) {
            asking.join().unwrap().expect(201);
            continue;
        }
        let answer = asking.join().unwrap();
        // CRIU runs code of its own inside; killed just then, it leaves a process at a breakpoint, of which that dies.
        // Nobody can mend it: it is told as what it is.
        if answer.status == 409 {
            assert_eq!(daemon.container(&id)["state"]["exitSignal"], json!(5), "SIGTRAP and no other");
            daemon.start_container(&id, &bundle.start()).expect(201);
            continue;
        }
        // Killed at its very end it may have been done.
        if answer.status != 201 {
            cut += 1;
            answer.problem(500, "runtime-failed");
            assert!(!checkpoints.join(format!("c{round}")).exists());
        }
        assert_eq!(daemon.status(&id), "running");
        let now = count();
        eventually("it goes on", || count() > now + 3);
        let files = host::files(&checkpoints, &[]);
        assert!(!files.iter().any(|file| file.starts_with('.')), "{files:?}");
    }
    assert!(cut > 0, "none was cut");

    daemon.client.post(&format!("{path}/checkpoint/last"), &json!({ "exit": true })).expect(201);
    let mut cut = 0;
    for lines in [1, 100, 300] {
        let (client, to, body) = (daemon.client.clone(), path.clone(), bundle.restore("last"));
        let asking = std::thread::spawn(move || client.post(&to, &body));
        let runs = || {
            let folder = daemon.state_folder().join("containers").join(&id);
            fs::read_dir(folder)
                .ok()?
                .flatten()
                .map(|run| run.path().join("restore.log"))
                .find(|log| log.exists())
        };
        let shim = || host::processes(&id, daemon.pid()).into_iter().find(|(_, line)| line.contains("shim"));
        eventually("there is a shim", || shim().is_some() || asking.is_finished());
        let killed = shim().is_some_and(|(shim, _)| kill_criu(shim, runs, lines, || asking.is_finished()));
        let answer = asking.join().unwrap();
        if killed && answer.status != 201 {
            cut += 1;
            answer.problem(500, "runtime-failed");
            assert_eq!(daemon.status(&id), "stopped");
            assert_eq!(host::cgroups(&id), Vec::<PathBuf>::new());
        } else {
            answer.expect(201);
            daemon.client.post(&format!("{path}/stop"), &json!({ "timeout": 0 })).expect(200);
        }
    }
    assert!(cut > 0, "none was cut");
    daemon.start_container(&id, &bundle.restore("last")).expect(201);
    daemon.clean_up();
}
