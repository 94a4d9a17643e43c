//! The two folders. `--state` is volatile (sockets, pid files, runc's root, the journal of what is
//! under way); `--root` is durable (records, exit statuses, logs).
//!
//! ```text
//! STATE/lock  STATE/boot-id  STATE/bin/criu  STATE/runc/  STATE/calls/
//! STATE/containers/ID/run-N/   shim.sock  journal.json  init.json  exec-S.json  exec-S.pid
//! ROOT/lock   ROOT/events      what happened, and events.1, what happened before
//! ROOT/failed/                 logs of what failed, the newest few
//! ROOT/containers/ID/          record.json  log -> run-N/log  run-N/{log, log.1, exit.json, exits, exits.1}
//! ```
//!
//! A run is one start of a container. `record.json` names the run that counts and appears by rename
//! after fsync: before that a start is undone, from then on it has happened.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use oci_spec::runtime::Process;
use serde::{Deserialize, Serialize};

use super::care::Care;
use super::error::{Error, Result, store};
use super::names::{CheckpointName, ContainerId};
use crate::ipc::{
    ADDED_EXITS, ADDED_EXITS_OLDER, AddedExit, EXIT_RECORD, ExitRecord, LOG, PAGES, Pages, ProcessKey,
};
use crate::runtime::bundle::read_config;
use crate::runtime::criu::log_end;
use crate::runtime::durable::{LOCK, sync_folder, write_synced};
use crate::runtime::lines::{self, Lines};
use crate::runtime::mounts;
use crate::runtime::process::uptime;
use crate::runtime::tree;

/// How often, and how far apart, a lock that is held is tried again.
const LOCK_TRIES: u32 = 20;
/// How often a folder is tried to be removed.
const REMOVALS: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

const RECORD: &str = "record.json";
const PARTIAL: &str = ".record.json.partial";
/// What a record is called that could not be read: it is kept for a person to look at.
const UNREADABLE: &str = "record.json.unreadable";
const JOURNAL: &str = "journal.json";
/// The init process that a run holds, for a daemon that finds no shim.
const INIT: &str = "init.json";
/// Which checkpoints come in archives just now.
const IMPORTS: &str = "imports";
/// Where runc writes the init process's pid, in the run's volatile folder.
pub(super) const PID_FILE: &str = "init.pid";
/// The bundle's config.json as a run was started with it, in the run's volatile folder.
const CONFIG: &str = "config.json";
/// Logs of calls to runc that are under way; of an earlier daemon's, nobody waits for them.
const CALLS: &str = "calls";
/// The boot that the volatile folder is of.
const BOOT: &str = "boot-id";
/// Logs of failures, in the durable folder.
const FAILED: &str = "failed";
/// How many of them are kept.
const FAILED_KEPT: usize = 32;

/// What is known of a container for good.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The record's own version.
    pub version: u32,
    /// The container.
    pub id: ContainerId,
    /// Its bundle's folder.
    pub bundle: PathBuf,
    /// The checkpoint it was restored from.
    pub checkpoint: Option<CheckpointName>,
    /// Whether it went on before all of its memory was in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lazy_pages: bool,
    /// When it was started or restored.
    pub created_at: Timestamp,
    /// The run that counts.
    pub run: u32,
    /// The init process as the bundle had it at the start.
    pub process: Process,
    /// The last event before it was started: what was told of it comes after.
    #[serde(default)]
    pub cursor: u64,
    /// The idempotency key of the request that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What is done for it unasked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub care: Option<Care>,
    /// How often it was started again since somebody asked for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// The same, since it ran for a while.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What is to be known of a run's end beside its exit record: an empty file in its durable folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Somebody wanted it to end.
    OnPurpose,
    /// The host went down under it.
    HostRestarted,
}

impl Mark {
    fn file(self) -> &'static str {
        match self {
            Self::OnPurpose => "on-purpose",
            Self::HostRestarted => "host-restarted",
        }
    }
}

/// The version of records that this daemon writes.
pub(super) const RECORD_VERSION: u32 = 1;

/// What is under way on a run: written before its first effect, gone after its last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Journal {
    /// A start or a restore; undone when it is cut off.
    Start {
        /// Where the bundle puts its cgroup.
        cgroup: PathBuf,
        /// When it began, in clock ticks after boot: what is older is not its own. An older daemon does not say.
        #[serde(default)]
        began: Option<u64>,
    },
    /// A checkpoint; finished when CRIU has finished its part, else undone.
    Checkpoint {
        /// Its name.
        name: CheckpointName,
        /// The number of the request to the shim.
        seq: u64,
    },
    /// A stop; finished: what is left of its time is waited, then it is killed.
    #[serde(rename_all = "camelCase")]
    Stop {
        /// What asks it to end.
        signal: i32,
        /// Whether that was sent.
        sent: bool,
        /// When it is killed, in milliseconds since the boot: a clock may be set.
        kill_at: u64,
    },
    /// A delete with force; finished.
    Delete,
}

/// The folders of one start of a container.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number; the container's runs are counted up.
    pub number: u32,
    /// Under `--state`.
    pub volatile: PathBuf,
    /// Under `--root`.
    pub durable: PathBuf,
}

impl Run {
    /// The bundle's config.json as the run was started with it; a daemon before us may not have kept it.
    pub fn config(&self, bundle: &Path) -> Vec<u8> {
        let kept = fs::read(self.volatile.join(CONFIG));
        kept.or_else(|_| read_config(&bundle.join(CONFIG))).unwrap_or_default()
    }

    /// Keeps this of it, on the disk.
    pub(super) fn mark(&self, mark: Mark) -> Result<()> {
        let file = self.durable.join(mark.file());
        let written = write_synced(&file, b"").and_then(|()| sync_folder(&self.durable));
        written.map_err(store("writing", file))
    }

    /// Whether this was kept of it.
    pub(super) fn is_marked(&self, mark: Mark) -> bool {
        self.durable.join(mark.file()).exists()
    }

    /// How the run's init process ended, if the shim has written it; where the disk was full, in the volatile folder.
    pub fn exit_record(&self) -> Option<ExitRecord> {
        [&self.durable, &self.volatile]
            .into_iter()
            .find_map(|folder| serde_json::from_slice(&fs::read(folder.join(EXIT_RECORD)).ok()?).ok())
    }

    /// What has become of the pages of a lazy restore, if that was written.
    pub(super) fn pages(&self) -> Option<Pages> {
        [&self.durable, &self.volatile]
            .into_iter()
            .find_map(|folder| serde_json::from_slice(&fs::read(folder.join(PAGES)).ok()?).ok())
    }

    /// Writes that they are lost: there is no shim any more to do so.
    pub(super) fn lose_pages(&self) -> Result<()> {
        write_renamed(&self.durable, PAGES, &Pages::Lost)
    }

    /// Takes what the shim could not write where it belongs there, now that there may be space.
    fn salvage(&self) -> io::Result<()> {
        let exit = self.volatile.join(EXIT_RECORD);
        if exit.exists() {
            if !self.durable.join(EXIT_RECORD).exists() {
                // Not by the name that the shim may be writing under just now.
                let partial = self.durable.join(".exit.json.salvaged");
                write_synced(&partial, &fs::read(&exit)?)?;
                fs::rename(partial, self.durable.join(EXIT_RECORD))?;
                sync_folder(&self.durable)?;
            }
            fs::remove_file(exit)?;
        }
        let pages = self.volatile.join(PAGES);
        if pages.exists() {
            fs::copy(&pages, self.durable.join(PAGES))?;
            fs::remove_file(pages)?;
        }
        let exits = self.volatile.join(ADDED_EXITS);
        if exits.exists() {
            Lines::open(&self.durable.join(ADDED_EXITS))?.append(&fs::read(&exits)?)?;
            fs::remove_file(exits)?;
        }
        Ok(())
    }

    /// How its added processes ended, those that have, in order. A line that a crash has cut is passed over.
    pub(super) fn added_exits(&self) -> Vec<AddedExit> {
        let durable = [ADDED_EXITS_OLDER, ADDED_EXITS].map(|name| self.durable.join(name));
        let files = durable.into_iter().chain([self.volatile.join(ADDED_EXITS)]);
        files.flat_map(|file| lines::read(&file).unwrap_or_default()).collect()
    }
}

/// The two folders, locked.
#[derive(Debug)]
pub struct Store {
    state: PathBuf,
    root: PathBuf,
    /// Whether the volatile folder was another boot's.
    another_boot: bool,
    _locks: [File; 2],
}

/// Why the folders cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another daemon has them.
    #[error("another containerd-rest (pid {pid}) uses {folder}")]
    Locked {
        /// Its pid, as it wrote it.
        pid: String,
        /// The folder.
        folder: PathBuf,
    },
    /// They cannot be made or opened.
    #[error("{folder} cannot be used: {source}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Store {
    /// Makes the folders (mode 0700) and locks them against a second daemon.
    pub fn open(state: &Path, root: &Path) -> Result<Self, OpenError> {
        let locks = [lock(state)?, lock(root)?];
        let (state, root) = (absolute(state)?, absolute(root)?);
        let _ = fs::remove_dir_all(state.join(CALLS));
        let another_boot =
            forget_other_boot(&state).map_err(|source| OpenError::Io { folder: state.clone(), source })?;
        for folder in [
            state.join("containers"),
            state.join("runc"),
            state.join("bin"),
            state.join(CALLS),
            root.join("containers"),
            root.join(FAILED),
            root.join(IMPORTS),
        ] {
            private(&folder).map_err(|source| OpenError::Io { folder, source })?;
        }
        Ok(Self { state, root, another_boot, _locks: locks })
    }

    /// Where is noted which checkpoints come in archives.
    pub(super) fn imports(&self) -> PathBuf {
        self.root.join(IMPORTS)
    }

    /// Whether this is the first daemon of its boot on these folders.
    pub(super) fn is_another_boot(&self) -> bool {
        self.another_boot
    }

    /// runc's `--root`.
    pub fn runc_root(&self) -> PathBuf {
        self.state.join("runc")
    }

    /// A folder that comes first in runc's PATH, with `criu` in it: the one that was configured, whatever
    /// its name.
    pub fn link_criu(&self, criu: &Path) -> io::Result<PathBuf> {
        let folder = self.state.join("bin");
        let partial = folder.join(".criu.partial");
        let _ = fs::remove_file(&partial);
        std::os::unix::fs::symlink(criu, &partial)?;
        fs::rename(&partial, folder.join("criu"))?;
        Ok(folder)
    }

    /// A file in the volatile folder for the log of one call to runc.
    pub(super) fn call_log(&self, id: &ContainerId, verb: &str) -> PathBuf {
        self.state.join(CALLS).join(format!("{id}-{verb}.log"))
    }

    fn volatile(&self, id: &ContainerId) -> PathBuf {
        self.state.join("containers").join(id.as_str())
    }

    fn durable(&self, id: &ContainerId) -> PathBuf {
        self.root.join("containers").join(id.as_str())
    }

    /// The folders of the events, durable and volatile.
    pub(super) fn events(&self) -> (PathBuf, PathBuf) {
        (self.root.clone(), self.state.clone())
    }

    /// The folder whose `log` leads to that of the run that counts.
    pub(super) fn logs(&self, id: &ContainerId) -> PathBuf {
        self.durable(id)
    }

    /// The folders of a run, whether they are there or not.
    pub fn run(&self, id: &ContainerId, number: u32) -> Run {
        let name = format!("run-{number}");
        Run { number, volatile: self.volatile(id).join(&name), durable: self.durable(id).join(&name) }
    }

    /// Whether the name can be used: a record that was set aside may be of a container that runs.
    pub(super) fn admit(&self, id: &ContainerId) -> Result<()> {
        let aside = self.durable(id).join(UNREADABLE);
        if aside.exists() { Err(Error::SetAside { id: id.clone(), aside }) } else { Ok(()) }
    }

    /// Makes a run's folders, and notes in the journal that a start is under way before it has any other
    /// effect.
    pub(super) fn begin(&self, id: &ContainerId, number: u32, cgroup: PathBuf, config: &[u8]) -> Result<Run> {
        self.admit(id)?;
        let run = self.run(id, number);
        let keep =
            || fs::write(run.volatile.join(CONFIG), config).map_err(store("writing in", &run.volatile));
        let begun = self.make_folders(id, &run).and_then(|()| keep()).and_then(|()| {
            // A tick is a hundredth of a second in all that is shown (time(7), USER_HZ).
            let began = Some(uptime() / 10);
            self.note(&run, &Journal::Start { cgroup, began })
        });
        crate::cut!("begin.done");
        begun.inspect_err(|_| self.abandon(id, &run))?;
        Ok(run)
    }

    fn make_folders(&self, id: &ContainerId, run: &Run) -> Result<()> {
        // Of a start that failed, and could not be removed while something of it still wrote there.
        for folder in [&run.volatile, &run.durable] {
            remove_all(folder).map_err(store("removing what a failed start left in", folder))?;
        }
        for folder in [&self.volatile(id), &self.durable(id), &run.volatile, &run.durable] {
            crate::cut!("begin.folder");
            private(folder).map_err(store("making the folder", folder))?;
        }
        Ok(())
    }

    /// Notes what is about to be done.
    pub(super) fn note(&self, run: &Run, journal: &Journal) -> Result<()> {
        write_renamed(&run.volatile, JOURNAL, journal)
    }

    /// It is done, or undone.
    pub(super) fn noted(&self, run: &Run) {
        let _ = fs::remove_file(run.volatile.join(JOURNAL));
    }

    /// What was under way.
    pub(super) fn journal(&self, run: &Run) -> Option<Journal> {
        serde_json::from_slice(&fs::read(run.volatile.join(JOURNAL)).ok()?).ok()
    }

    /// The run's init process, as it was held.
    pub(super) fn init(&self, run: &Run) -> Option<ProcessKey> {
        serde_json::from_slice(&fs::read(run.volatile.join(INIT)).ok()?).ok()
    }

    /// Writes the record beside the one that counts, and onto the disk.
    pub fn prepare(&self, record: &Record) -> Result<()> {
        let partial = self.durable(&record.id).join(PARTIAL);
        let bytes = serde_json::to_vec(record)
            .map_err(|error| store("writing the record", &partial)(error.into()))?;
        write_synced(&partial, &bytes).map_err(store("writing the record", &partial))?;
        crate::cut!("prepare.written");
        // Of a name that has no run yet it misleads nobody, and costs the start no time here.
        if record.run == 1 {
            link_log(&self.durable(&record.id), record.run);
        }
        // The name's own folder may be new.
        sync_folder(&self.root.join("containers")).map_err(store("syncing the folder", &self.root))
    }

    /// The prepared record counts from now on; runs before it are over.
    pub(super) fn commit(&self, id: &ContainerId, run: &Run, init: &ProcessKey) -> Result<()> {
        let folder = self.durable(id);
        write_renamed(&run.volatile, INIT, init)?;
        crate::cut!("commit.init-written");
        let path = folder.join(RECORD);
        fs::rename(folder.join(PARTIAL), &path).map_err(store("writing the record", &path))?;
        crate::cut!("commit.renamed");
        sync_folder(&folder).map_err(store("syncing the folder", &folder))?;
        crate::cut!("commit.synced");
        self.noted(run);
        crate::cut!("commit.noted");
        self.settle(id, run);
        Ok(())
    }

    /// The run counts: its log is the one that is found, and runs before it go. Done again by a daemon that starts,
    /// for one that had no time to.
    pub(super) fn settle(&self, id: &ContainerId, run: &Run) {
        let folder = self.durable(id);
        link_log(&folder, run.number);
        crate::cut!("commit.linked");
        remove_other_runs(&folder, run);
    }

    /// Undoes [`Store::begin`]: what counted before counts still.
    pub fn abandon(&self, id: &ContainerId, run: &Run) {
        let folder = self.durable(id);
        let _ = fs::remove_file(folder.join(PARTIAL));
        if run.number == 1 {
            for link in [LOG, LOG_PARTIAL] {
                let _ = fs::remove_file(folder.join(link));
            }
        }
        for folder in [&run.volatile, &run.durable] {
            remove_for_good(folder);
        }
        // Only when empty: a stopped container's record and log stay.
        let _ = fs::remove_dir(self.volatile(id));
        let _ = fs::remove_dir(self.durable(id));
    }

    /// The run is over: its volatile folder goes, its log and exit record stay.
    pub fn end(&self, id: &ContainerId, run: &Run) {
        crate::cut!("end.begun");
        if let Err(error) = run.salvage() {
            tracing::error!(container = %id, %error, "how it ended is kept in the volatile folder alone");
            return;
        }
        remove_for_good(&run.volatile);
        let _ = fs::remove_dir(self.volatile(id));
    }

    /// Forgets a container. Without its record it is gone, whatever else remains for a moment.
    pub fn forget(&self, id: &ContainerId) -> Result<()> {
        let folder = self.durable(id);
        match fs::remove_file(folder.join(RECORD)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(store("removing the record", folder.join(RECORD))(error));
            }
            _ => {}
        }
        crate::cut!("forget.record-removed");
        remove_for_good(&self.volatile(id));
        crate::cut!("forget.volatile-removed");
        remove_stubborn(&folder).map_err(store("removing the folder", folder))?;
        crate::cut!("forget.folder-removed");
        sync_folder(&self.root.join("containers")).map_err(store("syncing the folder", &self.root))
    }

    /// Every name that has left something in either folder, with its record if that counts.
    pub fn names(&self) -> Result<Vec<(ContainerId, Result<Option<Record>>)>> {
        let mut names: Vec<ContainerId> = Vec::new();
        for folder in [self.root.join("containers"), self.state.join("containers")] {
            for entry in fs::read_dir(&folder).map_err(store("listing the folder", &folder))? {
                let entry = entry.map_err(store("listing the folder", &folder))?;
                if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                    names.push(id);
                }
            }
        }
        names.sort();
        names.dedup();
        Ok(names
            .into_iter()
            .map(|id| {
                let record = self.record(&id);
                (id, record)
            })
            .collect())
    }

    fn record(&self, id: &ContainerId) -> Result<Option<Record>> {
        let path = self.durable(id).join(RECORD);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let aside = self.durable(id).join(UNREADABLE);
                if !aside.exists() {
                    return Ok(None);
                }
                return Err(store("reading the record", aside)(io::Error::other("it was set aside before")));
            }
            Err(error) => return Err(store("reading the record", path)(error)),
        };
        let record: Record = serde_json::from_slice(&bytes)
            .map_err(|error| store("reading the record", &path)(error.into()))?;
        if record.version > RECORD_VERSION || record.id != *id {
            let words = format!("it is of version {} and of {}", record.version, record.id);
            return Err(store("reading the record", path)(io::Error::other(words)));
        }
        Ok(Some(record))
    }

    /// The runs of a name that have a volatile folder.
    pub fn volatile_runs(&self, id: &ContainerId) -> Vec<Run> {
        let entries = fs::read_dir(self.volatile(id)).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("run-")?.parse().ok())
            .map(|number| self.run(id, number))
            .collect()
    }

    /// Puts a record that cannot be read aside, and says where it is.
    pub(super) fn set_aside(&self, id: &ContainerId) -> PathBuf {
        let aside = self.durable(id).join(UNREADABLE);
        let _ = fs::rename(self.durable(id).join(RECORD), &aside);
        aside
    }

    /// Keeps the log of something that failed; only the newest few are kept.
    pub fn keep_failed_log(
        &self,
        id: &ContainerId,
        of: LogOf,
        checkpoint: &CheckpointName,
        log: &Path,
    ) -> Option<PathBuf> {
        let folder = self.root.join(FAILED);
        let kept = folder.join(format!("{:.6}{}", Timestamp::now(), failed_suffix(id, of, checkpoint)));
        if !log.is_file() {
            return None;
        }
        fs::write(&kept, log_end(log)).ok()?;
        let all = self.failed_logs();
        for old in all.iter().rev().skip(FAILED_KEPT) {
            let _ = fs::remove_file(old);
        }
        Some(kept)
    }

    /// The newest log of a failure that was kept.
    pub(super) fn failed_log(
        &self,
        id: &ContainerId,
        of: LogOf,
        checkpoint: &CheckpointName,
    ) -> Option<PathBuf> {
        let suffix = failed_suffix(id, of, checkpoint);
        let is_it =
            |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(&suffix));
        self.failed_logs().into_iter().rev().find(is_it)
    }

    /// Oldest first.
    fn failed_logs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root.join(FAILED)).into_iter().flatten().flatten();
        let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        all.sort();
        all
    }
}

/// What CRIU has logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogOf {
    /// A checkpoint.
    Dump,
    /// A start from one.
    Restore,
}

impl LogOf {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dump => "dump",
            Self::Restore => "restore",
        }
    }
}

/// Behind the time; no name has an `@` in it.
fn failed_suffix(id: &ContainerId, of: LogOf, checkpoint: &CheckpointName) -> String {
    format!("@{id}@{}@{checkpoint}.log", of.word())
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { folder: folder.to_owned(), source };
    private(folder).map_err(io)?;
    let path = folder.join(LOCK);
    let mut file =
        File::options().create(true).read(true).write(true).truncate(false).open(&path).map_err(io)?;
    // A child that a daemon was just starting when it was killed holds the lock until it is the other program.
    let mut tries = 0;
    while file.try_lock().is_err() {
        tries += 1;
        if tries < LOCK_TRIES {
            std::thread::sleep(LOCK_PAUSE);
            continue;
        }
        let pid = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
        return Err(OpenError::Locked { pid, folder: folder.to_owned() });
    }
    // For people. The disk may be full.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

fn absolute(folder: &Path) -> Result<PathBuf, OpenError> {
    folder.canonicalize().map_err(|source| OpenError::Io { folder: folder.to_owned(), source })
}

/// After a reboot nothing in the volatile folder is true any more, though it may lie on a disk: pids and
/// sockets are of the boot before (proc_sys_kernel(5), `random/boot_id`).
fn forget_other_boot(state: &Path) -> io::Result<bool> {
    let now = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let path = state.join(BOOT);
    match fs::read_to_string(&path) {
        Ok(then) if then == now => return Ok(false),
        Ok(_) => {
            for folder in ["containers", "runc"] {
                // None should be: a boot takes them along.
                remove_all(&state.join(folder))?;
            }
        }
        Err(_) => {}
    }
    fs::write(path, now)?;
    Ok(true)
}

/// A small file that is whole or not there; on tmpfs, so without a sync.
/// The link is made beside its name.
const LOG_PARTIAL: &str = ".log.partial";

/// For people: the log that counts has one name, whatever the run's number.
fn link_log(folder: &Path, run: u32) {
    let (link, target) = (folder.join(LOG), Path::new(&format!("run-{run}")).join(LOG));
    if fs::read_link(&link).is_ok_and(|there| there == target) {
        return;
    }
    let fresh = folder.join(LOG_PARTIAL);
    let _ = fs::remove_file(&fresh);
    let _ = std::os::unix::fs::symlink(target, &fresh).and_then(|()| fs::rename(&fresh, link));
}

fn write_renamed(folder: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let (path, partial) = (folder.join(name), folder.join(format!(".{name}.partial")));
    let written =
        serde_json::to_vec(value).map_err(io::Error::from).and_then(|bytes| fs::write(&partial, bytes));
    written.and_then(|()| fs::rename(&partial, &path)).map_err(store("writing", path))
}

/// A folder, with those above it, that root alone may enter.
fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A folder with all that is in it, but for what a CRIU that was killed has mounted there: that is the host's.
fn remove_all(folder: &Path) -> io::Result<()> {
    // The usual case at a start, and then not worth the table of all mounts.
    if !folder.exists() {
        return Ok(());
    }
    mounts::detach_below(folder)?;
    match tree::remove(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The same, and nobody asks whether it went.
pub(super) fn remove_for_good(folder: &Path) {
    let _ = remove_stubborn(folder);
}

/// Also when a process that was just killed, or a shim that has just said an end, has a last file to make in it.
fn remove_stubborn(folder: &Path) -> io::Result<()> {
    for _ in 1..REMOVALS {
        if remove_all(folder).is_ok() {
            return Ok(());
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    remove_all(folder)
}

fn remove_other_runs(folder: &Path, run: &Run) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path != run.durable && entry.file_name().to_string_lossy().starts_with("run-") {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Runs file work away from the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::Store { what: "a file task", path: PathBuf::new(), source: error.into() }),
    }
}

/// A file of the store's own, whichever it is.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(bytes: &[u8]) -> bool {
    let is_record = serde_json::from_slice::<Record>(bytes).is_ok();
    is_record || serde_json::from_slice::<Journal>(bytes).is_ok()
}
