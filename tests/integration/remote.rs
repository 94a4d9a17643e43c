//! Other addresses than loopback: TLS alone, for whoever shows a certificate that the configuration knows.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::certificates::{Authority, Pair};
use crate::support::daemon::{Daemon, command};
use crate::support::eventually;
use crate::upgrade::activated_with;

/// The name in the daemon's certificate.
const NAME: &str = "box.example";

/// A folder with a CA, the daemon's certificate, and clients'.
struct Scene {
    folder: tempfile::TempDir,
    authority: Authority,
    port: u16,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        authority.write(&folder.path().join("ca.pem"));
        authority.issue(folder.path(), "daemon", &[NAME, "127.0.0.1"]);
        // Free a moment ago.
        let port = TcpListener::bind("0.0.0.0:0").unwrap().local_addr().unwrap().port();
        Self { folder, authority, port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self) -> Vec<String> {
        let shown = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let listen = format!("127.0.0.1:0,0.0.0.0:{}", self.port);
        [
            ["--listen", &listen],
            ["--name", NAME],
            ["--tls-cert", &shown("daemon.pem")],
            ["--tls-key", &shown("daemon.key")],
            ["--tls-client-ca", &shown("ca.pem")],
            ["--tls-allow", "ops=admin,viewer=read"],
        ]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect()
    }

    fn daemon(&self, more: &[&str]) -> Daemon {
        let options = self.options();
        Daemon::with(&[&options.iter().map(String::as_str).collect::<Vec<_>>()[..], more].concat())
    }

    fn client(&self, called: &str) -> Pair {
        self.authority.issue(self.folder.path(), called, &[])
    }

    /// curl by TLS; what it says of a status is its last line.
    fn curl(&self, who: Option<&Pair>, path: &str, args: &[&str]) -> Output {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-m", "20", "-w", "\n%{http_code}", "--cacert"]).arg(self.path("ca.pem"));
        if let Some(pair) = who {
            curl.arg("--cert").arg(&pair.certificate).arg("--key").arg(&pair.key);
        }
        curl.arg("--resolve").arg(format!("{NAME}:{}:127.0.0.1", self.port));
        curl.args(args).arg(format!("https://{NAME}:{}{path}", self.port)).output().unwrap()
    }

    /// The status, and the body.
    #[track_caller]
    fn ask(&self, who: &Pair, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let args = if body == "null" { vec!["-X", method] } else { vec!["-X", method, "-d", &body] };
        let output = self.curl(Some(who), path, &args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
    }

    /// Nothing of HTTP was said.
    #[track_caller]
    fn is_not_spoken_to(&self, who: Option<&Pair>) {
        let output = self.curl(who, "/healthz", &[]);
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "000");
    }
}

/// What a daemon says that does not start; one that does is ended, and fails the test.
#[track_caller]
fn why_not(mut daemon: Child) -> String {
    let mut ended = None;
    for _ in 0..1000 {
        ended = daemon.try_wait().unwrap();
        if ended.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = daemon.kill();
    let output = daemon.wait_with_output().unwrap();
    assert!(
        ended.is_some_and(|status| !status.success()),
        "it serves: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn who_has_no_certificate_of_the_clients_ca_is_not_spoken_to() {
    let scene = Scene::new();
    let daemon = scene.daemon(&[]);
    let known = scene.client("ops");
    assert_eq!(scene.ask(&known, "GET", "/healthz", &Value::Null).0, 200);
    scene.is_not_spoken_to(None);
    let elsewhere = scene.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    scene.is_not_spoken_to(Some(&Authority::new().issue(&elsewhere, "ops", &[])));
    scene.is_not_spoken_to(Some(&scene.authority.issue_until(&elsewhere, "ops", &[], 2020)));
    assert!(daemon.log().contains("a connection by TLS was refused"), "{}", daemon.log());

    // Nor is plain HTTP.
    let mut stream = TcpStream::connect(("127.0.0.1", scene.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /state HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    // Loopback has its own, as ever.
    daemon.client.get("/state").expect(200);
    daemon.clean_up();
}

#[test]
fn a_certificate_lets_do_what_the_configuration_says_of_its_name() {
    let scene = Scene::new();
    let file = scene.path("audit.log");
    let daemon = scene.daemon(&["--audit-log", file.to_str().unwrap()]);
    let (ops, viewer, stranger) = (scene.client("ops"), scene.client("viewer"), scene.client("stranger"));
    let bundle = Bundle::sleeper();
    let path = format!("/containers/{}", daemon.name("a"));

    let (status, problem) = scene.ask(&viewer, "POST", &path, &bundle.start());
    assert_eq!((status, &problem["type"]), (403, &json!("urn:containerd-rest:problem:read-only")));
    assert!(problem["detail"].as_str().unwrap().contains("the certificate viewer"), "{problem}");
    let (status, problem) = scene.ask(&stranger, "GET", "/state", &Value::Null);
    assert_eq!((status, &problem["type"]), (403, &json!("urn:containerd-rest:problem:not-allowed")));
    assert!(problem["detail"].as_str().unwrap().contains("the certificate stranger"), "{problem}");
    assert_eq!(scene.ask(&ops, "POST", &path, &bundle.start()).0, 201);
    assert_eq!(scene.ask(&viewer, "GET", &path, &Value::Null).0, 200);
    assert_eq!(scene.ask(&ops, "DELETE", &format!("{path}?force=true"), &Value::Null).0, 204);

    // Under no other name, as a page of another site would come.
    let output = scene.curl(Some(&ops), "/state", &["-H", "Host: evil.example"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("foreign-site") && said.ends_with("403"), "{said}");

    let lines = fs::read_to_string(file).unwrap();
    let callers: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["caller"].take()).collect();
    let named = |name, role| json!({ "certificate": name, "role": role, "served": true });
    assert_eq!(callers, [named("viewer", "read"), named("ops", "admin"), named("ops", "admin")]);
    daemon.clean_up();
}

#[test]
fn certificates_that_change_count_without_a_restart_and_broken_ones_do_not() {
    let scene = Scene::new();
    let daemon = scene.daemon(&[]);
    let before = scene.client("ops");
    assert_eq!(scene.ask(&before, "GET", "/state", &Value::Null).0, 200);

    // Another CA, of the daemon's certificate and of the clients'.
    let other = Scene { authority: Authority::new(), ..scene };
    other.authority.issue(other.folder.path(), "daemon", &[NAME]);
    other.authority.write(&other.path("ca.pem"));
    other.is_not_spoken_to(Some(&before));
    let after = other.client("ops");
    assert_eq!(other.ask(&after, "GET", "/state", &Value::Null).0, 200);

    for name in ["daemon.pem", "daemon.key"] {
        let whole = fs::read(other.path(name)).unwrap();
        fs::write(other.path(name), "nonsense").unwrap();
        assert_eq!(other.ask(&after, "GET", "/state", &Value::Null).0, 200, "{name}");
        fs::write(other.path(name), whole).unwrap();
    }
    assert!(daemon.log().contains("the new certificates are not used"), "{}", daemon.log());
    assert_eq!(other.ask(&after, "GET", "/state", &Value::Null).0, 200);
}

#[test]
fn what_is_wrong_with_certificates_is_said_at_the_start() {
    let scene = Scene::new();
    let whole = scene.options();
    let with = |name: &str, value: &str| {
        let mut options = whole.clone();
        let at = options.iter().position(|option| option == name).unwrap();
        options[at + 1] = value.to_owned();
        options
    };
    let empty = scene.path("empty");
    fs::write(&empty, "").unwrap();
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o600)).unwrap();
    let stranger = scene.client("stranger");
    let (loose, foreign, fifo) = (scene.path("loose.key"), scene.path("foreign.key"), scene.path("fifo"));
    for copy in [&loose, &foreign] {
        fs::copy(scene.path("daemon.key"), copy).unwrap();
    }
    fs::set_permissions(&loose, fs::Permissions::from_mode(0o644)).unwrap();
    chown(&foreign, Some(65534), None).unwrap();
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (options, words) in [
        (with("--tls-key", loose.to_str().unwrap()), "can be read by everybody"),
        (with("--tls-key", foreign.to_str().unwrap()), "by the user 65534"),
        (with("--tls-key", fifo.to_str().unwrap()), "it is not a regular file"),
        (with("--tls-cert", fifo.to_str().unwrap()), "it is not a regular file"),
        (with("--tls-allow", "ops=admin,viewer=read,ops=read"), "--tls-allow names ops twice"),
        (with("--listen", "127.0.0.1:0"), "every address that is listened at is loopback"),
        (whole[..2].to_vec(), "--tls-cert FILE"),
        (whole[..8].to_vec(), "TLS needs all of"),
        (with("--tls-cert", "/nowhere"), "/nowhere cannot be read"),
        (with("--tls-cert", empty.to_str().unwrap()), "has no certificate in it"),
        (with("--tls-key", empty.to_str().unwrap()), "cannot be read"),
        (with("--tls-key", stranger.key.to_str().unwrap()), "cannot be used"),
        (with("--tls-client-ca", empty.to_str().unwrap()), "the clients' CA is wanted"),
        (with("--tls-allow", "ops=king"), "is not NAME=read or NAME=admin"),
    ] {
        let said = why_not(command(scene.folder.path(), &options).spawn().unwrap());
        assert!(said.contains(words), "{options:?}: {said}");
    }
}

#[test]
fn certificates_that_let_nobody_in_or_that_nobody_meets_are_said() {
    let scene = Scene::new();
    let mut options = scene.options();
    options.truncate(options.len() - 2);
    let words = "nobody who calls from elsewhere is let in";
    let check = |options: &[String]| {
        let options = [&["check".to_owned()], options].concat();
        let output = command(scene.folder.path(), &options).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(check(&options).contains(words));
    options[1] = "127.0.0.1:0".to_owned();
    let said = check(&options);
    assert!(said.contains("every address is loopback"), "{said}");
    let said = check(&scene.options());
    assert!(!said.contains(words) && !said.contains("every address is loopback"), "{said}");

    options[1] = format!("127.0.0.1:0,0.0.0.0:{}", scene.port);
    let daemon = Daemon::with(&options.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(daemon.log().contains(words), "{}", daemon.log());
    assert_eq!(scene.ask(&scene.client("ops"), "GET", "/state", &Value::Null).0, 403);
}

/// Who comes again shows their certificate again: it may have expired, or its CA be another.
#[test]
fn no_session_is_given_to_be_resumed() {
    let scene = Scene::new();
    let _daemon = scene.daemon(&[]);
    let ops = scene.client("ops");
    let mut openssl = Command::new("openssl");
    openssl.args(["s_client", "-ign_eof", "-connect", &format!("127.0.0.1:{}", scene.port), "-CAfile"]);
    openssl.arg(scene.path("ca.pem")).arg("-cert").arg(&ops.certificate).arg("-key").arg(&ops.key);
    openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut spoken = openssl.spawn().unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n");
    spoken.stdin.take().unwrap().write_all(head.as_bytes()).unwrap();
    let output = spoken.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("HTTP/1.1 200 ") && !said.contains("New Session Ticket"), "{said}");
}

/// A key that was made so that others may read it is not used when it takes the place of one that was not.
#[test]
fn a_key_that_others_may_read_is_not_taken_up() {
    let scene = Scene::new();
    let daemon = scene.daemon(&[]);
    let ops = scene.client("ops");
    assert_eq!(scene.ask(&ops, "GET", "/state", &Value::Null).0, 200);
    let key = scene.path("daemon.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&key, fs::read(&key).unwrap()).unwrap();
    assert_eq!(scene.ask(&ops, "GET", "/state", &Value::Null).0, 200, "by the one before");
    assert!(daemon.log().contains("can be read by everybody"), "{}", daemon.log());
}

#[test]
fn who_connects_and_shows_nothing_is_not_waited_for() {
    let scene = Scene::new();
    let daemon = scene.daemon(&["--head-timeout", "1", "--max-connections", "8"]);
    let mut silent = TcpStream::connect(("127.0.0.1", scene.port)).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(silent.read(&mut [0; 64]).unwrap(), 0);
    let _idle: Vec<TcpStream> =
        (0..40).map(|_| TcpStream::connect(("127.0.0.1", scene.port)).unwrap()).collect();
    assert_eq!(scene.ask(&scene.client("ops"), "GET", "/state", &Value::Null).0, 200);
    daemon.client.get("/state").expect(200);
}

#[test]
fn a_service_managers_socket_is_spoken_to_by_tls_and_not_without_certificates() {
    let scene = Scene::new();
    // What another test forks has our sockets too, until it is its program.
    let given = || {
        let mut bound = None;
        eventually("the port is free", || {
            bound = TcpListener::bind(("0.0.0.0", scene.port)).ok();
            bound.is_some()
        });
        bound.unwrap()
    };
    let said = why_not(activated_with(scene.folder.path(), &[given().into()], &[]));
    assert!(said.contains("is not loopback"), "{said}");

    let mut daemon = activated_with(scene.folder.path(), &[given().into()], &scene.options()[2..]);
    let ops = scene.client("ops");
    let mut status = 0;
    eventually("it serves", || {
        let output = scene.curl(Some(&ops), "/state", &[]);
        status = String::from_utf8_lossy(&output.stdout).lines().last().unwrap().parse().unwrap_or(0);
        status != 0
    });
    let _ = daemon.kill();
    daemon.wait().unwrap();
    assert_eq!(status, 200);
}

#[test]
fn a_handover_refuses_nobody_who_calls_by_tls() {
    let scene = Scene::new();
    let daemon = scene.daemon(&[]);
    let ops = scene.client("ops");
    for round in 1..=3 {
        daemon.hang_up();
        for _ in 0..10 {
            assert_eq!(scene.ask(&ops, "GET", "/state", &Value::Null).0, 200);
        }
        eventually("the next program serves", || daemon.log().matches("takes the place of").count() == round);
    }
    assert!(Path::new(&format!("/proc/{}", daemon.pid())).exists());
}
