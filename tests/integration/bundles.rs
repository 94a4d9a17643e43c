//! A bundle is input: what others could change is not started, where bundles may lie is asked of what links lead to, hooks are
//! root's, and a checkpoint gives no right that its bundle does not give.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::footprint::{Footprint, Refusal};
use crate::support::host::as_user;
use crate::support::raw;
use crate::support::runtime::Runtime;

const NOBODY: u32 = 65534;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn start_as(daemon: &Daemon, uid: u32, id: &str, body: &Value) -> Answer {
    as_user(uid, || raw::send(&daemon.client, "POST", &format!("/containers/{id}"), &body.to_string()))
}

fn rules(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

/// A bundle in a folder of its own, which is in one of its own.
struct Nested {
    bundle: Bundle,
    outer: tempfile::TempDir,
}

impl Nested {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let bundle =
            Bundle::sleeper().with_own_rootfs().with(|config| config["root"]["path"] = json!("rootfs"));
        let nested = Self { bundle, outer };
        fs::create_dir(nested.folder()).unwrap();
        fs::rename(nested.bundle.path(), nested.path()).unwrap();
        fs::create_dir(nested.bundle.path()).unwrap();
        nested
    }

    fn folder(&self) -> std::path::PathBuf {
        self.outer.path().join("folder")
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder().join("bundle")
    }
}

#[test]
fn a_bundle_that_others_could_change_is_not_started_and_who_could_is_said() {
    let daemon = Daemon::start();
    let owned = |path: &Path| chown(path, Some(NOBODY), None).unwrap();
    type Loosen<'a> = &'a dyn Fn(&Path);
    let rows: [(&str, &str, &str, Loosen<'_>); 9] = [
        ("its folder, by all", "", "everybody", &|path| mode(path, 0o777)),
        ("its folder, by its owner", "", "uid 65534", &owned),
        ("its folder, though sticky", "", "everybody", &|path| mode(path, 0o1777)),
        ("the folder above", "..", "everybody", &|path| mode(path, 0o777)),
        ("the folder above, by its owner", "..", "uid 65534", &owned),
        ("config.json, by all", "config.json", "everybody", &|path| mode(path, 0o666)),
        ("config.json, by its owner", "config.json", "uid 65534", &owned),
        ("its root filesystem, by its group", "rootfs", "gid 65534", &|path| {
            mode(path, 0o775);
            chown(path, None, Some(NOBODY)).unwrap();
        }),
        ("its root filesystem, by its owner", "rootfs", "uid 65534", &owned),
    ];
    for (situation, place, by, loosen) in rows {
        let nested = Nested::new();
        loosen(&nested.path().join(place));
        let footprint = Footprint::of(&daemon, &[nested.outer.path()]);
        let row = Refusal { situation, status: 403, kind: "bundle-unsafe", at: Some("/body/bundlePath") };
        let body = json!({ "bundlePath": nested.path() });
        let problem = footprint.refuses(&row, || daemon.start_container(&daemon.name("a"), &body));
        assert!(problem["detail"].as_str().unwrap().contains(by), "{situation}: {problem}");
    }
    daemon.clean_up();
}

#[test]
fn a_link_on_the_way_counts_and_a_sticky_folder_does_not() {
    let daemon = Daemon::start();
    let nested = Nested::new();
    let open = nested.outer.path().join("open");
    fs::create_dir(&open).unwrap();
    symlink(nested.path(), open.join("link")).unwrap();
    let body = json!({ "bundlePath": open.join("link") });
    mode(&open, 0o777);
    daemon.start_container(&daemon.name("a"), &body).problem(403, "bundle-unsafe");
    mode(&open, 0o1777);
    lchown(open.join("link"), Some(NOBODY), None).unwrap();
    daemon.start_container(&daemon.name("a"), &body).problem(403, "bundle-unsafe");
    lchown(open.join("link"), Some(0), None).unwrap();
    mode(&nested.folder(), 0o1777);
    daemon.start_container(&daemon.name("a"), &body).expect(201);
    daemon.clean_up();
}

#[test]
fn a_bundle_may_be_whose_it_is_started_for_and_not_be_started_for_others() {
    let daemon = Daemon::with(&["--allow-user", "65534,65533"]);
    let nested = Nested::new();
    for path in
        [nested.folder(), nested.path(), nested.path().join("config.json"), nested.path().join("rootfs")]
    {
        chown(path, Some(NOBODY), None).unwrap();
    }
    let body = json!({ "bundlePath": nested.path() });
    daemon.start_container(&daemon.name("a"), &body).problem(403, "bundle-unsafe");
    start_as(&daemon, 65533, &daemon.name("a"), &body).problem(403, "bundle-unsafe");
    start_as(&daemon, NOBODY, &daemon.name("a"), &body).expect(201);
    daemon.clean_up();
}

#[test]
fn images_that_others_could_have_written_are_not_restored() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let all = bundle.path().join("checkpoints");
    for place in ["one", "one/image", "one/checkpoint.json", "one/image/core-1.img", ""] {
        let path = all.join(place);
        chown(&path, Some(NOBODY), None).unwrap();
        let refused = daemon.start_container(&id, &bundle.restore("one")).problem(403, "bundle-unsafe");
        assert!(refused["detail"].as_str().unwrap().contains("uid 65534"), "{place}: {refused}");
        assert!(
            refused["detail"].as_str().unwrap().starts_with("no checkpoint can be restored from"),
            "{refused}"
        );
        assert_eq!(refused["errors"][0]["location"], "/body/checkpoint");
        let listed = daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
        assert_eq!(listed[0]["restorable"], false, "{place}: {listed}");
        assert!(listed[0]["obstacles"][0].as_str().unwrap().contains("uid 65534"), "{place}: {listed}");
        chown(&path, Some(0), None).unwrap();
    }
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    // Nor is one written where others could put something in its place.
    mode(&all, 0o777);
    let path = format!("/containers/{id}/checkpoint/two");
    let preflight =
        || daemon.client.get(&format!("/containers/{id}/checkpoint-preflight")).expect(200).json();
    let refused = daemon.client.post(&path, &json!({})).problem(403, "bundle-unsafe");
    assert!(refused["detail"].as_str().unwrap().starts_with("no checkpoint can be written in"), "{refused}");
    let found = preflight();
    assert_eq!(found["possible"], false);
    assert_eq!(found["obstacles"][0], refused["detail"], "{found}");
    mode(&all, 0o700);
    assert_eq!(preflight(), json!({ "possible": true, "blockers": [] }));
    // What it lies in counts for a restore.
    mode(bundle.path(), 0o777);
    assert!(preflight()["obstacles"].to_string().contains("everybody"), "{}", preflight());
    mode(bundle.path(), 0o755);
    daemon.client.post(&path, &json!({})).expect(201);
    daemon.clean_up();
}

#[test]
fn a_bundle_that_is_changed_while_its_start_waits_is_not_started() {
    let runtime = Runtime::new();
    let daemon = Daemon::with(&["--starts", "1", "--runtime", runtime.path().to_str().unwrap()]);
    runtime.fall_ill("run", "while test -e \"$0.wait\"; do sleep 0.05; done; exec runc \"$@\"");
    let wait = runtime.path().with_extension("wait");
    type Change<'a> = &'a dyn Fn(&Bundle);
    let changes: [(&str, Change<'_>); 3] = [
        ("its config.json", &|bundle| fs::write(bundle.path().join("config.json"), "{}").unwrap()),
        ("its root filesystem", &|bundle| {
            fs::rename(bundle.path().join("rootfs"), bundle.path().join("other")).unwrap();
            symlink("/", bundle.path().join("rootfs")).unwrap();
        }),
        ("nothing", &|_| {}),
    ];
    for (what, change) in changes {
        fs::write(runtime.path().with_extension("wait"), "").unwrap();
        let (first, second) = (Bundle::sleeper(), Bundle::sleeper().with_own_rootfs());
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| daemon.start_container(&daemon.name("slow"), &first.start()));
            eventually("the first is started", || {
                !crate::support::host::processes(&runtime.path().to_string_lossy(), daemon.pid()).is_empty()
            });
            let waiting = scope.spawn(|| daemon.start_container(&daemon.name("a"), &second.start()));
            std::thread::sleep(std::time::Duration::from_millis(300));
            change(&second);
            fs::remove_file(&wait).unwrap();
            slow.join().unwrap().expect(201);
            let second = waiting.join().unwrap();
            if what == "nothing" {
                second.expect(201);
            } else {
                let problem = second.problem(409, "bundle-changed");
                assert!(problem["detail"].as_str().unwrap().contains("was changed"), "{what}: {problem}");
            }
        });
        daemon.client.delete(&format!("/containers/{}?force=true", daemon.name("slow"))).expect(204);
    }
    daemon.clean_up();
}

#[test]
fn bundles_lie_where_they_may_once_links_are_followed() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let root = outside.path().join("root");
    symlink(inside.path(), &root).unwrap();
    let daemon = Daemon::with(&["--bundle-root", root.to_str().unwrap(), "--bundle-root", "/nonexistent"]);
    let bundle = Bundle::sleeper();
    let config = fs::read(bundle.path().join("config.json")).unwrap();
    let at = |folder: &Path| {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("config.json"), &config).unwrap();
        folder.to_owned()
    };
    let (in_it, elsewhere) = (at(&inside.path().join("in")), at(&outside.path().join("out")));
    symlink(&elsewhere, inside.path().join("link")).unwrap();
    symlink(&in_it, outside.path().join("link")).unwrap();
    let beside = inside.path().with_extension("beside");
    for refused in [elsewhere, inside.path().join("link"), root.join("link/../out"), at(&beside)] {
        let answer = daemon.start_container(&daemon.name("a"), &json!({ "bundlePath": refused }));
        let problem = answer.problem(403, "policy");
        assert_eq!(rules(&problem), ["bundle-root"], "{problem}");
    }
    fs::remove_dir_all(beside).unwrap();
    for (id, path) in [("a", in_it), ("b", outside.path().join("link")), ("c", root.join("in"))] {
        daemon.start_container(&daemon.name(id), &json!({ "bundlePath": path })).expect(201);
    }
    // An archive goes nowhere else, either.
    let path = format!(
        "/containers/{}/checkpoint/one/archive?bundlePath={}",
        daemon.name("d"),
        bundle.path().display()
    );
    let answer = daemon.client.put_from(&path, &[("content-type", "application/x-tar")], &mut &b""[..]);
    assert_eq!(rules(&answer.problem(403, "policy")), ["bundle-root"]);
    daemon.clean_up();
}

#[test]
fn hooks_are_roots_or_allowed_and_so_are_words_that_runc_takes_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ran");
    // For every way to spell them: runc reads JSON as Go does, which takes no notice of case, nor of a Kelvin sign.
    let bundle = |key: &str| {
        let script = format!("touch {}", mark.display());
        let hook = json!([{ "path": "/bin/sh", "args": ["sh", "-c", script] }]);
        Bundle::sleeper().with(|config| config[key] = json!({ "createRuntime": hook }))
    };
    let daemon = Daemon::with(&["--allow-user", "nobody"]);
    for (key, rule) in [("hooks", "allow-hooks"), ("Hooks", "known"), ("HOO\u{212a}S", "known")] {
        let bundle = bundle(key);
        let problem = start_as(&daemon, NOBODY, &daemon.name("a"), &bundle.start()).problem(403, "policy");
        assert_eq!(rules(&problem), [rule], "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(&format!("/{key}")), "{problem}");
        assert!(!mark.exists());
        daemon.start_container(&daemon.name("a"), &bundle.start()).expect(201);
        assert!(mark.exists(), "{key} is a hook to this runc");
        fs::remove_file(&mark).unwrap();
        daemon.client.delete(&format!("/containers/{}?force=true", daemon.name("a"))).expect(204);
    }
    daemon.clean_up();

    let daemon = Daemon::with(&["--allow-user", "nobody", "--allow-hooks"]);
    let bundle = bundle("hooks");
    start_as(&daemon, NOBODY, &daemon.name("a"), &bundle.start()).expect(201);
    assert!(mark.exists());
    daemon.clean_up();
}

#[test]
fn what_is_added_to_a_restored_container_has_its_bundles_rights_and_not_those_that_its_checkpoint_tells_of() {
    let daemon = Daemon::start();
    let bundle = Bundle::sleeper();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let file = bundle.path().join("checkpoints/one/checkpoint.json");
    let mut told: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for set in ["bounding", "effective", "permitted"] {
        told["process"]["capabilities"][set].as_array_mut().unwrap().push(json!("CAP_SYS_ADMIN"));
    }
    told["process"]["noNewPrivileges"] = json!(false);
    fs::write(&file, told.to_string()).unwrap();
    daemon.start_container(&id, &bundle.restore("one")).expect(201);
    let body = json!({ "args": ["sleep", "1000"] });
    let added = daemon.client.put(&format!("/containers/{id}/process"), &body).expect(200).json();
    let status = fs::read_to_string(format!("/proc/{}/status", added["pid"])).unwrap();
    // CAP_KILL, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE.
    for line in ["CapEff:\t0000000020000420", "CapBnd:\t0000000020000420", "NoNewPrivs:\t1"] {
        assert!(status.contains(line), "{line}: {status}");
    }
    daemon.clean_up();
}

#[test]
fn a_restored_process_has_no_right_that_its_bundle_does_not_give() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    type Change<'a> = &'a dyn Fn(&mut Value);
    let filter = json!({ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{ "names": ["keyctl"], "action": "SCMP_ACT_ERRNO" }] });
    let rows: [(&str, Change<'_>, Change<'_>); 4] = [
        (
            "has CAP_NET_RAW",
            &|config| {
                for set in ["bounding", "effective", "permitted"] {
                    config["process"]["capabilities"][set].as_array_mut().unwrap().push(json!("CAP_NET_RAW"));
                }
            },
            &|config| {
                config["process"]["capabilities"] =
                    json!({ "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"] })
            },
        ),
        ("has no filter of system calls", &|_| {}, &|config| config["linux"]["seccomp"] = filter.clone()),
        ("may gain privileges", &|config| config["process"]["noNewPrivileges"] = json!(false), &|config| {
            config["process"]["noNewPrivileges"] = json!(true);
        }),
        (
            "is in the host's namespace (network)",
            &|config| {
                config["linux"]["namespaces"].as_array_mut().unwrap().retain(|one| one["type"] != "network");
            },
            &|config| {
                config["linux"]["namespaces"].as_array_mut().unwrap().push(json!({ "type": "network" }));
            },
        ),
    ];
    for (words, before, after) in rows {
        let bundle = Bundle::sleeper().with(before);
        daemon.start_container(&id, &bundle.start()).expect(201);
        daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
        let restore = |bundle: &Bundle| {
            daemon.client.post(&format!("/containers/{id}?allowChangedBundle=true"), &bundle.restore("one"))
        };
        restore(&bundle).expect(201);
        let bundle = bundle.with(after);
        let told = |obstacles: &Value| {
            let obstacles = obstacles.as_array().into_iter().flatten();
            obstacles.filter(|one| one.as_str().unwrap().contains(words)).count()
        };
        let found = daemon.client.get(&format!("/containers/{id}/checkpoint-preflight")).expect(200).json();
        assert_eq!((told(&found["obstacles"]), &found["possible"]), (1, &json!(true)), "{words}: {found}");
        let listed = daemon.client.get(&format!("/containers/{id}/checkpoint")).expect(200).json();
        assert_eq!((told(&listed[0]["obstacles"]), &listed[0]["restorable"]), (1, &json!(false)), "{listed}");
        daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
        let problem = daemon.start_container(&id, &bundle.restore("one")).problem(409, "bundle-changed");
        assert!(problem["remedy"].as_str().unwrap().contains("refused all the same"), "{problem}");
        let problem = restore(&bundle).problem(409, "checkpoint-rights");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
        daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    }
    daemon.clean_up();
}
