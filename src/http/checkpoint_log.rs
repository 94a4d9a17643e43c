//! `GET /containers/{id}/checkpoint/{checkpoint}/log`: CRIU's log as it lies on the disk, never whole in memory.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use containerd_rest_api::Problem;
use futures_util::stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::problems::answer;
use super::query;
use super::unmodelled::Streams;
use crate::api::problem;
use crate::supervisor::LogOf;

const PORTION: usize = 64 * 1024;

pub(super) async fn log(
    State(streams): State<Streams>,
    Path((id, checkpoint)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    match open(&streams, &id, &checkpoint, query.as_deref().unwrap_or_default()).await {
        Ok(file) => {
            let portions = stream::try_unfold(file, async |mut file| {
                let mut portion = vec![0; PORTION];
                let length = file.read(&mut portion).await?;
                portion.truncate(length);
                Ok::<_, std::io::Error>((length > 0).then_some((portion, file)))
            });
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(portions))
                .into_response()
        }
        Err(problem) => answer(&problem).into_response(),
    }
}

async fn open(streams: &Streams, id: &str, checkpoint: &str, query: &str) -> Result<File, Box<Problem>> {
    let mut of = LogOf::Dump;
    for given in query::parameters(query)? {
        of = match (given.name.as_str(), given.value()) {
            ("of", "dump") => LogOf::Dump,
            ("of", "restore") => LogOf::Restore,
            ("of", _) => return Err(given.wrong("is neither dump nor restore")),
            // Others have been refused.
            _ => of,
        };
    }
    let opened = streams.api.checkpoint_log(id, checkpoint, of).await;
    opened.map(File::from_std).map_err(|error| Box::new(problem::of(&error)))
}
