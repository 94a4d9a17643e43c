//! A process that stands over the one that measures, and buries whom nobody waits for: bare runc's containers and conmons
//! are orphans, and on some machines process 1 is in no hurry. A zombie keeps its cgroup, and whoever waits for that.

use std::process::{Command, ExitCode};

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::Pid;

use crate::host;

const WORKER: &str = "CONTAINERD_REST_BENCH_WORKER";

/// `None` in the process that is to measure; in the one over it, how that has ended.
pub(crate) fn stand_over() -> Option<ExitCode> {
    if std::env::var_os(WORKER).is_some() {
        return None;
    }
    set_child_subreaper(true).expect("orphans can be ours");
    host::heed_interrupts();
    let program = std::env::current_exe().expect("we have a path");
    let worker = Command::new(program).args(std::env::args_os().skip(1)).env(WORKER, "1").spawn();
    let worker = Pid::from_raw(worker.expect("we can be started again").id().cast_signed());
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == worker => {
                return Some(ExitCode::from(u8::try_from(code).unwrap_or(1)));
            }
            Ok(WaitStatus::Signaled(pid, ..)) if pid == worker => return Some(ExitCode::FAILURE),
            Err(Errno::EINTR) if host::is_interrupted() => {
                let _ = kill(worker, Signal::SIGTERM);
            }
            Err(Errno::ECHILD) => return Some(ExitCode::FAILURE),
            _ => {}
        }
    }
}
