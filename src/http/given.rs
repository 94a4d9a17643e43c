//! Listening sockets that were open before the program began: a service manager's (LISTEN_FDS, sd_listen_fds(3)),
//! or those of the daemon that this one replaces in place.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage, getsockname, getsockopt, sockopt};

/// `PID:FD,FD…`, from a daemon to the one that it becomes; an `o` behind a number says that the socket's path is
/// our own to remove. Not LISTEN_FDS, which wants the numbers from 3 on.
const HANDED: &str = "CONTAINERD_REST_HANDED";

/// The sockets that were given.
#[derive(Debug, Default)]
pub struct Given {
    pub(super) tcp: Vec<TcpListener>,
    /// And whether its path is ours to remove.
    pub(super) unix: Option<(UnixListener, bool)>,
    /// By a daemon that this program has replaced.
    pub replaces: bool,
}

impl Given {
    /// Takes what the environment names, once, before anything else is opened.
    ///
    /// # Errors
    ///
    /// A descriptor that is no listening stream socket of TCP or unix.
    pub fn take() -> io::Result<Self> {
        let mut given = Self::default();
        let handed = std::env::var(HANDED).unwrap_or_default();
        if let Some(list) = handed.strip_prefix(&format!("{}:", std::process::id())) {
            given.replaces = true;
            for word in list.split(',') {
                let number = word.trim_end_matches('o').parse().map_err(io::Error::other)?;
                given.add(adopt(number)?, word.ends_with('o'))?;
            }
            return Ok(given);
        }
        let mut listened = ListenFd::from_env();
        for index in 0..listened.len() {
            if let Some(number) = listened.take_raw_fd(index)? {
                given.add(adopt(number)?, false)?;
            }
        }
        Ok(given)
    }

    fn add(&mut self, fd: OwnedFd, own_path: bool) -> io::Result<()> {
        let wrong =
            |what: &str| io::Error::other(format!("the socket {} that was given {what}", fd.as_raw_fd()));
        if !getsockopt(&fd, sockopt::AcceptConn).map_err(|error| wrong(&format!("is no socket: {error}")))? {
            return Err(wrong("does not listen"));
        }
        let address: SockaddrStorage = getsockname(fd.as_raw_fd())?;
        match address.family() {
            Some(AddressFamily::Inet | AddressFamily::Inet6) => self.tcp.push(TcpListener::from(fd)),
            Some(AddressFamily::Unix) if self.unix.is_none() => {
                self.unix = Some((UnixListener::from(fd), own_path));
            }
            Some(AddressFamily::Unix) => return Err(wrong("is a second unix socket")),
            _ => return Err(wrong("is neither TCP nor unix")),
        }
        Ok(())
    }
}

/// Ours from now on, and no child's.
fn adopt(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the environment says that the descriptor is open and handed to this process; it is asked for once,
    // before anything else was opened that could have the number.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    if let Err(error) = fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)) {
        // It is not open: then it is not ours to close either.
        std::mem::forget(fd);
        return Err(io::Error::other(format!("the socket {number} that was named is not open: {error}")));
    }
    Ok(fd)
}

/// Sockets on their way to the program that replaces this one.
#[derive(Debug, Default)]
pub struct Handed(Vec<(OwnedFd, bool)>);

impl Handed {
    pub(super) fn add(&mut self, socket: impl Into<OwnedFd>, own_path: bool) {
        self.0.push((socket.into(), own_path));
    }

    /// The environment of the program that gets them, which inherits them from now on.
    ///
    /// # Errors
    ///
    /// The kernel's, when a descriptor's flags cannot be changed.
    pub fn environment(&self) -> io::Result<(&'static str, String)> {
        let mut words = Vec::new();
        for (fd, own_path) in &self.0 {
            fcntl(fd.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
            words.push(format!("{}{}", fd.as_raw_fd(), if *own_path { "o" } else { "" }));
        }
        Ok((HANDED, format!("{}:{}", std::process::id(), words.join(","))))
    }

    /// Back to being listened on: the program could not be replaced.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn take_back(self) -> io::Result<Given> {
        let mut given = Given::default();
        for (fd, own_path) in self.0 {
            fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
            given.add(fd, own_path)?;
        }
        Ok(given)
    }
}
