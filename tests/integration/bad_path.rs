//! Requests whose target is wrong by itself: names that are none, pids, queries, paths and methods that are
//! not there.

use serde_json::json;

use crate::bad_input::{invalid, with_container};
use crate::support::bundle::Bundle;
use crate::support::client::Answer;
use crate::support::daemon::Daemon;
use crate::support::footprint::{Footprint, Refusal};
use crate::support::raw;

#[test]
fn a_name_of_the_wrong_form_is_refused_by_every_operation() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let (long, longer) = ("x".repeat(77), "x".repeat(129));
    let bad = [
        ".",
        "..",
        "%2e%2e",
        "-rf",
        "--force",
        ".hidden",
        "_a",
        "a%2Fb",
        "..%2F..%2Fetc",
        "%2Fetc",
        "a%5Cb",
        "a%20b",
        "a%00b",
        "a%0Ab",
        "%C3%A4",
        "%zz",
        "a:b",
        "a@b",
    ];
    let (start, update, signal) = (bundle.start().to_string(), r#"{"status": "paused"}"#, r#"{"signal": 9}"#);
    let exec = r#"{"args": ["true"]}"#;
    for name in bad.iter().copied().chain([long.as_str()]) {
        for (method, target, body) in [
            ("GET", format!("/containers/{name}"), ""),
            ("POST", format!("/containers/{name}"), start.as_str()),
            ("PATCH", format!("/containers/{name}"), update),
            ("DELETE", format!("/containers/{name}"), ""),
            ("DELETE", format!("/containers/{name}?force=true"), ""),
            ("PUT", format!("/containers/{name}/process"), exec),
            ("PUT", format!("/containers/{name}/processes"), exec),
            ("POST", format!("/containers/{name}/process/1"), signal),
            ("POST", format!("/containers/{name}/processes/1"), signal),
            ("GET", format!("/containers/{name}/checkpoint"), ""),
            ("POST", format!("/containers/{name}/checkpoint/c"), ""),
            ("DELETE", format!("/containers/{name}/checkpoint/c"), ""),
        ] {
            let situation = format!("the name {name}: {method} {target}");
            assert_refused_for(&daemon, &situation, "/path/id", method, &target, body);
        }
    }
    // What is not even UTF-8 has no place within the path.
    let not_utf8 = format!("/containers/{id}%FF");
    assert_refused_for(&daemon, "a name that is not UTF-8", "/path", "GET", &not_utf8, "");
    for name in bad.iter().copied().chain([longer.as_str()]) {
        let target = format!("/containers/{id}/checkpoint/{name}");
        for method in ["POST", "DELETE"] {
            let situation = format!("the checkpoint {name}: {method} {target}");
            assert_refused_for(&daemon, &situation, "/path/checkpoint", method, &target, "");
        }
    }
    footprint.assert_unchanged("names of a wrong form");
    for name in ["", "..", "../b", "a/b", "-c", &longer] {
        let body = json!({ "bundlePath": bundle.path(), "checkpoint": name });
        let free = format!("/containers/{}", daemon.name("free"));
        let situation = format!("restore from the checkpoint {name:?}");
        footprint.refuses(&invalid(&situation, "/body/checkpoint"), || daemon.client.post(&free, &body));
    }
    daemon.clean_up();
}

/// Sent raw: client libraries mend such targets.
#[track_caller]
fn assert_refused_for(daemon: &Daemon, situation: &str, at: &str, method: &str, target: &str, body: &str) {
    eprintln!("-- {situation}");
    let problem = raw::send(&daemon.client, method, target, body).problem(422, "invalid-request");
    assert_eq!(problem["errors"][0]["location"], at, "{situation}: {problem}");
}

#[test]
fn the_longest_name_is_a_name() {
    let (daemon, bundle) = (Daemon::start(), Bundle::sleeper());
    let id = daemon.name(&"x".repeat(76 - daemon.prefix.len()));
    daemon.start_container(&id, &bundle.start()).expect(201);
    daemon.client.put(&format!("/containers/{id}/process"), &json!({ "args": ["true"] })).expect(200);
    daemon.clean_up();
}

#[test]
fn a_pid_that_is_no_number_is_pointed_at() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    for pid in ["0", "-1", "init", "1.5", "4294967297", "99999999999999999999", "0x1", "%31x"] {
        let situation = format!("the pid {pid}");
        let path = format!("/containers/{id}/process/{pid}");
        footprint.refuses(&invalid(&situation, "/path/pid"), || {
            daemon.client.post(&path, &json!({ "signal": 9 }))
        });
    }
    for pid in ["2147483648", "init", "0"] {
        let problem =
            daemon.client.get(&format!("/containers/{id}/process/{pid}")).problem(422, "invalid-request");
        assert_eq!(problem["detail"], "/path/pid is no pid: a whole number from 1 to 2147483647");
    }
    daemon.clean_up();
}

#[test]
fn a_query_that_is_wrong_is_pointed_at() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    for query in ["force=maybe", "force=1", "force=", "force=true&force=false", "force=true&force=true"] {
        let path = format!("/containers/{id}?{query}");
        footprint.refuses(&invalid(query, "/query/force"), || daemon.client.delete(&path));
    }
    for (query, words) in [
        (format!("/containers/{id}/wait?timeout=x"), "timeout is no whole number from 0 to 86400"),
        (format!("/containers/{id}/wait?timeout=99999999999"), "timeout is no whole number from 0 to 86400"),
        (format!("/containers/{id}/checkpoint?limit=0"), "limit is no whole number from 1 to 1000000"),
        (format!("/containers/{id}/checkpoint-preflight?tcp=yes"), "tcp is neither true nor false"),
        (format!("/containers/{id}/logs?tail=1&tail=2"), "tail is given more than once"),
        ("/events?since=0&since=5&follow=false".to_owned(), "since is given more than once"),
        ("/events?since=0&%73ince=5&follow=false".to_owned(), "since is given more than once"),
    ] {
        let problem = daemon.client.get(&query).problem(422, "invalid-request");
        assert_eq!(problem["detail"], format!("/query/{words}"));
    }
    daemon.clean_up();
}

#[test]
fn a_method_that_a_path_does_not_take_is_answered_with_those_it_takes() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let contract = std::sync::Arc::clone(&daemon.client.contract);
    for (template, item) in contract.paths() {
        let path = template.replace("{id}", &id).replace("{checkpoint}", "c").replace("{pid}", "1");
        let path = path.replace("{file}", "swagger-ui.css");
        let mut taken: Vec<String> = item.as_object().unwrap().keys().map(|key| key.to_uppercase()).collect();
        taken.retain(|key| key != "PARAMETERS");
        if taken.contains(&"GET".to_owned()) {
            taken.push("HEAD".to_owned());
        }
        taken.sort();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if taken.iter().any(|one| one == method) {
                continue;
            }
            // What a body says does not matter when nobody takes it.
            let bodies: &[Option<&[u8]>] = if matches!(method, "POST" | "PUT" | "PATCH") {
                &[Some(b"{}"), Some(b"{not JSON"), None]
            } else {
                &[None]
            };
            for body in bodies {
                assert_not_allowed(&daemon.client.send(method, &path, *body), method, &path, &taken);
            }
        }
    }
    footprint.assert_unchanged("wrong methods");
    daemon.clean_up();
}

#[track_caller]
fn assert_not_allowed(answer: &Answer, method: &str, path: &str, taken: &[String]) {
    eprintln!("-- {method} {path}");
    let problem = answer.problem(405, "method-not-allowed");
    let allow = answer.headers["allow"].to_str().unwrap();
    let mut allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, taken, "{method} {path}");
    assert_eq!(problem["instance"], path);
    let words = problem["detail"].as_str().unwrap();
    assert!(taken.iter().all(|one| words.contains(one)) && words.contains(method), "{words}");
}

#[test]
fn a_path_that_is_not_there_is_a_problem_document_too() {
    let (daemon, bundle, id) = with_container();
    let footprint = Footprint::of(&daemon, &[bundle.path()]);
    let row = |situation| Refusal { situation, status: 404, kind: "path-not-found", at: None };
    for path in [
        "/nothing",
        "/State",
        "/state/",
        "/containers/",
        "//state",
        "/containers/a/b",
        "/containers/a/checkpoint/",
        "/containers/a/checkpoint/b/c",
        "/containers/../state",
        "/containers/a/process/1/2",
        "/swagger-ui/nothing.js",
        "/swagger-ui/..%2F..%2Fetc%2Fpasswd",
    ] {
        footprint.refuses(&row(path), || raw::send(&daemon.client, "GET", path, ""));
    }
    for body in [&b"{}"[..], b"{not JSON", b""] {
        let path = format!("/container/{id}");
        footprint.refuses(&row("a typo in the path"), || daemon.client.send("POST", &path, Some(body)));
    }
    daemon.clean_up();
}

#[test]
fn a_query_parameter_that_an_operation_does_not_have_is_never_silence() {
    let daemon = Daemon::start();
    let id = daemon.name("a");
    let rows = [
        ("DELETE", format!("/containers/{id}?focre=true"), "focre"),
        ("GET", format!("/containers/{id}/wait?time=1"), "time"),
        ("GET", format!("/containers/{id}?force=true"), "force"),
        ("POST", format!("/containers/{id}?x"), "x"),
        ("GET", format!("/containers/{id}/logs?fellow=true"), "fellow"),
        ("GET", "/events?form=1".to_owned(), "form"),
    ];
    for (method, path, name) in rows {
        let problem = daemon.client.send(method, &path, None).problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["location"], format!("/query/{name}"), "{path}");
    }
    // One that it has, and none: on to the operation.
    for path in [format!("/containers/{id}?force=true"), format!("/containers/{id}?")] {
        daemon.client.delete(&path).problem(404, "container-not-found");
    }
}
