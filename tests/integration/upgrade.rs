//! The daemon gives way to a newer program in place: no connection is refused, no request fails, no container
//! notices. And sockets that a service manager holds.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::{Daemon, command, heeds_hangups};
use crate::support::{eventually, host};

/// How often the daemon's program began.
pub(crate) fn beginnings(daemon: &Daemon) -> usize {
    daemon.log().matches("takes the place of").count()
}

pub(crate) fn replace(daemon: &Daemon) {
    let before = beginnings(daemon);
    daemon.hang_up();
    eventually("the new program serves", || beginnings(daemon) > before);
}

/// The program and its shim, copied to where they can be replaced.
pub(crate) fn install(folder: &Path) -> std::path::PathBuf {
    let shim = env!("CARGO_BIN_EXE_containerd-rest-shim");
    for program in [env!("CARGO_BIN_EXE_containerd-rest"), shim] {
        let name = Path::new(program).file_name().unwrap();
        let fresh = folder.join("fresh");
        host::install(Path::new(program), &fresh);
        fs::rename(fresh, folder.join(name)).unwrap();
    }
    folder.join("containerd-rest")
}

#[test]
fn an_upgrade_under_load_refuses_no_connection_fails_no_request_and_touches_no_container() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::of_program(&install(folder.path()));
    let counter = Bundle::script("i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done");
    let sleeper = Bundle::sleeper();
    let id = daemon.name("counter");
    daemon.start_container(&id, &counter.start()).expect(201);
    let (before, pid) = (daemon.container(&id), daemon.pid());
    let (over, asked) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (daemon, over, asked, sleeper) = (&daemon, &over, &asked, &sleeper);
            scope.spawn(move || {
                let name = daemon.name(&format!("c{client}"));
                let path = format!("/containers/{name}");
                while !over.load(Ordering::Relaxed) {
                    let sleep = json!({ "args": ["sleep", "100"] });
                    let steps = [
                        ("GET", "/healthz".to_owned(), Value::Null, 200),
                        ("POST", path.clone(), sleeper.start(), 201),
                        ("PUT", format!("{path}/process"), sleep, 200),
                        ("GET", "/state".to_owned(), Value::Null, 200),
                        ("DELETE", format!("{path}?force=true"), Value::Null, 204),
                    ];
                    for (method, path, body, status) in steps {
                        assert_eq!(request(daemon, method, &path, &body), status, "{method} {path}");
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let _over = Over(&over);
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(150));
            // A new file under the same name, as an installer makes it.
            install(folder.path());
            replace(&daemon);
        }
        std::thread::sleep(Duration::from_millis(150));
    });
    assert!(asked.load(Ordering::Relaxed) > 50, "hardly a load: {asked:?}");
    assert_eq!(daemon.pid(), pid);
    assert_eq!(daemon.container(&id), before, "the same process since the same time");
    let text = daemon.client.get(&format!("/containers/{id}/logs")).expect(200).body;
    let numbers: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "each line once");
    // Shims of the programs before were this process's children too: none is left unreaped.
    daemon.clean_up();
    eventually("no child is left", || {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.trim().is_empty()
    });
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// On a connection of its own, which no client repeats: a refusal or a reset fails the test.
fn request(daemon: &Daemon, method: &str, path: &str, body: &Value) -> u16 {
    let address = daemon.client.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("{method} {path}: no answer"));
    status.parse().unwrap()
}

#[test]
fn a_program_that_does_not_run_takes_nobodys_place() {
    let folder = tempfile::tempdir().unwrap();
    let program = install(folder.path());
    let daemon = Daemon::of_program(&program);
    let id = daemon.name("a");
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    let fresh = folder.path().join("fresh");
    host::install_script(&fresh, "#!/bin/sh\necho 'wrong libc' >&2\nexit 127\n");
    fs::rename(&fresh, &program).unwrap();
    daemon.hang_up();
    eventually("it says why", || daemon.log().contains("wrong libc"));
    assert_eq!(daemon.status(&id), "running");
    // One that can be tried and is gone before its turn.
    host::install_script(&fresh, &format!("#!/bin/sh\nrm -f {}\n", program.display()));
    fs::rename(&fresh, &program).unwrap();
    daemon.hang_up();
    eventually("it says that it cannot", || daemon.log().contains("cannot be replaced"));
    assert_eq!(daemon.status(&id), "running");
    let pid = daemon.init_pid(&id);
    install(folder.path());
    replace(&daemon);
    assert_eq!(daemon.init_pid(&id), pid);
    daemon.clean_up();
}

#[test]
fn who_follows_is_let_go_properly_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::of_program(&install(folder.path()));
    let id = daemon.name("a");
    let address = daemon.client.base.trim_start_matches("http://").to_owned();
    let mut follower = TcpStream::connect(&address).unwrap();
    follower.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    follower.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut follower = BufReader::new(follower);
    let mut line = String::new();
    while line.trim() != "" || line.is_empty() {
        line.clear();
        follower.read_line(&mut line).unwrap();
    }
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    let waiting = daemon.client.clone();
    let path = format!("/containers/{id}/wait");
    let waiter = std::thread::spawn(move || waiting.get(&path));
    eventually("it is told", || {
        daemon.client.get("/events?since=0&follow=false").expect(200).body.contains("start")
    });
    replace(&daemon);
    let mut rest = String::new();
    follower.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\"start\"") && rest.ends_with("0\r\n\r\n"), "the body has its end: {rest:?}");
    let waited = waiter.join().unwrap();
    assert_eq!((waited.status, waited.headers.contains_key("retry-after")), (503, true));
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    let cursor: i64 =
        rest.rsplit("\"cursor\":").next().unwrap().split([',', '}']).next().unwrap().parse().unwrap();
    let body = daemon.client.get(&format!("/events?since={cursor}&follow=false&id={id}")).expect(200).body;
    let types: Vec<String> = body
        .lines()
        .map(|line| serde_json::from_str::<BTreeMap<String, Value>>(line).unwrap()["type"].to_string())
        .collect();
    assert_eq!(types, ["\"exit\"", "\"delete\""]);
    daemon.assert_nothing_left();
}

/// A daemon with sockets from 3 on, as a service manager starts it.
pub(crate) fn activated(folder: &Path, sockets: &[OwnedFd]) -> std::process::Child {
    activated_with(folder, sockets, &[])
}

/// The same, with flags.
pub(crate) fn activated_with(folder: &Path, sockets: &[OwnedFd], options: &[String]) -> std::process::Child {
    let script = format!("LISTEN_PID=$$ LISTEN_FDS={} exec \"$0\" \"$@\"", sockets.len());
    let plain = command(folder, options);
    let mut shell = std::process::Command::new("sh");
    heeds_hangups(&mut shell);
    shell.arg("-c").arg(script).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        shell.env(name, value.unwrap());
    }
    let fds: Vec<i32> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    // SAFETY: dup2 and fcntl alone, which may be called between fork and exec.
    unsafe {
        shell.pre_exec(move || {
            for (index, fd) in fds.iter().enumerate() {
                // Out of the way of 3, 4, … first.
                let high = nix::libc::fcntl(*fd, nix::libc::F_DUPFD, 100 + index as i32);
                nix::libc::dup2(high, 3 + index as i32);
                nix::libc::close(high);
            }
            Ok(())
        });
    }
    shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
}

#[test]
fn sockets_of_a_service_manager_are_listened_on_and_left_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, path) = (tcp.local_addr().unwrap(), folder.path().join("managed.sock"));
    let unix = UnixListener::bind(&path).unwrap();
    let mut daemon =
        activated(folder.path(), &[tcp.try_clone().unwrap().into(), unix.try_clone().unwrap().into()]);
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains(&port.to_string()) && line.contains("managed.sock"), "{line}");
    let ask = |mut stream: Box<dyn ReadWrite>| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    ask(Box::new(TcpStream::connect(port).unwrap()));
    ask(Box::new(UnixStream::connect(&path).unwrap()));
    // No shim holds them: else the manager's address would be taken for as long as a container lives.
    let flags = |fd: &OwnedFd| FdFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFD).unwrap());
    assert!(flags(&OwnedFd::from(tcp)).contains(FdFlag::FD_CLOEXEC));
    kill(Pid::from_raw(i32::try_from(daemon.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert!(daemon.wait().unwrap().success());
    assert!(path.exists(), "its path is the manager's");
    assert!(!folder.path().join("state/containerd-rest.sock").exists(), "and ours was not made");

    // A socket that can be reached from elsewhere is refused, whoever opened it.
    let open = TcpListener::bind("0.0.0.0:0").unwrap();
    let daemon = activated(folder.path(), &[open.into()]);
    let output = daemon.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("not loopback"));
    assert_eq!(host::mounts(&folder.path().to_string_lossy()), Vec::<String>::new());
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

#[test]
fn a_dry_run_tells_what_would_keep_a_daemon_from_serving() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let args: Vec<String> = [&["--dry-run"][..], args].concat().into_iter().map(str::to_owned).collect();
        let output = command(folder.path(), &args).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(run(&["--allow-user", "65534"]), (true, String::new()));
    let certificate = folder.path().join("none.pem");
    let certificate = certificate.to_str().unwrap();
    let tls: &[&str] = &[
        "--listen",
        "0.0.0.0:1",
        "--tls-cert",
        certificate,
        "--tls-key",
        certificate,
        "--tls-client-ca",
        certificate,
        "--tls-allow",
        "a=read",
    ];
    for (args, words) in [
        (&["--allow-user", "nosuch"][..], "nosuch"),
        (&["--allow-group", "nosuch"], "nosuch"),
        (&["--audit-log", "/nonexistent/x/a"], "/nonexistent/x/a"),
        (tls, "none.pem"),
    ] {
        let (served, said) = run(args);
        assert!(!served && said.contains(words), "{args:?}: {said}");
    }
}
