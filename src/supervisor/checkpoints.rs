//! Checkpoints on disk: `BUNDLE/checkpoints/NAME/` with `image/` as CRIU wrote it, `checkpoint.json` and
//! `dump.log`; mode 0700, since an image is the process's memory. Made under a hidden name beside it and
//! renamed when complete, so that what is listed is whole. One with rounds before its dump has them in `pre-1/`, `pre-2/`
//! and so on, each with a link `parent` to the one before, as CRIU makes it.
//!
//! Folders of containerd 0.0.x have the images directly inside, those of 0.2 a `config.json` beside them;
//! both are listed and can be restored.

pub(super) mod catalogue;
pub(super) mod fit;
mod steps;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::Timestamp;
use oci_spec::runtime::Process;
use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};
use serde::{Deserialize, Serialize};

pub use catalogue::{Entry, Order, Report};
pub(super) use fit::Host;
pub(super) use steps::{MOST_ROUNDS, PARENT, ROUND, Step};

use super::error::{Error, Result, store};
use super::names::CheckpointName;
use super::store::remove_for_good;
use crate::runtime::criu::dump_finished;
use crate::runtime::durable::{sync_folder, write_synced};
use crate::runtime::images;
use crate::runtime::options::CriuOptions;
use crate::runtime::regular::{self, LARGEST_JSON};
use crate::runtime::tree;

pub(super) const META: &str = "checkpoint.json";
const IMAGE: &str = "image";
/// The bundle's config.json as the container was started with it.
pub(super) const SPEC: &str = "spec.json";
/// Always among CRIU's images: what kind of dump it is.
pub(super) const INVENTORY: &str = "inventory.img";
/// Of `checkpoint.json`.
pub(super) const META_VERSION: u32 = 1;
/// How the hidden folder of one that comes in an archive ends; [`super::archive`] sweeps those.
pub(super) const RECEIVED: &str = ".import";
/// How often the folder of all checkpoints is made, which others may take away.
const MAKING: u32 = 100;
/// How many other names are tried for one that must not be lost.
const OTHER_NAMES: u32 = 9;
/// CRIU's name for the log of a dump.
pub(super) const DUMP_LOG: &str = "dump.log";

/// A checkpoint as it lies in a bundle.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Its name.
    pub name: CheckpointName,
    /// What CRIU was to allow; its restore allows the same.
    pub options: CriuOptions,
    /// When it was made.
    pub created: Timestamp,
    /// Whether the container was stopped by it.
    pub exit: bool,
    /// How many rounds of memory were written before the dump.
    pub pre_dumps: u32,
    /// CRIU's images.
    pub images: PathBuf,
    /// All of it: `images` or the folder above.
    pub(super) folder: PathBuf,
    /// The init process as it was started; an old daemon's folder does not tell.
    pub process: Option<Process>,
    /// The idempotency key of the request that made it.
    pub(super) key: Option<String>,
    /// What made it, if a daemon of ours did.
    pub(super) made_by: Option<MadeBy>,
}

impl Checkpoint {
    /// The container it was made of.
    pub fn container(&self) -> Option<&str> {
        self.made_by.as_ref().map(|made_by| made_by.maker.container.as_str())
    }

    /// What it was made with.
    pub fn host(&self) -> Option<&Host> {
        self.made_by.as_ref().map(|made_by| &made_by.host)
    }

    /// The images of the rounds before the dump, the first first.
    pub(super) fn rounds(&self) -> Vec<PathBuf> {
        steps::rounds(&self.folder, self.pre_dumps)
    }

    /// The bundle's config.json at the dump.
    fn config(&self) -> Option<Vec<u8>> {
        regular::read(&self.folder.join(SPEC), LARGEST_JSON).ok()
    }
}

/// `checkpoint.json`, and what can be read of 0.2's `config.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    #[serde(default)]
    version: u32,
    created: Timestamp,
    #[serde(flatten)]
    options: CriuOptions,
    #[serde(default)]
    exit: bool,
    #[serde(default, skip_serializing_if = "is_none")]
    pre_dumps: u32,
    #[serde(default)]
    made_by: Option<MadeBy>,
    #[serde(default)]
    process: Option<Process>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// Most have none, and an older daemon never.
fn is_none(rounds: &u32) -> bool {
    *rounds == 0
}

impl Meta {
    /// Of a dump that begins now; `process` is the container's init process as it was started.
    pub(super) fn new(
        options: CriuOptions,
        exit: bool,
        pre_dumps: u32,
        made_by: MadeBy,
        process: Process,
        key: Option<String>,
    ) -> Self {
        Self {
            version: META_VERSION,
            created: Timestamp::now(),
            options,
            exit,
            pre_dumps,
            made_by: Some(made_by),
            process: Some(process),
            key,
        }
    }
}

/// What made a checkpoint: another version may not restore it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MadeBy {
    /// The request.
    #[serde(flatten)]
    pub(super) maker: Maker,
    /// What it was made with.
    #[serde(flatten)]
    pub(super) host: Host,
}

/// The request that made a checkpoint, so that a daemon that finds one knows whether it is the one that an
/// earlier daemon has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Maker {
    /// The container it was made of.
    pub(super) container: String,
    /// The container's run.
    #[serde(default)]
    pub(super) run: u32,
    /// The request's number in that run.
    #[serde(default)]
    pub(super) seq: u64,
}

fn folder_of(bundle: &Path) -> PathBuf {
    bundle.join("checkpoints")
}

/// The checkpoints of a bundle, newest last. What is no checkpoint is passed over.
pub(super) fn list(bundle: &Path) -> Result<Vec<Checkpoint>> {
    let folder = folder_of(bundle);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(store("listing the folder", folder)(error)),
    };
    let mut found: Vec<Checkpoint> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|name| match read(bundle, &name) {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                tracing::warn!(checkpoint = %name, error = %crate::supervisor::chain(&error), "passed over");
                None
            }
        })
        .collect();
    found.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
    Ok(found)
}

/// One checkpoint of a bundle.
pub(super) fn open(bundle: &Path, name: &CheckpointName) -> Result<Checkpoint> {
    read(bundle, name)?.ok_or_else(|| Error::NoCheckpoint { bundle: bundle.to_owned(), name: name.clone() })
}

/// One to restore from: it cannot be deleted while the claim is held.
pub(super) fn open_claimed(
    claims: &Claims,
    bundle: &Path,
    name: &CheckpointName,
) -> Result<(Checkpoint, Claim)> {
    open(bundle, name)?;
    let busy = || Error::CheckpointBusy { bundle: bundle.to_owned(), name: name.clone() };
    let claim = claims.shared(real(bundle, name)?).ok_or_else(busy)?;
    Ok((open(bundle, name)?, claim))
}

fn read(bundle: &Path, name: &CheckpointName) -> Result<Option<Checkpoint>> {
    let folder = folder_of(bundle).join(name.as_str());
    // A link could lead anywhere, and a checkpoint's memory with it.
    if !fs::symlink_metadata(&folder).is_ok_and(|kind| kind.is_dir()) {
        return Ok(None);
    }
    let ours = folder.join(META);
    if ours.exists() {
        let meta = read_meta(&ours)?;
        return Ok(Some(checkpoint(name, &meta, folder.join(IMAGE), folder)));
    }
    if !folder.join(INVENTORY).exists() {
        return Ok(None);
    }
    let meta = old_meta(&folder);
    Ok(Some(checkpoint(name, &meta, folder.clone(), folder)))
}

/// Of a folder with images directly inside.
fn old_meta(folder: &Path) -> Meta {
    match read_meta(&folder.join("config.json")) {
        Ok(meta) => meta,
        Err(_) => Meta {
            version: 0,
            created: modified(folder),
            options: CriuOptions::default(),
            exit: false,
            pre_dumps: 0,
            made_by: None,
            process: None,
            key: None,
        },
    }
}

/// What a checkpoint's `checkpoint.json` says, or would say if it had one.
pub(super) fn describe(checkpoint: &Checkpoint) -> Result<serde_json::Value> {
    let path = checkpoint.folder.join(META);
    let said = if path.exists() {
        let bytes = regular::read(&path, LARGEST_JSON).map_err(store("reading", &path))?;
        serde_json::from_slice(&bytes)
    } else {
        serde_json::to_value(Meta { version: META_VERSION, ..old_meta(&checkpoint.folder) })
    };
    said.map_err(|error| store("reading", path)(error.into()))
}

fn checkpoint(name: &CheckpointName, meta: &Meta, images: PathBuf, folder: PathBuf) -> Checkpoint {
    Checkpoint {
        name: name.clone(),
        options: meta.options,
        created: meta.created,
        exit: meta.exit,
        pre_dumps: meta.pre_dumps.min(MOST_ROUNDS),
        images,
        folder,
        process: meta.process.clone(),
        key: meta.key.clone(),
        made_by: meta.made_by.clone(),
    }
}

fn read_meta(path: &Path) -> Result<Meta> {
    let bytes = regular::read(path, LARGEST_JSON).map_err(store("reading", path))?;
    serde_json::from_slice(&bytes).map_err(|error| store("reading", path)(error.into()))
}

fn modified(folder: &Path) -> Timestamp {
    let time = fs::metadata(folder).and_then(|kind| kind.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The checkpoints that are being made: containers of one bundle share its names, and the later of two
/// dumps with `exit` must not find its name taken once its container is gone.
/// And nobody deletes one that is being restored.
#[derive(Debug, Default, Clone)]
pub(super) struct Claims(Arc<Mutex<BTreeMap<PathBuf, Held>>>);

/// How a checkpoint's folder is held.
#[derive(Debug, PartialEq, Eq)]
enum Held {
    /// Made or deleted, by one.
    Alone,
    /// Restored, by so many.
    Shared(usize),
}

/// A checkpoint's folder, held.
#[derive(Debug)]
pub(super) struct Claim {
    all: Claims,
    folder: PathBuf,
}

impl Claims {
    fn alone(&self, folder: PathBuf) -> Option<Claim> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(&folder) {
            return None;
        }
        held.insert(folder.clone(), Held::Alone);
        Some(Claim { all: self.clone(), folder })
    }

    fn shared(&self, folder: PathBuf) -> Option<Claim> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.entry(folder.clone()).or_insert(Held::Shared(0)) {
            Held::Alone => return None,
            Held::Shared(count) => *count += 1,
        }
        Some(Claim { all: self.clone(), folder })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.folder) {
            Some(Held::Shared(count)) if *count > 1 => *count -= 1,
            _ => drop(held.remove(&self.folder)),
        }
    }
}

/// A bundle may have several paths, its checkpoints have one folder.
fn real(bundle: &Path, name: &CheckpointName) -> Result<PathBuf> {
    let all = folder_of(bundle);
    Ok(all.canonicalize().map_err(store("opening", all))?.join(name.as_str()))
}

/// A checkpoint that is being made.
#[derive(Debug)]
pub(super) struct Partial {
    bundle: PathBuf,
    name: CheckpointName,
    folder: PathBuf,
    /// How many rounds it has before its dump.
    pre_dumps: u32,
    /// The container ends with it.
    exit: bool,
    _claim: Claim,
}

impl Partial {
    /// Makes the hidden folder, with everything in it but the images. Whatever can fail for want of space
    /// or rights fails here, before the container is touched. `is_known`: whether there is such a container.
    pub(super) fn begin(
        claims: &Claims,
        bundle: &Path,
        name: &CheckpointName,
        meta: &Meta,
        config: &[u8],
        is_known: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let mut partial = Self::claim(claims, bundle, name, ".partial")?;
        partial.pre_dumps = meta.pre_dumps;
        partial.exit = meta.exit;
        partial.clear_left(meta, is_known)?;
        crate::cut!("checkpoint.filling");
        let filled = partial.fill(meta, config);
        crate::cut!("checkpoint.filled");
        filled.inspect_err(|_| partial.abandon())?;
        Ok(partial)
    }

    /// What an earlier daemon left when it died in the middle of a dump goes, but for what is all there is of a container,
    /// or may be finished yet.
    fn clear_left(&self, meta: &Meta, is_known: impl Fn(&str) -> bool) -> Result<()> {
        let taken = || Err(Error::CheckpointTaken { bundle: self.bundle.clone(), name: self.name.clone() });
        let maker = |meta: &Meta| meta.made_by.as_ref().map(|made_by| made_by.maker.container.clone());
        if let Ok(left) = read_meta(&self.folder.join(META)) {
            if left.exit && dump_finished(&self.folder.join(DUMP_LOG)) {
                self.appear()?;
                return taken();
            }
            if maker(&left) != maker(meta) && maker(&left).is_some_and(|container| is_known(&container)) {
                return taken();
            }
        }
        let _ = tree::remove(&self.folder);
        Ok(())
    }

    /// The same for one whose content comes from elsewhere, `checkpoint.json` too. `note` is told the hidden folder
    /// before it is made, so that nothing of it is left that a crash forgets.
    pub(super) fn receive(
        claims: &Claims,
        bundle: &Path,
        name: &CheckpointName,
        note: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let partial = Self::claim(claims, bundle, name, RECEIVED)?;
        note(&partial.folder)?;
        // What an earlier daemon left.
        remove_for_good(&partial.folder);
        partial.make_folders().inspect_err(|_| partial.abandon())?;
        Ok(partial)
    }

    /// Nobody else makes one of that name meanwhile, and there is none.
    fn claim(claims: &Claims, bundle: &Path, name: &CheckpointName, ending: &str) -> Result<Self> {
        let taken = || Error::CheckpointTaken { bundle: bundle.to_owned(), name: name.clone() };
        let all = folder_of(bundle);
        let folder = all.join(format!(".{name}{ending}"));
        // As it will be once the folder of all is made.
        let place = all.canonicalize().or_else(|_| Ok(bundle.canonicalize()?.join("checkpoints")));
        let place = place.map_err(store("opening", bundle))?.join(name.as_str());
        let claim = claims.alone(place).ok_or_else(taken)?;
        if all.join(name.as_str()).symlink_metadata().is_ok() {
            return Err(taken());
        }
        Ok(Self {
            bundle: bundle.to_owned(),
            name: name.clone(),
            folder,
            pre_dumps: 0,
            exit: false,
            _claim: claim,
        })
    }

    /// One that an earlier daemon began at this request, if it is there.
    pub(super) fn reopen(
        claims: &Claims,
        bundle: &Path,
        name: &CheckpointName,
        maker: &Maker,
    ) -> Option<Self> {
        let all = folder_of(bundle);
        let folder = all.join(format!(".{name}.partial"));
        let claim = claims.alone(real(bundle, name).ok()?)?;
        // Before it says whose it is, nothing is in it yet, whoever began it.
        let meta = read_meta(&folder.join(META)).ok();
        let pre_dumps = meta.as_ref().map_or(0, |meta| meta.pre_dumps.min(MOST_ROUNDS));
        let exit = meta.as_ref().is_some_and(|meta| meta.exit);
        let theirs = meta.and_then(|meta| meta.made_by);
        if theirs.is_some_and(|theirs| theirs.maker != *maker) || !folder.is_dir() {
            return None;
        }
        Some(Self { bundle: bundle.to_owned(), name: name.clone(), folder, pre_dumps, exit, _claim: claim })
    }

    /// Of a dump with which the container is to end, whether CRIU has done its part, however it was said to have ended: it
    /// writes the last image before it ends anybody. Blocks.
    pub(super) fn if_it_exits(&self) -> Option<impl FnOnce() -> bool + Send + use<>> {
        let (log, images) = (self.folder.join(DUMP_LOG), self.images());
        let is_whole = move || images.join(INVENTORY).is_file() && images::whole(&images).is_ok();
        self.exit.then_some(move || dump_finished(&log) || is_whole())
    }

    /// What is to be done one after the other.
    pub(super) fn steps(&self) -> Vec<Step> {
        steps::steps(&self.folder, self.pre_dumps)
    }

    fn make_folders(&self) -> Result<()> {
        let all = folder_of(&self.bundle);
        let make = |folder: &Path, mode| DirBuilder::new().mode(mode).create(folder);
        let mut tries = 0..MAKING;
        loop {
            make_all(&all)?;
            match make(&self.folder, 0o700) {
                // Another that failed just now has taken the folder of all away with it: it was empty.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries.next().is_some() => {}
                made => break made.map_err(store("making the folder", &self.folder))?,
            }
        }
        // Nobody gets into the folder above. A restored process of a user namespace opens its images below a descriptor.
        for images in steps::rounds(&self.folder, self.pre_dumps).into_iter().chain([self.images()]) {
            make(&images, 0o711).map_err(store("making the folder", images))?;
        }
        Ok(())
    }

    fn fill(&self, meta: &Meta, config: &[u8]) -> Result<()> {
        self.make_folders()?;
        let path = self.folder.join(SPEC);
        // Onto the disk with the images, at the end.
        fs::write(&path, config).map_err(store("writing", &path))?;
        let path = self.folder.join(META);
        let bytes = serde_json::to_vec(meta).map_err(|error| store("writing", &path)(error.into()))?;
        write_synced(&path, &bytes).map_err(store("writing", path))
    }

    /// Of one that comes from elsewhere, with as many rounds as it says: the links between them. Gives their images.
    pub(super) fn link_rounds(&self, meta: &Meta) -> io::Result<Vec<PathBuf>> {
        steps::link(&self.folder, meta.pre_dumps)?;
        Ok(steps::rounds(&self.folder, meta.pre_dumps))
    }

    /// What it will be called.
    pub(super) fn name(&self) -> &CheckpointName {
        &self.name
    }

    /// Where CRIU's images go.
    pub(super) fn images(&self) -> PathBuf {
        self.folder.join(IMAGE)
    }

    /// Where CRIU's log goes.
    pub(super) fn work(&self) -> &Path {
        &self.folder
    }

    /// CRIU's log of the last step that has begun.
    pub(super) fn last_log(&self) -> PathBuf {
        let logs: Vec<PathBuf> = self.steps().iter().map(Step::log).collect();
        logs.into_iter().rfind(|log| log.exists()).unwrap_or_else(|| self.folder.join(DUMP_LOG))
    }

    /// It is complete: onto the disk with it, then it appears.
    pub(super) fn finish(self) -> Result<Checkpoint> {
        let finished = self.appear();
        finished.inspect_err(|_| self.abandon())
    }

    /// The same, of a container that is gone: what cannot have its name gets another, and what can have none stays where
    /// it is.
    pub(super) fn finish_or_keep(self) -> Result<Checkpoint> {
        let Err(source) = self.appear() else { return open(&self.bundle, &self.name) };
        let name = self.name.clone();
        for number in 1..=OTHER_NAMES {
            let Some(kept) = name.numbered(number) else { break };
            if self.appear_as(&kept).is_ok() {
                return Err(Error::CheckpointKept { name, kept, source: Box::new(source) });
            }
        }
        Err(Error::CheckpointHidden { name, folder: self.folder.clone(), source: Box::new(source) })
    }

    /// The same, and the caller abandons it when that fails.
    pub(super) fn appear(&self) -> Result<Checkpoint> {
        self.appear_as(&self.name)
    }

    fn appear_as(&self, name: &CheckpointName) -> Result<Checkpoint> {
        // One call for the many files of an image.
        let folder = File::open(&self.folder).map_err(store("opening", &self.folder))?;
        syncfs(&folder).map_err(|error| store("syncing", &self.folder)(error.into()))?;
        crate::cut!("checkpoint.synced");
        let all = folder_of(&self.bundle);
        let named = all.join(name.as_str());
        match renameat_with(CWD, &self.folder, CWD, &named, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => {
                return Err(Error::CheckpointTaken { bundle: self.bundle.clone(), name: name.clone() });
            }
            Err(error) => return Err(store("renaming", named)(error.into())),
        }
        crate::cut!("checkpoint.renamed");
        if let Err(error) = sync_folder(&all) {
            // What may not be there after a power cut is not there.
            let _ = fs::rename(&named, &self.folder);
            return Err(store("syncing", all)(error));
        }
        open(&self.bundle, name)
    }

    /// Nothing of it stays.
    pub(super) fn abandon(&self) {
        remove_for_good(&self.folder);
        // Only when empty: the first checkpoint of a bundle leaves no trace when it fails.
        let _ = fs::remove_dir(folder_of(&self.bundle));
    }
}

/// The folder of all of a bundle's checkpoints.
fn make_all(all: &Path) -> Result<()> {
    let Err(error) = DirBuilder::new().mode(0o700).create(all) else { return Ok(()) };
    let is_there = match fs::symlink_metadata(all) {
        Ok(kind) => kind.is_dir(),
        // It was, and another took it away just now: whoever makes something in it finds that out.
        Err(_) => error.kind() == io::ErrorKind::AlreadyExists,
    };
    if is_there { Ok(()) } else { Err(store("making the folder", all)(error)) }
}

/// Finishes what a daemon that died left of a container's checkpoints: those that it was deleting, and those that
/// it was making, but for the one that its journal names.
pub(super) fn sweep(bundle: &Path, container: &str, making: Option<&CheckpointName>) {
    for entry in fs::read_dir(folder_of(bundle)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(hidden) = name.to_str().and_then(|name| name.strip_prefix('.')) else { continue };
        let folder = entry.path();
        if let Some(made) = hidden.strip_suffix(".partial") {
            let meta = read_meta(&folder.join(META)).ok();
            let maker = meta.as_ref().and_then(|meta| meta.made_by.as_ref()).map(|made_by| &made_by.maker);
            let others = maker.is_none_or(|maker| maker.container != container);
            if others || making.is_some_and(|making| making.as_str() == made) {
                continue;
            }
            if meta.is_some_and(|meta| meta.exit) && dump_finished(&folder.join(DUMP_LOG)) {
                // The container is gone, and this is all there is of it: it waits until its name is free.
                let named = folder_of(bundle).join(made);
                let _ = renameat_with(CWD, &folder, CWD, named, RenameFlags::NOREPLACE);
                continue;
            }
        } else if !hidden.ends_with(".deleted") {
            continue;
        }
        let _ = tree::remove(&folder);
    }
    let _ = fs::remove_dir(folder_of(bundle));
}

/// Whether a folder has a `checkpoint.json` that leads nowhere.
fn is_broken(folder: &Path) -> bool {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|kind| kind.is_dir());
    is_folder && fs::symlink_metadata(folder.join(META)).is_ok()
}

/// Deletes a checkpoint: gone by a rename, then removed file by file.
pub(super) fn delete(claims: &Claims, bundle: &Path, name: &CheckpointName) -> Result<()> {
    let all = folder_of(bundle);
    let (named, hidden) = (all.join(name.as_str()), all.join(format!(".{name}.deleted")));
    match open(bundle, name) {
        // What it says of itself cannot be read, and it has a name that nothing else can have until it is gone.
        Err(Error::Store { .. }) => {}
        Err(Error::NoCheckpoint { .. }) if is_broken(&named) => {}
        opened => drop(opened?),
    }
    let busy = || Error::CheckpointBusy { bundle: bundle.to_owned(), name: name.clone() };
    let _claim = claims.alone(real(bundle, name)?).ok_or_else(busy)?;
    let _ = tree::remove(&hidden);
    crate::cut!("drop.begun");
    fs::rename(&named, &hidden).map_err(store("removing", &named))?;
    crate::cut!("drop.renamed");
    tree::remove(&hidden).map_err(store("removing", &hidden))?;
    crate::cut!("drop.removed");
    let _ = fs::remove_dir(&all);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(options: CriuOptions) -> Meta {
        let made_by = MadeBy {
            maker: Maker { container: "c".into(), run: 1, seq: 1 },
            host: Host { runc: "1".into(), criu: "4".into(), kernel: "6".into(), cpu: None },
        };
        Meta::new(options, false, 0, made_by, Process::default(), None)
    }

    fn name(text: &str) -> CheckpointName {
        text.parse().unwrap()
    }

    #[test]
    fn one_that_fails_does_not_take_the_folder_away_from_one_that_begins() {
        let bundle = tempfile::tempdir().unwrap();
        let claims = Claims::default();
        let again = |own: CheckpointName| {
            for _ in 0..2000 {
                Partial::receive(&claims, bundle.path(), &own, |_| Ok(())).unwrap().abandon();
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| again(name("a")));
            again(name("b"));
        });
        assert_eq!(fs::read_dir(bundle.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_checkpoint_appears_when_it_is_whole_and_keeps_its_options() {
        let bundle = tempfile::tempdir().unwrap();
        let options = CriuOptions { tcp: true, ..CriuOptions::default() };
        let partial =
            Partial::begin(&Claims::default(), bundle.path(), &name("a"), &meta(options), b"{}", |_| false)
                .unwrap();
        assert!(list(bundle.path()).unwrap().is_empty());
        fs::write(partial.images().join(INVENTORY), "").unwrap();
        partial.finish().unwrap();
        let listed = list(bundle.path()).unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].name.as_str(), listed[0].options), ("a", options));
        assert!(matches!(
            Partial::begin(&Claims::default(), bundle.path(), &name("a"), &meta(options), b"{}", |_| false),
            Err(Error::CheckpointTaken { .. })
        ));
    }

    #[test]
    fn an_abandoned_checkpoint_leaves_nothing_at_all() {
        let bundle = tempfile::tempdir().unwrap();
        let options = CriuOptions::default();
        Partial::begin(&Claims::default(), bundle.path(), &name("a"), &meta(options), b"{}", |_| false)
            .unwrap()
            .abandon();
        assert_eq!(fs::read_dir(bundle.path()).unwrap().count(), 0);
    }

    #[test]
    fn folders_of_the_old_daemons_are_listed_in_order_of_time() {
        let bundle = tempfile::tempdir().unwrap();
        let all = folder_of(bundle.path());
        for old in ["bare", "with-config"] {
            fs::create_dir_all(all.join(old)).unwrap();
            fs::write(all.join(old).join(INVENTORY), "").unwrap();
        }
        let config = r#"{"created":"2016-04-01T10:00:00.5Z","name":"with-config","tcp":true,"unixSockets":false,"shell":true,"exit":false}"#;
        fs::write(all.join("with-config/config.json"), config).unwrap();
        fs::create_dir(all.join("no-checkpoint")).unwrap();
        let listed = list(bundle.path()).unwrap();
        let names: Vec<&str> = listed.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["with-config", "bare"]);
        assert_eq!(listed[0].options, CriuOptions { tcp: true, shell: true, ..CriuOptions::default() });
        assert_eq!(listed[0].images, all.join("with-config"));
    }

    #[test]
    fn a_checkpoint_that_is_restored_is_not_deleted_and_one_that_is_made_is_not_made_twice() {
        let bundle = tempfile::tempdir().unwrap();
        let claims = Claims::default();
        let begin = || {
            Partial::begin(&claims, bundle.path(), &name("a"), &meta(CriuOptions::default()), b"{}", |_| {
                false
            })
        };
        let partial = begin().unwrap();
        assert!(matches!(begin(), Err(Error::CheckpointTaken { .. })));
        partial.finish().unwrap();
        let first = open_claimed(&claims, bundle.path(), &name("a")).unwrap();
        let second = open_claimed(&claims, bundle.path(), &name("a")).unwrap();
        drop(first);
        assert!(matches!(delete(&claims, bundle.path(), &name("a")), Err(Error::CheckpointBusy { .. })));
        drop(second);
        delete(&claims, bundle.path(), &name("a")).unwrap();
    }

    #[test]
    fn a_link_is_no_checkpoint() {
        let bundle = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join(INVENTORY), "").unwrap();
        fs::create_dir(folder_of(bundle.path())).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder_of(bundle.path()).join("a")).unwrap();
        assert!(list(bundle.path()).unwrap().is_empty());
        assert!(matches!(open(bundle.path(), &name("a")), Err(Error::NoCheckpoint { .. })));
        assert!(matches!(
            delete(&Claims::default(), bundle.path(), &name("a")),
            Err(Error::NoCheckpoint { .. })
        ));
    }
}
