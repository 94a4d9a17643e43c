//! Who asks. The door (`http`) finds it out; whoever judges by it, or writes it down, looks it up here. Knows nothing of
//! HTTP, and nothing of containers.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

tokio::task_local! {
    static CALLER: Arc<Caller>;
}

/// Somebody who is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// By what they are known.
    pub who: Who,
    /// What they may do.
    pub role: Role,
}

/// By what somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A process of this host, by the kernel's word.
    Process {
        /// As whom it runs.
        uid: u32,
        /// Its number, while it lived.
        pid: i32,
        /// What it runs (proc_pid_exe(5)).
        executable: Option<PathBuf>,
    },
    /// A token that was made here, by its name.
    Token(String),
    /// A certificate of a CA that the configuration names, by its common name.
    Certificate(String),
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Look, and change nothing.
    Read,
    /// Everything: root on this host, but for what its rules forbid.
    Admin,
}

impl Caller {
    /// The process `pid` of `uid`.
    pub fn process(uid: u32, pid: i32) -> Self {
        let executable = fs::read_link(format!("/proc/{pid}/exe")).ok();
        Self { who: Who::Process { uid, pid, executable }, role: Role::Admin }
    }

    /// Under which it is counted what one caller has.
    pub fn account(&self) -> String {
        match &self.who {
            Who::Process { uid, .. } => format!("the user {uid}"),
            Who::Token(name) => format!("the token {name}"),
            Who::Certificate(name) => format!("the certificate {name}"),
        }
    }

    /// Whether it is root, or the user that the daemon runs as: whom no rule binds.
    pub fn is_root(&self) -> bool {
        let own = nix::unistd::Uid::effective().as_raw();
        matches!(self.who, Who::Process { uid, .. } if uid == 0 || uid == own)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Admin => "admin",
        })
    }
}

/// A word that who asks has chosen, as theirs alone: another's is another. Root's are as they are, and nobody else's has a
/// blank where root's may have none.
pub fn own(word: String) -> String {
    match current().filter(|caller| !caller.is_root()) {
        Some(caller) => format!("{} {word}", caller.account()),
        None => word,
    }
}

/// Whether a word that was made [`own`] is root's.
pub fn is_roots(own: &str) -> bool {
    !own.contains(' ')
}

/// Does `work` as asked by `caller`, who is [`current`] in it.
pub async fn asking<F: Future>(caller: Arc<Caller>, work: F) -> F::Output {
    CALLER.scope(caller, work).await
}

/// Who has asked for what is done here; nobody for what the daemon does by itself.
pub fn current() -> Option<Arc<Caller>> {
    CALLER.try_with(Arc::clone).ok()
}
