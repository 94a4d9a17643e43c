//! Files where others may have put something else: whoever opens a FIFO waits for somebody who writes, a link leads
//! anywhere, and `/dev/zero` has no end.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc::{O_NOCTTY, O_NOFOLLOW, O_NONBLOCK};

/// No JSON that is kept of a container or a checkpoint is near it, in bytes.
pub const LARGEST_JSON: u64 = 4 * 1024 * 1024;

/// A regular file, to be read; a link is not followed.
pub fn open(path: &Path) -> io::Result<File> {
    // Before it is opened: to open a device may do something to it.
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_symlink() {
        return Err(wrong("it is a link, and links are not followed"));
    }
    if !kind.is_file() {
        return Err(wrong("it is not a regular file"));
    }
    opened(path, O_NOFOLLOW)
}

/// The same, of what a link leads to as well.
pub fn open_linked(path: &Path) -> io::Result<File> {
    opened(path, 0)
}

/// All of a regular file of at most so many bytes; a link is not followed.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    whole(open(path)?, most)
}

/// The same, of what a link leads to as well.
pub fn read_linked(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    whole(open_linked(path)?, most)
}

/// Whether a path is a folder itself, and no link to one: its error names it.
pub fn check_folder(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kind = fs::symlink_metadata(path).map_err(|error| named(&name, &error))?;
    if kind.is_dir() { Ok(()) } else { Err(wrong(&format!("{name} is not a folder"))) }
}

/// An error that says of which file it is; still of the same kind.
pub fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// Nobody is waited for, and what has been put there meanwhile is found out by what was opened.
fn opened(path: &Path, flags: i32) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(O_NONBLOCK | O_NOCTTY | flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(wrong("it is not a regular file")) }
}

/// All of it, if that is no more than so many bytes.
pub fn whole(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let too_large = file.metadata()?.len() > most;
    // It may grow while it is read.
    if too_large || file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Err(wrong(&format!("it is larger than {most} bytes")));
    }
    Ok(bytes)
}

/// What is wrong with a file, as an error.
pub fn wrong(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn only_regular_files_within_the_bound_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "12345").unwrap();
        assert_eq!(read(&at("file"), 5).unwrap(), b"12345");
        assert!(read(&at("file"), 4).unwrap_err().to_string().contains("larger than 4 bytes"));
        mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        symlink("file", at("link")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        for (name, words) in [("fifo", "regular file"), ("link", "a link"), ("zero", "a link")] {
            assert!(read(&at(name), 5).unwrap_err().to_string().contains(words), "{name}");
        }
        assert_eq!(read_linked(&at("link"), 5).unwrap(), b"12345");
        for name in ["fifo", "zero"] {
            assert!(read_linked(&at(name), 5).unwrap_err().to_string().contains("regular file"), "{name}");
        }
        assert_eq!(read(&at("none"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
        check_folder(folder.path()).unwrap();
        symlink(folder.path(), at("elsewhere")).unwrap();
        assert_eq!(check_folder(&at("elsewhere")).unwrap_err().to_string(), "elsewhere is not a folder");
    }
}
