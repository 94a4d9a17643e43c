//! One call at a time, ours beside bare runc's, as a person would do them: on one container each, in turns.
//!
//! What others have written is on the disk before each call: a checkpoint waits until it is there itself. Frozen is CRIU's
//! own figure of how long the container stood still.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Bench;
use crate::batch::millis;
use crate::contenders::{Contender, OURS, RUNC, RuncCaller};
use crate::cpu::Account;
use crate::http::Http;

const SECTION: &str = "calls";
const STEPS: [&str; 7] = ["start", "exec", "pause", "resume", "checkpoint", "delete", "restore"];

pub(crate) fn measure(bench: &mut Bench, rounds: usize) {
    let folder = bench.work.join("calls");
    bench.runc.account().enter();
    for round in 0..rounds {
        fs::create_dir_all(&folder).expect("a folder for images");
        let ours = Api {
            http: bench.ours.http(),
            bundle: bench.bundle.clone(),
            id: bench.ours.account().id("look"),
        };
        let bare =
            Bare { runc: bench.runc.caller(), folder: folder.clone(), id: bench.runc.account().id("look") };
        let mut pair: [&dyn Look; 2] = [&ours, &bare];
        // Whoever goes first meets a colder machine, so they take turns at it.
        pair.rotate_left(round % 2);
        for step in STEPS {
            for one in pair {
                nix::unistd::sync();
                let begun = Instant::now();
                one.step(step);
                let took = millis(begun.elapsed());
                bench.results.round(SECTION, step, one.who(), "ms", took);
                if step == "checkpoint" {
                    bench.results.round(SECTION, "frozen", one.who(), "ms", one.frozen());
                }
                // What it has set off has ended.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        ours.end();
        bare.end();
        fs::remove_dir_all(&folder).expect("images go");
        if round % 5 == 4 || round + 1 == rounds {
            eprintln!("calls: round {} of {rounds}", round + 1);
        }
    }
    Account::leave();
}

trait Look {
    fn who(&self) -> &'static str;
    fn step(&self, step: &str);
    /// Of the last checkpoint, in ms.
    fn frozen(&self) -> f64;
    fn end(&self);
}

struct Api {
    http: Http,
    bundle: PathBuf,
    id: String,
}

impl Api {
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let path = format!("/containers/{}{path}", self.id);
        self.http.send(method, &path, body).unwrap_or_else(|said| panic!("{said}"))
    }
}

impl Look for Api {
    fn who(&self) -> &'static str {
        OURS
    }

    fn step(&self, step: &str) {
        let bundle = self.bundle.display();
        let (method, path, body) = match step {
            "start" => ("POST", "", format!(r#"{{"bundlePath":"{bundle}"}}"#)),
            "exec" => ("PUT", "/process", r#"{"args":["true"]}"#.to_owned()),
            "pause" => ("PATCH", "", r#"{"status":"paused"}"#.to_owned()),
            "resume" => ("PATCH", "", r#"{"status":"running"}"#.to_owned()),
            "checkpoint" => ("POST", "/checkpoint/one", String::new()),
            "delete" => ("DELETE", "?force=true", String::new()),
            _ => ("POST", "", format!(r#"{{"bundlePath":"{bundle}","checkpoint":"one"}}"#)),
        };
        self.ask(method, path, &body);
    }

    fn frozen(&self) -> f64 {
        let told: Value =
            serde_json::from_str(&self.ask("GET", "/checkpoint/one", "")).expect("an answer is JSON");
        told["frozenMicros"].as_f64().map_or(f64::NAN, |micros| micros / 1000.0)
    }

    fn end(&self) {
        self.ask("DELETE", "/checkpoint/one", "");
        self.ask("DELETE", "?force=true", "");
    }
}

struct Bare {
    runc: RuncCaller,
    folder: PathBuf,
    id: String,
}

impl Look for Bare {
    fn who(&self) -> &'static str {
        RUNC
    }

    fn step(&self, step: &str) {
        let (image, dump) = (self.folder.join("image"), self.folder.join("dump"));
        let text = |path: &Path| path.to_str().expect("a folder that we have named").to_owned();
        let (image, dump, bundle) = (text(&image), text(&dump), self.runc.bundle());
        let id = self.id.as_str();
        let images = ["--image-path", &image, "--work-path", &dump];
        let args = match step {
            "start" => vec!["run", "--detach", "--bundle", bundle, id],
            "exec" => vec!["exec", "--detach", id, "true"],
            // The container goes on: one that is dumped with its end is nobody's child here, and runc waits for it a second.
            "checkpoint" => [vec!["checkpoint", "--leave-running"], images.to_vec(), vec![id]].concat(),
            "delete" => vec!["delete", "--force", id],
            "restore" => {
                [vec!["restore", "--detach", "--bundle", bundle], images.to_vec(), vec![id]].concat()
            }
            same => vec![same, id],
        };
        self.runc.run(&args).unwrap_or_else(|said| panic!("{said}"));
    }

    fn frozen(&self) -> f64 {
        let stats = fs::read(self.folder.join("dump/stats-dump")).unwrap_or_default();
        // Two magic numbers and the message's length are in front.
        let stats = stats.get(12..).and_then(|message| <Stats as prost::Message>::decode(message).ok());
        stats.and_then(|stats| stats.dump).map_or(f64::NAN, |dump| f64::from(dump.frozen_time) / 1000.0)
    }

    fn end(&self) {
        self.runc.run(&["delete", "--force", &self.id]).unwrap_or_else(|said| panic!("{said}"));
    }
}

/// Of CRIU's stats.proto.
#[derive(Clone, PartialEq, prost::Message)]
struct Stats {
    #[prost(message, optional, tag = "1")]
    dump: Option<DumpStats>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct DumpStats {
    /// In microseconds.
    #[prost(uint32, tag = "2")]
    frozen_time: u32,
}
