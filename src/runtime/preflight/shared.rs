//! Processes that clone(2) has made to share what CRIU dumps for each process alone: dump_task_kobj_ids, "Can't make VM
//! id", "… FS id", "… FILES id". Who shares with whom is told by kcmp(2), as to CRIU.

use std::cmp::Ordering;
use std::fs;
use std::time::Duration;

use nix::libc;

use super::tree::{Member, Tree};
use super::{Findings, Kind};

/// Between vfork(2) and execve(2) memory is shared for an instant, which is nothing to tell; on a busy host instants are
/// long. What is shared is told when it was so at every look.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// What may be shared: `enum kcmp_type` of `linux/kcmp.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Memory = 1,
    Descriptors = 2,
    Folders = 3,
}

/// A process that shares with another one.
#[derive(Clone, Copy)]
struct Sharing<'a> {
    what: What,
    member: &'a Member,
    other: &'a Member,
    /// It waits in vfork(2) for the other one.
    waits: bool,
}

impl Sharing<'_> {
    fn is(&self, other: &Self) -> bool {
        let pids = |one: &Self| (one.what, one.member.pid, one.other.pid, one.waits);
        pids(self) == pids(other)
    }
}

pub(super) fn check(tree: &Tree, found: &mut Findings) {
    let mut shared = look(tree);
    for _ in 0..LOOKS {
        if shared.is_empty() {
            return;
        }
        std::thread::sleep(PAUSE);
        let now = look(tree);
        shared.retain(|one| now.iter().any(|other| one.is(other)));
    }
    for one in &shared {
        // Two that are ending share nothing, as the kernel compares it; memory is the first that goes.
        if has_memory(one.member.pid) && has_memory(one.other.pid) {
            tell(one, found);
        }
    }
}

fn tell(one: &Sharing<'_>, found: &mut Findings) {
    let other = one.other.pid;
    if one.waits {
        let what = format!(
            "it waits in vfork(2) until process {other} has begun a program of its own or ended, and cannot be stopped \
             meanwhile"
        );
        let remedy = "repeat when that process has done so (execve(2)), or end it";
        found.add(one.member, Kind::Vfork, None, what, remedy);
        return;
    }
    let (shared, flag) = match one.what {
        What::Memory => ("its memory", "CLONE_VM"),
        What::Folders => ("its root and working folder", "CLONE_FS"),
        What::Descriptors => ("its descriptors", "CLONE_FILES"),
    };
    let what = format!(
        "a process that shares {shared} with process {other} and is no thread of it (clone(2) with {flag}), which CRIU \
         cannot dump"
    );
    found.add(one.member, Kind::Clone, None, what, "end it before the checkpoint, or let it be a thread");
}

fn look(tree: &Tree) -> Vec<Sharing<'_>> {
    let mut found = Vec::new();
    for group in groups(tree, What::Memory) {
        let waiting: Vec<Sharing<'_>> =
            group.iter().filter_map(|member| waiting_in_vfork(member, &group)).collect();
        let is_awaited = |member: &Member| waiting.iter().any(|one| one.member.pid == member.stat.parent);
        found.extend(pairs(&group, What::Memory).filter(|one| !is_awaited(one.member)));
        found.extend(waiting);
    }
    found.extend(groups(tree, What::Folders).iter().flat_map(|group| pairs(group, What::Folders)));
    for mut group in groups(tree, What::Descriptors) {
        // CRIU: shared_fdtable. A child may share its parent's.
        let pids: Vec<i32> = group.iter().map(|member| member.pid).collect();
        group.retain(|member| !pids.contains(&member.stat.parent));
        found.extend(pairs(&group, What::Descriptors));
    }
    found
}

/// Each with the first, which is an ancestor or as good as any.
fn pairs<'a>(group: &[&'a Member], what: What) -> impl Iterator<Item = Sharing<'a>> {
    let first = group.first().copied();
    let others: Vec<&Member> = group.iter().skip(1).copied().collect();
    others.into_iter().filter_map(move |member| Some(Sharing { what, member, other: first?, waits: false }))
}

/// The processes that share, each group in the order of the tree.
fn groups(tree: &Tree, what: What) -> Vec<Vec<&Member>> {
    let mut groups: Vec<Vec<&Member>> = Vec::new();
    for member in &tree.members {
        let place = groups.binary_search_by(|group| {
            group.first().map_or(Ordering::Less, |first| compare(first.pid, member.pid, what))
        });
        match place {
            Ok(at) => groups[at].push(member),
            Err(at) => groups.insert(at, vec![member]),
        }
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// The order that the kernel has them in; of one that has ended it is none, and never equal.
fn compare(one: i32, other: i32, what: What) -> Ordering {
    // SAFETY: kcmp(2) takes numbers alone, of which the last two mean nothing for these kinds.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, other, what as libc::c_int, 0_u64, 0_u64) };
    match order {
        0 => Ordering::Equal,
        1 => Ordering::Less,
        _ => Ordering::Greater,
    }
}

/// One that waits in vfork(2), by any of its threads, for a child that has its memory still.
fn waiting_in_vfork<'a>(member: &&'a Member, group: &[&'a Member]) -> Option<Sharing<'a>> {
    let child = group.iter().copied().find(|other| other.stat.parent == member.pid)?;
    let threads = fs::read_dir(format!("/proc/{}/task", member.pid)).ok()?.flatten();
    let mut calls = threads.filter_map(|thread| fs::read_to_string(thread.path().join("syscall")).ok());
    calls.any(|call| is_vfork(&call)).then_some(Sharing {
        what: What::Memory,
        member,
        other: child,
        waits: true,
    })
}

/// `56 0x4111 …` (proc_pid_syscall(5)): a call that blocks and its arguments; of a thread that runs, `running`. The calls
/// that make processes block for vfork alone; clone3(2) has its flags in memory.
fn is_vfork(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let number = words.next().and_then(|number| number.parse::<libc::c_long>().ok());
    let first = words.next().and_then(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok());
    match number {
        Some(libc::SYS_clone) => first.is_some_and(|flags| flags & libc::CLONE_VFORK as u64 != 0),
        Some(libc::SYS_clone3) => true,
        #[cfg(target_arch = "x86_64")]
        Some(libc::SYS_vfork) => true,
        _ => false,
    }
}

/// Whether it has memory of its own still: one that ends gives it up before all else.
fn has_memory(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains("\nVmSize:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_waits_in_vfork_is_told_by_its_call() {
        assert!(is_vfork(&format!("{} 0x4111 0x7fced7f54dd0 0x6 0x0", libc::SYS_clone)));
        assert!(!is_vfork(&format!("{} 0x1200011 0x0 0x6 0x0", libc::SYS_clone)));
        for other in ["running", "-1 0x7ffd 0x7fce", "230 0x4111 0x1", ""] {
            assert!(!is_vfork(other), "{other}");
        }
    }

    #[test]
    fn a_process_shares_with_itself_and_what_is_not_there_shares_with_nobody() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(compare(own, own, What::Memory), Ordering::Equal);
        assert_ne!(compare(i32::MAX, i32::MAX, What::Memory), Ordering::Equal);
        assert!(has_memory(own) && !has_memory(i32::MAX));
    }
}
