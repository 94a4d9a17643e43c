//! The kinds of problems: those that the contract lists (`ProblemType`), each with its status and its title. There is no
//! other, and none is left out: the compiler sees to both.

use containerd_rest_api::ProblemType;

/// The status and the title of a kind.
pub(super) const fn of(kind: ProblemType) -> (i32, &'static str) {
    use ProblemType as T;
    match kind {
        T::ArchiveCutOff => (400, "The archive was cut off"),
        T::ArchiveUnreadable => (400, "Not an archive that can be read"),
        T::MalformedRequest => (400, "The request cannot be read"),
        T::BadToken => (401, "The token lets nobody in"),
        T::BundleUnsafe => (403, "Others could change the bundle"),
        T::ForeignSite => (403, "The request is another site's"),
        T::NotAllowed => (403, "You may not use this daemon"),
        T::Policy => (403, "The rules forbid it"),
        T::ReadOnly => (403, "You may only look"),
        T::BundleNotFound => (404, "No such bundle"),
        T::CheckpointNotFound => (404, "No such checkpoint"),
        T::ContainerNotFound => (404, "No such container"),
        T::LogNotFound => (404, "No such log"),
        T::PathNotFound => (404, "No such path"),
        T::ProcessNotFound => (404, "No such process in this container"),
        T::MethodNotAllowed => (405, "No such method here"),
        T::ArchiveStalled => (408, "The archive did not come"),
        T::BundleChanged => (409, "The bundle has changed"),
        T::Cancelled => (409, "It was called off"),
        T::CgroupTaken => (409, "The cgroup is somebody else's"),
        T::CheckpointBlocked => (409, "Something in the container cannot be dumped"),
        T::CheckpointBusy => (409, "The checkpoint is in use"),
        T::CheckpointExists => (409, "The checkpoint's name is taken"),
        T::CheckpointKept => (409, "The checkpoint has another name"),
        T::CheckpointNotPortable => (409, "No archive can be made of it"),
        T::CheckpointRights => (409, "The checkpoint has rights that its bundle does not give"),
        T::CheckpointUnfit => (409, "The checkpoint cannot be restored here"),
        T::FeatureUnavailable => (409, "This host cannot do that"),
        T::HostConflict => (409, "Something of the host's is taken"),
        T::NameTaken => (409, "The name is taken"),
        T::NothingUnderWay => (409, "There is nothing to call off"),
        T::OutcomeUnknown => (409, "It may have happened"),
        T::PagesLoading => (409, "The container's memory is not all in yet"),
        T::RecordSetAside => (409, "An unreadable record is in the way"),
        T::WrongState => (409, "The container is in another state"),
        T::BodyTooLarge => (413, "The body is too large"),
        T::ArchiveDamaged => (422, "The archive is damaged"),
        T::ArchiveRefused => (422, "Not an archive of a checkpoint"),
        T::ArchiveVersion => (422, "The archive is of a newer daemon"),
        T::BundleInvalid => (422, "Not a bundle that can be started"),
        T::IdempotencyKeyReused => (422, "The idempotency key is another request's"),
        T::InvalidRequest => (422, "The request is wrong"),
        T::TooManyConnections => (429, "Too many connections"),
        T::TooManyStreams => (429, "Too many answers stay open"),
        T::BundleUnreadable => (500, "The bundle cannot be read"),
        T::CheckpointHidden => (500, "The checkpoint has no name"),
        T::HostFailed => (500, "The host refused"),
        T::Internal => (500, "The daemon failed"),
        T::RuntimeFailed => (500, "The runtime failed"),
        T::ShimFailed => (500, "The shim could not be started"),
        T::ShimLost => (500, "The container's shim is gone"),
        T::StorageFailed => (500, "A file could not be read or written"),
        T::ArchivesBusy => (503, "Too many archives at once"),
        T::CriuUnavailable => (503, "CRIU cannot be used"),
        T::RuntimeUnavailable => (503, "The runtime cannot be run"),
        T::ShuttingDown => (503, "The daemon is shutting down"),
        T::TooManyBodies => (503, "Too many bodies at once"),
        T::TooManyContainers => (503, "Too many containers"),
        T::TooManyStarts => (503, "Too many starts at once"),
        T::RuntimeTimeout => (504, "The runtime hung"),
        T::Undying => (504, "The container does not end"),
        T::NoSpace => (507, "There is no room on the disk"),
    }
}

/// Of a refusal, whether it tells of something that was done: a dump that has another name, or work that was called off.
pub(super) const fn is_outcome(kind: ProblemType) -> bool {
    matches!(kind, ProblemType::CheckpointKept | ProblemType::Cancelled | ProblemType::OutcomeUnknown)
}
