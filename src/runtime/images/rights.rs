//! What a dump's processes may do. CRIU gives them back what is written in the images and asks nobody else: runc restores
//! none of what config.json says of it.

use std::io;
use std::path::Path;

use prost::Message;

use super::image::{Image, first};
use super::{MOST_PROCESSES, PstreeEntry};
use crate::runtime::regular::wrong;

/// What a thread of a dump may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Its process.
    pub pid: u32,
    /// Whether any of its users is 0, in its own user namespace.
    pub is_root: bool,
    /// Every capability that it has, or could get: a bit each, by its number (capabilities(7)).
    pub capabilities: u64,
    /// Whether its system calls are filtered.
    pub filtered: bool,
    /// Whether no program that it runs gives it more.
    pub no_new_privileges: bool,
    /// Its profile of AppArmor, or its label of SELinux.
    pub profile: Option<String>,
    /// The kinds of namespaces that it has in common with the host that it was dumped on.
    pub host_namespaces: Vec<&'static str>,
}

/// `task_state` of `core.proto`, of one that goes on: alive or stopped (CRIU's `task_alive`).
const ALIVE: [u32; 2] = [1, 3];
/// `seccomp_mode` of the same.
const FILTER: u32 = 2;

/// Those of each thread; a process that has ended and was not waited for has none. Of every other something is told, or the
/// images are not whole.
pub fn rights(images: &Path) -> io::Result<Vec<Rights>> {
    let host = needed::<Inventory>(images, "inventory.img")?.root_ids;
    let host = host.ok_or_else(|| wrong("inventory.img does not tell of the host's namespaces"))?;
    let mut found = Vec::new();
    let mut image = Image::open(&images.join("pstree.img"))?;
    while let Some(process) = image.next::<PstreeEntry>()? {
        let core: Core = needed(images, &format!("core-{}.img", process.pid))?;
        // One that is to be waited for yet: CRIU has it do nothing but end.
        if core.task.is_none_or(|task| !ALIVE.contains(&task.state)) {
            continue;
        }
        let host_namespaces = needed::<Ids>(images, &format!("ids-{}.img", process.pid))?.shared(&host);
        for thread in process.threads {
            if found.len() == MOST_PROCESSES {
                return Err(image.wrong("names more threads than there can be"));
            }
            let name = format!("core-{thread}.img");
            let core: Core = needed(images, &name)?;
            let old_mode = core.task.and_then(|task| task.seccomp_mode);
            let Some(Thread { creds: Some(creds), seccomp_mode }) = core.thread else {
                return Err(wrong(&format!("{name} does not tell what the thread may do")));
            };
            found.push(Rights {
                pid: process.pid,
                is_root: [creds.uid, creds.euid, creds.suid, creds.fsuid].contains(&0),
                capabilities: creds.capabilities(),
                filtered: seccomp_mode.or(old_mode) == Some(FILTER),
                no_new_privileges: creds.no_new_privs == Some(1),
                profile: creds.lsm_profile.filter(|profile| !profile.is_empty()),
                host_namespaces: host_namespaces.clone(),
            });
        }
    }
    Ok(found)
}

/// Without it CRIU would restore by other rules than those that are read here.
fn needed<M: Message + Default>(images: &Path, name: &str) -> io::Result<M> {
    first(&images.join(name))?.ok_or_else(|| wrong(&format!("{name} is not there, or empty")))
}

impl Creds {
    /// 32 a word, the lowest first.
    fn capabilities(&self) -> u64 {
        let set =
            |words: &[u32]| words.iter().take(2).rev().fold(0_u64, |set, word| set << 32 | u64::from(*word));
        [&self.inheritable, &self.permitted, &self.effective, &self.bounding]
            .into_iter()
            .fold(0, |all, words| all | set(words))
    }
}

impl Ids {
    /// CRIU makes no namespace for a process that has the number of the host's, or none.
    fn shared(&self, host: &Self) -> Vec<&'static str> {
        let kinds = [
            ("pid", self.pid, host.pid),
            ("network", self.net, host.net),
            ("ipc", self.ipc, host.ipc),
            ("uts", self.uts, host.uts),
            ("mount", self.mnt, host.mnt),
            ("user", self.user, host.user),
        ];
        kinds.into_iter().filter(|(_, own, host)| own == host).map(|(kind, ..)| kind).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Inventory {
    #[prost(message, optional, tag = "3")]
    root_ids: Option<Ids>,
}

/// `task_kobj_ids_entry`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Ids {
    #[prost(uint32, tag = "5")]
    pid: u32,
    #[prost(uint32, tag = "6")]
    net: u32,
    #[prost(uint32, tag = "7")]
    ipc: u32,
    #[prost(uint32, tag = "8")]
    uts: u32,
    #[prost(uint32, tag = "9")]
    mnt: u32,
    #[prost(uint32, tag = "10")]
    user: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Core {
    #[prost(message, optional, tag = "3")]
    task: Option<Task>,
    #[prost(message, optional, tag = "5")]
    thread: Option<Thread>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Task {
    #[prost(uint32, tag = "1")]
    state: u32,
    /// Before CRIU 3.13.
    #[prost(uint32, optional, tag = "11")]
    seccomp_mode: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Thread {
    #[prost(message, optional, tag = "10")]
    creds: Option<Creds>,
    #[prost(uint32, optional, tag = "11")]
    seccomp_mode: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Creds {
    #[prost(uint32, tag = "1")]
    uid: u32,
    #[prost(uint32, tag = "3")]
    euid: u32,
    #[prost(uint32, tag = "5")]
    suid: u32,
    #[prost(uint32, tag = "7")]
    fsuid: u32,
    #[prost(uint32, repeated, packed = "false", tag = "9")]
    inheritable: Vec<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "10")]
    permitted: Vec<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "11")]
    effective: Vec<u32>,
    #[prost(uint32, repeated, packed = "false", tag = "12")]
    bounding: Vec<u32>,
    #[prost(string, optional, tag = "15")]
    lsm_profile: Option<String>,
    #[prost(uint32, optional, tag = "18")]
    no_new_privs: Option<u32>,
}
