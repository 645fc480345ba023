//! Issues that are ignored until something happens.

use super::IssueChange;
use crate::activity::{self, NewActivity};
use crate::{Connection, Scope, StoreError, outbox, statement};
use bugle_model::{IssueId, IssueSignal, IssueStatus, Level, Priority, ProjectId, Signal};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{
    Array, BigInt, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// An issue escalates with twice the events of its busiest hour of so many days before it was ignored …
const USUAL: TimeDelta = TimeDelta::days(7);
/// … and with so many events an hour at least.
const LEAST_ESCALATION: i64 = 10;
/// Issues that one sweep looks at.
const SWEEP: i64 = 500;

/// What an issue is ignored until.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IgnoreUntil {
    /// This time.
    Time(DateTime<Utc>),
    /// So many more events.
    Events(i64),
    /// So many more affected users.
    Users(i64),
    /// It escalates: within an hour it has twice as many events as in the busiest hour of the seven days before it was
    /// ignored, and ten at least. Always true.
    Escalates(bool),
}

/// What an issue is ignored until, with the number at which that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// As it was said.
    pub until: IgnoreUntil,
    /// Events or users altogether, or events within an hour; 0 with a time.
    pub limit: i64,
}

/// How an issue stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Standing {
    pub events: i64,
    pub users: i64,
    /// Events within the hour up to the last one.
    pub hour: i64,
}

impl Ignored {
    /// Reads the column; what a newer release wrote is for ever.
    pub(crate) fn read(column: Option<&Value>) -> Option<Self> {
        Self::deserialize(column?).ok()
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self, standing: Standing, now: DateTime<Utc>) -> bool {
        match self.until {
            IgnoreUntil::Time(time) => now >= time,
            IgnoreUntil::Events(_) => standing.events >= self.limit,
            IgnoreUntil::Users(_) => standing.users >= self.limit,
            IgnoreUntil::Escalates(_) => standing.hour >= self.limit,
        }
    }

    /// Whether the events of the last hour have to be counted.
    pub(crate) fn watches_the_hour(&self) -> bool {
        matches!(self.until, IgnoreUntil::Escalates(_))
    }

    /// What happened, for the activity.
    pub(crate) fn ended(&self, issue: IssueId) -> NewActivity {
        NewActivity { issue, kind: "unignored", data: json!({ "until": self.until }) }
    }
}

/// How an issue stood when it was ignored.
#[derive(Debug, Clone, Copy, Default, QueryableByName)]
struct Usual {
    #[diesel(sql_type = BigInt)]
    events: i64,
    #[diesel(sql_type = BigInt)]
    users: i64,
    #[diesel(sql_type = BigInt)]
    busiest: i64,
}

/// The hour up to now is among those of which the busiest is looked for: with the next event its events count again.
async fn usual(connection: &mut Connection, id: IssueId, now: DateTime<Utc>) -> Result<Usual, StoreError> {
    let rows: Vec<Usual> = statement(
        "SELECT c.events, c.users::bigint AS users, coalesce(greatest(
             (SELECT max(h.events) FROM issue_hours h WHERE h.issue_id = $1 AND h.hour >= $2),
             (SELECT sum(m.events) FROM issue_minutes m WHERE m.issue_id = $1 AND m.minute > $3)), 0)::bigint AS busiest
         FROM issue_counts c WHERE c.issue_id = $1",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<Timestamptz, _>(now.checked_sub_signed(USUAL).unwrap_or(now))
    .bind::<Timestamptz, _>(now.checked_sub_signed(TimeDelta::hours(1)).unwrap_or(now))
    .load(connection)
    .await?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Where the condition of an issue lies.
async fn limit(
    connection: &mut Connection,
    id: IssueId,
    until: IgnoreUntil,
    now: DateTime<Utc>,
) -> Result<Ignored, StoreError> {
    let Usual { events, users, busiest } = usual(connection, id, now).await?;
    let limit = match until {
        IgnoreUntil::Time(_) => 0,
        IgnoreUntil::Events(more) => events.saturating_add(more),
        IgnoreUntil::Users(more) => users.saturating_add(more),
        IgnoreUntil::Escalates(_) => escalation(busiest),
    };
    Ok(Ignored { until, limit })
}

fn escalation(busiest: i64) -> i64 {
    busiest.saturating_mul(2).max(LEAST_ESCALATION)
}

/// The condition of an issue that others are about to be merged into.
pub(super) struct Condition {
    issue: IssueId,
    ignored: Ignored,
    before: Usual,
}

impl Condition {
    /// What the issue is ignored until, if it is. It is locked.
    pub(super) async fn read(
        connection: &mut Connection,
        issue: IssueId,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, StoreError> {
        #[derive(QueryableByName)]
        struct Column {
            #[diesel(sql_type = Jsonb)]
            ignore_until: Value,
        }
        let rows: Vec<Column> = statement(
            "SELECT ignore_until FROM issues WHERE id = $1 AND status = 2 AND ignore_until IS NOT NULL",
        )
        .bind::<BigInt, _>(issue.0)
        .load(connection)
        .await?;
        let row = rows.into_iter().next();
        let Some(ignored) = row.and_then(|row| Ignored::read(Some(&row.ignore_until))) else {
            return Ok(None);
        };
        Ok(Some(Self { issue, ignored, before: usual(connection, issue, now).await? }))
    }

    /// What the others have brought does not count as having come since.
    pub(super) async fn raise(
        self,
        connection: &mut Connection,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let after = usual(connection, self.issue, now).await?;
        let limit = self.ignored.limit;
        let limit = match self.ignored.until {
            IgnoreUntil::Time(_) => limit,
            IgnoreUntil::Events(_) => limit.saturating_add(after.events - self.before.events),
            IgnoreUntil::Users(_) => limit.saturating_add(after.users - self.before.users),
            IgnoreUntil::Escalates(_) => limit.max(escalation(after.busiest)),
        };
        statement("UPDATE issues SET ignore_until = $2 WHERE id = $1")
            .bind::<BigInt, _>(self.issue.0)
            .bind::<Jsonb, _>(json!(Ignored { limit, ..self.ignored }))
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// What has become of an issue's condition.
pub(super) struct Followed {
    pub project: ProjectId,
    /// The status that it was brought in line with.
    status: IssueStatus,
    ignored: Option<Ignored>,
}

impl Followed {
    /// Says so in the activity: with the status when that has changed too. For ever is until null.
    pub(super) fn tell(&self, issue: IssueId, happened: &mut Vec<NewActivity>) {
        // Without a condition there is nothing to say of any other status.
        if self.status != IssueStatus::Ignored {
            return;
        }
        let ignored_now = IssueStatus::Ignored.as_str();
        if !happened.iter().any(|new| new.kind == "status") {
            let data = json!({ "from": ignored_now, "to": ignored_now });
            happened.push(NewActivity { issue, kind: "status", data });
        }
        for new in happened.iter_mut().filter(|new| new.kind == "status") {
            new.say("until", json!(self.ignored.map(|ignored| ignored.until)));
        }
    }
}

/// Brings the condition of an issue in line with a change of its status; what is different, if anything.
pub(super) async fn follow(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
    change: &IssueChange,
    now: DateTime<Utc>,
) -> Result<Option<Followed>, StoreError> {
    let Some(status) = change.status else { return Ok(None) };
    let ignored = match change.ignore_until.filter(|_| status == IssueStatus::Ignored) {
        Some(until) => Some(limit(connection, id, until, now).await?),
        None => None,
    };
    let project = write(connection, scope, id, ignored).await?;
    Ok(project.map(|project| Followed { project, status, ignored }))
}

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Integer)]
    project_id: i32,
}

/// Writes the condition of an ignored issue of a scope, or takes it away. The project, when that is a difference.
async fn write(
    connection: &mut Connection,
    scope: &Scope,
    id: IssueId,
    ignored: Option<Ignored>,
) -> Result<Option<ProjectId>, StoreError> {
    let rows: Vec<Written> = statement(
        "UPDATE issues i SET ignore_until = $2 WHERE i.id = $1 AND i.ignore_until IS DISTINCT FROM $2
           AND ($2 IS NULL OR i.status = 2)
           AND ($3 IS NULL OR EXISTS (SELECT 1 FROM projects p WHERE p.id = i.project_id AND p.team_id = ANY ($3)))
         RETURNING i.project_id",
    )
    .bind::<BigInt, _>(id.0)
    .bind::<Nullable<Jsonb>, _>(ignored.map(|ignored| json!(ignored)))
    .bind::<Nullable<Array<Integer>>, _>(scope.bind())
    .load(connection)
    .await?;
    Ok(rows.into_iter().next().map(|row| ProjectId(row.project_id)))
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Integer)]
    project_id: i32,
    #[diesel(sql_type = SmallInt)]
    level: i16,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Integer)]
    generation: i32,
    #[diesel(sql_type = Jsonb)]
    ignore_until: Value,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    event_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    environment: Option<String>,
}

impl Waiting {
    /// The signal; none when there is no event left that it could show.
    fn signal(&self, now: DateTime<Utc>) -> Option<Signal> {
        Some(Signal::IssueUnignored(IssueSignal {
            issue: IssueId(self.id),
            project: ProjectId(self.project_id),
            generation: self.generation,
            event_id: self.event_id?,
            received_at: now,
            level: Level::from_code(self.level)?,
            priority: Priority::from_code(self.priority)?,
            environment: self.environment.clone(),
        }))
    }
}

/// Ends the ignoring of issues whose time has come; how many. What waits for events is looked at when they come.
///
/// # Errors
/// When the database fails.
pub async fn sweep(connection: &mut Connection, now: DateTime<Utc>) -> Result<usize, StoreError> {
    connection
        .transaction(async |connection| {
            let over: Vec<Waiting> = statement(
                "WITH due AS (
                     SELECT id, ignore_until FROM issues WHERE ignore_until IS NOT NULL AND status = $2
                         AND (ignore_until -> 'until' ->> 'time')::timestamptz <= $1
                     ORDER BY id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED),
                 ended AS (
                     UPDATE issues i SET status = 0, ignore_until = NULL, generation = i.generation + 1, threshold = 0,
                         reopened_at = $1
                     FROM due WHERE i.id = due.id
                     RETURNING i.id, i.project_id, i.level, i.priority, i.generation, due.ignore_until)
                 SELECT e.*, l.event_id, n.name AS environment FROM ended e
                 LEFT JOIN LATERAL (SELECT v.event_id, v.environment_id FROM events v WHERE v.issue_id = e.id
                     ORDER BY v.received_at DESC LIMIT 1) l ON true
                 LEFT JOIN environments n ON n.id = l.environment_id ORDER BY e.id",
            )
            .bind::<Timestamptz, _>(now)
            .bind::<SmallInt, _>(IssueStatus::Ignored.code())
            .bind::<BigInt, _>(SWEEP)
            .load(connection)
            .await?;
            let ended: Vec<NewActivity> = over
                .iter()
                .filter_map(|row| Some(Ignored::read(Some(&row.ignore_until))?.ended(IssueId(row.id))))
                .collect();
            activity::add(connection, None, &ended, now).await?;
            outbox::add(connection, over.iter().filter_map(|row| row.signal(now)).collect(), now).await?;
            Ok(over.len())
        })
        .await
}
