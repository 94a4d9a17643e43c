//! What there is to supervise: a registry of containers, one task each, and the verbs that are asked
//! of them. Never names HTTP: it is handed names and paths that were parsed, and gives typed answers.
//!
//! The life of a container, once and in order: [`Supervisor::start`] reserves the name in the registry
//! and queues the request at the container's task ([`container`]); the task reads the bundle, notes in the
//! journal that a start is under way ([`store`]), starts a shim ([`link`]) and has it run runc; the shim
//! names the init process, the task holds it by pidfd, the record counts, and the new state
//! ([`state`]) is published. It ends when the shim says so: state first, then runc's state and cgroup
//! are cleared. It is forgotten when it is deleted, or its name started again.

mod archive;
mod care;
mod checkpoints;
mod container;
mod error;
mod events;
mod link;
mod logs;
mod names;
mod recovery;
mod registry;
mod rules;
mod state;
mod store;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Rlimit;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot, watch};

pub use archive::{ArchiveError, Export, Form, Import, Taking};
pub use care::{Care, Otherwise, Restart, Schedule};
pub use checkpoints::{Checkpoint, Entry, Order, Report};
pub use container::{CheckpointOptions, Ended, ProcessReport, ProcessView, Snapshot, Start, Update, Work};
pub use error::{Error, Result};
pub use events::{Event, Happened, Listener, Told};
pub use logs::{LogLine, LogQuery, LogReader};
pub use names::{BadName, CheckpointName, ContainerId};
pub use rules::{Behalf, Rules};
pub use state::{Status, Verb};
pub use store::{LogOf, OpenError, Store};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use {archive::fuzz as fuzz_archive, store::fuzz as fuzz_records};

use checkpoints::catalogue;
use container::Command;
use registry::{Places, Registry};

use crate::runtime::bundle::ProcessOverrides;
use crate::runtime::cgroup::Cgroup;
use crate::runtime::cgroup::systemd::{self, Home};
use crate::runtime::cpu::Cpu;
use crate::runtime::criu::{Criu, Feature};
use crate::runtime::options::CriuOptions;
use crate::runtime::preflight::{self, Blocker};
use crate::runtime::regular;
use crate::runtime::runc::Runc;
use crate::shares::{self, Shares};

/// As long as anybody waits, a year.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the daemon found out about its host when it started.
#[derive(Debug, Clone)]
pub struct Versions {
    /// runc's.
    pub runc: String,
    /// The kernel's release.
    pub kernel: String,
    /// 1 (also hybrid) or 2.
    pub cgroup: u8,
    /// The processor.
    pub cpu: Cpu,
}

/// What every container's task works with.
#[derive(Debug)]
pub(crate) struct Context {
    runc: Runc,
    criu: Criu,
    versions: Versions,
    /// What checkpoints are made with here, and what restores have.
    host: checkpoints::Host,
    shim: PathBuf,
    /// The limit of descriptors as the daemon was given it: a shim's, and its container's.
    descriptors: Rlimit,
    store: Store,
    events: events::Events,
    /// Starts at once: more of them at a time are slower in all.
    starts: Turns,
    /// The same for restores, which take longer: a start never waits for one.
    restores: Turns,
    /// Both, with those that wait.
    asked_starts: Shares,
    bounds: Bounds,
    busy: watch::Sender<Busy>,
    /// Who is cared for.
    carers: care::Carers,
    /// Checkpoints that are being made.
    claims: checkpoints::Claims,
    /// Archives on their way, in or out.
    archives: Shares,
    checkpoint_limit: Duration,
    rules: Rules,
    registry: Registry,
    places: Places,
    /// Who makes the cgroups.
    cgroups: CgroupsBy,
    /// Where shims live.
    home: Home,
}

impl Context {
    fn criu(&self) -> Result<&Criu> {
        match &self.criu {
            Criu::Works { .. } => Ok(&self.criu),
            Criu::Unusable { why, .. } => Err(Error::NoCriu(why.clone())),
        }
    }

    /// What one kernel has and another has not; with [`Context::criu`] before it.
    fn require(&self, feature: Feature) -> Result<()> {
        match &self.criu {
            Criu::Works { features, .. } if features.has(feature) => Ok(()),
            Criu::Works { .. } => Err(Error::Unavailable { feature, why: feature.obstacle().to_owned() }),
            Criu::Unusable { why, .. } => Err(Error::NoCriu(why.clone())),
        }
    }

    /// Where a container's cgroup will be, as far as that can be known, and whether systemd makes it.
    fn predict(&self, cgroups_path: Option<&Path>, id: &ContainerId) -> (Option<Cgroup>, bool) {
        let by_systemd = match self.cgroups {
            CgroupsBy::Systemd => true,
            CgroupsBy::Runc => false,
            CgroupsBy::Bundle => cgroups_path.is_some_and(systemd::is_unit) && systemd::manages(),
        };
        (Cgroup::predicted(cgroups_path, id.as_str(), by_systemd, &self.home), by_systemd)
    }

    /// What tells a runtime call of ours from every other program: our runtime's root, and a path that it alone has.
    fn call_of(&self, path: &Path) -> [String; 2] {
        [self.runc.root(), path].map(|path| path.to_string_lossy().into_owned())
    }

    /// How long a runtime call may take; one that moves memory takes longer.
    fn limit(&self, moves_memory: bool) -> Duration {
        if moves_memory { self.checkpoint_limit } else { self.runc.limit() }
    }
}

/// Who makes containers' cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CgroupsBy {
    /// Whoever the bundle names: systemd where its path is `SLICE:PREFIX:NAME` and systemd manages cgroup v2, else runc.
    Bundle,
    /// systemd, whatever the bundle says.
    Systemd,
    /// runc itself.
    Runc,
}

/// What a supervisor is made of.
#[derive(Debug)]
pub struct Parts {
    /// The runtime.
    pub runc: Runc,
    /// CRIU, or why there is none.
    pub criu: Criu,
    /// The host's versions.
    pub versions: Versions,
    /// The shim's executable.
    pub shim: PathBuf,
    /// The limit of descriptors that containers are given.
    pub descriptors: Rlimit,
    /// The two folders.
    pub store: Store,
    /// Who makes the cgroups.
    pub cgroups: CgroupsBy,
    /// Where shims live.
    pub home: Home,
    /// How many starts run at once.
    pub starts: usize,
    /// How much there may be.
    pub bounds: Bounds,
    /// How long a checkpoint or a restore may take.
    pub checkpoint_limit: Duration,
    /// What callers may have done.
    pub rules: Rules,
}

/// How much there may be of what takes memory, processes and disk.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Starts and restores that are under way, or wait.
    pub starts: usize,
    /// Containers, with those that have ended.
    pub containers: usize,
    /// What a container's log takes on the disk, in bytes.
    pub log: u64,
    /// What a bundle's checkpoints take on the disk, in bytes.
    pub checkpoints: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        // The fault tests have it rotated often.
        let log = crate::faults::size("LOG").unwrap_or(32 << 20);
        Self { starts: 1024, containers: 4096, log, checkpoints: 256 << 30 }
    }
}

/// What a checkpoint would meet.
#[derive(Debug)]
pub struct Preflight {
    /// What CRIU would refuse.
    pub blockers: Vec<Blocker>,
    /// Why none would be written, in a sentence.
    pub refused: Option<String>,
    /// Why it could not be restored here as things are, a sentence each.
    pub obstacles: Vec<String>,
}

/// What is over already when the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Not,
    Waits,
    All,
}

/// The supervisor; clones are the same one.
#[derive(Debug, Clone)]
pub struct Supervisor {
    context: Arc<Context>,
    closing: Arc<watch::Sender<Closing>>,
}

impl Supervisor {
    /// Takes back what an earlier daemon left, then is ready for requests.
    pub async fn open(parts: Parts) -> Result<Self> {
        let (folder, volatile) = parts.store.events();
        let events = store::blocking(move || {
            events::Events::open(&folder, &volatile).map_err(error::store("opening the events in", &folder))
        })
        .await?;
        let criu = match &parts.criu {
            Criu::Works { version, .. } => version.clone(),
            Criu::Unusable { .. } => String::new(),
        };
        let host = checkpoints::Host {
            runc: parts.versions.runc.clone(),
            criu,
            kernel: parts.versions.kernel.clone(),
            cpu: Some(parts.versions.cpu.clone()),
        };
        let context = Arc::new(Context {
            host,
            runc: parts.runc,
            criu: parts.criu,
            versions: parts.versions,
            shim: parts.shim,
            descriptors: parts.descriptors,
            store: parts.store,
            events,
            starts: Turns::new(parts.starts),
            restores: Turns::new(parts.starts),
            asked_starts: Shares::new(parts.bounds.starts, 1),
            bounds: parts.bounds,
            busy: watch::Sender::default(),
            carers: care::Carers::default(),
            claims: checkpoints::Claims::default(),
            archives: Shares::new(archive::AT_ONCE, 1),
            checkpoint_limit: parts.checkpoint_limit,
            rules: parts.rules,
            registry: Registry::default(),
            places: Places::default(),
            cgroups: parts.cgroups,
            home: parts.home,
        });
        recovery::recover(&context).await?;
        let supervisor = Self { context, closing: Arc::new(watch::Sender::new(Closing::Not)) };
        let rebooted = supervisor.context.store.is_another_boot();
        for snapshot in supervisor.list() {
            care::see_to(&supervisor, &snapshot.id, rebooted);
        }
        Ok(supervisor)
    }

    /// From now on nobody waits or follows any more; what changes something is done all the same.
    pub fn end_waits(&self) {
        self.closing.send_replace(Closing::Waits);
    }

    /// After [`Supervisor::end_waits`]: they may again.
    pub fn allow_waits(&self) {
        self.closing.send_replace(Closing::Not);
    }

    /// From now on nothing new is begun; what runs goes on.
    pub fn close(&self) {
        self.closing.send_replace(Closing::All);
    }

    /// Waits until nothing that was begun is under way, whoever asked for it and whether they still listen.
    pub async fn idle(&self) {
        // The sender lives as long as we do.
        let _ = self.context.busy.subscribe().wait_for(|busy| busy.since.is_empty()).await;
        self.context.events.written().await;
    }

    /// Whether anything that was begun is under way.
    pub fn is_busy(&self) -> bool {
        !self.context.busy.borrow().since.is_empty()
    }

    /// How long that which was begun first is under way.
    pub fn longest_under_way(&self) -> Duration {
        let first = self.context.busy.borrow().since.values().next().copied();
        first.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// CRIU as it was found.
    pub fn criu(&self) -> &Criu {
        &self.context.criu
    }

    /// The host's versions.
    pub fn versions(&self) -> &Versions {
        &self.context.versions
    }

    /// The runtime.
    pub fn runc(&self) -> &Runc {
        &self.context.runc
    }

    /// Every container, in order of name.
    pub fn list(&self) -> Vec<Arc<Snapshot>> {
        self.context.registry.snapshots()
    }

    /// One container.
    pub fn get(&self, id: &ContainerId) -> Result<Arc<Snapshot>> {
        self.context.registry.snapshot(id).ok_or_else(|| Error::NoContainer(id.clone()))
    }

    /// The container that a process is in, whoever it runs as.
    pub fn container_of(&self, pid: i32) -> Option<ContainerId> {
        self.context.places.holder(&Cgroup::of(pid)?)
    }

    /// What happens from now on, or what happened after a cursor.
    pub fn events(&self, since: Option<u64>) -> Listener {
        self.context.events.listen(since)
    }

    /// Starts or restores a container under a name that is free or whose container is stopped.
    pub async fn start(&self, id: &ContainerId, start: Start) -> Result<Arc<Snapshot>> {
        let _under_way = self.open_for_change()?;
        let _asked = self.context.asked_starts.one().map_err(Error::TooManyStarts)?;
        // Who has started those that an earlier daemon left is known no more.
        let all = self.context.bounds.containers;
        let most = if start.behalf.is_root { all } else { shares::for_others(all, 1) };
        loop {
            let queue = self.context.registry.reserve(id, most, |id| container::Task::new(&self.context, id));
            let queue = queue.ok_or(Error::TooManyContainers { there: most, left: all - most })?;
            let (reply, answer) = oneshot::channel();
            // A name that is given up just now is free the next moment: then it is reserved anew.
            if queue.send(Box::new(Command::Start(start.clone(), reply))).await.is_ok()
                && let Ok(answer) = answer.await
            {
                if answer.is_ok() {
                    care::see_to(self, id, false);
                }
                return answer;
            }
        }
    }

    /// Pauses, resumes, signals.
    pub async fn update(&self, id: &ContainerId, update: Update) -> Result<Arc<Snapshot>> {
        self.ask(id, |reply| Command::Update(update, reply)).await
    }

    /// Asks it to end with a signal, and kills it when it does not within the time.
    pub async fn stop(&self, id: &ContainerId, signal: i32, timeout: Duration) -> Result<Arc<Snapshot>> {
        self.ask(id, |reply| Command::Stop { signal, timeout, reply }).await
    }

    /// Waits until it is stopped, or for so long; gives what is then.
    pub async fn wait(&self, id: &ContainerId, limit: Option<Duration>) -> Result<Arc<Snapshot>> {
        self.until(id, limit, |snapshot| snapshot.status == Status::Stopped && !snapshot.never_started).await
    }

    /// Waits until a container is so, or for so long; gives what is then.
    async fn until(
        &self,
        id: &ContainerId,
        limit: Option<Duration>,
        so: impl Fn(&Snapshot) -> bool,
    ) -> Result<Arc<Snapshot>> {
        let mut view = self.context.registry.watch(id).ok_or_else(|| Error::NoContainer(id.clone()))?;
        let mut closing = self.closing.subscribe();
        let came = async {
            // Without a sender the container was deleted: what it was last is what it came to.
            let _ = view.wait_for(|snapshot| so(snapshot)).await;
            let last = Arc::clone(&view.borrow());
            // Its first start failed: there never was one.
            if last.never_started { Err(Error::NoContainer(id.clone())) } else { Ok(last) }
        };
        tokio::select! {
            snapshot = came => snapshot,
            () = tokio::time::sleep(limit.unwrap_or(FOREVER)) => self.get(id),
            _ = closing.wait_for(|closing| *closing != Closing::Not) => Err(Error::ShuttingDown),
        }
    }

    /// A process of the run that counts, running or ended.
    pub fn process(&self, id: &ContainerId, pid: i32) -> Result<ProcessReport> {
        self.get(id)?.process(pid).ok_or_else(|| Error::NoProcess { id: id.clone(), pid })
    }

    /// Waits until a process has ended, or for so long; gives what is then.
    pub async fn wait_process(
        &self,
        id: &ContainerId,
        pid: i32,
        limit: Option<Duration>,
    ) -> Result<ProcessReport> {
        self.process(id, pid)?;
        let snapshot = self.until(id, limit, |snapshot| !snapshot.is_running(pid)).await?;
        // The name was started again: how it ended is known no more.
        snapshot.process(pid).ok_or_else(|| Error::NoProcess { id: id.clone(), pid })
    }

    /// What it has written, and with `follow` goes on to write.
    pub fn logs(&self, id: &ContainerId, query: LogQuery) -> Result<LogReader> {
        let view = self.context.registry.watch(id).ok_or_else(|| Error::NoContainer(id.clone()))?;
        Ok(LogReader::new(self.context.store.logs(id), query, view, self.closing.subscribe()))
    }

    /// Adds a process.
    pub async fn exec(
        &self,
        id: &ContainerId,
        behalf: Behalf,
        process: ProcessOverrides,
        key: Option<String>,
    ) -> Result<ProcessView> {
        self.ask(id, |reply| Command::Exec { behalf, process, key, reply }).await
    }

    /// Signals any process of the container, by its pid on the host.
    pub async fn signal(&self, id: &ContainerId, pid: i32, signal: i32) -> Result<()> {
        self.ask(id, |reply| Command::Signal { pid, signal, reply }).await
    }

    /// Checkpoints it.
    pub async fn checkpoint(
        &self,
        id: &ContainerId,
        name: CheckpointName,
        options: CheckpointOptions,
    ) -> Result<Entry> {
        self.ask(id, |reply| Command::Checkpoint(name, options, reply)).await
    }

    /// What CRIU would refuse in it. Looked at from the outside, so it waits for nothing that is asked of the container.
    pub async fn checkpoint_preflight(
        &self,
        id: &ContainerId,
        wanted: CriuOptions,
        behalf: Behalf,
    ) -> Result<Preflight> {
        let init = self.admit_preflight(id)?;
        self.context.criu()?;
        let (bundle, hands) = (self.get(id)?.bundle.clone(), self.context.rules.hands(behalf));
        let looked = store::blocking(move || {
            // It waits until the program has begun: until then runc's own rights would be told.
            let blockers = preflight::check(init, wanted);
            let (rights, called) = preflight::rights(init);
            let command = |pid| called.iter().find(|(known, _)| *known == pid).map(|(_, name)| name.clone());
            Ok(Preflight {
                blockers,
                refused: checkpoints::refuse_loose(&bundle).err().map(|error| chain(&error)),
                obstacles: catalogue::Around::look(&bundle, hands).refuses(&rights, command),
            })
        });
        let looked = looked.await?;
        // It may have ended meanwhile, or begun to be dumped: then what was seen is not what it is.
        self.admit_preflight(id).map(|_| looked)
    }

    /// Its init process.
    fn admit_preflight(&self, id: &ContainerId) -> Result<i32> {
        let (snapshot, verb) = (self.get(id)?, Verb::Preflight);
        let status = snapshot.status;
        let wrong = |needs| Error::WrongState { id: id.clone(), status, verb, needs };
        status.admits(verb).map_err(wrong)?;
        snapshot.admit_loaded()?;
        snapshot.processes.first().map(|init| init.pid).ok_or_else(|| wrong("running or paused"))
    }

    /// The first `limit` checkpoints of its bundle, in an order.
    pub async fn checkpoints(
        &self,
        id: &ContainerId,
        order: Order,
        limit: Option<usize>,
        behalf: Behalf,
    ) -> Result<Vec<Entry>> {
        let (bundle, host) = (self.get(id)?.bundle.clone(), self.context.host.clone());
        let hands = self.context.rules.hands(behalf);
        store::blocking(move || {
            catalogue::entries(&catalogue::Around::look(&bundle, hands), &host, order, limit)
        })
        .await
    }

    /// All that is known of a checkpoint of its bundle.
    pub async fn checkpoint_report(
        &self,
        id: &ContainerId,
        name: CheckpointName,
        behalf: Behalf,
    ) -> Result<Report> {
        let (bundle, host) = (self.get(id)?.bundle.clone(), self.context.host.clone());
        let hands = self.context.rules.hands(behalf);
        store::blocking(move || catalogue::report(&catalogue::Around::look(&bundle, hands), &host, &name))
            .await
    }

    /// CRIU's log of the dump that made a checkpoint, or of the newest that did not; or of the newest
    /// restore that failed. A container that could not be restored need not exist.
    pub async fn checkpoint_log(&self, id: &ContainerId, name: CheckpointName, of: LogOf) -> Result<File> {
        let (context, id) = (Arc::clone(&self.context), id.clone());
        let bundle = self.get(&id).ok().map(|snapshot| snapshot.bundle.clone());
        store::blocking(move || {
            let made = match (of, bundle) {
                (LogOf::Dump, Some(bundle)) => {
                    checkpoints::open(&bundle, &name).ok().and_then(|made| catalogue::log(&made))
                }
                (LogOf::Dump, None) | (LogOf::Restore, _) => None,
            };
            let log = made.or_else(|| context.store.failed_log(&id, of, &name));
            let log = log.ok_or(Error::NoLog { name, of })?;
            regular::open(&log).map_err(error::store("opening", log))
        })
        .await
    }

    /// Calls off the checkpoint or the restore that is under way, and waits until it has ended: undone, or done just
    /// before.
    pub async fn cancel(&self, id: &ContainerId) -> Result<()> {
        let _under_way = self.open_for_change()?;
        let nothing = || Error::NothingUnderWay(id.clone());
        let work = self.get(id)?.under_way.clone().ok_or_else(nothing)?;
        work.cancel();
        let is_over =
            |snapshot: &Snapshot| !snapshot.under_way.as_ref().is_some_and(|now| Arc::ptr_eq(now, &work));
        match self.until(id, None, is_over).await {
            // A restore under a new name leaves no such container.
            Ok(_) | Err(Error::NoContainer(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Deletes a checkpoint of its bundle.
    pub async fn delete_checkpoint(&self, id: &ContainerId, name: CheckpointName) -> Result<()> {
        self.ask(id, |reply| Command::DeleteCheckpoint(name, reply)).await
    }

    /// Forgets it; with `force` it is killed first.
    pub async fn delete(&self, id: &ContainerId, force: bool) -> Result<()> {
        self.ask(id, |reply| Command::Delete { force, reply }).await
    }

    /// A request counts from before it is in a queue: between two of a container's nothing looks idle.
    fn open_for_change(&self) -> Result<UnderWay> {
        let under_way = UnderWay::begin(&self.context.busy);
        if *self.closing.borrow() == Closing::All { Err(Error::ShuttingDown) } else { Ok(under_way) }
    }

    async fn ask<T>(
        &self,
        id: &ContainerId,
        command: impl FnOnce(oneshot::Sender<Result<T>>) -> Command,
    ) -> Result<T> {
        let _under_way = self.open_for_change()?;
        let missing = || Error::NoContainer(id.clone());
        let queue = self.context.registry.queue(id).ok_or_else(missing)?;
        let (reply, answer) = oneshot::channel();
        queue.send(Box::new(command(reply))).await.map_err(|_| missing())?;
        // Unanswered: the container was forgotten before its turn came.
        answer.await.map_err(|_| missing())?
    }
}

/// Whose start goes on when as many as may be at once do: the next in order, but for others than root not the last
/// quarter, so that those of theirs that hang keep root out of nothing.
#[derive(Debug)]
struct Turns {
    all: Semaphore,
    others: Semaphore,
}

impl Turns {
    fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { all: Semaphore::new(most), others: Semaphore::new(shares::for_others(most, 1).max(1)) }
    }

    /// Waits for it; it is over when what is given is dropped.
    async fn take(&self, behalf: Behalf) -> Result<[Option<SemaphorePermit<'_>>; 2]> {
        // Closed only when the daemon ends.
        let closed = |_| Error::ShuttingDown;
        let others = if behalf.is_root { None } else { Some(self.others.acquire().await.map_err(closed)?) };
        Ok([others, Some(self.all.acquire().await.map_err(closed)?)])
    }
}

/// Since when requests are waiting or being obeyed, in order; one of which both sides know is there twice.
#[derive(Debug, Default)]
struct Busy {
    since: BTreeMap<u64, Instant>,
    next: u64,
}

/// A request that has been taken and not been answered.
#[derive(Debug)]
struct UnderWay {
    busy: watch::Sender<Busy>,
    number: u64,
}

impl UnderWay {
    fn begin(busy: &watch::Sender<Busy>) -> Self {
        let mut number = 0;
        busy.send_modify(|busy| {
            (number, busy.next) = (busy.next, busy.next + 1);
            busy.since.insert(number, Instant::now());
        });
        Self { busy: busy.clone(), number }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.busy.send_modify(|busy| {
            busy.since.remove(&self.number);
        });
    }
}

/// An error with all that caused it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}
