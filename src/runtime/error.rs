//! The one error of this layer.

use std::io;
use std::path::PathBuf;

/// A result of this layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between us and the runtime. `Display` never repeats its source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The runtime ran and failed; `words` are its own.
    #[error("runc {verb} failed: {words}")]
    Failed {
        /// The subcommand.
        verb: &'static str,
        /// runc's (and CRIU's) last words.
        words: String,
    },
    /// The runtime did not end within its time and was killed.
    #[error("runc {verb} did not end within {seconds} s and was killed")]
    TimedOut {
        /// The subcommand.
        verb: &'static str,
        /// Its limit, in seconds.
        seconds: u64,
    },
    /// The runtime could not be started at all.
    #[error("{path} cannot be started")]
    Missing {
        /// What was to be run.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A process could not be looked up or signalled.
    #[error("process {pid}: {what} failed")]
    Process {
        /// The process.
        pid: i32,
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
}
