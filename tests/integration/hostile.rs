//! A bundle's folder of checkpoints may come from anywhere: whatever lies in it, every answer comes, soon, and the daemon
//! goes on.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::mkfifo;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;

/// What hangs takes longer; the deepest folder takes some seconds of it on a busy disk.
const SOON: Duration = Duration::from_secs(30);
/// A debug build with a container or two has a third of it.
const MOST_MEMORY_KIB: u64 = 150 * 1024;

/// A stopped container with a checkpoint `one`.
fn stopped(daemon: &Daemon, bundle: &Bundle) -> String {
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    id
}

fn folder(bundle: &Bundle, name: &str) -> PathBuf {
    bundle.path().join("checkpoints").join(name)
}

/// A copy of `one`, with nothing at this path within.
fn copy_without(bundle: &Bundle, name: &str, path: &str) -> PathBuf {
    let copied = Command::new("cp").arg("-a").arg(folder(bundle, "one")).arg(folder(bundle, name)).status();
    assert!(copied.unwrap().success());
    let path = folder(bundle, name).join(path);
    if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.unwrap();
    path
}

fn fifo(path: &Path) {
    mkfifo(path, Mode::S_IRWXU).unwrap();
}

#[track_caller]
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
    done
}

#[track_caller]
fn list(daemon: &Daemon, id: &str) -> Vec<Value> {
    let listed = soon(|| daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json());
    listed.as_array().unwrap().clone()
}

#[track_caller]
fn assert_little_memory(daemon: &Daemon) {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < MOST_MEMORY_KIB, "{peak} KiB");
}

/// What is wrong with its images, in the list and at a restore.
#[track_caller]
fn damage(daemon: &Daemon, id: &str, bundle: &Bundle, name: &str) -> String {
    let listed = list(daemon, id);
    let listed = listed.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(listed["restorable"], false, "{listed}");
    let refused = soon(|| daemon.start_container(id, &bundle.restore(name)));
    let detail = refused.problem(409, "checkpoint-unfit")["detail"].as_str().unwrap().to_owned();
    let obstacle = listed["obstacles"][0].as_str().unwrap();
    assert!(detail.contains(obstacle), "{detail}, {obstacle}");
    detail
}

#[test]
fn a_checkpoint_json_that_is_no_file_or_too_large_is_passed_over_and_can_be_deleted() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = stopped(&daemon, &bundle);
    fifo(&copy_without(&bundle, "fifo", "checkpoint.json"));
    let huge = File::create(copy_without(&bundle, "huge", "checkpoint.json")).unwrap();
    huge.set_len(1_500_000_000).unwrap();
    symlink("/dev/zero", copy_without(&bundle, "endless", "checkpoint.json")).unwrap();
    symlink("nowhere", copy_without(&bundle, "dangling", "checkpoint.json")).unwrap();
    fs::write(copy_without(&bundle, "garbage", "checkpoint.json"), "{").unwrap();
    let listed = list(&daemon, &id);
    assert_eq!(listed.iter().map(|one| &one["name"]).collect::<Vec<_>>(), ["one"]);
    for name in ["fifo", "huge", "endless", "dangling", "garbage"] {
        let path = format!("/containers/{id}/checkpoint/{name}");
        let missing = name == "dangling";
        let status = if missing { 404 } else { 500 };
        let answer = soon(|| daemon.client.get(&path)).expect(status);
        assert!(missing || answer.body.contains(&format!("{name}/checkpoint.json")), "{}", answer.body);
        soon(|| daemon.start_container(&id, &bundle.restore(name))).expect(status);
        soon(|| daemon.client.delete(&path)).expect(200);
        assert!(!folder(&bundle, name).exists());
        daemon.client.delete(&path).problem(404, "checkpoint-not-found");
    }
    assert_little_memory(&daemon);
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    daemon.clean_up();
}

#[test]
fn images_that_are_no_files_or_lie_elsewhere_are_refused_by_name() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = stopped(&daemon, &bundle);
    fifo(&copy_without(&bundle, "fifo", "image/fs-1.img"));
    let said = damage(&daemon, &id, &bundle, "fifo");
    assert!(said.contains("fs-1.img: it is not a regular file"), "{said}");
    symlink(folder(&bundle, "one/image/fs-1.img"), copy_without(&bundle, "link", "image/fs-1.img")).unwrap();
    let said = damage(&daemon, &id, &bundle, "link");
    assert!(said.contains("fs-1.img: it is a link"), "{said}");
    copy_without(&bundle, "without", "image/pstree.img");
    let said = damage(&daemon, &id, &bundle, "without");
    assert!(said.contains("pstree.img: No such file"), "{said}");
    fs::create_dir(copy_without(&bundle, "inner", "image/pages-1.img")).unwrap();
    let said = damage(&daemon, &id, &bundle, "inner");
    assert!(said.contains("pages-1.img is not a regular file"), "{said}");
    symlink("../one/image", copy_without(&bundle, "elsewhere", "image")).unwrap();
    let said = damage(&daemon, &id, &bundle, "elsewhere");
    assert!(said.contains("image is not a folder"), "{said}");
    let report = soon(|| daemon.client.get(&format!("/containers/{id}/checkpoint/elsewhere")));
    report.problem(409, "checkpoint-unfit");
    // What it was started with is not known then, and that is no obstacle.
    fifo(&copy_without(&bundle, "spec", "spec.json"));
    list(&daemon, &id);
    soon(|| daemon.start_container(&id, &bundle.restore("spec"))).expect(201);
    daemon.clean_up();
}

#[test]
fn a_process_that_is_named_twice_and_more_open_files_than_can_be_told_are_refused() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = stopped(&daemon, &bundle);
    let images = folder(&bundle, "one/image");
    let message = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat();
    let varint = |number: u32| -> Vec<u8> {
        (0..5).map(|at| (number >> (7 * at)) as u8 & 0x7f | if at < 4 { 0x80 } else { 0 }).collect()
    };
    let appended = |name: &str, more: Vec<u8>| {
        let whole = fs::read(images.join(name)).unwrap();
        fs::write(images.join(name), [whole.clone(), more].concat()).unwrap();
        whole
    };
    let whole = fs::read(images.join("pstree.img")).unwrap();
    appended("pstree.img", whole[8..].repeat(20_000));
    let said = damage(&daemon, &id, &bundle, "one");
    assert!(said.contains("pstree.img names the process 1 twice"), "{said}");
    fs::write(images.join("pstree.img"), &whole).unwrap();

    // Of these, no process has one open.
    let files = (1_000_000..3_000_000).flat_map(|id| message(&[&[8, 1, 16], &varint(id)[..]].concat()));
    let whole = appended("files.img", files.collect());
    let path = format!("/containers/{id}/checkpoint/one");
    soon(|| daemon.client.get(&path)).expect(200);
    assert_little_memory(&daemon);
    fs::write(images.join("files.img"), whole).unwrap();

    let table =
        fs::read_dir(&images).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let table = table.into_iter().find(|name| name.starts_with("fdinfo-")).unwrap();
    let whole = appended(&table, message(&[8, 1, 16, 0, 24, 1, 32, 9]).repeat(500_000));
    let said = soon(|| daemon.client.get(&path)).problem(409, "checkpoint-unfit");
    assert!(
        said["detail"].as_str().unwrap().contains(&format!("{table} holds more than can be told")),
        "{said}"
    );
    assert_little_memory(&daemon);
    fs::write(images.join(&table), whole).unwrap();
    daemon.client.get(&path).expect(200);
    daemon.clean_up();
}

#[test]
fn folders_of_any_depth_are_listed_and_deleted() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = stopped(&daemon, &bundle);
    let mut at = File::open(folder(&bundle, "one")).unwrap().into();
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    for _ in 0..22_000 {
        mkdirat(&at, "deep", Mode::S_IRWXU).unwrap();
        at = openat(&at, "deep", flags, Mode::empty()).unwrap();
    }
    assert_eq!(list(&daemon, &id).len(), 1);
    soon(|| daemon.client.delete(&format!("/containers/{id}/checkpoint/one"))).expect(200);
    assert!(!folder(&bundle, "").exists());
    daemon.clean_up();
}

#[test]
fn a_daemon_that_finds_a_fifo_where_a_checkpoint_was_being_made_listens() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = stopped(&daemon, &bundle);
    let daemon = soon(|| {
        daemon.crash_and_restart_after(|| {
            for name in [".evil.partial", ".other.partial", "evil"] {
                fs::create_dir(folder(&bundle, name)).unwrap();
                fifo(&folder(&bundle, name).join("checkpoint.json"));
            }
            // It was made with `exit`, and its log is no file.
            let log = copy_without(&bundle, ".one.partial", "dump.log");
            fifo(&log);
        })
    });
    assert_eq!(daemon.status(&id), "stopped");
    assert_eq!(list(&daemon, &id).len(), 1);
    daemon.clean_up();
}
