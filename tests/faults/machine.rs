//! A daemon that may die at any moment, and a client that repeats a request until it is answered.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use crate::support::daemon::command;
use crate::support::host;

/// How long a request is repeated.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Machine {
    folder: tempfile::TempDir,
    agent: Agent,
    /// Begins every container's name of this daemon, and nobody else's.
    pub(crate) prefix: String,
    running: Mutex<Running>,
    events: u64,
    /// The daemon's, also while it is being started.
    pid: AtomicI32,
}

struct Running {
    child: Child,
    base: String,
    starts: u32,
    /// The point at which the next daemon is to be cut, while it takes back what this one leaves.
    next: Option<String>,
}

impl Machine {
    /// `events`: the size of the file of events at which it is rotated, in bytes.
    pub(crate) fn start(prefix: &str, events: u64) -> Self {
        assert!(nix::unistd::geteuid().is_root(), "these tests make containers: run them as root");
        let folder = tempfile::Builder::new().prefix("crf-").tempdir().unwrap();
        fs::create_dir(folder.path().join("faults")).unwrap();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(PATIENCE))
            .build();
        let pid = AtomicI32::new(0);
        let (child, base) = spawn(folder.path(), events, &pid).expect("the daemon does not start");
        Self {
            agent: Agent::new_with_config(config),
            prefix: prefix.to_owned(),
            running: Mutex::new(Running { child, base, starts: 1, next: None }),
            folder,
            events,
            pid,
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> PathBuf {
        self.folder.path().join("faults")
    }

    /// The next pass of this point ends the daemon, or (`shim`) its shims.
    pub(crate) fn arm(&self, point: &str, whom: &str) {
        fs::write(self.faults().join(point), whom).unwrap();
    }

    pub(crate) fn is_armed(&self, point: &str) -> bool {
        self.faults().join(point).exists()
    }

    pub(crate) fn disarm(&self) {
        self.running().next = None;
        for entry in fs::read_dir(self.faults()).unwrap().flatten() {
            let _ = fs::remove_file(entry.path());
        }
    }

    /// When the daemon has died and is started anew, it is cut at this point.
    pub(crate) fn arm_next(&self, point: &str) {
        self.running().next = Some(point.to_owned());
    }

    /// How many daemons there were.
    pub(crate) fn starts(&self) -> u32 {
        self.running().starts
    }

    pub(crate) fn kill(&self) {
        let mut running = self.running();
        let _ = running.child.kill();
        let _ = running.child.wait();
    }

    /// At this instant, whatever it is at: a start, too.
    pub(crate) fn kill_now(&self) {
        let pid = self.pid.load(Ordering::Relaxed);
        if pid > 0 {
            let _ =
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
        }
    }

    /// Any one, at this instant.
    pub(crate) fn kill_a_shim(&self, rng: &mut fastrand::Rng) {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let shims: Vec<u32> = host::processes(&folder, 0)
            .into_iter()
            .filter(|(_, command)| command.contains("containerd-rest-shim"))
            .map(|(pid, _)| pid)
            .collect();
        if !shims.is_empty() {
            let pid = nix::unistd::Pid::from_raw(i32::try_from(shims[rng.usize(..shims.len())]).unwrap());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }

    /// Where the daemon listens; one that has died is started anew, by whoever notices first.
    fn alive(&self) -> String {
        let mut running = self.running();
        for _ in 0..50 {
            if running.child.try_wait().unwrap().is_none() {
                return running.base.clone();
            }
            if let Some(point) = running.next.take() {
                self.arm(&point, "daemon");
            }
            running.starts += 1;
            if let Some((child, base)) = spawn(self.folder.path(), self.events, &self.pid) {
                (running.child, running.base) = (child, base);
            }
        }
        panic!("the daemon does not start any more: {}", self.log());
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("daemon.log")).unwrap_or_default()
    }

    /// Asks until it is answered by something else than a daemon that ends.
    #[track_caller]
    pub(crate) fn ask(&self, key: Option<&str>, method: &str, path: &str, body: &Value) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let mut request = Request::builder().method(method).uri(format!("{}{path}", self.alive()));
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let sent = match body {
                Value::Null => self.agent.run(request.body(()).unwrap()),
                body => self.agent.run(request.body(body.to_string()).unwrap()),
            };
            if let Ok(mut response) = sent
                && let Ok(body) = response.body_mut().with_config().limit(64 << 20).read_to_string()
                && response.status() != 503
            {
                return Answer { status: response.status().as_u16(), body };
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("{method} {path} is not answered: {}", self.log());
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(None, "GET", path, &Value::Null)
    }

    /// No process, cgroup, mount, runc state or file of any container.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        let pid = self.running().child.id();
        host::assert_nothing_left(self.folder.path(), &self.prefix, pid);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
        host::end_containers(&self.prefix);
        host::detach_mounts(self.folder.path());
    }
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// `None`: it has died before it listened.
fn spawn(folder: &Path, events: u64, pid: &AtomicI32) -> Option<(Child, String)> {
    let log = File::options().create(true).append(true).open(folder.join("daemon.log")).unwrap();
    let mut child = command(folder, &[])
        .env("CONTAINERD_REST_FAULTS", folder.join("faults"))
        .env("CONTAINERD_REST_FAULTS_EVENTS", events.to_string())
        .env("CONTAINERD_REST_FAULTS_LOG", (128 << 10).to_string())
        .stderr(Stdio::from(log))
        .spawn()
        .unwrap();
    pid.store(i32::try_from(child.id()).unwrap(), Ordering::Relaxed);
    let mut line = String::new();
    let _ = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    match line.split_whitespace().find(|word| word.starts_with("http://")) {
        Some(base) => Some((child, base.to_owned())),
        None => {
            let _ = child.wait();
            None
        }
    }
}
