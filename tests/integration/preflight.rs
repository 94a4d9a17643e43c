//! The preflight, held to CRIU's own word in both directions: what it names, real CRIU refuses; what CRIU takes, it does
//! not name. Each test has a real process in a real container, and the container goes on untouched.

mod clones;

use std::fs::{self, File};
use std::io::IoSlice;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

/// A container of a test, running, its script at its end.
struct Subject {
    daemon: Daemon,
    bundle: Bundle,
    id: String,
    pid: i32,
}

/// What the preflight is to say, and CRIU.
struct Expected<'a> {
    kind: &'a str,
    /// None: the init process's.
    pid: Option<i32>,
    descriptor: Option<i64>,
    /// Among CRIU's own.
    words: &'a str,
}

impl Subject {
    fn start(bundle: Bundle) -> Self {
        Self::start_in(Daemon::start(), bundle)
    }

    fn start_in(daemon: Daemon, bundle: Bundle) -> Self {
        let id = daemon.name("a");
        daemon.start_container(&id, &bundle.start()).expect(201);
        eventually("its script is at its end", || {
            let output = daemon.output(&id);
            assert!(!output.contains("Error"), "{output}");
            output.contains("ready")
        });
        let pid = daemon.init_pid(&id);
        Self { daemon, bundle, id, pid }
    }

    /// A script that waits for a descriptor before it is at its end.
    fn given(script: &str, descriptor: RawFd) -> Self {
        const TAKE: &str = "
listener = socket.socket(socket.AF_UNIX)
listener.bind('/tmp/in')
listener.listen()
print('ready', flush=True)
client, _ = listener.accept()
_, given, _, _ = socket.recv_fds(client, 10, 1)
listener.close()
client.close()
given = given[0]
";
        let subject = Self::start(Bundle::subject(&format!("{TAKE}{script}")));
        let client = UnixStream::connect(subject.bundle.shared().join("in")).unwrap();
        let rights = [ControlMessage::ScmRights(&[descriptor])];
        sendmsg::<()>(client.as_raw_fd(), &[IoSlice::new(b"x")], &rights, MsgFlags::empty(), None).unwrap();
        subject.await_count();
        subject
    }

    /// It runs, and is not merely said to.
    #[track_caller]
    fn await_count(&self) {
        let before = self.bundle.counted();
        eventually("it counts on", || self.bundle.counted() > before + 2);
    }

    #[track_caller]
    fn untouched(&self) {
        assert_eq!(
            (self.daemon.status(&self.id).as_str(), self.daemon.init_pid(&self.id)),
            ("running", self.pid)
        );
        self.await_count();
        let listed =
            self.daemon.client.get(&format!("/containers/{}/checkpoint", self.id)).expect(200).json();
        assert_eq!(listed, json!([]));
    }

    /// The number that the script told.
    fn descriptor(&self) -> Option<i64> {
        let output = self.daemon.output(&self.id);
        let told = output.lines().find_map(|line| line.split_once("descriptor ")?.1.parse().ok());
        Some(told.unwrap_or_else(|| panic!("{output}")))
    }

    #[track_caller]
    fn preflight(&self, query: &str) -> Value {
        let path = format!("/containers/{}/checkpoint-preflight{query}", self.id);
        self.daemon.client.get(&path).expect(200).json()
    }

    fn checkpoint_path(&self) -> String {
        format!("/containers/{}/checkpoint/one", self.id)
    }

    /// Named with its process and descriptor, refused with the list, refused by CRIU itself; untouched by all three.
    #[track_caller]
    fn blocked(&self, expected: &Expected<'_>) {
        self.refused(expected);
        let path = format!("{}?preflight=false", self.checkpoint_path());
        let problem = self.daemon.client.post(&path, &json!({ "exit": true })).problem(500, "runtime-failed");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(expected.words), "CRIU's own words: {detail}");
        self.untouched();
    }

    #[track_caller]
    fn refused(&self, expected: &Expected<'_>) {
        let answer = self.preflight("");
        assert_eq!(answer["possible"], false, "{answer}");
        let blockers = answer["blockers"].as_array().unwrap();
        let pid = expected.pid.unwrap_or(self.pid);
        let named = blockers.iter().any(|one| {
            one["kind"] == expected.kind
                && one["pid"] == pid
                && one["descriptor"].as_i64() == expected.descriptor
        });
        assert!(named, "{pid}, {:?}: {answer}", expected.descriptor);
        assert!(blockers.iter().all(|one| one["kind"] == expected.kind), "nothing else: {answer}");
        let answer = self.daemon.client.post(&self.checkpoint_path(), &json!({ "exit": true }));
        let problem = answer.problem(409, "checkpoint-blocked");
        assert_eq!(problem["blockers"], json!(blockers));
        assert!(problem["detail"].as_str().unwrap().contains(&pid.to_string()), "{problem}");
        self.untouched();
    }

    /// The same at init's descriptor that the script told.
    #[track_caller]
    fn blocked_at_told(&self, kind: &str, words: &str) {
        self.blocked(&Expected { kind, pid: None, descriptor: self.descriptor(), words });
    }

    /// With an option (or none) nothing is in the way, CRIU dumps it, and it goes on after a restore.
    #[track_caller]
    fn survives(&self, option: Option<&str>) {
        let query = option.map(|option| format!("?{option}=true")).unwrap_or_default();
        assert_eq!(self.preflight(&query), json!({ "possible": true, "blockers": [] }));
        let mut options = json!({ "exit": true });
        if let Some(option) = option {
            options[option] = json!(true);
        }
        self.daemon.client.post(&self.checkpoint_path(), &options).expect(201);
        self.daemon.start_container(&self.id, &self.bundle.restore("one")).expect(201);
        self.await_count();
    }

    fn end(self) {
        self.daemon.clean_up();
    }
}

/// Blocked where it stands.
#[track_caller]
fn blocked(bundle: Bundle, kind: &str, words: &str) {
    let subject = Subject::start(bundle);
    subject.blocked_at_told(kind, words);
    subject.end();
}

/// Blocked, unless the option is given.
#[track_caller]
fn blocked_without(option: &str, bundle: Bundle, kind: &str, words: &str) {
    let subject = Subject::start(bundle);
    subject.blocked_at_told(kind, words);
    subject.survives(Some(option));
    subject.end();
}

const CONNECTED: &str = "
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen()
client = socket.create_connection(listener.getsockname())
";

#[test]
fn a_connection_is_in_the_way_unless_tcp_is_said() {
    let script = format!("{CONNECTED}server, _ = listener.accept()\ntold(client.fileno())");
    // In the host's network namespace, where the loopback is up when CRIU connects it again.
    let bundle = Bundle::subject(&script).without_namespace("network");
    blocked_without("tcp", bundle, "tcpConnection", "Connected TCP socket");
}

#[test]
fn a_half_closed_connection_is_one() {
    let script = format!("{CONNECTED}server, _ = listener.accept()\nclient.close()\ntold(server.fileno())");
    blocked(Bundle::subject(&script), "tcpConnection", "Connected TCP socket");
}

#[test]
fn a_connection_that_waits_to_be_accepted_is_in_the_way_even_with_tcp() {
    let subject =
        Subject::start(Bundle::subject(&format!("{CONNECTED}told(listener.fileno())\nclient.close()")));
    subject.blocked_at_told("unacceptedConnection", "In-flight connection");
    assert_eq!(subject.preflight("?tcp=true")["possible"], false);
    let path = format!("{}?preflight=false", subject.checkpoint_path());
    let problem = subject.daemon.client.post(&path, &json!({ "tcp": true })).problem(500, "runtime-failed");
    assert!(problem["detail"].as_str().unwrap().contains("In-flight connection"), "{problem}");
    subject.end();
}

#[test]
fn every_kind_of_file_lock_is_in_the_way_unless_file_locks_is_said() {
    for lock in [
        "fcntl.flock(file, fcntl.LOCK_EX)",
        "fcntl.lockf(file, fcntl.LOCK_EX)",
        "fcntl.fcntl(file, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))",
        "fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)",
    ] {
        let bundle = Bundle::subject(&format!("file = open('/mem/x', 'w')\n{lock}\ntold(file.fileno())"));
        blocked_without("fileLocks", bundle.capable(&["CAP_LEASE"]), "fileLock", "file locks are hold");
    }
}

#[test]
fn a_file_of_the_host_is_in_the_way_open_and_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("of-the-host");
    fs::write(&path, vec![b'a'; 5000]).unwrap();
    let file = File::open(&path).unwrap();

    let subject = Subject::given("told(given)", file.as_raw_fd());
    subject.blocked_at_told("outsideFile", "Can't lookup mount");
    let what = subject.preflight("")["blockers"][0]["what"].as_str().unwrap().to_owned();
    assert!(what.contains("of-the-host"), "{what}");
    subject.end();

    let script = "mapped = mmap.mmap(given, 4096, mmap.MAP_SHARED, mmap.PROT_READ)\nos.close(given)";
    let subject = Subject::given(script, file.as_raw_fd());
    let words = "Can't lookup mount";
    // Python keeps a descriptor of what it maps, too.
    let answer = subject.preflight("");
    let kinds: Vec<_> = answer["blockers"].as_array().unwrap().iter().map(|one| &one["descriptor"]).collect();
    assert!(kinds.contains(&&Value::Null), "the mapping: {answer}");
    subject.blocked(&Expected { kind: "outsideFile", pid: None, descriptor: None, words });
    subject.end();
}

#[test]
fn a_terminal_of_the_host_is_in_the_way() {
    let pty = nix::pty::openpty(None, None).unwrap();
    let subject = Subject::given("told(given)", pty.slave.as_fd().as_raw_fd());
    subject.blocked_at_told("terminal", "Can't lookup mount");
    assert_eq!(subject.preflight("?shell=true")["possible"], true);
    subject.daemon.client.post(&subject.checkpoint_path(), &json!({ "shell": true })).expect(201);
    subject.end();
}

#[test]
fn a_terminal_that_an_added_process_leads_is_in_the_way_unless_shell_is_said() {
    let subject = Subject::start(Bundle::subject(""));
    let args = json!(["sh", "-c", "(sleep 999 &); sleep 998"]);
    let added = json!({ "args": args, "terminal": true });
    subject.daemon.client.put(&format!("/containers/{}/process", subject.id), &added).expect(200);
    let mut orphan = None;
    eventually("its child is init's now", || {
        let children =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", subject.pid)).unwrap_or_default();
        orphan = children.split_whitespace().next().and_then(|pid| pid.parse().ok());
        let line = fs::read(format!("/proc/{}/cmdline", orphan.unwrap_or(0))).unwrap_or_default();
        line.starts_with(b"sleep")
    });
    // The shell gives it /dev/null as its input.
    subject.blocked(&Expected { kind: "terminal", pid: orphan, descriptor: Some(1), words: "dangling tty" });
    assert_eq!(subject.preflight("?shell=true")["possible"], true);
    subject.daemon.client.post(&subject.checkpoint_path(), &json!({ "shell": true })).expect(201);
    subject.end();
}

#[test]
fn deleted_files_are_in_the_way_when_they_are_large_or_have_another_name() {
    let write = "file = open('/mem/x', 'wb')\nfile.write(b'a' * 2000000)\nfile.flush()\nos.unlink('/mem/x')";
    blocked(Bundle::subject(&format!("{write}\ntold(file.fileno())")), "unlinkedFile", "increase limit");
    let link = "file = open('/mem/x', 'wb')\nos.link('/mem/x', '/mem/y')\nos.unlink('/mem/x')";
    blocked(Bundle::subject(&format!("{link}\ntold(file.fileno())")), "unlinkedFile", "link-remap");

    let map = "file = open('/mem/x', 'wb+')\nfile.write(b'a' * 2000000)\nfile.flush()
area = libc.mmap; area.restype = ctypes.c_void_p
area(None, ctypes.c_size_t(4096), 1, 1, file.fileno(), ctypes.c_size_t(0))\nfile.close()\nos.unlink('/mem/x')";
    let subject = Subject::start(Bundle::subject(map));
    let words = "increase limit";
    subject.blocked(&Expected { kind: "unlinkedFile", pid: None, descriptor: None, words });
    subject.end();
}

#[test]
fn a_unix_socket_whose_other_end_is_outside_is_in_the_way() {
    // Accepted by the host, or not yet.
    for accepts in [true, false] {
        let bundle = Bundle::subject(
            "other = socket.socket(socket.AF_UNIX)\nother.connect('/tmp/host')\ntold(other.fileno())",
        );
        let listener = UnixListener::bind(bundle.shared().join("host")).unwrap();
        let subject = Subject::start(bundle);
        let accepted = accepts.then(|| listener.accept().unwrap());
        let words = if accepts { "External socket is used" } else { "Dangling connection" };
        subject.blocked_at_told("unixSocket", words);
        assert_eq!(subject.preflight("?unixSockets=true")["possible"], false, "CRIU refuses it then, too");
        let path = format!("{}?preflight=false", subject.checkpoint_path());
        let answer = subject.daemon.client.post(&path, &json!({ "unixSockets": true }));
        answer.problem(500, "runtime-failed");
        subject.end();
        drop(accepted);
    }
    // A client that has come from the host.
    let script = "
listener = socket.socket(socket.AF_UNIX)
listener.bind('/tmp/in')
listener.listen()
print('ready', flush=True)
client, _ = listener.accept()
told(client.fileno())";
    let subject = Subject::start(Bundle::subject(script));
    let client = UnixStream::connect(subject.bundle.shared().join("in")).unwrap();
    subject.await_count();
    subject.blocked_at_told("unixSocket", "not found");
    drop(client);
    subject.end();
}

#[test]
fn a_datagram_socket_to_the_outside_is_in_the_way_unless_unix_sockets_is_said() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("containerd-rest-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let host = UnixDatagram::bind_addr(&address).unwrap();
    let script = format!(
        "other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\nother.connect('\\0{name}')\ntold(other.fileno())"
    );
    let bundle = Bundle::subject(&script).without_namespace("network");
    blocked_without("unixSockets", bundle, "unixSocket", "External socket is used");
    drop(host);
}

#[test]
fn sockets_of_kinds_that_criu_does_not_know_are_in_the_way() {
    let mptcp = "own = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)\ntold(own.fileno())";
    blocked(Bundle::subject(mptcp), "socketFamily", "Unsupported proto 262");
    let vsock = "own = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)\ntold(own.fileno())";
    blocked(Bundle::subject(vsock), "socketFamily", "Unknown socket collected");
}

#[test]
fn a_netlink_socket_with_unread_data_is_in_the_way() {
    let script = "
own = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
own.bind((0, 0))
own.send(struct.pack('IHHIIB3x', 20, 18, 0x301, 1, 0, 0))
told(own.fileno())";
    blocked(Bundle::subject(script), "netlinkData", "has data to read");
}

#[test]
fn a_watch_without_a_path_is_in_the_way() {
    let watch = |path: &str| {
        format!(
            "own = libc.inotify_init()\nassert libc.inotify_add_watch(own, b'{path}', 2) > 0\ntold(own)\n"
        )
    };
    let deleted = format!("file = open('/mem/x', 'w')\n{}os.unlink('/mem/x')", watch("/mem/x"));
    blocked(Bundle::subject(&deleted), "fileWatch", "Can't find suitable path");
    blocked(Bundle::subject(&watch("/proc/version")), "fileWatch", "Can't dump that handle");
}

#[test]
fn a_device_that_criu_does_not_know_is_in_the_way() {
    let bundle = Bundle::subject("told(os.open('/dev/fuse', os.O_RDWR))").with(|config| {
        let device = json!({ "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229 });
        config["linux"]["devices"] = json!([device]);
        config["linux"]["resources"]["devices"] = json!([{ "allow": true, "access": "rwm" }]);
    });
    blocked(bundle, "device", "Can't dump file");
}

#[test]
fn descriptors_that_criu_does_not_know_are_in_the_way() {
    let script = "told(call(323, 1))"; // userfaultfd(2), of user mode only
    blocked(Bundle::subject(script), "descriptor", "Can't dump file");
    let script = "told(call(425, 4, ctypes.create_string_buffer(120)))"; // io_uring_setup(2)
    blocked(Bundle::subject(script), "ioUring", "");
}

#[test]
fn a_pipe_in_packet_mode_is_in_the_way() {
    let made = "keep = os.pipe2(os.O_DIRECT)\ntold(keep[1])";
    blocked(Bundle::subject(made), "packetPipe", "packetized mode");
    let turned = "keep = os.pipe()\nfcntl.fcntl(keep[0], fcntl.F_SETFL, os.O_DIRECT)\ntold(keep[0])";
    blocked(Bundle::subject(turned), "packetPipe", "packetized mode");
}

#[test]
fn a_first_process_with_another_root_is_in_the_way() {
    // A mount; one that shows more of the program's files; a folder below one.
    for (root, words) in
        [("/mem", "Can't lookup mount"), ("/usr", "another root than mntns"), ("/mem/r", "Can't parse")]
    {
        let script = format!(
            "
kept = os.open('/tmp/count', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
open = lambda *_: os.fdopen(os.dup(kept), 'a')
os.mkdir('/mem/r')
os.chroot('{root}')"
        );
        let subject = Subject::start(Bundle::subject(&script).capable(&["CAP_SYS_CHROOT"]));
        subject.blocked(&Expected { kind: "chroot", pid: None, descriptor: None, words });
        subject.end();
    }
    let nested = "
if os.fork() == 0:
    assert libc.unshare(0x20000) == 0
    os.mkdir('/mem/r'); os.chroot('/mem/r'); os.chdir('/')
    while True: time.sleep(1)
time.sleep(0.3)";
    let subject = Subject::start(Bundle::subject(nested).capable(&["CAP_SYS_CHROOT", "CAP_SYS_ADMIN"]));
    let words = "Can't parse";
    subject.blocked(&Expected { kind: "chroot", pid: only_child(subject.pid), descriptor: None, words });
    subject.end();
}

#[test]
fn system_v_memory_is_in_the_way_when_it_is_the_hosts() {
    let script = "
number = libc.shmget(0, 65536, 0o1600)
libc.shmat.restype = ctypes.c_void_p
libc.shmat(number, None, 0)
libc.shmctl(number, 0, None)"; // IPC_RMID: gone with its last user
    let subject = Subject::start(Bundle::subject(script).without_namespace("ipc"));
    let words = "doesn't live in IPC ns";
    subject.blocked(&Expected { kind: "sharedMemory", pid: None, descriptor: None, words });
    subject.end();
}

#[test]
fn a_process_in_namespaces_of_its_own_is_in_the_way() {
    for (flag, kind) in [
        (0x1000_0000, "user"),
        (0x0400_0000, "uts"),
        (0x0800_0000, "ipc"),
        (0x0200_0000, "cgroup"),
        (0x4000_0000, "net"),
    ] {
        let script = format!(
            "child = os.fork()
if child == 0:
    assert libc.unshare({flag}) == 0
    while True: time.sleep(1)
time.sleep(0.3)"
        );
        let subject = Subject::start(Bundle::subject(&script).capable(&["CAP_SYS_ADMIN"]));
        let words = match kind {
            "net" => "more than one netns".to_owned(),
            _ => format!("nested {kind} namespace"),
        };
        let child = only_child(subject.pid);
        subject.blocked(&Expected { kind: "namespace", pid: child, descriptor: None, words: &words });
        subject.end();
    }
}

fn only_child(pid: i32) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    Some(children.trim().parse().unwrap())
}

#[test]
fn a_process_that_was_brought_in_from_the_host_is_in_the_way() {
    let subject = Subject::start(Bundle::subject(""));
    let entered = Command::new("nsenter")
        .args(["-t", &subject.pid.to_string(), "-m", "-p", "-n", "-i", "-u", "/bin/sh", "-c", "sleep 1000 &"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(entered.success());
    let child = only_child(subject.pid);
    let answer = subject.preflight("");
    let blockers = answer["blockers"].as_array().unwrap();
    assert!(blockers.iter().any(|one| one["kind"] == "session" && one["pid"] == child.unwrap()), "{answer}");
    subject.daemon.client.post(&subject.checkpoint_path(), &json!({})).problem(409, "checkpoint-blocked");
    let path = format!("{}?preflight=false", subject.checkpoint_path());
    subject.daemon.client.post(&path, &json!({})).problem(500, "runtime-failed");
    subject.untouched();
    subject.end();
}

#[test]
fn a_traced_process_is_in_the_way() {
    let script = "
child = fork()
time.sleep(0.1)
assert libc.ptrace(16, child, 0, 0) == 0
os.waitpid(child, 0x40000000)
libc.ptrace(7, child, 0, 0)";
    let subject = Subject::start(Bundle::subject(script).capable(&["CAP_SYS_PTRACE"]));
    let child = only_child(subject.pid);
    subject.blocked(&Expected { kind: "tracer", pid: child, descriptor: None, words: "" });
    subject.end();
}

/// With the freezer of cgroup v1; CRIU hangs, and is ended when its time is over.
#[test]
fn a_stopped_process_is_in_the_way_where_criu_hangs_over_it() {
    let script = "child = fork()\ntime.sleep(0.1)\nos.kill(child, 19)\ntime.sleep(0.1)";
    let subject = Subject::start_in(Daemon::with(&["--checkpoint-timeout", "2"]), Bundle::subject(script));
    let child = only_child(subject.pid);
    let version = subject.daemon.client.get("/version").expect(200).json();
    if version["features"]["cgroupVersion"] == 2 {
        subject.survives(None);
    } else {
        subject.refused(&Expected { kind: "stopped", pid: child, descriptor: None, words: "" });
        let path = format!("{}?preflight=false", subject.checkpoint_path());
        subject.daemon.client.post(&path, &json!({})).problem(504, "runtime-timeout");
        subject.untouched();
    }
    subject.end();
}

/// Where CAP_SYS_RESOURCE is withheld, as in some virtual machines; elsewhere there is nothing in its way.
#[test]
fn a_user_other_than_root_is_in_the_way_where_the_capability_is_withheld() {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    let withheld = u64::from_str_radix(mask.trim(), 16).unwrap() >> 24 & 1 == 0;
    let bundle = Bundle::subject("os.chmod('/tmp', 0o777)\nos.setgid(1000)\nos.setuid(1000)");
    let subject = Subject::start(bundle.capable(&["CAP_SETUID", "CAP_SETGID"]));
    if withheld {
        let words = "Can't get rlimit";
        subject.blocked(&Expected { kind: "user", pid: None, descriptor: None, words });
    } else {
        subject.survives(None);
    }
    subject.end();
}

#[test]
fn what_criu_takes_is_not_in_the_way() {
    let subject = Subject::start(
        Bundle::subject(
            "
keep = [os.pipe(), socket.socketpair(), os.openpty()]
keep += [os.open('/dev/' + name, os.O_RDWR) for name in ['null', 'zero', 'full', 'random', 'urandom']]
listener = socket.socket(); listener.bind(('127.0.0.1', 7)); listener.listen()
unbound = socket.socket()
six = socket.socket(socket.AF_INET6); six.bind(('::1', 8)); six.listen()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('127.0.0.1', 7))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
packet = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); netlink.bind((0, 0))
server = socket.socket(socket.AF_UNIX); server.bind('/mem/s'); server.listen()
one = socket.socket(socket.AF_UNIX); one.connect('/mem/s'); other, _ = server.accept()
waiting = socket.socket(socket.AF_UNIX); waiting.connect('/mem/s')
half, gone = socket.socketpair(); gone.close()
datagram = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); datagram.bind('/mem/d')
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); sender.connect('/mem/d')
memory = os.memfd_create('m'); os.write(memory, b'a' * 4096); seen = mmap.mmap(memory, 4096)
anonymous = mmap.mmap(-1, 65536)
os.eventfd(1); libc.timerfd_create(1, 0); poller = select.epoll(); poller.register(listener)
signals = libc.signalfd(-1, ctypes.create_string_buffer(128), 0)
os.pidfd_open(os.getpid())
open('/mem/w', 'w').close(); watch = libc.inotify_init()
assert libc.inotify_add_watch(watch, b'/mem/w', 2) > 0 and libc.inotify_add_watch(watch, b'/bin', 2) > 0
small = open('/mem/x', 'w'); small.write('a' * 1000); small.flush(); os.unlink('/mem/x')
replaced = open('/mem/r', 'w'); open('/mem/q', 'w').close(); os.rename('/mem/q', '/mem/r')
odd = open('/mem/it is (deleted)', 'w')
os.mkdir('/mem/folder'); folder = os.open('/mem/folder', os.O_RDONLY); os.rmdir('/mem/folder')
place = os.open('/mem', os.O_PATH); own = os.open('/proc/self/status', os.O_RDONLY)
network = os.open('/proc/self/ns/net', os.O_RDONLY)
os.mkfifo('/mem/fifo'); fifo = os.open('/mem/fifo', os.O_RDWR)
number = libc.shmget(0, 65536, 0o1600); libc.shmat.restype = ctypes.c_void_p; libc.shmat(number, None, 0)
for _ in range(3): threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
fork()
if os.fork() == 0: os._exit(0)
if os.fork() == 0:
    os.setsid(); fcntl.ioctl(keep[2][1], 0x540e, 0)
    while True: time.sleep(1)
if os.fork() == 0:
    assert libc.unshare(0x20000) == 0
    while True: time.sleep(1)
if os.fork() == 0:
    os.mkdir('/mem/root'); os.chroot('/mem/root'); os.chdir('/')
    while True: time.sleep(1)
assert libc.unshare(0x2000000) == 0
fork()
time.sleep(0.3)",
        )
        .capable(&["CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_SYS_CHROOT"]),
    );
    subject.survives(None);
    subject.end();
}

#[test]
fn a_terminal_of_its_own_is_not_in_the_way() {
    let subject =
        Subject::start(Bundle::subject("").with(|config| config["process"]["terminal"] = json!(true)));
    subject.survives(None);
    subject.end();
}

/// It is no part of the dump.
#[test]
fn what_an_added_process_has_is_not_in_the_way() {
    let subject = Subject::start(Bundle::subject(""));
    let script = "import fcntl, socket, time
file = open('/mem/x', 'w'); fcntl.flock(file, fcntl.LOCK_EX)
listener = socket.socket(); listener.bind(('127.0.0.1', 7)); listener.listen()
client = socket.create_connection(('127.0.0.1', 7)); server, _ = listener.accept()
print('added', flush=True)
time.sleep(1000)";
    let added = json!({ "args": ["/usr/bin/python3", "-c", script] });
    subject.daemon.client.put(&format!("/containers/{}/process", subject.id), &added).expect(200);
    eventually("it has what it is to have", || subject.daemon.output(&subject.id).contains("added"));
    subject.survives(None);
    subject.end();
}

#[test]
fn the_preflight_needs_a_container_that_runs_or_is_paused() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    let path = format!("/containers/{id}/checkpoint-preflight");
    daemon.client.get(&path).problem(404, "container-not-found");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let free = json!({ "possible": true, "blockers": [] });
    assert_eq!(daemon.client.get(&path).expect(200).json(), free);
    daemon.client.patch(&format!("/containers/{id}"), &json!({ "status": "paused" })).expect(200);
    assert_eq!(daemon.client.get(&path).expect(200).json(), free);
    daemon.client.get(&format!("{path}?tpc=true")).problem(422, "invalid-request");
    daemon.client.get(&format!("{path}?tcp=maybe")).problem(422, "invalid-request");
    daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
    daemon.await_status(&id, "stopped");
    daemon.client.get(&path).problem(409, "wrong-state");
    daemon.clean_up();
}

#[test]
fn a_process_that_ends_while_it_is_looked_at_is_not_in_the_way() {
    let daemon = Daemon::start();
    // One loop alone: more of them take the processors from the other tests.
    let bundle = Bundle::script("while :; do true | cat | true; done");
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    for _ in 0..150 {
        let found = daemon.client.get(&format!("/containers/{id}/checkpoint-preflight")).expect(200).json();
        assert_eq!(found["possible"], true, "{found}");
    }
    daemon.clean_up();
}
