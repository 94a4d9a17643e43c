//! `containerd-rest`: serve (the default), check, contract.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use containerd_rest::config::{Config, LogFormat, Settings, find_program};
use containerd_rest::http::{Given, Handed};
use containerd_rest::serve::Ended;
use containerd_rest::{check, http, serve};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use tracing_subscriber::EnvFilter;

/// How long a program that is to take over may take to read its configuration.
const TRIAL: Duration = Duration::from_secs(5);

/// Runs OCI bundles on this host behind a REST API, with checkpoint and restore built in.
#[derive(Parser)]
#[command(name = "containerd-rest", version, args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// A TOML file with these settings by their names [default: /etc/containerd-rest.toml if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "CONTAINERD_REST_CONFIG")]
    config: Option<PathBuf>,
    /// Read the configuration, say what is wrong with it, and end: as a newer program is tried before it takes over
    #[arg(long, global = true)]
    dry_run: bool,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default)
    Serve,
    /// Say what this host can do, what is missing, and the command that mends it
    Check,
    /// Print the contract (OpenAPI, YAML)
    Contract,
    /// Print completions for a shell: source <(containerd-rest completions bash)
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the man page: containerd-rest man | man -l -
    Man,
    /// The process that a trial dump is made of
    #[command(name = check::TRIAL, hide = true)]
    Trial {
        /// The file to make when ready
        ready: PathBuf,
    },
}

fn main() -> ExitCode {
    keep_descriptors_from_children();
    // Before anything is opened.
    let given = Given::take();
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Trial { ready }) => check::trial(&ready).map_err(|error| error.to_string()),
        Some(Command::Contract) => printed(http::OPENAPI_YAML.as_bytes()),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "containerd-rest", &mut script);
            printed(&script)
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|error| error.to_string()).and_then(|()| printed(&page))
        }
        Some(Command::Check) => configured(cli.settings, cli.config.as_deref()).and_then(checked),
        Some(Command::Serve) | None => configured(cli.settings, cli.config.as_deref())
            .and_then(|config| if cli.dry_run { Ok(()) } else { served(config, given) }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("containerd-rest: {words}");
            ExitCode::FAILURE
        }
    }
}

/// What our caller had open (a lock, a pipe of make's) came to us by inheritance; a shim would hold it for as
/// long as its container lives. From here on every descriptor is the program's own that opened it.
fn keep_descriptors_from_children() {
    use nix::libc::{CLOSE_RANGE_CLOEXEC, c_int, close_range};
    // SAFETY: nothing is closed: a flag is set, on descriptors whose numbers mean nothing to us.
    // A kernel that does not know the call (before 5.11) leaves them as they were, which is no error of ours.
    let _ = unsafe { close_range(3, u32::MAX, CLOSE_RANGE_CLOEXEC as c_int) };
}

fn printed(bytes: &[u8]) -> Result<(), String> {
    std::io::stdout().write_all(bytes).map_err(|error| error.to_string())
}

fn configured(settings: Settings, file: Option<&Path>) -> Result<Config, String> {
    Config::new(settings, file).map_err(|error| error.to_string())
}

fn checked(config: Config) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let (report, serves) = runtime.block_on(check::check(&config));
    printed(report.as_bytes())?;
    if serves { Ok(()) } else { Err("mend what is missing, then check again".to_owned()) }
}

fn served(config: Config, given: std::io::Result<Given>) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("--log {}: {error}", config.log))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    let replaces = given.as_ref().is_ok_and(|given| given.replaces);
    let own =
        Succession::new(replaces).map_err(|error| format!("its own program cannot be found: {error}"))?;
    let mut given = given.map_err(|error| format!("{error}; see LISTEN_FDS in the environment"))?;
    loop {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        let served = runtime.block_on(serve::serve(config.clone(), given, || own.tried()));
        // A file task on a dead disk is not waited for.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        match served.map_err(|error| error.to_string())? {
            Ended::Stopped => return Ok(()),
            Ended::Replaced(handed, unheard) => {
                let why = own.take_place(&handed);
                drop(unheard);
                tracing::error!(
                    %why,
                    "the program cannot be replaced, so serving goes on; mend it and send SIGHUP again"
                );
                given = handed.take_back().map_err(|error| error.to_string())?;
            }
        }
    }
}

/// Whether the file is the one that we run. Its links stay as they are: where one is switched, it leads to a newer program.
fn is_own(path: &Path) -> bool {
    let file = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    file(path).is_some_and(|found| file(Path::new("/proc/self/exe")) == Some(found))
}

/// The program that takes our place: what the path that we were called by leads to then, with our arguments.
struct Succession {
    program: PathBuf,
    args: Vec<OsString>,
}

impl Succession {
    /// Asked for at the start, while that path leads to us. `replaces`: we were called by the program before, which knew.
    fn new(replaces: bool) -> std::io::Result<Self> {
        let called = std::env::args_os().next().and_then(|name| find_program(Path::new(&name)));
        let program = match called {
            Some(path) if replaces || is_own(&path) => path,
            // Called by any other name.
            _ => std::env::current_exe()?,
        };
        Ok(Self { program, args: std::env::args_os().skip(1).collect() })
    }

    /// Whether it runs, and takes our configuration.
    async fn tried(&self) -> Result<(), String> {
        let shown = self.program.display();
        let mut trial = tokio::process::Command::new(&self.program);
        trial.args(&self.args).arg("--dry-run").stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(TRIAL, trial.output())
            .await
            .map_err(|_| format!("{shown} --dry-run does not end"))?
            .map_err(|error| format!("{shown}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(format!("{shown} --dry-run: {}: {}", output.status, words.trim()))
    }

    /// Becomes it (execve(2)): the same pid, no descriptor of ours but the sockets. Returns only when it cannot.
    fn take_place(&self, handed: &Handed) -> std::io::Error {
        let (name, value) = match handed.environment() {
            Ok(variable) => variable,
            Err(error) => return error,
        };
        let error = std::process::Command::new(&self.program).args(&self.args).env(name, value).exec();
        // std has given SIGPIPE its default, for the program that did not come.
        let ignored = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
        // SAFETY: no handler is put in, and std had put none.
        let _ = unsafe { sigaction(Signal::SIGPIPE, &ignored) };
        error
    }
}
