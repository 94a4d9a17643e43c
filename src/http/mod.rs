//! HTTP: listeners, limits, body types, what the generated router cannot say, and Swagger UI's mount.
//! Knows nothing of containers.

mod accept;
mod answers;
mod archive;
mod audit;
mod body;
mod callers;
mod checkpoint_log;
mod connections;
mod detach;
mod events;
mod gate;
mod given;
mod limits;
mod listen;
mod logs;
mod operations;
mod paced;
mod problems;
mod query;
mod repeat;
mod sites;
mod swagger;
mod tls;
mod unmodelled;

use axum::Router;
use axum::middleware;
use containerd_rest_api as generated;
use tokio::sync::watch;

pub use answers::Answers;
pub use audit::Audit;
pub use callers::{Callers, NoSuch};
pub use given::{Given, Handed};
pub use limits::{InUse, Limits};
pub use listen::{ListenError, Listeners, Phase, are_loopback, try_address};
pub use sites::Names;
pub use tls::{Certificates, Tls, TlsError};

use crate::api::Api;

/// The largest body that is taken, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// The contract as it was written.
pub const OPENAPI_YAML: &str = include_str!("../../openapi/containerd.v1.yaml");

/// The contract's version, from the contract.
pub fn api_version() -> String {
    #[derive(serde::Deserialize)]
    struct Contract {
        info: Info,
    }
    #[derive(serde::Deserialize)]
    struct Info {
        version: String,
    }
    let contract: Result<Contract, _> = serde_json::from_str(generated::OPENAPI_JSON);
    contract.map_or_else(|error| error.to_string(), |contract| contract.info.version)
}

/// Who is served, under which names, and where that is written down.
#[derive(Debug, Clone)]
pub struct Door {
    /// Who may call.
    pub callers: Callers,
    /// What the daemon is called.
    pub names: Names,
    /// What was asked, and by whom.
    pub audit: Audit,
    /// How much of it is in use.
    pub in_use: InUse,
}

/// A request as it comes from root by a socket.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn from_root(in_use: &InUse, mut request: axum::extract::Request) -> axum::extract::Request {
    request.extensions_mut().insert(axum::extract::connect_info::ConnectInfo(callers::Peer::root()));
    if let Some((slot, _)) = in_use.gate.admit(gate::Whose::Root) {
        request.extensions_mut().insert(std::sync::Arc::new(slot));
    }
    request
}

/// Everything that is served. Streams end when it is no longer the phase to follow.
pub fn router(api: Api, answers: Answers, door: Door, phase: watch::Receiver<Phase>) -> Router {
    let routes = Router::new()
        .merge(generated::containers_api_router(api.clone()))
        .merge(generated::processes_api_router(api.clone()))
        .merge(generated::checkpoints_api_router(api.clone()))
        .merge(generated::daemon_api_router(api.clone()))
        .merge(unmodelled::router(api, phase.clone()))
        .fallback(|| async { axum::http::StatusCode::NOT_FOUND });
    // Around the whole router and not around each route: only from there a 405 has its Allow header.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(answers, repeat::first_answer))
        .layer(middleware::from_fn_with_state(door.in_use.clone(), body::take_as_json))
        .layer(middleware::from_fn(query::known))
        .layer(middleware::from_fn_with_state(door.in_use, limits::counted))
        .layer(middleware::from_fn_with_state(door.names, sites::own))
        .layer(middleware::from_fn_with_state(door.callers, callers::known))
        .layer(middleware::from_fn(limits::admitted))
        .layer(middleware::from_fn(problems::documents))
        .layer(middleware::from_fn(sites::guarded))
        .layer(middleware::from_fn_with_state(door.audit, audit::written))
        .layer(middleware::from_fn(detach::from_client))
        .layer(middleware::from_fn_with_state(phase, listen::close_after))
}
