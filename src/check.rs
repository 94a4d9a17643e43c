//! `containerd-rest check`: what this host can do, in plain words, and the command that mends what it
//! cannot. Changes nothing.

use std::fmt::Write;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::config::{Config, find_program};
use crate::http;
use crate::runtime::cgroup;
use crate::runtime::criu::{Criu, Feature, Features};
use crate::runtime::escapes;
use crate::runtime::holders::Holders;
use crate::runtime::netns::listening;
use crate::runtime::process::{CAP_SYS_RESOURCE, has_capability, name_of};
use crate::runtime::program::Program;
use crate::runtime::runc;
use crate::supervisor::chain;

/// What one look found.
enum Finding {
    Good(String),
    /// The daemon serves, and something will not work.
    Poor {
        what: String,
        remedy: String,
    },
    /// The daemon does not start.
    Bad {
        what: String,
        remedy: String,
    },
}

/// The whole report, and whether the daemon can serve here.
pub async fn check(config: &Config) -> (String, bool) {
    let mut findings = vec![root()];
    findings.extend(runtime(config).await);
    findings.push(shim(config));
    for at in config.listen.split(',') {
        findings.push(address(at.trim(), config.tls.is_some()).await);
    }
    findings.extend(certificates(config).await);
    findings.extend(certificates_use(config).await);
    findings.extend([cgroups(), confinement()]);
    findings.extend(criu(config).await);
    findings.push(iptables());
    let serves = !findings.iter().any(|finding| matches!(finding, Finding::Bad { .. }));
    let mut report = String::new();
    for finding in &findings {
        // Writing to a String cannot fail.
        let _ = match finding {
            Finding::Good(what) => writeln!(report, "good      {what}"),
            Finding::Poor { what, remedy } => writeln!(report, "limited   {what}\n          {remedy}"),
            Finding::Bad { what, remedy } => writeln!(report, "missing   {what}\n          {remedy}"),
        };
    }
    report.push_str(if serves {
        "containerd-rest can serve here.\n"
    } else {
        "containerd-rest cannot serve here yet.\n"
    });
    (report, serves)
}

fn root() -> Finding {
    if nix::unistd::geteuid().is_root() {
        Finding::Good("root: containers can be made".into())
    } else {
        Finding::Bad {
            what: "root: containers can be made by root alone".into(),
            remedy: "run it with sudo".into(),
        }
    }
}

async fn runtime(config: &Config) -> Vec<Finding> {
    let remedy = "apt-get install runc, or say where it is with --runtime PATH".to_owned();
    let Some(path) = find_program(&config.runtime) else {
        let what = format!("runtime: {} is not there", config.runtime.display());
        return vec![Finding::Bad { what, remedy }];
    };
    match runc::version_of(&path, &[], "runc version ").await {
        Ok(version) => {
            let found = Finding::Good(format!("runtime: runc {version} at {}", path.display()));
            [found].into_iter().chain(escapes(&version)).collect()
        }
        Err(error) => vec![Finding::Bad { what: format!("runtime: {}", chain(&error)), remedy }],
    }
}

/// By its number alone: a distribution mends its own, and leaves the number.
fn escapes(version: &str) -> Option<Finding> {
    let known = escapes::of(version);
    if known.is_empty() {
        return None;
    }
    Some(Finding::Poor {
        what: format!("runtime: runc {version} may have known ways out of a container: {}", known.join(", ")),
        remedy: "your distribution may have mended them (zgrep CVE /usr/share/doc/runc/changelog*); 1.2.8, 1.3.3 and later have none".into(),
    })
}

fn shim(config: &Config) -> Finding {
    match find_program(&config.shim) {
        Some(path) => Finding::Good(format!("shim: {}", path.display())),
        None => Finding::Bad {
            what: format!("shim: {} is not there", config.shim.display()),
            remedy: "it comes with containerd-rest; say where it is with --shim PATH".into(),
        },
    }
}

/// Whether it could listen. Nobody else can for the moment that this takes.
async fn address(at: &str, with_tls: bool) -> Finding {
    match http::try_address(at, with_tls).await {
        Ok(()) => Finding::Good(format!("address: {at} is free")),
        Err(error) => match listener(at) {
            Some((program, pid)) if program == "containerd-rest" => {
                Finding::Good(format!("address: {at} is served by a containerd-rest (pid {pid})"))
            }
            Some((program, pid)) => Finding::Bad {
                what: format!("address: {program} (pid {pid}) listens at {at}"),
                remedy: "end it, or choose another: --listen localhost:PORT".into(),
            },
            None => Finding::Bad {
                what: format!("address: {at} cannot be listened at"),
                remedy: error.to_string(),
            },
        },
    }
}

/// Those of TLS, if it is to be spoken.
async fn certificates(config: &Config) -> Option<Finding> {
    let certificates = config.tls.clone()?;
    let opened = tokio::task::spawn_blocking(move || http::Tls::open(certificates)).await.ok()?;
    Some(match opened {
        Ok(_) => Finding::Good("TLS: the certificates can be used".into()),
        Err(error) => Finding::Bad {
            what: format!("TLS: {error}"),
            remedy: "name others: --tls-cert FILE --tls-key FILE --tls-client-ca FILE".into(),
        },
    })
}

/// Certificates that let nobody in, or that nobody meets.
async fn certificates_use(config: &Config) -> Vec<Finding> {
    let Some(certificates) = &config.tls else { return Vec::new() };
    let mut findings = Vec::new();
    if certificates.roles.is_empty() {
        findings.push(Finding::Poor {
            what: "TLS: no certificate lets do anything: nobody who calls from elsewhere is let in".into(),
            remedy: "say of each name what it lets do: --tls-allow NAME=read or NAME=admin".into(),
        });
    }
    if http::are_loopback(&config.listen).await {
        findings.push(Finding::Poor {
            what: "TLS: every address is loopback, where it is not spoken: the daemon serves only with another socket of a service manager's".into(),
            remedy: "name one more, as in --listen localhost:8888,192.0.2.1:8443, or leave --tls-… out".into(),
        });
    }
    findings
}

/// The program that listens at an address's port, and its pid. To be seen by root alone.
fn listener(address: &str) -> Option<(String, i32)> {
    let port: u16 = address.rsplit(':').next()?.parse().ok()?;
    let mut of_port = listening().filter(|socket| socket.local_address.port() == port);
    let found = of_port.find_map(|socket| Holders::default().find(socket.inode, |_| true))?;
    Some((name_of(found)?, found))
}

/// What else may refuse something to containers, or to CRIU.
fn confinement() -> Finding {
    let said = |path: &str| fs::read_to_string(path).unwrap_or_default();
    if said("/sys/fs/selinux/enforce").trim() == "1" {
        Finding::Poor {
            what: "confinement: SELinux is enforced, with which this was not tried".into(),
            remedy: "where something is refused, see what by: ausearch -m avc -ts recent".into(),
        }
    } else if said("/sys/module/apparmor/parameters/enabled").trim() == "Y" {
        Finding::Good(
            "confinement: AppArmor; a bundle's apparmorProfile must be loaded: aa-status lists those that are"
                .into(),
        )
    } else {
        Finding::Good("confinement: neither SELinux nor AppArmor".into())
    }
}

fn cgroups() -> Finding {
    match cgroup::version() {
        Ok(1) => Finding::Good("cgroups: version 1 (or hybrid)".into()),
        Ok(version) => Finding::Good(format!("cgroups: version {version}")),
        Err(error) => Finding::Bad {
            what: format!("cgroups: {error}"),
            remedy: "mount -t cgroup2 none /sys/fs/cgroup".into(),
        },
    }
}

async fn criu(config: &Config) -> Vec<Finding> {
    let remedy =
        "scripts/prerequisites installs one that works on this kernel; or say where one is with --criu PATH";
    let poor = |what: String| vec![Finding::Poor { what, remedy: remedy.to_owned() }];
    let Some(path) = find_program(&config.criu) else {
        return poor(format!("CRIU: {} is not there, so no checkpoints", config.criu.display()));
    };
    // Its own check fails for others whatever the kernel, and so would a dump.
    if !nix::unistd::geteuid().is_root() {
        return vec![Finding::Poor {
            what: format!("CRIU: {} is there; whether it works here root alone can try", path.display()),
            remedy: "run it with sudo".into(),
        }];
    }
    let (version, features) = match Criu::probe(&path).await {
        Criu::Works { version, features, .. } => (version, features),
        Criu::Unusable { why, .. } => return poor(format!("CRIU: {why}, so no checkpoints")),
    };
    if let Err(why) = try_dump(&path).await {
        return poor(format!(
            "CRIU: {version} passes its own check, but a dump of a process that listens fails: {why}"
        ));
    }
    let mut findings =
        vec![Finding::Good(format!("CRIU: {version} at {}, and a trial dump succeeds", path.display()))];
    findings.extend([Feature::PreDumps, Feature::LazyPages].map(|feature| possible(feature, features)));
    if !has_capability(CAP_SYS_RESOURCE) {
        findings.push(Finding::Poor {
            what: "CRIU: CAP_SYS_RESOURCE is withheld here, so only containers whose processes run as uid 0 can be checkpointed".into(),
            remedy: "run the daemon where root has all capabilities".into(),
        });
    }
    findings
}

/// What one kernel allows and another does not.
fn possible(feature: Feature, features: Features) -> Finding {
    let option = feature.option();
    if features.has(feature) {
        return Finding::Good(format!("CRIU: {option} is possible on this kernel"));
    }
    let what = format!("CRIU: no {option}, since {}", feature.obstacle());
    Finding::Poor { what, remedy: "nothing else needs it; another kernel may have it".into() }
}

fn iptables() -> Finding {
    match find_program(Path::new("iptables-restore")) {
        Some(path) => Finding::Good(format!("iptables: {}", path.display())),
        None => Finding::Poor {
            what: "iptables: not there; CRIU locks a container's network with it".into(),
            remedy: "apt-get install iptables".into(),
        },
    }
}

/// Some versions of CRIU pass `criu check` on a kernel on which they cannot dump a socket, so one is dumped:
/// of this very program, listening.
async fn try_dump(criu: &Path) -> Result<(), String> {
    let words = |error: io::Error| error.to_string();
    let own = std::env::current_exe().map_err(words)?;
    let folder = std::env::temp_dir().join(format!("containerd-rest-check-{}", std::process::id()));
    fs::create_dir(&folder).map_err(words)?;
    let mut victim = Command::new(own)
        .arg(TRIAL)
        .arg(folder.join("ready"))
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(words)?;
    let deadline = Instant::now() + Duration::from_secs(5);
    while !folder.join("ready").exists() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let program = Program {
        path: criu.to_owned(),
        args: ["dump", "--log-file", "dump.log", "--tree", &victim.id().to_string(), "--images-dir"]
            .map(str::to_owned)
            .into_iter()
            .chain([folder.display().to_string()])
            .collect(),
        env: vec![("PATH".into(), "/usr/sbin:/usr/bin:/sbin:/bin".into())],
    };
    let dumped = runc::output(&program, Duration::from_secs(20)).await;
    let said = crate::runtime::criu::log_errors(&folder.join("dump.log"));
    // Our own child, and not reaped yet.
    let _ = victim.kill();
    let _ = victim.wait();
    let _ = fs::remove_dir_all(&folder);
    dumped.map(drop).map_err(|error| if said.is_empty() { chain(&error) } else { said })
}

/// The argument with which this program is the process of a trial dump.
pub const TRIAL: &str = "trial-of-check";

/// Listens, says so by making a file, and waits to be dumped. In a session of its own, as a container's init
/// is: CRIU refuses a process whose session began outside its pid namespace, as a caller's shell may have.
pub fn trial(ready: &Path) -> io::Result<()> {
    nix::unistd::setsid()?;
    let _listener = TcpListener::bind("127.0.0.1:0")?;
    fs::write(ready, "")?;
    std::thread::sleep(Duration::from_secs(30));
    Ok(())
}
