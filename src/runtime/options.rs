//! runc's command lines. Flags are from its man pages (runc 1.1: runc(8), runc-run(8), runc-restore(8),
//! runc-exec(8), runc-checkpoint(8), runc-delete(8), runc-pause(8), runc-resume(8)); the unit tests hold the argv.

use std::path::{Path, PathBuf};

/// What every call to runc begins with.
/// <https://github.com/opencontainers/runc/blob/v1.1.5/man/runc.8.md>
#[derive(Debug, Clone)]
pub struct Global {
    /// `--root`: runc's own state, apart from everybody else's.
    pub root: PathBuf,
}

impl Global {
    /// `log` gets runc's words, a JSON object a line.
    fn argv(&self, log: &Path, systemd_cgroup: bool) -> Vec<String> {
        let mut argv = vec!["--root".into(), text(&self.root)];
        argv.extend(["--log".into(), text(log), "--log-format".into(), "json".into()]);
        if systemd_cgroup {
            argv.push("--systemd-cgroup".into());
        }
        argv
    }
}

/// What CRIU is to allow: the same at dump and at restore.
/// <https://github.com/opencontainers/runc/blob/v1.1.5/man/runc-checkpoint.8.md>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CriuOptions {
    /// `--tcp-established`.
    pub tcp: bool,
    /// `--ext-unix-sk`.
    pub unix_sockets: bool,
    /// `--shell-job`.
    pub shell: bool,
    /// `--file-locks`.
    pub file_locks: bool,
}

impl CriuOptions {
    fn argv(self) -> impl Iterator<Item = String> {
        let flags = [
            (self.tcp, "--tcp-established"),
            (self.unix_sockets, "--ext-unix-sk"),
            (self.shell, "--shell-job"),
            (self.file_locks, "--file-locks"),
        ];
        flags.into_iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| flag.to_owned())
    }
}

/// One call to runc.
#[derive(Debug, Clone)]
pub enum Verb<'a> {
    /// `runc run --detach`.
    Run {
        /// The bundle's folder.
        bundle: &'a Path,
        /// Where runc writes the init process's pid.
        pid_file: &'a Path,
        /// The socket that gets the terminal, when the bundle wants one.
        console: Option<&'a str>,
        /// Whether systemd makes the cgroup; runc's state says so from then on.
        systemd_cgroup: bool,
    },
    /// `runc restore --detach`.
    /// <https://github.com/opencontainers/runc/blob/v1.1.5/man/runc-restore.8.md>
    Restore {
        /// The bundle's folder.
        bundle: &'a Path,
        /// Where runc writes the init process's pid.
        pid_file: &'a Path,
        /// The socket that gets the terminal, when the bundle wants one.
        console: Option<&'a str>,
        /// CRIU's images.
        images: &'a Path,
        /// Where CRIU writes its log.
        work: &'a Path,
        /// As at the dump.
        criu: CriuOptions,
        /// Before all pages are in; a page server listens in `work`.
        lazy_pages: bool,
        /// As at a start.
        systemd_cgroup: bool,
    },
    /// `runc exec --detach`.
    /// <https://github.com/opencontainers/runc/blob/v1.1.5/man/runc-exec.8.md>
    Exec {
        /// The process, as the runtime spec's `process` object.
        process: &'a Path,
        /// Where runc writes its pid.
        pid_file: &'a Path,
        /// The socket that gets the terminal, when it wants one.
        console: Option<&'a str>,
    },
    /// `runc checkpoint`.
    Checkpoint {
        /// Where CRIU writes its images.
        images: &'a Path,
        /// Where CRIU writes its log.
        work: &'a Path,
        /// Whether the container goes on.
        leave_running: bool,
        /// What CRIU is to allow.
        criu: CriuOptions,
        /// The images of the round before, from `images`: of what has not changed since, nothing is written.
        parent: Option<&'a Path>,
        /// Memory alone, and the container goes on.
        pre_dump: bool,
    },
    /// `runc pause`.
    Pause,
    /// `runc resume`.
    Resume,
    /// `runc delete`.
    Delete {
        /// Kill it first. Sleeps up to 100 ms.
        force: bool,
    },
}

impl Verb<'_> {
    /// The subcommand's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::Restore { .. } => "restore",
            Self::Exec { .. } => "exec",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Delete { .. } => "delete",
        }
    }

    /// Everything behind the program's name.
    pub fn argv(&self, global: &Global, log: &Path, id: &str) -> Vec<String> {
        let systemd_cgroup = match self {
            Self::Run { systemd_cgroup, .. } | Self::Restore { systemd_cgroup, .. } => *systemd_cgroup,
            Self::Exec { .. }
            | Self::Checkpoint { .. }
            | Self::Pause
            | Self::Resume
            | Self::Delete { .. } => false,
        };
        let mut argv = global.argv(log, systemd_cgroup);
        argv.push(self.name().into());
        let mut flag = |name: &str, value: &str| argv.extend([name.to_owned(), value.to_owned()]);
        match self {
            Self::Run { bundle, pid_file, console, .. } => {
                flag("--bundle", &text(bundle));
                flag("--pid-file", &text(pid_file));
                if let Some(socket) = console {
                    flag("--console-socket", socket);
                }
                argv.push("--detach".into());
            }
            Self::Restore { bundle, pid_file, console, images, work, criu, lazy_pages, .. } => {
                flag("--bundle", &text(bundle));
                flag("--pid-file", &text(pid_file));
                flag("--image-path", &text(images));
                flag("--work-path", &text(work));
                if let Some(socket) = console {
                    flag("--console-socket", socket);
                }
                argv.extend(criu.argv());
                if *lazy_pages {
                    argv.push("--lazy-pages".into());
                }
                argv.push("--detach".into());
            }
            Self::Exec { process, pid_file, console } => {
                flag("--process", &text(process));
                flag("--pid-file", &text(pid_file));
                if let Some(socket) = console {
                    flag("--console-socket", socket);
                }
                argv.push("--detach".into());
            }
            Self::Checkpoint { images, work, leave_running, criu, parent, pre_dump } => {
                flag("--image-path", &text(images));
                flag("--work-path", &text(work));
                if let Some(parent) = parent {
                    flag("--parent-path", &text(parent));
                }
                argv.extend(criu.argv());
                if *pre_dump {
                    argv.push("--pre-dump".into());
                }
                if *leave_running {
                    argv.push("--leave-running".into());
                }
            }
            Self::Delete { force: true } => argv.push("--force".into()),
            Self::Delete { force: false } | Self::Pause | Self::Resume => {}
        }
        argv.push(id.to_owned());
        argv
    }
}

/// Paths come from JSON and from flags that must be UTF-8, so nothing is lost here.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(verb: &Verb<'_>) -> String {
        let global = Global { root: "/s/runc".into() };
        let argv = verb.argv(&global, Path::new("/s/log"), "c1").join(" ");
        argv.strip_prefix("--root /s/runc --log /s/log --log-format json ").unwrap().to_owned()
    }

    #[test]
    fn every_verb_has_the_flags_of_its_man_page() {
        let (bundle, pid_file) = (Path::new("/b"), Path::new("/p"));
        assert_eq!(
            argv(&Verb::Run { bundle, pid_file, console: None, systemd_cgroup: false }),
            "run --bundle /b --pid-file /p --detach c1"
        );
        assert_eq!(
            argv(&Verb::Run { bundle, pid_file, console: Some("/c"), systemd_cgroup: false }),
            "run --bundle /b --pid-file /p --console-socket /c --detach c1"
        );
        let (images, work) = (Path::new("/i"), Path::new("/w"));
        let criu = CriuOptions { tcp: true, unix_sockets: true, shell: true, file_locks: true };
        let restore = |lazy_pages| {
            let systemd_cgroup = false;
            let console = None;
            argv(&Verb::Restore { bundle, pid_file, console, images, work, criu, lazy_pages, systemd_cgroup })
        };
        let flags = "restore --bundle /b --pid-file /p --image-path /i --work-path /w --tcp-established --ext-unix-sk \
                     --shell-job --file-locks";
        assert_eq!(restore(false), format!("{flags} --detach c1"));
        assert_eq!(restore(true), format!("{flags} --lazy-pages --detach c1"));
        let dump = |leave_running, parent, pre_dump| {
            let criu = CriuOptions::default();
            argv(&Verb::Checkpoint { images, work, leave_running, criu, parent, pre_dump })
        };
        assert_eq!(dump(true, None, false), "checkpoint --image-path /i --work-path /w --leave-running c1");
        assert_eq!(
            dump(false, Some(Path::new("../pre-1")), true),
            "checkpoint --image-path /i --work-path /w --parent-path ../pre-1 --pre-dump c1"
        );
        assert_eq!(
            argv(&Verb::Exec { process: Path::new("/x"), pid_file, console: None }),
            "exec --process /x --pid-file /p --detach c1"
        );
        assert_eq!(argv(&Verb::Delete { force: false }), "delete c1");
        assert_eq!(argv(&Verb::Delete { force: true }), "delete --force c1");
        assert_eq!(argv(&Verb::Pause), "pause c1");
    }
}
