//! An archive is taken: nothing of it is believed but what was declared, nothing is written but where its place is, and
//! it is a checkpoint only when its sums and its end have come.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::{
    ArchiveError, BLOCK, Declared, FIELD, IMAGES, LARGEST_HEAD, MOST_FILES, Manifest, PORTION, Place,
    SPEC_DUMP, SUMS, Sums, VERSION, blocks, form,
};
use crate::supervisor::checkpoints::{INVENTORY, META, META_VERSION, ROUND};

/// tar fills its last record with zeros, 10 KiB unless it is told otherwise.
const LONGEST_END: u64 = 1024 * 1024;

/// Why taking one has failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// By what came.
    Refused(ArchiveError),
    /// By our disk.
    Store { path: PathBuf, source: io::Error },
}

impl From<ArchiveError> for Failed {
    fn from(error: ArchiveError) -> Self {
        Self::Refused(error)
    }
}

type Result<T, E = Failed> = std::result::Result<T, E>;

/// Where a checkpoint is being put together.
pub(super) struct Target<'a> {
    pub(super) folder: &'a Path,
    pub(super) images: &'a Path,
    /// How much it may take, in bytes.
    pub(super) room: u64,
}

/// Takes one, to its very end. Gives its `checkpoint.json`, without what was the archive's.
pub(super) fn receive(input: impl Read, target: &Target<'_>) -> Result<Value> {
    let input = form::reader(input).map_err(|error| broken(META, &error))?;
    let mut tar = Tar { input, sums: Sums::default(), portion: vec![0; PORTION] };
    let (said, Manifest { files: declared, spec_of_dump, .. }) = tar.head()?;
    has_room(target.room, &declared)?;
    let mut in_images = false;
    for Declared { path, size } in &declared {
        if path.starts_with(IMAGES) && !in_images {
            tar.folder()?;
            in_images = true;
        }
        tar.header(path, Some(*size))?;
        // What the bundle was is kept only if it is known.
        if path == SPEC_DUMP && !spec_of_dump {
            tar.content(path, *size, |_| Ok(()))?;
        } else {
            tar.file(path, *size, target)?;
        }
    }
    tar.verify(&declared)?;
    tar.end()?;
    Ok(said)
}

struct Tar<'a> {
    input: Box<dyn Read + 'a>,
    sums: Sums,
    portion: Vec<u8>,
}

impl Tar<'_> {
    /// The first entry says what comes.
    fn head(&mut self) -> Result<(Value, Manifest)> {
        let size = self.header(META, None)?;
        if size > LARGEST_HEAD {
            return Err(entry(META, format!("is larger than {LARGEST_HEAD} bytes")).into());
        }
        let bytes = self.small(META, size)?;
        let said: Result<Value, _> = serde_json::from_slice(&bytes);
        let mut said = said.map_err(|error| entry(META, format!("is not JSON: {error}")))?;
        let Some(object) = said.as_object_mut() else { return Err(entry(META, "is no object").into()) };
        let Some(field) = object.remove(FIELD) else {
            return Err(entry(META, format!("does not say what comes, in {FIELD}")).into());
        };
        let own = object.get("version").and_then(Value::as_u64).unwrap_or_default();
        for (what, found, known) in [
            ("archive", field["version"].as_u64().unwrap_or_default(), VERSION),
            (META, own, u64::from(META_VERSION)),
        ] {
            if found > known || (what == FIELD && found != known) {
                return Err(ArchiveError::Version { what, found }.into());
            }
        }
        let manifest: Result<Manifest, _> = serde_json::from_value(field);
        let manifest = manifest.map_err(|error| entry(META, format!("does not say what comes: {error}")))?;
        check(&manifest.files)?;
        Ok((said, manifest))
    }

    /// The next header: of a regular file of this name, and of this size if that is known. Gives its size.
    fn header(&mut self, path: &str, size: Option<u64>) -> Result<u64> {
        let (kind, name, found) = self.any_header(path)?;
        if !kind.is_file() {
            return Err(
                entry(&name, format!("is {}, and {path} is to be a regular file", words(kind))).into()
            );
        }
        if name != path {
            return Err(entry(&name, format!("comes where {path} was declared")).into());
        }
        if let Some(size) = size.filter(|size| *size != found) {
            return Err(entry(&name, format!("has {found} bytes, and {size} were declared")).into());
        }
        Ok(found)
    }

    /// The one folder. Nothing is made of it: its place is ours.
    fn folder(&mut self) -> Result<()> {
        let (kind, name, size) = self.any_header(IMAGES)?;
        if !kind.is_dir() || name != IMAGES || size != 0 {
            return Err(entry(&name, format!("comes where the folder {IMAGES} is to be")).into());
        }
        Ok(())
    }

    /// The next header, whatever it is of: its kind, name and size. `expected` is for words alone.
    fn any_header(&mut self, expected: &str) -> Result<(EntryType, String, u64)> {
        let mut header = Header::new_old();
        self.fill(expected, header.as_mut_bytes())?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Err(ArchiveError::CutOff { at: expected.to_owned() }.into());
        }
        let unreadable =
            |why: &str| ArchiveError::Unreadable { at: expected.to_owned(), why: why.to_owned() };
        if header.cksum().ok() != Some(checksum(&header)) {
            return Err(unreadable("there is no tar header").into());
        }
        let size = header.entry_size().map_err(|_| unreadable("its size is no number"))?;
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        Ok((header.entry_type(), name, size))
    }

    /// An entry that we read ourselves.
    fn small(&mut self, path: &str, size: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.content(path, size, |portion| {
            bytes.extend_from_slice(portion);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// An entry, to its place.
    fn file(&mut self, path: &str, size: u64, target: &Target<'_>) -> Result<()> {
        let (place, mode) = match Place::of(path) {
            Some(Place::Beside(name)) => (target.folder.join(name), 0o600),
            // As CRIU has them: nobody gets into the folder above, and a restored process opens them as its own user.
            Some(Place::Image(name)) => (target.images.join(name), 0o644),
            Some(Place::Round(number, name)) => (make_round(target.folder, number)?.join(name), 0o644),
            // Checked before: only what has no place is left.
            Some(Place::Nowhere) | None => return self.content(path, size, |_| Ok(())),
        };
        let store = |source| Failed::Store { path: place.clone(), source };
        let mut file = File::options().write(true).create_new(true).mode(mode).open(&place).map_err(store)?;
        self.content(path, size, |portion| file.write_all(portion).map_err(store))
    }

    /// An entry's bytes, hashed, and what fills its last block.
    fn content(&mut self, path: &str, size: u64, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut sum = Sha256::new();
        let mut left = size;
        while left > 0 {
            let most = PORTION.min(usize::try_from(left).unwrap_or(PORTION));
            let length = self.some(path, most)?;
            if length == 0 {
                return Err(ArchiveError::CutOff { at: path.to_owned() }.into());
            }
            sum.update(&self.portion[..length]);
            take(&self.portion[..length])?;
            left -= length as u64;
        }
        self.sums.add(path, sum);
        let padding = usize::try_from(blocks(size) - BLOCK as u64 - size).unwrap_or_default();
        self.fill(path, &mut [0; BLOCK][..padding])
    }

    fn some(&mut self, path: &str, most: usize) -> Result<usize> {
        let read = retried(|| self.input.read(&mut self.portion[..most]));
        read.map_err(|error| broken(path, &error).into())
    }

    fn fill(&mut self, path: &str, bytes: &mut [u8]) -> Result<()> {
        self.input.read_exact(bytes).map_err(|error| broken(path, &error).into())
    }

    /// The last entry: what the others are to have been.
    fn verify(&mut self, declared: &[Declared]) -> Result<()> {
        let paths = declared.iter().map(|one| one.path.as_str());
        let size = Sums::length([META].into_iter().chain(paths));
        self.header(SUMS, Some(size))?;
        let sums = std::mem::take(&mut self.sums);
        let said = self.small(SUMS, size)?;
        match sums.differs(&said) {
            Some(path) => Err(ArchiveError::Damaged { path }.into()),
            None => Ok(()),
        }
    }

    /// Two blocks of zeros, and what fills the record. A compressed stream has its own end, and sums, behind it.
    fn end(&mut self) -> Result<()> {
        let at = "its end";
        let mut zeros = [0; 2 * BLOCK];
        self.fill(at, &mut zeros)?;
        let more = || ArchiveError::Unreadable { at: at.to_owned(), why: "more comes behind it".to_owned() };
        if zeros.iter().any(|byte| *byte != 0) {
            return Err(more().into());
        }
        let mut seen = 0;
        loop {
            let length = self.some(at, PORTION)?;
            if length == 0 {
                return Ok(());
            }
            seen += length as u64;
            if seen > LONGEST_END || self.portion[..length].iter().any(|byte| *byte != 0) {
                return Err(more().into());
            }
        }
    }
}

/// The folder of a round before the dump, made with its first image.
fn make_round(folder: &Path, number: u32) -> Result<PathBuf> {
    let folder = folder.join(format!("{ROUND}{number}"));
    match DirBuilder::new().mode(0o711).create(&folder) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(Failed::Store { path: folder, source })
        }
        _ => Ok(folder),
    }
}

/// What is declared is what an archive may have, each once.
fn check(declared: &[Declared]) -> Result<(), ArchiveError> {
    if declared.len() > MOST_FILES {
        return Err(entry(META, format!("declares more than {MOST_FILES} entries")));
    }
    let mut seen = BTreeSet::new();
    for Declared { path, .. } in declared {
        if Place::of(path).is_none() {
            return Err(entry(path, "is none that a checkpoint's archive has"));
        }
        if !seen.insert(path.as_str()) {
            return Err(entry(path, "is declared twice"));
        }
    }
    let inventory = format!("{IMAGES}{INVENTORY}");
    if seen.contains(inventory.as_str()) { Ok(()) } else { Err(entry(&inventory, "is missing")) }
}

/// Before anything is written, so that a disk is not filled to find out.
fn has_room(free: u64, declared: &[Declared]) -> Result<()> {
    let needed = declared.iter().fold(0u64, |sum, one| sum.saturating_add(blocks(one.size)));
    if needed > free { Err(ArchiveError::NoSpace { needed, free }.into()) } else { Ok(()) }
}

fn entry(path: &str, why: impl Into<String>) -> ArchiveError {
    // A name that lies is shown, and not in full.
    let path = path.chars().take(120).collect();
    ArchiveError::Entry { path, why: why.into() }
}

/// What the carrier of the bytes, or what decompresses them, says. Theirs is [`ArchiveError::Stalled`] by `TimedOut`.
fn broken(at: &str, error: &io::Error) -> ArchiveError {
    let at = at.to_owned();
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::CutOff { at },
        io::ErrorKind::TimedOut => ArchiveError::Stalled { at },
        _ => ArchiveError::Unreadable { at, why: error.to_string() },
    }
}

fn retried(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// A header's checksum: its bytes, with its own eight taken for spaces.
fn checksum(header: &Header) -> u32 {
    let own = 148..156;
    let bytes = header.as_bytes().iter().enumerate();
    bytes.map(|(at, byte)| if own.contains(&at) { u32::from(b' ') } else { u32::from(*byte) }).sum()
}

fn words(kind: EntryType) -> &'static str {
    use EntryType as Kind;
    match kind {
        Kind::Link => "a hard link",
        Kind::Symlink => "a symbolic link",
        Kind::Char | Kind::Block => "a device",
        Kind::Directory => "a folder",
        Kind::Fifo => "a FIFO",
        Kind::GNUSparse => "a sparse file",
        Kind::GNULongName | Kind::GNULongLink => "a long name",
        Kind::XGlobalHeader | Kind::XHeader => "an extended header",
        _ => "of a kind of its own",
    }
}
