//! Who is in a container of ours: its processes are served nothing, whoever they run as, since what they may do is what
//! their bundle says.

use super::Supervisor;
use super::names::ContainerId;
use crate::runtime::cgroup::Cgroup;

impl Supervisor {
    /// The container that a process is in.
    pub fn container_of(&self, pid: i32) -> Option<ContainerId> {
        self.context.places.holder(&Cgroup::of(pid)?)
    }
}
