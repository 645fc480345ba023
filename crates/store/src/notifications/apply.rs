//! Doing what was decided about the candidates of a claim.

use super::facts::{Part, parts};
use super::{Candidate, Claim, Claimed, Digest, LOST, Plan};
use crate::{Connection, StoreError, statement};
use bugle_model::{NotificationId, NotificationState, Priority, SignalKind};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

pub(super) async fn apply(
    conn: &mut Connection,
    claim: &Claim,
    candidates: &[Candidate],
    plan: &Plan,
) -> Result<Vec<Claimed>, StoreError> {
    lost_attempts(conn, claim, candidates, plan).await?;
    if !plan.cancel.is_empty() {
        cancel(conn, claim, &plan.cancel).await?;
    }
    if let Some(digest) = &plan.digest {
        let id = insert_digest(conn, claim, digest).await?;
        tell_inside(conn, claim, NotificationState::Expired, id, &digest.of).await?;
    }
    if let Some((lead, others)) = &plan.bundle {
        tell_inside(conn, claim, NotificationState::Bundled, *lead, others).await?;
    }
    if let Some(until) = plan.open_until {
        statement("UPDATE destinations SET open_until = $2 WHERE id = $1")
            .bind::<Int4, _>(claim.destination.0)
            .bind::<Timestamptz, _>(until)
            .execute(conn)
            .await?;
    }
    if plan.send.is_empty() { Ok(Vec::new()) } else { take(conn, claim, &plan.send).await }
}

/// An attempt whose sender was lost stays visible.
async fn lost_attempts(
    conn: &mut Connection,
    claim: &Claim,
    candidates: &[Candidate],
    plan: &Plan,
) -> Result<(), StoreError> {
    let touched = |id| plan.send.contains(&id) || plan.cancel.iter().any(|(cancelled, _)| *cancelled == id);
    let lost: Vec<i64> =
        candidates.iter().filter(|one| one.lost && touched(one.id)).map(|one| one.id.0).collect();
    if lost.is_empty() {
        return Ok(());
    }
    statement(
        "INSERT INTO notification_attempts (notification_id, number, started_at, duration_ms, result, answer)
         SELECT id, attempts, COALESCE(dispatched_at, $2), 0, 'retry', $3
         FROM notifications WHERE id = ANY($1) AND attempts > 0
         ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Int8>, _>(lost)
    .bind::<Timestamptz, _>(claim.now)
    .bind::<Text, _>(format!("{LOST}the sender was lost before it could record the answer"))
    .execute(conn)
    .await?;
    Ok(())
}

async fn cancel(
    conn: &mut Connection,
    claim: &Claim,
    cancel: &[(NotificationId, &'static str)],
) -> Result<(), StoreError> {
    let (ids, reasons): (Vec<i64>, Vec<&str>) = cancel.iter().map(|(id, reason)| (id.0, *reason)).unzip();
    statement(
        "UPDATE notifications n SET state = 4, error = s.reason, finished_at = $3, next_at = NULL,
            lease_until = NULL, leased_by = NULL
         FROM UNNEST($1::bigint[], $2::text[]) AS s (id, reason) WHERE n.id = s.id",
    )
    .bind::<Array<Int8>, _>(ids)
    .bind::<Array<Text>, _>(reasons)
    .bind::<Timestamptz, _>(claim.now)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = Int8)]
    id: i64,
}

async fn insert_digest(
    conn: &mut Connection,
    claim: &Claim,
    digest: &Digest,
) -> Result<NotificationId, StoreError> {
    let made: Made = statement(
        "INSERT INTO notifications (message_id, project_id, destination_id, kind, priority, received_at, created_at, next_at)
         SELECT $2, project_id, id, $3, $4, $5, $6, $6 FROM destinations WHERE id = $1 RETURNING id",
    )
    .bind::<Int4, _>(claim.destination.0)
    .bind::<SqlUuid, _>(digest.message_id)
    .bind::<SmallInt, _>(SignalKind::Digest.code())
    .bind::<SmallInt, _>(digest.priority.code())
    .bind::<Timestamptz, _>(digest.received_at)
    .bind::<Timestamptz, _>(claim.now)
    .get_result(conn)
    .await?;
    Ok(NotificationId(made.id))
}

async fn tell_inside(
    conn: &mut Connection,
    claim: &Claim,
    state: NotificationState,
    into: NotificationId,
    ids: &[NotificationId],
) -> Result<(), StoreError> {
    statement(
        "WITH moved AS (
            UPDATE notifications SET state = $2, bundled_into = $3, finished_at = $4, next_at = NULL,
                lease_until = NULL, leased_by = NULL
            WHERE id = ANY($1) RETURNING id)
         -- What was told inside one of them moves along.
         UPDATE notifications n SET bundled_into = $3 FROM moved WHERE n.bundled_into = moved.id",
    )
    .bind::<Array<Int8>, _>(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<SmallInt, _>(state.code())
    .bind::<Int8, _>(into.0)
    .bind::<Timestamptz, _>(claim.now)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct TakenRow {
    #[diesel(sql_type = Int8)]
    id: i64,
    #[diesel(sql_type = SqlUuid)]
    message_id: Uuid,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Int4)]
    attempts: i32,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ambiguous_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Int8)]
    unknown: i64,
    #[diesel(sql_type = Text)]
    project_name: String,
}

impl TakenRow {
    fn read(self, parts: &mut Vec<Part>) -> Option<Claimed> {
        let id = NotificationId(self.id);
        Some(Claimed {
            id,
            message_id: self.message_id,
            kind: SignalKind::from_code(self.kind)?,
            priority: Priority::from_code(self.priority)?,
            attempt: self.attempts,
            created_at: self.created_at,
            received_at: self.received_at,
            ambiguous_since: self.ambiguous_since,
            unknown: self.unknown,
            project_name: self.project_name,
            parts: parts.extract_if(.., |part| part.into == id).map(|part| part.bundle).collect(),
        })
    }
}

async fn take(
    conn: &mut Connection,
    claim: &Claim,
    send: &[NotificationId],
) -> Result<Vec<Claimed>, StoreError> {
    let ids: Vec<i64> = send.iter().map(|id| id.0).collect();
    let rows: Vec<TakenRow> = statement(
        "WITH before AS (SELECT id, dispatched_at FROM notifications WHERE id = ANY($1))
         UPDATE notifications n SET state = 1, attempts = attempts + 1, lease_until = $2, leased_by = $3,
            dispatched_at = COALESCE(n.dispatched_at, $4), next_at = NULL
         FROM before, projects p WHERE n.id = before.id AND p.id = n.project_id
         RETURNING n.id, n.message_id, n.kind, n.priority, n.attempts, n.created_at, n.received_at,
            before.dispatched_at AS ambiguous_since, p.name AS project_name,
            (SELECT count(*) FROM notification_attempts a
             WHERE a.notification_id = n.id AND starts_with(a.answer, $5)) AS unknown",
    )
    .bind::<Array<Int8>, _>(&ids)
    .bind::<Timestamptz, _>(claim.lease_until)
    .bind::<SqlUuid, _>(claim.leased_by)
    .bind::<Timestamptz, _>(claim.now)
    .bind::<Text, _>(LOST)
    .load(conn)
    .await?;
    let mut parts = parts(conn, &ids).await?;
    let mut claimed: Vec<Claimed> = rows.into_iter().filter_map(|row| row.read(&mut parts)).collect();
    claimed.sort_by_key(|one| ids.iter().position(|id| *id == one.id.0));
    Ok(claimed)
}
