//! One typed configuration: flags over environment over a TOML file over defaults.

mod limits;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::caller::Role;
use crate::http::{Certificates, Limits};
use crate::runtime::policy::Policy;
use crate::supervisor::Bounds;

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "/etc/containerd-rest.toml";
/// Where `scripts/prerequisites` puts a CRIU that works on this kernel.
const PRIVATE_CRIU: &str = "/opt/containerd-rest/bin/criu";
/// Where programs of root's are, whatever PATH says.
const SBIN: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What can be set, and how. Each has the same name as a flag, in the environment (`CONTAINERD_REST_…`)
/// and in the file.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Where to listen: HOST:PORT, with commas between several; other addresses than loopback by TLS alone [default: localhost:8888]
    #[arg(long, global = true, value_name = "ADDR", env = "CONTAINERD_REST_LISTEN")]
    listen: Option<String>,
    /// The unix socket [default: STATE/containerd-rest.sock]
    #[arg(long, global = true, value_name = "PATH", env = "CONTAINERD_REST_SOCKET")]
    socket: Option<PathBuf>,
    /// A user who may call beside root, by name or number: that makes them root on this host. May be repeated
    #[arg(
        long,
        global = true,
        value_name = "USER",
        env = "CONTAINERD_REST_ALLOW_USER",
        value_delimiter = ','
    )]
    #[serde(default)]
    allow_user: Vec<String>,
    /// A group whose members may call: that makes them root on this host. May be repeated
    #[arg(
        long,
        global = true,
        value_name = "GROUP",
        env = "CONTAINERD_REST_ALLOW_GROUP",
        value_delimiter = ','
    )]
    #[serde(default)]
    allow_group: Vec<String>,
    /// The group that the unix socket is of [default: root]
    #[arg(long, global = true, value_name = "GROUP", env = "CONTAINERD_REST_SOCKET_GROUP")]
    socket_group: Option<String>,
    /// A name by which browsers reach this daemon, beside localhost: a proxy's, say. May be repeated
    #[arg(long, global = true, value_name = "HOST", env = "CONTAINERD_REST_NAME", value_delimiter = ',')]
    #[serde(default)]
    name: Vec<String>,
    /// The daemon's certificate, as PEM, with those between it and its CA: for other addresses than loopback
    #[arg(long, global = true, value_name = "FILE", env = "CONTAINERD_REST_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// Its key, as PEM
    #[arg(long, global = true, value_name = "FILE", env = "CONTAINERD_REST_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// The CA of the certificates that clients show, as PEM. All three files are read anew when they change
    #[arg(long, global = true, value_name = "FILE", env = "CONTAINERD_REST_TLS_CLIENT_CA")]
    tls_client_ca: Option<PathBuf>,
    /// What a client's certificate lets do, by its common name: NAME=read or NAME=admin, which is root on this host. May be repeated
    #[arg(
        long,
        global = true,
        value_name = "NAME=ROLE",
        env = "CONTAINERD_REST_TLS_ALLOW",
        value_delimiter = ','
    )]
    #[serde(default)]
    tls_allow: Vec<String>,
    /// A file that gets a JSON line for each request that may change something: who asked for what, and what came of it
    #[arg(long, global = true, value_name = "FILE", env = "CONTAINERD_REST_AUDIT_LOG")]
    audit_log: Option<PathBuf>,
    /// A folder in which bundles may lie, and nowhere else: links are followed first. May be repeated
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CONTAINERD_REST_BUNDLE_ROOT",
        value_delimiter = ','
    )]
    #[serde(default)]
    bundle_root: Vec<PathBuf>,
    /// Let bundles that others than root start have hooks, which run as root outside of the container
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "CONTAINERD_REST_ALLOW_HOOKS")]
    allow_hooks: Option<bool>,
    /// In the file alone: the table `[policy]`, rules for callers who are not root.
    #[arg(skip)]
    policy: Option<Policy>,
    /// The durable folder: records, exit statuses, logs [default: /var/lib/containerd-rest]
    #[arg(long, global = true, value_name = "DIR", env = "CONTAINERD_REST_ROOT")]
    root: Option<PathBuf>,
    /// The volatile folder: sockets, pid files, runc's state [default: /run/containerd-rest]
    #[arg(long, global = true, value_name = "DIR", env = "CONTAINERD_REST_STATE")]
    state: Option<PathBuf>,
    /// The runtime [default: runc]
    #[arg(long, global = true, value_name = "PATH", env = "CONTAINERD_REST_RUNTIME")]
    runtime: Option<PathBuf>,
    /// CRIU [default: /opt/containerd-rest/bin/criu if it is there, else criu]
    #[arg(long, global = true, value_name = "PATH", env = "CONTAINERD_REST_CRIU")]
    criu: Option<PathBuf>,
    /// The shim [default: containerd-rest-shim beside this program]
    #[arg(long, global = true, value_name = "PATH", env = "CONTAINERD_REST_SHIM")]
    shim: Option<PathBuf>,
    /// Let systemd make the cgroups [default: of bundles whose cgroupsPath is SLICE:PREFIX:NAME, on hosts with systemd and cgroup v2]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", env = "CONTAINERD_REST_SYSTEMD_CGROUP")]
    systemd_cgroup: Option<bool>,
    /// How long a call to the runtime may take, in seconds [default: 30]
    #[arg(long, global = true, value_name = "SECONDS", env = "CONTAINERD_REST_RUNTIME_TIMEOUT", value_parser = clap::value_parser!(u64).range(1..=86400))]
    runtime_timeout: Option<u64>,
    /// How long a checkpoint or a restore may take, in seconds [default: 600]
    #[arg(long, global = true, value_name = "SECONDS", env = "CONTAINERD_REST_CHECKPOINT_TIMEOUT", value_parser = clap::value_parser!(u64).range(1..=86400))]
    checkpoint_timeout: Option<u64>,
    /// How many starts run at once [default: twice the processors]
    #[arg(long, global = true, value_name = "N", env = "CONTAINERD_REST_STARTS", value_parser = clap::value_parser!(u32).range(1..=1024))]
    starts: Option<u32>,
    /// How many connections there may be at once; a quarter of them is root's alone. One of which nothing is asked makes room for the next [default: 2048]
    #[arg(long, global = true, value_name = "N", env = "CONTAINERD_REST_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..=1000000))]
    max_connections: Option<u32>,
    /// How many of them one user other than root, or one other host, may have [default: 256]
    #[arg(long, global = true, value_name = "N", env = "CONTAINERD_REST_MAX_CONNECTIONS_PER_USER", value_parser = clap::value_parser!(u32).range(1..=1000000))]
    max_connections_per_user: Option<u32>,
    /// How many answers that stay open one caller may have: events, logs and waits [default: 512]
    #[arg(long, global = true, value_name = "N", env = "CONTAINERD_REST_MAX_STREAMS_PER_CALLER", value_parser = clap::value_parser!(u32).range(1..=1000000))]
    max_streams_per_caller: Option<u32>,
    /// How large the head of a request may be, in KiB [default: 96]
    #[arg(long, global = true, value_name = "KIB", env = "CONTAINERD_REST_MAX_HEAD_SIZE", value_parser = clap::value_parser!(u32).range(8..=65536))]
    max_head_size: Option<u32>,
    /// How much memory the bodies of all requests may take that are being done, in MiB [default: 64]
    #[arg(long, global = true, value_name = "MIB", env = "CONTAINERD_REST_MAX_BODIES_SIZE", value_parser = clap::value_parser!(u32).range(1..=65536))]
    max_bodies_size: Option<u32>,
    /// How long a request's head may take to come, and a connection may be unused, in seconds [default: 30]
    #[arg(long, global = true, value_name = "SECONDS", env = "CONTAINERD_REST_HEAD_TIMEOUT", value_parser = clap::value_parser!(u64).range(1..=86400))]
    head_timeout: Option<u64>,
    /// How long who is answered may take nothing of it, in seconds [default: 60]
    #[arg(long, global = true, value_name = "SECONDS", env = "CONTAINERD_REST_STALL_TIMEOUT", value_parser = clap::value_parser!(u64).range(1..=86400))]
    stall_timeout: Option<u64>,
    /// How many starts and restores may be under way, with those that wait [default: 1024]
    #[arg(long, global = true, value_name = "N", env = "CONTAINERD_REST_MAX_STARTS", value_parser = clap::value_parser!(u32).range(1..=1000000))]
    max_starts: Option<u32>,
    /// How many containers there may be, with those that have ended [default: 4096]
    #[arg(long, global = true, value_name = "N", env = "CONTAINERD_REST_MAX_CONTAINERS", value_parser = clap::value_parser!(u32).range(1..=1000000))]
    max_containers: Option<u32>,
    /// How much of a container's output is kept, in MiB: the newest [default: 32]
    #[arg(long, global = true, value_name = "MIB", env = "CONTAINERD_REST_MAX_LOG_SIZE", value_parser = clap::value_parser!(u32).range(1..=1048576))]
    max_log_size: Option<u32>,
    /// How much disk the checkpoints of a bundle may take, in MiB [default: 262144]
    #[arg(long, global = true, value_name = "MIB", env = "CONTAINERD_REST_MAX_CHECKPOINTS_SIZE", value_parser = clap::value_parser!(u32).range(1..))]
    max_checkpoints_size: Option<u32>,
    /// The form of the log on standard error [default: text]
    #[arg(long, global = true, value_name = "FORMAT", env = "CONTAINERD_REST_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    /// What is logged: error, warn, info, debug, or a filter of tracing's [default: info]
    #[arg(long, global = true, value_name = "FILTER", env = "CONTAINERD_REST_LOG")]
    log: Option<String>,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The configuration, complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// HOST:PORT, with commas between several.
    pub listen: String,
    /// The certificates, and what those of clients let do; needed where an address is not loopback.
    pub tls: Option<Certificates>,
    /// The unix socket.
    pub socket: PathBuf,
    /// Who may call beside root: users.
    pub allow_user: Vec<String>,
    /// And groups.
    pub allow_group: Vec<String>,
    /// The unix socket's group.
    pub socket_group: Option<String>,
    /// What the daemon is called beside localhost.
    pub name: Vec<String>,
    /// Where it is written down who has asked for what.
    pub audit_log: Option<PathBuf>,
    /// Where bundles may lie; none: anywhere.
    pub bundle_root: Vec<PathBuf>,
    /// Whether bundles that others than root start may have hooks.
    pub allow_hooks: bool,
    /// Rules for callers who are not root.
    pub policy: Option<Policy>,
    /// The durable folder.
    pub root: PathBuf,
    /// The volatile folder.
    pub state: PathBuf,
    /// The runtime, as it was named.
    pub runtime: PathBuf,
    /// CRIU, as it was named.
    pub criu: PathBuf,
    /// The shim.
    pub shim: PathBuf,
    /// Whether systemd makes the cgroups; else those of bundles that name a unit of it.
    pub systemd_cgroup: Option<bool>,
    /// Seconds.
    pub runtime_timeout: u64,
    /// Seconds.
    pub checkpoint_timeout: u64,
    /// How many starts run at once.
    pub starts: usize,
    /// How much callers may have at once.
    pub limits: Limits,
    /// How much there may be of what they make.
    pub bounds: Bounds,
    /// The log's form.
    pub log_format: LogFormat,
    /// The log's filter.
    pub log: String,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the configuration {path} is wrong: {source}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// Some of what TLS needs is there.
    #[error("TLS needs all of --tls-cert FILE, --tls-key FILE and --tls-client-ca FILE")]
    HalfTls,
    /// A name has two roles.
    #[error("--tls-allow names {0} twice; name each once")]
    TwoRoles(String),
    /// A name's role is none.
    #[error("--tls-allow {0} is not NAME=read or NAME=admin")]
    NoRole(String),
}

impl Config {
    /// `flags` are flags and environment; `file` is the TOML file, if one was named.
    pub fn new(flags: Settings, file: Option<&Path>) -> Result<Self, ConfigError> {
        let file = read_file(file)?;
        let (limits, bounds, tls) = (flags.limits(&file), flags.bounds(&file), flags.tls(&file)?);
        let state = flags.state.or(file.state).unwrap_or_else(|| "/run/containerd-rest".into());
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let starts = flags.starts.or(file.starts).and_then(|starts| usize::try_from(starts).ok());
        Ok(Self {
            listen: flags.listen.or(file.listen).unwrap_or_else(|| "localhost:8888".into()),
            socket: flags.socket.or(file.socket).unwrap_or_else(|| state.join("containerd-rest.sock")),
            allow_user: some_or(flags.allow_user, file.allow_user),
            allow_group: some_or(flags.allow_group, file.allow_group),
            socket_group: flags.socket_group.or(file.socket_group),
            name: some_or(flags.name, file.name),
            audit_log: flags.audit_log.or(file.audit_log),
            bundle_root: some_or(flags.bundle_root, file.bundle_root),
            allow_hooks: flags.allow_hooks.or(file.allow_hooks).unwrap_or(false),
            policy: file.policy,
            root: flags.root.or(file.root).unwrap_or_else(|| "/var/lib/containerd-rest".into()),
            runtime: flags.runtime.or(file.runtime).unwrap_or_else(|| "runc".into()),
            criu: flags.criu.or(file.criu).unwrap_or_else(default_criu),
            shim: flags.shim.or(file.shim).unwrap_or_else(default_shim),
            systemd_cgroup: flags.systemd_cgroup.or(file.systemd_cgroup),
            runtime_timeout: flags.runtime_timeout.or(file.runtime_timeout).unwrap_or(30),
            checkpoint_timeout: flags.checkpoint_timeout.or(file.checkpoint_timeout).unwrap_or(600),
            starts: starts.unwrap_or(2 * cores),
            limits,
            bounds,
            tls,
            log_format: flags.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            log: flags.log.or(file.log).unwrap_or_else(|| "info".into()),
            state,
        })
    }
}

impl Settings {
    fn tls(&self, file: &Self) -> Result<Option<Certificates>, ConfigError> {
        let allowed = if self.tls_allow.is_empty() { &file.tls_allow } else { &self.tls_allow };
        let role = |text: &String| {
            let (name, role) = text.rsplit_once('=').filter(|(name, _)| !name.is_empty())?;
            Some((name.to_owned(), Role::from_str(role, false).ok()?))
        };
        let wrong = |text: &String| ConfigError::NoRole(text.clone());
        let named = allowed.iter().map(|text| role(text).ok_or_else(|| wrong(text)));
        let named: Result<Vec<(String, Role)>, ConfigError> = named.collect();
        let roles = named.and_then(|named| {
            let mut roles = BTreeMap::new();
            for (name, role) in named {
                if roles.insert(name.clone(), role).is_some() {
                    return Err(ConfigError::TwoRoles(name));
                }
            }
            Ok(roles)
        });
        let certificate = self.tls_cert.as_ref().or(file.tls_cert.as_ref());
        let key = self.tls_key.as_ref().or(file.tls_key.as_ref());
        let client_ca = self.tls_client_ca.as_ref().or(file.tls_client_ca.as_ref());
        match (certificate.cloned(), key.cloned(), client_ca.cloned()) {
            (Some(certificate), Some(key), Some(client_ca)) => {
                Ok(Some(Certificates { certificate, key, client_ca, roles: roles? }))
            }
            (None, None, None) if allowed.is_empty() => Ok(None),
            _ => Err(ConfigError::HalfTls),
        }
    }
}

/// A list by flag or environment takes the place of the file's.
fn some_or<T>(flags: Vec<T>, file: Vec<T>) -> Vec<T> {
    if flags.is_empty() { file } else { flags }
}

fn read_file(named: Option<&Path>) -> Result<Settings, ConfigError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Settings::default());
        }
        Err(source) => return Err(ConfigError::Unreadable { path: path.to_owned(), source }),
    };
    toml::from_str(&text).map_err(|source| ConfigError::Wrong { path: path.to_owned(), source })
}

fn default_criu() -> PathBuf {
    if Path::new(PRIVATE_CRIU).exists() { PRIVATE_CRIU.into() } else { "criu".into() }
}

/// Asked for once, at the start: when the program is replaced by a newer one, its own name is gone.
fn default_shim() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.parent().unwrap_or(Path::new("/usr/bin")).join("containerd-rest-shim")
}

/// A program by its path, or by its name on PATH and in root's usual folders. `None`: it is not there, or
/// cannot be run.
pub fn find_program(named: &Path) -> Option<PathBuf> {
    if named.components().count() > 1 {
        return runnable(named).then(|| std::path::absolute(named).unwrap_or_else(|_| named.to_owned()));
    }
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(SBIN.split(':'))
        .map(|folder| Path::new(folder).join(named))
        .find(|file| runnable(file))
}

fn runnable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|kind| kind.is_file() && kind.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "listen = \"localhost:1\"\nstate = \"/s\"\nruntime-timeout = 5\n").unwrap();
        let flags = Settings { listen: Some("localhost:2".into()), ..Settings::default() };
        let config = Config::new(flags, Some(file.path())).unwrap();
        assert_eq!((config.listen.as_str(), config.runtime_timeout), ("localhost:2", 5));
        assert_eq!(config.socket, Path::new("/s/containerd-rest.sock"));
        assert_eq!(config.checkpoint_timeout, 600);
    }

    /// The package's file says everything in comments: as it stands it sets nothing, and without `#` it is one.
    #[test]
    fn the_packages_file_names_every_setting_as_it_can_be_set() {
        let file = include_str!("../packaging/containerd-rest.toml");
        assert_eq!(toml::from_str::<toml::Table>(file).unwrap(), toml::Table::new());
        let set =
            |line: &str| line.strip_prefix('#').filter(|line| !line.starts_with(' ')).map(str::to_owned);
        let uncommented: Vec<String> = file.lines().filter_map(set).collect();
        let text = uncommented.join("\n");
        toml::from_str::<Settings>(&text).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let flags = Settings::augment_args(clap::Command::new("x"));
        for flag in flags.get_arguments().filter_map(|flag| flag.get_long()) {
            assert!(table.contains_key(flag), "{flag}");
        }
    }

    #[test]
    fn limits_are_in_the_units_that_their_help_says() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "max-head-size = 8\nmax-log-size = 3\nmax-checkpoints-size = 5\n").unwrap();
        let flags = Settings { max_log_size: Some(2), head_timeout: Some(7), ..Settings::default() };
        let config = Config::new(flags, Some(file.path())).unwrap();
        assert_eq!((config.limits.head, config.limits.head_time.as_secs()), (8 << 10, 7));
        assert_eq!((config.bounds.log, config.bounds.checkpoints), (2 << 20, 5 << 20));
        assert_eq!(config.limits.connections, Limits::default().connections);
    }

    #[test]
    fn a_typo_in_the_file_is_not_silence() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "lisen = \"localhost:1\"\n").unwrap();
        let error = Config::new(Settings::default(), Some(file.path())).unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }
}
