//! Taking back what an earlier daemon has left: live shims are connected to again, exit records of those
//! that died meanwhile are read, what was under way is finished or undone by its journal. A record that
//! cannot be read is set aside with a loud line, never deleted, and stops nobody else. The daemon listens at once: what
//! takes its time is each container's own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::container::{Life, Snapshot, Task, recover_ended};
use super::error::Result;
use super::events::Happened;
use super::link::{self, Link};
use super::names::ContainerId;
use super::state::Status;
use super::store::{Journal, Mark, PID_FILE, Record, Run, blocking};
use super::{Context, archive, chain, checkpoints};
use crate::ipc::{Hello, Message, Pages, ProcessKey};
use crate::runtime::cgroup;
use crate::runtime::criu::lazy;
use crate::runtime::process::{Held, end_orphans};

/// How long a shim may take to say who it is, or to end.
const SHIM: Duration = Duration::from_secs(5);

/// How long nobody but its own container waits for a shim.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long the first request waits for what is soon settled.
const SETTLING: Duration = Duration::from_secs(1);

/// Why a container is stopped that ran when the host went down.
const HOST_RESTARTED: &str = "host restarted";

/// How many are looked at at once.
const AT_ONCE: usize = 32;

pub(super) async fn recover(context: &Arc<Context>) -> Result<()> {
    let listing = Arc::clone(context);
    let names = blocking(move || {
        archive::sweep(&listing.store.imports());
        listing.store.names()
    })
    .await?;
    crate::cut!("recovery.listed");
    // Deleted, and the daemon had no time to say so.
    for (id, run) in context.events.names().filter(|(id, _)| !names.iter().any(|(name, _)| name == *id)) {
        context.events.publish(id, run, Timestamp::now(), Happened::Delete);
    }
    let (recovering, mut settled) = mpsc::channel(1);
    let waited = &recovering;
    let each = stream::iter(names).for_each_concurrent(AT_ONCE, |(id, record)| async move {
        match record {
            Ok(Some(record)) => adopt(context, record, waited.clone()).await,
            Ok(None) => undo(context, &id, waited.clone()).await,
            Err(error) => {
                let aside = context.store.set_aside(&id);
                tracing::error!(
                    container = %id, error = %chain(&error), aside = %aside.display(),
                    "its record cannot be read and is set aside; if it runs, it runs on unknown to us"
                );
            }
        }
    });
    each.await;
    drop(recovering);
    crate::cut!("recovery.adopted");
    // What is soon settled is settled before the first request; a dump that goes on is said to go on.
    let _ = tokio::time::timeout(SETTLING, settled.recv()).await;
    Ok(())
}

async fn adopt(context: &Arc<Context>, record: Record, recovering: mpsc::Sender<()>) {
    let id = record.id.clone();
    let run = context.store.run(&id, record.run);
    let (settling, known, number, bundle) =
        (Arc::clone(context), id.clone(), record.run, record.bundle.clone());
    let cut_off = blocking(move || {
        let store = &settling.store;
        let (later, earlier): (Vec<Run>, Vec<Run>) = store
            .volatile_runs(&known)
            .into_iter()
            .filter(|run| run.number != number)
            .partition(|run| run.number > number);
        for run in earlier {
            store.end(&known, &run);
        }
        let run = store.run(&known, number);
        let making = match store.journal(&run) {
            Some(Journal::Checkpoint { name, .. }) => Some(name),
            _ => None,
        };
        store.settle(&known, &run);
        checkpoints::sweep(&bundle, known.as_str(), making.as_ref());
        Ok(later)
    })
    .await;
    crate::cut!("recovery.connecting");
    // A shim that hangs is its container's affair; the others are taken back meanwhile.
    let (shim, late) = match Link::connect(&run) {
        Ok(mut link) => match hello(&mut link, PATIENCE).await {
            Heard::Hello(hello) => (Some((link, hello)), None),
            Heard::Nothing => (None, Some(link)),
            Heard::Gone => (None, None),
        },
        Err(_) => (None, None),
    };
    let TakenBack { life, snapshot, busy } = take_back(context, record.clone(), shim).await;
    if let Some(place) = life.place()
        && let Err(other) = context.places.take(&id, place)
    {
        tracing::error!(container = %id, other = %other, "two containers share a cgroup: a pause or a kill of one is the other's");
    }
    tracing::info!(container = %id, status = snapshot.status.as_str(), "taken back");
    crate::cut!("recovery.connected");
    let task = Task::recovered(context, snapshot.clone(), Some(life), record.run, busy)
        .undoing(cut_off.unwrap_or_default())
        .awaiting(late.map(|link| (link, record)));
    context.registry.adopt(&id, Arc::new(snapshot), task, recovering);
}

/// What a container is when a daemon comes.
pub(super) struct TakenBack {
    pub(super) life: Life,
    pub(super) snapshot: Snapshot,
    /// The request that its shim is at.
    pub(super) busy: Option<u64>,
}

/// A container as its shim tells it, and the files.
async fn take_back(context: &Arc<Context>, record: Record, shim: Option<(Link, Hello)>) -> TakenBack {
    let (reading, lost) = (Arc::clone(context), record.clone());
    let taken = blocking(move || {
        let mut snapshot = Snapshot::of_record(&record);
        let run = reading.store.run(&record.id, record.run);
        snapshot.on_purpose = run.is_marked(Mark::OnPurpose);
        let journal = reading.store.journal(&run);
        let journal = journal.as_ref();
        let mut running = Vec::new();
        let (life, busy) = match shim {
            Some((link, hello)) => {
                running.clone_from(&hello.added);
                snapshot.pages = hello.pages;
                let mut life = Life::recover(run.clone(), link, &hello, &record, journal, &mut snapshot);
                life.hold_checkpoint(&reading, &snapshot);
                (Some(life), hello.busy)
            }
            None => {
                let init = reading.store.init(&run);
                // Without a word of theirs they come still.
                snapshot.pages = record.lazy_pages.then(|| run.pages().unwrap_or(Pages::Loading));
                let mut life = init
                    .and_then(|init| Life::without_shim(run.clone(), init, &record, journal, &mut snapshot));
                if let Some(life) = life.as_mut() {
                    life.hold_checkpoint(&reading, &snapshot);
                }
                (life, None)
            }
        };
        if life.is_none() {
            snapshot.status = Status::Stopped;
            snapshot.exit = run.exit_record();
            if snapshot.exit.is_none() && reading.store.is_another_boot() {
                // Of the next daemon it is the same boot.
                if let Err(error) = run.mark(Mark::HostRestarted) {
                    tracing::warn!(container = %record.id, error = %chain(&error), "that the host went down under it is not kept");
                }
                snapshot.reason = Some(HOST_RESTARTED.to_owned());
            } else if snapshot.exit.is_none() && run.is_marked(Mark::HostRestarted) {
                snapshot.reason = Some(HOST_RESTARTED.to_owned());
            }
            snapshot.pages = run.pages().filter(|_| record.lazy_pages);
        }
        // Asked for after the shim has said who runs: who ends from now on is told of by a message.
        recover_ended(&run, &running, &record, &mut snapshot);
        Ok(TakenBack { life: life.unwrap_or_else(|| Life::over(run, &record)), snapshot, busy })
    });
    taken.await.unwrap_or_else(|error| {
        tracing::error!(container = %lost.id, error = %chain(&error), "it cannot be taken back");
        let run = context.store.run(&lost.id, lost.run);
        let snapshot = Snapshot { status: Status::Stopped, ..Snapshot::of_record(&lost) };
        TakenBack { life: Life::over(run, &lost), snapshot, busy: None }
    })
}

/// A shim that did not speak at once is waited for by its own container. `None`: it does not speak at all.
pub(super) async fn take_back_late(
    context: &Arc<Context>,
    mut link: Link,
    record: Record,
) -> Option<TakenBack> {
    match hello(&mut link, SHIM).await {
        Heard::Hello(hello) => Some(take_back(context, record, Some((link, hello))).await),
        Heard::Nothing | Heard::Gone => None,
    }
}

enum Heard {
    Hello(Hello),
    /// It lives, and says nothing.
    Nothing,
    Gone,
}

/// What a run's shim knows.
async fn hello(link: &mut Link, patience: Duration) -> Heard {
    match tokio::time::timeout(patience, link.next()).await {
        Ok(Some(Message::Hello(hello))) if hello.init.is_some() => Heard::Hello(hello),
        Ok(_) => Heard::Gone,
        Err(_) => Heard::Nothing,
    }
}

/// A start that was cut off before it counted: its container ends, its shim ends, nothing of it stays.
pub(super) async fn cut_off(context: &Arc<Context>, id: &ContainerId, run: &Run) {
    tracing::warn!(container = %id, "a start that was cut off is undone");
    crate::cut!("recovery.undo.begun");
    end_shim(context, run).await;
    crate::cut!("recovery.undo.shim-ended");
    clear(context, id).await;
    let (clearing, named, run) = (Arc::clone(context), id.clone(), run.clone());
    let _ = blocking(move || {
        if let Some(Journal::Start { cgroup, began }) = clearing.store.journal(&run) {
            crate::cut!("recovery.undo.cleared");
            cgroup::clear(&cgroup, began);
        }
        crate::cut!("recovery.undo.abandoning");
        clearing.store.abandon(&named, &run);
        Ok(())
    })
    .await;
    context.places.leave(id);
}

/// Who asked is gone: the call that the shim is at is ended at once, and what has come of it. Then a shim ends by itself;
/// one that does not is ended as well.
async fn end_shim(context: &Context, run: &Run) {
    if let Ok(mut link) = Link::connect(run) {
        let ending = async {
            while let Some(message) = link.next().await {
                match message {
                    Message::Hello(Hello { init: Some(init), .. })
                    | Message::Launched { process: init, .. } => kill(init),
                    Message::Hello(Hello { busy: Some(_), .. }) => end_launch(context, run).await,
                    // Nothing was asked of it yet: alone it ends.
                    Message::Hello(_) => return,
                    Message::Done { .. }
                    | Message::Failed { .. }
                    | Message::Exited(_)
                    | Message::Pages { .. }
                    | Message::Oom { .. } => {}
                }
            }
        };
        let _ = tokio::time::timeout(SHIM, ending).await;
    }
    let looked_for = run.clone();
    for shim in blocking(move || Ok(link::shims_of(&looked_for))).await.unwrap_or_default() {
        let Ok(watch) = shim.watch() else { continue };
        if tokio::time::timeout(SHIM, watch.readable()).await.is_err() {
            end_launch(context, run).await;
            let _ = shim.signal(9);
            let _ = tokio::time::timeout(SHIM, watch.readable()).await;
        }
    }
    // A shim that was killed leaves it to go on.
    end_launch(context, run).await;
    let folder = run.volatile.clone();
    let _ = blocking(move || {
        lazy::end(&folder);
        Ok(())
    })
    .await;
}

/// The runtime that is making the run's first process.
async fn end_launch(context: &Context, run: &Run) {
    let arguments = context.call_of(&run.volatile.join(PID_FILE));
    let _ = blocking(move || {
        end_orphans(&arguments.each_ref().map(String::as_str));
        Ok(())
    })
    .await;
}

fn kill(init: ProcessKey) {
    if let Ok(Some(held)) = Held::open_same(init.pid, init.start_time) {
        let _ = held.signal(9);
    }
}

/// A name without a record: a start that never counted, or a delete that was cut off. It is nobody's until that is
/// undone or finished, and nobody else waits for it.
async fn undo(context: &Arc<Context>, id: &ContainerId, recovering: mpsc::Sender<()>) {
    let (listing, named) = (Arc::clone(context), id.clone());
    let runs = blocking(move || {
        let runs = listing.store.volatile_runs(&named);
        for run in &runs {
            // What it has made is still there.
            if let Some(Journal::Start { cgroup, .. }) = listing.store.journal(run)
                && let (Some(place), _) = listing.predict(Some(&cgroup), &named)
            {
                let _ = listing.places.take(&named, place);
            }
        }
        Ok(runs)
    });
    let runs = runs.await.unwrap_or_default();
    let (task, snapshot) = Task::new(context, id);
    context.registry.adopt(id, snapshot, task.undoing(runs), recovering);
}

/// Behind [`cut_off`], what is left of a name without a record.
pub(super) async fn forget(context: &Arc<Context>, id: &ContainerId) {
    if let Some(heard) = context.events.heard(id) {
        context.events.publish(id, heard.run, Timestamp::now(), Happened::Delete);
    }
    let (context, id) = (Arc::clone(context), id.clone());
    let _ = blocking(move || {
        crate::cut!("recovery.forgetting");
        if let Err(error) = context.store.forget(&id) {
            tracing::error!(container = %id, error = %chain(&error), "what is left of it cannot be removed");
        }
        Ok(())
    })
    .await;
}

async fn clear(context: &Arc<Context>, id: &ContainerId) {
    let log = context.store.call_log(id, "delete");
    if let Err(error) = context.runc.clear(true, &log, id.as_str()).await {
        tracing::error!(container = %id, error = %chain(&error), "its runtime state stays behind");
    }
}
