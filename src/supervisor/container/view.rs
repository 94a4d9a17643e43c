//! A container as those see it who ask, and what they may ask for.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use oci_spec::runtime::Process;
use serde::{Deserialize, Serialize};

use super::Work;
use crate::ipc::{ExitRecord, Pages};
use crate::runtime::bundle::Identity;
use crate::runtime::options::CriuOptions;
use crate::supervisor::care::{Again, Care};
use crate::supervisor::error::{Error, Result};
use crate::supervisor::names::{CheckpointName, ContainerId};
use crate::supervisor::rules::Behalf;
use crate::supervisor::state::Status;
use crate::supervisor::store::Record;

/// A container as readers see it.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its name.
    pub id: ContainerId,
    /// Its bundle's folder.
    pub bundle: PathBuf,
    /// What it is doing.
    pub status: Status,
    /// How it ended, once it is stopped and if that is known.
    pub exit: Option<ExitRecord>,
    /// Init first, then those added, in order.
    pub processes: Vec<ProcessView>,
    /// When it was started or restored.
    pub created_at: Timestamp,
    /// The dump or the restore that is under way.
    pub under_way: Option<Arc<Work>>,
    /// The checkpoint it was restored from.
    pub checkpoint: Option<CheckpointName>,
    /// Of a lazy restore, what has become of its pages; none once it has ended before all were in.
    pub pages: Option<Pages>,
    /// Whether it is of a lazy restore.
    pub(in crate::supervisor) lazy: bool,
    /// Processes of the run that counts that have ended, the newest [`ENDED_KEPT`], in order. Shared: it grows
    /// long, and a snapshot is taken often.
    pub ended: Arc<VecDeque<Ended>>,
    /// What is done for it unasked.
    pub care: Option<Arc<Care>>,
    /// How often it was started again since somebody asked for it.
    pub restarts: u32,
    /// The same, since it ran for a while.
    pub(in crate::supervisor) failures: u32,
    /// The last restart came to nothing.
    pub(in crate::supervisor) unstarted: bool,
    /// Somebody wanted it to end.
    pub(in crate::supervisor) on_purpose: bool,
    /// What else is to be said of how it came to be as it is.
    pub reason: Option<String>,
    /// The idempotency key of the request that started it.
    pub(in crate::supervisor) key: Option<String>,
    /// The last event before it was started.
    pub(in crate::supervisor) cursor: u64,
    /// Nothing but a name that is reserved.
    pub(in crate::supervisor) never_started: bool,
}

impl Snapshot {
    /// A name before anything has happened under it.
    pub(in crate::supervisor) fn reserved(id: &ContainerId) -> Self {
        Self {
            id: id.clone(),
            bundle: PathBuf::new(),
            status: Status::Stopped,
            exit: None,
            processes: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            checkpoint: None,
            pages: None,
            lazy: false,
            under_way: None,
            ended: Arc::default(),
            care: None,
            restarts: 0,
            failures: 0,
            unstarted: false,
            on_purpose: false,
            reason: None,
            key: None,
            cursor: 0,
            never_started: true,
        }
    }

    /// A container as its record has it, said to run until more is known.
    pub(in crate::supervisor) fn of_record(record: &Record) -> Self {
        Self {
            bundle: record.bundle.clone(),
            status: Status::Running,
            created_at: record.created_at,
            checkpoint: record.checkpoint.clone(),
            lazy: record.lazy_pages,
            care: record.care.clone().map(Arc::new),
            restarts: record.restarts,
            failures: record.failures,
            key: record.key.clone(),
            cursor: record.cursor,
            never_started: false,
            ..Self::reserved(&record.id)
        }
    }
}

/// How many processes that have ended are kept.
const ENDED_KEPT: usize = 1024;
/// How much of the arguments of each, in bytes.
const ARGS_KEPT: usize = 4096;

impl Snapshot {
    /// A process has ended; `exit` is none when nobody saw how.
    pub(super) fn keep_ended(
        &mut self,
        process: ProcessView,
        init: bool,
        seq: u64,
        exit: Option<ExitRecord>,
    ) {
        self.recall_ended(process, init, seq, exit);
        self.forget_oldest();
    }

    /// The same, and however many there are, all are kept: their ends may be still to be told.
    pub(super) fn recall_ended(
        &mut self,
        process: ProcessView,
        init: bool,
        seq: u64,
        exit: Option<ExitRecord>,
    ) {
        let process = Arc::new(process.once_ended());
        Arc::make_mut(&mut self.ended).push_back(Ended { process, init, seq, exit });
    }

    /// Behind [`Self::recall_ended`], when they were told.
    pub(super) fn forget_oldest(&mut self) {
        let more = self.ended.len().saturating_sub(ENDED_KEPT);
        if more > 0 {
            Arc::make_mut(&mut self.ended).drain(..more);
        }
    }

    /// Whether the process that was added by the request of this number is kept as ended.
    pub(super) fn has_ended(&self, seq: u64) -> bool {
        self.ended.iter().any(|ended| !ended.init && ended.seq == seq)
    }

    /// Whether all of its memory is in, as a dump of it needs.
    pub(in crate::supervisor) fn admit_loaded(&self) -> Result<()> {
        if self.pages == Some(Pages::Loading) { Err(Error::PagesLoading(self.id.clone())) } else { Ok(()) }
    }

    /// The process that was added by the request of this key.
    pub(super) fn added_by(&self, key: &str) -> Option<ProcessView> {
        let ended = self.ended.iter().map(|ended| &*ended.process);
        self.processes.iter().chain(ended).find(|process| process.key.as_deref() == Some(key)).cloned()
    }

    /// Whether a process of the run that counts has this pid and runs.
    pub(in crate::supervisor) fn is_running(&self, pid: i32) -> bool {
        self.processes.iter().any(|process| process.pid == pid)
    }

    /// A process of the run that counts, running or ended; of a pid that was given twice, the later.
    pub fn process(&self, pid: i32) -> Option<ProcessReport> {
        if let Some(index) = self.processes.iter().position(|process| process.pid == pid) {
            let process = Arc::new(self.processes[index].clone());
            return Some(ProcessReport::Running { process, init: index == 0 });
        }
        self.ended.iter().rev().find(|ended| ended.process.pid == pid).cloned().map(ProcessReport::Ended)
    }
}

/// A process that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// As it was started.
    pub process: Arc<ProcessView>,
    /// Whether it was the init process.
    pub init: bool,
    /// The number of the request that added it.
    pub(super) seq: u64,
    /// How it ended, if that is known.
    pub exit: Option<ExitRecord>,
}

/// A process that was asked about.
#[derive(Debug, Clone)]
pub enum ProcessReport {
    /// It runs.
    Running {
        /// As it was started.
        process: Arc<ProcessView>,
        /// Whether it is the init process.
        init: bool,
    },
    /// It has ended.
    Ended(Ended),
}

/// A process as readers see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProcessView {
    /// On the host.
    pub pid: i32,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// Who it runs as, inside.
    pub user: Identity,
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Its environment at the start.
    pub env: Vec<String>,
    /// Its working folder at the start.
    pub cwd: String,
    /// The idempotency key of the request that added it.
    #[serde(default)]
    pub(super) key: Option<String>,
}

impl ProcessView {
    /// One of which nothing is known any more.
    pub(super) fn unknown(pid: i32) -> Self {
        Self {
            pid,
            terminal: false,
            user: Identity::default(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: String::new(),
            key: None,
        }
    }

    /// What is kept of it when it has ended: many have, and each may have had a mebibyte of arguments.
    pub(super) fn once_ended(mut self) -> Self {
        self.env = Vec::new();
        let (mut left, mut kept) = (ARGS_KEPT, Vec::new());
        for arg in self.args {
            if arg.len() >= left {
                kept.push(format!("{}…", &arg[..arg.floor_char_boundary(left)]));
                break;
            }
            left -= arg.len() + 1;
            kept.push(arg);
        }
        self.args = kept;
        self
    }

    pub(super) fn new(pid: i32, process: &Process) -> Self {
        Self {
            pid,
            terminal: process.terminal().unwrap_or(false),
            user: Identity::from(process.user()),
            args: process.args().clone().unwrap_or_default(),
            env: process.env().clone().unwrap_or_default(),
            cwd: process.cwd().to_string_lossy().into_owned(),
            key: None,
        }
    }
}

/// What to start.
#[derive(Debug, Clone)]
pub struct Start {
    /// For whom.
    pub behalf: Behalf,
    /// The request's idempotency key: what was started by it is not started again.
    pub key: Option<String>,
    /// The bundle's absolute path.
    pub bundle: PathBuf,
    /// The checkpoint to go on from.
    pub checkpoint: Option<CheckpointName>,
    /// Also when the bundle is another than it was at the dump.
    pub allow_changed_bundle: bool,
    /// Go on before all of its memory is in.
    pub lazy_pages: bool,
    /// A file that gets standard output too.
    pub stdout: Option<PathBuf>,
    /// A file that gets standard error too.
    pub stderr: Option<PathBuf>,
    /// What is to be done for it unasked.
    pub care: Option<Arc<Care>>,
    /// By which policy it is started again; nobody has asked.
    pub(in crate::supervisor) again: Option<Again>,
}

impl Start {
    /// One that somebody asks for: the bundle as it is, and nothing else.
    pub fn of(behalf: Behalf, bundle: PathBuf) -> Self {
        Self {
            behalf,
            key: None,
            bundle,
            checkpoint: None,
            allow_changed_bundle: false,
            lazy_pages: false,
            stdout: None,
            stderr: None,
            care: None,
            again: None,
        }
    }
}

/// How to checkpoint.
#[derive(Debug, Clone, Default)]
pub struct CheckpointOptions {
    /// Stop the container once it is dumped.
    pub exit: bool,
    /// What CRIU is to allow.
    pub criu: CriuOptions,
    /// So many rounds of memory before the dump, the container running on.
    pub pre_dumps: u32,
    /// Look first for what CRIU would refuse.
    pub preflight: bool,
    /// The request's idempotency key: what was made by it is not made again.
    pub key: Option<String>,
}

/// What to change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Update {
    /// Freeze (`true`) or thaw.
    pub paused: Option<bool>,
    /// Then send this to the init process.
    pub signal: Option<i32>,
}
