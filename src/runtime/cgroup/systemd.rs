//! What is systemd's on cgroup v2. Whoever makes cgroups beside it does so in a part that it has delegated
//! (<https://systemd.io/CGROUP_DELEGATION>): shims live in a scope of their own, and runc puts containers beside itself,
//! into that scope too. So what ends the daemon's service, all that is in it included, ends neither.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{Cgroup, MOUNT, version};
use crate::hex::hexadecimal;

/// Where shims are in the scope: a cgroup with processes in it can have none with limits below it.
const SHIMS: &str = "shims";
/// What the scope of the usual folders is called.
const SCOPE: &str = "containerd-rest-shims";
/// How often, and how far apart, it is asked for a scope: one of that name may be about to go.
const ASKED: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);
/// How long systemd gives what is in the scope when the host goes down: most containers heed no signal.
const STOPPING: &str = "TimeoutStopSec=15s";

/// Whether systemd is this host's manager, and its cgroups are of version 2.
pub fn manages() -> bool {
    Path::new("/run/systemd/system").is_dir() && version().is_ok_and(|version| version == 2)
}

/// `SLICE:PREFIX:NAME`, as runc has it for cgroups that systemd makes.
pub fn is_unit(cgroups_path: &Path) -> bool {
    cgroups_path.to_str().is_some_and(|path| path.split(':').count() == 3 && !path.contains('/'))
}

/// Where that is, as runc's libcontainer finds it; without one, where a container of this name is.
pub(super) fn unit_place(cgroups_path: Option<&Path>, id: &str) -> Option<PathBuf> {
    let (slice, prefix, name) = match cgroups_path {
        Some(path) => {
            let mut parts = path.to_str()?.split(':');
            (parts.next()?, parts.next()?, parts.next()?)
        }
        None => ("", "runc", id),
    };
    let slice = if slice.is_empty() { "system.slice" } else { slice };
    let unit = if name.ends_with(".slice") { name.to_owned() } else { format!("{prefix}-{name}.scope") };
    Some(expanded(slice)?.join(unit))
}

/// The path of a slice: `a-b.slice` lies in `a.slice` (systemd.slice(5)).
fn expanded(slice: &str) -> Option<PathBuf> {
    let name = slice.strip_suffix(".slice")?;
    if name == "-" {
        return Some(PathBuf::from("/"));
    }
    let (mut path, mut whole) = (PathBuf::from("/"), String::new());
    for part in name.split('-') {
        if part.is_empty() || part.contains('/') {
            return None;
        }
        whole = if whole.is_empty() { part.to_owned() } else { format!("{whole}-{part}") };
        path.push(format!("{whole}.slice"));
    }
    Some(path)
}

/// Where shims live.
#[derive(Debug, Default)]
pub struct Home(Option<Scope>);

#[derive(Debug)]
struct Scope {
    unit: String,
    /// Below the hierarchy's root.
    path: PathBuf,
    /// Without a process in it a scope goes.
    keeper: Mutex<Option<Keeper>>,
}

/// A process that ends when we do.
#[derive(Debug)]
struct Keeper(Child);

impl Home {
    /// Of the daemon with this volatile folder: a scope where systemd manages, else wherever the daemon is. Blocks.
    ///
    /// # Errors
    ///
    /// Why there is none where there should be; then shims are where the daemon is.
    pub fn open(state: &Path) -> Result<Self, (Self, io::Error)> {
        if !manages() {
            return Ok(Self(None));
        }
        let unit = match state.to_str() {
            Some("/run/containerd-rest") => SCOPE.to_owned(),
            _ => {
                let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
                format!("{SCOPE}-{}", &hexadecimal(&digest)[..12])
            }
        };
        let path = Path::new("/system.slice").join(format!("{unit}.scope"));
        let scope = Scope { unit, path, keeper: Mutex::default() };
        match scope.keep() {
            Ok(()) => Ok(Self(Some(scope))),
            Err(error) => Err((Self(None), error)),
        }
    }

    /// Puts a shim there, before it makes anything. Blocks.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn settle(&self, shim: i32) -> io::Result<()> {
        let Some(scope) = &self.0 else { return Ok(()) };
        if scope.take_in(shim).is_err() {
            // Somebody has stopped the scope.
            scope.keep()?;
            scope.take_in(shim)?;
        }
        Ok(())
    }

    /// Below which cgroup runc puts what it is told no place for, if that is not beside the daemon's.
    pub(super) fn parent(&self) -> Option<&Path> {
        self.0.as_ref().map(|scope| scope.path.as_path())
    }
}

impl Scope {
    fn shims(&self) -> PathBuf {
        Path::new(MOUNT).join(self.path.strip_prefix("/").unwrap_or(&self.path)).join(SHIMS)
    }

    fn take_in(&self, pid: i32) -> io::Result<()> {
        fs::write(self.shims().join("cgroup.procs"), pid.to_string())
    }

    /// That of an earlier daemon while its shims are in it, else a new one.
    fn keep(&self) -> io::Result<()> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let joined =
            Keeper::spawn(Command::new("cat"), false).and_then(|one| self.take_in(one.pid()).map(|()| one));
        let kept = match joined {
            Ok(joined) => joined,
            Err(_) => self.make_at_last()?,
        };
        *keeper = Some(kept);
        Ok(())
    }

    fn make_at_last(&self) -> io::Result<Keeper> {
        for _ in 1..ASKED {
            if let Ok(made) = self.make() {
                return Ok(made);
            }
            std::thread::sleep(PAUSE);
        }
        self.make()
    }

    fn make(&self) -> io::Result<Keeper> {
        let mut run = Command::new("systemd-run");
        run.args(["--scope", "--quiet", "--collect", "--slice=system.slice", "--unit", &self.unit]);
        run.args([
            "--description=Shims and containers of containerd-rest",
            "-p",
            "Delegate=yes",
            "-p",
            STOPPING,
        ]);
        // It says when it is there.
        run.args(["sh", "-c", "echo && exec cat >/dev/null"]);
        let made = Keeper::spawn(run, true)?;
        let place = Cgroup::of(made.pid()).map(|place| PathBuf::from(place.path()));
        if place.as_ref() != Some(&self.path) {
            return Err(io::Error::other(format!("systemd-run made no {}", self.path.display())));
        }
        fs::create_dir_all(self.shims())?;
        self.take_in(made.pid())?;
        Ok(made)
    }
}

impl Keeper {
    /// `talks`: it says when it is there, and is waited for.
    fn spawn(mut command: Command, talks: bool) -> io::Result<Self> {
        command.stdin(Stdio::piped()).stderr(Stdio::null());
        command.stdout(if talks { Stdio::piped() } else { Stdio::null() });
        let mut keeper = Self(command.spawn()?);
        if let Some(mut stdout) = keeper.0.stdout.take() {
            stdout.read_exact(&mut [0])?;
        }
        Ok(keeper)
    }

    fn pid(&self) -> i32 {
        // Pids are positive and fit.
        i32::try_from(self.0.id()).unwrap_or_default()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_where_systemd_has_it() {
        let at = |path: Option<&str>| unit_place(path.map(Path::new), "c1").unwrap();
        assert_eq!(at(None), Path::new("/system.slice/runc-c1.scope"));
        assert_eq!(at(Some("user-1000.slice:web:a")), Path::new("/user.slice/user-1000.slice/web-a.scope"));
        assert_eq!(at(Some(":web:a")), Path::new("/system.slice/web-a.scope"));
        assert_eq!(at(Some("-.slice:web:a")), Path::new("/web-a.scope"));
        assert_eq!(at(Some("a.slice::b.slice")), Path::new("/a.slice/b.slice"));
        for odd in ["a:b:c", "a--b.slice:x:y", "../b.slice:x:y"] {
            assert_eq!(unit_place(Some(Path::new(odd)), "c1"), None, "{odd}");
        }
    }

    #[test]
    fn a_bundle_says_by_its_path_who_makes_its_cgroup() {
        for (path, unit) in [
            ("system.slice:runc:a", true),
            ("::a", true),
            ("/a/b", false),
            ("a", false),
            ("a:b", false),
            ("/a:b:c", false),
        ] {
            assert_eq!(is_unit(Path::new(path)), unit, "{path}");
        }
    }
}
