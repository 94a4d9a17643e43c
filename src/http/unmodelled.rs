//! What the generator cannot say, served by hand: `/events` and logs, streams that stay open; the contract and
//! Swagger UI, which are bytes as they lie in the program; and redirects. Each is an operation of the
//! contract all the same, listed in `openapi/codegen` under BY_HAND and held to it by the tests.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use containerd_rest_api::OPENAPI_JSON;
use tokio::sync::watch;

use super::{OPENAPI_YAML, Phase, checkpoint_log, events, logs, swagger};
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
        .route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], OPENAPI_JSON)))
        .route("/openapi.yaml", get(async || ([(header::CONTENT_TYPE, "application/yaml")], OPENAPI_YAML)))
        .route("/", get(async || see("swagger-ui/")))
        .route("/swagger-ui", get(async || see("swagger-ui/")))
        .route("/swagger-ui/", get(async || file("index.html")))
        .route("/swagger-ui/{file}", get(async |Path(name): Path<String>| file(&name)))
        .with_state(Streams { api, phase })
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
