//! What is done for a container unasked.

use std::sync::Arc;

use containerd_rest_api as api;

use crate::runtime::options::CriuOptions;
use crate::supervisor::{Care, Otherwise, Restart, Schedule, Start};

/// As the contract's default has it.
const KEPT: u32 = 3;

/// `None`: nothing is. Of a start whose other fields are known.
pub(super) fn care(
    start: &Start,
    restart: Option<&str>,
    restore: Option<api::StartContainerRestoreFrom>,
    otherwise: Option<api::StartContainerOtherwise>,
    schedule: Option<api::CheckpointSchedule>,
) -> Option<Arc<Care>> {
    let restart = restart.map_or(Restart::No, policy);
    let schedule = schedule.map(scheduled);
    if restart == Restart::No && schedule.is_none() {
        return None;
    }
    let restore = restore.map(|api::StartContainerRestoreFrom::Latest| match otherwise {
        None | Some(api::StartContainerOtherwise::Start) => Otherwise::Start,
        Some(api::StartContainerOtherwise::Leave) => Otherwise::Leave,
    });
    Some(Arc::new(Care {
        restart,
        restore,
        schedule,
        behalf: start.behalf,
        allow_changed_bundle: start.allow_changed_bundle,
        stdout: start.stdout.clone(),
        stderr: start.stderr.clone(),
    }))
}

/// The router has held it against the contract's pattern.
fn policy(words: &str) -> Restart {
    match words.split_once(':').unwrap_or((words, "")) {
        ("always", _) => Restart::Always,
        ("unless-stopped", _) => Restart::UnlessStopped,
        ("on-failure", most) => Restart::OnFailure { most: most.parse().ok() },
        _ => Restart::No,
    }
}

pub(super) fn restart_words(restart: Restart) -> Option<String> {
    match restart {
        Restart::No => None,
        Restart::OnFailure { most: None } => Some("on-failure".to_owned()),
        Restart::OnFailure { most: Some(most) } => Some(format!("on-failure:{most}")),
        Restart::Always => Some("always".to_owned()),
        Restart::UnlessStopped => Some("unless-stopped".to_owned()),
    }
}

fn scheduled(schedule: api::CheckpointSchedule) -> Schedule {
    Schedule {
        // Bounded by the contract.
        every: u32::try_from(schedule.every).unwrap_or(u32::MAX),
        keep: schedule.keep.map_or(KEPT, |keep| u32::try_from(keep).unwrap_or(KEPT)),
        criu: CriuOptions {
            tcp: schedule.tcp.unwrap_or(false),
            unix_sockets: schedule.unix_sockets.unwrap_or(false),
            shell: schedule.shell.unwrap_or(false),
            file_locks: schedule.file_locks.unwrap_or(false),
        },
    }
}

pub(super) fn schedule(schedule: Schedule) -> api::CheckpointSchedule {
    let Schedule { every, keep, criu } = schedule;
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let if_so = |so: bool| so.then_some(true);
    api::CheckpointSchedule {
        every: number(every),
        keep: Some(number(keep)),
        tcp: if_so(criu.tcp),
        unix_sockets: if_so(criu.unix_sockets),
        shell: if_so(criu.shell),
        file_locks: if_so(criu.file_locks),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_shown_as_it_was_asked_for() {
        for words in ["on-failure", "on-failure:3", "always", "unless-stopped"] {
            assert_eq!(restart_words(policy(words)).as_deref(), Some(words));
        }
        assert_eq!(restart_words(policy("no")), None);
    }
}
