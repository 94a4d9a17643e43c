//! What is in the way of a process as a whole: its namespaces, its place, its user, who traces it.

use super::tree::{Member, SINGLE, Tree, own_namespace};
use super::{Findings, Kind};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::process::{CAP_SYS_RESOURCE, has_capability};

pub(super) fn check(tree: &Tree, member: &Member, found: &mut Findings) {
    namespaces(tree, member, found);
    place(tree, member, found);
    tracer(member, found);
    stopped(tree, member, found);
    user(member, found);
}

/// CRIU: generate_ns_id, "Can't dump nested … namespace". Of the network there may
/// be more, but not when runc has it leave the container's to runc ("more than one netns if the --emptyns is set").
fn namespaces(tree: &Tree, member: &Member, found: &mut Findings) {
    if tree.network.is_some() && member.network.is_some() && member.network != tree.network {
        let what = "a process in a network namespace of its own, beside the container's";
        found.add(member, Kind::Namespace, None, what, "end it before the checkpoint");
    }
    for (kind, inits) in SINGLE.iter().zip(&tree.namespaces) {
        let Some(own) = member.namespace(kind) else { return };
        let same = inits.as_ref().is_none_or(|inits| *inits == own);
        if same {
            continue;
        }
        // Its own CRIU takes, at the restore too.
        if *kind == "cgroup" && own_namespace(kind).as_ref() == Some(&own) {
            continue;
        }
        // CRIU dumps it, and cannot restore it ("Can't restore sub-task in NS"). So it is after a restore, which is into
        // a time namespace, with what was added since: runc 1.1 does not join that.
        let what = if own_namespace(kind) == Some(own) {
            format!("a process in the host's {kind} namespace, and not in the container's")
        } else {
            format!("a process in a {kind} namespace of its own, within the container's")
        };
        found.add(member, Kind::Namespace, None, what, "end it before the checkpoint");
    }
}

/// CRIU freezes the container's cgroup and takes what is in it ("Unseizable non-zombie"); a session of another pid
/// namespace has no number in this one ("A session leader of … is outside of its pid namespace").
fn place(tree: &Tree, member: &Member, found: &mut Findings) {
    let entered = "end it: a process that was brought in from the host (nsenter) cannot be dumped";
    let within = match (Cgroup::of(member.pid), &tree.cgroup) {
        (Some(own), Some(containers)) => own.is_within(containers),
        _ => true,
    };
    if !within {
        found.add(member, Kind::Session, None, "a process outside of the container's cgroup", entered);
    } else if member.status.nssid.as_ref().and_then(|numbers| numbers.last()) == Some(&0) {
        found.add(
            member,
            Kind::Session,
            None,
            "a process of a session from outside of the container",
            entered,
        );
    }
}

/// CRIU traces what it dumps, and a process has one tracer; it waits ten seconds for the other to let go.
fn tracer(member: &Member, found: &mut Findings) {
    if member.status.tracerpid != 0 {
        let what = format!("it is being traced, by process {}", member.status.tracerpid);
        found.add(member, Kind::Tracer, None, what, "detach the tracer (a debugger, strace)");
    }
}

/// CRIU freezes the cgroup first. By the freezer of cgroup v1 a stopped process does not answer PTRACE_SEIZE, whose wait
/// in the kernel has no end: CRIU hangs until it is killed.
fn stopped(tree: &Tree, member: &Member, found: &mut Findings) {
    if member.status.state.starts_with('T') && tree.cgroup.as_ref().is_some_and(Cgroup::is_v1) {
        let what = "it is stopped by a signal; on this host, with cgroup v1, CRIU hangs over it";
        found.add(member, Kind::Stopped, None, what, "continue it (SIGCONT) before the checkpoint");
    }
}

/// CRIU reads resource limits with prlimit(2), which asks for CAP_SYS_RESOURCE in the process's user namespace unless
/// all of its ids are the caller's: "Can't get rlimit 0: Operation not permitted". Who has made a user namespace has
/// every capability in it.
fn user(member: &Member, found: &mut Findings) {
    let status = &member.status;
    let ids = [status.ruid, status.euid, status.suid, status.rgid, status.egid, status.sgid];
    if ids.iter().all(|id| *id == 0) || has_capability(CAP_SYS_RESOURCE) {
        return;
    }
    if member.namespace("user") == own_namespace("user") {
        let what = format!(
            "a process of user {} and group {}; CAP_SYS_RESOURCE, which its dump needs, is withheld from the daemon",
            status.euid, status.egid
        );
        let remedy = "run the daemon where root has all capabilities, or the container's processes as user and group 0";
        found.add(member, Kind::User, None, what, remedy);
    }
}
