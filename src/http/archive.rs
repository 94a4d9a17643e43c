//! `GET` and `PUT /containers/{id}/checkpoint/{checkpoint}/archive`: bytes from and to the threads that read and write
//! files, by channels that hold a few portions. Knows nothing of what is in an archive.
//!
//! Whoever does not take, or does not send, for [`carry::STALLED`] is let go: their thread and their claim are free again.

mod carry;

use std::path::PathBuf;

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use containerd_rest_api::Problem;

use super::body::{DRAINED, PATIENCE};
use super::problems::answer;
use super::unmodelled::Streams;
use super::{query, repeat};
use crate::api::{json_line, problem};
use crate::supervisor::{Error, Form, Taking};

pub(super) const PATH: &str = "/containers/{id}/checkpoint/{checkpoint}/archive";

/// As start takes one.
const LONGEST_PATH: usize = 4000;

/// Whether a request's body is an archive, to be taken as it comes.
pub(super) fn is_sent_by(request: &Request) -> bool {
    let mut parts = request.uri().path().split('/');
    *request.method() == Method::PUT
        && PATH.split('/').all(|want| parts.next().is_some_and(|part| want == part || want.starts_with('{')))
        && parts.next().is_none()
}

pub(super) async fn export(
    State(streams): State<Streams>,
    Path((id, checkpoint)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match give(&streams, (&id, &checkpoint), query.as_deref().unwrap_or_default(), &headers).await {
        Ok(response) => response,
        Err(problem) => answer(&problem).into_response(),
    }
}

async fn give(
    streams: &Streams,
    (id, checkpoint): (&str, &str),
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Box<Problem>> {
    let asked = asked_form(query)?;
    let form = asked.unwrap_or_else(|| accepted_form(headers));
    let export = streams.api.export(id, checkpoint).await.map_err(of)?;
    let (media, ending) = match asked {
        Some(Form::Zstd) => ("application/zstd", ".zst"),
        Some(Form::Gzip) => ("application/gzip", ".gz"),
        Some(Form::Plain) | None => ("application/x-tar", ""),
    };
    let length = export.length();
    let mut response = carry::out(move |out| export.write(form, out)).into_response();
    let said = response.headers_mut();
    let mut say = |name, value: &str| value.parse().map(|value| said.insert(name, value)).is_ok();
    say(header::CONTENT_TYPE, media);
    // Names are plain characters.
    let name = format!("attachment; filename=\"{id}-{checkpoint}.tar{ending}\"");
    say(header::CONTENT_DISPOSITION, &name);
    say(header::VARY, "accept-encoding");
    match (asked, form) {
        (_, Form::Plain) => say(header::CONTENT_LENGTH, &length.to_string()),
        (None, Form::Zstd) => say(header::CONTENT_ENCODING, "zstd"),
        (None, Form::Gzip) => say(header::CONTENT_ENCODING, "gzip"),
        // It is the file's own form, and stays on it.
        (Some(_), Form::Zstd | Form::Gzip) => true,
    };
    Ok(response)
}

fn asked_form(query: &str) -> Result<Option<Form>, Box<Problem>> {
    let mut form = None;
    for given in query::parameters(query)?.iter().filter(|given| given.name == "compression") {
        form = Some(match given.value.as_str() {
            "none" => Form::Plain,
            "zstd" => Form::Zstd,
            "gzip" => Form::Gzip,
            _ => return Err(given.wrong("is none of none, zstd, gzip")),
        });
    }
    Ok(form)
}

/// RFC 9110, 12.5.3: a weight of 0 is a no, and what is not named is not wanted.
fn accepted_form(headers: &HeaderMap) -> Form {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let accepted: Vec<String> = lines
        .flat_map(|line| line.split(','))
        .filter_map(|one| {
            let (coding, weight) = one.split_once(';').unwrap_or((one, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
            (weight > 0.0).then(|| coding.trim().to_ascii_lowercase())
        })
        .collect();
    let takes = |coding: &str| accepted.iter().any(|one| one == coding);
    if takes("zstd") {
        Form::Zstd
    } else if takes("gzip") {
        Form::Gzip
    } else {
        Form::Plain
    }
}

pub(super) async fn import(
    State(streams): State<Streams>,
    Path((id, checkpoint)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let mut body = Some(body);
    let query = query.as_deref().unwrap_or_default();
    match take(&streams, (&id, &checkpoint), query, &headers, &mut body).await {
        Ok(response) => response,
        Err(problem) => {
            if let Some(body) = body {
                pass_over(&headers, body).await;
            }
            answer(&problem).into_response()
        }
    }
}

/// `body` is taken when it is read.
async fn take(
    streams: &Streams,
    (id, checkpoint): (&str, &str),
    query: &str,
    headers: &HeaderMap,
    body: &mut Option<Body>,
) -> Result<Response, Box<Problem>> {
    let bundle = bundle_path(query)?;
    known_coding(headers)?;
    let key = repeat::key(headers);
    if key.is_none() && headers.contains_key(repeat::HEADER) {
        return Err(Box::new(problem::in_header(
            "Idempotency-Key",
            "is not one of 1 to 255 visible ASCII characters",
        )));
    }
    let taking = streams.api.import(id, checkpoint, bundle, key).await.map_err(of)?;
    let checkpoint = match taking {
        Taking::Done(checkpoint) => {
            if let Some(body) = body.take() {
                pass_over(headers, body).await;
            }
            *checkpoint
        }
        Taking::Ready(import) => {
            let body = body.take().unwrap_or_default();
            carry::inward(body, move |input| import.take(input)).await.map_err(of)?
        }
    };
    let made = json_line(&streams.api.checkpoint(checkpoint)).trim_end().to_owned();
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], made).into_response())
}

/// The document; what start has in its body is in the query here.
fn of(error: Error) -> Box<Problem> {
    let mut found = problem::of(&error);
    for item in found.errors.iter_mut().flatten().filter(|item| item.location == "/body/bundlePath") {
        item.location = "/query/bundlePath".to_owned();
    }
    Box::new(found)
}

fn bundle_path(query: &str) -> Result<Option<PathBuf>, Box<Problem>> {
    let mut path = None;
    for given in query::parameters(query)?.into_iter().filter(|given| given.name == "bundlePath") {
        if !given.value.starts_with('/') || given.value.contains('\0') || given.value.len() > LONGEST_PATH {
            return Err(given.wrong("is no absolute path"));
        }
        path = Some(given.value.into());
    }
    Ok(path)
}

/// What it is is seen by its first bytes; one that nobody here can read is refused before it comes.
fn known_coding(headers: &HeaderMap) -> Result<(), Box<Problem>> {
    let said = headers.get(header::CONTENT_ENCODING).map(|said| said.to_str().unwrap_or("?"));
    match said.map(str::trim) {
        None | Some("" | "identity" | "zstd" | "gzip" | "x-gzip") => Ok(()),
        Some(_) => Err(Box::new(problem::in_header("Content-Encoding", "is none of zstd, gzip, identity"))),
    }
}

/// A body that is not wanted: some of it is read, so that its sender reads our answer before it meets a closed connection.
/// One who asked beforehand has sent nothing yet.
pub(super) async fn pass_over(headers: &HeaderMap, body: Body) {
    if !headers.contains_key(header::EXPECT) {
        let _ = tokio::time::timeout(PATIENCE, carry::drain(body, DRAINED)).await;
    }
}
