//! Doing what was decided about the candidates of a claim: of all its destinations in one statement each, as far as it is frequent.

use super::claim::Planned;
use super::facts::{Part, parts};
use super::{Claim, Claimed, Digest, LOST, Plan};
use crate::destinations::Destination;
use crate::{Connection, StoreError, statement};
use bugle_model::{DestinationId, NotificationId, NotificationState, Priority, SignalKind};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::collections::HashMap;
use uuid::Uuid;

pub(super) async fn apply(
    conn: &mut Connection,
    claim: &Claim,
    planned: Vec<Planned>,
) -> Result<Vec<(Destination, Vec<Claimed>)>, StoreError> {
    lost_attempts(conn, claim, &planned).await?;
    let plans = || planned.iter().map(|one| &one.plan);
    let cancelled = plans().flat_map(|plan| &plan.cancel).map(|(id, reason)| (*id, *reason)).collect();
    end(conn, claim, NotificationState::Cancelled, cancelled).await?;
    let failed = plans().flat_map(|plan| &plan.fail).map(|(id, error)| (*id, error.as_str())).collect();
    end(conn, claim, NotificationState::Failed, failed).await?;
    for Planned { destination, plan, .. } in &planned {
        if let Some(digest) = &plan.digest {
            let id = insert_digest(conn, claim, destination.id, digest).await?;
            tell_inside(conn, claim, NotificationState::Expired, id, &digest.of).await?;
        }
        if let Some((lead, others)) = &plan.bundle {
            tell_inside(conn, claim, NotificationState::Bundled, *lead, others).await?;
        }
    }
    let pauses = planned.iter().filter_map(|one| Some((one.destination.id, one.plan.open_until?))).collect();
    pause(conn, pauses).await?;
    let send: Vec<NotificationId> = plans().flat_map(|plan| plan.send.iter().copied()).collect();
    let mut taken: HashMap<NotificationId, Claimed> = if send.is_empty() {
        HashMap::new()
    } else {
        take(conn, claim, &send).await?.into_iter().map(|one| (one.id, one)).collect()
    };
    let own = |one: Planned| {
        let claimed = one.plan.send.iter().filter_map(|id| taken.remove(id)).collect();
        (one.destination, claimed)
    };
    Ok(planned.into_iter().map(own).collect())
}

/// Nothing more goes to these destinations before.
async fn pause(conn: &mut Connection, pauses: Vec<(DestinationId, DateTime<Utc>)>) -> Result<(), StoreError> {
    if pauses.is_empty() {
        return Ok(());
    }
    let (ids, until): (Vec<i32>, Vec<DateTime<Utc>>) =
        pauses.into_iter().map(|(id, until)| (id.0, until)).unzip();
    statement(
        "UPDATE destinations d SET open_until = s.until FROM UNNEST($1::int[], $2::timestamptz[]) AS s (id, until)
         WHERE d.id = s.id",
    )
    .bind::<Array<Int4>, _>(ids)
    .bind::<Array<Timestamptz>, _>(until)
    .execute(conn)
    .await?;
    Ok(())
}

/// An attempt whose sender was lost stays visible.
async fn lost_attempts(conn: &mut Connection, claim: &Claim, planned: &[Planned]) -> Result<(), StoreError> {
    let lost_of = |one: &Planned| {
        let Plan { cancel, fail, send, .. } = &one.plan;
        let ended =
            |id| cancel.iter().any(|(other, _)| *other == id) || fail.iter().any(|(other, _)| *other == id);
        let lost = one.candidates.iter().filter(|candidate| candidate.lost).map(|candidate| candidate.id);
        lost.filter(|id| send.contains(id) || ended(*id)).map(|id| id.0).collect::<Vec<_>>()
    };
    let lost: Vec<i64> = planned.iter().flat_map(lost_of).collect();
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

async fn end(
    conn: &mut Connection,
    claim: &Claim,
    state: NotificationState,
    ended: Vec<(NotificationId, &str)>,
) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    let (ids, reasons): (Vec<i64>, Vec<&str>) = ended.into_iter().map(|(id, reason)| (id.0, reason)).unzip();
    statement(
        "UPDATE notifications n SET state = $4, error = s.reason, finished_at = $3, next_at = NULL,
            lease_until = NULL, leased_by = NULL
         FROM UNNEST($1::bigint[], $2::text[]) AS s (id, reason) WHERE n.id = s.id",
    )
    .bind::<Array<Int8>, _>(ids)
    .bind::<Array<Text>, _>(reasons)
    .bind::<Timestamptz, _>(claim.now)
    .bind::<SmallInt, _>(state.code())
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
    destination: DestinationId,
    digest: &Digest,
) -> Result<NotificationId, StoreError> {
    let made: Made = statement(
        "INSERT INTO notifications (message_id, project_id, destination_id, kind, priority, received_at, created_at, next_at)
         SELECT $2, project_id, id, $3, $4, $5, $6, $6 FROM destinations WHERE id = $1 RETURNING id",
    )
    .bind::<Int4, _>(destination.0)
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
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
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
            code: self.code,
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
         FROM before WHERE n.id = before.id
         RETURNING n.id, n.message_id, n.kind, n.priority, n.attempts, n.created_at, n.received_at,
            before.dispatched_at AS ambiguous_since,
            COALESCE((SELECT p.name FROM projects p WHERE p.id = n.project_id),
                (SELECT t.name FROM incident_pages g JOIN incidents i ON i.id = g.incident_id JOIN teams t ON t.id = i.team_id
                 WHERE g.notification_id = n.id), 'Bugle') AS project_name,
            CASE WHEN n.kind = 14 THEN
                (SELECT m.code FROM contact_methods m WHERE m.destination_id = n.destination_id) END AS code,
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
    Ok(rows.into_iter().filter_map(|row| row.read(&mut parts)).collect())
}
