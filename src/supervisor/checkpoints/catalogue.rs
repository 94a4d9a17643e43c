//! What can be told of the checkpoints that lie in a bundle, from their own files alone.

use std::fs;
use std::io;
use std::path::Path;

use super::fit::{self, Host};
use super::{Checkpoint, DUMP_LOG, rights};
use crate::runtime::bundle::{Bundle, BundleError};
use crate::runtime::hands::Hands;
use crate::runtime::images::{self, Descriptor, Dumped, Mounted, Rights, Stats};
pub(in crate::supervisor) use crate::runtime::tree::size;
use crate::supervisor::chain;
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

/// What checkpoints would be restored with: their bundle as it is now, for whom it is asked.
pub(in crate::supervisor) struct Around<'a> {
    bundle: &'a Path,
    hands: Hands,
    /// One that cannot be opened at all is another matter, told when it is started.
    opened: Option<Bundle>,
    unsafe_for: Option<String>,
}

impl<'a> Around<'a> {
    /// In these hands, if nothing of it is in others.
    pub(in crate::supervisor) fn look(bundle: &'a Path, hands: Hands) -> Self {
        let opened = Bundle::open(bundle, hands);
        let unsafe_for = match &opened {
            Err(loose @ BundleError::Loose { .. }) => Some(format!("the bundle cannot be started: {loose}")),
            Ok(_) | Err(_) => None,
        };
        Self { bundle, hands, opened: opened.ok(), unsafe_for }
    }

    /// As for whose it is.
    pub(in crate::supervisor) fn owned(bundle: &'a Path) -> Self {
        Self::look(bundle, super::hands_of(bundle))
    }

    /// What of it is in the way of whatever is restored with it; and of what may do this.
    pub(in crate::supervisor) fn refuses(
        &self,
        all: &[Rights],
        name: impl Fn(u32) -> Option<String>,
    ) -> Vec<String> {
        let excess = self.opened.iter().flat_map(|bundle| rights::excess(all, &name, bundle));
        let excess = excess.map(|what| format!("{what}, which the bundle does not give"));
        self.unsafe_for.iter().cloned().chain(excess).collect()
    }
}

/// The first `limit` of a bundle's checkpoints, in an order.
pub(in crate::supervisor) fn entries(
    around: &Around<'_>,
    here: &Host,
    order: Order,
    limit: Option<usize>,
) -> Result<Vec<Entry>> {
    let limit = limit.unwrap_or(usize::MAX);
    let mut found = super::list(around.bundle)?;
    match order {
        Order::Oldest | Order::Largest => {}
        Order::Newest => found.reverse(),
        Order::Name => found.sort_by(|one, other| one.name.cmp(&other.name)),
    }
    let described = |checkpoint| described(around, here, checkpoint);
    if order != Order::Largest {
        return Ok(found.into_iter().filter_map(described).take(limit).collect());
    }
    let mut found: Vec<Entry> = found.into_iter().filter_map(described).collect();
    found.sort_by_key(|entry| std::cmp::Reverse(entry.size));
    found.truncate(limit);
    Ok(found)
}

/// One as the list has it; not one that is being deleted just now, which is not damaged: it is gone.
pub(in crate::supervisor) fn described(
    around: &Around<'_>,
    here: &Host,
    checkpoint: Checkpoint,
) -> Option<Entry> {
    let entry = entry(around, here, checkpoint);
    (entry.obstacles.is_empty() || entry.checkpoint.folder.is_dir()).then_some(entry)
}

/// One that is there.
pub(in crate::supervisor) fn entry(around: &Around<'_>, here: &Host, checkpoint: Checkpoint) -> Entry {
    let mut obstacles = fit::unfit(&checkpoint, here);
    let changes = fit::changes_of(&checkpoint, around.bundle);
    if !changes.is_empty() {
        obstacles.push(format!(
            "the bundle's config.json has changed since, at {}; allowChangedBundle=true lets that pass",
            changes.join(", ")
        ));
    }
    let processes = fit::processes(&checkpoint).unwrap_or_else(|damage| {
        obstacles.push(damage);
        Vec::new()
    });
    if !processes.is_empty() {
        match rights::of(&checkpoint) {
            Ok(all) => obstacles.extend(around.refuses(&all, |pid| command_of(&processes, pid))),
            Err(damage) => obstacles.push(damage),
        }
    }
    if let Err(error @ Error::CheckpointUnsafe { .. }) = checkpoint.assert_in(around.hands) {
        obstacles.push(chain(&error));
    }
    Entry { size: size(&checkpoint.folder), processes, obstacles, checkpoint }
}

/// Of a process, by its pid.
pub(in crate::supervisor) fn command_of(processes: &[Dumped], pid: u32) -> Option<String> {
    processes.iter().find(|process| process.pid == pid).map(|process| process.command.clone())
}

/// All that is known of one; one that is deleted meanwhile is not damaged: it is gone.
pub(in crate::supervisor) fn report(
    around: &Around<'_>,
    here: &Host,
    name: &CheckpointName,
) -> Result<Report> {
    let checkpoint = super::open(around.bundle, name);
    let folder = checkpoint.as_ref().ok().map(|checkpoint| checkpoint.folder.clone());
    let told = checkpoint.and_then(|checkpoint| told(around, here, checkpoint));
    let is_whole = told.as_ref().is_ok_and(|report| report.entry.obstacles.is_empty());
    if !is_whole && folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Error::NoCheckpoint { bundle: around.bundle.to_owned(), name: name.clone() });
    }
    told
}

fn told(around: &Around<'_>, here: &Host, checkpoint: Checkpoint) -> Result<Report> {
    let name = checkpoint.name.clone();
    let entry = entry(around, here, checkpoint);
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
