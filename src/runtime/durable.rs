//! Files that outlive the host's sudden end: written beside their name, synced, renamed, and the folder synced.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// A file in each of a daemon's folders, from its first start on.
pub const LOCK: &str = "lock";

/// A new file that root alone may write to, whatever the umask that we were started with.
///
/// # Errors
///
/// The kernel's.
pub fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o644).open(path)
}

/// A new file with these bytes, on the disk.
///
/// # Errors
///
/// The kernel's.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder durable (fsync(2), "calling fsync() does not necessarily ensure that the
/// entry in the directory ... has also reached disk").
///
/// # Errors
///
/// The kernel's.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
