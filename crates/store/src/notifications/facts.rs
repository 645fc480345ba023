//! What a message tells about an issue.

use super::incident_facts::{IncidentFacts, incident_parts};
use crate::oncall::RESPONDER_STEP;
use crate::{Connection, StoreError, statement};
use bugle_model::{IncidentId, IssueId, Level, NotificationId, Priority, ProjectId, SignalKind, UserId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, Bool, Int4, Int8, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::cmp::Reverse;
use uuid::Uuid;

/// An issue as a message shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueFacts {
    /// Its id.
    pub id: IssueId,
    /// Its project.
    pub project: ProjectId,
    /// The project's name.
    pub project_name: String,
    /// `SHOP-42`.
    pub short_id: String,
    /// The title.
    pub title: String,
    /// Where it happens.
    pub culprit: Option<String>,
    /// The exception's type.
    pub error_type: Option<String>,
    /// The language or runtime.
    pub platform: String,
    /// The level.
    pub level: Level,
    /// The priority now.
    pub priority: Priority,
    /// Events so far.
    pub events: i64,
    /// Users so far.
    pub users: i32,
    /// The first event.
    pub first_seen: DateTime<Utc>,
    /// The last event.
    pub last_seen: DateTime<Utc>,
    /// The release in which it was first seen.
    pub first_release: Option<String>,
}

/// What a part of a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An issue.
    Issue(IssueFacts),
    /// An incident that has no issue.
    Incident(IncidentFacts),
}

impl About {
    /// Its priority now.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        match self {
            Self::Issue(issue) => issue.priority,
            Self::Incident(incident) => incident.priority,
        }
    }
}

/// One notification's own part of a message: its own, or another's that is bundled into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) into: NotificationId,
    pub(super) bundle: super::Bundle,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Int8)]
    into_id: i64,
    #[diesel(sql_type = Int8)]
    notification_id: i64,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = Int4)]
    generation: i32,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    event_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    environment: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Int8)]
    issue_id: i64,
    #[diesel(sql_type = Int4)]
    project_id: i32,
    #[diesel(sql_type = Text)]
    project_name: String,
    #[diesel(sql_type = Text)]
    prefix: String,
    #[diesel(sql_type = Int4)]
    number: i32,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Nullable<Text>)]
    culprit: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    error_type: Option<String>,
    #[diesel(sql_type = Text)]
    platform: String,
    #[diesel(sql_type = SmallInt)]
    level: i16,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Int8)]
    events: i64,
    #[diesel(sql_type = Int4)]
    users: i32,
    #[diesel(sql_type = Timestamptz)]
    first_seen: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_seen: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    first_release: Option<String>,
    #[diesel(sql_type = Nullable<Int8>)]
    incident_id: Option<i64>,
    #[diesel(sql_type = Nullable<Int4>)]
    user_id: Option<i32>,
    #[diesel(sql_type = Nullable<Int8>)]
    open_incident_id: Option<i64>,
    #[diesel(sql_type = Nullable<Int4>)]
    open_generation: Option<i32>,
    #[diesel(sql_type = Bool)]
    flapping: bool,
}

impl TryFrom<Row> for Part {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("issue {}: {field}", row.issue_id));
        let issue = IssueFacts {
            id: IssueId(row.issue_id),
            project: ProjectId(row.project_id),
            short_id: format!("{}-{}", row.prefix, row.number),
            level: Level::from_code(row.level).ok_or_else(|| damaged("level"))?,
            priority: Priority::from_code(row.priority).ok_or_else(|| damaged("priority"))?,
            project_name: row.project_name,
            title: row.title,
            culprit: row.culprit,
            error_type: row.error_type,
            platform: row.platform,
            events: row.events,
            users: row.users,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            first_release: row.first_release,
        };
        let bundle = super::Bundle {
            notification: NotificationId(row.notification_id),
            kind: SignalKind::from_code(row.kind)
                .ok_or_else(|| StoreError::Damaged(format!("notification {}: kind", row.notification_id)))?,
            generation: row.generation,
            event_id: row.event_id,
            environment: row.environment,
            received_at: row.received_at,
            about: About::Issue(issue),
            incident: row.incident_id.map(IncidentId),
            user: row.user_id.map(UserId),
            open: row.open_incident_id.map(IncidentId).zip(row.open_generation),
            flapping: row.flapping,
        };
        Ok(Self { into: NotificationId(row.into_id), bundle })
    }
}

/// The parts of some messages, the weightiest first. Issues and incidents that nobody wants to hear of any more are left out.
pub(super) async fn parts(conn: &mut Connection, messages: &[i64]) -> Result<Vec<Part>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT COALESCE(n.bundled_into, n.id) AS into_id, n.id AS notification_id, n.kind, n.generation,
            n.event_id, n.environment, n.received_at,
            i.id AS issue_id, i.project_id, p.name AS project_name, p.prefix, i.number, i.title, i.culprit,
            i.error_type, i.platform, i.level, i.priority, COALESCE(c.events, 0) AS events,
            COALESCE(c.users, 0) AS users, i.first_seen, COALESCE(c.last_seen, i.first_seen) AS last_seen,
            r.version AS first_release, g.incident_id, g.user_id,
            o.id AS open_incident_id, o.generation AS open_generation, COALESCE(t.flapping, false) AS flapping
         FROM notifications n
         LEFT JOIN incident_pages g ON g.notification_id = n.id
         LEFT JOIN incidents t ON t.id = g.incident_id
         JOIN issues i ON i.id = COALESCE(n.issue_id, t.issue_id)
         JOIN projects p ON p.id = i.project_id
         LEFT JOIN issue_counts c ON c.issue_id = i.id
         LEFT JOIN releases r ON r.id = i.first_release_id
         LEFT JOIN incidents o ON o.issue_id = i.id AND o.state < 3
         WHERE (n.id = ANY($1) OR n.bundled_into = ANY($1)) AND i.status = 0
            AND (t.id IS NULL OR t.state = 1 OR (t.state = 2 AND g.step = $2))
         ORDER BY i.priority DESC, n.received_at, n.id",
    )
    .bind::<Array<Int8>, _>(messages)
    .bind::<SmallInt, _>(RESPONDER_STEP)
    .load(conn)
    .await?;
    let mut parts = rows.into_iter().map(Part::try_from).collect::<Result<Vec<_>, _>>()?;
    let of_incidents = incident_parts(conn, messages).await?;
    if !of_incidents.is_empty() {
        parts.extend(of_incidents);
        parts.sort_by_key(|part| Reverse(part.bundle.about.priority()));
    }
    Ok(parts)
}
