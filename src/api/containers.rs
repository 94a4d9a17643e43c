//! The tag `containers`.

use async_trait::async_trait;
use containerd_rest_api::{
    ContainersApi, DeleteContainerResponse, GetContainerResponse, ListContainersResponse, StartContainer,
    StartContainerResponse, StopContainer, StopContainerResponse, UpdateContainer, UpdateContainerResponse,
    WaitContainerResponse,
};

use super::{Api, convert, problem};
use crate::supervisor::Result;

#[async_trait]
impl ContainersApi for Api {
    async fn list_containers(&self) -> ListContainersResponse {
        ListContainersResponse::Ok(self.supervisor.list().iter().map(convert::container).collect())
    }

    async fn get_container(&self, id: String) -> GetContainerResponse {
        let found = convert::container_id(&id).and_then(|id| self.supervisor.get(&id));
        match found {
            Ok(snapshot) => GetContainerResponse::Ok(convert::container(&snapshot)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn start_container(
        &self,
        id: String,
        allow_changed_bundle: Option<bool>,
        idempotency_key: Option<String>,
        body: StartContainer,
    ) -> StartContainerResponse {
        let started: Result<_> = async {
            let start =
                convert::start(body, super::behalf(), super::own(idempotency_key), allow_changed_bundle)?;
            self.supervisor.start(&convert::container_id(&id)?, start).await
        }
        .await;
        match started {
            Ok(snapshot) => StartContainerResponse::Created(convert::container(&snapshot)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn update_container(
        &self,
        id: String,
        _idempotency_key: Option<String>,
        body: UpdateContainer,
    ) -> UpdateContainerResponse {
        let updated: Result<_> =
            async { self.supervisor.update(&convert::container_id(&id)?, convert::update(&body)).await }
                .await;
        match updated {
            Ok(snapshot) => UpdateContainerResponse::Ok(convert::container(&snapshot)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn stop_container(
        &self,
        id: String,
        _idempotency_key: Option<String>,
        body: Option<StopContainer>,
    ) -> StopContainerResponse {
        let stopped: Result<_> = async {
            let (signal, timeout) = convert::stop(body);
            self.supervisor.stop(&convert::container_id(&id)?, signal, timeout).await
        }
        .await;
        match stopped {
            Ok(snapshot) => StopContainerResponse::Ok(convert::container(&snapshot)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn wait_container(&self, id: String, timeout: Option<i32>) -> WaitContainerResponse {
        let limit = convert::limit(timeout);
        let waited: Result<_> =
            async { self.supervisor.wait(&convert::container_id(&id)?, limit).await }.await;
        match waited {
            Ok(snapshot) => WaitContainerResponse::Ok(convert::container(&snapshot)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn delete_container(
        &self,
        id: String,
        force: Option<bool>,
        _idempotency_key: Option<String>,
    ) -> DeleteContainerResponse {
        let deleted: Result<_> =
            async { self.supervisor.delete(&convert::container_id(&id)?, force.unwrap_or(false)).await }
                .await;
        match deleted {
            Ok(()) => DeleteContainerResponse::NoContent,
            Err(error) => problem::of(&error).into(),
        }
    }
}
