//! Mount namespaces whose mounts are not all seen, since who shows them has called chroot(2). CRIU reads them by its first
//! process in each: __mntns_get_root_fd, "The root task has another root than mntns"; parse_mountinfo, "Can't parse …
//! mountinfo"; or it misses those above ("Can't lookup mount").

use std::collections::HashMap;
use std::fs;

use super::tree::{Member, Tree, own_namespace};
use super::{Findings, Kind};

/// Tells of each such namespace, and whether there is one: then nothing can be said of the files in it.
pub(super) fn check(tree: &Tree, found: &mut Findings) -> bool {
    let mut told = false;
    for (namespace, members) in namespaces(tree) {
        // Files of the host's own are looked up below CRIU's root.
        if Some(namespace) == own_namespace("mnt").as_deref() {
            continue;
        }
        let init = members.iter().find(|member| member.pid == tree.init);
        // Init is CRIU's first one; elsewhere any may be.
        let (shows, others) = match init {
            Some(init) => (*init, false),
            None => (members[0], members.len() > 1),
        };
        let Some(root) = moved_root(shows) else { continue };
        if others && !members.iter().all(|member| moved_root(member).is_some()) {
            continue;
        }
        told = true;
        let what = format!("its root folder is {root} (chroot(2)), and by it CRIU sees not all mounts");
        let remedy = "let the program keep the root that it is started with (root.path in config.json names another), or \
                      call chroot(2) in a child";
        found.add(shows, Kind::Chroot, None, what, remedy);
    }
    told
}

fn namespaces(tree: &Tree) -> HashMap<&str, Vec<&Member>> {
    let mut found: HashMap<&str, Vec<&Member>> = HashMap::new();
    for member in &tree.members {
        if let Some(namespace) = &member.mount_namespace {
            found.entry(namespace).or_default().push(member);
        }
    }
    found
}

/// Its root folder, if it is not that of its mount namespace: the link in /proc is told from there.
fn moved_root(member: &Member) -> Option<String> {
    let root = fs::read_link(format!("/proc/{}/root", member.pid)).ok()?;
    Some(root.to_string_lossy().into_owned()).filter(|root| root != "/")
}
