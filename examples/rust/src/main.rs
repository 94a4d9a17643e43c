//! A container's life through the client that progenitor makes; docs/clients.md tells how.
//!
//!     cargo run http://localhost:8888 /containers/redis

use std::env;

use client::types::{
    CheckpointName, CreateCheckpoint, CreateProcess, Event, EventType, ListCheckpointsSort, SignalProcess,
    StartContainer, TargetStatus, UpdateContainer,
};
use client::{Client, Error};
use futures_util::StreamExt;

#[allow(clippy::all, dead_code, unused_imports)]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (base, bundle) = (env::args().nth(1).unwrap(), env::args().nth(2).unwrap());
    let name = "life-in-rust";
    let api = Client::new(&base);

    // From here on: an earlier run's events are not this one's.
    let mut past = api.get_events().since(0).id(name).follow(false).send().await?.into_inner();
    let mut text = Vec::new();
    while let Some(portion) = past.next().await {
        text.extend_from_slice(&portion?);
    }
    let newest = match text.trim_ascii_end().rsplit(|byte| *byte == b'\n').next() {
        None | Some([]) => 0,
        Some(line) => serde_json::from_slice::<Event>(line)?.cursor,
    };

    let start = StartContainer::builder().bundle_path(bundle);
    let container = api.start_container().id(name).body(start.clone()).send().await?;
    println!("start: {}", container.state.status);

    let sleep = CreateProcess::builder().args(["sleep".parse()?, "1000".parse()?]);
    let process = api.create_process().id(name).body(sleep).send().await?;
    println!("process: {}", process.args.join(" "));

    let state = api.get_state().send().await?;
    for one in state.containers.iter().filter(|one| one.id.as_str() == name) {
        println!("state: {} processes", one.processes.len());
    }

    let term = SignalProcess::builder().signal(15);
    api.signal_process().id(name).pid(process.pid).body(term).send().await?;
    let ended = api.wait_process().id(name).pid(process.pid).timeout(10).send().await?;
    println!("signal: {} {}", ended.state.status, *ended.state.exit_signal.as_deref().unwrap());

    for (word, status) in [("pause", TargetStatus::Paused), ("resume", TargetStatus::Running)] {
        let update = UpdateContainer::builder().status(status);
        let container = api.update_container().id(name).body(update).send().await?;
        println!("{word}: {}", container.state.status);
    }

    let exit = CreateCheckpoint::builder().exit(true);
    let checkpoint = api.create_checkpoint().id(name).checkpoint("rs").body(exit).send().await?;
    println!("checkpoint: {}", checkpoint.processes[0].command);
    let list = api.list_checkpoints().id(name).sort(ListCheckpointsSort::Newest).send().await?;
    println!("list: {}", list.len());

    let restore = start.clone().checkpoint(CheckpointName::try_from("rs")?);
    let container = api.start_container().id(name).body(restore).send().await?;
    println!("restore: {}", container.state.status);

    if let Err(Error::ErrorResponse(problem)) = api.start_container().id(name).body(start).send().await {
        println!("problem: {} {} {}", problem.status, problem.type_, problem.title);
    }

    api.delete_checkpoint().id(name).checkpoint("rs").send().await?;
    api.delete_container().id(name).force(true).send().await?;
    println!("delete: done");

    // The stream stays open, so its lines are read as they come.
    let mut stream = api.get_events().since(newest).id(name).send().await?.into_inner();
    let mut text = Vec::new();
    while let Some(portion) = stream.next().await {
        text.extend_from_slice(&portion?);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let event: Event = serde_json::from_slice(&text.drain(..=end).collect::<Vec<u8>>())?;
            println!("event: {}", event.type_);
            if event.type_ == EventType::Delete.to_string() {
                return Ok(());
            }
        }
    }
    Ok(())
}
