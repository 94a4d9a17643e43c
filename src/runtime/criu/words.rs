//! What CRIU's and runc's failures mean to a person: the words of each, a plain sentence, and what helps. Each row is
//! provoked by a test (`tests/integration/words.rs`).

/// A failure that is understood.
#[derive(Debug, Clone, Copy)]
pub struct Meaning {
    /// All of these are among the words.
    words: &'static [&'static str],
    /// What they mean.
    pub sentence: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

const fn row(words: &'static [&'static str], sentence: &'static str, remedy: &'static str) -> Meaning {
    Meaning { words, sentence, remedy }
}

/// The first row that fits counts.
const TABLE: &[Meaning] = &[
    row(
        &["consider using --tcp-established"],
        "a process has an established TCP connection",
        "checkpoint with \"tcp\": true, which keeps the connection, or close it first",
    ),
    row(
        &["Consider using --ext-unix-sk"],
        "a process has a unix socket whose other end is outside the container",
        "checkpoint with \"unixSockets\": true, or let the process close it first",
    ),
    row(
        &["--file-locks"],
        "a process holds a file lock",
        "checkpoint with \"fileLocks\": true, which takes the lock again at the restore",
    ),
];

/// What a failure means, if it is a known one.
pub fn meaning(words: &str) -> Option<&'static Meaning> {
    TABLE.iter().find(|meaning| meaning.words.iter().all(|word| words.contains(word)))
}
