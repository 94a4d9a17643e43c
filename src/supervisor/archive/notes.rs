//! Which checkpoints are coming just now, on the disk: a daemon that is killed meanwhile leaves half a checkpoint in a
//! bundle that perhaps no container names, and the next one must find it.

use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::runtime::durable::{sync_folder, write_synced};
use crate::supervisor::checkpoints::RECEIVED;
use crate::supervisor::error::{Result, store};
use crate::supervisor::store::remove_for_good;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A hidden folder that is to go when its daemon dies; forgotten when it is dropped.
#[derive(Debug)]
pub(super) struct Note {
    path: PathBuf,
    hidden: PathBuf,
    /// Of the folder: says to daemons with other folders of their own that somebody is at it.
    lock: Option<File>,
}

impl Note {
    /// In `all`, before the hidden folder is made.
    pub(super) fn write(all: &Path, hidden: &Path) -> Result<Self> {
        // A name of its own: the next of the same folder may be written before this one is forgotten.
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = all.join(format!("{}-{number}", std::process::id()));
        let note = Self { path, hidden: hidden.to_owned(), lock: None };
        write_synced(&note.path, hidden.as_os_str().as_bytes()).map_err(store("writing", &note.path))?;
        sync_folder(all).map_err(store("syncing", all))?;
        Ok(note)
    }

    /// The folder is made.
    pub(super) fn lock(&mut self) {
        self.lock = File::open(&self.hidden).ok().filter(|folder| folder.try_lock().is_ok());
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes what an earlier daemon was in the middle of.
pub(in crate::supervisor) fn sweep(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let Ok(hidden) = fs::read(entry.path()) else { continue };
        let hidden = PathBuf::from(std::ffi::OsString::from_vec(hidden));
        // A note that was itself cut off names nothing yet.
        if is_ours(&hidden) && !is_at_work(&hidden) {
            tracing::warn!(folder = %hidden.display(), "a checkpoint that was coming in an archive is undone");
            remove_for_good(&hidden);
            // Only when empty.
            let _ = hidden.parent().map(fs::remove_dir);
        }
        let _ = fs::remove_file(entry.path());
    }
}

fn is_ours(hidden: &Path) -> bool {
    let name = hidden.file_name().unwrap_or_default().as_bytes();
    let all = hidden.parent().and_then(Path::file_name).unwrap_or_default();
    hidden.is_absolute()
        && name.starts_with(b".")
        && name.ends_with(RECEIVED.as_bytes())
        && all == "checkpoints"
}

/// Whether a daemon with other folders of its own uses the same bundle, and this very name.
fn is_at_work(hidden: &Path) -> bool {
    File::open(hidden).is_ok_and(|folder| folder.try_lock().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_swept_unless_it_is_somebodys() {
        let (notes, bundle) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let hidden = bundle.path().join("checkpoints/.a.import");
        let mut note = Note::write(notes.path(), &hidden).unwrap();
        fs::create_dir_all(hidden.join("image")).unwrap();
        note.lock();
        sweep(notes.path());
        assert!(hidden.exists(), "it is being worked at");
        drop(note);
        std::mem::forget(Note::write(notes.path(), &hidden).unwrap());
        sweep(notes.path());
        assert_eq!(fs::read_dir(bundle.path()).unwrap().count(), 0);
        assert_eq!(fs::read_dir(notes.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_note_of_another_folder_removes_nothing() {
        let (notes, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(notes.path().join("x"), other.path().as_os_str().as_bytes()).unwrap();
        sweep(notes.path());
        assert!(other.path().exists());
    }
}
