//! Models of checkpoints to and from the supervisor's types.

use containerd_rest_api as api;

use super::time;
use crate::runtime::images::{Descriptor, Dumped, Mounted};
use crate::runtime::options::CriuOptions;
use crate::supervisor::{CheckpointOptions, Entry, LogOf, Order, Report, Work};

pub(in crate::api) fn checkpoint_options(
    body: Option<api::CreateCheckpoint>,
    preflight: Option<bool>,
    key: Option<String>,
) -> CheckpointOptions {
    let body = body.unwrap_or_default();
    let criu = criu_options(body.tcp, body.unix_sockets, body.shell, body.file_locks);
    CheckpointOptions {
        exit: body.exit.unwrap_or(false),
        criu,
        pre_dumps: body.pre_dumps.and_then(|rounds| u32::try_from(rounds).ok()).unwrap_or(0),
        preflight: preflight.unwrap_or(true),
        key,
    }
}

pub(in crate::api) fn criu_options(
    tcp: Option<bool>,
    unix_sockets: Option<bool>,
    shell: Option<bool>,
    file_locks: Option<bool>,
) -> CriuOptions {
    CriuOptions {
        tcp: tcp.unwrap_or(false),
        unix_sockets: unix_sockets.unwrap_or(false),
        shell: shell.unwrap_or(false),
        file_locks: file_locks.unwrap_or(false),
    }
}

pub(in crate::api) fn order(sort: api::ListCheckpointsSort) -> Order {
    match sort {
        api::ListCheckpointsSort::Oldest => Order::Oldest,
        api::ListCheckpointsSort::Newest => Order::Newest,
        api::ListCheckpointsSort::Name => Order::Name,
        api::ListCheckpointsSort::Largest => Order::Largest,
    }
}

pub(in crate::api) fn checkpoint(entry: Entry) -> api::Checkpoint {
    let Entry { checkpoint, size, processes, obstacles } = entry;
    let host = checkpoint.host();
    api::Checkpoint {
        exit: checkpoint.exit,
        pre_dumps: i32::try_from(checkpoint.pre_dumps).ok().filter(|rounds| *rounds > 0),
        size: number(size),
        container: checkpoint.container().map(str::to_owned),
        criu: host.map(|host| host.criu.clone()),
        runtime: host.map(|host| host.runc.clone()),
        kernel: host.map(|host| host.kernel.clone()),
        processes: processes.into_iter().map(dumped).collect(),
        restorable: obstacles.is_empty(),
        obstacles: Some(obstacles).filter(|obstacles| !obstacles.is_empty()),
        name: checkpoint.name.to_string(),
        tcp: checkpoint.options.tcp,
        unix_sockets: checkpoint.options.unix_sockets,
        shell: checkpoint.options.shell,
        file_locks: checkpoint.options.file_locks,
        timestamp: time(checkpoint.created),
    }
}

fn dumped(process: Dumped) -> api::DumpedProcess {
    api::DumpedProcess {
        pid: i64::from(process.pid),
        parent: i64::from(process.parent),
        command: process.command,
        threads: i64::try_from(process.threads).unwrap_or(i64::MAX),
    }
}

pub(in crate::api) fn report(report: Report) -> api::CheckpointReport {
    let Report { entry, details, mounts, stats } = report;
    let pids: Vec<u32> = entry.processes.iter().map(|process| process.pid).collect();
    let processes = pids.into_iter().zip(details).map(|(pid, details)| api::DumpedMemory {
        pid: i64::from(pid),
        memory: number(details.memory),
        descriptors: details.descriptors.into_iter().map(descriptor).collect(),
    });
    api::CheckpointReport {
        processes: processes.collect(),
        mounts: mounts.into_iter().map(mount).collect(),
        frozen_micros: stats.map(|stats| number(stats.frozen_micros)),
        memory: stats.map(|stats| number(stats.memory)),
        checkpoint: checkpoint(entry),
    }
}

fn descriptor(open: Descriptor) -> api::DumpedDescriptor {
    api::DumpedDescriptor { number: i64::from(open.number), kind: open.kind.to_owned(), what: open.what }
}

fn mount(mount: Mounted) -> api::DumpedMount {
    let source = Some(mount.source).filter(|source| !source.is_empty());
    api::DumpedMount { path: mount.path, source, root: mount.root, external: mount.external }
}

pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn operation(of: LogOf) -> api::ProgressOperation {
    match of {
        LogOf::Dump => api::ProgressOperation::Checkpoint,
        LogOf::Restore => api::ProgressOperation::Restore,
    }
}

/// How far what is under way is.
pub(super) fn progress(work: &Work) -> api::Progress {
    api::Progress {
        operation: operation(work.of),
        checkpoint: work.checkpoint.to_string(),
        bytes: work.done().map(number),
        total: number(work.total),
        since: Some(time(work.since)),
    }
}
