//! Requests being served, and how that comes to its end: what was begun is done and answered first, whether the daemon
//! is to stop or to give way to a newer program. May not know how that program is found, tried or run.

use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::api::Api;
use crate::http::{self, Answers, Door, Listeners, Phase};
use crate::signals::{Signals, Unheard};
use crate::supervisor::Supervisor;

/// How long open requests may take to finish once the daemon is told to end, or to give way.
const DRAIN: Duration = Duration::from_secs(30);

/// What is under way for less than this is about to be done: it is worth nobody's while to be let in before it is.
const SHORT: Duration = Duration::from_secs(1);

/// Of the time that a handover has waited already, what is under way for less than one part in so many is short too: on a
/// host where everything takes long it would never come to it.
const PART: u32 = 3;

/// How much longer what was taken for short may take, while nobody is let in.
const MISTAKE: Duration = Duration::from_secs(1);

/// How often it is looked how long what is under way takes.
const LOOK: Duration = Duration::from_millis(20);

/// How long, when we give way, those who have asked before may take to ask again and be told to connect anew.
const SETTLE: Duration = Duration::from_millis(200);

/// How long those may take who have connected and not asked yet; only a browser connects beforehand.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long connections may then stay open.
const FLUSH: Duration = Duration::from_secs(3);

/// How long a signal may take from its handler to who hears it.
const LAST_LOOK: Duration = Duration::from_millis(10);

/// What serves, and what is served. The sockets are not held: they are closed, or handed over.
pub(crate) struct Serving {
    supervisor: Supervisor,
    api: Api,
    answers: Answers,
    door: Door,
    /// Those of a handover that came to nothing too, while their connections are open.
    servers: JoinSet<io::Result<()>>,
    phase: watch::Sender<Phase>,
}

/// What has come of a handover.
pub(crate) enum Outcome {
    /// Nobody is served any more: the sockets are the next program's.
    Ready(Unheard),
    /// Somebody asked to stop meanwhile: that counts.
    Stop,
    /// It took too long; all are served as before.
    NotYet,
}

/// How waiting for what was begun has come out.
enum Drained {
    /// It is done and answered.
    Quiet,
    /// Somebody asked to stop meanwhile.
    Hurried,
    /// It takes longer than we wait.
    Late,
}

impl Serving {
    pub(crate) fn begin(
        supervisor: Supervisor,
        answers: Answers,
        door: Door,
        listeners: &Listeners,
    ) -> io::Result<Self> {
        let api = Api::new(supervisor.clone());
        let (servers, phase) = (JoinSet::new(), watch::Sender::new(Phase::Serving));
        let mut serving = Self { supervisor, api, answers, door, servers, phase };
        serving.serve(listeners)?;
        Ok(serving)
    }

    fn serve(&mut self, listeners: &Listeners) -> io::Result<()> {
        let router =
            http::router(self.api.clone(), self.answers.clone(), self.door.clone(), self.phase.subscribe());
        let in_use = self.door.in_use.clone();
        self.servers.spawn(listeners.serve(router, self.phase.subscribe(), in_use)?);
        Ok(())
    }

    /// Does and answers what was asked before, and serves everybody meanwhile; then, when nothing that takes long is under
    /// way, accepts no more for a moment, in which who connects waits in the kernel's queue.
    pub(crate) async fn hand_over(
        &mut self,
        listeners: &Listeners,
        signals: &mut Signals,
    ) -> io::Result<Outcome> {
        let begun = Instant::now();
        loop {
            match self.awaited(begun, signals).await {
                Drained::Quiet => {}
                Drained::Hurried => return Ok(Outcome::Stop),
                Drained::Late => break,
            }
            match self.tried(short(begun) + MISTAKE, listeners, signals).await? {
                Outcome::NotYet => self.serve_again(listeners)?,
                outcome => return Ok(outcome),
            }
        }
        tracing::error!(
            "requests were still open after {} s, so nothing was handed over and serving goes on; send SIGHUP again when \
             they are done",
            DRAIN.as_secs()
        );
        self.phase.send_replace(Phase::Serving);
        Ok(Outcome::NotYet)
    }

    /// Waits until nothing is under way that takes long.
    async fn awaited(&self, begun: Instant, signals: &mut Signals) -> Drained {
        let quiet = async {
            while self.supervisor.longest_under_way() >= short(begun) {
                self.phase
                    .send_if_modified(|phase| std::mem::replace(phase, Phase::Leaving) != Phase::Leaving);
                sleep(LOOK).await;
            }
        };
        tokio::select! {
            biased;
            () = signals.stop() => Drained::Hurried,
            // Also when it is quiet now: it may have been often, and have come to nothing.
            () = sleep_until(begun + DRAIN) => Drained::Late,
            () = quiet => Drained::Quiet,
        }
    }

    /// Nobody is let in any more, until all is done and answered or something takes longer than this.
    async fn tried(
        &mut self,
        limit: Duration,
        listeners: &Listeners,
        signals: &mut Signals,
    ) -> io::Result<Outcome> {
        self.phase.send_replace(Phase::HandingOver);
        self.supervisor.end_waits();
        let settled = async {
            let (_, _) = tokio::join!(sleep(SETTLE), timeout(PATIENCE, listeners.heard()));
        };
        let supervisor = self.supervisor.clone();
        let tried = Instant::now();
        let late = async {
            while supervisor.longest_under_way() <= limit && tried.elapsed() < DRAIN {
                sleep(LOOK).await;
            }
        };
        match self.drained(settled, late, signals).await? {
            Drained::Quiet => {
                let unheard = Unheard::begin()?;
                // One that was on its way.
                if timeout(LAST_LOOK, signals.stop()).await.is_ok() {
                    return Ok(Outcome::Stop);
                }
                Ok(Outcome::Ready(unheard))
            }
            Drained::Hurried => Ok(Outcome::Stop),
            Drained::Late => Ok(Outcome::NotYet),
        }
    }

    /// After a handover that was begun and came to nothing. What is open on the servers before comes to its end there.
    fn serve_again(&mut self, listeners: &Listeners) -> io::Result<()> {
        self.supervisor.allow_waits();
        self.phase = watch::Sender::new(Phase::Leaving);
        self.serve(listeners)
    }

    /// Refuses what is new, in words, and does and answers what was asked before; then nobody listens any more.
    pub(crate) async fn end(mut self, listeners: Listeners, signals: &mut Signals) -> io::Result<()> {
        let accepts = self.phase.borrow().accepts();
        if accepts {
            self.phase.send_replace(Phase::Draining);
        } else {
            // Given up in the middle of a handover: the servers before take nobody any more.
            self.phase = watch::Sender::new(Phase::Draining);
            self.serve(&listeners)?;
        }
        // After the phase: who is refused is told to connect anew.
        self.supervisor.close();
        let (supervisor, mut listeners) = (self.supervisor.clone(), Some(listeners));
        let settled = async {
            supervisor.idle().await;
            if let Some(listeners) = listeners.take() {
                listeners.close();
            }
        };
        // Who asks twice does not want to wait.
        let drained = self.drained(settled, sleep(DRAIN), signals).await;
        if let Some(listeners) = listeners {
            listeners.close();
        }
        if !matches!(drained?, Drained::Quiet) {
            tracing::warn!(
                "requests were still open; what they began is finished or undone at the next start"
            );
        }
        Ok(())
    }

    /// Waits until what was begun is done and answered, or it is late. `settled`: those who have connected have had time to
    /// ask.
    async fn drained(
        &mut self,
        settled: impl Future<Output = ()>,
        late: impl Future<Output = ()>,
        signals: &mut Signals,
    ) -> io::Result<Drained> {
        let Self { supervisor, servers, phase, .. } = self;
        let finished = async {
            settled.await;
            phase.send_replace(Phase::Ending);
            loop {
                supervisor.idle().await;
                // The answers go out; a connection that asks for nothing, or does not read, is not waited for. One that
                // has asked for something at the last moment is.
                match timeout(FLUSH, all_ended(servers)).await {
                    Ok(ended) => ended?,
                    Err(_) if supervisor.is_busy() => continue,
                    Err(_) => {}
                }
                break;
            }
            // What comes in on the last of the connections.
            supervisor.close();
            supervisor.idle().await;
            Ok(Drained::Quiet)
        };
        tokio::select! {
            finished = finished => finished,
            () = signals.stop() => Ok(Drained::Hurried),
            () = late => Ok(Drained::Late),
        }
    }
}

/// What is under way for less than this does not keep a handover waiting that was begun then.
fn short(begun: Instant) -> Duration {
    SHORT.max(begun.elapsed() / PART)
}

async fn all_ended(servers: &mut JoinSet<io::Result<()>>) -> io::Result<()> {
    while let Some(server) = servers.join_next().await {
        server.map_err(io::Error::other)??;
    }
    Ok(())
}
