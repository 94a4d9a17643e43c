//! Archives of checkpoints, taken apart and put together again, rightly and otherwise.

use std::io::Read;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

pub(crate) const SUMS: &str = "SHA256SUMS";

/// One entry, as it is to be written, whatever it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) kind: EntryType,
    pub(crate) link: String,
    pub(crate) bytes: Vec<u8>,
}

impl Entry {
    pub(crate) fn file(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), kind: EntryType::Regular, link: String::new(), bytes: bytes.into() }
    }

    pub(crate) fn special(path: &str, kind: EntryType, link: &str) -> Self {
        Self { path: path.to_owned(), kind, link: link.to_owned(), bytes: Vec::new() }
    }

    /// With the name as bytes: a well-kept library would refuse some.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut header = Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..self.path.len()].copy_from_slice(self.path.as_bytes());
        old.linkname[..self.link.len()].copy_from_slice(self.link.as_bytes());
        header.set_entry_type(self.kind);
        header.set_mode(0o4777);
        header.set_mtime(0);
        header.set_size(self.bytes.len() as u64);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&self.bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
}

pub(crate) fn entries(archive: &[u8]) -> Vec<Entry> {
    let mut archive = tar::Archive::new(archive);
    let read = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let path = String::from_utf8(entry.path_bytes().to_vec()).unwrap();
        Entry { kind: entry.header().entry_type(), ..Entry::file(&path, bytes) }
    });
    read.collect()
}

/// As they are, without a word on whether they fit.
pub(crate) fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        entry.write(&mut out);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// The offsets at which an entry begins, and that of the end.
pub(crate) fn borders(entries: &[Entry]) -> Vec<usize> {
    let mut out = Vec::new();
    let mut found = vec![0];
    for entry in entries {
        entry.write(&mut out);
        found.push(out.len());
    }
    found
}

/// The sums of these, right.
pub(crate) fn sums(entries: &[Entry]) -> Entry {
    let hex =
        |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let summed = entries.iter().filter(|entry| !is_folder(entry));
    let lines = summed.map(|entry| format!("{}  {}\n", hex(&entry.bytes), entry.path));
    Entry::file(SUMS, lines.collect::<String>())
}

/// The one that is to be there, and is not declared.
fn is_folder(entry: &Entry) -> bool {
    entry.path == "checkpoint/" && entry.kind == EntryType::Directory
}

/// An archive whose first entry declares what follows and whose sums are right, whatever the entries are.
pub(crate) fn declared(entries: &[Entry], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut head: Value = serde_json::from_slice(&entries[0].bytes).unwrap();
    let rest = entries[1..].iter().filter(|entry| entry.path != SUMS);
    let files: Vec<Value> = rest
        .clone()
        .filter(|entry| !is_folder(entry))
        .map(|entry| json!({ "path": entry.path, "size": entry.bytes.len() }))
        .collect();
    head["archive"]["files"] = json!(files);
    change(&mut head);
    let mut all = vec![Entry::file(&entries[0].path, head.to_string())];
    all.extend(rest.cloned());
    let sums = sums(&all);
    all.push(sums);
    tar(&all)
}
