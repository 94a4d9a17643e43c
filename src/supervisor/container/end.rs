//! The end of a run, and of a container: stop, kill, what is cleared, delete.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::calls::millis;
use super::life::Added;
use super::processes::SIGKILL;
use super::queue::Kill;
use super::{DEATH, STUCK, Snapshot, Task, answer_to};
use crate::runtime::process::{self, zombies_of};
use crate::runtime::{self, options};
use crate::supervisor::chain;
use crate::supervisor::error::{Error, Result};
use crate::supervisor::events::Happened;
use crate::supervisor::link::shims_of;
use crate::supervisor::state::{Status, Verb};
use crate::supervisor::store::{Journal, Run, blocking};

/// How often it is looked whether who was killed is reaped.
const LOOK: Duration = Duration::from_secs(1);

impl Task {
    /// After an end: the cgroup and runc's state go at once, so that a stopped container holds nothing of
    /// the host but its record and its log. An error has been logged.
    pub(super) async fn tidy(&mut self) -> Result<()> {
        let (run, cleared) = self.clear_ended().await;
        let Some(run) = run else { return cleared };
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        let _ = blocking(move || {
            context.store.end(&id, &run);
            Ok(())
        })
        .await;
        cleared
    }

    /// The same but for the run's folder, in which is noted what is under way.
    async fn clear_ended(&mut self) -> (Option<Run>, Result<()>) {
        if !self.life.as_ref().is_some_and(|life| life.ended) {
            return (None, Ok(()));
        }
        crate::cut!("tidy.begun");
        let mut cleared = self.clear_runtime(false).await;
        match &cleared {
            // Whoever hangs hangs again.
            Ok(()) | Err(Error::Runtime { source: runtime::Error::TimedOut { .. }, .. }) => {}
            Err(error) => {
                tracing::debug!(container = %self.id(), error = %chain(error), "runc delete failed, trying with force");
                cleared = self.clear_runtime(true).await;
            }
        }
        if let Err(error) = &cleared {
            tracing::error!(container = %self.id(), error = %chain(error), "its runtime state stays behind");
        }
        crate::cut!("tidy.cleared");
        self.hear_the_rest().await;
        self.context.places.leave(self.id());
        crate::cut!("tidy.heard");
        // Its folder says that its end is not told yet.
        self.context.events.written().await;
        let Some(life) = self.life.take() else { return (None, cleared) };
        self.end_page_server(&life).await;
        (Some(life.run), cleared)
    }

    /// The ends of added processes, which end with the container; a shim that hangs is ended.
    pub(super) async fn hear_the_rest(&mut self) {
        let deadline = Instant::now() + STUCK;
        while let Some(life) = self.life.as_mut().filter(|life| life.link.is_some() && !life.added.is_empty())
        {
            match tokio::time::timeout_at(deadline, life.next()).await {
                Ok(happening) => self.happen(happening),
                Err(_) => break,
            }
        }
        if self.life.as_ref().is_some_and(|life| life.hung) {
            self.end_shims().await;
        }
        let Some(life) = self.life.as_mut() else { return };
        let forgotten: Vec<Added> = life.added.drain(..).collect();
        for added in forgotten {
            self.let_go(added, None);
        }
    }

    pub(super) async fn clear_runtime(&mut self, force: bool) -> Result<()> {
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        let log = context.store.call_log(&id, "delete");
        let outcome = self.attend(context.runc.clear(force, &log, id.as_str())).await;
        // Whether it is gone is looked at, whatever runc says.
        if !self.context.runc.knows(id.as_str()) {
            return Ok(());
        }
        outcome.map_err(|source| self.fail(source))?;
        Err(self.unbelieved("delete", "still knows the container"))
    }

    pub(super) async fn delete(&mut self, force: bool) -> Result<()> {
        if self.snapshot.status != Status::Stopped {
            if !force {
                self.admit(Verb::Delete)?;
            }
            if let Some(life) = &self.life {
                self.context.store.note(&life.run, &Journal::Delete)?;
            }
            crate::cut!("delete.noted");
            self.kill().await?;
        }
        crate::cut!("delete.killed");
        // A name that is forgotten has left nothing: what could not be cleared, now or when it ended, is the
        // caller's to know.
        self.clear_ended().await.1?;
        crate::cut!("delete.tidied");
        self.clear_runtime(true).await?;
        let (context, id) = (Arc::clone(&self.context), self.id().clone());
        crate::cut!("delete.cleared");
        blocking(move || context.store.forget(&id)).await?;
        tracing::info!(container = %self.id(), "deleted");
        crate::cut!("delete.telling");
        self.emit(Happened::Delete);
        crate::cut!("delete.told");
        // First the name is free, then the caller is told so.
        self.context.registry.remove(self.id());
        self.gone = true;
        Ok(())
    }

    /// SIGKILL to the init process, and waits for its end.
    pub(super) async fn kill(&mut self) -> Result<()> {
        if let Some(init) = self.life.as_ref().and_then(|life| life.init.as_ref()) {
            init.signal(9).map_err(|source| self.fail(source))?;
        }
        // A frozen process dies when it is thawed (cgroup v1).
        if self.snapshot.status == Status::Paused {
            self.call(options::Verb::Resume).await?;
        }
        if self.await_death().await {
            return Ok(());
        }
        Err(Error::Undying { id: self.id().clone(), seconds: DEATH })
    }

    /// Waits for the end of what was killed. A shim that hangs reaps nobody, and the first process of a pid namespace
    /// ends behind all others in it (pid_namespaces(7)): so the shim is ended too, and its children are reaped by init.
    async fn await_death(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(DEATH);
        let mut unreaped = BTreeSet::new();
        while !self.await_end(LOOK).await {
            if Instant::now() >= deadline {
                return false;
            }
            let run = self.life.as_ref().map(|life| life.run.clone());
            let looked = blocking(move || {
                let shims = run.map_or_else(Vec::new, |run| shims_of(&run));
                Ok(shims.iter().flat_map(|shim| zombies_of(shim.pid())).collect::<BTreeSet<_>>())
            });
            let zombies = looked.await.unwrap_or_default();
            if zombies.intersection(&unreaped).next().is_some() {
                tracing::error!(container = %self.id(), "its shim hangs, and is ended");
                self.end_shims().await;
            }
            unreaped = zombies;
        }
        true
    }

    /// Whichever daemon started them.
    async fn end_shims(&self) {
        let Some(run) = self.life.as_ref().map(|life| life.run.clone()) else { return };
        let _ = blocking(move || {
            for shim in shims_of(&run) {
                let _ = shim.signal(9);
            }
            Ok(())
        })
        .await;
    }

    /// Listens until the init process has ended. `false`: not within this time.
    pub(super) async fn await_end(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while let Some(life) = self.life.as_mut().filter(|life| !life.ended) {
            match tokio::time::timeout_at(deadline, life.next()).await {
                Ok(happening) => self.happen(happening),
                Err(_) => return false,
            }
        }
        true
    }

    /// Asks the init process to end, waits, then kills it.
    pub(super) async fn stop(&mut self, signal: i32, timeout: Duration) -> Result<Arc<Snapshot>> {
        if self.snapshot.never_started {
            return Err(Error::NoContainer(self.id().clone()));
        }
        if self.snapshot.status == Status::Stopped && !self.snapshot.on_purpose {
            // It may be about to be started again.
            self.ends_on_purpose().await;
            self.publish();
        }
        if self.life.as_ref().is_some_and(|life| !life.ended && life.init.is_some()) {
            self.ends_on_purpose().await;
            let kill_at = process::uptime().saturating_add(millis(timeout));
            self.note_stop(signal, false, kill_at);
            crate::cut!("stop.noted");
            self.carry_out_stop(signal, false, kill_at).await?;
        }
        Ok(Arc::new(self.snapshot.clone()))
    }

    /// Where it cannot be noted it is done all the same: only a daemon that dies over it leaves it undone.
    fn note_stop(&self, signal: i32, sent: bool, kill_at: u64) {
        let Some(life) = &self.life else { return };
        if let Err(error) = self.context.store.note(&life.run, &Journal::Stop { signal, sent, kill_at }) {
            tracing::warn!(container = %self.id(), error = %chain(&error), "a stop cannot be noted");
        }
    }

    /// A stop as the journal has it, begun by this daemon or by one that is gone.
    pub(super) async fn carry_out_stop(&mut self, signal: i32, sent: bool, kill_at: u64) -> Result<()> {
        let outcome = self.try_stop(signal, sent, kill_at).await;
        // Of one that has ended nothing is under way, and its folder is about to go.
        if let Some(life) = self.life.as_ref().filter(|life| !life.ended) {
            self.context.store.noted(&life.run);
        }
        outcome
    }

    async fn try_stop(&mut self, signal: i32, sent: bool, kill_at: u64) -> Result<()> {
        let init = self.life.as_ref().filter(|life| !life.ended).and_then(|life| life.init.as_ref());
        let Some(init) = init else { return Ok(()) };
        if !sent {
            init.signal(signal).map_err(|source| self.fail(source))?;
            crate::cut!("stop.signalled");
            self.note_stop(signal, true, kill_at);
            crate::cut!("stop.waiting");
        }
        if self.snapshot.status == Status::Paused {
            self.resume().await?;
        }
        if !self.await_polite_end(signal, kill_at).await {
            crate::cut!("stop.waited");
            self.kill().await?;
        }
        Ok(())
    }

    /// Listens until the init process has ended. `false`: it is to be killed, since it is time, or since somebody who asks
    /// meanwhile has less patience. Who kills is obeyed at once; all else waits its turn.
    async fn await_polite_end(&mut self, signal: i32, mut kill_at: u64) -> bool {
        loop {
            while let Some(kill) = self.queue.take_kill() {
                if self.obey_kill(kill).await {
                    kill_at = 0;
                }
            }
            let sooner = self.queue.patience().map(|patience| process::uptime().saturating_add(patience));
            if let Some(sooner) = sooner.filter(|sooner| *sooner < kill_at) {
                kill_at = sooner;
                self.note_stop(signal, true, kill_at);
            }
            let left = Duration::from_millis(kill_at.saturating_sub(process::uptime()));
            let Some(life) = self.life.as_mut().filter(|life| !life.ended) else { return true };
            tokio::select! {
                biased;
                happening = life.next() => self.happen(happening),
                () = tokio::time::sleep(left) => return false,
                () = self.queue.arrival() => {}
            }
        }
    }

    /// Whether it has been sent to the init process.
    async fn obey_kill(&mut self, kill: Kill) -> bool {
        match kill {
            Kill::Init(update, reply) => {
                let outcome = self.update(update).await;
                let sent = outcome.is_ok();
                answer_to(&self.context, reply, outcome).await;
                sent
            }
            Kill::Process { pid, reply } => {
                drop(reply.send(self.signal_process(pid, SIGKILL)));
                false
            }
        }
    }
}
