//! The daemon of this repository, called by TCP on loopback, a kept connection a caller.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Contender, Outcome, Session};
use crate::cpu::Account;
use crate::http::Http;

pub(crate) const WHO: &str = "containerd-rest";

pub(crate) struct Ours {
    child: Child,
    pub(crate) base: String,
    bundle: PathBuf,
    program: PathBuf,
    folder: PathBuf,
    account: Account,
}

impl Ours {
    /// A daemon of `program` on folders below `folder`.
    pub(crate) fn start(program: &Path, folder: &Path, bundle: &Path) -> Self {
        let account = Account::new("ours");
        let (child, base) = serve(program, folder, &account);
        let (program, folder, bundle) = (program.to_owned(), folder.to_owned(), bundle.to_owned());
        Self { child, base, bundle, program, folder, account }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(&self.base)
    }

    /// Killed as by a crash, and started again; says when it was started.
    pub(crate) fn crash_and_restart(&mut self) -> std::time::Instant {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let begun = std::time::Instant::now();
        (self.child, self.base) = serve(&self.program, &self.folder, &self.account);
        begun
    }
}

/// Says where it serves, once it does.
fn serve(program: &Path, folder: &Path, account: &Account) -> (Child, String) {
    let mut command = Command::new(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error", "--state"]).arg(folder.join("state"));
    command.arg("--root").arg(folder.join("root")).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = account.spawn(&mut command);
    let mut line = String::new();
    let stdout = child.stdout.take().expect("its standard output is ours");
    BufReader::new(stdout).read_line(&mut line).expect("it says where it serves");
    let base = line.split_whitespace().find(|word| word.starts_with("http://"));
    let base = base.unwrap_or_else(|| panic!("the daemon does not start: {line}")).to_owned();
    (child, base)
}

impl Contender for Ours {
    fn who(&self) -> &'static str {
        WHO
    }

    fn session(&self) -> Box<dyn Session + Send> {
        Box::new(Caller {
            http: self.http(),
            body: format!(r#"{{"bundlePath":"{}"}}"#, self.bundle.display()),
        })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn daemon(&self) -> Option<i32> {
        Some(self.pid())
    }

    fn shim_name(&self) -> &'static str {
        "containerd-rest"
    }
}

impl Drop for Ours {
    /// Its containers are ended by the runs that have started them.
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

struct Caller {
    http: Http,
    body: String,
}

impl Session for Caller {
    fn start(&mut self, id: &str) -> Outcome {
        self.http.send("POST", &format!("/containers/{id}"), &self.body).map(drop)
    }

    fn delete(&mut self, id: &str) -> Outcome {
        self.http.send("DELETE", &format!("/containers/{id}?force=true"), "").map(drop)
    }

    fn list(&mut self) -> Outcome {
        self.http.send("GET", "/state", "").map(drop)
    }
}
