//! A container's output: read as it comes, written to the log line by line, and to a file of the
//! caller's as it is. The shim reads even when nobody else does, so a container never stalls.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::ipc::{LOG_OLDER, LOG_ROTATIONS};
use crate::runtime::lines::Lines;

/// The longest line that the log keeps in one piece; what is longer is marked partial (`P`).
const LINE: usize = 16 * 1024;
/// The log's size at which it is rotated, in bytes, unless the daemon says another; one older file is kept.
const USUAL_CAP: u64 = 16 * 1024 * 1024;
/// How much output is held back while a launch is under way; beyond it the pipe waits. Far more than a runtime
/// has to say, which would wait with it.
const HELD: usize = 4 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// The log file: `time stream F|P text`, a line each.
pub(super) struct Log {
    lines: Lines,
    older: PathBuf,
    rotations: u64,
    cap: u64,
}

impl Log {
    pub(super) fn open(path: &Path, cap: Option<u64>) -> io::Result<Self> {
        let (older, cap) = (path.with_file_name(LOG_OLDER), cap.unwrap_or(USUAL_CAP));
        Ok(Self { lines: Lines::open(path)?, older, rotations: 0, cap })
    }

    /// On a full disk nobody is told of what is missed.
    fn rotate(&mut self) {
        let said = |number: u64| {
            let path = self.older.with_file_name(LOG_ROTATIONS);
            let partial = path.with_extension("partial");
            let _ = fs::write(&partial, number.to_string()).and_then(|()| fs::rename(&partial, path));
        };
        said(2 * self.rotations + 1);
        if self.lines.rotate(&self.older).is_ok() {
            self.rotations += 1;
        }
        said(2 * self.rotations);
    }

    fn write(&mut self, stream: Stream, whole: bool, text: &[u8]) {
        let mark = if whole { 'F' } else { 'P' };
        let mut line = format!("{:.6} {} {mark} ", Timestamp::now(), stream.name()).into_bytes();
        line.extend_from_slice(text);
        line.push(b'\n');
        // A full disk loses lines, never the container.
        let _ = self.lines.append(&line);
        if self.lines.size() > self.cap {
            crate::cut!("shim.log.rotating");
            self.rotate();
            crate::cut!("shim.log.rotated");
        }
    }
}

/// One stream of one process.
pub(super) struct Output {
    seq: u64,
    stream: Stream,
    source: Option<File>,
    copy: Option<File>,
    /// Output that is not known yet to be the container's: it may be the runtime's complaint.
    held: Option<Vec<u8>>,
    line: Vec<u8>,
}

impl Output {
    /// A fresh pipe; the other end is for the process.
    pub(super) fn pipe(seq: u64, stream: Stream, copy: Option<&Path>) -> io::Result<(Self, OwnedFd)> {
        let (reader, writer) = io::pipe()?;
        Ok((Self::new(seq, stream, OwnedFd::from(reader), copy)?, OwnedFd::from(writer)))
    }

    /// A terminal's master.
    pub(super) fn terminal(
        seq: u64,
        stream: Stream,
        master: OwnedFd,
        copy: Option<&Path>,
    ) -> io::Result<Self> {
        Self::new(seq, stream, master, copy)
    }

    fn new(seq: u64, stream: Stream, source: OwnedFd, copy: Option<&Path>) -> io::Result<Self> {
        fcntl(&source, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let copy = copy.map(open_copy).transpose()?;
        Ok(Self {
            seq,
            stream,
            source: Some(File::from(source)),
            copy,
            held: Some(Vec::new()),
            line: Vec::new(),
        })
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether more may come, or what came is not written yet: a process may end before the runtime that
    /// started it.
    pub(super) fn is_open(&self) -> bool {
        self.source.is_some() || self.held.is_some()
    }

    /// What to wait on, unless enough is held back.
    pub(super) fn readable(&self) -> Option<BorrowedFd<'_>> {
        let full = self.held.as_ref().is_some_and(|held| held.len() >= HELD);
        self.source.as_ref().filter(|_| !full).map(AsFd::as_fd)
    }

    /// Takes one portion of what there is, so that a stream that never rests leaves room for the others.
    pub(super) fn pump(&mut self, log: &mut Log) -> bool {
        let mut portion = [0; 16 * 1024];
        let Some(source) = self.source.as_mut() else {
            return false;
        };
        match source.read(&mut portion) {
            Ok(0) => self.close(log),
            Ok(length) => {
                match self.held.as_mut() {
                    Some(held) => held.extend_from_slice(&portion[..length]),
                    None => self.keep(&portion[..length], log),
                }
                return true;
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            // EIO: the terminal's last process is gone.
            Err(_) => self.close(log),
        }
        false
    }

    /// Takes everything that was written before now: after the writer's end, all that will come.
    pub(super) fn drain(&mut self, log: &mut Log) {
        self.pump_all(log);
        self.finish_line(log);
    }

    /// The same, and a line that is not whole yet may go on.
    pub(super) fn pump_all(&mut self, log: &mut Log) {
        // A pipe holds 64 KiB, at most 1 MiB (pipe(7)); a stray that writes on is not waited for.
        for _ in 0..128 {
            if !self.pump(log) {
                break;
            }
        }
    }

    fn close(&mut self, log: &mut Log) {
        self.source = None;
        self.finish_line(log);
    }

    fn finish_line(&mut self, log: &mut Log) {
        if !self.line.is_empty() {
            log.write(self.stream, true, &std::mem::take(&mut self.line));
        }
    }

    /// The launch has succeeded: what was held back is the container's.
    pub(super) fn release(&mut self, log: &mut Log) {
        if let Some(held) = self.held.take() {
            self.keep(&held, log);
        }
        if self.source.is_none() {
            self.finish_line(log);
        }
    }

    /// The launch has failed: what was held back is the runtime's words.
    pub(super) fn discard(&mut self) -> String {
        let mut portion = [0; 16 * 1024];
        if let (Some(mut source), Some(held)) = (self.source.take(), self.held.as_mut())
            && let Ok(length) = source.read(&mut portion)
        {
            held.extend_from_slice(&portion[..length]);
        }
        String::from_utf8_lossy(&self.held.take().unwrap_or_default()).into_owned()
    }

    fn keep(&mut self, bytes: &[u8], log: &mut Log) {
        if let Some(copy) = self.copy.as_mut() {
            let _ = copy.write_all(bytes);
        }
        for mut piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            while self.line.len() + piece.len() > LINE {
                let (now, later) = piece.split_at(LINE - self.line.len());
                self.line.extend_from_slice(now);
                log.write(self.stream, false, &self.line);
                self.line.clear();
                piece = later;
            }
            self.line.extend_from_slice(piece);
            if self.line.pop_if(|last| *last == b'\n').is_some() {
                log.write(self.stream, true, &self.line);
                self.line.clear();
            }
        }
    }
}

/// A caller's file, appended to. Only a regular file: a FIFO that nobody reads would stall the shim.
fn open_copy(path: &Path) -> io::Result<File> {
    let options = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file =
        OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(options.bits()).open(path);
    let file = file.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other(format!("{} is not a regular file", path.display())));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(writes: &[&[u8]]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::open(&path, None).unwrap();
        let (mut output, writer) = Output::pipe(1, Stream::Stderr, None).unwrap();
        output.release(&mut log);
        let mut writer = File::from(writer);
        for bytes in writes {
            writer.write_all(bytes).unwrap();
            while output.pump(&mut log) {}
        }
        drop(writer);
        output.drain(&mut log);
        assert!(!output.is_open());
        std::fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| line.split_once(' ').unwrap().1.to_owned())
            .collect()
    }

    #[test]
    fn lines_are_whole_however_they_were_written() {
        assert_eq!(
            logged(&[b"a\nb", b"c\n", b"\nlast"]),
            ["stderr F a", "stderr F bc", "stderr F ", "stderr F last"]
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_kept_in_marked_pieces() {
        let lines = logged(&[&vec![b'x'; LINE - 1], b"xrest\n"]);
        assert_eq!(lines[0], format!("stderr P {}", "x".repeat(LINE)));
        assert_eq!(lines[1], "stderr F rest");
    }

    #[test]
    fn what_a_process_wrote_before_its_launch_was_known_to_succeed_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::open(&path, None).unwrap();
        let (mut output, writer) = Output::pipe(1, Stream::Stdout, None).unwrap();
        File::from(writer).write_all(b"quick").unwrap();
        while output.pump(&mut log) {}
        assert!(output.is_open(), "its writer is gone, its words are not written");
        output.release(&mut log);
        assert!(!output.is_open());
        assert!(std::fs::read_to_string(&path).unwrap().ends_with(" stdout F quick\n"));
    }

    #[test]
    fn the_words_of_a_failed_launch_are_not_the_containers_output() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::open(&path, None).unwrap();
        let (mut output, writer) = Output::pipe(1, Stream::Stderr, None).unwrap();
        File::from(writer).write_all(b"no such program\n").unwrap();
        output.pump(&mut log);
        assert_eq!(output.discard(), "no such program\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }
}
