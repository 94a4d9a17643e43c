//! Start and restore, and the one place where a start that failed is undone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::calls::Wanted;
use super::plan::{Loopback, Plan, plan};
use super::underway::{Call, Work};
use super::{Life, Snapshot, Start, Task};
use crate::ipc::{CONSOLE, Pages, ProcessKey, Role};
use crate::runtime::bundle::Bundle;
use crate::runtime::cgroup::{self, Cgroup};
use crate::runtime::criu::{self, Feature, lazy};
use crate::runtime::occupants::{self, Occupant};
use crate::runtime::options::Verb;
use crate::runtime::process::Held;
use crate::runtime::program::Program;
use crate::runtime::{self, mounts, netns};
use crate::supervisor::Context;
use crate::supervisor::error::{CriuFailure, Error, Result};
use crate::supervisor::link::Link;
use crate::supervisor::names::{CheckpointName, ContainerId};
use crate::supervisor::state::{Change, Status};
use crate::supervisor::store::{Journal, LogOf, PID_FILE, RECORD_VERSION, Record, Run, blocking};

/// CRIU's name for the log of a restore.
pub(super) const RESTORE_LOG: &str = "restore.log";

impl Task {
    pub(super) async fn start(&mut self, start: Start) -> Result<Arc<Snapshot>> {
        if start.key.is_some() && start.key == self.snapshot.key {
            return Ok(Arc::new(self.snapshot.clone()));
        }
        if self.snapshot.status != Status::Stopped {
            return Err(Error::NameTaken { id: self.id().clone(), status: self.snapshot.status });
        }
        let outcome = self.try_start(start).await;
        if outcome.is_err() && self.run == 0 {
            // There never was such a container: the name is free again before the caller hears of it.
            self.context.registry.remove(self.id());
            self.gone = true;
        }
        outcome
    }

    pub(super) async fn try_start(&mut self, start: Start) -> Result<Arc<Snapshot>> {
        let (key, care, again, behalf) = (start.key.clone(), start.care.clone(), start.again, start.behalf);
        if start.lazy_pages {
            self.context.criu()?;
            self.context.require(Feature::LazyPages)?;
        }
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        // In one go: on a host at rest every thread that is woken costs as much as what it does.
        let planned = blocking(move || {
            let mut plan = plan(start, &context.claims, &context.host, &context.rules)?;
            if plan.checkpoint.is_some() {
                context.criu()?;
            }
            (plan.place, plan.by_systemd) = context.predict(plan.bundle.cgroups_path(), &id);
            let left = plan.place.as_ref().map(|place| look_at(&context, &id, place)).transpose()?;
            Ok((plan, left.flatten()))
        });
        let (mut plan, left) = planned.await?;
        if let Some((place, left)) = plan.place.clone().zip(left) {
            self.clear_place(place, left).await?;
        }
        let context = Arc::clone(&self.context);
        let turns = if plan.checkpoint.is_some() { &context.restores } else { &context.starts };
        let _turn = turns.take(behalf).await?;

        crate::cut!("start.planned");
        let (restarts, failures) = again.map_or((0, 0), |again| (again.restarts, again.failures));
        let number = self.run + 1;
        let record = Record {
            version: RECORD_VERSION,
            id: self.id().clone(),
            bundle: plan.bundle.path().to_owned(),
            checkpoint: plan.checkpoint.as_ref().map(|checkpoint| checkpoint.name.clone()),
            lazy_pages: plan.lazy,
            created_at: Timestamp::now(),
            run: number,
            process: plan.process.clone(),
            cursor: self.context.events.last(),
            key,
            care: care.as_deref().cloned(),
            restarts,
            failures,
        };
        let reborn = Snapshot { status: self.snapshot.status, ..Snapshot::of_record(&record) };
        let begun = begin(Arc::clone(&context), record, plan.bundle.clone(), plan.leaf(self.id())).await?;
        let run = begun.run.clone();

        let before = std::mem::replace(&mut self.snapshot, reborn);
        self.change(Change::Begun);

        let work = plan.work();
        let launched = self.launch(&plan, begun, work.as_ref()).await;
        match launched {
            Ok(()) => {
                self.run = number;
                if plan.lazy {
                    self.pages_come(plan.claim.take());
                }
                let restored = plan.checkpoint.is_some();
                crate::cut!("start.telling");
                self.tell_began(false);
                crate::cut!("start.told");
                tracing::info!(container = %self.id(), restored, bundle = %self.snapshot.bundle.display(), "started");
                Ok(Arc::new(self.snapshot.clone()))
            }
            Err(error) => {
                self.undo(run, plan.leaf(self.id())).await;
                self.snapshot = before;
                self.publish();
                let error = match error {
                    Error::ShimLost(id) => Error::ShimLostEarly(id),
                    error => error,
                };
                Err(match work {
                    Some(work) => self.is_over(&work)(error),
                    None => error,
                })
            }
        }
    }

    async fn launch(&mut self, plan: &Plan, begun: Begun, work: Option<&Arc<Work>>) -> Result<()> {
        let id = self.id().clone();
        let Begun { run, shim, prepared } = begun;
        let launched = self.try_launch(plan, &run, shim, work).await;
        // Also after a failure: it is not to be written behind its removal.
        let prepared = prepared.await.unwrap_or(Err(Error::ShuttingDown));
        let init = launched?;
        crate::cut!("start.launched");
        // Held before anything else can fail, so that it can be ended.
        if let Some(life) = self.life.as_mut() {
            life.hold(init).map_err(|source| Error::Runtime { id: id.clone(), source })?;
            // A restore may land where the dumped one was, and not where it was told to.
            if let Some(place) = life.cgroup.clone() {
                self.take_place(place)?;
            }
        }
        let alone = self.assert_alone(&run, plan.leaf(&id));
        let (context, raises) = (Arc::clone(&self.context), plan.loopback == Loopback::Afterwards);
        let settled = blocking(move || {
            alone()?;
            // Without it nothing fails that ran when it was dumped.
            if raises && let Err(error) = netns::raise_loopback(init.pid) {
                tracing::warn!(container = %id, %error, "the loopback device of a restored container stays down");
            }
            prepared?;
            crate::cut!("start.prepared");
            context.store.commit(&id, &run, &init)
        });
        settled.await?;

        crate::cut!("start.committed");
        self.snapshot.under_way = None;
        self.snapshot.pages = plan.lazy.then_some(Pages::Loading);
        self.snapshot.processes = vec![super::ProcessView::new(init.pid, &plan.process)];
        self.change(Change::Started);
        Ok(())
    }

    async fn try_launch(
        &mut self,
        plan: &Plan,
        run: &Run,
        shim: std::io::Result<(Link, Option<Held>)>,
        work: Option<&Arc<Work>>,
    ) -> Result<ProcessKey> {
        let (link, shim) = shim.map_err(|source| Error::Shim { id: self.id().clone(), source })?;
        // A run that this name has left behind in runc would refuse the new one. Nobody listens to the shim meanwhile: what
        // it says first a lazy restore waits for.
        crate::cut!("start.clearing");
        let cleared = self.clear_runtime(true).await;
        crate::cut!("start.cleared");
        self.life = Some(Life::new(run.clone(), Some(link), shim, plan.process.clone()));
        cleared?;
        // Its processes are known as its own before there are any. Where systemd makes cgroups that cannot be.
        if let Some(place) = plan.place.clone() {
            self.take_place(place)?;
        }
        let _watch = work.map(|work| self.is_under_way(work, Call::Restore(run.volatile.join(PID_FILE))));
        self.launch_init(plan, run).await
    }

    /// Of a place that is occupied: what is left of this name's own is cleared first, and who is about to end is waited
    /// for. `left`: runc knows such a name.
    async fn clear_place(&mut self, place: Cgroup, left: bool) -> Result<()> {
        if left {
            self.clear_runtime(true).await?;
        }
        let id = self.id().clone();
        blocking(move || nobody_in(&id, &place, occupants::lasting(&place))).await
    }

    /// Whether who is in the cgroup comes of the shim. Of two daemons that start one name at the same moment each looks
    /// when its own processes are there, so at least one sees the other's and gives way; both may. Until then the cgroup's
    /// limits may be the other's, and a daemon that is killed in this very moment has its next clear the cgroup of all who
    /// began since. Gives what blocks.
    fn assert_alone(&self, run: &Run, leaf: PathBuf) -> impl FnOnce() -> Result<()> + Send + use<> {
        let life = self.life.as_ref();
        let place = life.and_then(|life| life.cgroup.clone());
        let known = place.zip(life.and_then(|life| life.shim.as_ref()).map(Held::pid));
        let (context, id, run) = (Arc::clone(&self.context), self.id().clone(), run.clone());
        move || {
            let Some((place, shim)) = known else { return Ok(()) };
            let by = occupants::of(&place, Some(shim));
            if !by.is_empty() {
                // What is undone now is no longer all that began since: ours alone.
                context.store.note(&run, &Journal::Start { cgroup: leaf, began: None })?;
                occupants::end_family(shim);
            }
            nobody_in(&id, &place, by)
        }
    }

    fn take_place(&self, place: Cgroup) -> Result<()> {
        let id = self.id();
        let taken = self.context.places.take(id, place);
        taken.map_err(|other| Error::CgroupShared { id: id.clone(), other })
    }

    async fn launch_init(&mut self, plan: &Plan, run: &Run) -> Result<ProcessKey> {
        let pid_file = run.volatile.join(PID_FILE);
        let log = run.volatile.join("runc.log");
        let console = plan.stdio.terminal.then_some(CONSOLE);
        let limit = self.context.limit(plan.checkpoint.is_some());
        let folder = plan.restore_folder(run, &self.context.shim).await?;
        let bundle = folder.as_deref().unwrap_or(plan.bundle.real());
        let verb = match &plan.checkpoint {
            None => Verb::Run { bundle, pid_file: &pid_file, console, systemd_cgroup: plan.by_systemd },
            Some(checkpoint) => Verb::Restore {
                bundle,
                pid_file: &pid_file,
                console,
                images: &checkpoint.images,
                work: &run.volatile,
                criu: checkpoint.options,
                lazy_pages: plan.lazy,
                systemd_cgroup: plan.by_systemd,
            },
        };
        let page_server = self.page_server(plan, run)?;
        if page_server.is_some() {
            self.require_page_server().await?;
        }
        let place = plan.place.as_ref().and_then(|place| place.unified_path().map(str::to_owned));
        let wanted = Wanted {
            pid_file: pid_file.clone(),
            log,
            role: Role::Init,
            stdio: plan.stdio.clone(),
            place: plan.checkpoint.as_ref().and(place),
            note: None,
            page_server,
        };
        let launched = self.launch_process(&verb, wanted, limit).await;
        match launched {
            Ok(init) => Ok(init),
            Err(error) => match &plan.checkpoint {
                None => Err(error),
                Some(checkpoint) => {
                    // Without a page server CRIU was not begun with.
                    let logs = [RESTORE_LOG, lazy::LOG].map(|name| run.volatile.join(name));
                    let log = logs.iter().find(|log| log.exists()).unwrap_or(&logs[0]).clone();
                    Err(self.with_criu_words(error, LogOf::Restore, &checkpoint.name, log).await)
                }
            },
        }
    }

    /// What brings the pages of a lazy restore.
    fn page_server(&self, plan: &Plan, run: &Run) -> Result<Option<Box<Program>>> {
        let Some(checkpoint) = plan.checkpoint.as_ref().filter(|_| plan.lazy) else { return Ok(None) };
        let criu = self.context.criu()?.path();
        Ok(Some(Box::new(lazy::page_server(criu, &checkpoint.images, &run.volatile))))
    }

    /// runc says "criu failed" and names a log that will be gone; CRIU's own words are in that log, and it
    /// is kept.
    pub(super) async fn with_criu_words(
        &self,
        error: Error,
        of: LogOf,
        checkpoint: &CheckpointName,
        log: PathBuf,
    ) -> Error {
        let Error::Runtime { id, source: runtime::Error::Failed { verb, words } } = error else {
            return error;
        };
        if self.snapshot.under_way.as_ref().is_some_and(|work| work.is_cancelled()) {
            // Nobody asks why, and its log would take the place of another's.
            return Error::Runtime { id, source: runtime::Error::Failed { verb, words } };
        }
        let (context, name, kept_for) = (Arc::clone(&self.context), id.clone(), checkpoint.clone());
        let lost = log.to_string_lossy().into_owned();
        let kept = blocking(move || {
            let kept = context.store.keep_failed_log(&name, of, &kept_for, &log);
            Ok((criu::log_errors(&log), criu::log_tail(&log), kept))
        });
        let (said, tail, log) = kept.await.unwrap_or_default();
        // runc names the log where it was made.
        let words = match &log {
            Some(log) => words.replace(&lost, &log.to_string_lossy()),
            None => words,
        };
        let words = if said.is_empty() { words } else { format!("{words}; CRIU says: {said}") };
        let source = runtime::Error::Failed { verb, words };
        Error::Criu(Box::new(CriuFailure { id, checkpoint: checkpoint.clone(), of, source, log, tail }))
    }

    /// A start failed: in reverse, the shim, runc's state, what a killed runc left of cgroups, the folders.
    async fn undo(&mut self, run: Run, leaf: PathBuf) {
        crate::cut!("undo.begun");
        self.context.places.leave(self.id());
        self.end_orphans(&run.volatile.join(PID_FILE)).await;
        if let Some(life) = self.life.take() {
            if let Some(init) = &life.init {
                let _ = init.signal(9);
            }
            // Without a daemon and a container a shim ends by itself.
            drop(life.link);
            if let Some(shim) = life.shim {
                end_shim(&shim).await;
            }
        }
        if self.snapshot.lazy {
            let folder = run.volatile.clone();
            let _ = blocking(move || {
                lazy::end(&folder);
                Ok(())
            })
            .await;
        }
        crate::cut!("undo.shim-ended");
        if let Err(error) = self.clear_runtime(true).await {
            tracing::error!(container = %self.id(), error = %crate::supervisor::chain(&error), "a failed start leaves runtime state behind");
        }
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        let state = self.context.runc.state_folder(id.as_str());
        let _ = blocking(move || {
            crate::cut!("undo.cleared");
            let began = match context.store.journal(&run) {
                Some(Journal::Start { began, .. }) => began,
                _ => None,
            };
            cgroup::clear(&leaf, began);
            // A runc that was killed may have left a folder without a state in it: then it knows nothing.
            if let Err(error) = mounts::remove_shallow(&state) {
                tracing::error!(folder = %state.display(), %error, "a failed start leaves runtime state behind");
            }
            crate::cut!("undo.abandoning");
            context.store.abandon(&id, &run);
            Ok(())
        })
        .await;
    }
}

/// A start whose journal is written, and whose shim is there.
struct Begun {
    run: Run,
    shim: std::io::Result<(Link, Option<Held>)>,
    /// The record reaches the disk beside the runtime call and not in front of it.
    prepared: JoinHandle<Result<()>>,
}

/// In one go, as far as it can be: see [`Task::try_start`].
async fn begin(context: Arc<Context>, record: Record, bundle: Bundle, leaf: PathBuf) -> Result<Begun> {
    let (told, begun) = oneshot::channel();
    let prepared = tokio::spawn(blocking(move || {
        // It may have waited for others.
        let same = bundle.assert_same();
        let same = same.map_err(|source| Error::Bundle { path: bundle.path().to_owned(), source });
        let begun = same.and_then(|()| context.store.begin(&record.id, record.run, leaf, bundle.config()));
        let run = match begun {
            Ok(run) => run,
            Err(error) => {
                drop(told.send(Err(error)));
                return Ok(());
            }
        };
        crate::cut!("start.noted");
        // The newest file of the log and the one before it.
        let log_cap = context.bounds.log / 2;
        let runtime = context.runc.sealed();
        let shim =
            Link::spawn(&context.shim, &record.id, &run, &context.descriptors, log_cap, runtime.as_deref());
        // Put where shims live, before it makes anything.
        let shim = shim.and_then(|(link, shim)| {
            shim.as_ref().map_or(Ok(()), |shim| context.home.settle(shim.pid()))?;
            Ok((link, shim))
        });
        crate::cut!("start.shim-spawned");
        drop(told.send(Ok((run, shim))));
        context.store.prepare(&record)
    }));
    let (run, shim) = begun.await.unwrap_or(Err(Error::ShuttingDown))?;
    Ok(Begun { run, shim, prepared })
}

/// Waits for a shim's end; one that does not end is killed.
async fn end_shim(shim: &Held) {
    let Ok(fd) = shim.watch() else { return };
    if tokio::time::timeout(Duration::from_secs(5), fd.readable()).await.is_err() {
        let _ = shim.signal(9);
        let _ = tokio::time::timeout(Duration::from_secs(1), fd.readable()).await;
    }
}

/// The cgroup is to be nobody's: that of a name is the same for every daemon of the host, and for every other who calls
/// runc. `None`: nobody is in it; else whether runc knows such a name. Blocks.
///
/// Who comes between this look and the start is seen by [`Task::assert_alone`]. Who comes later is not: this name's
/// processes are there by then, and a daemon sees them, as we do here; a plain runc only warns of them. Where systemd
/// makes the cgroups it refuses a unit that is there.
fn look_at(context: &Context, id: &ContainerId, place: &Cgroup) -> Result<Option<bool>> {
    if let Some(other) = context.places.conflict(id, place) {
        return Err(Error::CgroupShared { id: id.clone(), other });
    }
    context.store.admit(id)?;
    let occupied = !occupants::of(place, None).is_empty();
    Ok(occupied.then(|| context.runc.knows(id.as_str())))
}

fn nobody_in(id: &ContainerId, place: &Cgroup, by: Vec<Occupant>) -> Result<()> {
    if by.is_empty() {
        return Ok(());
    }
    Err(Error::CgroupOccupied { id: id.clone(), place: place.path().to_owned(), by })
}
