//! A file of lines that is appended to: each line is in it whole or not at all, also when the disk is full or a crash
//! has cut the last one. Not synced: what is written outlives a crash of any of our programs, not of the host.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Such a file, open.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    file: File,
    size: u64,
    /// The last line has no end: the next is to begin behind one.
    torn: bool,
}

impl Lines {
    /// Opens it, or makes it (mode 0600).
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).read(true).mode(0o600).open(path)?;
        let size = file.metadata()?.len();
        let mut last = [b'\n'];
        if size > 0 {
            file.read_exact_at(&mut last, size - 1)?;
        }
        Ok(Self { path: path.to_owned(), file, size, torn: last != [b'\n'] })
    }

    /// Its size, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a line, which comes with its end.
    ///
    /// # Errors
    ///
    /// The kernel's; then nothing was added.
    pub fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.put(b"\n")?;
            self.torn = false;
        }
        self.put(line)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            if self.file.set_len(self.size).is_err() {
                self.size = self.file.metadata().map_or(self.size, |kind| kind.len());
                self.torn = true;
            }
            return Err(error);
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The file gets another name, which what had it before loses; lines go to a new one. Where that cannot be made,
    /// they go on where they are.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn rotate(&mut self, older: &Path) -> io::Result<()> {
        fs::rename(&self.path, older)?;
        match Self::open(&self.path) {
            Ok(fresh) => {
                *self = fresh;
                Ok(())
            }
            Err(error) => {
                let _ = fs::rename(older, &self.path);
                Err(error)
            }
        }
    }
}

/// What the lines of a file say, each JSON, in order; nothing where there is no file. A line that a crash has cut, or
/// that is of another version, is passed over.
///
/// # Errors
///
/// The kernel's.
pub fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Vec<T>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        all.extend(serde_json::from_slice(&line?));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_behind_one_that_was_cut_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        fs::write(&path, "one\ntw").unwrap();
        let mut lines = Lines::open(&path).unwrap();
        lines.append(b"three\n").unwrap();
        lines.append(b"four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntw\nthree\nfour\n");
        assert_eq!(lines.size(), fs::metadata(&path).unwrap().len());
        lines.rotate(&folder.path().join("older")).unwrap();
        lines.append(b"five\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "five\n");
    }
}
