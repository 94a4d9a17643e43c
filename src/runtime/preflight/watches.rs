//! Watches of inotify(7) and fanotify(7) that CRIU finds no path for: alloc_openable and check_open_handle, "Can't find
//! suitable path for handle", "Can't dump that handle".

use rustix::fs::makedev;

use super::files::Files;
use super::{Findings, Kind};

/// A watched inode, as a line of fdinfo tells it.
#[derive(Debug, PartialEq, Eq)]
struct Watched {
    inode: u64,
    device: (u32, u32),
}

impl Watched {
    /// `inotify wd:1 ino:3c4a7 sdev:fe00000 mask:2 …`; the device is in the kernel's own form.
    fn parse(line: &str) -> Option<Self> {
        if !line.starts_with("inotify ") && !line.starts_with("fanotify ino:") {
            return None;
        }
        let hex = |name: &str| {
            let field = line.split(' ').find_map(|field| field.strip_prefix(name))?;
            u64::from_str_radix(field, 16).ok()
        };
        let device = u32::try_from(hex("sdev:")?).ok()?;
        Some(Self { inode: hex("ino:")?, device: (device >> 20, device & 0xf_ffff) })
    }
}

pub(super) fn check(files: &Files<'_>, found: &mut Findings) {
    for watch in &files.watches {
        for watched in watch.info.lines().filter_map(Watched::parse) {
            let (major, minor) = watched.device;
            let deleted = files.deleted.contains(&(makedev(major, minor), watched.inode));
            let what = match files.mounts.kind_of_device(watched.device) {
                Some("proc") => {
                    "a watch of a file in /proc, which has no handle that it could be found again by"
                }
                // Of other filesystems the watch is found again by the inode's handle.
                Some("tmpfs" | "devtmpfs") if deleted => "a watch of a file that is deleted and still open",
                _ => continue,
            };
            found.add(watch.member, Kind::FileWatch, Some(watch.fd), what, "remove the watch, or close it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_read_from_its_line_and_other_lines_are_passed_over() {
        let line = "inotify wd:2 ino:3c4a7 sdev:fe00000 mask:2 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:a7c4030000000000";
        assert_eq!(Watched::parse(line), Some(Watched { inode: 0x3c4a7, device: (0xfe, 0) }));
        let line = "fanotify ino:1 sdev:2c mflags:0 mask:2 ignored_mask:0 fhandle-bytes:8";
        assert_eq!(Watched::parse(line), Some(Watched { inode: 1, device: (0, 0x2c) }));
        assert_eq!(Watched::parse("fanotify flags:0 event-flags:0"), None);
        assert_eq!(Watched::parse("mnt_id:\t17"), None);
    }
}
