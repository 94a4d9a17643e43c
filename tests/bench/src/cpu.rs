//! Processor time, to the nanosecond: of a contender as a whole by its cgroup, of single processes by their clocks.
//! `/proc/PID/stat` and `getrusage` count ticks of 10 ms, and lose children that nobody waited for, as runc's are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

const V1: &str = "/sys/fs/cgroup/cpuacct";
const V2: &str = "/sys/fs/cgroup";

/// Where cgroups count processor time, and our own below it as it was at first.
static HOME: LazyLock<PathBuf> = LazyLock::new(|| {
    let mounted = if Path::new(V1).join("cpuacct.usage").exists() { V1 } else { V2 };
    let controllers = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = controllers.lines().find_map(|line| {
        let (_, line) = line.split_once(':')?;
        let (names, path) = line.split_once(':')?;
        let wanted = if mounted == V1 { "cpuacct" } else { "" };
        names.split(',').any(|name| name == wanted).then(|| path.trim_start_matches('/').to_owned())
    });
    Path::new(mounted).join(own.unwrap_or_default())
});

/// A cgroup that counts. What is started in it stays in it or below: runc, told no other place, puts a container's cgroup
/// below its own.
#[derive(Debug)]
pub(crate) struct Account {
    folder: PathBuf,
}

impl Account {
    pub(crate) fn new(name: &str) -> Self {
        let folder = HOME.join(name);
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Self { folder }
    }

    /// Takes a process in.
    pub(crate) fn admit(&self, pid: u32) {
        admit(&self.folder, pid);
    }

    /// We go back to where we were.
    pub(crate) fn leave() {
        admit(&HOME, std::process::id());
    }

    /// What all that was ever in it has used.
    pub(crate) fn used(&self) -> Duration {
        if let Ok(nanos) = fs::read_to_string(self.folder.join("cpuacct.usage")) {
            return Duration::from_nanos(nanos.trim().parse().expect("cpuacct.usage is a number"));
        }
        let stat = fs::read_to_string(self.folder.join("cpu.stat")).expect("a cgroup tells its time");
        let micros = stat.lines().find_map(|line| line.strip_prefix("usage_usec ")).expect("usage_usec");
        Duration::from_micros(micros.parse().expect("usage_usec is a number"))
    }

    /// Who is in it and below.
    pub(crate) fn members(&self) -> Vec<i32> {
        let mut members = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            let procs = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
            members.extend(procs.lines().filter_map(|line| line.parse::<i32>().ok()));
            folders.extend(folders_in(&folder));
        }
        members
    }
}

impl Drop for Account {
    /// From the leaves up; what is not empty stays, and is told at the end.
    fn drop(&mut self) {
        fn remove(folder: &Path) {
            folders_in(folder).iter().for_each(|inner| remove(inner));
            let _ = fs::remove_dir(folder);
        }
        remove(&self.folder);
    }
}

fn admit(folder: &Path, pid: u32) {
    fs::write(folder.join("cgroup.procs"), pid.to_string())
        .unwrap_or_else(|error| panic!("{pid} into {}: {error}", folder.display()));
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// What a process has used, all its threads, those that have ended too.
pub(crate) fn of_process(pid: i32) -> Duration {
    clock_getcpuclockid(Pid::from_raw(pid)).map_or(Duration::ZERO, read)
}

/// What we have used ourselves.
pub(crate) fn own() -> Duration {
    read(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

fn read(clock: ClockId) -> Duration {
    Duration::from(clock_gettime(clock).unwrap_or(TimeSpec::new(0, 0)))
}

/// A process's name, as it calls itself.
pub(crate) fn name_of(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}
