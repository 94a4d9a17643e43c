//! A dump or a restore that is under way: how far it is, and how it is called off. The container's task waits for the
//! shim meanwhile; what is here is seen and done beside it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Task;
use super::start::RESTORE_LOG;
use crate::runtime::criu;
use crate::runtime::process::{self, Status};
use crate::supervisor::Context;
use crate::supervisor::checkpoints::{Step, catalogue};
use crate::supervisor::error::Error;
use crate::supervisor::events::Happened;
use crate::supervisor::names::{CheckpointName, ContainerId};
use crate::supervisor::store::{LogOf, blocking};

/// How often it is looked how far it is. What is quicker than this is told of by nobody.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is called off, until it is.
const AGAIN: Duration = Duration::from_millis(100);

/// A log of CRIU's that is longer, in bytes, is that of one that turns in a circle: it has filled disks so. A usual one has
/// a thousandth of it.
const RUNAWAY: u64 = 256 * 1024 * 1024;

/// How far a dump or a restore is.
#[derive(Debug)]
pub struct Work {
    /// Which of the two.
    pub of: LogOf,
    /// Of or from which checkpoint.
    pub checkpoint: CheckpointName,
    /// When it began.
    pub since: Timestamp,
    /// How much there is to do, in bytes, as far as that can be known.
    pub total: u64,
    /// How much is done.
    done: AtomicU64,
    cancelled: watch::Sender<bool>,
}

impl Work {
    pub(super) fn begin(of: LogOf, checkpoint: &CheckpointName, total: u64) -> Arc<Self> {
        Arc::new(Self {
            of,
            checkpoint: checkpoint.clone(),
            since: Timestamp::now(),
            total,
            done: AtomicU64::new(0),
            cancelled: watch::Sender::new(false),
        })
    }

    /// How much has been written of a dump, in bytes; of a restore that is not known.
    pub fn done(&self) -> Option<u64> {
        (self.of == LogOf::Dump).then(|| self.done.load(Ordering::Relaxed))
    }

    /// Calls it off. It ends by itself a moment later, or is done before.
    pub(in crate::supervisor) fn cancel(&self) {
        self.cancelled.send_replace(true);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        *self.cancelled.borrow()
    }
}

/// Where to look, and what to end.
#[derive(Debug, Clone)]
pub(super) enum Call {
    /// A step of a dump.
    Dump(Step),
    /// runc was given this pid file.
    Restore(PathBuf),
}

impl Call {
    /// Has it fail. A dump must fail by CRIU's own doing: one that is killed leaves its processes with its code in them.
    fn call_off(&self, context: &Context) {
        let path = match self {
            Self::Dump(step) => &step.images,
            Self::Restore(pid_file) => pid_file,
        };
        let arguments = context.call_of(path);
        let arguments = arguments.each_ref().map(String::as_str);
        match self {
            Self::Dump(_) => criu::refuse_writes(&arguments),
            Self::Restore(_) => process::end_orphans(&arguments),
        }
    }

    /// Whether CRIU has lost its way.
    fn is_lost(&self) -> bool {
        let log = match self {
            Self::Dump(step) => step.log(),
            Self::Restore(pid_file) => pid_file.with_file_name(RESTORE_LOG),
        };
        std::fs::metadata(log).is_ok_and(|log| log.len() > RUNAWAY)
    }

    fn written(&self) -> u64 {
        match self {
            // Those of the steps before it, too.
            Self::Dump(step) => step.images.parent().map_or(0, catalogue::size),
            Self::Restore(_) => 0,
        }
    }
}

/// Ends with the work that it is about.
pub(super) struct Watch(tokio::task::JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    /// From now on it is shown and can be called off.
    pub(super) fn is_under_way(&mut self, work: &Arc<Work>, call: Call) -> Watch {
        self.snapshot.under_way = Some(Arc::clone(work));
        self.publish();
        let (context, id, run) = (Arc::clone(&self.context), self.id().clone(), self.run);
        Watch(tokio::spawn(watch_over(context, id, run, Arc::clone(work), call)))
    }

    /// It is over. What failed because it was called off is said to have been.
    pub(super) fn is_over(&mut self, work: &Work) -> impl FnOnce(Error) -> Error + use<> {
        self.snapshot.under_way = None;
        self.publish();
        let called_off = work.is_cancelled().then(|| (self.id().clone(), work.checkpoint.clone(), work.of));
        move |error| match (called_off, error) {
            // Any other error is about what was done all the same, or has ended by itself.
            (Some((id, checkpoint, of)), Error::Criu(_) | Error::Runtime { .. }) => {
                Error::Cancelled { id, checkpoint, of }
            }
            (_, error) => error,
        }
    }
}

async fn watch_over(context: Arc<Context>, id: ContainerId, run: u32, work: Arc<Work>, call: Call) {
    let mut cancelled = work.cancelled.subscribe();
    loop {
        let time = if work.is_cancelled() { AGAIN } else { LOOK };
        tokio::select! {
            _ = cancelled.changed() => {}
            () = tokio::time::sleep(time) => {}
        }
        let (call, off, of) = (call.clone(), work.is_cancelled(), Arc::clone(&context));
        let looked = blocking(move || {
            let lost = call.is_lost();
            if lost {
                tracing::error!(?call, "CRIU's log grows without end, so it is ended");
            }
            if off || lost {
                call.call_off(&of);
            }
            Ok(call.written())
        });
        let Ok(done) = looked.await else { continue };
        work.done.store(done, Ordering::Relaxed);
        if !off {
            let (bytes, total) = (work.done(), work.total);
            let happened = Happened::Progress { of: work.of, name: work.checkpoint.clone(), bytes, total };
            context.events.publish(&id, run, Timestamp::now(), happened);
        }
    }
}

/// How much memory the processes of a container have, in bytes: what a dump is about to write, as far as that can be
/// known before (proc_pid_status(5): RssAnon and RssShmem).
pub(super) fn memory_of(pids: &[i32]) -> u64 {
    let of = |pid: &i32| {
        let status = Status::of(*pid);
        status.bytes("RssAnon") + status.bytes("RssShmem")
    };
    pids.iter().map(of).sum()
}
