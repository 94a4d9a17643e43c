//! podman's REST service on TCP: create and start, then delete with force and no patience. With runc and cgroupfs, no
//! network, and limits that this host can set; its conmon writes the container's output to a file, as our shim does.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Contender, Outcome, Service, Session};
use crate::cpu::Account;
use crate::host;
use crate::http::Http;

const API: &str = "/v4.0.0/libpod";

pub(crate) struct Podman {
    service: Service,
    base: String,
    /// What a container is to be, but for its name.
    spec: Value,
    account: Account,
    /// Its locks lie in memory that all podmans of the host share; ours to take away when none had been here.
    locks: Option<PathBuf>,
}

impl Podman {
    pub(crate) fn start(folder: &Path, bundle: &Path) -> Self {
        let account = Account::new("podman");
        let locks = Some(PathBuf::from("/dev/shm/libpod_lock")).filter(|locks| !locks.exists());
        let address = format!("127.0.0.1:{}", host::free_port());
        let folder = folder.join("podman");
        std::fs::create_dir(&folder).expect("a folder for podman");
        let log = folder.join("log");
        let mut command = Command::new("podman");
        for (option, name) in
            [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp"), ("--volumepath", "volumes")]
        {
            command.arg(option).arg(folder.join(name));
        }
        command.args(["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs"]);
        command.args([
            "--events-backend",
            "none",
            "--log-level",
            "error",
            "system",
            "service",
            "--time",
            "0",
        ]);
        command.arg(format!("tcp:{address}")).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(&log).expect("a log for podman"));
        let service = Service(account.spawn(&mut command));
        let base = format!("http://{address}{API}");
        let http = Http::new(&base);
        let service = service.await_answer(&log, || http.send("GET", "/_ping", "").is_ok());
        let spec = json!({
            "rootfs": bundle.join("rootfs"), "command": ["sleep", "1000"], "env": {"PATH": "/bin"},
            "netns": {"nsmode": "none"}, "cgroup_parent": account.path(), "log_configuration": {"driver": "k8s-file"},
            "r_limits": [{"type": "nofile", "soft": 1024, "hard": 4096}, {"type": "nproc", "soft": 1024, "hard": 1024}],
        });
        Self { service, base, spec, account, locks }
    }

    fn http(&self) -> Http {
        Http::new(&self.base)
    }

    /// A container of this program alone, until it has ended.
    pub(crate) fn run_to_end(&self, id: &str, args: &[String]) -> Outcome {
        let mut caller = Caller { http: self.http(), spec: self.spec.clone() };
        caller.spec["command"] = args.into();
        caller.start(id)?;
        caller.http.send("POST", &format!("/containers/{id}/wait?condition=exited"), "")?;
        caller.delete(id)
    }
}

impl Contender for Podman {
    fn who(&self) -> &'static str {
        "podman"
    }

    fn session(&self) -> Box<dyn Session + Send> {
        Box::new(Caller { http: self.http(), spec: self.spec.clone() })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn daemon(&self) -> Option<i32> {
        Some(self.service.pid())
    }

    fn shim_name(&self) -> &'static str {
        "conmon"
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        if let Some(locks) = &self.locks {
            let _ = std::fs::remove_file(locks);
        }
    }
}

struct Caller {
    http: Http,
    spec: Value,
}

impl Session for Caller {
    fn start(&mut self, id: &str) -> Outcome {
        self.spec["name"] = id.into();
        self.http.send("POST", "/containers/create", &self.spec.to_string())?;
        self.http.send("POST", &format!("/containers/{id}/start"), "").map(drop)
    }

    fn delete(&mut self, id: &str) -> Outcome {
        self.http.send("DELETE", &format!("/containers/{id}?force=true&timeout=0"), "").map(drop)
    }

    fn list(&mut self) -> Outcome {
        self.http.send("GET", "/containers/json", "").map(drop)
    }
}
