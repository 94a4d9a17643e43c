//! The edges of a handover: who asks while it is under way, who asks to stop meanwhile, what leads to the new program,
//! and what it leaves behind.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::daemon::{Daemon, command};
use crate::support::{eventually, eventually_within, host};
use crate::upgrade::{beginnings, install, replace};

/// How long an answer may take at the most: longer than a handover.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A container that SIGTERM does not end, and a request to stop it that so takes this long.
fn long_stop(daemon: &Daemon, id: &str, seconds: u64) -> JoinHandle<Answer> {
    let bundle = Bundle::script("trap '' TERM; echo ready; while :; do sleep 1; done");
    daemon.start_container(id, &bundle.start()).expect(201);
    eventually("it is deaf", || daemon.output(id).contains("ready"));
    let (client, path) = (daemon.client.clone(), format!("/containers/{id}"));
    let stop =
        std::thread::spawn(move || client.post(&format!("{path}/stop"), &json!({ "timeout": seconds })));
    // It is accepted before anything that is asked from now on.
    daemon.client.get("/healthz").expect(200);
    std::thread::sleep(Duration::from_millis(300));
    assert!(!stop.is_finished(), "it is not deaf");
    stop
}

fn handing_over(daemon: &Daemon) {
    daemon.hang_up();
    eventually("it hands over", || daemon.log().contains("handing over"));
}

#[track_caller]
fn assert_stopped(answer: Answer) {
    assert_eq!(answer.expect(200).json()["state"]["status"], "stopped");
}

#[test]
fn a_change_that_is_under_way_is_answered_and_who_comes_meanwhile_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::of_program(&install(folder.path()));
    let id = daemon.name("a");
    let stop = long_stop(&daemon, &id, 2);
    handing_over(&daemon);
    // On a new connection: by this program, or in the kernel's queue until the next accepts.
    ask(connect(&daemon));
    eventually("it is replaced", || beginnings(&daemon) == 1);
    let answer = stop.join().unwrap();
    assert_eq!(answer.headers["connection"], "close", "what was kept open is not used again");
    assert_stopped(answer);
    daemon.clean_up();
}

/// What is asked on connections of its own while a handover waits for something that takes long.
fn assert_serves(daemon: &Daemon, name: &str) {
    let id = daemon.name(name);
    let path = format!("/containers/{id}");
    let begun = Instant::now();
    for _ in 0..5 {
        ask(connect(daemon));
    }
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    daemon.client.put(&format!("{path}/process"), &json!({ "args": ["sleep", "100"] })).expect(200);
    daemon.client.get(&format!("{path}/wait?timeout=1")).expect(200);
    daemon.client.delete(&format!("{path}?force=true")).expect(204);
    // A third of what a handover waits, on a busy host too.
    assert!(begun.elapsed() < Duration::from_secs(10), "kept waiting for {:?}", begun.elapsed());
}

#[test]
fn what_takes_long_keeps_nobody_else_waiting_and_the_new_program_comes_once_it_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::of_program(&install(folder.path()));
    let id = daemon.name("a");
    let stop = long_stop(&daemon, &id, 600);
    let followed = follow(&daemon, "/events", "");
    handing_over(&daemon);
    assert_serves(&daemon, "b");
    assert!(!stop.is_finished() && beginnings(&daemon) == 0);
    daemon.client.patch(&format!("/containers/{id}"), &json!({ "signal": 9 })).expect(200);
    assert_stopped(stop.join().unwrap());
    eventually("it is replaced", || beginnings(&daemon) == 1);
    whole_body(followed);
    daemon.clean_up();
}

#[test]
fn who_reads_an_archive_slowly_keeps_nobody_else_waiting_and_has_it_whole() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::of_program(&install(folder.path()));
    let id = daemon.name("a");
    // More than sockets hold.
    let bundle = Bundle::python(
        "import os, time\nheld = os.urandom(64 << 20)\nprint('held', flush=True)\ntime.sleep(1000)",
    );
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it holds its memory", || daemon.output(&id).contains("held"));
    daemon.client.post(&format!("/containers/{id}/checkpoint/one"), &json!({ "exit": true })).expect(201);
    let mut archive = daemon.client.stream(&format!("/containers/{id}/checkpoint/one/archive"));
    archive.read_exact(&mut [0; 512]).unwrap();
    // Its first bytes are here: from now on it is as long under way as nobody reads.
    handing_over(&daemon);
    assert_serves(&daemon, "b");
    assert_eq!(beginnings(&daemon), 0);
    let length = std::io::copy(&mut archive, &mut std::io::sink()).unwrap();
    assert!(length > 64 << 20, "{length}");
    eventually("it is replaced", || beginnings(&daemon) == 1);
    daemon.clean_up();
}

/// Half a minute: as long as a handover waits.
#[test]
fn what_takes_too_long_is_finished_by_the_program_that_began_it() {
    let folder = tempfile::tempdir().unwrap();
    let daemon = Daemon::of_program(&install(folder.path()));
    let id = daemon.name("a");
    let stop = long_stop(&daemon, &id, 40);
    handing_over(&daemon);
    ask(connect(&daemon));
    eventually_within(40, "it says that it was not replaced", || daemon.log().contains("still open"));
    assert!(daemon.log().contains("serving goes on"), "{}", daemon.log());
    assert_eq!(beginnings(&daemon), 0);
    assert!(!stop.is_finished());
    // Waits are waited again, and what is new is begun.
    let wait = daemon.client.get(&format!("/containers/{id}/wait?timeout=1")).expect(200).json();
    assert_eq!(wait["state"]["status"], "running");
    daemon.start_container(&daemon.name("b"), &Bundle::sleeper().start()).expect(201);
    assert_stopped(stop.join().unwrap());
    replace(&daemon);
    daemon.clean_up();
}

#[test]
fn who_has_connected_may_take_a_second_to_ask() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    let mut late = connect(&daemon);
    // Accepted after it, and so it is accepted too.
    daemon.client.get("/healthz").expect(200);
    handing_over(&daemon);
    std::thread::sleep(Duration::from_secs(1));
    let body = json!({ "args": ["sleep", "100"] }).to_string();
    let head =
        format!("PUT /containers/{id}/process HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}", body.len());
    late.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    eventually("then it is replaced", || beginnings(&daemon) == 1);
    daemon.clean_up();
}

/// What runs finishes, followers are closed properly, containers stay; whoever comes meanwhile is told so, or reads.
#[test]
fn a_daemon_that_is_to_end_refuses_changes_in_words_and_answers_what_it_has_begun() {
    let mut daemon = Daemon::start();
    let (id, stays) = (daemon.name("a"), daemon.name("stays"));
    daemon.start_container(&stays, &Bundle::script("echo hello; sleep 1000").start()).expect(201);
    let stop = long_stop(&daemon, &id, 25);
    let deaf = daemon.init_pid(&id);
    let events = follow(&daemon, "/events?since=0", "");
    let lines = follow(&daemon, &format!("/containers/{stays}/logs?follow=true"), "");
    let (client, path) = (daemon.client.clone(), format!("/containers/{stays}/wait"));
    let wait = std::thread::spawn(move || client.get(&path));
    std::thread::sleep(Duration::from_millis(200));
    daemon.terminate();
    eventually("it ends", || daemon.log().contains("ending"));
    assert!(whole_body(events).contains("start"));
    assert_eq!(whole_body(lines), "hello\n");
    let refused = |answer: &Answer| {
        answer.problem(503, "shutting-down");
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(answer.headers["connection"], "close");
    };
    refused(&wait.join().unwrap());
    let path = format!("/containers/{stays}");
    for _ in 0..3 {
        refused(&daemon.start_container(&daemon.name("new"), &Bundle::sleeper().start()));
        refused(&daemon.client.patch(&path, &json!({ "status": "paused" })));
        refused(&daemon.client.keyed("k", "DELETE", &format!("{path}?force=true"), &json!(null)));
        assert_eq!(daemon.status(&stays), "running", "what is can be read");
    }
    ask(unix_to(&daemon.state_folder().join("containerd-rest.sock")));
    assert!(!stop.is_finished());
    kill(Pid::from_raw(deaf), Signal::SIGKILL).unwrap();
    assert_stopped(stop.join().unwrap());
    eventually("it has ended", || daemon.ended().is_some());
    assert!(daemon.ended().unwrap().success());
    assert!(!daemon.state_folder().join("containerd-rest.sock").exists());
    let daemon = daemon.crash_and_restart_after(|| {});
    assert_eq!(daemon.status(&stays), "running");
    daemon.client.keyed("k", "DELETE", &format!("{path}?force=true"), &json!(null)).expect(204);
    daemon.clean_up();
}

#[test]
fn who_asks_to_stop_while_it_hands_over_is_obeyed_and_what_is_under_way_is_answered() {
    let mut daemon = Daemon::start();
    let stop = long_stop(&daemon, &daemon.name("a"), 2);
    handing_over(&daemon);
    daemon.terminate();
    assert_stopped(stop.join().unwrap());
    eventually("it ends", || daemon.ended().is_some());
    assert!(daemon.ended().unwrap().success());
    assert_eq!(beginnings(&daemon), 0);
    assert!(!daemon.state_folder().join("containerd-rest.sock").exists());
    // With another daemon, for its container to be deleted.
    daemon.crash_and_restart_after(|| {}).clean_up();
}

#[test]
fn whenever_it_is_asked_to_stop_while_it_is_replaced_it_does() {
    for delay in (0..600).step_by(30) {
        let mut daemon = Daemon::start();
        daemon.hang_up();
        std::thread::sleep(Duration::from_millis(delay));
        daemon.terminate();
        eventually(&format!("{delay} ms after SIGHUP it ends"), || daemon.ended().is_some());
    }
}

#[test]
fn a_link_that_is_switched_leads_to_the_new_program() {
    let folder = tempfile::tempdir().unwrap();
    let [older, newer] = ["older", "newer"].map(|name| folder.path().join(name));
    for version in [&older, &newer] {
        fs::create_dir(version).unwrap();
        install(version);
    }
    let current = folder.path().join("current");
    symlink(&older, &current).unwrap();
    let daemon = Daemon::of_program(&current.join("containerd-rest"));
    let runs = || fs::read_link(format!("/proc/{}/exe", daemon.pid())).unwrap();
    assert_eq!(runs(), older.join("containerd-rest"));
    symlink(&newer, folder.path().join("next")).unwrap();
    fs::rename(folder.path().join("next"), &current).unwrap();
    for _ in 0..2 {
        replace(&daemon);
        assert_eq!(runs(), newer.join("containerd-rest"));
    }
    daemon.clean_up();
}

#[test]
fn started_with_nohup_it_does_not_heed_a_hangup() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("start");
    let text = format!("#!/bin/sh\ntrap '' HUP\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_containerd-rest"));
    host::install_script(&script, &text);
    let daemon = Daemon::of_program(&script);
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    let has = |set: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix(set)).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
    };
    assert_eq!((has("SigIgn:"), has("SigCgt:")), (true, false));
}

#[test]
fn what_is_ours_stays_ours_and_is_removed_at_the_end_of_the_last_program() {
    let mut daemon = Daemon::start();
    let path = daemon.state_folder().join("containerd-rest.sock");
    replace(&daemon);
    replace(&daemon);
    ask(unix_to(&path));
    // Where an operator reads whom to signal.
    let pid = fs::read_to_string(daemon.state_folder().join("lock")).unwrap();
    assert_eq!(pid.trim(), daemon.pid().to_string());
    // The locks are held by the program that serves: a second one is refused.
    assert!(!command(daemon.folder(), &[]).output().unwrap().status.success());
    daemon.terminate();
    eventually("it ends", || daemon.ended().is_some());
    assert!(daemon.ended().unwrap().success() && !path.exists());
}

#[test]
fn who_follows_a_log_or_reads_server_sent_events_goes_on_without_loss() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done");
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let mut lines: Vec<(String, u64)> = Vec::new();
    let mut since = String::new();
    for _ in 0..3 {
        let stream =
            follow(&daemon, &format!("/containers/{id}/logs?follow=true&timestamps=true{since}"), "");
        std::thread::sleep(Duration::from_millis(200));
        replace(&daemon);
        for line in whole_body(stream).lines() {
            let (at, number) = line.split_once(' ').unwrap();
            let line = (at.to_owned(), number.parse().unwrap());
            // The last instant is asked for again: what is known of it is passed over.
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        since = format!("&since={}", lines.last().unwrap().0);
    }
    let numbers: Vec<u64> = lines.into_iter().map(|(_, number)| number).collect();
    assert!(numbers.len() > 20);
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "each line once");

    let sse = "accept: text/event-stream\r\n";
    let stream = follow(&daemon, &format!("/events?id={id}&since=0"), sse);
    replace(&daemon);
    let told = whole_body(stream);
    assert!(told.contains("event: start") && !told.contains("event: delete"), "{told}");
    let last = told.lines().rfind(|line| line.starts_with("id: ")).unwrap().trim_start_matches("id: ");
    daemon.client.delete(&format!("/containers/{id}?force=true")).expect(204);
    let path = format!("/events?id={id}&follow=false");
    let told = whole_body(follow(&daemon, &path, &format!("{sse}last-event-id: {last}\r\n")));
    let kinds: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(kinds, ["exit", "delete"]);
    daemon.assert_nothing_left();
}

#[test]
fn shims_of_the_programs_before_leave_no_zombie_when_they_end() {
    let daemon = Daemon::start();
    let names: Vec<String> = (0..4).map(|number| daemon.name(&number.to_string())).collect();
    for (id, replaced) in names.iter().zip([false, true, false, true]) {
        daemon.start_container(id, &Bundle::sleeper().start()).expect(201);
        if replaced {
            replace(&daemon);
        }
    }
    assert_eq!(children(daemon.pid()).len(), 4, "the shims");
    for id in &names {
        kill(Pid::from_raw(daemon.init_pid(id)), Signal::SIGKILL).unwrap();
        daemon.await_status(id, "stopped");
    }
    // What the daemon starts itself meanwhile is still its own to reap: with its status.
    daemon.start_container(&daemon.name("b"), &Bundle::sleeper().start()).expect(201);
    daemon.clean_up();
    eventually("no child is left, dead or alive", || children(daemon.pid()).is_empty());
}

/// Of all its threads; zombies too.
fn children(pid: u32) -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    };
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|child| parent(*child) == Some(pid))
        .collect()
}

fn connect(daemon: &Daemon) -> TcpStream {
    tcp_to(daemon.client.base.trim_start_matches("http://").parse().unwrap())
}

pub(crate) fn tcp_to(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn unix_to(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A stream with everything up to the end of its head read.
fn follow(daemon: &Daemon, path: &str, headers: &str) -> BufReader<TcpStream> {
    let stream = connect(daemon);
    write!(&stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n").unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "{path}: no answer");
    }
    stream
}

/// A chunked body, which must have its last chunk.
fn whole_body(mut stream: impl BufRead) -> String {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        stream.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).expect("the body is cut off");
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).expect("the body is cut off");
        if size == 0 {
            return String::from_utf8(body).unwrap();
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

pub(crate) fn ask(mut stream: impl Read + Write) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
