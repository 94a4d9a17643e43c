//! Written by cargo codegen; do not edit by hand.

use crate::server::*;
use crate::types::Problem;

impl From<Problem> for StartContainerResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            504 => Self::Status504(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for GetContainerResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for UpdateContainerResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            504 => Self::Status504(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for DeleteContainerResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            504 => Self::Status504(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for StopContainerResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            504 => Self::Status504(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for WaitContainerResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for CreateProcessResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            504 => Self::Status504(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for CreateProcessPluralResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            504 => Self::Status504(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for GetProcessResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for SignalProcessResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for GetProcessPluralResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for SignalProcessPluralResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for WaitProcessResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for WaitProcessPluralResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for ListCheckpointsResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for PreflightCheckpointResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for CreateCheckpointResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 => Self::BadRequest(problem),
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            413 => Self::Status413(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            504 => Self::Status504(problem),
            507 => Self::Status507(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for GetCheckpointResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for DeleteCheckpointResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}

impl From<Problem> for CancelOperationResponse {
    fn from(problem: Problem) -> Self {
        match problem.status {
            401 => Self::Unauthorized(problem),
            403 => Self::Forbidden(problem),
            404 => Self::NotFound(problem),
            409 => Self::Conflict(problem),
            422 => Self::UnprocessableEntity(problem),
            429 => Self::TooManyRequests(problem),
            503 => Self::ServiceUnavailable(problem),
            _ => Self::InternalServerError(Problem { status: 500, ..problem }),
        }
    }
}
