//! What systemd is told, by a socket that listens in its place (sd_notify(3)).

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::support::daemon::Daemon;
use crate::support::patience;

/// Waits for one that says this, and gives the whole of it.
fn heard(socket: &UnixDatagram, word: &str) -> String {
    let mut buffer = [0; 4096];
    for _ in 0..1000 {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("no {word}: {error}"));
        let told = String::from_utf8(buffer[..length].to_vec()).unwrap();
        if told.lines().any(|line| line == word) {
            return told;
        }
    }
    panic!("no {word}");
}

#[test]
fn systemd_is_told_when_it_serves_that_it_lives_when_it_gives_way_and_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20) * patience())).unwrap();
    let mut daemon = Daemon::start();
    daemon.set_env(&[("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "600000")]);
    let daemon = daemon.crash_and_restart_after(|| {});
    let ready = heard(&socket, "READY=1");
    assert!(ready.contains(&format!("STATUS=listens on {}", daemon.client.base)), "{ready}");
    heard(&socket, "WATCHDOG=1");
    heard(&socket, "WATCHDOG=1");
    daemon.hang_up();
    assert!(heard(&socket, "RELOADING=1").contains("MONOTONIC_USEC="));
    // The next program, by the same socket.
    heard(&socket, "READY=1");
    heard(&socket, "WATCHDOG=1");
    daemon.terminate();
    heard(&socket, "STOPPING=1");
}
