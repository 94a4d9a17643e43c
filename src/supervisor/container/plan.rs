//! What a start needs, found out before anything is touched: the bundle, the checkpoint, whether it fits.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oci_spec::runtime::Process;

use super::Start;
use super::underway::Work;
use crate::ipc::Stdio;
use crate::runtime::bundle::{Bundle, BundleError, entitled};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::criu::Feature;
use crate::runtime::images::{self, Rights};
use crate::supervisor::checkpoints::{self, Checkpoint, Claim, Claims, Host, catalogue, fit, rights};
use crate::supervisor::error::{Error, Result, store};
use crate::supervisor::names::ContainerId;
use crate::supervisor::rules::Rules;
use crate::supervisor::store::{LogOf, Run, blocking};

/// What a start needs, read and checked before anything is touched.
pub(super) struct Plan {
    pub(super) bundle: Bundle,
    pub(super) checkpoint: Option<Checkpoint>,
    /// As the bundle has it now; of a restore, as it was when it was dumped.
    pub(super) process: Process,
    pub(super) stdio: Stdio,
    /// Of the checkpoint, in bytes.
    pub(super) size: u64,
    /// Nobody deletes the checkpoint meanwhile.
    pub(super) claim: Option<Claim>,
    /// The restored process goes on before all of its memory is in.
    pub(super) lazy: bool,
    pub(super) loopback: Loopback,
    /// Where its cgroup will be, once that was found out and as far as it can be.
    pub(super) place: Option<Cgroup>,
    /// Whether systemd makes it.
    pub(super) by_systemd: bool,
}

/// Who raises the loopback device. runc does when it starts a container, and not when it restores one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loopback {
    /// runc does, or the network is not the container's own.
    Others,
    /// A hook does, before CRIU binds sockets again; it costs a restore a tenth of its time.
    Hook,
    /// We do, once it is restored: it has no sockets that could miss it.
    Afterwards,
}

impl Loopback {
    fn of(bundle: &Bundle, checkpoint: Option<&Checkpoint>) -> Result<Self> {
        let Some(checkpoint) = checkpoint.filter(|_| bundle.private_network()) else {
            return Ok(Self::Others);
        };
        match images::has_internet_sockets(&checkpoint.images) {
            Ok(true) => Ok(Self::Hook),
            Ok(false) => Ok(Self::Afterwards),
            Err(error) => {
                let reasons = vec![fit::damaged(&error)];
                Err(Error::CheckpointUnfit { name: checkpoint.name.clone(), reasons })
            }
        }
    }
}

impl Plan {
    /// A restore, which may take its time.
    pub(super) fn work(&self) -> Option<Arc<Work>> {
        let checkpoint = self.checkpoint.as_ref()?;
        Some(Work::begin(LogOf::Restore, &checkpoint.name, self.size))
    }

    /// A folder to restore from in the bundle's place, where a hook is to raise the loopback device: see
    /// [`Bundle::with_loopback`]. All else that is in the bundle is seen in it, by hooks too.
    pub(super) async fn restore_folder(&self, run: &Run, shim: &Path) -> Result<Option<PathBuf>> {
        if self.loopback != Loopback::Hook {
            return Ok(None);
        }
        let bundle = self.bundle.real().to_owned();
        let config = self.bundle.with_loopback(shim).map_err(|source| self.wrong(source))?;
        let folder = run.volatile.join("bundle");
        blocking(move || {
            let make = || {
                fs::create_dir(&folder)?;
                for entry in
                    fs::read_dir(&bundle)?.flatten().filter(|entry| entry.file_name() != "config.json")
                {
                    std::os::unix::fs::symlink(entry.path(), folder.join(entry.file_name()))?;
                }
                fs::write(folder.join("config.json"), config)
            };
            make().map_err(store("writing in", &folder))?;
            Ok(Some(folder))
        })
        .await
    }

    fn wrong(&self, source: BundleError) -> Error {
        Error::Bundle { path: self.bundle.path().to_owned(), source }
    }

    /// Where its cgroup will be; on v1, as the bundle says it.
    pub(super) fn leaf(&self, id: &ContainerId) -> PathBuf {
        if let Some(place) = self.place.as_ref().and_then(Cgroup::unified_path) {
            return PathBuf::from(place);
        }
        self.bundle.cgroups_path().map_or_else(|| PathBuf::from(id.as_str()), Path::to_owned)
    }
}

pub(super) fn plan(start: Start, claims: &Claims, host: &Host, rules: &Rules) -> Result<Plan> {
    let bundle = rules.open(start.behalf, &start.bundle)?;
    rules.admit_start(start.behalf, &bundle, &start)?;
    if start.lazy_pages && start.checkpoint.is_none() {
        return Err(Error::LazyStart);
    }
    if start.lazy_pages && bundle.user_namespace() {
        // userfaultfd(2) asks for CAP_SYS_PTRACE in the first user namespace, and CRIU opens it in the container's.
        let why =
            "the bundle has a user namespace, in which the kernel allows CRIU no userfaultfd".to_owned();
        return Err(Error::Unavailable { feature: Feature::LazyPages, why });
    }
    let opened =
        start.checkpoint.map(|name| checkpoints::open_claimed(claims, bundle.real(), &name)).transpose()?;
    let (checkpoint, claim) = opened.unzip();
    if let Some(checkpoint) = &checkpoint {
        checkpoint.assert_in(rules.hands(start.behalf))?;
        let rights = fits(checkpoint, &bundle, host, start.allow_changed_bundle)?;
        rules.admit_restore(start.behalf, &bundle, &rights)?;
    }
    for (field, file) in [("stdout", &start.stdout), ("stderr", &start.stderr)] {
        if let Some(path) = file {
            check_output(path).map_err(|why| Error::Output { field, path: path.clone(), why })?;
        }
    }
    let stdio = Stdio { terminal: bundle.terminal(), stdout: start.stdout, stderr: start.stderr };
    let dumped = checkpoint.as_ref().and_then(|checkpoint: &Checkpoint| checkpoint.process.as_ref());
    let process =
        dumped.map_or_else(|| bundle.process().clone(), |dumped| entitled(dumped, bundle.process()));
    let size = checkpoint.as_ref().map_or(0, catalogue::images_size);
    let loopback = Loopback::of(&bundle, checkpoint.as_ref())?;
    Ok(Plan {
        bundle,
        checkpoint,
        process,
        stdio,
        size,
        claim,
        lazy: start.lazy_pages,
        loopback,
        place: None,
        by_systemd: false,
    })
}

/// Whether the checkpoint can go on here: rather now than by a restore that fails late. Gives what its threads may do.
fn fits(
    checkpoint: &Checkpoint,
    bundle: &Bundle,
    host: &Host,
    allow_changed_bundle: bool,
) -> Result<Vec<Rights>> {
    let name = || checkpoint.name.clone();
    let unfit = |reasons| Error::CheckpointUnfit { name: name(), reasons };
    let reasons = fit::unfit(checkpoint, host);
    if !reasons.is_empty() {
        return Err(unfit(reasons));
    }
    let processes = fit::processes(checkpoint).map_err(|damage| unfit(vec![damage]))?;
    let conflicts = fit::conflicts(checkpoint, &processes, bundle.shared());
    if !conflicts.is_empty() {
        return Err(Error::HostConflict { name: name(), conflicts });
    }
    let changes = fit::changes(checkpoint, bundle.config());
    if !changes.is_empty() && !allow_changed_bundle {
        return Err(Error::BundleChanged { bundle: bundle.path().to_owned(), name: name(), changes });
    }
    let rights = rights::of(checkpoint).map_err(|damage| unfit(vec![damage]))?;
    let excess = rights::excess(&rights, |pid| catalogue::command_of(&processes, pid), bundle);
    if excess.is_empty() { Ok(rights) } else { Err(Error::CheckpointRights { name: name(), excess }) }
}

/// Whether the shim will be able to append to a file. Only opening it tells (a link to nothing, a file system
/// that takes no files), so it is made here when it is not there.
fn check_output(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(kind) if !kind.is_file() => return Err("it is not a regular file".into()),
        Err(_) if !path.parent().is_some_and(Path::is_dir) => return Err("its folder is not there".into()),
        _ => {}
    }
    let opened = File::options().create(true).append(true).mode(0o600).open(path);
    opened.map(drop).map_err(|error| error.to_string())
}
