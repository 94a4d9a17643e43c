//! Being the parent: a subreaper that learns of each end below it through a signalfd (signalfd(2)).

use std::io;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::setsid;
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::ipc::ProcessKey;
use crate::runtime::process::start_time;
use crate::runtime::program::ExitStatus;

/// A child that has ended and been reaped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) key: ProcessKey,
    pub(super) status: ExitStatus,
}

/// Detaches from the daemon's session and becomes the parent of every orphan below.
pub(super) fn prepare() -> io::Result<SignalFd> {
    // Fails when it is a session's leader already, which is as good.
    let _ = setsid();
    nix::sys::prctl::set_child_subreaper(true)?;
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&wanted()), None)?;
    Ok(SignalFd::with_flags(&wanted(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}

fn wanted() -> SigSet {
    let mut wanted = SigSet::empty();
    wanted.add(Signal::SIGCHLD);
    wanted
}

/// Starts a child with no signal blocked: it would inherit what we block for the signalfd, and with it the
/// runtime, and the container. A child that ends in between is told by no signal: the caller reaps.
pub(super) fn unblocked<T>(spawn: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&wanted()), None)?;
    let spawned = spawn();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&wanted()), None)?;
    spawned
}

/// Empties the signalfd; what has ended is asked of the kernel, since signals coalesce.
pub(super) fn drain(children: &mut SignalFd) -> io::Result<()> {
    while children.read_signal()?.is_some() {}
    Ok(())
}

/// Every child that has ended by now, reaped. The start time is read while the pid is still its own.
pub(super) fn reap() -> Vec<Ended> {
    let mut ended = Vec::new();
    while let Ok(Some(pid)) = ended_child() {
        let key = ProcessKey { pid: pid.as_raw_pid(), start_time: start_time(pid.as_raw_pid()).unwrap_or(0) };
        let Ok(Some((_, status))) = waitpid(Some(pid), WaitOptions::NOHANG) else { break };
        let status = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => ExitStatus::Code(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
            (None, Some(signal)) => ExitStatus::Signal(signal),
            (None, None) => break,
        };
        ended.push(Ended { key, status });
    }
    ended
}

/// Whether anything is below, ended or not.
pub(super) fn has_children() -> bool {
    ended_child() != Err(Errno::ECHILD)
}

/// A child that has ended and is not reaped yet; `ECHILD`: there is none at all. By the kernel's own numbers: nix takes a
/// status for an error when a real-time signal is in it (34 to 64), and rustix does not say whose it is.
fn ended_child() -> Result<Option<Pid>, Errno> {
    let look = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: waitid(2) writes what it knows to a siginfo_t that is ours, and all zeroes is one: "nothing has ended".
    let (result, pid) = unsafe {
        let mut told: libc::siginfo_t = std::mem::zeroed();
        (libc::waitid(libc::P_ALL, 0, &mut told, look), told.si_pid())
    };
    Errno::result(result).map(|_| Pid::from_raw(pid))
}
