//! Taking back what an earlier daemon has left: live shims are connected to again, exit records of those
//! that died meanwhile are read, and a start that never counted is undone. A record that cannot be read
//! is said loudly, left where it is, and stops nobody else.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::container::{Life, Snapshot, Task};
use super::error::Result;
use super::link::Link;
use super::names::ContainerId;
use super::state::Status;
use super::store::{Record, Run, blocking};
use super::{Context, chain};
use crate::ipc::{Hello, Message};
use crate::runtime::options::Verb;

/// How long a shim may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);

pub(super) async fn recover(context: &Arc<Context>) -> Result<()> {
    let listing = Arc::clone(context);
    for (id, record) in blocking(move || listing.store.names()).await? {
        match record {
            Ok(Some(record)) => adopt(context, record).await,
            Ok(None) => undo(context, &id).await,
            Err(error) => tracing::error!(container = %id, error = %chain(&error), "left as it is"),
        }
    }
    Ok(())
}

async fn adopt(context: &Arc<Context>, record: Record) {
    let id = record.id.clone();
    let run = context.store.run(&id, record.run);
    for other in context.store.volatile_runs(&id) {
        if other.number != run.number {
            context.store.abandon(&id, &other);
        }
    }
    let mut snapshot = Snapshot::of_record(&record);
    let life = connect(&run)
        .await
        .map(|(link, hello)| Life::recover(run.clone(), link, &hello, &record, &mut snapshot));
    if life.is_none() {
        snapshot.status = Status::Stopped;
        snapshot.exit = run.exit_record();
        clear(context, &id).await;
        context.store.end(&id, &run);
    }
    tracing::info!(container = %id, status = snapshot.status.as_str(), "taken back");
    let task = Task::recovered(context, snapshot.clone(), life, record.run);
    context.registry.adopt(&id, Arc::new(snapshot), task);
}

/// The run's shim, if it lives, and what it knows.
async fn connect(run: &Run) -> Option<(Link, Hello)> {
    let mut link = Link::connect(run).ok()?;
    match tokio::time::timeout(HELLO, link.next()).await {
        Ok(Some(Message::Hello(hello))) if hello.init.is_some() => Some((link, hello)),
        _ => None,
    }
}

/// A name without a record: a start that never counted.
async fn undo(context: &Arc<Context>, id: &ContainerId) {
    tracing::warn!(container = %id, "a start that was cut off is undone");
    clear(context, id).await;
    for run in context.store.volatile_runs(id) {
        context.store.abandon(id, &run);
    }
    // What is left when the volatile folder went with a reboot.
    if let Err(error) = context.store.forget(id) {
        tracing::error!(container = %id, error = %chain(&error), "could not be undone");
    }
}

async fn clear(context: &Arc<Context>, id: &ContainerId) {
    if !context.runc.knows(id.as_str()) {
        return;
    }
    let log = context.store.call_log(id, "delete");
    if let Err(error) = context.runc.call(&Verb::Delete { force: true }, &log, id.as_str()).await {
        tracing::error!(container = %id, error = %chain(&error), "its runtime state stays behind");
    }
    let _ = fs::remove_file(log);
}
