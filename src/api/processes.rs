//! The tag `processes`. The README of 2015 spells the path in two ways, so each operation is there twice.

use async_trait::async_trait;
use containerd_rest_api::{
    CreateProcess, CreateProcessPluralResponse, CreateProcessResponse, GetProcessPluralResponse,
    GetProcessResponse, ProcessesApi, SignalProcess, SignalProcessPluralResponse, SignalProcessResponse,
    WaitProcessPluralResponse, WaitProcessResponse,
};

use super::{Api, convert, problem};
use crate::supervisor::{ProcessReport, ProcessView, Result};

impl Api {
    async fn create(&self, id: &str, key: Option<String>, body: CreateProcess) -> Result<ProcessView> {
        let overrides = convert::overrides(body)?;
        self.supervisor.exec(&convert::container_id(id)?, super::behalf(), overrides, super::own(key)).await
    }

    fn process(&self, id: &str, pid: i32) -> Result<ProcessReport> {
        self.supervisor.process(&convert::container_id(id)?, pid)
    }

    async fn ended(&self, id: &str, pid: i32, timeout: Option<i32>) -> Result<ProcessReport> {
        self.supervisor.wait_process(&convert::container_id(id)?, pid, convert::limit(timeout)).await
    }

    async fn signal(&self, id: &str, pid: i32, body: &SignalProcess) -> Result<()> {
        self.supervisor.signal(&convert::container_id(id)?, pid, body.signal).await
    }
}

#[async_trait]
impl ProcessesApi for Api {
    async fn create_process(
        &self,
        id: String,
        idempotency_key: Option<String>,
        body: CreateProcess,
    ) -> CreateProcessResponse {
        match self.create(&id, idempotency_key, body).await {
            Ok(view) => CreateProcessResponse::Ok(convert::process(view)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn create_process_plural(
        &self,
        id: String,
        idempotency_key: Option<String>,
        body: CreateProcess,
    ) -> CreateProcessPluralResponse {
        match self.create(&id, idempotency_key, body).await {
            Ok(view) => CreateProcessPluralResponse::Ok(convert::process(view)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn signal_process(
        &self,
        id: String,
        pid: i32,
        _idempotency_key: Option<String>,
        body: SignalProcess,
    ) -> SignalProcessResponse {
        match self.signal(&id, pid, &body).await {
            Ok(()) => SignalProcessResponse::Ok,
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn signal_process_plural(
        &self,
        id: String,
        pid: i32,
        _idempotency_key: Option<String>,
        body: SignalProcess,
    ) -> SignalProcessPluralResponse {
        match self.signal(&id, pid, &body).await {
            Ok(()) => SignalProcessPluralResponse::Ok,
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn get_process(&self, id: String, pid: i32) -> GetProcessResponse {
        match self.process(&id, pid) {
            Ok(report) => GetProcessResponse::Ok(convert::report(&report)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn wait_process(&self, id: String, pid: i32, timeout: Option<i32>) -> WaitProcessResponse {
        match self.ended(&id, pid, timeout).await {
            Ok(report) => WaitProcessResponse::Ok(convert::report(&report)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn get_process_plural(&self, id: String, pid: i32) -> GetProcessPluralResponse {
        match self.process(&id, pid) {
            Ok(report) => GetProcessPluralResponse::Ok(convert::report(&report)),
            Err(error) => problem::of(&error).into(),
        }
    }

    async fn wait_process_plural(
        &self,
        id: String,
        pid: i32,
        timeout: Option<i32>,
    ) -> WaitProcessPluralResponse {
        match self.ended(&id, pid, timeout).await {
            Ok(report) => WaitProcessPluralResponse::Ok(convert::report(&report)),
            Err(error) => problem::of(&error).into(),
        }
    }
}
