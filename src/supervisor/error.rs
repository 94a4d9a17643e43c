//! The one error of this layer.

use std::io;
use std::path::PathBuf;

use super::names::{BadName, CheckpointName, ContainerId};
use super::state::{Status, Verb};
use crate::runtime;
use crate::runtime::bundle::BundleError;

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
    /// Its cgroup would be another container's too: a signal, a freeze or a limit of one would be the other's.
    #[error("container {id} would share a cgroup with container {other}")]
    CgroupShared {
        /// The container.
        id: ContainerId,
        /// The one that is there.
        other: ContainerId,
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
    /// The daemon is ending.
    #[error("the daemon is shutting down")]
    ShuttingDown,
}

/// For `map_err`: what was tried, on what.
pub(super) fn store(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::Store { what, path, source }
}
