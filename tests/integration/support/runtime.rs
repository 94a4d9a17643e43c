//! A script in runc's place: real runc, but for verbs that it is told to do otherwise.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::daemon::Daemon;
use super::{eventually, host};

pub(crate) struct Runtime {
    folder: tempfile::TempDir,
}

impl Runtime {
    pub(crate) fn new() -> Self {
        let runtime = Self { folder: tempfile::Builder::new().prefix("runtime-").tempdir().unwrap() };
        let here = runtime.folder.path().display();
        let script = format!(
            r#"#!/bin/sh
hang() {{ "{here}/hang" 1000; }}
verb= log= pid_file= previous=
for word; do
    case $word in run|exec|pause|resume|checkpoint|restore|delete) test "$verb" || verb=$word;; esac
    case $previous in --log) log=$word;; --pid-file) pid_file=$word;; esac
    previous=$word
done
if test -e "{here}/ill-$verb"; then . "{here}/ill-$verb"; else exec runc "$@"; fi
"#
        );
        fs::write(runtime.folder.path().join("script"), script).unwrap();
        runtime.come_back();
        // Under a name that can be looked for.
        symlink("/bin/sleep", runtime.folder.path().join("hang")).unwrap();
        runtime
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("runc")
    }

    /// From now on a shell does this in place of the verb. It finds runc's arguments in `$@`, the log in `$log`,
    /// the pid file (if the verb has one) in `$pid_file`; `hang` never ends.
    pub(crate) fn fall_ill(&self, verb: &str, instead: &str) {
        fs::write(self.folder.path().join(format!("ill-{verb}")), instead).unwrap();
    }

    /// From now on the verb is runc's again.
    pub(crate) fn heal(&self, verb: &str) {
        fs::remove_file(self.folder.path().join(format!("ill-{verb}"))).unwrap();
    }

    /// From now on there is no such program.
    pub(crate) fn vanish(&self) {
        fs::remove_file(self.path()).unwrap();
    }

    pub(crate) fn come_back(&self) {
        host::install(&self.folder.path().join("script"), &self.path());
    }

    /// Whether it is at something that hangs.
    pub(crate) fn is_at_work(&self, daemon: &Daemon) -> bool {
        self.hanging(daemon) > 0
    }

    /// How many of its calls hang.
    pub(crate) fn hanging(&self, daemon: &Daemon) -> usize {
        let folder = self.folder.path().join("hang").to_string_lossy().into_owned();
        host::processes(&folder, daemon.pid()).len()
    }

    /// Whatever it has begun has ended, children too.
    #[track_caller]
    pub(crate) fn assert_ended(&self, daemon: &Daemon) {
        let folder = self.folder.path().to_string_lossy();
        eventually("nothing of the runtime runs", || host::processes(&folder, daemon.pid()).is_empty());
    }
}
