//! The hot paths that need no runc, each in a function whose instructions `scripts/instructions` counts by callgrind and
//! holds to those that are recorded in `tests/instructions.json`. Set-up is outside of them, and so is the first time of
//! each, which fills caches.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use crate::fuzzing::request::{Served, serve};
use crate::ipc::Message;
use crate::runtime::process::start_time;

/// How many containers there are.
const CONTAINERS: usize = 1000;
/// How often each path is gone while it is counted; the script knows it too.
const TIMES: usize = 20;

/// A daemon without sockets that has taken back so many containers, all running: one process of ours is the init process
/// of each, and nothing is done to it.
struct Host {
    served: Served,
    init: Child,
    folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let init = Command::new("sleep").arg("1000").spawn().unwrap();
        for number in 0..CONTAINERS {
            lay(folder.path(), &format!("c{number}"), init.id().cast_signed());
        }
        Self { served: serve(folder.path()).unwrap(), init, folder }
    }

    fn expect(&self, request: &str, status: u16) {
        let (given, body) = self.served.answer(request);
        assert_eq!(given, status, "{request}: {}", String::from_utf8_lossy(&body));
        assert!(!body.is_empty(), "{request}");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.init.kill();
        let _ = self.init.wait();
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

/// The files of a running container.
fn lay(folder: &Path, id: &str, init: i32) {
    let (volatile, durable) =
        (folder.join("state/containers").join(id).join("run-1"), folder.join("root/containers").join(id));
    fs::create_dir_all(&volatile).unwrap();
    fs::create_dir_all(durable.join("run-1")).unwrap();
    let key = serde_json::json!({ "pid": init, "startTime": start_time(init).unwrap() });
    fs::write(volatile.join("init.json"), key.to_string()).unwrap();
    let record = serde_json::json!({
        "version": 1, "id": id, "bundle": "/containers/busybox", "checkpoint": null, "run": 1, "cursor": 0,
        "createdAt": "2026-11-27T14:45:01.937613207Z",
        "process": {
            "terminal": false, "user": { "uid": 0, "gid": 0 }, "args": ["sleep", "1000"],
            "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/", "noNewPrivileges": true,
        },
    });
    fs::write(durable.join("record.json"), record.to_string()).unwrap();
    // Of this boot: else the volatile folder is forgotten.
    let boot = fs::read("/proc/sys/kernel/random/boot_id").unwrap();
    fs::write(folder.join("state/boot-id"), boot).unwrap();
}

const WORDS: [&str; 3] = [
    r#"{"say":"hello","version":2,"init":{"pid":7,"startTime":9},"exit":null,"added":[],"busy":null,"seq":0,"oomKills":0,"pages":null}"#,
    r#"{"say":"launched","seq":1,"process":{"pid":7,"startTime":9}}"#,
    r#"{"say":"exited","process":{"pid":7,"startTime":9},"role":"init","status":{"code":1},"at":"2026-01-01T00:00:00Z","oom":false,"oomKills":0}"#,
];

fn get_container(host: &Host) {
    host.expect("GET /containers/c500\naccept: */*", 200);
}

fn state_of_1000(host: &Host) {
    host.expect("GET /state\naccept: */*", 200);
}

/// Through validation, the container's own task, and back as a problem.
fn refused_start(host: &Host) {
    host.expect("POST /containers/c500\naccept: */*\n\n{\"bundlePath\": \"/containers/busybox\"}", 409);
}

fn ipc_decode(_: &Host) {
    for word in WORDS {
        let said: Message = serde_json::from_str(word).unwrap();
        assert!(!matches!(said, Message::Oom { .. }));
    }
}

/// Each path, and under which name it is counted.
macro_rules! counted {
    ($($counted:ident: $path:ident),*) => {
        $(
            #[inline(never)]
            fn $counted(host: &Host) {
                (0..TIMES).for_each(|_| $path(host));
            }
        )*

        #[test]
        #[ignore = "is for scripts/instructions"]
        fn hot_paths() {
            let host = Host::new();
            $((0..2).for_each(|_| $path(&host));)*
            $($counted(&host);)*
        }
    };
}

counted! {
    counted_get_container: get_container,
    counted_state_of_1000: state_of_1000,
    counted_refused_start: refused_start,
    counted_ipc_decode: ipc_decode
}
