//! The mounts that the container has: those of every mount namespace in its tree (proc_pid_mountinfo(5)).

use std::collections::{HashMap, HashSet};

use super::super::tree::Tree;

struct Mount {
    kind: String,
    device: (u32, u32),
}

/// By their ids, and whether these are all.
pub(in crate::runtime::preflight) struct Mounts {
    known: HashMap<i32, Mount>,
    whole: bool,
}

impl Mounts {
    pub(super) fn read(tree: &Tree, chrooted: bool) -> Self {
        let (mut mounts, mut seen) = (HashMap::new(), HashSet::new());
        for member in &tree.members {
            if !seen.insert(&member.mount_namespace) {
                continue;
            }
            for mount in member.process.mountinfo().into_iter().flatten() {
                let device = mount.majmin.split_once(':');
                let Some((major, minor)) =
                    device.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
                else {
                    continue;
                };
                mounts.insert(mount.mnt_id, Mount { kind: mount.fs_type, device: (major, minor) });
            }
        }
        // Unread, nothing is known of any.
        Self { whole: !chrooted && !mounts.is_empty(), known: mounts }
    }

    /// Its filesystem's kind; none of one that the container does not have.
    pub(super) fn kind(&self, id: i32) -> Option<&str> {
        let unknown = (!self.whole).then_some("");
        self.known.get(&id).map(|mount| mount.kind.as_str()).or(unknown)
    }

    pub(super) fn is_outside(&self, id: i32) -> bool {
        self.kind(id).is_none()
    }

    /// The kind of the filesystem with this device number.
    pub(in crate::runtime::preflight) fn kind_of_device(&self, device: (u32, u32)) -> Option<&str> {
        self.known.values().find(|mount| mount.device == device).map(|mount| mount.kind.as_str())
    }

    /// Whether there is one of a filesystem of this kind. CRIU takes pipes in packet mode that an autofs is mounted with.
    pub(super) fn have(&self, kind: &str) -> bool {
        self.known.values().any(|mount| mount.kind == kind)
    }
}
