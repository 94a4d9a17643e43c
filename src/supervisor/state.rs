//! The status of a container and what may change it. Pure: no I/O, no time.
//!
//! ```text
//!            started               paused
//! creating ----------> running <----------> paused
//!     ^                 |   ^   resumed        |
//!     | begun      dump |   | dumped           |
//!     |           began v   |                  |
//!  (none, or      checkpointing                |
//!   stopped)            |                      |
//!     ^                 | exited               | exited
//!     |   exited        v                      v
//!     +------------- stopped <-----------------+
//! ```
//!
//! A start that fails leads back to where it began: to nothing, or to `stopped`.

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Being started or restored.
    Creating,
    /// Its init process runs.
    Running,
    /// Its cgroup is frozen.
    Paused,
    /// Being dumped, frozen meanwhile.
    Checkpointing,
    /// Its init process has ended.
    Stopped,
}

/// What happens to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A start or a restore begins.
    Begun,
    /// It succeeded.
    Started,
    /// The cgroup was frozen.
    Paused,
    /// The cgroup was thawed.
    Resumed,
    /// A dump begins.
    DumpBegan,
    /// A dump ended, well or not, and the container goes on.
    Dumped,
    /// The init process has ended.
    Exited,
}

/// What can be asked of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Start or restore under this name.
    Start,
    /// Add a process.
    Exec,
    /// Signal a process.
    Signal,
    /// Freeze it.
    Pause,
    /// Thaw it.
    Resume,
    /// Dump it.
    Checkpoint,
    /// Look for what would be in the way of a dump.
    Preflight,
    /// Forget it.
    Delete,
}

impl Verb {
    /// As a sentence says it: "adding a process needs it running".
    pub fn words(self) -> &'static str {
        match self {
            Self::Start => "starting it",
            Self::Exec => "adding a process",
            Self::Signal => "signalling it",
            Self::Pause => "pausing it",
            Self::Resume => "resuming it",
            Self::Checkpoint => "checkpointing it",
            Self::Preflight => "looking at what a checkpoint would hold",
            Self::Delete => "deleting it",
        }
    }
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Creating, Self::Running, Self::Paused, Self::Checkpointing, Self::Stopped];

    /// As the contract says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Checkpointing => "checkpointing",
            Self::Stopped => "stopped",
        }
    }

    /// The status after a change. `None`: that change cannot happen now.
    pub fn after(self, change: Change) -> Option<Self> {
        match (self, change) {
            (Self::Stopped, Change::Begun) => Some(Self::Creating),
            (Self::Creating, Change::Started) => Some(Self::Running),
            (Self::Running, Change::Paused) => Some(Self::Paused),
            (Self::Paused, Change::Resumed) => Some(Self::Running),
            (Self::Running, Change::DumpBegan) => Some(Self::Checkpointing),
            (Self::Checkpointing, Change::Dumped) => Some(Self::Running),
            (Self::Running | Self::Paused | Self::Checkpointing, Change::Exited) => Some(Self::Stopped),
            (
                Self::Creating | Self::Running | Self::Paused | Self::Checkpointing | Self::Stopped,
                Change::Begun
                | Change::Started
                | Change::Paused
                | Change::Resumed
                | Change::DumpBegan
                | Change::Dumped
                | Change::Exited,
            ) => None,
        }
    }

    /// Whether a verb can be done now; else what it needs, to follow "needs it".
    pub fn admits(self, verb: Verb) -> Result<(), &'static str> {
        match (verb, self) {
            (Verb::Start | Verb::Delete, Self::Stopped) => Ok(()),
            (Verb::Exec | Verb::Checkpoint, Self::Running) => Ok(()),
            (Verb::Signal | Verb::Pause | Verb::Resume | Verb::Preflight, Self::Running | Self::Paused) => {
                Ok(())
            }
            (Verb::Start | Verb::Delete, _) => Err("stopped"),
            (Verb::Exec | Verb::Checkpoint, _) => Err("running"),
            (Verb::Signal | Verb::Pause | Verb::Resume | Verb::Preflight, _) => Err("running or paused"),
        }
    }

    /// Whether an init process is there.
    pub fn is_live(self) -> bool {
        match self {
            Self::Running | Self::Paused | Self::Checkpointing => true,
            Self::Creating | Self::Stopped => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHANGES: [Change; 7] = [
        Change::Begun,
        Change::Started,
        Change::Paused,
        Change::Resumed,
        Change::DumpBegan,
        Change::Dumped,
        Change::Exited,
    ];

    /// What the task does for a verb, in changes; the reference that the table is held against.
    fn changes_of(verb: Verb) -> &'static [Change] {
        match verb {
            Verb::Start => &[Change::Begun, Change::Started],
            Verb::Exec | Verb::Signal | Verb::Delete => &[],
            Verb::Pause => &[Change::Paused],
            Verb::Resume => &[Change::Resumed],
            Verb::Checkpoint => &[Change::DumpBegan, Change::Dumped],
            Verb::Preflight => &[],
        }
    }

    fn verb() -> impl Strategy<Value = Verb> {
        prop_oneof![
            Just(Verb::Start),
            Just(Verb::Exec),
            Just(Verb::Signal),
            Just(Verb::Pause),
            Just(Verb::Resume),
            Just(Verb::Checkpoint),
            Just(Verb::Preflight),
            Just(Verb::Delete),
        ]
    }

    proptest! {
        /// Whatever is asked, and whenever the process dies in between: an admitted verb's changes are
        /// all possible (or the status is the one asked for already), a refused one changes nothing,
        /// and a container that has died is stopped until it is started again.
        #[test]
        fn admitted_verbs_always_have_a_way_and_death_is_final(
            steps in proptest::collection::vec((verb(), any::<bool>()), 1..60)
        ) {
            let mut status = Status::Stopped;
            for (verb, dies) in steps {
                if status.admits(verb).is_ok() {
                    for change in changes_of(verb) {
                        let same = (verb == Verb::Pause && status == Status::Paused)
                            || (verb == Verb::Resume && status == Status::Running);
                        match status.after(*change) {
                            Some(next) => status = next,
                            None => prop_assert!(same, "{verb:?} was admitted in {status:?}, {change:?} cannot happen"),
                        }
                    }
                }
                prop_assert_ne!(status, Status::Creating);
                prop_assert_ne!(status, Status::Checkpointing);
                if dies && status.is_live() {
                    status = status.after(Change::Exited).unwrap();
                    prop_assert_eq!(status, Status::Stopped);
                    for change in CHANGES.iter().filter(|change| **change != Change::Begun) {
                        prop_assert_eq!(status.after(*change), None);
                    }
                }
            }
        }
    }

    #[test]
    fn every_live_status_can_end_and_every_status_can_be_left() {
        for status in Status::ALL {
            assert_eq!(status.after(Change::Exited).is_some(), status.is_live(), "{status:?}");
            assert!(CHANGES.iter().any(|change| status.after(*change).is_some()), "{status:?}");
        }
    }
}
