//! runc: what it is called with, its time limits, and what it says when it fails.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::error::{Error, Result};
use super::mounts;
use super::options::{Global, Verb};
use super::process::Held;
use super::program::{ExitStatus, Failure, FailureKind, Program};
use super::sealed::Sealed;

/// Where runc looks for CRIU and for hooks, behind our own folder with CRIU in it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of a failing program's own words an answer carries, in bytes.
const WORDS: usize = 2048;

/// runc, as this daemon calls it.
#[derive(Debug, Clone)]
pub struct Runc {
    path: PathBuf,
    sealed: Arc<Sealed>,
    global: Global,
    env: Vec<(String, String)>,
    limit: Duration,
}

impl Runc {
    /// `criu_folder` comes first in runc's PATH: runc takes CRIU from nowhere else. `limit` is how long
    /// a call may take.
    pub fn new(path: PathBuf, root: PathBuf, criu_folder: &Path, limit: Duration) -> Self {
        let env = vec![("PATH".to_owned(), format!("{}:{PATH}", criu_folder.display()))];
        Self { sealed: Arc::new(Sealed::new(path.clone())), path, global: Global { root }, env, limit }
    }

    /// How long a call may take.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// The executable.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its sealed copy, which makes none of itself at a start. Blocks.
    pub fn sealed(&self) -> Option<Arc<OwnedFd>> {
        self.sealed.copy()
    }

    /// Whether runc knows a container of this name.
    pub fn knows(&self, id: &str) -> bool {
        self.global.root.join(id).exists()
    }

    /// Its own state: an argument of every call of ours, and of nobody else's.
    pub fn root(&self) -> &Path {
        &self.global.root
    }

    /// The folder in which runc keeps what it knows of a container.
    pub fn state_folder(&self, id: &str) -> PathBuf {
        self.global.root.join(id)
    }

    /// The whole call, for a shim to run.
    pub fn program(&self, verb: &Verb<'_>, log: &Path, id: &str) -> Program {
        Program { path: self.path.clone(), args: verb.argv(&self.global, log, id), env: self.env.clone() }
    }

    /// Runs a verb that leaves no process behind. `log`, which is absent when runc had nothing to say, does not stay: it is
    /// in the volatile folder, so that no disk is waited for.
    pub async fn call(&self, verb: &Verb<'_>, log: &Path, id: &str) -> Result<()> {
        let program = self.program(verb, log, id);
        let outcome = run(&program, self.limit).await;
        let explained =
            outcome.and_then(|ran| ran.map_err(|failure| explain(verb.name(), &self.path, failure, log)));
        let _ = fs::remove_file(log);
        explained
    }

    /// Clears what runc holds of a container: state, cgroup, mounts. Nothing to do when it knows none.
    pub async fn clear(&self, force: bool, log: &Path, id: &str) -> Result<()> {
        let folder = self.state_folder(id);
        if !folder.exists() {
            return Ok(());
        }
        // runc removes its folder with everything in it: nothing may be mounted there any more.
        let detached = tokio::task::spawn_blocking(move || mounts::detach_below(&folder)).await;
        match detached {
            Ok(Ok(())) => self.call(&Verb::Delete { force }, log, id).await,
            Ok(Err(error)) => Err(Error::Failed {
                verb: "delete",
                words: format!("not tried, since a mount in its state folder cannot be detached: {error}"),
            }),
            Err(error) => Err(Error::Failed { verb: "delete", words: error.to_string() }),
        }
    }

    /// runc's version, as `runc --version` says it in its first line.
    pub async fn version(&self) -> Result<String> {
        version_of(&self.path, &self.env, "runc version ").await
    }
}

/// The first line of `PROGRAM --version`, behind `prefix`.
pub async fn version_of(path: &Path, env: &[(String, String)], prefix: &str) -> Result<String> {
    let program = Program { path: path.to_owned(), args: vec!["--version".into()], env: env.to_vec() };
    let said = output(&program, Duration::from_secs(10)).await?;
    let line = said.lines().next().unwrap_or_default();
    Ok(line.strip_prefix(prefix).unwrap_or(line).trim().to_owned())
}

/// Runs a program to its end and gives its standard output. Fails when it does not end with 0.
pub async fn output(program: &Program, limit: Duration) -> Result<String> {
    let mut child = spawn(program, Stdio::piped())?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = timeout(limit, async { tokio::join!(child.wait(), listen(stdout), listen(stderr)) }).await;
    match ended {
        Ok((Ok(status), said, _)) if status.success() => Ok(said),
        Ok((Ok(status), said, words)) => {
            let words = format!("{status}: {} {}", said.trim(), words.trim());
            Err(Error::Failed { verb: "--version", words })
        }
        Ok((Err(source), ..)) => Err(Error::Missing { path: program.path.clone(), source }),
        Err(_) => {
            end_group(&child);
            Err(Error::TimedOut { verb: "--version", seconds: limit.as_secs() })
        }
    }
}

/// Runs a program to its end, and what is then left of its process group to death. One that takes too
/// long is ended with it.
async fn run(program: &Program, limit: Duration) -> Result<Result<(), Failure>> {
    let missing = |source| Error::Missing { path: program.path.clone(), source };
    let mut child = spawn(program, Stdio::null())?;
    let mut listening = tokio::spawn(listen(child.stderr.take()));
    let in_time = timeout(limit, ended(&child)).await;
    end_group(&child);
    let status = child.wait().await.map_err(missing)?;
    // What is in the pipe now; a stray that has left the group may keep it open, and is not waited for.
    let heard = timeout(Duration::from_millis(100), &mut listening).await;
    listening.abort();
    let words = heard.ok().and_then(std::result::Result::ok).unwrap_or_default();
    let kind = match in_time {
        Ok(waited) => {
            waited.map_err(missing)?;
            if status.success() {
                return Ok(Ok(()));
            }
            FailureKind::Ended(exit_status(status))
        }
        Err(_) => FailureKind::TimedOut(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
    };
    Ok(Err(Failure { kind, words }))
}

/// The last of what comes out of a pipe. All of it is read: who writes more than a pipe holds would wait.
async fn listen(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let (mut heard, mut portion) = (Vec::new(), vec![0; 8 * 1024]);
    while let Ok(length @ 1..) = pipe.read(&mut portion).await {
        heard.extend_from_slice(&portion[..length]);
        heard.drain(..heard.len().saturating_sub(64 * 1024));
    }
    tail(&String::from_utf8_lossy(&heard))
}

/// Waits for a child's end without reaping it: until then its pid, and its group's, are its own.
async fn ended(child: &tokio::process::Child) -> std::io::Result<()> {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
    match Held::open(pid).map_err(std::io::Error::other)? {
        Some(held) => held.watch()?.readable().await.map(drop),
        None => Ok(()),
    }
}

fn spawn(program: &Program, stdout: Stdio) -> Result<tokio::process::Child> {
    Command::new(&program.path)
        .args(&program.args)
        .env_clear()
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::Missing { path: program.path.clone(), source })
}

/// The child is not reaped yet, so its pid, and its group's, are still its own.
fn end_group(child: &tokio::process::Child) {
    if let Some(pid) =
        child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}

fn exit_status(status: std::process::ExitStatus) -> ExitStatus {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(signal) => ExitStatus::Signal(signal),
        None => ExitStatus::Code(u8::try_from(status.code().unwrap_or(255)).unwrap_or(255)),
    }
}

/// A failed call in runc's own words: its JSON log's errors, else what it wrote to standard error.
pub fn explain(verb: &'static str, path: &Path, failure: Failure, log: &Path) -> Error {
    let logged = fs::read_to_string(log).map(|text| logged_errors(&text)).unwrap_or_default();
    let said = if logged.is_empty() { failure.words.trim().to_owned() } else { logged };
    let or = |fallback: String| {
        if said.is_empty() { fallback } else { said.clone() }
    };
    match failure.kind {
        FailureKind::TimedOut(ms) => Error::TimedOut { verb, seconds: ms.div_ceil(1000) },
        FailureKind::Spawn { words, errno } => {
            let source =
                errno.map_or_else(|| std::io::Error::other(words), std::io::Error::from_raw_os_error);
            Error::Missing { path: path.to_owned(), source }
        }
        FailureKind::Ended(ExitStatus::Code(code)) => {
            Error::Failed { verb, words: or(format!("it ended with {code} and said nothing")) }
        }
        FailureKind::Ended(ExitStatus::Signal(signal)) => {
            Error::Failed { verb, words: or(format!("signal {signal} ended it")) }
        }
        FailureKind::NoPid => Error::Failed {
            verb,
            words: format!("it ended with 0 but named no process; it said: {}", or("nothing".into())),
        },
        FailureKind::Refused(words) => Error::Failed { verb, words },
    }
}

/// The messages of level error (and worse) in runc's JSON log, in order, once each.
fn logged_errors(log: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Line {
        level: String,
        msg: String,
    }
    let mut words: Vec<String> = Vec::new();
    for line in log.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
        if matches!(line.level.as_str(), "error" | "fatal" | "panic") && !words.contains(&line.msg) {
            words.push(line.msg);
        }
    }
    tail(&words.join("; "))
}

/// The last of a text, within [`WORDS`] and at a character's border.
pub fn tail(text: &str) -> String {
    let text = text.trim();
    let from =
        (text.len().saturating_sub(WORDS)..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[from..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_the_log_are_its_words_and_garbage_is_passed_over() {
        let log = "garbage\n{\"level\":\"warning\",\"msg\":\"w\",\"time\":\"t\"}\n\
                   {\"level\":\"error\",\"msg\":\"no such file\"}\n{\"level\":\"error\",\"msg\":\"no such file\"}\n";
        assert_eq!(logged_errors(log), "no such file");
        assert_eq!(logged_errors("\u{1F600}{"), "");
    }

    #[test]
    fn long_words_are_cut_at_their_front_and_never_within_a_character() {
        let long = "é".repeat(WORDS);
        assert_eq!(tail(&long).len(), WORDS);
        assert_eq!(tail("  short \n"), "short");
    }
}
