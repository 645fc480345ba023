//! Taking due notifications of some destinations, in one transaction that also sees whether they are still wanted.

use super::About;
use super::apply::apply;
use super::candidates::candidates;
use crate::destinations::{self, Destination};
use crate::{Connection, StoreError, by_keys, statement};
use bugle_model::{
    DestinationId, IncidentId, IncidentOrigin, IncidentState, IssueStatus, NotificationId, Priority,
    SignalKind, UserId,
};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Int4, Int8, SmallInt, Timestamptz};
use diesel_async::{AsyncConnection, RunQueryDsl};
use std::collections::HashMap;
use uuid::Uuid;

/// What an attempt says that was never heard of again. Attempts whose answer starts so may or may not have arrived.
pub const LOST: &str = "outcome unknown: ";

/// A destination that has something due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The destination.
    pub destination: DestinationId,
    /// The highest priority that waits.
    pub priority: Priority,
}

/// A due notification, before it is decided what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: NotificationId,
    /// What it is about.
    pub kind: SignalKind,
    /// Its priority.
    pub priority: Priority,
    /// How often it was sent so far.
    pub attempts: i32,
    /// When ingest accepted the event.
    pub received_at: DateTime<Utc>,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// Its sender was lost: the lease ran out.
    pub lost: bool,
    /// The issue's status now; `None` for a test or digest.
    pub issue: Option<IssueStatus>,
    /// The issue has come back since, and this destination is told so by another notification.
    pub told_again: bool,
    /// How many notifications that somebody still wants are bundled into it: about unresolved issues, or pages that nobody has answered.
    pub bundled: i64,
    /// Of the destination: since when it has had [`PAGES_A_MINUTE`](super::PAGES_A_MINUTE) pages, when that is less than a minute.
    pub crowded_since: Option<DateTime<Utc>>,
    /// Of a page: what has become of its incident.
    pub incident: Option<PageOf>,
}

/// The incident of a page, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOf {
    /// Which.
    pub id: IncidentId,
    /// Where it stands.
    pub state: IncidentState,
    /// Whether the page belongs to its generation.
    pub is_current: bool,
    /// Where it comes from.
    pub origin: IncidentOrigin,
    /// The status of its issue; `None` when the issue is gone, or there was none.
    pub issue: Option<IssueStatus>,
    /// Whether it is for somebody who was asked to help.
    pub is_asked: bool,
    /// Whether it is put together with others that are due here.
    pub is_digest: bool,
}

/// What becomes of the candidates. Those not named stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// No longer wanted, with the reason.
    pub cancel: Vec<(NotificationId, &'static str)>,
    /// Given up, with the reason.
    pub fail: Vec<(NotificationId, String)>,
    /// Too old alone.
    pub digest: Option<Digest>,
    /// The first tells of the others too.
    pub bundle: Option<(NotificationId, Vec<NotificationId>)>,
    /// To be sent now.
    pub send: Vec<NotificationId>,
    /// Nothing more goes to this destination before.
    pub open_until: Option<DateTime<Utc>>,
}

/// A new message that lists notifications that went stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Its own id for the outside.
    pub message_id: Uuid,
    /// What it lists.
    pub of: Vec<NotificationId>,
    /// The highest priority among them.
    pub priority: Priority,
    /// The earliest among them.
    pub received_at: DateTime<Utc>,
}

/// Who claims, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The time.
    pub now: DateTime<Utc>,
    /// Until when the claimed are the claimer's.
    pub lease_until: DateTime<Utc>,
    /// New for each claim: an attempt can only be recorded by the claim that it belongs to.
    pub leased_by: Uuid,
}

/// One notification's own part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Whose part it is.
    pub notification: NotificationId,
    /// What it is about.
    pub kind: SignalKind,
    /// The issue's generation.
    pub generation: i32,
    /// The event that caused it.
    pub event_id: Option<Uuid>,
    /// That event's environment.
    pub environment: Option<String>,
    /// When ingest accepted it.
    pub received_at: DateTime<Utc>,
    /// What it is about.
    pub about: About,
    /// Of a page: the incident.
    pub incident: Option<IncidentId>,
    /// Of a page: whom it is for.
    pub user: Option<UserId>,
    /// The open incident of what it is about, with its generation.
    pub open: Option<(IncidentId, i32)>,
    /// Of a page: whether the incident's issue or key has too many incidents.
    pub flapping: bool,
}

/// A notification to be sent by whoever claimed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its id.
    pub id: NotificationId,
    /// The same for every attempt.
    pub message_id: Uuid,
    /// What it is about.
    pub kind: SignalKind,
    /// Its priority.
    pub priority: Priority,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// When the row was made.
    pub created_at: DateTime<Utc>,
    /// When ingest accepted the event; for a bundle or digest its earliest.
    pub received_at: DateTime<Utc>,
    /// An earlier attempt may have arrived; the time of the first such attempt.
    pub ambiguous_since: Option<DateTime<Utc>>,
    /// How many attempts may have arrived.
    pub unknown: i64,
    /// The project's name; the team's, of a page without a project.
    pub project_name: String,
    /// What it tells, the weightiest first; empty for a test.
    pub parts: Vec<Bundle>,
    /// The code that proves a contact method, in the message that brings it.
    pub code: Option<String>,
}

#[derive(QueryableByName)]
struct DueRow {
    #[diesel(sql_type = Int4)]
    destination_id: i32,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
}

/// The destinations that have something due and may be sent to, the weightiest and longest waiting first.
///
/// # Errors
/// When the database fails.
pub async fn due(conn: &mut Connection, now: DateTime<Utc>, limit: i64) -> Result<Vec<Due>, StoreError> {
    let rows: Vec<DueRow> = statement(
        // A destination is looked up for each that has something due: joined, all that there are would be read.
        "SELECT n.destination_id, n.priority
         FROM (SELECT destination_id, max(priority) AS priority, min(at) AS at
               FROM (SELECT destination_id, priority, next_at AS at FROM notifications WHERE state = 0 AND next_at <= $1
                     UNION ALL
                     SELECT destination_id, priority, lease_until FROM notifications
                     WHERE state = 1 AND lease_until <= $1) o GROUP BY destination_id) n
         WHERE (SELECT NOT d.enabled OR d.open_until IS NULL OR d.open_until <= $1 FROM destinations d WHERE d.id = n.destination_id)
         ORDER BY n.priority DESC, n.at, n.destination_id LIMIT $2",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Int8, _>(limit)
    .load(conn)
    .await?;
    let due = |row: &DueRow| {
        let priority = Priority::from_code(row.priority)?;
        Some(Due { destination: DestinationId(row.destination_id), priority })
    };
    Ok(rows.iter().filter_map(due).collect())
}

/// What became of a claim.
#[derive(Debug, Default)]
pub struct Claims {
    /// What is to be sent, by destination, in the order in which they were asked for.
    pub taken: Vec<(Destination, Vec<Claimed>)>,
    /// Destinations that another claim holds at this moment, or that are gone.
    pub busy: usize,
    /// Destinations that cannot be read: nothing is sent there.
    pub damaged: Vec<(DestinationId, StoreError)>,
}

/// Locks some destinations, looks at what is due there, does what `decide` says for each in turn, and gives what is to be sent.
///
/// # Errors
/// When the database fails; then nothing was claimed.
pub async fn claim<F>(
    conn: &mut Connection,
    destinations: &[DestinationId],
    claim: Claim,
    mut decide: F,
) -> Result<Claims, StoreError>
where
    F: FnMut(&Destination, &[Candidate]) -> Plan + Send,
{
    conn.transaction(async move |conn| {
        by_keys(conn).await?;
        // Not FOR UPDATE: new notifications refer to the destination meanwhile.
        let rows: Vec<destinations::Row> =
            statement("SELECT * FROM destinations WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED")
                .bind::<Array<Int4>, _>(destinations.iter().map(|id| id.0).collect::<Vec<_>>())
                .load(conn)
                .await?;
        let mut claims = Claims { busy: destinations.len() - rows.len(), ..Claims::default() };
        let mut locked = HashMap::with_capacity(rows.len());
        for row in rows {
            let id = DestinationId(row.id);
            match Destination::try_from(row) {
                Ok(destination) => drop(locked.insert(id, destination)),
                Err(error) => claims.damaged.push((id, error)),
            }
        }
        let is_open =
            |one: &Destination| !one.enabled || one.open_until.is_none_or(|until| until <= claim.now);
        let open: Vec<i32> = locked.values().filter(|one| is_open(one)).map(|one| one.id.0).collect();
        let mut candidates = candidates(conn, &open, &claim).await?;
        let mut planned = Vec::new();
        for id in destinations {
            let Some(destination) = locked.remove(id) else { continue };
            let candidates = candidates.remove(id).unwrap_or_default();
            let plan =
                if is_open(&destination) { decide(&destination, &candidates) } else { Plan::default() };
            planned.push(Planned { destination, candidates, plan });
        }
        claims.taken = apply(conn, &claim, planned).await?;
        Ok(claims)
    })
    .await
}

/// What was decided about a destination.
pub(super) struct Planned {
    pub destination: Destination,
    pub candidates: Vec<Candidate>,
    pub plan: Plan,
}
