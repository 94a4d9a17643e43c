//! Starts of what cannot be started: bundles that are none, programs and checkpoints that are not there, outputs
//! that cannot be written.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::bad_target::{await_end, row};
use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::footprint::{Footprint, Refusal};

#[test]
fn a_bundle_that_cannot_be_started_is_said_to_be_so_and_why() {
    let daemon = Daemon::start();
    let bundles = tempfile::tempdir().unwrap();
    let bundle = |name: &str, config: &str| {
        let folder = bundles.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("config.json"), config).unwrap();
        folder
    };
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        bundle(name, &Bundle::sleeper().with(|config| change(config)).config.to_string())
    };
    let no_config = bundles.path().join("no-config");
    fs::create_dir(&no_config).unwrap();
    let config_folder = bundles.path().join("config-is-a-folder");
    fs::create_dir_all(config_folder.join("config.json")).unwrap();
    let config_fifo = bundles.path().join("config-is-a-fifo");
    fs::create_dir(&config_fifo).unwrap();
    nix::unistd::mkfifo(&config_fifo.join("config.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    // What no link leads to is not there; one that leads to itself leads to nothing.
    let config_loop = bundles.path().join("config-is-a-loop");
    fs::create_dir(&config_loop).unwrap();
    std::os::unix::fs::symlink("config.json", config_loop.join("config.json")).unwrap();
    let folder_loop = bundles.path().join("loop");
    std::os::unix::fs::symlink("loop", &folder_loop).unwrap();
    let large = bundle("large", &" ".repeat(4 * 1024 * 1024 + 1));
    let not_utf8 = bundle("not-utf8", "");
    fs::write(not_utf8.join("config.json"), b"{\"hostname\": \"\xff\"}").unwrap();
    let file = bundles.path().join("file");
    fs::write(&file, "").unwrap();
    let rows = [
        ("nothing there", bundles.path().join("nothing"), 404, "nothing"),
        ("below a file", file.join("bundle"), 404, "nothing"),
        ("a name longer than any can be", Path::new("/").join("a".repeat(256)), 404, "nothing"),
        ("a link to itself", folder_loop, 404, "nothing"),
        ("a file", file.clone(), 422, "not a folder"),
        ("a device", "/dev/null".into(), 422, "not a folder"),
        ("no config.json", no_config, 422, "no config.json"),
        ("config.json is a folder", config_folder, 422, "not a regular file"),
        // Whoever reads it waits for ever.
        ("config.json is a FIFO", config_fifo, 422, "not a regular file"),
        ("config.json is a link to itself", config_loop, 422, "no config.json"),
        ("config.json is larger than any can be", large, 422, "larger than 4194304 bytes"),
        ("config.json is empty", bundle("empty", ""), 422, "EOF"),
        ("config.json is broken", bundle("broken", "{\"ociVersion\": \"1.0.2\","), 422, "line 1 column 23"),
        ("config.json is not UTF-8", not_utf8, 422, "line 1 column"),
        ("config.json is an array", bundle("array", "[]"), 422, "no process"),
        ("config.json is {}", bundle("bare", "{}"), 422, "no process"),
        (
            "no process",
            changed("no-process", &|config| drop(config.as_object_mut().unwrap().remove("process"))),
            422,
            "no process",
        ),
        (
            "no arguments",
            changed("no-args", &|config| config["process"]["args"] = json!([])),
            422,
            "process.args",
        ),
        (
            "a relative cwd",
            changed("cwd", &|config| config["process"]["cwd"] = json!("tmp")),
            422,
            "process.cwd",
        ),
        (
            "a user that is a name",
            changed("user", &|config| config["process"]["user"] = json!("root")),
            422,
            "expected",
        ),
        (
            "no root",
            changed("no-root", &|config| drop(config.as_object_mut().unwrap().remove("root"))),
            422,
            "no root",
        ),
        (
            "a rootfs that is missing",
            changed("rootfs", &|config| config["root"]["path"] = json!("rootfs")),
            422,
            "rootfs",
        ),
        (
            "a rootfs that is a file",
            changed("rootfs-file", &|config| config["root"]["path"] = json!("config.json")),
            422,
            "config.json",
        ),
    ];
    let footprint = Footprint::of(&daemon, &[bundles.path()]);
    let path = format!("/containers/{}", daemon.name("a"));
    for (situation, bundle, status, words) in rows {
        let expected = match status {
            404 => row(situation, 404, "bundle-not-found"),
            _ => Refusal { at: Some("/body/bundlePath"), ..row(situation, status, "bundle-invalid") },
        };
        let problem =
            footprint.refuses(&expected, || daemon.client.post(&path, &json!({ "bundlePath": bundle })));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(bundle.to_str().unwrap()) && detail.contains(words), "{situation}: {detail}");
    }
    // The name is still free, and the daemon still starts what can be started.
    let bundle = Bundle::sleeper();
    daemon.client.post(&path, &bundle.start()).expect(201);
    daemon.clean_up();
}

#[test]
fn a_stopped_container_stays_as_it_was_when_its_name_is_started_anew_in_vain() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("echo first; exit 3");
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    await_end(&daemon, &id);
    let bad = Bundle::new(&["nosuch"]);
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let path = format!("/containers/{id}");
    let missing = json!({ "bundlePath": bundle.path().join("nothing") });
    footprint
        .refuses(&row("a missing bundle", 404, "bundle-not-found"), || daemon.client.post(&path, &missing));
    footprint.refuses(&row("a missing program", 500, "runtime-failed"), || {
        daemon.client.post(&path, &bad.start())
    });
    let no_checkpoint = row("a missing checkpoint", 404, "checkpoint-not-found");
    footprint.refuses(&no_checkpoint, || daemon.client.post(&path, &bundle.restore("none")));
    assert!(daemon.output(&id).ends_with("stdout F first\n"), "{}", daemon.output(&id));
    daemon.clean_up();
}

#[test]
fn a_program_that_cannot_be_run_fails_in_runcs_own_words() {
    let daemon = Daemon::start();
    let keeper = Bundle::sleeper();
    let id = daemon.name("keeper");
    daemon.start_container(&id, &keeper.start()).expect(201);
    let footprint = Footprint::of(&daemon, &[keeper.path()]);
    for (situation, program, words) in [
        ("not on the PATH", "nosuch", "exec: \"nosuch\": executable file not found in $PATH"),
        ("a path with nothing there", "/bin/nosuch", "no such file or directory"),
        ("a folder", "/tmp", "permission denied"),
    ] {
        let bundle = Bundle::new(&[program]);
        let failed = row(situation, 500, "runtime-failed");
        let free = format!("/containers/{}", daemon.name("a"));
        let started = footprint.refuses(&failed, || daemon.client.post(&free, &bundle.start()));
        let body = json!({ "args": [program] });
        let added =
            footprint.refuses(&failed, || daemon.client.put(&format!("/containers/{id}/process"), &body));
        for (verb, problem) in [("runc run", started), ("runc exec", added)] {
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(verb) && detail.contains(words), "{situation}: {detail}");
        }
    }
    let body = json!({ "args": ["true"], "cwd": "/nowhere" });
    let failed = row("a cwd that is not there", 500, "runtime-failed");
    footprint.refuses(&failed, || daemon.client.put(&format!("/containers/{id}/process"), &body));
    daemon.clean_up();
}

#[test]
fn an_output_that_is_no_regular_file_or_cannot_be_made_is_pointed_at() {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let folder = tempfile::tempdir().unwrap();
    let (fifo, link, file) =
        (folder.path().join("fifo"), folder.path().join("link"), folder.path().join("file"));
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", &link).unwrap();
    fs::write(&file, "").unwrap();
    let slash = format!("{}/new/", folder.path().display());
    let footprint = Footprint::of(&daemon, &[bundle.path(), folder.path()]);
    let path = format!("/containers/{}", daemon.name("a"));
    for (situation, output) in [
        ("a folder", folder.path()),
        ("a device", Path::new("/dev/null")),
        ("a FIFO", &fifo),
        ("a missing folder", Path::new("/nowhere/out")),
        ("below a file", &file.join("out")),
        ("the name of a folder", Path::new(&slash)),
        ("a link to nowhere", &link),
        ("a file system that takes no files", Path::new("/proc/out")),
        ("a relative path", Path::new("out")),
    ] {
        for field in ["stdout", "stderr"] {
            let at = format!("/body/{field}");
            let mut body = bundle.start();
            body[field] = json!(output);
            let wrong = Refusal { at: Some(&at), ..row(situation, 422, "invalid-request") };
            footprint.refuses(&wrong, || daemon.client.post(&path, &body));
        }
    }
    daemon.clean_up();
}
