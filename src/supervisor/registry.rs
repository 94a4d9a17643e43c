//! Who is there: a name, the way to its task, and what its task has published. The lock is held for a
//! look-up and never across work.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::{mpsc, watch};

use super::container::{Command, Snapshot, Task};
use super::names::ContainerId;
use super::state::Status;
use crate::runtime::cgroup::Cgroup;

/// How many requests may wait for one container; more callers than that wait to be let in, in order.
const QUEUE: usize = 256;

#[derive(Debug)]
struct Handle {
    queue: mpsc::Sender<Box<Command>>,
    view: watch::Receiver<Arc<Snapshot>>,
}

/// Every container that has a name.
#[derive(Debug, Default)]
pub(super) struct Registry(RwLock<BTreeMap<ContainerId, Handle>>);

/// The ends of a container's channels that its task holds.
pub(super) struct Ends {
    pub(super) queue: mpsc::Receiver<Box<Command>>,
    pub(super) publisher: watch::Sender<Arc<Snapshot>>,
    /// Dropped once what an earlier daemon left is settled.
    pub(super) recovering: Option<mpsc::Sender<()>>,
}

impl Registry {
    /// A panic elsewhere leaves the map as it was: whole.
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<ContainerId, Handle>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that is given to a container that has not begun yet is not shown: nothing has happened.
    fn shown(handle: &Handle) -> Option<Arc<Snapshot>> {
        let snapshot = Arc::clone(&handle.view.borrow());
        let nothing_yet = snapshot.status == Status::Stopped && snapshot.never_started;
        (!nothing_yet).then_some(snapshot)
    }

    pub(super) fn snapshots(&self) -> Vec<Arc<Snapshot>> {
        self.read().values().filter_map(Self::shown).collect()
    }

    pub(super) fn snapshot(&self, id: &ContainerId) -> Option<Arc<Snapshot>> {
        Self::shown(self.read().get(id)?)
    }

    /// To wait for a change of a container that is shown.
    pub(super) fn watch(&self, id: &ContainerId) -> Option<watch::Receiver<Arc<Snapshot>>> {
        let map = self.read();
        let handle = map.get(id)?;
        Self::shown(handle)?;
        Some(handle.view.clone())
    }

    pub(super) fn queue(&self, id: &ContainerId) -> Option<mpsc::Sender<Box<Command>>> {
        Some(self.read().get(id)?.queue.clone())
    }

    /// The way to the name's task, which is made and started if there is none; none if there are so many already.
    pub(super) fn reserve(
        &self,
        id: &ContainerId,
        most: usize,
        task: impl FnOnce(&ContainerId) -> (Task, Arc<Snapshot>),
    ) -> Option<mpsc::Sender<Box<Command>>> {
        if let Some(queue) = self.queue(id).filter(|queue| !queue.is_closed()) {
            return Some(queue);
        }
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = map.get(id).filter(|handle| !handle.queue.is_closed()) {
            return Some(handle.queue.clone());
        }
        if map.len() >= most && !map.contains_key(id) {
            return None;
        }
        let (task, snapshot) = task(id);
        let queue = Self::insert(&mut map, id, snapshot, task, None);
        drop(map);
        Some(queue)
    }

    /// A container that an earlier daemon has left.
    pub(super) fn adopt(
        &self,
        id: &ContainerId,
        snapshot: Arc<Snapshot>,
        task: Task,
        recovering: mpsc::Sender<()>,
    ) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Self::insert(&mut map, id, snapshot, task, Some(recovering));
    }

    fn insert(
        map: &mut BTreeMap<ContainerId, Handle>,
        id: &ContainerId,
        snapshot: Arc<Snapshot>,
        task: Task,
        recovering: Option<mpsc::Sender<()>>,
    ) -> mpsc::Sender<Box<Command>> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let (publisher, view) = watch::channel(snapshot);
        map.insert(id.clone(), Handle { queue: queue.clone(), view });
        tokio::spawn(Box::new(task).serve(Ends { queue: requests, publisher, recovering }));
        queue
    }

    /// The name is free.
    pub(super) fn remove(&self, id: &ContainerId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Whose cgroup is whose. What is asked of a container by its cgroup must reach no other.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<BTreeMap<ContainerId, Cgroup>>);

impl Places {
    /// Another container whose cgroup is this one, holds it or lies in it.
    pub(super) fn conflict(&self, id: &ContainerId, place: &Cgroup) -> Option<ContainerId> {
        Self::other(&self.0.lock().unwrap_or_else(PoisonError::into_inner), id, place)
    }

    /// It is this container's now, unless it is another's: that one is given.
    pub(super) fn take(&self, id: &ContainerId, place: Cgroup) -> Result<(), ContainerId> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match Self::other(&places, id, &place) {
            Some(other) => Err(other),
            None => {
                places.insert(id.clone(), place);
                Ok(())
            }
        }
    }

    /// The container that a process with this cgroup is in.
    pub(super) fn holder(&self, cgroup: &Cgroup) -> Option<ContainerId> {
        let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = places.iter().find(|(_, place)| cgroup.is_within(place));
        found.map(|(id, _)| id.clone())
    }

    pub(super) fn leave(&self, id: &ContainerId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn other(
        places: &BTreeMap<ContainerId, Cgroup>,
        id: &ContainerId,
        place: &Cgroup,
    ) -> Option<ContainerId> {
        let mut others = places.iter().filter(|(other, _)| *other != id);
        others.find(|(_, taken)| taken.overlaps(place)).map(|(other, _)| other.clone())
    }
}
