//! The book of first answers: what was asked under an idempotency key, and what was answered. A line is written
//! before anything is begun and one before the answer is given, so that a repeat finds it across a restart of
//! the daemon. Kept by size, like events: the newest thousands; root's in a book of their own, so that nobody else can have
//! them forgotten. May not know what was asked, only its digest.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::caller;
use crate::runtime::lines::{self, Lines};

/// The file's size at which it is rotated, in bytes; one older file is kept.
const FILE_CAP: u64 = 4 * 1024 * 1024;

const ROOTS: &str = "answers";
const OTHERS: &str = "answers-others";

/// An answer as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) body: String,
}

/// A line of the book.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Begun { key: String, digest: String },
    Answered { key: String, digest: String, answer: Answer },
    Forgotten { key: String },
}

/// What is known of a key.
#[derive(Debug, Clone)]
enum State {
    /// Being obeyed; its end is told by the sender's end.
    Running(watch::Receiver<()>),
    /// It was begun, and whoever obeyed it died before it answered.
    Unfinished,
    Answered(Arc<Answer>),
}

#[derive(Debug)]
struct Entry {
    digest: String,
    state: State,
    /// The file's number that it was last written in.
    file: u64,
}

#[derive(Debug)]
struct Book {
    older: PathBuf,
    lines: Lines,
    /// How often the file was rotated.
    number: u64,
    entries: HashMap<String, Entry>,
}

/// The books; clones are the same ones.
#[derive(Debug, Clone)]
pub struct Answers {
    roots: Arc<Mutex<Book>>,
    others: Arc<Mutex<Book>>,
}

/// What to do with a request that has a key.
pub(super) enum Claimed {
    /// Nobody has asked this before.
    First(Claim),
    /// It was begun by a daemon that died before it answered.
    Unfinished(Claim),
    /// It is being obeyed: wait until this changes, then claim again.
    Running(watch::Receiver<()>),
    Answered(Arc<Answer>),
    /// The key was used for another request.
    Other,
}

/// The right to obey a request. Dropped without a word, it was begun and its end is not known.
pub(super) struct Claim {
    answers: Answers,
    key: String,
    digest: String,
    over: bool,
    _running: watch::Sender<()>,
}

impl Answers {
    /// Reads what was kept, and goes on behind it.
    ///
    /// # Errors
    ///
    /// The folder's, when a file cannot be read or written.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let book = |name| Book::open(folder, name).map(|book| Arc::new(Mutex::new(book)));
        Ok(Self { roots: book(ROOTS)?, others: book(OTHERS)? })
    }

    fn book(&self, key: &str) -> MutexGuard<'_, Book> {
        let book = if caller::is_roots(key) { &self.roots } else { &self.others };
        book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the right to obey; it is in the book before it is given. The file is written in passing: a line
    /// into the kernel's cache.
    pub(super) fn claim(&self, key: &str, digest: &str) -> io::Result<Claimed> {
        let mut book = self.book(key);
        let unfinished = match book.entries.get(key) {
            Some(entry) if entry.digest != digest => return Ok(Claimed::Other),
            Some(Entry { state: State::Running(end), .. }) => return Ok(Claimed::Running(end.clone())),
            Some(Entry { state: State::Answered(answer), .. }) => {
                return Ok(Claimed::Answered(Arc::clone(answer)));
            }
            Some(Entry { state: State::Unfinished, .. }) => true,
            None => false,
        };
        book.write(&Line::Begun { key: key.to_owned(), digest: digest.to_owned() })?;
        crate::cut!("answer.begun");
        let running = watch::Sender::new(());
        book.enter(key, digest, State::Running(running.subscribe()));
        let claim = Claim {
            answers: self.clone(),
            key: key.to_owned(),
            digest: digest.to_owned(),
            over: false,
            _running: running,
        };
        Ok(if unfinished { Claimed::Unfinished(claim) } else { Claimed::First(claim) })
    }
}

impl Claim {
    /// This is what it came to, from now on. A full disk forgets it with the daemon, and the caller is answered all
    /// the same.
    pub(super) fn answer(mut self, answer: Answer) {
        self.over = true;
        let mut book = self.answers.book(&self.key);
        let line =
            Line::Answered { key: self.key.clone(), digest: self.digest.clone(), answer: answer.clone() };
        if let Err(error) = book.write(&line) {
            tracing::error!(key = self.key, %error, "an answer cannot be kept for its repeat");
        }
        crate::cut!("answer.written");
        book.enter(&self.key, &self.digest, State::Answered(Arc::new(answer)));
    }

    /// Nothing was begun: the key is as good as new.
    pub(super) fn forget(mut self) {
        self.over = true;
        let mut book = self.answers.book(&self.key);
        if let Err(error) = book.write(&Line::Forgotten { key: self.key.clone() }) {
            tracing::error!(key = self.key, %error, "a key cannot be forgotten");
        }
        book.entries.remove(&self.key);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.over {
            self.answers.book(&self.key).enter(&self.key, &self.digest, State::Unfinished);
        }
    }
}

impl Book {
    fn open(folder: &Path, name: &str) -> io::Result<Self> {
        let (file, older) = (folder.join(name), folder.join(format!("{name}.1")));
        let mut entries = HashMap::new();
        for (number, file) in [(0, &older), (1, &file)] {
            for line in lines::read(file)? {
                let (key, digest, state) = match line {
                    Line::Begun { key, digest } => (key, digest, State::Unfinished),
                    Line::Answered { key, digest, answer } => {
                        (key, digest, State::Answered(Arc::new(answer)))
                    }
                    Line::Forgotten { key } => {
                        entries.remove(&key);
                        continue;
                    }
                };
                entries.insert(key, Entry { digest, state, file: number });
            }
        }
        Ok(Self { older, lines: Lines::open(&file)?, number: 1, entries })
    }

    fn enter(&mut self, key: &str, digest: &str, state: State) {
        let entry = Entry { digest: digest.to_owned(), state, file: self.number };
        self.entries.insert(key.to_owned(), entry);
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.lines.append(&bytes)?;
        if self.lines.size() > FILE_CAP && self.lines.rotate(&self.older).is_ok() {
            self.number += 1;
            let oldest = self.number - 1;
            self.entries.retain(|_, entry| entry.file >= oldest || matches!(entry.state, State::Running(_)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;

    fn first(answers: &Answers, key: &str) -> Claim {
        match answers.claim(key, "digest").unwrap() {
            Claimed::First(claim) => claim,
            _ => panic!("{key} was asked before"),
        }
    }

    fn answer(body: &str) -> Answer {
        Answer { status: 201, content_type: None, body: body.to_owned() }
    }

    fn is_answered(answers: &Answers, key: &str) -> bool {
        matches!(answers.claim(key, "digest").unwrap(), Claimed::Answered(_))
    }

    #[test]
    fn a_book_that_is_opened_again_knows_what_was_answered_begun_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::open(folder.path()).unwrap();
        first(&answers, "answered").answer(answer("x"));
        drop(first(&answers, "begun"));
        first(&answers, "forgotten").forget();
        assert!(matches!(answers.claim("answered", "other").unwrap(), Claimed::Other));
        drop(answers);
        // A crash in the middle of a line.
        let mut file = File::options().append(true).open(folder.path().join(ROOTS)).unwrap();
        file.write_all(b"{\"answered\":{\"key\":\"begun\"").unwrap();

        let answers = Answers::open(folder.path()).unwrap();
        match answers.claim("answered", "digest").unwrap() {
            Claimed::Answered(kept) => assert_eq!(*kept, answer("x")),
            _ => panic!("lost"),
        }
        assert!(matches!(answers.claim("begun", "digest").unwrap(), Claimed::Unfinished(_)));
        first(&answers, "forgotten").answer(answer("y"));
        assert!(is_answered(&answers, "forgotten"), "behind the line that was cut");
    }

    #[tokio::test]
    async fn who_asks_while_it_is_obeyed_waits_for_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::open(folder.path()).unwrap();
        let claim = first(&answers, "a");
        let Claimed::Running(mut end) = answers.claim("a", "digest").unwrap() else { panic!("not running") };
        claim.answer(answer("x"));
        assert!(end.changed().await.is_err(), "the sender is gone");
        assert!(is_answered(&answers, "a"));
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_book_stays_small() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::open(folder.path()).unwrap();
        let large = "x".repeat(1024 * 1024);
        for number in 0..20 {
            first(&answers, &number.to_string()).answer(answer(&large));
        }
        assert!(!is_answered(&answers, "0") && is_answered(&answers, "19"));
        let size = |name| fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(size("answers") + size("answers.1") < 3 * FILE_CAP);
        let again = Answers::open(folder.path()).unwrap();
        assert!(is_answered(&again, "19"));
    }

    #[test]
    fn nobody_else_has_roots_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let answers = Answers::open(folder.path()).unwrap();
        let theirs = |key: &str| format!("the user 1000 {key}");
        first(&answers, "root's").answer(answer("x"));
        first(&answers, &theirs("first")).answer(answer("x"));
        let large = "x".repeat(1024 * 1024);
        for number in 0..20 {
            first(&answers, &theirs(&number.to_string())).answer(answer(&large));
        }
        assert!(is_answered(&answers, "root's") && !is_answered(&answers, &theirs("first")));
        let again = Answers::open(folder.path()).unwrap();
        assert!(is_answered(&again, "root's") && is_answered(&again, &theirs("19")));
    }
}
