//! What the generator cannot say, served by hand: `/events` and logs, streams that stay open; the contract and
//! Swagger UI, which are bytes as they lie in the program; and redirects. Each is an operation of the
//! contract all the same, listed in `openapi/codegen` under BY_HAND and held to it by the tests.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use containerd_rest_api::OPENAPI_JSON;
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::{OPENAPI_YAML, logs, swagger};
use crate::api::{Api, event_line};

/// What the stream needs: what happens, and whether the daemon is ending.
#[derive(Clone)]
pub(super) struct Streams {
    pub(super) api: Api,
    ending: watch::Receiver<bool>,
}

pub(super) fn router(api: Api, ending: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/events", get(events))
        .route("/containers/{id}/logs", get(logs::logs))
        .route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], OPENAPI_JSON)))
        .route("/openapi.yaml", get(async || ([(header::CONTENT_TYPE, "application/yaml")], OPENAPI_YAML)))
        .route("/", get(async || see("swagger-ui/")))
        .route("/swagger-ui", get(async || see("swagger-ui/")))
        .route("/swagger-ui/", get(async || file("index.html")))
        .route("/swagger-ui/{file}", get(async |Path(name): Path<String>| file(&name)))
        .with_state(Streams { api, ending })
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

/// Ends when the daemon does, or the reader hangs up.
async fn events(State(streams): State<Streams>) -> Response {
    let listener = streams.api.supervisor().events();
    let lines = stream::unfold((listener, streams.ending), |(mut listener, mut ending)| async move {
        let event = tokio::select! {
            event = listener.recv() => match event {
                Ok(event) => Ok(event),
                Err(RecvError::Lagged(missed)) => Err(missed),
                Err(RecvError::Closed) => return None,
            },
            _ = ending.wait_for(|ending| *ending) => return None,
        };
        Some((Ok::<_, std::convert::Infallible>(event_line(event)), (listener, ending)))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}
