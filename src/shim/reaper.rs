//! Being the parent: a subreaper that learns of each end below it through a signalfd (signalfd(2)).

use std::io;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::setsid;

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
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(status) = waitid(Id::All, look) {
        let Some(pid) = status.pid() else { break };
        let key = ProcessKey { pid: pid.as_raw(), start_time: start_time(pid.as_raw()).unwrap_or(0) };
        match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::Exited(_, code)) => {
                let code = u8::try_from(code & 0xff).unwrap_or(u8::MAX);
                ended.push(Ended { key, status: ExitStatus::Code(code) });
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                ended.push(Ended { key, status: ExitStatus::Signal(signal as i32) })
            }
            _ => break,
        }
    }
    ended
}

/// Whether anything is below, ended or not.
pub(super) fn has_children() -> bool {
    let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    !matches!(waitid(Id::All, look), Err(Errno::ECHILD))
}
