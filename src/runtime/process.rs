//! Processes of the host, held so that a signal reaches the one that was meant: a pid may be reused
//! at any instant, a pidfd never is (pidfd_open(2)).

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::error::{Error, Result};

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
            // EINVAL: the pid is a thread's, not a process's.
            Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => Ok(None),
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

    /// A second descriptor of the same process, readable once it has ended (pidfd_open(2)).
    pub fn watch(&self) -> io::Result<AsyncFd<OwnedFd>> {
        let fd = self.pidfd.try_clone()?;
        // SAFETY: the descriptor is owned and goes into the AsyncFd, which lets it go only after it has
        // deregistered it; an OwnedFd always gives the same number.
        let watch = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
        watch.map_err(|error| io::Error::other(error.to_string()))
    }
}

/// When the process started, in clock ticks after boot: proc_pid_stat(5), field 22.
pub fn start_time(pid: i32) -> Option<u64> {
    parse_start_time(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Field 2 is the program's name in parentheses and may hold anything, so fields count from its end.
fn parse_start_time(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_parentheses_and_blanks_does_not_shift_the_fields() {
        let stat = "7 (a) 1 2 (b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 8192 1";
        assert_eq!(parse_start_time(stat), Some(4242));
        assert_eq!(parse_start_time("7 (a"), None);
    }

    #[test]
    fn a_pid_with_another_start_time_is_not_held() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let start_time = start_time(pid).unwrap();
        assert!(Held::open_same(pid, start_time).unwrap().is_some());
        assert!(Held::open_same(pid, start_time + 1).unwrap().is_none());
        assert!(Held::open(0).unwrap().is_none());
    }
}
