//! What the generator cannot say, served by hand: `/events` and logs, streams that stay open; archives of checkpoints, of any length; the contract and
//! Swagger UI, which are bytes as they lie in the program; and redirects. Each is an operation of the
//! contract all the same, listed in `openapi/codegen` under BY_HAND and held to it by the tests.

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use containerd_rest_api::{OPENAPI_3_0_JSON, OPENAPI_JSON};
use tokio::sync::watch;

use super::{OPENAPI_YAML, Phase, archive, checkpoint_log, events, logs, swagger};
use crate::api::Api;

/// What the stream needs: what happens, and whether the daemon is ending.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) api: Api,
    pub(super) phase: watch::Receiver<Phase>,
}

pub(super) fn router(api: Api, phase: watch::Receiver<Phase>) -> Router {
    Router::new()
        .route("/events", get(events::events))
        .route("/containers/{id}/logs", get(logs::logs))
        .route("/containers/{id}/checkpoint/{checkpoint}/log", get(checkpoint_log::log))
        .route(archive::PATH, get(archive::export).put(archive::import))
        .route("/openapi.json", get(async || document("application/json", OPENAPI_JSON)))
        .route("/openapi-3.0.json", get(async || document("application/json", OPENAPI_3_0_JSON)))
        .route("/openapi.yaml", get(async || document("application/yaml", OPENAPI_YAML)))
        .route("/", get(async || see("swagger-ui/")))
        .route("/swagger-ui", get(async || see("swagger-ui/")))
        .route("/swagger-ui/", get(async || file("index.html")))
        .route("/swagger-ui/{file}", get(async |Path(name): Path<String>| file(&name)))
        .with_state(Streams { api, phase })
}

/// Whether what is asked for is the contract, or its page: the same on every host, and of nobody's container.
pub(super) fn is_for_everybody(request: &Request) -> bool {
    const ALL: [&str; 5] = ["/", "/swagger-ui", "/openapi.json", "/openapi-3.0.json", "/openapi.yaml"];
    let path = request.uri().path();
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    looks && (ALL.contains(&path) || path.starts_with("/swagger-ui/"))
}

fn document(media: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, media)], text)
}

/// Relative, so that it leads right behind a path prefix too.
fn see(location: &'static str) -> impl IntoResponse {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)])
}

fn file(name: &str) -> Response {
    match swagger::file(name) {
        Some((kind, bytes)) => ([(header::CONTENT_TYPE, kind.as_ref())], bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
