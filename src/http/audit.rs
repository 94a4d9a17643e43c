//! Who has asked for what, and what came of it. Each request gets an id, which is in its answer; each that may change
//! something gets a line in the log, and in the audit log where the configuration names one: before it is answered, also
//! when it was refused. Nothing of a body is in it, nor of a query.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::operations;
use super::problems::Kind;
use crate::caller::{Caller, Role, Who};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The audit log: JSON lines in a file, if there is one.
#[derive(Debug, Clone)]
pub struct Audit(Option<Arc<PathBuf>>);

/// Who has asked, told by the door to those around it in an answer's extensions.
#[derive(Debug, Clone)]
pub(super) enum Asker {
    /// One who is served.
    Known(Arc<Caller>),
    /// One who is not; the user that the kernel has named.
    Refused { uid: Option<u32> },
}

/// A line of the log.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    time: Timestamp,
    request_id: &'a str,
    caller: Named<'a>,
    /// As the contract calls it.
    operation: Option<&'static str>,
    method: &'a str,
    path: &'a str,
    /// By its name, however the path has it.
    container: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Cow<'a, str>>,
    status: u16,
    problem: Option<&'a str>,
    duration_micros: u64,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    served: bool,
}

impl Audit {
    /// To the file, if one is named; it is made when it is not there.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn open(file: Option<PathBuf>) -> io::Result<Self> {
        let audit = Self(file.map(Arc::new));
        audit.write(b"")?;
        Ok(audit)
    }

    /// Opened for each line, so that whoever rotates it need not tell us.
    fn write(&self, line: &[u8]) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        OpenOptions::new().append(true).create(true).mode(0o600).open(path.as_path())?.write_all(line)
    }

    async fn keep(&self, mut line: Vec<u8>) {
        let Some(path) = self.0.clone() else { return };
        line.push(b'\n');
        let audit = self.clone();
        let written = tokio::task::spawn_blocking(move || audit.write(&line)).await;
        if let Err(error) = written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            tracing::error!(%error, path = %path.display(), "the audit log cannot be written: what was asked is in this log alone");
        }
    }
}

impl<'a> Named<'a> {
    fn of(asker: Option<&'a Asker>) -> Self {
        match asker {
            None => Self::default(),
            Some(Asker::Refused { uid }) => Self { uid: *uid, ..Self::default() },
            Some(Asker::Known(caller)) => {
                let served = Self { role: Some(caller.role), served: true, ..Self::default() };
                match &caller.who {
                    Who::Token(name) => Self { token: Some(name), ..served },
                    Who::Certificate(name) => Self { certificate: Some(name), ..served },
                    Who::Process { uid, pid, executable } => Self {
                        uid: Some(*uid),
                        pid: Some(*pid),
                        executable: executable.as_ref().map(|path| path.to_string_lossy()),
                        ..served
                    },
                }
            }
        }
    }
}

impl Named<'_> {
    /// For a person.
    fn shown(&self) -> String {
        match (self.token, self.certificate, self.uid, &self.executable) {
            (Some(token), ..) => format!("token {token}"),
            (_, Some(certificate), ..) => format!("certificate {certificate}"),
            (.., Some(uid), Some(program)) => format!("uid {uid}, {program}"),
            (.., Some(uid), None) => format!("uid {uid}"),
            (.., None, _) => "nobody".to_owned(),
        }
    }
}

/// Writes down what may change something, and gives every answer its request's id.
pub(super) async fn written(State(audit): State<Audit>, request: Request, next: Next) -> Response {
    let id = new_id();
    let asked = (!request.method().is_safe())
        .then(|| (Timestamp::now(), request.method().clone(), request.uri().path().to_owned()));
    let begun = Instant::now();
    let mut response = next.run(request).await;
    if let Some((time, method, path)) = asked {
        let operation = operations::find(method.as_str(), &path).map(|operation| operation.id.as_str());
        let path = operations::shortened(&path);
        let line = Line {
            time,
            request_id: &id,
            caller: Named::of(response.extensions().get()),
            operation,
            method: method.as_str(),
            path,
            container: operations::container_of(path),
            checkpoint: operations::checkpoint_of(path),
            status: response.status().as_u16(),
            problem: response.extensions().get().map(|Kind(kind)| kind.as_str()),
            duration_micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        let caller = line.caller.shown();
        let (container, checkpoint) =
            (line.container.as_deref().unwrap_or_default(), line.checkpoint.as_deref());
        tracing::info!(request_id = %id, ?caller, operation = line.operation, container, checkpoint, status = line.status, "asked");
        // No key of it is not a string, so this does not fail.
        audit.keep(serde_json::to_vec(&line).unwrap_or_default()).await;
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Like no other's: 64 random bits.
fn new_id() -> String {
    let mut bytes = [0; 8];
    // Without a kernel's word the id is of no use, and nothing else is wrong.
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_ne_bytes(bytes))
}
