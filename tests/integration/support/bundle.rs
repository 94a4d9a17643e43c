//! Bundles of busybox: they share one read-only root filesystem, and each has a config.json of its own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

const APPLETS: [&str; 20] = [
    "sh", "sleep", "cat", "echo", "true", "false", "kill", "nc", "seq", "test", "id", "env", "pwd", "ls",
    "touch", "yes", "head", "stty", "od", "tr",
];

/// What every script of [`Bundle::subject`] has; `call` is syscall(2), and fails the script when it fails.
const HELPERS: &str = "
import os, socket, fcntl, ctypes, mmap, time, struct, select, signal, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    result = libc.syscall(*args)
    assert result >= 0, os.strerror(ctypes.get_errno())
    return result
def fork():
    child = os.fork()
    if child == 0:
        while True: time.sleep(1)
    return child
def told(fd): print(f'descriptor {fd}', flush=True)
";

const COUNTING: &str = "
print('ready', flush=True)
number = 0
while True:
    number += 1
    with open('/tmp/count', 'a') as count: count.write(f'{number}\\n')
    time.sleep(0.02)
";

/// The root filesystem, made once a test run.
static ROOTFS: LazyLock<PathBuf> = LazyLock::new(|| {
    let busybox = ["/usr/bin/busybox", "/bin/busybox"]
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("busybox is missing: run scripts/prerequisites test");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rootfs-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    for name in ["bin", "proc", "sys", "dev", "tmp", "mem", "usr", "lib", "lib64"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    super::host::install(Path::new(busybox), &folder.join("bin/busybox"));
    for applet in APPLETS {
        symlink("busybox", folder.join("bin").join(applet)).unwrap();
    }
    folder
});

/// A bundle's folder, gone when it is dropped.
pub(crate) struct Bundle {
    folder: tempfile::TempDir,
    pub(crate) config: Value,
}

impl Bundle {
    /// A bundle whose process is this program with these arguments, uid 0, in namespaces of its own.
    pub(crate) fn new(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bundle = Self { folder, config: config(args) };
        bundle.save();
        bundle
    }

    /// One that does nothing for a long time.
    pub(crate) fn sleeper() -> Self {
        Self::new(&["sleep", "1000"])
    }

    /// A shell script as its process.
    pub(crate) fn script(script: &str) -> Self {
        Self::new(&["sh", "-c", script])
    }

    /// A Python script, by the host's Python: what busybox has no applet for.
    pub(crate) fn python(script: &str) -> Self {
        Self::new(&["/usr/bin/python3", "-c", script]).with(|config| {
            for (at, from) in [("/usr", "/usr"), ("/lib", "/usr/lib"), ("/lib64", "/usr/lib64")] {
                let mount =
                    json!({ "destination": at, "type": "bind", "source": from, "options": ["bind", "ro"] });
                config["mounts"].as_array_mut().unwrap().push(mount);
            }
        })
    }

    /// The configuration, changed.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.config);
        self.save();
        self
    }

    /// A Python script with some words of its own (`HELPERS`); then it counts in /tmp/count. /mem is a tmpfs.
    pub(crate) fn subject(script: &str) -> Self {
        Self::python(&format!("{HELPERS}{script}\n{COUNTING}")).with_shared().with(|config| {
            let options = ["size=65536k"];
            let memory =
                json!({"destination": "/mem", "type": "tmpfs", "source": "tmpfs", "options": options});
            config["mounts"].as_array_mut().unwrap().push(memory);
        })
    }

    /// With more capabilities.
    pub(crate) fn capable(self, names: &[&str]) -> Self {
        self.with(|config| {
            for set in ["bounding", "effective", "permitted"] {
                let set = config["process"]["capabilities"][set].as_array_mut().unwrap();
                set.extend(names.iter().map(|name| json!(name)));
            }
        })
    }

    /// Without a namespace of its own of this kind: it is in the host's.
    pub(crate) fn without_namespace(self, kind: &str) -> Self {
        self.with(|config| {
            let namespaces = config["linux"]["namespaces"].as_array_mut().unwrap();
            namespaces.retain(|namespace| namespace["type"] != kind);
        })
    }

    /// What [`Bundle::subject`] has counted so far.
    pub(crate) fn counted(&self) -> u64 {
        let text = fs::read_to_string(self.shared().join("count")).unwrap_or_default();
        text.lines().last().and_then(|line| line.parse().ok()).unwrap_or(0)
    }

    fn save(&self) {
        fs::write(self.path().join("config.json"), self.config.to_string()).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A root filesystem that is no other bundle's.
    pub(crate) fn with_own_rootfs(self) -> Self {
        let rootfs = self.path().join("rootfs");
        let copied = std::process::Command::new("cp").arg("-a").arg(&*ROOTFS).arg(&rootfs).status().unwrap();
        assert!(copied.success());
        self.with(|config| config["root"]["path"] = json!(rootfs))
    }

    /// A folder of the bundle that its process sees as /tmp, to write to.
    pub(crate) fn with_shared(self) -> Self {
        let shared = self.shared();
        fs::create_dir(&shared).unwrap();
        self.with(|config| {
            let mount =
                json!({"destination": "/tmp", "type": "bind", "source": shared, "options": ["rbind", "rw"]});
            config["mounts"].as_array_mut().unwrap().push(mount);
        })
    }

    /// The host's side of the container's /tmp, after [`Bundle::with_shared`].
    pub(crate) fn shared(&self) -> PathBuf {
        self.path().join("shared")
    }

    pub(crate) fn start(&self) -> Value {
        json!({ "bundlePath": self.path() })
    }

    pub(crate) fn restore(&self, checkpoint: &str) -> Value {
        json!({ "bundlePath": self.path(), "checkpoint": checkpoint })
    }
}

fn config(args: &[&str]) -> Value {
    let capabilities = json!(["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": args,
            "env": ["PATH=/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": { "bounding": capabilities, "effective": capabilities, "permitted": capabilities },
            "noNewPrivileges": true
        },
        "root": { "path": *ROOTFS, "readonly": true },
        "hostname": "box",
        "mounts": [
            { "destination": "/proc", "type": "proc", "source": "proc" },
            { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
            { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] }
        ],
        "linux": {
            "resources": { "devices": [{ "allow": false, "access": "rwm" }] },
            "namespaces": [
                { "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }
            ]
        }
    })
}
