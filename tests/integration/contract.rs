//! The contract is the law: what is served is in it, and what is in it is served.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use serde_json::Value;

use crate::support::contract::{answer, answered, document};
use crate::support::daemon::Daemon;
use crate::support::raw;

#[test]
fn the_served_documents_are_the_contract_that_was_written() {
    let daemon = Daemon::start();
    let yaml = daemon.client.get("/openapi.yaml").expect(200).body;
    let written =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/containerd.v1.yaml")).unwrap();
    assert_eq!(yaml, written);
    let written: Value = serde_norway::from_str(&written).unwrap();
    assert_eq!(daemon.client.get("/openapi.json").expect(200).json(), written);
    assert_eq!(document(), written);
    let older = daemon.client.get("/openapi-3.0.json").expect(200).json();
    assert_eq!(older["openapi"], "3.0.3");
    assert_eq!(older["paths"].as_object().unwrap().len(), written["paths"].as_object().unwrap().len());
}

/// What a generator makes of the document decides what may change within v1: a client that was generated yesterday must
/// read an answer that has one field more, and a typo in a request must never be silence.
#[test]
fn objects_of_answers_may_grow_and_those_of_requests_are_closed() {
    let document = document();
    let mut todo: Vec<&Value> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .filter_map(|operation| operation.get("requestBody"))
        .collect();
    let mut asked = BTreeSet::new();
    while let Some(value) = todo.pop() {
        if let Some(reference) = value["$ref"].as_str()
            && asked.insert(reference)
        {
            todo.push(document.pointer(reference.trim_start_matches('#')).unwrap());
        }
        todo.extend(value.as_object().into_iter().flat_map(|object| object.values()));
        todo.extend(value.as_array().into_iter().flatten());
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if schema.get("properties").is_some() {
            let in_a_request = asked.contains(format!("#/components/schemas/{name}").as_str());
            let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
            assert_eq!(closed, in_a_request, "{name}");
        }
    }
}

/// From the outside: each path of the contract, asked with each method, answers 405 for those that the
/// contract does not name and something else for those it does.
#[test]
fn every_operation_is_served_and_no_method_more() {
    let daemon = Daemon::start();
    let document = document();
    let mut served = 0;
    for (template, item) in document["paths"].as_object().unwrap() {
        let path = template
            .replace("{id}", "nobody")
            .replace("{pid}", "2147483647")
            .replace("{checkpoint}", "nothing")
            .replace("{file}", "settings.js");
        let named: BTreeSet<String> = item
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "parameters")
            .map(|key| key.to_uppercase())
            .collect();
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            if named.contains(method) {
                served += 1;
                // A stream does not end; it is read elsewhere.
                if path != "/events" {
                    let status = daemon.client.send(method, &path, None).status;
                    assert!(status != 405 && status < 500, "{method} {path}: {status}");
                }
            } else {
                let answer = daemon.client.send(method, &path, None);
                answer.problem(405, "method-not-allowed");
                let allow: BTreeSet<String> = answer.headers["allow"]
                    .to_str()
                    .unwrap()
                    .split(',')
                    .map(|method| method.trim().to_owned())
                    .filter(|method| method != "HEAD")
                    .collect();
                assert_eq!(allow, named, "{path}");
            }
        }
    }
    assert!(served > 20, "{served} operations");
}

/// What the generator writes cannot be more than the contract; a route by hand can.
#[test]
fn every_route_that_is_written_by_hand_is_in_the_contract() {
    let document = document();
    let route = regex::Regex::new(r#"\.(?:route|route_service|nest|nest_service)\(\s*"([^"]+)""#).unwrap();
    let mut todo = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut found = 0;
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for route in route.captures_iter(&source) {
            let route = &route[1];
            assert!(
                document["paths"].get(route).is_some(),
                "{}: {route} is not in the contract",
                path.display()
            );
            found += 1;
        }
    }
    assert!(found > 5, "{found} routes");
}

/// Answered from memory, from a file that is opened before anything is answered, or by one call about a process that is held:
/// what could fail there is the daemon's own fault.
const OWN_FAULTS: [&str; 12] = [
    "get /containers/{id}",
    "get /containers/{id}/wait",
    "get /containers/{id}/logs",
    "get /containers/{id}/process/{pid}",
    "get /containers/{id}/processes/{pid}",
    "get /containers/{id}/process/{pid}/wait",
    "get /containers/{id}/processes/{pid}/wait",
    "post /containers/{id}/process/{pid}",
    "post /containers/{id}/processes/{pid}",
    "post /containers/{id}/cancel",
    "get /containers/{id}/checkpoint-preflight",
    "get /containers/{id}/checkpoint/{checkpoint}/log",
];

#[test]
#[ignore = "of what the other tests have seen: scripts/checks runs it after them"]
fn every_status_that_an_operation_can_give_was_given() {
    let document = document();
    let answered = answered();
    let mut missed = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            let all = operation["responses"].as_object().unwrap().keys();
            missed.extend(
                all.map(|status| answer(method, template, status)).filter(|one| !answered.contains(one)),
            );
        }
    }
    let own_faults: Vec<String> = OWN_FAULTS.iter().map(|operation| format!("{operation} 500")).collect();
    let given: Vec<&String> = own_faults.iter().filter(|one| !missed.contains(one)).collect();
    assert!(given.is_empty(), "these can be given after all: {given:?}");
    missed.retain(|one| !own_faults.contains(one));
    assert!(
        missed.is_empty(),
        "no test has seen these answers, which the contract names:\n{}",
        missed.join("\n")
    );
}

#[test]
fn a_path_that_is_nowhere_is_a_problem_document_too() {
    let daemon = Daemon::start();
    for path in ["/nothing", "/containers/", "/containers/a/b/c", "/v1/containers", "/swagger-ui/nothing.js"]
    {
        let problem = daemon.client.get(path).problem(404, "path-not-found");
        assert_eq!(problem["instance"], path);
    }
    daemon.client.send("POST", "/containers/x/checkpoint", Some(b"{}")).problem(405, "method-not-allowed");
}

/// As the contract says under "Errors": the only answers that are no document.
#[test]
fn what_is_no_request_comes_to_no_operation_and_gets_no_body() {
    let daemon = Daemon::start();
    let get = |path: &str, headers: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    let many: String = (0..200).map(|number| format!("X-{number}: x\r\n")).collect();
    for (status, sent) in [
        (400, "nonsense\r\n\r\n".to_owned()),
        (414, get(&format!("/{}", "a".repeat(65_536)), "")),
        (431, get("/healthz", &many)),
        (431, get("/healthz", &format!("X: {}\r\n", "x".repeat(1_000_000)))),
    ] {
        let mut stream = raw::connect(&daemon.client);
        // It may be answered before all is sent.
        let _ = stream.write_all(sent.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{status}: {answer:?}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("connection: close") && body.is_empty(), "{answer}");
    }
    daemon.client.get("/healthz").expect(200);
}

#[test]
fn every_example_of_a_body_is_one_that_its_schema_takes() {
    let document = document();
    let components = crate::support::contract::closed(&document);
    let mut checked = 0;
    let mut check = |schema: &Value, value: &Value, at: &str| {
        let mut schema = schema.clone();
        schema["components"] = components.clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{at}: {errors:?}");
        checked += 1;
    };
    let resolve = |value: &Value| match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap().clone(),
        None => value.clone(),
    };
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            let mut bodies = vec![];
            if operation.get("requestBody").is_some() {
                bodies.push(("request".to_owned(), resolve(&operation["requestBody"])));
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                bodies.push((status.clone(), resolve(response)));
            }
            for (which, body) in bodies {
                for (media, content) in body["content"].as_object().into_iter().flatten() {
                    let at = format!("{method} {path} {which} {media}");
                    let examples =
                        content["examples"].as_object().unwrap_or_else(|| panic!("{at} has no example"));
                    assert!(!examples.is_empty(), "{at} has no example");
                    for example in examples.values() {
                        let value = &resolve(example)["value"];
                        check(&content["schema"], value, &at);
                        // Of a stream, what a line of it is; a server-sent event has more lines, which are no JSON.
                        let Some(item) = content.get("x-item-schema") else { continue };
                        let prefix = if media == "text/event-stream" { "data: " } else { "" };
                        let lines = value.as_str().unwrap().lines();
                        let lines: Vec<&str> = lines.filter_map(|line| line.strip_prefix(prefix)).collect();
                        assert!(!lines.is_empty(), "{at} shows nothing");
                        for line in lines {
                            check(item, &serde_json::from_str(line).unwrap(), &at);
                        }
                    }
                }
            }
            for field in ["operationId", "summary", "description"] {
                assert!(
                    operation[field].as_str().is_some_and(|text| !text.is_empty()),
                    "{method} {path}: {field}"
                );
            }
            assert!(
                operation["description"].as_str().unwrap().contains("\n\n**Precondition:** "),
                "{method} {path}"
            );
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn swagger_ui_is_there_without_the_network_and_the_root_leads_to_it() {
    let daemon = Daemon::start();
    let root = daemon.client.get("/").expect(303);
    assert_eq!(root.headers["location"], "swagger-ui/");
    let page = daemon.client.get("/swagger-ui/").expect(200).body;
    assert!(page.contains("<title>containerd-rest</title>"));
    // Everything that the page names is served by us, and nothing is asked of another host.
    assert!(!page.contains("//"), "{page}");
    let mut files = 0;
    for part in page
        .split(['"'])
        .filter(|part| part.ends_with(".css") || part.ends_with(".js") || part.ends_with(".png"))
    {
        // A picture is no text to this client.
        if !part.ends_with(".png") {
            assert!(!daemon.client.get(&format!("/swagger-ui/{part}")).expect(200).body.is_empty(), "{part}");
        }
        files += 1;
    }
    assert_eq!(files, 6);
    let settings = daemon.client.get("/swagger-ui/settings.js").expect(200).body;
    assert!(settings.contains("../openapi.json"));
}
