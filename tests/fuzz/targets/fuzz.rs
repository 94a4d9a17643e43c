//! libFuzzer's side: feeds one of `containerd_rest::fuzzing::TARGETS`, which FUZZ_TARGET names. See scripts/fuzz-targets.

#![no_main]

use std::sync::LazyLock;

use containerd_rest::fuzzing::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET={name} is none of {:?}", TARGETS.map(|(name, _)| name))).1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    TARGET(bytes);
});
