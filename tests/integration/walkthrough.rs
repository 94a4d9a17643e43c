//! The README of 4 December 2015, line by line, by the real curl, with a real Redis: what was written then
//! works now. Only the address, the bundle's place and the missing quote are others.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::daemon::Daemon;
use crate::support::eventually;

const ENV: &str =
    r#""env" : [ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm" ]"#;

struct Walk {
    daemon: Daemon,
    bundle: tempfile::TempDir,
}

impl Walk {
    fn new() -> Self {
        let bundle = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/demo-bundle");
        let laid = Command::new(script).arg(bundle.path().join("redis")).status().unwrap();
        assert!(laid.success(), "the demo bundle: run scripts/prerequisites test");
        Self { daemon: Daemon::start(), bundle }
    }

    /// A line of the README: curl's own arguments, with the answer's status behind the body.
    #[track_caller]
    fn curl(&self, line: &[&str]) -> (u16, String) {
        let own = [
            ("localhost:8888", self.daemon.client.base.trim_start_matches("http://").to_owned()),
            ("/containers/redis\"", format!("{}/redis\"", self.bundle.path().display())),
            ("containers/redis", format!("containers/{}", self.daemon.name("redis"))),
        ];
        let mut args: Vec<String> = line.iter().map(|argument| (*argument).to_owned()).collect();
        for argument in &mut args {
            for (theirs, ours) in &own {
                *argument = argument.replace(theirs, ours);
            }
        }
        let output = Command::new("curl").args(["-s", "-w", "\n%{http_code}"]).args(&args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap_or_else(|_| panic!("{args:?}: {text}")), body.to_owned())
    }

    #[track_caller]
    fn json(&self, status: u16, line: &[&str]) -> Value {
        let (code, body) = self.curl(line);
        assert_eq!(code, status, "{line:?}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{line:?}: {error}: {body}"))
    }

    #[track_caller]
    fn silent(&self, status: u16, line: &[&str]) {
        assert_eq!(self.curl(line), (status, String::new()), "{line:?}");
    }

    /// Runs redis-cli in the container; the answer is in its log.
    #[track_caller]
    fn redis(&self, container: &str, command: &str, answer: &str) {
        let id = self.daemon.name(container);
        let marked = format!("echo $({command}) of {command} $$");
        let process = self
            .daemon
            .client
            .put(&format!("/containers/{id}/process"), &json!({ "args": ["sh", "-c", marked] }));
        process.expect(200);
        let wanted = format!("F {answer} of {command}");
        eventually(&format!("{command} of {container} answers {answer}"), || {
            self.daemon.output(&id).contains(&wanted)
        });
        eventually("it has ended", || self.daemon.container(&id)["processes"].as_array().unwrap().len() == 1);
    }
}

#[test]
fn every_line_of_the_2015_readme_works_with_plain_curl() {
    let walk = Walk::new();
    let id = walk.daemon.name("redis");

    // As it stands there, with its quote missing: the byte is pointed at, and nothing has happened.
    let broken =
        "{\n    \"bundlePath\": \"/containers/redis\",\n    \"checkpoint: \"checkpoint-name\"\n    }";
    let problem = walk.json(400, &["-XPOST", "localhost:8888/containers/redis", "-d", broken]);
    assert!(problem["detail"].as_str().unwrap().contains("(byte "), "{problem}");

    let start = "{\n    \"bundlePath\": \"/containers/redis\"\n    }";
    walk.json(201, &["-XPOST", "localhost:8888/containers/redis", "-d", start]);

    let sleep =
        format!(r#"{{ "user" : {{ "gid" : 0, "uid" : 0 }}, "args" : [ "sh", "-c", "sleep 10" ], {ENV} }}"#);
    let process = walk.json(200, &["-XPUT", "localhost:8888/containers/redis/process", "-d", &sleep]);
    assert_eq!(process["args"], json!(["sh", "-c", "sleep 10"]));
    assert_eq!(process["user"], json!({ "uid": 0, "gid": 0 }));
    let other = walk.json(200, &["-XPUT", "localhost:8888/containers/redis/processes", "-d", &sleep]);

    let state = walk.json(200, &["localhost:8888/state"]);
    let container = &state["containers"][0];
    assert_eq!((&container["id"], &container["state"]), (&json!(id), &json!({ "status": "running" })));
    assert_eq!(
        container["processes"][0]["args"].as_array().unwrap()[..3],
        [json!("redis-server"), json!("--bind"), json!("0.0.0.0")]
    );
    assert_eq!(container["processes"][1]["pid"], process["pid"]);
    assert!(state["machine"]["memory"].as_i64().unwrap() > 0);

    for process in [process, other] {
        let path = format!("localhost:8888/containers/redis/process/{}", process["pid"]);
        walk.silent(200, &["-XPOST", &path, "-d", r#"{"signal": 15}"#]);
    }
    eventually("both have ended", || walk.daemon.container(&id)["processes"].as_array().unwrap().len() == 1);

    let options = "{\n        \"exit\": false,\n        \"tcp\": false,\n        \"unixSockets\": false,\n        \"shell\": false\n    }";
    walk.json(201, &["-XPOST", "localhost:8888/containers/redis/checkpoint/test1", "-d", options]);
    walk.json(201, &["-XPOST", "localhost:8888/containers/redis/checkpoint/test2", "-d", options]);
    let list = walk.json(200, &["localhost:8888/containers/redis/checkpoint"]);
    let names: Vec<&Value> = list.as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["test1", "test2"]);
    for field in ["tcp", "unixSockets", "shell"] {
        assert_eq!(list[0][field], json!(false), "{list}");
    }
    walk.silent(200, &["-XDELETE", "localhost:8888/containers/redis/checkpoint/test2"]);

    let paused =
        walk.json(200, &["-XPATCH", "localhost:8888/containers/redis", "-d", r#"{"status": "paused"}"#]);
    assert_eq!(paused["state"]["status"], "paused");
    let running =
        walk.json(200, &["-XPATCH", "localhost:8888/containers/redis", "-d", r#"{"status": "running"}"#]);
    assert_eq!(running["state"]["status"], "running");

    walk.json(200, &["-XPATCH", "localhost:8888/containers/redis", "-d", r#"{"signal": 9}"#]);
    walk.daemon.await_status(&id, "stopped");

    let restore = "{\n    \"bundlePath\": \"/containers/redis\",\n    \"checkpoint\": \"test1\"\n    }";
    let restored = walk.json(201, &["-XPOST", "localhost:8888/containers/redis", "-d", restore]);
    assert_eq!(restored["checkpoint"], "test1");
    walk.daemon.clean_up();
}

#[test]
fn redis_gives_its_data_back_after_it_was_checkpointed_killed_and_restored() {
    let walk = Walk::new();
    let id = walk.daemon.name("redis");
    let bundle = format!("{}/redis", walk.bundle.path().display());
    walk.daemon.start_container(&id, &json!({ "bundlePath": bundle })).expect(201);
    let pid = walk.daemon.init_pid(&id);
    eventually("redis listens", || walk.daemon.output(&id).contains("Ready to accept connections"));
    walk.redis("redis", "redis-cli set greeting hello", "OK");

    walk.json(
        201,
        &["-XPOST", "localhost:8888/containers/redis/checkpoint/test1", "-d", r#"{"exit": true}"#],
    );
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "it is gone from the process table");
    assert_eq!(walk.daemon.status(&id), "stopped");
    let restore = r#"{"bundlePath": "/containers/redis", "checkpoint": "test1"}"#;
    walk.json(201, &["-XPOST", "localhost:8888/containers/redis", "-d", restore]);
    walk.redis("redis", "redis-cli get greeting", "hello");

    // The same with the original running on, and a second one restored beside it: each has its own data.
    walk.redis("redis", "redis-cli set greeting again", "OK");
    walk.json(
        201,
        &["-XPOST", "localhost:8888/containers/redis/checkpoint/test2", "-d", r#"{"exit": false}"#],
    );
    walk.redis("redis", "redis-cli set greeting original", "OK");
    let second = r#"{"bundlePath": "/containers/redis", "checkpoint": "test2"}"#;
    walk.json(201, &["-XPOST", "localhost:8888/containers/redis-second", "-d", second]);
    walk.redis("redis-second", "redis-cli get greeting", "again");
    walk.redis("redis", "redis-cli get greeting", "original");
    walk.daemon.clean_up();
}
