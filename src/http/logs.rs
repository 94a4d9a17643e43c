//! `GET /containers/{id}/logs`: plain text for a person, NDJSON by Accept for a program.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use containerd_rest_api::Problem;
use futures_util::stream;
use jiff::Timestamp;

use super::problems::answer;
use super::unmodelled::Streams;
use super::{accept, query};
use crate::api::{log_line, problem};
use crate::supervisor::{LogLine, LogQuery};

const TEXT: &str = "text/plain";
const NDJSON: &str = "application/x-ndjson";

#[derive(Debug, Clone, Copy)]
enum Form {
    Text { timestamps: bool },
    Ndjson,
}

pub(super) async fn logs(
    State(streams): State<Streams>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match open(&streams, &id, query.as_deref().unwrap_or_default(), &headers) {
        Ok(response) => response,
        Err(problem) => answer(&problem).into_response(),
    }
}

fn open(streams: &Streams, id: &str, query: &str, headers: &HeaderMap) -> Result<Response, Box<Problem>> {
    let (query, timestamps) = parse(query)?;
    let (form, media) = if accept::prefers(headers, NDJSON, TEXT) {
        (Form::Ndjson, NDJSON)
    } else {
        (Form::Text { timestamps }, "text/plain; charset=utf-8")
    };
    let reader = streams.api.logs(id, query).map_err(|error| Box::new(problem::of(&error)))?;
    let portions = stream::unfold((reader, None), move |(mut reader, mut open)| async move {
        let bytes = match reader.next().await? {
            Ok(lines) => lines.iter().flat_map(|line| bytes(line, form, &mut open)).collect::<Vec<u8>>(),
            Err(error) => {
                tracing::error!(error = %crate::supervisor::chain(&error), "a log could not be read to its end");
                return None;
            }
        };
        Some((Ok::<_, Infallible>(bytes), (reader, open)))
    });
    Ok(([(header::CONTENT_TYPE, media)], Body::from_stream(portions)).into_response())
}

/// `open`: of which stream the last line goes on, if it does. The pieces of a line make one, unless the other stream comes
/// between them: then it is broken there.
fn bytes(line: &LogLine, form: Form, open: &mut Option<bool>) -> Vec<u8> {
    let Form::Text { timestamps } = form else { return log_line(line).into_bytes() };
    let before = std::mem::replace(open, line.partial.then_some(line.stderr));
    let goes_on = before == Some(line.stderr) && !line.missed;
    let mut bytes = Vec::new();
    if before.is_some() && !goes_on {
        bytes.push(b'\n');
    }
    if timestamps && !goes_on {
        bytes.extend_from_slice(format!("{:.6} ", line.at).as_bytes());
    }
    bytes.extend_from_slice(&line.text);
    if !line.partial {
        bytes.push(b'\n');
    }
    bytes
}

/// The query by the contract; `timestamps` is the form's.
fn parse(text: &str) -> Result<(LogQuery, bool), Box<Problem>> {
    let mut query = LogQuery { stdout: true, stderr: true, tail: None, since: None, follow: false };
    let mut timestamps = false;
    for given in query::parameters(text)? {
        match given.name.as_str() {
            "stdout" => query.stdout = given.flag()?,
            "stderr" => query.stderr = given.flag()?,
            "follow" => query.follow = given.flag()?,
            "timestamps" => timestamps = given.flag()?,
            "tail" => {
                let tail = given.parsed("is no number from 0 to 100000")?;
                if tail > 100_000 {
                    return Err(given.wrong("is no number from 0 to 100000"));
                }
                query.tail = Some(tail);
            }
            "since" => query.since = Some(given.parsed::<Timestamp>("is no time as RFC 3339 has it")?),
            // Others have been refused.
            _ => {}
        }
    }
    Ok((query, timestamps))
}
