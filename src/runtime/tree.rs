//! Folders that others may have made as deep as they like: a recursion into them overflows the stack, which ends the
//! daemon.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, RenameFlags, openat, renameat_with, unlinkat};
use rustix::io::Errno;

/// Nothing of ours is half as deep, and a path with so many names is still one that can be opened.
const DEEPEST: usize = 12;

/// What a folder takes on the disk, in bytes; links are not followed, and nothing deeper than [`DEEPEST`].
pub fn size(folder: &Path) -> u64 {
    let mut size = 0_u64;
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((next, depth)) = folders.pop() {
        if !fs::symlink_metadata(&next).is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(kind) if kind.is_dir() && depth < DEEPEST => folders.push((entry.path(), depth + 1)),
                Ok(kind) if !kind.is_dir() => size = size.saturating_add(kind.blocks().saturating_mul(512)),
                _ => {}
            }
        }
    }
    size
}

/// Removes a folder with all that is in it, however deep: what lies in an inner folder is put into the outermost one
/// first. A link itself goes, and not what it leads to.
pub fn remove(folder: &Path) -> io::Result<()> {
    let top = match folder_in(CWD, folder) {
        Ok(top) => top,
        Err(Errno::NOTDIR | Errno::LOOP) => return fs::remove_file(folder),
        Err(error) => return Err(error.into()),
    };
    let mut number = 0_u64;
    loop {
        let mut lifted = false;
        for name in names(top.as_fd())? {
            if unlink(top.as_fd(), &name)? {
                continue;
            }
            let inner = folder_in(&top, &*name)?;
            for below in names(inner.as_fd())? {
                if unlink(inner.as_fd(), &below)? || unlinkat(&inner, &*below, AtFlags::REMOVEDIR).is_ok() {
                    continue;
                }
                lift(inner.as_fd(), &below, top.as_fd(), &mut number)?;
                lifted = true;
            }
            unlinkat(&top, &*name, AtFlags::REMOVEDIR)?;
        }
        if !lifted {
            break;
        }
    }
    fs::remove_dir(folder)
}

fn folder_in(at: impl AsFd, name: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(at, name, flags, Mode::empty())
}

/// All of them, before any is removed: readdir(3) says nothing of a folder that changes meanwhile.
fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if ![c".", c".."].contains(&entry.file_name()) {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

/// False: it is a folder. What is gone already is gone.
fn unlink(at: BorrowedFd<'_>, name: &CString) -> io::Result<bool> {
    match unlinkat(at, name.as_c_str(), AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::ISDIR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn lift(from: BorrowedFd<'_>, name: &CString, top: BorrowedFd<'_>, number: &mut u64) -> io::Result<()> {
    loop {
        *number += 1;
        match renameat_with(from, name.as_c_str(), top, format!(".lifted-{number}"), RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            done => return Ok(done?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Deeper than any path is long.
    fn deep(folder: &Path, levels: usize) {
        let mut at = folder_in(CWD, folder).unwrap();
        for _ in 0..levels {
            rustix::fs::mkdirat(&at, "deep", Mode::RWXU).unwrap();
            at = folder_in(&at, "deep").unwrap();
        }
    }

    #[test]
    fn a_folder_is_removed_however_deep_and_nothing_that_a_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (top, other) = (folder.path().join("top"), folder.path().join("other"));
        fs::create_dir_all(top.join("a/b/c")).unwrap();
        fs::create_dir_all(top.join(".lifted-1")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(other.join("file"), "").unwrap();
        fs::write(top.join("a/b/c/file"), "").unwrap();
        symlink(&other, top.join("a/b/link")).unwrap();
        deep(&top, 5_000);
        remove(&top).unwrap();
        assert!(!top.exists() && other.join("file").exists());
        symlink(&other, &top).unwrap();
        remove(&top).unwrap();
        assert!(fs::symlink_metadata(&top).is_err() && other.join("file").exists());
        assert_eq!(remove(&top).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_size_of_a_deep_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("top");
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::write(top.join("a/b/file"), vec![1; 100_000]).unwrap();
        deep(&top, 2_000);
        assert!(size(&top) >= 100_000);
        remove(&top).unwrap();
    }
}
