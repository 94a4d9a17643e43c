//! What is in the way of sockets. What a socket is says its extended attribute `system.sockprotoname`, as it does to
//! CRIU; TCP and netlink sockets are looked up in /proc/PID/net, unix sockets by [`super::unix`].

use std::collections::{HashMap, HashSet};
use std::fs;

use procfs::net::{TcpNetEntry, TcpState};

use super::files::SocketFd;
use super::unix::UnixSockets;
use super::{Findings, Kind};
use crate::runtime::options::CriuOptions;

pub(super) fn check(sockets: &[SocketFd<'_>], wanted: CriuOptions, found: &mut Findings) {
    let mut families: HashMap<Family, Vec<&SocketFd<'_>>> = HashMap::new();
    for socket in sockets {
        let Some(protocol) = protocol(socket) else { continue };
        match Family::of(&protocol) {
            Some(family) => families.entry(family).or_default().push(socket),
            None => {
                let what = format!("a socket of the kind {protocol}, which CRIU does not know");
                let remedy = if protocol.starts_with("MPTCP") {
                    "use plain TCP (for a Go program: GODEBUG=multipathtcp=0), or close it"
                } else {
                    "close it before the checkpoint"
                };
                found.add(socket.member, Kind::SocketFamily, Some(socket.fd), what, remedy);
            }
        }
    }
    for (family, of_family) in &families {
        match family {
            Family::Tcp => tcp(of_family, wanted, found),
            Family::Netlink => netlink(of_family, found),
            Family::Unix => unix(of_family, wanted, found),
            Family::Datagram => {}
        }
    }
}

/// Those that CRIU knows: can_dump_ipproto, dump_socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Family {
    Tcp,
    Unix,
    Netlink,
    /// UDP, raw, ping and packet sockets: nothing is in their way.
    Datagram,
}

impl Family {
    fn of(protocol: &str) -> Option<Self> {
        match protocol {
            "TCP" | "TCPv6" => Some(Self::Tcp),
            "UNIX" | "UNIX-STREAM" => Some(Self::Unix),
            "NETLINK" => Some(Self::Netlink),
            "UDP" | "UDPv6" | "UDP-Lite" | "UDPLITEv6" | "RAW" | "RAWv6" | "PING" | "PINGv6" | "PACKET" => {
                Some(Self::Datagram)
            }
            _ => None,
        }
    }
}

fn protocol(socket: &SocketFd<'_>) -> Option<String> {
    let place = format!("/proc/{}/fd/{}", socket.member.pid, socket.fd);
    let mut name = [0; 64];
    let length = rustix::fs::getxattr(place, "system.sockprotoname", &mut name).ok()?;
    let name = name.get(..length)?.split(|byte| *byte == 0).next()?;
    Some(String::from_utf8_lossy(name).into_owned())
}

/// One process of each network namespace.
fn namespaces<'a>(sockets: &[&SocketFd<'a>]) -> Vec<&'a super::Member> {
    let mut seen = HashSet::new();
    let members = sockets.iter().map(|socket| socket.member);
    members.filter(|member| member.network.is_some() && seen.insert(&member.network)).collect()
}

/// CRIU: can_dump_inet_sk.
fn tcp(sockets: &[&SocketFd<'_>], wanted: CriuOptions, found: &mut Findings) {
    let mut entries: HashMap<u64, TcpNetEntry> = HashMap::new();
    for member in namespaces(sockets) {
        let tables = [member.process.tcp(), member.process.tcp6()];
        entries.extend(tables.into_iter().flatten().flatten().map(|entry| (entry.inode, entry)));
    }
    for socket in sockets {
        // One that was never bound or connected is in no table.
        let Some(entry) = entries.get(&socket.inode) else { continue };
        match entry.state {
            TcpState::Close => {}
            TcpState::Listen if entry.rx_queue == 0 => {}
            TcpState::Listen => {
                let what = format!(
                    "{} TCP connections to {} that wait to be accepted",
                    entry.rx_queue, entry.local_address
                );
                let remedy = "repeat when the program has accepted them; no option allows them";
                found.add(socket.member, Kind::UnacceptedConnection, Some(socket.fd), what, remedy);
            }
            _ if wanted.tcp => {}
            _ => {
                let (from, to) = (entry.local_address, entry.remote_address);
                let state = match entry.state {
                    TcpState::Established => "an established",
                    TcpState::SynSent => "a connecting",
                    _ => "a half-closed",
                };
                let what = format!("{state} TCP connection, {from} with {to}");
                let remedy = "checkpoint with tcp: true, or close it";
                found.add(socket.member, Kind::TcpConnection, Some(socket.fd), what, remedy);
            }
        }
    }
}

/// CRIU: dump_one_netlink_fd, "The socket has data to read".
fn netlink(sockets: &[&SocketFd<'_>], found: &mut Findings) {
    let mut unread = HashSet::new();
    for member in namespaces(sockets) {
        let table = fs::read_to_string(format!("/proc/{}/net/netlink", member.pid)).unwrap_or_default();
        unread.extend(table.lines().filter_map(unread_netlink));
    }
    for socket in sockets.iter().filter(|socket| unread.contains(&socket.inode)) {
        let what = "a netlink socket with unread data";
        let remedy = "repeat when the program has read it";
        found.add(socket.member, Kind::NetlinkData, Some(socket.fd), what, remedy);
    }
}

/// `sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode`: the inode, if something is to be read.
fn unread_netlink(line: &str) -> Option<u64> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let unread: u64 = fields.get(4)?.parse().ok()?;
    fields.get(9)?.parse().ok().filter(|_| unread > 0)
}

/// CRIU: dump_one_unix_fd, __dump_external_socket.
fn unix(sockets: &[&SocketFd<'_>], wanted: CriuOptions, found: &mut Findings) {
    let mut known = UnixSockets::default();
    for member in namespaces(sockets) {
        if let Err(error) = known.read(member.pid) {
            tracing::warn!(pid = member.pid, %error, "its unix sockets cannot be listed");
            return;
        }
    }
    let number = |inode: u64| u32::try_from(inode).unwrap_or(0);
    let dumped: HashSet<u32> = sockets.iter().map(|socket| number(socket.inode)).collect();
    for socket in sockets {
        let inode = number(socket.inode);
        let Some((what, remedy)) = other_end(inode, &known, &dumped, wanted) else { continue };
        found.add(socket.member, Kind::UnixSocket, Some(socket.fd), what, remedy);
    }
}

/// What is wrong with a socket's other end.
fn other_end(
    inode: u32,
    known: &UnixSockets,
    dumped: &HashSet<u32>,
    wanted: CriuOptions,
) -> Option<(&'static str, &'static str)> {
    const NEVER: &str = "close it before the checkpoint; no option allows it";
    const STREAM: &str = "a unix socket whose other end is outside of the container";
    let Some(own) = known.by_inode.get(&inode) else {
        return Some(("a unix socket of a client from outside of the container", NEVER));
    };
    match own.peer {
        Some(peer) => match known.by_inode.get(&peer) {
            _ if dumped.contains(&peer) => None,
            None => Some((STREAM, NEVER)),
            Some(other) if other.datagram && wanted.unix_sockets => None,
            Some(other) if other.datagram => Some((
                "a unix datagram socket whose other end is not dumped",
                "checkpoint with unixSockets: true, or close it",
            )),
            Some(_) => Some(("a unix socket whose other end is not dumped", NEVER)),
        },
        None if own.datagram || !own.connected || own.shut_down || known.waiting.contains(&inode) => None,
        None => Some((STREAM, NEVER)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::unix::UnixSocket;
    use super::*;

    #[test]
    fn unread_data_is_read_from_the_table() {
        let head = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode";
        assert_eq!(unread_netlink(head), None);
        let line = "00000000b3f9 0   1          00000000 2304     0        0     2        0        4711";
        assert_eq!(unread_netlink(line), Some(4711));
        assert_eq!(unread_netlink(&line.replace("2304", "0   ")), None);
    }

    #[test]
    fn what_ends_at_a_socket_of_the_tree_or_at_none_is_no_matter() {
        let socket = |peer, connected, shut_down| UnixSocket { datagram: false, peer, connected, shut_down };
        let mut known = UnixSockets::default();
        known.by_inode.insert(1, socket(Some(2), true, false));
        known.by_inode.insert(2, socket(Some(1), true, false));
        known.by_inode.insert(3, socket(None, true, true));
        known.by_inode.insert(4, socket(None, true, false));
        known.by_inode.insert(5, socket(None, true, false));
        known.waiting.insert(5);
        let wanted = CriuOptions::default();
        let wrong = |inode, dumped: &[u32]| {
            other_end(inode, &known, &dumped.iter().copied().collect(), wanted).is_some()
        };
        assert!(!wrong(1, &[1, 2]));
        assert!(wrong(1, &[1]));
        assert!(!wrong(3, &[3]));
        assert!(wrong(4, &[4]));
        assert!(!wrong(5, &[5]), "it waits to be accepted");
        assert!(wrong(9, &[9]), "of another namespace");
    }
}
