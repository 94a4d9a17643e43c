//! In whose hands a path is. What is looked at now and used later must be the same then: so it is followed here as the
//! kernel follows it (path_resolution(7)), folder by folder and each held while the next is opened, and nobody but root
//! and whom it is for may be able to put something else anywhere on the way.
//!
//! That asks it of every folder from `/` on, of the folders in which links lie that are followed, and of what is at the
//! end. A folder that everybody may write to and that is sticky, as `/tmp` is, may be on the way and not at its end: what
//! lies in one can be replaced by its owner alone (inode(7)), who is asked about next.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, lgetxattr, openat, readlinkat, statat};
use rustix::io::Errno;

use super::regular;

/// As many links are followed in one path (path_resolution(7)).
const MOST_LINKS: u32 = 40;
/// A path is shorter, in bytes (`PATH_MAX`).
const LONGEST: usize = 4096;
/// What may be done to a folder or a file: by its group, by everybody; and what keeps them from each other's.
const BY_GROUP: u32 = 0o020;
const BY_ALL: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Who may have a hand in a path: root, whose the daemon is, and whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hands {
    whose: Option<u32>,
}

/// Why a path is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Untaken {
    /// It leads nowhere, or cannot be followed.
    #[error(transparent)]
    Lost(#[from] io::Error),
    /// Somebody else can put something else there.
    #[error("{path} can be changed by {by}")]
    Loose {
        /// The place on the way.
        path: PathBuf,
        /// Who it is, in words.
        by: String,
    },
}

/// What a path leads to, held.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    fd: OwnedFd,
    stat: Stat,
}

/// In whose hands what is at a path's end may be, beside those of the rest.
#[derive(Clone, Copy)]
enum End<'a> {
    OwnedBy(&'a [Range<u64>]),
    Anybodys,
}

/// What something was, to see later whether it still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Same {
    device: u64,
    inode: u64,
    /// When it was changed last; of a folder that does not count, since what lies in it comes and goes.
    changed: Option<(i64, u64)>,
}

impl Hands {
    /// Of root alone, or of this user too.
    pub fn of(whose: Option<u32>) -> Self {
        Self { whose }
    }

    /// Follows an absolute path. Blocks.
    ///
    /// # Errors
    ///
    /// It leads nowhere, or somebody else has a hand in it.
    pub fn follow(self, path: &Path) -> Result<Place, Untaken> {
        self.walk(Place::root()?, path, End::OwnedBy(&[]))
    }

    /// The same; a relative path begins at a place. `others` may own what is at the end, too.
    ///
    /// # Errors
    ///
    /// As of [`Hands::follow`].
    pub fn follow_from(self, at: &Place, path: &Path, others: &[Range<u64>]) -> Result<Place, Untaken> {
        let from = Place::open(&at.fd, OsStr::new("."), at.path.clone())?;
        self.walk(from, path, End::OwnedBy(others))
    }

    /// The same, whoever has a hand in what is at the end: it stays the one that it is.
    ///
    /// # Errors
    ///
    /// As of [`Hands::follow`].
    pub fn follow_to_any(self, path: &Path) -> Result<Place, Untaken> {
        self.walk(Place::root()?, path, End::Anybodys)
    }

    /// A folder and everything that lies in it, links not followed. Blocks.
    ///
    /// # Errors
    ///
    /// As of [`Hands::follow`].
    pub fn follow_all_in(self, folder: &Path) -> Result<(), Untaken> {
        let place = self.follow(folder)?;
        for entry in fs::read_dir(&place.path)? {
            let name = entry?.file_name();
            let stat = statat(&place.fd, &name, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)?;
            let path = place.path.join(&name);
            self.admit_owner(&path, &stat)?;
            admit_writers(&path, &stat, true)?;
        }
        Ok(())
    }

    fn walk(self, from: Place, path: &Path, end: End<'_>) -> Result<Place, Untaken> {
        if path.as_os_str().len() >= LONGEST {
            return Err(io::Error::from(Errno::NAMETOOLONG).into());
        }
        let (mut at, mut links, mut left) = (from, 0, VecDeque::new());
        prepend(&mut left, path);
        while let Some(name) = left.pop_front() {
            if name == "/" {
                at = Place::root()?;
                self.admit(&at)?;
                continue;
            }
            let path = match name == ".." {
                // It has no links in it, so what is above it was passed through.
                true => at.path.parent().unwrap_or(&at.path).to_owned(),
                false => at.path.join(&name),
            };
            let found = Place::open(&at.fd, &name, path)?;
            if is(&found.stat, FileType::Symlink) {
                self.admit_owner(&found.path, &found.stat)?;
                links += 1;
                if links > MOST_LINKS {
                    return Err(io::Error::from(Errno::LOOP).into());
                }
                let target = readlinkat(&found.fd, "", Vec::new()).map_err(io::Error::from)?;
                prepend(&mut left, Path::new(&OsString::from_vec(target.into_bytes())));
                continue;
            }
            if !left.is_empty() {
                self.admit(&found)?;
            }
            at = found;
        }
        // A link to `.` ends at what was only on the way until then.
        if let End::OwnedBy(others) = end {
            if !others.iter().any(|uids| uids.contains(&u64::from(at.stat.st_uid))) {
                self.admit_owner(&at.path, &at.stat)?;
            }
            admit_writers(&at.path, &at.stat, true)?;
        }
        Ok(at)
    }

    /// One on the way.
    fn admit(self, place: &Place) -> Result<(), Untaken> {
        self.admit_owner(&place.path, &place.stat)?;
        admit_writers(&place.path, &place.stat, false)
    }

    /// An owner may do everything, whatever the mode says: it is theirs to change.
    fn admit_owner(self, path: &Path, stat: &Stat) -> Result<(), Untaken> {
        let (uid, own) = (stat.st_uid, rustix::process::geteuid().as_raw());
        if uid == 0 || uid == own || Some(uid) == self.whose {
            return Ok(());
        }
        Err(Untaken::Loose { path: path.to_owned(), by: format!("its owner, uid {uid}") })
    }
}

fn admit_writers(path: &Path, stat: &Stat, is_end: bool) -> Result<(), Untaken> {
    // Nothing lies in a device or a FIFO, and none is read.
    if !is(stat, FileType::Directory) && !is(stat, FileType::RegularFile) {
        return Ok(());
    }
    let may = |bit| stat.st_mode & bit != 0;
    let loose = |by: String| Err(Untaken::Loose { path: path.to_owned(), by });
    if !is_end && may(STICKY) {
        return Ok(());
    }
    if may(BY_ALL) {
        return loose("everybody".to_owned());
    }
    // The group's bits are also the most that an access control list gives to anybody (acl(5)).
    if may(BY_GROUP) && has_list(path) {
        return loose("whom its access control list names".to_owned());
    }
    if may(BY_GROUP) && stat.st_gid != 0 {
        return loose(format!("its group, gid {}", stat.st_gid));
    }
    Ok(())
}

fn has_list(path: &Path) -> bool {
    // The length alone would do; what cannot be told is taken for one.
    let list = lgetxattr(path, "system.posix_acl_access", &mut [0_u8; 1]);
    !matches!(list, Err(Errno::NODATA | Errno::OPNOTSUPP))
}

fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

/// What a path is to be followed by next, before what is left.
fn prepend(left: &mut VecDeque<OsString>, path: &Path) {
    for part in path.components().rev() {
        if part != Component::CurDir {
            left.push_front(part.as_os_str().to_owned());
        }
    }
}

impl Place {
    fn root() -> io::Result<Self> {
        Self::open(CWD, OsStr::new("/"), "/".into())
    }

    /// A link is opened itself.
    fn open(at: impl AsFd, name: &OsStr, path: PathBuf) -> io::Result<Self> {
        let open = |flags| openat(&at, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        // A folder that is mounted when it is looked into is not by O_PATH (open(2)).
        let fd = open(OFlags::RDONLY | OFlags::DIRECTORY).or_else(|_| open(OFlags::PATH))?;
        let stat = fstat(&fd)?;
        Ok(Self { path, fd, stat })
    }

    /// Where it is, without links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        is(&self.stat, FileType::Directory)
    }

    /// All of it, if it is a regular file of at most so many bytes.
    pub fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        if !is(&self.stat, FileType::RegularFile) {
            return Err(regular::wrong("it is not a regular file"));
        }
        regular::read_linked(Path::new(&format!("/proc/self/fd/{}", self.fd.as_raw_fd())), most)
    }

    /// What it is now.
    pub fn same(&self) -> Same {
        Same::new(&self.stat)
    }
}

impl Same {
    /// What is at a path. Blocks.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::new(&statat(CWD, path, AtFlags::empty())?))
    }

    fn new(stat: &Stat) -> Self {
        let changed = (!is(stat, FileType::Directory)).then_some((stat.st_ctime, stat.st_ctime_nsec));
        Self { device: stat.st_dev, inode: stat.st_ino, changed }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn folder(path: &Path, mode: u32) {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn loose(found: Result<Place, Untaken>) -> PathBuf {
        match found {
            Err(Untaken::Loose { path, .. }) => path,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_folder_on_the_way_counts_and_a_sticky_one_but_at_the_end() {
        let scene = tempfile::tempdir().unwrap();
        let at = |path: &str| scene.path().join(path);
        folder(&at("open"), 0o777);
        folder(&at("open/bundle"), 0o755);
        folder(&at("sticky"), 0o1777);
        folder(&at("sticky/bundle"), 0o755);
        folder(&at("group"), 0o775);
        let hands = Hands::of(Some(7));
        assert_eq!(loose(hands.follow(&at("open/bundle"))), at("open"));
        assert_eq!(hands.follow(&at("sticky/bundle")).unwrap().path(), at("sticky/bundle"));
        assert_eq!(loose(hands.follow(&at("sticky"))), at("sticky"));
        assert_eq!(loose(hands.follow(&at("sticky/bundle/.."))), at("sticky"));
        hands.follow(&at("group")).unwrap();
        chown(at("group"), None, Some(7)).unwrap();
        assert_eq!(loose(hands.follow(&at("group"))), at("group"));
        chown(at("sticky/bundle"), Some(7), None).unwrap();
        hands.follow(&at("sticky/bundle")).unwrap();
        chown(at("sticky/bundle"), Some(8), None).unwrap();
        assert_eq!(loose(hands.follow(&at("sticky/bundle"))), at("sticky/bundle"));
        let place = hands.follow(scene.path()).unwrap();
        hands.follow_from(&place, Path::new("sticky/bundle"), std::slice::from_ref(&(8..9))).unwrap();
    }

    /// An access control list as the kernel has it (linux/posix_acl_xattr.h): tag, permissions, whose.
    fn list(path: &Path, mask: u16) {
        let entries: [(u16, u16, u32); 5] =
            [(1, 7, u32::MAX), (2, 7, 7), (4, 5, u32::MAX), (16, mask, u32::MAX), (32, 5, u32::MAX)];
        let entry = |(tag, may, whose): (u16, u16, u32)| {
            [&tag.to_le_bytes()[..], &may.to_le_bytes(), &whose.to_le_bytes()].concat()
        };
        let value = [2_u32.to_le_bytes().to_vec(), entries.into_iter().flat_map(entry).collect()].concat();
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(path, "system.posix_acl_access", &value, flags).unwrap();
    }

    #[test]
    fn whom_an_access_control_list_lets_write_counts() {
        let scene = tempfile::tempdir().unwrap();
        list(scene.path(), 7);
        assert_eq!(loose(Hands::of(None).follow(scene.path())), scene.path());
        list(scene.path(), 5);
        Hands::of(None).follow(scene.path()).unwrap();
    }

    #[test]
    fn links_are_followed_if_nobody_else_has_made_them_and_circles_end() {
        let scene = tempfile::tempdir().unwrap();
        let at = |path: &str| scene.path().join(path);
        folder(&at("open"), 0o777);
        folder(&at("bundle"), 0o755);
        symlink("../bundle", at("open/link")).unwrap();
        symlink("bundle", at("link")).unwrap();
        symlink("circle", at("circle")).unwrap();
        folder(&at("sticky"), 0o1777);
        symlink(".", at("sticky/here")).unwrap();
        let hands = Hands::of(None);
        assert_eq!(hands.follow(&at("link/.//.")).unwrap().path(), at("bundle"));
        assert_eq!(loose(hands.follow(&at("open/link"))), at("open"), "it could lead elsewhere");
        assert_eq!(loose(hands.follow(&at("sticky/here"))), at("sticky"));
        std::os::unix::fs::lchown(at("link"), Some(7), None).unwrap();
        assert_eq!(loose(hands.follow(&at("link"))), at("link"));
        let circle = hands.follow(&at("circle")).unwrap_err();
        let Untaken::Lost(circle) = circle else { panic!("{circle}") };
        assert_eq!(circle.raw_os_error(), Some(nix::libc::ELOOP));
    }
}
