//! A daemon that has the demo's bundle where the contract's examples say, and a browser beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::browser::Browser;
use super::daemon::Daemon;
use super::eventually;
use super::runtime::Runtime;

const PLACE: &str = "/containers/redis";

pub(crate) struct Demo {
    pub(crate) browser: Browser,
    pub(crate) daemon: Daemon,
    pub(crate) runtime: Runtime,
    _folder: tempfile::TempDir,
    _place: Place,
}

impl Demo {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("redis");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/demo-bundle");
        let laid = Command::new(script).arg(&bundle).status().unwrap();
        assert!(laid.success(), "the demo bundle: run scripts/prerequisites test");
        let place = Place::make();
        let runtime = Runtime::new();
        let daemon = Daemon::of_program(&program(folder.path(), &bundle, &runtime));
        own_cgroup(&bundle, &daemon.name("redis"));
        let browser = Browser::start();
        Self { browser, daemon, runtime, _folder: folder, _place: place }
    }

    #[track_caller]
    pub(crate) fn redis_listens(&self) {
        eventually("redis listens", || self.daemon.output("redis").contains("Ready to accept connections"));
    }
}

/// The daemon, in a mount namespace of its own in which the bundle is at its place: a demo's that this host has is not
/// seen, and nothing is left when the daemon and its shims have ended.
fn program(folder: &Path, bundle: &Path, runtime: &Runtime) -> PathBuf {
    let (written, script) = (folder.join("written"), folder.join("daemon"));
    let (bundle, runtime, daemon) = (bundle.display(), runtime.path(), env!("CARGO_BIN_EXE_containerd-rest"));
    let text = format!(
        "#!/bin/sh\nexport CONTAINERD_REST_RUNTIME={}\nexec unshare --mount --propagation private \
         sh -c 'mount --bind {bundle} {PLACE} && exec {daemon} \"$@\"' sh \"$@\"\n",
        runtime.display()
    );
    fs::write(&written, text).unwrap();
    // By a process of its own: no program is run that another thread's child has open for writing (ETXTBSY).
    assert!(Command::new("install").args([&written, &script]).status().unwrap().success());
    script
}

/// The examples' container has a name that others' may have too, so its cgroup has one that is this test's.
fn own_cgroup(bundle: &Path, name: &str) {
    let path = bundle.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config["linux"]["cgroupsPath"] = json!(format!("/{name}"));
    fs::write(path, config.to_string()).unwrap();
}

/// Somewhere to mount on; what of it was not there goes again with the last who mounts on it.
struct Place;

struct Places {
    users: usize,
    made: Vec<PathBuf>,
}

static PLACES: Mutex<Places> = Mutex::new(Places { users: 0, made: Vec::new() });

fn places() -> MutexGuard<'static, Places> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    fn make() -> Self {
        let mut places = places();
        let path = Path::new(PLACE);
        if places.users == 0 {
            places.made = path.ancestors().filter(|folder| !folder.exists()).map(Path::to_owned).collect();
            fs::create_dir_all(path).unwrap();
        }
        places.users += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = places();
        places.users -= 1;
        if places.users == 0 {
            for folder in std::mem::take(&mut places.made) {
                let _ = fs::remove_dir(folder);
            }
        }
    }
}
