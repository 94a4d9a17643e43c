//! The settings that say how much there may be.

use std::time::Duration;

use super::Settings;
use crate::http::Limits;
use crate::supervisor::Bounds;

/// Of sizes, in bytes.
const KIB: usize = 1024;

impl Settings {
    pub(super) fn limits(&self, file: &Self) -> Limits {
        let or = |flag: Option<u32>, file: Option<u32>, default: usize, unit: usize| {
            let set = flag.or(file).and_then(|set| usize::try_from(set).ok());
            set.map_or(default, |set| set.saturating_mul(unit))
        };
        let time = |flag: Option<u64>, file: Option<u64>, default: Duration| {
            flag.or(file).map_or(default, Duration::from_secs)
        };
        let most = Limits::default();
        Limits {
            connections: or(self.max_connections, file.max_connections, most.connections, 1),
            connections_per_user: or(
                self.max_connections_per_user,
                file.max_connections_per_user,
                most.connections_per_user,
                1,
            ),
            streams_per_caller: or(
                self.max_streams_per_caller,
                file.max_streams_per_caller,
                most.streams_per_caller,
                1,
            ),
            head: or(self.max_head_size, file.max_head_size, most.head, KIB),
            bodies: or(self.max_bodies_size, file.max_bodies_size, most.bodies, KIB * KIB),
            head_time: time(self.head_timeout, file.head_timeout, most.head_time),
            stall_time: time(self.stall_timeout, file.stall_timeout, most.stall_time),
        }
    }

    pub(super) fn bounds(&self, file: &Self) -> Bounds {
        let most = Bounds::default();
        let number = |set: Option<u32>, default: usize| {
            set.and_then(|set| usize::try_from(set).ok()).unwrap_or(default)
        };
        let size =
            |set: Option<u32>, default: u64, unit: u64| set.map_or(default, |set| u64::from(set) * unit);
        Bounds {
            starts: number(self.max_starts.or(file.max_starts), most.starts),
            containers: number(self.max_containers.or(file.max_containers), most.containers),
            log: size(self.max_log_size.or(file.max_log_size), most.log, 1 << 20),
            checkpoints: size(
                self.max_checkpoints_size.or(file.max_checkpoints_size),
                most.checkpoints,
                1 << 20,
            ),
        }
    }
}
