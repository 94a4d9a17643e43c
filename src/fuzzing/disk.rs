//! Files, and what a shim says. Each file lies where the daemon finds it, and is read as the daemon reads it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::FOLDER;
use crate::ipc::{AddedExit, ExitRecord, Hello, Message, ProcessKey, Request};
use crate::runtime::bundle::{Bundle, ProcessOverrides, added_process};
use crate::runtime::hands::Hands;
use crate::runtime::policy::Policy;
use crate::runtime::program::{ExitStatus, Failure, FailureKind};
use crate::runtime::{criu, images, lines, runc};

fn is<T: DeserializeOwned>(bytes: &[u8]) -> bool {
    serde_json::from_slice::<T>(bytes).is_ok()
}

fn lay(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    if let Err(error) = fs::write(&path, bytes) {
        panic!("{}: {error}", path.display());
    }
    path
}

/// A line of either side of a shim's socket.
pub(super) fn ipc(bytes: &[u8]) -> bool {
    let known = [is::<Message>(bytes), is::<Request>(bytes), is::<Hello>(bytes)];
    known.contains(&true)
}

/// What a shim or a daemon has left.
pub(super) fn records(bytes: &[u8]) -> bool {
    let file = lay("records", bytes);
    let lines = lines::read::<AddedExit>(&file).is_ok_and(|all| !all.is_empty());
    let known =
        [lines, is::<ExitRecord>(bytes), is::<ProcessKey>(bytes), crate::supervisor::fuzz_records(bytes)];
    known.contains(&true)
}

/// A bundle's `config.json`.
pub(super) fn bundle(bytes: &[u8]) -> bool {
    let folder = FOLDER.join("bundle");
    let _ = fs::create_dir_all(folder.join("rootfs"));
    lay("bundle/config.json", bytes);
    let Ok(bundle) = Bundle::open(&folder, Hands::of(None)) else { return false };
    let overrides = ProcessOverrides { args: vec!["true".to_owned()], ..ProcessOverrides::default() };
    let _ = (bundle.with_loopback(Path::new("/shim")), added_process(bundle.process(), &overrides));
    if let Ok(config) = serde_json::from_slice::<Value>(bundle.config()) {
        let _ = Policy::default().judge(&config, &config["process"], &folder, "/");
    }
    let _ = (bundle.shared(), bundle.cgroups_path(), bundle.private_network());
    true
}

/// What runc and CRIU write of themselves: runc's log of JSON lines, CRIU's log, and words.
pub(super) fn words(bytes: &[u8]) -> bool {
    let log = lay("words.log", bytes);
    let failure = Failure {
        kind: FailureKind::Ended(ExitStatus::Code(1)),
        words: String::from_utf8_lossy(bytes).into_owned(),
    };
    let explained = runc::explain("run", Path::new("runc"), failure, &log).to_string();
    let (errors, tail) = (criu::log_errors(&log), criu::log_tail(&log));
    let _ = (tail, criu::dump_finished(&log));
    criu::words::meaning(&errors).is_some() || criu::words::meaning(&explained).is_some()
}

/// CRIU's images. The first byte says which of them the rest is; the others are of a real dump.
pub(super) fn images(bytes: &[u8]) -> bool {
    const NAMES: [&str; 13] = [
        "inventory.img",
        "pstree.img",
        "core-1.img",
        "files.img",
        "fdinfo-2.img",
        "mm-1.img",
        "pagemap-1.img",
        "mountpoints-13.img",
        "cgroup.img",
        "stats-dump",
        "pages-1.img",
        "ids-1.img",
        "fs-1.img",
    ];
    let Some((which, rest)) = bytes.split_first() else { return false };
    let folder = FOLDER.join("images");
    if !folder.is_dir() {
        let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/images");
        let _ = fs::create_dir_all(&folder);
        for entry in fs::read_dir(real).into_iter().flatten().flatten() {
            let _ = fs::copy(entry.path(), folder.join(entry.file_name()));
        }
    }
    let name = NAMES[usize::from(*which) % NAMES.len()];
    let before = fs::read(folder.join(name));
    lay(&format!("images/{name}"), rest);
    let processes = images::whole(&folder);
    let _ = (images::listening(&folder), images::has_internet_sockets(&folder), images::mounts(&folder));
    let _ = images::stats(&folder.join("stats-dump"));
    if let Ok(processes) = &processes {
        let _ = images::descriptors(&folder, processes);
        for process in processes {
            let _ = images::memory(&folder, process.pid);
        }
    }
    match before {
        Ok(before) => drop(lay(&format!("images/{name}"), &before)),
        Err(_) => drop(fs::remove_file(folder.join(name))),
    }
    processes.is_ok()
}
