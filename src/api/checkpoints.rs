//! The tag `checkpoints`.

use async_trait::async_trait;
use containerd_rest_api::{
    CancelOperationResponse, CheckpointsApi, CreateCheckpoint, CreateCheckpointResponse,
    DeleteCheckpointResponse, GetCheckpointResponse, ListCheckpointsResponse, ListCheckpointsSort,
    PreflightCheckpointResponse,
};

use super::convert::checkpoints::{checkpoint as entry, checkpoint_options, criu_options, order, report};
use super::convert::preflight::preflight as looked_at;
use super::{Api, convert, problem};
use crate::supervisor::Result;

#[async_trait]
impl CheckpointsApi for Api {
    async fn list_checkpoints(
        &self,
        id: String,
        sort: Option<ListCheckpointsSort>,
        limit: Option<i32>,
    ) -> ListCheckpointsResponse {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let listed: Result<_> = async {
            let order = order(sort.unwrap_or_default());
            self.supervisor.checkpoints(&convert::container_id(&id)?, order, limit, super::behalf()).await
        }
        .await;
        match listed {
            Ok(list) => ListCheckpointsResponse::Ok(list.into_iter().map(entry).collect()),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn preflight_checkpoint(
        &self,
        id: String,
        tcp: Option<bool>,
        unix_sockets: Option<bool>,
        shell: Option<bool>,
        file_locks: Option<bool>,
    ) -> PreflightCheckpointResponse {
        let wanted = criu_options(tcp, unix_sockets, shell, file_locks);
        let looked: Result<_> = async {
            self.supervisor.checkpoint_preflight(&convert::container_id(&id)?, wanted, super::behalf()).await
        }
        .await;
        match looked {
            Ok(found) => PreflightCheckpointResponse::Ok(looked_at(found)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn create_checkpoint(
        &self,
        id: String,
        checkpoint: String,
        preflight: Option<bool>,
        idempotency_key: Option<String>,
        body: Option<CreateCheckpoint>,
    ) -> CreateCheckpointResponse {
        let made: Result<_> = async {
            let (id, name) = (convert::container_id(&id)?, convert::checkpoint_name(&checkpoint)?);
            let options = checkpoint_options(body, preflight, super::own(idempotency_key));
            self.supervisor.checkpoint(&id, name, options).await
        }
        .await;
        match made {
            Ok(checkpoint) => CreateCheckpointResponse::Created(entry(checkpoint)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn get_checkpoint(&self, id: String, checkpoint: String) -> GetCheckpointResponse {
        let found: Result<_> = async {
            let (id, name) = (convert::container_id(&id)?, convert::checkpoint_name(&checkpoint)?);
            self.supervisor.checkpoint_report(&id, name, super::behalf()).await
        }
        .await;
        match found {
            Ok(found) => GetCheckpointResponse::Ok(report(found)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn cancel_operation(
        &self,
        id: String,
        _idempotency_key: Option<String>,
    ) -> CancelOperationResponse {
        let cancelled: Result<_> = async { self.supervisor.cancel(&convert::container_id(&id)?).await }.await;
        match cancelled {
            Ok(()) => CancelOperationResponse::NoContent,
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn delete_checkpoint(
        &self,
        id: String,
        checkpoint: String,
        _idempotency_key: Option<String>,
    ) -> DeleteCheckpointResponse {
        let deleted: Result<_> = async {
            let (id, name) = (convert::container_id(&id)?, convert::checkpoint_name(&checkpoint)?);
            self.supervisor.delete_checkpoint(&id, name).await
        }
        .await;
        match deleted {
            Ok(()) => DeleteCheckpointResponse::Ok,
            Err(error) => problem::of(&error).into(),
        }
    }
}
