//! Who is measured: each starts the same bundle, in the way that it is called by, and is ended with all it has made.

mod ours;
mod runc;

pub(crate) use ours::{Ours, WHO as OURS};
pub(crate) use runc::Runc;

use std::time::Duration;

use crate::cpu::Account;

/// The word on what failed, as the contender said it.
pub(crate) type Outcome = Result<(), String>;

pub(crate) trait Contender: Sync {
    fn who(&self) -> &'static str;

    /// Of one caller: what it keeps from call to call, as a connection.
    fn session(&self) -> Box<dyn Session + Send>;

    /// The cgroup in which all its processes are.
    fn account(&self) -> &Account;

    /// What of its processor time its parts have used: the daemon so far, and those parts that belong to containers
    /// that are there now. The rest of the account is the runtime's and the containers'.
    fn parts(&self) -> Vec<(&'static str, Duration)> {
        Vec::new()
    }

    /// What we do ourselves that is done in its account.
    fn within(&self) -> bool {
        false
    }
}

pub(crate) trait Session {
    /// Answers once the container runs.
    fn start(&mut self, id: &str) -> Outcome;
    /// Kills and deletes it.
    fn delete(&mut self, id: &str) -> Outcome;
}
