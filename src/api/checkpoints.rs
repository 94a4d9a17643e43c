//! The tag `checkpoints`.

use async_trait::async_trait;
use containerd_rest_api::{
    CheckpointsApi, CreateCheckpoint, CreateCheckpointResponse, DeleteCheckpointResponse,
    ListCheckpointsResponse,
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

    async fn create_checkpoint(
        &self,
        id: String,
        checkpoint: String,
        idempotency_key: Option<String>,
        body: Option<CreateCheckpoint>,
    ) -> CreateCheckpointResponse {
        let made: Result<_> = async {
            let (id, name) = (convert::container_id(&id)?, convert::checkpoint_name(&checkpoint)?);
            self.supervisor.checkpoint(&id, name, convert::checkpoint_options(body, idempotency_key)).await
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
