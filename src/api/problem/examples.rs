//! What the contract shows of problems is what the daemon says: each example is made here of the error that it is of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::runtime::criu::Feature;
use crate::runtime::policy::Breach;
use crate::runtime::preflight::{Blocker, Kind};

fn wrong_state(verb: Verb) -> Problem {
    let (id, status) = ("redis".parse().unwrap(), Status::Paused);
    of(&Error::WrongState { id, status, verb, needs: status.admits(verb).unwrap_err() })
}

fn blocked() -> Problem {
    let blockers = vec![Blocker {
        kind: Kind::TcpConnection,
        pid: 11497,
        process: "redis-server 0.0.0.0:6379".into(),
        descriptor: Some(8),
        what: "an established TCP connection, 10.0.0.2:6379 with 10.0.0.7:40112".into(),
        remedy: "checkpoint with tcp: true, or close it".into(),
    }];
    of(&Error::CheckpointBlocked { id: "redis".parse().unwrap(), blockers })
}

fn failed(source: runtime::Error) -> Problem {
    of(&Error::Runtime { id: "redis".parse().unwrap(), source })
}

fn not_taken(source: ArchiveError) -> Problem {
    of(&Error::Archive { name: "test1".parse().unwrap(), source })
}

fn ruled() -> Problem {
    let what = "config.json /process/capabilities/bounding has CAP_SYS_ADMIN".to_owned();
    of(&Error::Forbidden { breaches: vec![Breach { rule: "capabilities", at: "/body/bundlePath", what }] })
}

fn loose() -> Problem {
    let source = BundleError::Loose { path: "/containers".into(), by: "everybody".into() };
    of(&Error::Bundle { path: "/containers/redis".into(), source })
}

fn unparsable() -> Problem {
    let body = b"{\n    \"bundlePath\": \"/containers/redis\",\n    \"checkpoint: \"checkpoint-name\"\n    }";
    not_json(&serde_json::from_slice::<Value>(body).unwrap_err(), body)
}

fn unknown_field() -> Problem {
    violation(ProblemDetails {
        r#type: String::new(),
        title: String::new(),
        status: 422,
        code: String::new(),
        errors: vec![InvalidParameter {
            code: "unknown_field".into(),
            location: "/body/bundle".into(),
            message: "is not a field of this request".into(),
        }],
    })
}

/// By the response and the example's name.
fn said() -> BTreeMap<&'static str, Problem> {
    let id = || "redis".parse().unwrap();
    let at = || "checkpoint/pages-1.img".to_owned();
    let words = "exec failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH";
    let why = Feature::PreDumps.obstacle().to_owned();
    BTreeMap::from([
        ("MalformedRequest/json", unparsable()),
        (
            "Forbidden/user",
            not_allowed("the user nobody may not use this daemon: whoever does is root on this host".into()),
        ),
        ("Unauthorized/token", bad_token("the token is none of this daemon's, or was revoked".into())),
        ("Forbidden/token", read_only("the token laptop lets look, and POST may change something".into())),
        ("Forbidden/rules", ruled()),
        ("Forbidden/bundle", loose()),
        ("Forbidden/site", foreign_site("it comes from a page of http://evil.example")),
        ("NotFound/container", of(&Error::NoContainer(id()))),
        ("Conflict/state", wrong_state(Verb::Exec)),
        ("CheckpointConflict/state", wrong_state(Verb::Checkpoint)),
        ("CheckpointConflict/loading", of(&Error::PagesLoading(id()))),
        ("CheckpointConflict/feature", of(&Error::Unavailable { feature: Feature::PreDumps, why })),
        ("CheckpointConflict/blocked", blocked()),
        ("BodyTooLarge/large", too_large(crate::http::MAX_BODY)),
        ("Invalid/field", unknown_field()),
        (
            "TooMany/connections",
            too_many_connections(
                "you have 256 connections, each with something under way; more are not served".into(),
            ),
        ),
        ("TooMany/streams", too_many_streams("the user 0 has 512 answers open".into())),
        ("Unavailable/starts", of(&Error::TooManyStarts(Full::All(1024)))),
        ("Failed/runtime", failed(runtime::Error::Failed { verb: "exec", words: words.into() })),
        (
            "Unavailable/criu",
            of(&Error::NoCriu(
                "CRIU 3.17.1 does not work on this kernel (/usr/sbin/criu check fails)".into(),
            )),
        ),
        ("Timeout/hung", failed(runtime::Error::TimedOut { verb: "run", seconds: 30 })),
        ("ArchiveUnreadable/cut", not_taken(ArchiveError::CutOff { at: at() })),
        ("ArchiveStalled/stalled", not_taken(ArchiveError::Stalled { at: at() })),
        (
            "ArchiveRefused/entry",
            not_taken(ArchiveError::Entry {
                path: "../../etc/passwd".into(),
                why: "comes where config.dump was declared".into(),
            }),
        ),
        ("ArchiveRefused/damaged", not_taken(ArchiveError::Damaged { path: at() })),
        ("NoSpace/full", not_taken(ArchiveError::NoSpace { needed: 1_073_741_824, free: 1_048_576 })),
    ])
}

fn contract() -> Value {
    serde_json::from_str(containerd_rest_api::OPENAPI_JSON).unwrap()
}

#[test]
fn every_example_of_a_problem_is_what_the_daemon_says() {
    let mut said = said();
    for (response, body) in contract()["components"]["responses"].as_object().unwrap() {
        let examples = &body["content"]["application/problem+json"]["examples"];
        for (name, example) in examples.as_object().unwrap() {
            let at = format!("{response}/{name}");
            let example = &example["value"];
            let mut problem = said.remove(at.as_str()).unwrap_or_else(|| panic!("{at} is made of no error"));
            place(&mut problem, example["instance"].as_str().unwrap());
            assert_eq!(&serde_json::to_value(problem).unwrap(), example, "{at}");
        }
    }
    assert!(said.is_empty(), "the contract has no example {:?}", said.keys());
}

#[test]
fn the_contract_lists_each_kind_of_problem_by_its_status() {
    let contract = contract();
    let schema = &contract["components"]["schemas"]["ProblemType"];
    let words = schema["description"].as_str().unwrap().replace("\n  ", " ");
    let of_status = |status: i32| {
        let line = words.lines().find_map(|line| line.strip_prefix(&format!("- {status}: ")));
        line.unwrap_or_else(|| panic!("no line of {status}: {words}"))
    };
    let kinds = schema["enum"].as_array().unwrap();
    for (kind, called) in kinds.iter().zip(schema["x-enum-varnames"].as_array().unwrap()) {
        let (status, _) = kinds::of(serde_json::from_value(kind.clone()).unwrap());
        let name = kind.as_str().unwrap().strip_prefix("urn:containerd-rest:problem:").unwrap();
        let camel: String = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        assert_eq!(&camel, called, "{name}");
        assert!(of_status(status).contains(&format!("`{name}`")), "{name} is of {status}: {words}");
    }
    assert_eq!(words.matches('`').count(), 2 * kinds.len() + 2, "each once, and the prefix: {words}");
}

#[test]
fn a_remedy_names_the_container_of_the_path_and_tells_how_to_reach_checkpoints_of_one_that_is_gone() {
    let remedy = |mut found: Problem, path: &str| {
        place(&mut found, path);
        found.remedy.unwrap()
    };
    let gone = || of(&Error::NoContainer("redis".parse().unwrap()));
    assert_eq!(remedy(gone(), "/containers/redis"), "GET /containers lists those there are");
    for path in ["checkpoint", "checkpoint/one", "checkpoint/one/archive", "checkpoint-preflight"] {
        let remedy = remedy(gone(), &format!("/containers/redis/{path}"));
        assert!(remedy.contains("start it as redis, or restore from one of them"), "{path}: {remedy}");
    }
    let (bundle, name) = ("/containers/redis".into(), "one".parse().unwrap());
    let none = of(&Error::NoCheckpoint { bundle, name });
    let remedy = remedy(none, "/containers/box/checkpoint/one");
    assert!(remedy.starts_with("GET /containers/box/checkpoint lists"), "{remedy}");
}
