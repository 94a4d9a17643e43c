//! How much of the daemon one caller, and all of them, may have at once: connections ([`Gate`]), answers that stay open, and
//! bodies in memory. Who meets a limit is told so in words, and is served again as soon as there is room.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use super::gate::{Gate, Hold, Slot};
use super::{MAX_BODY, operations, problems};
use crate::api::problem;
use crate::caller;
use crate::shares::{Shares, Taken};
use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};

/// Operations whose answers may stay open for as long as who asks likes.
const STAY_OPEN: [&str; 5] = ["getEvents", "getLogs", "waitContainer", "waitProcess", "waitProcessPlural"];

/// What is allowed.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections in all, of which a quarter is root's alone.
    pub connections: usize,
    /// Of one user who is not root.
    pub connections_per_user: usize,
    /// Answers of one caller that stay open.
    pub streams_per_caller: usize,
    /// A request's head, in bytes.
    pub head: usize,
    /// How long a head may take to come, from the connection, or the answer before it, on.
    pub head_time: Duration,
    /// How long who is answered may take nothing.
    pub stall_time: Duration,
    /// Bodies that are being taken, in bytes, all together.
    pub bodies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            connections_per_user: 256,
            streams_per_caller: 512,
            // More than an address of 64 KiB, which has an answer of its own (414).
            head: 96 * 1024,
            head_time: Duration::from_secs(30),
            stall_time: Duration::from_secs(60),
            bodies: 64 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Of the descriptors that there may be, half are left for containers and files.
    pub fn within(self, descriptors: Option<u64>) -> Self {
        let half = descriptors.and_then(|most| usize::try_from(most / 2).ok());
        Self { connections: self.connections.min(half.unwrap_or(usize::MAX)).max(1), ..self }
    }
}

/// What is in use; clones are the same.
#[derive(Debug, Clone)]
pub struct InUse {
    pub(super) limits: Arc<Limits>,
    pub(super) gate: Gate,
    streams: Arc<Mutex<HashMap<String, usize>>>,
    /// In bytes.
    bodies: Shares,
}

/// One answer that stays open.
struct Stream {
    streams: Arc<Mutex<HashMap<String, usize>>>,
    account: String,
}

impl InUse {
    /// Nothing yet.
    pub fn new(limits: Limits) -> Self {
        let gate = Gate::new(&limits);
        // Whoever is let send one is let send the largest.
        let bodies = Shares::new(limits.bodies, MAX_BODY);
        Self { limits: Arc::new(limits), gate, streams: Arc::default(), bodies }
    }

    /// One more of this caller's, unless they have too many.
    fn stream(&self, account: String) -> Option<Stream> {
        let mut open = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(account.clone()).or_default();
        if *count >= self.limits.streams_per_caller {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Stream { streams: Arc::clone(&self.streams), account })
    }

    /// The part of the memory for bodies that who asks has: nothing yet.
    pub(super) fn body(&self) -> Taken {
        self.bodies.none()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.account);
            }
        }
    }
}

/// Tells who is let in for that alone that there are too many.
pub(super) async fn admitted(
    Extension(slot): Extension<Arc<Slot>>,
    request: Request,
    next: Next,
) -> Response {
    match slot.full {
        None => next.run(request).await,
        Some(full) => problems::answer(&problem::too_many_connections(full.to_string())).into_response(),
    }
}

/// Of somebody who is served: their connection stays until they are answered, and so many of their answers may stay open.
pub(super) async fn counted(
    State(in_use): State<InUse>,
    Extension(slot): Extension<Arc<Slot>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(caller) = caller::current() else { return next.run(request).await };
    let hold = slot.hold();
    let operation = operations::find(request.method().as_str(), request.uri().path());
    let mut stream = None;
    if operation.is_some_and(|operation| STAY_OPEN.contains(&operation.id.as_str())) {
        stream = in_use.stream(caller.account());
        if stream.is_none() {
            let words = format!("{} has {} answers open", caller.account(), in_use.limits.streams_per_caller);
            return problems::answer(&problem::too_many_streams(words)).into_response();
        }
    }
    next.run(request).await.map(|body| Body::new(Kept { body, _hold: hold, _stream: stream }))
}

/// A body, and what is in use while it is sent.
struct Kept {
    body: Body,
    _hold: Hold,
    _stream: Option<Stream>,
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
