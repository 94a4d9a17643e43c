//! What a runc that was killed in the middle of a restore leaves mounted: it binds the root filesystem,
//! recursively, below its own state folder (`criu-root`), in the host's mount namespace. Whoever removes that
//! folder with the mount in it removes the bundle's files. And how much room there is where a folder lies.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, umount2};

/// Detaches every mount below a folder. Errors when one stays: then the folder must not be removed.
pub fn detach_below(folder: &Path) -> io::Result<()> {
    // A mount may lie on a mount, and each pass takes the uppermost.
    for _ in 0..64 {
        let mut found = below(folder)?;
        if found.is_empty() {
            return Ok(());
        }
        // The deepest first.
        found.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
        for path in found {
            umount2(&path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW)?;
        }
    }
    Err(io::Error::other(format!("something goes on being mounted below {}", folder.display())))
}

/// Removes a folder of files and empty folders, and nothing that is mounted or deeper.
pub fn remove_shallow(folder: &Path) -> io::Result<()> {
    detach_below(folder)?;
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

fn below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let table = fs::read("/proc/self/mountinfo")?;
    Ok(table
        .split(|byte| *byte == b'\n')
        .filter_map(mount_point)
        .filter(|point| point.starts_with(folder))
        .collect())
}

/// proc_pid_mountinfo(5), field 5; blanks and the like are written as octal escapes.
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    let field = line.split(|byte| *byte == b' ').nth(4)?;
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

/// How many bytes are free where a folder lies, as others than root have it: statvfs(3).
///
/// # Errors
///
/// The kernel's.
pub fn space_in(folder: &Path) -> io::Result<Space> {
    let disk = rustix::fs::statvfs(folder)?;
    let used = disk.f_blocks.saturating_sub(disk.f_bfree);
    let [free, used] = [disk.f_bavail, used].map(|blocks| blocks.saturating_mul(disk.f_frsize));
    Ok(Space { free, used })
}

/// Of a disk, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// How much can be written yet.
    pub free: u64,
    /// How much all that is on it takes.
    pub used: u64,
}

/// How much a container has in file systems in memory that are its own, in bytes: they are dumped with it. Those of the
/// host's that it sees too are not.
pub fn in_memory(init: i32) -> u64 {
    let of = |pid| procfs::process::Process::new(pid).and_then(|process| process.mountinfo());
    let (Ok(theirs), Ok(ours)) = (of(init), of(std::process::id().cast_signed())) else { return 0 };
    let ours: BTreeSet<String> = ours.into_iter().map(|mount| mount.majmin).collect();
    let mut seen = BTreeSet::new();
    let own = theirs.into_iter().filter(|mount| mount.fs_type == "tmpfs" && !ours.contains(&mount.majmin));
    let mut used = 0_u64;
    for mount in own.filter(|mount| seen.insert(mount.majmin.clone())) {
        let below = mount.mount_point.strip_prefix("/").unwrap_or(&mount.mount_point);
        if let Ok(disk) = rustix::fs::statvfs(Path::new(&format!("/proc/{init}/root")).join(below)) {
            used =
                used.saturating_add(disk.f_blocks.saturating_sub(disk.f_bfree).saturating_mul(disk.f_frsize));
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_a_mount_point_are_read() {
        let line = b"36 35 98:0 /mnt1 /run/a\\040b rw,noatime master:1 - ext3 /dev/root rw";
        assert_eq!(mount_point(line), Some(PathBuf::from("/run/a b")));
        assert_eq!(mount_point(b""), None);
    }

    #[test]
    fn a_folder_with_more_in_it_than_files_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("state");
        fs::create_dir_all(inner.join("criu-root/etc")).unwrap();
        assert!(remove_shallow(&inner).is_err());
        assert!(inner.join("criu-root/etc").exists());
        fs::remove_dir(inner.join("criu-root/etc")).unwrap();
        fs::write(inner.join("state.json"), "").unwrap();
        remove_shallow(&inner).unwrap();
        assert!(!inner.exists());
    }
}
