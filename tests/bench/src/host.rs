//! The machine, the programs on it, and whether it is left as it was.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::mount::{MntFlags, umount2};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

/// A port that nobody has; a moment later somebody might.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.expect("a port on loopback").port()
}

/// What a program says to `args`, its first line; nothing when it is not there.
pub(crate) fn said(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned())
}

/// Where a program is.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The machine and the programs, a line each.
pub(crate) fn facts(program: &Path) -> Vec<(String, String)> {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default().trim().to_owned();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
    let memory = read("/proc/meminfo");
    let kib: u64 = memory.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let machine = format!(
        "{processors} processors ({}), {} MiB, Linux {}, load before and beside {}",
        model.trim_start_matches(['\t', ':', ' ']),
        kib / 1024,
        read("/proc/sys/kernel/osrelease"),
        read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
    );
    let system = read("/etc/os-release");
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or_default();
    let mut facts =
        vec![("machine".to_owned(), machine), ("system".to_owned(), system.trim_matches('"').to_owned())];
    let ours = program.to_string_lossy().into_owned();
    let commit = said("git", &["describe", "--always", "--dirty"]).unwrap_or_default();
    let version = said(&ours, &["--version"]).unwrap_or_default();
    facts.push(("containerd-rest".to_owned(), format!("{version} ({commit})")));
    for peer in ["runc", "containerd", "podman", "conmon", "wrk"] {
        let version = said(peer, &[if peer == "wrk" { "-v" } else { "--version" }]);
        facts.push((peer.to_owned(), version.unwrap_or_else(|| "not here".to_owned())));
    }
    facts
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

extern "C" fn interrupt(_: i32) {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Ctrl-C ends us at the next call, by a panic: with all that was begun.
pub(crate) fn heed_interrupts() {
    // Without SA_RESTART: who waits is woken.
    let action = SigAction::new(SigHandler::Handler(interrupt), SaFlags::empty(), SigSet::empty());
    for one in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: the handler stores a flag and does nothing else.
        unsafe { sigaction(one, &action) }.expect("a signal can be heeded");
    }
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Before each call: nothing more is begun then.
pub(crate) fn go_on() -> Result<(), String> {
    if is_interrupted() { Err("interrupted".to_owned()) } else { Ok(()) }
}

/// A thousand callers have a thousand sockets.
pub(crate) fn raise_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// What is on the host outside our folders.
pub(crate) struct Host {
    entries: BTreeSet<PathBuf>,
}

/// Folders that a peer, or we, could leave something in.
const FOLDERS: [&str; 7] = ["/run", "/run/containerd", "/var/lib", "/opt", "/etc", "/etc/cni", "/dev/shm"];

impl Host {
    pub(crate) fn now() -> Self {
        let entries = FOLDERS.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        Self { entries: entries.map(|entry| entry.path()).collect() }
    }

    /// After everybody has ended: no mount below our folder, no cgroup of ours; and says what is new elsewhere, which
    /// somebody else may have made.
    pub(crate) fn expect_as_before(&self, work: tempfile::TempDir) -> ExitCode {
        for new in Self::now().entries.difference(&self.entries) {
            eprintln!("new on this host since the beginning: {}", new.display());
        }
        let mounts = mounts_below(work.path());
        for mount in mounts.iter().rev() {
            eprintln!("was still mounted: {}", mount.display());
            let _ = umount2(mount, MntFlags::MNT_DETACH);
        }
        let cgroups = cgroups();
        for cgroup in &cgroups {
            eprintln!("is left: {}", cgroup.display());
        }
        let removed = work.close();
        if let Err(error) = &removed {
            eprintln!("is left: {error}");
        }
        if mounts.is_empty() && cgroups.is_empty() && removed.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn mounts_below(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    points.filter(|point| point.starts_with(folder)).collect()
}

/// Those that [`crate::cpu::Account`] has made, of every controller.
fn cgroups() -> Vec<PathBuf> {
    let prefix = format!("bench-{}-", std::process::id());
    let mounted = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let folders = mounted.filter_map(|controller| fs::read_dir(controller.path()).ok()).flatten().flatten();
    let names = folders.filter(|folder| folder.file_name().to_string_lossy().starts_with(&prefix));
    names.map(|folder| folder.path()).collect()
}
