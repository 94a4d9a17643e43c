//! A copy of the runtime's executable in memory that nobody can write to any more.
//!
//! runc must not be reachable from a container as the host's own file (CVE-2019-5736), so `runc init` makes a copy of
//! itself, or a read-only mount, and starts a second time from it, at every start. One that is a sealed copy already goes
//! on at once (`cloned_binary.c`: "sharing it isn't a bad thing"; runc's own `memfd-bind` has the same made by a service).
//! May not know what is started.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Access, MemfdFlags, SealFlags, access, fcntl_add_seals, fcntl_get_seals, memfd_create};

/// What runc asks for before it takes itself for a copy.
const SEALS: SealFlags =
    SealFlags::SEAL.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::WRITE);

/// Programs begin with it; what a script's interpreter is given for a path would be of no use to it (elf(5), `e_ident`).
const ELF: &[u8] = b"\x7fELF";

/// The largest that is held in memory, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// An executable and its copy, made anew when the executable is another.
#[derive(Debug)]
pub struct Sealed {
    path: PathBuf,
    copy: Mutex<Option<(Identity, Option<Arc<OwnedFd>>)>>,
}

/// Tells a file from the one that a package manager has put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Identity {
    fn of(kind: &Metadata) -> Self {
        Self {
            device: kind.dev(),
            inode: kind.ino(),
            size: kind.size(),
            changed: (kind.ctime(), kind.ctime_nsec()),
        }
    }
}

impl Sealed {
    /// Nothing is copied yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, copy: Mutex::new(None) }
    }

    /// The copy. `None`: there is none to be had, and the file itself is to be started. Blocks.
    pub fn copy(&self) -> Option<Arc<OwnedFd>> {
        let kind = self.path.metadata().ok().filter(|kind| kind.mode() & 0o111 != 0)?;
        let now = Identity::of(&kind);
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        if copy.as_ref().is_none_or(|(of, _)| *of != now) {
            *copy = seal(&self.path).ok().map(|(of, sealed)| (of, sealed.map(Arc::new)));
        }
        copy.as_ref().and_then(|(_, sealed)| sealed.clone())
    }
}

/// A sealed copy of a file as it is now; of a program alone.
fn seal(path: &Path) -> io::Result<(Identity, Option<OwnedFd>)> {
    let mut file = File::open(path)?;
    let identity = Identity::of(&file.metadata()?);
    let mut head = [0; ELF.len()];
    if identity.size > LARGEST || file.read_exact(&mut head).is_err() || head != ELF {
        return Ok((identity, None));
    }
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 know no such flag, and make all executable.
    let made = memfd_create("runtime", flags | MemfdFlags::EXEC).or_else(|_| memfd_create("runtime", flags));
    let mut sealed = File::from(made?);
    io::copy(&mut head.chain(file), &mut sealed)?;
    fcntl_add_seals(&sealed, SEALS)?;
    // Not where `vm.memfd_noexec` forbids it, or there is no /proc to name it by.
    let may = access(format!("/proc/self/fd/{}", sealed.as_raw_fd()), Access::EXEC_OK).is_ok();
    Ok((identity, may.then(|| sealed.into())))
}

/// Whether a descriptor is of such a copy.
pub fn is_sealed(fd: impl std::os::fd::AsFd) -> bool {
    fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(SEALS))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_program_is_run_from_a_copy_that_cannot_be_written_to_and_is_made_anew_when_it_is_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program");
        fs::copy("/bin/true", &path).expect("copied");
        let sealed = Sealed::new(path.clone());
        let first = sealed.copy().expect("a copy");
        assert!(is_sealed(&first));
        let through = format!("/proc/self/fd/{}", first.as_raw_fd());
        assert!(Command::new(&through).status().expect("run").success());
        assert!(rustix::io::pwrite(&*first, b"x", 0).is_err());
        assert_eq!(sealed.copy().expect("the same").as_raw_fd(), first.as_raw_fd());
        // As dpkg(1) replaces it.
        fs::copy("/bin/false", folder.path().join("new")).expect("copied");
        fs::rename(folder.path().join("new"), &path).expect("renamed");
        let second = sealed.copy().expect("another copy");
        let status = Command::new(format!("/proc/self/fd/{}", second.as_raw_fd())).status().expect("run");
        assert!(!status.success());
    }

    #[test]
    fn a_script_is_not_copied_nor_what_is_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("script");
        fs::write(&script, "#!/bin/sh\n").expect("written");
        assert!(Sealed::new(script).copy().is_none());
        assert!(Sealed::new(folder.path().join("nothing")).copy().is_none());
    }
}
