//! What happened, to whoever listens. A listener that is slow loses events and is told how many;
//! nothing waits for it.

use jiff::Timestamp;
use tokio::sync::broadcast;

use super::names::ContainerId;

/// How many events a listener may fall behind.
const BACKLOG: usize = 4096;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// Started from its bundle.
    Start,
    /// Restored from a checkpoint.
    Restore,
    /// A process was added: its pid.
    Exec(i32),
    /// Frozen.
    Pause,
    /// Thawed.
    Resume,
    /// Dumped.
    Checkpoint,
    /// A process ended: its pid if it was an added one, and its status as a shell says it, if known.
    Exit {
        /// The added process; none for init.
        pid: Option<i32>,
        /// 0 to 255.
        status: Option<i32>,
    },
    /// Forgotten.
    Delete,
}

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// The container.
    pub id: ContainerId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub happened: Happened,
}

/// Where events are published.
#[derive(Debug, Clone)]
pub(super) struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Events {
    /// Listens from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }

    pub(super) fn publish(&self, id: &ContainerId, at: Timestamp, happened: Happened) {
        // An error says that nobody listens.
        let _ = self.0.send(Event { id: id.clone(), at, happened });
    }
}
