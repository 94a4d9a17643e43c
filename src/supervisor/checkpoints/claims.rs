//! Who holds which checkpoint. Containers of one bundle share its names, and the later of two dumps with `exit` must not
//! find its name taken once its container is gone; and nobody deletes one that is being restored. Another daemon may have
//! the same bundle: it is kept away by a lock on the folder, where the file system has locks.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};

/// The checkpoints that are held by this daemon.
#[derive(Debug, Default, Clone)]
pub(in crate::supervisor) struct Claims(Arc<Mutex<BTreeMap<PathBuf, Held>>>);

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
pub(in crate::supervisor) struct Claim {
    all: Claims,
    folder: PathBuf,
    /// Against other daemons.
    lock: Option<Lock>,
}

/// A lock (flock(2)); it ends with its holder.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, and never read")] File);

impl Lock {
    /// To make or to delete it. None: another has it.
    pub(super) fn alone(folder: &Path) -> io::Result<Option<Self>> {
        Self::of(folder, FlockOperation::NonBlockingLockExclusive)
    }

    /// To restore from it.
    pub(super) fn shared(folder: &Path) -> io::Result<Option<Self>> {
        Self::of(folder, FlockOperation::NonBlockingLockShared)
    }

    fn of(folder: &Path, how: FlockOperation) -> io::Result<Option<Self>> {
        let file = File::open(folder)?;
        match flock(&file, how) {
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            // A file system without locks.
            Ok(()) | Err(_) => Ok(Some(Self(file))),
        }
    }
}

impl Claims {
    pub(super) fn alone(&self, folder: PathBuf) -> Option<Claim> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(&folder) {
            return None;
        }
        held.insert(folder.clone(), Held::Alone);
        Some(Claim { all: self.clone(), folder, lock: None })
    }

    pub(super) fn shared(&self, folder: PathBuf) -> Option<Claim> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.entry(folder.clone()).or_insert(Held::Shared(0)) {
            Held::Alone => return None,
            Held::Shared(count) => *count += 1,
        }
        Some(Claim { all: self.clone(), folder, lock: None })
    }
}

impl Claim {
    /// Holds it against other daemons too.
    pub(super) fn hold(&mut self, lock: Lock) {
        self.lock = Some(lock);
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
