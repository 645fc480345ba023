//! What is due at some destinations, as it is when it is claimed.

use super::{Candidate, Claim, PageOf};
use crate::oncall::RESPONDER_STEP;
use crate::{Connection, StoreError, statement};
use bugle_model::{
    DestinationId, IncidentId, IncidentOrigin, IncidentState, IssueStatus, NotificationId, NotificationState,
    Priority, SignalKind,
};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Int4, Int8, Nullable, SmallInt, Timestamptz};
use diesel_async::RunQueryDsl;
use std::collections::HashMap;

/// How many notifications of a destination one claim looks at.
const MAX_CANDIDATES: i64 = 1000;
/// After how many pages within a minute a destination is crowded.
pub const PAGES_A_MINUTE: i64 = 5;
/// How many of a destination's newest notifications are looked at for that.
const MAX_LATELY: i64 = 200;

#[derive(QueryableByName)]
struct CandidateRow {
    #[diesel(sql_type = Int4)]
    destination_id: i32,
    #[diesel(sql_type = Int8)]
    id: i64,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = SmallInt)]
    state: i16,
    #[diesel(sql_type = Int4)]
    attempts: i32,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    issue_status: Option<i16>,
    #[diesel(sql_type = Bool)]
    told_again: bool,
    #[diesel(sql_type = Int8)]
    bundled: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    crowded_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Int8>)]
    incident_id: Option<i64>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    incident_state: Option<i16>,
    #[diesel(sql_type = Nullable<Bool>)]
    is_current: Option<bool>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    incident_origin: Option<i16>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    incident_issue_status: Option<i16>,
    #[diesel(sql_type = Nullable<Bool>)]
    is_asked: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    is_digest: Option<bool>,
}

impl CandidateRow {
    fn incident(&self) -> Option<PageOf> {
        Some(PageOf {
            id: IncidentId(self.incident_id?),
            state: IncidentState::from_code(self.incident_state?)?,
            is_current: self.is_current?,
            origin: IncidentOrigin::from_code(self.incident_origin?)?,
            issue: self.incident_issue_status.and_then(IssueStatus::from_code),
            is_asked: self.is_asked?,
            is_digest: self.is_digest?,
        })
    }

    fn read(self) -> Option<Candidate> {
        Some(Candidate {
            id: NotificationId(self.id),
            kind: SignalKind::from_code(self.kind)?,
            priority: Priority::from_code(self.priority)?,
            attempts: self.attempts,
            received_at: self.received_at,
            created_at: self.created_at,
            lost: self.state != 0,
            issue: self.issue_status.and_then(IssueStatus::from_code),
            told_again: self.told_again,
            bundled: self.bundled,
            crowded_since: self.crowded_since,
            incident: self.incident(),
        })
    }
}

/// What is due at some destinations, the weightiest first.
pub(super) async fn candidates(
    conn: &mut Connection,
    destinations: &[i32],
    claim: &Claim,
) -> Result<HashMap<DestinationId, Vec<Candidate>>, StoreError> {
    let rows: Vec<CandidateRow> = statement(
        "SELECT w.id AS destination_id, n.id, n.kind, n.priority, n.state, n.attempts, n.received_at, n.created_at,
            i.status AS issue_status,
            EXISTS (SELECT 1 FROM notifications later
                    WHERE later.issue_id = n.issue_id AND later.destination_id = n.destination_id
                    AND later.generation > n.generation) AS told_again,
            (SELECT count(*) FROM notifications b LEFT JOIN issues bi ON bi.id = b.issue_id
                LEFT JOIN incident_pages bg ON bg.notification_id = b.id LEFT JOIN incidents bc ON bc.id = bg.incident_id
             WHERE b.bundled_into = n.id AND (bi.status = 0 OR bc.state = 1 OR (bc.state = 2 AND bg.step = $4))) AS bundled,
            k.crowded_since,
            c.id AS incident_id, c.state AS incident_state, g.generation = c.generation AS is_current,
            c.origin AS incident_origin, ci.status AS incident_issue_status,
            g.step = $4 AS is_asked, g.digest AS is_digest
         FROM UNNEST($1) AS w (id)
         CROSS JOIN LATERAL (
             SELECT * FROM notifications n WHERE n.destination_id = w.id AND n.state < 2
                AND ((n.state = 0 AND n.next_at <= $2) OR (n.state = 1 AND n.lease_until <= $2))
             ORDER BY n.priority DESC, n.created_at, n.id LIMIT $3
             FOR UPDATE SKIP LOCKED) n
         CROSS JOIN LATERAL (
             SELECT (SELECT r.finished_at FROM (
                    SELECT kind, state, finished_at FROM notifications WHERE destination_id = w.id ORDER BY id DESC LIMIT $5) r
                 WHERE r.kind = $6 AND r.state = $7 AND r.finished_at > $2 - interval '1 minute'
                 ORDER BY r.finished_at DESC OFFSET $8 LIMIT 1) AS crowded_since) k
         LEFT JOIN issues i ON i.id = n.issue_id
         LEFT JOIN incident_pages g ON g.notification_id = n.id
         LEFT JOIN incidents c ON c.id = g.incident_id
         LEFT JOIN issues ci ON ci.id = c.issue_id
         ORDER BY n.priority DESC, n.created_at, n.id",
    )
    .bind::<Array<Int4>, _>(destinations)
    .bind::<Timestamptz, _>(claim.now)
    .bind::<Int8, _>(MAX_CANDIDATES)
    .bind::<SmallInt, _>(RESPONDER_STEP)
    .bind::<Int8, _>(MAX_LATELY)
    .bind::<SmallInt, _>(SignalKind::Page.code())
    .bind::<SmallInt, _>(NotificationState::Sent.code())
    .bind::<Int8, _>(PAGES_A_MINUTE - 1)
    .load(conn)
    .await?;
    let mut found: HashMap<DestinationId, Vec<Candidate>> = HashMap::new();
    for row in rows {
        let destination = DestinationId(row.destination_id);
        found.entry(destination).or_default().extend(row.read());
    }
    Ok(found)
}
