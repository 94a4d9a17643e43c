//! Reading a container's log while its shim writes it: whole lines, across a rotation, from the files alone,
//! so that neither the shim nor the container waits for a reader.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Closing;
use super::container::Snapshot;
use super::error::{Result, store};
use super::state::Status;
use super::store::blocking;
use crate::ipc::{LOG, LOG_OLDER, LOG_ROTATIONS};

/// How often a follower looks for more: the log is a file, and only a follower looks.
const LOOK: Duration = Duration::from_millis(50);
/// About how many bytes one portion has.
const PORTION: usize = 64 * 1024;
/// How often files that are just being rotated are looked at again.
const TRIES: u32 = 1000;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When the shim read it.
    pub at: Timestamp,
    /// Standard error, not standard output.
    pub stderr: bool,
    /// It goes on in the next line of its stream.
    pub partial: bool,
    /// As it was written, without its end.
    pub text: Vec<u8>,
    /// Not written by anybody: it says that others before it are lost to this reader.
    pub missed: bool,
}

impl LogLine {
    /// `time stream F|P text`. `None`: a line that a full disk has cut.
    fn parse(line: &[u8]) -> Option<Self> {
        let mut parts = line.splitn(4, |byte| *byte == b' ');
        let mut word = || std::str::from_utf8(parts.next()?).ok();
        let (at, stream, mark) = (word()?.parse().ok()?, word()?, word()?);
        let (stderr, partial, text) = (stream == "stderr", mark == "P", parts.next()?.to_vec());
        Some(Self { at, stderr, partial, text, missed: false })
    }

    /// In place of what was rotated away before it was read.
    fn missing() -> Self {
        let text = b"-- lines are missing here: they were written faster than they were read --".to_vec();
        Self { at: Timestamp::now(), stderr: false, partial: false, text, missed: true }
    }
}

/// Which lines.
#[derive(Debug, Clone)]
pub struct LogQuery {
    /// Those of standard output.
    pub stdout: bool,
    /// Those of standard error.
    pub stderr: bool,
    /// The last ones only, so many.
    pub tail: Option<usize>,
    /// Those from then on.
    pub since: Option<Timestamp>,
    /// Those that come, too, until the container ends.
    pub follow: bool,
}

impl LogQuery {
    fn takes(&self, line: &LogLine) -> bool {
        (if line.stderr { self.stderr } else { self.stdout })
            && self.since.is_none_or(|since| line.at >= since)
    }
}

/// As few lines are kept, even if none of them is wanted.
const MANY: usize = 1024;

/// The last lines of these, so many, each with all its pieces. A line is where it begins.
fn last_lines(all: &mut VecDeque<LogLine>, wanted: usize) {
    let (mut begun, mut open) = (0, [None; 2]);
    let numbers: Vec<usize> = all
        .iter()
        .map(|line| {
            let stream = &mut open[usize::from(line.stderr)];
            let number = stream.take().unwrap_or_else(|| {
                begun += 1;
                begun
            });
            *stream = line.partial.then_some(number);
            number
        })
        .collect();
    let mut numbers = numbers.into_iter();
    all.retain(|_| numbers.next().is_some_and(|number| number + wanted > begun));
}

/// A log being read.
#[derive(Debug)]
pub struct LogReader {
    query: LogQuery,
    view: watch::Receiver<Arc<Snapshot>>,
    closing: watch::Receiver<Closing>,
    files: Option<Files>,
    last: bool,
}

/// The files, and how far they have been read. Its own part, to go to where blocking is allowed and back.
#[derive(Debug)]
struct Files {
    /// Leads to the log of the run that counts.
    link: PathBuf,
    /// The folder of the run that is read.
    folder: PathBuf,
    /// The oldest first; the last one is written to.
    open: VecDeque<BufReader<File>>,
    /// How often the log had been rotated when the last of them was the newest; none with an older shim.
    rotations: Option<u64>,
    begun: bool,
    rest: Vec<u8>,
}

impl LogReader {
    pub(super) fn new(
        folder: PathBuf,
        query: LogQuery,
        view: watch::Receiver<Arc<Snapshot>>,
        closing: watch::Receiver<Closing>,
    ) -> Self {
        let files = Files::new(&folder);
        Self { query, view, closing, files: Some(files), last: false }
    }

    /// The next lines; `None`: there are no more.
    pub async fn next(&mut self) -> Option<Result<Vec<LogLine>>> {
        loop {
            if self.last {
                return None;
            }
            // Asked before it is read: what was written before an end is found after it.
            let over = !self.query.follow
                || !matches!(
                    self.view.borrow().status,
                    Status::Creating | Status::Running | Status::Paused | Status::Checkpointing
                )
                || self.view.has_changed().is_err();
            let mut files = self.files.take()?;
            let query = self.query.clone();
            let read = blocking(move || {
                // Asked before it is read, too: what another run's start found is all that this one wrote.
                let superseded = files.superseded();
                let lines = files.read(&query)?;
                Ok((files, superseded, lines))
            })
            .await;
            let (files, superseded, lines) = match read {
                Ok(read) => read,
                Err(error) => {
                    self.last = true;
                    return Some(Err(error));
                }
            };
            self.files = Some(files);
            if let Some(lines) = lines {
                return Some(Ok(lines));
            }
            if over || superseded {
                self.last = true;
                return None;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = self.closing.wait_for(|closing| *closing != Closing::Not) => self.last = true,
            }
        }
    }
}

impl Files {
    fn new(folder: &Path) -> Self {
        Self {
            link: folder.join(LOG),
            folder: folder.to_owned(),
            open: VecDeque::new(),
            rotations: None,
            begun: false,
            rest: Vec::new(),
        }
    }

    /// Whether the name was started again since: then this run has ended, whatever the container does.
    fn superseded(&self) -> bool {
        self.begun
            && fs::canonicalize(&self.link).ok().as_deref().and_then(Path::parent) != Some(&self.folder)
    }

    /// The next portion; `None`: nothing more is there now.
    fn read(&mut self, query: &LogQuery) -> Result<Option<Vec<LogLine>>> {
        if !self.begun {
            // The link leads to the run that counts now; a later start is another log.
            let Ok(current) = fs::canonicalize(&self.link) else { return Ok(None) };
            self.begun = true;
            self.folder = current.parent().unwrap_or(&self.folder).to_owned();
            let Named { older, newest, rotations } = self.named()?;
            self.rotations = rotations;
            self.open.extend(older.into_iter().chain([newest]));
            if let Some(wanted) = query.tail {
                let (mut last, mut many) = (VecDeque::new(), MANY);
                while let Some(lines) = self.portion(query)? {
                    last.extend(lines);
                    // Each look goes over all: only when there are twice as many.
                    if last.len() >= many {
                        last_lines(&mut last, wanted);
                        many = 2 * last.len() + MANY;
                    }
                }
                last_lines(&mut last, wanted);
                return Ok(Some(last.into()));
            }
        }
        self.portion(query)
    }

    fn portion(&mut self, query: &LogQuery) -> Result<Option<Vec<LogLine>>> {
        let mut lines = Vec::new();
        let mut size = 0;
        while size < PORTION {
            let Some(file) = self.open.front_mut() else { break };
            let before = self.rest.len();
            file.read_until(b'\n', &mut self.rest).map_err(store("reading the log in", &self.folder))?;
            size += self.rest.len() - before;
            if self.rest.pop_if(|last| *last == b'\n').is_some() {
                lines
                    .extend(LogLine::parse(&std::mem::take(&mut self.rest)).filter(|line| query.takes(line)));
                continue;
            }
            // The end of this file for now: half a line waits for its other half.
            if self.open.len() > 1 {
                self.open.pop_front();
                continue;
            }
            match self.follow_rotation()? {
                Followed::Same => break,
                Followed::On => {}
                Followed::Missed => lines.push(LogLine::missing()),
            }
        }
        Ok((size > 0 || !lines.is_empty()).then_some(lines))
    }

    /// The two files by their names, of one moment: a rotation between two looks is looked at again.
    fn named(&self) -> Result<Named> {
        let mut tries = 0;
        loop {
            let before = self.rotated();
            let newest = open(&self.folder.join(LOG))?;
            let older = open(&self.folder.join(LOG_OLDER)).ok();
            // Odd while it is being rotated, and for ever where a shim was killed then.
            let steady = before == self.rotated() && before.is_none_or(|count| count % 2 == 0);
            tries += 1;
            if older.as_ref().is_none_or(|older| inode(older) != inode(&newest)) && (steady || tries > TRIES)
            {
                return Ok(Named { older, newest, rotations: before.map(|count| count / 2) });
            }
        }
    }

    /// As the shim counts; before the first time there is no file.
    fn rotated(&self) -> Option<u64> {
        match fs::read_to_string(self.folder.join(LOG_ROTATIONS)) {
            Ok(text) => text.trim().parse().ok(),
            // An older shim does not count.
            Err(_) if self.folder.join(LOG_OLDER).exists() => None,
            Err(_) => Some(0),
        }
    }

    /// After the end of a file that has been rotated away its successors are read: one, or two when it has
    /// happened twice. More often, and those between are lost.
    fn follow_rotation(&mut self) -> Result<Followed> {
        let Some(held) = self.open.back().map(inode) else { return Ok(Followed::Same) };
        match fs::metadata(self.folder.join(LOG)) {
            Ok(named) if Some(named.ino()) != held => {}
            // Deleted, or the same.
            _ => return Ok(Followed::Same),
        }
        let Named { older, newest, rotations } = self.named()?;
        let older = older.filter(|older| inode(older) != held);
        let happened = rotations.zip(self.rotations).map(|(now, then)| now.saturating_sub(then));
        let missed = older.is_some() && happened.is_some_and(|happened| happened > 2);
        self.rotations = rotations;
        self.open.extend(older.into_iter().chain([newest]));
        Ok(if missed { Followed::Missed } else { Followed::On })
    }
}

/// The files by their names.
struct Named {
    older: Option<BufReader<File>>,
    newest: BufReader<File>,
    rotations: Option<u64>,
}

/// What came after the end of a file.
enum Followed {
    Same,
    On,
    Missed,
}

fn inode(file: &BufReader<File>) -> Option<u64> {
    file.get_ref().metadata().ok().map(|kind| kind.ino())
}

fn open(path: &Path) -> Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path).map_err(store("opening the log", path))?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const ALL: LogQuery = LogQuery { stdout: true, stderr: true, tail: None, since: None, follow: false };

    fn texts(lines: Option<Vec<LogLine>>) -> Vec<String> {
        lines.into_iter().flatten().map(|line| String::from_utf8(line.text).unwrap()).collect()
    }

    fn entry(number: u32, stream: &str) -> String {
        format!("2026-11-25T10:00:{number:02}.000000Z {stream} F line {number}\n")
    }

    fn reader(folder: &Path) -> Files {
        // The link and the log are one here.
        Files::new(&folder.canonicalize().unwrap())
    }

    #[test]
    fn two_rotations_between_two_looks_lose_no_line_that_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (path, older) = (folder.path().join(LOG), folder.path().join(LOG_OLDER));
        fs::write(&path, entry(1, "stdout")).unwrap();
        let mut files = reader(folder.path());
        assert_eq!(texts(files.read(&ALL).unwrap()), ["line 1"]);
        for number in [2, 3] {
            fs::rename(&path, &older).unwrap();
            fs::write(&path, entry(number, "stdout")).unwrap();
        }
        let mut found = Vec::new();
        while let Some(lines) = files.read(&ALL).unwrap() {
            found.extend(texts(Some(lines)));
        }
        assert_eq!(found, ["line 2", "line 3"]);
    }

    #[test]
    fn what_was_rotated_away_before_it_was_read_is_said_to_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOG);
        fs::write(&path, entry(1, "stdout")).unwrap();
        let mut files = reader(folder.path());
        assert_eq!(texts(files.read(&ALL).unwrap()), ["line 1"]);
        for number in [2, 3, 4] {
            fs::rename(&path, folder.path().join(LOG_OLDER)).unwrap();
            fs::write(&path, entry(number, "stdout")).unwrap();
            fs::write(folder.path().join(LOG_ROTATIONS), (2 * (number - 1)).to_string()).unwrap();
        }
        let mut found = Vec::new();
        while let Some(lines) = files.read(&ALL).unwrap() {
            found.extend(lines);
        }
        assert_eq!(found.iter().map(|line| line.missed).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(texts(Some(found.split_off(1))), ["line 3", "line 4"]);
    }

    #[test]
    fn lines_are_read_whole_across_a_rotation_and_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(LOG);
        let mut file = File::create(&path).unwrap();
        file.write_all((entry(1, "stdout") + "2026-11-25T10:00:02.000000Z stdout F li").as_bytes()).unwrap();
        let mut files = reader(folder.path());
        assert_eq!(texts(files.read(&ALL).unwrap()), ["line 1"]);
        assert_eq!(files.read(&ALL).unwrap(), None);
        file.write_all(b"ne 2\n").unwrap();
        fs::rename(&path, folder.path().join(LOG_OLDER)).unwrap();
        // Written by a descriptor that was open before the rotation.
        file.write_all(entry(3, "stdout").as_bytes()).unwrap();
        fs::write(&path, entry(4, "stdout")).unwrap();
        let mut found = Vec::new();
        while let Some(lines) = files.read(&ALL).unwrap() {
            found.extend(texts(Some(lines)));
        }
        assert_eq!(found, ["line 2", "line 3", "line 4"]);
    }

    #[test]
    fn streams_times_and_the_last_lines_are_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let text: String =
            (1..=9).map(|number| entry(number, if number % 2 == 0 { "stderr" } else { "stdout" })).collect();
        fs::write(folder.path().join(LOG), text).unwrap();
        let read = |query: LogQuery| texts(reader(folder.path()).read(&query).unwrap());
        assert_eq!(read(LogQuery { stdout: false, ..ALL }), ["line 2", "line 4", "line 6", "line 8"]);
        assert_eq!(read(LogQuery { tail: Some(2), ..ALL }), ["line 8", "line 9"]);
        assert_eq!(read(LogQuery { tail: Some(0), ..ALL }), Vec::<String>::new());
        // Line 5 goes on, with a line of the other stream in between, to line 8 at last.
        let path = folder.path().join(LOG);
        let text = fs::read_to_string(&path).unwrap();
        let pieces = text.replace(" F line 5", " P line 5").replace(" F line 7", " P line 7");
        fs::write(&path, pieces).unwrap();
        assert_eq!(read(LogQuery { tail: Some(1), ..ALL }), ["line 8"]);
        assert_eq!(read(LogQuery { tail: Some(2), ..ALL }), ["line 6", "line 8"]);
        let with_pieces = ["line 5", "line 6", "line 7", "line 8", "line 9"];
        assert_eq!(read(LogQuery { tail: Some(3), ..ALL }), with_pieces);
        assert_eq!(read(LogQuery { tail: Some(1), stderr: false, ..ALL }), ["line 5", "line 7", "line 9"]);
        fs::write(&path, text).unwrap();
        let since = "2026-11-25T10:00:08Z".parse().ok();
        assert_eq!(read(LogQuery { since, stderr: false, ..ALL }), ["line 9"]);
    }
}
