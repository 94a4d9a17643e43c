//! Processes that share with another one what threads share: clone(2), vfork(2).

use super::{Expected, Subject, only_child};
use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;

/// `cloned(flags)`: a child that does nothing but pause(2), on a stack of its own.
const CLONED: &str = "
libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
stacks = []
def cloned(flags):
    stacks.append(mmap.mmap(-1, 65536))
    stack = ctypes.addressof(ctypes.c_char.from_buffer(stacks[-1])) + 65536
    child = libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), stack, flags | signal.SIGCHLD, None)
    assert child > 0, os.strerror(ctypes.get_errno())
VM, FS, FILES, VFORK = 0x100, 0x200, 0x400, 0x4000
";

fn subject(script: &str) -> Subject {
    Subject::start(Bundle::subject(&format!("{CLONED}{script}")))
}

#[test]
fn a_process_that_shares_memory_or_folders_is_in_the_way() {
    for (flag, words) in [("VM", "Can't make VM id"), ("FS", "Can't make FS id")] {
        let subject = subject(&format!("cloned({flag})"));
        subject.blocked(&Expected { kind: "clone", pid: only_child(subject.pid), descriptor: None, words });
        subject.end();
    }
}

#[test]
fn descriptors_may_be_shared_with_the_parent_alone() {
    let shared = subject("cloned(FILES)\ncloned(FILES)");
    shared.survives(None);
    shared.end();
    let subject = subject("cloned(FILES)\ncloned(FILES)\nassert libc.unshare(FILES) == 0");
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", subject.pid)).unwrap();
    let second = children.split_whitespace().nth(1).and_then(|pid| pid.parse().ok());
    let words = "Can't make FILES id";
    subject.blocked(&Expected { kind: "clone", pid: second, descriptor: None, words });
    subject.end();
}

/// CRIU waits ten seconds for it, the container frozen.
#[test]
fn a_process_that_waits_in_vfork_is_in_the_way() {
    let subject =
        subject("threading.Thread(target=cloned, args=(VM | VFORK,), daemon=True).start()\ntime.sleep(0.2)");
    subject.blocked(&Expected { kind: "vfork", pid: None, descriptor: None, words: "Unseizable" });
    subject.end();
}

/// Python makes them with vfork(2), and shares with each for an instant.
#[test]
fn programs_that_are_begun_all_the_time_are_not_in_the_way() {
    let daemon = Daemon::start();
    let script = "
import subprocess, threading
def begin():
    while True: subprocess.run(['/bin/true'])
for _ in range(3): threading.Thread(target=begin).start()";
    let bundle = Bundle::python(script);
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    for _ in 0..100 {
        let found = daemon.client.get(&format!("/containers/{id}/checkpoint-preflight")).expect(200).json();
        assert_eq!(found["possible"], true, "{found}");
    }
    daemon.clean_up();
}
