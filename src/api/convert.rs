//! Models of the contract to and from the supervisor's types.

mod care;
pub(super) mod checkpoints;
pub(super) mod preflight;

use std::sync::Arc;
use std::time::Duration;

use containerd_rest_api as api;
use jiff::Timestamp;

use crate::ipc::{ExitRecord, Pages};
use crate::runtime::bundle::{Identity, ProcessOverrides};
use crate::runtime::program::ExitStatus;
use crate::supervisor::{
    Behalf, CheckpointName, ContainerId, Ended, Error, Happened, LogLine, ProcessReport, ProcessView, Result,
    Snapshot, Start, Status, Told, Update,
};

/// A name that the router has validated already; the two rules are one by a test.
pub(super) fn container_id(text: &str) -> Result<ContainerId> {
    text.parse().map_err(Error::BadName)
}

pub(super) fn checkpoint_name(text: &str) -> Result<CheckpointName> {
    text.parse().map_err(Error::BadName)
}

/// RFC 3339 with six digits of the second's fraction, so that times of one length sort as text.
fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

pub(super) fn container(snapshot: &Arc<Snapshot>) -> api::Container {
    api::Container {
        progress: snapshot.under_way.as_deref().map(checkpoints::progress),
        id: snapshot.id.to_string(),
        bundle_path: snapshot.bundle.to_string_lossy().into_owned(),
        state: state(snapshot),
        processes: snapshot.processes.iter().cloned().map(process).collect(),
        created_at: time(snapshot.created_at),
        checkpoint: snapshot.checkpoint.as_ref().map(ToString::to_string),
        pages: snapshot.pages.map(pages),
        restart: snapshot.care.as_ref().and_then(|care| care::restart_words(care.restart)),
        restarts: Some(i64::from(snapshot.restarts)).filter(|restarts| *restarts > 0),
        restore_from: snapshot.care.as_ref().and_then(|care| care.restore).map(|_| "latest".to_owned()),
        schedule: snapshot.care.as_ref().and_then(|care| care.schedule).map(care::schedule),
    }
}

fn pages(pages: Pages) -> api::Pages {
    match pages {
        Pages::Loading => api::Pages::Loading,
        Pages::Loaded => api::Pages::Loaded,
        Pages::Lost => api::Pages::Lost,
    }
}

/// The signal that ended a process, if one did.
fn ended_by(exit: Option<ExitRecord>) -> Option<i32> {
    match exit?.status {
        ExitStatus::Signal(signal) => Some(signal),
        ExitStatus::Code(_) => None,
    }
}

fn state(snapshot: &Snapshot) -> api::ContainerState {
    api::ContainerState {
        status: match snapshot.status {
            Status::Creating => api::ContainerStatus::Creating,
            Status::Running => api::ContainerStatus::Running,
            Status::Paused => api::ContainerStatus::Paused,
            Status::Checkpointing => api::ContainerStatus::Checkpointing,
            Status::Stopped => api::ContainerStatus::Stopped,
        },
        exit_status: snapshot.exit.map(|exit| exit.status.as_shell()),
        exit_signal: ended_by(snapshot.exit),
        oom_killed: snapshot.exit.map(|exit| exit.oom).filter(|oom| *oom),
        finished_at: snapshot.exit.map(|exit| time(exit.at)),
        reason: snapshot.reason.clone(),
    }
}

pub(super) fn process(view: ProcessView) -> api::Process {
    api::Process {
        pid: view.pid,
        terminal: view.terminal,
        user: user(view.user),
        args: none_if_empty(view.args),
        env: none_if_empty(view.env),
        cwd: Some(view.cwd).filter(|cwd| !cwd.is_empty()),
    }
}

pub(super) fn report(report: &ProcessReport) -> api::ProcessReport {
    let (view, init, state) = match report {
        ProcessReport::Running { process, init } => (process, *init, (api::ProcessStatus::Running, None)),
        ProcessReport::Ended(Ended { process, init, exit, .. }) => {
            (process, *init, (api::ProcessStatus::Exited, *exit))
        }
    };
    let (status, exit) = state;
    let process = process(ProcessView::clone(view));
    api::ProcessReport {
        pid: process.pid,
        init,
        terminal: process.terminal,
        user: process.user,
        args: process.args,
        env: process.env,
        cwd: process.cwd,
        state: api::ProcessState {
            status,
            exit_status: exit.map(|exit| exit.status.as_shell()),
            exit_signal: ended_by(exit),
            oom_killed: exit.map(|exit| exit.oom).filter(|oom| *oom),
            finished_at: exit.map(|exit| time(exit.at)),
        },
    }
}

/// A query's `timeout`, in seconds; none is for ever.
pub(super) fn limit(timeout: Option<i32>) -> Option<Duration> {
    timeout.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
}

fn user(identity: Identity) -> api::User {
    api::User {
        uid: identity.uid,
        gid: identity.gid,
        additional_gids: none_if_empty(identity.additional_gids),
    }
}

fn none_if_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

pub(super) fn start(
    body: api::StartContainer,
    behalf: Behalf,
    key: Option<String>,
    allow_changed_bundle: Option<bool>,
) -> Result<Start> {
    let mut start = Start::of(behalf, body.bundle_path.into());
    start.key = key;
    start.allow_changed_bundle = allow_changed_bundle.unwrap_or(false);
    start.checkpoint = body.checkpoint.as_deref().map(checkpoint_name).transpose()?;
    start.lazy_pages = body.lazy_pages.unwrap_or(false);
    start.stdout = body.stdout.map(Into::into);
    start.stderr = body.stderr.map(Into::into);
    start.care =
        care::care(&start, body.restart.as_deref(), body.restore_from, body.otherwise, body.schedule);
    Ok(start)
}

pub(super) fn update(body: &api::UpdateContainer) -> Update {
    let paused = body.status.map(|status| match status {
        api::TargetStatus::Paused => true,
        api::TargetStatus::Running => false,
    });
    Update { paused, signal: body.signal }
}

/// The contract's defaults: SIGTERM, ten seconds.
pub(super) fn stop(body: Option<api::StopContainer>) -> (i32, Duration) {
    let (signal, timeout) = body.map_or((None, None), |body| (body.signal, body.timeout));
    let seconds = timeout.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(10);
    (signal.unwrap_or(15), Duration::from_secs(seconds))
}

/// The longest argument, or variable, that a program can be given (execve(2), MAX_ARG_STRLEN: 32 pages, the last byte a
/// zero).
const LONGEST: usize = 32 * 4096 - 1;

/// What the kernel would refuse when nobody can be told any more: runc has answered by then.
fn short_enough(field: &'static str, words: &[String]) -> Result<()> {
    match words.iter().position(|word| word.len() > LONGEST) {
        Some(index) => Err(Error::TooLong { field, index, limit: LONGEST }),
        None => Ok(()),
    }
}

pub(super) fn overrides(body: api::CreateProcess) -> Result<ProcessOverrides> {
    short_enough("args", &body.args)?;
    short_enough("env", body.env.as_deref().unwrap_or_default())?;
    let user = body.user.map(|user| Identity {
        uid: user.uid,
        gid: user.gid,
        additional_gids: user.additional_gids.unwrap_or_default(),
    });
    Ok(ProcessOverrides {
        args: body.args,
        user,
        env: body.env,
        cwd: body.cwd,
        terminal: body.terminal.unwrap_or(false),
    })
}

/// One line of a log.
pub fn log_line(line: &LogLine) -> String {
    let line = api::LogLine {
        time: time(line.at),
        stream: if line.stderr { api::LogLineStream::Stderr } else { api::LogLineStream::Stdout },
        text: String::from_utf8_lossy(&line.text).into_owned(),
        partial: line.partial,
        missed: Some(line.missed).filter(|missed| *missed),
    };
    json_line(&line)
}

/// Plain data of strings and numbers, which always has a JSON form.
pub fn json_line(value: &impl serde::Serialize) -> String {
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

/// An event, or that some were missed.
pub fn event(told: Told) -> api::Event {
    use api::EventType as Type;
    let event = match told {
        Told::Event(event) => event,
        Told::Missed { count, cursor } => {
            return api::Event {
                cursor: i64::try_from(cursor).unwrap_or(i64::MAX),
                r#type: Type::Missed.to_string(),
                id: None,
                time: time(Timestamp::now()),
                pid: None,
                checkpoint: None,
                progress: None,
                status: Some(i32::try_from(count).unwrap_or(i32::MAX)),
                oom_killed: None,
            };
        }
    };
    let (mut checkpoint, mut progress, mut oom_killed) = (None, None, None);
    let (kind, pid, status) = match event.happened {
        Happened::Created => (Type::Created, None, None),
        Happened::Start => (Type::Start, None, None),
        Happened::Restore => (Type::Restore, None, None),
        Happened::Exec { pid, .. } => (Type::Exec, Some(pid), None),
        Happened::Pause => (Type::Pause, None, None),
        Happened::Resume => (Type::Resume, None, None),
        Happened::Checkpoint { name, .. } => {
            checkpoint = Some(name.to_string());
            (Type::Checkpoint, None, None)
        }
        Happened::Progress { of, name, bytes, total } => {
            checkpoint = Some(name.to_string());
            progress = Some(api::Progress {
                operation: checkpoints::operation(of),
                checkpoint: name.to_string(),
                bytes: bytes.map(checkpoints::number),
                total: checkpoints::number(total),
                since: None,
            });
            (Type::Progress, None, None)
        }
        Happened::Oom { .. } => (Type::Oom, None, None),
        Happened::PagesLoaded => (Type::PagesLoaded, None, None),
        Happened::PagesLost => (Type::PagesLost, None, None),
        Happened::Exit { pid, status, oom, .. } => {
            oom_killed = Some(oom).filter(|oom| *oom);
            (Type::Exit, pid, status)
        }
        Happened::Delete => (Type::Delete, None, None),
    };
    api::Event {
        cursor: i64::try_from(event.cursor).unwrap_or(i64::MAX),
        r#type: kind.to_string(),
        id: Some(event.id.to_string()),
        time: time(event.at),
        pid,
        checkpoint,
        progress,
        status,
        oom_killed,
    }
}
