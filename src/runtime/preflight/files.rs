//! What is in the way of a process's descriptors, mappings and folders. Sockets and watches are gathered for the
//! files beside this one.

mod mounts;

use std::collections::HashSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc::O_PATH;
use procfs::process::MMapPath;
use rustix::fs::{major, minor};

use self::mounts::Mounts;
use super::tree::{Member, Tree, namespace, own_namespace};
use super::{Findings, Kind, pipes};
use crate::runtime::options::CriuOptions;

/// CRIU's `--ghost-limit`, which runc does not raise: what of a deleted file is put into the image.
const GHOST_LIMIT: u64 = 1024 * 1024;
/// stat(2): what st_blocks counts.
const BLOCK: u64 = 512;

/// A socket among the descriptors.
pub(super) struct SocketFd<'a> {
    pub(super) member: &'a Member,
    pub(super) fd: i32,
    pub(super) inode: u64,
}

/// An inotify or fanotify descriptor, as its fdinfo tells it.
pub(super) struct WatchFd<'a> {
    pub(super) member: &'a Member,
    pub(super) fd: i32,
    pub(super) info: String,
}

/// A terminal among the descriptors.
struct TerminalFd<'a> {
    member: &'a Member,
    fd: i32,
    path: PathBuf,
    device: u64,
}

/// What was seen of the whole tree's files so far.
pub(super) struct Files<'a> {
    wanted: CriuOptions,
    /// Not all mounts are seen, nor where a path leads to.
    chrooted: bool,
    /// Where init's root filesystem is reached from here.
    root: PathBuf,
    mount_namespace: Option<String>,
    pub(super) mounts: Mounts,
    /// Deleted and held open, by device and inode.
    pub(super) deleted: HashSet<(u64, u64)>,
    mapped: HashSet<((i32, i32), u64)>,
    pub(super) sockets: Vec<SocketFd<'a>>,
    pub(super) watches: Vec<WatchFd<'a>>,
    terminals: Vec<TerminalFd<'a>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(tree: &'a Tree, wanted: CriuOptions, chrooted: bool) -> Self {
        Self {
            wanted,
            chrooted,
            root: PathBuf::from(format!("/proc/{}/root", tree.init)),
            mount_namespace: namespace(tree.init, "mnt"),
            mounts: Mounts::read(tree, chrooted),
            deleted: HashSet::new(),
            mapped: HashSet::new(),
            sockets: Vec::new(),
            watches: Vec::new(),
            terminals: Vec::new(),
        }
    }

    pub(super) fn check(&mut self, member: &'a Member, found: &mut Findings) {
        self.descriptors(member, found);
        self.mappings(member, found);
        self.folders(member, found);
    }

    fn descriptors(&mut self, member: &'a Member, found: &mut Findings) {
        let entries = fs::read_dir(format!("/proc/{}/fd", member.pid)).into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        for fd in numbers {
            let place = format!("/proc/{}/fd/{fd}", member.pid);
            let Ok(link) = fs::read_link(&place) else { continue };
            let text = link.to_string_lossy();
            if let Some(inode) = text.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']')) {
                let Ok(inode) = inode.parse() else { continue };
                self.sockets.push(SocketFd { member, fd, inode });
            } else if let Some(kind) = text.strip_prefix("anon_inode:") {
                self.without_inode(member, fd, kind, found);
            } else if text.starts_with("pipe:[") && !self.mounts.have("autofs") {
                pipes::check(member, fd, &fdinfo(member.pid, fd), found);
            } else if text.starts_with('/') {
                self.file(member, fd, &place, &link, found);
            }
        }
    }

    /// CRIU: dump_one_file. A bpf-map is known to those that were built with libbpf, and which are is not said.
    fn without_inode(&mut self, member: &'a Member, fd: i32, kind: &str, found: &mut Findings) {
        match kind {
            "[eventfd]" | "[eventpoll]" | "[signalfd]" | "[timerfd]" | "[pidfd]" | "bpf-map" => {}
            "inotify" | "[fanotify]" => {
                self.watches.push(WatchFd { member, fd, info: fdinfo(member.pid, fd) });
            }
            "[io_uring]" => io_uring(member, Some(fd), found),
            _ => {
                let what = format!("a descriptor of the kind {}", kind.trim_matches(['[', ']']));
                found.add(member, Kind::Descriptor, Some(fd), what, "close it before the checkpoint");
            }
        }
    }

    fn file(&mut self, member: &'a Member, fd: i32, place: &str, path: &Path, found: &mut Findings) {
        let info = fdinfo(member.pid, fd);
        if !self.wanted.file_locks
            && let Some(lock) = info.lines().find_map(|line| line.strip_prefix("lock:"))
        {
            let what = format!("a lock ({}) of {}", words_of_lock(lock), path.display());
            found.add(
                member,
                Kind::FileLock,
                Some(fd),
                what,
                "checkpoint with fileLocks: true, or unlock it",
            );
        }
        if is_memory(path) {
            return;
        }
        let Ok(meta) = fs::metadata(place) else { return };
        let terminal = meta.file_type().is_char_device() && is_pts(meta.rdev());
        let Some(mount) = mount_of(&info) else { return };
        let Some(kind) = self.mounts.kind(mount) else {
            if terminal {
                self.outside_terminal(member, fd, path, found);
            } else {
                outside(member, Some(fd), "open", path, found);
            }
            return;
        };
        let named_by_kernel = matches!(kind, "proc" | "devpts");
        if terminal {
            self.terminals.push(TerminalFd { member, fd, path: path.to_owned(), device: meta.rdev() });
        }
        if is_unknown_device(&meta, path) {
            let (major, minor) = (major(meta.rdev()), minor(meta.rdev()));
            let what = format!("a device that cannot be dumped, {} ({major}:{minor})", path.display());
            found.add(member, Kind::Device, Some(fd), what, "close it before the checkpoint");
        } else if !named_by_kernel {
            self.name(member, Some(fd), path, &meta, found);
        }
    }

    /// CRIU: check_path_remap. A deleted file goes into the image, up to a size; one that has another name would need
    /// `--link-remap`, which runc does not give.
    fn name(&mut self, member: &Member, fd: Option<i32>, path: &Path, meta: &Metadata, found: &mut Findings) {
        let shown = path.to_string_lossy();
        let shown = shown.strip_suffix(" (deleted)").unwrap_or(&shown);
        if meta.nlink() == 0 {
            self.deleted.insert((meta.dev(), meta.ino()));
            let size = meta.blocks() * BLOCK;
            if size > GHOST_LIMIT {
                let what = format!(
                    "a deleted file of {size} bytes, {shown}; CRIU keeps up to {GHOST_LIMIT} bytes of one"
                );
                let remedy = "close it, empty it, or let it have a name until the checkpoint is made";
                found.add(member, Kind::UnlinkedFile, fd, what, remedy);
            }
        } else if !self.chrooted
            && self.mount_namespace.is_some()
            && member.mount_namespace == self.mount_namespace
        {
            let named = self.root.join(path.strip_prefix("/").unwrap_or(path));
            let gone = match fs::symlink_metadata(named) {
                Ok(there) => (there.dev(), there.ino()) != (meta.dev(), meta.ino()),
                Err(error) => error.kind() == std::io::ErrorKind::NotFound,
            };
            if gone {
                let what = format!(
                    "an open file that its name no longer leads to, {shown}, and that is not deleted"
                );
                let remedy = "close it, or give it that name again until the checkpoint is made";
                found.add(member, Kind::UnlinkedFile, fd, what, remedy);
            }
        }
    }

    /// Each mapped file of the tree once.
    fn mappings(&mut self, member: &'a Member, found: &mut Findings) {
        let Ok(maps) = member.process.maps() else { return };
        for map in maps {
            let path = match &map.pathname {
                MMapPath::Path(path) => path,
                MMapPath::Vsys(_) => {
                    shared_memory(member, found);
                    continue;
                }
                _ => continue,
            };
            if path.as_os_str() == "anon_inode:[io_uring]" {
                io_uring(member, None, found);
            }
            if !path.is_absolute() || is_memory(path) || !self.mapped.insert((map.dev, map.inode)) {
                continue;
            }
            let place = format!("/proc/{}/map_files/{:x}-{:x}", member.pid, map.address.0, map.address.1);
            let Some((mount, meta)) = looked_at(&place) else { continue };
            match self.mounts.kind(mount) {
                None => outside(member, None, "mapped", path, found),
                Some("proc" | "devpts") => {}
                Some(_) => self.name(member, None, path, &meta, found),
            }
        }
    }

    fn folders(&self, member: &'a Member, found: &mut Findings) {
        for (name, words) in [("cwd", "its working folder"), ("root", "its root folder")] {
            let place = format!("/proc/{}/{name}", member.pid);
            let Some((mount, _)) = looked_at(&place) else { continue };
            if self.mounts.is_outside(mount) {
                let path = fs::read_link(&place).unwrap_or_default();
                outside(member, None, words, &path, found);
            }
        }
    }

    /// CRIU: dump_verify_tty_sids, "Found dangling tty".
    pub(super) fn check_terminals(&self, tree: &Tree, found: &mut Findings) {
        if self.wanted.shell {
            return;
        }
        for terminal in &self.terminals {
            let led_from_outside = tree.members.iter().any(|member| {
                device_of(member.stat.terminal) == terminal.device
                    && !tree.pids.contains(&member.stat.session)
            });
            if led_from_outside {
                let what = format!(
                    "a terminal, {}, whose session is led by a process that is not dumped",
                    terminal.path.display()
                );
                let remedy = "checkpoint with shell: true, or let the program run without that terminal (setsid, nohup)";
                found.add(terminal.member, Kind::Terminal, Some(terminal.fd), what, remedy);
            }
        }
    }

    fn outside_terminal(&self, member: &Member, fd: i32, path: &Path, found: &mut Findings) {
        if !self.wanted.shell {
            let what = format!("a terminal of the host, {}", path.display());
            let remedy = "checkpoint with shell: true, or close it";
            found.add(member, Kind::Terminal, Some(fd), what, remedy);
        }
    }
}

/// CRIU: dump_one_reg_file, "Can't lookup mount".
fn outside(member: &Member, fd: Option<i32>, how: &str, path: &Path, found: &mut Findings) {
    let what = match how {
        "open" | "mapped" => {
            format!("an {how} file on a mount that the container does not have, {}", path.display())
        }
        _ => format!("{how} is on a mount that the container does not have, {}", path.display()),
    };
    let what = what.replacen("an mapped", "a mapped", 1);
    let remedy = "start the container with pipes or a terminal and no file of the host; mount what it needs by config.json";
    found.add(member, Kind::OutsideFile, fd, what, remedy);
}

fn io_uring(member: &Member, fd: Option<i32>, found: &mut Findings) {
    let remedy = "let the program run without io_uring (many have a setting for it), or close it before the checkpoint";
    found.add(member, Kind::IoUring, fd, "an io_uring, which CRIU cannot dump", remedy);
}

/// CRIU: dump_task_mm's check of mappings, "doesn't live in IPC ns". In a namespace of the container's own they are dumped.
fn shared_memory(member: &Member, found: &mut Findings) {
    let own = own_namespace("ipc");
    if own.is_some() && member.namespace("ipc") == own {
        let what = "System V shared memory of the host's IPC namespace";
        let remedy = "give the container an IPC namespace of its own (linux.namespaces in config.json)";
        found.add(member, Kind::SharedMemory, None, what, remedy);
    }
}

/// proc_pid_fdinfo(5); empty when it is gone.
fn fdinfo(pid: i32, fd: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default()
}

fn mount_of(fdinfo: &str) -> Option<i32> {
    fdinfo.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
}

/// `1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF`: its kind and its mode.
fn words_of_lock(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    [words.get(1), words.get(3)].into_iter().flatten().copied().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// What a link in /proc leads to, looked at without opening it: its mount and what stat says.
fn looked_at(place: &str) -> Option<(i32, Metadata)> {
    let file: File = OpenOptions::new().read(true).custom_flags(O_PATH).open(place).ok()?;
    let own = i32::try_from(std::process::id()).ok()?;
    Some((mount_of(&fdinfo(own, file.as_raw_fd()))?, file.metadata().ok()?))
}

/// Memory that has the form of a file, whose mount is the kernel's own: CRIU dumps it as memory. Huge pages too, where
/// some are reserved; it says so itself when not.
fn is_memory(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path == "/dev/zero (deleted)"
        || ["/memfd:", "/SYSV", "/[aio]", "/anon_hugepage"].iter().any(|prefix| path.starts_with(prefix))
}

fn is_pts(device: u64) -> bool {
    (136..=143).contains(&major(device))
}

/// stat's field 7 holds a device number in the kernel's short form.
fn device_of(terminal: u32) -> u64 {
    rustix::fs::makedev(terminal >> 8 & 0xfff, terminal & 0xff | terminal >> 12 & 0xf_ff00)
}

/// CRIU: dump_chrdev, get_tty_driver. What its plugins may know (GPUs) is left to them.
fn is_unknown_device(meta: &Metadata, path: &Path) -> bool {
    let kind = meta.file_type();
    let plugins = path.starts_with("/dev/dri") || path.to_string_lossy().starts_with("/dev/nvidia");
    if plugins || path == Path::new("/dev/kfd") {
        return false;
    }
    if kind.is_block_device() {
        return true;
    }
    let known = match (major(meta.rdev()), minor(meta.rdev())) {
        // mem, tun and autofs, terminals of all kinds
        (1 | 188 | 204 | 128..=143, _) | (10, 200 | 235) | (5, 0..=2) | (4, 1..=63) => true,
        _ => false,
    };
    kind.is_char_device() && !known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_told_by_its_kind_and_mode() {
        assert_eq!(words_of_lock("\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF"), "flock write");
        assert_eq!(words_of_lock("garbage"), "");
    }

    #[test]
    fn the_kernels_short_device_numbers_are_read() {
        assert_eq!(device_of(0x8803), rustix::fs::makedev(136, 3));
        assert_eq!(device_of(0x0010_8801), rustix::fs::makedev(136, 0x101));
    }
}
