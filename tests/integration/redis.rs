//! A real Redis with a connected client, checkpointed and restored: every key is there, and the connection goes on.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::daemon::Daemon;
use crate::support::eventually;

/// Redis, its keys, and a client that asks what is written to a FIFO over one connection.
const SCRIPT: &str = r"redis-server --save '' &
until redis-cli ping >/dev/null 2>&1; do sleep 0.05; done
seq 1 100000 | sed 's/.*/SET key:& value:&/' | redis-cli --pipe >/dev/null
mkfifo /data/ask
exec 8<>/data/ask
nc 127.0.0.1 6379 <&8 >/data/answers &
touch /data/ready
wait";

/// How many keys have the value that they were given.
const COUNT: &str = "local n = 0
for i = 1, 100000 do if redis.call('GET', 'key:' .. i) == 'value:' .. i then n = n + 1 end end
return n";

struct Redis {
    daemon: Daemon,
    bundle: tempfile::TempDir,
    id: String,
}

impl Redis {
    fn path(&self) -> PathBuf {
        self.bundle.path().join("redis")
    }

    /// As the client inside sees it, on its own connection.
    fn ask(&self, command: &str) -> String {
        let answers = self.path().join("rootfs/data/answers");
        let before = fs::read_to_string(&answers).unwrap_or_default();
        fs::write(self.path().join("rootfs/data/ask"), format!("{command}\r\n")).unwrap();
        let mut said = String::new();
        eventually("it answers", || {
            said = fs::read_to_string(&answers).unwrap_or_default().split_off(before.len());
            said.ends_with("\r\n")
        });
        said.trim().to_owned()
    }

    fn all_keys(&self) -> String {
        let url = format!("/containers/{}/process", self.id);
        let args = json!({ "args": ["redis-cli", "eval", COUNT, "0"] });
        let added = self.daemon.client.put(&url, &args).expect(200).json();
        let ended =
            self.daemon.client.get(&format!("{url}/{}/wait?timeout=30", added["pid"])).expect(200).json();
        assert_eq!(ended["state"]["exitStatus"], 0);
        let log = self.daemon.client.get(&format!("/containers/{}/logs?tail=1", self.id)).expect(200).body;
        log.trim().to_owned()
    }
}

#[test]
fn redis_with_100_000_keys_and_a_connected_client_goes_on() {
    let bundle = tempfile::tempdir().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/demo-bundle");
    assert!(Command::new(script).arg(bundle.path().join("redis")).status().unwrap().success());
    let config = bundle.path().join("redis/config.json");
    let mut spec: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    spec["process"]["args"] = json!(["sh", "-c", SCRIPT]);
    spec["process"]["cwd"] = json!("/data");
    fs::write(&config, spec.to_string()).unwrap();
    let daemon = Daemon::start();
    let id = daemon.name("redis");
    let redis = Redis { daemon, bundle, id };
    let (daemon, id) = (&redis.daemon, &redis.id);
    let start = json!({ "bundlePath": redis.path() });
    daemon.start_container(id, &start).expect(201);
    eventually("it has its keys", || redis.path().join("rootfs/data/ready").exists());
    let client = redis.ask("CLIENT ID");
    assert!(client.starts_with(':'), "{client}");
    assert_eq!(redis.all_keys(), "100000");

    let url = format!("/containers/{id}/checkpoint/full");
    let blocked = daemon.client.post(&url, &json!({ "exit": true })).problem(409, "checkpoint-blocked");
    assert!(
        blocked["blockers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["remedy"].as_str().unwrap().contains("tcp"))
    );
    daemon.client.post(&url, &json!({ "exit": true, "tcp": true })).expect(201);
    let mut restore = start;
    restore["checkpoint"] = json!("full");
    daemon.start_container(id, &restore).expect(201);
    assert_eq!(redis.ask("CLIENT ID"), client, "the same connection");
    assert_eq!(redis.ask("GET key:77777"), "$11\r\nvalue:77777");
    assert_eq!(redis.all_keys(), "100000");
    daemon.clean_up();
}
