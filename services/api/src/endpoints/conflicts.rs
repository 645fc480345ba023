//! Transactions that stand in a recorder's way.

use crate::ApiError;

const TRIES: usize = 6;

/// Runs a whole transaction again when PostgreSQL ended it for the sake of another one.
pub(super) async fn retried<T>(mut run: impl AsyncFnMut() -> Result<T, ApiError>) -> Result<T, ApiError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match run().await {
            Err(ApiError::Store(error)) if error.is_conflict() && tries < TRIES => {
                tracing::debug!(%error, tries, "transactions in each other's way");
            }
            other => return other,
        }
    }
}
