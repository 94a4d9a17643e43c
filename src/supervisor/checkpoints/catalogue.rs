//! What can be told of the checkpoints that lie in a bundle, from their own files alone.

use std::fs;
use std::io;
use std::path::Path;

use super::fit::{self, Host};
use super::{Checkpoint, DUMP_LOG};
use crate::runtime::images::{self, Descriptor, Dumped, Mounted, Stats};
pub(in crate::supervisor) use crate::runtime::tree::size;
use crate::supervisor::error::{Error, Result};
use crate::supervisor::names::CheckpointName;

/// CRIU's file of figures, beside the log.
const STATS: &str = "stats-dump";

/// A checkpoint as the list has it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it is.
    pub checkpoint: Checkpoint,
    /// What it takes on the disk, in bytes.
    pub size: u64,
    /// Its processes, parents first; none when its images cannot be read.
    pub processes: Vec<Dumped>,
    /// Why it cannot be restored here as things are, a sentence each.
    pub obstacles: Vec<String>,
}

/// All that is known of one.
#[derive(Debug)]
pub struct Report {
    /// As the list has it.
    pub entry: Entry,
    /// Of each process, in the same order.
    pub details: Vec<Details>,
    /// Its mounts.
    pub mounts: Vec<Mounted>,
    /// What CRIU measured at the dump.
    pub stats: Option<Stats>,
}

/// What is in an image of one process.
#[derive(Debug, Default)]
pub struct Details {
    /// Memory, in bytes.
    pub memory: u64,
    /// Open files.
    pub descriptors: Vec<Descriptor>,
}

/// In which order checkpoints are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// By time, newest last.
    #[default]
    Oldest,
    /// By time, newest first.
    Newest,
    /// By name.
    Name,
    /// By size, largest first.
    Largest,
}

/// The first `limit` of a bundle's checkpoints, in an order.
pub(in crate::supervisor) fn entries(
    bundle: &Path,
    here: &Host,
    order: Order,
    limit: Option<usize>,
) -> Result<Vec<Entry>> {
    let limit = limit.unwrap_or(usize::MAX);
    let mut found = super::list(bundle)?;
    match order {
        Order::Oldest | Order::Largest => {}
        Order::Newest => found.reverse(),
        Order::Name => found.sort_by(|one, other| one.name.cmp(&other.name)),
    }
    // One that is being deleted just now is not damaged: it is gone.
    let described = |checkpoint| {
        let entry = entry(bundle, here, checkpoint);
        (entry.obstacles.is_empty() || entry.checkpoint.folder.is_dir()).then_some(entry)
    };
    if order != Order::Largest {
        return Ok(found.into_iter().filter_map(described).take(limit).collect());
    }
    let mut found: Vec<Entry> = found.into_iter().filter_map(described).collect();
    found.sort_by_key(|entry| std::cmp::Reverse(entry.size));
    found.truncate(limit);
    Ok(found)
}

/// One as the list has it.
pub(in crate::supervisor) fn entry(bundle: &Path, here: &Host, checkpoint: Checkpoint) -> Entry {
    let mut obstacles = fit::unfit(&checkpoint, here);
    let changes = fit::changes_of(&checkpoint, bundle);
    if !changes.is_empty() {
        obstacles.push(format!(
            "the bundle's config.json has changed since, at {}; allowChangedBundle=true restores all the same",
            changes.join(", ")
        ));
    }
    let processes = fit::processes(&checkpoint).unwrap_or_else(|damage| {
        obstacles.push(damage);
        Vec::new()
    });
    Entry { size: size(&checkpoint.folder), processes, obstacles, checkpoint }
}

/// All that is known of one.
pub(in crate::supervisor) fn report(bundle: &Path, here: &Host, name: &CheckpointName) -> Result<Report> {
    let entry = entry(bundle, here, super::open(bundle, name)?);
    let folder = entry.checkpoint.images.clone();
    let failed =
        |error: io::Error| Error::CheckpointUnfit { name: name.clone(), reasons: vec![fit::damaged(&error)] };
    let mut open = images::descriptors(&folder, &entry.processes).map_err(failed)?;
    let details = entry.processes.iter().map(|process| {
        let memory = images::memory(&folder, process.pid)?;
        Ok(Details { memory, descriptors: open.remove(&process.pid).unwrap_or_default() })
    });
    let details = details.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    let mounts = images::mounts(&folder).map_err(failed)?;
    // An old daemon's lies among the images, with the log.
    let stats = images::stats(&entry.checkpoint.folder.join(STATS));
    Ok(Report { entry, details, mounts, stats })
}

/// The log of a dump; an old daemon's folder may have none.
pub(in crate::supervisor) fn log(checkpoint: &Checkpoint) -> Option<std::path::PathBuf> {
    let log = checkpoint.folder.join(DUMP_LOG);
    // A link could lead anywhere.
    fs::symlink_metadata(&log).is_ok_and(|kind| kind.is_file()).then_some(log)
}

/// What CRIU's images of a checkpoint take on the disk, those of the rounds before the dump too.
pub(in crate::supervisor) fn images_size(checkpoint: &Checkpoint) -> u64 {
    checkpoint.rounds().iter().chain([&checkpoint.images]).map(|images| size(images)).sum()
}
