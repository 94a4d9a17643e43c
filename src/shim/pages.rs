//! The page server of a lazy restore (`criu lazy-pages`): it brings the pages that restored processes have not yet
//! (userfaultfd(2)), to whoever touches them at once, and to all in the end.
//!
//! When it dies its descriptors are closed, and from then on the kernel gives zeros for every page that did not come. So
//! it is traced (ptrace(2), `PTRACE_O_TRACEEXIT`): it stops at its exit while it has its descriptors still, and whoever
//! touches a page waits. Only when the container is killed it is let go. A shim that is killed lets it go on serving, and
//! whoever is killed together with the shim is seen by nobody: the daemon ends a container that has lost its shim so.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::process::{WaitOptions, waitpid};

use super::{Message, PAGES, Pages, Shim, reaper, somewhere, write_durably};
use crate::runtime::cgroup;
use crate::runtime::process::Stat;
use crate::runtime::program::{ExitStatus, Program};
use crate::runtime::runc::tail;

/// How long it may take until it listens. Nothing of the container is there meanwhile, and nobody to be served.
const READY: Duration = Duration::from_secs(10);

/// What it writes to standard error, in the working folder: to a file, since a pipe that nobody reads would end it.
const WORDS: &str = "page-server.stderr";

/// What a look at it has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It serves.
    Serves,
    /// All pages were in, and it has gone or goes.
    Loaded,
    /// It is about to die before that, and waits for [`PageServer::release`]; or, where nobody could stop it, is dead.
    Dies,
}

/// A page server, traced.
pub(super) struct PageServer {
    pid: i32,
    look: Look,
    gone: bool,
}

impl PageServer {
    /// Starts it, and waits until it listens.
    pub(super) fn start(program: &Program) -> io::Result<Self> {
        let mut command = Command::new(&program.path);
        command
            .args(&program.args)
            .env_clear()
            .envs(program.env.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(WORDS)?);
        let mut child = reaper::unblocked(|| command.spawn())?;
        match watched(&mut child) {
            Ok(pid) => Ok(Self { pid, look: Look::Serves, gone: false }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                let words = fs::read_to_string(WORDS).unwrap_or_default();
                Err(io::Error::other(format!("{error}; it says: {}", tail(&words))))
            }
        }
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Looks what has come of it, and keeps it going.
    fn look(&mut self) -> Look {
        while let Ok(Some((_, status))) =
            waitpid(rustix::process::Pid::from_raw(self.pid), WaitOptions::NOHANG)
        {
            let status = status.as_raw();
            if !libc::WIFSTOPPED(status) {
                self.ended(status == 0);
                break;
            }
            let (pid, signal, event) = (Pid::from_raw(self.pid), libc::WSTOPSIG(status), status >> 16);
            match event {
                libc::PTRACE_EVENT_EXIT => {
                    if ptrace::getevent(pid) != Ok(0) {
                        self.look = Look::Dies;
                        break;
                    }
                    self.look = Look::Loaded;
                    let _ = ptrace::cont(pid, None);
                }
                // Somebody has stopped it: so it stays until it is continued, as without a tracer.
                libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => listen(self.pid),
                libc::PTRACE_EVENT_STOP => drop(ptrace::cont(pid, None)),
                _ => drop(ptrace::cont(pid, Signal::try_from(signal).ok())),
            }
        }
        self.look
    }

    /// It is dead, and was not seen to die.
    fn ended(&mut self, well: bool) {
        self.gone = true;
        if self.look == Look::Serves {
            self.look = if well { Look::Loaded } else { Look::Dies };
        }
    }

    /// Lets it die.
    fn release(&self) {
        if !self.gone {
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
            let _ = ptrace::cont(Pid::from_raw(self.pid), None);
        }
    }
}

/// Waits until it listens, and traces it from then on.
fn watched(child: &mut Child) -> io::Result<i32> {
    let Some(mut said) = child.stdout.take() else { return Err(io::Error::other("it has no output")) };
    let limit = PollTimeout::try_from(READY).unwrap_or(PollTimeout::MAX);
    if poll(&mut [PollFd::new(said.as_fd(), PollFlags::POLLIN)], limit)? == 0 {
        return Err(io::Error::other("it does not begin to listen"));
    }
    if said.read(&mut [0])? == 0 {
        return Err(io::Error::other("it ends at once"));
    }
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    ptrace::seize(Pid::from_raw(pid), Options::PTRACE_O_TRACEEXIT)?;
    Ok(pid)
}

/// Leaves a tracee stopped, and hears when it is continued; nix has no word for it.
fn listen(pid: i32) {
    // SAFETY: ptrace(2) with PTRACE_LISTEN touches no memory of ours; the pid is that of a tracee that is not reaped.
    unsafe {
        libc::ptrace(libc::PTRACE_LISTEN, pid, 0, 0);
    }
}

impl Shim {
    /// Whether it has anything to say.
    pub(super) fn look_at_page_server(&mut self) {
        if self.page_server.as_ref().is_some_and(|server| !server.gone) {
            self.settle_pages();
        }
    }

    /// It was reaped.
    pub(super) fn page_server_ended(&mut self, status: ExitStatus) {
        if let Some(server) = self.page_server.as_mut() {
            server.ended(status == ExitStatus::Code(0));
        }
        self.settle_pages();
    }

    /// What is found of the pages becomes known, once the container runs.
    pub(super) fn settle_pages(&mut self) {
        let Some(server) = self.page_server.as_mut() else { return };
        match (server.look(), self.pages) {
            // One that has been killed needs no more: then its server ends well, and not all were in.
            (Look::Loaded, Some(Pages::Loading)) if self.lives() => self.conclude_pages(Pages::Loaded),
            (Look::Dies, Some(Pages::Loading)) => self.lose_pages(),
            // The restore fails; what it has made so far waits for its pages until it is ended.
            (Look::Dies, None) => match self.job.as_ref().filter(|job| job.makes_init()) {
                Some(job) => job.end(),
                None => self.end_page_server(),
            },
            // It is dying after an end of ours or of the container's.
            (Look::Dies, Some(Pages::Loaded | Pages::Lost)) => self.end_page_server(),
            (Look::Serves, _) | (Look::Loaded, _) => {}
        }
    }

    /// The container ends before it can read a page that will not come.
    fn lose_pages(&mut self) {
        self.end_container();
        self.conclude_pages(Pages::Lost);
        self.end_page_server();
    }

    /// There is a record before a word.
    fn conclude_pages(&mut self, pages: Pages) {
        self.pages = Some(pages);
        let bytes = serde_json::to_vec(&pages).unwrap_or_default();
        somewhere(&self.folder, "what became of its pages", |folder| write_durably(folder, PAGES, &bytes));
        crate::cut!("shim.pages.kept");
        self.server.say(&Message::Pages { pages });
    }

    /// Whether the container goes on.
    fn lives(&self) -> bool {
        self.init.and_then(|init| Stat::of(init.pid)).is_some_and(|stat| stat.is_alive())
    }

    fn end_container(&self) {
        cgroup::kill_container(self.init.map(|init| (init.pid, init.start_time)), self.place.as_ref());
    }

    /// The container has ended before all pages were in: those who are about to end with it get no zeros either.
    pub(super) fn end_with_page_server(&mut self) {
        if self.pages == Some(Pages::Loading) {
            self.end_container();
            self.pages = None;
            self.end_page_server();
        }
    }

    /// Nobody needs it any more.
    pub(super) fn end_page_server(&mut self) {
        if let Some(server) = self.page_server.as_mut() {
            server.look = Look::Dies;
            server.release();
            // It stops once more when it is killed by us.
            server.look();
            server.release();
        }
    }
}
