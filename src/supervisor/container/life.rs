//! A run that goes on: its shim, its processes, and what comes of them unasked.

use std::os::fd::OwnedFd;

use futures_util::future::select_all;
use oci_spec::runtime::Process;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use super::{ProcessView, STUCK, Snapshot, processes};
use crate::ipc::{AddedExit, ExitRecord, Hello, Message, Pages, ProcessKey};
use crate::runtime;
use crate::runtime::cgroup::Cgroup;
use crate::runtime::process::Held;
use crate::supervisor::chain;
use crate::supervisor::checkpoints::Claim;
use crate::supervisor::link::Link;
use crate::supervisor::state::Status;
use crate::supervisor::store::{Journal, Record, Run, blocking};

/// A run whose shim was started and whose end is not tidied up yet.
pub(in crate::supervisor) struct Life {
    pub(super) run: Run,
    /// None once the shim is gone.
    pub(super) link: Option<Link>,
    pub(super) shim: Option<Held>,
    pub(super) seq: u64,
    pub(super) process: Process,
    pub(super) init: Option<Held>,
    /// The init process's pidfd, readable when it has ended (pidfd_open(2)); waited on without a shim.
    pub(super) watch: Option<AsyncFd<OwnedFd>>,
    pub(super) cgroup: Option<Cgroup>,
    pub(super) added: Vec<Added>,
    /// Since when the kernel says that the init process has ended and the shim does not.
    pub(super) dead_since: Option<Instant>,
    /// It never did.
    pub(super) hung: bool,
    pub(super) ended: bool,
    /// How many processes the kernel has killed for want of memory, as an earlier daemon's shim said, and how many were
    /// told.
    pub(super) oom_seen: u64,
    pub(super) oom_told: u64,
    /// Of a lazy restore, until all pages are in: nobody deletes the checkpoint meanwhile.
    pub(super) claim: Option<Claim>,
}

/// A process that was added.
pub(super) struct Added {
    pub(super) key: ProcessKey,
    pub(super) seq: u64,
    pub(super) view: ProcessView,
    /// Its pidfd, once the shim is gone that would tell of its end.
    pub(super) watch: Option<AsyncFd<OwnedFd>>,
}

/// What can happen to a container that nobody asked for.
pub(super) enum Happening {
    Message(Message),
    /// With what it has written.
    ShimLost(LastWords),
    /// The init process has ended; the shim is about to say how.
    Dead,
    /// An added process has ended and there is no shim to say how.
    AddedUnseen(ProcessKey),
    /// The init process has ended and there is no shim to say how, but perhaps what it has written.
    EndedUnseen(Option<ExitRecord>),
}

impl Life {
    pub(super) fn new(run: Run, link: Option<Link>, shim: Option<Held>, process: Process) -> Self {
        Self {
            run,
            link,
            shim,
            seq: 0,
            process,
            init: None,
            watch: None,
            cgroup: None,
            added: Vec::new(),
            dead_since: None,
            hung: false,
            ended: false,
            oom_seen: 0,
            oom_told: 0,
            claim: None,
        }
    }

    /// A run of an earlier daemon's that has ended; what it holds of the host is still to be cleared.
    pub(in crate::supervisor) fn over(run: Run, record: &Record) -> Self {
        Self { ended: true, ..Self::new(run, None, None, record.process.clone()) }
    }

    /// A run of an earlier daemon's whose shim is gone: its init process, if it is the same and runs still.
    pub(in crate::supervisor) fn without_shim(
        run: Run,
        init: ProcessKey,
        record: &Record,
        journal: Option<&Journal>,
        snapshot: &mut Snapshot,
    ) -> Option<Self> {
        let mut life = Self::new(run, None, None, record.process.clone());
        life.hold(init).ok()?;
        // One that nobody has reaped yet has ended all the same, and that may have been told.
        life.init.as_ref().filter(|init| !init.has_ended())?;
        snapshot.processes.push(ProcessView::new(init.pid, &record.process));
        processes::recover_unseen(&mut life, snapshot);
        snapshot.status = life.found(journal);
        Some(life)
    }

    /// A run of an earlier daemon's, as its shim tells it.
    pub(in crate::supervisor) fn recover(
        run: Run,
        link: Link,
        hello: &Hello,
        record: &Record,
        journal: Option<&Journal>,
        snapshot: &mut Snapshot,
    ) -> Self {
        let mut life = Self::new(run, Some(link), None, record.process.clone());
        if let Some(init) = hello.init {
            if let Err(error) = life.hold(init) {
                tracing::error!(container = %record.id, error = %chain(&error), "its init process cannot be held");
            }
            snapshot.processes.push(ProcessView::new(init.pid, &record.process));
        }
        snapshot.status = life.found(journal);
        life.oom_seen = hello.oom_kills;
        life.seq = hello.seq.max(hello.busy.unwrap_or(0));
        processes::recover(&mut life, hello, snapshot);
        if let Some(exit) = hello.exit {
            life.ended = true;
            snapshot.status = Status::Stopped;
            snapshot.exit = Some(ExitRecord::from(exit));
            snapshot.processes.clear();
        }
        life
    }

    /// Holds the init process. It may have ended already; then the shim's next message says so.
    pub(super) fn hold(&mut self, init: ProcessKey) -> Result<(), runtime::Error> {
        self.init = Held::open_same(init.pid, init.start_time)?;
        if let Some(held) = &self.init {
            self.cgroup = Cgroup::of(init.pid);
            let watch = held.watch();
            self.watch = Some(watch.map_err(|source| runtime::Error::Process {
                pid: init.pid,
                what: "watching",
                source,
            })?);
        }
        Ok(())
    }

    /// A process that was added, and runs; `watch` is its pidfd where no shim tells of its end. Gives it as readers see
    /// it, and lists it, but behind init's end: then it is about to end too.
    pub(super) fn add(
        &mut self,
        key: ProcessKey,
        seq: u64,
        view: ProcessView,
        watch: Option<AsyncFd<OwnedFd>>,
        snapshot: &mut Snapshot,
    ) -> ProcessView {
        let view = ProcessView { pid: key.pid, ..view };
        self.added.push(Added { key, seq, view: view.clone(), watch });
        if !self.ended {
            snapshot.processes.push(view.clone());
        }
        view
    }

    /// The cgroup of its init process.
    pub(in crate::supervisor) fn place(&self) -> Option<Cgroup> {
        self.cgroup.clone()
    }

    /// What a live run that an earlier daemon left is doing.
    fn found(&self, journal: Option<&Journal>) -> Status {
        match journal {
            // Frozen by CRIU, and not at anybody's request; said until it is finished or undone.
            Some(Journal::Checkpoint { .. }) => Status::Checkpointing,
            _ if self.is_frozen() => Status::Paused,
            _ => Status::Running,
        }
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.cgroup.as_ref().is_some_and(Cgroup::is_frozen)
    }

    pub(super) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// The next thing that happens. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Happening {
        let ended = self.ended;
        let watch = self.watch.as_ref().filter(|_| !ended);
        // The kernel's word counts when the shim has none: it is gone, or it hangs.
        let dead = async {
            match watch {
                // An error here is a broken descriptor: then it cannot be said to run either.
                Some(watch) => drop(watch.readable().await),
                None => std::future::pending().await,
            }
        };
        let Some(link) = self.link.as_mut() else {
            if ended {
                return std::future::pending().await;
            }
            if watch.is_none() {
                return Happening::EndedUnseen(Box::pin(exit_record(&self.run)).await);
            }
            let added =
                self.added.iter().filter_map(|added| added.watch.as_ref().map(|watch| (added.key, watch)));
            let ends: Vec<_> = added
                .map(|(key, watch)| {
                    Box::pin(async move {
                        let _ = watch.readable().await;
                        key
                    })
                })
                .collect();
            let added_end = async {
                if ends.is_empty() { std::future::pending().await } else { select_all(ends).await.0 }
            };
            return tokio::select! {
                biased;
                () = dead => Happening::EndedUnseen(Box::pin(exit_record(&self.run)).await),
                key = added_end => Happening::AddedUnseen(key),
            };
        };
        let stuck_at = self.dead_since.map(|since| since + STUCK);
        tokio::select! {
            biased;
            message = link.next() => match message {
                Some(message) => Happening::Message(message),
                None => {
                    // Read before it is forgotten that the link has ended.
                    let words = Box::pin(last_words(&self.run)).await;
                    self.link = None;
                    Happening::ShimLost(words)
                }
            },
            () = dead, if stuck_at.is_none() => Happening::Dead,
            () = tokio::time::sleep_until(stuck_at.unwrap_or_else(Instant::now)), if stuck_at.is_some() && !ended => {
                Happening::EndedUnseen(Box::pin(exit_record(&self.run)).await)
            }
        }
    }
}

/// What a shim has written of ends, and may not have said.
#[derive(Default)]
pub(super) struct LastWords {
    pub(super) init: Option<ExitRecord>,
    pub(super) added: Vec<AddedExit>,
    pub(super) pages: Option<Pages>,
}

async fn last_words(run: &Run) -> LastWords {
    let run = run.clone();
    let read = blocking(move || {
        Ok(LastWords { init: run.exit_record(), added: run.added_exits(), pages: run.pages() })
    });
    read.await.unwrap_or_default()
}

/// How the init process has ended, if its shim has written that.
async fn exit_record(run: &Run) -> Option<ExitRecord> {
    let run = run.clone();
    blocking(move || Ok(run.exit_record())).await.ok().flatten()
}
