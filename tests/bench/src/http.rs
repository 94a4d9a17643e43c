//! A caller with one kept connection.

use std::time::Duration;

use crate::host;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

pub(crate) struct Http {
    base: String,
    agent: Agent,
}

impl Http {
    pub(crate) fn new(base: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let config = config.timeout_global(Some(Duration::from_secs(300))).build();
        Self { base: base.to_owned(), agent: Agent::new_with_config(config) }
    }

    /// The answer's body, or its words when it says no.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Result<String, String> {
        let mut answer = self.ask(method, path, body)?;
        let limit = answer.body_mut().with_config().limit(64 << 20);
        let text = limit.read_to_string().map_err(|error| format!("{method} {path}: {error}"))?;
        if answer.status().is_success() { Ok(text) } else { Err(format!("{method} {path}: {text}")) }
    }

    /// An answer that goes on.
    pub(crate) fn open(&self, path: &str) -> Result<impl std::io::Read + use<>, String> {
        let answer = self.ask("GET", path, "")?;
        if answer.status().is_success() {
            Ok(answer.into_body().into_reader())
        } else {
            Err(answer.status().to_string())
        }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<Response<Body>, String> {
        host::go_on()?;
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        let request = request.header("content-type", "application/json").body(body).expect("a request");
        self.agent.run(request).map_err(|error| format!("{method} {path}: {error}"))
    }
}
