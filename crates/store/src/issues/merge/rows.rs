//! What hangs on issues goes to the one that they are merged into.

use super::notifications;
use crate::hyperloglog::Sketch;
use crate::issues::ignore;
use crate::{Connection, StoreError, oncall, statement};
use bugle_model::IssueId;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;

/// Above this, users are estimated: as the recorder has it.
const EXACT: i64 = 1_000;

/// Statements with the issue that stays as `$1` and those that go as `$2`.
const MOVES: [&str; 11] = [
    "UPDATE issue_hashes SET issue_id = $1 WHERE issue_id = ANY ($2)",
    "INSERT INTO issue_counts AS c (issue_id, events, last_seen)
     SELECT $1, sum(events), max(last_seen) FROM issue_counts WHERE issue_id = ANY ($2) HAVING count(*) > 0
     ON CONFLICT (issue_id) DO UPDATE SET events = c.events + excluded.events,
         last_seen = greatest(c.last_seen, excluded.last_seen)",
    "WITH gone AS (DELETE FROM issue_minutes WHERE issue_id = ANY ($2) RETURNING minute, events)
     INSERT INTO issue_minutes AS m (issue_id, minute, events)
     SELECT $1, minute, sum(events) FROM gone GROUP BY minute
     ON CONFLICT (issue_id, minute) DO UPDATE SET events = m.events + excluded.events",
    "WITH gone AS (DELETE FROM issue_hours WHERE issue_id = ANY ($2) RETURNING hour, events)
     INSERT INTO issue_hours AS h (issue_id, hour, events)
     SELECT $1, hour, sum(events) FROM gone GROUP BY hour
     ON CONFLICT (issue_id, hour) DO UPDATE SET events = h.events + excluded.events",
    "WITH new AS (
         SELECT DISTINCT t.key, t.value FROM issue_tags t WHERE t.issue_id = ANY ($2) AND NOT EXISTS (
             SELECT 1 FROM issue_tags o WHERE o.issue_id = $1 AND o.key = t.key AND o.value = t.value)),
     placed AS (
         SELECT key, value, row_number() OVER (PARTITION BY key ORDER BY value)
             + (SELECT count(*) FROM issue_tags o WHERE o.issue_id = $1 AND o.key = new.key) AS place FROM new)
     INSERT INTO issue_tags (issue_id, key, value) SELECT $1, key, value FROM placed WHERE place <= 200",
    "INSERT INTO issue_user_keys (issue_id, key_hash)
     SELECT DISTINCT $1, key_hash FROM issue_user_keys WHERE issue_id = ANY ($2) ON CONFLICT DO NOTHING",
    // Without their places: what was said in other issues is found word by word.
    "UPDATE issue_texts t SET words = t.words || o.words
     FROM (SELECT array_to_tsvector(array_agg(l.lexeme)) AS words FROM (
         SELECT DISTINCT u.lexeme FROM issue_texts w CROSS JOIN LATERAL unnest(w.words) u
         WHERE w.issue_id = ANY ($2) LIMIT 2000) l) o
     WHERE t.issue_id = $1 AND o.words IS NOT NULL AND length(t.words) < 2600",
    "UPDATE issue_activity SET issue_id = $1 WHERE issue_id = ANY ($2)",
    "INSERT INTO bookmarks (user_id, issue_id, created_at)
     SELECT user_id, $1, min(created_at) FROM bookmarks WHERE issue_id = ANY ($2) GROUP BY user_id
     ON CONFLICT DO NOTHING",
    "UPDATE anchors SET issue_id = $1 WHERE issue_id = ANY ($2)",
    "UPDATE issues i SET first_seen = least(i.first_seen, o.first_seen), active_at = greatest(i.active_at, o.active_at),
         level = greatest(i.level, o.level),
         priority = CASE WHEN i.priority_chosen THEN i.priority ELSE greatest(i.priority, o.priority) END,
         -- What was told of one of them is not told again of all of them.
         threshold = greatest(i.threshold, o.threshold),
         first_release_id = (SELECT f.first_release_id FROM issues f WHERE f.id = $1 OR f.id = ANY ($2)
             ORDER BY f.first_seen, f.id LIMIT 1)
     FROM (SELECT min(first_seen) AS first_seen, max(active_at) AS active_at, max(level) AS level,
               max(priority) AS priority, max(threshold) AS threshold FROM issues WHERE id = ANY ($2)) o
     WHERE i.id = $1",
];

/// Statements that remember where those that go went, at the time `$3`.
const TRACES: [&str; 2] = [
    "WITH known AS (UPDATE merged_issues SET issue_id = $1 WHERE issue_id = ANY ($2))
     INSERT INTO merged_issues (id, project_id, number, issue_id, merged_at)
     SELECT id, project_id, number, $1, $3 FROM issues WHERE id = ANY ($2)",
    "WITH known AS (UPDATE issue_moves SET to_issue = $1 WHERE to_issue = ANY ($2))
     INSERT INTO issue_moves (from_issue, to_issue, created_at) SELECT id, $1, $3 FROM issues WHERE id = ANY ($2)",
];

/// Moves everything but the events, and removes the issues that go. All of them are locked.
pub(super) async fn take_over(
    connection: &mut Connection,
    into: IssueId,
    others: &[IssueId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let going: Vec<i64> = others.iter().map(|id| id.0).collect();
    let ignored = ignore::Condition::read(connection, into, now).await?;
    for text in MOVES {
        statement(text)
            .bind::<BigInt, _>(into.0)
            .bind::<Array<BigInt>, _>(&going)
            .execute(connection)
            .await?;
    }
    users(connection, into, &going).await?;
    if let Some(ignored) = ignored {
        ignored.raise(connection, now).await?;
    }
    notifications::adopt(connection, into, &going, now).await?;
    oncall::follow_merge(connection, into, &going, now).await?;
    for text in TRACES {
        statement(text)
            .bind::<BigInt, _>(into.0)
            .bind::<Array<BigInt>, _>(&going)
            .bind::<Timestamptz, _>(now)
            .execute(connection)
            .await?;
    }
    statement("DELETE FROM issues WHERE id = ANY ($1)")
        .bind::<Array<BigInt>, _>(&going)
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct UserRow {
    #[diesel(sql_type = BigInt)]
    user_hash: i64,
}

#[derive(QueryableByName)]
struct SketchRow {
    #[diesel(sql_type = Nullable<Binary>)]
    users_sketch: Option<Vec<u8>>,
}

/// The users of all of them together: exact while they are few.
async fn users(connection: &mut Connection, into: IssueId, going: &[i64]) -> Result<(), StoreError> {
    let mut all = going.to_vec();
    all.push(into.0);
    let sketches: Vec<SketchRow> = statement(
        "SELECT users_sketch FROM issue_counts WHERE issue_id = ANY ($1) AND users_sketch IS NOT NULL",
    )
    .bind::<Array<BigInt>, _>(&all)
    .load(connection)
    .await?;
    let rows: Vec<UserRow> =
        statement("SELECT DISTINCT user_hash FROM issue_users WHERE issue_id = ANY ($1)")
            .bind::<Array<BigInt>, _>(&all)
            .load(connection)
            .await?;
    let many = i64::try_from(rows.len()).unwrap_or(i64::MAX) > EXACT;
    if sketches.is_empty() && !many {
        return exact(connection, into, going).await;
    }
    let mut sketch = Sketch::default();
    for bytes in sketches.into_iter().filter_map(|row| row.users_sketch) {
        sketch.merge(&Sketch::from_bytes(bytes)?);
    }
    for row in rows {
        sketch.insert(row.user_hash);
    }
    statement("DELETE FROM issue_users WHERE issue_id = ANY ($1)")
        .bind::<Array<BigInt>, _>(&all)
        .execute(connection)
        .await?;
    let least = i32::try_from(EXACT + 1).unwrap_or(i32::MAX);
    statement("UPDATE issue_counts SET users = $2, users_sketch = $3 WHERE issue_id = $1")
        .bind::<BigInt, _>(into.0)
        .bind::<Integer, _>(sketch.estimate().max(least))
        .bind::<Binary, _>(sketch.into_bytes())
        .execute(connection)
        .await?;
    Ok(())
}

async fn exact(connection: &mut Connection, into: IssueId, going: &[i64]) -> Result<(), StoreError> {
    statement(
        "INSERT INTO issue_users (issue_id, user_hash)
         SELECT DISTINCT $1, user_hash FROM issue_users WHERE issue_id = ANY ($2) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(into.0)
    .bind::<Array<BigInt>, _>(going)
    .execute(connection)
    .await?;
    statement(
        "UPDATE issue_counts SET users = (SELECT count(*) FROM issue_users WHERE issue_id = $1) WHERE issue_id = $1",
    )
    .bind::<BigInt, _>(into.0)
    .execute(connection)
    .await?;
    Ok(())
}
