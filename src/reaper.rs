//! Children that were ours before the program was replaced in place (execve(2)): shims, which nobody else reaps when
//! they end.

use std::fs;
use std::os::fd::AsFd;

use rustix::process::{WaitId, WaitIdOptions, waitid};

use crate::runtime::process::Held;

/// Every child there is. Asked before any is started: then all are of the program that was here before.
pub(crate) fn inherited() -> Vec<Held> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let pids: Vec<i32> = lists
        .flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter_map(|pid| pid.parse().ok())
        .collect();
    pids.into_iter().filter_map(|pid| Held::open(pid).ok().flatten()).collect()
}

/// Reaps each when it ends; by pidfd, so that never another gets lost that has the same pid by then.
pub(crate) fn reap(children: Vec<Held>) {
    for child in children {
        tokio::spawn(async move {
            let Ok(watch) = child.watch() else { return };
            let _ = watch.readable().await;
            let _ = waitid(WaitId::PidFd(watch.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        });
    }
}
