//! `GET /events`: NDJSON, or server-sent events by Accept (WHATWG HTML, "Server-sent events").

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use containerd_rest_api::{Event, EventType, Problem};
use futures_util::stream;
use tokio::sync::watch;

use super::Phase;
use super::accept;
use super::problems::answer;
use super::query;
use super::unmodelled::Streams;
use crate::api::{event, json_line, problem};
use crate::supervisor::{ContainerId, Listener};

const SSE: &str = "text/event-stream";
const NDJSON: &str = "application/x-ndjson";
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// What a reader asked for.
struct Asked {
    since: Option<u64>,
    id: Option<ContainerId>,
    kind: Option<String>,
    follow: bool,
}

struct Reading {
    listener: Listener,
    asked: Asked,
    sse: bool,
    phase: watch::Receiver<Phase>,
    last: bool,
}

pub(super) async fn events(
    State(streams): State<Streams>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let mut asked = match parse(query.as_deref().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(problem) => return answer(&problem).into_response(),
    };
    // A browser that reconnects knows better than the address that it was given.
    match last_event_id(&headers) {
        Ok(last) => asked.since = last.or(asked.since),
        Err(problem) => return answer(&problem).into_response(),
    }
    let sse = accept::prefers(&headers, SSE, NDJSON);
    let listener = streams.api.supervisor().events(asked.since);
    let reading = Reading { listener, asked, sse, phase: streams.phase, last: false };
    let portions = stream::unfold(reading, |mut reading| async move {
        let bytes = reading.next().await?;
        Some((Ok::<_, Infallible>(bytes), reading))
    });
    ([(header::CONTENT_TYPE, if sse { SSE } else { NDJSON })], Body::from_stream(portions)).into_response()
}

impl Reading {
    /// Ends when the daemon does, when there is no more to a reader who does not follow, or when the reader
    /// hangs up.
    async fn next(&mut self) -> Option<String> {
        while !self.last {
            let told = self.listener.now();
            if told.is_empty() {
                if !self.asked.follow {
                    return None;
                }
                tokio::select! {
                    () = self.listener.more() => {}
                    _ = self.phase.wait_for(|phase| !phase.lets_follow()) => self.last = true,
                }
                continue;
            }
            let text: String = told
                .into_iter()
                .map(event)
                .filter(|event| self.asked.wants(event))
                .map(|event| self.form(&event))
                .collect();
            if !text.is_empty() {
                return Some(text);
            }
        }
        None
    }

    fn form(&self, event: &Event) -> String {
        let line = json_line(event);
        if !self.sse {
            return line;
        }
        format!("id: {}\nevent: {}\ndata: {line}\n", event.cursor, event.r#type)
    }
}

impl Asked {
    /// That something was missed is said to everybody.
    fn wants(&self, event: &Event) -> bool {
        event.r#type == EventType::Missed.as_str()
            || (self.id.as_ref().is_none_or(|id| event.id.as_deref() == Some(id.as_str()))
                && self.kind.as_ref().is_none_or(|kind| event.r#type == *kind))
    }
}

/// A cursor as the contract has it: what is none would be taken for "from now on", and what happened would be lost.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Box<Problem>> {
    let Some(given) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else { return Ok(None) };
    // As long as the contract's pattern lets it be.
    let cursor = given.to_str().ok().filter(|id| id.len() <= 18).and_then(cursor);
    cursor.map(Some).ok_or_else(|| Box::new(problem::in_header(LAST_EVENT_ID, "is no cursor")))
}

fn cursor(text: &str) -> Option<u64> {
    // The parser takes a sign too.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    u64::try_from(text.parse::<i64>().ok()?).ok()
}

fn parse(text: &str) -> Result<Asked, Box<Problem>> {
    let mut asked = Asked { since: None, id: None, kind: None, follow: true };
    for given in query::parameters(text)? {
        match given.name.as_str() {
            "since" => {
                asked.since = Some(cursor(&given.value).ok_or_else(|| given.wrong("is no cursor"))?);
            }
            "id" => asked.id = Some(given.parsed("is no container's name")?),
            "type" => {
                let known = serde_json::from_value::<EventType>(given.value.as_str().into());
                asked.kind = Some(known.map_err(|_| given.wrong("is no type of event"))?.as_str().to_owned());
            }
            "follow" => asked.follow = given.flag()?,
            // Others have been refused.
            _ => {}
        }
    }
    Ok(asked)
}
