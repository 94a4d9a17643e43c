//! How large the programs are on the disk; and, when asked, how long a build of ours from nothing takes.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::contenders::OURS;
use crate::{Bench, host};

const SECTION: &str = "sizes";

pub(crate) fn measure(bench: &mut Bench, build: bool) {
    let shim = bench.program.with_file_name("containerd-rest-shim");
    let programs = [
        ("daemon", OURS, Some(bench.program.clone())),
        ("daemon", "containerd", host::find("containerd")),
        ("daemon", "podman", host::find("podman")),
        ("shim", OURS, Some(shim)),
        ("shim", "containerd", host::find("containerd-shim-runc-v2")),
        ("shim", "podman", host::find("conmon")),
    ];
    for (name, who, file) in programs {
        let size = file.and_then(|file| std::fs::metadata(file).ok()).map(|meta| meta.len());
        if let Some(size) = size {
            #[expect(clippy::cast_precision_loss)]
            bench.results.round(SECTION, name, who, "MiB", size as f64 / f64::from(1 << 20));
        }
    }
    if build {
        bench.results.round(SECTION, "build from nothing", OURS, "s", built(&bench.work));
    }
}

fn built(work: &Path) -> f64 {
    eprintln!("sizes: building from nothing");
    let begun = Instant::now();
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked", "--quiet", "--bins", "--target-dir"])
        .arg(work.join("target"));
    let status = cargo.status();
    assert!(status.is_ok_and(|status| status.success()), "cargo build");
    begun.elapsed().as_secs_f64()
}
