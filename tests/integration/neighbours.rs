//! Somebody else's containers on the same host: another daemon's, plain runc's. A name is the same cgroup for all of them,
//! and what is asked of a container of ours reaches none of theirs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::runtime::Runtime;
use crate::support::{eventually, host};

#[track_caller]
fn assert_refused(daemon: &Daemon, id: &str, body: &serde_json::Value, by: i32) {
    let problem = daemon.start_container(id, body).problem(409, "cgroup-taken");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("{by} (sleep)")) && detail.contains(id), "{detail}");
    assert!(problem["remedy"].as_str().unwrap().contains("cgroupsPath"), "{problem}");
    daemon.client.get(&format!("/containers/{id}")).problem(404, "container-not-found");
}

#[test]
fn two_daemons_cannot_have_a_container_of_one_name_at_a_time() {
    let (first, second) = (Daemon::start(), Daemon::start());
    let (id, bundle) = (first.name("a"), Bundle::sleeper());
    // Of another name, to be restored under this one.
    let other = second.name("b");
    second.start_container(&other, &bundle.start()).expect(201);
    let exit = json!({ "exit": true });
    second.client.post(&format!("/containers/{other}/checkpoint/one"), &exit).expect(201);

    first.start_container(&id, &bundle.start()).expect(201);
    let pid = first.init_pid(&id);
    assert_refused(&second, &id, &bundle.start(), pid);
    assert_refused(&second, &id, &bundle.restore("one"), pid);
    assert_eq!((first.status(&id).as_str(), first.init_pid(&id)), ("running", pid));
    first.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    second.start_container(&id, &bundle.restore("one")).expect(201);
    second.clean_up();
    first.clean_up();
}

#[test]
fn of_two_daemons_that_start_one_name_at_the_same_moment_the_later_gives_way_and_harms_nobody() {
    let runtime = Runtime::new();
    let folder = tempfile::tempdir().unwrap();
    let [begun, go] = ["begun", "go"].map(|name| folder.path().join(name));
    let script = format!(
        "touch {}; until test -e {}; do sleep 0.01; done; exec runc \"$@\"",
        begun.display(),
        go.display()
    );
    runtime.fall_ill("run", &script);
    let (first, second) = (Daemon::start(), Daemon::with(&["--runtime", runtime.path().to_str().unwrap()]));
    let (id, bundle) = (first.name("a"), Bundle::sleeper());
    let refused = std::thread::scope(|scope| {
        let refused = scope.spawn(|| second.start_container(&id, &bundle.start()));
        // The later one has looked, and seen nobody.
        eventually("its runc is begun with", || begun.exists());
        first.start_container(&id, &bundle.start()).expect(201);
        fs::write(&go, "").unwrap();
        refused.join().unwrap()
    });
    let pid = first.init_pid(&id);
    let problem = refused.problem(409, "cgroup-taken");
    assert!(problem["detail"].as_str().unwrap().contains(&format!("{pid} (sleep)")), "{problem}");
    second.client.get(&format!("/containers/{id}")).problem(404, "container-not-found");
    assert_eq!(first.status(&id), "running");
    eventually("the first's is alone", || host::cgroups(&id).iter().all(|place| within(place) == [pid]));
    first.client.patch(&format!("/containers/{id}"), &json!({ "status": "paused" })).expect(200);
    first.clean_up();
    second.clean_up();
}

fn within(place: &Path) -> Vec<i32> {
    let pids = fs::read_to_string(place.join("cgroup.procs")).unwrap_or_default();
    pids.lines().map(|pid| pid.parse().unwrap()).collect()
}

/// A container of runc's own, whose state is in this folder.
fn runc(root: &Path, verb: &[&str]) {
    let mut runc = Command::new("runc");
    runc.arg("--root").arg(root).args(verb);
    // A detached container keeps these open.
    runc.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(runc.status().unwrap().success(), "{verb:?}");
}

#[test]
fn a_container_of_plain_runc_keeps_its_cgroup_to_itself() {
    let daemon = Daemon::start();
    let (id, bundle, root) = (daemon.name("a"), Bundle::sleeper(), tempfile::tempdir().unwrap());
    let (folder, pid_file) = (bundle.path().to_str().unwrap(), root.path().join("pid"));
    runc(root.path(), &["run", "--detach", "--pid-file", pid_file.to_str().unwrap(), "-b", folder, &id]);
    let pid: i32 = fs::read_to_string(&pid_file).unwrap().parse().unwrap();
    assert_refused(&daemon, &id, &bundle.start(), pid);
    runc(root.path(), &["delete", "--force", &id]);
    daemon.start_container(&id, &bundle.start()).expect(201);
    assert_ne!(daemon.init_pid(&id), pid);
    daemon.clean_up();
}

/// A cgroup at the root of the hierarchy that tells containers apart.
fn place(name: &str) -> PathBuf {
    let hierarchy = Path::new("/sys/fs/cgroup");
    let freezer = hierarchy.join("freezer");
    if freezer.is_dir() { freezer.join(name) } else { hierarchy.join(name) }
}

fn enter(place: &Path, seconds: &str) -> Child {
    let sleep = Command::new("sleep").arg(seconds).spawn().unwrap();
    fs::write(place.join("cgroup.procs"), sleep.id().to_string()).unwrap();
    sleep
}

#[test]
fn an_empty_cgroup_is_in_nobodys_way_nor_is_who_is_about_to_end_and_who_is_below_is() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    let bundle = Bundle::sleeper().with(|config| config["linux"]["cgroupsPath"] = json!(format!("/{id}")));
    let delete = || daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    fs::create_dir(place(&id)).unwrap();
    daemon.start_container(&id, &bundle.start()).expect(201);
    delete();

    fs::create_dir(place(&id)).unwrap();
    let mut leaving = enter(&place(&id), "0.4");
    daemon.start_container(&id, &bundle.start()).expect(201);
    assert!(leaving.try_wait().unwrap().is_some(), "it was waited for");
    delete();

    let below = place(&id).join("below");
    fs::create_dir_all(&below).unwrap();
    let mut stays = enter(&below, "1000");
    assert_refused(&daemon, &id, &bundle.start(), i32::try_from(stays.id()).unwrap());
    assert!(stays.try_wait().unwrap().is_none());
    stays.kill().unwrap();
    stays.wait().unwrap();
    daemon.start_container(&id, &bundle.start()).expect(201);
    delete();
    for folder in [&below, &place(&id)] {
        let _ = fs::remove_dir(folder);
    }
    daemon.assert_nothing_left();
}

/// Of plain runc, on the host's network: the daemon knows nothing of it but what the kernel tells of its processes.
#[test]
fn root_of_another_runtimes_container_is_refused() {
    let daemon = Daemon::start();
    let port = daemon.client.base.rsplit(':').next().unwrap();
    let ask = format!(
        "import socket
s = socket.create_connection(('127.0.0.1', {port}))
s.sendall(b'GET /state HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n')
print(s.recv(100).split()[1].decode())"
    );
    let in_own_pids = Bundle::python(&ask).without_namespace("network");
    // A root filesystem in a mount namespace, and all else the host's.
    let in_the_hosts = Bundle::python(&ask).without_namespace("network").without_namespace("pid");
    let root = tempfile::tempdir().unwrap();
    for bundle in [in_own_pids, in_the_hosts] {
        let mut runc = Command::new("runc");
        runc.arg("--root").arg(root.path()).args(["run", "--bundle"]).arg(bundle.path());
        let output = runc.arg(daemon.name("plain")).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "403");
        assert!(daemon.log().contains("a process in a container"), "{}", daemon.log());
    }
    daemon.clean_up();
}

/// A service's mount namespace, as of PrivateTmp, is no container's, nor is a folder that a proxy has shut itself into; but
/// both together are.
#[test]
fn who_has_a_mount_namespace_or_a_root_of_their_own_is_in_no_container() {
    let daemon = Daemon::start();
    let url = format!("{}/state", daemon.client.base);
    let jail = tempfile::tempdir().unwrap();
    for folder in ["usr", "proc"] {
        fs::create_dir(jail.path().join(folder)).unwrap();
    }
    for link in ["lib", "lib64", "bin"] {
        std::os::unix::fs::symlink(format!("usr/{link}"), jail.path().join(link)).unwrap();
    }
    let usr = jail.path().join("usr");
    assert!(Command::new("mount").arg("--bind").arg("/usr").arg(&usr).status().unwrap().success());
    let jail = jail.path().to_str().unwrap();
    let rows: [(&[&str], &str); 3] = [
        (&["unshare", "--mount"], "200"),
        (&["chroot", jail], "200"),
        (&["unshare", "--mount", "chroot", jail], "403"),
    ];
    let said = rows.map(|(who, expected)| {
        let curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", &url];
        let output = Command::new(who[0]).args(&who[1..]).args(curl).output().unwrap();
        (String::from_utf8_lossy(&output.stdout).into_owned(), expected, output)
    });
    assert!(Command::new("umount").arg(&usr).status().unwrap().success());
    for (status, expected, output) in said {
        assert_eq!(status, expected, "{output:?}");
    }
    daemon.clean_up();
}
