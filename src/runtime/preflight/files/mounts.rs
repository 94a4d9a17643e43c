//! The mounts that the container has: those of every mount namespace in its tree (proc_pid_mountinfo(5)).

use std::collections::{HashMap, HashSet};

use super::super::tree::Tree;

struct Mount {
    kind: String,
    device: (u32, u32),
}

/// By their ids.
pub(in crate::runtime::preflight) struct Mounts(HashMap<i32, Mount>);

impl Mounts {
    pub(super) fn read(tree: &Tree) -> Self {
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
        Self(mounts)
    }

    /// Its filesystem's kind; none of one that the container does not have.
    pub(super) fn kind(&self, id: i32) -> Option<&str> {
        // Unread, nothing is known of any.
        if self.0.is_empty() {
            return Some("");
        }
        self.0.get(&id).map(|mount| mount.kind.as_str())
    }

    pub(super) fn is_outside(&self, id: i32) -> bool {
        self.kind(id).is_none()
    }

    /// The kind of the filesystem with this device number.
    pub(in crate::runtime::preflight) fn kind_of_device(&self, device: (u32, u32)) -> Option<&str> {
        self.0.values().find(|mount| mount.device == device).map(|mount| mount.kind.as_str())
    }
}
