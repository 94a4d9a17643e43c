//! What is asked of archives. Neither waits for the container's task: a checkpoint is held by its claim.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::notes::Note;
use super::read::{self, Failed, Target};
use super::{ArchiveError, Export, IMAGES};
use crate::runtime::durable::write_synced;
use crate::runtime::images;
use crate::shares::Taken;
use crate::supervisor::checkpoints::catalogue::{self, Around};
use crate::supervisor::checkpoints::{self, Checkpoint, Entry, META, Meta, Partial};
use crate::supervisor::error::{Error, Result, store};
use crate::supervisor::names::{CheckpointName, ContainerId};
use crate::supervisor::rules::Behalf;
use crate::supervisor::store::blocking;
use crate::supervisor::{Context, Supervisor, UnderWay};

/// How long an archive waits for others: they may take as long as who sends them.
const PATIENCE: Duration = Duration::from_secs(10);

/// While it is held the daemon is busy, and one archive less can be on its way.
#[derive(Debug)]
pub(super) struct Turn {
    _under_way: UnderWay,
    _one: Taken,
}

/// What comes of asking for an archive to be taken.
#[derive(Debug)]
pub enum Taking {
    /// A request of the same key has done it, and its daemon died before it answered.
    Done(Box<Entry>),
    /// Let it come.
    Ready(Box<Import>),
}

/// A checkpoint that is to come in an archive. Dropped, nothing of it stays.
#[derive(Debug)]
pub struct Import {
    context: Arc<Context>,
    bundle: PathBuf,
    name: CheckpointName,
    key: Option<String>,
    partial: Partial,
    appeared: bool,
    // After the folder it is about.
    _note: Option<Note>,
    _turn: Turn,
}

impl Supervisor {
    /// A checkpoint as an archive.
    pub async fn export(&self, id: &ContainerId, name: CheckpointName, behalf: Behalf) -> Result<Export> {
        self.context.rules.admit_archive(behalf)?;
        let bundle = self.get(id)?.bundle.clone();
        let turn = self.turn().await?;
        let (claims, id) = (self.context.claims.clone(), id.clone());
        blocking(move || Export::open(&claims, &id, &bundle, &name, turn)).await
    }

    /// A checkpoint from an archive, into the container's bundle; or where there is no such container, into this one.
    pub async fn import(
        &self,
        id: &ContainerId,
        name: CheckpointName,
        bundle: Option<PathBuf>,
        key: Option<String>,
        behalf: Behalf,
    ) -> Result<Taking> {
        self.context.rules.admit_archive(behalf)?;
        let bundle = self.bundle_for(id, bundle)?;
        let turn = self.turn().await?;
        let context = Arc::clone(&self.context);
        blocking(move || {
            let opened = context.rules.open(behalf, &bundle)?;
            if let Some(done) = done_before(opened.path(), &name, key.as_deref()) {
                return Ok(Taking::Done(Box::new(catalogue::entry(
                    &Around::owned(opened.path()),
                    &context.host,
                    done,
                ))));
            }
            let mut note = None;
            let partial = Partial::receive(&context.claims, opened.path(), &name, |hidden| {
                note = Some(Note::write(&context.store.imports(), hidden)?);
                Ok(())
            })?;
            if let Some(note) = &mut note {
                note.lock();
            }
            let bundle = opened.path().to_owned();
            Ok(Taking::Ready(Box::new(Import {
                context,
                bundle,
                name,
                key,
                partial,
                appeared: false,
                _note: note,
                _turn: turn,
            })))
        })
        .await
    }

    fn bundle_for(&self, id: &ContainerId, given: Option<PathBuf>) -> Result<PathBuf> {
        let Some(container) = self.context.registry.snapshot(id) else {
            return given.ok_or_else(|| Error::NoContainer(id.clone()));
        };
        let own = &container.bundle;
        if given.is_some_and(|given| !is_same(&given, own)) {
            return Err(Error::NameTaken { id: id.clone(), status: container.status });
        }
        Ok(own.clone())
    }

    async fn turn(&self) -> Result<Turn> {
        let under_way = self.open_for_change()?;
        let archives = &self.context.archives;
        let one = match timeout(PATIENCE, archives.awaited()).await {
            Ok(one) => one,
            Err(_) => archives.one().map_err(Error::ArchivesBusy)?,
        };
        Ok(Turn { _under_way: under_way, _one: one })
    }
}

fn is_same(a: &Path, b: &Path) -> bool {
    a == b || a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

fn done_before(bundle: &Path, name: &CheckpointName, key: Option<&str>) -> Option<Checkpoint> {
    let found = checkpoints::open(bundle, name).ok()?;
    (found.key.as_deref() == Some(key?)).then_some(found)
}

impl Import {
    /// Takes the archive, to its end; then the checkpoint is there, or nothing of it. Takes as long as `input` does: for
    /// a thread of its own.
    pub fn take(mut self, input: impl Read) -> Result<Entry> {
        self.put_together(input)?;
        let taken = self.partial.appear()?;
        self.appeared = true;
        tracing::info!(checkpoint = %taken.name, bundle = %self.bundle.display(), "taken from an archive");
        Ok(catalogue::entry(&Around::owned(&self.bundle), &self.context.host, taken))
    }

    fn put_together(&self, input: impl Read) -> Result<()> {
        let refused = |source| Error::Archive { name: self.name.clone(), source };
        let room = || {
            let most = self.context.bounds.checkpoints;
            checkpoints::room(&self.bundle, most).map_err(store("looking for room in", &self.bundle))
        };
        let (folder, images) = (self.partial.work(), &self.partial.images());
        let target = Target { folder, images, room: room()? };
        let said = read::receive(input, &target).map_err(|failed| match failed {
            Failed::Refused(source) => refused(source),
            Failed::Store { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                let free = room().unwrap_or_default();
                refused(ArchiveError::NoSpace { needed: free.saturating_add(1), free })
            }
            Failed::Store { path, source } => store("writing", path)(source),
        })?;
        let said = self.as_ours(said);
        let meta = serde_json::from_value::<Meta>(said.clone()).map_err(|error| {
            let why = format!("is not what a checkpoint says of itself: {error}");
            refused(ArchiveError::Entry { path: META.to_owned(), why })
        })?;
        // Its digests are right, and still it may be what no CRIU has written.
        let whole = self.partial.link_rounds(&meta).and_then(|rounds| {
            rounds.iter().try_for_each(|round| images::pages_whole(round))?;
            images::whole(target.images)
        });
        if let Err(error) = whole {
            let why = format!("holds images that cannot be restored: {error}");
            return Err(refused(ArchiveError::Entry { path: IMAGES.to_owned(), why }));
        }
        let path = target.folder.join(META);
        write_synced(&path, said.to_string().as_bytes()).map_err(store("writing", path))
    }

    /// What made it is kept; the number of the request that did is another daemon's.
    fn as_ours(&self, mut said: Value) -> Value {
        if let Some(made_by) = said.get_mut("madeBy").and_then(Value::as_object_mut) {
            made_by.insert("run".to_owned(), json!(0));
            made_by.insert("seq".to_owned(), json!(0));
        }
        if let Some(object) = said.as_object_mut() {
            object.remove("key");
            if let Some(key) = &self.key {
                object.insert("key".to_owned(), json!(key));
            }
        }
        said
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        if !self.appeared {
            self.partial.abandon();
        }
    }
}
