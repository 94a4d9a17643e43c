//! Whether a checkpoint's processes would have rights that the bundle does not give: what is restored is what the images
//! say, and they may be older than the bundle, or made up. What can be read of them is held against config.json:
//! capabilities, namespaces, the filter of system calls, the profile of AppArmor or SELinux, no-new-privileges.
//!
//! Users are not: a process may have become another by rights that it has. A rule may forbid root.

use std::collections::BTreeSet;

use oci_spec::runtime::{Capability, LinuxSeccompAction, Spec};

use super::Checkpoint;
use super::fit::damaged;
use crate::runtime::bundle::Bundle;
use crate::runtime::images::{self, Rights};

/// Those of a checkpoint's threads; or why the images cannot be read.
pub(in crate::supervisor) fn of(checkpoint: &Checkpoint) -> Result<Vec<Rights>, String> {
    images::rights(&checkpoint.images).map_err(|error| damaged(&error))
}

/// What of them the bundle does not give, a sentence each.
pub(in crate::supervisor) fn excess(
    all: &[Rights],
    command: impl Fn(u32) -> Option<String>,
    bundle: &Bundle,
) -> Vec<String> {
    let given = Given::of(bundle.spec());
    let name =
        |pid: u32| command(pid).map_or_else(|| pid.to_string(), |command| format!("{pid} ({command})"));
    // Threads of a process say the same.
    let told: BTreeSet<String> = all
        .iter()
        .flat_map(|one| given.lacks(one).map(|what| format!("process {} {what}", name(one.pid))))
        .collect();
    told.into_iter().collect()
}

/// What a bundle gives.
struct Given {
    capabilities: u64,
    filtered: bool,
    no_new_privileges: bool,
    profile: Option<String>,
    namespaces: Vec<String>,
}

impl Given {
    fn of(spec: &Spec) -> Self {
        let process = spec.process().as_ref();
        let sets = process.and_then(|process| process.capabilities().as_ref());
        let sets = sets.into_iter().flat_map(|sets| {
            [sets.bounding(), sets.effective(), sets.permitted(), sets.inheritable(), sets.ambient()]
        });
        let named: Vec<&Capability> = sets.flat_map(|set| set.iter().flatten()).collect();
        let linux = spec.linux().as_ref();
        let filter = linux.and_then(|linux| linux.seccomp().as_ref());
        let profile = process.and_then(|process| {
            process.apparmor_profile().clone().or_else(|| process.selinux_label().clone())
        });
        let namespaces = linux.and_then(|linux| linux.namespaces().as_ref()).into_iter().flatten();
        // One that is another's may be the host's.
        let own = namespaces.filter(|one| one.path().is_none());
        Self {
            capabilities: named.into_iter().filter_map(bit).fold(0, |all, bit| all | bit),
            // runc puts none in where it would let everything through.
            filtered: filter.is_some_and(|filter| {
                filter.default_action() != LinuxSeccompAction::ScmpActAllow
                    || filter.syscalls().as_ref().is_some_and(|calls| !calls.is_empty())
            }),
            no_new_privileges: process.and_then(|process| process.no_new_privileges()).unwrap_or(false),
            // Of one that is not confined CRIU writes none.
            profile: profile.filter(|profile| !profile.is_empty() && profile != "unconfined"),
            namespaces: own
                .filter_map(|one| serde_json::to_value(one.typ()).ok()?.as_str().map(str::to_owned))
                .collect(),
        }
    }

    /// What a thread has beyond that.
    fn lacks(&self, rights: &Rights) -> impl Iterator<Item = String> {
        let beyond = rights.capabilities & !self.capabilities;
        let names = NUMBERED.iter().enumerate().filter(|(number, _)| beyond >> number & 1 == 1);
        let mut found: Vec<String> = names.map(|(_, name)| format!("has CAP_{name}")).collect();
        if beyond >> NUMBERED.len() != 0 {
            found.push("has capabilities that are not known here".to_owned());
        }
        if self.filtered && !rights.filtered {
            found.push("has no filter of system calls".to_owned());
        }
        if self.no_new_privileges && !rights.no_new_privileges {
            found.push("may gain privileges by what it runs".to_owned());
        }
        if self.profile.is_some() && rights.profile != self.profile {
            let profile = rights.profile.as_deref().unwrap_or("no profile");
            found.push(format!("is confined by {profile}"));
        }
        let shared =
            rights.host_namespaces.iter().filter(|kind| self.namespaces.iter().any(|own| own == *kind));
        found.extend(shared.map(|kind| format!("is in the host's namespace ({kind})")));
        found.into_iter()
    }
}

/// By their numbers (linux/capability.h).
const NUMBERED: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

fn bit(capability: &Capability) -> Option<u64> {
    let name = capability.to_string();
    Some(1 << NUMBERED.iter().position(|known| *known == name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_that_a_bundle_can_name_has_a_number() {
        for name in NUMBERED {
            let capability: Capability = serde_json::from_value(format!("CAP_{name}").into()).unwrap();
            assert!(bit(&capability).is_some(), "{name}");
        }
        assert_eq!(bit(&Capability::SysAdmin), Some(1 << 21));
    }
}
