//! `containerd-rest serve`: put together from the configuration, and run until a signal says stop, or to give way to a
//! newer program. Containers stay when it ends.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::Api;
use crate::config::{Config, find_program};
use crate::http::{self, Given, Handed, ListenError, Listeners, Phase};
use crate::reaper;
use crate::runtime::criu::Criu;
use crate::runtime::runc::Runc;
use crate::runtime::{self, cgroup};
use crate::supervisor::{self, OpenError, Parts, Store, Supervisor, Versions, chain};

/// How long open requests may take to finish once the daemon is told to end.
const DRAIN: Duration = Duration::from_secs(30);

/// How long, when we give way, those who have connected may take to ask: a client that has connected sends at once.
const SETTLE: Duration = Duration::from_millis(200);

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

/// Why serving is over.
#[derive(Debug)]
pub enum Ended {
    /// It was asked to end.
    Stopped,
    /// It was asked to give way to the program as it is now on the disk, which gets the sockets.
    Replaced(Handed),
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
    let listeners = Listeners::bind(&config.listen, &config.socket, given).await?;

    if replaces {
        tracing::info!("takes the place of the program that was here before");
    }
    // Whoever started the program before may have closed the pipe long ago.
    let mut stdout = io::stdout();
    let _ =
        writeln!(stdout, "containerd-rest {} listens on {}", env!("CARGO_PKG_VERSION"), listeners.describe())
            .and_then(|()| stdout.flush());

    let phase = watch::Sender::new(Phase::Serving);
    let router = http::router(Api::new(supervisor.clone()), answers, phase.subscribe());
    let server = tokio::spawn(listeners.serve(router, phase.subscribe())?);
    let replaced = loop {
        match signals.next().await {
            Asked::Stop => break false,
            Asked::Replace => match succeeds().await {
                Ok(()) => break true,
                Err(why) => {
                    tracing::error!(why, "the program that was to take over does not run; serving goes on");
                }
            },
        }
    };
    if replaced {
        tracing::info!("handing over; containers and connections stay");
        phase.send_replace(Phase::HandingOver);
        supervisor.end_waits();
        if drained(server, &supervisor, &phase, SETTLE, &mut signals).await? {
            // As it was given to us: it is what containers are given.
            setrlimit(Resource::Nofile, limit).map_err(io::Error::from)?;
            return Ok(Ended::Replaced(listeners.hand_over()));
        }
        listeners.close();
    } else {
        tracing::info!("ending; containers stay");
        listeners.close();
        supervisor.close();
        drained(server, &supervisor, &phase, Duration::ZERO, &mut signals).await?;
    }
    Ok(Ended::Stopped)
}

/// Waits until what was begun is done and answered. `settle`: how long those who have just connected may take to ask.
/// `false`: somebody asked to stop (again) meanwhile, or it took too long; what is cut off is finished or undone at
/// the next start.
async fn drained(
    mut server: JoinHandle<io::Result<()>>,
    supervisor: &Supervisor,
    phase: &watch::Sender<Phase>,
    settle: Duration,
    signals: &mut Signals,
) -> Result<bool, ServeError> {
    let finished = async {
        tokio::time::sleep(settle).await;
        phase.send_replace(Phase::Ending);
        supervisor.idle().await;
        // The answers go out; a connection that asks for nothing, or does not read, is not waited for.
        let served = match tokio::time::timeout(FLUSH, &mut server).await {
            Ok(served) => served.map_err(io::Error::other)?,
            Err(_) => Ok(()),
        };
        // What came in on the last of the connections.
        supervisor.close();
        supervisor.idle().await;
        served
    };
    // Who asks twice does not want to wait.
    let hurried = async {
        tokio::select! {
            () = signals.stop() => {}
            () = tokio::time::sleep(DRAIN) => {}
        }
    };
    tokio::select! {
        served = finished => served.map(|()| true).map_err(ServeError::from),
        () = hurried => {
            tracing::warn!("requests were still open; what they began is finished or undone at the next start");
            Ok(false)
        }
    }
}

/// What a signal asks for.
enum Asked {
    Stop,
    Replace,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// None: it means nothing to us.
    hangup: Option<Signal>,
    /// The daemon was started in a terminal: then SIGHUP says that the terminal is gone.
    in_terminal: bool,
}

impl Signals {
    fn new(replaces: bool) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: if hangup_is_ignored() && !replaces { None } else { Some(signal(SignalKind::hangup())?) },
            in_terminal: io::stderr().is_terminal(),
        })
    }

    async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = hangup => if self.in_terminal { Asked::Stop } else { Asked::Replace },
        }
    }

    /// The next that asks to stop.
    async fn stop(&mut self) {
        while matches!(self.next().await, Asked::Replace) {}
    }
}

/// As nohup(1) has it ignored: who started us so wants SIGHUP to do nothing (proc_pid_status(5), SigIgn).
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
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
