//! `containerd-rest`: serve (the default), check, token, contract.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use containerd_rest::caller::Role;
use containerd_rest::config::{Config, LogFormat, Settings, find_program};
use containerd_rest::http::{Given, Handed};
use containerd_rest::runtime::promptness::be_prompt;
use containerd_rest::serve::Ended;
use containerd_rest::tokens::{Token, Tokens};
use containerd_rest::{check, http, serve};
use jiff::{SignedDuration, Span, SpanRelativeTo};
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
    /// Make a token, for whom the kernel's word does not let in: a browser of an ordinary user, say
    Token {
        /// What it is called in lists and in the audit log: a-z, 0-9 and - [default: a random one]
        name: Option<String>,
        /// What it lets do
        #[arg(long, value_enum, default_value_t = Role::Admin)]
        role: Role,
        /// How long it lets in: 90m, 12h, 30d; or never, to expire never
        #[arg(long, value_name = "TIME", default_value = "12h", value_parser = lasting)]
        expires: Lasting,
        #[command(subcommand)]
        other: Option<TokenCommand>,
    },
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

#[derive(Subcommand)]
enum TokenCommand {
    /// List the tokens: what each lets do, and until when
    List,
    /// End a token: who shows it is refused from now on
    Revoke {
        /// As the list has it
        name: String,
    },
}

/// How long a token lets in; `None`: for ever.
#[derive(Clone, Copy)]
struct Lasting(Option<SignedDuration>);

fn lasting(words: &str) -> Result<Lasting, String> {
    if words == "never" {
        return Ok(Lasting(None));
    }
    let span: Span = words.parse().map_err(|error: jiff::Error| error.to_string())?;
    let lasts = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())?;
    if lasts.is_positive() { Ok(Lasting(Some(lasts))) } else { Err("it would be over at once".to_owned()) }
}

/// As it is declared, but for what `token` would show of settings that are the daemon's: it takes them, as from an environment
/// that both have, and needs none but those that say where the daemon's folder is.
fn command() -> clap::Command {
    const SHOWN: [&str; 2] = ["root", "config"];
    let command = Cli::command();
    let is_others = |arg: &&clap::Arg| arg.is_global_set() && !SHOWN.contains(&arg.get_id().as_str());
    let others: Vec<clap::Arg> =
        command.get_arguments().filter(is_others).map(|arg| arg.clone().hide(true)).collect();
    command.mut_subcommand("token", |token| {
        let own: Vec<clap::Id> = token.get_arguments().map(|arg| arg.get_id().clone()).collect();
        token.args(others.into_iter().filter(|arg| !own.contains(arg.get_id())))
    })
}

fn main() -> ExitCode {
    keep_descriptors_from_children();
    // Before there is another thread: each has its own. A kernel that knows none has none.
    let _ = rustix::thread::clear_ambient_capability_set();
    // Before anything is opened.
    let given = Given::take();
    let cli = Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit());
    let outcome = match cli.command {
        Some(Command::Trial { ready }) => check::trial(&ready).map_err(|error| error.to_string()),
        Some(Command::Contract) => printed(http::OPENAPI_YAML.as_bytes()),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command(), "containerd-rest", &mut script);
            printed(&script)
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(command()).render(&mut page);
            rendered.map_err(|error| error.to_string()).and_then(|()| printed(&page))
        }
        Some(Command::Token { name, role, expires, other }) => {
            configured(cli.settings, cli.config.as_deref()).and_then(|config| match other {
                Some(TokenCommand::List) => listed(&config),
                Some(TokenCommand::Revoke { name }) => {
                    Tokens::of(&config.root).revoke(&name).map_err(|error| error.to_string())
                }
                None => made(&config, name.as_deref(), role, expires),
            })
        }
        Some(Command::Check) => configured(cli.settings, cli.config.as_deref()).and_then(checked),
        Some(Command::Serve) | None => configured(cli.settings, cli.config.as_deref())
            .and_then(|config| if cli.dry_run { tried(&config) } else { served(config, given) }),
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

/// The token and the page's address on standard output, for programs; what they are worth on standard error.
fn made(config: &Config, name: Option<&str>, role: Role, expires: Lasting) -> Result<(), String> {
    let made = Tokens::of(&config.root).make(name, role, expires.0);
    let (token, shown) = made.map_err(|error| error.to_string())?;
    let at = config.listen.split(',').next().unwrap_or_default();
    printed(format!("{shown}\nhttp://{at}/swagger-ui/#token={shown}\n").as_bytes())?;
    let may = match role {
        Role::Admin => "is root on this host",
        Role::Read => "may look at everything here",
    };
    let until = token.expires_at.map_or_else(|| "for ever".to_owned(), |at| format!("until {at:.0}"));
    eprintln!(
        "Whoever has it {may}, {until}; it is not shown again. To end it: containerd-rest token revoke {}",
        token.name
    );
    Ok(())
}

fn listed(config: &Config) -> Result<(), String> {
    let all = Tokens::of(&config.root).list().map_err(|error| error.to_string())?;
    let line = |token: Token| {
        let until =
            token.expires_at.map_or_else(|| "never expires".to_owned(), |at| format!("expires {at:.0}"));
        format!("{:<32}  {:<5}  made {:.0}  {until}\n", token.name, token.role.to_string(), token.created_at)
    };
    printed(all.into_iter().map(line).collect::<String>().as_bytes())
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

fn tried(config: &Config) -> Result<(), String> {
    serve::try_settings(config).map_err(|error| error.to_string())
}

/// Half of the processors take requests and tell of containers; what blocks has threads of its own, and runc needs the
/// rest. On two processors two would mostly wake each other for work that one has done by then.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    be_prompt();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads((processors / 2).max(1))
        .on_thread_start(be_prompt)
        .enable_all()
        .build()
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
        let runtime = runtime().map_err(|error| error.to_string())?;
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
