//! Bare runc: `runc run --detach` and `runc delete --force`, spawned by us, with a root folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Contender, Outcome, Session};
use crate::cpu::Account;
use crate::host;

pub(crate) const WHO: &str = "runc";

pub(crate) struct Runc {
    root: PathBuf,
    bundle: PathBuf,
    account: Account,
}

impl Runc {
    pub(crate) fn new(folder: &Path, bundle: &Path) -> Self {
        let account = Account::new("runc");
        Self { root: folder.join("runc"), bundle: bundle.to_owned(), account }
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller { root: self.root.clone(), bundle: self.bundle.clone() }
    }
}

impl Contender for Runc {
    fn who(&self) -> &'static str {
        WHO
    }

    fn session(&self) -> Box<dyn Session + Send> {
        Box::new(self.caller())
    }

    fn account(&self) -> &Account {
        &self.account
    }
}

pub(crate) struct Caller {
    root: PathBuf,
    bundle: PathBuf,
}

impl Caller {
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        host::go_on()?;
        let mut command = Command::new("runc");
        let log = self.root.with_file_name("runc.log");
        // Not to a pipe: its container has it too, and would be waited for.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // The CRIU that works here, which the daemon finds too.
        command
            .env("PATH", format!("/opt/containerd-rest/bin:{}", std::env::var("PATH").unwrap_or_default()));
        let status = command.arg("--root").arg(&self.root).arg("--log").arg(&log).args(args).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let last = said.lines().last().unwrap_or_default();
                Err(format!("runc {}: {status}: {last}", args.join(" ")))
            }
            Err(error) => Err(format!("runc: {error}")),
        }
    }

    pub(crate) fn bundle(&self) -> &str {
        self.bundle.to_str().expect("a folder that we have named")
    }
}

impl Session for Caller {
    fn start(&mut self, id: &str) -> Outcome {
        self.run(&["run", "--detach", "--bundle", self.bundle(), id])
    }

    fn delete(&mut self, id: &str) -> Outcome {
        self.run(&["delete", "--force", id])
    }

    fn list(&mut self) -> Outcome {
        self.run(&["list"])
    }
}
