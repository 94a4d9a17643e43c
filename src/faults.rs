//! Named cut points, for tests/faults: a process that passes a point that is armed dies there as by `kill -9`, or its
//! daemon's shims do. In what is built without debug assertions, as releases are, [`cut!`](crate::cut) is nothing at all.
//!
//! Armed by a file of the point's name in the folder that `CONTAINERD_REST_FAULTS` names: whoever takes the file
//! away first is cut, so a point cuts once. Where a file `trace` is there, each point that is passed is added.

/// A durable step or a side effect has just happened, or is about to: `VERB.WHAT`.
#[macro_export]
macro_rules! cut {
    ($point:literal) => {
        #[cfg(debug_assertions)]
        $crate::faults::pass($point);
    };
}

/// Where points are armed, for the daemon to hand on to its shims.
#[cfg(debug_assertions)]
pub const FOLDER: &str = "CONTAINERD_REST_FAULTS";

/// A size that a test wants smaller than it is: `CONTAINERD_REST_FAULTS_NAME`, in bytes.
#[cfg(debug_assertions)]
pub fn size(name: &str) -> Option<u64> {
    std::env::var(format!("{FOLDER}_{name}")).ok()?.parse().ok()
}

/// As it is.
#[cfg(not(debug_assertions))]
pub const fn size(_name: &str) -> Option<u64> {
    None
}

#[cfg(debug_assertions)]
pub use armed::pass;

#[cfg(debug_assertions)]
mod armed {
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    /// A point is passed.
    pub fn pass(point: &str) {
        let Some(folder) = std::env::var_os(super::FOLDER).map(PathBuf::from) else { return };
        if let Ok(mut trace) = File::options().append(true).open(folder.join("trace")) {
            let _ = writeln!(trace, "{point}");
        }
        let armed = folder.join(point);
        let Ok(whom) = fs::read_to_string(&armed) else { return };
        if fs::remove_file(&armed).is_err() {
            return;
        }
        if whom.trim() == "shim" {
            return end_shims(&folder);
        }
        let _ = kill(Pid::this(), Signal::SIGKILL);
        // Until the signal is delivered nothing more may happen.
        loop {
            std::thread::park();
        }
    }

    /// The shims of the daemon whose folders lie beside that of the points.
    fn end_shims(folder: &Path) {
        let ours = folder.parent().unwrap_or(folder).to_string_lossy().into_owned();
        for pid in crate::runtime::process::pids() {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            if line.contains("containerd-rest-shim") && line.contains(&ours) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
    }
}
