//! One runtime call under way: its process, its time limit, its streams, and what came of it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::unistd::Pid;

use super::console::Console;
use super::reaper::{self, Ended};
use super::stdio::{Output, Stream};
use crate::ipc::{CONSOLE, ProcessKey, Request, Role};
use crate::runtime::cgroup::{self, Cgroup};
use crate::runtime::criu;
use crate::runtime::process::start_time;
use crate::runtime::program::{ExitStatus, FailureKind, Program};
use crate::runtime::sealed::is_sealed;

/// The verb of runc's that has CRIU make a process; all else that is launched is no work of CRIU's.
const RESTORE: &str = "restore";

/// How often it is looked for what a call has orphaned: of all processes, which is dear where there are many.
const ORPHANS: Duration = Duration::from_millis(500);

/// What came of a call.
pub(super) enum Outcome {
    Called,
    Launched {
        key: ProcessKey,
        role: Role,
        note: Option<serde_json::Value>,
        /// Set when the process has ended already.
        ended: Option<ExitStatus>,
    },
    Failed(FailureKind),
}

/// What a launch has beyond a call.
struct Launching {
    pid_file: PathBuf,
    role: Role,
    place: Option<String>,
    note: Option<serde_json::Value>,
    console: Option<Console>,
    stdout_copy: Option<PathBuf>,
}

pub(super) struct Job {
    seq: u64,
    child: i32,
    limit: Duration,
    deadline: Instant,
    timed_out: bool,
    /// When it was last looked for orphans of CRIU's, and those that were there.
    looked: Instant,
    runs_criu: bool,
    criu_orphans: BTreeSet<i32>,
    status: Option<ExitStatus>,
    orphans: Vec<Ended>,
    /// The children there were before: what is added and unknown after a failure is the runtime's stray.
    before: BTreeSet<i32>,
    launching: Option<Launching>,
}

impl Job {
    /// Starts the program. Its outputs are held back until it is known to have succeeded.
    /// `runtime`: the sealed copy that a launch of init is started from.
    pub(super) fn start(request: Request, runtime: Option<&OwnedFd>) -> io::Result<(Self, Vec<Output>)> {
        let (seq, program, timeout_ms, launch) = match request {
            Request::Call(call) => (call.seq, call.program, call.timeout_ms, None),
            Request::Launch(launch) => (
                launch.seq,
                launch.program,
                launch.timeout_ms,
                Some((launch.pid_file, launch.role, launch.stdio, launch.place, launch.note)),
            ),
        };
        let mut outputs = Vec::new();
        let mut pipe = |stream, copy: Option<&Path>| -> io::Result<Stdio> {
            let (output, writer) = Output::pipe(seq, stream, copy)?;
            outputs.push(output);
            Ok(Stdio::from(writer))
        };
        let (stdout, stderr, launching) = match launch {
            None => (Stdio::null(), pipe(Stream::Stderr, None)?, None),
            Some((pid_file, role, stdio, place, note)) => {
                // A pid of an earlier run must not be taken for this one's.
                let _ = fs::remove_file(&pid_file);
                let console = stdio.terminal.then(|| Console::listen(seq)).transpose()?;
                let streams = match &console {
                    Some(_) => (Stdio::null(), pipe(Stream::Stderr, None)?),
                    None => (
                        pipe(Stream::Stdout, stdio.stdout.as_deref())?,
                        pipe(Stream::Stderr, stdio.stderr.as_deref())?,
                    ),
                };
                let launching = Launching { pid_file, role, place, note, console, stdout_copy: stdio.stdout };
                (streams.0, streams.1, Some(launching))
            }
        };
        let socket = launching.as_ref().and_then(|launching| launching.console.as_ref()).map(Console::path);
        let runs_criu = launching.is_none() || program.args.iter().any(|argument| argument == RESTORE);
        let before = children();
        let runtime = runtime.filter(|_| launching.as_ref().is_some_and(|one| one.role == Role::Init));
        let child = spawn(&program, runtime, socket.as_deref(), stdout, stderr, launching.is_none())?;
        let limit = Duration::from_millis(timeout_ms);
        let deadline = Instant::now() + limit;
        let job = Self {
            seq,
            child,
            limit,
            deadline,
            timed_out: false,
            looked: Instant::now(),
            runs_criu,
            criu_orphans: BTreeSet::new(),
            status: None,
            orphans: Vec::new(),
            before,
            launching,
        };
        Ok((job, outputs))
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn deadline(&self) -> Instant {
        if self.timed_out {
            // A killed group is soon gone; asking again costs nothing and waits for no signal that was missed.
            Instant::now() + Duration::from_millis(100)
        } else if self.runs_criu {
            self.deadline.min(Instant::now() + ORPHANS)
        } else {
            self.deadline
        }
    }

    /// Ends what a CRIU that was killed has left behind: children that hold its socket, on whose end the runtime would
    /// wait for as long as it may. They are told by having begun no program of their own; those that are without the
    /// one that did for two looks are no process that a restore is just about to let go.
    fn end_orphans(&mut self) {
        let group = criu::workers(self.child);
        let headless = group.iter().all(|(_, forked)| *forked);
        let orphans: BTreeSet<i32> = group.into_iter().filter(|_| headless).map(|(pid, _)| pid).collect();
        for pid in orphans.intersection(&self.criu_orphans) {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        self.criu_orphans = orphans;
    }

    pub(super) fn console_listener(&self) -> Option<BorrowedFd<'_>> {
        self.launching.as_ref()?.console.as_ref()?.listener()
    }

    pub(super) fn take_console(&mut self) -> Option<Output> {
        let launching = self.launching.as_mut()?;
        launching.console.as_mut()?.take(self.seq, launching.stdout_copy.as_deref())
    }

    /// Kills the program's process group once its time is over. `true`: look who has ended.
    pub(super) fn enforce_limit(&mut self) -> bool {
        if self.timed_out {
            return true;
        }
        if Instant::now() < self.deadline {
            if self.runs_criu && self.looked.elapsed() >= ORPHANS {
                self.looked = Instant::now();
                self.end_orphans();
            }
            return false;
        }
        self.timed_out = true;
        // The child is not reaped yet (else the job were over), so the group is still its own.
        let _ = killpg(Pid::from_raw(self.child), Signal::SIGKILL);
        true
    }

    /// Kills the program's process group before its time.
    pub(super) fn end(&self) {
        if self.status.is_none() {
            // As in `enforce_limit`.
            let _ = killpg(Pid::from_raw(self.child), Signal::SIGKILL);
        }
    }

    /// Whether it makes the container's first process.
    pub(super) fn makes_init(&self) -> bool {
        self.launching.as_ref().is_some_and(|launching| launching.role == Role::Init)
    }

    /// A child that nobody else knows has ended: the program itself, or what it has left behind.
    pub(super) fn note(&mut self, ended: Ended) {
        if ended.key.pid == self.child {
            self.status = Some(ended.status);
        } else {
            self.orphans.push(ended);
        }
    }

    /// What came of it, once the program has ended.
    pub(super) fn outcome(&mut self) -> Option<Outcome> {
        let status = self.status?;
        let failed = |kind| {
            self.end_strays();
            Some(Outcome::Failed(kind))
        };
        if self.timed_out {
            return failed(FailureKind::TimedOut(u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX)));
        }
        if status != ExitStatus::Code(0) {
            return failed(FailureKind::Ended(status));
        }
        let Some(launching) = &self.launching else {
            return Some(Outcome::Called);
        };
        // A process that was there before is not the one that was made.
        let Some(pid) = read_pid(&launching.pid_file).filter(|pid| !self.before.contains(pid)) else {
            return failed(FailureKind::NoPid);
        };
        // Backwards: a pid that was reused below us is the later one's.
        if let Some(orphan) = self.orphans.iter().rev().find(|orphan| orphan.key.pid == pid) {
            return Some(Outcome::Launched {
                key: orphan.key,
                role: launching.role,
                note: launching.note.clone(),
                ended: Some(orphan.status),
            });
        }
        match start_time(pid) {
            Some(start_time) if children().contains(&pid) => {
                let key = ProcessKey { pid, start_time };
                if let Some(place) = &launching.place
                    && let Err(error) = cgroup::move_tree(pid, place)
                {
                    let words = format!("its processes cannot be put into their cgroup {place}: {error}");
                    return failed(FailureKind::Refused(words));
                }
                Some(Outcome::Launched {
                    key,
                    role: launching.role,
                    note: launching.note.clone(),
                    ended: None,
                })
            }
            _ => failed(FailureKind::NoPid),
        }
    }
}

/// The sealed copy of the runtime that the daemon gave as standard output, if it did; /dev/null takes its place.
pub(super) fn take_runtime() -> io::Result<Option<OwnedFd>> {
    let stdout = io::stdout();
    if !is_sealed(&stdout) {
        return Ok(None);
    }
    let runtime = stdout.as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(fs::File::options().write(true).open("/dev/null")?)?;
    Ok(Some(runtime))
}

/// `fails_by_writing`: as [`criu::refuse_writes`] needs it; what leaves a process behind must not have it.
fn spawn(
    program: &Program,
    runtime: Option<&OwnedFd>,
    console: Option<&str>,
    stdout: Stdio,
    stderr: Stdio,
    fails_by_writing: bool,
) -> io::Result<i32> {
    let args = program.args.iter().map(|argument| match console {
        Some(path) if argument == CONSOLE => path,
        _ => argument.as_str(),
    });
    let sealed = runtime.map(|runtime| PathBuf::from(format!("/proc/self/fd/{}", runtime.as_raw_fd())));
    let mut command = Command::new(sealed.as_deref().unwrap_or(&program.path));
    command
        .arg0(&program.path)
        .args(args)
        .env_clear()
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr);
    if fails_by_writing {
        // SAFETY: sigprocmask(2) may be called between fork and exec.
        unsafe {
            command.pre_exec(|| SigSet::from(Signal::SIGXFSZ).thread_block().map_err(io::Error::from));
        }
    }
    // std gives SIGPIPE, which it ignores in us, back to the child.
    let child = reaper::unblocked(|| command.spawn())?;
    i32::try_from(child.id()).map_err(io::Error::other)
}

fn read_pid(path: &Path) -> Option<i32> {
    fs::read_to_string(path).ok()?.trim().parse().ok().filter(|pid| *pid > 1)
}

/// The shim's children: it has one thread, so one list (proc_pid_task_tid_children(5)).
fn children() -> BTreeSet<i32> {
    let listed = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    listed.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Ends what is below us without being the container's: children in our own cgroup, as a failed call leaves
/// them behind when the parents that [`Job::end_strays`] has ended were not the last of their line.
pub(super) fn end_own_kind(known: &[i32]) {
    for pid in children().into_iter().filter(|pid| !known.contains(pid) && is_our_kind(*pid)) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

/// Whether it is in our own cgroup, where no process of the container is.
fn is_our_kind(pid: i32) -> bool {
    let own = i32::try_from(std::process::id()).ok().and_then(Cgroup::of);
    own.is_some() && Cgroup::of(pid) == own
}

impl Job {
    /// Ends what a failed call has left behind: children that are new. They are ours and not reaped, so
    /// their pids cannot be anybody else's. Beside a container that runs, a new child may be an orphan of the
    /// container's own, which is nobody's stray: there only runc's own is ended, and what its pid file names.
    fn end_strays(&self) {
        let launching = self.launching.as_ref();
        let init = launching.is_some_and(|launching| launching.role == Role::Init);
        let named = launching.and_then(|launching| read_pid(&launching.pid_file));
        for pid in children().difference(&self.before) {
            if init || named == Some(*pid) || is_our_kind(*pid) || is_runc_init(*pid) {
                let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
            }
        }
    }
}

/// What runc runs inside a container before it becomes the process that was asked for.
fn is_runc_init(pid: i32) -> bool {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = command.split(|byte| *byte == 0);
    words.next().is_some_and(|name| name.ends_with(b"runc")) && words.next() == Some(b"init")
}
