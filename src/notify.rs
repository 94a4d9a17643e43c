//! What systemd is told, where it has started us: sd_notify(3), sd_watchdog_enabled(3). Elsewhere nobody is told
//! anything.

use std::time::Duration;

use sd_notify::{NotifyState, notify, watchdog_enabled};

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
pub(crate) fn beat() {
    let Some(within) = watchdog_enabled() else { return };
    tokio::spawn(async move {
        let mut beats = tokio::time::interval((within / 3).max(Duration::from_millis(100)));
        loop {
            beats.tick().await;
            let _ = tokio::task::spawn_blocking(|| notify(&[NotifyState::Watchdog])).await;
        }
    });
}
