//! Per-tag traits. Implement one of these on your own
//! struct; the router (P5) wires it into axum.
#![allow(clippy::too_many_arguments)]
use super::errors::*;
#[allow(unused_imports)]
use super::super::types::*;
#[derive(Debug, Clone, PartialEq, Eq, ::serde::Deserialize, ::serde::Serialize, Default)]
pub enum ListCheckpointsSort {
    #[default]
    #[serde(rename = "oldest")]
    Oldest,
    #[serde(rename = "newest")]
    Newest,
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "largest")]
    Largest,
}
/// Operations under the `checkpoints` tag.
#[async_trait::async_trait]
pub trait CheckpointsApi: Send + Sync + 'static {
    /// List the checkpoints of a container
    ///
    /// `GET /containers/{id}/checkpoint`
    async fn list_checkpoints(
        &self,
        id: String,
        sort: ::std::option::Option<ListCheckpointsSort>,
        limit: ::std::option::Option<i32>,
    ) -> ListCheckpointsResponse;
    /// Would a checkpoint succeed, and if not, what is in its way?
    ///
    /// `GET /containers/{id}/checkpoint-preflight`
    async fn preflight_checkpoint(
        &self,
        id: String,
        tcp: ::std::option::Option<bool>,
        unix_sockets: ::std::option::Option<bool>,
        shell: ::std::option::Option<bool>,
        file_locks: ::std::option::Option<bool>,
    ) -> PreflightCheckpointResponse;
    /// Checkpoint a container
    ///
    /// `POST /containers/{id}/checkpoint/{checkpoint}`
    async fn create_checkpoint(
        &self,
        id: String,
        checkpoint: String,
        preflight: ::std::option::Option<bool>,
        idempotency_key: ::std::option::Option<String>,
        body: Option<CreateCheckpoint>,
    ) -> CreateCheckpointResponse;
    /// Look into a checkpoint
    ///
    /// `GET /containers/{id}/checkpoint/{checkpoint}`
    async fn get_checkpoint(
        &self,
        id: String,
        checkpoint: String,
    ) -> GetCheckpointResponse;
    /// Delete a checkpoint
    ///
    /// `DELETE /containers/{id}/checkpoint/{checkpoint}`
    async fn delete_checkpoint(
        &self,
        id: String,
        checkpoint: String,
        idempotency_key: ::std::option::Option<String>,
    ) -> DeleteCheckpointResponse;
    /// Call off a checkpoint or a restore
    ///
    /// `POST /containers/{id}/cancel`
    async fn cancel_operation(
        &self,
        id: String,
        idempotency_key: ::std::option::Option<String>,
    ) -> CancelOperationResponse;
}
/// Operations under the `containers` tag.
#[async_trait::async_trait]
pub trait ContainersApi: Send + Sync + 'static {
    /// Start a container, or restore it from a checkpoint
    ///
    /// `POST /containers/{id}`
    async fn start_container(
        &self,
        id: String,
        allow_changed_bundle: ::std::option::Option<bool>,
        idempotency_key: ::std::option::Option<String>,
        body: StartContainer,
    ) -> StartContainerResponse;
    /// Look at one container
    ///
    /// `GET /containers/{id}`
    async fn get_container(&self, id: String) -> GetContainerResponse;
    /// Pause, resume or signal a container
    ///
    /// `PATCH /containers/{id}`
    async fn update_container(
        &self,
        id: String,
        idempotency_key: ::std::option::Option<String>,
        body: UpdateContainer,
    ) -> UpdateContainerResponse;
    /// Delete a container
    ///
    /// `DELETE /containers/{id}`
    async fn delete_container(
        &self,
        id: String,
        force: ::std::option::Option<bool>,
        idempotency_key: ::std::option::Option<String>,
    ) -> DeleteContainerResponse;
    /// List containers
    ///
    /// `GET /containers`
    async fn list_containers(&self) -> ListContainersResponse;
    /// Stop a container
    ///
    /// `POST /containers/{id}/stop`
    async fn stop_container(
        &self,
        id: String,
        idempotency_key: ::std::option::Option<String>,
        body: Option<StopContainer>,
    ) -> StopContainerResponse;
    /// Wait until a container ends
    ///
    /// `GET /containers/{id}/wait`
    async fn wait_container(
        &self,
        id: String,
        timeout: ::std::option::Option<i32>,
    ) -> WaitContainerResponse;
}
/// Operations under the `daemon` tag.
#[async_trait::async_trait]
pub trait DaemonApi: Send + Sync + 'static {
    /// The state of everything
    ///
    /// `GET /state`
    async fn get_state(&self) -> GetStateResponse;
    /// Versions, and what is possible here
    ///
    /// `GET /version`
    async fn get_version(&self) -> GetVersionResponse;
    /// Is the daemon well?
    ///
    /// `GET /healthz`
    async fn get_health(&self) -> GetHealthResponse;
}
/// Operations under the `processes` tag.
#[async_trait::async_trait]
pub trait ProcessesApi: Send + Sync + 'static {
    /// Add a process to a container
    ///
    /// `PUT /containers/{id}/process`
    async fn create_process(
        &self,
        id: String,
        idempotency_key: ::std::option::Option<String>,
        body: CreateProcess,
    ) -> CreateProcessResponse;
    /// Add a process to a container (the other spelling)
    ///
    /// `PUT /containers/{id}/processes`
    async fn create_process_plural(
        &self,
        id: String,
        idempotency_key: ::std::option::Option<String>,
        body: CreateProcess,
    ) -> CreateProcessPluralResponse;
    /// Look at a process, also after its end
    ///
    /// `GET /containers/{id}/process/{pid}`
    async fn get_process(&self, id: String, pid: i32) -> GetProcessResponse;
    /// Signal a process of a container
    ///
    /// `POST /containers/{id}/process/{pid}`
    async fn signal_process(
        &self,
        id: String,
        pid: i32,
        idempotency_key: ::std::option::Option<String>,
        body: SignalProcess,
    ) -> SignalProcessResponse;
    /// Look at a process, also after its end (the other spelling)
    ///
    /// `GET /containers/{id}/processes/{pid}`
    async fn get_process_plural(&self, id: String, pid: i32) -> GetProcessPluralResponse;
    /// Signal a process of a container (the other spelling)
    ///
    /// `POST /containers/{id}/processes/{pid}`
    async fn signal_process_plural(
        &self,
        id: String,
        pid: i32,
        idempotency_key: ::std::option::Option<String>,
        body: SignalProcess,
    ) -> SignalProcessPluralResponse;
    /// Wait until a process ends
    ///
    /// `GET /containers/{id}/process/{pid}/wait`
    async fn wait_process(
        &self,
        id: String,
        pid: i32,
        timeout: ::std::option::Option<i32>,
    ) -> WaitProcessResponse;
    /// Wait until a process ends (the other spelling)
    ///
    /// `GET /containers/{id}/processes/{pid}/wait`
    async fn wait_process_plural(
        &self,
        id: String,
        pid: i32,
        timeout: ::std::option::Option<i32>,
    ) -> WaitProcessPluralResponse;
}
