//! The processes that a dump would hold: init and its descendants, those that have ended aside.

use std::collections::{HashSet, VecDeque};
use std::fs;

use procfs::process::{Process, Status};

use crate::runtime::cgroup::Cgroup;
use crate::runtime::process::{Stat, children_of};

/// Namespaces that CRIU knows one of in a container (CLONE_SUBNS are the others: mounts and the network).
pub(super) const SINGLE: [&str; 6] = ["pid", "user", "ipc", "uts", "cgroup", "time"];

/// One of the processes.
pub(super) struct Member {
    pub(super) pid: i32,
    pub(super) status: Status,
    pub(super) stat: Stat,
    pub(super) process: Process,
    pub(super) mount_namespace: Option<String>,
    pub(super) network: Option<String>,
}

/// All of them, init first.
pub(super) struct Tree {
    pub(super) init: i32,
    pub(super) members: Vec<Member>,
    pub(super) pids: HashSet<i32>,
    pub(super) cgroup: Option<Cgroup>,
    /// Init's, in the order of [`SINGLE`].
    pub(super) namespaces: [Option<String>; SINGLE.len()],
    /// Init's network namespace, if it is not the host's.
    pub(super) network: Option<String>,
}

impl Tree {
    pub(super) fn read(init: i32) -> Self {
        let mut tree = Self {
            init,
            members: Vec::new(),
            pids: HashSet::new(),
            cgroup: Cgroup::of(init),
            namespaces: SINGLE.map(|kind| namespace(init, kind)),
            network: namespace(init, "net").filter(|own| Some(own) != own_namespace("net").as_ref()),
        };
        let mut next = VecDeque::from([init]);
        while let Some(pid) = next.pop_front() {
            if !tree.pids.insert(pid) {
                continue;
            }
            let Some(member) = Member::read(pid) else { continue };
            next.extend(children_of(pid));
            if member.stat.is_alive() {
                tree.members.push(member);
            }
        }
        tree
    }
}

impl Member {
    fn read(pid: i32) -> Option<Self> {
        let process = Process::new(pid).ok()?;
        let (mount_namespace, network) = (namespace(pid, "mnt"), namespace(pid, "net"));
        let (status, stat) = (process.status().ok()?, Stat::of(pid)?);
        Some(Self { pid, status, stat, process, mount_namespace, network })
    }

    /// Whether it has not ended since.
    pub(super) fn is_alive(&self) -> bool {
        Stat::of(self.pid).is_some_and(|now| now.is_alive() && now.start_time == self.stat.start_time)
    }

    /// Its command line; of one without, its name.
    pub(super) fn command(&self) -> String {
        let line = self.process.cmdline().unwrap_or_default().join(" ");
        if line.is_empty() { self.status.name.clone() } else { line }
    }

    pub(super) fn namespace(&self, kind: &str) -> Option<String> {
        namespace(self.pid, kind)
    }
}

/// A namespace of a process, by its name in /proc: `net:[4026531840]`.
pub(super) fn namespace(pid: i32, kind: &str) -> Option<String> {
    Some(fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?.to_string_lossy().into_owned())
}

/// The daemon's own, which is the host's.
pub(super) fn own_namespace(kind: &str) -> Option<String> {
    namespace(i32::try_from(std::process::id()).ok()?, kind)
}
