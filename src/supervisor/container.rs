//! One task a container: it alone changes the container, one request at a time, in order of arrival.
//! What it knows is published on a `watch` channel, so that readers never wait for it. While a request
//! is under way it still listens to the shim: a death is seen at once, whatever else happens.
//!
//! The verbs are in the modules below: [`start`], [`processes`], [`checkpoint`], [`end`], [`pages`]; [`life`] is what a run
//! holds, [`calls`] how it is acted upon, [`view`] what is seen of it.

mod again;
mod calls;
mod checkpoint;
mod end;
mod life;
mod pages;
mod plan;
mod processes;
mod queue;
mod start;
mod underway;
mod view;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

pub(super) use life::Life;
pub(super) use processes::recover_ended;
pub use underway::Work;
pub use view::{CheckpointOptions, Ended, ProcessReport, ProcessView, Snapshot, Start, Update};

use super::care::Again;
use super::checkpoints::Entry;
use super::error::{Error, Result};
use super::events::{Happened, Heard};
use super::link::Link;
use super::names::{CheckpointName, ContainerId};
use super::registry::Ends;
use super::rules::Behalf;
use super::state::{Change, Status, Verb};
use super::store::{Journal, Record, Run};
use super::{Context, UnderWay, recovery};
use crate::ipc::{AddedExit, Exit, ExitRecord, Message, Pages, ProcessKey, Role};
use crate::runtime;
use crate::runtime::bundle::ProcessOverrides;
use crate::runtime::process::Held;
use calls::Answer;
use life::{Added, Happening, LastWords};
use queue::Queue;

/// How long a container may take to end once it is killed, in seconds.
const DEATH: u64 = 10;
/// How long a shim may take to say how the init process ended, once the kernel has said that it did.
const STUCK: Duration = Duration::from_secs(2);
/// How much longer than the runtime's own limit the shim's answer may take.
const GRACE: Duration = Duration::from_secs(10);

/// How long the runtime may still be at what a daemon that is gone has asked for.
const ORPHANED: Duration = Duration::from_secs(5);

type Reply<T> = oneshot::Sender<Result<T>>;

/// What is asked of a container.
pub(super) enum Command {
    Start(Start, Reply<Arc<Snapshot>>),
    Again(Again, Reply<Arc<Snapshot>>),
    Update(Update, Reply<Arc<Snapshot>>),
    Exec {
        behalf: Behalf,
        process: ProcessOverrides,
        /// Of the request, if it has one.
        key: Option<String>,
        reply: Reply<ProcessView>,
    },
    Signal {
        pid: i32,
        signal: i32,
        reply: Reply<()>,
    },
    Checkpoint(CheckpointName, CheckpointOptions, Reply<Entry>),
    DeleteCheckpoint(CheckpointName, Reply<()>),
    Stop {
        signal: i32,
        timeout: Duration,
        reply: Reply<Arc<Snapshot>>,
    },
    Delete {
        force: bool,
        reply: Reply<()>,
    },
}

/// The task's whole knowledge.
pub(super) struct Task {
    context: Arc<Context>,
    publisher: Option<watch::Sender<Arc<Snapshot>>>,
    queue: Queue,
    snapshot: Snapshot,
    life: Option<Life>,
    /// The number of the run that counts; 0 before the first.
    run: u32,
    /// The request that an earlier daemon's shim is at.
    busy: Option<u64>,
    /// Starts of earlier daemons' that were cut off, to be undone before anything else.
    cut_off: Vec<Run>,
    /// A shim that has said nothing yet, and the record of its container.
    late: Option<(Link, Record)>,
    /// The added processes whose end was told just now, by their numbers.
    told: Vec<u64>,
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
        Self {
            context: Arc::clone(context),
            publisher: None,
            queue: Queue::default(),
            snapshot,
            life,
            run,
            busy,
            cut_off: Vec::new(),
            late: None,
            told: Vec::new(),
            gone: false,
        }
    }

    /// The same; these starts are undone first. Without a record the name is free then.
    pub(super) fn undoing(self, cut_off: Vec<Run>) -> Self {
        Self { cut_off, ..self }
    }

    /// The same; its shim is waited for first.
    pub(super) fn awaiting(self, late: Option<(Link, Record)>) -> Self {
        Self { late, ..self }
    }

    /// What is to be done before it is known what there is.
    async fn settle_past(&mut self, recovering: &mut Option<mpsc::Sender<()>>) {
        for run in std::mem::take(&mut self.cut_off) {
            recovery::cut_off(&self.context, self.id(), &run).await;
        }
        if let Some((link, record)) = self.late.take() {
            // That takes time, and nobody else waits for it.
            drop(recovering.take());
            match recovery::take_back_late(&self.context, link, record).await {
                Some(taken) => {
                    (self.life, self.snapshot, self.busy) = (Some(taken.life), taken.snapshot, taken.busy);
                    self.publish();
                }
                None => self.hang_up(),
            }
        }
    }

    /// Its shim does not speak: it is done without.
    fn hang_up(&mut self) {
        tracing::error!(container = %self.id(), "its shim hangs");
        if let Some(life) = self.life.as_mut() {
            life.hung = true;
            life.link = None;
        }
    }

    /// Tells what happened and was not told: an end while no daemon was there, or what one that died in
    /// between had no time to say.
    fn catch_up(&mut self) {
        if self.snapshot.never_started {
            return;
        }
        let heard = self.context.events.heard(self.id()).filter(|heard| heard.run == self.run);
        let heard = heard.as_ref();
        // What was told so long ago that it is not kept was told.
        let known = self.context.events.knows_since(self.snapshot.cursor);
        if heard.is_none_or(|heard| heard.created_only) && known {
            self.tell_began(heard.is_some());
        }
        if let Some(life) = &mut self.life {
            let exits = self.snapshot.ended.iter().filter_map(|ended| ended.exit);
            let exits = exits.chain(self.snapshot.exit).map(|exit| exit.oom_kills());
            let seen = exits.max().unwrap_or(0).max(life.oom_seen);
            life.oom_told = if known { heard.map_or(0, |heard| heard.oom) } else { seen };
            self.tell_oom(seen);
        }
        self.catch_up_added(heard);
        if known && !heard.is_some_and(|heard| heard.pages) {
            self.tell_pages();
        }
        match (self.snapshot.status, heard.is_some_and(|heard| heard.paused)) {
            (Status::Paused, false) => self.emit(Happened::Pause),
            (Status::Running, true) => self.emit(Happened::Resume),
            _ => {}
        }
        // The volatile folder goes once the end was told, and with the boot.
        let untidied = self.life.as_ref().is_some_and(|life| life.run.volatile.exists());
        let untold = !heard.is_some_and(|heard| heard.ended)
            && (known || untidied || self.context.store.is_another_boot());
        if self.snapshot.status == Status::Stopped && untold {
            self.tell_exit(None, self.snapshot.exit);
        } else if self.life.as_ref().is_some_and(|life| life.link.is_none() && !life.hung) {
            self.lose_unwatched_pages();
        }
    }

    /// The same for added processes. Of each there are files until its end was told.
    fn catch_up_added(&mut self, heard: Option<&Heard>) {
        // One whose end was told may still look alive: nobody has reaped it yet.
        if let (Some(life), Some(heard)) = (&mut self.life, heard) {
            let told = |seq: u64| heard.over.contains(&seq);
            for added in life.added.extract_if(.., |added| told(added.seq)) {
                self.snapshot.processes.retain(|process| process.pid != added.key.pid);
                if !self.snapshot.has_ended(added.seq) {
                    self.snapshot.keep_ended(added.view, false, added.seq, None);
                }
            }
            self.publish();
        }
        let Some(life) = &self.life else { return };
        let begun = |seq: u64| heard.is_some_and(|heard| heard.added.contains_key(&seq));
        let over = |seq: u64| heard.is_some_and(|heard| heard.over.contains(&seq));
        let mut told = Vec::new();
        let mut left = processes::noted_seqs(&life.run);
        for ended in self.snapshot.ended.iter().filter(|ended| !ended.init) {
            let (seq, pid) = (ended.seq, ended.process.pid);
            if !left.remove(&seq) {
                continue;
            }
            if !begun(seq) {
                let at = ended.exit.map_or_else(Timestamp::now, |exit| exit.at);
                self.context.events.publish(self.id(), self.run, at, Happened::Exec { pid, seq });
            }
            if !over(seq) {
                self.tell_exit(Some((pid, seq)), ended.exit);
            }
            told.push(seq);
        }
        for added in &life.added {
            left.remove(&added.seq);
            if !begun(added.seq) {
                self.emit(Happened::Exec { pid: added.key.pid, seq: added.seq });
            }
        }
        // The shim is at it still.
        left.retain(|seq| self.busy != Some(*seq));
        // Neither running nor known to have ended: one whose shim was killed, or an exec that failed.
        for seq in left {
            if let Some(pid) = heard.and_then(|heard| heard.added.get(&seq)).filter(|_| !over(seq)) {
                self.tell_exit(Some((*pid, seq)), None);
            }
            told.push(seq);
        }
        self.told = told;
        self.snapshot.forget_oldest();
    }

    /// Tells that a run has begun; the first of a name makes the container.
    fn tell_began(&self, created_told: bool) {
        let (at, restored) = (self.snapshot.created_at, self.snapshot.checkpoint.is_some());
        if self.run == 1 && !created_told {
            self.context.events.publish(self.id(), self.run, at, Happened::Created);
            crate::cut!("start.created-told");
        }
        let began = if restored { Happened::Restore } else { Happened::Start };
        self.context.events.publish(self.id(), self.run, at, began);
    }

    /// The kernel has killed so many by now for want of memory.
    fn tell_oom(&mut self, kills: u64) {
        let Some(life) = self.life.as_mut().filter(|life| life.oom_told < kills) else { return };
        life.oom_told = kills;
        self.emit(Happened::Oom { kills });
    }

    /// Tells of an end: of init, or of an added process by its pid and number. Without `exit` nobody saw how.
    fn tell_exit(&self, added: Option<(i32, u64)>, exit: Option<ExitRecord>) {
        let (pid, seq) = added.unzip();
        let at = exit.map_or_else(Timestamp::now, |exit| exit.at);
        let status = exit.map(|exit| exit.status.as_shell());
        let oom = exit.is_some_and(|exit| exit.oom);
        self.context.events.publish(self.id(), self.run, at, Happened::Exit { pid, seq, status, oom });
    }

    /// The files of added processes go once their ends are among the events that are kept.
    async fn forget_told(&mut self) {
        if self.told.is_empty() {
            return;
        }
        self.context.events.written().await;
        for seq in std::mem::take(&mut self.told) {
            if let Some(life) = &self.life {
                processes::remove_files(&life.run, seq);
            }
        }
    }

    /// Finishes or undoes what an earlier daemon began.
    async fn resume_journal(&mut self) {
        let Some(life) = &self.life else { return };
        match self.context.store.journal(&life.run) {
            Some(Journal::Checkpoint { name, seq }) => self.resume_checkpoint(name, seq).await,
            // An error has been logged, or is said to the next who asks.
            Some(Journal::Stop { signal, sent, kill_at }) => {
                drop(self.carry_out_stop(signal, sent, kill_at).await);
            }
            Some(Journal::Delete) => drop(self.delete(true).await),
            // Its record counts, so it has happened.
            Some(Journal::Start { .. }) => self.context.store.noted(&life.run),
            None => {}
        }
        // An exec that an earlier daemon asked for: the next request is taken once it is answered.
        if let Some(seq) = self.busy.take() {
            let limit = self.context.limit(false);
            match tokio::time::timeout(ORPHANED, self.answer(seq, limit)).await {
                Ok(Ok(Answer::Launched(key))) => self.adopt_added(seq, key),
                Ok(Ok(Answer::Done | Answer::Failed(_)) | Err(_)) => {}
                Err(_) => self.end_exec(seq).await,
            }
        }
    }

    /// Serves until the name is free again. What it does is boxed: while it waits, as containers mostly do, it takes no
    /// memory for the deepest of it.
    pub(super) async fn serve(mut self: Box<Self>, ends: Ends) {
        let mut recovering = ends.recovering;
        self.queue = Queue::new(ends.queue);
        self.publisher = Some(ends.publisher);
        Box::pin(self.settle_past(&mut recovering)).await;
        if recovering.is_some() && self.snapshot.never_started {
            Box::pin(recovery::forget(&self.context, self.id())).await;
            // Who asks for the name meanwhile asks again.
            self.context.registry.remove(self.id());
            return;
        }
        self.catch_up();
        crate::cut!("recovery.told");
        Box::pin(self.resume_journal()).await;
        let _ = Box::pin(self.tidy()).await;
        crate::cut!("recovery.resumed");
        self.forget_told().await;
        drop(recovering);
        while !self.gone {
            let command = match &mut self.life {
                Some(life) => tokio::select! {
                    biased;
                    happening = life.next() => {
                        self.happen(happening);
                        None
                    }
                    command = self.queue.next() => Some(command),
                },
                None => Some(self.queue.next().await),
            };
            match command {
                Some(Some(command)) => {
                    let _under_way = UnderWay::begin(&self.context.busy);
                    Box::pin(self.obey(command)).await;
                    let _ = Box::pin(self.tidy()).await;
                }
                // The supervisor is gone, and with it everybody who could ask.
                Some(None) => break,
                None => drop(Box::pin(self.tidy()).await),
            }
            self.forget_told().await;
        }
    }

    fn id(&self) -> &ContainerId {
        &self.snapshot.id
    }

    /// A caller that has hung up does not read the answer; what was asked is done all the same.
    async fn obey(&mut self, command: Command) {
        let context = Arc::clone(&self.context);
        match command {
            Command::Start(start, reply) => answer_to(&context, reply, self.start(start).await).await,
            Command::Again(again, reply) => answer_to(&context, reply, self.start_again(again).await).await,
            Command::Update(update, reply) => answer_to(&context, reply, self.update(update).await).await,
            Command::Exec { behalf, process, key, reply } => {
                answer_to(&context, reply, self.exec(behalf, process, key).await).await;
            }
            Command::Signal { pid, signal, reply } => drop(reply.send(self.signal_process(pid, signal))),
            Command::Checkpoint(name, options, reply) => {
                answer_to(&context, reply, self.checkpoint(name, options).await).await;
            }
            Command::DeleteCheckpoint(name, reply) => drop(reply.send(self.delete_checkpoint(name).await)),
            Command::Stop { signal, timeout, reply } => {
                answer_to(&context, reply, self.stop(signal, timeout).await).await;
            }
            Command::Delete { force, reply } => answer_to(&context, reply, self.delete(force).await).await,
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
            Happening::Message(Message::Oom { kills }) => self.tell_oom(kills),
            Happening::Message(Message::Pages { pages }) => self.pages_settled(pages),
            Happening::ShimLost(words) => self.shim_lost(words),
            Happening::Dead => {
                if let Some(life) = self.life.as_mut() {
                    life.dead_since = Some(Instant::now());
                }
            }
            Happening::AddedUnseen(key) => self.added_unseen(key),
            Happening::EndedUnseen(record) => {
                if self.life.as_ref().is_some_and(|life| life.link.is_some()) {
                    self.hang_up();
                }
                self.ended(record);
            }
        }
    }

    fn ended(&mut self, exit: Option<ExitRecord>) {
        let Some(life) = self.life.as_mut().filter(|life| !life.ended) else { return };
        crate::cut!("exit.heard");
        life.ended = true;
        if self.snapshot.status == Status::Creating {
            // It has never been: nothing is told of it, and the start that fails undoes it.
            return;
        }
        self.snapshot.exit = exit;
        if self.snapshot.pages == Some(Pages::Loading) {
            self.snapshot.pages = None;
        }
        // Those that were added are about to end with it, each with a word of its own.
        let init = self.snapshot.processes.drain(..).next();
        if let Some(init) = init {
            self.snapshot.keep_ended(init, true, 0, exit);
        }
        if self.snapshot.status.is_live() {
            self.change(Change::Exited);
        }
        let status = exit.map(|exit| exit.status.as_shell());
        tracing::info!(container = %self.id(), status, "ended");
        self.tell_oom(exit.map_or(0, |exit| exit.oom_kills()));
        crate::cut!("exit.telling");
        self.tell_exit(None, exit);
    }

    fn added_ended(&mut self, exit: &Exit) {
        let Some(life) = self.life.as_mut() else { return };
        let Some(index) = life.added.iter().position(|added| added.key == exit.process) else { return };
        crate::cut!("added-exit.heard");
        let added = life.added.remove(index);
        let exit = ExitRecord::from(*exit);
        self.tell_oom(exit.oom_kills());
        self.let_go(added, Some(exit));
    }

    /// The container runs on, unless its shim has written otherwise; its init process is watched by its pidfd from now on.
    fn shim_lost(&mut self, words: LastWords) {
        if let Some(pages) = words.pages {
            self.pages_settled(pages);
        }
        let Some(life) = self.life.as_mut() else { return };
        let unheard = life.init.is_some() && !life.ended && words.init.is_none();
        for AddedExit { exit, seq, .. } in words.added {
            let Some(life) = self.life.as_mut() else { return };
            if let Some(index) = life.added.iter().position(|added| added.seq == seq) {
                let added = life.added.remove(index);
                self.tell_oom(exit.oom_kills());
                self.let_go(added, Some(exit));
            }
        }
        if !unheard {
            return;
        }
        tracing::error!(container = %self.id(), "its shim is gone; its exit status and output will not be known");
        let Some(life) = self.life.as_mut() else { return };
        let mut ended = Vec::new();
        for added in &mut life.added {
            let held = Held::open_same(added.key.pid, added.key.start_time).ok().flatten();
            added.watch = held.and_then(|held| held.watch().ok());
            if added.watch.is_none() {
                ended.push(added.key);
            }
        }
        for key in ended {
            self.added_unseen(key);
        }
        self.lose_unwatched_pages();
    }

    /// An added process has ended, and nobody is there to say how.
    fn added_unseen(&mut self, key: ProcessKey) {
        let Some(life) = self.life.as_mut() else { return };
        let Some(index) = life.added.iter().position(|added| added.key == key) else { return };
        let added = life.added.remove(index);
        self.let_go(added, None);
    }

    /// An added process has ended: it leaves the list, how it ended is kept and told.
    fn let_go(&mut self, added: Added, exit: Option<ExitRecord>) {
        self.told.push(added.seq);
        let (pid, seq) = (added.key.pid, added.seq);
        self.snapshot.processes.retain(|process| process.pid != pid);
        self.snapshot.keep_ended(added.view, false, seq, exit);
        self.publish();
        crate::cut!("added-exit.telling");
        self.tell_exit(Some((pid, seq)), exit);
    }
}

/// What was answered has been told: who then asks for past events finds it among them.
async fn answer_to<T>(context: &Context, reply: Reply<T>, outcome: Result<T>) {
    context.events.written().await;
    // Nobody listens: then nobody does.
    let _ = reply.send(outcome);
}
