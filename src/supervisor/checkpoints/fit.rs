//! Whether a checkpoint can go on here: on this host's CRIU and processor, and with the bundle as it is now. Told
//! before anything is touched, rather than by a restore that fails late.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Checkpoint;
use crate::runtime::bundle::Shared;
use crate::runtime::cpu::Cpu;
use crate::runtime::images::{self, Dumped};

/// What of a host a dumped process depends on.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// runc's version.
    pub runc: String,
    /// CRIU's version.
    pub criu: String,
    /// The kernel's release.
    pub kernel: String,
    /// Its processor; an older daemon did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
}

/// Why a checkpoint cannot be restored on this host, a sentence each; none when it can, as far as can be known.
pub(in crate::supervisor) fn unfit(checkpoint: &Checkpoint, here: &Host) -> Vec<String> {
    let mut reasons = Vec::new();
    let Some(there) = checkpoint.host() else { return reasons };
    if let (Some(made), Some(have)) = (version(&there.criu), version(&here.criu))
        && made > have
    {
        reasons.push(format!(
            "it was made by CRIU {}, and here is {}, which may not know what it has written: install that one or a newer",
            there.criu, here.criu
        ));
    }
    let (Some(made), Some(have)) = (&there.cpu, &here.cpu) else { return reasons };
    if made.architecture != have.architecture {
        reasons.push(format!("it was made on {}, and this is {}", made.architecture, have.architecture));
        return reasons;
    }
    let missing = made.missing_on(have);
    if !missing.is_empty() {
        reasons.push(format!(
            "its processes may use instructions that this processor lacks: {}",
            missing.join(", ")
        ));
    }
    reasons
}

/// Its processes, or why its images cannot be restored anywhere.
pub(in crate::supervisor) fn processes(checkpoint: &Checkpoint) -> Result<Vec<Dumped>, String> {
    images::whole(&checkpoint.images).map_err(|error| damaged(&error))
}

/// What is said of images that cannot be read.
pub(in crate::supervisor) fn damaged(error: &std::io::Error) -> String {
    format!("its images are damaged: {error}")
}

/// What of the host's a checkpoint needs and somebody else has, a sentence each: pids and ports of a container that
/// shares them with the host.
pub(in crate::supervisor) fn conflicts(
    checkpoint: &Checkpoint,
    processes: &[Dumped],
    shared: Shared,
) -> Vec<String> {
    let mut found = Vec::new();
    if shared.pids {
        for process in processes {
            let taken = fs::read_to_string(format!("/proc/{}/comm", process.pid));
            if let Ok(other) = taken {
                found.push(format!(
                    "the pid {} of its {} is that of a {}",
                    process.pid,
                    process.command,
                    other.trim()
                ));
            }
        }
    }
    if shared.network {
        let mut ports = images::listening(&checkpoint.images).unwrap_or_default();
        ports.retain(|port| is_listened_at(*port));
        found.extend(
            ports.into_iter().map(|port| format!("it listens at port {port}, and so does somebody else")),
        );
    }
    found
}

/// In the daemon's own network namespace, which is that of a container that has none.
fn is_listened_at(port: u16) -> bool {
    let listens = |line: &str| {
        // `sl local_address rem_address st` (proc_net_tcp in the kernel's documentation); 0A is LISTEN.
        let mut words = line.split_whitespace().skip(1);
        let (local, state) = (words.next().unwrap_or_default(), words.nth(1));
        state == Some("0A")
            && local.rsplit(':').next().and_then(|hex| u16::from_str_radix(hex, 16).ok()) == Some(port)
    };
    let files = ["/proc/net/tcp", "/proc/net/tcp6"];
    files.iter().any(|file| fs::read_to_string(file).unwrap_or_default().lines().any(listens))
}

/// `4.2.1` and `4.2`, to be compared; what is no version is compared with nothing.
fn version(text: &str) -> Option<Vec<u32>> {
    let numbers = text.split_whitespace().next()?.trim_start_matches('v');
    let numbers = numbers.split(['-', '+', '~']).next()?;
    numbers.split('.').map(|number| number.parse().ok()).collect()
}

/// How the bundle's config.json differs from what it was when the container was started that was dumped, as JSON
/// pointers; none when it means the same. An older daemon's checkpoint does not tell.
pub(in crate::supervisor) fn changes(checkpoint: &Checkpoint, config: &[u8]) -> Vec<String> {
    let Some(before) = checkpoint.config() else { return Vec::new() };
    if before == config {
        return Vec::new();
    }
    let (Ok(before), Ok(now)) = (serde_json::from_slice(&before), serde_json::from_slice(config)) else {
        return vec!["/".to_owned()];
    };
    let mut found = Vec::new();
    differ("", &before, &now, &mut found);
    found
}

/// The same of the bundle on the disk; one that cannot be read is another matter, told when it is started.
pub(in crate::supervisor) fn changes_of(checkpoint: &Checkpoint, bundle: &Path) -> Vec<String> {
    let now = crate::runtime::bundle::read_config(&bundle.join("config.json"));
    now.map(|config| changes(checkpoint, &config)).unwrap_or_default()
}

fn differ(at: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            let keys: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
            for key in keys {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                let of = |all: &serde_json::Map<String, Value>| all.get(key).cloned().unwrap_or(Value::Null);
                differ(&at, &of(before), &of(now), found);
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                differ(&format!("{at}/{index}"), before, now, found);
            }
        }
        (before, now) if before == now => {}
        _ => found.push(if at.is_empty() { "/".to_owned() } else { at.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(version("4.10") > version("4.2.1"));
        assert!(version("4.2.1") > version("4.2"));
        assert_eq!(version("v4.2-dirty"), version("4.2"));
        assert_eq!(version("garbage"), None);
    }

    #[test]
    fn what_changed_is_pointed_at_and_order_and_spaces_do_not_count() {
        let before = serde_json::json!({ "a": { "b/c": [1, 2], "d": 1 }, "e": null, "f": [1] });
        let now = serde_json::json!({ "f": [1, 2], "a": { "d": 1, "b/c": [1, 3] }, "g": 1 });
        let mut found = Vec::new();
        differ("", &before, &now, &mut found);
        assert_eq!(found, ["/a/b~1c/1", "/f", "/g"]);
    }
}
