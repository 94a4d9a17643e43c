//! Faults at named cut points and at random instants: what a client asked has happened once when it is
//! answered, whatever died in between. `make faults` runs all of it; `make test` a shorter, seeded form.
//!
//! ```text
//! FAULTS_ROUNDS=20   rounds a point (1)        FAULTS_ONLY=start.noted   one point alone
//! FAULTS_KILLS=1000  kills at random (20)      FAULTS_SEED=7             what a failure prints, to replay it
//! ```
//!
//! Needs what the integration tests need, and a daemon with debug assertions, as `cargo test` builds it.

#![allow(missing_docs, clippy::unwrap_used)]

mod machine;
mod matrix;
mod storm;
mod story;
// Its client and oracle are the integration tests'; some of it is theirs alone.
#[allow(dead_code)]
#[path = "../integration/support/mod.rs"]
mod support;

/// A setting of the environment's, or what is usual.
fn setting(name: &str, usual: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => usual,
    }
}

/// The seed of everything random: fixed, so that a failure in CI is one here.
fn seed() -> u64 {
    setting("FAULTS_SEED", 2015)
}
