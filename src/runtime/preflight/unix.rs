//! The unix sockets of a network namespace and who is connected to whom: sock_diag(7), asked from within.

use std::collections::{HashMap, HashSet};
use std::io;

use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixRequest, UnixResponse};

use crate::runtime::{netns, sock_diag};

/// A unix socket.
#[derive(Debug)]
pub(super) struct UnixSocket {
    pub(super) datagram: bool,
    /// By its inode.
    pub(super) peer: Option<u32>,
    pub(super) connected: bool,
    pub(super) shut_down: bool,
}

/// Those of some network namespaces.
#[derive(Debug, Default)]
pub(super) struct UnixSockets {
    pub(super) by_inode: HashMap<u32, UnixSocket>,
    /// Connected, and waiting for accept.
    pub(super) waiting: HashSet<u32>,
}

impl UnixSockets {
    /// Adds those of a process's network namespace.
    pub(super) fn read(&mut self, pid: i32) -> io::Result<()> {
        for one in netns::within(pid, ask)? {
            self.waiting.extend(one.pending_connections().unwrap_or_default());
            let socket = UnixSocket {
                datagram: i32::from(one.header.kind) == nix::libc::SOCK_DGRAM,
                peer: one.peer().filter(|peer| *peer != 0),
                connected: one.header.state == netlink_packet_sock_diag::constants::TCP_ESTABLISHED,
                shut_down: one.shutdown_state() == Some(3),
            };
            self.by_inode.insert(one.header.inode, socket);
        }
        Ok(())
    }
}

fn ask() -> io::Result<Vec<UnixResponse>> {
    let wanted = UnixRequest {
        state_flags: StateFlags::from_bits_retain(u32::MAX),
        inode: 0,
        show_flags: ShowFlags::PEER | ShowFlags::ICONS,
        cookie: [0xff; 8],
    };
    let all = sock_diag::ask(SockDiagMessage::UnixRequest(wanted), true)?;
    Ok(all
        .into_iter()
        .filter_map(|message| match message {
            SockDiagMessage::UnixResponse(one) => Some(*one),
            _ => None,
        })
        .collect())
}
