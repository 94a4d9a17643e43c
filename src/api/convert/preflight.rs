//! Models of the preflight to and from the runtime's types.

use containerd_rest_api as api;

use crate::runtime::preflight::{Blocker, Kind};
use crate::supervisor::Preflight;

pub(in crate::api) fn preflight(found: Preflight) -> api::CheckpointPreflight {
    let Preflight { blockers, refused, obstacles } = found;
    let possible = blockers.is_empty() && refused.is_none();
    let obstacles: Vec<String> = refused.into_iter().chain(obstacles).collect();
    api::CheckpointPreflight {
        possible,
        blockers: blockers.iter().map(blocker).collect(),
        obstacles: Some(obstacles).filter(|obstacles| !obstacles.is_empty()),
    }
}

pub(in crate::api) fn blocker(blocker: &Blocker) -> api::CheckpointBlocker {
    use api::CheckpointBlockerKind as To;
    api::CheckpointBlocker {
        kind: match blocker.kind {
            Kind::OutsideFile => To::OutsideFile,
            Kind::UnlinkedFile => To::UnlinkedFile,
            Kind::UnixSocket => To::UnixSocket,
            Kind::TcpConnection => To::TcpConnection,
            Kind::UnacceptedConnection => To::UnacceptedConnection,
            Kind::SocketFamily => To::SocketFamily,
            Kind::NetlinkData => To::NetlinkData,
            Kind::FileLock => To::FileLock,
            Kind::FileWatch => To::FileWatch,
            Kind::Device => To::Device,
            Kind::Descriptor => To::Descriptor,
            Kind::IoUring => To::IoUring,
            Kind::PacketPipe => To::PacketPipe,
            Kind::Terminal => To::Terminal,
            Kind::Session => To::Session,
            Kind::SharedMemory => To::SharedMemory,
            Kind::Namespace => To::Namespace,
            Kind::Chroot => To::Chroot,
            Kind::Clone => To::Clone,
            Kind::Vfork => To::Vfork,
            Kind::Tracer => To::Tracer,
            Kind::Stopped => To::Stopped,
            Kind::User => To::User,
        }
        .to_string(),
        pid: blocker.pid,
        process: blocker.process.clone(),
        descriptor: blocker.descriptor,
        what: blocker.what.clone(),
        remedy: blocker.remedy.clone(),
    }
}
