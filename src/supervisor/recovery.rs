//! Taking back what an earlier daemon has left: live shims are connected to again, exit records of those
//! that died meanwhile are read, what was under way is finished or undone by its journal. A record that
//! cannot be read is set aside with a loud line, never deleted, and stops nobody else.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::container::{Life, Snapshot, Task, recover_ended};
use super::error::Result;
use super::events::Happened;
use super::link::Link;
use super::names::ContainerId;
use super::state::Status;
use super::store::{Journal, Record, Run, blocking};
use super::{Context, archive, chain, checkpoints};
use crate::ipc::{Hello, Message, ProcessKey};
use crate::runtime::cgroup;
use crate::runtime::process::Held;

/// How long a shim may take to say who it is, or to end.
const SHIM: Duration = Duration::from_secs(5);

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
    // A shim that hangs is waited for, and not one after the other.
    let (recovering, mut settled) = mpsc::channel(1);
    let waited = &recovering;
    let each = stream::iter(names).for_each_concurrent(AT_ONCE, |(id, record)| async move {
        match record {
            Ok(Some(record)) => adopt(context, record, waited.clone()).await,
            Ok(None) => undo(context, &id).await,
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
    let _ = tokio::time::timeout(SHIM, settled.recv()).await;
    Ok(())
}

async fn adopt(context: &Arc<Context>, record: Record, recovering: mpsc::Sender<()>) {
    let id = record.id.clone();
    let run = context.store.run(&id, record.run);
    for other in context.store.volatile_runs(&id) {
        if other.number > run.number {
            cut_off(context, &id, &other).await;
        } else if other.number < run.number {
            context.store.end(&id, &other);
        }
    }
    let mut snapshot = Snapshot::of_record(&record);
    let journal = context.store.journal(&run);
    let journal = journal.as_ref();
    let making = match journal {
        Some(Journal::Checkpoint { name, .. }) => Some(name.clone()),
        _ => None,
    };
    let (bundle, container) = (record.bundle.clone(), id.to_string());
    let (settling, counted, number) = (Arc::clone(context), id.clone(), record.run);
    let _ = blocking(move || {
        settling.store.settle(&counted, &settling.store.run(&counted, number));
        checkpoints::sweep(&bundle, &container, making.as_ref());
        Ok(())
    })
    .await;
    crate::cut!("recovery.connecting");
    let mut running = Vec::new();
    let (life, busy) = match connect(&run).await {
        Some((link, hello)) => {
            running.clone_from(&hello.added);
            (Some(Life::recover(run.clone(), link, &hello, &record, journal, &mut snapshot)), hello.busy)
        }
        None => {
            let init = context.store.init(&run);
            (
                init.and_then(|init| Life::without_shim(run.clone(), init, &record, journal, &mut snapshot)),
                None,
            )
        }
    };
    if life.is_none() {
        snapshot.status = Status::Stopped;
        snapshot.exit = run.exit_record();
    }
    // Asked for after the shim has said who runs: who ends from now on is told of by a message.
    recover_ended(&run, &running, &record, &mut snapshot);
    if let Some(place) = life.as_ref().and_then(Life::place)
        && let Err(other) = context.places.take(&id, place)
    {
        tracing::error!(container = %id, other = %other, "two containers share a cgroup: a pause or a kill of one is the other's");
    }
    tracing::info!(container = %id, status = snapshot.status.as_str(), "taken back");
    crate::cut!("recovery.connected");
    let life = life.unwrap_or_else(|| Life::over(run, &record));
    let task = Task::recovered(context, snapshot.clone(), Some(life), record.run, busy);
    context.registry.adopt(&id, Arc::new(snapshot), task, recovering);
}

/// The run's shim, if it lives, and what it knows.
async fn connect(run: &Run) -> Option<(Link, Hello)> {
    let mut link = Link::connect(run).ok()?;
    match tokio::time::timeout(SHIM, link.next()).await {
        Ok(Some(Message::Hello(hello))) if hello.init.is_some() => Some((link, hello)),
        _ => None,
    }
}

/// A start that was cut off before it counted: its container ends, its shim ends, nothing of it stays.
async fn cut_off(context: &Arc<Context>, id: &ContainerId, run: &Run) {
    tracing::warn!(container = %id, "a start that was cut off is undone");
    crate::cut!("recovery.undo.begun");
    if let Ok(link) = Link::connect(run) {
        end_shim(context, link).await;
    }
    crate::cut!("recovery.undo.shim-ended");
    clear(context, id).await;
    let (context, id, run) = (Arc::clone(context), id.clone(), run.clone());
    let _ = blocking(move || {
        if let Some(Journal::Start { cgroup }) = context.store.journal(&run) {
            crate::cut!("recovery.undo.cleared");
            cgroup::remove_empty(&cgroup);
        }
        crate::cut!("recovery.undo.abandoning");
        context.store.abandon(&id, &run);
        Ok(())
    })
    .await;
}

/// The shim may be in the middle of its launch: then the process that comes of it is awaited, and ended.
async fn end_shim(context: &Arc<Context>, mut link: Link) {
    let mut limit = SHIM;
    while let Ok(Some(message)) = tokio::time::timeout(limit, link.next()).await {
        match message {
            Message::Hello(Hello { init: Some(init), .. }) | Message::Launched { process: init, .. } => {
                kill(init);
                limit = SHIM;
            }
            Message::Hello(Hello { busy: Some(_), .. }) => limit = context.limit(true) + SHIM,
            // Nothing was asked of it yet: alone it ends.
            Message::Hello(_) => return,
            Message::Done { .. } | Message::Failed { .. } | Message::Exited(_) => limit = SHIM,
        }
    }
}

fn kill(init: ProcessKey) {
    if let Ok(Some(held)) = Held::open_same(init.pid, init.start_time) {
        let _ = held.signal(9);
    }
}

/// A name without a record: a start that never counted, or a delete that was cut off.
async fn undo(context: &Arc<Context>, id: &ContainerId) {
    for run in context.store.volatile_runs(id) {
        cut_off(context, id, &run).await;
    }
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
    let _ = fs::remove_file(log);
}
