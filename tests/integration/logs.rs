//! What a container writes, read back: whole, in order, across a crash of the daemon and a rotation.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bundle::Bundle;
use crate::support::daemon::Daemon;
use crate::support::eventually;

#[test]
fn output_is_read_as_it_was_written_or_line_by_line_for_a_program() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("echo one; echo two >&2; printf 'three without an end'; sleep 1000");
    let id = daemon.name("a");
    let path = format!("/containers/{id}/logs");
    daemon.client.get(&path).problem(404, "container-not-found");
    daemon.start_container(&id, &bundle.start()).expect(201);
    eventually("it has spoken", || daemon.client.get(&path).expect(200).body.contains("two"));
    assert_eq!(daemon.client.get(&format!("{path}?stderr=false")).expect(200).body, "one\n");
    assert_eq!(daemon.client.get(&format!("{path}?stdout=false")).expect(200).body, "two\n");
    assert_eq!(daemon.client.get(&format!("{path}?tail=0")).expect(200).body, "");
    let stamped = daemon.client.get(&format!("{path}?stdout=false&timestamps=true")).expect(200).body;
    let (time, text) = stamped.split_once(' ').unwrap();
    assert!(time.ends_with('Z') && text == "two\n", "{stamped}");
    assert_eq!(daemon.client.get(&format!("{path}?since={time}&stdout=false")).expect(200).body, "two\n");
    assert_eq!(daemon.client.get(&format!("{path}?since=2999-01-01T00:00:00Z")).expect(200).body, "");

    daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
    let text = daemon.client.get(&path).expect(200).body;
    assert!(text.ends_with("three without an end\n"), "its last words are kept: {text}");
    let lines = daemon.client.get_as(&path, "application/x-ndjson").expect(200).body;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut streams = BTreeMap::new();
    for line in &lines {
        streams
            .entry(line["stream"].as_str().unwrap())
            .or_insert_with(Vec::new)
            .push(line["text"].as_str().unwrap());
    }
    assert_eq!(streams["stdout"], ["one", "three without an end"]);
    assert_eq!(streams["stderr"], ["two"]);

    for (query, pointer) in [
        ("tail=-1", "/query/tail"),
        ("tail=x", "/query/tail"),
        ("since=yesterday", "/query/since"),
        ("follow=1", "/query/follow"),
        ("fellow=true", "/query/fellow"),
    ] {
        let problem = daemon.client.get(&format!("{path}?{query}")).problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["location"], pointer);
    }
    daemon.clean_up();
}

#[test]
fn a_follower_reads_what_comes_and_ends_with_the_container() {
    let daemon = Daemon::start();
    let bundle =
        Bundle::script("i=0; while ! test -e /tmp/end; do i=$((i+1)); echo $i; sleep 0.01; done; echo last")
            .with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let reader = daemon.client.stream(&format!("/containers/{id}/logs?follow=true"));
    let reading =
        std::thread::spawn(move || BufReader::new(reader).lines().map(Result::unwrap).collect::<Vec<_>>());
    std::thread::sleep(Duration::from_millis(300));
    std::fs::write(bundle.shared().join("end"), "").unwrap();
    let lines = reading.join().unwrap();
    let (last, numbers) = lines.split_last().unwrap();
    assert_eq!(last, "last");
    let expected: Vec<String> = (1..=numbers.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    assert!(numbers.len() > 5);
    daemon.clean_up();
}

/// 1,000 lines a second from each of 20 containers, for so long (`LINES_SECONDS`, 3; a minute in `make faults`), with
/// five kills.
#[test]
fn every_line_is_kept_once_while_the_daemon_is_killed_again_and_again() {
    let seconds: u64 = std::env::var("LINES_SECONDS").map_or(3, |text| text.parse().unwrap());
    let lines = seconds * 1000;
    let mut daemon = Daemon::start();
    let bundle = Bundle::script(&format!(
        "i=1; while test $i -le {lines}; do echo $i; test $((i % 100)) = 0 && sleep 0.1; i=$((i+1)); done; exit 9"
    ));
    let names: Vec<String> = (0..20).map(|number| daemon.name(&format!("n{number}"))).collect();
    for id in &names {
        daemon.start_container(id, &bundle.start()).expect(201);
    }
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(seconds * 1000 / 6));
        daemon = daemon.crash_and_restart_after(|| std::thread::sleep(Duration::from_millis(30)));
    }
    for id in &names {
        let limit = 60 + 4 * seconds;
        let ended = daemon.client.get(&format!("/containers/{id}/wait?timeout={limit}")).expect(200).json();
        assert_eq!(ended["state"]["exitStatus"], json!(9));
        let reader = daemon.client.stream(&format!("/containers/{id}/logs"));
        let mut count = 0;
        for (line, number) in BufReader::new(reader).lines().zip(1..) {
            assert_eq!(line.unwrap(), number.to_string(), "{id}");
            count = number;
        }
        assert_eq!(count, lines, "{id}");
    }
    daemon.clean_up();
}

#[test]
fn a_log_that_grows_past_its_size_is_rotated_and_read_across_both_files() {
    let daemon = Daemon::start();
    // 40 MiB in lines of 1 KiB, each with its number.
    let bundle = Bundle::script("yes $(head -c 1000 /dev/zero | tr '\\0' x) | head -n 40000; echo last");
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let ended = daemon.client.get(&format!("/containers/{id}/wait?timeout=60")).expect(200).json();
    assert_eq!(ended["state"]["exitStatus"], json!(0));
    let folder = daemon.root_folder().join("containers").join(&id).join("run-1");
    let sizes = ["log", "log.1"].map(|name| std::fs::metadata(folder.join(name)).unwrap().len());
    assert!(sizes.iter().all(|size| *size < 17 * 1024 * 1024), "{sizes:?}");
    let reader = daemon.client.stream(&format!("/containers/{id}/logs"));
    let mut count = 0;
    let mut last = String::new();
    for line in BufReader::new(reader).lines() {
        last = line.unwrap();
        count += 1;
    }
    assert_eq!(last, "last");
    assert!(count > 16_000, "{count} lines of two files");
    assert_eq!(daemon.client.get(&format!("/containers/{id}/logs?tail=1")).expect(200).body, "last\n");
    daemon.clean_up();
}

#[test]
fn a_follower_ends_with_the_run_it_follows_though_the_name_is_started_again_at_once() {
    let daemon = Daemon::start();
    let bundle = Bundle::script("echo hello; sleep 1000");
    let id = daemon.name("a");
    for _ in 0..4 {
        daemon.start_container(&id, &bundle.start()).expect(201);
        let reader = daemon.client.stream(&format!("/containers/{id}/logs?follow=true"));
        let mut lines = BufReader::new(reader).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "hello");
        daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
        daemon.start_container(&id, &bundle.start()).expect(201);
        assert!(lines.next().is_none(), "the run that was followed has ended");
        daemon.client.post(&format!("/containers/{id}/stop"), &json!({ "timeout": 0 })).expect(200);
    }
    daemon.clean_up();
}

/// A long line is kept in pieces: they are one line to who counts lines or reads text, and nobody else's words come
/// into it.
#[test]
fn a_long_line_is_one_line_and_the_other_stream_does_not_come_into_it() {
    let daemon = Daemon::start();
    let long = "head -c 40000 /dev/zero | tr '\\0' x";
    let bundle = Bundle::script(&format!(
        "echo first; {long}; sleep 0.3; echo other >&2; sleep 0.3; {long}; echo; echo last; sleep 1000"
    ));
    let id = daemon.name("a");
    let path = format!("/containers/{id}/logs");
    daemon.start_container(&id, &bundle.start()).expect(201);
    let get = |query: &str| daemon.client.get(&format!("{path}?{query}")).expect(200).body;
    eventually("it has spoken", || get("tail=1") == "last\n");
    let x = |count: usize| "x".repeat(count);
    // 80,000 in pieces of 16,384; the other's word comes behind the second.
    let broken = [x(2 * 16384), "other".to_owned(), x(80000 - 2 * 16384)];
    assert_eq!(
        get("").lines().collect::<Vec<_>>(),
        [&["first".to_owned()], &broken[..], &["last".to_owned()]].concat()
    );
    assert_eq!(get("stderr=false&tail=2"), format!("{}\nlast\n", x(80000)));
    let stamped = get("stderr=false&tail=2&timestamps=true");
    let lines: Vec<&str> = stamped.lines().collect();
    assert_eq!((lines.len(), lines[0].split_once(' ').unwrap().1), (2, x(80000).as_str()));
    daemon.clean_up();
}

#[test]
fn a_follower_that_is_too_slow_is_told_that_lines_are_missing() {
    let daemon = Daemon::start();
    let bundle =
        Bundle::script("while ! test -e /tmp/go; do sleep 0.01; done; yes $(head -c 1000 /dev/zero | tr '\\0' x) | head -n 90000; echo last")
            .with_shared();
    let id = daemon.name("a");
    daemon.start_container(&id, &bundle.start()).expect(201);
    // Nothing is read of them until all is written.
    let path = format!("/containers/{id}/logs?follow=true");
    let (text, json) = (daemon.client.stream(&path), daemon.client.stream_as(&path, "application/x-ndjson"));
    std::fs::write(bundle.shared().join("go"), "").unwrap();
    daemon.client.get(&format!("/containers/{id}/wait?timeout=60")).expect(200);
    let lines: Vec<String> = BufReader::new(text).lines().map(Result::unwrap).collect();
    assert_eq!(lines.iter().filter(|line| line.contains("lines are missing here")).count(), 1);
    assert!(lines.len() < 90_000 && lines.last().unwrap() == "last");
    let lines: Vec<Value> =
        BufReader::new(json).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line["missed"] == true).count(), 1);
    daemon.clean_up();
}
