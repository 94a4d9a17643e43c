//! The hot paths that need no runc, each in a function whose instructions `scripts/instructions` counts by callgrind and
//! holds to those that are recorded in `tests/instructions.json`. Set-up is outside of them, and so is the first time of
//! each, which fills caches.

use std::fs;
use std::path::Path;

use crate::fuzzing::request::{Served, serve};
use crate::ipc::Message;

/// How many containers there are.
const CONTAINERS: usize = 1000;

/// A daemon without sockets that has taken back so many containers. They have ended: valgrind knows no pidfds, by which
/// those that run are held.
struct Host {
    served: Served,
    _folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        // In memory: what comes onto a disk is waited for, and not counted.
        let folder = tempfile::tempdir_in("/dev/shm").unwrap();
        (0..CONTAINERS).for_each(|number| lay(folder.path(), &format!("c{number}")));
        Self { served: serve(folder.path()).unwrap(), _folder: folder }
    }

    fn expect(&self, request: &str, status: u16) {
        let (given, body) = self.served.answer(request);
        assert_eq!(given, status, "{request}: {}", String::from_utf8_lossy(&body));
        assert!(!body.is_empty(), "{request}");
    }
}

/// The files of a container that has ended.
fn lay(folder: &Path, id: &str) {
    let durable = folder.join("root/containers").join(id);
    fs::create_dir_all(durable.join("run-1")).unwrap();
    let record = serde_json::json!({
        "version": 1, "id": id, "bundle": "/containers/busybox", "checkpoint": null, "run": 1, "cursor": 0,
        "createdAt": "2026-11-27T14:45:01.937613207Z",
        "process": {
            "terminal": false, "user": { "uid": 0, "gid": 0 }, "args": ["sleep", "1000"],
            "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/", "noNewPrivileges": true,
        },
    });
    fs::write(durable.join("record.json"), record.to_string()).unwrap();
    let exit = r#"{"status":{"code":3},"at":"2026-11-27T14:45:02.047139153Z","oom":false,"oomKills":0}"#;
    fs::write(durable.join("run-1/exit.json"), exit).unwrap();
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
fn refused_pause(host: &Host) {
    host.expect("PATCH /containers/c500\naccept: */*\n\n{\"status\": \"paused\"}", 409);
}

fn ipc_decode(_: &Host) {
    for word in WORDS {
        let said: Message = serde_json::from_str(word).unwrap();
        assert!(!matches!(said, Message::Oom { .. }));
    }
}

/// Each path, under which name it is counted, and how often it is gone, which is part of that name.
macro_rules! counted {
    ($($counted:ident: $path:ident, $times:literal);*) => {
        $(
            #[inline(never)]
            fn $counted(host: &Host) {
                // No closure: its name would begin as this one's does, and end the counting.
                for _ in 0..$times {
                    $path(host);
                }
            }
        )*

        #[test]
        #[ignore = "is for scripts/instructions"]
        fn hot_paths() {
            let host = Host::new();
            $((0..2).for_each(|_| $path(&host));)*
            host.served.rest();
            // Until then it runs ten times as fast: the script turns counting on.
            println!("ready {}", std::process::id());
            std::io::stdin().read_line(&mut String::new()).unwrap();
            $($counted(&host);)*
        }
    };
}

counted! {
    counted_20_get_container: get_container, 20;
    counted_3_state_of_1000: state_of_1000, 3;
    counted_20_refused_pause: refused_pause, 20;
    counted_20_ipc_decode: ipc_decode, 20
}
