//! CRIU: where it is, whether it works here, and what its log says when it fails.

mod features;
pub mod lazy;
pub mod place;
pub mod words;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

pub use features::{Feature, Features};

use super::process::{Stat, Status, end_orphans, has_arguments, pids};
use super::program::Program;
use super::regular;
use super::runc;

/// A CRIU that was found, or why there is none.
#[derive(Debug, Clone)]
pub enum Criu {
    /// It runs, and `criu check` is content.
    Works {
        /// The executable.
        path: PathBuf,
        /// Its version.
        version: String,
        /// What more this kernel allows it.
        features: Features,
    },
    /// It cannot be used.
    Unusable {
        /// Where it was looked for or found.
        path: PathBuf,
        /// What is wrong, in a sentence.
        why: String,
    },
}

impl Criu {
    /// Where it is, or was looked for.
    pub fn path(&self) -> &Path {
        match self {
            Self::Works { path, .. } | Self::Unusable { path, .. } => path,
        }
    }

    /// Runs `criu --version`, `criu check` and `criu check --feature`, once for the daemon's life: an old CRIU on a new kernel is found out now and not in
    /// the middle of a dump.
    pub async fn probe(path: &Path) -> Self {
        let unusable = |why: String| Self::Unusable { path: path.to_owned(), why };
        let program = |argument: &str| Program {
            path: path.to_owned(),
            args: vec![argument.into()],
            env: vec![("PATH".into(), "/usr/sbin:/usr/bin:/sbin:/bin".into())],
        };
        let said = match runc::output(&program("--version"), Duration::from_secs(10)).await {
            Ok(said) => said,
            Err(super::Error::Missing { source, .. }) => {
                return unusable(format!("{} cannot be run: {source}", path.display()));
            }
            Err(error) => return unusable(error.to_string()),
        };
        let version =
            said.lines().next().unwrap_or_default().trim_start_matches("Version:").trim().to_owned();
        match runc::output(&program("check"), Duration::from_secs(20)).await {
            Ok(_) => {
                let features = Features::probe(|feature| {
                    let mut check = program("check");
                    check.args.extend(["--feature".to_owned(), feature.to_owned()]);
                    async move { runc::output(&check, Duration::from_secs(20)).await.is_ok() }
                });
                Self::Works { path: path.to_owned(), version, features: features.await }
            }
            Err(_) => unusable(format!(
                "CRIU {version} does not work on this kernel ({} check fails)",
                path.display()
            )),
        }
    }
}

/// How much of a log is read and kept, in bytes; that of a usual dump is a tenth of it.
const LOG_END: u64 = 4 * 1024 * 1024;

/// The living processes of CRIU's below a runtime call (`criu swrk FD`, as runc calls it; or in its group when they have
/// left it), and whether each has begun no program of its own.
pub fn workers(call: i32) -> Vec<(i32, bool)> {
    let all: BTreeMap<i32, Stat> =
        pids().into_iter().filter_map(|pid| Some((pid, Stat::of(pid).filter(Stat::is_alive)?))).collect();
    let is_below = |pid: i32| {
        let line = std::iter::successors(Some(pid), |pid| all.get(pid).map(|stat| stat.parent));
        line.take(all.len()).any(|pid| pid == call)
    };
    let of_call = all.iter().filter(|(pid, stat)| stat.group == call || is_below(**pid));
    of_call
        .filter(|(pid, _)| has_arguments(**pid, &["swrk"]))
        .map(|(pid, stat)| (*pid, stat.is_fork()))
        .collect()
}

/// Lets the dump that was called with these arguments fail: CRIU may write no more (RLIMIT_FSIZE, setrlimit(2)), and then
/// takes its code out of the processes, lets them go and ends. One that would be killed by that is let alone: it would
/// leave them as they are.
pub fn refuse_writes(arguments: &[&str]) {
    let calls = pids().into_iter().filter(|pid| has_arguments(*pid, arguments));
    for (worker, _) in calls.flat_map(workers) {
        let Some(pid) = Pid::from_raw(worker).filter(|_| Status::of(worker).has("SigBlk", XFSZ)) else {
            continue;
        };
        let nothing = Rlimit { current: Some(0), maximum: Some(0) };
        if let Err(error) = prlimit(Some(pid), Resource::Fsize, nothing) {
            tracing::warn!(pid = worker, %error, "a dump cannot be called off");
        }
    }
}

/// Waits until a dump that nobody's shim sees any more has ended: a CRIU that is killed leaves its processes with its code
/// in them. One that takes longer than `limit` is made to fail, and what is left even then is ended.
pub fn await_dump(arguments: &[&str], limit: Duration) {
    let ended_within = |limit: Duration| {
        let deadline = Instant::now() + limit;
        while pids().into_iter().any(|pid| has_arguments(pid, arguments)) {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    };
    if !ended_within(limit) {
        refuse_writes(arguments);
        if !ended_within(FAILING) {
            end_orphans(arguments);
        }
    }
}

/// How often it is looked whether a dump has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long one may take that is made to fail.
const FAILING: Duration = Duration::from_secs(10);

/// SIGXFSZ, which a process gets that writes more than it may (signal(7)), as a bit of a mask.
const XFSZ: u32 = nix::libc::SIGXFSZ.cast_unsigned() - 1;

/// How many lines of a log an answer carries.
const TAIL: usize = 10;

/// Said of every dump and restore where CAP_SYS_RESOURCE is withheld; nothing comes of it.
const HARMLESS: &str = "rlimit: Can't setup RLIMIT_NOFILE";

/// The errors of a CRIU log (dump.log, restore.log), each in its own words: the lines `(sec.usec)
/// [pid: ] Error (file:line): words`.
pub fn log_errors(log: &Path) -> String {
    let text = log_end(log);
    let errors: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("Error (").and_then(|(_, rest)| rest.split_once("): ")))
        .map(|(_, words)| words.trim())
        .filter(|words| !words.starts_with(HARMLESS))
        .collect();
    runc::tail(&errors.join("; "))
}

/// The end of a log, of whole lines. A CRIU that turns in a circle has filled disks with it.
pub fn log_end(log: &Path) -> String {
    let read = || {
        let mut file = regular::open(log)?;
        let from = file.metadata()?.len().saturating_sub(LOG_END);
        file.seek(io::SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(LOG_END).read_to_end(&mut bytes)?;
        let begin =
            if from == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1) };
        Ok::<_, io::Error>(String::from_utf8_lossy(&bytes[begin..]).into_owned())
    };
    read().unwrap_or_default()
}

/// The last lines of a CRIU log, as they are.
pub fn log_tail(log: &Path) -> Vec<String> {
    let text = log_end(log);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Whether a dump's log says that it was finished: CRIU's last line, after the last image is written. For a
/// dump that nobody saw the end of.
pub fn dump_finished(log: &Path) -> bool {
    log_end(log).trim_end().ends_with("Dumping finished successfully")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_errors_of_a_log_are_joined_without_their_stamps() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("dump.log");
        fs::write(&log, "(00.01) pie: fine\n(00.02) Error (criu/a.c:12): Can't lookup mount=1\n(00.03)  77: Error (b.c:1): x\n")
            .unwrap();
        assert_eq!(log_errors(&log), "Can't lookup mount=1; x");
        assert_eq!(log_errors(&folder.path().join("none")), "");
    }
}
