//! A client that holds every answer to the contract, and counts what it has seen.

use std::sync::Arc;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

use super::contract::Contract;

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) base: String,
    agent: Agent,
    pub(crate) contract: Arc<Contract>,
}

/// An answer that the contract allows.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Fails the test, with the answer's own words, when the status is another.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// A problem of this kind; gives its document.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:containerd-rest:problem:{kind}"), "{}", self.body);
        // The path is known, so a remedy names its container.
        assert!(!problem["remedy"].as_str().unwrap_or_default().contains("{id}"), "{}", self.body);
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        problem
    }
}

impl Client {
    pub(crate) fn new(base: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(std::time::Duration::from_secs(120) * super::patience()))
            .build();
        let agent = Agent::new_with_config(config);
        let mut served = agent.get(format!("{base}/openapi.json")).call().unwrap();
        let contract = Contract::once(served.body_mut().read_to_string().unwrap());
        Self { base, agent, contract }
    }

    /// As curl -d does it: the body is called a form, whatever it is.
    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Answer {
        self.send_as(method, path, body, &[("accept", "*/*")])
    }

    /// With an idempotency key.
    #[track_caller]
    pub(crate) fn keyed(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let body = (!body.is_null()).then(|| body.to_string());
        let headers = [("accept", "*/*"), ("idempotency-key", key)];
        self.send_as(method, path, body.as_ref().map(|body| body.as_bytes()), &headers)
    }

    /// For one of the forms that an answer may have.
    #[track_caller]
    pub(crate) fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send_as("GET", path, None, &[("accept", accept)])
    }

    /// An answer that is no text, whole; with headers of the request's.
    #[track_caller]
    pub(crate) fn bytes(&self, path: &str, headers: &[(&str, &str)]) -> (ureq::http::HeaderMap, Vec<u8>) {
        let mut request = self.agent.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.call().unwrap();
        let bytes = response.body_mut().with_config().limit(u64::MAX).read_to_vec().unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        self.contract.check(
            "GET",
            path,
            status,
            headers.get("content-type").map(|kind| kind.to_str().unwrap()),
            "",
        );
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        (headers, bytes)
    }

    /// A body that is sent as it is read.
    #[track_caller]
    pub(crate) fn put_from(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &mut dyn std::io::Read,
    ) -> Answer {
        let mut request = self.agent.put(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send(ureq::SendBody::from_reader(body)).unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        let answer = Answer { status: response.status().as_u16(), headers: response.headers().clone(), body };
        let media = answer.headers.get("content-type").map(|media| media.to_str().unwrap());
        self.contract.check("PUT", path, answer.status, media, &answer.body);
        answer
    }

    #[track_caller]
    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_as("GET", path, None, headers)
    }

    /// An answer that is read as it comes.
    pub(crate) fn stream(&self, path: &str) -> impl std::io::Read + Send + use<> {
        self.stream_as(path, "*/*")
    }

    /// The same, in one of the forms that it may have.
    pub(crate) fn stream_as(&self, path: &str, accept: &str) -> impl std::io::Read + Send + use<> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("accept", accept);
        let response = request.call().unwrap();
        assert_eq!(response.status(), 200, "{path}");
        self.contract.is_answered("GET", path, 200);
        response.into_body().into_reader()
    }

    #[track_caller]
    pub(crate) fn send_as(
        &self,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            Some(body) => {
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                self.agent.run(request.body(body).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let body = response.body_mut().read_to_string().unwrap();
        let answer = Answer { status: response.status().as_u16(), headers: response.headers().clone(), body };
        let media = answer.headers.get("content-type").map(|media| media.to_str().unwrap());
        if method != "HEAD" {
            self.contract.check(method, path, answer.status, media, &answer.body);
        }
        answer
    }

    /// For a daemon that may be killed meanwhile: the status, or nothing.
    pub(crate) fn try_send(&self, method: &str, path: &str, body: &Value) -> Option<u16> {
        self.try_keyed(None, method, path, body)
    }

    /// The same, with an idempotency key.
    pub(crate) fn try_keyed(&self, key: Option<&str>, method: &str, path: &str, body: &Value) -> Option<u16> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let sent = if body.is_null() {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body.to_string().into_bytes()).unwrap())
        };
        Some(sent.ok()?.status().as_u16())
    }

    pub(crate) fn try_post(&self, path: &str, body: &Value) -> Option<u16> {
        self.try_send("POST", path, body)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body.to_string().as_bytes()))
    }

    #[track_caller]
    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body.to_string().as_bytes()))
    }

    #[track_caller]
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body.to_string().as_bytes()))
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }
}
