//! The event stream: read line by line, each held to the contract's `Event`.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::contract;

pub(crate) struct Events(Receiver<Value>);

impl Events {
    /// What happens from now on. The thread that reads ends with the daemon.
    pub(crate) fn follow(client: &Client) -> Self {
        let response = ureq::get(format!("{}/events", client.base)).call().unwrap();
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        client.contract.is_answered("GET", "/events", 200);
        let schema = json!({
            "$ref": "#/components/schemas/Event", "components": contract::document()["components"]
        });
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(response.into_body().into_reader()).lines() {
                let Ok(line) = line else { break };
                // Said as an event, so that the test that waits for one fails with these words.
                let event = match serde_json::from_str(&line) {
                    Ok(event) if validator.is_valid(&event) => event,
                    _ => json!({ "breaks the contract": line }),
                };
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        Self(events)
    }

    /// The next event of this type, whatever comes before it.
    #[track_caller]
    pub(crate) fn next(&self, kind: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(10) * super::patience();
        let mut seen = Vec::new();
        while let Ok(event) = self.0.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            assert_eq!(event.get("breaks the contract"), None);
            if event["type"] == kind {
                return event;
            }
            seen.push(event);
        }
        panic!("no {kind} event within 10 s, but {seen:?}");
    }
}
