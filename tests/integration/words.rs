//! What runc's and CRIU's failures are said to mean: each known one is provoked, on the real programs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use containerd_rest::runtime::criu::words;
use nix::mount::{MsFlags, mount, umount};
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

/// Python, from the host: what busybox has no applet for.
const LOCKED: &str = "import fcntl, time
file = open('/tmp/lock', 'w')
fcntl.flock(file, fcntl.LOCK_EX)
open('/tmp/ready', 'w')
time.sleep(1000)";
/// The host's side is made by the test.
const CONNECTED: &str = "import socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect('/tmp/outside')
open('/tmp/ready', 'w')
time.sleep(1000)";
/// What the preflight cannot tell (the first two), or has told already. The first needs a host without free huge pages.
const REFUSED: [&str; 6] = [
    "own = libc.memfd_create(b'pages', 4)", // MFD_HUGETLB
    "attributes = struct.pack('IIII', 2, 4, 8, 1) + bytes(104)
own = libc.syscall(BPF, 0, ctypes.create_string_buffer(attributes), 120)",
    "own = os.chroot('/mem') or 0",
    "own = os.chroot('/usr') or 0",
    "own = os.chroot('/bin') or 0",
    "import mmap, threading
stack = mmap.mmap(-1, 65536)
top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + 65536
libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
pause = ctypes.cast(libc.pause, ctypes.c_void_p)
VFORK = 0x4000 | 0x100 | 17
own = threading.Thread(target=libc.clone, args=(pause, top, VFORK, None), daemon=True).start() or 0",
];

/// What has been said so far.
struct Said<'a> {
    daemon: &'a Daemon,
    sentences: BTreeSet<String>,
    count: u32,
}

impl Said<'_> {
    fn name(&mut self) -> String {
        self.count += 1;
        self.daemon.name(&format!("w{}", self.count))
    }

    /// A failure is said in a sentence, then in the runtime's own words, and with what helps.
    fn hear(&mut self, problem: &Value) {
        let detail = problem["detail"].as_str().unwrap();
        let (sentence, words) =
            detail.split_once("; container ").unwrap_or_else(|| panic!("unknown: {detail}"));
        assert!(words.contains(": runc "), "{detail}");
        let remedy = problem["remedy"].as_str().unwrap();
        assert!(!remedy.contains("read the runtime's words"), "{remedy}");
        self.sentences.insert(sentence.to_owned());
    }

    fn start_fails(&mut self, bundle: &Bundle) {
        let id = self.name();
        let answer = self.daemon.start_container(&id, &bundle.start());
        self.hear(&answer.problem(500, "runtime-failed"));
        self.daemon.client.get(&format!("/containers/{id}")).problem(404, "container-not-found");
    }

    /// Its container goes on as before.
    fn dump_fails(&mut self, bundle: &Bundle, ready: impl Fn(&str) -> bool) {
        let id = self.name();
        self.daemon.start_container(&id, &bundle.start()).expect(201);
        eventually("it is ready", || ready(&id));
        let pid = self.daemon.init_pid(&id);
        // Without the preflight, which would say so first.
        let path = format!("/containers/{id}/checkpoint/one?preflight=false");
        let answer = self.daemon.client.post(&path, &json!({ "exit": true }));
        let problem = &answer.problem(500, "runtime-failed");
        self.hear(problem);
        self.log_is_there(problem, &format!("/containers/{id}/checkpoint/one/log"));
        assert_eq!((self.daemon.status(&id).as_str(), self.daemon.init_pid(&id)), ("running", pid));
        assert!(!bundle.path().join("checkpoints").exists(), "nothing on disk");
        self.daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    }

    /// Its checkpoints are on a small disk of their own.
    fn dump_fills_the_disk(&mut self) {
        // Files that are open and deleted go into the images, and nobody knows of them before.
        let script = "for n in 3 4 5 6; do
    head -c 900000 /dev/urandom >/tmp/f
    eval \"exec $n</tmp/f\"
    rm /tmp/f
done
touch /tmp/ready
sleep 1000";
        let bundle = Bundle::script(script).with_shared();
        let disk = bundle.path().join("checkpoints");
        fs::create_dir(&disk).unwrap();
        mount(Some("tmpfs"), &disk, Some("tmpfs"), MsFlags::empty(), Some("size=2m,mode=755")).unwrap();
        let id = self.name();
        self.daemon.start_container(&id, &bundle.start()).expect(201);
        eventually("it is ready", || bundle.shared().join("ready").exists());
        let path = format!("/containers/{id}/checkpoint");
        let answer = self.daemon.client.post(&format!("{path}/one"), &json!({ "exit": true }));
        self.hear(&answer.problem(500, "runtime-failed"));
        assert_eq!(self.daemon.status(&id), "running");
        assert_eq!(self.daemon.client.get(&path).expect(200).json(), json!([]));
        assert_eq!(fs::read_dir(&disk).unwrap().count(), 0, "nothing on disk");
        umount(&disk).unwrap();
        self.daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    }

    /// A checkpoint that was good, and then something is done to what it needs.
    fn restore_fails(&mut self, bundle: &Bundle, ready: impl Fn(&str) -> bool, undo: impl Fn(&Bundle)) {
        let id = self.name();
        self.daemon.start_container(&id, &bundle.start()).expect(201);
        eventually("it is ready", || ready(&id));
        let made = format!("/containers/{id}/checkpoint/one");
        self.daemon.client.post(&made, &json!({ "exit": true })).expect(201);
        undo(bundle);
        let answer = self.daemon.start_container(&id, &bundle.restore("one"));
        let problem = &answer.problem(500, "runtime-failed");
        self.hear(problem);
        // Of what runc refuses by itself CRIU has no log.
        if problem["log"].is_string() {
            self.log_is_there(problem, &format!("{made}/log?of=restore"));
        }
        assert_eq!(self.daemon.status(&id), "stopped");
        self.daemon.client.delete(&format!("/containers/{id}")).expect(204);
    }

    fn log_is_there(&self, problem: &Value, url: &str) {
        assert_eq!(problem["logUrl"], url);
        let log = self.daemon.client.get(url).expect(200).body.clone();
        let kept = fs::read_to_string(problem["log"].as_str().unwrap()).unwrap();
        assert_eq!(log, kept);
        let tail: Vec<&str> = log.lines().rev().take(10).collect::<Vec<_>>().into_iter().rev().collect();
        assert_eq!(problem["logTail"], json!(tail));
    }
}

/// Of a container whose bundle is another's now, or nobody's.
fn added_process_without_a_bundle(said: &mut Said<'_>) {
    let id = said.name();
    let bundle = Bundle::sleeper().with_own_rootfs();
    said.daemon.start_container(&id, &bundle.start()).expect(201);
    let rootfs = bundle.path().join("rootfs");
    fs::rename(&rootfs, bundle.path().join("gone")).unwrap();
    let path = format!("/containers/{id}/process");
    let answer = said.daemon.client.put(&path, &json!({ "args": ["true"] }));
    said.hear(&answer.problem(500, "runtime-failed"));
    // As the remedy says.
    fs::rename(bundle.path().join("gone"), &rootfs).unwrap();
    said.daemon.client.put(&path, &json!({ "args": ["true"] })).expect(200);
    said.daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
}

fn ready(bundle: &Bundle) -> impl Fn(&str) -> bool {
    let file = bundle.shared().join("ready");
    move |_| file.exists()
}

fn with_namespace_gone(kind: &'static str) -> impl FnOnce(&mut Value) {
    move |config| {
        config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != kind);
    }
}

fn starts(said: &mut Said<'_>) {
    let sleeper = || Bundle::new(&["sleep", "1000"]);
    said.start_fails(&Bundle::new(&["nosuch"]));
    said.start_fails(&Bundle::new(&["/bin/nosuch"]));
    let bundle = Bundle::new(&["/bin/plain"]).with_own_rootfs();
    fs::write(bundle.path().join("rootfs/bin/plain"), "").unwrap();
    said.start_fails(&bundle);
    said.start_fails(&sleeper().with(|config| {
        let mount =
            json!({ "destination": "/tmp", "type": "bind", "source": "/nosuch/x", "options": ["bind"] });
        config["mounts"].as_array_mut().unwrap().push(mount);
    }));
    let limit = json!([{ "type": "RLIMIT_NOFILE", "hard": 1_000_000_000, "soft": 1_000_000_000 }]);
    said.start_fails(&sleeper().with(|config| config["process"]["rlimits"] = limit));
    said.start_fails(&sleeper().with(with_namespace_gone("uts")));
    said.start_fails(&sleeper().with(|config| config["process"]["apparmorProfile"] = json!("nosuch")));
    said.start_fails(&sleeper().with(|config| config["process"]["selinuxLabel"] = json!("system_u:x")));
    said.start_fails(
        &sleeper().with(|config| config["linux"]["resources"]["memory"] = json!({ "limit": 100_000 })),
    );
    said.start_fails(
        &sleeper().with(|config| config["linux"]["resources"]["cpu"] = json!({ "cpus": "1000" })),
    );
    let hooks = json!({ "prestart": [{ "path": "/bin/false" }] });
    said.start_fails(&sleeper().with(|config| config["hooks"] = hooks));
    let all = json!(["CAP_SYS_RESOURCE"]);
    let capabilities = json!({ "bounding": all, "permitted": all, "effective": all });
    said.start_fails(&sleeper().with(|config| config["process"]["capabilities"] = capabilities));
    said.start_fails(&sleeper().with(|config| {
        config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "time" }));
    }));
}

fn dumps(said: &mut Said<'_>) {
    let talking = Bundle::script(
        "(sleep 100 | nc -l -p 7) & sleep 0.2; nc 127.0.0.1 7 </dev/zero >/dev/null & sleep 1000",
    );
    let daemon = said.daemon;
    let connected = |id: &str| {
        let path = format!("/proc/{}/net/tcp", daemon.init_pid(id));
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().any(|line| line.contains(":0007 ") && line.contains(" 01 "))
    };
    said.dump_fails(&talking, connected);
    let locking = Bundle::python(LOCKED).with_shared();
    said.dump_fails(&locking, ready(&locking));
    let bundle = Bundle::python(&CONNECTED.replace("DGRAM", "STREAM")).with_shared();
    let _outside = std::os::unix::net::UnixListener::bind(bundle.shared().join("outside")).unwrap();
    said.dump_fails(&bundle, ready(&bundle));
    for bundle in [
        Bundle::python(CONNECTED).with_shared(),
        Bundle::python(CONNECTED).with_shared().with(with_namespace_gone("network")),
    ] {
        let _outside = std::os::unix::net::UnixDatagram::bind(bundle.shared().join("outside")).unwrap();
        said.dump_fails(&bundle, ready(&bundle));
    }
    for script in REFUSED {
        let bpf = nix::libc::SYS_bpf.to_string();
        let script = format!(
            "import ctypes, os, struct, time
libc = ctypes.CDLL(None)
{}
assert own >= 0
print('ready', flush=True)
time.sleep(1000)",
            script.replace("BPF", &bpf)
        );
        let capabilities = ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_BPF"];
        let bundle = Bundle::python(&script).capable(&capabilities).with(|config| {
            let memory = json!({ "destination": "/mem", "type": "tmpfs", "source": "tmpfs" });
            config["mounts"].as_array_mut().unwrap().push(memory);
        });
        said.dump_fails(&bundle, |id| daemon.output(id).contains("ready"));
    }
    let ghost = "exec 9>/tmp/l; rm /tmp/l; head -c 2000000 /dev/zero >&9; touch /tmp/ready; sleep 1000";
    let bundle = Bundle::script(ghost).with_shared();
    said.dump_fails(&bundle, ready(&bundle));
    let other =
        Bundle::sleeper().with(|config| config["process"]["user"] = json!({ "uid": 1000, "gid": 1000 }));
    said.dump_fails(&other, |_| true);
}

fn restores(said: &mut Said<'_>) {
    let open = || Bundle::script("exec 9>/tmp/l; echo 1 >&9; touch /tmp/ready; sleep 1000").with_shared();
    let file = |bundle: &Bundle| bundle.shared().join("l");
    let bundle = open();
    said.restore_fails(&bundle, ready(&bundle), |bundle| fs::remove_file(file(bundle)).unwrap());
    let bundle = open();
    said.restore_fails(&bundle, ready(&bundle), |bundle| fs::write(file(bundle), "longer").unwrap());
    let bundle = open();
    said.restore_fails(&bundle, ready(&bundle), |bundle| {
        fs::set_permissions(file(bundle), fs::Permissions::from_mode(0o777)).unwrap();
    });
    let bundle = open();
    said.restore_fails(&bundle, ready(&bundle), |bundle| fs::remove_dir_all(bundle.shared()).unwrap());
    let image = |bundle: &Bundle, name: &str| bundle.path().join("checkpoints/one/image").join(name);
    said.restore_fails(
        &Bundle::sleeper(),
        |_| true,
        |bundle| {
            // Whole, and said to be of another kind.
            let mut bytes = fs::read(image(bundle, "mm-1.img")).unwrap();
            bytes[4] ^= 1;
            fs::write(image(bundle, "mm-1.img"), bytes).unwrap();
        },
    );
    said.restore_fails(
        &Bundle::sleeper(),
        |_| true,
        |bundle| {
            // Nothing behind what it begins with; it is none of those that are looked at before CRIU is called.
            fs::File::options().write(true).open(image(bundle, "pagemap-1.img")).unwrap().set_len(8).unwrap();
        },
    );
}

#[test]
fn every_failure_that_is_understood_is_said_in_a_sentence_with_a_remedy() {
    let daemon = Daemon::start();
    let mut said = Said { daemon: &daemon, sentences: BTreeSet::new(), count: 0 };
    starts(&mut said);
    added_process_without_a_bundle(&mut said);
    dumps(&mut said);
    said.dump_fills_the_disk();
    restores(&mut said);
    let known: BTreeSet<String> = words::sentences().map(str::to_owned).collect();
    assert_eq!(said.sentences, known, "each row of the table, and no more");
    daemon.clean_up();
}

#[test]
fn a_log_that_nobody_kept_is_not_found() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    let log = format!("/containers/{id}/checkpoint/one/log");
    daemon.client.get(&log).problem(404, "log-not-found");
    daemon.client.get(&format!("{log}?of=neither")).problem(422, "invalid-request");
    let bundle = Bundle::sleeper();
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({})).expect(201);
    let dumped = daemon.client.get(&log).expect(200);
    assert!(dumped.body.trim_end().ends_with("Dumping finished successfully"));
    daemon.client.get(&format!("{log}?of=restore")).problem(404, "log-not-found");
    daemon.clean_up();
}
