//! What the host knows: the oracle that nothing of a test is left behind. Names are a daemon's own, so
//! that tests that run beside it do not count.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::eventually;

/// Every cgroup, in every hierarchy, whose name has this in it: systemd's begin with `runc-`.
pub(crate) fn cgroups(prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), prefix, &mut found);
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if entry.file_name().to_string_lossy().contains(prefix) {
                found.push(entry.path());
            }
            walk(&entry.path(), prefix, found);
        }
    }
}

/// Removes what a failed test has left of cgroups, once the killed processes in them are gone. Frozen ones
/// die when they are thawed (cgroup v1).
fn clear_cgroups(prefix: &str) {
    for _ in 0..100 {
        let left = cgroups(prefix);
        if left.is_empty() {
            return;
        }
        for folder in left {
            let _ = fs::write(folder.join("freezer.state"), "THAWED");
            let _ = fs::remove_dir(folder);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Does something as another user: a socket is whoever's the thread is that makes it (setfsuid(2)).
pub(crate) fn as_user<T: Send>(uid: u32, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            nix::unistd::setfsuid(nix::unistd::Uid::from_raw(uid));
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Copies a program to where it is run. By a process of its own: a child of another thread could hold a file open that
/// this one has written, and the kernel runs none that is open for writing (`ETXTBSY`).
pub(crate) fn install(program: &Path, to: &Path) {
    let install = Command::new("install").args(["-m", "755"]).args([program, to]).status();
    assert!(install.unwrap().success());
}

/// Writes a script where it is run.
pub(crate) fn install_script(path: &Path, text: &str) {
    let mut written = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut written, text.as_bytes()).unwrap();
    install(written.path(), path);
}

/// Every mount, in this mount namespace, that names this text.
pub(crate) fn mounts(text: &str) -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    mounts.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

/// Every process whose command line or cgroup names this text; the daemon's own is none of them.
pub(crate) fn processes(text: &str, daemon: u32) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let read = |name: &str| {
            String::from_utf8_lossy(&fs::read(entry.path().join(name)).unwrap_or_default()).replace('\0', " ")
        };
        let (command, cgroup) = (read("cmdline"), read("cgroup"));
        if pid != daemon && (command.contains(text) || cgroup.contains(text)) {
            found.insert(pid, command);
        }
    }
    found
}

/// The files below a folder, by their paths within it; but for `ignored` ones.
pub(crate) fn files(folder: &Path, ignored: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            if ignored.contains(&name.as_str()) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            }
            found.push(name);
        }
    }
    found.sort();
    found
}

/// No process, cgroup, mount, runc state or file of any container of the daemon with these folders.
#[track_caller]
pub(crate) fn assert_nothing_left(folder: &Path, prefix: &str, daemon: u32) {
    let text = folder.to_string_lossy().into_owned();
    // A shim ends by itself, a moment after its container.
    eventually("no process is left", || {
        processes(prefix, daemon).is_empty() && processes(&text, daemon).is_empty()
    });
    assert_eq!(cgroups(prefix), Vec::<PathBuf>::new());
    let (state, root) = (folder.join("state"), folder.join("root"));
    // But for what the test itself has mounted.
    let mounts = mounts(&text).into_iter().filter(|line| ![&state, &root].contains(&&point(line)));
    assert_eq!(mounts.collect::<Vec<_>>(), Vec::<String>::new());
    let known = ["lock", "boot-id", "calls", "bin", "bin/criu", "containerd-rest.sock", "containers", "runc"];
    assert_eq!(files(&state, &known), Vec::<String>::new());
    assert_eq!(files(&root.join("containers"), &[]), Vec::<String>::new());
}

/// Where a mount is, of a line of mountinfo.
fn point(line: &str) -> PathBuf {
    PathBuf::from(line.split(' ').nth(4).unwrap_or_default())
}

/// Ends every container of a daemon that is gone, in whatever state a failed test has left them.
pub(crate) fn end_containers(prefix: &str) {
    for (pid, _) in processes(prefix, 0) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
    clear_cgroups(prefix);
}

/// A folder is about to be removed: never through a mount that a broken test has left in it.
pub(crate) fn detach_mounts(folder: &Path) {
    for line in mounts(&folder.to_string_lossy()) {
        let _ = Command::new("umount").arg("-l").arg(point(&line)).status();
    }
}
