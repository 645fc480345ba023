//! Issues and keys that flap: their incidents end and are opened again, again and again. After [`MOST`] within [`WITHIN`] one more pages, and
//! says so; those after that page nobody before it has been calm for [`CALM`].

use super::log::{self, Entry};
use super::silencing::{Silencing, SilentBy};
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentEvent, IncidentId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Int8, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::json;
use std::collections::BTreeMap;

/// How many incidents of an issue or key may be opened within [`WITHIN`] without it flapping.
const MOST: i64 = 5;
const WITHIN: TimeDelta = TimeDelta::minutes(60);
/// After so long without another incident it does not flap any more.
const CALM: TimeDelta = TimeDelta::minutes(30);

#[derive(QueryableByName)]
struct Before {
    #[diesel(sql_type = Int8)]
    opened: i64,
    #[diesel(sql_type = Bool)]
    flaps: bool,
}

/// Looks whether the issue or key of an incident that has just been opened flaps, and notes it.
pub(super) async fn look(
    conn: &mut Connection,
    incident: IncidentId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let before: Before = statement(
        "SELECT count(*) AS opened, COALESCE(bool_or(o.flapping AND o.triggered_at > $3), false) AS flaps
         FROM incidents n JOIN incidents o
            ON o.issue_id = n.issue_id OR (o.source_id = n.source_id AND o.dedup_key = n.dedup_key)
         WHERE n.id = $1 AND o.id <> $1 AND o.triggered_at > $2",
    )
    .bind::<Int8, _>(incident.0)
    .bind::<Timestamptz, _>(now - WITHIN)
    .bind::<Timestamptz, _>(now - CALM)
    .get_result(conn)
    .await?;
    if !before.flaps && before.opened < MOST {
        return Ok(());
    }
    statement("UPDATE incidents SET flapping = true, flapping_until = $2 WHERE id = $1")
        .bind::<Int8, _>(incident.0)
        .bind::<Nullable<Timestamptz>, _>(before.flaps.then(|| now + CALM))
        .execute(conn)
        .await?;
    if before.flaps {
        return Ok(());
    }
    let data = json!({ "opened": before.opened + 1, "within_minutes": WITHIN.num_minutes(), "calm_minutes": CALM.num_minutes() });
    let entry = Entry { incident, generation: 1, event: IncidentEvent::Flapping, data };
    log::write(conn, &[entry], None, now).await
}

/// Those of some incidents that page nobody at `now` because they flap.
pub(super) async fn holding(
    conn: &mut Connection,
    incidents: &[IncidentId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<IncidentId, Silencing>, StoreError> {
    #[derive(QueryableByName)]
    struct Held {
        #[diesel(sql_type = Int8)]
        id: i64,
        #[diesel(sql_type = Timestamptz)]
        until: DateTime<Utc>,
    }
    let rows: Vec<Held> = statement(
        "SELECT id, flapping_until AS until FROM incidents WHERE id = ANY($1) AND flapping_until > $2",
    )
    .bind::<Array<Int8>, _>(incidents.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let held = |row: Held| {
        let told = json!({ "until": row.until });
        (IncidentId(row.id), Silencing { by: SilentBy::Flapping, until: row.until, told })
    };
    Ok(rows.into_iter().map(held).collect())
}
