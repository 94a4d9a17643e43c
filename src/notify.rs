//! What systemd is told, where it has started us: sd_notify(3), sd_watchdog_enabled(3). Elsewhere nobody is told
//! anything.

use std::io;
use std::time::Duration;

use sd_notify::{NotifyState, notify, watchdog_enabled};
use tokio::runtime::Handle;

/// What has become of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// We serve, and where.
    Ready(String),
    /// A newer program is about to take our place.
    Reloading,
    /// We end; containers stay.
    Stopping,
}

/// Tells it; the log says when it could not be told.
pub(crate) async fn tell(told: Told) {
    // The socket's queue may be full.
    let telling = tokio::task::spawn_blocking(move || {
        let sent = match &told {
            Told::Ready(status) => notify(&[NotifyState::Ready, NotifyState::Status(status)]),
            // It asks for the time, to tell this reload from one before it.
            Told::Reloading => {
                NotifyState::monotonic_usec_now().and_then(|now| notify(&[NotifyState::Reloading, now]))
            }
            Told::Stopping => notify(&[NotifyState::Stopping]),
        };
        if let Err(error) = sent {
            tracing::warn!(%error, ?told, "systemd cannot be told");
        }
    });
    let _ = telling.await;
}

/// Says that we are alive for as long as tasks are run, if it wants to hear that (`WatchdogSec=`).
pub(crate) fn beat() -> io::Result<()> {
    let Some(within) = watchdog_enabled() else { return Ok(()) };
    // Four times, so that on a host where all is late there is most of the time left to be late in.
    beats((within / 4).max(Duration::from_millis(100)), || {
        if let Err(error) = notify(&[NotifyState::Watchdog]) {
            tracing::warn!(%error, "systemd cannot be told that we are alive");
        }
    })
}

/// From a thread of its own: while all threads for what blocks wait for a slow disk, we are late and not dead.
fn beats(pause: Duration, beat: impl Fn() + Send + 'static) -> io::Result<()> {
    let tasks = Handle::current();
    std::thread::Builder::new().name("watchdog".into()).spawn(move || {
        // None is run once the runtime has ended, before another program takes our place.
        while tasks.block_on(tasks.spawn(async {})).is_ok() {
            beat();
            std::thread::sleep(pause);
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn it_is_alive_while_tasks_are_run_whatever_waits_for_a_disk() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let (disk, waits) = channel::<()>();
        runtime.spawn_blocking(move || waits.recv());
        let (beat, heard) = channel();
        let entered = runtime.enter();
        beats(Duration::from_millis(10), move || _ = beat.send(())).unwrap();
        heard.recv_timeout(LONG).unwrap();
        heard.recv_timeout(LONG).unwrap();

        let (hang, hangs) = channel::<()>();
        runtime.spawn(async move { hangs.recv() });
        let silent = (0..1000).any(|_| heard.recv_timeout(Duration::from_millis(500)).is_err());
        assert!(silent, "no task is run, and it is alive");
        drop(hang);
        heard.recv_timeout(LONG).unwrap();

        drop((disk, entered));
        drop(runtime);
        while heard.recv_timeout(LONG) != Err(RecvTimeoutError::Disconnected) {}
    }
}
