//! Removes contents of attachments that nothing refers to any more.
//!
//! An upload writes its object anew and only then makes its item durable, so whatever still waits in a queue, a spool
//! or among the dead letters has an object that is younger than [`GRACE`]. Older ones without a row are garbage.

use crate::objects::{ObjectError, from_hex};
use crate::state::Ingest;
use bugle_store::{Store, StoreError, attachments};
use chrono::TimeDelta;
use futures_util::TryStreamExt;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

/// Eight days that a batch may wait to be recorded, seven as a dead letter, and one for clocks.
const GRACE: TimeDelta = TimeDelta::days(16);
const PAUSE: Duration = Duration::from_secs(3600);
/// Contents that one statement asks about.
const PAGE: usize = 500;

#[derive(Debug, Error)]
enum CleaningError {
    #[error(transparent)]
    Objects(#[from] ObjectError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Cleans at the start and every hour, until the stop.
pub(crate) async fn run(state: Arc<Ingest>, store: Store, stop: CancellationToken) {
    let cleaning = async {
        loop {
            match clean(&state, &store).await {
                Ok(0) => {}
                Ok(removed) => {
                    tracing::info!(removed, "contents of attachments that nothing refers to are gone")
                }
                Err(error) => tracing::warn!(%error, "attachments are not cleaned up; it is tried again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let _: Option<()> = stop.run_until_cancelled(cleaning).await;
}

async fn clean(state: &Ingest, store: &Store) -> Result<usize, CleaningError> {
    let before = state.clock.now() - GRACE;
    let mut pages = state.objects.older_than(before).try_chunks(PAGE);
    let mut removed = 0;
    while let Some(old) = pages.try_next().await.map_err(|error| error.1)? {
        let contents: Vec<Vec<u8>> = old.iter().filter_map(|sha256| from_hex(sha256)).collect();
        let garbage = attachments::unreferenced(&mut *store.conn().await?, &contents).await?;
        let garbage: HashSet<Vec<u8>> = garbage.into_iter().collect();
        for sha256 in old.iter().filter(|sha256| from_hex(sha256).is_some_and(|one| garbage.contains(&one))) {
            removed += usize::from(state.objects.remove(sha256, before).await?);
        }
    }
    Ok(removed)
}
