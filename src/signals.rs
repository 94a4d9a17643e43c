//! What signals ask of the daemon: to stop, or to give way to a newer program. Knows nothing of how either is done.

use std::io::{self, IsTerminal};

use nix::sys::signal::{self, SaFlags, SigAction, SigHandler, SigSet, sigaction};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::runtime::process::Status;

/// What a signal asks for.
pub(crate) enum Asked {
    Stop,
    Replace,
}

/// The signals that are heard.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// None: it means nothing to us.
    hangup: Option<Signal>,
    /// The daemon was started in a terminal: then SIGHUP says that the terminal is gone.
    in_terminal: bool,
}

impl Signals {
    /// `replaces`: the program before had SIGHUP ignored for us while we start; it heard it all the same.
    pub(crate) fn new(replaces: bool) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: if hangup_is_ignored() && !replaces { None } else { Some(signal(SignalKind::hangup())?) },
            in_terminal: io::stderr().is_terminal(),
        })
    }

    pub(crate) async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = hangup => if self.in_terminal { Asked::Stop } else { Asked::Replace },
        }
    }

    /// The next that asks to stop.
    pub(crate) async fn stop(&mut self) {
        while matches!(self.next().await, Asked::Replace) {}
    }
}

/// As nohup(1) has it ignored: who started us so wants SIGHUP to do nothing (proc_pid_status(5), SigIgn).
fn hangup_is_ignored() -> bool {
    // The first bit is of signal 1.
    Status::of_self().has("SigIgn", 0)
}

/// While this lives nobody hears signals, and the program that takes our place begins so: one that asks to stop ends the
/// process at once, and is not lost; SIGHUP does nothing, where it would end a program that does not hear it yet.
#[derive(Debug)]
pub struct Unheard(Vec<(signal::Signal, SigAction)>);

impl Unheard {
    pub(crate) fn begin() -> io::Result<Self> {
        use signal::Signal::{SIGHUP, SIGINT, SIGTERM};
        let mut before = Self(Vec::new());
        let fates =
            [(SIGTERM, SigHandler::SigDfl), (SIGINT, SigHandler::SigDfl), (SIGHUP, SigHandler::SigIgn)];
        for (number, handler) in fates {
            let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
            // SAFETY: no handler is put in, and the one that was there before is put back as it was.
            before.0.push((number, unsafe { sigaction(number, &action) }?));
        }
        Ok(before)
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        for (number, before) in &self.0 {
            // SAFETY: as it was before, by tokio.
            let _ = unsafe { sigaction(*number, before) };
        }
    }
}
