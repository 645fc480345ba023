//! The embedded migrations.
//!
//! diesel's harness blocks its thread (`block_in_place`): call these on a multi-threaded runtime, before the
//! HTTP servers start.

use crate::{Connection, Store, StoreError, locks, statement};
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Applies what is missing and returns the names of what was applied. Waits while another process does it.
///
/// # Errors
/// [`StoreError::Away`] when the database cannot be reached, [`StoreError::Migration`] when one fails; those
/// before it stay applied.
pub async fn run(store: &Store) -> Result<Vec<String>, StoreError> {
    with_lock(store, |harness| {
        let applied = harness.run_pending_migrations(MIGRATIONS).map_err(|error| failed(&*error))?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Undoes every applied migration. For tests, and for developers who changed an unreleased one.
///
/// # Errors
/// As [`run`].
pub async fn revert_all(store: &Store) -> Result<(), StoreError> {
    with_lock(store, |harness| {
        harness.revert_all_migrations(MIGRATIONS).map(drop).map_err(|error| failed(&*error))
    })
    .await
}

/// The names of the embedded migrations that the database does not have. Not empty: run `bugle migrate`.
///
/// # Errors
/// As [`run`].
pub async fn pending(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut harness = AsyncMigrationHarness::new(store.dedicated().await?);
    let missing = MigrationHarness::<Pg>::pending_migrations(&mut harness, MIGRATIONS)
        .map_err(|error| failed(&*error))?;
    Ok(missing.iter().map(|migration| migration.name().to_string()).collect())
}

async fn with_lock<T>(
    store: &Store,
    work: impl FnOnce(&mut AsyncMigrationHarness<Connection>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut connection = store.dedicated().await?;
    // A migration may well take longer than a request may, and waits for another process's as long as needed.
    statement("SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)")
        .execute(&mut connection)
        .await?;
    statement("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(locks::MIGRATIONS)
        .execute(&mut connection)
        .await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    // The lock goes with the session.
    work(&mut harness)
}

fn failed(error: &(dyn std::error::Error + Send + Sync)) -> StoreError {
    StoreError::Migration(error.to_string())
}
