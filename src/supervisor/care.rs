//! What is done for a container unasked: it is started again when it ends, by its policy and with back-off, or restored
//! from its newest checkpoint; and it is checkpointed every so often. All of it is asked of the container's own task, as
//! anybody asks: here is only decided what, and when.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::container::{CheckpointOptions, Command, Snapshot};
use super::names::{CheckpointName, ContainerId};
use super::rules::Behalf;
use super::state::Status;
use super::store::blocking;
use super::{Closing, Supervisor, chain, checkpoints};
use crate::runtime::options::CriuOptions;
use crate::runtime::program::ExitStatus;

/// What is waited before the first restart; twice as long before each after it.
const FIRST: Duration = Duration::from_millis(100);
/// And no longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// Who has run for so long has not failed to start.
const STEADY: Duration = Duration::from_secs(10);

/// What is to be done for a container, and what a start of it needs beside its bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Care {
    /// When it is started again.
    pub restart: Restart,
    /// Whether it is restored from its newest checkpoint then, and what is done when that cannot be.
    pub restore: Option<Otherwise>,
    /// When it is checkpointed.
    pub schedule: Option<Schedule>,
    /// For whom it was started: their rules hold for a restart too.
    pub behalf: Behalf,
    /// As at the start that was asked for.
    pub allow_changed_bundle: bool,
    /// A file that gets standard output too.
    pub stdout: Option<PathBuf>,
    /// A file that gets standard error too.
    pub stderr: Option<PathBuf>,
}

/// When a container that has ended is started again. One that was stopped on purpose (by a stop, or by a checkpoint with
/// `exit`) is left alone by all of them, but for `Always` after a restart of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    No,
    /// When it has not ended with status 0, so many times in a row at most.
    #[serde(rename_all = "camelCase")]
    OnFailure {
        /// `None`: however often.
        most: Option<u32>,
    },
    /// However it has ended.
    Always,
    /// The same, and after a restart of the host only if it was not stopped on purpose.
    UnlessStopped,
}

/// What is done when no checkpoint can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// It is started anew.
    Start,
    /// It stays as it is.
    Leave,
}

/// When a container is checkpointed, it running on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// In seconds.
    pub every: u32,
    /// How many of these are kept.
    pub keep: u32,
    /// What CRIU is to allow.
    pub criu: CriuOptions,
}

/// A start that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Again {
    /// When that was started which has ended: anybody else may have been quicker.
    pub(super) of: Timestamp,
    /// Also when it was stopped on purpose.
    pub(super) whatever: bool,
    /// The how-manieth it is, since somebody asked.
    pub(super) restarts: u32,
    /// The same, since it ran for a while.
    pub(super) failures: u32,
}

/// Who is cared for already.
#[derive(Debug, Default)]
pub(super) struct Carers(Mutex<BTreeSet<ContainerId>>);

impl Carers {
    /// Whether there was nobody.
    fn take(&self, id: &ContainerId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone())
    }

    /// Unless there is something to do again.
    fn leave(&self, id: &ContainerId, is_needed: impl FnOnce() -> bool) -> bool {
        let mut carers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !is_needed() && carers.remove(id)
    }
}

/// Sees to a container from now on, if that is wanted. `rebooted`: it was started before the host was.
pub(super) fn see_to(supervisor: &Supervisor, id: &ContainerId, rebooted: bool) {
    if is_needed(supervisor, id) {
        tokio::spawn(keep_seeing_to(supervisor.clone(), id.clone(), rebooted));
    }
}

/// Whether somebody is wanted, and there is nobody: then who asks is it.
fn is_needed(supervisor: &Supervisor, id: &ContainerId) -> bool {
    supervisor.get(id).is_ok_and(|snapshot| snapshot.care.is_some()) && supervisor.context.carers.take(id)
}

async fn keep_seeing_to(supervisor: Supervisor, id: ContainerId, mut rebooted: bool) {
    let mut closing = supervisor.closing.subscribe();
    loop {
        tokio::select! {
            () = attend(&supervisor, &id, rebooted) => rebooted = false,
            _ = closing.wait_for(|closing| *closing == Closing::All) => return,
        }
        // The name may have been taken again before we left, by who then found it seen to.
        if !is_needed(&supervisor, &id) {
            return;
        }
    }
}

/// What is next for a container.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Again(Again),
    Checkpoint,
}

/// Until the container is deleted, or nothing is wanted of us any more.
async fn attend(supervisor: &Supervisor, id: &ContainerId, mut rebooted: bool) {
    let carers = &supervisor.context.carers;
    let Some(mut view) = supervisor.context.registry.watch(id) else {
        carers.leave(id, || false);
        return;
    };
    let mut due = Due::default();
    loop {
        let snapshot = Arc::clone(&view.borrow_and_update());
        if snapshot.care.is_none() && carers.leave(id, || view.borrow().care.is_some()) {
            return;
        }
        let next = match restart(&snapshot, rebooted) {
            Some((again, wait)) => Some((Next::Again(again), wait)),
            None => due.of(supervisor, &snapshot).await.map(|wait| (Next::Checkpoint, wait)),
        };
        rebooted &= snapshot.status == Status::Stopped;
        let wait = next.as_ref().map(|(_, wait)| *wait);
        tokio::select! {
            changed = view.changed() => match changed {
                Ok(()) => continue,
                Err(_) => break,
            },
            () = sleep(wait.unwrap_or(super::FOREVER)) => {}
        }
        match next {
            Some((Next::Again(again), _)) => {
                // As what it was left by the host counts once.
                rebooted = false;
                start(supervisor, id, again).await;
            }
            Some((Next::Checkpoint, _)) => {
                due.done();
                if let Some(schedule) = snapshot.care.as_ref().and_then(|care| care.schedule) {
                    checkpoint(supervisor, id, schedule).await;
                }
            }
            None => {}
        }
    }
    carers.leave(id, || false);
}

/// Whether it is to be started again, and after how long.
fn restart(snapshot: &Snapshot, rebooted: bool) -> Option<(Again, Duration)> {
    let care = snapshot.care.as_ref()?;
    if snapshot.status != Status::Stopped || snapshot.never_started {
        return None;
    }
    let lasted = snapshot.exit.map(|exit| exit.at.duration_since(snapshot.created_at).unsigned_abs());
    let steady = rebooted || (!snapshot.unstarted && lasted.is_some_and(|lasted| lasted >= STEADY));
    let failures = if steady { 0 } else { snapshot.failures };
    let left_alone = snapshot.on_purpose;
    let wanted = match care.restart {
        Restart::No => false,
        Restart::OnFailure { most } => {
            let succeeded = snapshot.exit.is_some_and(|exit| exit.status == ExitStatus::Code(0));
            !left_alone && !succeeded && most.is_none_or(|most| failures < most)
        }
        Restart::Always => !left_alone || rebooted,
        Restart::UnlessStopped => !left_alone,
    };
    let again = Again {
        of: snapshot.created_at,
        whatever: rebooted && care.restart == Restart::Always,
        restarts: snapshot.restarts.saturating_add(1),
        failures: failures.saturating_add(1),
    };
    wanted.then(|| (again, if rebooted { Duration::ZERO } else { back_off(failures) }))
}

fn back_off(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST)
}

/// What comes of it is in the container's `reason`, and in the log.
async fn start(supervisor: &Supervisor, id: &ContainerId, again: Again) {
    match supervisor.ask(id, |reply| Command::Again(again, reply)).await {
        Ok(_) => {}
        Err(error) => tracing::warn!(container = %id, error = %chain(&error), "it is not started again"),
    }
}

/// When the next checkpoint is due: so long after the last one, also one of an earlier daemon's.
#[derive(Default)]
struct Due {
    last: Option<Timestamp>,
}

impl Due {
    async fn of(&mut self, supervisor: &Supervisor, snapshot: &Snapshot) -> Option<Duration> {
        let schedule = snapshot.care.as_ref()?.schedule?;
        if snapshot.status != Status::Running {
            return None;
        }
        if self.last.is_none() {
            let made = scheduled(supervisor, &snapshot.id).await;
            self.last = made.first().map(|(at, _)| *at);
        }
        let since = self.last.unwrap_or(snapshot.created_at).max(snapshot.created_at);
        let every = Duration::from_secs(schedule.every.into());
        // A clock that was set back makes it wait no longer than from now on.
        let passed = Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default();
        Some(every.saturating_sub(passed))
    }

    /// Also of one that came to nothing: it is tried again as late.
    fn done(&mut self) {
        self.last = Some(Timestamp::now());
    }
}

/// What the names of a container's scheduled checkpoints begin with.
fn prefix(id: &ContainerId) -> String {
    format!("auto-{id}-")
}

/// How their names go on: `20261127T192513.390Z`.
const AT: &str = "%Y%m%dT%H%M%S%.3fZ";

/// Whether a checkpoint's name is one that a schedule has given it, and not somebody who likes its beginning.
fn is_scheduled(id: &ContainerId, name: &str) -> bool {
    let at = name.strip_prefix(&prefix(id));
    // Read and written again, since there is more than one way to write what is read.
    at.is_some_and(|at| DateTime::strptime(AT, at).is_ok_and(|read| read.strftime(AT).to_string() == at))
}

/// A container's scheduled checkpoints, newest first. What is in their images is not asked.
async fn scheduled(supervisor: &Supervisor, id: &ContainerId) -> Vec<(Timestamp, CheckpointName)> {
    let Ok(snapshot) = supervisor.get(id) else { return Vec::new() };
    let listed = blocking(move || checkpoints::list(&snapshot.bundle)).await.unwrap_or_default();
    let ours = listed.into_iter().rev().filter(|checkpoint| {
        checkpoint.container() == Some(id.as_str()) && is_scheduled(id, checkpoint.name.as_str())
    });
    ours.map(|checkpoint| (checkpoint.created, checkpoint.name)).collect()
}

/// Makes one; when it is whole, those go that are too many.
async fn checkpoint(supervisor: &Supervisor, id: &ContainerId, schedule: Schedule) {
    let name = format!("{}{}", prefix(id), Timestamp::now().strftime(AT));
    let Ok(name) = name.parse::<CheckpointName>() else { return };
    let options = CheckpointOptions { criu: schedule.criu, preflight: true, ..CheckpointOptions::default() };
    if let Err(error) = supervisor.checkpoint(id, name, options).await {
        tracing::warn!(container = %id, error = %chain(&error), "its scheduled checkpoint is not made");
        return;
    }
    let keep = usize::try_from(schedule.keep).unwrap_or(usize::MAX).max(1);
    for (_, old) in scheduled(supervisor, id).await.into_iter().skip(keep) {
        if let Err(error) = supervisor.delete_checkpoint(id, old).await {
            tracing::warn!(container = %id, error = %chain(&error), "an old scheduled checkpoint stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::ExitRecord;

    fn exit(code: u8, second: i64) -> ExitRecord {
        let at = Timestamp::from_second(second).unwrap();
        serde_json::from_value(serde_json::json!({ "status": ExitStatus::Code(code), "at": at })).unwrap()
    }

    fn ended(restart: Restart, code: u8) -> Snapshot {
        let id: ContainerId = "c".parse().unwrap();
        let care = Care {
            restart,
            restore: None,
            schedule: None,
            behalf: Behalf::default(),
            allow_changed_bundle: false,
            stdout: None,
            stderr: None,
        };
        Snapshot {
            care: Some(Arc::new(care)),
            never_started: false,
            created_at: Timestamp::from_second(1000).unwrap(),
            exit: Some(exit(code, 1001)),
            ..Snapshot::reserved(&id)
        }
    }

    #[test]
    fn only_what_a_schedule_has_named_is_a_schedules() {
        let id: ContainerId = "c".parse().unwrap();
        let now = format!("{}{}", prefix(&id), Timestamp::now().strftime(AT));
        assert!(is_scheduled(&id, &now), "{now}");
        for other in [
            "auto-c-before-upgrade",
            "auto-c-",
            "auto-d-20261127T192513.390Z",
            "auto-c-20261127T192513.390Z2",
        ] {
            assert!(!is_scheduled(&id, other), "{other}");
        }
    }

    #[test]
    fn each_policy_restarts_what_it_says_and_nothing_that_was_stopped_on_purpose() {
        let (failure, most) = (Restart::OnFailure { most: None }, Restart::OnFailure { most: Some(2) });
        let is = |snapshot: &Snapshot, rebooted| restart(snapshot, rebooted).is_some();
        for (policy, code, wanted) in [
            (Restart::No, 1, false),
            (failure, 0, false),
            (failure, 1, true),
            (Restart::Always, 0, true),
            (Restart::UnlessStopped, 0, true),
        ] {
            assert_eq!(is(&ended(policy, code), false), wanted, "{policy:?} {code}");
            let asked = Snapshot { on_purpose: true, ..ended(policy, code) };
            assert!(!is(&asked, false), "{policy:?}");
            assert_eq!(is(&asked, true), policy == Restart::Always, "{policy:?} after a reboot");
        }
        let tried = |failures| Snapshot { failures, ..ended(most, 1) };
        assert!(is(&tried(1), false) && !is(&tried(2), false));
        assert!(is(&tried(2), true), "another boot, another try");
        let unknown = Snapshot { exit: None, ..ended(failure, 1) };
        assert!(is(&unknown, true), "who does not know how it ended does not know that it went well");
        let running = Snapshot { status: Status::Running, ..ended(Restart::Always, 1) };
        assert!(!is(&running, false));
    }

    #[test]
    fn each_failure_is_waited_after_twice_as_long_and_a_while_of_running_forgets_them() {
        let waits: Vec<Duration> = (0..12).map(back_off).collect();
        assert!(waits.windows(2).all(|pair| pair[1] == (pair[0] * 2).min(LONGEST)), "{waits:?}");
        let failed = Snapshot { failures: 5, ..ended(Restart::Always, 1) };
        assert_eq!(restart(&failed, false).unwrap().0.failures, 6);
        let steady = Snapshot { exit: Some(exit(1, 1010)), ..failed };
        let (again, wait) = restart(&steady, false).unwrap();
        assert_eq!((again.failures, wait), (1, FIRST));
    }
}
