//! A checkpoint that is being made: under a hidden name, until it is whole or gone.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};

use super::claims::{Claim, Claims, Lock};
use super::{
    Checkpoint, DUMP_LOG, IMAGE, INVENTORY, META, MOST_ROUNDS, Maker, Meta, RECEIVED, SPEC, Step, folder_of,
    open, read_meta, real, refuse_link, refuse_loose, steps,
};
use crate::runtime::criu::dump_finished;
use crate::runtime::durable::{create, sync_folder};
use crate::runtime::{images, tree};
use crate::supervisor::error::{Error, Result, store};
use crate::supervisor::names::CheckpointName;
use crate::supervisor::store::remove_for_good;

/// How the hidden folder of one that is dumped ends.
const DUMPED: &str = ".partial";
/// How often the folder of all checkpoints is made, which others may take away.
const MAKING: u32 = 100;
/// How many other names are tried for one that must not be lost.
const OTHER_NAMES: u32 = 9;

/// A checkpoint that is being made.
#[derive(Debug)]
pub(in crate::supervisor) struct Partial {
    bundle: PathBuf,
    name: CheckpointName,
    folder: PathBuf,
    /// How many rounds it has before its dump.
    pre_dumps: u32,
    /// The container ends with it.
    exit: bool,
    claim: Claim,
}

impl Partial {
    /// Makes the hidden folder, with everything in it but the images. Whatever can fail for want of space
    /// or rights fails here, before the container is touched. `is_known`: whether there is such a container.
    pub(in crate::supervisor) fn begin(
        claims: &Claims,
        bundle: &Path,
        name: &CheckpointName,
        meta: &Meta,
        config: &[u8],
        is_known: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let mut partial = Self::claim(claims, bundle, name, DUMPED)?;
        partial.pre_dumps = meta.pre_dumps;
        partial.exit = meta.exit;
        partial.clear_left(meta, is_known)?;
        crate::cut!("checkpoint.filling");
        partial.make_folders()?;
        let filled = partial.fill(meta, config);
        crate::cut!("checkpoint.filled");
        filled.inspect_err(|_| partial.abandon())?;
        Ok(partial)
    }

    /// What an earlier daemon left when it died in the middle of a dump goes, but for what is all there is of a container,
    /// or may be finished yet.
    fn clear_left(&self, meta: &Meta, is_known: impl Fn(&str) -> bool) -> Result<()> {
        let taken = || Err(self.taken());
        let _lock = self.lock_left()?;
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
    pub(in crate::supervisor) fn receive(
        claims: &Claims,
        bundle: &Path,
        name: &CheckpointName,
        note: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let mut partial = Self::claim(claims, bundle, name, RECEIVED)?;
        note(&partial.folder)?;
        {
            // What an earlier daemon left.
            let _lock = partial.lock_left()?;
            remove_for_good(&partial.folder);
        }
        partial.make_folders()?;
        Ok(partial)
    }

    fn taken(&self) -> Error {
        Error::CheckpointTaken { bundle: self.bundle.clone(), name: self.name.clone() }
    }

    /// What lies under the hidden name already, if anything does: another daemon may be at it.
    fn lock_left(&self) -> Result<Option<Lock>> {
        match Lock::alone(&self.folder) {
            Ok(None) => Err(self.taken()),
            Ok(lock) => Ok(lock),
            // Nothing, or no folder.
            Err(_) => Ok(None),
        }
    }

    /// Nobody else makes one of that name meanwhile, and there is none.
    fn claim(claims: &Claims, bundle: &Path, name: &CheckpointName, ending: &str) -> Result<Self> {
        refuse_link(bundle)?;
        refuse_loose(bundle)?;
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
        Ok(Self { bundle: bundle.to_owned(), name: name.clone(), folder, pre_dumps: 0, exit: false, claim })
    }

    /// One that an earlier daemon began at this request, if it is there.
    pub(in crate::supervisor) fn reopen(
        claims: &Claims,
        bundle: &Path,
        name: &CheckpointName,
        maker: &Maker,
    ) -> Option<Self> {
        let all = folder_of(bundle);
        let folder = all.join(format!(".{name}{DUMPED}"));
        let mut claim = claims.alone(real(bundle, name).ok()?)?;
        claim.hold(Lock::alone(&folder).ok()??);
        // Before it says whose it is, nothing is in it yet, whoever began it.
        let meta = read_meta(&folder.join(META)).ok();
        let pre_dumps = meta.as_ref().map_or(0, |meta| meta.pre_dumps.min(MOST_ROUNDS));
        let exit = meta.as_ref().is_some_and(|meta| meta.exit);
        let theirs = meta.and_then(|meta| meta.made_by);
        if theirs.is_some_and(|theirs| theirs.maker != *maker) || !folder.is_dir() {
            return None;
        }
        Some(Self { bundle: bundle.to_owned(), name: name.clone(), folder, pre_dumps, exit, claim })
    }

    /// Of a dump with which the container is to end, whether CRIU has done its part, however it was said to have ended: it
    /// writes the last image before it ends anybody. Blocks.
    pub(in crate::supervisor) fn if_it_exits(&self) -> Option<impl FnOnce() -> bool + Send + use<>> {
        let (log, images) = (self.folder.join(DUMP_LOG), self.images());
        let is_whole = move || images.join(INVENTORY).is_file() && images::whole(&images).is_ok();
        self.exit.then_some(move || dump_finished(&log) || is_whole())
    }

    /// What is to be done one after the other.
    pub(in crate::supervisor) fn steps(&self) -> Vec<Step> {
        steps::steps(&self.folder, self.pre_dumps)
    }

    /// From now on the hidden folder is ours.
    fn make_folders(&mut self) -> Result<()> {
        // No trace of one that could not even begin.
        self.make_hidden().inspect_err(|_| drop(fs::remove_dir(folder_of(&self.bundle))))?;
        // Nobody gets into the folder above. A restored process of a user namespace opens its images below a descriptor.
        for images in steps::rounds(&self.folder, self.pre_dumps).into_iter().chain([self.images()]) {
            let made = DirBuilder::new().mode(0o711).create(&images);
            made.map_err(store("making the folder", images)).inspect_err(|_| self.abandon())?;
        }
        Ok(())
    }

    fn make_hidden(&mut self) -> Result<()> {
        let all = folder_of(&self.bundle);
        let mut tries = 0..MAKING;
        loop {
            make_all(&all)?;
            match DirBuilder::new().mode(0o700).create(&self.folder) {
                // Another that failed just now has taken the folder of all away with it: it was empty.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries.next().is_some() => {}
                // Another daemon, just now.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(self.taken()),
                made => break made.map_err(store("making the folder", &self.folder))?,
            }
        }
        let Ok(Some(lock)) = Lock::alone(&self.folder) else { return Err(self.taken()) };
        self.claim.hold(lock);
        Ok(())
    }

    fn fill(&self, meta: &Meta, config: &[u8]) -> Result<()> {
        let path = self.folder.join(SPEC);
        // Onto the disk with the images, at the end.
        let write = |path: &Path, bytes: &[u8]| create(path)?.write_all(bytes);
        write(&path, config).map_err(store("writing", &path))?;
        let path = self.folder.join(META);
        let bytes = serde_json::to_vec(meta).map_err(|error| store("writing", &path)(error.into()))?;
        write(&path, &bytes).map_err(store("writing", path))
    }

    /// Puts onto the disk whose it is, for whoever sweeps after a power cut. Beside the dump: what CRIU writes is not waited
    /// for. Gives what blocks.
    pub(in crate::supervisor) fn sign(&self) -> impl FnOnce() + Send + use<> {
        let path = self.folder.join(META);
        move || {
            // A disk that fails fails the checkpoint at its end.
            let _ = File::open(path).and_then(|meta| meta.sync_all());
        }
    }

    /// Of one that comes from elsewhere, with as many rounds as it says: the links between them. Gives their images.
    pub(in crate::supervisor) fn link_rounds(&self, meta: &Meta) -> io::Result<Vec<PathBuf>> {
        steps::link(&self.folder, meta.pre_dumps)?;
        Ok(steps::rounds(&self.folder, meta.pre_dumps))
    }

    /// What it will be called.
    pub(in crate::supervisor) fn name(&self) -> &CheckpointName {
        &self.name
    }

    /// Where CRIU's images go.
    pub(in crate::supervisor) fn images(&self) -> PathBuf {
        self.folder.join(IMAGE)
    }

    /// Where CRIU's log goes.
    pub(in crate::supervisor) fn work(&self) -> &Path {
        &self.folder
    }

    /// CRIU's log of the last step that has begun.
    pub(in crate::supervisor) fn last_log(&self) -> PathBuf {
        let logs: Vec<PathBuf> = self.steps().iter().map(Step::log).collect();
        logs.into_iter().rfind(|log| log.exists()).unwrap_or_else(|| self.folder.join(DUMP_LOG))
    }

    /// It is complete: onto the disk with it, then it appears.
    pub(in crate::supervisor) fn finish(self) -> Result<Checkpoint> {
        let finished = self.appear();
        finished.inspect_err(|_| self.abandon())
    }

    /// The same, of a container that is gone: what cannot have its name gets another, and what can have none stays where
    /// it is.
    pub(in crate::supervisor) fn finish_or_keep(self) -> Result<Checkpoint> {
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
    pub(in crate::supervisor) fn appear(&self) -> Result<Checkpoint> {
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
    pub(in crate::supervisor) fn abandon(&self) {
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
pub(in crate::supervisor) fn sweep(bundle: &Path, container: &str, making: Option<&CheckpointName>) {
    if refuse_link(bundle).is_err() {
        return;
    }
    for entry in fs::read_dir(folder_of(bundle)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(hidden) = name.to_str().and_then(|name| name.strip_prefix('.')) else { continue };
        let folder = entry.path();
        if let Some(made) = hidden.strip_suffix(DUMPED) {
            let Ok(Some(_lock)) = Lock::alone(&folder) else { continue };
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

#[cfg(test)]
mod tests {
    use super::super::tests::{meta, name};
    use super::*;
    use crate::runtime::options::CriuOptions;
    use crate::supervisor::checkpoints::{delete, list, open_claimed};

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

    /// Locks are of an opened file (flock(2)), so other claims are another daemon's.
    #[test]
    fn another_daemon_neither_makes_nor_sweeps_nor_deletes_what_this_one_is_at() {
        let bundle = tempfile::tempdir().unwrap();
        let (ours, theirs) = (Claims::default(), Claims::default());
        let options = CriuOptions::default();
        let begin =
            |claims| Partial::begin(claims, bundle.path(), &name("a"), &meta(options), b"{}", |_| false);
        let partial = begin(&ours).unwrap();
        assert!(matches!(begin(&theirs), Err(Error::CheckpointTaken { .. })));
        sweep(bundle.path(), "c", None);
        assert!(partial.images().is_dir());
        fs::write(partial.images().join(INVENTORY), "").unwrap();
        partial.finish().unwrap();
        let restored = open_claimed(&ours, bundle.path(), &name("a")).unwrap();
        let too = open_claimed(&theirs, bundle.path(), &name("a")).unwrap();
        drop(too);
        let deleted = delete(&theirs, bundle.path(), &name("a"));
        assert!(matches!(deleted, Err(Error::CheckpointBusy { .. })));
        drop(restored);
        delete(&theirs, bundle.path(), &name("a")).unwrap();
        // Of a daemon that died nothing is locked.
        let mut left = begin(&ours).unwrap();
        left.claim.hold(Lock::shared(bundle.path()).unwrap().unwrap());
        begin(&theirs).unwrap().abandon();
        assert_eq!(fs::read_dir(bundle.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_place_of_the_folder_of_all_is_not_followed() {
        let (bundle, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for hidden in [".a.deleted", "b"] {
            fs::create_dir(elsewhere.path().join(hidden)).unwrap();
            fs::write(elsewhere.path().join(hidden).join(INVENTORY), "").unwrap();
        }
        std::os::unix::fs::symlink(elsewhere.path(), folder_of(bundle.path())).unwrap();
        let claims = Claims::default();
        let options = CriuOptions::default();
        let begun = Partial::begin(&claims, bundle.path(), &name("a"), &meta(options), b"{}", |_| false);
        assert!(begun.unwrap_err().to_string().contains("checkpoints"));
        assert!(Partial::receive(&claims, bundle.path(), &name("a"), |_| Ok(())).is_err());
        assert!(list(bundle.path()).is_err());
        assert!(open_claimed(&claims, bundle.path(), &name("b")).is_err());
        assert!(delete(&claims, bundle.path(), &name("b")).is_err());
        sweep(bundle.path(), "c", None);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 2);
    }
}
