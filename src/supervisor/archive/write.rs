//! An archive is made: what is in it is known first, then it is written, each byte once.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::verbs::Turn;
use super::{
    BLOCK, CONFIG_DUMP, Declared, FIELD, Form, IMAGES, LARGEST_HEAD, MOST_FILES, PORTION, SPEC_DUMP, STATS,
    SUMS, Sums, VERSION, blocks, is_image,
};
use crate::runtime::regular::{self, check_folder};
use crate::supervisor::checkpoints::{self, Checkpoint, Claim, Claims, DUMP_LOG, META, PARENT, ROUND, SPEC};
use crate::supervisor::error::{Error, Result, store};
use crate::supervisor::names::{CheckpointName, ContainerId};

/// What CRIU remembers of a round for the next one, and no restore needs: where watched files lie.
const WATCHED_PATHS: &str = "irmap-cache";

/// A checkpoint that is to be written as an archive; it is not deleted meanwhile.
#[derive(Debug)]
pub struct Export {
    head: Vec<u8>,
    files: Vec<(Declared, Content)>,
    /// Of every entry, so that two archives of one checkpoint are the same.
    time: u64,
    _claim: Claim,
    _turn: Turn,
}

/// Where an entry's bytes are.
#[derive(Debug)]
enum Content {
    Here(Vec<u8>),
    File(PathBuf),
}

impl Export {
    /// Of a container's checkpoint.
    pub(super) fn open(
        claims: &Claims,
        id: &ContainerId,
        bundle: &Path,
        name: &CheckpointName,
        turn: Turn,
    ) -> Result<Self> {
        let (checkpoint, claim) = checkpoints::open_claimed(claims, bundle, name)?;
        let (folder, mut said) = (checkpoint.folder.clone(), checkpoints::describe(&checkpoint)?);
        let unfit = |why: &str| Error::NotPortable { name: name.clone(), why: why.to_owned() };
        let mut files = Vec::new();
        let mut here = |path: &str, bytes: Vec<u8>| {
            let size = bytes.len() as u64;
            files.push((Declared { path: path.to_owned(), size }, Content::Here(bytes)));
        };
        here(CONFIG_DUMP, config_dump(id, &checkpoint));
        let (dumped, present) = (config(&folder.join(SPEC)), config(&bundle.join("config.json")));
        let spec_of_dump = dumped.is_some();
        if let Some(spec) = dumped.or(present) {
            here(SPEC_DUMP, spec);
        }
        for beside in [STATS, DUMP_LOG] {
            let path = folder.join(beside);
            if let Some(size) = regular(&path) {
                files.push((Declared { path: beside.to_owned(), size }, Content::File(path)));
            }
        }
        files.extend(images(&checkpoint, &checkpoint.images, IMAGES, checkpoint.images != folder)?);
        for (number, round) in (1..).zip(checkpoint.rounds()) {
            files.extend(images(&checkpoint, &round, &format!("{ROUND}{number}/"), true)?);
        }
        if files.len() > MOST_FILES {
            return Err(unfit(&format!("it has more than {MOST_FILES} files")));
        }
        let Some(object) = said.as_object_mut() else {
            return Err(unfit("its checkpoint.json is no object"));
        };
        // The next host's own affair.
        object.remove("key");
        let listed: Vec<&Declared> = files.iter().map(|(declared, _)| declared).collect();
        let manifest = json!({ "version": VERSION, "specOfDump": spec_of_dump, "files": listed });
        object.insert(FIELD.to_owned(), manifest);
        let head = said.to_string().into_bytes();
        if head.len() as u64 > LARGEST_HEAD {
            return Err(unfit("its checkpoint.json is too large"));
        }
        let time = u64::try_from(checkpoint.created.as_second()).unwrap_or(0);
        Ok(Self { head, files, time, _claim: claim, _turn: turn })
    }

    /// How long it is in its plain form.
    pub fn length(&self) -> u64 {
        let paths = self.files.iter().map(|(declared, _)| declared.path.as_str());
        let sums = Sums::length([META].into_iter().chain(paths));
        let files: u64 = self.files.iter().map(|(declared, _)| blocks(declared.size)).sum();
        blocks(self.head.len() as u64) + blocks(0) + files + blocks(sums) + 2 * BLOCK as u64
    }

    /// Writes it, from its first byte to its last. Takes as long as `out` does: for a thread of its own.
    ///
    /// # Errors
    ///
    /// Those of `out`, and of the files: then what was written is no archive.
    pub fn write(self, form: Form, out: impl Write) -> io::Result<()> {
        form.write(out, |out| self.write_plain(out))
    }

    fn write_plain(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut sums = Sums::default();
        self.entry(out, &mut sums, META, self.head.len() as u64, &mut &self.head[..])?;
        let mut in_images = false;
        for (Declared { path, size }, content) in &self.files {
            if path.starts_with(IMAGES) && !in_images {
                out.write_all(self.header(IMAGES, EntryType::Directory, 0)?.as_bytes())?;
                in_images = true;
            }
            match content {
                Content::Here(bytes) => self.entry(out, &mut sums, path, *size, &mut &bytes[..])?,
                Content::File(file) => self.entry(out, &mut sums, path, *size, &mut regular::open(file)?)?,
            }
        }
        let text = std::mem::take(&mut sums.0);
        self.entry(out, &mut sums, SUMS, text.len() as u64, &mut text.as_bytes())?;
        out.write_all(&[0; 2 * BLOCK])
    }

    fn header(&self, path: &str, kind: EntryType, size: u64) -> io::Result<Header> {
        let mut header = Header::new_gnu();
        header.set_path(path)?;
        header.set_entry_type(kind);
        header.set_mode(if kind.is_dir() { 0o700 } else { 0o600 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.time);
        header.set_size(size);
        header.set_cksum();
        Ok(header)
    }

    fn entry(
        &self,
        out: &mut dyn Write,
        sums: &mut Sums,
        path: &str,
        size: u64,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        out.write_all(self.header(path, EntryType::Regular, size)?.as_bytes())?;
        let mut sum = Sha256::new();
        let mut portion = vec![0; PORTION];
        let mut left = size;
        while left > 0 {
            let most = PORTION.min(usize::try_from(left).unwrap_or(PORTION));
            let length = content.read(&mut portion[..most])?;
            if length == 0 {
                return Err(io::Error::other(format!("{path} is shorter than it was")));
            }
            sum.update(&portion[..length]);
            out.write_all(&portion[..length])?;
            left -= length as u64;
        }
        sums.add(path, sum);
        let padding = blocks(size) - BLOCK as u64 - size;
        io::copy(&mut io::repeat(0).take(padding), out).map(drop)
    }
}

/// The size of a regular file.
fn regular(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|kind| kind.len())
}

/// A bundle's `config.json`, if it is there.
fn config(path: &Path) -> Option<Vec<u8>> {
    regular(path).filter(|size| (1..=LARGEST_HEAD).contains(size))?;
    let mut bytes = Vec::new();
    regular::open(path).ok()?.take(LARGEST_HEAD).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// CRIU's images, in order of name. `alone`: nothing else is to be in their folder, but for what CRIU and we put there.
fn images(
    checkpoint: &Checkpoint,
    folder: &Path,
    prefix: &str,
    alone: bool,
) -> Result<Vec<(Declared, Content)>> {
    let unfit = |why: String| Error::NotPortable { name: checkpoint.name.clone(), why };
    let known = |name: &str| {
        [STATS, DUMP_LOG].contains(&name)
            || (checkpoint.pre_dumps > 0 && [PARENT, WATCHED_PATHS].contains(&name))
    };
    // A link could lead anywhere.
    check_folder(folder).map_err(|error| unfit(format!("its {error}")))?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(store("listing the folder", folder))? {
        let entry = entry.map_err(store("listing the folder", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_image(&name) {
            if alone && !known(&name) {
                return Err(unfit(format!("{name} is among its images, and is none")));
            }
            continue;
        }
        let path = entry.path();
        let size = regular(&path).ok_or_else(|| unfit(format!("its image {name} is no regular file")))?;
        found.push((Declared { path: format!("{prefix}{name}"), size }, Content::File(path)));
    }
    found.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    Ok(found)
}

/// What podman says of a container, as checkpointctl reads it (its `lib/metadata.go`, `ContainerConfig`).
fn config_dump(id: &ContainerId, checkpoint: &Checkpoint) -> Vec<u8> {
    let name = checkpoint.container().unwrap_or(id.as_str());
    let created = checkpoint.created.to_string();
    json!({
        "id": name, "name": name, "runtime": "runc", "createdTime": created, "checkpointedTime": created,
        "restoredTime": "0001-01-01T00:00:00Z", "restored": false,
    })
    .to_string()
    .into_bytes()
}
