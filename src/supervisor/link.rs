//! The daemon's end of a shim's socket, and the shim's process.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::Command;

use super::names::ContainerId;
use super::store::Run;
use crate::ipc::{LOG_CAP, Message, Request, SOCKET};
use crate::runtime::process::{Held, has_arguments, pids};

/// A connection to a shim.
#[derive(Debug)]
pub(super) struct Link {
    lines: Lines<BufReader<OwnedReadHalf>>,
    requests: OwnedWriteHalf,
}

impl Link {
    /// Starts a run's shim, detached from everything of ours but its socket, and connects to it. `runtime`: a sealed copy of
    /// the runtime for it to start.
    pub(super) fn spawn(
        shim: &Path,
        id: &ContainerId,
        run: &Run,
        descriptors: &Rlimit,
        log_cap: u64,
        runtime: Option<&OwnedFd>,
    ) -> io::Result<(Self, Option<Held>)> {
        let folder = File::open(&run.volatile)?;
        let listener = UnixListener::bind(through(&folder))?;
        let complaints = File::create(run.volatile.join("shim.log"))?;
        let mut command = Command::new(shim);
        command
            .arg(id.as_str())
            .arg(&run.durable)
            .env_clear()
            .env(LOG_CAP, log_cap.to_string())
            .current_dir(&run.volatile)
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(runtime.map(OwnedFd::try_clone).transpose()?.map_or_else(Stdio::null, Stdio::from))
            .stderr(Stdio::from(complaints));
        #[cfg(debug_assertions)]
        command.envs(std::env::var_os(crate::faults::FOLDER).map(|folder| (crate::faults::FOLDER, folder)));
        let mut child = command.spawn()?;
        let held = match child.id().and_then(|pid| i32::try_from(pid).ok()) {
            Some(pid) => Held::open(pid).map_err(io::Error::other)?,
            None => None,
        };
        // Before it is asked for anything: our own limit is none of the container's.
        if let Some(pid) = held.as_ref().and_then(|held| Pid::from_raw(held.pid())) {
            prlimit(Some(pid), Resource::Nofile, *descriptors)?;
        }
        // Reaped whenever it ends; it does not end with us.
        tokio::spawn(async move { child.wait().await });
        Ok((Self::through(&folder)?, held))
    }

    /// Connects to the shim of a run that an earlier daemon started.
    pub(super) fn connect(run: &Run) -> io::Result<Self> {
        Self::through(&File::open(&run.volatile)?)
    }

    fn through(folder: &File) -> io::Result<Self> {
        // At once or not at all: the socket listens already, and its queue is empty.
        let stream = std::os::unix::net::UnixStream::connect(through(folder))?;
        stream.set_nonblocking(true)?;
        let (reader, requests) = UnixStream::from_std(stream)?.into_split();
        Ok(Self { lines: BufReader::with_capacity(1024, reader).lines(), requests })
    }

    /// The next message. `None`: the shim is gone. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Option<Message> {
        loop {
            let line = self.lines.next_line().await.ok()??;
            match serde_json::from_str(&line) {
                Ok(message) => return Some(message),
                // A newer shim says more than we know.
                Err(error) => tracing::debug!(%error, "a message of the shim was passed over"),
            }
        }
    }

    pub(super) async fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.requests.write_all(&line).await
    }
}

/// The shims of a run, told by what they were started with and where: whichever daemon did. Blocks.
pub(super) fn shims_of(run: &Run) -> Vec<Held> {
    let identity = |path: &Path| fs::metadata(path).ok().map(|kind| (kind.dev(), kind.ino()));
    let Some(folder) = identity(&run.volatile) else { return Vec::new() };
    let durable = run.durable.to_string_lossy();
    let is_ours = |pid: i32| {
        has_arguments(pid, &[&durable]) && identity(Path::new(&format!("/proc/{pid}/cwd"))) == Some(folder)
    };
    let found =
        pids().into_iter().filter(|pid| is_ours(*pid)).filter_map(|pid| Held::open(pid).ok().flatten());
    // Asked again, now that the pid cannot be another's.
    found.filter(|held| is_ours(held.pid())).collect()
}

/// The socket's address by the folder's descriptor: an address holds 108 bytes (unix(7)), a path more.
fn through(folder: &File) -> String {
    format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd())
}
