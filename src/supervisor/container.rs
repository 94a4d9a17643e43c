//! One task a container: it alone changes the container, one request at a time, in order of arrival.
//! What it knows is published on a `watch` channel, so that readers never wait for it. While a request
//! is under way it still listens to the shim: a death is seen at once, whatever else happens.
//!
//! The verbs are in the modules below: [`start`], [`processes`], [`checkpoint`].

mod checkpoint;
mod processes;
mod start;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use oci_spec::runtime::Process;
use tokio::io::unix::AsyncFd;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::checkpoints::Checkpoint;
use super::error::{Error, Result};
use super::events::Happened;
use super::link::Link;
use super::names::{CheckpointName, ContainerId};
use super::registry::Ends;
use super::state::{Change, Status, Verb};
use super::store::{Journal, Record, Run, blocking};
use super::{Context, chain};
use crate::ipc::{Exit, ExitRecord, Hello, Message, ProcessKey, Request, Role};
use crate::runtime::bundle::{Identity, ProcessOverrides};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::options::{self, CriuOptions};
use crate::runtime::process::Held;
use crate::runtime::{self, runc};

/// How long a container may take to end once it is killed, in seconds.
const DEATH: u64 = 10;
/// How long a shim may take to say how the init process ended, once the kernel has said that it did.
const STUCK: Duration = Duration::from_secs(2);
/// How much longer than the runtime's own limit the shim's answer may take.
const GRACE: Duration = Duration::from_secs(10);

/// A container as readers see it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its name.
    pub id: ContainerId,
    /// Its bundle's folder.
    pub bundle: PathBuf,
    /// What it is doing.
    pub status: Status,
    /// How it ended, once it is stopped and if that is known.
    pub exit: Option<ExitRecord>,
    /// Init first, then those added, in order.
    pub processes: Vec<ProcessView>,
    /// When it was started or restored.
    pub created_at: Timestamp,
    /// The checkpoint it was restored from.
    pub checkpoint: Option<CheckpointName>,
    /// Nothing but a name that is reserved.
    pub(super) never_started: bool,
}

impl Snapshot {
    /// A name before anything has happened under it.
    fn reserved(id: &ContainerId) -> Self {
        Self {
            id: id.clone(),
            bundle: PathBuf::new(),
            status: Status::Stopped,
            exit: None,
            processes: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            checkpoint: None,
            never_started: true,
        }
    }

    /// A container as its record has it, said to run until more is known.
    pub(super) fn of_record(record: &Record) -> Self {
        Self {
            bundle: record.bundle.clone(),
            status: Status::Running,
            created_at: record.created_at,
            checkpoint: record.checkpoint.clone(),
            never_started: false,
            ..Self::reserved(&record.id)
        }
    }
}

/// A process as readers see it.
#[derive(Debug, Clone)]
pub struct ProcessView {
    /// On the host.
    pub pid: i32,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Who it runs as, inside.
    pub user: Identity,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Its environment at the start.
    pub env: Vec<String>,
    /// Its working folder at the start.
    pub cwd: String,
}

impl ProcessView {
    fn new(pid: i32, process: &Process) -> Self {
        Self {
            pid,
            terminal: process.terminal().unwrap_or(false),
            user: Identity::from(process.user()),
            args: process.args().clone().unwrap_or_default(),
            env: process.env().clone().unwrap_or_default(),
            cwd: process.cwd().to_string_lossy().into_owned(),
        }
    }
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Start {
    /// The bundle's absolute path.
    pub bundle: PathBuf,
    /// The checkpoint to go on from.
    pub checkpoint: Option<CheckpointName>,
    /// A file that gets standard output too.
    pub stdout: Option<PathBuf>,
    /// A file that gets standard error too.
    pub stderr: Option<PathBuf>,
}

/// How to checkpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckpointOptions {
    /// Stop the container once it is dumped.
    pub exit: bool,
    /// What CRIU is to allow.
    pub criu: CriuOptions,
}

/// What to change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Update {
    /// Freeze (`true`) or thaw.
    pub paused: Option<bool>,
    /// Then send this to the init process.
    pub signal: Option<i32>,
}

type Reply<T> = oneshot::Sender<Result<T>>;

/// What is asked of a container.
pub(super) enum Command {
    Start(Start, Reply<Arc<Snapshot>>),
    Update(Update, Reply<Arc<Snapshot>>),
    Exec(ProcessOverrides, Reply<ProcessView>),
    Signal { pid: i32, signal: i32, reply: Reply<()> },
    Checkpoint(CheckpointName, CheckpointOptions, Reply<Checkpoint>),
    DeleteCheckpoint(CheckpointName, Reply<()>),
    Stop { signal: i32, timeout: Duration, reply: Reply<Arc<Snapshot>> },
    Delete { force: bool, reply: Reply<()> },
}

/// A run whose shim was started and whose end is not tidied up yet.
pub(super) struct Life {
    run: Run,
    /// None once the shim is gone.
    link: Option<Link>,
    shim: Option<Held>,
    seq: u64,
    process: Process,
    init: Option<Held>,
    /// The init process's pidfd, readable when it has ended (pidfd_open(2)); waited on without a shim.
    watch: Option<AsyncFd<std::os::fd::OwnedFd>>,
    cgroup: Option<Cgroup>,
    added: Vec<Added>,
    /// Since when the kernel says that the init process has ended and the shim does not.
    dead_since: Option<Instant>,
    /// It never did.
    hung: bool,
    ended: bool,
}

/// A process that was added.
struct Added {
    key: ProcessKey,
    seq: u64,
}

/// What can happen to a container that nobody asked for.
enum Happening {
    Message(Message),
    ShimLost,
    /// The init process has ended; the shim is about to say how.
    Dead,
    /// The init process has ended and there is no shim to say how.
    EndedUnseen,
}

impl Life {
    fn new(run: Run, link: Option<Link>, shim: Option<Held>, process: Process) -> Self {
        Self {
            run,
            link,
            shim,
            seq: 0,
            process,
            init: None,
            watch: None,
            cgroup: None,
            added: Vec::new(),
            dead_since: None,
            hung: false,
            ended: false,
        }
    }

    /// A run of an earlier daemon's that has ended; what it holds of the host is still to be cleared.
    pub(super) fn over(run: Run, record: &Record) -> Self {
        Self { ended: true, ..Self::new(run, None, None, record.process.clone()) }
    }

    /// A run of an earlier daemon's whose shim is gone: its init process, if it is the same and runs still.
    pub(super) fn without_shim(
        run: Run,
        init: ProcessKey,
        record: &Record,
        journal: Option<&Journal>,
        snapshot: &mut Snapshot,
    ) -> Option<Self> {
        let mut life = Self::new(run, None, None, record.process.clone());
        life.hold(init).ok()?;
        life.init.as_ref()?;
        snapshot.processes.push(ProcessView::new(init.pid, &record.process));
        if matches!(journal, Some(Journal::Checkpoint { .. })) {
            snapshot.status = Status::Checkpointing;
        } else if life.is_frozen() {
            snapshot.status = Status::Paused;
        }
        Some(life)
    }

    /// A run of an earlier daemon's, as its shim tells it.
    pub(super) fn recover(
        run: Run,
        link: Link,
        hello: &Hello,
        record: &Record,
        journal: Option<&Journal>,
        snapshot: &mut Snapshot,
    ) -> Self {
        let mut life = Self::new(run, Some(link), None, record.process.clone());
        if let Some(init) = hello.init {
            if let Err(error) = life.hold(init) {
                tracing::error!(container = %record.id, error = %chain(&error), "its init process cannot be held");
            }
            snapshot.processes.push(ProcessView::new(init.pid, &record.process));
        }
        snapshot.status = match journal {
            // Frozen by CRIU, and not at anybody's request; said until it is finished or undone.
            Some(Journal::Checkpoint { .. }) => Status::Checkpointing,
            _ if life.is_frozen() => Status::Paused,
            _ => Status::Running,
        };
        life.seq = hello.seq.max(hello.busy.unwrap_or(0));
        processes::recover(&mut life, hello, snapshot);
        if let Some(exit) = hello.exit {
            life.ended = true;
            life.added.clear();
            snapshot.status = Status::Stopped;
            snapshot.exit = Some(ExitRecord::from(exit));
            snapshot.processes.clear();
        }
        life
    }

    /// Holds the init process. It may have ended already; then the shim's next message says so.
    fn hold(&mut self, init: ProcessKey) -> Result<(), runtime::Error> {
        self.init = Held::open_same(init.pid, init.start_time)?;
        if let Some(held) = &self.init {
            self.cgroup = Cgroup::of(init.pid);
            let watch = held.watch();
            self.watch = Some(watch.map_err(|source| runtime::Error::Process {
                pid: init.pid,
                what: "watching",
                source,
            })?);
        }
        Ok(())
    }

    /// The cgroup of its init process.
    pub(super) fn place(&self) -> Option<Cgroup> {
        self.cgroup.clone()
    }

    fn is_frozen(&self) -> bool {
        self.cgroup.as_ref().is_some_and(Cgroup::is_frozen)
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// The next thing that happens. Nothing is lost when the future is dropped.
    async fn next(&mut self) -> Happening {
        let ended = self.ended;
        let watch = self.watch.as_ref().filter(|_| !ended);
        // The kernel's word counts when the shim has none: it is gone, or it hangs.
        let dead = async {
            match watch {
                // An error here is a broken descriptor: then it cannot be said to run either.
                Some(watch) => drop(watch.readable().await),
                None => std::future::pending().await,
            }
        };
        let Some(link) = self.link.as_mut() else {
            if ended {
                return std::future::pending().await;
            }
            if watch.is_some() {
                dead.await;
            }
            return Happening::EndedUnseen;
        };
        let stuck_at = self.dead_since.map(|since| since + STUCK);
        tokio::select! {
            biased;
            message = link.next() => match message {
                Some(message) => Happening::Message(message),
                None => {
                    self.link = None;
                    Happening::ShimLost
                }
            },
            () = dead, if stuck_at.is_none() => Happening::Dead,
            () = tokio::time::sleep_until(stuck_at.unwrap_or_else(Instant::now)), if stuck_at.is_some() && !ended => {
                Happening::EndedUnseen
            }
        }
    }
}

/// The task's whole knowledge.
pub(super) struct Task {
    context: Arc<Context>,
    publisher: Option<watch::Sender<Arc<Snapshot>>>,
    snapshot: Snapshot,
    life: Option<Life>,
    /// The number of the run that counts; 0 before the first.
    run: u32,
    /// The request that an earlier daemon's shim is at.
    busy: Option<u64>,
    /// The name is free again: the task is over.
    gone: bool,
}

impl Task {
    /// A name that nothing has happened under.
    pub(super) fn new(context: &Arc<Context>, id: &ContainerId) -> (Self, Arc<Snapshot>) {
        let snapshot = Snapshot::reserved(id);
        (Self::recovered(context, snapshot.clone(), None, 0, None), Arc::new(snapshot))
    }

    /// A container of an earlier daemon's; `busy` is the request that its shim is at.
    pub(super) fn recovered(
        context: &Arc<Context>,
        snapshot: Snapshot,
        life: Option<Life>,
        run: u32,
        busy: Option<u64>,
    ) -> Self {
        Self { context: Arc::clone(context), publisher: None, snapshot, life, run, busy, gone: false }
    }

    /// Tells what happened and was not told: an end while no daemon was there, or what one that died in
    /// between had no time to say.
    fn catch_up(&self) {
        if self.snapshot.never_started {
            return;
        }
        let heard = self.context.events.heard(self.id()).filter(|heard| heard.run == self.run);
        if heard.is_none() && !self.context.events.is_old(self.snapshot.created_at) {
            let began = if self.snapshot.checkpoint.is_some() { Happened::Restore } else { Happened::Start };
            self.context.events.publish(self.id(), self.run, self.snapshot.created_at, began);
        }
        if self.snapshot.status == Status::Stopped && !heard.is_some_and(|heard| heard.ended) {
            let exit = self.snapshot.exit;
            let at = exit.map_or_else(Timestamp::now, |exit| exit.at);
            let status = exit.map(|exit| exit.status.as_shell());
            if !self.context.events.is_old(at) {
                self.context.events.publish(self.id(), self.run, at, Happened::Exit { pid: None, status });
            }
        }
    }

    /// Finishes or undoes what an earlier daemon began.
    async fn resume_journal(&mut self) {
        let Some(life) = &self.life else { return };
        match self.context.store.journal(&life.run) {
            Some(Journal::Checkpoint { name, seq }) => self.resume_checkpoint(name, seq).await,
            // An error has been logged, or is said to the next who asks.
            Some(Journal::Delete) => drop(self.delete(true).await),
            // Its record counts, so it has happened.
            Some(Journal::Start { .. }) => self.context.store.noted(&life.run),
            None => {}
        }
        // An exec that an earlier daemon asked for: the next request is taken once it is answered.
        if let Some(seq) = self.busy.take() {
            match self.answer(seq, self.context.limit(false)).await {
                Ok(Answer::Launched(key)) => self.adopt_added(seq, key),
                Ok(Answer::Done | Answer::Failed(_)) | Err(_) => {}
            }
        }
    }

    /// Serves until the name is free again.
    pub(super) async fn serve(mut self, ends: Ends) {
        let mut queue = ends.queue;
        self.publisher = Some(ends.publisher);
        self.catch_up();
        self.resume_journal().await;
        let _ = self.tidy().await;
        drop(ends.recovering);
        while !self.gone {
            let command = match &mut self.life {
                Some(life) => tokio::select! {
                    biased;
                    happening = life.next() => {
                        self.happen(happening);
                        None
                    }
                    command = queue.recv() => Some(command),
                },
                None => Some(queue.recv().await),
            };
            match command {
                Some(Some(command)) => {
                    self.context.busy.send_modify(|busy| *busy += 1);
                    self.obey(command).await;
                    let _ = self.tidy().await;
                    self.context.busy.send_modify(|busy| *busy -= 1);
                }
                // The supervisor is gone, and with it everybody who could ask.
                Some(None) => break,
                None => {}
            }
            let _ = self.tidy().await;
        }
    }

    fn id(&self) -> &ContainerId {
        &self.snapshot.id
    }

    /// A caller that has hung up does not read the answer; what was asked is done all the same.
    async fn obey(&mut self, command: Command) {
        match command {
            Command::Start(start, reply) => drop(reply.send(self.start(start).await)),
            Command::Update(update, reply) => drop(reply.send(self.update(update).await)),
            Command::Exec(overrides, reply) => drop(reply.send(self.exec(overrides).await)),
            Command::Signal { pid, signal, reply } => drop(reply.send(self.signal_process(pid, signal))),
            Command::Checkpoint(name, options, reply) => {
                drop(reply.send(self.checkpoint(name, options).await))
            }
            Command::DeleteCheckpoint(name, reply) => drop(reply.send(self.delete_checkpoint(name).await)),
            Command::Stop { signal, timeout, reply } => drop(reply.send(self.stop(signal, timeout).await)),
            Command::Delete { force, reply } => drop(reply.send(self.delete(force).await)),
        }
    }

    fn publish(&mut self) {
        if let Some(publisher) = &self.publisher {
            publisher.send_replace(Arc::new(self.snapshot.clone()));
        }
    }

    fn change(&mut self, change: Change) {
        match self.snapshot.status.after(change) {
            Some(status) => self.snapshot.status = status,
            None => debug_assert!(false, "{change:?} in {:?}", self.snapshot.status),
        }
        self.publish();
    }

    fn emit(&self, happened: Happened) {
        self.context.events.publish(self.id(), self.run, Timestamp::now(), happened);
    }

    fn admit(&self, verb: Verb) -> Result<()> {
        let status = self.snapshot.status;
        status.admits(verb).map_err(|needs| Error::WrongState { id: self.id().clone(), status, verb, needs })
    }

    fn fail(&self, source: runtime::Error) -> Error {
        Error::Runtime { id: self.id().clone(), source }
    }

    /// What happened by itself, or the shim says.
    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Message(Message::Exited(exit)) if exit.role == Role::Init => {
                self.ended(Some(ExitRecord::from(exit)));
            }
            Happening::Message(Message::Exited(exit)) => self.added_ended(&exit),
            // Answers are awaited where they were asked for; but for a process that an earlier daemon added.
            Happening::Message(Message::Launched { seq, process }) => self.adopt_added(seq, process),
            Happening::Message(Message::Hello(_) | Message::Done { .. } | Message::Failed { .. }) => {}
            Happening::ShimLost => self.shim_lost(),
            Happening::Dead => {
                if let Some(life) = self.life.as_mut() {
                    life.dead_since = Some(Instant::now());
                }
            }
            Happening::EndedUnseen => {
                if let Some(life) = self.life.as_mut().filter(|life| life.link.is_some()) {
                    tracing::error!(container = %self.snapshot.id, "its shim hangs");
                    life.hung = true;
                    life.link = None;
                }
                let record = self.life.as_ref().and_then(|life| life.run.exit_record());
                self.ended(record);
            }
        }
    }

    fn ended(&mut self, exit: Option<ExitRecord>) {
        let Some(life) = self.life.as_mut().filter(|life| !life.ended) else { return };
        life.ended = true;
        self.snapshot.exit = exit;
        self.snapshot.processes.clear();
        if self.snapshot.status.is_live() {
            self.change(Change::Exited);
        }
        let status = exit.map(|exit| exit.status.as_shell());
        tracing::info!(container = %self.id(), status, "ended");
        let at = exit.map_or_else(Timestamp::now, |exit| exit.at);
        self.context.events.publish(self.id(), self.run, at, Happened::Exit { pid: None, status });
    }

    fn added_ended(&mut self, exit: &Exit) {
        let Some(life) = self.life.as_mut() else { return };
        let Some(index) = life.added.iter().position(|added| added.key == exit.process) else { return };
        let added = life.added.remove(index);
        processes::remove_files(&life.run, added.seq);
        self.snapshot.processes.retain(|process| process.pid != exit.process.pid);
        self.publish();
        let happened = Happened::Exit { pid: Some(exit.process.pid), status: Some(exit.status.as_shell()) };
        self.context.events.publish(self.id(), self.run, exit.at, happened);
    }

    /// The container runs on; its init process is watched by its pidfd from now on.
    fn shim_lost(&mut self) {
        let unheard = |life: &Life| life.init.is_some() && !life.ended && life.run.exit_record().is_none();
        if self.life.as_ref().is_some_and(unheard) {
            tracing::error!(container = %self.id(), "its shim is gone; its exit status and output will not be known");
        }
    }

    /// Asks the shim, and listens to everything else it says until it answers.
    async fn ask(&mut self, limit: Duration, request: impl FnOnce(u64) -> Request) -> Result<Answer> {
        let lost = || Error::ShimLost(self.snapshot.id.clone());
        let Some(life) = self.life.as_mut() else { return Err(lost()) };
        let seq = life.next_seq();
        let Some(link) = life.link.as_mut() else { return Err(lost()) };
        if link.send(&request(seq)).await.is_err() {
            // What it said before it went is still to be heard.
            self.hear_out().await;
            return Err(Error::ShimLost(self.snapshot.id.clone()));
        }
        self.answer(seq, limit).await
    }

    /// The shim's answer to a request; meanwhile everything else it says is listened to.
    async fn answer(&mut self, seq: u64, limit: Duration) -> Result<Answer> {
        let deadline = Instant::now() + limit + GRACE;
        while let Some(life) = self.life.as_mut() {
            let Ok(happening) = tokio::time::timeout_at(deadline, life.next()).await else { break };
            match happening {
                Happening::Message(Message::Launched { seq: of, process }) if of == seq => {
                    return Ok(Answer::Launched(process));
                }
                Happening::Message(Message::Done { seq: of }) if of == seq => return Ok(Answer::Done),
                Happening::Message(Message::Failed { seq: of, failure }) if of == seq => {
                    return Ok(Answer::Failed(failure));
                }
                Happening::ShimLost => {
                    self.shim_lost();
                    break;
                }
                other => self.happen(other),
            }
        }
        Err(Error::ShimLost(self.snapshot.id.clone()))
    }

    /// After a failure: a container that has just ended is told so by its shim a moment later, and that is
    /// the better answer.
    async fn hear_out(&mut self) {
        let ended = match self.life.as_ref().and_then(|life| life.watch.as_ref()) {
            Some(watch) => tokio::time::timeout(Duration::from_millis(100), watch.readable()).await.is_ok(),
            None => true,
        };
        if ended {
            self.await_end(STUCK * 2).await;
        }
    }

    /// Runs runc ourselves.
    async fn call(&mut self, verb: options::Verb<'_>) -> Result<()> {
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        let log = context.store.call_log(&id, verb.name());
        let outcome = self.attend(context.runc.call(&verb, &log, id.as_str())).await;
        let _ = tokio::fs::remove_file(&log).await;
        outcome.map_err(|source| self.fail(source))
    }

    /// Does some work, and listens to the shim meanwhile.
    async fn attend<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let Some(life) = self.life.as_mut() else { return work.await };
            tokio::select! {
                done = &mut work => return done,
                happening = life.next() => self.happen(happening),
            }
        }
    }

    /// A failed runtime call of the shim's, in runc's own words.
    async fn explain(&self, verb: &'static str, failure: runtime::program::Failure, log: PathBuf) -> Error {
        let path = self.context.runc.path().to_owned();
        let explained = blocking(move || Ok(runc::explain(verb, &path, failure, &log))).await;
        match explained {
            Ok(source) => self.fail(source),
            Err(error) => error,
        }
    }

    /// After an end: the cgroup and runc's state go at once, so that a stopped container holds nothing of
    /// the host but its record and its log. An error has been logged.
    async fn tidy(&mut self) -> Result<()> {
        if !self.life.as_ref().is_some_and(|life| life.ended) {
            return Ok(());
        }
        let mut cleared = self.clear_runtime(false).await;
        match &cleared {
            // Whoever hangs hangs again.
            Ok(()) | Err(Error::Runtime { source: runtime::Error::TimedOut { .. }, .. }) => {}
            Err(error) => {
                tracing::debug!(container = %self.id(), error = %chain(error), "runc delete failed, trying with force");
                cleared = self.clear_runtime(true).await;
            }
        }
        if let Err(error) = &cleared {
            tracing::error!(container = %self.id(), error = %chain(error), "its runtime state stays behind");
        }
        self.hear_the_rest().await;
        self.context.places.leave(self.id());
        let Some(life) = self.life.take() else { return cleared };
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        let _ = blocking(move || {
            context.store.end(&id, &life.run);
            Ok(())
        })
        .await;
        cleared
    }

    /// The ends of added processes, which end with the container; a shim that hangs is ended.
    async fn hear_the_rest(&mut self) {
        let deadline = Instant::now() + STUCK;
        while let Some(life) = self.life.as_mut().filter(|life| life.link.is_some() && !life.added.is_empty())
        {
            match tokio::time::timeout_at(deadline, life.next()).await {
                Ok(happening) => self.happen(happening),
                Err(_) => break,
            }
        }
        let Some(life) = self.life.as_mut() else { return };
        let forgotten: Vec<Added> = life.added.drain(..).collect();
        if let Some(shim) = life.shim.as_ref().filter(|_| life.hung) {
            let _ = shim.signal(9);
        }
        for added in forgotten {
            self.emit(Happened::Exit { pid: Some(added.key.pid), status: None });
        }
    }

    async fn clear_runtime(&mut self, force: bool) -> Result<()> {
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        let log = context.store.call_log(&id, "delete");
        let outcome = self.attend(context.runc.clear(force, &log, id.as_str())).await;
        // Whether it is gone is looked at, whatever runc says.
        if !self.context.runc.knows(id.as_str()) {
            return Ok(());
        }
        outcome.map_err(|source| self.fail(source))?;
        Err(self.unbelieved("delete", "still knows the container"))
    }

    async fn delete(&mut self, force: bool) -> Result<()> {
        if self.snapshot.status != Status::Stopped {
            if !force {
                self.admit(Verb::Delete)?;
            }
            if let Some(life) = &self.life {
                self.context.store.note(&life.run, &Journal::Delete)?;
            }
            self.kill().await?;
        }
        // A name that is forgotten has left nothing: what could not be cleared, now or when it ended, is the
        // caller's to know.
        self.tidy().await?;
        self.clear_runtime(true).await?;
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        blocking(move || context.store.forget(&id)).await?;
        tracing::info!(container = %self.id(), "deleted");
        self.emit(Happened::Delete);
        // First the name is free, then the caller is told so.
        self.context.registry.remove(self.id());
        self.gone = true;
        Ok(())
    }

    /// SIGKILL to the init process, and waits for its end.
    async fn kill(&mut self) -> Result<()> {
        if let Some(init) = self.life.as_ref().and_then(|life| life.init.as_ref()) {
            init.signal(9).map_err(|source| self.fail(source))?;
        }
        // A frozen process dies when it is thawed (cgroup v1).
        if self.snapshot.status == Status::Paused {
            self.call(options::Verb::Resume).await?;
        }
        if self.await_end(Duration::from_secs(DEATH)).await {
            return Ok(());
        }
        Err(Error::Undying { id: self.id().clone(), seconds: DEATH })
    }

    /// Listens until the init process has ended. `false`: not within this time.
    async fn await_end(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while let Some(life) = self.life.as_mut().filter(|life| !life.ended) {
            match tokio::time::timeout_at(deadline, life.next()).await {
                Ok(happening) => self.happen(happening),
                Err(_) => return false,
            }
        }
        true
    }

    /// Asks the init process to end, waits, then kills it.
    async fn stop(&mut self, signal: i32, timeout: Duration) -> Result<Arc<Snapshot>> {
        if self.snapshot.never_started {
            return Err(Error::NoContainer(self.id().clone()));
        }
        if let Some(init) = self.life.as_ref().filter(|life| !life.ended).and_then(|life| life.init.as_ref())
        {
            init.signal(signal).map_err(|source| self.fail(source))?;
            if self.snapshot.status == Status::Paused {
                self.resume().await?;
            }
            if !self.await_end(timeout).await {
                self.kill().await?;
            }
        }
        Ok(Arc::new(self.snapshot.clone()))
    }
}

/// What a shim answered.
enum Answer {
    Launched(ProcessKey),
    Done,
    Failed(runtime::program::Failure),
}
