//! Whether a checkpoint can go on here: on this host's CRIU and processor, and with the bundle as it is now. Told
//! before anything is touched, rather than by a restore that fails late.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Checkpoint;
use crate::runtime::bundle::{Shared, below};
use crate::runtime::cpu::Cpu;
use crate::runtime::images::{self, Dumped};
use crate::runtime::netns::listening;
use crate::runtime::process::name_of;

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
    let whole = || {
        checkpoint.check_links()?;
        for round in checkpoint.rounds() {
            images::pages_whole(&round)?;
        }
        images::whole(&checkpoint.images)
    };
    whole().map_err(|error| damaged(&error))
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
            let taken = i32::try_from(process.pid).ok().and_then(name_of);
            if let Some(other) = taken {
                found
                    .push(format!("the pid {} of its {} is that of a {other}", process.pid, process.command));
            }
        }
    }
    if shared.network {
        let wanted = images::listening(&checkpoint.images).unwrap_or_default();
        // The daemon's own network namespace is that of a container that has none.
        let taken: Vec<SocketAddr> = if wanted.is_empty() {
            Vec::new()
        } else {
            listening().map(|socket| socket.local_address).collect()
        };
        for address in wanted {
            if let Some(other) = taken.iter().find(|other| excludes(**other, address)) {
                found.push(format!("it listens at {address}, and somebody else does at {other}"));
            }
        }
    }
    found
}

/// Whether nobody can listen at one address while somebody does at the other: they are the same, or one is every
/// address of its family; every one of IPv6's takes IPv4's too (ipv6(7), IPV6_V6ONLY is off).
fn excludes(one: SocketAddr, other: SocketAddr) -> bool {
    let (here, there) = (one.ip().to_canonical(), other.ip().to_canonical());
    let takes = |all: IpAddr, one: IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
    one.port() == other.port() && (here == there || takes(here, there) || takes(there, here))
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
                let at = below(at, key);
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
    fn an_address_excludes_those_that_cannot_be_listened_at_beside_it() {
        for (one, other, excluded) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "127.0.0.2:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
            ("[::]:80", "127.0.0.1:80", true),
            ("[::]:80", "[::1]:80", true),
            ("[::1]:80", "127.0.0.1:80", false),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true),
        ] {
            let (a, b) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!((excludes(a, b), excludes(b, a)), (excluded, excluded), "{one} {other}");
        }
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
