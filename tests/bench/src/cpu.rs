//! Processor time, to the nanosecond: of a contender as a whole by its cgroup, of single processes by their clocks.
//! `/proc/PID/stat` and `getrusage` count ticks of 10 ms, and lose children that nobody waited for, as runc's are.

use std::fmt::Display;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

const V1: &str = "/sys/fs/cgroup/cpuacct";

/// How long is waited for processes to end.
const PATIENCE: Duration = Duration::from_secs(10);
const MOUNTS: &str = "/sys/fs/cgroup";

/// Where cgroups count processor time, and our own below it as it was at first.
static HOME: LazyLock<(PathBuf, String)> = LazyLock::new(|| {
    let mounted = if Path::new(V1).join("cpuacct.usage").exists() { V1 } else { MOUNTS };
    let controllers = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = controllers.lines().find_map(|line| {
        let (_, line) = line.split_once(':')?;
        let (names, path) = line.split_once(':')?;
        let wanted = if mounted == V1 { "cpuacct" } else { "" };
        names.split(',').any(|name| name == wanted).then(|| path.trim_start_matches('/').to_owned())
    });
    (mounted.into(), own.unwrap_or_default())
});

/// A cgroup that counts. What is started in it stays in it or below: runc, told no other place, puts a container's cgroup
/// below its own.
#[derive(Debug)]
pub(crate) struct Account {
    /// Its own, and the beginning of its containers', whose cgroups of other controllers are named by theirs alone.
    name: String,
    /// Below where cgroups are mounted.
    path: PathBuf,
    folder: PathBuf,
}

impl Account {
    pub(crate) fn new(whose: &str) -> Self {
        let (mounted, own) = &*HOME;
        let name = format!("bench-{}-{whose}", std::process::id());
        let path = Path::new(own).join(&name);
        let folder = mounted.join(&path);
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Self { name, path, folder }
    }

    /// A container's name, which no other contender's has.
    pub(crate) fn id(&self, name: impl Display) -> String {
        format!("{}-{name}", self.name)
    }

    /// As who is to make cgroups in it wants it named.
    pub(crate) fn path(&self) -> PathBuf {
        Path::new("/").join(&self.path)
    }

    /// Takes us in, with what we start from now on.
    pub(crate) fn enter(&self) {
        enter(&self.folder);
    }

    /// We go back to where we were.
    pub(crate) fn leave() {
        enter(&HOME.0.join(&HOME.1));
    }

    /// Started in it, so that what it does at once counts too; and in a process group of its own, so that Ctrl-C is for us
    /// alone, who end it then.
    pub(crate) fn spawn(&self, command: &mut Command) -> Child {
        self.enter();
        let child = command.process_group(0).spawn();
        Self::leave();
        child.unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()))
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
        members_of(&self.folder)
    }

    /// Until no more than so many are in it: what a turn has set off is not to disturb the next one's. podman's and conmon's
    /// cleaning up goes on for seconds after the answer.
    pub(crate) fn settle(&self, processes: usize) {
        let begun = Instant::now();
        while self.members().len() > processes && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whoever is still there was started by us, or by whom we have started; frozen ones are thawed to end.
    fn clear(&self) {
        Self::leave();
        let folders = self.everywhere();
        if folders.is_empty() {
            return;
        }
        self.settle(0);
        for folder in &folders {
            let _ = fs::write(folder.join("freezer.state"), "THAWED");
            let _ = fs::write(folder.join("cgroup.freeze"), "0");
            let ours = i32::try_from(std::process::id()).unwrap_or_default();
            members_of(folder).into_iter().filter(|pid| *pid != ours).for_each(|pid| {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            });
        }
        self.settle(0);
        folders.iter().for_each(|folder| remove(folder));
    }

    /// Its cgroup, and its containers', of every controller.
    fn everywhere(&self) -> Vec<PathBuf> {
        let ours = |folder: &PathBuf| {
            folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&self.name))
        };
        let mounted = folders_in(Path::new(MOUNTS));
        let mut parents: Vec<_> =
            mounted.iter().map(|mounted| mounted.join(&HOME.1)).chain(mounted.clone()).collect();
        parents.push(Path::new(MOUNTS).join(&HOME.1));
        parents.sort();
        parents.dedup();
        parents.iter().flat_map(|parent| folders_in(parent)).filter(ours).collect()
    }
}

impl Drop for Account {
    /// What is not empty stays, and is told at the end.
    fn drop(&mut self) {
        self.clear();
    }
}

/// From the leaves up.
fn remove(folder: &Path) {
    folders_in(folder).iter().for_each(|inner| remove(inner));
    let _ = fs::remove_dir(folder);
}

/// Who is in a cgroup and below.
fn members_of(folder: &Path) -> Vec<i32> {
    let mut members = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let procs = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        members.extend(procs.lines().filter_map(|line| line.parse::<i32>().ok()));
        folders.extend(folders_in(&folder));
    }
    members
}

fn enter(folder: &Path) {
    fs::write(folder.join("cgroup.procs"), std::process::id().to_string())
        .unwrap_or_else(|error| panic!("we cannot enter {}: {error}", folder.display()));
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
