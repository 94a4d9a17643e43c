//! A program that is run for us, how it ended, and what it said: shared with the shim, which runs
//! those that leave a process behind.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A program to run: everything it gets, and nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    /// The absolute path of the executable.
    pub path: PathBuf,
    /// Its arguments, without the first (its own name).
    pub args: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
}

/// How a process ended, wait(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExitStatus {
    /// It ended with this code.
    Code(u8),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    /// As a shell says it: the code, or 128 plus the signal.
    pub fn as_shell(self) -> i32 {
        match self {
            Self::Code(code) => i32::from(code),
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// Why a program did not do its work.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What happened.
    pub kind: FailureKind,
    /// The last of what it wrote to standard error (or to standard output, if that is empty).
    pub words: String,
}

/// What happened to a program.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// It could not be started.
    Spawn {
        /// The kernel's words.
        words: String,
        /// Its number, if it has one (errno(3)).
        #[serde(default)]
        errno: Option<i32>,
    },
    /// It ended, but not with 0.
    Ended(ExitStatus),
    /// It did not end within its time, in milliseconds, and was killed.
    TimedOut(u64),
    /// It ended with 0, but its pid file is missing or is not one.
    NoPid,
    /// The shim is at another request, or the container has ended.
    Refused(String),
}
