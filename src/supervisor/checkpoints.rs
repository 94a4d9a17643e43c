//! Checkpoints on disk: `BUNDLE/checkpoints/NAME/` with `image/` as CRIU wrote it, `checkpoint.json` and
//! `dump.log`; mode 0700, since an image is the process's memory. Made under a hidden name beside it and
//! renamed when complete, so that what is listed is whole. One with rounds before its dump has them in `pre-1/`, `pre-2/`
//! and so on, each with a link `parent` to the one before, as CRIU makes it.
//!
//! Folders of containerd 0.0.x have the images directly inside, those of 0.2 a `config.json` beside them;
//! both are listed and can be restored.

pub(super) mod catalogue;
mod claims;
pub(super) mod fit;
mod partial;
pub(super) mod rights;
mod steps;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use oci_spec::runtime::Process;
use serde::{Deserialize, Serialize};

pub use catalogue::{Entry, Order, Report};
use claims::Lock;
pub(super) use claims::{Claim, Claims};
pub(super) use fit::Host;
pub(super) use partial::{Partial, sweep};
pub(super) use steps::{MOST_ROUNDS, PARENT, ROUND, Step};

use super::error::{Error, Result, store};
use super::names::CheckpointName;
use super::store::LogOf;
use crate::runtime::bundle::BundleError;
use crate::runtime::hands::{Hands, Untaken};
use crate::runtime::mounts::space_in;
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

    /// Whether what they and the dump refer to is in the checkpoint.
    fn check_links(&self) -> io::Result<()> {
        steps::check_links(&self.folder, &self.images, self.pre_dumps)
    }

    /// Whether nobody else could have written what is about to be restored: it is taken for what CRIU has written.
    pub(super) fn assert_in(&self, hands: Hands) -> Result<()> {
        let rounds = self.rounds();
        let folders = [&self.folder, &self.images].into_iter().chain(&rounds);
        folders.into_iter().try_for_each(|folder| {
            hands.follow_all_in(folder).map_err(|loose| refused(folder, LogOf::Restore, loose))
        })
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

/// A folder on the disk that they will be on.
pub(super) fn disk(bundle: &Path) -> PathBuf {
    let all = folder_of(bundle);
    if all.is_dir() { all } else { bundle.to_owned() }
}

/// How much more they may take, if that is less than so much.
pub(super) fn lacking(bundle: &Path, most: u64, needed: u64) -> io::Result<Option<u64>> {
    let space = space_in(&disk(bundle))?;
    // They are a part of all that is on the disk: where that and this is not too much, they need not be looked at.
    if needed <= space.free && space.used.saturating_add(needed) <= most {
        return Ok(None);
    }
    Ok(Some(room(bundle, most)?).filter(|room| *room < needed))
}

/// How much more they may take: what the disk has, and what is left of all that they may.
pub(super) fn room(bundle: &Path, most: u64) -> io::Result<u64> {
    let left = most.saturating_sub(tree::size(&folder_of(bundle)));
    Ok(space_in(&disk(bundle))?.free.min(left))
}

/// A link there could lead anywhere, and what is written and deleted with it.
fn refuse_link(bundle: &Path) -> Result<()> {
    let all = folder_of(bundle);
    if !fs::symlink_metadata(&all).is_ok_and(|kind| kind.is_symlink()) {
        return Ok(());
    }
    let words = "it is a link, which is not followed: to have checkpoints on another disk, mount that there";
    Err(store("opening", all)(io::Error::new(io::ErrorKind::InvalidInput, words)))
}

/// Of root, and of whose the bundle is.
pub(super) fn hands_of(bundle: &Path) -> Hands {
    Hands::of(fs::metadata(bundle).ok().map(|kind| kind.uid()))
}

/// Where somebody else could put a link in the place of what is about to be written.
pub(super) fn refuse_loose(bundle: &Path) -> Result<()> {
    if !bundle.exists() {
        return Ok(());
    }
    let all = folder_of(bundle);
    match hands_of(bundle).follow(&all) {
        // It is made by us then.
        Err(Untaken::Lost(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        followed => followed.map(drop).map_err(|untaken| refused(&all, LogOf::Dump, untaken)),
    }
}

fn refused(path: &Path, of: LogOf, untaken: Untaken) -> Error {
    match untaken {
        Untaken::Lost(source) => store("opening", path)(source),
        Untaken::Loose { path: loose, by } => Error::CheckpointUnsafe {
            path: path.to_owned(),
            of,
            source: BundleError::Loose { path: loose, by },
        },
    }
}

/// The checkpoints of a bundle, newest last. What is no checkpoint is passed over.
pub(super) fn list(bundle: &Path) -> Result<Vec<Checkpoint>> {
    refuse_link(bundle)?;
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
    let missing = || Error::NoCheckpoint { bundle: bundle.to_owned(), name: name.clone() };
    match read(bundle, name) {
        // Deleted in this moment.
        Err(_) if fs::symlink_metadata(folder_of(bundle).join(name.as_str())).is_err() => Err(missing()),
        read => read?.ok_or_else(missing),
    }
}

/// One to restore from: it cannot be deleted while the claim is held.
pub(super) fn open_claimed(
    claims: &Claims,
    bundle: &Path,
    name: &CheckpointName,
) -> Result<(Checkpoint, Claim)> {
    open(bundle, name)?;
    let folder = real(bundle, name)?;
    let busy = || Error::CheckpointBusy { bundle: bundle.to_owned(), name: name.clone() };
    let mut claim = claims.shared(folder.clone()).ok_or_else(busy)?;
    claim.hold(Lock::shared(&folder).map_err(store("opening", folder))?.ok_or_else(busy)?);
    Ok((open(bundle, name)?, claim))
}

fn read(bundle: &Path, name: &CheckpointName) -> Result<Option<Checkpoint>> {
    refuse_link(bundle)?;
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

/// A bundle may have several paths, its checkpoints have one folder.
fn real(bundle: &Path, name: &CheckpointName) -> Result<PathBuf> {
    let all = folder_of(bundle);
    Ok(all.canonicalize().map_err(store("opening", all))?.join(name.as_str()))
}

/// Whether a folder has a `checkpoint.json` that leads nowhere.
fn is_broken(folder: &Path) -> bool {
    let is_folder = fs::symlink_metadata(folder).is_ok_and(|kind| kind.is_dir());
    is_folder && fs::symlink_metadata(folder.join(META)).is_ok()
}

/// Deletes a checkpoint: gone by a rename, then removed file by file.
pub(super) fn delete(claims: &Claims, bundle: &Path, name: &CheckpointName) -> Result<()> {
    refuse_link(bundle)?;
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
    let _lock = Lock::alone(&named).map_err(store("opening", &named))?.ok_or_else(busy)?;
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

    pub(super) fn meta(options: CriuOptions) -> Meta {
        let made_by = MadeBy {
            maker: Maker { container: "c".into(), run: 1, seq: 1 },
            host: Host { runc: "1".into(), criu: "4".into(), kernel: "6".into(), cpu: None },
        };
        Meta::new(options, false, 0, made_by, Process::default(), None)
    }

    pub(super) fn name(text: &str) -> CheckpointName {
        text.parse().unwrap()
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
