//! `containerd-rest serve`: put together from the configuration, and run until a signal says stop, or to give way to a
//! newer program. Containers stay when it ends.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{Config, find_program};
use crate::http::{self, Given, Handed, ListenError, Listeners};
use crate::notify::{self, Told};
use crate::reaper;
use crate::runtime::cgroup::systemd::Home;
use crate::runtime::cpu::Cpu;
use crate::runtime::criu::Criu;
use crate::runtime::runc::Runc;
use crate::runtime::{self, cgroup};
use crate::serving::{Outcome, Serving};
use crate::signals::{Asked, Signals, Unheard};
use crate::supervisor::{self, CgroupsBy, OpenError, Parts, Rules, Store, Supervisor, Versions, chain};
use crate::tokens::Tokens;

/// Why the daemon does not start (or has ended); each says what helps.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Not root.
    #[error("containerd-rest makes containers, so it must be root's; run it with sudo")]
    NotRoot,
    /// No runtime.
    #[error(
        "the runtime {0} is not there; install it: apt-get install runc, or say where it is: --runtime PATH"
    )]
    NoRuntime(String),
    /// The runtime does not run.
    #[error("the runtime does not run: {0}; containerd-rest check tells more")]
    BadRuntime(String),
    /// No shim.
    #[error("the shim {0} is not there; it comes with containerd-rest: say where it is with --shim PATH")]
    NoShim(String),
    /// No cgroups.
    #[error("{0}; mount one: mount -t cgroup2 none /sys/fs/cgroup")]
    NoCgroup(io::Error),
    /// The folders.
    #[error("{0}; end that daemon, or use other folders: --state DIR --root DIR")]
    Store(#[from] OpenError),
    /// What was answered.
    #[error(
        "the answers kept in {folder} cannot be read: {source}; move the files answers and answers-others away to go on without them"
    )]
    Answers {
        /// The durable folder.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What was left.
    #[error("what an earlier daemon left cannot be taken back: {0}")]
    Recovery(String),
    /// Where it is to write down who asks.
    #[error("the audit log {file} cannot be written: {source}; choose another: --audit-log FILE")]
    Audit {
        /// As it was named.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Whom it is to serve.
    #[error(transparent)]
    Callers(#[from] http::NoSuch),
    /// What is spoken where others than this host listen.
    #[error(transparent)]
    Tls(#[from] http::TlsError),
    /// The sockets.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Anything else of the host's.
    #[error("{0}")]
    Host(#[from] io::Error),
}

/// Why serving is over.
#[derive(Debug)]
pub enum Ended {
    /// It was asked to end.
    Stopped,
    /// It was asked to give way to the program as it is now on the disk, which gets the sockets. Should it not come, the
    /// signals are heard again when the second is dropped.
    Replaced(Handed, Unheard),
}

/// Whether the settings could be served with: certificates, who is let in, the audit log; not sockets and folders, which
/// the daemon that asks has open. Blocks.
///
/// # Errors
///
/// As [`serve`] has them.
pub fn try_settings(config: &Config) -> Result<(), ServeError> {
    config.tls.clone().map(http::Tls::open).transpose()?;
    http::Callers::named(&config.allow_user, &config.allow_group)?;
    audit(config).map(drop)
}

fn audit(config: &Config) -> Result<http::Audit, ServeError> {
    let file = config.audit_log.clone();
    http::Audit::open(file.clone())
        .map_err(|source| ServeError::Audit { file: file.unwrap_or_default(), source })
}

/// Serves until SIGTERM, SIGINT or SIGHUP. `succeeds`: whether a program that could take our place runs, and why not.
pub async fn serve<F>(config: Config, given: Given, succeeds: impl Fn() -> F) -> Result<Ended, ServeError>
where
    F: Future<Output = Result<(), String>>,
{
    if !nix::unistd::geteuid().is_root() {
        return Err(ServeError::NotRoot);
    }
    let (inherited, replaces) = (reaper::inherited(), given.replaces);
    notify::beat()?;
    let (state, root) = (config.state.clone(), config.root.clone());
    let store =
        tokio::task::spawn_blocking(move || Store::open(&state, &root)).await.map_err(io::Error::other)??;
    let limit = raise_descriptor_limit()?;
    let parts = assemble(&config, store, limit).await?;
    if let Criu::Unusable { why, .. } = &parts.criu {
        tracing::warn!(
            why,
            "no CRIU that works: checkpoint and restore answer 503; containerd-rest check tells more"
        );
    }
    let root = config.root.clone();
    let answers =
        http::Answers::open(&root).map_err(|source| ServeError::Answers { folder: root, source })?;
    let mut signals = Signals::new(replaces)?;
    let supervisor = Supervisor::open(parts).await.map_err(|error| ServeError::Recovery(chain(&error)))?;
    reaper::reap(inherited);
    let group = config.socket_group.as_deref();
    let tls = match config.tls.clone() {
        Some(certificates) => {
            if certificates.roles.is_empty() {
                tracing::warn!(
                    "no --tls-allow: nobody who calls from elsewhere is let in, whatever certificate they show"
                );
            }
            let opened = tokio::task::spawn_blocking(move || http::Tls::open(certificates));
            Some(opened.await.map_err(io::Error::other)??)
        }
        None => None,
    };
    let listeners = Listeners::bind(&config.listen, tls, &config.socket, group, given).await?;
    let (users, groups, known) = (config.allow_user.clone(), config.allow_group.clone(), supervisor.clone());
    let tokens = Tokens::of(&config.root);
    // The user database may be on the network.
    let callers = tokio::task::spawn_blocking(move || http::Callers::new(&users, &groups, tokens, known));
    let callers = callers.await.map_err(io::Error::other)??;
    let audit = audit(&config)?;
    let in_use = http::InUse::new(config.limits.within(limit.maximum));
    let door = http::Door { callers, names: http::Names::new(&config.name), audit, in_use };

    if replaces {
        tracing::info!("takes the place of the program that was here before");
    }
    // Whoever started the program before may have closed the pipe long ago.
    let mut stdout = io::stdout();
    let _ =
        writeln!(stdout, "containerd-rest {} listens on {}", env!("CARGO_PKG_VERSION"), listeners.describe())
            .and_then(|()| stdout.flush());

    let mut serving = Serving::begin(supervisor, answers, door, &listeners)?;
    let ready = Told::Ready(format!("listens on {}", listeners.describe()));
    loop {
        notify::tell(ready.clone()).await;
        let Asked::Replace = signals.next().await else { break };
        notify::tell(Told::Reloading).await;
        let tried = tokio::select! {
            tried = succeeds() => tried,
            () = signals.stop() => break,
        };
        if let Err(why) = tried {
            tracing::error!(
                why,
                "the program that was to take over does not run, so serving goes on; mend it and send SIGHUP again"
            );
            continue;
        }
        tracing::info!("handing over; containers and connections stay");
        match serving.hand_over(&listeners, &mut signals).await? {
            Outcome::Ready(unheard) => {
                // As it was given to us: it is what containers are given.
                setrlimit(Resource::Nofile, limit).map_err(io::Error::from)?;
                return Ok(Ended::Replaced(listeners.hand_over(), unheard));
            }
            Outcome::Stop => break,
            Outcome::NotYet => {}
        }
    }
    tracing::info!("ending; containers stay");
    notify::tell(Told::Stopping).await;
    serving.end(listeners, &mut signals).await?;
    Ok(Ended::Stopped)
}

/// A few descriptors a container: as many as the host allows. Gives the limit as it was, which is the
/// containers' (getrlimit(2), RLIMIT_NOFILE).
fn raise_descriptor_limit() -> io::Result<Rlimit> {
    let was = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: was.maximum, maximum: was.maximum })?;
    Ok(was)
}

/// Where shims live; where that cannot be, they are where we are, and go with us if somebody ends all that is there.
async fn home(state: PathBuf) -> Home {
    let opened = tokio::task::spawn_blocking(move || Home::open(&state)).await;
    opened.unwrap_or_else(|_| Ok(Home::default())).unwrap_or_else(|(home, error)| {
        tracing::warn!(%error, "systemd makes no scope for shims and containers: `systemctl kill` of the daemon would end them");
        home
    })
}

async fn assemble(config: &Config, store: Store, descriptors: Rlimit) -> Result<Parts, ServeError> {
    let shown = |path: &std::path::Path| path.display().to_string();
    let runtime =
        find_program(&config.runtime).ok_or_else(|| ServeError::NoRuntime(shown(&config.runtime)))?;
    let shim = find_program(&config.shim).ok_or_else(|| ServeError::NoShim(shown(&config.shim)))?;
    let cgroup = cgroup::version().map_err(ServeError::NoCgroup)?;
    let criu = match find_program(&config.criu) {
        Some(path) => Criu::probe(&path).await,
        None => Criu::Unusable {
            path: config.criu.clone(),
            why: format!("{} is not there", config.criu.display()),
        },
    };
    let criu_path = match &criu {
        Criu::Works { path, .. } | Criu::Unusable { path, .. } => path,
    };
    let criu_folder = store.link_criu(criu_path)?;
    let limit = Duration::from_secs(config.runtime_timeout);
    let runc = Runc::new(runtime, store.runc_root(), &criu_folder, limit);
    let version = runc
        .version()
        .await
        .map_err(|error: runtime::Error| ServeError::BadRuntime(supervisor::chain(&error)))?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned();
    Ok(Parts {
        runc,
        criu,
        versions: Versions { runc: version, kernel, cgroup, cpu: Cpu::of_host() },
        shim,
        descriptors,
        store,
        cgroups: match config.systemd_cgroup {
            Some(true) => CgroupsBy::Systemd,
            Some(false) => CgroupsBy::Runc,
            None => CgroupsBy::Bundle,
        },
        home: home(config.state.clone()).await,
        starts: config.starts,
        bounds: config.bounds.clone(),
        checkpoint_limit: Duration::from_secs(config.checkpoint_timeout),
        rules: Rules {
            bundle_roots: config.bundle_root.clone(),
            allow_hooks: config.allow_hooks,
            policy: config.policy.clone(),
        },
    })
}
