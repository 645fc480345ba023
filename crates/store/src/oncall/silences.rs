//! Silences: times in which incidents are opened without paging anybody.

use super::log::{self, Entry};
use super::matchers::{self, Subject};
use super::room::{Count, MAX_OF_TEAM, hold_team};
use crate::row::{self, JsonRow};
use crate::{Connection, Scope, StoreError, statement};
use bugle_model::{
    IncidentEvent, IncidentId, Priority, ProjectId, SignalKind, SilenceId, SilenceMatchers, TeamId,
};
use bugle_schedule::Weekly;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Int4, Int8, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A silence of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// Its id.
    pub id: SilenceId,
    /// Whose.
    pub team: TeamId,
    /// What is in it.
    #[serde(flatten)]
    pub silence: NewSilence,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What a silence says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewSilence {
    /// What it is about.
    pub matchers: SilenceMatchers,
    /// From when on.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub ends_at: DateTime<Utc>,
    /// Only at these times of the week: maintenance that comes back.
    pub recurrence: Option<Weekly>,
    /// Why.
    pub comment: String,
}

/// What keeps an incident silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silencing {
    /// The silence.
    pub silence: SilenceId,
    /// Until when; then it is looked at again.
    pub until: DateTime<Utc>,
    /// Why.
    pub comment: String,
    /// Who made it.
    pub author: String,
}

impl Silencing {
    /// What the timeline tells.
    #[must_use]
    pub fn told(&self) -> Value {
        json!({ "silence": self.silence, "until": self.until, "comment": self.comment, "author": self.author })
    }
}

impl NewSilence {
    /// Whether it holds at `at`, and until when.
    fn holds_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !(self.starts_at..self.ends_at).contains(&at) {
            return None;
        }
        match &self.recurrence {
            None => Some(self.ends_at),
            Some(weekly) => weekly.holds_until(at).map(|end| end.min(self.ends_at)),
        }
    }
}

/// The silences of a scope that have not ended, the one that ends first first; with `id` only that one, also when it has ended.
///
/// # Errors
/// When the database fails.
pub async fn list_silences(
    conn: &mut Connection,
    scope: &Scope,
    id: Option<SilenceId>,
    now: DateTime<Utc>,
) -> Result<Vec<Silence>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT to_jsonb(s) || jsonb_build_object('team', s.team_id) AS row FROM silences s
         WHERE ($1 IS NULL OR s.team_id = ANY ($1)) AND (s.id = $2 OR ($2 IS NULL AND s.ends_at > $3))
         ORDER BY s.ends_at, s.id",
    )
    .bind::<Nullable<Array<Int4>>, _>(scope.bind())
    .bind::<Nullable<Int4>, _>(id.map(|id| id.0))
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    row::all(rows)
}

/// Whether a team may have another silence; fewer than [`MAX_OF_TEAM`] that have not ended. Holds the team until the end of the caller's
/// transaction.
///
/// # Errors
/// When the database fails.
pub async fn has_room_for_silence(
    conn: &mut Connection,
    team: TeamId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    hold_team(conn, team).await?;
    let sql = "SELECT count(*) AS count FROM silences WHERE team_id = $1 AND ends_at > $2";
    let counted: Count =
        statement(sql).bind::<Int4, _>(team.0).bind::<Timestamptz, _>(now).get_result(conn).await?;
    Ok(counted.count < MAX_OF_TEAM)
}

/// Makes a silence. `None` when its project is not the team's.
///
/// # Errors
/// When the database fails.
pub async fn create_silence(
    conn: &mut Connection,
    team: TeamId,
    new: &NewSilence,
    author: &str,
    now: DateTime<Utc>,
) -> Result<Option<Silence>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "INSERT INTO silences AS s (team_id, matchers, starts_at, ends_at, recurrence, comment, created_by, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8
         WHERE $9 IS NULL OR EXISTS (SELECT 1 FROM projects o WHERE o.id = $9 AND o.team_id = $1)
         RETURNING to_jsonb(s) || jsonb_build_object('team', s.team_id) AS row",
    )
    .bind::<Int4, _>(team.0)
    .bind::<Jsonb, _>(json!(new.matchers))
    .bind::<Timestamptz, _>(new.starts_at)
    .bind::<Timestamptz, _>(new.ends_at)
    .bind::<Nullable<Jsonb>, _>(new.recurrence.as_ref().map(|weekly| json!(weekly)))
    .bind::<Text, _>(&new.comment)
    .bind::<Text, _>(author.chars().take(128).collect::<String>())
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Int4>, _>(new.matchers.project.map(|project| project.0))
    .load(conn)
    .await?;
    row::first(rows)
}

/// Removes a silence: what it keeps silent has none any more, and is due at once. Whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn delete_silence(conn: &mut Connection, id: SilenceId) -> Result<bool, StoreError> {
    let gone = statement("DELETE FROM silences WHERE id = $1").bind::<Int4, _>(id.0).execute(conn).await?;
    Ok(gone == 1)
}

/// Keeps an incident that has just been opened silent when a silence matches. Whether one does.
pub(super) async fn quieten(
    conn: &mut Connection,
    incident: IncidentId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let Some(found) = silencing(conn, &[incident], now).await?.remove(&incident) else { return Ok(false) };
    statement(
        "UPDATE incidents SET next_at = $2, silenced_until = $2, silence_id = $3, respond_by = NULL WHERE id = $1",
    )
    .bind::<Int8, _>(incident.0)
    .bind::<Timestamptz, _>(found.until)
    .bind::<Int4, _>(found.silence.0)
    .execute(conn)
    .await?;
    let entry = Entry { incident, generation: 1, event: IncidentEvent::Silenced, data: found.told() };
    log::write(conn, &[entry], None, now).await?;
    Ok(true)
}

#[derive(Deserialize)]
struct Pair {
    incident: IncidentId,
    project: Option<ProjectId>,
    environment: Option<String>,
    priority: i16,
    signal: Option<i16>,
    title: String,
    labels: BTreeMap<String, String>,
    silence: Silence,
}

/// What keeps each of some incidents silent at `now`; of several silences the one that holds longest.
pub(super) async fn silencing(
    conn: &mut Connection,
    incidents: &[IncidentId],
    now: DateTime<Utc>,
) -> Result<BTreeMap<IncidentId, Silencing>, StoreError> {
    if incidents.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('incident', n.id, 'project', n.project_id, 'environment', n.environment, 'priority', n.priority,
            'signal', n.signal, 'title', n.title, 'labels', n.labels,
            'silence', to_jsonb(s) || jsonb_build_object('team', s.team_id)) AS row
         FROM incidents n LEFT JOIN projects p ON p.id = n.project_id
         JOIN silences s ON s.team_id = COALESCE(n.team_id, p.team_id)
         WHERE n.id = ANY($1) AND s.starts_at <= $2 AND s.ends_at > $2
         FOR KEY SHARE OF s",
    )
    .bind::<Array<Int8>, _>(incidents.iter().map(|id| id.0).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let mut found: BTreeMap<IncidentId, Silencing> = BTreeMap::new();
    for row in rows {
        // Made by a newer version, or by hand: whoever is on call is paged rather than not.
        let pair: Pair = match row.read() {
            Ok(pair) => pair,
            Err(error) => {
                tracing::error!(%error, "a silence cannot be read: it keeps nothing silent");
                continue;
            }
        };
        if let Some(silencing) = pair.silencing(now) {
            let longest = found.entry(pair.incident).or_insert_with(|| silencing.clone());
            if longest.until < silencing.until {
                *longest = silencing;
            }
        }
    }
    Ok(found)
}

impl Pair {
    fn silencing(&self, now: DateTime<Utc>) -> Option<Silencing> {
        let Silence { id, silence, created_by, .. } = &self.silence;
        let until = silence.holds_until(now)?;
        let subject = Subject {
            project: self.project,
            environment: self.environment.as_deref(),
            priority: Priority::from_code(self.priority)?,
            signal: self.signal.and_then(SignalKind::from_code),
            title: &self.title,
            labels: &self.labels,
        };
        matchers::matches(&silence.matchers, &subject).then(|| Silencing {
            silence: *id,
            until,
            comment: silence.comment.clone(),
            author: created_by.clone(),
        })
    }
}
