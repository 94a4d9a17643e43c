//! Nobody else's root shell: who is not root here, or not outside of every container, or a page of another site, is
//! refused, and nothing has changed.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::bundle::Bundle;
use crate::support::daemon::{Daemon, command};
use crate::support::footprint::Footprint;
use crate::support::host::as_user;
use crate::support::{eventually, raw};

/// nobody and nogroup.
const NOBODY: u32 = 65534;

/// What curl says of a request by whoever the words before make it: the status.
fn curl(who: &str, args: &[&str]) -> String {
    let mut words: Vec<&str> = who.split_whitespace().collect();
    words.extend(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]);
    let output = Command::new(words[0]).args(&words[1..]).args(args).output().unwrap();
    assert!(output.status.success(), "{who}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const AS_NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";
const AS_ROOT_OF_A_NAMESPACE: &str = "unshare --user --map-root-user";

/// A socket that everybody may open, so that only who they are stands in their way.
struct Scene {
    daemon: Daemon,
    socket: String,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let socket = folder.path().join("api.sock").to_str().unwrap().to_owned();
        let daemon = Daemon::with(&[&["--socket", &socket], options].concat());
        assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o660, "root's and its group's");
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
        Self { daemon, socket, _folder: folder }
    }

    /// By TCP, and by the socket.
    fn statuses(&self, who: &str) -> [String; 2] {
        let tcp = curl(who, &[&format!("{}/state", self.daemon.client.base)]);
        [tcp, curl(who, &["--unix-socket", &self.socket, "http://localhost/state"])]
    }
}

#[test]
fn root_is_served_and_other_users_and_roots_of_other_user_namespaces_are_not() {
    let scene = Scene::with(&[]);
    assert_eq!(scene.statuses("env"), ["200", "200"]);
    let nested = format!("{AS_NOBODY} {AS_ROOT_OF_A_NAMESPACE}");
    for who in [AS_NOBODY, &nested, AS_ROOT_OF_A_NAMESPACE] {
        assert_eq!(scene.statuses(who), ["403", "403"], "{who}");
    }
    let daemon = &scene.daemon;
    let refused = as_user(NOBODY, || raw::send(&daemon.client, "GET", "/state", ""));
    let problem = refused.problem(403, "not-allowed");
    assert!(problem["detail"].as_str().unwrap().contains("the user nobody"), "{problem}");
    assert!(problem["remedy"].as_str().unwrap().contains("sudo curl"), "{problem}");
}

#[test]
fn whom_the_configuration_names_is_served_by_name_and_number_and_group_and_nobody_else() {
    for options in [["--allow-user", "nobody"], ["--allow-user", "65534"], ["--allow-group", "nogroup"]] {
        let scene = Scene::with(&options);
        assert_eq!(scene.statuses(AS_NOBODY), ["200", "200"], "{options:?}");
        let other = "setpriv --reuid=65533 --regid=65533 --clear-groups";
        assert_eq!(scene.statuses(other), ["403", "403"], "{options:?}");
        let nested = format!("{AS_NOBODY} {AS_ROOT_OF_A_NAMESPACE}");
        assert_eq!(scene.statuses(&nested), ["403", "403"], "{options:?}");
    }
    let scene = Scene::with(&["--socket-group", "nogroup"]);
    assert_eq!(fs::metadata(&scene.socket).unwrap().gid(), 65534);
    assert_eq!(scene.statuses(AS_NOBODY), ["403", "403"], "the socket's group alone lets nobody in");
}

#[test]
fn a_name_that_is_nobodys_is_said_at_the_start() {
    for (option, words) in [
        ("--allow-user", "there is no such user"),
        ("--allow-group", "there is no such group"),
        ("--socket-group", "there is no group"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let args = [option.to_owned(), "who-is-this".to_owned()];
        let output = command(folder.path(), &args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(words) && said.contains("who-is-this"), "{said}");
    }
}

#[test]
fn a_client_that_sends_and_closes_is_nobody() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let target = format!("/containers/{id}");
    as_user(NOBODY, || {
        for _ in 0..100 {
            raw::send_and_hang_up(raw::connect(&daemon.client), "POST", &target, &bundle.start().to_string());
        }
    });
    let refusals = || daemon.log().matches("urn:containerd-rest:problem:not-allowed").count();
    eventually("each is refused", || refusals() == 100);
    footprint.assert_unchanged("a hundred requests of nobody's");
}

/// It runs as root, in the host's network namespace, and has the unix socket mounted.
#[test]
fn a_process_in_a_container_is_refused_though_it_is_root_on_the_hosts_network() {
    let scene = Scene::with(&[]);
    let daemon = &scene.daemon;
    let port = daemon.client.base.rsplit(':').next().unwrap().to_owned();
    let ask = "import os, socket, sys, time
def ask(kind, address):
    s = socket.socket(kind)
    s.connect(address)
    s.sendall(b'GET /state HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')
    return s.recv(100).split()[1].decode()
assert os.getuid() == 0
";
    let ask = format!(
        "{ask}print(ask(socket.AF_INET, ('127.0.0.1', {port})), ask(socket.AF_UNIX, '/tmp/api.sock'), flush=True)"
    );
    let bundle =
        Bundle::python(&format!("{ask}\ntime.sleep(1000)")).without_namespace("network").with(|config| {
            let folder = std::path::Path::new(&scene.socket).parent().unwrap();
            let mount =
                json!({ "destination": "/tmp", "type": "bind", "source": folder, "options": ["rbind"] });
            config["mounts"].as_array_mut().unwrap().push(mount);
        });
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let refusals = || daemon.output(&id).matches("403 403").count();
    eventually("its init process is refused", || refusals() == 1);
    // An added process too.
    let added = json!({ "args": ["/usr/bin/python3", "-c", ask] });
    daemon.client.put(&format!("/containers/{id}/process"), &added).expect(200);
    eventually("an added process is refused", || refusals() == 2);
    assert!(daemon.log().contains(&format!("a process of the container {id}")), "{}", daemon.log());
    daemon.clean_up();
}

/// What a browser says of a page, and cannot be made to say otherwise by it.
#[test]
fn what_another_site_sends_is_refused_for_every_method_and_under_every_name() {
    let daemon = Daemon::with(&["--name", "box.example"]);
    let bundle = Bundle::sleeper();
    let (id, base) = (daemon.name("a"), daemon.client.base.trim_start_matches("http://").to_owned());
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let own = format!("Origin: http://{base}");
    let send = |method: &str, headers: &[&str]| {
        let body = bundle.start().to_string();
        let mut stream = raw::connect(&daemon.client);
        let path = format!("/containers/{id}");
        let head = [
            &[format!("{method} {path} HTTP/1.1").as_str(), "Connection: close"],
            headers,
            &[format!("Content-Length: {}", body.len()).as_str(), "", ""],
        ]
        .concat()
        .join("\r\n");
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let here = format!("Host: {base}");
    for headers in [
        ["Host: evil.example", ""],
        ["Host: localhost.evil.example:80", ""],
        ["Host: 192.0.2.1", ""],
        ["Host: local host", ""],
        [&here, "Host: evil.example"],
        [&here, "Origin: http://evil.example"],
        [&here, "Origin: null"],
        [&here, "Origin: http://localhost:3000"],
        [&here, "Sec-Fetch-Site: cross-site"],
        [&here, "Sec-Fetch-Site: same-site"],
        ["Host: evil.example", &own],
    ] {
        let headers: Vec<&str> = headers.into_iter().filter(|header| !header.is_empty()).collect();
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = send(method, &headers);
            assert!(answer.starts_with("HTTP/1.1 403 "), "{method} {headers:?}: {answer}");
            assert!(!answer.to_lowercase().contains("access-control-"), "{answer}");
            if method != "HEAD" {
                assert!(answer.contains("urn:containerd-rest:problem:foreign-site"), "{answer}");
            }
        }
    }
    footprint.assert_unchanged("requests of other sites");
    for headers in [
        vec![here.as_str(), &own, "Sec-Fetch-Site: same-origin"],
        vec![&here, "Sec-Fetch-Site: none"],
        vec!["Host: box.example", "Origin: https://box.example"],
        vec!["Host: [::1]:1"],
        vec![],
    ] {
        let answer = send("GET", &headers);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{headers:?}: {answer}");
    }
}

#[test]
fn every_answer_tells_a_browser_to_keep_it_from_other_pages() {
    let daemon = Daemon::start();
    for path in ["/swagger-ui/", "/state", "/nowhere", "/openapi.json"] {
        let headers = daemon.client.get(path).headers;
        let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert!(value("content-security-policy").unwrap().contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(value("x-content-type-options").as_deref(), Some("nosniff"), "{path}");
        assert_eq!(value("cross-origin-resource-policy").as_deref(), Some("same-origin"), "{path}");
        assert_eq!(value("access-control-allow-origin"), None, "{path}");
    }
}

/// As root of a container on the host's network could send its connection to a helper outside.
#[test]
fn who_was_sent_a_connection_of_roots_is_not_root() {
    let daemon = Daemon::start();
    let stream = raw::connect(&daemon.client);
    // It asks when nobody else has it open any more.
    let ask = "import os, time
time.sleep(1)
os.write(0, b'GET /state HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')
print(os.read(0, 100).split()[1].decode())";
    let mut words = AS_NOBODY.split_whitespace();
    let helper = {
        let mut helper = Command::new(words.next().unwrap());
        helper.args(words).args(["/usr/bin/python3", "-c", ask]);
        helper.stdin(std::os::fd::OwnedFd::from(stream)).stdout(std::process::Stdio::piped()).spawn().unwrap()
    };
    let helper = helper.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&helper.stdout).trim(), "403", "{helper:?}");
}

#[test]
fn a_connection_that_was_taken_stays_its_callers() {
    let daemon = Daemon::start();
    // One that was refused is not let in by asking again, nor one that was let in looked for anew.
    as_user(NOBODY, || {
        let mut stream = raw::connect(&daemon.client);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        for _ in 0..3 {
            stream.write_all(b"GET /state HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let mut portion = [0; 4096];
            let length = stream.read(&mut portion).unwrap();
            assert!(String::from_utf8_lossy(&portion[..length]).starts_with("HTTP/1.1 403 "));
        }
    });
}

/// What a page of another site tries, by all the ways that a page has.
const EVIL: &str = "<!DOCTYPE html><title>begun</title>
<iframe src='DAEMON/swagger-ui/'></iframe><img src='DAEMON/containers/ID'>
<iframe name=hidden></iframe>
<form id=form method=post target=hidden action='DAEMON/containers/ID' enctype='text/plain'>
<input name='BODY' value=''></form>
<script>
const body = 'BODY';
const ask = (path, options) => fetch('DAEMON' + path, options).then((answer) => answer.type + answer.status, () => 'failed');
onload = async () => {
  document.getElementById('form').submit();
  const told = await Promise.all([
    ask('/state'),
    ask('/state', { mode: 'no-cors' }),
    ask('/containers/ID', { method: 'POST', body }),
    ask('/containers/ID', { method: 'POST', mode: 'no-cors', body }),
    ask('/containers/ID', { method: 'DELETE' }),
  ]);
  document.title = told.join(' ');
};
</script>";

#[test]
fn a_page_of_another_site_gets_and_changes_nothing_in_a_real_browser() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let page = EVIL
        .replace("DAEMON", &daemon.client.base)
        .replace("ID", &id)
        .replace("BODY", &bundle.start().to_string());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut browser in listener.incoming().flatten() {
            let page = page.clone();
            // A browser connects beforehand too, and says nothing on that.
            std::thread::spawn(move || {
                let _ = browser.read(&mut [0; 4096]);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
                let _ = write!(browser, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
            });
        }
    });
    let browser = Browser::start();
    for site in ["evil.example", "127.0.0.1"] {
        browser.go(&format!("http://{site}:{port}/"));
        let title = || browser.eval("return document.title", &[]).as_str().unwrap().to_owned();
        eventually("the page has tried", || title() != "begun");
        // An answer that it may not look into, at most.
        for told in title().split(' ') {
            assert!(["failed", "opaque0"].contains(&told), "{site}: {}", title());
        }
        let origin = format!("a page of http://{site}:{port}");
        let posted = |line: &&str| line.contains("method=POST") && line.contains(&origin);
        eventually("its form and both of its scripts' requests are refused", || {
            daemon.log().lines().filter(posted).count() == 3
        });
        footprint.assert_unchanged(site);
    }
    // Under the daemon's own port, and the other site's name.
    let own = daemon.client.base.rsplit(':').next().unwrap();
    browser.go(&format!("http://evil.example:{own}/swagger-ui/"));
    let shown = browser.eval("return document.body.innerText", &[]);
    assert!(shown.as_str().unwrap().contains("foreign-site"), "{shown}");
    assert!(!browser.has("#swagger-ui"));
    footprint.assert_unchanged("a name that was made to lead here");
    assert!(!daemon.log().contains("started"));
}
