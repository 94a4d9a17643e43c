//! A real daemon on a free port, with folders of its own, ended by its pid.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::Pid;
use serde_json::Value;

use super::client::{Answer, Client};
use super::{eventually, host};

const PROGRAM: &str = env!("CARGO_BIN_EXE_containerd-rest");
/// Cargo puts the shim beside it.
const _SHIM: &str = env!("CARGO_BIN_EXE_containerd-rest-shim");

static COUNT: AtomicU32 = AtomicU32::new(0);

pub(crate) struct Daemon {
    child: Child,
    folder: Arc<tempfile::TempDir>,
    options: Vec<String>,
    program: PathBuf,
    env: Vec<(String, String)>,
    pub(crate) client: Client,
    /// Begins every container's name of this daemon, and nobody else's.
    pub(crate) prefix: String,
    /// Its standard error so far.
    log: Arc<Mutex<String>>,
}

/// The program with a daemon's folders, to be changed and run.
pub(crate) fn command(folder: &Path, options: &[String]) -> Command {
    command_of(Path::new(PROGRAM), folder, options)
}

fn command_of(program: &Path, folder: &Path, options: &[String]) -> Command {
    let mut command = Command::new(program);
    command
        .env("CONTAINERD_REST_ROOT", folder.join("root"))
        .env("CONTAINERD_REST_STATE", folder.join("state"))
        .env("CONTAINERD_REST_LISTEN", "127.0.0.1:0")
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    heeds_hangups(&mut command);
    command
}

/// Though these tests may have been started with nohup(1).
pub(crate) fn heeds_hangups(command: &mut Command) {
    // SAFETY: signal(2) may be called between fork and exec, and no handler is put in.
    unsafe {
        command.pre_exec(|| signal(Signal::SIGHUP, SigHandler::SigDfl).map(drop).map_err(Into::into));
    }
}

impl Daemon {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With flags of `serve`.
    pub(crate) fn with(options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Self::fresh(options, Path::new(PROGRAM), |_| {})
    }

    /// On folders that are prepared first.
    pub(crate) fn prepared(prepare: impl FnOnce(&Path)) -> Self {
        Self::fresh(Vec::new(), Path::new(PROGRAM), prepare)
    }

    /// Of a copy of the program that lies elsewhere, with its shim.
    pub(crate) fn of_program(program: &Path) -> Self {
        Self::fresh(Vec::new(), program, |_| {})
    }

    fn fresh(options: Vec<String>, program: &Path, prepare: impl FnOnce(&Path)) -> Self {
        assert!(nix::unistd::geteuid().is_root(), "these tests make containers: run them as root");
        let folder = Arc::new(tempfile::Builder::new().prefix("cr-").tempdir().unwrap());
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("t{}-{number}-", std::process::id());
        prepare(folder.path());
        Self::run(folder, options, program.to_owned(), Vec::new(), prefix)
    }

    fn run(
        folder: Arc<tempfile::TempDir>,
        options: Vec<String>,
        program: PathBuf,
        env: Vec<(String, String)>,
        prefix: String,
    ) -> Self {
        let mut command = command_of(&program, folder.path(), &options);
        command.envs(env.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut stderr = child.stderr.take().unwrap();
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut portion = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut portion) {
                sink.lock().unwrap().push_str(&String::from_utf8_lossy(&portion[..length]));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(base) = line.split_whitespace().find(|word| word.starts_with("http://")) else {
            std::thread::sleep(std::time::Duration::from_millis(100));
            panic!("the daemon did not start: {line}{}", log.lock().unwrap());
        };
        let client = Client::new(base.to_owned());
        Self { child, folder, options, program, env, client, prefix, log }
    }

    /// A name that no other test has.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to give way to the program that is on the disk.
    pub(crate) fn hang_up(&self) {
        self.send(Signal::SIGHUP);
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.send(Signal::SIGTERM);
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.pid()).unwrap()), signal).unwrap();
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn state_folder(&self) -> PathBuf {
        self.folder().join("state")
    }

    pub(crate) fn root_folder(&self) -> PathBuf {
        self.folder().join("root")
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// A container's log, once it is there.
    pub(crate) fn output(&self, id: &str) -> String {
        fs::read_to_string(self.root_folder().join("containers").join(id).join("log")).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn container(&self, id: &str) -> Value {
        self.client.get(&format!("/containers/{id}")).expect(200).json()
    }

    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> String {
        self.container(id)["state"]["status"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn init_pid(&self, id: &str) -> i32 {
        i32::try_from(self.container(id)["processes"][0]["pid"].as_i64().unwrap()).unwrap()
    }

    #[track_caller]
    pub(crate) fn start_container(&self, id: &str, body: &Value) -> Answer {
        self.client.post(&format!("/containers/{id}"), body)
    }

    #[track_caller]
    pub(crate) fn await_status(&self, id: &str, status: &str) {
        eventually(&format!("{id} is {status}"), || self.status(id) == status);
    }

    /// From its next start on, this is in its environment.
    pub(crate) fn set_env(&mut self, env: &[(&str, &str)]) {
        self.env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    }

    /// Killed at once, as by a crash; then something happens, then a new one runs on the same folders.
    pub(crate) fn crash_and_restart_after(mut self, meanwhile: impl FnOnce()) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        meanwhile();
        let (options, program) = (self.options.clone(), self.program.clone());
        Self::run(Arc::clone(&self.folder), options, program, self.env.clone(), self.prefix.clone())
    }

    /// Deletes every container, and fails the test if the host is not as before.
    #[track_caller]
    pub(crate) fn clean_up(&self) {
        for container in self.client.get("/containers").expect(200).json().as_array().unwrap() {
            let id = container["id"].as_str().unwrap();
            self.client.delete(&format!("/containers/{id}?force=true")).expect(204);
        }
        self.assert_nothing_left();
    }

    /// No process, cgroup, mount, runc state or file of any container.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        host::assert_nothing_left(self.folder(), &self.prefix, self.pid());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let ended = self.child.try_wait().is_ok_and(|status| status.is_some());
        if !ended {
            if std::thread::panicking() {
                eprintln!("the daemon's log:\n{}", self.log());
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
            // Whatever state a failed test has left it in: its containers go with it.
            host::end_containers(&self.prefix);
        }
        // It goes on with the daemon that was started after this one.
        if Arc::strong_count(&self.folder) > 1 {
            return;
        }
        host::detach_mounts(self.folder());
    }
}
