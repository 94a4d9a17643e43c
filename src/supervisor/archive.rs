//! A checkpoint as one stream, to be kept elsewhere or moved to another host. Knows files and bytes; whoever carries
//! the bytes is none of its business.
//!
//! An archive is a tar (GNU's headers) of regular files and one folder, in this order:
//!
//! | entry | what |
//! | --- | --- |
//! | `checkpoint.json` | ours, and in `archive` the format's version and every further entry's path and size |
//! | `config.dump`, `spec.dump`, `stats-dump`, `dump.log` | as podman has them: of what it was made, the bundle's `config.json`, CRIU's |
//! | `checkpoint/` | a folder, which checkpointctl looks for; neither declared nor summed |
//! | `checkpoint/NAME.img`, … | CRIU's images and runc's `descriptors.json` |
//! | `pre-1/NAME.img`, … | the images of the rounds before the dump, if there were any; CRIU's links between them are made anew |
//! | `SHA256SUMS` | of each entry before, in order: `sha256sum -c` takes it |
//!
//! So what comes is known before it comes: a reader bounds every size by what was declared, and refuses at once an entry
//! that is not the one that was declared for its place. What was cut off lacks its sums or tar's end mark.

mod form;
mod notes;
mod read;
mod verbs;
mod write;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use form::Form;
pub(super) use notes::sweep;
pub use verbs::{Import, Taking};
pub use write::Export;

use super::checkpoints::{DUMP_LOG, MOST_ROUNDS, ROUND, SPEC};
use crate::hex::hexadecimal;

/// How many archives are on their way at once; each has a thread and a few megabytes.
pub(super) const AT_ONCE: usize = 8;

/// Of the format.
const VERSION: u64 = 1;
/// Where the format's part of `checkpoint.json` is in it.
const FIELD: &str = "archive";
/// The last entry.
const SUMS: &str = "SHA256SUMS";
/// podman's, about the container; made anew for each archive.
const CONFIG_DUMP: &str = "config.dump";
/// podman's name for the bundle's `config.json`.
const SPEC_DUMP: &str = "spec.dump";
/// CRIU's figures of the dump.
const STATS: &str = "stats-dump";
/// Which of runc's pipes were whose.
const DESCRIPTORS: &str = "descriptors.json";
/// Where podman has the images.
const IMAGES: &str = "checkpoint/";

/// No `checkpoint.json` is near it: a process's arguments and environment, and a list of files. In bytes.
const LARGEST_HEAD: u64 = 4 * 1024 * 1024;
/// CRIU writes six images a process.
const MOST_FILES: usize = 20_000;
/// Of a tar.
const BLOCK: usize = 512;
/// How much is read, hashed and written at a time.
const PORTION: usize = 128 * 1024;

/// The format's part of `checkpoint.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    version: u64,
    /// Whether `spec.dump` is of the time of the dump; an older daemon did not keep it, and then it is of the export.
    #[serde(default)]
    spec_of_dump: bool,
    files: Vec<Declared>,
}

/// An entry that is to come.
#[derive(Debug, Serialize, Deserialize)]
struct Declared {
    path: String,
    size: u64,
}

/// Why an archive is not taken. `Display` is a clause about it.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It ends before its end.
    #[error("it was cut off in {at}")]
    CutOff {
        /// The entry in which it ended.
        at: String,
    },
    /// Nothing more came.
    #[error("nothing came of it for too long, in {at}")]
    Stalled {
        /// The entry that was to go on.
        at: String,
    },
    /// It is no tar, or no zstd or gzip stream, from here on.
    #[error("it cannot be read in {at}: {why}")]
    Unreadable {
        /// The entry.
        at: String,
        /// What is wrong.
        why: String,
    },
    /// It is of a later daemon.
    #[error("its {what} has version {found}; this daemon knows {VERSION}")]
    Version {
        /// Which of its parts.
        what: &'static str,
        /// As it says.
        found: u64,
    },
    /// An entry that is not to be there, or is not as it is to be.
    #[error("its entry {path} {why}")]
    Entry {
        /// The entry, as it calls itself.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Its bytes are others than when it was made.
    #[error("its entry {path} is damaged: its SHA-256 is not the one in SHA256SUMS")]
    Damaged {
        /// The entry.
        path: String,
    },
    /// There is no room for it.
    #[error("it needs {needed} bytes, and {free} are left for the bundle's checkpoints")]
    NoSpace {
        /// As declared.
        needed: u64,
        /// Now.
        free: u64,
    },
}

/// What an entry of this name is for; nothing else is in an archive.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    /// In the folder, by this name.
    Beside(&'a str),
    /// Made anew when it is needed.
    Nowhere,
    /// Among CRIU's images, by this name.
    Image(&'a str),
    /// Among those of a round before the dump.
    Round(u32, &'a str),
}

impl Place<'_> {
    /// An image's name is one part of plain characters, so that it cannot lead anywhere.
    fn of(path: &str) -> Option<Place<'_>> {
        match path {
            SPEC_DUMP => Some(Place::Beside(SPEC)),
            STATS | DUMP_LOG => Some(Place::Beside(path)),
            CONFIG_DUMP => Some(Place::Nowhere),
            _ => match path.strip_prefix(IMAGES) {
                Some(name) => is_image(name).then_some(Place::Image(name)),
                None => Self::of_round(path),
            },
        }
    }

    /// By the one form that its number has.
    fn of_round(path: &str) -> Option<Place<'_>> {
        let (number, name) = path.strip_prefix(ROUND)?.split_once('/')?;
        let number = (1..=MOST_ROUNDS).find(|known| known.to_string() == number)?;
        is_image(name).then_some(Place::Round(number, name))
    }
}

fn is_image(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    name == DESCRIPTORS
        || (name.ends_with(".img")
            && !name.starts_with('.')
            && IMAGES.len() + name.len() <= 100
            && name.bytes().all(plain))
}

/// `SHA256SUMS`, as it grows.
#[derive(Debug, Default)]
struct Sums(String);

impl Sums {
    fn add(&mut self, path: &str, sum: Sha256) {
        self.0.push_str(&hexadecimal(&sum.finalize()));
        self.0.push_str("  ");
        self.0.push_str(path);
        self.0.push('\n');
    }

    /// How long it will be, of these entries.
    fn length<'a>(paths: impl Iterator<Item = &'a str>) -> u64 {
        paths.map(|path| 64 + 2 + path.len() as u64 + 1).sum()
    }

    /// The first entry of which the other says something else.
    fn differs(&self, other: &[u8]) -> Option<String> {
        if self.0.as_bytes() == other {
            return None;
        }
        let other = String::from_utf8_lossy(other);
        let mut others = other.lines();
        let differing = self.0.lines().find(|line| others.next() != Some(line));
        Some(differing.and_then(|line| line.get(66..)).unwrap_or(SUMS).to_owned())
    }
}

/// What an entry takes in a tar, its header with it.
fn blocks(size: u64) -> u64 {
    let block = BLOCK as u64;
    block.saturating_add(size.div_ceil(block).saturating_mul(block))
}

/// An archive comes, into a folder of its own: whatever it is, nothing appears beside that.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(bytes: &[u8]) -> bool {
    use std::fs;

    let around = crate::fuzzing::FOLDER.join("archive");
    let (folder, images) = (around.join("one"), around.join("one/image"));
    let _ = fs::remove_dir_all(&around);
    let _ = fs::create_dir_all(&images);
    let taken =
        read::receive(bytes, &read::Target { folder: &folder, images: &images, room: 1 << 30 }).is_ok();
    let beside: Vec<_> = fs::read_dir(&around).into_iter().flatten().flatten().collect();
    assert!(beside.len() == 1, "beside its folder there is something: {beside:?}");
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::checkpoints::META;

    #[test]
    fn a_name_of_an_entry_leads_nowhere_else() {
        for bad in [
            "checkpoint/../x.img",
            "/checkpoint/x.img",
            "checkpoint//x.img",
            "checkpoint/a/x.img",
            "checkpoint/.x.img",
            "checkpoint/x.sh",
            "checkpoint/",
            "checkpoint/x\0.img",
            "./spec.dump",
            "config.json",
            "pre-0/x.img",
            "pre-9/x.img",
            "pre-01/x.img",
            "pre-1/parent",
            "pre-1/../x.img",
            META,
            SUMS,
        ] {
            assert_eq!(Place::of(bad), None, "{bad:?}");
        }
        assert_eq!(Place::of("checkpoint/pages-1.img"), Some(Place::Image("pages-1.img")));
        assert_eq!(Place::of("checkpoint/descriptors.json"), Some(Place::Image("descriptors.json")));
        assert_eq!(Place::of("pre-8/pages-1.img"), Some(Place::Round(8, "pages-1.img")));
        assert_eq!(Place::of("dump.log"), Some(Place::Beside("dump.log")));
    }

    #[test]
    fn the_sums_are_as_long_as_was_said_and_name_what_differs() {
        let mut sums = Sums::default();
        sums.add("a", Sha256::new_with_prefix("1"));
        sums.add("bc", Sha256::new_with_prefix("2"));
        assert_eq!(sums.0.len() as u64, Sums::length(["a", "bc"].into_iter()));
        assert_eq!(sums.differs(sums.0.clone().as_bytes()), None);
        let other = sums.0.replace("  bc", " *bc");
        assert_eq!(sums.differs(other.as_bytes()).as_deref(), Some("bc"));
    }
}
