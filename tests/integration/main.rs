//! The daemon as a program, on real runc and real CRIU, from the outside. One binary, one link.
//! Needs root, runc, CRIU, a static busybox: `scripts/prerequisites test` installs them.

#![allow(missing_docs, clippy::unwrap_used)]

mod support;

mod activation;
mod archives;
mod archives_bad;
mod audit;
mod bad_bundle;
mod bad_input;
mod bad_path;
mod bad_runtime;
mod bad_target;
mod browser;
mod browser_page;
mod bundles;
mod callers;
mod care;
mod catalogue;
mod checkpoints;
mod children;
mod clock;
mod clones;

mod contract;
mod events;
mod exits;
mod fleet;
mod handover;
mod host_faults;
mod hostile;
mod kills;
mod lazy;
mod lifecycle;
mod limits;
mod logs;
mod model;
mod neighbours;
mod notified;
mod output;
mod policy;
mod preflight;
mod processes;
mod program;
mod readme;
mod recovery;
mod redis;
mod remote;
mod repeats;
mod rounds;
mod runc_cases;
mod shims;
mod statuses;
mod stops;
mod strays;
mod tokens;
mod underway;
mod upgrade;
mod walkthrough;
mod words;
