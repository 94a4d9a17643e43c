//! A real daemon with folders of its own, bundles to start in it, a client that holds every answer to
//! the contract, and the oracle that nothing is left behind.

pub(crate) mod archive;
pub(crate) mod browser;
pub(crate) mod bundle;
pub(crate) mod certificates;
pub(crate) mod client;
pub(crate) mod contract;
pub(crate) mod daemon;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod footprint;
pub(crate) mod host;
pub(crate) mod pages;
pub(crate) mod raw;
pub(crate) mod relay;
pub(crate) mod runtime;
pub(crate) mod swagger;

use std::time::{Duration, Instant};

/// Waits for a condition, and fails the test with its words when it does not come.
#[track_caller]
pub(crate) fn eventually(what: &str, condition: impl FnMut() -> bool) {
    eventually_within(10, what, condition);
}

/// The same, for what takes longer by its nature.
#[track_caller]
pub(crate) fn eventually_within(seconds: u64, what: &str, mut condition: impl FnMut() -> bool) {
    let seconds = seconds * u64::from(patience());
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {seconds} s");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How many times longer than elsewhere to wait for something: an emulated machine is slow (tests/guest).
pub(crate) fn patience() -> u32 {
    let named = std::env::var("CONTAINERD_REST_TEST_PATIENCE").ok();
    named.and_then(|times| times.parse().ok()).unwrap_or(1)
}
