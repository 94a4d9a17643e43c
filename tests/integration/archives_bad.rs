//! Archives that are not to be taken: cut off, out of order, damaged, hostile. Of each, nothing is left on the disk.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use tar::EntryType;

use crate::support::archive::{self, Entry, SUMS};
use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::footprint::{Footprint, Refusal};
use crate::support::{eventually, host, raw};

/// A daemon with a container and its checkpoint `one`, and that one's archive.
struct Scene {
    daemon: Daemon,
    bundle: Bundle,
    id: String,
    archive: Vec<u8>,
    entries: Vec<Entry>,
}

impl Scene {
    fn new() -> Self {
        let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
        let id = daemon.name("a");
        daemon.start_container(&id, &bundle.start()).expect(201);
        daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
        let runs = daemon.state_folder().join("containers");
        eventually("its end is tidied up", || host::files(&runs, &[]).is_empty());
        let (_, archive) = daemon.client.bytes(&format!("/containers/{id}/checkpoint/one/archive"), &[]);
        let entries = archive::entries(&archive);
        Self { daemon, bundle, id, archive, entries }
    }

    fn path(&self) -> String {
        format!("/containers/{}/checkpoint/bad/archive", self.id)
    }

    fn footprint(&self) -> Footprint<'_> {
        Footprint::of(&self.daemon, &[self.bundle.path()])
    }

    /// Sends it, and looks that it is refused so and nothing is left.
    #[track_caller]
    fn refuses(
        &self,
        footprint: &Footprint<'_>,
        what: &str,
        expected: (u16, &str),
        archive: &[u8],
    ) -> String {
        let row = Refusal { situation: what, status: expected.0, kind: expected.1, at: None };
        let problem =
            footprint.refuses(&row, || self.daemon.client.send_as("PUT", &self.path(), Some(archive), &[]));
        problem["detail"].as_str().unwrap().to_owned()
    }

    fn position(&self, path: &str) -> usize {
        self.entries.iter().position(|entry| entry.path == path).unwrap()
    }
}

const CUT_OFF: (u16, &str) = (400, "archive-cut-off");
const UNREADABLE: (u16, &str) = (400, "archive-unreadable");
const REFUSED: (u16, &str) = (422, "archive-refused");
const DAMAGED: (u16, &str) = (422, "archive-damaged");
const VERSION: (u16, &str) = (422, "archive-version");

#[test]
fn an_archive_that_is_cut_off_anywhere_is_refused() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    let mut offsets = archive::borders(&scene.entries);
    let end = *offsets.last().unwrap();
    offsets.extend([1, 100, 511, end + 1, end + 512, end + 1023]);
    offsets.extend(offsets.clone().iter().map(|at| at + 512).filter(|at| *at < end));
    offsets.extend((0..16).map(|_| fastrand::usize(..end)));
    for at in offsets {
        scene.refuses(&footprint, &format!("cut at {at}"), CUT_OFF, &scene.archive[..at]);
    }
    for form in ["zstd", "gzip"] {
        let whole = format!("/containers/{}/checkpoint/one/archive?compression={form}", scene.id);
        let (_, whole) = scene.daemon.client.bytes(&whole, &[]);
        for cut in [1, 4, 5, 9, whole.len() / 2, whole.len() - 1] {
            let (what, status) = (format!("{form} without its last {cut}"), [400, 400]);
            let answer =
                scene.daemon.client.send_as("PUT", &scene.path(), Some(&whole[..whole.len() - cut]), &[]);
            assert!(status.contains(&answer.status), "{what}: {}", answer.body);
            footprint.assert_unchanged(&what);
        }
    }
    scene.daemon.clean_up();
}

#[test]
fn an_archive_in_another_order_or_with_more_or_less_in_it_is_refused() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    let change = |change: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = scene.entries.clone();
        change(&mut entries);
        archive::tar(&entries)
    };
    let pages = scene.position("checkpoint/pages-1.img");
    let last = scene.entries.len() - 1;
    for (what, archive) in [
        ("two images swapped", change(&|all| all.swap(pages, pages - 1))),
        ("the last first", change(&|all| all.rotate_right(1))),
        ("the first last", change(&|all| all.rotate_left(1))),
        ("the sums before an image", change(&|all| all.swap(last, last - 1))),
        ("one left out", change(&|all| drop(all.remove(pages)))),
        ("one twice", change(&|all| all.insert(pages, all[pages].clone()))),
        ("one more", change(&|all| all.insert(last, Entry::file("checkpoint/more.img", "x")))),
        ("one more at the end", change(&|all| all.push(Entry::file("checkpoint/more.img", "x")))),
        ("one that is longer than declared", change(&|all| all[pages].bytes.extend([0; 512]))),
        ("one that is shorter", change(&|all| all[pages].bytes.truncate(1))),
        (
            "the folder first",
            change(&|all| all.insert(1, Entry::special("checkpoint/", EntryType::Directory, ""))),
        ),
        ("the folder twice", change(&|all| all.insert(5, all[5].clone()))),
        ("no folder", change(&|all| drop(all.remove(5)))),
        ("another folder", change(&|all| all[5].path = "checkpoint/../".to_owned())),
        (
            "a link for a folder",
            change(&|all| all[5] = Entry::special("checkpoint/", EntryType::Symlink, "/tmp")),
        ),
        ("a file for a folder", change(&|all| all[5] = Entry::file("checkpoint/", ""))),
    ] {
        let expected = if what == "one more at the end" { UNREADABLE } else { REFUSED };
        scene.refuses(&footprint, what, expected, &archive);
    }
    let mut more = scene.archive.clone();
    more.extend(b"and more");
    scene.refuses(&footprint, "text behind its end", UNREADABLE, &more);
    more.truncate(scene.archive.len());
    more.resize(more.len() + (2 << 20), 0);
    scene.refuses(&footprint, "zeros without end behind it", UNREADABLE, &more);
    scene.daemon.clean_up();
}

#[test]
fn an_archive_that_is_damaged_is_refused_by_the_name_of_what_is() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    for index in [0, 1, 3, scene.position("checkpoint/pages-1.img"), scene.entries.len() - 1] {
        let mut entries = scene.entries.clone();
        let path = entries[index].path.clone();
        let bytes = &mut entries[index].bytes;
        match index {
            0 => {
                let text = String::from_utf8(bytes.clone()).unwrap();
                *bytes = text.replacen("\"tcp\":false", "\"tcp\":true ", 1).into_bytes();
            }
            _ => *bytes.last_mut().unwrap() ^= 1,
        }
        let detail = scene.refuses(&footprint, &format!("{path} damaged"), DAMAGED, &archive::tar(&entries));
        assert!(path == SUMS || detail.contains(&path), "{detail}");
    }
    // A bit of a header.
    let mut archive = scene.archive.clone();
    archive[archive::borders(&scene.entries)[2] + 3] ^= 1;
    scene.refuses(&footprint, "a header damaged", UNREADABLE, &archive);
    for form in ["zstd", "gzip"] {
        let whole = format!("/containers/{}/checkpoint/one/archive?compression={form}", scene.id);
        let (_, mut whole) = scene.daemon.client.bytes(&whole, &[]);
        let middle = whole.len() / 2;
        whole[middle] ^= 0x55;
        let answer = scene.daemon.client.send_as("PUT", &scene.path(), Some(&whole), &[]);
        assert!([400, 422].contains(&answer.status), "{form}: {}", answer.body);
        footprint.assert_unchanged(form);
    }
    scene.daemon.clean_up();
}

#[test]
fn nothing_leads_out_of_the_folder_and_nothing_but_files_is_made() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    let outside = scene.bundle.path().join("outside.img");
    let absolute = outside.to_string_lossy().into_owned();
    for path in [
        absolute.as_str(),
        "/etc/passwd",
        "../outside.img",
        "checkpoint/../../outside.img",
        "checkpoint/../outside.img",
        "checkpoint//x.img",
        "checkpoint/./x.img",
        "./checkpoint/x.img",
        "checkpoint/a/b.img",
        "checkpoint/.x.img",
        "checkpoint/x.sh",
        "checkpoint/é.img",
        "checkpoint/x\n.img",
        "rootfs-diff.tar",
        "network.status",
        "config.json",
        "checkpoint.json",
        "SHA256SUMS",
        "",
    ] {
        let mut entries = scene.entries.clone();
        entries.insert(1, Entry::file(path, "x"));
        // Declared, or not.
        let declared = archive::declared(&entries, |head| {
            if path == SUMS {
                let files = head["archive"]["files"].as_array_mut().unwrap();
                files.insert(0, json!({ "path": path, "size": 1 }));
            }
        });
        scene.refuses(&footprint, &format!("{path:?}, declared"), REFUSED, &declared);
        scene.refuses(&footprint, &format!("{path:?}, not declared"), REFUSED, &archive::tar(&entries));
    }
    for (kind, link) in [
        (EntryType::Symlink, "/etc/passwd"),
        (EntryType::Symlink, "../../../outside.img"),
        (EntryType::Link, "checkpoint/inventory.img"),
        (EntryType::Link, "/etc/passwd"),
        (EntryType::Char, ""),
        (EntryType::Block, ""),
        (EntryType::Fifo, ""),
        (EntryType::Directory, ""),
        (EntryType::GNUSparse, ""),
        (EntryType::GNULongName, ""),
        (EntryType::GNULongLink, ""),
        (EntryType::XHeader, ""),
        (EntryType::XGlobalHeader, ""),
        (EntryType::Continuous, ""),
        (EntryType::new(b'Z'), ""),
    ] {
        let mut entries = scene.entries.clone();
        entries.insert(1, Entry::special("checkpoint/x.img", kind, link));
        let what = format!("{kind:?} to {link:?}");
        scene.refuses(
            &footprint,
            &format!("{what}, declared"),
            REFUSED,
            &archive::declared(&entries, |_| {}),
        );
        scene.refuses(&footprint, &what, REFUSED, &archive::tar(&entries));
        // In the place of one that is declared.
        let mut entries = scene.entries.clone();
        entries[1] = Entry::special(&entries[1].path.clone(), kind, link);
        scene.refuses(&footprint, &format!("{what}, instead"), REFUSED, &archive::tar(&entries));
    }
    assert!(!outside.exists());
    scene.daemon.clean_up();
}

#[test]
fn what_the_first_entry_says_is_checked_before_anything_comes() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    let with = |change: &dyn Fn(&mut Value)| archive::declared(&scene.entries, change);
    let huge = |size: u64| move |head: &mut Value| head["archive"]["files"][4]["size"] = json!(size);
    let many = |head: &mut Value| {
        let files = (0..20_001).map(|n| json!({ "path": format!("checkpoint/x-{n}.img"), "size": 0 }));
        head["archive"]["files"] = files.collect();
    };
    for (what, expected, archive) in [
        ("a newer format", VERSION, with(&|head| head["archive"]["version"] = json!(2))),
        ("an older one than the first", VERSION, with(&|head| head["archive"]["version"] = json!(0))),
        ("a newer checkpoint", VERSION, with(&|head| head["version"] = json!(1_000_000))),
        (
            "no version",
            VERSION,
            with(&|head| drop(head["archive"].as_object_mut().unwrap().remove("version"))),
        ),
        ("no list", REFUSED, with(&|head| drop(head.as_object_mut().unwrap().remove("archive")))),
        ("a list that is none", REFUSED, with(&|head| head["archive"]["files"] = json!(7))),
        ("a negative size", REFUSED, with(&|head| head["archive"]["files"][1]["size"] = json!(-1))),
        ("no time", REFUSED, with(&|head| drop(head.as_object_mut().unwrap().remove("created")))),
        ("more than the disk has", (507, "no-space"), with(&huge(1 << 50))),
        ("more than there is", (507, "no-space"), with(&huge(u64::MAX))),
        ("too many", REFUSED, with(&many)),
        ("nothing", REFUSED, with(&|head| head["archive"]["files"] = json!([]))),
    ] {
        scene.refuses(&footprint, what, expected, &archive);
    }
    let mut entries = scene.entries.clone();
    entries[0].bytes = b"not JSON".to_vec();
    scene.refuses(&footprint, "no JSON", REFUSED, &archive::tar(&entries));
    entries[0].bytes = b"[1]".to_vec();
    scene.refuses(&footprint, "no object", REFUSED, &archive::tar(&entries));
    entries[0].bytes = vec![b' '; 5 << 20];
    scene.refuses(&footprint, "a first entry without end", REFUSED, &archive::tar(&entries));
    let twice = |head: &mut Value| {
        let files = head["archive"]["files"].as_array_mut().unwrap();
        files.insert(1, files[1].clone());
    };
    scene.refuses(&footprint, "declared twice", REFUSED, &with(&twice));
    scene.daemon.clean_up();
}

#[test]
fn what_is_no_archive_is_refused_and_a_bomb_is_not_unpacked() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    scene.refuses(&footprint, "nothing", CUT_OFF, b"");
    scene.refuses(&footprint, "a word", CUT_OFF, b"{}");
    scene.refuses(&footprint, "text", UNREADABLE, &b"{\"exit\": true}".repeat(100));
    scene.refuses(&footprint, "zeros", CUT_OFF, &[0; 10240]);
    // A thousand times its size, many times over: 4 GiB.
    let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
    let mut first = Vec::new();
    for entry in &scene.entries[..2] {
        entry.write(&mut first);
    }
    bomb.write_all(&first).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..4096 {
        bomb.write_all(&zeros).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let begun = Instant::now();
    scene.refuses(&footprint, "a bomb", CUT_OFF, &bomb);
    assert!(begun.elapsed().as_secs() < 5);
    // One whose window wants 128 MiB of the daemon's memory.
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(&scene.archive).unwrap();
    scene.refuses(&footprint, "a wide window", UNREADABLE, &wide.finish().unwrap());
    let answer = scene.daemon.client.send_as(
        "PUT",
        &scene.path(),
        Some(&scene.archive),
        &[("content-encoding", "br")],
    );
    assert_eq!(answer.problem(422, "invalid-request")["errors"][0]["location"], "/header/Content-Encoding");
    scene.daemon.clean_up();
}

#[test]
fn a_sender_who_hangs_up_leaves_nothing_wherever_it_was() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    let hidden = scene.bundle.path().join("checkpoints/.bad.import");
    // Its note goes last.
    let notes = scene.daemon.root_folder().join("imports");
    let gone = || !hidden.exists() && fs::read_dir(&notes).into_iter().flatten().count() == 0;
    let whole = scene.archive.len();
    for sent in [0, 1, 512, 5000, whole / 2, whole - 1] {
        let mut stream = raw::connect(&scene.daemon.client);
        stream.write_all(raw::head("PUT", &scene.path(), whole).as_bytes()).unwrap();
        stream.write_all(&scene.archive[..sent]).unwrap();
        eventually("it has begun", || hidden.exists());
        drop(stream);
        eventually("it is gone", gone);
        footprint.assert_unchanged(&format!("hung up after {sent}"));
    }
    // In chunks, whose end never comes.
    let mut stream = raw::connect(&scene.daemon.client);
    let head =
        format!("PUT {} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", scene.path());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(format!("{whole:x}\r\n").as_bytes()).unwrap();
    stream.write_all(&scene.archive).unwrap();
    stream.write_all(b"\r\n").unwrap();
    eventually("it has begun", || hidden.exists());
    drop(stream);
    eventually("it is gone", gone);
    footprint.assert_unchanged("hung up before the last chunk");
    scene.daemon.clean_up();
}

/// Both at once: each is waited for a minute.
#[test]
fn an_upload_that_stalls_is_ended_and_a_reader_who_reads_nothing_is_let_go() {
    let scene = Scene::new();
    let large = fs::File::create(scene.bundle.path().join("checkpoints/one/image/pages-99.img")).unwrap();
    large.set_len(64 << 20).unwrap();
    let footprint = scene.footprint();
    let mut reader = raw::connect(&scene.daemon.client);
    let one = format!("/containers/{}/checkpoint/one", scene.id);
    reader.write_all(raw::head("GET", &format!("{one}/archive"), 0).as_bytes()).unwrap();
    let mut stream = raw::connect(&scene.daemon.client);
    stream.set_read_timeout(Some(std::time::Duration::from_secs(120))).unwrap();
    stream.write_all(raw::head("PUT", &scene.path(), scene.archive.len()).as_bytes()).unwrap();
    stream.write_all(&scene.archive[..5000]).unwrap();
    let begun = Instant::now();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("archive-stalled"), "{answer}");
    scene.daemon.client.contract.is_answered("PUT", &scene.path(), 408);
    assert!((50..100).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    footprint.assert_unchanged("stalled");
    eventually("the reader's claim is free", || scene.daemon.client.delete(&one).status == 200);
    let mut got = Vec::new();
    let _ = reader.read_to_end(&mut got);
    assert!(got.len() < 32 << 20, "{}", got.len());
    scene.daemon.clean_up();
}

#[test]
fn a_daemon_that_is_killed_in_the_middle_leaves_nothing_that_the_next_does_not_remove() {
    let scene = Scene::new();
    let spare = Bundle::sleeper();
    let before = host::files(scene.bundle.path(), &[]);
    let begin = |scene: &Scene, target: &str, folder: &Path| {
        let mut stream = raw::connect(&scene.daemon.client);
        stream.write_all(raw::head("PUT", target, scene.archive.len()).as_bytes()).unwrap();
        stream.write_all(&scene.archive[..scene.archive.len() / 2]).unwrap();
        let image = folder.join("checkpoints/.bad.import/image/inventory.img");
        eventually("it has begun", || image.exists());
        stream
    };
    let ours = begin(&scene, &scene.path(), scene.bundle.path());
    // Of a container that no daemon knows.
    let target = format!(
        "/containers/{}/checkpoint/bad/archive?bundlePath={}",
        scene.daemon.name("x"),
        spare.path().display()
    );
    let theirs = begin(&scene, &target, spare.path());
    let Scene { daemon, bundle, id, archive, .. } = scene;
    assert_eq!(fs::read_dir(daemon.root_folder().join("imports")).unwrap().count(), 2);
    let daemon = daemon.crash_and_restart_after(|| {
        assert!(bundle.path().join("checkpoints/.bad.import").exists());
    });
    drop((ours, theirs));
    assert_eq!(host::files(bundle.path(), &[]), before);
    assert!(!spare.path().join("checkpoints").exists());
    assert_eq!(fs::read_dir(daemon.root_folder().join("imports")).unwrap().count(), 0);
    let path = format!("/containers/{id}/checkpoint/bad/archive");
    daemon.client.send_as("PUT", &path, Some(&archive), &[]).expect(201);
    daemon.clean_up();
}

/// Right by all its digests, and what no CRIU has written.
#[test]
fn images_that_cannot_be_restored_are_refused_before_they_are_listed() {
    let scene = Scene::new();
    let footprint = scene.footprint();
    let magics = |name: &str| scene.entries[scene.position(name)].bytes[..8].to_vec();
    let message = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes].concat();
    // A page map: its head, then more memory than there can be (`nr_pages`, field 5, 1 << 63).
    let pages = [0x28, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
    let map = "checkpoint/pagemap-1.img";
    let absurd = [magics(map), message(&[0x08, 0x01]), message(&pages), message(&pages)].concat();
    let tree = "checkpoint/pstree.img";
    let empty = [magics(tree), vec![0; 400 * 1024]].concat();
    let endless = [magics(map), message(&[0x08, 0x01]), vec![0; 400 * 1024]].concat();
    for (path, bytes) in [(map, absurd), (tree, empty), (map, endless), (tree, b"garbage".to_vec())] {
        let mut entries = scene.entries.clone();
        entries[scene.position(path)].bytes = bytes;
        let detail = scene.refuses(&footprint, path, REFUSED, &archive::declared(&entries, |_| {}));
        assert!(detail.contains(path.trim_start_matches("checkpoint/")), "{detail}");
    }
    scene.daemon.clean_up();
}

#[test]
fn uploads_that_do_not_come_keep_nobody_else_waiting_without_a_word() {
    let scene = Scene::new();
    let stalled: Vec<_> = (0..8)
        .map(|number| {
            let path = format!("/containers/{}/checkpoint/s{number}/archive", scene.id);
            let mut stream = raw::connect(&scene.daemon.client);
            stream.write_all(raw::head("PUT", &path, scene.archive.len()).as_bytes()).unwrap();
            stream.write_all(&scene.archive[..1]).unwrap();
            let hidden = scene.bundle.path().join(format!("checkpoints/.s{number}.import"));
            eventually("it has begun", || hidden.exists());
            stream
        })
        .collect();
    let get = |id: &str| scene.daemon.client.get(&format!("/containers/{id}/checkpoint/one/archive"));
    get("nobody").problem(404, "container-not-found");
    let refused = get(&scene.id);
    refused.problem(503, "archives-busy");
    assert!(refused.headers.contains_key("retry-after"));
    drop(stalled);
    let (_, again) =
        scene.daemon.client.bytes(&format!("/containers/{}/checkpoint/one/archive", scene.id), &[]);
    assert_eq!(again.len(), scene.archive.len());
    scene.daemon.clean_up();
}
