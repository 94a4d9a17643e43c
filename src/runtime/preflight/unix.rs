//! The unix sockets of a network namespace and who is connected to whom: sock_diag(7), asked from within.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::unix::{ShowFlags, StateFlags, UnixRequest, UnixResponse};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt, socket,
    sockopt::ReceiveTimeout,
};
use nix::sys::time::TimeVal;

use crate::runtime::netns;

/// The kernel's answers are at most this long.
const PORTION: usize = 32 * 1024;
/// The kernel answers at once.
const LIMIT: Duration = Duration::from_secs(2);

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
    let kind = SockProtocol::NetlinkSockDiag;
    let kernel = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, kind)?;
    setsockopt(&kernel, ReceiveTimeout, &TimeVal::new(LIMIT.as_secs().cast_signed(), 0))?;
    send(kernel.as_raw_fd(), &request(), MsgFlags::empty())?;
    let (mut all, mut portion) = (Vec::new(), vec![0; PORTION]);
    loop {
        let length = recv(kernel.as_raw_fd(), &mut portion, MsgFlags::empty())?;
        let mut rest = portion.get(..length).unwrap_or_default();
        if rest.is_empty() {
            return Ok(all);
        }
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest).map_err(io::Error::other)?;
            // Each begins at a multiple of four.
            let length = (message.header.length as usize).next_multiple_of(4);
            rest = rest.get(length.max(4)..).unwrap_or_default();
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(all),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(SockDiagMessage::UnixResponse(one)) => all.push(*one),
                _ => {}
            }
        }
    }
}

fn request() -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let wanted = UnixRequest {
        state_flags: StateFlags::from_bits_retain(u32::MAX),
        inode: 0,
        show_flags: ShowFlags::PEER | ShowFlags::ICONS,
        cookie: [0xff; 8],
    };
    let mut message = NetlinkMessage::new(header, SockDiagMessage::UnixRequest(wanted).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}
