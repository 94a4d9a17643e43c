//! The shim: one small process a container, the parent of all its processes, so that the container,
//! its output and its exit status outlive the daemon.
//!
//! Its life, in order: the daemon starts it with a listening socket as standard input, and a sealed copy of the runtime
//! as standard output, in the run's volatile folder; it becomes a session leader and a subreaper (`PR_SET_CHILD_SUBREAPER`, prctl(2));
//! asked to launch, it runs runc with fresh pipes or a console socket, and inherits the init process
//! when runc ends; it copies output to the log, reaps whatever ends below it, writes the exit record,
//! says so, and ends when nothing is left below it. Of a lazy restore it has the page server too ([`pages`]).
//!
//! Single-threaded but for the last fsync, no async runtime, no timer unless a runtime call is under way. May not know what
//! the daemon's containers, records or contract are.

mod console;
mod job;
mod pages;
mod reaper;
mod server;
mod stdio;

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;

use crate::ipc::{
    ADDED_EXITS, ADDED_EXITS_CAP, ADDED_EXITS_OLDER, AddedExit, EXIT_RECORD, Exit, ExitRecord, Hello, LOG,
    LOG_CAP, Launch, Message, PAGES, Pages, ProcessKey, Request, Role, VERSION,
};
use crate::runtime::bundle::RAISE_LOOPBACK;
use crate::runtime::cgroup::{Cgroup, OomCount};
use crate::runtime::durable::{sync_folder, write_synced};
use crate::runtime::lines::Lines;
use crate::runtime::netns;
use crate::runtime::program::{ExitStatus, Failure, FailureKind};
use crate::runtime::promptness::be_prompt;
use job::{Job, Outcome};
use pages::PageServer;
use server::Server;
use stdio::{Log, Output};

/// Runs the shim. Arguments: the container's name (for ps(1) alone) and the run's durable folder.
pub fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let mut args = std::env::args_os().skip(1);
    if std::env::args_os().nth(1).is_some_and(|first| first == RAISE_LOOPBACK) {
        return raise_loopback();
    }
    let (Some(_id), Some(folder), None) = (args.next(), args.next(), args.next()) else {
        return Err(io::Error::other("is started by containerd-rest, with a container's name and a folder"));
    };
    be_prompt();
    let mut shim = Shim::new(PathBuf::from(folder))?;
    while !shim.finished() {
        shim.turn()?;
    }
    shim.server.flush();
    if let Some(keeping) = shim.keeping.take() {
        let _ = keeping.join();
    }
    Ok(())
}

/// As a hook of a restore: runc says on standard input which process is being restored (runtime.md, "State").
fn raise_loopback() -> io::Result<()> {
    #[derive(serde::Deserialize)]
    struct State {
        pid: i32,
    }
    let state: State = serde_json::from_reader(io::stdin().lock())?;
    netns::raise_loopback(state.pid)
}

/// How often, and for how long, it is looked whom the kernel has killed, once memory was short.
const OOM_LOOK: Duration = Duration::from_millis(50);
const OOM_LOOKS: Duration = Duration::from_millis(500);

/// Of the thread that writes the exit record, in bytes.
const KEEPING_STACK: usize = 64 * 1024;

/// How long a shim waits for the daemon that started it.
const UNMET: Duration = Duration::from_secs(30);

/// A process of the container that runs.
struct Tracked {
    key: ProcessKey,
    role: Role,
    seq: u64,
    note: Option<serde_json::Value>,
}

struct Shim {
    folder: PathBuf,
    children: SignalFd,
    server: Server,
    log: Log,
    outputs: Vec<Output>,
    job: Option<Job>,
    /// What init is started by; the daemon's next copy may be another.
    runtime: Option<OwnedFd>,
    tracked: Vec<Tracked>,
    init: Option<ProcessKey>,
    exit: Option<Exit>,
    oom: Option<OomCount>,
    /// How many such kills were seen when an added process ended.
    oom_seen: u64,
    /// How many were told.
    oom_told: u64,
    /// Readable when there may be more, or are about to be; and until when it is looked for them.
    oom_watch: Option<OwnedFd>,
    oom_until: Option<Instant>,
    /// Whether a launch of the init process was asked for, well or badly ended.
    launched: bool,
    /// The highest number of a request.
    seq: u64,
    born: Instant,
    /// Whether a call has failed, and may have left processes behind whose parents are still to die.
    strays: bool,
    /// Of a lazy restore, and what has become of its pages, once the container runs.
    page_server: Option<PageServer>,
    pages: Option<Pages>,
    /// Where the container's processes are.
    place: Option<Cgroup>,
    /// Writes the exit record to the disk.
    keeping: Option<JoinHandle<()>>,
}

/// What woke the shim.
enum Source {
    Children,
    Listener,
    Connection(usize),
    Output(usize),
    Console,
    Oom,
}

impl Shim {
    fn new(folder: PathBuf) -> io::Result<Self> {
        let children = reaper::prepare()?;
        let runtime = job::take_runtime()?;
        let cap = std::env::var(LOG_CAP).ok().and_then(|cap| cap.parse().ok());
        let log = Log::open(&folder.join(LOG), cap)?;
        Ok(Self {
            folder,
            children,
            server: Server::from_stdin()?,
            log,
            outputs: Vec::new(),
            job: None,
            runtime,
            tracked: Vec::new(),
            init: None,
            exit: None,
            oom: None,
            oom_seen: 0,
            oom_told: 0,
            oom_watch: None,
            oom_until: None,
            launched: false,
            seq: 0,
            born: Instant::now(),
            strays: false,
            page_server: None,
            pages: None,
            place: None,
            keeping: None,
        })
    }

    /// Nothing is below it, and nothing will be: the container has ended, or was never started and
    /// nobody is there to start it.
    fn finished(&self) -> bool {
        let ended = self.exit.is_some() || (self.init.is_none() && (self.launched || self.is_deserted()));
        ended && self.job.is_none() && !reaper::has_children()
    }

    /// The daemon is gone, or died before it came.
    fn is_deserted(&self) -> bool {
        self.server.is_deserted() || (!self.server.was_met() && self.born.elapsed() >= UNMET)
    }

    /// Waits for something to happen, and deals with it.
    fn turn(&mut self) -> io::Result<()> {
        for source in self.wait()? {
            match source {
                Source::Children => self.reap()?,
                Source::Listener => self.server.accept(&self.hello()),
                Source::Connection(index) => self.server.read(index),
                Source::Output(index) => {
                    self.outputs[index].pump(&mut self.log);
                }
                Source::Console => self.take_console(),
                Source::Oom => self.expect_oom(),
            }
        }
        while let Some(request) = self.server.next_request() {
            self.begin(request);
            // A child that ended while it was started was told by no signal.
            self.reap()?;
        }
        if self.job.as_mut().is_some_and(Job::enforce_limit) {
            self.reap()?;
        }
        if self.oom_until.is_some() {
            self.tell_oom();
        }
        self.outputs.retain(Output::is_open);
        self.server.flush();
        Ok(())
    }

    fn wait(&mut self) -> io::Result<Vec<Source>> {
        let deadline = match &self.job {
            Some(job) => Some(job.deadline()),
            None if !self.server.was_met() => Some(self.born + UNMET),
            None => None,
        };
        let look = self.oom_until.map(|_| Instant::now() + OOM_LOOK);
        let deadline = deadline.into_iter().chain(look).min();
        let timeout = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
            Some(left) => PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        let mut sources = vec![Source::Children, Source::Listener];
        let mut fds: Vec<(BorrowedFd<'_>, PollFlags)> =
            vec![(self.children.as_fd(), PollFlags::POLLIN), (self.server.listener(), PollFlags::POLLIN)];
        for (index, (fd, flags)) in self.server.connections() {
            sources.push(Source::Connection(index));
            fds.push((fd, flags));
        }
        for (index, output) in self.outputs.iter().enumerate() {
            if let Some(fd) = output.readable() {
                sources.push(Source::Output(index));
                fds.push((fd, PollFlags::POLLIN));
            }
        }
        if let Some(listener) = self.job.as_ref().and_then(Job::console_listener) {
            sources.push(Source::Console);
            fds.push((listener, PollFlags::POLLIN));
        }
        if let Some(watch) = &self.oom_watch {
            sources.push(Source::Oom);
            fds.push((watch.as_fd(), PollFlags::POLLIN));
        }
        let mut polled: Vec<PollFd<'_>> = fds.iter().map(|(fd, flags)| PollFd::new(*fd, *flags)).collect();
        match poll(&mut polled, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = polled.iter().map(|fd| fd.any().unwrap_or(false)).collect();
        Ok(sources.into_iter().zip(ready).filter(|(_, ready)| *ready).map(|(source, _)| source).collect())
    }

    fn hello(&self) -> Hello {
        let added = self.tracked.iter().filter(|one| one.role == Role::Added).map(|one| one.key).collect();
        Hello {
            version: VERSION,
            init: self.init,
            exit: self.exit,
            added,
            busy: self.job.as_ref().map(Job::seq),
            seq: self.seq,
            oom_kills: self.oom_told,
            pages: self.pages,
        }
    }

    /// The kernel is short of the container's memory: whom it kills it counts a moment later.
    fn expect_oom(&mut self) {
        if let Some(watch) = &self.oom_watch
            && !matches!(rustix::io::read(watch, &mut [0; 1024]), Ok(1..) | Err(rustix::io::Errno::AGAIN))
        {
            self.oom_watch = None;
        }
        self.oom_until = Some(Instant::now() + OOM_LOOKS);
    }

    /// Says it when the kernel has killed more.
    fn tell_oom(&mut self) {
        let kills = self.oom.as_ref().map_or(0, OomCount::read);
        if kills > self.oom_told {
            self.oom_told = kills;
            self.server.say(&Message::Oom { kills });
        }
        self.oom_until = self.oom_until.filter(|until| Instant::now() < *until);
    }

    fn begin(&mut self, request: Request) {
        let seq = match &request {
            Request::Launch(launch) => launch.seq,
            Request::Call(call) => call.seq,
        };
        self.seq = self.seq.max(seq);
        if self.job.is_some() || self.exit.is_some() {
            let why =
                if self.exit.is_some() { "the container has ended" } else { "another request is under way" };
            return self.refuse(seq, FailureKind::Refused(why.to_owned()));
        }
        self.launched |= matches!(&request, Request::Launch(launch) if launch.role == Role::Init);
        crate::cut!("shim.begun");
        if let Request::Launch(Launch { page_server: Some(program), .. }) = &request {
            match PageServer::start(program) {
                Ok(server) => self.page_server = Some(server),
                Err(error) => {
                    let words = format!("the page server cannot be started: {error}");
                    return self.refuse(seq, FailureKind::Refused(words));
                }
            }
            crate::cut!("shim.pages.served");
        }
        // Held no longer than it is of use.
        let runtime = self.runtime.take();
        match Job::start(request, runtime.as_ref()) {
            Ok((job, outputs)) => {
                self.job = Some(job);
                self.outputs.extend(outputs);
            }
            Err(error) => {
                self.end_page_server();
                self.refuse(
                    seq,
                    FailureKind::Spawn { words: error.to_string(), errno: error.raw_os_error() },
                );
            }
        }
    }

    fn refuse(&mut self, seq: u64, kind: FailureKind) {
        self.server.say(&Message::Failed { seq, failure: Failure { kind, words: String::new() } });
    }

    fn take_console(&mut self) {
        let Some(job) = self.job.as_mut() else { return };
        if let Some(output) = job.take_console() {
            self.outputs.push(output);
        }
    }

    fn reap(&mut self) -> io::Result<()> {
        reaper::drain(&mut self.children)?;
        self.look_at_page_server();
        for ended in reaper::reap() {
            if self.page_server.as_ref().is_some_and(|server| server.pid() == ended.key.pid) {
                self.page_server_ended(ended.status);
            } else if let Some(index) = self.tracked.iter().position(|one| one.key.pid == ended.key.pid) {
                let tracked = self.tracked.swap_remove(index);
                self.ended(tracked, ended.status)?;
            } else if let Some(job) = self.job.as_mut() {
                job.note(ended);
            }
        }
        if let Some(outcome) = self.job.as_mut().and_then(Job::outcome) {
            self.conclude(outcome)?;
        }
        if self.strays && self.job.is_none() {
            let tracked = self.tracked.iter().map(|one| one.key.pid);
            let known: Vec<i32> = tracked.chain(self.page_server.as_ref().map(PageServer::pid)).collect();
            job::end_own_kind(&known);
        }
        Ok(())
    }

    /// The runtime call has ended: its process is the container's from now on, or never was.
    fn conclude(&mut self, outcome: Outcome) -> io::Result<()> {
        self.take_console();
        let Some(job) = self.job.take() else {
            return Ok(());
        };
        let seq = job.seq();
        match outcome {
            Outcome::Called => {
                for output in self.outputs.iter_mut().filter(|output| output.seq() == seq) {
                    output.discard();
                }
                self.server.say(&Message::Done { seq });
            }
            Outcome::Launched { key, role, note, ended } => {
                for output in self.outputs.iter_mut().filter(|output| output.seq() == seq) {
                    output.release(&mut self.log);
                }
                crate::cut!("shim.concluding");
                if role == Role::Init {
                    self.init = Some(key);
                    self.oom = OomCount::of(key.pid);
                    self.oom_watch = self.oom.as_ref().and_then(|oom| oom.watch().ok());
                    self.place = Cgroup::of(key.pid);
                    self.pages = self.page_server.as_ref().map(|_| Pages::Loading);
                }
                self.server.say(&Message::Launched { seq, process: key });
                crate::cut!("shim.launched");
                let tracked = Tracked { key, role, seq, note };
                match ended {
                    Some(status) => self.ended(tracked, status)?,
                    None => self.tracked.push(tracked),
                }
                self.settle_pages();
            }
            Outcome::Failed(kind) => {
                crate::cut!("shim.failed");
                self.strays = true;
                if self.init.is_none() {
                    self.end_page_server();
                }
                let mut words = String::new();
                for output in self.outputs.iter_mut().filter(|output| output.seq() == seq) {
                    words.push_str(&output.discard());
                }
                self.server.say(&Message::Failed { seq, failure: Failure { kind, words } });
            }
        }
        Ok(())
    }

    /// A process of the container has ended: there is a record before a word.
    fn ended(&mut self, tracked: Tracked, status: ExitStatus) -> io::Result<()> {
        let Tracked { key: process, role, seq, note } = tracked;
        let oom = self.was_oom(role, status);
        self.tell_oom();
        let exit = Exit { process, role, status, at: Timestamp::now(), oom, oom_kills: self.oom_told };
        if exit.role == Role::Added {
            // What it wrote comes before its end.
            for output in self.outputs.iter_mut().filter(|output| output.seq() == seq) {
                output.pump_all(&mut self.log);
            }
            crate::cut!("shim.added.drained");
            let mut line = serde_json::to_vec(&AddedExit { exit: ExitRecord::from(exit), seq, note })?;
            line.push(b'\n');
            // Without a daemon nobody has heard of those before.
            let rotates = !self.server.is_deserted();
            let keep = |folder: &Path| keep_added_exit(folder, &line, rotates);
            somewhere(&self.folder, "the end of an added process", keep);
        }
        if exit.role == Role::Init {
            self.end_with_page_server();
            for output in &mut self.outputs {
                output.drain(&mut self.log);
            }
            crate::cut!("shim.exit.drained");
            self.keep_exit(serde_json::to_vec(&ExitRecord::from(exit))?);
            crate::cut!("shim.exit.kept");
            self.exit = Some(exit);
        }
        crate::cut!("shim.exit.saying");
        self.server.say(&Message::Exited(exit));
        Ok(())
    }

    /// In memory first, which a daemon reads too, and beside that onto the disk: one that is slow, or full, keeps nobody
    /// from knowing.
    fn keep_exit(&mut self, record: Vec<u8>) {
        if write_whole(Path::new("."), EXIT_RECORD, &record).is_err() {
            // Then the disk is waited for: there is a record before a word.
            somewhere(&self.folder, "the exit record", |folder| write_durably(folder, EXIT_RECORD, &record));
            return;
        }
        let folder = self.folder.clone();
        // What it cannot write the daemon copies from here.
        let keep = move || drop(write_durably(&folder, EXIT_RECORD, &record));
        self.keeping = std::thread::Builder::new().stack_size(KEEPING_STACK).spawn(keep).ok();
    }
}

impl Shim {
    /// Whether the kernel has killed it for want of memory, by the cgroup's count: of init, any process of the
    /// container; of an added one, by a kill that was not counted before.
    fn was_oom(&mut self, role: Role, status: ExitStatus) -> bool {
        let count = self.oom.as_ref().map_or(0, OomCount::read);
        let more = count > std::mem::replace(&mut self.oom_seen, count);
        match role {
            Role::Init => count > 0,
            Role::Added => more && status == ExitStatus::Signal(9),
        }
    }
}

/// Not synced: a crash of ours or the daemon's loses nothing, and a container may add very many.
fn keep_added_exit(folder: &Path, line: &[u8], rotates: bool) -> io::Result<()> {
    let mut lines = Lines::open(&folder.join(ADDED_EXITS))?;
    lines.append(line)?;
    if rotates && lines.size() > ADDED_EXITS_CAP {
        std::fs::rename(folder.join(ADDED_EXITS), folder.join(ADDED_EXITS_OLDER))?;
    }
    Ok(())
}

/// Does it in the durable folder, or, where the disk is full, in the volatile one, which is the working folder: the
/// daemon looks in both.
fn somewhere(durable: &Path, what: &str, keep: impl Fn(&Path) -> io::Result<()>) {
    let Err(full) = keep(durable) else { return };
    if let Err(error) = keep(Path::new(".")) {
        say(format_args!("{what} cannot be kept: {full}; nor in the volatile folder: {error}"));
    }
}

/// To standard error, which is a file that may be on a full disk too: then nobody hears it.
fn say(words: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "containerd-rest-shim: {words}");
}

/// Whole or not at all, for those who read it now.
fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let partial = folder.join(format!(".{name}.partial"));
    std::fs::write(&partial, bytes)?;
    std::fs::rename(&partial, folder.join(name))
}

/// Whole or not at all: a hidden file, fsync, rename, fsync of the folder.
fn write_durably(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let partial = folder.join(format!(".{name}.partial"));
    write_synced(&partial, bytes)?;
    crate::cut!("shim.record.synced");
    std::fs::rename(&partial, folder.join(name))?;
    crate::cut!("shim.record.renamed");
    sync_folder(folder)
}
