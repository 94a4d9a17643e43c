//! What the daemon and a shim say to each other: one JSON object a line, on the shim's unix socket.
//!
//! A daemon may be newer or older than the shim it finds: a shim says its version first ([`Hello`]),
//! fields are added and never change their meaning, and unknown fields are ignored. A command for
//! the runtime travels whole, so that a new daemon teaches an old shim new options.
//!
//! May not know how either end works.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::runtime::program::{ExitStatus, Failure, Program};

/// The protocol's version; a shim says it in [`Hello`].
pub const VERSION: u32 = 2;

/// The first version of a shim that knows of page servers ([`Launch::page_server`]): an older one would pass it over, and
/// is not asked.
pub const WITH_PAGE_SERVERS: u32 = 2;

/// The longest line that either end takes, in bytes.
pub const MAX_LINE: usize = 1024 * 1024;

/// What the daemon asks of a shim.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "camelCase")]
pub enum Request {
    /// Run a program that leaves a process behind, whose parent the shim becomes.
    Launch(Launch),
    /// Run a program to its end.
    Call(Call),
}

/// Run a runtime that starts a process, detaches, and names it in a pid file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Launch {
    /// Comes back in the answer.
    pub seq: u64,
    /// `runc run`, `runc restore` or `runc exec`, detached. `@console@` in an argument stands for the
    /// socket at which the shim takes the terminal.
    pub program: Program,
    /// Where the runtime writes the pid.
    pub pid_file: PathBuf,
    /// Whether the process is the container's init process or an added one.
    pub role: Role,
    /// Where its output goes.
    pub stdio: Stdio,
    /// After this many milliseconds the runtime's process group is killed.
    pub timeout_ms: u64,
    /// Where init and what is below it belong, on cgroup v2; the shim puts it there when it is elsewhere.
    #[serde(default)]
    pub place: Option<String>,
    /// Of an added process: kept with its end, for the daemon to know it by. Means nothing to the shim.
    #[serde(default)]
    pub note: Option<serde_json::Value>,
    /// Of a lazy restore: what brings the pages that the restored processes have not yet, `criu lazy-pages`. It is started
    /// first, and writes to standard output once it listens.
    #[serde(default)]
    pub page_server: Option<Box<Program>>,
}

/// What has become of the pages of a lazy restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pages {
    /// They come.
    Loading,
    /// All are in.
    Loaded,
    /// Their server has died before, and the container was killed for that.
    Lost,
}

/// The argument that stands for the console socket's path.
pub const CONSOLE: &str = "@console@";

/// Where a process's output goes, besides the container's log.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Stdio {
    /// A terminal instead of pipes.
    pub terminal: bool,
    /// A file that gets standard output too.
    pub stdout: Option<PathBuf>,
    /// A file that gets standard error too.
    pub stderr: Option<PathBuf>,
}

/// Run a program to its end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Comes back in the answer.
    pub seq: u64,
    /// What to run.
    pub program: Program,
    /// After this many milliseconds its process group is killed.
    pub timeout_ms: u64,
}

/// Which process of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Its first process, with whose end the container ends.
    Init,
    /// A process that was added.
    Added,
}

/// A process, named so that a reused pid is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessKey {
    /// Its pid on the host.
    pub pid: i32,
    /// Its start time in clock ticks after boot, proc(5) field 22; 0 when it was gone too soon to ask.
    pub start_time: u64,
}

/// That a process of the container ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// Which process.
    pub process: ProcessKey,
    /// Init or added.
    pub role: Role,
    /// How.
    pub status: ExitStatus,
    /// When the shim saw it.
    pub at: Timestamp,
    /// Of init: whether the kernel has killed a process of the container for want of memory. Of an added one:
    /// whether it was that process.
    #[serde(default)]
    pub oom: bool,
    /// How many processes of the container it has killed so by then.
    #[serde(default)]
    pub oom_kills: u64,
}

/// What a shim says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "camelCase")]
pub enum Message {
    /// The first line of every connection.
    Hello(Hello),
    /// A launch succeeded.
    Launched {
        /// The request's.
        seq: u64,
        /// The process that was made.
        process: ProcessKey,
    },
    /// A call ended well.
    Done {
        /// The request's.
        seq: u64,
    },
    /// A launch or a call did not succeed; nothing of it is left that the shim could end.
    Failed {
        /// The request's.
        seq: u64,
        /// Why.
        failure: Failure,
    },
    /// A process of the container ended.
    Exited(Exit),
    /// The kernel has killed a process of the container for want of memory.
    Oom {
        /// How many by now.
        kills: u64,
    },
    /// What has become of the pages of a lazy restore: loaded or lost.
    Pages {
        /// Which of the two.
        pages: Pages,
    },
}

/// What a shim knows when a daemon connects.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The shim's protocol version.
    pub version: u32,
    /// The container's init process, if it was started.
    pub init: Option<ProcessKey>,
    /// How it ended, if it did.
    pub exit: Option<Exit>,
    /// The added processes that run.
    pub added: Vec<ProcessKey>,
    /// The request that is under way.
    #[serde(default)]
    pub busy: Option<u64>,
    /// The highest number of a request so far.
    #[serde(default)]
    pub seq: u64,
    /// How many processes of the container the kernel has killed for want of memory.
    #[serde(default)]
    pub oom_kills: u64,
    /// The pages of a lazy restore.
    #[serde(default)]
    pub pages: Option<Pages>,
}

/// How a process ended, written by the shim before it says [`Message::Exited`]: of init the file
/// [`EXIT_RECORD`] in the run's folder, of added processes a line each of [`ADDED_EXITS`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExitRecord {
    /// How it ended.
    pub status: ExitStatus,
    /// When the shim saw it.
    pub at: Timestamp,
    /// As [`Exit::oom`].
    #[serde(default)]
    pub oom: bool,
    /// As [`Exit::oom_kills`].
    #[serde(default)]
    oom_kills: u64,
    /// Which process; an older shim does not say of init.
    #[serde(default)]
    pub process: Option<ProcessKey>,
}

impl ExitRecord {
    /// How many processes of the container the kernel had killed for want of memory by then. An older shim does not count.
    pub fn oom_kills(&self) -> u64 {
        self.oom_kills.max(u64::from(self.oom))
    }
}

impl From<Exit> for ExitRecord {
    fn from(exit: Exit) -> Self {
        let Exit { process, status, at, oom, oom_kills, .. } = exit;
        Self { status, at, oom, oom_kills, process: Some(process) }
    }
}

/// The end of an added process, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddedExit {
    /// How it ended.
    #[serde(flatten)]
    pub exit: ExitRecord,
    /// The number of the request that launched it.
    #[serde(default)]
    pub seq: u64,
    /// As it came with the launch.
    #[serde(default)]
    pub note: Option<serde_json::Value>,
}

/// The exit record's name.
pub const EXIT_RECORD: &str = "exit.json";
/// What has become of the pages of a lazy restore, [`Pages`], in the run's folder; not there while they come.
pub const PAGES: &str = "pages.json";
/// Ends of added processes, a JSON object a line, in the run's folder. Kept by size: [`ADDED_EXITS_CAP`].
pub const ADDED_EXITS: &str = "exits";
/// What that file is called once it has been rotated.
pub const ADDED_EXITS_OLDER: &str = "exits.1";
/// The size at which it is rotated, in bytes.
pub const ADDED_EXITS_CAP: u64 = 512 * 1024;
/// The log's name, in the run's folder: `time stream F|P text`, as Kubernetes' CRI has it.
pub const LOG: &str = "log";
/// What the log is called once it has been rotated.
pub const LOG_OLDER: &str = "log.1";
/// In a shim's environment: the log's size at which it is rotated, in bytes.
pub const LOG_CAP: &str = "CONTAINERD_REST_LOG_CAP";
/// How often the log was rotated, twice over, and one more while it is being rotated: by that a reader knows what it has
/// missed.
pub const LOG_ROTATIONS: &str = "log.rotations";
/// The shim's socket, in the run's volatile folder.
pub const SOCKET: &str = "shim.sock";
