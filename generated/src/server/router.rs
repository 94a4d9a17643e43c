//! Router factories — one per trait. Each takes any
//! `T: <TraitName> + Clone + Send + Sync + 'static` and
//! returns an `axum::Router` with state pre-attached.
use super::api::*;
use super::errors::*;
#[allow(unused_imports)]
use super::super::types::*;
fn __query_pairs(raw: ::std::option::Option<&str>) -> ::std::vec::Vec<(String, String)> {
    raw.map(|query| {
            ::url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
        })
        .unwrap_or_default()
}
fn __validate_urlencoded(raw: &str) -> ::std::result::Result<(), String> {
    let bytes = raw.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        if bytes[index] == b'%' {
            if index + 2 >= bytes.len() || !bytes[index + 1].is_ascii_hexdigit()
                || !bytes[index + 2].is_ascii_hexdigit()
            {
                return Err("malformed percent encoding".to_string());
            }
            index += 3;
        } else {
            index += 1;
        }
    }
    Ok(())
}
fn __query_one(
    pairs: &[(String, String)],
    key: &str,
) -> ::std::result::Result<::std::option::Option<String>, String> {
    let mut values = pairs
        .iter()
        .filter(|(candidate, _)| candidate == key)
        .map(|(_, value)| value.clone());
    let value = values.next();
    if values.next().is_some() {
        return Err(format!("query parameter `{key}` appeared more than once"));
    }
    Ok(value)
}
fn __decode_query_scalar<T>(value: &str, label: &str) -> ::std::result::Result<T, String>
where
    T: ::serde::de::DeserializeOwned,
{
    ::serde_json::from_value(::serde_json::Value::String(value.to_string()))
        .or_else(|_| ::serde_json::from_str(value))
        .map_err(|error| format!("invalid query value for `{label}`: {error}"))
}
fn __decode_query_object<T>(
    fields: &[(String, String)],
    label: &str,
) -> ::std::result::Result<T, String>
where
    T: ::serde::de::DeserializeOwned,
{
    let mut serializer = ::url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in fields {
        serializer.append_pair(key, value);
    }
    ::serde_urlencoded::from_str(&serializer.finish())
        .map_err(|error| format!("invalid query object `{label}`: {error}"))
}
fn __query_empty_marker(
    pairs: &[(String, String)],
    key: &str,
) -> ::std::result::Result<bool, String> {
    let marker = format!("{key}[]");
    match __query_one(pairs, &marker)? {
        Some(value) if value.is_empty() => Ok(true),
        Some(_) => {
            Err(format!("zero-cardinality marker `{marker}` must have an empty value"))
        }
        None => Ok(false),
    }
}
/// Query parameters for `GET /containers/{id}/checkpoint` (operationId `listCheckpoints`).
#[derive(Debug, Default)]
pub struct ListCheckpointsQuery {
    pub sort: ::std::option::Option<ListCheckpointsSort>,
    pub limit: ::std::option::Option<i32>,
}
fn __decode_list_checkpoints_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<ListCheckpointsQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let sort = __query_one(&__pairs, "sort")?
        .map(|raw| __decode_query_scalar(&raw, "sort"))
        .transpose()?;
    let limit = __query_one(&__pairs, "limit")?
        .map(|raw| __decode_query_scalar(&raw, "limit"))
        .transpose()?;
    Ok(ListCheckpointsQuery {
        sort,
        limit,
    })
}
/// Query parameters for `GET /containers/{id}/checkpoint-preflight` (operationId `preflightCheckpoint`).
#[derive(Debug, Default)]
pub struct PreflightCheckpointQuery {
    pub tcp: ::std::option::Option<bool>,
    pub unix_sockets: ::std::option::Option<bool>,
    pub shell: ::std::option::Option<bool>,
    pub file_locks: ::std::option::Option<bool>,
}
fn __decode_preflight_checkpoint_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<PreflightCheckpointQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let tcp = __query_one(&__pairs, "tcp")?
        .map(|raw| __decode_query_scalar(&raw, "tcp"))
        .transpose()?;
    let unix_sockets = __query_one(&__pairs, "unixSockets")?
        .map(|raw| __decode_query_scalar(&raw, "unixSockets"))
        .transpose()?;
    let shell = __query_one(&__pairs, "shell")?
        .map(|raw| __decode_query_scalar(&raw, "shell"))
        .transpose()?;
    let file_locks = __query_one(&__pairs, "fileLocks")?
        .map(|raw| __decode_query_scalar(&raw, "fileLocks"))
        .transpose()?;
    Ok(PreflightCheckpointQuery {
        tcp,
        unix_sockets,
        shell,
        file_locks,
    })
}
/// Query parameters for `POST /containers/{id}/checkpoint/{checkpoint}` (operationId `createCheckpoint`).
#[derive(Debug, Default)]
pub struct CreateCheckpointQuery {
    pub preflight: ::std::option::Option<bool>,
}
fn __decode_create_checkpoint_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<CreateCheckpointQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let preflight = __query_one(&__pairs, "preflight")?
        .map(|raw| __decode_query_scalar(&raw, "preflight"))
        .transpose()?;
    Ok(CreateCheckpointQuery { preflight })
}
/// Query parameters for `POST /containers/{id}` (operationId `startContainer`).
#[derive(Debug, Default)]
pub struct StartContainerQuery {
    pub allow_changed_bundle: ::std::option::Option<bool>,
}
fn __decode_start_container_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<StartContainerQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let allow_changed_bundle = __query_one(&__pairs, "allowChangedBundle")?
        .map(|raw| __decode_query_scalar(&raw, "allowChangedBundle"))
        .transpose()?;
    Ok(StartContainerQuery {
        allow_changed_bundle,
    })
}
/// Query parameters for `DELETE /containers/{id}` (operationId `deleteContainer`).
#[derive(Debug, Default)]
pub struct DeleteContainerQuery {
    pub force: ::std::option::Option<bool>,
}
fn __decode_delete_container_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<DeleteContainerQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let force = __query_one(&__pairs, "force")?
        .map(|raw| __decode_query_scalar(&raw, "force"))
        .transpose()?;
    Ok(DeleteContainerQuery { force })
}
/// Query parameters for `GET /containers/{id}/wait` (operationId `waitContainer`).
#[derive(Debug, Default)]
pub struct WaitContainerQuery {
    pub timeout: ::std::option::Option<i32>,
}
fn __decode_wait_container_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<WaitContainerQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let timeout = __query_one(&__pairs, "timeout")?
        .map(|raw| __decode_query_scalar(&raw, "timeout"))
        .transpose()?;
    Ok(WaitContainerQuery { timeout })
}
/// Query parameters for `GET /containers/{id}/process/{pid}/wait` (operationId `waitProcess`).
#[derive(Debug, Default)]
pub struct WaitProcessQuery {
    pub timeout: ::std::option::Option<i32>,
}
fn __decode_wait_process_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<WaitProcessQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let timeout = __query_one(&__pairs, "timeout")?
        .map(|raw| __decode_query_scalar(&raw, "timeout"))
        .transpose()?;
    Ok(WaitProcessQuery { timeout })
}
/// Query parameters for `GET /containers/{id}/processes/{pid}/wait` (operationId `waitProcessPlural`).
#[derive(Debug, Default)]
pub struct WaitProcessPluralQuery {
    pub timeout: ::std::option::Option<i32>,
}
fn __decode_wait_process_plural_query(
    raw: ::std::option::Option<&str>,
) -> ::std::result::Result<WaitProcessPluralQuery, String> {
    if let Some(raw) = raw {
        __validate_urlencoded(raw)?;
    }
    let __pairs = __query_pairs(raw);
    let timeout = __query_one(&__pairs, "timeout")?
        .map(|raw| __decode_query_scalar(&raw, "timeout"))
        .transpose()?;
    Ok(WaitProcessPluralQuery { timeout })
}
/// Build an axum::Router for the `CheckpointsApi` trait.
pub fn checkpoints_api_router<T>(api: T) -> ::axum::Router
where
    T: CheckpointsApi + Clone + Send + Sync + 'static,
{
    ::axum::Router::new()
        .route(
            "/containers/{id}/checkpoint",
            ::axum::routing::get(list_checkpoints_handler::<T>),
        )
        .route(
            "/containers/{id}/checkpoint-preflight",
            ::axum::routing::get(preflight_checkpoint_handler::<T>),
        )
        .route(
            "/containers/{id}/checkpoint/{checkpoint}",
            ::axum::routing::post(create_checkpoint_handler::<T>),
        )
        .route(
            "/containers/{id}/checkpoint/{checkpoint}",
            ::axum::routing::get(get_checkpoint_handler::<T>),
        )
        .route(
            "/containers/{id}/checkpoint/{checkpoint}",
            ::axum::routing::delete(delete_checkpoint_handler::<T>),
        )
        .route(
            "/containers/{id}/cancel",
            ::axum::routing::post(cancel_operation_handler::<T>),
        )
        .layer(::axum::extract::DefaultBodyLimit::max(1048576usize))
        .with_state(api)
}
async fn list_checkpoints_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
) -> ::axum::response::Response
where
    T: super::api::CheckpointsApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_42_PATH_2,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    if let Some(raw) = __raw_query.as_deref() {
        if __validate_urlencoded(raw).is_err() {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    }
    let __raw_query_pairs = __query_pairs(__raw_query.as_deref());
    if let Ok(Some(raw)) = __query_one(&__raw_query_pairs, "sort") {
        if let Err(rejection) = super::validation::validate_string_parameter(
            super::validation::VALIDATION_TARGET_40_QUERY_0,
            "/query/sort",
            &raw,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    let __q: ListCheckpointsQuery = match __decode_list_checkpoints_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.sort {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_40_QUERY_0,
            "/query/sort",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    if let Some(value) = &__q.limit {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_41_QUERY_1,
            "/query/limit",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    ::axum::response::IntoResponse::into_response(
        api.list_checkpoints(id, __q.sort, __q.limit).await,
    )
}
async fn preflight_checkpoint_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
) -> ::axum::response::Response
where
    T: super::api::CheckpointsApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_47_PATH_4,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let __q: PreflightCheckpointQuery = match __decode_preflight_checkpoint_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.tcp {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_43_QUERY_0,
            "/query/tcp",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    if let Some(value) = &__q.unix_sockets {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_44_QUERY_1,
            "/query/unixSockets",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    if let Some(value) = &__q.shell {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_45_QUERY_2,
            "/query/shell",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    if let Some(value) = &__q.file_locks {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_46_QUERY_3,
            "/query/fileLocks",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    ::axum::response::IntoResponse::into_response(
        api
            .preflight_checkpoint(
                id,
                __q.tcp,
                __q.unix_sockets,
                __q.shell,
                __q.file_locks,
            )
            .await,
    )
}
async fn create_checkpoint_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::CheckpointsApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_51_PATH_2,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let checkpoint: String = match __path_values.remove("checkpoint") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_52_PATH_3,
                "/path/checkpoint",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let __q: CreateCheckpointQuery = match __decode_create_checkpoint_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.preflight {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_49_QUERY_0,
            "/query/preflight",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_50_HEADER_1,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: ::std::option::Option<CreateCheckpoint> = match super::validation::decode_json_body::<
        CreateCheckpoint,
    >(
            __request,
            super::validation::VALIDATION_TARGET_48_BODY,
            "application/json",
            false,
            1048576usize,
        )
        .await
    {
        Ok(body) => body,
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.create_checkpoint(id, checkpoint, __q.preflight, idempotency_key, body).await,
    )
}
async fn get_checkpoint_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
) -> ::axum::response::Response
where
    T: super::api::CheckpointsApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_53_PATH_0,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let checkpoint: String = match __path_values.remove("checkpoint") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_54_PATH_1,
                "/path/checkpoint",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    ::axum::response::IntoResponse::into_response(
        api.get_checkpoint(id, checkpoint).await,
    )
}
async fn delete_checkpoint_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
) -> ::axum::response::Response
where
    T: super::api::CheckpointsApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_56_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let checkpoint: String = match __path_values.remove("checkpoint") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_57_PATH_2,
                "/path/checkpoint",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_55_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    ::axum::response::IntoResponse::into_response(
        api.delete_checkpoint(id, checkpoint, idempotency_key).await,
    )
}
async fn cancel_operation_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
) -> ::axum::response::Response
where
    T: super::api::CheckpointsApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_59_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_58_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    ::axum::response::IntoResponse::into_response(
        api.cancel_operation(id, idempotency_key).await,
    )
}
/// Build an axum::Router for the `ContainersApi` trait.
pub fn containers_api_router<T>(api: T) -> ::axum::Router
where
    T: ContainersApi + Clone + Send + Sync + 'static,
{
    ::axum::Router::new()
        .route("/containers/{id}", ::axum::routing::post(start_container_handler::<T>))
        .route("/containers/{id}", ::axum::routing::get(get_container_handler::<T>))
        .route("/containers/{id}", ::axum::routing::patch(update_container_handler::<T>))
        .route(
            "/containers/{id}",
            ::axum::routing::delete(delete_container_handler::<T>),
        )
        .route("/containers", ::axum::routing::get(list_containers_handler::<T>))
        .route(
            "/containers/{id}/stop",
            ::axum::routing::post(stop_container_handler::<T>),
        )
        .route(
            "/containers/{id}/wait",
            ::axum::routing::get(wait_container_handler::<T>),
        )
        .layer(::axum::extract::DefaultBodyLimit::max(1048576usize))
        .with_state(api)
}
async fn start_container_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::ContainersApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_3_PATH_2,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let __q: StartContainerQuery = match __decode_start_container_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.allow_changed_bundle {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_2_QUERY_1,
            "/query/allowChangedBundle",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_1_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: StartContainer = match super::validation::decode_json_body::<
        StartContainer,
    >(
            __request,
            super::validation::VALIDATION_TARGET_0_BODY,
            "application/json",
            true,
            1048576usize,
        )
        .await
    {
        Ok(Some(body)) => body,
        Ok(None) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::generated_contract_error(),
            );
        }
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.start_container(id, __q.allow_changed_bundle, idempotency_key, body).await,
    )
}
async fn get_container_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
) -> ::axum::response::Response
where
    T: super::api::ContainersApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_4_PATH_0,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    ::axum::response::IntoResponse::into_response(api.get_container(id).await)
}
async fn update_container_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::ContainersApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_7_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_6_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: UpdateContainer = match super::validation::decode_json_body::<
        UpdateContainer,
    >(
            __request,
            super::validation::VALIDATION_TARGET_5_BODY,
            "application/json",
            true,
            1048576usize,
        )
        .await
    {
        Ok(Some(body)) => body,
        Ok(None) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::generated_contract_error(),
            );
        }
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.update_container(id, idempotency_key, body).await,
    )
}
async fn delete_container_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
    __headers: ::axum::http::HeaderMap,
) -> ::axum::response::Response
where
    T: super::api::ContainersApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_10_PATH_2,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let __q: DeleteContainerQuery = match __decode_delete_container_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.force {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_9_QUERY_1,
            "/query/force",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_8_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    ::axum::response::IntoResponse::into_response(
        api.delete_container(id, __q.force, idempotency_key).await,
    )
}
async fn list_containers_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
) -> ::axum::response::Response
where
    T: super::api::ContainersApi + Clone + Send + Sync + 'static,
{
    ::axum::response::IntoResponse::into_response(api.list_containers().await)
}
async fn stop_container_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::ContainersApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_13_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_12_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: ::std::option::Option<StopContainer> = match super::validation::decode_json_body::<
        StopContainer,
    >(
            __request,
            super::validation::VALIDATION_TARGET_11_BODY,
            "application/json",
            false,
            1048576usize,
        )
        .await
    {
        Ok(body) => body,
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.stop_container(id, idempotency_key, body).await,
    )
}
async fn wait_container_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
) -> ::axum::response::Response
where
    T: super::api::ContainersApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_15_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let __q: WaitContainerQuery = match __decode_wait_container_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.timeout {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_14_QUERY_0,
            "/query/timeout",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    ::axum::response::IntoResponse::into_response(
        api.wait_container(id, __q.timeout).await,
    )
}
/// Build an axum::Router for the `DaemonApi` trait.
pub fn daemon_api_router<T>(api: T) -> ::axum::Router
where
    T: DaemonApi + Clone + Send + Sync + 'static,
{
    ::axum::Router::new()
        .route("/state", ::axum::routing::get(get_state_handler::<T>))
        .route("/version", ::axum::routing::get(get_version_handler::<T>))
        .route("/healthz", ::axum::routing::get(get_health_handler::<T>))
        .layer(::axum::extract::DefaultBodyLimit::max(1048576usize))
        .with_state(api)
}
async fn get_state_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
) -> ::axum::response::Response
where
    T: super::api::DaemonApi + Clone + Send + Sync + 'static,
{
    ::axum::response::IntoResponse::into_response(api.get_state().await)
}
async fn get_version_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
) -> ::axum::response::Response
where
    T: super::api::DaemonApi + Clone + Send + Sync + 'static,
{
    ::axum::response::IntoResponse::into_response(api.get_version().await)
}
async fn get_health_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
) -> ::axum::response::Response
where
    T: super::api::DaemonApi + Clone + Send + Sync + 'static,
{
    ::axum::response::IntoResponse::into_response(api.get_health().await)
}
/// Build an axum::Router for the `ProcessesApi` trait.
pub fn processes_api_router<T>(api: T) -> ::axum::Router
where
    T: ProcessesApi + Clone + Send + Sync + 'static,
{
    ::axum::Router::new()
        .route(
            "/containers/{id}/process",
            ::axum::routing::put(create_process_handler::<T>),
        )
        .route(
            "/containers/{id}/processes",
            ::axum::routing::put(create_process_plural_handler::<T>),
        )
        .route(
            "/containers/{id}/process/{pid}",
            ::axum::routing::get(get_process_handler::<T>),
        )
        .route(
            "/containers/{id}/process/{pid}",
            ::axum::routing::post(signal_process_handler::<T>),
        )
        .route(
            "/containers/{id}/processes/{pid}",
            ::axum::routing::get(get_process_plural_handler::<T>),
        )
        .route(
            "/containers/{id}/processes/{pid}",
            ::axum::routing::post(signal_process_plural_handler::<T>),
        )
        .route(
            "/containers/{id}/process/{pid}/wait",
            ::axum::routing::get(wait_process_handler::<T>),
        )
        .route(
            "/containers/{id}/processes/{pid}/wait",
            ::axum::routing::get(wait_process_plural_handler::<T>),
        )
        .layer(::axum::extract::DefaultBodyLimit::max(1048576usize))
        .with_state(api)
}
async fn create_process_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_18_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_17_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: CreateProcess = match super::validation::decode_json_body::<
        CreateProcess,
    >(
            __request,
            super::validation::VALIDATION_TARGET_16_BODY,
            "application/json",
            true,
            1048576usize,
        )
        .await
    {
        Ok(Some(body)) => body,
        Ok(None) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::generated_contract_error(),
            );
        }
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.create_process(id, idempotency_key, body).await,
    )
}
async fn create_process_plural_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_21_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_20_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: CreateProcess = match super::validation::decode_json_body::<
        CreateProcess,
    >(
            __request,
            super::validation::VALIDATION_TARGET_19_BODY,
            "application/json",
            true,
            1048576usize,
        )
        .await
    {
        Ok(Some(body)) => body,
        Ok(None) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::generated_contract_error(),
            );
        }
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.create_process_plural(id, idempotency_key, body).await,
    )
}
async fn get_process_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_22_PATH_0,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let pid: i32 = match __path_values.remove("pid") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_23_PATH_1,
                "/path/pid",
                false,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    ::axum::response::IntoResponse::into_response(api.get_process(id, pid).await)
}
async fn signal_process_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_26_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let pid: i32 = match __path_values.remove("pid") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_27_PATH_2,
                "/path/pid",
                false,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_25_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: SignalProcess = match super::validation::decode_json_body::<
        SignalProcess,
    >(
            __request,
            super::validation::VALIDATION_TARGET_24_BODY,
            "application/json",
            true,
            1048576usize,
        )
        .await
    {
        Ok(Some(body)) => body,
        Ok(None) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::generated_contract_error(),
            );
        }
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.signal_process(id, pid, idempotency_key, body).await,
    )
}
async fn get_process_plural_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_28_PATH_0,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let pid: i32 = match __path_values.remove("pid") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_29_PATH_1,
                "/path/pid",
                false,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    ::axum::response::IntoResponse::into_response(api.get_process_plural(id, pid).await)
}
async fn signal_process_plural_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    __headers: ::axum::http::HeaderMap,
    __request: ::axum::extract::Request,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_32_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let pid: i32 = match __path_values.remove("pid") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_33_PATH_2,
                "/path/pid",
                false,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let mut __values = __headers.get_all("Idempotency-Key").iter();
    let idempotency_key: ::std::option::Option<String> = match (
        __values.next(),
        __values.next(),
    ) {
        (Some(value), None) => {
            match value.to_str() {
                Ok(raw) => {
                    match super::validation::decode_parameter(
                        raw,
                        super::validation::VALIDATION_TARGET_31_HEADER_0,
                        "/header/Idempotency-Key",
                        true,
                    ) {
                        Ok(value) => Some(value),
                        Err(rejection) => {
                            return ::axum::response::IntoResponse::into_response(
                                rejection,
                            );
                        }
                    }
                }
                Err(_) => {
                    return ::axum::response::IntoResponse::into_response(
                        super::validation::malformed_parameter("/header/Idempotency-Key"),
                    );
                }
            }
        }
        (None, _) => None,
        _ => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/header/Idempotency-Key"),
            );
        }
    };
    let body: SignalProcess = match super::validation::decode_json_body::<
        SignalProcess,
    >(
            __request,
            super::validation::VALIDATION_TARGET_30_BODY,
            "application/json",
            true,
            1048576usize,
        )
        .await
    {
        Ok(Some(body)) => body,
        Ok(None) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::generated_contract_error(),
            );
        }
        Err(rejection) => return ::axum::response::IntoResponse::into_response(rejection),
    };
    ::axum::response::IntoResponse::into_response(
        api.signal_process_plural(id, pid, idempotency_key, body).await,
    )
}
async fn wait_process_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_35_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let pid: i32 = match __path_values.remove("pid") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_36_PATH_2,
                "/path/pid",
                false,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let __q: WaitProcessQuery = match __decode_wait_process_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.timeout {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_34_QUERY_0,
            "/query/timeout",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    ::axum::response::IntoResponse::into_response(
        api.wait_process(id, pid, __q.timeout).await,
    )
}
async fn wait_process_plural_handler<T>(
    ::axum::extract::State(api): ::axum::extract::State<T>,
    __path_result: ::std::result::Result<
        ::axum::extract::Path<::std::collections::HashMap<String, String>>,
        ::axum::extract::rejection::PathRejection,
    >,
    ::axum::extract::RawQuery(__raw_query): ::axum::extract::RawQuery,
) -> ::axum::response::Response
where
    T: super::api::ProcessesApi + Clone + Send + Sync + 'static,
{
    let ::axum::extract::Path(mut __path_values) = match __path_result {
        Ok(path) => path,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::BAD_REQUEST,
            );
        }
    };
    let id: String = match __path_values.remove("id") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_38_PATH_1,
                "/path/id",
                true,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let pid: i32 = match __path_values.remove("pid") {
        Some(raw) => {
            match super::validation::decode_parameter(
                &raw,
                super::validation::VALIDATION_TARGET_39_PATH_2,
                "/path/pid",
                false,
            ) {
                Ok(value) => value,
                Err(rejection) => {
                    return ::axum::response::IntoResponse::into_response(rejection);
                }
            }
        }
        None => {
            return ::axum::response::IntoResponse::into_response(
                ::axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            );
        }
    };
    let __q: WaitProcessPluralQuery = match __decode_wait_process_plural_query(
        __raw_query.as_deref(),
    ) {
        Ok(query) => query,
        Err(_) => {
            return ::axum::response::IntoResponse::into_response(
                super::validation::malformed_parameter("/query"),
            );
        }
    };
    if let Some(value) = &__q.timeout {
        if let Err(rejection) = super::validation::validate_parameter(
            super::validation::VALIDATION_TARGET_37_QUERY_0,
            "/query/timeout",
            value,
        ) {
            return ::axum::response::IntoResponse::into_response(rejection);
        }
    }
    ::axum::response::IntoResponse::into_response(
        api.wait_process_plural(id, pid, __q.timeout).await,
    )
}
/// Combined router spanning 4 traits: CheckpointsApi, ContainersApi, DaemonApi, ProcessesApi.
pub fn build_router<T1, T2, T3, T4>(
    checkpoints_api: T1,
    containers_api: T2,
    daemon_api: T3,
    processes_api: T4,
) -> ::axum::Router
where
    T1: CheckpointsApi + Clone + Send + Sync + 'static,
    T2: ContainersApi + Clone + Send + Sync + 'static,
    T3: DaemonApi + Clone + Send + Sync + 'static,
    T4: ProcessesApi + Clone + Send + Sync + 'static,
{
    checkpoints_api_router(checkpoints_api)
        .merge(containers_api_router(containers_api))
        .merge(daemon_api_router(daemon_api))
        .merge(processes_api_router(processes_api))
}
