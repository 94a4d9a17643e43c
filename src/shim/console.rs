//! A terminal for a container: runc makes it inside and sends its master over a socket (runc's
//! docs/terminals.md, "Detached").

use std::fs;
use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use super::stdio::{Output, Stream};

/// The socket at which one terminal is awaited.
pub(super) struct Console {
    name: String,
    listener: Option<UnixListener>,
}

impl Console {
    pub(super) fn listen(seq: u64) -> std::io::Result<Self> {
        let name = format!("console-{seq}.sock");
        let _ = fs::remove_file(&name);
        let listener = UnixListener::bind(&name)?;
        listener.set_nonblocking(true)?;
        Ok(Self { name, listener: Some(listener) })
    }

    /// Short enough for a socket's address (108 bytes, unix(7)) however deep the folder lies.
    pub(super) fn path(&self) -> String {
        format!("/proc/{}/cwd/{}", std::process::id(), self.name)
    }

    pub(super) fn listener(&self) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().map(AsFd::as_fd)
    }

    /// Takes the terminal if it has been sent.
    pub(super) fn take(&mut self, seq: u64, copy: Option<&Path>) -> Option<Output> {
        let (stream, _) = self.listener.as_ref()?.accept().ok()?;
        self.listener = None;
        // runc sends at once; whoever does not is not waited for.
        stream.set_nonblocking(false).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let mut name = [0; 4096];
        let mut space = cmsg_space!([std::os::fd::RawFd; 1]);
        let mut slices = [IoSliceMut::new(&mut name)];
        let received =
            recvmsg::<()>(stream.as_raw_fd(), &mut slices, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)
                .ok()?;
        let master = received.cmsgs().ok()?.find_map(|message| match message {
            ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
            _ => None,
        })?;
        // SAFETY: the kernel has just made this descriptor for us, and nothing else knows it.
        let master = unsafe { OwnedFd::from_raw_fd(master) };
        Output::terminal(seq, Stream::Stdout, master, copy).ok()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.name);
    }
}
