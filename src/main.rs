//! `containerd-rest`: serve (the default), check, contract.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use containerd_rest::config::{Config, LogFormat, Settings};
use containerd_rest::{check, http, serve};
use tracing_subscriber::EnvFilter;

/// Runs OCI bundles on this host behind a REST API, with checkpoint and restore built in.
#[derive(Parser)]
#[command(name = "containerd-rest", version, args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// A TOML file with these settings by their names [default: /etc/containerd-rest.toml if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "CONTAINERD_REST_CONFIG")]
    config: Option<PathBuf>,
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
    /// The process that a trial dump is made of
    #[command(name = check::TRIAL, hide = true)]
    Trial {
        /// The file to make when ready
        ready: PathBuf,
    },
}

fn main() -> ExitCode {
    keep_descriptors_from_children();
    let cli = Cli::parse();
    let outcome = match cli.command {
        Some(Command::Trial { ready }) => check::trial(&ready).map_err(|error| error.to_string()),
        Some(Command::Contract) => {
            std::io::stdout().write_all(http::OPENAPI_YAML.as_bytes()).map_err(|error| error.to_string())
        }
        Some(Command::Check) => configured(cli.settings, cli.config.as_deref()).and_then(checked),
        Some(Command::Serve) | None => configured(cli.settings, cli.config.as_deref()).and_then(served),
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

fn configured(settings: Settings, file: Option<&std::path::Path>) -> Result<Config, String> {
    Config::new(settings, file).map_err(|error| error.to_string())
}

fn checked(config: Config) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let (report, serves) = runtime.block_on(check::check(&config));
    std::io::stdout().write_all(report.as_bytes()).map_err(|error| error.to_string())?;
    if serves { Ok(()) } else { Err("mend what is missing, then check again".to_owned()) }
}

fn served(config: Config) -> Result<(), String> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("--log {}: {error}", config.log))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let served = runtime.block_on(serve::serve(config)).map_err(|error| error.to_string());
    // A file task on a dead disk is not waited for.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    served
}
