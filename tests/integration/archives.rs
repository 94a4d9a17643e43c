//! Checkpoints as archives: out, away, in again, and on from memory.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::archive::{self, SUMS};
use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::{eventually, host, raw};

/// Counts in memory, and says where it is.
fn counter() -> Bundle {
    Bundle::script("i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.02; done")
}

fn path(id: &str, name: &str) -> String {
    format!("/containers/{id}/checkpoint/{name}/archive")
}

fn ticks(daemon: &Daemon, id: &str) -> Vec<u64> {
    let log = daemon.output(id);
    let numbers = log.lines().filter_map(|line| line.split_once("tick ")?.1.trim().parse().ok());
    numbers.collect()
}

#[track_caller]
fn checkpoint(daemon: &Daemon, id: &str, name: &str, exit: bool) {
    daemon.client.post(&format!("/containers/{id}/checkpoint/{name}"), &json!({ "exit": exit })).expect(201);
}

fn listed(daemon: &Daemon, id: &str) -> Value {
    daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json()
}

/// A daemon with one container, stopped by its checkpoint `one`; gives what it had counted to.
fn dumped(bundle: &Bundle) -> (Daemon, String, u64) {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it counts", || ticks(&daemon, &id).len() > 5);
    checkpoint(&daemon, &id, "one", true);
    let last = *ticks(&daemon, &id).last().unwrap();
    (daemon, id, last)
}

#[track_caller]
fn goes_on(daemon: &Daemon, id: &str, bundle: &Bundle, name: &str, last: u64) {
    daemon.start_container(id, &bundle.restore(name)).expect(201);
    eventually("it counts on", || ticks(daemon, id).len() > 3);
    let first = ticks(daemon, id)[0];
    assert!(first == last || first == last + 1, "on from {last}, and not with {first}");
}

#[test]
fn a_checkpoint_that_was_away_in_an_archive_goes_on_from_its_memory() {
    let bundle = counter();
    let (daemon, id, last) = dumped(&bundle);
    let before = host::files(&bundle.path().join("checkpoints/one"), &[]);
    let was = listed(&daemon, &id);
    for (query, headers, kind, coding) in [
        ("", &[][..], "application/x-tar", None),
        ("?compression=zstd", &[], "application/zstd", None),
        ("?compression=gzip", &[], "application/gzip", None),
        ("", &[("accept-encoding", "gzip, zstd;q=0.5")], "application/x-tar", Some("zstd")),
        ("", &[("accept-encoding", "gzip, zstd;q=0")], "application/x-tar", Some("gzip")),
        ("?compression=none", &[("accept-encoding", "zstd")], "application/x-tar", None),
    ] {
        let (said, bytes) = daemon.client.bytes(&format!("{}{query}", path(&id, "one")), headers);
        let header = |name: &str| said.get(name).map(|value| value.to_str().unwrap());
        assert_eq!((header("content-type"), header("content-encoding")), (Some(kind), coding), "{query}");
        assert!(header("content-disposition").unwrap().contains(&format!("{id}-one.tar")));
        if kind == "application/x-tar" && coding.is_none() {
            assert_eq!(header("content-length"), Some(bytes.len().to_string().as_str()));
        }
        daemon.client.delete(&format!("/containers/{id}/checkpoint/one")).expect(200);
        assert!(!bundle.path().join("checkpoints").exists());
        let sent: Vec<(&str, &str)> = coding.map(|coding| ("content-encoding", coding)).into_iter().collect();
        let made = daemon.client.send_as("PUT", &path(&id, "one"), Some(&bytes), &sent).expect(201).json();
        assert_eq!(json!([made]), was, "{query}: with its time and its options");
        let after = host::files(&bundle.path().join("checkpoints/one"), &[]);
        assert_eq!(after, before, "{query}");
    }
    goes_on(&daemon, &id, &bundle, "one", last);
    daemon.clean_up();
}

#[test]
fn two_archives_of_one_checkpoint_are_the_same_and_sha256sum_takes_its_sums() {
    let bundle = counter();
    let (daemon, id, _) = dumped(&bundle);
    let (_, one) = daemon.client.bytes(&path(&id, "one"), &[]);
    let (_, two) = daemon.client.bytes(&path(&id, "one"), &[]);
    assert!(one == two);
    let entries = archive::entries(&one);
    let names: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let first = ["checkpoint.json", "config.dump", "spec.dump", "stats-dump", "dump.log"];
    assert_eq!((&names[..5], names[5]), (&first[..], "checkpoint/"));
    assert_eq!(names.last(), Some(&SUMS));
    assert!(names.contains(&"checkpoint/inventory.img") && names.contains(&"checkpoint/descriptors.json"));
    assert_eq!(entries[2].bytes, fs::read(bundle.path().join("config.json")).unwrap());
    let head: Value = serde_json::from_slice(&entries[0].bytes).unwrap();
    assert_eq!(head["archive"]["files"].as_array().unwrap().len(), entries.len() - 3);
    assert!(head.get("key").is_none());

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.tar");
    fs::write(&file, &one).unwrap();
    let run = |command: &str| {
        let done = Command::new("sh").args(["-ec", command]).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    };
    run("tar xf one.tar && sha256sum --check --strict --quiet SHA256SUMS");
    // Put together anew by tar, in the same order, it is as good.
    run("tar --no-recursion -cf two.tar $(tar tf one.tar)");
    let again = fs::read(folder.path().join("two.tar")).unwrap();
    daemon.client.send_as("PUT", &path(&id, "two"), Some(&again), &[]).expect(201);
    daemon.clean_up();
}

#[test]
fn an_archive_is_taken_where_no_such_container_is_and_restored_there() {
    let bundle = counter();
    let (daemon, id, last) = dumped(&bundle);
    let (_, bytes) = daemon.client.bytes(&path(&id, "one"), &[]);
    // Another host, as far as the daemon can see.
    let (there, other) = (Daemon::start(), counter());
    let id = there.name("b");
    there.client.send_as("PUT", &path(&id, "one"), Some(&bytes), &[]).problem(404, "container-not-found");
    let put = |bundle: &str| {
        let target = format!("{}?bundlePath={bundle}", path(&id, "one"));
        there.client.send_as("PUT", &target, Some(&bytes), &[])
    };
    put("/nonexistent").problem(404, "bundle-not-found");
    let empty = tempfile::tempdir().unwrap();
    let problem = put(&empty.path().to_string_lossy()).problem(422, "bundle-invalid");
    assert_eq!(problem["errors"][0]["location"], "/query/bundlePath");
    let problem = put("relative").problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["location"], "/query/bundlePath");
    assert!(!other.path().join("checkpoints").exists());
    let mine = other.path().to_string_lossy().into_owned();
    assert_eq!(put(&mine).expect(201).json()["name"], "one");
    goes_on(&there, &id, &other, "one", last);
    // Now that there is one, it is its bundle's or nobody's.
    put(&bundle.path().to_string_lossy()).problem(409, "name-taken");
    put(&mine).problem(409, "checkpoint-exists");
    // What it was is still known when it goes on from there.
    let (_, again) = there.client.bytes(&path(&id, "one"), &[]);
    let (first, second) = (archive::entries(&bytes), archive::entries(&again));
    let images = |entries: &[archive::Entry]| {
        entries.iter().filter(|entry| entry.path.starts_with("checkpoint/")).cloned().collect::<Vec<_>>()
    };
    assert!(images(&first) == images(&second));
    assert_eq!(first[2], second[2], "spec.dump");
    there.clean_up();
    daemon.clean_up();
}

#[test]
fn folders_of_the_old_daemons_can_be_moved_too() {
    let bundle = counter();
    let (daemon, id, last) = dumped(&bundle);
    let all = bundle.path().join("checkpoints");
    fs::rename(all.join("one/image"), all.join("old")).unwrap();
    fs::remove_dir_all(all.join("one")).unwrap();
    let config = r#"{"created":"2016-04-01T10:00:00.5Z","name":"old","tcp":true,"unixSockets":false,"shell":true,"exit":false}"#;
    fs::write(all.join("old/config.json"), config).unwrap();
    let (_, bytes) = daemon.client.bytes(&path(&id, "old"), &[]);
    let made = daemon.client.send_as("PUT", &path(&id, "new"), Some(&bytes), &[]).expect(201).json();
    assert_eq!((&made["tcp"], &made["shell"]), (&json!(true), &json!(true)));
    assert_eq!(made["timestamp"], "2016-04-01T10:00:00.500000Z");
    assert!(all.join("new/image/inventory.img").exists() && !all.join("new/image/config.json").exists());
    let _ = last;
    daemon.clean_up();
}

#[test]
fn an_archive_is_no_checkpoint_of_two_names_at_once() {
    let bundle = counter();
    let (daemon, id, last) = dumped(&bundle);
    let (_, bytes) = daemon.client.bytes(&path(&id, "one"), &[]);
    let target = path(&id, "two");
    // Half of it is there, and the rest is awaited.
    let mut stream = raw::connect(&daemon.client);
    stream.write_all(raw::head("PUT", &target, bytes.len()).as_bytes()).unwrap();
    stream.write_all(&bytes[..bytes.len() / 2]).unwrap();
    eventually("it has begun", || bundle.path().join("checkpoints/.two.import/image/inventory.img").exists());
    assert_eq!(listed(&daemon, &id).as_array().unwrap().len(), 1, "it is not listed before it is whole");
    daemon.client.send_as("PUT", &target, Some(&bytes), &[]).problem(409, "checkpoint-exists");
    daemon.client.get(&target).problem(404, "checkpoint-not-found");
    daemon.client.delete(&format!("/containers/{id}/checkpoint/two")).problem(404, "checkpoint-not-found");
    goes_on(&daemon, &id, &bundle, "one", last);
    let taken = daemon.client.post(&format!("/containers/{id}/checkpoint/two"), &json!({}));
    taken.problem(409, "checkpoint-exists");
    stream.write_all(&bytes[bytes.len() / 2..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(listed(&daemon, &id).as_array().unwrap().len(), 2);
    daemon.clean_up();
}

#[test]
fn a_repeat_with_its_key_gets_the_first_answer_without_sending_it_all_again() {
    let bundle = counter();
    let (mut daemon, id, _) = dumped(&bundle);
    let (_, bytes) = daemon.client.bytes(&path(&id, "one"), &[]);
    let target = path(&id, "two");
    let keyed = |daemon: &Daemon, key: &str, body: &[u8]| {
        daemon.client.send_as("PUT", &target, Some(body), &[("idempotency-key", key)])
    };
    let problem = keyed(&daemon, &"k".repeat(256), &bytes).problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["location"], "/header/Idempotency-Key");
    keyed(&daemon, "k1", &bytes[..5000]).problem(400, "archive-cut-off");
    let first = keyed(&daemon, "k1", &bytes).expect(201);
    assert_eq!(keyed(&daemon, "k1", b"").expect(201).body, first.body);
    keyed(&daemon, "k2", &bytes).problem(409, "checkpoint-exists");
    let other = daemon.client.send_as("PUT", &path(&id, "three"), Some(&bytes), &[("idempotency-key", "k1")]);
    other.problem(422, "idempotency-key-reused");
    daemon = daemon.crash_and_restart_after(|| {});
    assert_eq!(keyed(&daemon, "k1", &bytes).expect(201).body, first.body);
    // As if the daemon had died between the rename and its answer: the checkpoint itself knows the key.
    let answers = daemon.root_folder().join("answers");
    daemon = daemon.crash_and_restart_after(|| fs::write(answers, "").unwrap());
    assert_eq!(keyed(&daemon, "k1", &bytes).expect(201).json(), first.json());
    keyed(&daemon, "k3", &bytes).problem(409, "checkpoint-exists");
    daemon.clean_up();
}

#[test]
fn a_checkpoint_is_not_deleted_while_it_is_read_and_a_reader_who_hangs_up_frees_it() {
    let bundle = Bundle::sleeper();
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", true);
    // More than what lies in sockets and channels.
    let large = fs::File::create(bundle.path().join("checkpoints/one/image/pages-99.img")).unwrap();
    large.set_len(256 << 20).unwrap();
    let threads = || fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap().count();
    let mut stream = raw::connect(&daemon.client);
    stream.write_all(raw::head("GET", &path(&id, "one"), 0).as_bytes()).unwrap();
    stream.read_exact(&mut [0; 4096]).unwrap();
    daemon.client.delete(&format!("/containers/{id}/checkpoint/one")).problem(409, "checkpoint-busy");
    assert!(rss(&daemon, "RssAnon") < 16 << 10, "it does not read ahead");
    // Others read it at the same time.
    let (_, bytes) = daemon.client.bytes(&format!("{}?compression=zstd", path(&id, "one")), &[]);
    assert!(bytes.len() < 8 << 20);
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    eventually("its claim is free again", || {
        daemon.client.delete(&format!("/containers/{id}/checkpoint/one")).status == 200
    });
    assert!(threads() < 100);
    daemon.clean_up();
}

/// Whatever this kernel can: a round is laid beside the dump as CRIU would, and what CRIU keeps for itself.
#[test]
fn the_rounds_before_a_dump_go_along_and_are_linked_again() {
    let bundle = counter();
    let (daemon, id, last) = dumped(&bundle);
    let folder = bundle.path().join("checkpoints/one");
    for (round, before) in [("pre-1", None), ("pre-2", Some("pre-1"))] {
        let round = folder.join(round);
        fs::create_dir(&round).unwrap();
        for name in ["inventory.img", "pagemap-1.img", "pages-1.img"] {
            fs::copy(folder.join("image").join(name), round.join(name)).unwrap();
        }
        for name in ["irmap-cache", "dump.log"] {
            fs::write(round.join(name), "x").unwrap();
        }
        if let Some(before) = before {
            std::os::unix::fs::symlink(format!("../{before}"), round.join("parent")).unwrap();
        }
    }
    std::os::unix::fs::symlink("../pre-2", folder.join("image/parent")).unwrap();
    let meta = folder.join("checkpoint.json");
    let mut said: Value = serde_json::from_slice(&fs::read(&meta).unwrap()).unwrap();
    said["preDumps"] = json!(2);
    fs::write(&meta, said.to_string()).unwrap();

    let (_, archive) = daemon.client.bytes(&path(&id, "one"), &[]);
    let entries = archive::entries(&archive);
    let rounds: Vec<&str> =
        entries.iter().map(|entry| entry.path.as_str()).filter(|path| path.starts_with("pre-")).collect();
    assert!(rounds.len() == 6 && rounds.iter().all(|path| path.ends_with(".img")), "{rounds:?}");
    let taken = daemon.client.send_as("PUT", &path(&id, "two"), Some(&archive), &[]).expect(201).json();
    assert_eq!((&taken["preDumps"], &taken["restorable"]), (&json!(2), &json!(true)));
    let two = bundle.path().join("checkpoints/two");
    for (link, to) in [("image/parent", "../pre-2"), ("pre-2/parent", "../pre-1")] {
        assert_eq!(fs::read_link(two.join(link)).unwrap(), Path::new(to));
    }
    assert!(!two.join("pre-1/parent").exists());
    goes_on(&daemon, &id, &bundle, "two", last);

    // A round that lacks its pages is no less damaged than a dump.
    let client = &daemon.client;
    fs::write(two.join("pre-1/pages-1.img"), "").unwrap();
    client.delete(&format!("/containers/{id}?force=true")).expect(204);
    daemon.start_container(&id, &bundle.restore("two")).problem(409, "checkpoint-unfit");
    let change = |rounds: Value| archive::declared(&entries, |head| head["preDumps"] = rounds);
    for wrong in [change(json!(1)), change(json!(3)), change(json!(0)), change(json!(4_000_000_000_u32))] {
        let name = format!("{}?bundlePath={}", path(&id, "three"), bundle.path().display());
        daemon.client.send_as("PUT", &name, Some(&wrong), &[]).problem(422, "archive-refused");
    }
    assert_eq!(
        host::files(&bundle.path().join("checkpoints"), &[])
            .iter()
            .filter(|file| file.contains("three"))
            .count(),
        0
    );
    daemon.clean_up();
}

#[test]
fn what_is_no_image_among_the_images_is_said_and_not_left_out() {
    let bundle = Bundle::sleeper();
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", true);
    let images = bundle.path().join("checkpoints/one/image");
    std::os::unix::fs::symlink("../../zero", images.join("parent")).unwrap();
    let problem = daemon.client.get(&path(&id, "one")).problem(409, "checkpoint-not-portable");
    assert!(problem["detail"].as_str().unwrap().contains("parent"), "{problem}");
    fs::rename(images.join("parent"), images.join("pages-7.img")).unwrap();
    daemon.client.get(&path(&id, "one")).problem(409, "checkpoint-not-portable");
    fs::remove_file(images.join("pages-7.img")).unwrap();
    daemon.client.bytes(&path(&id, "one"), &[]);
    daemon.client.get(&format!("{}?compression=lzma", path(&id, "one"))).problem(422, "invalid-request");
    daemon.client.get(&path(&id, "none")).problem(404, "checkpoint-not-found");
    daemon.clean_up();
}

#[test]
fn checkpointctl_shows_an_archive_of_ours() {
    let program = "/opt/containerd-rest/bin/checkpointctl";
    assert!(Path::new(program).exists(), "{program} is missing: run scripts/prerequisites test");
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    checkpoint(&daemon, &id, "one", true);
    let folder = tempfile::tempdir().unwrap();
    for compression in ["none", "gzip", "zstd"] {
        let target = format!("{}?compression={compression}", path(&id, "one"));
        let (_, bytes) = daemon.client.bytes(&target, &[]);
        let file = folder.path().join(compression);
        fs::write(&file, bytes).unwrap();
        let run = |arguments: &[&str]| {
            let done = Command::new(program).args(arguments).arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            assert!(done.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&done.stderr));
            said
        };
        let shown = run(&["show"]);
        assert!(shown.contains("runc") && shown.contains(&id[..12.min(id.len())]), "{shown}");
        let inspected = run(&["inspect", "--all"]);
        for part in ["CRIU dump statistics", "Process tree", "/dev/pts", &id] {
            assert!(inspected.contains(part), "{part}: {inspected}");
        }
        assert!(run(&["memparse"]).contains("sleep"));
    }
    daemon.clean_up();
}

/// In KiB, as proc_pid_status(5) has it.
fn rss(daemon: &Daemon, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

/// `CONTAINERD_REST_TEST_ARCHIVE_MIB`: how much memory the container has, 1024 for the figure that is published.
#[test]
fn a_container_full_of_incompressible_memory_streams_through_a_small_daemon() {
    let mib: u64 =
        std::env::var("CONTAINERD_REST_TEST_ARCHIVE_MIB").map_or(128, |text| text.parse().unwrap());
    // dd holds a block in memory and waits until somebody reads its pipe.
    let script =
        format!("busybox dd if=/dev/urandom bs={mib}M count=1 iflag=fullblock 2>/dev/null | sleep 1000");
    let bundle = Bundle::script(&script);
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let deadline = Instant::now() + Duration::from_secs(120);
    while memory(&daemon, &id) < mib << 10 {
        assert!(Instant::now() < deadline, "it has only {} KiB", memory(&daemon, &id));
        std::thread::sleep(Duration::from_millis(50));
    }
    checkpoint(&daemon, &id, "one", true);
    fs::write(format!("/proc/{}/clear_refs", daemon.pid()), "5").unwrap();
    for query in ["?compression=none", "?compression=zstd"] {
        let file = folder.join(format!("{id}.tar"));
        let begun = Instant::now();
        let mut stream = daemon.client.stream(&format!("{}{query}", path(&id, "one")));
        let length = std::io::copy(&mut stream, &mut fs::File::create(&file).unwrap()).unwrap();
        let out = begun.elapsed();
        assert!(length > mib << 20, "{length}");
        daemon.client.delete(&format!("/containers/{id}/checkpoint/one")).expect(200);
        let begun = Instant::now();
        daemon.client.put_from(&path(&id, "one"), &[], &mut fs::File::open(&file).unwrap()).expect(201);
        // Of an unoptimised program the greater part is its text, which is the file's pages and no memory of its own.
        let (peak, text) = (rss(&daemon, "VmHWM"), rss(&daemon, "RssFile"));
        eprintln!(
            "{mib} MiB of memory{query}: {length} bytes, out {out:.2?}, in {:.2?}; the daemon's peak {peak} KiB, \
             {text} KiB of them its text",
            begun.elapsed()
        );
        fs::remove_file(file).unwrap();
        assert!(peak - text < 16 << 10, "{peak} KiB, of which {text} KiB are its text");
    }
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    assert!(memory(&daemon, &id) >= mib << 10);
    daemon.clean_up();
}

/// Of the container's processes, in KiB.
fn memory(daemon: &Daemon, id: &str) -> u64 {
    let pids = host::processes(id, daemon.pid());
    let sizes = pids.keys().filter_map(|pid| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("RssAnon"))?.to_owned();
        line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
    });
    sizes.sum()
}
