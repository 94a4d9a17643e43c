//! How fast a container's output is taken: lines of 64 bytes, as fast as busybox's `yes` makes them, from the request that
//! starts the writer to the word that it has ended. Ours as an added process; podman's conmon as a container of its own;
//! and the same writer into `cat >file`, over which nobody stands. Then sixteen at once, of ours.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::Bench;
use crate::batch::{self, count, millis};
use crate::contenders::{Contender, OURS};
use crate::cpu;
use crate::http::Http;

const SECTION: &str = "logs";
const MANY: usize = 16;
const MB: usize = 1_000_000;

pub(crate) fn measure(bench: &mut Bench, rounds: usize) {
    let megabytes = if bench.quick { 16 } else { 64 };
    let ids: Vec<_> = (0..MANY).map(|number| bench.ours.account().id(number)).collect();
    batch::run(&bench.ours, 4, &ids, |session, id| session.start(id)).expect_whole(OURS);
    for _ in 0..rounds {
        eprintln!("logs: {megabytes} MB each");
        let before = shims_used(bench);
        let rate = timed(megabytes, || written(&bench.ours.http(), &ids[0], megabytes));
        let after = shims_used(bench);
        let mut seen = vec![("one container", OURS, "MB/s", rate)];
        seen.push(("shim's processor time a MB", OURS, "ms", (after - before) / count(megabytes)));
        seen.push(("one container", "cat", "MB/s", timed(megabytes, || cat(&bench.work, megabytes))));
        if let Some(podman) = &bench.podman {
            let rate = timed(megabytes, || {
                podman.run_to_end(&podman.account().id("log"), &writer(megabytes)).expect("podman runs it")
            });
            seen.push(("one container", "podman", "MB/s", rate));
        }
        let part = megabytes.div_ceil(MANY / 2);
        let all = timed(part * MANY, || {
            std::thread::scope(|scope| {
                for id in &ids {
                    scope.spawn(|| written(&bench.ours.http(), id, part));
                }
            });
        });
        seen.push(("sixteen containers, all together", OURS, "MB/s", all));
        for (name, who, unit, value) in seen {
            bench.results.round(SECTION, name, who, unit, value);
        }
    }
    batch::run(&bench.ours, 4, &ids, |session, id| session.delete(id)).expect_whole(OURS);
}

fn shims_used(bench: &Bench) -> f64 {
    bench.ours.shims().into_iter().map(|pid| millis(cpu::of_process(pid))).sum()
}

fn timed(megabytes: usize, work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    count(megabytes) / begun.elapsed().as_secs_f64()
}

fn writer(megabytes: usize) -> [String; 3] {
    let line = "0123456789abcdef".repeat(4);
    ["sh".into(), "-c".into(), format!("yes {} | head -c {}", &line[1..], megabytes * MB)]
}

fn written(http: &Http, id: &str, megabytes: usize) {
    let body = json!({ "args": writer(megabytes) }).to_string();
    let added = http.send("PUT", &format!("/containers/{id}/process"), &body).expect("the writer starts");
    let added: Value = serde_json::from_str(&added).expect("an answer is JSON");
    let path = format!("/containers/{id}/process/{}/wait", added["pid"]);
    http.send("GET", &path, "").expect("the writer ends");
}

fn cat(work: &Path, megabytes: usize) {
    let [sh, option, script] = writer(megabytes);
    let mut writer = Command::new("busybox")
        .args([&sh, &option, &script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("busybox is there");
    let out = File::create(work.join("cat")).expect("a file");
    let pipe = writer.stdout.take().expect("its output is ours");
    let status = Command::new("cat").stdin(pipe).stdout(out).status();
    assert!(status.is_ok_and(|status| status.success()), "cat");
    let _ = writer.wait();
}
