//! Network namespaces (network_namespaces(7)): who listens in our own; a container's, entered for a moment, and its
//! loopback device (netdevice(7)).

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use procfs::net::{TcpNetEntry, TcpState};

/// The sockets that listen for TCP in our own network namespace (`/proc/net/tcp`, `tcp6`).
pub fn listening() -> impl Iterator<Item = TcpNetEntry> {
    let all = [procfs::net::tcp(), procfs::net::tcp6()].into_iter().flatten().flatten();
    all.filter(|socket| socket.state == TcpState::Listen)
}

/// Sets `lo` up in the network namespace of a process, as runc does when it starts a container.
pub fn raise_loopback(pid: i32) -> io::Result<()> {
    within(pid, || {
        let control = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        raise(&control, b"lo")
    })
}

/// Does something in the network namespace of a process. A namespace belongs to a thread, so it is done in a
/// thread that then ends.
pub fn within<T: Send + 'static>(
    pid: i32,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    std::thread::spawn(move || {
        let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        work()
    })
    .join()
    .unwrap_or_else(|_| Err(io::Error::other("the thread for it panicked")))
}

fn raise(control: &OwnedFd, name: &[u8]) -> io::Result<()> {
    // SAFETY: ifreq is plain data, for which all zeroes is a value.
    let mut request: nix::libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name) {
        *to = from.cast_signed();
    }
    let fd = control.as_raw_fd();
    // SAFETY: both calls read and write one ifreq, which lives until they return; the name ends with a zero.
    let got = unsafe { nix::libc::ioctl(fd, nix::libc::SIOCGIFFLAGS, &raw mut request) };
    if got != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: SIOCGIFFLAGS has just filled the flags of the union.
    unsafe { request.ifr_ifru.ifru_flags |= nix::libc::IFF_UP as nix::libc::c_short };
    // SAFETY: as above.
    let set = unsafe { nix::libc::ioctl(fd, nix::libc::SIOCSIFFLAGS, &raw const request) };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
