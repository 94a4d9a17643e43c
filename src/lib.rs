//! containerd-rest: a per-host daemon that supervises OCI containers through runc and CRIU behind
//! the REST contract in `openapi/`.
//!
//! Arrows point one way: `http -> api -> supervisor -> {runtime, ipc}` and `shim -> {runtime, ipc}`;
//! `ipc` carries what `runtime` names. Nothing imports `api` but `http` and the programs; `supervisor` and
//! below never name axum, http or the generated crate; `shim` never imports `supervisor`; `runtime` knows
//! nobody. Beside them, naming nobody but `runtime`: `caller` (who asks), `shares` (how much they may
//! have), `tokens`, `hex`.

pub mod api;
pub mod caller;
pub mod check;
pub mod config;
pub mod faults;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod hex;
pub mod http;
#[cfg(test)]
mod instructions;
pub mod ipc;
mod notify;
mod reaper;
pub mod runtime;
pub mod serve;
mod serving;
pub mod shares;
pub mod shim;
mod signals;
pub mod supervisor;
pub mod tokens;
