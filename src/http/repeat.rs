//! `Idempotency-Key`: a request that changes something can be repeated safely. The first answer is kept in the
//! book ([`super::answers`]) and given again; who repeats while it is obeyed waits for it.
//!
//! Something has come of what succeeded, and of what failed at work. A refusal (4xx, and 503 and 507) is no outcome, since
//! nothing was done: once it is mended, or there is room, the request may be repeated with its key. But for the few kinds
//! that tell of what was done, see [`problem::is_outcome`].
//!
//! What a daemon began and died over has no first answer. Its repeat is obeyed anew, and the operations see by
//! the key whether it had happened already (a start, an exec, a checkpoint); a signal, of which nothing tells
//! whether it was sent, is not sent again.

use std::io;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::answers::{Answer, Answers, Claim, Claimed};
use super::problems::answer;
use super::{MAX_BODY, archive};
use crate::api::problem;
use crate::caller;
use crate::hex::hexadecimal;

pub(super) const HEADER: &str = "idempotency-key";
/// An answer is a container at most: its arguments and environment are within the kernel's limit for both.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// What was asked, apart from its key.
struct Asked {
    method: Method,
    uri: Uri,
    body: Bytes,
}

pub(super) async fn first_answer(State(answers): State<Answers>, request: Request, next: Next) -> Response {
    let changes = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    let Some(key) = key(request.headers()).filter(|_| changes) else {
        return next.run(request).await;
    };
    // Of an archive the path and the query count: its bytes come once, and are not kept to be compared.
    let is_archive = archive::is_sent_by(&request);
    let (parts, body) = request.into_parts();
    let (known, body) = if is_archive {
        (Bytes::new(), body)
    } else {
        let Ok(body) = to_bytes(body, MAX_BODY).await else {
            return answer(&problem::too_large(MAX_BODY)).into_response();
        };
        (body.clone(), Body::from(body))
    };
    let asked = Asked { method: parts.method.clone(), uri: parts.uri.clone(), body: known };
    let digest = asked.digest();
    let own = caller::own(key.clone());
    let begun = loop {
        match claimed(&answers, &own, &digest).await {
            Ok(Claimed::First(claim)) => break Ok((claim, false)),
            // Dropped, the claim leaves it unfinished: every repeat is told the same.
            Ok(Claimed::Unfinished(_)) if asked.is_signal() => {
                break Err(answer(&problem::outcome_unknown(&key)).into_response());
            }
            Ok(Claimed::Unfinished(claim)) => break Ok((claim, true)),
            Ok(Claimed::Running(mut end)) => while end.changed().await.is_ok() {},
            Ok(Claimed::Answered(kept)) => break Err(again(&kept)),
            Ok(Claimed::Other) => break Err(answer(&problem::key_reused(&key)).into_response()),
            Err(error) => break Err(answer(&problem::key_not_kept(&key, &error)).into_response()),
        }
    };
    let (claim, unfinished) = match begun {
        Ok(begun) => begun,
        Err(response) => {
            archive::pass_over(&parts.headers, body).await;
            return response;
        }
    };
    let response = next.run(Request::from_parts(parts, body)).await;
    let response = if unfinished { asked.done_before(response) } else { response };
    keep(claim, unfinished, response).await
}

/// A file is written in it.
async fn claimed(answers: &Answers, key: &str, digest: &str) -> io::Result<Claimed> {
    let (answers, key, digest) = (answers.clone(), key.to_owned(), digest.to_owned());
    tokio::task::spawn_blocking(move || answers.claim(&key, &digest)).await.map_err(io::Error::other)?
}

/// The key, if there is one that the contract allows; what it does not allow is refused by the operation.
pub(super) fn key(headers: &HeaderMap) -> Option<String> {
    let mut all = headers.get_all(HEADER).iter();
    let key = all.next()?.to_str().ok()?;
    let graphic = key.bytes().all(|byte| byte.is_ascii_graphic());
    (all.next().is_none() && (1..=255).contains(&key.len()) && graphic).then(|| key.to_owned())
}

impl Asked {
    /// The same for two requests that ask the same, however their JSON is spaced or ordered.
    fn digest(&self) -> String {
        let body = match serde_json::from_slice::<Value>(&self.body) {
            Ok(value) => value.to_string().into(),
            Err(_) => self.body.clone(),
        };
        let mut digest = Sha256::new();
        let uri = self.uri.to_string();
        for part in [self.method.as_str().as_bytes(), uri.as_bytes(), &body] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        hexadecimal(&digest.finalize())
    }

    /// Whether it sends a signal, which has an effect each time it is sent. `stop` ends a container once.
    fn is_signal(&self) -> bool {
        let body = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        !self.uri.path().ends_with("/stop") && body.get("signal").is_some_and(|signal| !signal.is_null())
    }

    /// What a daemon that died was asked to delete and is not there has been deleted.
    fn done_before(&self, response: Response) -> Response {
        if self.method != Method::DELETE || response.status() != StatusCode::NOT_FOUND {
            return response;
        }
        let of_checkpoint = self.uri.path().contains("/checkpoint/");
        (if of_checkpoint { StatusCode::OK } else { StatusCode::NO_CONTENT }).into_response()
    }
}

/// Keeps the answer before it is given, if something has come of it.
async fn keep(claim: Claim, unfinished: bool, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    // In memory already, all of it.
    let Ok(bytes) = to_bytes(body, LARGEST_ANSWER).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if !is_outcome(parts.status, &bytes) {
        // What an earlier daemon began stays as it was: it may have happened.
        if !unfinished {
            let _ = tokio::task::spawn_blocking(move || claim.forget()).await;
        }
        return Response::from_parts(parts, Body::from(bytes));
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kept = Answer {
        status: parts.status.as_u16(),
        content_type: kind.map(str::to_owned),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    let response = again(&kept);
    let _ = tokio::task::spawn_blocking(move || claim.answer(kept)).await;
    response
}

fn is_outcome(status: StatusCode, document: &[u8]) -> bool {
    match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => false,
        _ if status.is_client_error() => problem::is_outcome(document),
        _ => true,
    }
}

fn again(kept: &Answer) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, kept.body.clone()).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    if let Some(kind) = kept.content_type.as_deref().and_then(|kind| HeaderValue::from_str(kind).ok()) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}
