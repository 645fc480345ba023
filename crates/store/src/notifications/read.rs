//! Notifications with their attempts, for people.

use crate::{Connection, Scope, StoreError, destinations, statement};
use bugle_model::{
    Channel, DeliveryStatus, DestinationId, IncidentId, IssueId, NotificationId, NotificationState, Priority,
    ProjectId, SignalKind, UserId,
};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// Which notifications. Empty fields do not narrow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// About this issue.
    pub issue: Option<IssueId>,
    /// Of this project.
    pub project: Option<ProjectId>,
    /// To this destination.
    pub destination: Option<DestinationId>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// In this state.
    pub state: Option<NotificationState>,
    /// Older than this one: the last of the page before.
    pub before: Option<NotificationId>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attempt {
    /// From 1.
    pub number: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i32,
    /// `delivered`, `retry` or `failed`.
    pub result: String,
    /// The provider's status: an HTTP or SMTP code.
    pub status: Option<i32>,
    /// The provider's answer, cut; none of what went to a person's contact method.
    pub answer: Option<String>,
}

/// A notification as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Notification {
    /// Its id; newer ones have higher ones.
    pub id: NotificationId,
    /// What goes out as `webhook-id` and in the `Message-ID`.
    pub message_id: Uuid,
    /// The project; none of a page about an incident without one.
    pub project: Option<ProjectId>,
    /// The issue; none for a test or a digest, and when it was deleted or the issue that it became part of had been told of already.
    pub issue: Option<IssueId>,
    /// What people call the issue.
    pub issue_short_id: Option<String>,
    /// Of a page: its incident.
    pub incident: Option<IncidentId>,
    /// Of a page: whom it is for; none when the account is gone.
    pub user: Option<UserId>,
    /// Where it goes.
    pub destination: DestinationId,
    /// Where it goes, in words that show no secret: an address, a number's last four digits, a URL's host, Slack's channel. Of
    /// a person's contact method only the name that they gave it.
    pub destination_name: String,
    /// How it travels.
    pub channel: Channel,
    /// What it is about.
    pub kind: SignalKind,
    /// The issue's generation.
    pub generation: i32,
    /// Its priority.
    pub priority: Priority,
    /// Where it stands.
    pub state: NotificationState,
    /// When ingest accepted the event.
    pub received_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// From the event's arrival to the provider's acceptance; only when it was sent by itself.
    pub latency_ms: Option<i64>,
    /// The provider's id for it.
    pub provider_id: Option<String>,
    /// What the provider says became of it since; none as long as it says nothing. Of SMS and calls.
    pub delivery: Option<DeliveryStatus>,
    /// Why it did not succeed (yet), or was cancelled.
    pub error: Option<String>,
    /// The message that told it instead.
    pub bundled_into: Option<NotificationId>,
    /// All attempts, the first first.
    pub attempts: Vec<Attempt>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Int8)]
    id: i64,
    #[diesel(sql_type = SqlUuid)]
    message_id: Uuid,
    #[diesel(sql_type = Nullable<Int4>)]
    project_id: Option<i32>,
    #[diesel(sql_type = Nullable<Int8>)]
    issue_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    issue_short_id: Option<String>,
    #[diesel(sql_type = Nullable<Int8>)]
    incident_id: Option<i64>,
    #[diesel(sql_type = Nullable<Int4>)]
    user_id: Option<i32>,
    #[diesel(sql_type = Int4)]
    destination_id: i32,
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = Bool)]
    is_personal: bool,
    #[diesel(sql_type = Nullable<Text>)]
    contact_method: Option<String>,
    #[diesel(sql_type = SmallInt)]
    channel: i16,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = Int4)]
    generation: i32,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = SmallInt)]
    state: i16,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    provider_id: Option<String>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    delivery: Option<i16>,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = Nullable<Int8>)]
    bundled_into: Option<i64>,
}

impl Row {
    fn destination_name(&self, channel: Channel) -> String {
        if self.is_personal {
            // Their number or address is nobody else's.
            return self.contact_method.clone().unwrap_or_else(|| channel.to_string());
        }
        destinations::display_name(channel, &self.target)
    }
}

impl TryFrom<Row> for Notification {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("notification {}: {field}", row.id));
        let state = NotificationState::from_code(row.state).ok_or_else(|| damaged("state"))?;
        let sent_at = row.finished_at.filter(|_| state == NotificationState::Sent);
        let channel = Channel::from_code(row.channel).ok_or_else(|| damaged("channel"))?;
        Ok(Self {
            channel,
            destination_name: row.destination_name(channel),
            kind: SignalKind::from_code(row.kind).ok_or_else(|| damaged("kind"))?,
            priority: Priority::from_code(row.priority).ok_or_else(|| damaged("priority"))?,
            id: NotificationId(row.id),
            message_id: row.message_id,
            project: row.project_id.map(ProjectId),
            issue: row.issue_id.map(IssueId),
            issue_short_id: row.issue_short_id,
            incident: row.incident_id.map(IncidentId),
            user: row.user_id.map(UserId),
            destination: DestinationId(row.destination_id),
            generation: row.generation,
            state,
            received_at: row.received_at,
            created_at: row.created_at,
            next_at: row.next_at,
            finished_at: row.finished_at,
            latency_ms: sent_at.map(|at| (at - row.received_at).num_milliseconds()),
            provider_id: row.provider_id,
            delivery: row.delivery.and_then(DeliveryStatus::from_code),
            error: row.error,
            bundled_into: row.bundled_into.map(NotificationId),
            attempts: Vec::new(),
        })
    }
}

/// A page of the notifications of a scope with their attempts, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut Connection,
    scope: &Scope,
    filter: Filter,
    limit: i64,
) -> Result<Vec<Notification>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT n.*, d.channel, g.incident_id, g.user_id, d.target, d.user_id IS NOT NULL AS is_personal,
            (SELECT m.name FROM contact_methods m WHERE m.destination_id = d.id) AS contact_method,
            (SELECT p.prefix || '-' || i.number FROM issues i JOIN projects p ON p.id = i.project_id
             WHERE i.id = n.issue_id) AS issue_short_id
         FROM notifications n JOIN destinations d ON d.id = n.destination_id
         LEFT JOIN incident_pages g ON g.notification_id = n.id
         LEFT JOIN incidents c ON c.id = g.incident_id
         -- What a person is sent about a contact method of theirs is nobody else's.
         WHERE (n.project_id IS NOT NULL OR c.team_id IS NOT NULL)
            AND ($1 IS NULL OR n.issue_id = $1) AND ($2 IS NULL OR n.project_id = $2)
            AND ($3 IS NULL OR n.destination_id = $3) AND ($4 IS NULL OR n.state = $4)
            AND ($5 IS NULL OR n.id < $5) AND ($8 IS NULL OR d.channel = $8)
            AND ($7 IS NULL OR (n.project_id IS NULL AND c.team_id = ANY ($7))
               OR EXISTS (SELECT 1 FROM projects p WHERE p.id = n.project_id AND p.team_id = ANY ($7)))
         ORDER BY n.id DESC LIMIT $6",
    )
    .bind::<Nullable<Int8>, _>(filter.issue.map(|id| id.0))
    .bind::<Nullable<Int4>, _>(filter.project.map(|id| id.0))
    .bind::<Nullable<Int4>, _>(filter.destination.map(|id| id.0))
    .bind::<Nullable<SmallInt>, _>(filter.state.map(NotificationState::code))
    .bind::<Nullable<Int8>, _>(filter.before.map(|id| id.0))
    .bind::<Int8, _>(limit)
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .bind::<Nullable<SmallInt>, _>(filter.channel.map(Channel::code))
    .load(conn)
    .await?;
    let mut found = rows.into_iter().map(Notification::try_from).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<i64> = found.iter().map(|one| one.id.0).collect();
    for attempt in attempts(conn, &ids).await? {
        if let Some(one) = found.iter_mut().find(|one| one.id.0 == attempt.notification_id) {
            one.attempts.push(attempt.into());
        }
    }
    Ok(found)
}

#[derive(QueryableByName)]
struct AttemptRow {
    #[diesel(sql_type = Int8)]
    notification_id: i64,
    #[diesel(sql_type = Int4)]
    number: i32,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Int4)]
    duration_ms: i32,
    #[diesel(sql_type = Text)]
    result: String,
    #[diesel(sql_type = Nullable<Int4>)]
    status: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    answer: Option<String>,
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Self {
        let AttemptRow { number, started_at, duration_ms, result, status, answer, .. } = row;
        Self { number, started_at, duration_ms, result, status, answer }
    }
}

async fn attempts(conn: &mut Connection, ids: &[i64]) -> Result<Vec<AttemptRow>, StoreError> {
    Ok(statement(
        // What came back from a person's phone or server may name its number or address, which are theirs alone.
        "SELECT a.notification_id, a.number, a.started_at, a.duration_ms, a.result, a.status,
            CASE WHEN d.user_id IS NULL THEN a.answer END AS answer
         FROM notification_attempts a JOIN notifications n ON n.id = a.notification_id
         JOIN destinations d ON d.id = n.destination_id
         WHERE a.notification_id = ANY($1) ORDER BY a.notification_id, a.number",
    )
    .bind::<Array<Int8>, _>(ids)
    .load(conn)
    .await?)
}
