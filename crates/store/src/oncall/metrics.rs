//! How on-call went: incidents and the times until somebody answered, pages and their delays, and whom they woke.

mod nights;

use crate::row::{self, JsonRow};
use crate::stats::Buckets;
use crate::{Connection, Scope, Statement, StoreError, statement};
use bugle_model::{Channel, IncidentEvent, Priority, TeamId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::{Array, Int4, Interval, Nullable, SmallInt, Timestamptz};
use diesel_async::RunQueryDsl;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest time that is looked at.
pub const MAX_RANGE: TimeDelta = TimeDelta::days(90);
/// Up to this long it is told by the hour, else by the day.
const BY_THE_HOUR: TimeDelta = TimeDelta::days(2);

/// A time, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsFilter {
    /// The beginning.
    pub from: DateTime<Utc>,
    /// The end, later by [`MAX_RANGE`] at most; not part of it.
    pub to: DateTime<Utc>,
    /// Only of this team.
    pub team: Option<TeamId>,
}

/// How on-call went in a time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OnCallMetrics {
    /// The beginning.
    pub from: DateTime<Utc>,
    /// The end.
    pub to: DateTime<Utc>,
    /// The beginnings of equal parts of it: hours up to two days, else 24 hours each. The last one may be longer than what is left.
    pub buckets: Vec<DateTime<Utc>>,
    /// Incidents that were triggered, by the priority that they have come to; the highest first.
    pub incidents: Vec<PriorityCounts>,
    /// Of these, from being triggered to the first acknowledgement or snooze.
    pub time_to_acknowledge: Durations,
    /// Of these, from being triggered to their end.
    pub time_to_resolve: Durations,
    /// Pages that ended, by the channel that they took.
    pub channels: Vec<ChannelMetrics>,
    /// Who was paged, who most first.
    pub people: Vec<PersonMetrics>,
}

/// Incidents of a priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PriorityCounts {
    /// Which.
    pub priority: Priority,
    /// In each bucket.
    pub counts: Vec<i64>,
}

/// How long something took. Seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Durations {
    /// Of how many incidents.
    pub incidents: i64,
    /// Half of them took no longer; none without any.
    pub median_seconds: Option<f64>,
    /// On average; none without any.
    pub mean_seconds: Option<f64>,
}

/// Pages of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChannelMetrics {
    /// Which.
    pub channel: Channel,
    /// Pages that its provider took, and did not report as undelivered.
    pub sent: i64,
    /// Pages that were given up, or that have not arrived.
    pub failed: i64,
    /// Both in each bucket.
    pub counts: Vec<i64>,
    /// From the event to the provider's acceptance, of an incident's first pages; from the time at which it was due, of others. Half of
    /// those that were sent took no longer; none without any.
    pub p50_ms: Option<f64>,
    /// The same of 95 in 100.
    pub p95_ms: Option<f64>,
    /// The same of 99 in 100.
    pub p99_ms: Option<f64>,
}

/// Pages of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PersonMetrics {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Pages that were sent to them.
    pub pages: i64,
    /// Those between 22:00 and 07:00 by the clock of their account's zone.
    pub night_pages: i64,
    /// Nights, from 22:00 to 07:00, with one at least.
    pub interrupted_nights: i64,
}

/// Reads them: five queries, whatever the time.
///
/// # Errors
/// When the database fails.
pub async fn metrics(
    conn: &mut Connection,
    scope: &Scope,
    filter: &MetricsFilter,
) -> Result<OnCallMetrics, StoreError> {
    let (buckets, asked) = (buckets(filter), Asked { scope, filter });
    let incidents = incidents(conn, &asked, &buckets).await?;
    let Answers { acknowledged, resolved } = answers(conn, &asked).await?;
    let channels = channels(conn, &asked, &buckets).await?;
    let people = nights::people(pages_of_people(conn, &asked).await?);
    Ok(OnCallMetrics {
        from: filter.from,
        to: filter.to,
        buckets: buckets.starts(),
        incidents,
        time_to_acknowledge: acknowledged,
        time_to_resolve: resolved,
        channels,
        people,
    })
}

fn buckets(filter: &MetricsFilter) -> Buckets {
    let length = filter.to - filter.from;
    let step = if length <= BY_THE_HOUR { TimeDelta::hours(1) } else { TimeDelta::days(1) };
    let count = (length.num_seconds() - 1).max(0) / step.num_seconds() + 1;
    Buckets { since: filter.from, step, count: usize::try_from(count).unwrap_or_default() }
}

/// The condition on an incident `n` of a project `p`: its team, and the scope.
macro_rules! of_team {
    () => {
        "($3 IS NULL OR COALESCE(n.team_id, p.team_id) = $3) AND ($4 IS NULL OR COALESCE(n.team_id, p.team_id) = ANY ($4))"
    };
}

/// Pages that ended in the time, each with its incident `n`, its destination `d` and what it belongs to.
macro_rules! ended_pages {
    () => {
        concat!(
            "FROM notifications o JOIN incident_pages g ON g.notification_id = o.id
             JOIN incidents n ON n.id = g.incident_id LEFT JOIN projects p ON p.id = n.project_id
             JOIN destinations d ON d.id = o.destination_id
             WHERE o.kind = 13 AND o.finished_at >= $1 AND o.finished_at < $2 AND o.state IN (2, 3) AND ",
            of_team!()
        )
    };
}

/// What every one of the queries is about.
struct Asked<'a> {
    scope: &'a Scope,
    filter: &'a MetricsFilter,
}

impl Asked<'_> {
    /// A query with the time as `$1` and `$2`, the team as `$3` and the scope as `$4`.
    fn statement(&self, text: &'static str) -> Statement<impl QueryFragment<Pg> + Send> {
        let MetricsFilter { from, to, team } = self.filter;
        statement(text)
            .bind::<Timestamptz, _>(*from)
            .bind::<Timestamptz, _>(*to)
            .bind::<Nullable<Int4>, _>(team.map(|team| team.0))
            .bind::<Nullable<Array<Int4>>, _>(self.scope.bind())
    }
}

async fn incidents(
    conn: &mut Connection,
    asked: &Asked<'_>,
    buckets: &Buckets,
) -> Result<Vec<PriorityCounts>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        priority: i16,
        start: DateTime<Utc>,
        incidents: i64,
    }
    let rows: Vec<JsonRow> = asked.statement(concat!(
        "SELECT jsonb_build_object('priority', n.priority, 'start', date_bin($5, n.triggered_at, $1), 'incidents', count(*)) AS row
         FROM incidents n LEFT JOIN projects p ON p.id = n.project_id
         WHERE n.triggered_at >= $1 AND n.triggered_at < $2 AND ",
        of_team!(),
        " GROUP BY n.priority, date_bin($5, n.triggered_at, $1)"
    ))
    .bind::<Interval, _>(buckets.step())
    .load(conn)
    .await?;
    let mut counts: BTreeMap<Priority, Vec<i64>> = BTreeMap::new();
    for Row { priority, start, incidents } in row::all(rows)? {
        let priority = Priority::from_code(priority)
            .ok_or_else(|| StoreError::Damaged("the priority of an incident".to_owned()))?;
        buckets.add(counts.entry(priority).or_default(), start, incidents);
    }
    Ok(counts.into_iter().rev().map(|(priority, counts)| PriorityCounts { priority, counts }).collect())
}

#[derive(Default, Deserialize)]
struct Answers {
    acknowledged: Durations,
    resolved: Durations,
}

async fn answers(conn: &mut Connection, asked: &Asked<'_>) -> Result<Answers, StoreError> {
    let rows: Vec<JsonRow> = asked.statement(concat!(
        // What an incident says of its acknowledgement is gone when it begins again; its timeline is not.
        "WITH took AS (
            SELECT extract(epoch FROM (SELECT min(l.at) FROM incident_log l WHERE l.incident_id = n.id AND l.kind IN ($5, $6))
                - n.triggered_at)::float8 AS acknowledged,
                extract(epoch FROM n.resolved_at - n.triggered_at)::float8 AS resolved
            FROM incidents n LEFT JOIN projects p ON p.id = n.project_id
            WHERE n.triggered_at >= $1 AND n.triggered_at < $2 AND ",
        of_team!(),
        ")
         SELECT jsonb_build_object(
            'acknowledged', jsonb_build_object('incidents', count(acknowledged), 'mean_seconds', avg(acknowledged),
                'median_seconds', percentile_cont(0.5) WITHIN GROUP (ORDER BY acknowledged)),
            'resolved', jsonb_build_object('incidents', count(resolved), 'mean_seconds', avg(resolved),
                'median_seconds', percentile_cont(0.5) WITHIN GROUP (ORDER BY resolved))) AS row
         FROM took"
    ))
    .bind::<SmallInt, _>(IncidentEvent::Acknowledged.code())
    .bind::<SmallInt, _>(IncidentEvent::Snoozed.code())
    .load(conn)
    .await?;
    Ok(row::first(rows)?.unwrap_or_default())
}

async fn channels(
    conn: &mut Connection,
    asked: &Asked<'_>,
    buckets: &Buckets,
) -> Result<Vec<ChannelMetrics>, StoreError> {
    let mut channels = BTreeMap::new();
    for (code, pages) in delays(conn, asked).await? {
        let channel = Channel::from_code(code)
            .ok_or_else(|| StoreError::Damaged("the channel of a page".to_owned()))?;
        let Pages { sent, failed, delays } = pages;
        let [p50_ms, p95_ms, p99_ms] = delays.map_or([None; 3], |delays| delays.map(Some));
        let counts = vec![0; buckets.count];
        channels.insert(code, ChannelMetrics { channel, sent, failed, counts, p50_ms, p95_ms, p99_ms });
    }
    for (code, start, pages) in pages_by_time(conn, asked, buckets).await? {
        if let Some(channel) = channels.get_mut(&code) {
            buckets.add(&mut channel.counts, start, pages);
        }
    }
    Ok(channels.into_values().collect())
}

#[derive(Deserialize)]
struct Pages {
    sent: i64,
    failed: i64,
    delays: Option<[f64; 3]>,
}

async fn delays(conn: &mut Connection, asked: &Asked<'_>) -> Result<Vec<(i16, Pages)>, StoreError> {
    let rows: Vec<JsonRow> = asked.statement(concat!(
        "SELECT jsonb_build_array(d.channel, jsonb_build_object('sent', count(*) FILTER (WHERE o.state = 2),
            'failed', count(*) FILTER (WHERE o.state = 3),
            'delays', percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (
                ORDER BY extract(epoch FROM o.finished_at - o.received_at)::float8 * 1000) FILTER (WHERE o.state = 2))) AS row ",
        ended_pages!(),
        " GROUP BY d.channel"
    ))
    .load(conn)
    .await?;
    row::all(rows)
}

async fn pages_by_time(
    conn: &mut Connection,
    asked: &Asked<'_>,
    buckets: &Buckets,
) -> Result<Vec<(i16, DateTime<Utc>, i64)>, StoreError> {
    let rows: Vec<JsonRow> = asked
        .statement(concat!(
            "SELECT jsonb_build_array(d.channel, date_bin($5, o.finished_at, $1), count(*)) AS row ",
            ended_pages!(),
            " GROUP BY d.channel, date_bin($5, o.finished_at, $1)"
        ))
        .bind::<Interval, _>(buckets.step())
        .load(conn)
        .await?;
    row::all(rows)
}

async fn pages_of_people(
    conn: &mut Connection,
    asked: &Asked<'_>,
) -> Result<Vec<nights::Quarter>, StoreError> {
    let rows: Vec<JsonRow> = asked
        .statement(concat!(
            // Every zone's hours begin with a quarter of an hour of UTC: so many rows are enough, and no more than that.
            "SELECT jsonb_build_object('user', u.id, 'name', u.name, 'zone', u.time_zone, 'pages', count(*),
            'start', date_bin('15 minutes', o.finished_at, '2000-01-01T00:00:00Z')) AS row ",
            "FROM users u JOIN (SELECT g.user_id, o.finished_at ",
            ended_pages!(),
            " AND o.state = 2) o ON o.user_id = u.id
         GROUP BY u.id, date_bin('15 minutes', o.finished_at, '2000-01-01T00:00:00Z')"
        ))
        .load(conn)
        .await?;
    row::all(rows)
}
