//! Who may call. The daemon is root's and starts anything, so whoever it serves is root: that is decided here, once a
//! connection and before any route, by what the kernel says of its other end. Whom it does not know is nobody.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::{PeerCredentials, PeerPidfd};
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;

use super::audit::Asker;
use super::gate::Whose;
use super::{problems, unmodelled};
use crate::api::problem;
use crate::caller::{self, Caller, Role, Who};
use crate::runtime::holders::Holders;
use crate::runtime::process::{has_ended, is_in_no_container, user_of};
use crate::runtime::sock_diag::{self, Owner};
use crate::supervisor::{ContainerId, Supervisor};
use crate::tokens::Tokens;

/// Whom the daemon serves: root, the user that it runs as, those that the configuration names, and who has a token.
#[derive(Debug, Clone)]
pub struct Callers {
    users: Arc<BTreeSet<u32>>,
    groups: Arc<BTreeSet<u32>>,
    holders: Arc<Holders>,
    tokens: Tokens,
    supervisor: Supervisor,
}

/// A name in the configuration that is nobody's.
#[derive(Debug, thiserror::Error)]
#[error("--allow-{kind} {name}: there is no such {kind}; use a name or a number that id knows")]
pub struct NoSuch {
    kind: &'static str,
    name: String,
}

/// Why somebody is not served.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Refused {
    #[error("{name} may not use this daemon: whoever does is root on this host")]
    Stranger { name: String },
    #[error("who calls cannot be told: its end of the connection is closed, or of a process that has ended")]
    Nobody,
    #[error("a process of the container {0} may not use the daemon that it runs under, whoever it runs as")]
    Contained(ContainerId),
    #[error(
        "a process in a container, or in another user or pid namespace, may not use this daemon, whoever it runs as; nor one that has its connection from somebody else"
    )]
    Enclosed,
    #[error("{0}")]
    BadToken(String),
    #[error("{account} lets look, and {method} may change something")]
    ReadOnly { account: String, method: String },
    #[error("your certificate names nobody: it has no common name, or several")]
    Unnamed,
}

impl Refused {
    fn answer(&self) -> Response {
        let why = self.to_string();
        let problem = match self {
            Self::BadToken(_) => problem::bad_token(why),
            Self::ReadOnly { .. } => problem::read_only(why),
            Self::Stranger { .. } | Self::Nobody | Self::Contained(_) | Self::Enclosed | Self::Unnamed => {
                problem::not_allowed(why)
            }
        };
        problems::answer(&problem).into_response()
    }
}

/// The other end of a connection, as the kernel knows it.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    end: End,
    /// Decided at the first request.
    verdict: Arc<OnceCell<Result<Arc<Caller>, Refused>>>,
}

#[derive(Debug, Clone)]
enum End {
    /// A process, by the unix socket (unix(7), `SO_PEERCRED`); held, where the kernel can (Linux 6.5, `SO_PEERPIDFD`).
    Process { uid: u32, gid: u32, pid: i32, held: Option<Arc<OwnedFd>> },
    /// Whose a socket of a loopback address is; nobody's, or nobody's any more.
    Socket(Option<Owner>),
    /// Another host, by its address and by ours; whose certificate it has shown, and what that lets do.
    Remote { from: IpAddr, at: IpAddr, name: Option<String>, role: Option<Role> },
}

impl Peer {
    fn new(end: End) -> Self {
        Self { end, verdict: Arc::default() }
    }

    /// Asked when the connection is taken; the kernel answers at once.
    pub(super) fn of_tcp(stream: &TcpStream) -> Self {
        let ends = stream.peer_addr().and_then(|peer| Ok((peer, stream.local_addr()?)));
        let owner = ends.and_then(|(peer, own)| sock_diag::owner(peer, own));
        Self::new(End::Socket(owner.unwrap_or_else(|error| {
            tracing::error!(%error, "the kernel does not tell whose a connection is, so it is nobody's");
            None
        })))
    }

    pub(super) fn of_unix(stream: &UnixStream) -> Self {
        let held = getsockopt(stream, PeerPidfd).ok().map(Arc::new);
        match getsockopt(stream, PeerCredentials) {
            Ok(peer) => Self::new(End::Process { uid: peer.uid(), gid: peer.gid(), pid: peer.pid(), held }),
            Err(_) => Self::new(End::Socket(None)),
        }
    }

    /// Root, of whom nobody needs to be asked.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn root() -> Self {
        let caller = Caller::process(0, i32::try_from(std::process::id()).unwrap_or_default());
        Self { end: End::Socket(None), verdict: Arc::new(OnceCell::from(Ok(Arc::new(caller)))) }
    }

    /// Asked when the connection is taken; who it is is shown later.
    pub(super) fn of_remote(stream: &TcpStream) -> Self {
        match (stream.peer_addr(), stream.local_addr()) {
            (Ok(from), Ok(at)) => {
                Self::new(End::Remote { from: from.ip(), at: at.ip(), name: None, role: None })
            }
            _ => Self::new(End::Socket(None)),
        }
    }

    /// With the certificate that was verified.
    pub(super) fn shown(mut self, shown: Option<String>, as_role: Option<Role>) -> Self {
        if let End::Remote { name, role, .. } = &mut self.end {
            (*name, *role) = (shown, as_role);
        }
        self
    }

    /// The address that it has called, if that is another than loopback.
    pub(super) fn called_at(&self) -> Option<IpAddr> {
        match &self.end {
            End::Remote { at, .. } => Some(at.to_canonical()),
            End::Process { .. } | End::Socket(_) => None,
        }
    }

    /// As the kernel has named it.
    fn uid(&self) -> Option<u32> {
        match &self.end {
            End::Process { uid, .. } => Some(*uid),
            End::Socket(owner) => owner.as_ref().map(|owner| owner.uid),
            End::Remote { .. } => None,
        }
    }

    /// Whose it is counted as, before anything is asked.
    pub(super) fn whose(&self) -> Whose {
        if let End::Remote { from, .. } = &self.end {
            return Whose::Host(*from);
        }
        match self.uid() {
            Some(uid) if uid == 0 || uid == Uid::effective().as_raw() => Whose::Root,
            Some(uid) => Whose::User(uid),
            None => Whose::Nobody,
        }
    }

    /// Whether a browser could be there: none speaks to a unix socket.
    pub(super) fn may_be_a_browser(&self) -> bool {
        matches!(self.end, End::Socket(_) | End::Remote { .. })
    }
}

impl Callers {
    /// `users` and `groups`: names or numbers.
    ///
    /// # Errors
    ///
    /// One of them is nobody's.
    pub fn new(
        users: &[String],
        groups: &[String],
        tokens: Tokens,
        supervisor: Supervisor,
    ) -> Result<Self, NoSuch> {
        let (users, groups) = Self::named(users, groups)?;
        let (users, groups) = (Arc::new(users), Arc::new(groups));
        Ok(Self { users, groups, holders: Arc::default(), tokens, supervisor })
    }

    /// Who they are, with root and ourselves. Blocks.
    pub fn named(users: &[String], groups: &[String]) -> Result<(BTreeSet<u32>, BTreeSet<u32>), NoSuch> {
        let user = |name: &String| {
            let found = name.parse().ok().or_else(|| Some(User::from_name(name).ok()??.uid.as_raw()));
            found.ok_or_else(|| NoSuch { kind: "user", name: name.clone() })
        };
        let group =
            |name: &String| group_id(name).ok_or_else(|| NoSuch { kind: "group", name: name.clone() });
        let own = Uid::effective().as_raw();
        let users: Result<BTreeSet<u32>, NoSuch> = users.iter().map(user).chain([Ok(0), Ok(own)]).collect();
        let groups: Result<BTreeSet<u32>, NoSuch> = groups.iter().map(group).collect();
        Ok((users?, groups?))
    }

    async fn judge(&self, end: &End) -> Result<Arc<Caller>, Refused> {
        match end {
            End::Process { uid, gid, pid, held } => {
                if let Some(id) = self.supervisor.container_of(*pid) {
                    return Err(Refused::Contained(id));
                }
                if !is_in_no_container(*pid) {
                    return Err(Refused::Enclosed);
                }
                // Until now the pid was the caller's.
                if held.as_ref().is_some_and(|held| has_ended(held)) {
                    return Err(Refused::Nobody);
                }
                self.admit(*uid, Some(*gid)).await?;
                Ok(Arc::new(Caller::process(*uid, *pid)))
            }
            End::Socket(None) => Err(Refused::Nobody),
            End::Remote { name: Some(name), role: Some(role), .. } => {
                Ok(Arc::new(Caller { who: Who::Certificate(name.clone()), role: *role }))
            }
            End::Remote { name: Some(name), role: None, .. } => {
                Err(Refused::Stranger { name: format!("the certificate {name}") })
            }
            End::Remote { name: None, .. } => Err(Refused::Unnamed),
            End::Socket(Some(owner)) => {
                self.admit(owner.uid, None).await?;
                let (inode, uid) = (u64::from(owner.inode), owner.uid);
                let likely = self.holders.find_likely(inode, |pid| self.is_outside(pid, uid));
                let found = match likely {
                    Some(pid) => Some(pid),
                    None => {
                        let callers = self.clone();
                        let find = move || callers.holders.find(inode, |pid| callers.is_outside(pid, uid));
                        tokio::task::spawn_blocking(find).await.ok().flatten()
                    }
                };
                found.map(|pid| Arc::new(Caller::process(owner.uid, pid))).ok_or(Refused::Enclosed)
            }
        }
    }

    /// Whether a process of this user, or of root, is in no container, ours or another runtime's. Of another
    /// user's it does not count that it has the socket: root of a container can have it sent to them.
    fn is_outside(&self, pid: i32, uid: u32) -> bool {
        user_of(pid).is_some_and(|user| user == uid || user == 0)
            && is_in_no_container(pid)
            && self.supervisor.container_of(pid).is_none()
    }

    /// Who shows a token is judged by it, and by nothing else: it was given to them, wherever they are.
    async fn by_token(&self, shown: Result<String, Refused>) -> Result<Arc<Caller>, Refused> {
        let (tokens, shown) = (self.tokens.clone(), shown?);
        let judged = tokio::task::spawn_blocking(move || tokens.judge(&shown)).await;
        match judged.map_err(|error| Refused::BadToken(error.to_string()))? {
            Ok(token) => Ok(Arc::new(Caller { who: Who::Token(token.name), role: token.role })),
            Err(bad) => Err(Refused::BadToken(bad.to_string())),
        }
    }

    async fn admit(&self, uid: u32, gid: Option<u32>) -> Result<(), Refused> {
        if self.users.contains(&uid) || gid.is_some_and(|gid| self.groups.contains(&gid)) {
            return Ok(());
        }
        let groups = Arc::clone(&self.groups);
        // The user database may be on the network.
        let known = tokio::task::spawn_blocking(move || {
            let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
            let member = !groups.is_empty() && user.as_ref().is_some_and(|user| is_member(user, &groups));
            (user.map(|user| user.name), member)
        });
        match known.await {
            Ok((_, true)) => Ok(()),
            Ok((Some(name), false)) => Err(Refused::Stranger { name: format!("the user {name}") }),
            Ok((None, false)) | Err(_) => Err(Refused::Stranger { name: format!("the user {uid}") }),
        }
    }
}

/// By name or number.
pub(super) fn group_id(name: &str) -> Option<u32> {
    name.parse().ok().or_else(|| Some(Group::from_name(name).ok()??.gid.as_raw()))
}

fn is_member(user: &User, groups: &BTreeSet<u32>) -> bool {
    let Ok(name) = std::ffi::CString::new(user.name.as_str()) else { return false };
    let theirs: Vec<Gid> = getgrouplist(&name, user.gid).unwrap_or_default();
    theirs.iter().any(|gid| groups.contains(&gid.as_raw()))
}

/// The token that a request shows (RFC 6750, section 2.1); another scheme is none of ours.
fn bearer(headers: &HeaderMap) -> Option<Result<String, Refused>> {
    let is_bearer = |value: &&HeaderValue| {
        let scheme = value.as_bytes().split(|byte| *byte == b' ').next();
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
    };
    let mut all = headers.get_all(header::AUTHORIZATION).iter().filter(is_bearer);
    let token = all.next()?.to_str().ok().and_then(|value| Some(value.split_once(' ')?.1.trim().to_owned()));
    let one = token.filter(|_| all.next().is_none());
    Some(one.ok_or_else(|| Refused::BadToken("the header Authorization is not one token".to_owned())))
}

/// Lets those on who may call. What everybody may see is shown to who may not, too: a browser has no token yet when it
/// loads the page that is told one.
pub(super) async fn known(
    State(callers): State<Callers>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let found = match bearer(request.headers()) {
        Some(shown) => callers.by_token(shown).await,
        None => peer.verdict.get_or_init(|| callers.judge(&peer.end)).await.clone(),
    };
    match found {
        Ok(caller) => {
            let mut response = match caller.role {
                Role::Read if !request.method().is_safe() => {
                    Refused::ReadOnly { account: caller.account(), method: request.method().to_string() }
                        .answer()
                }
                _ => caller::asking(Arc::clone(&caller), next.run(request)).await,
            };
            response.extensions_mut().insert(Asker::Known(caller));
            response
        }
        Err(_) if unmodelled::is_for_everybody(&request) => next.run(request).await,
        Err(refused) => {
            let mut response = refused.answer();
            response.extensions_mut().insert(Asker::Refused { uid: peer.uid() });
            response
        }
    }
}
