//! The tag `daemon`.

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use containerd_rest_api::{
    Component, DaemonApi, Features, GetHealthResponse, GetStateResponse, GetVersionResponse, Health,
    HealthStatus, Machine, State, Version,
};

use super::{Api, convert, problem};
use crate::runtime::criu::{Criu, Feature, Features as Possible};

/// This machine's size.
pub(super) fn machine() -> Machine {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    Machine { cpus: i32::try_from(cpus).unwrap_or(i32::MAX), memory: memory().unwrap_or(0) }
}

/// proc_meminfo(5): `MemTotal`, in KiB.
fn memory() -> Option<i64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    total.split_ascii_whitespace().next()?.parse::<i64>().ok().map(|kib| kib * 1024)
}

#[async_trait]
impl DaemonApi for Api {
    async fn get_state(&self) -> GetStateResponse {
        let containers = self.supervisor.list().iter().map(convert::container).collect();
        GetStateResponse::Ok(State { containers, machine: self.machine.clone() })
    }

    async fn get_version(&self) -> GetVersionResponse {
        let versions = self.supervisor.versions();
        let found = |path: &Path, version: &str| Component {
            available: true,
            path: Some(path.to_string_lossy().into_owned()),
            version: Some(version.to_owned()),
            remedy: None,
        };
        let (criu, checkpoint, possible) = match self.supervisor.criu() {
            Criu::Works { path, version, features } => (found(path, version), true, *features),
            Criu::Unusable { path, why } => {
                let path = Some(path.to_string_lossy().into_owned());
                let remedy = Some(format!("{why}; {}", problem::CRIU_REMEDY));
                (Component { available: false, path, version: None, remedy }, false, Possible::default())
            }
        };
        GetVersionResponse::Ok(Version {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api_version: crate::http::api_version(),
            kernel: versions.kernel.clone(),
            runtime: found(self.supervisor.runc().path(), &versions.runc),
            criu,
            features: Features {
                checkpoint,
                pre_dumps: possible.has(Feature::PreDumps),
                lazy_pages: possible.has(Feature::LazyPages),
                cgroup_version: i32::from(versions.cgroup),
            },
        })
    }

    async fn get_health(&self) -> GetHealthResponse {
        GetHealthResponse::Ok(Health { status: HealthStatus::Ok })
    }
}
