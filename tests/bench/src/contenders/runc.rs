//! Bare runc: `runc run --detach` and `runc delete --force`, spawned by us, with a root folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Contender, Outcome, Session};
use crate::cpu::Account;

pub(crate) const WHO: &str = "runc";

pub(crate) struct Runc {
    root: PathBuf,
    bundle: PathBuf,
    account: Account,
}

impl Runc {
    pub(crate) fn new(folder: &Path, bundle: &Path) -> Self {
        let account = Account::new(&format!("bench-{}-runc", std::process::id()));
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

    fn within(&self) -> bool {
        true
    }
}

pub(crate) struct Caller {
    root: PathBuf,
    bundle: PathBuf,
}

impl Caller {
    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        let mut command = Command::new("runc");
        // Not to a pipe: its container has it too, and would be waited for.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.arg("--root").arg(&self.root).args(args).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("runc {}: {status}", args.join(" "))),
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
}
