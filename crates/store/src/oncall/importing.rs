//! The events of a calendar as overrides of a schedule, whoever brings the calendar.

use super::colleagues;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{OverrideId, ScheduleId, TeamId, UserId};
use bugle_schedule::ical::{ImportPlan, Imported, People, Taken};
use bugle_schedule::limits::MAX_OVERRIDE_DAYS;
use bugle_schedule::{Override, OverrideKind};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Int4, Jsonb, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What an import would make of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedImport {
    /// What it makes.
    pub plan: ImportPlan,
    /// How many overrides of an import before have not ended.
    pub imported: usize,
    /// How many overrides that people have made stay.
    pub by_hand: usize,
}

/// An override that has not ended.
#[derive(Deserialize)]
struct Row {
    id: OverrideId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    kind: OverrideKind,
    imported: bool,
    in_place_of: Option<UserId>,
    created_at: DateTime<Utc>,
}

async fn not_ended(
    conn: &mut Connection,
    schedule: ScheduleId,
    now: DateTime<Utc>,
) -> Result<Vec<Row>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', id, 'from', starts_at, 'to', ends_at, 'kind', kind, 'imported', imported,
            'in_place_of', in_place_of, 'created_at', created_at) AS row
         FROM schedule_overrides WHERE schedule_id = $1 AND ends_at > $2 ORDER BY id",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    row::all(rows)
}

/// What an import makes of a schedule, which the caller holds if it is to be made. `said` says who the calendar's names are; they are of the team.
///
/// # Errors
/// When the database fails.
pub async fn plan_import(
    conn: &mut Connection,
    schedule: ScheduleId,
    team: TeamId,
    imported: &Imported,
    said: BTreeMap<String, UserId>,
    now: DateTime<Utc>,
) -> Result<PlannedImport, StoreError> {
    let there = not_ended(conn, schedule, now).await?;
    let of_team = colleagues(conn, team).await?.into_iter().map(|one| (one.id, one.name, one.email));
    let people = People::new(said, of_team);
    let by_hand: Vec<&Row> = there.iter().filter(|one| !one.imported).collect();
    let taken: Vec<Taken> = by_hand.iter().flat_map(|one| one.taken()).collect();
    let plan = imported.plan(&people, &taken, now);
    Ok(PlannedImport { plan, imported: there.len() - by_hand.len(), by_hand: by_hand.len() })
}

impl Row {
    /// Whose time it is: of everybody whom it names, and of whoever has passed it on. In the place of whoever is replaced comes who replaces them.
    fn taken(&self) -> impl Iterator<Item = Taken> {
        let (from, to, kind) = (self.from, self.to, self.kind);
        self.kind.names().chain(self.in_place_of).map(move |who| {
            let instead = match kind {
                OverrideKind::Replace { who: comes, replaced } if replaced == who => Some(comes),
                _ => None,
            };
            Taken { who, from, to, instead }
        })
    }

    fn key(&self, now: DateTime<Utc>) -> Key {
        (self.from.max(now), self.kind.comes_on())
    }
}

/// What becomes of the overrides of an import before that the new one does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// They end.
    Goes,
    /// Those that were made before `since` stay; the others end.
    Stays {
        /// When the new import was set up.
        since: DateTime<Utc>,
    },
}

impl Before {
    fn keeps(self, row: &Row) -> bool {
        matches!(self, Self::Stays { since } if row.created_at < since)
    }
}

/// From when on, and who: one person's imported overrides do not overlap.
type Key = (DateTime<Utc>, Option<UserId>);

/// What is to be written, so that those that stay as they are keep their past.
struct Change {
    gone: Vec<i32>,
    /// Those that end at another time.
    ends: Vec<(i32, DateTime<Utc>)>,
    new: Vec<Override>,
}

impl Change {
    fn of(there: &[Row], wanted: &[Override], before: Before, now: DateTime<Utc>) -> Self {
        let longest = TimeDelta::days(MAX_OVERRIDE_DAYS);
        let mut new: BTreeMap<Key, &Override> =
            wanted.iter().map(|one| ((one.from.max(now), one.kind.comes_on()), one)).collect();
        let (mut gone, mut ends) = (Vec::new(), Vec::new());
        for row in there.iter().filter(|row| row.imported) {
            let fits = |one: &&Override| one.kind == row.kind && one.to - row.from <= longest;
            match new.get(&row.key(now)).copied().filter(fits) {
                Some(one) => {
                    new.remove(&row.key(now));
                    if one.to != row.to {
                        ends.push((row.id.0, one.to));
                    }
                }
                None if before.keeps(row) => {}
                None => gone.push(row.id.0),
            }
        }
        Self { gone, ends, new: new.into_values().cloned().collect() }
    }
}

/// Puts overrides of an import in the place of those of the import before, from `now` on; the caller holds the schedule, and has checked them together
/// with the others. What is there already stays. `before` says what becomes of the rest. Whether anything has changed.
///
/// # Errors
/// When the database fails.
pub async fn replace_imported(
    conn: &mut Connection,
    schedule: ScheduleId,
    overrides: &[Override],
    created_by: &str,
    before: Before,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let there = not_ended(conn, schedule, now).await?;
    let Change { gone, ends, new } = Change::of(&there, overrides, before, now);
    if !gone.is_empty() {
        end_now(conn, schedule, &gone, now).await?;
    }
    if !ends.is_empty() {
        let (ids, times): (Vec<i32>, Vec<DateTime<Utc>>) = ends.iter().copied().unzip();
        statement(
            "UPDATE schedule_overrides o SET ends_at = e.ends_at FROM UNNEST($2, $3) AS e (id, ends_at)
             WHERE o.id = e.id AND o.schedule_id = $1",
        )
        .bind::<Int4, _>(schedule.0)
        .bind::<Array<Int4>, _>(ids)
        .bind::<Array<Timestamptz>, _>(times)
        .execute(conn)
        .await?;
    }
    if !new.is_empty() {
        insert(conn, schedule, &new, created_by, now).await?;
    }
    Ok(!(gone.is_empty() && ends.is_empty() && new.is_empty()))
}

/// How many overrides of an import before stay in any case.
pub(super) async fn count_kept(
    conn: &mut Connection,
    schedule: ScheduleId,
    before: Before,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let there = not_ended(conn, schedule, now).await?;
    Ok(there.iter().filter(|row| row.imported && before.keeps(row)).count())
}

/// Ends overrides; what of them is over stays.
async fn end_now(
    conn: &mut Connection,
    schedule: ScheduleId,
    ids: &[i32],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for text in [
        "DELETE FROM schedule_overrides WHERE schedule_id = $1 AND id = ANY($2) AND starts_at >= $3",
        "UPDATE schedule_overrides SET ends_at = $3 WHERE schedule_id = $1 AND id = ANY($2) AND starts_at < $3",
    ] {
        statement(text)
            .bind::<Int4, _>(schedule.0)
            .bind::<Array<Int4>, _>(ids)
            .bind::<Timestamptz, _>(now)
            .execute(conn)
            .await?;
    }
    Ok(())
}

async fn insert(
    conn: &mut Connection,
    schedule: ScheduleId,
    overrides: &[Override],
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let kinds: Result<Vec<_>, _> = overrides.iter().map(|one| serde_json::to_value(one.kind)).collect();
    let kinds = kinds.map_err(|error| StoreError::Damaged(error.to_string()))?;
    statement(
        "INSERT INTO schedule_overrides (schedule_id, starts_at, ends_at, kind, created_by, created_at, imported)
         SELECT $1, o.starts_at, o.ends_at, o.kind, $5, $6, true
         FROM UNNEST($2, $3, $4) WITH ORDINALITY AS o (starts_at, ends_at, kind, place) ORDER BY o.place",
    )
    .bind::<Int4, _>(schedule.0)
    .bind::<Array<Timestamptz>, _>(overrides.iter().map(|one| one.from).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(overrides.iter().map(|one| one.to).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(kinds)
    .bind::<Text, _>(created_by.chars().take(128).collect::<String>())
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
