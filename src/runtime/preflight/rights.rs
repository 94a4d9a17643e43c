//! What the processes may do that a dump would hold: a restore gives them back just that.

use std::fs;

use super::tree::{Tree, namespace, own_namespace};
use crate::runtime::images::Rights;
use crate::runtime::process::Status;

/// Kinds of namespaces by the bundle's word, and by the kernel's (namespaces(7)).
const KINDS: [(&str, &str); 6] =
    [("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"), ("mount", "mnt"), ("user", "user")];
/// `Seccomp` of proc_pid_status(5).
const FILTER: u64 = 2;

/// Those of each thread below this process, and what each process is called.
pub fn rights(init: i32) -> (Vec<Rights>, Vec<(u32, String)>) {
    let tree = Tree::read(init);
    let (mut found, mut called) = (Vec::new(), Vec::new());
    for member in &tree.members {
        let pid = member.pid.cast_unsigned();
        called.push((pid, member.status.name.clone()));
        let shared = KINDS.iter().filter(|(_, kind)| {
            namespace(member.pid, kind).is_some_and(|own| Some(own) == own_namespace(kind))
        });
        let host_namespaces: Vec<&str> = shared.map(|(kind, _)| *kind).collect();
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads.filter_map(|thread| thread.file_name().to_str()?.parse().ok()) {
            // One that has ended just now has none.
            found.extend(of_thread(pid, thread, &host_namespaces));
        }
    }
    (found, called)
}

fn of_thread(pid: u32, thread: i32, host_namespaces: &[&'static str]) -> Option<Rights> {
    let status = Status::of(thread);
    let sets = ["CapInh", "CapPrm", "CapEff", "CapBnd"].map(|set| status.mask(set));
    Some(Rights {
        pid,
        is_root: status.users()?.contains(&0),
        capabilities: sets.into_iter().flatten().fold(0, |all, set| all | set),
        filtered: status.number("Seccomp") == Some(FILTER),
        no_new_privileges: status.number("NoNewPrivs") == Some(1),
        profile: profile(thread),
        host_namespaces: host_namespaces.to_vec(),
    })
}

/// As CRIU writes it: AppArmor's without its mode; of who is not confined, none.
fn profile(thread: i32) -> Option<String> {
    let told = fs::read_to_string(format!("/proc/{thread}/attr/current")).ok()?;
    let told = told.trim_end_matches(['\n', '\0']);
    let name = told.rsplit_once(" (").map_or(told, |(name, _)| name);
    (!name.is_empty() && name != "unconfined").then(|| name.to_owned())
}
