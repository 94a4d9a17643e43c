//! The tag `checkpoints`.

use async_trait::async_trait;
use containerd_rest_api::{
    CheckpointPreflightResponse, CheckpointsApi, CreateCheckpoint, CreateCheckpointResponse,
    DeleteCheckpointResponse, ListCheckpointsResponse,
};

use super::{Api, convert, problem};
use crate::supervisor::Result;

#[async_trait]
impl CheckpointsApi for Api {
    async fn list_checkpoints(&self, id: String) -> ListCheckpointsResponse {
        let listed: Result<_> =
            async { self.supervisor.checkpoints(&convert::container_id(&id)?).await }.await;
        match listed {
            Ok(list) => ListCheckpointsResponse::Ok(list.into_iter().map(convert::checkpoint).collect()),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn checkpoint_preflight(
        &self,
        id: String,
        tcp: Option<bool>,
        unix_sockets: Option<bool>,
        shell: Option<bool>,
        file_locks: Option<bool>,
    ) -> CheckpointPreflightResponse {
        let wanted = convert::criu_options(tcp, unix_sockets, shell, file_locks);
        let looked: Result<_> =
            async { self.supervisor.checkpoint_preflight(&convert::container_id(&id)?, wanted).await }.await;
        match looked {
            Ok(blockers) => CheckpointPreflightResponse::Ok(convert::preflight(&blockers)),
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
            self.supervisor
                .checkpoint(&id, name, convert::checkpoint_options(body, preflight, idempotency_key))
                .await
        }
        .await;
        match made {
            Ok(checkpoint) => CreateCheckpointResponse::Created(convert::checkpoint(checkpoint)),
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
