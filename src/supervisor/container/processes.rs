//! Added processes, signals, pause and resume.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oci_spec::runtime::Process;

use super::calls::{Answer, Wanted};
use super::{Life, ProcessView, Snapshot, Task, Update};
use crate::ipc::{AddedExit, CONSOLE, Hello, Pages, ProcessKey, Role, Stdio};
use crate::runtime;
use crate::runtime::bundle::{ProcessOverrides, added_process};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::options;
use crate::runtime::process::Held;
use crate::supervisor::error::{Error, Result, store};
use crate::supervisor::events::Happened;
use crate::supervisor::rules::Behalf;
use crate::supervisor::state::{Change, Status, Verb};
use crate::supervisor::store::{Record, Run, blocking};

pub(super) const SIGKILL: i32 = 9;
/// How often runc is asked to freeze: on cgroup v1 it tries for a moment and then gives up ("unable to freeze",
/// libcontainer/cgroups/fs/freezer.go), which on a busy host is soon.
const FREEZES: u32 = 3;
/// And for how long while its pages come: a system call that waits for one cannot be frozen before it is there.
const LOADING: Duration = Duration::from_secs(10);

impl Task {
    /// `key`: what was added by it is not added again.
    pub(super) async fn exec(
        &mut self,
        behalf: Behalf,
        overrides: ProcessOverrides,
        key: Option<String>,
    ) -> Result<ProcessView> {
        if let Some(added) = key.as_deref().and_then(|key| self.snapshot.added_by(key)) {
            return Ok(added);
        }
        self.admit(Verb::Exec)?;
        let Some(life) = self.life.as_ref() else { return Err(Error::ShimLost(self.id().clone())) };
        let process = added_process(&life.process, &overrides);
        self.admit_exec(behalf, &life.run, &process).await?;
        let Some(life) = self.life.as_ref() else { return Err(Error::ShimLost(self.id().clone())) };
        // The shim's answer carries the request's number, so the files can have it too.
        let (run, seq) = (life.run.clone(), life.seq + 1);
        // The pid is known when the process is: then it is put in.
        let view = ProcessView { key, ..ProcessView::new(0, &process) };
        let outcome = self.try_exec(&run, seq, &process, view).await;
        if matches!(outcome, Err(Error::ShimLost(_))) {
            self.end_orphan(&run, seq).await;
        }
        if outcome.is_err() {
            remove_files(&run, seq);
            // A container that has ended meanwhile is the better answer.
            self.hear_out().await;
            self.admit(Verb::Exec)?;
        }
        outcome
    }

    /// Whether the rules let them, in a container that somebody else may have started.
    async fn admit_exec(&self, behalf: Behalf, run: &Run, process: &Process) -> Result<()> {
        if behalf.is_root {
            return Ok(());
        }
        let (context, run, process) = (Arc::clone(&self.context), run.clone(), process.clone());
        let bundle = self.snapshot.bundle.clone();
        blocking(move || context.rules.admit_exec(behalf, &run.config(&bundle), &bundle, &process)).await
    }

    /// A shim that was killed in the middle leaves its runc to go on, or what that has just made: nobody's, and
    /// ended.
    async fn end_orphan(&self, run: &Run, seq: u64) {
        let [_, _, pid_file, ..] = files(run, seq);
        self.end_orphans(&pid_file).await;
        let named = fs::read_to_string(&pid_file).ok().and_then(|pid| pid.trim().parse().ok());
        if let Some(Ok(Some(held))) = named.map(Held::open)
            && self.owns(&held)
        {
            let _ = held.signal(SIGKILL);
        }
    }

    /// One of an earlier daemon's that hangs: who asked for it is gone, and it is ended.
    pub(super) async fn end_exec(&mut self, seq: u64) {
        let Some(run) = self.life.as_ref().map(|life| life.run.clone()) else { return };
        tracing::warn!(container = %self.id(), "an added process that was cut off is undone");
        self.end_orphan(&run, seq).await;
        if let Ok(Answer::Launched(key)) = self.answer(seq, Duration::ZERO).await
            && let Ok(Some(held)) = Held::open_same(key.pid, key.start_time)
        {
            let _ = held.signal(SIGKILL);
        }
        remove_files(&run, seq);
    }

    async fn try_exec(
        &mut self,
        run: &Run,
        seq: u64,
        process: &Process,
        view: ProcessView,
    ) -> Result<ProcessView> {
        crate::cut!("exec.begun");
        let [file, note_file, pid_file, log, _] = files(run, seq);
        let json = |error: serde_json::Error| store("writing", &file)(error.into());
        let written = [
            (file.clone(), serde_json::to_vec(process).map_err(json)?),
            (note_file, serde_json::to_vec(&view).map_err(json)?),
        ];
        let note = serde_json::to_value(view.clone().once_ended()).map_err(json)?;
        blocking(move || {
            written
                .iter()
                .try_for_each(|(file, bytes)| fs::write(file, bytes).map_err(store("writing", file)))
        })
        .await?;

        crate::cut!("exec.written");
        let terminal = process.terminal().unwrap_or(false);
        let verb =
            options::Verb::Exec { process: &file, pid_file: &pid_file, console: terminal.then_some(CONSOLE) };
        let stdio = Stdio { terminal, stdout: None, stderr: None };
        let wanted = Wanted {
            pid_file: pid_file.clone(),
            log,
            role: Role::Added,
            stdio,
            place: None,
            note: Some(note),
            page_server: None,
        };
        let limit = self.context.limit(false);
        let key = self.launch_process(&verb, wanted, limit).await?;
        crate::cut!("exec.launched");
        Ok(self.added(key, seq, view))
    }

    /// The process runs; one that has ended already is taken off the list by the shim's next message.
    fn added(&mut self, key: ProcessKey, seq: u64, view: ProcessView) -> ProcessView {
        let mut view = view;
        if let Some(life) = self.life.as_mut() {
            // For a daemon that finds no shim. On tmpfs; without it that daemon does not list the process.
            let [.., held] = files(&life.run, seq);
            let _ = serde_json::to_vec(&key).map_err(io::Error::from).and_then(|key| fs::write(held, key));
            view = life.add(key, seq, view, None, &mut self.snapshot);
            self.publish();
        }
        crate::cut!("exec.listed");
        self.emit(Happened::Exec { pid: key.pid, seq });
        crate::cut!("exec.told");
        view
    }

    /// A process that an earlier daemon asked for and did not hear of.
    pub(super) fn adopt_added(&mut self, seq: u64, key: ProcessKey) {
        let Some(life) = self.life.as_ref() else { return };
        if let Some(view) = noted(&life.run, seq) {
            self.added(key, seq, view);
        }
    }

    /// To a process of this container and to no other: it is held first, then its cgroup says whose it is;
    /// a pid that is reused in between is another process than the one held.
    pub(super) fn signal_process(&mut self, pid: i32, signal: i32) -> Result<()> {
        self.admit(Verb::Signal)?;
        let missing = || Error::NoProcess { id: self.id().clone(), pid };
        let held = Held::open(pid).map_err(|source| self.fail(source))?.ok_or_else(missing)?;
        if !self.owns(&held) {
            return Err(missing());
        }
        let sent = held.signal(signal).map_err(|source| self.fail(source))?;
        crate::cut!("signal.sent");
        if sent { Ok(()) } else { Err(missing()) }
    }

    /// Whether a process is in this container's cgroup. It is held, so the answer is about no other.
    fn owns(&self, held: &Held) -> bool {
        let own = self.life.as_ref().and_then(|life| life.cgroup.as_ref());
        own.is_some_and(|own| Cgroup::of(held.pid()).is_some_and(|cgroup| cgroup.is_within(own)))
    }

    pub(super) async fn update(&mut self, update: Update) -> Result<Arc<Snapshot>> {
        match update.paused {
            Some(true) => self.pause().await?,
            Some(false) => self.resume().await?,
            None => {}
        }
        if let Some(signal) = update.signal {
            self.signal_init(signal).await?;
        }
        Ok(Arc::new(self.snapshot.clone()))
    }

    async fn signal_init(&mut self, signal: i32) -> Result<()> {
        self.admit(Verb::Signal)?;
        let init = self.life.as_ref().and_then(|life| life.init.as_ref());
        let sent = init.map(|init| init.signal(signal)).transpose().map_err(|source| self.fail(source))?;
        if sent != Some(true) {
            // It has just ended; the shim is about to say so.
            let (id, status) = (self.id().clone(), Status::Stopped);
            return Err(Error::WrongState { id, status, verb: Verb::Signal, needs: "running or paused" });
        }
        // A frozen process dies when it is thawed (cgroup v1): a kill is to kill.
        if signal == SIGKILL && self.snapshot.status == Status::Paused {
            self.resume().await?;
        }
        Ok(())
    }

    async fn pause(&mut self) -> Result<()> {
        self.admit(Verb::Pause)?;
        if self.snapshot.status == Status::Paused {
            return Ok(());
        }
        let (begun, mut asked) = (Instant::now(), 0);
        let outcome = loop {
            let outcome = self.call(options::Verb::Pause).await;
            asked += 1;
            if outcome.is_err() {
                self.hear_out().await;
            }
            self.admit(Verb::Pause)?;
            let loading = self.snapshot.pages == Some(Pages::Loading) && begun.elapsed() < LOADING;
            match outcome {
                Err(Error::Runtime { source: runtime::Error::Failed { .. }, .. })
                    if (asked < FREEZES || loading) && self.is_frozen() == Some(false) => {}
                outcome => break outcome,
            }
        };
        let outcome = outcome.and_then(|()| match self.is_frozen() {
            Some(false) => Err(self.unbelieved("pause", "the container is not frozen")),
            Some(true) | None => Ok(()),
        });
        if outcome.is_err() {
            // A runc that was ended halfway may have frozen it: what was begun is undone.
            let _ = self.call(options::Verb::Resume).await;
            // What could not be undone is told as it is.
            if self.snapshot.status != Status::Running || self.is_frozen() != Some(true) {
                return outcome;
            }
        }
        crate::cut!("pause.frozen");
        self.change(Change::Paused);
        crate::cut!("pause.telling");
        self.emit(Happened::Pause);
        outcome
    }

    pub(super) async fn resume(&mut self) -> Result<()> {
        self.admit(Verb::Resume)?;
        if self.snapshot.status == Status::Running {
            return Ok(());
        }
        let outcome = self.call(options::Verb::Resume).await;
        // One that was killed while frozen dies as it is thawed.
        if self.snapshot.status == Status::Stopped {
            return Ok(());
        }
        // The cgroup says whether it runs, whatever runc says.
        match self.is_frozen() {
            Some(true) => {
                return outcome
                    .and_then(|()| Err(self.unbelieved("resume", "the container is still frozen")));
            }
            Some(false) => {}
            None => outcome?,
        }
        crate::cut!("resume.thawed");
        self.change(Change::Resumed);
        crate::cut!("resume.telling");
        self.emit(Happened::Resume);
        Ok(())
    }

    /// Whether its cgroup is frozen. `None`: it is not known which that is.
    pub(super) fn is_frozen(&self) -> Option<bool> {
        Some(self.life.as_ref()?.cgroup.as_ref()?.is_frozen())
    }

    /// runc said that all is well, and it is not.
    pub(super) fn unbelieved(&self, verb: &'static str, what: &str) -> Error {
        self.fail(runtime::Error::Failed { verb, words: format!("it ended with 0 but {what}") })
    }
}

/// The added processes of an earlier daemon's, by the files that it has left: the shim knows pids alone.
pub(super) fn recover(life: &mut Life, hello: &Hello, snapshot: &mut Snapshot) {
    let (running, busy) = (&hello.added, hello.busy);
    for seq in noted_seqs(&life.run) {
        life.seq = life.seq.max(seq);
        if busy == Some(seq) {
            continue;
        }
        let [_, _, pid_file, ..] = files(&life.run, seq);
        let pid = fs::read_to_string(pid_file).ok().and_then(|pid| pid.trim().parse::<i32>().ok());
        let view = noted(&life.run, seq);
        let key = running.iter().find(|key| Some(key.pid) == pid);
        // Of one that has ended, the files stay until its end was told.
        if let (Some(key), Some(view)) = (key, view) {
            life.add(*key, seq, view, None, snapshot);
        }
    }
}

/// The added processes of a run whose shim is gone: those that are the same still, each watched by its pidfd.
pub(super) fn recover_unseen(life: &mut Life, snapshot: &mut Snapshot) {
    for seq in noted_seqs(&life.run) {
        life.seq = life.seq.max(seq);
        let [.., file] = files(&life.run, seq);
        let key = fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<ProcessKey>(&bytes).ok());
        let held = key.and_then(|key| Held::open_same(key.pid, key.start_time).ok().flatten());
        let held = held.filter(|held| !held.has_ended());
        let watch = held.and_then(|held| held.watch().ok());
        let (Some(key), Some(watch), Some(view)) = (key, watch, noted(&life.run, seq)) else { continue };
        life.add(key, seq, view, Some(watch), snapshot);
    }
}

/// What has ended in a run of an earlier daemon's, as its shim has written it; `running` has not.
pub(in crate::supervisor) fn recover_ended(
    run: &Run,
    running: &[ProcessKey],
    record: &Record,
    snapshot: &mut Snapshot,
) {
    for AddedExit { exit, seq, note } in run.added_exits() {
        let Some(key) = exit.process.filter(|key| !running.contains(key)) else { continue };
        let view = note.and_then(|note| serde_json::from_value::<ProcessView>(note).ok());
        let view = view.map(|view| ProcessView { pid: key.pid, ..view });
        snapshot.recall_ended(view.unwrap_or_else(|| ProcessView::unknown(key.pid)), false, seq, Some(exit));
    }
    if let Some((exit, key)) = snapshot.exit.and_then(|exit| Some((exit, exit.process?))) {
        snapshot.keep_ended(ProcessView::new(key.pid, &record.process), true, 0, Some(exit));
    }
}

/// The added processes that have files, by their numbers.
pub(super) fn noted_seqs(run: &Run) -> BTreeSet<u64> {
    let entries = fs::read_dir(&run.volatile).into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| {
        entry.file_name().to_str()?.strip_prefix("exec-")?.split('.').next()?.parse().ok()
    };
    entries.filter_map(number).collect()
}

/// An added process as it was asked for; its pid is not in it.
fn noted(run: &Run, seq: u64) -> Option<ProcessView> {
    let [_, note, ..] = files(run, seq);
    serde_json::from_slice(&fs::read(note).ok()?).ok()
}

/// An added process's files in the run's volatile folder: itself as runc is told it, as readers see it, its pid,
/// runc's log, and the process that is held.
pub(super) fn files(run: &Run, seq: u64) -> [PathBuf; 5] {
    ["json", "note", "pid", "log", "held"].map(|kind| run.volatile.join(format!("exec-{seq}.{kind}")))
}

/// On tmpfs, so quick enough for the task itself.
pub(super) fn remove_files(run: &Run, seq: u64) {
    for file in files(run, seq) {
        let _ = fs::remove_file(file);
    }
}
