//! Sockets that a service manager holds, across any number of programs.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::handover::{PATIENCE, ask, tcp_to, unix_to};
use crate::support::bundle::Bundle;
use crate::support::daemon::command;
use crate::support::{eventually, host};
use crate::upgrade::activated;

#[test]
fn sockets_that_were_given_are_handed_on_and_no_shim_holds_them() {
    let folder = tempfile::tempdir().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, path) = (tcp.local_addr().unwrap(), folder.path().join("managed.sock"));
    let unix = UnixListener::bind(&path).unwrap();
    let held = [inode(&tcp), inode(&unix)];
    let mut daemon = Given(activated(folder.path(), &[tcp.into(), unix.into()]));
    let log = daemon.log();
    daemon.wait_for_start();
    let pid = daemon.pid();
    let id = format!("t{pid}-given");
    let bundle = Bundle::sleeper();
    for round in 0..2 {
        kill(pid, Signal::SIGHUP).unwrap();
        let replaced = || log.lock().unwrap().matches("takes the place of").count() > round;
        eventually("the next program serves", replaced);
        ask(tcp_to(port));
        ask(unix_to(&path));
        assert_eq!(open_sockets(daemon.0.id(), &held), 2, "the daemon holds both");
        let body = bundle.start().to_string();
        let answer = send(port, &format!("POST /containers/{id}{round}"), &body);
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
    let others = host::processes(&id, daemon.0.id());
    assert!(others.len() >= 4, "two shims and two containers: {others:?}");
    for process in others.into_keys() {
        assert_eq!(open_sockets(process, &held), 0, "process {process} holds none");
    }
    for round in 0..2 {
        let answer = send(port, &format!("DELETE /containers/{id}{round}?force=true"), "");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
    daemon.end();
    assert!(path.exists(), "its path is the manager's, after any number of programs");
    eventually("nothing is left", || host::processes(&id, 0).is_empty());
}

/// systemd's own side of the protocol, where it is installed. What it does not give is bound as ever.
#[test]
fn systemd_socket_activate_starts_it_with_the_first_connection() {
    let activate = Path::new("/usr/bin/systemd-socket-activate");
    if !activate.exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("managed.sock");
    let plain = command(folder.path(), &[]);
    let mut manager = Command::new(activate);
    manager.arg("-l").arg(&path);
    for (name, value) in plain.get_envs() {
        let assignment = format!("{}={}", name.to_string_lossy(), value.unwrap().to_string_lossy());
        manager.arg("-E").arg(assignment);
    }
    manager.arg(plain.get_program()).stdout(Stdio::piped()).stderr(Stdio::null());
    // It becomes the daemon: the same pid.
    let mut daemon = Given(manager.spawn().unwrap());
    // The path is there before anybody listens.
    let mut first = None;
    eventually("it listens", || {
        first = UnixStream::connect(&path).ok();
        first.is_some()
    });
    let first = first.unwrap();
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    ask(first);
    let said = daemon.wait_for_start();
    assert!(said.contains("managed.sock"), "{said}");
    let address = said.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
    ask(tcp_to(address.parse().unwrap()));
    daemon.end();
    assert!(path.exists());
}

fn send(port: SocketAddr, what: &str, body: &str) -> String {
    let mut stream = tcp_to(port);
    let length = body.len();
    write!(
        stream,
        "{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A daemon that a service manager has started; its end is the test's too.
struct Given(Child);

impl Given {
    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.0.id()).unwrap())
    }

    /// What it says once it listens.
    fn wait_for_start(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listens on"), "{line}");
        line
    }

    /// Its standard error so far.
    fn log(&mut self) -> Arc<Mutex<String>> {
        let log = Arc::new(Mutex::new(String::new()));
        let (sink, lines) = (Arc::clone(&log), BufReader::new(self.0.stderr.take().unwrap()).lines());
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| *sink.lock().unwrap() += &line)
        });
        log
    }

    fn end(&mut self) {
        kill(self.pid(), Signal::SIGTERM).unwrap();
        eventually("it ends", || self.0.try_wait().unwrap().is_some());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.0.kill();
            let _ = self.0.wait();
            host::end_containers(&format!("t{}-given", self.pid()));
        }
    }
}

/// As /proc has it: `socket:[inode]`.
fn inode(socket: &impl AsRawFd) -> PathBuf {
    fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap()
}

/// How many of these sockets a process has open, each counted once.
fn open_sockets(pid: u32, sockets: &[PathBuf]) -> usize {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links: Vec<PathBuf> = files.filter_map(|file| fs::read_link(file.path()).ok()).collect();
    sockets.iter().filter(|socket| links.contains(socket)).count()
}
