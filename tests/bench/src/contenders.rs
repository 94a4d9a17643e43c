//! Who is measured: each starts the same bundle, in the way that it is called by, and is ended with all it has made.

mod containerd;
mod ours;
mod podman;
mod runc;

pub(crate) use containerd::Containerd;
pub(crate) use ours::{Ours, WHO as OURS};
pub(crate) use podman::Podman;
pub(crate) use runc::{Caller as RuncCaller, Runc, WHO as RUNC};

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cpu::{self, Account};

/// The word on what failed, as the contender said it.
pub(crate) type Outcome = Result<(), String>;

pub(crate) trait Contender: Sync {
    fn who(&self) -> &'static str;

    /// Of one caller: what it keeps from call to call, as a connection.
    fn session(&self) -> Box<dyn Session + Send>;

    /// The cgroup in which all its processes are.
    fn account(&self) -> &Account;

    /// Its daemon, if it has one.
    fn daemon(&self) -> Option<i32> {
        None
    }

    /// What the process that stands over a container is called: the kernel keeps 15 letters.
    fn shim_name(&self) -> &'static str {
        ""
    }

    /// The processes that stand over containers, now.
    fn shims(&self) -> Vec<i32> {
        let members = self.account().members().into_iter();
        members.filter(|pid| Some(*pid) != self.daemon() && cpu::name_of(*pid) == self.shim_name()).collect()
    }

    /// What of its processor time its parts have used: the daemon so far, and the shims that are there now. The rest of
    /// the account is the runtime's and the containers'.
    fn parts(&self) -> Vec<(&'static str, Duration)> {
        let Some(daemon) = self.daemon() else { return Vec::new() };
        let shims = self.shims().into_iter().map(cpu::of_process).sum();
        vec![("daemon", cpu::of_process(daemon)), ("shim", shims)]
    }
}

pub(crate) trait Session {
    /// Answers once the container runs.
    fn start(&mut self, id: &str) -> Outcome;
    /// Kills and deletes it.
    fn delete(&mut self, id: &str) -> Outcome;
    /// All that there are.
    fn list(&mut self) -> Outcome;
}

/// A daemon of a peer's: told to end when dropped, killed when it does not.
struct Service(Child);

impl Service {
    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    /// Until it answers; its words are in `log`.
    fn await_answer(mut self, log: &Path, mut answers: impl FnMut() -> bool) -> Self {
        let begun = Instant::now();
        while !answers() {
            let ended = self.0.try_wait().is_ok_and(|status| status.is_some());
            if ended || begun.elapsed() > Duration::from_secs(20) {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                panic!("{} does not start: {said}", log.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
        for _ in 0..100 {
            if self.0.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
