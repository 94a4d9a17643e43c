//! What is asked of a container and waits for its turn. One at a time, in order of arrival: but a stop that waits for its
//! process to end politely looks at what waits behind it, since who kills does not wait for politeness.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::calls::millis;
use super::processes::SIGKILL;
use super::{Command, Reply, Snapshot, Update};

#[derive(Default)]
pub(super) struct Queue {
    /// `None`: nobody can ask yet, or any more. Boxed, as a channel has places for 32 at once, in each container.
    requests: Option<mpsc::Receiver<Box<Command>>>,
    /// Those that have been looked at, in order of arrival.
    seen: VecDeque<Command>,
}

/// A request that is obeyed before its turn while a stop waits.
pub(super) enum Kill {
    Init(Update, Reply<Arc<Snapshot>>),
    Process { pid: i32, reply: Reply<()> },
}

impl Queue {
    pub(super) fn new(requests: mpsc::Receiver<Box<Command>>) -> Self {
        Self { requests: Some(requests), seen: VecDeque::new() }
    }

    /// The next in order. `None`: nobody can ask any more. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Option<Command> {
        match self.seen.pop_front() {
            Some(command) => Some(command),
            None => self.requests.as_mut()?.recv().await.map(|command| *command),
        }
    }

    /// Waits for another to come, and sees it. Nothing is lost when the future is dropped.
    pub(super) async fn arrival(&mut self) {
        match &mut self.requests {
            Some(requests) => match requests.recv().await {
                Some(command) => self.seen.push_back(*command),
                None => self.requests = None,
            },
            None => std::future::pending().await,
        }
    }

    /// The first that kills, taken out of its turn.
    pub(super) fn take_kill(&mut self) -> Option<Kill> {
        let kills = |command: &Command| match command {
            Command::Update(update, _) => update.signal == Some(SIGKILL),
            Command::Signal { signal, .. } => *signal == SIGKILL,
            _ => false,
        };
        let index = self.of_this_run().position(kills)?;
        match self.seen.remove(index)? {
            Command::Update(update, reply) => Some(Kill::Init(update, reply)),
            Command::Signal { pid, reply, .. } => Some(Kill::Process { pid, reply }),
            _ => None,
        }
    }

    /// How long a stop that waits may take for those behind it: nothing for who deletes with force.
    pub(super) fn patience(&self) -> Option<u64> {
        let patience = |command: &Command| match command {
            Command::Delete { force: true, .. } => Some(Duration::ZERO),
            Command::Stop { timeout, .. } => Some(*timeout),
            _ => None,
        };
        self.of_this_run().filter_map(patience).min().map(millis)
    }

    /// What is asked behind a start is asked of what that will have started.
    fn of_this_run(&self) -> impl Iterator<Item = &Command> {
        self.seen.iter().take_while(|command| !matches!(command, Command::Start(..) | Command::Again(..)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn kill() -> Command {
        Command::Update(Update { paused: None, signal: Some(SIGKILL) }, oneshot::channel().0)
    }

    fn stop(seconds: u64) -> Command {
        Command::Stop { signal: 15, timeout: Duration::from_secs(seconds), reply: oneshot::channel().0 }
    }

    fn start() -> Command {
        let start = super::super::Start::of(super::super::Behalf::default(), "/b".into());
        Command::Start(start, oneshot::channel().0)
    }

    #[tokio::test]
    async fn what_kills_is_found_behind_others_but_not_behind_a_start_and_all_else_keeps_its_order() {
        let (sender, requests) = mpsc::channel(8);
        let mut queue = Queue::new(requests);
        let delete = |force| Command::Delete { force, reply: oneshot::channel().0 };
        for command in [stop(9), delete(false), stop(5), kill(), start(), kill(), delete(true)] {
            sender.send(Box::new(command)).await.ok().unwrap();
        }
        assert!(queue.take_kill().is_none(), "what has not been seen");
        for _ in 0..7 {
            queue.arrival().await;
        }
        assert_eq!(queue.patience(), Some(5000));
        assert!(matches!(queue.take_kill(), Some(Kill::Init(..))));
        assert!(queue.take_kill().is_none());
        let mut order = Vec::new();
        drop(sender);
        while let Some(command) = queue.next().await {
            order.push(match command {
                Command::Stop { timeout, .. } => format!("stop {}", timeout.as_secs()),
                Command::Delete { force, .. } => format!("delete {force}"),
                Command::Start(..) => {
                    assert_eq!(queue.patience(), Some(0), "now it is of this run");
                    "start".to_owned()
                }
                Command::Update(..) => "kill".to_owned(),
                _ => "other".to_owned(),
            });
        }
        assert_eq!(order, ["stop 9", "delete false", "stop 5", "start", "kill", "delete true"]);
    }
}
