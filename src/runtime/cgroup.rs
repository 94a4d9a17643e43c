//! Which cgroup a process is in (cgroups(7), proc_pid_cgroup(5)): what makes a process a container's. All that reads or
//! writes a cgroup does it here, in both hierarchies; what is systemd's is in [`systemd`].

pub mod systemd;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::process::{Held, tree_of};
use systemd::Home;

const MOUNT: &str = "/sys/fs/cgroup";
/// How often, and how far apart, a cgroup is cleared whose processes are about to end.
const CLEARINGS: u32 = 100;
const CLEARING: Duration = Duration::from_millis(20);

/// A process's place in the hierarchy that tells containers apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroup {
    /// On cgroup v1, the controller whose hierarchy it is; none on v2.
    controller: Option<String>,
    path: String,
}

impl Cgroup {
    /// Where the process is. `None`: it has ended.
    pub fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
    }

    /// On v1 and hybrid hosts runc leaves `0::` alone; `devices` and `freezer` it always uses.
    fn parse(lines: &str) -> Option<Self> {
        let entries: Vec<(&str, &str)> =
            lines.lines().filter_map(|line| line.split_once(':')?.1.split_once(':')).collect();
        for wanted in ["freezer", "devices", "pids"] {
            for (controllers, path) in &entries {
                if controllers.split(',').any(|controller| controller == wanted) {
                    return Some(Self {
                        controller: Some((*controllers).to_owned()),
                        path: (*path).to_owned(),
                    });
                }
            }
        }
        let (_, path) = entries.iter().find(|(controllers, _)| controllers.is_empty())?;
        Some(Self { controller: None, path: (*path).to_owned() })
    }

    /// Whether a process here belongs to the container whose init process is in `container`. The
    /// root cgroup is nobody's: everything is below it.
    pub fn is_within(&self, container: &Self) -> bool {
        self.controller == container.controller
            && container.path != "/"
            && (self.path == container.path
                || self.path.strip_prefix(&container.path).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Where runc will put a container: as its bundle says, else by its name, below the shim's. `None`: where systemd
    /// makes it on cgroup v1.
    pub fn predicted(cgroups_path: Option<&Path>, id: &str, by_systemd: bool, home: &Home) -> Option<Self> {
        let own = Self::parse(&fs::read_to_string("/proc/self/cgroup").ok()?)?;
        let place = match (&own.controller, by_systemd) {
            (None, true) => systemd::unit_place(cgroups_path, id)?,
            (Some(_), true) => return None,
            (controller, false) => {
                let parent = match controller {
                    Some(_) => Path::new(&own.path),
                    // Beside it: one with processes in it can have no limits below it (runc's fs2 defaultPath).
                    None => home
                        .parent()
                        .unwrap_or_else(|| Path::new(&own.path).parent().unwrap_or(Path::new("/"))),
                };
                placed(parent, cgroups_path.unwrap_or(Path::new(id)))
            }
        };
        Some(Self { path: place.to_string_lossy().into_owned(), ..own })
    }

    /// Its path below the hierarchy's root.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same, where there is one hierarchy (v2).
    pub fn unified_path(&self) -> Option<&str> {
        self.controller.is_none().then_some(&*self.path)
    }

    /// Whether one holds the other: then a freeze or a limit of one is the other's too.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.is_within(other) || other.is_within(self)
    }

    /// Whether its hierarchy is one of version 1.
    pub fn is_v1(&self) -> bool {
        self.controller.is_some()
    }

    fn folder(&self) -> PathBuf {
        let base = match &self.controller {
            Some(controllers) => Path::new(MOUNT).join(controllers),
            None => PathBuf::from(MOUNT),
        };
        base.join(self.path.trim_start_matches('/'))
    }

    /// The processes in it, and below it.
    pub fn pids(&self) -> Vec<i32> {
        let mut found = Vec::new();
        // The root is nobody's.
        if self.path != "/" {
            collect(&self.folder(), &mut found);
        }
        found
    }

    /// Kills whatever is in it or below it, and lets it go if it is frozen: only then it ends. When this returns none of
    /// them executes anything any more, though all may still be there.
    pub fn kill(&self) {
        let mut killed = BTreeSet::new();
        // What is killed forks no more, so a second look that finds nobody new has found all.
        for _ in 0..MOVES {
            let held = self.pids().into_iter().filter_map(|pid| Held::open(pid).ok().flatten());
            // Asked again, now that the pid cannot be another's.
            let ours = held.filter(|one| Self::of(one.pid()).is_some_and(|place| place.is_within(self)));
            let fresh: Vec<Held> = ours.filter(|one| killed.insert((one.pid(), one.start_time()))).collect();
            for one in &fresh {
                let _ = one.signal(9);
            }
            if fresh.is_empty() {
                break;
            }
        }
        if self.controller.is_some() {
            let _ = fs::write(self.folder().join("freezer.state"), "THAWED");
        }
    }

    /// Whether it is frozen: `freezer.state` on v1, `cgroup.events` on v2.
    pub fn is_frozen(&self) -> bool {
        let folder = self.folder();
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        match self.controller {
            Some(_) => read("freezer.state").trim() != "THAWED" && !read("freezer.state").is_empty(),
            None => read("cgroup.events").lines().any(|line| line == "frozen 1"),
        }
    }
}

fn collect(folder: &Path, found: &mut Vec<i32>) {
    let here = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    found.extend(here.lines().filter_map(|pid| pid.parse::<i32>().ok()));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect(&entry.path(), found);
        }
    }
}

/// How often it is looked whether all are there: one that forks is faster than a look.
const MOVES: u32 = 50;

/// On cgroup v2: puts a process and all below it where they belong, if they are elsewhere: a CRIU that heeds no file of
/// [`super::criu::place`] restores it where the dumped one was, whatever the container is called.
///
/// # Errors
///
/// The kernel's, or that they fork faster than they are moved.
pub fn move_tree(init: i32, path: &str) -> io::Result<()> {
    let here = Cgroup { controller: None, path: path.to_owned() };
    fs::create_dir_all(here.folder())?;
    for _ in 0..MOVES {
        let mut elsewhere = tree_of(init);
        elsewhere.retain(|pid| Cgroup::of(*pid).is_some_and(|place| !place.is_within(&here)));
        if elsewhere.is_empty() {
            return Ok(());
        }
        for pid in elsewhere {
            match fs::write(here.folder().join("cgroup.procs"), pid.to_string()) {
                Err(error) if error.raw_os_error() != Some(nix::libc::ESRCH) => return Err(error),
                _ => {}
            }
        }
    }
    Err(io::Error::other("its processes are not all in their cgroup"))
}

/// How often the kernel has killed a process for want of memory: a file of a container's memory cgroup with a
/// line `oom_kill N` (cgroups-v1/memory.rst, `memory.oom_control`; cgroup-v2.rst, `memory.events`).
#[derive(Debug)]
pub struct OomCount(PathBuf);

impl OomCount {
    /// Of the cgroup that the process is in. `None`: it has ended.
    pub fn of(pid: i32) -> Option<Self> {
        let lines = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let mut unified = None;
        for line in lines.lines() {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let below = path.trim_start_matches('/');
            if controllers.split(',').any(|controller| controller == "memory") {
                return Some(Self(Path::new(MOUNT).join(controllers).join(below).join("memory.oom_control")));
            }
            if controllers.is_empty() {
                unified = Some(Self(Path::new(MOUNT).join(below).join("memory.events")));
            }
        }
        unified
    }

    /// A descriptor, not blocking, that is readable when the count may have grown or is about to: an inotify of
    /// `memory.events`; on v1 an eventfd that is told of each shortage, before anybody is killed.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn watch(&self) -> io::Result<OwnedFd> {
        use rustix::event::{EventfdFlags, eventfd};
        use rustix::fs::inotify;
        if self.0.ends_with("memory.events") {
            let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
            inotify::add_watch(&watch, &self.0, inotify::WatchFlags::MODIFY)?;
            return Ok(watch);
        }
        let watch = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let file = File::open(&self.0)?;
        let order = format!("{} {}", watch.as_raw_fd(), file.as_raw_fd());
        fs::write(self.0.with_file_name("cgroup.event_control"), order)?;
        Ok(watch)
    }

    /// The count; 0 when the cgroup is gone or counts nothing.
    pub fn read(&self) -> u64 {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
    }
}

/// Removes what a runc that was killed has left of a container's cgroup, in every hierarchy. `path` is as
/// in the bundle: absolute, or below our own, where runc puts it. What a start that began then, in ticks after boot, has
/// put there is ended: a shim and a runc that were killed have nobody else who does, and what CRIU has restored is in
/// no group of theirs. One with other processes in it stays. Blocks for two seconds at most.
pub fn clear(path: &Path, began: Option<u64>) {
    for _ in 0..CLEARINGS {
        let left: Vec<PathBuf> = folders(path).into_iter().filter(|folder| folder.is_dir()).collect();
        if left.is_empty() {
            return;
        }
        for folder in left {
            if let Some(began) = began {
                end_those_since(&folder, began);
            }
            remove_tree(&folder);
        }
        std::thread::sleep(CLEARING);
    }
}

/// Ends the processes of a cgroup that have started since, and lets those go that are frozen: only then they end.
fn end_those_since(folder: &Path, began: u64) {
    let listed = || fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let is_listed = |pid: i32| listed().lines().any(|line| line.parse() == Ok(pid));
    let pids: Vec<i32> = listed().lines().filter_map(|line| line.parse().ok()).collect();
    let held = pids.into_iter().filter_map(|pid| Held::open(pid).ok().flatten());
    // Asked again, now that the pid cannot be another's.
    let ours: Vec<Held> = held.filter(|one| one.start_time() >= began && is_listed(one.pid())).collect();
    for one in &ours {
        let _ = one.signal(9);
    }
    if !ours.is_empty() {
        let _ = fs::write(folder.join("freezer.state"), "THAWED");
        let _ = fs::write(folder.join("cgroup.freeze"), "0");
    }
}

/// A container's cgroup in every hierarchy, whether it is there or not.
fn folders(path: &Path) -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut found = Vec::new();
    for line in own.lines() {
        let Some((controllers, parent)) = line.split_once(':').and_then(|(_, rest)| rest.split_once(':'))
        else {
            continue;
        };
        let mount = match controllers.trim_start_matches("name=") {
            "" if Path::new(MOUNT).join("unified").is_dir() => Path::new(MOUNT).join("unified"),
            "" => PathBuf::from(MOUNT),
            name => Path::new(MOUNT).join(name),
        };
        let place = placed(Path::new(parent), path);
        let Ok(below) = place.strip_prefix("/") else { continue };
        // The hierarchy's root, our own cgroup and those above it are never a container's.
        if below.file_name().is_some() && !Path::new(parent).starts_with(&place) {
            found.push(mount.join(below));
        }
    }
    found
}

/// An absolute path as it is, another one below `parent`; `..` leads nowhere above, as in runc's CleanPath.
fn placed(parent: &Path, path: &Path) -> PathBuf {
    let mut clean = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let base = if path.is_absolute() { Path::new("/") } else { parent };
    base.join(clean.into_iter().collect::<PathBuf>())
}

fn remove_tree(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    // The kernel refuses one with processes in it (EBUSY).
    let _ = fs::remove_dir(folder);
}

/// 1 for v1 and hybrid hosts, 2 for unified ones: what runc goes by. Errors when no hierarchy is mounted.
pub fn version() -> io::Result<u8> {
    if Path::new(MOUNT).join("cgroup.controllers").is_file() {
        return Ok(2);
    }
    if ["devices", "freezer", "pids"].iter().any(|controller| Path::new(MOUNT).join(controller).is_dir()) {
        return Ok(1);
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("no cgroup hierarchy at {MOUNT}")))
}

/// Kills a container: its init process, by pid and start time, and whoever is in its cgroup, whoever's child it is.
pub fn kill_container(init: Option<(i32, u64)>, place: Option<&Cgroup>) {
    if let Some(init) = init.and_then(|(pid, start_time)| Held::open_same(pid, start_time).ok().flatten()) {
        let _ = init.signal(9);
    }
    if let Some(place) = place {
        place.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "12:cpu,cpuacct:/a\n11:freezer:/box\n10:devices:/box\n1:name=systemd:/x\n0::/\n";

    #[test]
    fn on_a_hybrid_host_the_freezer_tells_containers_apart() {
        let cgroup = Cgroup::parse(HYBRID).unwrap();
        assert_eq!(cgroup, Cgroup { controller: Some("freezer".into()), path: "/box".into() });
        assert_eq!(Cgroup::parse("0::/system.slice/c1\n").unwrap().path, "/system.slice/c1");
    }

    #[test]
    fn a_path_of_the_bundles_cannot_leave_the_hierarchy() {
        let at = |path: &str| placed(Path::new("/own"), Path::new(path));
        assert_eq!(at("box"), Path::new("/own/box"));
        assert_eq!(at("/a/b"), Path::new("/a/b"));
        assert_eq!(
            at("/../../tmp/x"),
            Path::new("/tmp/x"),
            "below the hierarchy's mount, not the host's root"
        );
        assert_eq!(at("../../x"), Path::new("/own/x"));
    }

    #[test]
    fn a_name_that_begins_alike_is_another_container() {
        let at = |path: &str| Cgroup { controller: None, path: path.into() };
        assert!(at("/box").is_within(&at("/box")));
        assert!(at("/box/child").is_within(&at("/box")));
        assert!(!at("/boxer").is_within(&at("/box")));
        assert!(!at("/").is_within(&at("/box")));
        assert!(!at("/box").is_within(&at("/")), "the root cgroup is nobody's");
    }
}
