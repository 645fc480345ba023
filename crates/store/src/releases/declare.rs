//! Releases that a tool makes known, and what it says of them.

use crate::{Connection, StoreError, statement};
use bugle_model::{ProjectId, ReleaseStatus};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};

/// What is to be different; `None` leaves it as it is, and `Some(None)` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseChange {
    /// Whether it is still looked at.
    pub status: Option<ReleaseStatus>,
    /// What it was built from, 250 characters at most.
    pub reference: Option<Option<String>>,
    /// Where one can read about it, 2,048 characters at most.
    pub url: Option<Option<String>>,
    /// When work on it was begun.
    pub started_at: Option<Option<DateTime<Utc>>>,
    /// When it was released.
    pub released_at: Option<Option<DateTime<Utc>>>,
}

/// A release that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Declared {
    /// Its row's number.
    #[diesel(sql_type = Integer)]
    pub number: i32,
    /// It was not known before.
    #[diesel(sql_type = Bool)]
    pub is_new: bool,
}

/// Makes a version of a project known, if it is not.
///
/// # Errors
/// When the database fails or refuses the version: 1 to 200 bytes without a NUL.
pub async fn declare(
    connection: &mut Connection,
    project: ProjectId,
    version: &str,
    now: DateTime<Utc>,
) -> Result<Declared, StoreError> {
    // A row that is there already is updated, so that it is returned; a new one has no xmax.
    Ok(statement(
        "INSERT INTO releases (project_id, version, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (project_id, version) DO UPDATE SET status = releases.status
         RETURNING id AS number, xmax = 0 AS is_new",
    )
    .bind::<Integer, _>(project.0)
    .bind::<Text, _>(version)
    .bind::<Timestamptz, _>(now)
    .get_result(connection)
    .await?)
}

/// Changes a release.
///
/// # Errors
/// When the database fails or refuses the values.
pub async fn change(
    connection: &mut Connection,
    number: i32,
    change: &ReleaseChange,
) -> Result<(), StoreError> {
    if *change == ReleaseChange::default() {
        return Ok(());
    }
    statement(
        "UPDATE releases SET status = coalesce($2, status), ref = CASE WHEN $3 THEN $4 ELSE ref END,
             url = CASE WHEN $5 THEN $6 ELSE url END, started_at = CASE WHEN $7 THEN $8 ELSE started_at END,
             released_at = CASE WHEN $9 THEN $10 ELSE released_at END
         WHERE id = $1",
    )
    .bind::<Integer, _>(number)
    .bind::<Nullable<SmallInt>, _>(change.status.map(ReleaseStatus::code))
    .bind::<Bool, _>(change.reference.is_some())
    .bind::<Nullable<Text>, _>(change.reference.as_ref().and_then(Option::as_deref))
    .bind::<Bool, _>(change.url.is_some())
    .bind::<Nullable<Text>, _>(change.url.as_ref().and_then(Option::as_deref))
    .bind::<Bool, _>(change.started_at.is_some())
    .bind::<Nullable<Timestamptz>, _>(change.started_at.flatten())
    .bind::<Bool, _>(change.released_at.is_some())
    .bind::<Nullable<Timestamptz>, _>(change.released_at.flatten())
    .execute(connection)
    .await?;
    Ok(())
}

/// What became of a release that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone, or was not there.
    Gone,
    /// It has events, which would no longer know their release: it stays.
    HasEvents,
}

#[derive(QueryableByName)]
struct HasEvents {
    #[diesel(sql_type = Bool)]
    has_events: bool,
}

/// Removes a release with its commits and deploys, unless it has events. Composes with the caller's transaction, which may
/// have to be tried again ([`StoreError::is_conflict`]).
///
/// # Errors
/// When the database fails.
pub async fn remove(connection: &mut Connection, number: i32) -> Result<Removed, StoreError> {
    connection
        .transaction(async |connection| {
            // Issues before releases, in the order of their ids, as recorders have it.
            statement(
                "SELECT id FROM issues WHERE first_release_id = $1 OR resolved_release_id = $1 ORDER BY id
                 FOR NO KEY UPDATE",
            )
            .bind::<Integer, _>(number)
            .execute(connection)
            .await?;
            // A recorder that has an event for it holds a lock that this waits for; only then can it be told.
            statement("SELECT id FROM releases WHERE id = $1 FOR UPDATE")
                .bind::<Integer, _>(number)
                .execute(connection)
                .await?;
            let found: HasEvents =
                statement("SELECT EXISTS (SELECT 1 FROM release_counts WHERE release_id = $1) AS has_events")
                    .bind::<Integer, _>(number)
                    .get_result(connection)
                    .await?;
            if found.has_events {
                return Ok(Removed::HasEvents);
            }
            statement("DELETE FROM releases WHERE id = $1")
                .bind::<Integer, _>(number)
                .execute(connection)
                .await?;
            Ok(Removed::Gone)
        })
        .await
}
