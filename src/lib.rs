//! containerd-rest: a per-host daemon that supervises OCI containers through runc and CRIU behind
//! the REST contract in `openapi/`.
//!
//! Arrows point one way: `http -> api -> supervisor -> {runtime, ipc}` and `shim -> {runtime, ipc}`;
//! `ipc` carries what `runtime` names. Nothing imports `api`; `supervisor` and below never name axum,
//! http or the generated crate; `shim` never imports `supervisor`; `runtime` knows nobody.

pub mod ipc;
pub mod runtime;
pub mod shim;
