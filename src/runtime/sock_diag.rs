//! The kernel asked about sockets (sock_diag(7)).

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, SocketId, StateFlags};
use nix::libc;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, setsockopt, socket,
    sockopt::ReceiveTimeout,
};
use nix::sys::time::TimeVal;

/// The kernel's answers are at most this long.
const PORTION: usize = 32 * 1024;
/// The kernel answers at once.
const LIMIT: Duration = Duration::from_secs(2);
/// Whatever socket has the addresses, and not a certain one (`INET_DIAG_NOCOOKIE`).
const NO_COOKIE: [u8; 8] = [0xff; 8];

/// Whose a TCP socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user's id, as it is in the first user namespace if that is ours.
    pub uid: u32,
    /// The socket's number, which `/proc/PID/fd` names it by.
    pub inode: u32,
}

/// Who has the socket that is bound to the one address and connected to the other, in our own network namespace.
/// `None`: nobody, or nobody any more. A socket that was closed is root's by the kernel's word.
pub fn owner(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<Owner>> {
    let wanted = SocketId {
        source_port: local.port(),
        destination_port: remote.port(),
        source_address: local.ip(),
        destination_address: remote.ip(),
        interface_id: 0,
        cookie: NO_COOKIE,
    };
    let family = if local.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let request = InetRequest {
        family: u8::try_from(family).map_err(io::Error::other)?,
        protocol: u8::try_from(libc::IPPROTO_TCP).map_err(io::Error::other)?,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: wanted.clone(),
    };
    let found = match ask(SockDiagMessage::InetRequest(request), false) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
        found => found?,
    };
    let same = |one: &SocketId| {
        (one.source_port, one.destination_port) == (wanted.source_port, wanted.destination_port)
            && one.source_address.to_canonical() == wanted.source_address.to_canonical()
            && one.destination_address.to_canonical() == wanted.destination_address.to_canonical()
    };
    Ok(found.into_iter().find_map(|message| match message {
        // Without such a socket the kernel gives one that listens at the port; one that nobody has open has no number.
        SockDiagMessage::InetResponse(one) if same(&one.header.socket_id) && one.header.inode != 0 => {
            Some(Owner { uid: one.header.uid, inode: one.header.inode })
        }
        _ => None,
    }))
}

/// What the kernel answers; of all sockets that there are, or of one.
pub(super) fn ask(request: SockDiagMessage, all: bool) -> io::Result<Vec<SockDiagMessage>> {
    let kind = SockProtocol::NetlinkSockDiag;
    let kernel = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, kind)?;
    setsockopt(&kernel, ReceiveTimeout, &TimeVal::new(LIMIT.as_secs().cast_signed(), 0))?;
    send(kernel.as_raw_fd(), &serialized(request, all), MsgFlags::empty())?;
    let (mut found, mut portion) = (Vec::new(), vec![0; PORTION]);
    loop {
        let length = recv(kernel.as_raw_fd(), &mut portion, MsgFlags::empty())?;
        let mut rest = portion.get(..length).unwrap_or_default();
        if rest.is_empty() {
            return Ok(found);
        }
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest).map_err(io::Error::other)?;
            // Each begins at a multiple of four.
            let length = (message.header.length as usize).next_multiple_of(4);
            rest = rest.get(length.max(4)..).unwrap_or_default();
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(found),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(one) => found.push(one),
                _ => {}
            }
        }
        if !all {
            return Ok(found);
        }
    }
}

fn serialized(request: SockDiagMessage, all: bool) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = if all { NLM_F_REQUEST | NLM_F_DUMP } else { NLM_F_REQUEST };
    let mut message = NetlinkMessage::new(header, request.into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_owner_is_found_by_both_addresses_and_a_closed_socket_is_nobodys() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (server, peer) = listener.accept().unwrap();
            let ours = server.local_addr().unwrap();
            let found = owner(peer, ours).unwrap().unwrap();
            assert_eq!(found.uid, nix::unistd::getuid().as_raw());
            let descriptor = format!("/proc/self/fd/{}", client.as_raw_fd());
            let link = std::fs::read_link(descriptor).unwrap();
            assert_eq!(link.to_str().unwrap(), format!("socket:[{}]", found.inode));
            // Somebody listens at the port that the client has.
            assert_eq!(owner(ours, "127.0.0.1:9".parse().unwrap()).unwrap(), None);
            drop(client);
            assert_eq!(owner(peer, ours).unwrap(), None);
        }
    }

    #[test]
    fn a_client_of_the_other_family_is_found_too() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect(format!("[::ffff:127.0.0.1]:{port}")).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert!(owner(peer, server.local_addr().unwrap()).unwrap().is_some());
    }
}
