//! Children started by a thread that has a table of descriptors of its own.
//!
//! A child begins with a copy of every descriptor that its parent has, and closes each as its program begins (execve(2)): for
//! a daemon of a thousand containers that takes longer than all else of its own at a start. This thread has next to none, and
//! fetches those that a child is to have (pidfd_getfd(2)). May not know what is started.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{LazyLock, Mutex, PoisonError};

use nix::libc::{CLOSE_RANGE_UNSHARE, c_int, close_range};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use super::promptness::be_prompt;

/// Of the process, whose descriptors these are.
static ORDERS: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
    let (orders, taken) = channel();
    // Without a thread nobody takes them, which is told to who asks.
    let _ = std::thread::Builder::new().name("spawner".into()).spawn(move || serve(&taken));
    Mutex::new(orders)
});

struct Order {
    command: Command,
    /// As numbers: in the thread's own table they mean nothing.
    stdio: [RawFd; 3],
    done: SyncSender<io::Result<u32>>,
}

/// Starts a program with these for its standard input, output and error, and nothing else of ours, and gives its pid. It is
/// the process's to reap. Blocks.
///
/// # Errors
///
/// As of `Command::spawn`.
pub fn spawn(command: Command, stdio: [BorrowedFd<'_>; 3]) -> io::Result<u32> {
    let gone = || io::Error::other("the thread that starts programs is gone");
    let (done, answer) = sync_channel(1);
    let orders = ORDERS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    orders.send(Order { command, stdio: stdio.map(|fd| fd.as_raw_fd()), done }).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

fn serve(orders: &Receiver<Order>) {
    be_prompt();
    // SAFETY: this thread has no descriptor yet, and with the flag it closes nobody else's (close_range(2)). A kernel that does
    // not know it (before Linux 5.9) leaves the table everybody's, as it was.
    let _ = unsafe { close_range(3, u32::MAX, CLOSE_RANGE_UNSHARE as c_int) };
    let process = pidfd_open(getpid(), PidfdFlags::empty());
    for Order { command, stdio, done } in orders {
        let started = match &process {
            Ok(process) => start(command, process.as_fd(), stdio),
            Err(error) => Err(io::Error::from(*error)),
        };
        let _ = done.send(started);
    }
}

fn start(mut command: Command, process: BorrowedFd<'_>, stdio: [RawFd; 3]) -> io::Result<u32> {
    let fetch = |fd| -> io::Result<OwnedFd> { Ok(pidfd_getfd(process, fd, PidfdGetfdFlags::empty())?) };
    let [stdin, stdout, stderr] = stdio;
    command.stdin(Stdio::from(fetch(stdin)?));
    command.stdout(Stdio::from(fetch(stdout)?));
    command.stderr(Stdio::from(fetch(stderr)?));
    command.spawn().map(|child| child.id())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    fn end(pid: u32) -> i32 {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
        match nix::sys::wait::waitpid(pid, None).unwrap() {
            nix::sys::wait::WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_child_has_what_it_is_given_and_nothing_else_of_ours() {
        // Ours, without the flag that closes it in a child.
        let kept = File::open("/").unwrap();
        rustix::io::fcntl_setfd(&kept, rustix::io::FdFlags::empty()).unwrap();
        let ((stdin, mut input), (mut output, stdout), (mut errors, stderr)) =
            (std::io::pipe().unwrap(), std::io::pipe().unwrap(), std::io::pipe().unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", "cat; ls /proc/$$/fd | tr '\\n' ' '; echo words >&2; exit 7"]);
        let pid = spawn(command, [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]).unwrap();
        drop((stdin, stdout, stderr));
        input.write_all(b"given ").unwrap();
        drop(input);
        let (mut said, mut complained) = (String::new(), String::new());
        output.read_to_string(&mut said).unwrap();
        errors.read_to_string(&mut complained).unwrap();
        assert_eq!((said.as_str(), complained.as_str(), end(pid)), ("given 0 1 2 ", "words\n", 7));
        drop(kept);
    }

    #[test]
    fn what_cannot_be_started_is_told() {
        let null = File::open("/dev/null").unwrap();
        let error = spawn(Command::new("/no/such/program"), [null.as_fd(); 3]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
