//! Incidents that people open.

use super::log::{self, Entry};
use crate::{Connection, StoreError, statement};
use bugle_model::{
    AlertLink, EscalationPolicyId, IncidentEvent, IncidentId, IncidentOrigin, Priority, ProjectId, TeamId,
};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Int4, Int8, Jsonb, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::json;

/// An incident to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIncident {
    /// The team that it is for.
    pub team: TeamId,
    /// The team's project that it is about; none: the team as such.
    pub project: Option<ProjectId>,
    /// The team's policy by which it escalates.
    pub policy: EscalationPolicyId,
    /// A line that says what is wrong, up to 256 characters.
    pub title: String,
    /// More of it, up to 10,000 characters.
    pub message: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// Places that have more to say.
    pub links: Vec<AlertLink>,
}

/// Opens an incident by hand: due at once, whatever is silenced. `None` when the policy, or the project, is not the team's. Composes with
/// the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn open_by_hand(
    conn: &mut Connection,
    new: &NewIncident,
    author: &str,
    now: DateTime<Utc>,
) -> Result<Option<IncidentId>, StoreError> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = Int8)]
        id: i64,
    }
    let made: Vec<Id> = statement(
        "INSERT INTO incidents (project_id, team_id, origin, opened_by, title, message, links, policy_version_id, priority,
            received_at, triggered_at, next_at, respond_by)
         SELECT $2, CASE WHEN $2 IS NULL THEN $1 END, $4, $5, $6, $7, $8,
            (SELECT v.id FROM escalation_policy_versions v WHERE v.policy_id = e.id ORDER BY v.version DESC LIMIT 1),
            $9, $10, $10, $10, $10 + bugle_response_time($1, NULL, $9)
         FROM escalation_policies e
         WHERE e.id = $3 AND e.team_id = $1
            AND ($2 IS NULL OR EXISTS (SELECT 1 FROM projects p WHERE p.id = $2 AND p.team_id = $1))
         RETURNING id",
    )
    .bind::<Int4, _>(new.team.0)
    .bind::<Nullable<Int4>, _>(new.project.map(|project| project.0))
    .bind::<Int4, _>(new.policy.0)
    .bind::<SmallInt, _>(IncidentOrigin::Person.code())
    .bind::<Text, _>(author.chars().take(128).collect::<String>())
    .bind::<Text, _>(&new.title)
    .bind::<Nullable<Text>, _>(new.message.as_deref())
    .bind::<Jsonb, _>(json!(new.links))
    .bind::<SmallInt, _>(new.priority.code())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let Some(incident) = made.into_iter().next().map(|row| IncidentId(row.id)) else { return Ok(None) };
    let data = json!({ "priority": new.priority });
    let entry = Entry { incident, generation: 1, event: IncidentEvent::Triggered, data };
    log::write(conn, &[entry], Some(author), now).await?;
    Ok(Some(incident))
}
