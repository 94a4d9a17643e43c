//! Requests being served, and how that comes to its end: what was begun is done and answered first, whether the daemon
//! is to stop or to give way to a newer program. May not know how that program is found, tried or run.

use std::io;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::api::Api;
use crate::http::{self, Answers, Door, Listeners, Phase};
use crate::signals::{Signals, Unheard};
use crate::supervisor::Supervisor;

/// How long open requests may take to finish once the daemon is told to end, or to give way.
const DRAIN: Duration = Duration::from_secs(30);

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
        self.servers.spawn(listeners.serve(router, self.phase.subscribe())?);
        Ok(())
    }

    /// Accepts no more, so that who connects waits in the kernel's queue, and does and answers what was asked before.
    pub(crate) async fn hand_over(
        &mut self,
        listeners: &Listeners,
        signals: &mut Signals,
    ) -> io::Result<Outcome> {
        self.phase.send_replace(Phase::HandingOver);
        self.supervisor.end_waits();
        let settled = async {
            let (_, _) = tokio::join!(sleep(SETTLE), timeout(PATIENCE, listeners.heard()));
        };
        match self.drained(settled, signals).await? {
            Drained::Quiet => {
                let unheard = Unheard::begin()?;
                // One that was on its way.
                if timeout(LAST_LOOK, signals.stop()).await.is_ok() {
                    return Ok(Outcome::Stop);
                }
                Ok(Outcome::Ready(unheard))
            }
            Drained::Hurried => Ok(Outcome::Stop),
            Drained::Late => {
                tracing::error!(
                    "requests were still open after {} s, so nothing was handed over and serving goes on; send SIGHUP \
                     again when they are done",
                    DRAIN.as_secs()
                );
                self.supervisor.allow_waits();
                // What is open on the servers before comes to its end there.
                self.phase = watch::Sender::new(Phase::Serving);
                self.serve(listeners)?;
                Ok(Outcome::NotYet)
            }
        }
    }

    /// Refuses what is new, in words, and does and answers what was asked before; then nobody listens any more.
    pub(crate) async fn end(mut self, listeners: Listeners, signals: &mut Signals) -> io::Result<()> {
        self.supervisor.close();
        if *self.phase.borrow() == Phase::Serving {
            self.phase.send_replace(Phase::Draining);
        } else {
            // Given up in the middle of a handover: the servers before take nobody any more.
            self.phase = watch::Sender::new(Phase::Draining);
            self.serve(&listeners)?;
        }
        let (supervisor, mut listeners) = (self.supervisor.clone(), Some(listeners));
        let settled = async {
            supervisor.idle().await;
            if let Some(listeners) = listeners.take() {
                listeners.close();
            }
        };
        // Who asks twice does not want to wait.
        let drained = self.drained(settled, signals).await;
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

    /// Waits until what was begun is done and answered. `settled`: those who have connected have had time to ask.
    async fn drained(
        &mut self,
        settled: impl Future<Output = ()>,
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
            () = sleep(DRAIN) => Ok(Drained::Late),
        }
    }
}

async fn all_ended(servers: &mut JoinSet<io::Result<()>>) -> io::Result<()> {
    while let Some(server) = servers.join_next().await {
        server.map_err(io::Error::other)??;
    }
    Ok(())
}
