//! Asking the shim and calling runc, with an ear for what happens meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::life::Happening;
use super::{GRACE, STUCK, Task};
use crate::ipc::{Launch, Message, ProcessKey, Request, Role, Stdio};
use crate::runtime::process::{Held, end_orphans};
use crate::runtime::program::Program;
use crate::runtime::{self, criu, options, runc};
use crate::supervisor::error::{Error, Result, store};
use crate::supervisor::store::blocking;

impl Task {
    /// Asks the shim, and listens to everything else it says until it answers.
    pub(super) async fn ask(
        &mut self,
        limit: Duration,
        request: impl FnOnce(u64) -> Request,
    ) -> Result<Answer> {
        let lost = || Error::ShimLost(self.snapshot.id.clone());
        let Some(life) = self.life.as_mut() else { return Err(lost()) };
        let seq = life.next_seq();
        let Some(link) = life.link.as_mut() else { return Err(lost()) };
        if link.send(&request(seq)).await.is_err() {
            // What it said before it went is still to be heard.
            self.hear_out().await;
            return Err(Error::ShimLost(self.snapshot.id.clone()));
        }
        crate::cut!("shim.asked");
        self.answer(seq, limit).await
    }

    /// Has the shim run a verb of runc's that leaves a process behind, and gives that process.
    pub(super) async fn launch_process(
        &mut self,
        verb: &options::Verb<'_>,
        wanted: Wanted,
        limit: Duration,
    ) -> Result<ProcessKey> {
        let Wanted { pid_file, log, role, stdio, place, note, page_server } = wanted;
        let mut program = self.context.runc.program(verb, &log, self.id().as_str());
        if let Some(place) = place.clone() {
            program.env.extend(self.restored_into(place).await?);
        }
        let timeout_ms = millis(limit);
        let answer = self
            .ask(limit, |seq| {
                Request::Launch(Launch {
                    seq,
                    program,
                    pid_file,
                    role,
                    stdio,
                    timeout_ms,
                    place,
                    note,
                    page_server,
                })
            })
            .await?;
        match answer {
            Answer::Launched(process) => Ok(process),
            Answer::Done => Err(Error::ShimLost(self.id().clone())),
            Answer::Failed(failure) => Err(self.explain(verb.name(), failure, log).await),
        }
    }

    /// What has CRIU restore into this cgroup.
    async fn restored_into(&self, place: String) -> Result<Option<(String, String)>> {
        let Some(folder) = self.life.as_ref().map(|life| life.run.volatile.clone()) else { return Ok(None) };
        blocking(move || criu::place::configure(&folder, &place).map_err(store("writing in", &folder))).await
    }

    /// The shim's answer to a request; meanwhile everything else it says is listened to.
    pub(super) async fn answer(&mut self, seq: u64, limit: Duration) -> Result<Answer> {
        let deadline = Instant::now() + limit + GRACE;
        while let Some(life) = self.life.as_mut() {
            let Ok(happening) = tokio::time::timeout_at(deadline, life.next()).await else { break };
            match happening {
                Happening::Message(Message::Launched { seq: of, process }) if of == seq => {
                    return Ok(Answer::Launched(process));
                }
                Happening::Message(Message::Done { seq: of }) if of == seq => return Ok(Answer::Done),
                Happening::Message(Message::Failed { seq: of, failure }) if of == seq => {
                    return Ok(Answer::Failed(failure));
                }
                Happening::ShimLost(words) => {
                    self.shim_lost(words);
                    break;
                }
                other => self.happen(other),
            }
        }
        Err(Error::ShimLost(self.snapshot.id.clone()))
    }

    /// A shim that was killed leaves the runtime call that it was at to go on; nobody waits for that any more.
    /// `argument`: a path that this call alone was started with.
    pub(super) async fn end_orphans(&self, argument: &Path) {
        let arguments = self.context.call_of(argument);
        let _ = blocking(move || {
            end_orphans(&arguments.each_ref().map(String::as_str));
            Ok(())
        })
        .await;
    }

    /// After a failure: a container that has just ended is told so by its shim a moment later, and that is
    /// the better answer.
    pub(super) async fn hear_out(&mut self) {
        let ended = match self.life.as_ref().and_then(|life| life.watch.as_ref()) {
            Some(watch) => tokio::time::timeout(Duration::from_millis(100), watch.readable()).await.is_ok(),
            None => true,
        };
        let init = self.life.as_ref().and_then(|life| life.init.as_ref());
        if ended || init.is_some_and(Held::is_ending) {
            self.await_end(STUCK * 2).await;
        }
    }

    /// Runs runc ourselves.
    pub(super) async fn call(&mut self, verb: options::Verb<'_>) -> Result<()> {
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        let log = context.store.call_log(&id, verb.name());
        let outcome = self.attend(context.runc.call(&verb, &log, id.as_str())).await;
        outcome.map_err(|source| self.fail(source))
    }

    /// Does some work, and listens to the shim meanwhile.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            let Some(life) = self.life.as_mut() else { return work.await };
            tokio::select! {
                done = &mut work => return done,
                happening = life.next() => self.happen(happening),
            }
        }
    }

    /// A failed runtime call of the shim's, in runc's own words.
    pub(super) async fn explain(
        &self,
        verb: &'static str,
        failure: runtime::program::Failure,
        log: PathBuf,
    ) -> Error {
        let path = self.context.runc.path().to_owned();
        let explained = blocking(move || Ok(runc::explain(verb, &path, failure, &log))).await;
        match explained {
            Ok(source) => self.fail(source),
            Err(error) => error,
        }
    }
}

/// A process that a verb is to leave behind.
pub(super) struct Wanted {
    pub(super) pid_file: PathBuf,
    /// runc's.
    pub(super) log: PathBuf,
    pub(super) role: Role,
    pub(super) stdio: Stdio,
    /// As [`Launch::place`].
    pub(super) place: Option<String>,
    /// Kept with its end, to know it by.
    pub(super) note: Option<serde_json::Value>,
    /// As [`Launch::page_server`].
    pub(super) page_server: Option<Box<Program>>,
}

/// As the shim is told it.
pub(super) fn millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

/// What a shim answered.
pub(super) enum Answer {
    Launched(ProcessKey),
    Done,
    Failed(runtime::program::Failure),
}
