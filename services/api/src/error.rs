//! What a handler fails with; becomes a problem once, at the boundary.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use bugle_bus::BusError;
use bugle_store::{DatabaseError, StoreError};
use bugle_web::{Code, Problem};
use thiserror::Error;

/// A failed request.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The client's mistake, said so.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        Self::Store(error.into())
    }
}

impl ApiError {
    /// Of a search, whose time is limited: what is asked for is too much.
    pub(crate) fn of_search(error: StoreError) -> Self {
        if !error.is_too_slow() {
            return error.into();
        }
        tracing::info!(%error, "a search that takes too long");
        let message = "takes longer than it may; narrow it, by a project, a tag or a time";
        Problem::invalid_field("query", message).into()
    }

    fn problem(&self) -> Problem {
        match self {
            Self::Problem(problem) => problem.clone(),
            Self::Store(error) if error.is_away() || error.is_too_slow() || error.is_conflict() => {
                Problem::unavailable(error)
            }
            Self::Store(error) if error.unique_violation().is_some() => Problem::new(Code::Conflict),
            // It was there a moment ago.
            Self::Store(error) if error.is_missing_reference() => {
                Problem::with_detail(Code::Conflict, "something that this belongs to is gone")
            }
            Self::Store(error) if error.is_bad_value() => {
                tracing::info!(%error, "a request with a value that the database does not know");
                Problem::invalid_field("*", "a value is out of range, or holds what no text can")
            }
            Self::Store(error) => Problem::internal(error),
            Self::Bus(error @ BusError::Away(_)) => Problem::unavailable(error),
            Self::Bus(error) => Problem::internal(error),
        }
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Problem(problem) => problem.code.status(),
            Self::Store(error) if error.is_away() || error.is_too_slow() => Code::Unavailable.status(),
            Self::Store(error) if error.unique_violation().is_some() => Code::Conflict.status(),
            Self::Store(error) if error.is_missing_reference() => Code::Conflict.status(),
            Self::Store(error) if error.is_bad_value() => Code::Invalid.status(),
            Self::Bus(BusError::Away(_)) => Code::Unavailable.status(),
            Self::Store(_) | Self::Bus(_) => Code::Internal.status(),
        }
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.problem().error_response()
    }
}
