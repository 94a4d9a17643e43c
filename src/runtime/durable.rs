//! Files that outlive the host's sudden end: written beside their name, synced, renamed, and the folder synced.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// A new file with these bytes, on the disk.
///
/// # Errors
///
/// The kernel's.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
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
