//! The one error of this layer.

use std::io;
use std::path::PathBuf;

use super::archive::ArchiveError;
use super::names::{BadName, CheckpointName, ContainerId};
use super::state::{Status, Verb};
use super::store::LogOf;
use crate::runtime;
use crate::runtime::bundle::BundleError;
use crate::runtime::criu::Feature;
use crate::runtime::occupants::Occupant;
use crate::runtime::policy::Breach;
use crate::runtime::preflight::Blocker;
use crate::shares::Full;

/// A result of this layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something asked of a container was not done. `Display` never repeats its source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that is none.
    #[error(transparent)]
    BadName(BadName),
    /// An argument, or a variable, that no program can be given.
    #[error("{field}/{index} is longer than the {limit} bytes that a program can be given as one")]
    TooLong {
        /// `args` or `env`.
        field: &'static str,
        /// Which one, from 0.
        index: usize,
        /// The kernel's limit.
        limit: usize,
    },
    /// There is no such container.
    #[error("there is no container {0}")]
    NoContainer(ContainerId),
    /// The process is not one of the container's.
    #[error("container {id} has no process {pid}")]
    NoProcess {
        /// The container.
        id: ContainerId,
        /// The pid.
        pid: i32,
    },
    /// The bundle has no such checkpoint.
    #[error("{bundle} has no checkpoint {name}")]
    NoCheckpoint {
        /// The bundle's folder.
        bundle: PathBuf,
        /// The checkpoint.
        name: CheckpointName,
    },
    /// A container of that name is there and not stopped.
    #[error("the name {id} is taken by a container that is {}", status.as_str())]
    NameTaken {
        /// The name.
        id: ContainerId,
        /// What the container is doing.
        status: Status,
    },
    /// The container is gone, and its memory has another name than was asked for.
    #[error(
        "the container was dumped and has ended, but its checkpoint cannot be called {name}: it is there as {kept}"
    )]
    CheckpointKept {
        /// As it was to be called.
        name: CheckpointName,
        /// As it is called.
        kept: CheckpointName,
        /// Why not.
        source: Box<Error>,
    },
    /// The same, and no name could be given.
    #[error(
        "the container was dumped and has ended, but its checkpoint cannot be called {name}: it lies in {folder}"
    )]
    CheckpointHidden {
        /// As it was to be called.
        name: CheckpointName,
        /// Where it is.
        folder: PathBuf,
        /// Why not.
        source: Box<Error>,
    },
    /// The bundle has a checkpoint of that name.
    #[error("{bundle} already has a checkpoint {name}")]
    CheckpointTaken {
        /// The bundle's folder.
        bundle: PathBuf,
        /// The checkpoint.
        name: CheckpointName,
    },
    /// The checkpoint is being made, restored or deleted.
    #[error("the checkpoint {name} of {bundle} is in use")]
    CheckpointBusy {
        /// The bundle's folder.
        bundle: PathBuf,
        /// The checkpoint.
        name: CheckpointName,
    },
    /// The checkpoint cannot go on on this host.
    #[error("the checkpoint {name} cannot be restored here: {}", reasons.join("; "))]
    CheckpointUnfit {
        /// The checkpoint.
        name: CheckpointName,
        /// Why not, a sentence each.
        reasons: Vec<String>,
    },
    /// Somebody else has what of the host's the checkpoint needs.
    #[error("the checkpoint {name} cannot be restored beside what runs: {}", conflicts.join("; "))]
    HostConflict {
        /// The checkpoint.
        name: CheckpointName,
        /// What is taken, a sentence each.
        conflicts: Vec<String>,
    },
    /// The bundle is not what it was when the checkpoint was made.
    #[error("the config.json of {bundle} has changed since the checkpoint {name} was made, at {}", changes.join(", "))]
    BundleChanged {
        /// The bundle's folder.
        bundle: PathBuf,
        /// The checkpoint.
        name: CheckpointName,
        /// Where, as JSON pointers.
        changes: Vec<String>,
    },
    /// Its cgroup would be another container's too: a signal, a freeze or a limit of one would be the other's.
    #[error("container {id} would share a cgroup with container {other}")]
    CgroupShared {
        /// The container.
        id: ContainerId,
        /// The one that is there.
        other: ContainerId,
    },
    /// The same, and whose processes are there is not known here.
    #[error(
        "container {id} cannot have the cgroup {place}: processes of somebody else are in it: {}",
        some(by)
    )]
    CgroupOccupied {
        /// The container.
        id: ContainerId,
        /// Below the hierarchy's root.
        place: String,
        /// Who is there; never empty.
        by: Vec<Occupant>,
    },
    /// There is something in it that CRIU would refuse.
    #[error("container {id} cannot be checkpointed as it is: {}", listed(blockers))]
    CheckpointBlocked {
        /// The container.
        id: ContainerId,
        /// Each of them; never empty.
        blockers: Vec<Blocker>,
    },
    /// A record of that name could not be read, and its container may run.
    #[error("the name {id} has a record that could not be read, {aside}; its container may run")]
    SetAside {
        /// The name.
        id: ContainerId,
        /// Where the record lies.
        aside: PathBuf,
    },
    /// The container's state does not allow it.
    #[error("container {id} is {}; {} needs it {needs}", status.as_str(), verb.words())]
    WrongState {
        /// The container.
        id: ContainerId,
        /// What it is doing.
        status: Status,
        /// What was asked.
        verb: Verb,
        /// The status that is needed.
        needs: &'static str,
    },
    /// The bundle cannot be started as it is.
    #[error("the bundle {path} cannot be started")]
    Bundle {
        /// Its folder.
        path: PathBuf,
        /// Why not.
        source: BundleError,
    },
    /// Others could change a checkpoint, or put something in its place.
    #[error("no checkpoint can be {} {}", if *of == LogOf::Restore { "restored from" } else { "written in" }, path.display())]
    CheckpointUnsafe {
        /// The folder.
        path: PathBuf,
        /// What was asked for.
        of: LogOf,
        /// Who could.
        source: BundleError,
    },
    /// Its memory has rights that the bundle does not give.
    #[error("the checkpoint {name} would have rights that its bundle does not give: {}", excess.join("; "))]
    CheckpointRights {
        /// The checkpoint.
        name: CheckpointName,
        /// Which, a sentence each; never empty.
        excess: Vec<String>,
    },
    /// The daemon's configuration forbids it to whom it is for.
    #[error("the rules for whom it is done forbid it: {}", ruled(breaches))]
    Forbidden {
        /// What breaks which rule; never empty.
        breaches: Vec<Breach>,
    },
    /// A file that is to get the output cannot.
    #[error("{field}: {path} cannot take output: {why}")]
    Output {
        /// `stdout` or `stderr`.
        field: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The runtime failed, hung or is missing.
    #[error("container {id}")]
    Runtime {
        /// The container.
        id: ContainerId,
        /// What it says.
        source: runtime::Error,
    },
    /// CRIU refused a dump or a restore.
    #[error(transparent)]
    Criu(Box<CriuFailure>),
    /// This host cannot do that.
    #[error("{} cannot be had here: {why}", feature.option())]
    Unavailable {
        /// What was asked for.
        feature: Feature,
        /// Why not.
        why: String,
    },
    /// A start that is no restore has no pages to be brought.
    #[error("lazyPages is of a restore, and no checkpoint is named")]
    LazyStart,
    /// The memory that it was restored with is not all in yet.
    #[error("container {0} was restored with lazyPages, and its memory is not all in yet")]
    PagesLoading(ContainerId),
    /// Nothing has kept such a log.
    #[error("there is no log of a {} of checkpoint {name}", of.word())]
    NoLog {
        /// The checkpoint.
        name: CheckpointName,
        /// Of what.
        of: LogOf,
    },
    /// Somebody has called it off.
    #[error("the {} of container {id} was called off, checkpoint {checkpoint}", of.word())]
    Cancelled {
        /// The container.
        id: ContainerId,
        /// The checkpoint.
        checkpoint: CheckpointName,
        /// A dump or a restore.
        of: LogOf,
    },
    /// There is nothing to call off.
    #[error("no checkpoint or restore of container {0} is under way")]
    NothingUnderWay(ContainerId),
    /// More starts are under way, or wait, than are let.
    #[error("too many starts and restores are under way, or wait for others")]
    TooManyStarts(#[source] Full),
    /// There are as many as there may be.
    #[error(
        "there are {there} containers, with those that have ended, and no more are taken{}",
        if *left == 0 { "" } else { ": what is left is root's" }
    )]
    TooManyContainers {
        /// As many as who asks may add to.
        there: usize,
        /// More than that are root's.
        left: usize,
    },
    /// The disk has no room for what a dump is about to write.
    #[error(
        "the checkpoint {name} needs some {needed} bytes, and {free} are left for checkpoints in {folder}"
    )]
    NoRoom {
        /// The checkpoint.
        name: CheckpointName,
        /// How much memory the container has.
        needed: u64,
        /// How much the disk has.
        free: u64,
        /// Where.
        folder: PathBuf,
    },
    /// As many archives are on their way as may be.
    #[error("other archives are on their way, and none of them has come to its end")]
    ArchivesBusy(#[source] Full),
    /// There is no CRIU that works.
    #[error("no CRIU that works: {0}")]
    NoCriu(String),
    /// The shim is gone; the container runs on without it.
    #[error(
        "the shim of container {0} is gone; it runs on, but nothing can be started in it or dumped of it"
    )]
    ShimLost(ContainerId),
    /// The shim was gone before its container had begun: what it had done is undone.
    #[error("the shim of container {0} ended before the container had begun; what it had done is undone")]
    ShimLostEarly(ContainerId),
    /// The shim could not be started.
    #[error("the shim of container {id} could not be started")]
    Shim {
        /// The container.
        id: ContainerId,
        /// Why not.
        source: io::Error,
    },
    /// The container did not end when it was killed.
    #[error("container {id} did not end within {seconds} s of SIGKILL")]
    Undying {
        /// The container.
        id: ContainerId,
        /// How long was waited.
        seconds: u64,
    },
    /// A folder or a record of ours could not be written or read.
    #[error("{what} {path} failed")]
    Store {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An archive that came is not one to be taken.
    #[error("the archive is not taken as checkpoint {name}")]
    Archive {
        /// What it was to be.
        name: CheckpointName,
        /// Why not.
        source: ArchiveError,
    },
    /// A checkpoint of which no archive can be made.
    #[error("no archive can be made of checkpoint {name}: {why}")]
    NotPortable {
        /// The checkpoint.
        name: CheckpointName,
        /// Why not.
        why: String,
    },
    /// The daemon is ending.
    #[error("the daemon is shutting down")]
    ShuttingDown,
}

/// CRIU refused a dump or a restore.
#[derive(Debug, thiserror::Error)]
#[error("container {id}")]
pub struct CriuFailure {
    /// The container.
    pub id: ContainerId,
    /// The checkpoint.
    pub checkpoint: CheckpointName,
    /// Which of the two.
    pub of: LogOf,
    /// runc's words, and CRIU's.
    pub source: runtime::Error,
    /// Where CRIU's log was kept.
    pub log: Option<PathBuf>,
    /// The last lines of it.
    pub tail: Vec<String>,
}

/// For `map_err`: what was tried, on what.
pub(super) fn store(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::Store { what, path, source }
}

/// As many of a list are told in a sentence.
const TOLD: usize = 5;

fn listed(blockers: &[Blocker]) -> String {
    let told = blockers.iter().take(TOLD).map(|blocker| {
        let descriptor = blocker.descriptor.map(|fd| format!(", descriptor {fd}")).unwrap_or_default();
        format!("process {} ({}){descriptor}: {}", blocker.pid, blocker.process, blocker.what)
    });
    // All are in the list.
    joined(told.collect(), blockers.len(), "; ")
}

fn ruled(breaches: &[Breach]) -> String {
    let told = breaches.iter().take(TOLD).map(|breach| format!("{}: {}", breach.rule, breach.what));
    joined(told.collect(), breaches.len(), "; ")
}

fn some(occupants: &[Occupant]) -> String {
    joined(occupants.iter().take(TOLD).map(ToString::to_string).collect(), occupants.len(), ", ")
}

fn joined(mut told: Vec<String>, all: usize, between: &str) -> String {
    match all.saturating_sub(told.len()) {
        0 => {}
        more => told.push(format!("and {more} more")),
    }
    told.join(between)
}
