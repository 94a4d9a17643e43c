//! What there is to know of runc, CRIU, bundles, cgroups and processes. Knows neither the daemon's
//! containers nor the shim: it is handed paths and pids, and answers.

pub mod bundle;
pub mod cgroup;
pub mod cpu;
pub mod criu;
pub mod durable;
pub mod error;
pub mod escapes;
pub mod hands;
pub mod holders;
pub mod images;
pub mod lines;
pub mod mounts;
pub mod netns;
pub mod occupants;
pub mod options;
pub mod policy;
pub mod preflight;
pub mod process;
pub mod program;
pub mod promptness;
pub mod regular;
pub mod runc;
pub mod sealed;
pub mod sock_diag;
pub mod tree;

pub use error::{Error, Result};
