//! Nobody has so much of the daemon that nothing is left for others: who has too much is told so, or goes, and who
//! asks for little is answered all the while.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::support::bundle::Bundle;
use crate::support::client::{Answer, Client};
use crate::support::daemon::Daemon;
use crate::support::host::as_user;
use crate::support::runtime::Runtime;
use crate::support::{eventually, eventually_within, raw};

const NOBODY: u32 = 65534;
/// They and others, for `--allow-user`.
const ALLOWED: &str = "65534,65533,65532,65531";

/// Whether the daemon has ended it.
fn has_ended(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut portion = [0; 4096];
    match stream.read(&mut portion) {
        Ok(read) => read == 0,
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}

/// A connection with an answer on it that stays open; only its status is read.
fn following(client: &Client, path: &str) -> (TcpStream, String) {
    let mut stream = raw::connect(client);
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    (stream, String::from_utf8_lossy(&head[9..]).into_owned())
}

#[test]
fn connections_of_which_nothing_is_asked_make_room_for_those_that_ask() {
    let daemon = Daemon::with(&["--max-connections", "8"]);
    let (mut watched, status) = following(&daemon.client, "/events");
    assert_eq!(status, "200");
    let mut idle: Vec<TcpStream> = (0..40).map(|_| raw::connect(&daemon.client)).collect();
    // Some have said half a sentence.
    for stream in &mut idle {
        let _ = stream.write_all(b"GET /state HTTP/1.1\r\nHo");
    }
    raw::send(&daemon.client, "GET", "/state", "").expect(200);
    eventually("all but a few have gone", || {
        idle.iter_mut().map(has_ended).filter(|ended| !ended).count() < 8
    });
    assert!(!has_ended(&mut watched), "what was asked for is not cut off");
}

#[test]
fn one_user_has_no_more_than_their_share_and_root_is_kept_out_by_nobody() {
    let allowed = ["--allow-user", "65534", "--allow-user", "65533"];
    let limits = ["--max-connections", "8", "--max-connections-per-user", "4"];
    let daemon = Daemon::with(&[&allowed[..], &limits].concat());
    let open = |user| as_user(user, || following(&daemon.client, "/events"));
    let theirs: Vec<_> = (0..4).map(|_| open(NOBODY)).collect();
    assert!(theirs.iter().all(|(_, status)| status == "200"));
    let answer = as_user(NOBODY, || raw::send(&daemon.client, "GET", "/state", ""));
    let problem = answer.problem(429, "too-many-connections");
    assert!(problem["detail"].as_str().unwrap().contains("you have 4"), "{problem}");

    let others: Vec<_> = (0..2).map(|_| open(65533)).collect();
    assert!(others.iter().all(|(_, status)| status == "200"));
    let answer = as_user(65533, || raw::send(&daemon.client, "GET", "/state", ""));
    let problem = answer.problem(429, "too-many-connections");
    assert!(problem["detail"].as_str().unwrap().contains("there are 6"), "{problem}");
    raw::send(&daemon.client, "GET", "/state", "").expect(200);

    drop((theirs, others));
    eventually("there is room again", || {
        as_user(NOBODY, || raw::send(&daemon.client, "GET", "/state", "")).status == 200
    });
}

#[test]
fn a_head_that_comes_too_slowly_is_not_waited_for() {
    let daemon = Daemon::with(&["--head-timeout", "1"]);
    let mut slow: Vec<TcpStream> = (0..30).map(|_| raw::connect(&daemon.client)).collect();
    eventually("all have gone", || {
        for stream in &mut slow {
            let _ = stream.write_all(b"X");
        }
        raw::send(&daemon.client, "GET", "/state", "").expect(200);
        slow.iter_mut().all(has_ended)
    });
    let mut silent = raw::connect(&daemon.client);
    eventually("one that says nothing has gone", || has_ended(&mut silent));
}

#[test]
fn a_head_that_is_too_large_is_refused_and_its_sender_reads_so() {
    let daemon = Daemon::start();
    let mut stream = raw::connect(&daemon.client);
    let begin = format!("GET /state HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(1 << 20));
    stream.write_all(begin.as_bytes()).unwrap();
    // It is refused by now.
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..2 {
        stream.write_all("x".repeat(1 << 20).as_bytes()).expect("what comes still is thrown away");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    raw::send(&daemon.client, "GET", "/state", "").expect(200);
}

#[test]
fn who_reads_nothing_of_what_they_asked_for_is_let_go() {
    let daemon = Daemon::with(&["--stall-timeout", "1", "--max-streams-per-caller", "1"]);
    let id = daemon.name("a");
    let bundle =
        Bundle::script("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let (_deaf, status) = following(&daemon.client, &format!("/containers/{id}/logs?follow=true"));
    assert_eq!(status, "200");
    let problem = daemon.client.get("/events?follow=false").problem(429, "too-many-streams");
    assert!(problem["detail"].as_str().unwrap().contains("the user 0 has 1"), "{problem}");
    daemon.client.get("/state").expect(200);
    eventually_within(30, "its place is free", || daemon.client.get("/events?follow=false").status == 200);
    daemon.clean_up();
}

#[test]
fn who_follows_as_much_as_one_may_is_told_until_they_hang_up() {
    let daemon = Daemon::with(&["--max-streams-per-caller", "2"]);
    let id = daemon.name("a");
    daemon.start_container(&id, &Bundle::sleeper().start()).expect(201);
    let open = [
        following(&daemon.client, "/events"),
        following(&daemon.client, &format!("/containers/{id}/logs?follow=true")),
    ];
    assert!(open.iter().all(|(_, status)| status == "200"));
    for path in ["/events", &format!("/containers/{id}/wait"), &format!("/containers/{id}/logs")] {
        let answer = daemon.client.get(path);
        answer.problem(429, "too-many-streams");
        assert!(answer.headers.contains_key("retry-after"));
    }
    daemon.client.get(&format!("/containers/{id}")).expect(200);
    drop(open);
    eventually("there is room", || daemon.client.get(&format!("/containers/{id}/logs")).status == 200);
    daemon.clean_up();
}

#[test]
fn bodies_that_do_not_come_leave_no_room_for_others_only_while_they_are_awaited() {
    let daemon = Daemon::with(&["--max-bodies-size", "1"]);
    let path = format!("/containers/{}", daemon.name("a"));
    let part = format!("{}{{{}", raw::head("POST", &path, 1_000_000), " ".repeat(900_000));
    let body = format!("{{{}}}", " ".repeat(300_000));
    let mut slow = raw::connect(&daemon.client);
    eventually("it is told", || {
        // Of two that come at once either may be the one too many.
        slow = raw::connect(&daemon.client);
        slow.write_all(part.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        raw::send(&daemon.client, "POST", &path, &body).status == 503
    });
    let answer = raw::send(&daemon.client, "POST", &path, &body);
    answer.problem(503, "too-many-bodies");
    assert!(answer.headers.contains_key("retry-after"));
    raw::send(&daemon.client, "POST", &path, "{}").problem(422, "invalid-request");
    drop(slow);
    eventually("there is room", || raw::send(&daemon.client, "POST", &path, &body).status == 422);
    daemon.clean_up();
}

#[test]
fn a_start_too_many_is_refused_and_not_kept_waiting() {
    let runtime = Runtime::new();
    let path = runtime.path();
    let limits = ["--max-starts", "1", "--runtime-timeout", "5"];
    let daemon = Daemon::with(&[&["--runtime", path.to_str().unwrap()][..], &limits].concat());
    let (bundle, second) = (Bundle::sleeper(), daemon.name("b"));
    runtime.fall_ill("run", "hang");
    let (client, path, body) =
        (daemon.client.clone(), format!("/containers/{}", daemon.name("a")), bundle.start());
    let first = std::thread::spawn(move || client.post(&path, &body));
    eventually("the first is under way", || runtime.is_at_work(&daemon));
    daemon.start_container(&second, &bundle.start()).problem(503, "too-many-starts");
    daemon.client.get("/state").expect(200);
    first.join().unwrap().problem(504, "runtime-timeout");
    runtime.heal("run");
    daemon.start_container(&second, &bundle.start()).expect(201);
    daemon.clean_up();
}

/// Of each there is a quarter, at least one, that is root's alone, and one other has at most a half of the rest.
#[test]
fn who_sends_bodies_slowly_leaves_room_for_those_of_others_and_of_root() {
    let daemon = Daemon::with(&["--max-bodies-size", "4", "--allow-user", ALLOWED]);
    let path = format!("/containers/{}", daemon.name("a"));
    let part = format!("{}{{{}", raw::head("POST", &path, 1_000_000), " ".repeat(990_000));
    let body = format!("{{{}}}", " ".repeat(700_000));
    let slow = |user| {
        let mut stream = as_user(user, || raw::connect(&daemon.client));
        stream.write_all(part.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        stream
    };
    let ask = |user| as_user(user, || raw::send(&daemon.client, "POST", &path, &body));
    let told = |user, why| {
        eventually("it is told", || ask(user).status == 503);
        let problem = ask(user).problem(503, "too-many-bodies");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    };
    let mut all = vec![slow(NOBODY)];
    told(NOBODY, "the user 65534 may have 1572864 at once");
    ask(65533).problem(422, "invalid-request");
    all.extend([slow(65533), slow(65532)]);
    told(65531, "all who are not root may have 3145728 at once");
    ask(0).problem(422, "invalid-request");
    drop(all);
    eventually("there is room", || ask(65531).status == 422);
}

/// A daemon whose starts hang, for eight seconds at most, four at once.
fn hanging(limits: &[&str]) -> (Runtime, Daemon) {
    let runtime = Runtime::new();
    let path = runtime.path();
    let usual = ["--runtime", path.to_str().unwrap(), "--starts", "4", "--runtime-timeout", "8"];
    let daemon = Daemon::with(&[&usual[..], &["--allow-user", ALLOWED], limits].concat());
    runtime.fall_ill("run", "hang");
    (runtime, daemon)
}

fn start_as(user: u32, daemon: &Daemon, bundle: &Bundle, name: &str) -> Answer {
    let (path, body) = (format!("/containers/{}", daemon.name(name)), bundle.start().to_string());
    as_user(user, || raw::send(&daemon.client, "POST", &path, &body))
}

/// Whether a start has its turn.
fn is_begun(daemon: &Daemon, name: &str) -> bool {
    daemon.state_folder().join("containers").join(daemon.name(name)).exists()
}

#[test]
fn whose_starts_hang_leaves_others_and_root_theirs() {
    let (runtime, daemon) = hanging(&["--max-starts", "4"]);
    let bundle = Bundle::sleeper();
    let start = |user, name: &str| start_as(user, &daemon, &bundle, name);
    std::thread::scope(|scope| {
        let hangs = |user, name: &'static str| {
            let start = &start;
            let begun = scope.spawn(move || start(user, name).problem(504, "runtime-timeout"));
            eventually("it is under way", || is_begun(&daemon, name));
            begun
        };
        let told = |user, name, why| {
            let problem = start(user, name).problem(503, "too-many-starts");
            assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
        };
        let mut all = vec![hangs(NOBODY, "a")];
        told(NOBODY, "b", "the user 65534 may have 1 at once");
        all.extend([hangs(65533, "c"), hangs(65532, "d")]);
        told(65531, "e", "all who are not root may have 3 at once");
        all.push(hangs(0, "f"));
        told(0, "g", "there may be 4 at once");
        for one in all {
            one.join().unwrap();
        }
    });
    runtime.heal("run");
    daemon.clean_up();
}

#[test]
fn whose_starts_hang_leave_root_a_turn_however_many_wait() {
    let (runtime, daemon) = hanging(&[]);
    let bundle = Bundle::sleeper();
    let start = |user, name: &str| start_as(user, &daemon, &bundle, name);
    let is_begun = |name: &str| is_begun(&daemon, name);
    std::thread::scope(|scope| {
        let start = &start;
        let theirs = ["a", "b", "c", "d"];
        let all: Vec<_> = theirs.map(|name| scope.spawn(move || start(NOBODY, name))).into();
        eventually("three hang", || runtime.hanging(&daemon) == 3);
        // Those that hang go on to: only who calls it from now on is served.
        runtime.heal("run");
        start(0, "root").expect(201);
        assert_eq!(theirs.iter().filter(|name| is_begun(name)).count(), 3, "the others hang still");
        for one in all {
            one.join().unwrap();
        }
    });
    daemon.clean_up();
}

#[test]
fn whose_archives_do_not_come_leaves_others_and_root_theirs() {
    let daemon = Daemon::with(&["--allow-user", ALLOWED]);
    let id = daemon.name("a");
    let bundle = Bundle::sleeper();
    daemon.start_container(&id, &bundle.start()).expect(201);
    let path = |name: &str| format!("/containers/{id}/checkpoint/{name}/archive");
    let stalled = |user, name: &str| {
        let mut stream = as_user(user, || raw::connect(&daemon.client));
        stream.write_all(format!("{}x", raw::head("PUT", &path(name), 100)).as_bytes()).unwrap();
        let hidden = bundle.path().join(format!("checkpoints/.{name}.import"));
        eventually("it has begun", || hidden.exists());
        stream
    };
    let ask = |user| as_user(user, || raw::send(&daemon.client, "PUT", &path("z"), "nonsense"));
    let told = |user, why| {
        let problem = ask(user).problem(503, "archives-busy");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    };
    let mut all = ["a", "b", "c"].map(|name| stalled(NOBODY, name)).into_iter().collect::<Vec<_>>();
    told(NOBODY, "the user 65534 may have 3 at once");
    all.extend(["d", "e", "f"].map(|name| stalled(65533, name)));
    told(65532, "all who are not root may have 6 at once");
    ask(0).problem(400, "archive-cut-off");
    drop(all);
    ask(65532).problem(400, "archive-cut-off");
    daemon.clean_up();
}

#[test]
fn the_last_quarter_of_containers_is_roots_after_a_restart_too() {
    let daemon = Daemon::with(&["--max-containers", "2", "--allow-user", ALLOWED]);
    let bundle = Bundle::sleeper();
    let start = |daemon: &Daemon, user: u32, name: &str| {
        let (path, body) = (format!("/containers/{}", daemon.name(name)), bundle.start().to_string());
        as_user(user, || raw::send(&daemon.client, "POST", &path, &body))
    };
    start(&daemon, NOBODY, "a").expect(201);
    let refused = |daemon: &Daemon| {
        let problem = start(daemon, NOBODY, "b").problem(503, "too-many-containers");
        assert!(problem["detail"].as_str().unwrap().contains("what is left is root's"), "{problem}");
    };
    refused(&daemon);
    let daemon = daemon.crash_and_restart_after(|| {});
    refused(&daemon);
    start(&daemon, 0, "c").expect(201);
    start(&daemon, 0, "d").problem(503, "too-many-containers");
    daemon.clean_up();
}

#[test]
fn a_container_too_many_is_refused_until_one_is_deleted() {
    let daemon = Daemon::with(&["--max-containers", "1"]);
    let (first, second) = (daemon.name("a"), daemon.name("b"));
    let bundle = Bundle::sleeper();
    daemon.start_container(&first, &bundle.start()).expect(201);
    let refused = || daemon.start_container(&second, &bundle.start()).problem(503, "too-many-containers");
    refused();
    daemon.client.post(&format!("/containers/{first}/stop"), &json!({ "timeout": 0 })).expect(200);
    refused();
    daemon.start_container(&first, &bundle.start()).expect(201);
    daemon.client.delete(&format!("/containers/{first}?force=true")).expect(204);
    daemon.start_container(&second, &bundle.start()).expect(201);
    daemon.clean_up();
}

#[test]
fn a_log_takes_no_more_of_the_disk_than_it_may() {
    let daemon = Daemon::with(&["--max-log-size", "1"]);
    let id = daemon.name("a");
    let bundle = Bundle::python("for i in range(100_000): print(i, 'x' * 50)\nprint('done')");
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.await_status(&id, "stopped");
    assert!(daemon.output(&id).contains("done"));
    let folder = fs::canonicalize(daemon.root_folder().join("containers").join(&id)).unwrap();
    let folder = fs::canonicalize(folder.join("log")).unwrap().parent().unwrap().to_owned();
    let sizes: Vec<u64> =
        ["log", "log.1"].iter().map(|name| fs::metadata(folder.join(name)).unwrap().len()).collect();
    assert!(sizes.iter().sum::<u64>() <= (1 << 20) + 4096, "{sizes:?}");
    daemon.clean_up();
}

#[test]
fn checkpoints_take_no_more_of_the_disk_than_they_may() {
    let daemon = Daemon::with(&["--max-checkpoints-size", "60"]);
    let id = daemon.name("a");
    let bundle = Bundle::subject("memory = bytearray(b'x' * 30_000_000)");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it has its memory", || daemon.output(&id).contains("ready"));
    let path = |name: &str| format!("/containers/{id}/checkpoint/{name}");
    daemon.client.post(&path("one"), &json!({})).expect(201);
    let problem = daemon.client.post(&path("two"), &json!({})).problem(507, "no-space");
    assert!(problem["remedy"].as_str().unwrap().contains("--max-checkpoints-size"), "{problem}");
    let archive = daemon.client.bytes(&format!("{}/archive?compression=zstd", path("one")), &[]).1;
    let import =
        || daemon.client.put_from(&format!("{}/archive", path("three")), &[], &mut archive.as_slice());
    import().problem(507, "no-space");
    daemon.client.delete(&path("one")).expect(200);
    import().expect(201);
    daemon.clean_up();
}
