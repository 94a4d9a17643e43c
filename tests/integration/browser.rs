//! Swagger UI in a real Chromium, on a real daemon with the demo's Redis: every operation is tried, as the page
//! fills it in, and its answer is read from the page.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::demo::Demo;
use crate::support::eventually;
use crate::support::swagger::{Operation, Shown};

/// What the contract offers to be tried, by its operations' ids; and the examples of bodies, by theirs.
struct Offered {
    operations: BTreeSet<String>,
    examples: BTreeSet<String>,
}

fn offered(document: &Value) -> Offered {
    let mut offered = Offered { operations: BTreeSet::new(), examples: BTreeSet::new() };
    let paths = document["paths"].as_object().unwrap().values();
    let items = paths.flat_map(|item| item.as_object().unwrap().iter());
    for (_, operation) in items.filter(|(key, _)| *key != "parameters") {
        let id = operation["operationId"].as_str().unwrap();
        offered.operations.insert(id.to_owned());
        let body = match operation["requestBody"]["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => &operation["requestBody"],
        };
        for content in body["content"].as_object().into_iter().flat_map(|content| content.values()) {
            let names = content["examples"].as_object().unwrap().keys();
            offered.examples.extend(names.map(|name| format!("{id} {name}")));
        }
    }
    offered
}

/// The demo, and what of the contract was tried.
struct Tour {
    demo: Demo,
    document: Value,
    offered: Offered,
    operations: RefCell<BTreeSet<String>>,
    examples: RefCell<BTreeSet<String>>,
    /// The statuses of answers that were errors, each expected.
    refused: RefCell<Vec<u16>>,
}

impl Tour {
    fn begin() -> Self {
        let demo = Demo::start();
        let document = demo.daemon.client.get("/openapi.json").expect(200).json();
        let offered = offered(&document);
        Self {
            demo,
            document,
            offered,
            operations: RefCell::default(),
            examples: RefCell::default(),
            refused: RefCell::default(),
        }
    }

    fn operation(&self, id: &str) -> Operation<'_> {
        self.operations.borrow_mut().insert(id.to_owned());
        let operation = self.demo.browser.operation(id);
        operation.open();
        operation
    }

    /// Executes it as the page has filled it in.
    #[track_caller]
    fn as_it_stands(&self, id: &str, status: u16) -> Shown {
        self.with(id, status, |_| {})
    }

    /// Executes it with one of the examples of its body.
    #[track_caller]
    fn example(&self, id: &str, name: &str, status: u16) -> Shown {
        self.examples.borrow_mut().insert(format!("{id} {name}"));
        let several =
            self.offered.examples.iter().filter(|one| one.starts_with(&format!("{id} "))).count() > 1;
        self.with(id, status, |operation| {
            // Where there is one alone, nothing is to be chosen.
            if several {
                operation.example(name);
            }
        })
    }

    #[track_caller]
    fn with(&self, id: &str, status: u16, prepare: impl FnOnce(&Operation<'_>)) -> Shown {
        let operation = self.operation(id);
        prepare(&operation);
        let shown = operation.execute().answer();
        self.expect(&shown, status);
        operation.fold();
        shown
    }

    #[track_caller]
    fn expect(&self, shown: &Shown, status: u16) {
        assert_eq!(shown.status, status, "{}", shown.body);
        if status >= 400 {
            self.refused.borrow_mut().push(status);
        }
    }

    /// With an example that some hosts' kernels cannot obey; the page says so then. Whether this one can.
    #[track_caller]
    fn example_where(&self, feature: &str, id: &str, name: &str) -> bool {
        let here = self.demo.daemon.client.get("/version").expect(200).json()["features"][feature] == true;
        let shown = self.example(id, name, if here { 201 } else { 409 });
        let refused = "urn:containerd-rest:problem:feature-unavailable";
        assert!(here || shown.json()["type"] == refused, "{}", shown.body);
        here
    }
}

#[test]
fn every_operation_can_be_tried_in_the_page_as_it_stands() {
    let began = std::time::Instant::now();
    let tour = Tour::begin();
    let (browser, daemon) = (&tour.demo.browser, &tour.demo.daemon);
    browser.open_page(&daemon.client.base, "swagger-ui/");
    the_daemon_and_its_contract(&tour);
    a_start_and_its_processes(&tour);
    checkpoints(&tour);
    a_restore_and_the_end(&tour);

    let offered = &tour.offered;
    let (operations, examples) = (tour.operations.borrow(), tour.examples.borrow());
    let untried: Vec<&String> =
        offered.operations.difference(&operations).chain(offered.examples.difference(&examples)).collect();
    assert!(untried.is_empty(), "the contract offers what is not tried here: {untried:?}");
    // The browser says so of every answer that is an error.
    let complaints = browser.complaints();
    let refused = tour.refused.borrow();
    assert!(
        complaints.len() == refused.len()
            && complaints
                .iter()
                .zip(&*refused)
                .all(|(said, status)| said.contains(&format!(" status of {status} "))),
        "{complaints:?} {refused:?}"
    );
    let requests = browser.requests();
    let elsewhere: Vec<_> = requests.iter().filter(|url| !url.starts_with(&daemon.client.base)).collect();
    assert!(requests.len() > 50 && elsewhere.is_empty(), "{} requests, {elsewhere:?}", requests.len());
    println!(
        "tried in Chromium: {} operations of {}, {} examples of bodies of {}; {} requests, none to another host; {:.1} s",
        operations.len(),
        offered.operations.len(),
        examples.len(),
        offered.examples.len(),
        requests.len(),
        began.elapsed().as_secs_f64()
    );
    daemon.clean_up();
}

fn the_daemon_and_its_contract(tour: &Tour) {
    assert_eq!(tour.as_it_stands("getHealth", 200).json(), json!({ "status": "ok" }));
    assert_eq!(tour.as_it_stands("getVersion", 200).json()["features"]["checkpoint"], true);
    assert_eq!(tour.as_it_stands("listContainers", 200).json(), json!([]));
    assert_eq!(tour.as_it_stands("getContractJson", 200).json(), tour.document);
    assert_eq!(tour.as_it_stands("getContractJson30", 200).json()["openapi"], "3.0.3");
    assert!(tour.as_it_stands("getContractYaml", 200).body.starts_with("openapi: 3.1.0"));
    // The browser follows where these lead.
    for id in ["getRoot", "getSwaggerUiRedirect", "getSwaggerUi"] {
        assert!(tour.as_it_stands(id, 200).body.contains("<title>containerd-rest</title>"), "{id}");
    }
    assert!(tour.as_it_stands("getSwaggerUiFile", 200).body.contains("SwaggerUIBundle"));
}

fn a_start_and_its_processes(tour: &Tour) {
    assert_eq!(tour.example("startContainer", "start", 201).json()["state"]["status"], "running");
    assert_eq!(tour.as_it_stands("getContainer", 200).json()["id"], "redis");
    tour.demo.redis_listens();
    for plural in ["", "Plural"] {
        let id = |verb: &str| format!("{verb}{plural}");
        // The pid of the process that was added is in every field for one.
        let added = tour.example(&id("createProcess"), "sleep", 200).json();
        let running = tour.as_it_stands(&id("getProcess"), 200).json();
        assert_eq!((&running["pid"], &running["state"]["status"]), (&added["pid"], &json!("running")));
        tour.example(&id("signalProcess"), "term", 200);
        let ended = tour.as_it_stands(&id("waitProcess"), 200).json();
        assert_eq!((&ended["pid"], &ended["state"]["exitSignal"]), (&added["pid"], &json!(15)));
        tour.example(&id("createProcess"), "redis", 200);
        tour.as_it_stands(&id("waitProcess"), 200);
    }
    assert!(tour.as_it_stands("getLogs", 200).body.ends_with("OK\nOK\n"));
    let lines = tour.with("getLogs", 200, |operation| operation.accept("application/x-ndjson")).body;
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["text"], "OK");
    assert_eq!(tour.as_it_stands("getState", 200).json()["containers"][0]["id"], "redis");
    assert_eq!(tour.example("updateContainer", "pause", 200).json()["state"]["status"], "paused");
    assert_eq!(tour.example("updateContainer", "resume", 200).json()["state"]["status"], "running");
}

fn checkpoints(tour: &Tour) {
    let browser = &tour.demo.browser;
    assert_eq!(tour.as_it_stands("preflightCheckpoint", 200).json()["possible"], true);
    let made = tour.example("createCheckpoint", "keep", 201).json();
    assert_eq!((&made["name"], &made["exit"]), (&json!("test1"), &json!(false)));
    assert_eq!(tour.as_it_stands("listCheckpoints", 200).json()[0]["name"], "test1");
    assert_eq!(tour.as_it_stands("getCheckpoint", 200).json()["checkpoint"]["name"], "test1");
    assert!(tour.as_it_stands("getCheckpointLog", 200).body.contains("Dumping finished successfully"));

    // Each form: kept by the browser, deleted, and sent again.
    for (form, media, example, name) in [
        ("zstd", "application/zstd", "zstd", "redis-test1.tar.zst"),
        ("gzip", "application/gzip", "gzip", "redis-test1.tar.gz"),
        ("none", "application/x-tar", "tar", "redis-test1.tar"),
    ] {
        let export = tour.operation("exportCheckpoint");
        assert_eq!(export.set("compression", form).execute().answer().status, 200);
        browser.click(&export.at("a[download]"));
        let kept = browser.downloaded(name);
        export.fold();
        tour.as_it_stands("deleteCheckpoint", 200);
        tour.examples.borrow_mut().insert(format!("importCheckpoint {example}"));
        let taken = tour.with("importCheckpoint", 201, |operation| {
            operation.media(media).file(&kept);
        });
        assert_eq!(taken.json()["size"], made["size"]);
    }
}

fn a_restore_and_the_end(tour: &Tour) {
    let browser = &tour.demo.browser;
    tour.as_it_stands("deleteCheckpoint", 200);
    if tour.example_where("preDumps", "createCheckpoint", "incremental") {
        tour.example("startContainer", "restore", 201);
        tour.as_it_stands("deleteCheckpoint", 200);
    }
    assert_eq!(tour.example("createCheckpoint", "stop", 201).json()["exit"], true);

    // A restore that does not end is called off; the page shows the problem that its request then gets.
    tour.demo.runtime.fall_ill("restore", "hang");
    let start = tour.operation("startContainer");
    start.example("restore").execute();
    eventually("it is under way", || tour.demo.runtime.is_at_work(&tour.demo.daemon));
    tour.as_it_stands("cancelOperation", 204);
    let shown = start.answer();
    tour.expect(&shown, 409);
    assert_eq!(shown.json()["type"], "urn:containerd-rest:problem:cancelled");
    tour.demo.runtime.heal("restore");

    tour.examples.borrow_mut().insert("startContainer restore".to_owned());
    let restored = start.execute().answer();
    assert_eq!(restored.status, 201, "{}", restored.body);
    assert_eq!(restored.json()["checkpoint"], "test1");
    browser.resize(1280, 1700);
    browser.eval("document.querySelector('.opblock.is-open').scrollIntoView()", &[]);
    browser.screenshot("swagger-ui.png");
    start.fold();

    killed(tour);
    if tour.example_where("lazyPages", "startContainer", "lazy") {
        eventually("its memory is in", || tour.demo.daemon.container("redis")["pages"] == "loaded");
        killed(tour);
    }
    tour.example("startContainer", "start", 201);
    tour.demo.redis_listens();
    assert_eq!(tour.example("stopContainer", "plain", 200).json()["state"]["exitStatus"], 0);
    let lines = tour.as_it_stands("getEvents", 200).body;
    let told: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for kind in ["created", "start", "exec", "pause", "resume", "checkpoint", "restore", "exit"] {
        assert!(told.iter().any(|event| event["type"] == kind && event["id"] == "redis"), "{kind}: {lines}");
    }
    let events = tour.with("getEvents", 200, |operation| operation.accept("text/event-stream")).body;
    assert!(events.contains("event: restore"), "{events}");
    assert_eq!(tour.example("startContainer", "cared", 201).json()["restart"], "on-failure");
    tour.demo.redis_listens();
    assert_eq!(tour.example("stopContainer", "plain", 200).json()["state"]["exitStatus"], 0);
    tour.as_it_stands("deleteContainer", 204);
}

fn killed(tour: &Tour) {
    tour.example("updateContainer", "signal", 200);
    let ended = tour.as_it_stands("waitContainer", 200).json();
    assert_eq!((&ended["state"]["status"], &ended["state"]["exitSignal"]), (&json!("stopped"), &json!(9)));
}
