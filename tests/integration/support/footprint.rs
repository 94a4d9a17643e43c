//! What a daemon and the host know of its containers, to be compared: a request that is refused leaves all
//! of it as it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::client::Answer;
use super::daemon::Daemon;
use super::{eventually, host};

/// Everything but what is there for people alone: the logs of failures in `root/failed`.
pub(crate) struct Footprint<'a> {
    daemon: &'a Daemon,
    /// Folders of the test's own (bundles, say) that are not to change either.
    folders: Vec<PathBuf>,
    state: Value,
    processes: BTreeMap<u32, String>,
    host: Host,
}

#[derive(Debug, PartialEq)]
struct Host {
    cgroups: Vec<PathBuf>,
    mounts: Vec<String>,
    files: Vec<Vec<String>>,
}

impl<'a> Footprint<'a> {
    pub(crate) fn of(daemon: &'a Daemon, folders: &[&Path]) -> Self {
        let folders: Vec<PathBuf> = folders.iter().map(|folder| (*folder).to_owned()).collect();
        let (state, processes, host) = (state(daemon), processes(daemon), Host::of(daemon, &folders));
        Self { daemon, folders, state, processes, host }
    }

    /// Sends a request that is to be refused for this reason, and looks that nothing has changed. `at`: where
    /// in the request the fault is.
    #[track_caller]
    pub(crate) fn refuses(&self, row: &Refusal<'_>, send: impl FnOnce() -> Answer) -> Value {
        // Shown when the test fails: the last one is the row at fault.
        eprintln!("-- {}: {} {} is to be expected", row.situation, row.status, row.kind);
        let problem = send().problem(row.status, row.kind);
        if let Some(at) = row.at {
            let places: Vec<&str> = problem["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["location"].as_str().unwrap())
                .collect();
            assert!(places.contains(&at), "{}: {places:?} is not {at}", row.situation);
        }
        self.assert_unchanged(row.situation);
        problem
    }

    #[track_caller]
    pub(crate) fn assert_unchanged(&self, situation: &str) {
        assert_eq!(state(self.daemon), self.state, "{situation}: /state has changed");
        assert_eq!(Host::of(self.daemon, &self.folders), self.host, "{situation}: the host has changed");
        // A shim ends by itself, a moment after it has nothing left to do.
        eventually(&format!("{situation}: processes are as before"), || {
            // By pid alone: between fork and exec a process has another name.
            processes(self.daemon).keys().eq(self.processes.keys())
        });
    }
}

/// How a request is to be refused.
#[derive(Clone, Copy)]
pub(crate) struct Refusal<'a> {
    pub(crate) situation: &'a str,
    pub(crate) status: u16,
    pub(crate) kind: &'a str,
    pub(crate) at: Option<&'a str>,
}

fn state(daemon: &Daemon) -> Value {
    daemon.client.get("/state").expect(200).json()
}

fn processes(daemon: &Daemon) -> BTreeMap<u32, String> {
    let folder = daemon.folder().to_string_lossy();
    let mut found = host::processes(&daemon.prefix, daemon.pid());
    found.extend(host::processes(&folder, daemon.pid()));
    found
}

impl Host {
    fn of(daemon: &Daemon, folders: &[PathBuf]) -> Self {
        let mut files =
            vec![host::files(&daemon.state_folder(), &[]), host::files(&daemon.root_folder(), &["failed"])];
        files.extend(folders.iter().map(|folder| host::files(folder, &[])));
        Self {
            cgroups: host::cgroups(&daemon.prefix),
            mounts: host::mounts(&daemon.folder().to_string_lossy()),
            files,
        }
    }
}
