//! What happened, in one order, to whoever listens. One thread writes each event to a file and then shows
//! it, so that a cursor that was seen is never given twice, across a crash of the daemon too. Nothing waits
//! for a listener: who falls behind what is kept is told how much it missed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

use super::names::{CheckpointName, ContainerId};
use super::store::LogOf;
use crate::runtime::lines::{self, Lines};

/// How many events are kept for those who ask for past ones.
const KEPT: usize = 8192;
/// The file's size at which it is rotated, in bytes; one older file is kept.
const FILE_CAP: u64 = 2 * 1024 * 1024;
/// How many events a listener is given at once.
const PORTION: usize = 256;

const NAME: &str = "events";
const OLDER: &str = "events.1";
const MARK: &str = "events.shown";

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Happened {
    /// There is a container of this name: its first start, or restore, has succeeded, and is told next.
    Created,
    /// Started from its bundle.
    Start,
    /// Restored from a checkpoint.
    Restore,
    /// A process was added.
    Exec {
        /// On the host.
        pid: i32,
        /// The number of the request in its run: a pid may be given again.
        seq: u64,
    },
    /// Frozen.
    Pause,
    /// Thawed.
    Resume,
    /// Dumped.
    Checkpoint {
        /// The checkpoint's name.
        name: CheckpointName,
        /// The number of the request in its run, by which it is known whether it was told.
        seq: u64,
    },
    /// A dump or a restore takes its time: how far it is.
    Progress {
        /// Which of the two.
        of: LogOf,
        /// The checkpoint.
        name: CheckpointName,
        /// What is written, if that is known.
        bytes: Option<u64>,
        /// What there is to do.
        total: u64,
    },
    /// A process ended: its pid if it was an added one, and its status as a shell says it, if known.
    Exit {
        /// The added process; none for init.
        pid: Option<i32>,
        /// Its number, as [`Happened::Exec`] has it.
        seq: Option<u64>,
        /// 0 to 255.
        status: Option<i32>,
        /// Whether the kernel has killed it, or of init any process of the container, for want of memory.
        #[serde(default)]
        oom: bool,
    },
    /// The kernel has killed processes of the container for want of memory.
    Oom {
        /// How many of this run by now.
        kills: u64,
    },
    /// All memory of a lazy restore is in.
    PagesLoaded,
    /// It will not come, and the container is killed for that.
    PagesLost,
    /// Forgotten.
    Delete,
}

/// One event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the order of all.
    pub cursor: u64,
    /// The container.
    pub id: ContainerId,
    /// The run it is about; a name may be started again.
    pub run: u32,
    /// When.
    pub at: Timestamp,
    /// What.
    pub happened: Happened,
}

/// What was last said of a name, for a daemon that starts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    /// The last run that was said to have started, or is about to be.
    pub(super) run: u32,
    /// That it has started was not said yet.
    pub(super) created_only: bool,
    /// Whether it was said to have ended.
    pub(super) ended: bool,
    /// The added processes of that run that were said to have begun, by their number: their pids.
    pub(super) added: BTreeMap<u64, i32>,
    /// Those that were said to have ended.
    pub(super) over: BTreeSet<u64>,
    /// Whether it was last said to be paused.
    pub(super) paused: bool,
    /// The number of the last checkpoint that was said to have been made in that run.
    pub(super) checkpoint: Option<u64>,
    /// How many kills for want of memory were told of that run.
    pub(super) oom: u64,
    /// Whether it was told what became of its pages.
    pub(super) pages: bool,
}

/// Where events are published and read.
#[derive(Debug)]
pub(super) struct Events {
    writer: mpsc::Sender<Order>,
    shared: Arc<Shared>,
    /// By name, as of the start: those that were not deleted.
    heard: BTreeMap<ContainerId, Heard>,
    /// What was told up to this cursor is not known any more; 0 while no file was rotated away.
    unknown: u64,
}

/// What the thread that writes is asked for.
#[derive(Debug)]
enum Order {
    Publish(Event),
    /// To say so once all before it are written.
    Flush(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Shared {
    kept: Mutex<VecDeque<Event>>,
    /// The last cursor that was shown.
    last: watch::Sender<u64>,
}

impl Events {
    /// Reads what was kept, and begins to write behind it.
    /// `volatile`: where it is noted what could not be written.
    pub(super) fn open(folder: &Path, volatile: &Path) -> io::Result<Self> {
        let mut kept = VecDeque::new();
        let mut heard = BTreeMap::new();
        let mut unknown = None;
        for name in [OLDER, NAME] {
            for event in lines::read::<Event>(&folder.join(name))? {
                if name == OLDER {
                    unknown.get_or_insert(event.cursor.saturating_sub(1));
                }
                note(&mut heard, &event);
                kept.push_back(event);
            }
            kept.drain(..kept.len().saturating_sub(KEPT));
        }
        let mut last = kept.back().map_or(0, |event| event.cursor);
        let mark = volatile.join(MARK);
        let shown = fs::read_to_string(&mark).ok().and_then(|shown| shown.trim().parse().ok()).unwrap_or(0);
        if shown > last {
            // Whoever asks for them is told that they are missed, and those before with them: cursors have no gaps.
            tracing::error!(count = shown - last, "events were shown that could not be written");
            kept.clear();
            (last, unknown) = (shown, Some(shown));
        }
        let mut file = Appender::open(folder, mark)?;
        let shared = Arc::new(Shared { kept: Mutex::new(kept), last: watch::Sender::new(last) });
        let (writer, orders) = mpsc::channel::<Order>();
        let showing = Arc::clone(&shared);
        std::thread::Builder::new().name("events".into()).spawn(move || {
            let mut cursor = last;
            for order in orders {
                match order {
                    Order::Publish(event) => {
                        cursor += 1;
                        let event = Event { cursor, ..event };
                        file.append(&event);
                        crate::cut!("event.written");
                        showing.show(event);
                    }
                    Order::Flush(written) => {
                        let _ = file.write_pending();
                        // Who does not wait any more does not need to know.
                        let _ = written.send(());
                    }
                }
            }
        })?;
        Ok(Self { writer, shared, heard, unknown: unknown.unwrap_or(0) })
    }

    /// What was last said of a name.
    pub(super) fn heard(&self, id: &ContainerId) -> Option<Heard> {
        self.heard.get(id).cloned()
    }

    /// Whether what was told after this cursor is all known still. By cursors and not by times: a clock may be set
    /// back.
    pub(super) fn knows_since(&self, cursor: u64) -> bool {
        cursor >= self.unknown
    }

    /// The last cursor that was given.
    pub(super) fn last(&self) -> u64 {
        *self.shared.last.borrow()
    }

    /// Every name that was heard of and not said to be deleted.
    pub(super) fn names(&self) -> impl Iterator<Item = (&ContainerId, u32)> {
        self.heard.iter().map(|(id, heard)| (id, heard.run))
    }

    /// Tells it, in the order of the calls.
    pub(super) fn publish(&self, id: &ContainerId, run: u32, at: Timestamp, happened: Happened) {
        // The thread lives as long as we do.
        let _ = self.writer.send(Order::Publish(Event { cursor: 0, id: id.clone(), run, at, happened }));
    }

    /// Waits until what was published is written: then the journal may forget what it was about.
    pub(super) async fn written(&self) {
        let (written, done) = oneshot::channel();
        let _ = self.writer.send(Order::Flush(written));
        let _ = done.await;
    }

    /// Listens from now on, or from after a cursor.
    pub(super) fn listen(&self, since: Option<u64>) -> Listener {
        let last = self.shared.last.subscribe();
        let newest = *last.borrow();
        Listener { shared: Arc::clone(&self.shared), last, cursor: since.unwrap_or(newest).min(newest) }
    }
}

impl Shared {
    fn show(&self, event: Event) {
        let cursor = event.cursor;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(event);
        if kept.len() > KEPT {
            kept.pop_front();
        }
        drop(kept);
        self.last.send_replace(cursor);
    }
}

/// What a listener is given.
#[derive(Debug, Clone)]
pub enum Told {
    /// What happened.
    Event(Event),
    /// So many events before the next are no longer kept; the last of them has this cursor.
    Missed {
        /// How many.
        count: u64,
        /// The last one's cursor.
        cursor: u64,
    },
}

/// One who listens, and how far it has come.
#[derive(Debug)]
pub struct Listener {
    shared: Arc<Shared>,
    last: watch::Receiver<u64>,
    cursor: u64,
}

impl Listener {
    /// What there is now and was not told yet, a portion of it.
    pub fn now(&mut self) -> Vec<Told> {
        let kept = self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Vec::new();
        let Some(first) = kept.front().map(|event| event.cursor) else { return told };
        if self.cursor + 1 < first {
            told.push(Told::Missed { count: first - self.cursor - 1, cursor: first - 1 });
            self.cursor = first - 1;
        }
        // Cursors have no gaps, so a cursor is a place.
        let from = usize::try_from(self.cursor + 1 - first).unwrap_or(usize::MAX);
        for event in kept.iter().skip(from).take(PORTION) {
            self.cursor = event.cursor;
            told.push(Told::Event(event.clone()));
        }
        told
    }

    /// Waits until there is more.
    pub async fn more(&mut self) {
        let seen = self.cursor;
        // Without a sender nothing comes any more.
        if self.last.wait_for(|last| *last > seen).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn note(heard: &mut BTreeMap<ContainerId, Heard>, event: &Event) {
    match &event.happened {
        Happened::Created => {
            let heard_of = Heard { run: event.run, created_only: true, ..Heard::default() };
            heard.insert(event.id.clone(), heard_of);
        }
        Happened::Start | Happened::Restore => {
            heard.insert(event.id.clone(), Heard { run: event.run, ..Heard::default() });
        }
        Happened::Exit { pid: None, .. } => of_run(heard, event).ended = true,
        Happened::Exec { pid, seq } => drop(of_run(heard, event).added.insert(*seq, *pid)),
        Happened::Exit { seq, .. } => of_run(heard, event).over.extend(seq),
        Happened::Oom { kills } => of_run(heard, event).oom = *kills,
        Happened::Delete => {
            heard.remove(&event.id);
        }
        Happened::PagesLoaded | Happened::PagesLost => of_run(heard, event).pages = true,
        Happened::Progress { .. } => {}
        Happened::Pause => of_run(heard, event).paused = true,
        Happened::Resume => of_run(heard, event).paused = false,
        Happened::Checkpoint { seq, .. } => of_run(heard, event).checkpoint = Some(*seq),
    }
}

/// What was heard of the event's run, whose start may have been told too long ago to be kept.
fn of_run<'a>(heard: &'a mut BTreeMap<ContainerId, Heard>, event: &Event) -> &'a mut Heard {
    let known = heard.entry(event.id.clone()).or_default();
    if known.run != event.run {
        *known = Heard { run: event.run, ..Heard::default() };
    }
    known
}

#[derive(Debug)]
struct Appender {
    folder: PathBuf,
    lines: Lines,
    /// Those that could not be written, for as long as they are kept in memory.
    pending: VecDeque<Vec<u8>>,
    /// Where it is noted, in the volatile folder, that events up to this were shown and not written: their cursors are
    /// not given again.
    mark: PathBuf,
}

impl Appender {
    fn open(folder: &Path, mark: PathBuf) -> io::Result<Self> {
        let lines = Lines::open(&folder.join(NAME))?;
        Ok(Self { folder: folder.to_owned(), lines, pending: VecDeque::new(), mark })
    }

    /// A full disk does not keep those who listen from being told.
    fn append(&mut self, event: &Event) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        let marked = !self.pending.is_empty();
        self.pending.push_back(line);
        if self.pending.len() > KEPT {
            self.pending.pop_front();
        }
        if let Err(error) = self.write_pending() {
            if !marked {
                tracing::error!(%error, "events cannot be written; they are kept in memory until they can");
            }
            let _ = fs::write(&self.mark, event.cursor.to_string());
        } else if marked {
            tracing::info!("events can be written again");
        }
    }

    fn write_pending(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        while let Some(line) = self.pending.front() {
            self.lines.append(line)?;
            self.pending.pop_front();
            if self.lines.size() > file_cap() {
                crate::cut!("event.rotating");
                let _ = self.lines.rotate(&self.folder.join(OLDER));
            }
        }
        match fs::remove_file(&self.mark) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Small where a short test is to rotate it.
fn file_cap() -> u64 {
    crate::faults::size("EVENTS").unwrap_or(FILE_CAP)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    fn id(name: &str) -> ContainerId {
        name.parse().unwrap()
    }

    async fn told(listener: &mut Listener, count: usize) -> Vec<u64> {
        let mut cursors = Vec::new();
        while cursors.len() < count {
            listener.more().await;
            cursors.extend(listener.now().iter().map(|told| match told {
                Told::Event(event) => event.cursor,
                Told::Missed { count, .. } => 1_000_000 + count,
            }));
        }
        cursors
    }

    #[tokio::test]
    async fn cursors_go_on_across_a_restart_and_nothing_is_told_twice() {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::now();
        let events = Events::open(folder.path(), folder.path()).unwrap();
        let mut live = events.listen(None);
        events.publish(&id("a"), 1, now, Happened::Start);
        events.publish(
            &id("a"),
            1,
            now,
            Happened::Exit { pid: None, seq: None, status: Some(0), oom: false },
        );
        events.publish(&id("b"), 3, now, Happened::Restore);
        assert_eq!(told(&mut live, 3).await, [1, 2, 3]);
        drop((events, live));
        // A crash in the middle of a line.
        File::options().append(true).open(folder.path().join(NAME)).unwrap().write_all(b"{\"curs").unwrap();

        let events = Events::open(folder.path(), folder.path()).unwrap();
        assert_eq!(events.heard(&id("a")), Some(Heard { run: 1, ended: true, ..Heard::default() }));
        assert_eq!(events.heard(&id("b")), Some(Heard { run: 3, ..Heard::default() }));
        let mut resumed = events.listen(Some(1));
        events.publish(&id("a"), 1, now, Happened::Delete);
        assert_eq!(told(&mut resumed, 3).await, [2, 3, 4]);
    }

    #[tokio::test]
    async fn who_falls_behind_is_told_how_much_was_missed() {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::open(folder.path(), folder.path()).unwrap();
        let mut slow = events.listen(None);
        let mut live = events.listen(None);
        for _ in 0..KEPT + 10 {
            events.publish(&id("a"), 1, Timestamp::now(), Happened::Pause);
        }
        told(&mut live, KEPT).await;
        while *live.last.borrow() < (KEPT + 10) as u64 {
            live.more().await;
            live.now();
        }
        match &slow.now()[..2] {
            [Told::Missed { count: 10, cursor: 10 }, Told::Event(event)] => assert_eq!(event.cursor, 11),
            other => panic!("{other:?}"),
        }
    }
}
