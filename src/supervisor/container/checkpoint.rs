//! Checkpoint: whole or not at all, and the container goes on when it fails.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::calls::millis;
use super::underway::{self, Call, Watch, Work};
use super::{Answer, CheckpointOptions, Task};
use crate::ipc::{self, Request};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::criu::{self, Feature};
use crate::runtime::mounts::in_memory;
use crate::runtime::options::{self, CriuOptions};
use crate::runtime::preflight;
use crate::runtime::process::Held;
use crate::supervisor::chain;
use crate::supervisor::checkpoints::catalogue::{self, Around};
use crate::supervisor::checkpoints::{self, DUMP_LOG, Entry, MadeBy, Maker, Meta, Partial, Step};
use crate::supervisor::error::{Error, Result};
use crate::supervisor::events::Happened;
use crate::supervisor::names::CheckpointName;
use crate::supervisor::state::{Change, Status, Verb};
use crate::supervisor::store::{Journal, LogOf, blocking};

impl Task {
    pub(super) async fn checkpoint(
        &mut self,
        name: CheckpointName,
        wanted: CheckpointOptions,
    ) -> Result<Entry> {
        if let Some(made) = self.made_before(&name, &wanted).await {
            return Ok(made);
        }
        self.admit(Verb::Checkpoint)?;
        self.admit_loaded()?;
        let Some(life) = self.life.as_ref() else { return Err(Error::ShimLost(self.id().clone())) };
        let (run, seq, context) = (life.run.clone(), life.seq + 1, Arc::clone(&self.context));
        self.context.criu()?;
        if wanted.pre_dumps > 0 {
            self.context.require(Feature::PreDumps)?;
        }
        let made_by = MadeBy { maker: self.maker(seq), host: self.context.host.clone() };
        let looked_at = wanted.preflight.then(|| self.preflight(wanted.criu)).flatten();
        let (bundle, process) = (self.snapshot.bundle.clone(), life.process.clone());
        let (criu, exit, pre_dumps, key) = (wanted.criu, wanted.exit, wanted.pre_dumps, wanted.key.clone());
        let pids = life.cgroup.as_ref().map(Cgroup::pids).unwrap_or_default();
        let init = life.init.as_ref().map(Held::pid);
        // In one go: on a host at rest every thread that is woken costs as much as what it does.
        let begun = blocking(move || {
            if let Some(look) = looked_at {
                look()?;
            }
            let needed = underway::memory_of(&pids) + init.map_or(0, in_memory);
            let lacking = checkpoints::lacking(&bundle, context.bounds.checkpoints, needed);
            if let Ok(Some(free)) = lacking {
                return Err(Error::NoRoom { name, needed, free, folder: checkpoints::disk(&bundle) });
            }
            // Noted first: then nothing of it is left that a crash forgets.
            context.store.note(&run, &Journal::Checkpoint { name: name.clone(), seq })?;
            crate::cut!("checkpoint.noted");
            let meta = Meta::new(criu, exit, pre_dumps, made_by, process, key);
            let config = run.config(&bundle);
            let is_known =
                |container: &str| container.parse().is_ok_and(|id| context.registry.snapshot(&id).is_some());
            let begun = Partial::begin(&context.claims, &bundle, &name, &meta, &config, is_known);
            Ok((begun.inspect_err(|_| context.store.noted(&run))?, needed))
        });
        let (partial, needed) = begun.await?;
        let signed = tokio::task::spawn_blocking(partial.sign());
        let work = Work::begin(LogOf::Dump, partial.name(), needed);

        crate::cut!("checkpoint.begun");
        self.change(Change::DumpBegan);
        let mut watch = None;
        let dumped = match self.dump_in_steps(&partial, &wanted, &work, &mut watch).await {
            Err(error @ Error::ShimLost(_)) => self.dumped_unseen(&partial, error).await,
            Err(error) => self.is_kept(&partial, error).await,
            Ok(()) => Ok(()),
        };
        crate::cut!("checkpoint.dumped");
        // With `exit` it has ended, or is about to be said to have ended.
        if dumped.is_ok() && wanted.exit {
            self.await_end(Duration::from_secs(super::DEATH)).await;
        }
        crate::cut!("checkpoint.settling");
        // Long done; it has the folder open.
        let _ = signed.await;
        let settled = self.settle(partial, seq, dumped).await;
        drop(watch);
        let settled = settled.map_err(self.is_over(&work));
        if let Ok(made) = &settled {
            tracing::info!(container = %self.id(), checkpoint = %made.checkpoint.name, exit = wanted.exit, "checkpointed");
        }
        settled
    }

    /// What CRIU would refuse is found out before anything is begun. Gives what blocks.
    fn preflight(&self, wanted: CriuOptions) -> Option<impl FnOnce() -> Result<()> + Send + use<>> {
        // One that has just ended is in nobody's way: what comes next says that it has.
        let init = self.life.as_ref().and_then(|life| life.init.as_ref()).map(Held::pid)?;
        let id = self.id().clone();
        Some(move || {
            let blockers = preflight::check(init, wanted);
            if blockers.is_empty() { Ok(()) } else { Err(Error::CheckpointBlocked { id, blockers }) }
        })
    }

    /// The dump has ended: the checkpoint appears, or nothing of it stays; the container goes on, if it does.
    async fn settle(&mut self, partial: Partial, seq: u64, dumped: Result<()>) -> Result<Entry> {
        // A CRIU that was killed in the middle has left it frozen.
        if dumped.is_err()
            && self.life.as_ref().is_some_and(|life| !life.ended && life.is_frozen())
            && let Err(error) = self.call(options::Verb::Resume).await
        {
            tracing::error!(container = %self.id(), error = %chain(&error), "a failed dump leaves it frozen");
        }
        if self.snapshot.status == Status::Checkpointing {
            self.change(Change::Dumped);
        }
        let was_dumped = dumped.is_ok();
        let gone = self.life.as_ref().is_none_or(|life| life.ended);
        let (bundle, host) = (self.snapshot.bundle.clone(), self.context.host.clone());
        let settled = match dumped {
            Ok(()) => {
                let finish = move || {
                    // Of one that is gone there is no other copy of its memory.
                    let made = if gone { partial.finish_or_keep() } else { partial.finish() }?;
                    Ok(catalogue::entry(&Around::owned(&bundle), &host, made))
                };
                blocking(finish).await
            }
            Err(error) => {
                let log = partial.last_log();
                let error = self.with_criu_words(error, LogOf::Dump, partial.name(), log).await;
                let _ = blocking(move || {
                    partial.abandon();
                    Ok(())
                })
                .await;
                Err(error)
            }
        };
        crate::cut!("checkpoint.settled");
        if let Ok(made) = &settled {
            if made.checkpoint.exit {
                self.ends_on_purpose().await;
                self.publish();
            }
            self.tell_checkpoint(made.checkpoint.name.clone(), seq).await;
        }
        if let Some(life) = &self.life {
            self.context.store.noted(&life.run);
        }
        crate::cut!("checkpoint.noted-done");
        if settled.is_err() && !was_dumped {
            // A container that has ended meanwhile is the better answer.
            self.hear_out().await;
            self.admit(Verb::Checkpoint)?;
        }
        settled
    }

    /// It is told before the journal forgets it.
    async fn tell_checkpoint(&self, name: CheckpointName, seq: u64) {
        self.emit(Happened::Checkpoint { name, seq });
        crate::cut!("checkpoint.telling");
        self.context.events.written().await;
        crate::cut!("checkpoint.told");
    }

    /// A checkpoint that an earlier daemon began: its shim may be at it still. Finished when CRIU has done
    /// its part, else undone.
    pub(super) async fn resume_checkpoint(&mut self, name: CheckpointName, seq: u64) {
        let (bundle, claims) = (self.snapshot.bundle.clone(), self.context.claims.clone());
        let maker = self.maker(seq);
        let looked_for = name.clone();
        let reopened = blocking(move || Ok(Partial::reopen(&claims, &bundle, &looked_for, &maker))).await;
        let Ok(Some(partial)) = reopened else {
            // Noted, and not begun; or finished, and still noted: then it may not have been told.
            let told = self.context.events.heard(self.id()).is_some_and(|heard| {
                heard.run == self.run && heard.checkpoint.is_some_and(|told| told >= seq)
            });
            if !told && self.was_made(&name, seq).await {
                self.tell_checkpoint(name, seq).await;
            }
            if let Some(life) = &self.life {
                self.context.store.noted(&life.run);
            }
            if self.snapshot.status == Status::Checkpointing {
                self.change(Change::Dumped);
            }
            return;
        };
        // The dump, or a round before it: each is a request of its own, and this one's was the first.
        if let Some(busy) = self.busy.take_if(|busy| *busy >= seq) {
            // Whatever it answers, the log tells; a shim that is gone answers too, by its silence.
            let _ = self.answer(busy, self.context.limit(true)).await;
        }
        crate::cut!("recovery.checkpoint.dumped");
        let dumped = self.dumped_unseen(&partial, Error::ShimLost(self.id().clone())).await;
        match self.settle(partial, seq, dumped).await {
            Ok(made) => {
                tracing::info!(container = %self.id(), checkpoint = %made.checkpoint.name, "a checkpoint that was cut off is finished")
            }
            Err(_) => tracing::warn!(container = %self.id(), "a checkpoint that was cut off is undone"),
        }
    }

    /// Nobody was there to say how the dump ended: CRIU's log does. With `exit` the container is gone when CRIU has
    /// finished its part, so what it has written is all there is. One that is at it still is waited for.
    async fn dumped_unseen(&mut self, partial: &Partial, otherwise: Error) -> Result<()> {
        let steps = partial.steps().into_iter().map(|step| self.context.call_of(&step.images));
        let (calls, limit): (Vec<_>, _) = (steps.collect(), self.context.limit(true));
        let log = partial.work().join(DUMP_LOG);
        let judged = blocking(move || {
            for arguments in calls {
                criu::await_dump(&arguments.each_ref().map(String::as_str), limit);
            }
            Ok(criu::dump_finished(&log))
        });
        let finished = judged.await.unwrap_or(false);
        if finished { Ok(()) } else { self.is_kept(partial, otherwise).await }
    }

    /// A call that failed when CRIU had ended the container, by runc or CRIU being killed, say, has made what is all there
    /// is of it.
    async fn is_kept(&mut self, partial: &Partial, error: Error) -> Result<()> {
        let Some(is_whole) = partial.if_it_exits() else { return Err(error) };
        self.hear_out().await;
        if self.life.as_ref().is_some_and(|life| !life.ended)
            || !blocking(move || Ok(is_whole())).await.unwrap_or(false)
        {
            return Err(error);
        }
        tracing::warn!(container = %self.id(), error = %chain(&error), "it was dumped and has ended, and then the call failed");
        Ok(())
    }

    /// By a request of the same key, whose daemon died before it answered.
    async fn made_before(&self, name: &CheckpointName, wanted: &CheckpointOptions) -> Option<Entry> {
        let key = wanted.key.clone()?;
        let (bundle, name, host) = (self.snapshot.bundle.clone(), name.clone(), self.context.host.clone());
        let found = blocking(move || {
            let found = checkpoints::open(&bundle, &name)?;
            Ok((found.key.as_ref() == Some(&key))
                .then(|| catalogue::entry(&Around::owned(&bundle), &host, found)))
        });
        found.await.ok().flatten()
    }

    /// Whether this very request has made it.
    async fn was_made(&self, name: &CheckpointName, seq: u64) -> bool {
        let (bundle, name) = (self.snapshot.bundle.clone(), name.clone());
        let maker = self.maker(seq);
        blocking(move || checkpoints::open(&bundle, &name))
            .await
            .is_ok_and(|found| found.made_by.is_some_and(|made_by| made_by.maker == maker))
    }

    /// A request of this container's, in its present run.
    fn maker(&self, seq: u64) -> Maker {
        Maker { container: self.id().to_string(), run: self.run, seq }
    }

    /// The rounds before the dump, each behind the one before, and the dump. `watch` is of the last that has begun.
    async fn dump_in_steps(
        &mut self,
        partial: &Partial,
        wanted: &CheckpointOptions,
        work: &Arc<Work>,
        watch: &mut Option<Watch>,
    ) -> Result<()> {
        for step in partial.steps() {
            *watch = Some(self.is_under_way(work, Call::Dump(step.clone())));
            self.dump(&step, wanted).await?;
            crate::cut!("checkpoint.stepped");
            // Called off between two: then nothing has failed by itself.
            if !step.last && work.is_cancelled() {
                let (id, checkpoint) = (self.id().clone(), work.checkpoint.clone());
                return Err(Error::Cancelled { id, checkpoint, of: LogOf::Dump });
            }
        }
        Ok(())
    }

    /// By the shim, so that a daemon's death does not cut a dump.
    async fn dump(&mut self, step: &Step, wanted: &CheckpointOptions) -> Result<()> {
        let Some(life) = self.life.as_ref() else { return Err(Error::ShimLost(self.id().clone())) };
        let log = life.run.volatile.join("checkpoint.log");
        let verb = options::Verb::Checkpoint {
            images: &step.images,
            work: &step.work,
            leave_running: step.last && !wanted.exit,
            criu: wanted.criu,
            parent: step.parent.as_deref(),
            pre_dump: !step.last,
        };
        let program = self.context.runc.program(&verb, &log, self.id().as_str());
        let limit = self.context.limit(true);
        let timeout_ms = millis(limit);
        let answer = self.ask(limit, |seq| Request::Call(ipc::Call { seq, program, timeout_ms })).await?;
        match answer {
            Answer::Done | Answer::Launched(_) => {
                let _ = fs::remove_file(&log);
                if step.has_images() { Ok(()) } else { Err(self.unbelieved(verb.name(), "wrote no image")) }
            }
            Answer::Failed(failure) => {
                let error = self.explain(verb.name(), failure, log.clone()).await;
                let _ = fs::remove_file(&log);
                Err(error)
            }
        }
    }

    pub(super) async fn delete_checkpoint(&mut self, name: CheckpointName) -> Result<()> {
        let (bundle, claims) = (self.snapshot.bundle.clone(), self.context.claims.clone());
        blocking(move || checkpoints::delete(&claims, &bundle, &name)).await
    }
}
