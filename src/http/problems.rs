//! Every error leaves as a problem document of ours: the generated validation's documents get our form,
//! the framework's bare answers get one, and all get the request's path. A failure is logged here, once.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use containerd_rest_api::{Problem, ProblemDetails};

use super::operations::{container_of, shortened};
use crate::api::{json_line, problem};

const MEDIA_TYPE: &str = "application/problem+json";
/// No document of ours is near it.
const LARGEST: usize = 256 * 1024;

/// Of which kind an answer's problem is, told in its extensions to those around.
#[derive(Debug, Clone)]
pub(super) struct Kind(pub(super) String);

/// A problem document as an answer.
pub(super) fn answer(problem: &Problem) -> impl IntoResponse + use<> {
    let status = u16::try_from(problem.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let body = json_line(problem);
    (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), [(header::CONTENT_TYPE, MEDIA_TYPE)], body)
}

pub(super) async fn documents(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if !(response.status().is_client_error() || response.status().is_server_error()) {
        return with_last_newline(response).await;
    }
    let (parts, body) = response.into_parts();
    let is_document =
        parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes() == MEDIA_TYPE.as_bytes());
    let allow = parts.headers.get(header::ALLOW).cloned();
    let bytes =
        if is_document { to_bytes(body, LARGEST).await.unwrap_or_default() } else { Vec::new().into() };
    // The generated validation's documents have a `code`; ours have a `detail`.
    let mut found = if let Ok(ours) = serde_json::from_slice::<Problem>(&bytes) {
        ours
    } else if let Ok(violation) = serde_json::from_slice::<ProblemDetails>(&bytes) {
        problem::violation(violation)
    } else {
        let allow = allow.as_ref().and_then(|allow| allow.to_str().ok());
        problem::of_status(parts.status.as_u16(), method.as_str(), &path, allow)
    };
    problem::place(&mut found, &path);
    log(&method, &found);
    let mut response = answer(&found).into_response();
    *response.extensions_mut() = parts.extensions;
    response.extensions_mut().insert(Kind(found.r#type));
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    if found.status == 401 {
        // RFC 6750, section 3.1.
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if matches!(found.status, 429 | 503) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// So that the prompt of a person with curl begins a line of its own. JSON answers are whole in memory.
async fn with_last_newline(response: Response) -> Response {
    let json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut bytes = Vec::from(bytes);
    // To HEAD, whose length is that of the answer to GET, nothing is added.
    if bytes.is_empty() {
        return Response::from_parts(parts, Body::empty());
    }
    bytes.push(b'\n');
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Response::from_parts(parts, Body::from(bytes))
}

fn log(method: &axum::http::Method, found: &Problem) {
    let (status, path, kind) = (found.status, shortened(&found.instance), &found.r#type);
    let detail = if status < 500 { shortened(&found.detail) } else { &found.detail };
    let container = container_of(path).unwrap_or_default();
    let container = &*container;
    if status >= 500 {
        tracing::error!(%method, path, container, status, kind, detail, "failed");
    } else {
        tracing::info!(%method, path, container, status, kind, detail, "refused");
    }
}
