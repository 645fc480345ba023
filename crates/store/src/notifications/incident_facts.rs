//! What a message tells about an incident that has no issue.

use super::About;
use super::facts::Part;
use crate::oncall::RESPONDER_STEP;
use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{
    AlertLink, IncidentId, IncidentOrigin, NotificationId, Priority, ProjectId, SignalKind, UserId,
};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int8, SmallInt};
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use std::collections::BTreeMap;

/// An incident that comes from an alert or a person, as a message shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentFacts {
    /// Its id.
    pub id: IncidentId,
    /// Its project; none when it is about none.
    pub project: Option<ProjectId>,
    /// The name of the project, or else of the team.
    pub place: String,
    /// Where it comes from.
    pub origin: IncidentOrigin,
    /// The name of the alert source or of the person.
    pub opened_by: Option<String>,
    /// The title.
    pub title: String,
    /// More of it.
    pub message: Option<String>,
    /// The alert's labels.
    pub labels: BTreeMap<String, String>,
    /// Places that have more to say.
    pub links: Vec<AlertLink>,
    /// The priority now.
    pub priority: Priority,
    /// When it was opened.
    pub triggered_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Row {
    into: NotificationId,
    notification: NotificationId,
    environment: Option<String>,
    received_at: DateTime<Utc>,
    user: Option<UserId>,
    id: IncidentId,
    project: Option<ProjectId>,
    place: Option<String>,
    origin: i16,
    opened_by: Option<String>,
    title: String,
    message: Option<String>,
    labels: BTreeMap<String, String>,
    links: Vec<AlertLink>,
    priority: i16,
    triggered_at: DateTime<Utc>,
    open_generation: Option<i32>,
    flapping: bool,
}

impl Row {
    fn read(self) -> Result<Part, StoreError> {
        let damaged = |field: &str| StoreError::Damaged(format!("incident {}: {field}", self.id));
        let facts = IncidentFacts {
            id: self.id,
            project: self.project,
            place: self.place.unwrap_or_default(),
            origin: IncidentOrigin::from_code(self.origin).ok_or_else(|| damaged("origin"))?,
            priority: Priority::from_code(self.priority).ok_or_else(|| damaged("priority"))?,
            opened_by: self.opened_by,
            title: self.title,
            message: self.message,
            labels: self.labels,
            links: self.links,
            triggered_at: self.triggered_at,
        };
        let bundle = super::Bundle {
            notification: self.notification,
            kind: SignalKind::Page,
            generation: 0,
            event_id: None,
            environment: self.environment,
            received_at: self.received_at,
            incident: Some(facts.id),
            user: self.user,
            flapping: self.flapping,
            open: self.open_generation.map(|generation| (facts.id, generation)),
            about: About::Incident(facts),
        };
        Ok(Part { into: self.into, bundle })
    }
}

/// The parts of some messages that are pages of incidents without an issue, the earliest first.
pub(super) async fn incident_parts(conn: &mut Connection, messages: &[i64]) -> Result<Vec<Part>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('into', COALESCE(n.bundled_into, n.id), 'notification', n.id, 'environment', t.environment, 'received_at', n.received_at,
            'user', g.user_id, 'id', t.id, 'project', t.project_id, 'place', COALESCE(p.name, m.name), 'origin', t.origin,
            'opened_by', t.opened_by, 'title', t.title, 'message', t.message, 'labels', t.labels, 'links', t.links,
            'priority', t.priority, 'triggered_at', t.triggered_at, 'flapping', t.flapping,
            'open_generation', CASE WHEN t.state < 3 THEN t.generation END) AS row
         FROM notifications n
         JOIN incident_pages g ON g.notification_id = n.id
         JOIN incidents t ON t.id = g.incident_id AND t.origin <> 1
         LEFT JOIN projects p ON p.id = t.project_id
         LEFT JOIN teams m ON m.id = t.team_id
         WHERE (n.id = ANY($1) OR n.bundled_into = ANY($1)) AND (t.state = 1 OR (t.state = 2 AND g.step = $2))
         ORDER BY n.received_at, n.id",
    )
    .bind::<Array<Int8>, _>(messages)
    .bind::<SmallInt, _>(RESPONDER_STEP)
    .load(conn)
    .await?;
    row::all::<Row>(rows)?.into_iter().map(Row::read).collect()
}
