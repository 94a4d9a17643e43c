//! The page servers of lazy restores, slowed down: at their own speed they are done before anybody can look. By a share of
//! the processor and not by stopping them, which CRIU's take for an error (`epoll_wait`, signal(7)).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{eventually, host};

/// Microseconds of each period: enough for a restore, and for no more than some pages.
const SLOW: (u32, u32) = (1_000, 10_000);
const HELD: (u32, u32) = (1_000, 1_000_000);

/// The page servers of a daemon, those that come too.
pub(crate) struct Pages {
    folder: String,
    share: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Those of the daemon with this folder.
pub(crate) fn servers(folder: &str) -> Vec<Pid> {
    let all =
        host::processes(folder, 0).into_iter().filter(|(_, line)| line.contains("lazy-pages --images-dir"));
    all.map(|(pid, _)| Pid::from_raw(i32::try_from(pid).unwrap())).collect()
}

impl Pages {
    pub(crate) fn slow(folder: &Path) -> Self {
        let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let hierarchy = if unified { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/cpu" };
        if unified {
            fs::write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu").unwrap();
        }
        let name = format!("slow-{}-{}", std::process::id(), fastrand::u32(..));
        let share = Path::new(hierarchy).join(name);
        fs::create_dir(&share).unwrap();
        let (over, folder) = (Arc::new(AtomicBool::new(false)), folder.to_string_lossy().into_owned());
        let (ended, of, into) = (Arc::clone(&over), folder.clone(), share.join("cgroup.procs"));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                for pid in servers(&of) {
                    let _ = fs::write(&into, pid.to_string());
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let pages = Self { folder, share, over, thread: Some(thread) };
        pages.slow_again();
        pages
    }

    /// From now on hardly a page comes.
    pub(crate) fn hold(&self) {
        self.give(Some(HELD));
    }

    /// At their own speed.
    pub(crate) fn let_go(&self) {
        self.give(None);
    }

    pub(crate) fn slow_again(&self) {
        self.give(Some(SLOW));
    }

    fn give(&self, share: Option<(u32, u32)>) {
        let write = |name: &str, value: String| fs::write(self.share.join(name), value).unwrap();
        if self.share.join("cpu.max").exists() {
            let (quota, period) = share.unwrap_or((1_000_000, 1_000_000));
            return write("cpu.max", format!("{quota} {period}"));
        }
        // A quota of more than the period is refused while the old one holds.
        write("cpu.cfs_quota_us", "-1".to_owned());
        if let Some((quota, period)) = share {
            write("cpu.cfs_period_us", period.to_string());
            write("cpu.cfs_quota_us", quota.to_string());
        }
    }

    /// As by `kill -9`.
    #[track_caller]
    pub(crate) fn kill(&self) {
        let all = servers(&self.folder);
        assert!(!all.is_empty(), "there is no page server");
        for pid in all {
            kill(pid, Signal::SIGKILL).unwrap();
        }
    }

    #[track_caller]
    pub(crate) fn are_gone(&self) {
        eventually("no page server is left", || servers(&self.folder).is_empty());
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.let_go();
        // One that is about to end is in it a moment longer.
        for _ in 0..200 {
            if fs::remove_dir(&self.share).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
