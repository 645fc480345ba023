//! The loop of workers that look from time to time for what is to be done, and find it in rows: any number of them may run.

use bugle_runtime::Shutdown;
use bugle_store::StoreError;
use std::time::Duration;

/// Has something done at once and then again and again, with `pause` in between, until the soft stop. What fails is tried again after the
/// pause; `what` is what it was to look for, in the log.
pub(crate) async fn every<F>(pause: Duration, shutdown: &Shutdown, what: &str, work: impl Fn() -> F)
where
    F: Future<Output = Result<usize, StoreError>>,
{
    while !shutdown.soft.is_cancelled() {
        if let Err(error) = work().await {
            tracing::debug!(%error, "cannot look for {what}");
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.soft.cancelled() => {}
        }
    }
}
