//! A request's body is JSON whatever its Content-Type says: plain `curl -d` calls it a form. It is read
//! here, within the limit, and its syntax checked, so that broken JSON is pointed at. An archive's is passed on.

use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tokio::sync::oneshot;

use super::limits::InUse;
use super::problems::answer;
use super::{MAX_BODY, archive};
use crate::api::problem;
use crate::caller;
use crate::shares::{Full, Taken};

/// How much of a body that is too large is read and thrown away, so that its sender reads our answer
/// before it meets a closed connection.
pub(super) const DRAINED: usize = 16 * 1024 * 1024;

/// A larger one is read, and what it asks is done, on a thread of its own: others wait meanwhile for the one that serves.
const LARGE: usize = 128 * 1024;

/// How long a body may take to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

enum BodyError {
    TooLarge,
    /// There are others enough.
    NoRoom(Full),
    CutOff,
}

pub(super) async fn take_as_json(State(in_use): State<InUse>, request: Request, next: Next) -> Response {
    let takes_json = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    if !takes_json || archive::is_sent_by(&request) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let waits = parts.headers.contains_key(header::EXPECT);
    // Until it is answered.
    let mut share = in_use.body();
    let read = tokio::time::timeout(PATIENCE, read(body, waits, &mut share)).await;
    let bytes = match read.unwrap_or(Err(BodyError::CutOff)) {
        Ok(bytes) => bytes,
        Err(BodyError::TooLarge) => return answer(&problem::too_large(MAX_BODY)).into_response(),
        Err(BodyError::NoRoom(full)) => return answer(&problem::too_many_bodies(&full)).into_response(),
        Err(BodyError::CutOff) => return answer(&problem::cut_off()).into_response(),
    };
    if bytes.len() > LARGE {
        aside(passed_on(parts, bytes, next)).await
    } else {
        passed_on(parts, bytes, next).await
    }
}

/// One at a time: all at once would have all processors, and the allocator, to themselves.
static TURN: Mutex<()> = Mutex::new(());

/// Done on a thread of its own, as asked by the same caller.
async fn aside(work: impl Future<Output = Response> + Send + 'static) -> Response {
    let (runtime, caller) = (tokio::runtime::Handle::current(), caller::current());
    let (done, answer) = oneshot::channel();
    let mut work = Box::pin(work);
    // Held while it works, and not while it waits for something.
    let work = poll_fn(move |context| {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        work.as_mut().poll(context)
    });
    let begun = std::thread::Builder::new().name("large-body".into()).spawn(move || {
        let _ = done.send(match caller {
            Some(caller) => runtime.block_on(caller::asking(caller, work)),
            None => runtime.block_on(work),
        });
    });
    match begun {
        Ok(_) => answer.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn passed_on(mut parts: Parts, bytes: Bytes, next: Next) -> Response {
    // Absent or empty, the body is the operation's to judge: some need one, some do not.
    if let Err(error) = given_once(&bytes) {
        return answer(&problem::not_json(&error, &bytes)).into_response();
    }
    let (bytes, broken) = match serde_json::from_slice(&bytes) {
        Ok(value) => (with_whole_numbers(value, bytes), None),
        Err(error) => (bytes.clone(), (!bytes.is_empty()).then(|| problem::not_json(&error, &bytes))),
    };
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    parts.headers.remove(header::TRANSFER_ENCODING);
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    match broken {
        // The operation met what was met here, and does not say where. That there is no such path, method
        // or name is the better answer, whatever the body.
        Some(broken) if response.status() == StatusCode::BAD_REQUEST => answer(&broken).into_response(),
        _ => response,
    }
}

/// A name that an object has twice is refused: which of the two is meant nobody knows (RFC 8259, 4). What is no JSON at
/// all is not looked at here.
fn given_once(bytes: &[u8]) -> serde_json::Result<()> {
    match serde_json::from_slice::<Once>(bytes) {
        Err(error) if error.is_data() => Err(error),
        _ => Ok(()),
    }
}

/// Any JSON whose objects have no name twice.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format!("the name {name:?} is given twice")));
            }
            names.insert(name);
            fields.next_value::<Self>()?;
        }
        Ok(self)
    }
}

/// JSON Schema has no integers but numbers without a fraction: it takes 15.0 and 1.5e1 for 15, and so do we.
fn with_whole_numbers(mut value: Value, bytes: Bytes) -> Bytes {
    fn mend(value: &mut Value) -> bool {
        match value {
            Value::Number(number) => {
                let whole = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
                // Beyond 2^53 a float is no particular integer, and no field takes one.
                let Some(float) = whole.filter(|float| float.abs() < 9_007_199_254_740_992.0) else {
                    return false;
                };
                *value = Value::from(float as i64);
                true
            }
            Value::Array(items) => items.iter_mut().fold(false, |mended, item| mend(item) | mended),
            Value::Object(fields) => fields.values_mut().fold(false, |mended, field| mend(field) | mended),
            Value::Null | Value::Bool(_) | Value::String(_) => false,
        }
    }
    if mend(&mut value) { value.to_string().into() } else { bytes }
}

/// `waits`: the sender asked with `Expect: 100-continue` and has sent nothing yet.
async fn read(body: Body, waits: bool, share: &mut Taken) -> Result<Bytes, BodyError> {
    if waits && body.size_hint().lower() > MAX_BODY as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut stream = body.into_data_stream();
    let mut taken = Vec::new();
    let (mut seen, mut room) = (0_usize, Ok(()));
    while let Some(portion) = stream.next().await {
        let portion = portion.map_err(|_| BodyError::CutOff)?;
        seen += portion.len();
        if room.is_ok() {
            room = share.grow(seen.min(MAX_BODY) - share.amount());
        }
        if room.is_ok() && seen <= MAX_BODY {
            taken.extend_from_slice(&portion);
        } else if seen > DRAINED {
            break;
        }
    }
    match seen {
        _ if seen > MAX_BODY => Err(BodyError::TooLarge),
        _ => room.map(|()| taken.into()).map_err(BodyError::NoRoom),
    }
}
