//! The schema comes before everything that reads or writes it.

use super::role::Roles;
use anyhow::bail;
use bugle_runtime::{Config, Shutdown};
use bugle_store::{Store, StoreError, migrate};
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(1);

/// Applies pending migrations, or refuses to go on with any. Waits while the database is away; `false` when the
/// process is asked to stop meanwhile.
///
/// One process with everything may change its own schema; of several the operator says when (`bugle migrate`, or
/// `migrate = true`), because the others still run.
pub(super) async fn ready(
    config: &Config,
    roles: &Roles,
    store: &Store,
    shutdown: &Shutdown,
) -> anyhow::Result<bool> {
    let apply = config.migrate.unwrap_or(roles.are_all());
    let mut told = false;
    loop {
        match once(store, apply).await {
            Ok(()) => return Ok(true),
            Err(Failed::Away(error)) => {
                if !told {
                    tracing::warn!(%error, "waiting for the database");
                    told = true;
                }
            }
            Err(Failed::Other(error)) => return Err(error),
        }
        tokio::select! {
            () = shutdown.soft.cancelled() => return Ok(false),
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

enum Failed {
    Away(StoreError),
    Other(anyhow::Error),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        if error.is_away() { Self::Away(error) } else { Self::Other(error.into()) }
    }
}

async fn once(store: &Store, apply: bool) -> Result<(), Failed> {
    if apply {
        for name in migrate::run(store).await? {
            tracing::info!(name, "migration applied");
        }
        return Ok(());
    }
    refuse(&migrate::pending(store).await?).map_err(Failed::Other)
}

fn refuse(pending: &[String]) -> anyhow::Result<()> {
    if !pending.is_empty() {
        bail!(
            "{} migrations are pending ({}): run `bugle migrate` first, or set BUGLE_MIGRATE=true",
            pending.len(),
            pending.join(", ")
        );
    }
    Ok(())
}
