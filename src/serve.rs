//! `containerd-rest serve`: put together from the configuration, and run until a signal says stop.
//! Containers stay when it ends.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::api::Api;
use crate::config::{Config, find_program};
use crate::http::{self, ListenError, Listeners};
use crate::runtime::criu::Criu;
use crate::runtime::runc::Runc;
use crate::runtime::{self, cgroup};
use crate::supervisor::{self, OpenError, Parts, Store, Supervisor, Versions, chain};

/// How long open requests may take to finish once the daemon is told to end.
const DRAIN: Duration = Duration::from_secs(30);

/// How long connections may then stay open.
const FLUSH: Duration = Duration::from_secs(3);

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
        "the answers kept in {folder} cannot be read: {source}; move the file answers away to go on without them"
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
    /// The sockets.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Anything else of the host's.
    #[error("{0}")]
    Host(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: Config) -> Result<(), ServeError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(ServeError::NotRoot);
    }
    let (state, root) = (config.state.clone(), config.root.clone());
    let store =
        tokio::task::spawn_blocking(move || Store::open(&state, &root)).await.map_err(io::Error::other)??;
    let root_folder = config.root.clone();
    let limit = raise_descriptor_limit()?;
    let parts = assemble(&config, store, limit).await?;
    if let Criu::Unusable { why, .. } = &parts.criu {
        tracing::warn!(
            why,
            "no CRIU that works: checkpoint and restore answer 503; containerd-rest check tells more"
        );
    }
    let answers = http::Answers::open(&root_folder)
        .map_err(|source| ServeError::Answers { folder: root_folder.clone(), source })?;
    let supervisor = Supervisor::open(parts).await.map_err(|error| ServeError::Recovery(chain(&error)))?;
    let listeners = Listeners::bind(&config.listen, &config.socket).await?;

    let mut stdout = io::stdout();
    writeln!(stdout, "containerd-rest {} listens on {}", env!("CARGO_PKG_VERSION"), listeners.describe())?;
    stdout.flush()?;

    let (end, ending) = watch::channel(false);
    let router = http::router(Api::new(supervisor.clone()), answers, ending.clone());
    let server = tokio::spawn(listeners.serve(router, ending));
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending; containers stay");
    supervisor.close();
    let _ = end.send(true);
    let finished = async {
        let mut server = server;
        supervisor.idle().await;
        // The answers go out; a connection that asks for nothing, or does not read, is not waited for.
        match tokio::time::timeout(FLUSH, &mut server).await {
            Ok(served) => served.map_err(io::Error::other)?,
            Err(_) => Ok(()),
        }
    };
    // Who asks twice does not want to wait; what is cut off is finished or undone at the next start.
    let hurried = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = tokio::time::sleep(DRAIN) => {}
        }
    };
    tokio::select! {
        served = finished => Ok(served?),
        () = hurried => {
            tracing::warn!("requests were still open; what they began is finished or undone at the next start");
            Ok(())
        }
    }
}

/// A few descriptors a container: as many as the host allows. Gives the limit as it was, which is the
/// containers' (getrlimit(2), RLIMIT_NOFILE).
fn raise_descriptor_limit() -> io::Result<Rlimit> {
    let was = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: was.maximum, maximum: was.maximum })?;
    Ok(was)
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
    let runc = Runc::new(runtime, store.runc_root(), &criu_folder, config.systemd_cgroup, limit);
    let version = runc
        .version()
        .await
        .map_err(|error: runtime::Error| ServeError::BadRuntime(supervisor::chain(&error)))?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned();
    Ok(Parts {
        runc,
        criu,
        versions: Versions { runc: version, kernel, cgroup },
        shim,
        descriptors,
        store,
        systemd_cgroup: config.systemd_cgroup,
        starts: config.starts,
        checkpoint_limit: Duration::from_secs(config.checkpoint_timeout),
    })
}
