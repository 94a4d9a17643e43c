//! Where the daemon listens: loopback alone, and a unix socket that root alone may open.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::net::{TcpListener, UnixListener, lookup_host};
use tokio::sync::watch;

use super::detach::Patient;

/// The sockets, bound.
#[derive(Debug)]
pub struct Listeners {
    tcp: Vec<TcpListener>,
    unix: UnixListener,
    socket: PathBuf,
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
    #[error("--listen {0} is not loopback: everybody who reaches this port is root here; use localhost:PORT")]
    NotLoopback(SocketAddr),
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
    /// The unix socket cannot be made.
    #[error("cannot make the socket {path}: {source}; choose another: --socket PATH")]
    Socket {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Listeners {
    /// Binds every loopback address that the name stands for (`localhost` is often two), and the socket.
    pub async fn bind(address: &str, socket: &Path) -> Result<Self, ListenError> {
        let no_address = |source| ListenError::NoAddress { address: address.to_owned(), source };
        let found: Vec<SocketAddr> = lookup_host(address).await.map_err(no_address)?.collect();
        if let Some(open) = found.iter().find(|one| !one.ip().is_loopback()) {
            return Err(ListenError::NotLoopback(*open));
        }
        let mut tcp = Vec::new();
        let mut refused = None;
        for at in found {
            match TcpListener::bind(at).await {
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
        let unix =
            bind_unix(socket).map_err(|source| ListenError::Socket { path: socket.to_owned(), source })?;
        Ok(Self { tcp, unix, socket: socket.to_owned() })
    }

    /// Where it listens, for a person.
    pub fn describe(&self) -> String {
        let mut places: Vec<String> = self
            .tcp
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .map(|address| format!("http://{address}"))
            .collect();
        places.push(format!("unix:{}", self.socket.display()));
        places.join(" and ")
    }

    /// Serves until `ending` says so; then no connection is taken and those that are open may finish.
    pub async fn serve(self, router: Router, ending: watch::Receiver<bool>) -> io::Result<()> {
        let ended = |mut ending: watch::Receiver<bool>| async move {
            let _ = ending.wait_for(|ending| *ending).await;
        };
        let mut servers = tokio::task::JoinSet::new();
        for listener in self.tcp {
            let server = axum::serve(Patient(listener), router.clone());
            servers.spawn(server.with_graceful_shutdown(ended(ending.clone())).into_future());
        }
        let server = axum::serve(Patient(self.unix), router);
        servers.spawn(server.with_graceful_shutdown(ended(ending)).into_future());
        while let Some(server) = servers.join_next().await {
            server.map_err(io::Error::other)??;
        }
        let _ = fs::remove_file(&self.socket);
        Ok(())
    }
}

/// The state folder is locked, so a socket that is there is a dead daemon's.
fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(kind) if std::os::unix::fs::FileTypeExt::is_socket(&kind.file_type()) => fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there and is no socket")),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}
