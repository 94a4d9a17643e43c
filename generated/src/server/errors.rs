//! Per-operation response enums. Pick a variant to pick a
//! status code — IntoResponse maps each variant to its
//! documented (StatusCode, Json) pair.
#![allow(clippy::large_enum_variant)]
use axum::{http::StatusCode, response::IntoResponse, Json};
#[allow(unused_imports)]
use super::super::types::*;
/// RFC 9457 Problem Details profile used for rejected requests.
#[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
pub struct ProblemDetails {
    #[serde(rename = "type")]
    pub r#type: String,
    pub title: String,
    pub status: u16,
    pub code: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<InvalidParameter>,
}
/// One sanitized request-contract violation.
#[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
pub struct InvalidParameter {
    pub code: String,
    pub location: String,
    pub message: String,
}
/// Axum rejection wrapper which always uses `application/problem+json`.
#[derive(Debug, Clone)]
pub struct RequestValidationRejection(pub ProblemDetails);
impl IntoResponse for RequestValidationRejection {
    fn into_response(self) -> ::axum::response::Response {
        let status = StatusCode::from_u16(self.0.status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        response
            .headers_mut()
            .insert(
                ::axum::http::header::CONTENT_TYPE,
                ::axum::http::HeaderValue::from_static("application/problem+json"),
            );
        response
    }
}
/// Response for `POST /containers/{id}` (operationId `startContainer`).
pub enum StartContainerResponse {
    Created(Container),
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
    Status504(Problem),
}
impl IntoResponse for StartContainerResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Created(body) => {
                let mut response = (StatusCode::CREATED, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status504(body) => {
                let mut response = (
                    StatusCode::from_u16(504u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}` (operationId `getContainer`).
pub enum GetContainerResponse {
    Ok(Container),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
}
impl IntoResponse for GetContainerResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `PATCH /containers/{id}` (operationId `updateContainer`).
pub enum UpdateContainerResponse {
    Ok(Container),
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
    Status504(Problem),
}
impl IntoResponse for UpdateContainerResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status504(body) => {
                let mut response = (
                    StatusCode::from_u16(504u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `DELETE /containers/{id}` (operationId `deleteContainer`).
pub enum DeleteContainerResponse {
    NoContent,
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
    Status504(Problem),
}
impl IntoResponse for DeleteContainerResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::NoContent => StatusCode::NO_CONTENT.into_response(),
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status504(body) => {
                let mut response = (
                    StatusCode::from_u16(504u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers` (operationId `listContainers`).
pub enum ListContainersResponse {
    Ok(ContainerList),
    Unauthorized(Problem),
    Forbidden(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
}
impl IntoResponse for ListContainersResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `POST /containers/{id}/stop` (operationId `stopContainer`).
pub enum StopContainerResponse {
    Ok(Container),
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
    Status504(Problem),
}
impl IntoResponse for StopContainerResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status504(body) => {
                let mut response = (
                    StatusCode::from_u16(504u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/wait` (operationId `waitContainer`).
pub enum WaitContainerResponse {
    Ok(Container),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for WaitContainerResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `PUT /containers/{id}/process` (operationId `createProcess`).
pub enum CreateProcessResponse {
    Ok(Process),
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
    Status504(Problem),
}
impl IntoResponse for CreateProcessResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status504(body) => {
                let mut response = (
                    StatusCode::from_u16(504u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `PUT /containers/{id}/processes` (operationId `createProcessPlural`).
pub enum CreateProcessPluralResponse {
    Ok(Process),
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
    Status504(Problem),
}
impl IntoResponse for CreateProcessPluralResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status504(body) => {
                let mut response = (
                    StatusCode::from_u16(504u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/process/{pid}` (operationId `getProcess`).
pub enum GetProcessResponse {
    Ok(ProcessReport),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
}
impl IntoResponse for GetProcessResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `POST /containers/{id}/process/{pid}` (operationId `signalProcess`).
pub enum SignalProcessResponse {
    Ok,
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for SignalProcessResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok => StatusCode::OK.into_response(),
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/processes/{pid}` (operationId `getProcessPlural`).
pub enum GetProcessPluralResponse {
    Ok(ProcessReport),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
}
impl IntoResponse for GetProcessPluralResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `POST /containers/{id}/processes/{pid}` (operationId `signalProcessPlural`).
pub enum SignalProcessPluralResponse {
    Ok,
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for SignalProcessPluralResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok => StatusCode::OK.into_response(),
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/process/{pid}/wait` (operationId `waitProcess`).
pub enum WaitProcessResponse {
    Ok(ProcessReport),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for WaitProcessResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/processes/{pid}/wait` (operationId `waitProcessPlural`).
pub enum WaitProcessPluralResponse {
    Ok(ProcessReport),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for WaitProcessPluralResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/checkpoint` (operationId `listCheckpoints`).
pub enum ListCheckpointsResponse {
    Ok(CheckpointList),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
}
impl IntoResponse for ListCheckpointsResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/checkpoint-preflight` (operationId `preflightCheckpoint`).
pub enum PreflightCheckpointResponse {
    Ok(CheckpointPreflight),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for PreflightCheckpointResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `POST /containers/{id}/checkpoint/{checkpoint}` (operationId `createCheckpoint`).
pub enum CreateCheckpointResponse {
    Created(Checkpoint),
    BadRequest(Problem),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    Status413(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
    Status504(Problem),
    Status507(Problem),
}
impl IntoResponse for CreateCheckpointResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Created(body) => {
                let mut response = (StatusCode::CREATED, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::BadRequest(body) => {
                let mut response = (StatusCode::BAD_REQUEST, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status413(body) => {
                let mut response = (
                    StatusCode::from_u16(413u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status504(body) => {
                let mut response = (
                    StatusCode::from_u16(504u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Status507(body) => {
                let mut response = (
                    StatusCode::from_u16(507u16)
                        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    Json(body),
                )
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /containers/{id}/checkpoint/{checkpoint}` (operationId `getCheckpoint`).
pub enum GetCheckpointResponse {
    Ok(CheckpointReport),
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
}
impl IntoResponse for GetCheckpointResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `DELETE /containers/{id}/checkpoint/{checkpoint}` (operationId `deleteCheckpoint`).
pub enum DeleteCheckpointResponse {
    Ok,
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for DeleteCheckpointResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok => StatusCode::OK.into_response(),
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `POST /containers/{id}/cancel` (operationId `cancelOperation`).
pub enum CancelOperationResponse {
    NoContent,
    Unauthorized(Problem),
    Forbidden(Problem),
    NotFound(Problem),
    Conflict(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
    InternalServerError(Problem),
    ServiceUnavailable(Problem),
}
impl IntoResponse for CancelOperationResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::NoContent => StatusCode::NO_CONTENT.into_response(),
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::NotFound(body) => {
                let mut response = (StatusCode::NOT_FOUND, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Conflict(body) => {
                let mut response = (StatusCode::CONFLICT, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::InternalServerError(body) => {
                let mut response = (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::ServiceUnavailable(body) => {
                let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /state` (operationId `getState`).
pub enum GetStateResponse {
    Ok(State),
    Unauthorized(Problem),
    Forbidden(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
}
impl IntoResponse for GetStateResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /version` (operationId `getVersion`).
pub enum GetVersionResponse {
    Ok(Version),
    Unauthorized(Problem),
    Forbidden(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
}
impl IntoResponse for GetVersionResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
/// Response for `GET /healthz` (operationId `getHealth`).
pub enum GetHealthResponse {
    Ok(Health),
    Unauthorized(Problem),
    Forbidden(Problem),
    UnprocessableEntity(Problem),
    TooManyRequests(Problem),
}
impl IntoResponse for GetHealthResponse {
    fn into_response(self) -> ::axum::response::Response {
        match self {
            Self::Ok(body) => {
                let mut response = (StatusCode::OK, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Unauthorized(body) => {
                let mut response = (StatusCode::UNAUTHORIZED, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::Forbidden(body) => {
                let mut response = (StatusCode::FORBIDDEN, Json(body)).into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::UnprocessableEntity(body) => {
                let mut response = (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
            Self::TooManyRequests(body) => {
                let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body))
                    .into_response();
                let Ok(content_type) = ::axum::http::HeaderValue::from_bytes(
                    "application/problem+json".as_bytes(),
                ) else {
                    return StatusCode::INTERNAL_SERVER_ERROR.into_response();
                };
                response
                    .headers_mut()
                    .insert(::axum::http::header::CONTENT_TYPE, content_type);
                response
            }
        }
    }
}
