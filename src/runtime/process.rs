//! Processes of the host, held so that a signal reaches the one that was meant: a pid may be reused
//! at any instant, a pidfd never is (pidfd_open(2)).

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::error::{Error, Result};

const SIGKILL: i32 = 9;
/// How often, and how far apart, an orphaned group is looked for.
const ORPHAN_LOOKS: u32 = 200;
const ORPHAN_PAUSE: Duration = Duration::from_millis(10);

/// A process, held by its pidfd.
#[derive(Debug)]
pub struct Held {
    pid: i32,
    start_time: u64,
    pidfd: OwnedFd,
}

impl Held {
    /// Holds the process that has this pid now. `None`: there is none.
    pub fn open(pid: i32) -> Result<Option<Self>> {
        let Some(raw) = Pid::from_raw(pid).filter(|_| pid > 0) else {
            return Ok(None);
        };
        match pidfd_open(raw, PidfdFlags::NONBLOCK) {
            Ok(pidfd) => Ok(start_time(pid).map(|start_time| Self { pid, start_time, pidfd })),
            // EINVAL, and ENOENT since Linux 6.16: the pid is a thread's, not a process's.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => Ok(None),
            Err(error) => Err(Error::Process { pid, what: "pidfd_open", source: error.into() }),
        }
    }

    /// Holds the process with this pid if it is the one that started then.
    pub fn open_same(pid: i32, start_time: u64) -> Result<Option<Self>> {
        Ok(Self::open(pid)?.filter(|held| held.start_time == start_time))
    }

    /// The process's pid on the host.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// When it started, in clock ticks after boot.
    pub fn start_time(&self) -> u64 {
        self.start_time
    }

    /// Sends a signal, 1 to 64. `false`: the process has ended.
    pub fn signal(&self, number: i32) -> Result<bool> {
        // SAFETY: the contract allows 1 to 64 alone, and the kernel refuses other numbers; the numbers
        // that from_raw_unchecked warns of are those libc uses in one's own process.
        let signal = unsafe { Signal::from_raw_unchecked(number) };
        match pidfd_send_signal(&self.pidfd, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => {
                Err(Error::Process { pid: self.pid, what: "pidfd_send_signal", source: error.into() })
            }
        }
    }

    /// Whether all of it has ended, reaped or not (pidfd_open(2): then it is readable).
    pub fn has_ended(&self) -> bool {
        has_ended(&self.pidfd)
    }

    /// Whether its first thread has ended: runc takes it for dead from then on. It has ended when all others have, which
    /// may take a while (of a large memory, or a disk that is waited for).
    pub fn is_ending(&self) -> bool {
        Stat::of(self.pid).is_none_or(|stat| !stat.is_alive() || stat.start_time != self.start_time)
    }

    /// A second descriptor of the same process, readable once it has ended (pidfd_open(2)).
    pub fn watch(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let fd = self.pidfd.try_clone()?;
        // SAFETY: the descriptor is owned and goes into the AsyncFd, which lets it go only after it has
        // deregistered it; an OwnedFd always gives the same number.
        let watch = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
        watch.map_err(|error| io::Error::other(error.to_string()))
    }
}

/// Ends what a shim that was killed has left at work: the program that it started with these arguments, one of them a path
/// that no other call has, and its process group, which the shim gives to each. Blocks until they are gone, two seconds
/// at most.
pub fn end_orphans(arguments: &[&str]) {
    let mut group = None;
    for _ in 0..ORPHAN_LOOKS {
        let all = pids();
        group = group.or_else(|| {
            all.iter().find(|pid| has_arguments(**pid, arguments)).and_then(|pid| group_of(*pid))
        });
        let Some(group) = group else { return };
        let members: Vec<Held> = all
            .into_iter()
            .filter(|pid| group_of(*pid) == Some(group))
            .filter_map(|pid| Held::open(pid).ok().flatten())
            // Asked again, now that the pid cannot be another's.
            .filter(|held| group_of(held.pid()) == Some(group))
            .collect();
        if members.is_empty() {
            return;
        }
        for member in members {
            let _ = member.signal(SIGKILL);
        }
        std::thread::sleep(ORPHAN_PAUSE);
    }
}

/// Whether all of a process that is held by this pidfd has ended, reaped or not (pidfd_open(2): then it is readable).
pub fn has_ended(pidfd: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut looked = [PollFd::new(pidfd, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut looked, Some(&at_once)).is_ok_and(|ready| ready > 0)
}

/// Whether a process is in no container, as far as can be told without its runtime: in our own user and pid namespaces
/// (user_namespaces(7), pid_namespaces(7)), and with our own root. Another mount namespace alone is many a service's, and another
/// root alone a proxy's that was chrooted; both together are a container's. Not when that cannot be told.
pub fn is_in_no_container(pid: i32) -> bool {
    let is_own = |kind: &str| {
        let of = |process: &str| fs::read_link(format!("/proc/{process}/ns/{kind}"));
        matches!((of(&pid.to_string()), of("self")), (Ok(theirs), Ok(ours)) if theirs == ours)
    };
    let has_own_root = || matches!((root_of(&pid.to_string()), root_of("self")), (Some(theirs), Some(ours)) if theirs == ours);
    is_own("user") && is_own("pid") && (is_own("mnt") || has_own_root())
}

/// Which folder is a process's root (proc_pid_root(5)). The file system is not asked: it may be one that does not answer.
fn root_of(process: &str) -> Option<(u32, u32, u64)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let root = statx(CWD, format!("/proc/{process}/root"), AtFlags::STATX_DONT_SYNC, StatxFlags::INO).ok()?;
    Some((root.stx_dev_major, root.stx_dev_minor, root.stx_ino))
}

/// The one user that a process runs as: its real, effective, saved and file system user. `None`: they are several.
pub fn user_of(pid: i32) -> Option<u32> {
    let all = Status::of(pid).users()?;
    let first = *all.first()?;
    all.iter().all(|one| *one == first).then_some(first)
}

/// Its name (proc_pid_comm(5)). `None`: there is no such process.
pub fn name_of(pid: i32) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned())
}

/// The process of a thread, or the process itself (`Tgid` of proc_pid_status(5)).
pub fn process_of(pid: i32) -> Option<i32> {
    Status::of(pid).field("Tgid")?.parse().ok()
}

/// Every process there is.
pub fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The children of a process, of all its threads (proc_pid_task_tid_children(5)).
pub fn children_of(pid: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// A process and all below it, parents first.
pub fn tree_of(pid: i32) -> Vec<i32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        for child in children_of(pid) {
            // One that has moved while it was looked is there once.
            if !found.contains(&child) {
                found.push(child);
            }
        }
    }
    found
}

/// The children of a process that have ended and are not reaped, by pid and start time.
pub fn zombies_of(parent: i32) -> Vec<(i32, u64)> {
    children_of(parent)
        .into_iter()
        .filter_map(|pid| Some((pid, Stat::of(pid).filter(|stat| !stat.is_alive())?.start_time)))
        .collect()
}

/// Waits until a container's init process has become its program: runc answers a moment before, and until then it is runc,
/// which calls itself so (nsexec.c). Blocks, two seconds at most.
pub fn await_program(init: i32) {
    let is_runc = || name_of(init).is_some_and(|name| name.starts_with("runc:["));
    for _ in 0..PROGRAM_LOOKS {
        if !is_runc() {
            return;
        }
        std::thread::sleep(PROGRAM_LOOK);
    }
}

/// How often, and how far apart, it is looked whether an init process is its program.
const PROGRAM_LOOKS: u32 = 1000;
const PROGRAM_LOOK: Duration = Duration::from_millis(2);

/// Whether a process of root's was started with these arguments, among others: anybody can call himself so.
pub fn has_arguments(pid: i32, arguments: &[&str]) -> bool {
    let folder = format!("/proc/{pid}");
    let line = fs::read(format!("{folder}/cmdline")).unwrap_or_default();
    let has = |argument: &&str| line.split(|byte| *byte == 0).any(|one| one == argument.as_bytes());
    arguments.iter().all(has) && fs::metadata(folder).is_ok_and(|process| process.uid() == 0)
}

/// How long the host has been up, in milliseconds: proc_uptime(5). No clock that anybody sets.
pub fn uptime() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let (seconds, hundredths) = text.split(' ').next().and_then(|up| up.split_once('.')).unwrap_or_default();
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    number(seconds) * 1000 + number(hundredths) * 10
}

/// When the process started, in clock ticks after boot.
pub fn start_time(pid: i32) -> Option<u64> {
    Stat::of(pid).map(|stat| stat.start_time)
}

/// What the kernel says of a process: proc_pid_stat(5).
#[derive(Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session, by its leader.
    pub session: i32,
    /// Its controlling terminal's device number, as stat has it; 0 without one.
    pub terminal: u32,
    /// When it started, in clock ticks after boot.
    pub start_time: u64,
    alive: bool,
    flags: u64,
}

impl Stat {
    /// `None`: there is no such process.
    pub fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Field 2 is the program's name in parentheses and may hold anything, so fields count from its end.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            alive: !matches!(field(3)?, "Z" | "X"),
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            // Signed in the kernel's text, a device number in truth.
            terminal: field(7)?.parse::<i32>().ok()?.cast_unsigned(),
            flags: field(9)?.parse().ok()?,
            start_time: field(22)?.parse().ok()?,
        })
    }

    /// Whether it has not ended: one that has may still be there to be reaped, and one that is just ending (PF_EXITING,
    /// `linux/sched.h`) has left its cgroup and files already.
    pub fn is_alive(&self) -> bool {
        self.alive && self.flags & 0x4 == 0
    }

    /// Whether it was forked and has begun no program since: PF_FORKNOEXEC (`linux/sched.h`).
    pub fn is_fork(&self) -> bool {
        self.flags & 0x40 != 0
    }
}

/// CAP_SYS_RESOURCE, capabilities(7).
pub const CAP_SYS_RESOURCE: u32 = 24;

/// Whether this process has a capability, by its number.
pub fn has_capability(number: u32) -> bool {
    Status::of_self().has("CapEff", number)
}

/// What /proc tells of a process by name: proc_pid_status(5).
#[derive(Debug)]
pub struct Status(String);

impl Status {
    /// Of one that is gone nothing is told.
    pub fn of(pid: i32) -> Self {
        // A name may be any bytes.
        let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
        Self(String::from_utf8_lossy(&status).into_owned())
    }

    /// Of this process.
    pub fn of_self() -> Self {
        Self(fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    /// Whether a bit of a mask is set, from 0.
    pub fn has(&self, mask: &str, bit: u32) -> bool {
        self.mask(mask).is_some_and(|mask| mask >> bit & 1 == 1)
    }

    /// A mask.
    pub fn mask(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.field(name)?, 16).ok()
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.field(name)?.parse().ok()
    }

    /// Its real, effective, saved and file system user.
    pub fn users(&self) -> Option<Vec<u32>> {
        self.field("Uid")?.split_ascii_whitespace().map(|user| user.parse().ok()).collect()
    }

    /// A size that is told in kB, in bytes; 0 when it is not told.
    pub fn bytes(&self, name: &str) -> u64 {
        let size = self.field(name).and_then(|size| size.split_whitespace().next()?.parse::<u64>().ok());
        size.unwrap_or(0) * 1024
    }
}

/// The process group of a process that has not ended.
fn group_of(pid: i32) -> Option<i32> {
    Stat::of(pid).filter(Stat::is_alive).map(|stat| stat.group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let stat = "7 (a) 1 2 (b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 8192 1";
        assert_eq!(Stat::parse(stat).map(|stat| stat.start_time), Some(4242));
        assert_eq!(Stat::parse("7 (a"), None);
    }

    #[test]
    fn an_orphan_is_ended_with_its_group_and_nobody_else() {
        use std::os::unix::process::CommandExt;
        let start = |argument: &str| {
            let script = "sleep 100 & wait";
            let args = ["-c", script, argument];
            std::process::Command::new("sh").args(args).process_group(0).spawn().unwrap()
        };
        let mark = format!("/orphan/{}", std::process::id());
        let (mut orphan, mut other) = (start(&mark), start(&format!("{mark}-other")));
        let members = || pids().into_iter().filter(|pid| group_of(*pid) == Some(orphan.id() as i32)).count();
        while members() < 2 {
            std::thread::yield_now();
        }
        end_orphans(&[&mark, "-c"]);
        assert_eq!(members(), 0);
        assert!(other.try_wait().unwrap().is_none());
        end_orphans(&[&format!("{mark}-other")]);
        other.wait().unwrap();
        orphan.wait().unwrap();
    }

    #[test]
    fn a_pid_with_another_start_time_is_not_held() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let start_time = start_time(pid).unwrap();
        assert!(Held::open_same(pid, start_time).unwrap().is_some());
        assert!(Held::open_same(pid, start_time + 1).unwrap().is_none());
        assert!(Held::open(0).unwrap().is_none());
    }

    #[test]
    fn a_thread_is_no_process() {
        let held = std::thread::spawn(|| Held::open(nix::unistd::gettid().as_raw()));
        assert!(held.join().unwrap().unwrap().is_none());
    }
}
