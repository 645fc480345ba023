//! What has changed lately, over all projects: what the api's watch reads once a second and tells open pages. It sees
//! everything; who may see what of it is decided per reader by the team of each row.

use crate::row::{self, JsonRow};
use crate::{Connection, StoreError, statement};
use bugle_model::{IssueId, Level, NotificationId, Priority, ProjectId, TeamId};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

/// The highest ids that can be seen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, QueryableByName)]
pub struct Newest {
    /// Of issues.
    #[diesel(sql_type = BigInt)]
    pub issue: i64,
    /// Of what happened to issues.
    #[diesel(sql_type = BigInt)]
    pub activity: i64,
    /// Of notifications.
    #[diesel(sql_type = BigInt)]
    pub notification: i64,
    /// Of the audit log.
    #[diesel(sql_type = BigInt)]
    pub audit: i64,
}

/// An issue with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Issue {
    /// Its id.
    pub id: IssueId,
    /// The project's prefix and its number.
    pub short_id: String,
    /// Its project.
    pub project: ProjectId,
    /// The project's team.
    pub team: Option<TeamId>,
    /// Its title.
    pub title: String,
    /// Its level's code.
    pub level: i16,
    /// Its priority's code.
    pub priority: i16,
    /// How many events.
    pub count: i64,
    /// How many users.
    pub users: i32,
    /// The time of its last event.
    pub last_seen: DateTime<Utc>,
}

impl Issue {
    /// Its level, unless the code is one of a newer version.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        Level::from_code(self.level)
    }

    /// Its priority, unless the code is one of a newer version.
    #[must_use]
    pub fn priority(&self) -> Option<Priority> {
        Priority::from_code(self.priority)
    }
}

/// Something that happened to an issue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Happened {
    /// Its id; of what [`commented`] finds the number in the audit log.
    pub id: i64,
    /// The issue.
    pub issue: IssueId,
    /// The issue's short id.
    pub short_id: String,
    /// The issue's project.
    pub project: ProjectId,
    /// The project's team.
    pub team: Option<TeamId>,
    /// See [`crate::activity::Activity::kind`].
    pub kind: String,
    /// Who.
    pub actor: Option<String>,
    /// The issue's status now, as a code.
    pub status: i16,
    /// The issue's priority now, as a code.
    pub priority: i16,
    /// Who deals with it now.
    pub assigned_to: Option<String>,
}

/// What somebody did to issues as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Removed {
    /// Its number in the audit log.
    pub id: i64,
    /// The team of their projects.
    pub team: Option<TeamId>,
    /// The short ids of the issues that are gone by it; none when it did something else.
    pub short_ids: Vec<String>,
}

/// A notification's state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// Its id.
    pub id: NotificationId,
    /// Its project.
    pub project: ProjectId,
    /// The project's team.
    pub team: Option<TeamId>,
    /// Its issue; none for a test or a digest.
    pub issue: Option<IssueId>,
    /// Its state's code.
    pub state: i16,
}

/// The highest ids now.
///
/// # Errors
/// When the database fails.
pub async fn newest(connection: &mut Connection) -> Result<Newest, StoreError> {
    Ok(statement(
        "SELECT coalesce((SELECT max(id) FROM issues), 0) AS issue,
                coalesce((SELECT max(id) FROM issue_activity), 0) AS activity,
                coalesce((SELECT max(id) FROM notifications), 0) AS notification,
                coalesce((SELECT max(id) FROM audit_log), 0) AS audit",
    )
    .get_result(connection)
    .await?)
}

/// The issues that had an event since `since` (to the minute) or have an id above `after`; `limit` of each at most, the
/// latest first.
///
/// # Errors
/// When the database fails.
pub async fn issues(
    connection: &mut Connection,
    since: DateTime<Utc>,
    after: i64,
    limit: usize,
) -> Result<Vec<Issue>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', i.id, 'short_id', p.prefix || '-' || i.number, 'project', p.id, 'team', p.team_id,
             'title', i.title, 'level', i.level, 'priority', i.priority, 'count', c.events, 'users', c.users,
             'last_seen', c.last_seen) AS row
         FROM (
             (SELECT id FROM issues WHERE active_at >= $1 ORDER BY active_at DESC, id DESC LIMIT $3)
             UNION
             (SELECT id FROM issues WHERE id > $2 ORDER BY id DESC LIMIT $3)
         ) found
         JOIN issues i ON i.id = found.id
         JOIN issue_counts c ON c.issue_id = i.id
         JOIN projects p ON p.id = i.project_id
         ORDER BY i.id",
    )
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(bound(limit))
    .load(connection)
    .await?;
    row::all(rows)
}

/// What happened with an id above `after`, the first first.
///
/// # Errors
/// When the database fails.
pub async fn happened(
    connection: &mut Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<Happened>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', a.id, 'issue', i.id, 'short_id', p.prefix || '-' || i.number, 'project', p.id,
             'team', p.team_id, 'kind', a.kind, 'actor', a.actor, 'status', i.status, 'priority', i.priority,
             'assigned_to', i.assigned_to) AS row
         FROM issue_activity a JOIN issues i ON i.id = a.issue_id JOIN projects p ON p.id = i.project_id
         WHERE a.id > $1 ORDER BY a.id LIMIT $2",
    )
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(bound(limit))
    .load(connection)
    .await?;
    row::all(rows)
}

/// The comments that were changed or removed by what has a number above `after` in the audit log, the first first: of that
/// the activity has no new entry.
///
/// # Errors
/// When the database fails.
pub async fn commented(
    connection: &mut Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<Happened>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', a.id, 'issue', i.id, 'short_id', a.target_name, 'project', p.id,
             'team', p.team_id, 'kind', 'comment', 'actor', a.actor_name, 'status', i.status, 'priority', i.priority,
             'assigned_to', i.assigned_to) AS row
         FROM (SELECT id, actor_name, target_name FROM audit_log
               WHERE action IN ('comment.updated', 'comment.removed') AND id > $1 ORDER BY id LIMIT $2) a
         JOIN projects p ON p.prefix = regexp_replace(a.target_name, '-[0-9]+$', '')
         JOIN issues i ON i.project_id = p.id AND i.number = substring(a.target_name FROM '[0-9]+$')::integer
         ORDER BY a.id",
    )
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(bound(limit))
    .load(connection)
    .await?;
    row::all(rows)
}

/// What people did to issues with a number above `after`, the first first. Of an issue that was deleted nothing stays but its
/// entry in the audit log.
///
/// # Errors
/// When the database fails.
pub async fn removed(
    connection: &mut Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<Removed>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', a.id, 'team', a.team_id, 'short_ids', CASE
             WHEN a.action = 'issue.deleted' THEN jsonb_build_array(a.target_name)
             WHEN a.after -> 'delete' = 'true' THEN coalesce(a.after -> 'issues', '[]')
             ELSE '[]' END) AS row
         FROM audit_log a WHERE a.action IN ('issue.deleted', 'issue.bulk_updated') AND a.id > $1
         ORDER BY a.id LIMIT $2",
    )
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(bound(limit))
    .load(connection)
    .await?;
    row::all(rows)
}

/// Notifications with an id above `after`, and those of `open`; the first first.
///
/// # Errors
/// When the database fails.
pub async fn told(
    connection: &mut Connection,
    after: i64,
    open: &[i64],
    limit: usize,
) -> Result<Vec<Told>, StoreError> {
    let rows: Vec<JsonRow> = statement(
        "SELECT jsonb_build_object('id', n.id, 'project', p.id, 'team', p.team_id, 'issue', n.issue_id, 'state', n.state)
             AS row
         FROM notifications n JOIN projects p ON p.id = n.project_id
         WHERE n.id > $1 OR n.id = ANY ($2) ORDER BY n.id LIMIT $3",
    )
    .bind::<BigInt, _>(after)
    .bind::<Array<BigInt>, _>(open)
    .bind::<BigInt, _>(bound(limit))
    .load(connection)
    .await?;
    row::all(rows)
}

fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
