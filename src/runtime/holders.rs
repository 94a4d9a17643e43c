//! Which process has a socket open. `/proc/PID/fd` tells, one process after the other (proc_pid_fd(5)), so those are
//! looked at first who are likely to: who had one lately, and who has just begun. Those few are quickly looked at, all
//! of a host's are not.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::process::{pids, process_of};

/// So many are remembered.
const LATELY: usize = 32;
/// So far below the newest pid it is likely.
const NEAR: i32 = 32;
/// Who has more than so many descriptors open is not quickly looked at.
const FEW: usize = 64;

/// Looks for processes by their sockets, and remembers whom it has found.
#[derive(Debug, Default)]
pub struct Holders(Mutex<VecDeque<i32>>);

impl Holders {
    /// A process that has this socket open, and of which this holds, among those that are likely to. Quick enough for an
    /// async thread: on a host at rest another thread takes longer to wake up.
    pub fn find_likely(&self, inode: u64, holds: impl Fn(i32) -> bool) -> Option<i32> {
        let lately: Vec<i32> = self.lately().iter().copied().collect();
        let newest = newest().unwrap_or_default();
        let likely = lately.into_iter().chain((newest - NEAR..=newest).rev());
        let wanted = link_of(inode);
        // A thread of ours has begun lately too, and has all of our descriptors.
        let is_own = |pid: i32| Path::new(&format!("/proc/self/task/{pid}")).exists();
        let mut others = likely.filter(|pid| *pid > 0 && !is_own(*pid));
        let found = others.find_map(|pid| fits(pid, &wanted, FEW, &holds))?;
        Some(self.remember(found))
    }

    /// The same, among all. Blocks: `/proc` of all processes may be read.
    pub fn find(&self, inode: u64, holds: impl Fn(i32) -> bool) -> Option<i32> {
        let wanted = link_of(inode);
        let found = pids().into_iter().rev().find_map(|pid| fits(pid, &wanted, usize::MAX, &holds))?;
        Some(self.remember(found))
    }

    fn remember(&self, found: i32) -> i32 {
        let mut lately = self.lately();
        lately.retain(|pid| *pid != found);
        lately.push_front(found);
        lately.truncate(LATELY);
        found
    }

    fn lately(&self) -> std::sync::MutexGuard<'_, VecDeque<i32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The process, when it has the socket among its first so many descriptors. Looked at twice: between the two the pid was
/// nobody else's. One that is not listed may be a thread's.
fn fits(pid: i32, wanted: &str, most: usize, holds: impl Fn(i32) -> bool) -> Option<i32> {
    let process = has_open(pid, wanted, most).then(|| process_of(pid))??;
    (holds(process) && has_open(process, wanted, most)).then_some(process)
}

/// What a descriptor of a socket links to.
fn link_of(inode: u64) -> String {
    format!("socket:[{inode}]")
}

fn has_open(pid: i32, wanted: &str, most: usize) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten().take(most);
    open.into_iter().any(|fd| fs::read_link(fd.path()).is_ok_and(|link| link == Path::new(wanted)))
}

/// The pid that was given last (proc_loadavg(5)).
fn newest() -> Option<i32> {
    fs::read_to_string("/proc/loadavg").ok()?.split_ascii_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use super::*;

    /// And the number of the first.
    fn pair() -> (UnixStream, UnixStream, u64) {
        let (socket, other) = UnixStream::pair().unwrap();
        let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
        let inode = link.to_str().unwrap().trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        (socket, other, inode)
    }

    #[test]
    fn a_socket_is_found_in_the_process_that_has_it_open_if_it_will_do() {
        let (socket, other, inode) = pair();
        let own = i32::try_from(std::process::id()).unwrap();
        let holders = Holders::default();
        for _ in 0..2 {
            // Found as it is, and not as the thread that this is, whose number is newer.
            assert_eq!(holders.find(inode, |_| true), Some(own));
        }
        assert_eq!(holders.find(inode, |_| false), None);
        drop((socket, other));
        assert_eq!(holders.find(inode, |pid| pid == own), None);
    }

    #[test]
    fn who_has_begun_lately_is_quickly_found_and_we_are_not_looked_at() {
        let (socket, other, inode) = pair();
        let holders = Holders::default();
        assert_eq!(holders.find_likely(inode, |_| true), None, "it is ours");
        let mut child = Command::new("sleep").arg("10").stdin(OwnedFd::from(socket)).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        assert_eq!(holders.find_likely(inode, |_| true), Some(pid));
        assert_eq!(holders.find_likely(inode, |_| false), None);
        child.kill().unwrap();
        child.wait().unwrap();
        drop(other);
        assert_eq!(holders.find_likely(inode, |_| true), None);
    }
}
