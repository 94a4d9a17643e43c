//! The processor, as far as a dumped process depends on it.

use std::collections::BTreeSet;
use std::fs;

use serde::{Deserialize, Serialize};

/// An architecture, and what it can do beyond its least.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// As uname(2) names it.
    pub architecture: String,
    /// The instructions beyond the architecture's least, as /proc/cpuinfo names them: a program asks for them once, and
    /// then takes them for given.
    pub flags: BTreeSet<String>,
}

impl Cpu {
    /// This host's.
    pub fn of_host() -> Self {
        let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self { architecture: std::env::consts::ARCH.to_owned(), flags: flags(&text) }
    }

    /// What a process that ran on `self` misses on another: none is what it should be.
    pub fn missing_on(&self, other: &Self) -> Vec<String> {
        self.flags.difference(&other.flags).cloned().collect()
    }
}

fn flags(cpuinfo: &str) -> BTreeSet<String> {
    let line = cpuinfo.lines().find_map(|line| {
        let (name, flags) = line.split_once(':')?;
        // Arm's name is the second.
        matches!(name.trim(), "flags" | "Features").then_some(flags)
    });
    line.unwrap_or_default()
        .split_whitespace()
        .filter(|flag| is_instruction(flag))
        .map(str::to_owned)
        .collect()
}

/// Of x86 /proc/cpuinfo also names what the kernel makes of it, which changes with the kernel; of others what programs
/// may use.
fn is_instruction(flag: &str) -> bool {
    const FAMILIES: [&str; 7] = ["avx", "amx", "sse", "xsave", "bmi", "3dnow", "fma"];
    const OTHERS: [&str; 27] = [
        "abm",
        "adx",
        "aes",
        "clflushopt",
        "clwb",
        "cmpccxadd",
        "cx16",
        "f16c",
        "fsgsbase",
        "gfni",
        "hle",
        "lahf_lm",
        "movbe",
        "movdir64b",
        "movdiri",
        "pclmulqdq",
        "pku",
        "pni",
        "popcnt",
        "rdpid",
        "rdrand",
        "rdseed",
        "rdtscp",
        "rtm",
        "sha_ni",
        "vaes",
        "vpclmulqdq",
    ];
    let x86 = cfg!(any(target_arch = "x86", target_arch = "x86_64"));
    !x86 || OTHERS.contains(&flag)
        || FAMILIES.iter().any(|family| flag.starts_with(family))
        || matches!(flag, "ssse3" | "tbm" | "xop" | "xgetbv1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_processor_lacks_is_named() {
        let cpu = |text: &str| Cpu { architecture: "x".into(), flags: flags(text) };
        let (new, old) = (cpu("a: b\nflags\t\t: fpu avx avx512f pti\nflags : no\n"), cpu("flags: fpu avx\n"));
        assert_eq!(new.missing_on(&old), ["avx512f"]);
        assert!(old.missing_on(&new).is_empty());
    }
}
