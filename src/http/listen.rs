//! Where the daemon listens: loopback, other addresses by TLS alone, and a unix socket that root and one group may open; and
//! how it stops to, so that a program that takes its place refuses nobody.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tokio::net::{TcpListener, TcpSocket, UnixListener, lookup_host};
use tokio::sync::watch;

use super::callers::{Peer, group_id};
use super::connections::{self, Served, plain};
use super::detach::Patient;
use super::given::{Given, Handed};
use super::limits::InUse;
use super::tls::Tls;

/// Connections that may wait to be taken; the kernel has a limit of its own (net.core.somaxconn, listen(2)).
const QUEUE: u32 = 4096;

/// The sockets, bound.
#[derive(Debug)]
pub struct Listeners {
    tcp: Vec<std::net::TcpListener>,
    unix: std::os::unix::net::UnixListener,
    /// Where the unix socket is, if it has a path.
    path: Option<PathBuf>,
    /// Whether we have made that path.
    own_path: bool,
    /// Spoken at every address that is not loopback.
    tls: Option<Tls>,
    /// How many of those who have connected have said nothing yet.
    silent: watch::Sender<usize>,
}

/// Why the daemon cannot listen; each says what helps.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address means nothing.
    #[error("--listen {address} is no address: {source}; write HOST:PORT, as in localhost:8888")]
    NoAddress {
        /// As it was given.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The address can be reached from elsewhere.
    #[error(
        "--listen {0} is not loopback: whoever is served is root here, and who calls from elsewhere cannot be told without TLS; \
         use localhost:PORT, or name certificates: --tls-cert FILE --tls-key FILE --tls-client-ca FILE"
    )]
    NotLoopback(SocketAddr),
    /// TLS is configured, and nobody would meet it.
    #[error(
        "--tls-cert and the like are for other addresses than loopback, and every address that is listened at is loopback: name one \
         more, as in --listen localhost:8888,192.0.2.1:8443, or leave them out"
    )]
    LoopbackAlone,
    /// It is taken, or the host refuses.
    #[error(
        "cannot listen on {at}: {source}; see who does: ss -ltnp, or choose another: --listen localhost:PORT"
    )]
    Bind {
        /// The address.
        at: String,
        /// Why not.
        source: io::Error,
    },
    /// A socket that was given cannot be used.
    #[error("a socket that was given (LISTEN_FDS) cannot be used: {source}")]
    Given {
        /// Why not.
        source: io::Error,
    },
    /// The unix socket cannot be made.
    #[error("cannot make the socket {path}: {source}; choose another: --socket PATH")]
    Socket {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// How far a daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connections are taken and served.
    Serving,
    /// The same, but connections are closed behind the answer: soon another program is to take them.
    Leaving,
    /// No connection is taken any more: the kernel queues them for the next program. What comes on those that are open
    /// is answered, and they are closed behind the answer.
    HandingOver,
    /// The daemon is to end: connections are taken still, so that who asks is told so, and closed behind the answer.
    Draining,
    /// Connections are closed as soon as they ask for nothing.
    Ending,
}

impl Phase {
    /// Whether connections are taken.
    pub(crate) fn accepts(self) -> bool {
        match self {
            Self::Serving | Self::Leaving | Self::Draining => true,
            Self::HandingOver | Self::Ending => false,
        }
    }

    /// Whether who follows something may go on to.
    pub(super) fn lets_follow(self) -> bool {
        match self {
            Self::Serving | Self::Leaving => true,
            Self::HandingOver | Self::Draining | Self::Ending => false,
        }
    }
}

impl Listeners {
    /// Binds every address that the names stand for (`localhost` is often two), and the socket; but what was given is
    /// listened on instead. Other addresses than loopback are for TLS.
    pub async fn bind(
        addresses: &str,
        tls: Option<Tls>,
        socket: &Path,
        group: Option<&str>,
        given: Given,
    ) -> Result<Self, ListenError> {
        let tcp = if given.tcp.is_empty() { bind_tcp(addresses, tls.is_some()).await? } else { given.tcp };
        for listener in &tcp {
            let at = listener.local_addr().map_err(|source| ListenError::Given { source })?;
            if !at.ip().is_loopback() && tls.is_none() {
                return Err(ListenError::NotLoopback(at));
            }
            listener.set_nonblocking(true).map_err(|source| ListenError::Given { source })?;
        }
        let is_open =
            |listener: &std::net::TcpListener| listener.local_addr().is_ok_and(|at| !at.ip().is_loopback());
        if tls.is_some() && !tcp.iter().any(is_open) {
            return Err(ListenError::LoopbackAlone);
        }
        let (unix, own_path) = match given.unix {
            Some(given) => given,
            None => {
                let unix = bind_unix(socket, group);
                (unix.map_err(|source| ListenError::Socket { path: socket.to_owned(), source })?, true)
            }
        };
        unix.set_nonblocking(true).map_err(|source| ListenError::Given { source })?;
        let path = unix.local_addr().ok().and_then(|at| at.as_pathname().map(Path::to_owned));
        Ok(Self { tcp, unix, path, own_path, tls, silent: watch::Sender::new(0) })
    }

    /// Where it listens, for a person.
    pub fn describe(&self) -> String {
        let tcp = self.tcp.iter().filter_map(|listener| listener.local_addr().ok());
        let place = |at: SocketAddr| {
            let scheme = if at.ip().is_loopback() { "http" } else { "https" };
            format!("{scheme}://{at}")
        };
        let mut places: Vec<String> = tcp.map(place).collect();
        places.extend(self.path.iter().map(|path| format!("unix:{}", path.display())));
        places.join(" and ")
    }

    /// Serves until the phase is over; then no connection is taken and those that are open may finish. The sockets
    /// stay open: see [`Listeners::hand_over`] and [`Listeners::close`].
    pub fn serve(
        &self,
        router: Router,
        phase: watch::Receiver<Phase>,
        in_use: InUse,
    ) -> io::Result<impl Future<Output = io::Result<()>> + Send + 'static> {
        let served = Served { router, phase: phase.clone(), in_use };
        let mut servers = tokio::task::JoinSet::new();
        for listener in &self.tcp {
            let listener = TcpListener::from_std(listener.try_clone()?)?;
            let at = listener.local_addr()?;
            let listener = Patient::new(listener, phase.clone(), self.silent.clone());
            match &self.tls {
                _ if at.ip().is_loopback() => {
                    servers.spawn(connections::serve(listener, Peer::of_tcp, plain, served.clone()))
                }
                Some(tls) => {
                    let tls = tls.clone();
                    let greet = move |io, peer| tls.clone().greet(io, peer);
                    servers.spawn(connections::serve(listener, Peer::of_remote, greet, served.clone()))
                }
                // Not bound without.
                None => return Err(io::Error::other(ListenError::NotLoopback(at))),
            };
        }
        let listener = UnixListener::from_std(self.unix.try_clone()?)?;
        let listener = Patient::new(listener, phase, self.silent.clone());
        servers.spawn(connections::serve(listener, Peer::of_unix, plain, served));
        Ok(async move {
            while let Some(server) = servers.join_next().await {
                server.map_err(io::Error::other)?;
            }
            Ok(())
        })
    }

    /// Waits until everybody who has connected has begun to ask.
    pub async fn heard(&self) {
        // The sender lives as long as we do.
        let _ = self.silent.subscribe().wait_for(|silent| *silent == 0).await;
    }

    /// The sockets, with the connections that wait in them, for the next program.
    pub fn hand_over(self) -> Handed {
        let mut handed = Handed::default();
        for listener in self.tcp {
            handed.add(listener, false);
        }
        handed.add(self.unix, self.own_path);
        handed
    }

    /// Nobody listens any more; a path that we have made goes.
    pub fn close(self) {
        if let Some(path) = self.path.filter(|_| self.own_path) {
            let _ = fs::remove_file(path);
        }
    }
}

/// While the daemon hands over or ends, a client is told to come back on a new connection.
pub(super) async fn close_after(
    State(phase): State<watch::Receiver<Phase>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if *phase.borrow() != Phase::Serving {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether an address could be listened at just now.
///
/// # Errors
/// As a daemon would meet them at its start.
pub async fn try_address(address: &str, with_tls: bool) -> Result<(), ListenError> {
    bind_tcp(address, with_tls).await.map(drop)
}

/// Whether every one of the addresses is loopback; what stands for nothing is told elsewhere.
pub async fn are_loopback(addresses: &str) -> bool {
    for address in addresses.split(',') {
        let mut found = lookup_host(address.trim()).await.into_iter().flatten();
        if found.any(|at| !at.ip().is_loopback()) {
            return false;
        }
    }
    true
}

async fn bind_tcp(addresses: &str, with_tls: bool) -> Result<Vec<std::net::TcpListener>, ListenError> {
    let mut tcp = Vec::new();
    for address in addresses.split(',') {
        tcp.extend(bind_one(address.trim(), with_tls).await?);
    }
    Ok(tcp)
}

async fn bind_one(address: &str, with_tls: bool) -> Result<Vec<std::net::TcpListener>, ListenError> {
    let no_address = |source| ListenError::NoAddress { address: address.to_owned(), source };
    let found: Vec<SocketAddr> = lookup_host(address).await.map_err(no_address)?.collect();
    if let Some(open) = found.iter().find(|one| !with_tls && !one.ip().is_loopback()) {
        return Err(ListenError::NotLoopback(*open));
    }
    let mut tcp = Vec::new();
    let mut refused = None;
    for at in found {
        match listener(at) {
            Ok(listener) => tcp.push(listener),
            // A host without IPv6 still has a name for it.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
                refused = Some(ListenError::Bind { at: at.to_string(), source: error });
            }
            Err(source) => return Err(ListenError::Bind { at: at.to_string(), source }),
        }
    }
    if tcp.is_empty() {
        return Err(refused.unwrap_or_else(|| no_address(io::Error::other("it stands for nothing"))));
    }
    Ok(tcp)
}

/// With as long a queue as the host lets it have: a connection for which there is no room waits a second.
fn listener(at: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(QUEUE)?.into_std()
}

/// The state folder is locked, so a socket that is there is a dead daemon's.
fn bind_unix(path: &Path, group: Option<&str>) -> io::Result<std::os::unix::net::UnixListener> {
    let group = group.map(group_of).transpose()?;
    match fs::symlink_metadata(path) {
        Ok(kind) if std::os::unix::fs::FileTypeExt::is_socket(&kind.file_type()) => fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there and is no socket")),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?.into_std()?;
    if group.is_some() {
        std::os::unix::fs::chown(path, None, group)?;
    }
    // Of root's own group alone, unless another is named.
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

fn group_of(name: &str) -> io::Result<u32> {
    group_id(name).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no group {name}")))
}
